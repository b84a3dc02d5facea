//! A lease is checked at each request, and again while a response is in progress.

use app::lease::Denied;
use domain::clock::Timestamp;
use tokio::io::AsyncWriteExt;

use crate::pinning::is_cut_short;
use crate::support::{LEASE, LEASE_END, TestServer, UNKNOWN_LEASE, object, read_head};

#[tokio::test]
async fn an_invalid_lease_is_refused_at_the_next_request() {
    let server = TestServer::start().await;
    for (denied, status, code) in [
        (Denied::Revoked, 403, "AccessDenied"),
        (Denied::Ended, 403, "AccessDenied"),
        (Denied::Expired, 403, "AccessDenied"),
        (Denied::Unknown, 403, "AccessDenied"),
        (Denied::Unavailable, 503, "ServiceUnavailable"),
    ] {
        server.pin(&["a.parquet"]);
        assert_eq!(server.ask("GET", &object("a.parquet")).await.status, 200);
        server.leases.deny(LEASE, denied);
        for target in [object("a.parquet"), object("none"), "/lake?list-type=2".to_owned(), "/lake?location".to_owned()]
        {
            let answer = server.ask("GET", &target).await;
            assert_eq!(
                (answer.status, answer.elements("Code")),
                (status, vec![code.to_owned()]),
                "{denied:?} {target}"
            );
            assert_eq!(answer.elements("Message"), [denied.to_string()]);
        }
    }
    let stranger = server.signer(UNKNOWN_LEASE).sign("GET", &object("a.parquet"));
    assert_eq!(server.send(&stranger).await.status, 403);
}

#[tokio::test]
async fn a_lease_expires_on_time() {
    let server = TestServer::start().await;
    server.clock.set(Timestamp(LEASE_END.micros() - 1));
    assert_eq!(server.ask("GET", &object("a.parquet")).await.status, 200);
    server.clock.set(LEASE_END);
    let answer = server.ask("GET", &object("a.parquet")).await;
    assert_eq!(
        (answer.status, answer.elements("Message")),
        (403, vec!["this lease has expired: request a new one".into()])
    );
}

#[tokio::test]
async fn a_revocation_cuts_a_response_short() {
    check_cut(|server| server.leases.deny(LEASE, Denied::Revoked)).await;
}

#[tokio::test]
async fn the_expiry_of_a_lease_cuts_a_response_short() {
    check_cut(|server| server.clock.set(LEASE_END)).await;
}

#[tokio::test]
async fn without_its_secret_a_lease_reveals_nothing() {
    let server = TestServer::start().await;
    server.leases.deny(LEASE, Denied::Revoked);
    let mut answers = vec![];
    for lease in [LEASE, UNKNOWN_LEASE] {
        let mut signer = server.signer(lease);
        signer.secret = "guessed".to_owned();
        let answer = server.send(&signer.sign("GET", &object("a.parquet"))).await;
        answers.push((answer.status, answer.text()));
    }
    assert_eq!(answers[0], answers[1]);
}

async fn check_cut(end: impl Fn(&TestServer)) {
    let server = TestServer::start().await;
    let mut stream = server.connect().await;
    stream.write_all(&server.signer(LEASE).sign("GET", &object("huge.bin")).bytes()).await.unwrap();
    let head = read_head(&mut stream).await;
    end(&server);
    assert!(is_cut_short(head, stream).await);
}
