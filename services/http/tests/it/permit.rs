//! Permits for work.

use std::time::Duration;

use http_base::permit::Permits;
use http_base::problem::Problem;

#[tokio::test]
async fn there_are_as_many_permits_as_were_asked_for_and_each_is_returned() {
    let permits = Permits::new(2);
    let (first, _second) = (permits.try_acquire().unwrap(), permits.acquire().await);
    assert_eq!(permits.try_acquire().unwrap_err(), Problem::Busy);
    let early = tokio::time::timeout(Duration::from_millis(50), permits.acquire()).await;
    assert!(early.is_err(), "a third permit");
    let returned = async { tokio::join!(permits.acquire(), async { drop(first) }) };
    let (third, ()) = tokio::time::timeout(Duration::from_secs(10), returned).await.expect("no permit is returned");
    assert_eq!(permits.try_acquire().unwrap_err(), Problem::Busy);
    drop(third);
    permits.try_acquire().unwrap();
}
