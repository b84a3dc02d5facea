//! A lease is asked for at each request, and again while an answer is under way.

use app::lease::Denied;
use domain::clock::Timestamp;
use tokio::io::AsyncWriteExt;

use crate::pinning::is_cut_short;
use crate::support::{House, LEASE, LEASE_END, UNKNOWN_LEASE, object, read_head};

#[tokio::test]
async fn a_lease_that_opens_nothing_is_refused_at_the_next_request() {
    let house = House::open().await;
    for (denied, status, code) in [
        (Denied::Revoked, 403, "AccessDenied"),
        (Denied::Ended, 403, "AccessDenied"),
        (Denied::Expired, 403, "AccessDenied"),
        (Denied::Unknown, 403, "AccessDenied"),
        (Denied::Unavailable, 503, "ServiceUnavailable"),
    ] {
        house.pin(&["a.parquet"]);
        assert_eq!(house.ask("GET", &object("a.parquet")).await.status, 200);
        house.leases.deny(LEASE, denied);
        for target in [object("a.parquet"), object("none"), "/lake?list-type=2".to_owned(), "/lake?location".to_owned()]
        {
            let answer = house.ask("GET", &target).await;
            assert_eq!(
                (answer.status, answer.elements("Code")),
                (status, vec![code.to_owned()]),
                "{denied:?} {target}"
            );
            assert_eq!(answer.elements("Message"), [denied.to_string()]);
        }
    }
    let stranger = house.signer(UNKNOWN_LEASE).sign("GET", &object("a.parquet"));
    assert_eq!(house.send(&stranger).await.status, 403);
}

#[tokio::test]
async fn a_lease_ends_on_time() {
    let house = House::open().await;
    house.clock.set(Timestamp(LEASE_END.micros() - 1));
    assert_eq!(house.ask("GET", &object("a.parquet")).await.status, 200);
    house.clock.set(LEASE_END);
    let answer = house.ask("GET", &object("a.parquet")).await;
    assert_eq!(
        (answer.status, answer.elements("Message")),
        (403, vec!["this lease has expired: get a new one".into()])
    );
}

#[tokio::test]
async fn a_revoke_cuts_an_answer_short() {
    check_cut(|house| house.leases.deny(LEASE, Denied::Revoked)).await;
}

#[tokio::test]
async fn the_end_of_a_lease_cuts_an_answer_short() {
    check_cut(|house| house.clock.set(LEASE_END)).await;
}

#[tokio::test]
async fn nothing_is_learnt_about_a_lease_without_its_secret() {
    let house = House::open().await;
    house.leases.deny(LEASE, Denied::Revoked);
    let mut answers = vec![];
    for lease in [LEASE, UNKNOWN_LEASE] {
        let mut signer = house.signer(lease);
        signer.secret = "guessed".to_owned();
        let answer = house.send(&signer.sign("GET", &object("a.parquet"))).await;
        answers.push((answer.status, answer.text()));
    }
    assert_eq!(answers[0], answers[1]);
}

async fn check_cut(end: impl Fn(&House)) {
    let house = House::open().await;
    let mut stream = house.connect().await;
    stream.write_all(&house.signer(LEASE).sign("GET", &object("huge.bin")).bytes()).await.unwrap();
    let head = read_head(&mut stream).await;
    end(&house);
    assert!(is_cut_short(head, stream).await);
}
