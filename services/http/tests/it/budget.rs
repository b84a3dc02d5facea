//! What clients hold of budgets.

use std::net::IpAddr;

use http_base::budget::{Bodies, Client, Shares};
use http_base::problem::Problem;

fn client(last: u8) -> Client {
    Client::Address(IpAddr::from([192, 0, 2, last]))
}

#[test]
fn a_share_is_returned_and_leaves_no_entry() {
    let shares = Shares::new(3);
    let (mut first, mut second) = (shares.hold(&[client(1)]), shares.hold(&[client(1)]));
    first.add(1).unwrap();
    second.add(1).unwrap();
    first.add(1).unwrap();
    assert!(matches!(second.add(1), Err(Problem::TooMany { .. })));
    drop(first);
    assert!(matches!(second.add(3), Err(Problem::TooMany { .. })), "the second is still held");
    second.add(2).unwrap();
    drop(second);
    assert_eq!(format!("{shares:?}"), format!("{:?}", Shares::new(3)));
}

#[test]
fn beyond_the_share_of_one_client_nothing_is_added_for_the_others() {
    let shares = Shares::new(1);
    let mut first = shares.hold(&[client(1)]);
    first.add(1).unwrap();
    assert!(matches!(shares.hold(&[client(2), client(1)]).add(1), Err(Problem::TooMany { .. })));
    shares.hold(&[client(2)]).add(1).unwrap();
}

#[tokio::test]
async fn the_bytes_of_a_body_are_held_together() {
    let bodies = Bodies::new(10, 100);
    let (mut first, mut second) = (bodies.hold(&[client(1)]), bodies.hold(&[client(2)]));
    first.add(4).unwrap();
    first.add(4).unwrap();
    assert!(matches!(second.add(4), Err(Problem::Busy)));
    second.add_waiting(2).await.unwrap();
    assert!(matches!(second.add(1), Err(Problem::Busy)));
    drop(first);
    second.add(8).unwrap();
    // The share of a client is less than the budget.
    let bodies = Bodies::new(10, 4);
    let mut held = bodies.hold(&[client(1)]);
    assert!(matches!(held.add(5), Err(Problem::TooMany { .. })));
    held.add_waiting(5).await.unwrap();
    held.add(4).unwrap();
    assert!(matches!(bodies.hold(&[client(2)]).add(2), Err(Problem::Busy)));
}
