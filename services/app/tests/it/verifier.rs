//! A second issuer: its principals are others than those of the local issuer, whatever their subjects.

#![expect(clippy::unwrap_used, reason = "a helper of tests ends the test")]

use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Duration;

use app::Error;
use app::gate::Vended;
use app::identity::{NewRole, SignedIn};
use app::issuer::BOOTSTRAP_SUBJECT;
use app::token::CreateToken;
use domain::clock::Clock;
use domain::error::Kind;
use domain::gate::Action;
use domain::id::{PrincipalId, RoleId};
use domain::identity::{LOCAL_ISSUER, PlatformRole, Principal, PrincipalKind, Role, RoleAssignment, Verifier};
use store::Lock;
use testkit::app::{TestApp, Wiring};
use testkit::clock::ManualClock;
use testkit::verifier::FakeVerifier;

use crate::open_table::{ROWS, open_on};

const ISSUER: &str = "https://idp.example";
/// How long tokens of the second issuer live.
const LIFE: Duration = Duration::from_secs(600);

/// An application with a second issuer.
async fn start() -> (TestApp, Arc<FakeVerifier>) {
    let valid_until = ManualClock::new().now().plus(LIFE);
    let verifier = Arc::new(FakeVerifier::new(ISSUER, valid_until));
    let test = TestApp::start_wired(Wiring { verifiers: vec![verifier.clone()], ..Wiring::default() }).await;
    (test, verifier)
}

/// Starts an application with the verifiers of these issuers.
async fn start_with_issuers(issuers: &[&str]) {
    let verifier =
        |issuer: &&str| -> Arc<dyn Verifier> { Arc::new(FakeVerifier::new(issuer, ManualClock::new().now())) };
    let verifiers = issuers.iter().map(verifier).collect();
    TestApp::start_wired(Wiring { verifiers, ..Wiring::default() }).await;
}

/// Makes a principal of the second issuer known.
async fn add(test: &TestApp, subject: &str) -> PrincipalId {
    let principal = Principal {
        id: PrincipalId::new(test.clock.as_ref(), test.random.as_ref()),
        issuer: ISSUER.to_owned(),
        subject: subject.to_owned(),
        kind: PrincipalKind::User,
        enabled: true,
        disabled: None,
        created_at: test.clock.now(),
    };
    let mut tx = test.app.db.write(Lock::Facts).await.unwrap();
    store::identity::insert_principal(&mut tx, &principal).await.unwrap();
    tx.commit().await.unwrap();
    principal.id
}

async fn make_admin(test: &TestApp, principal_id: PrincipalId) {
    let assignment = RoleAssignment {
        id: RoleId::new(test.clock.as_ref(), test.random.as_ref()),
        principal_id,
        role: Role::Platform(PlatformRole::Admin),
        assigned_by: principal_id,
        assigned_at: test.clock.now(),
    };
    let mut tx = test.app.db.write(Lock::Facts).await.unwrap();
    store::identity::insert_role(&mut tx, &assignment).await.unwrap();
    tx.commit().await.unwrap();
}

#[tokio::test]
async fn one_subject_of_two_issuers_is_two_principals_and_the_second_has_nothing_of_the_first() {
    let (test, idp) = start().await;
    let (test, _, _, _) = open_on(test).await;
    test.assign_platform("reader", PlatformRole::Auditor).await;
    test.assign_platform("reader", PlatformRole::Steward).await;
    let foreign_id = add(&test, "reader").await;

    // The local one signs in first, last, and in between: nothing that is cached of one is the other's.
    for _ in 0..2 {
        let local = test.ctx("reader").await;
        let foreign = test.bearer(&idp.token("reader")).await;
        assert_eq!(foreign.id(), foreign_id);
        assert_ne!(local.id(), foreign_id);
        assert_eq!(foreign.actor.standing.grants.len(), 0);
        assert_eq!(foreign.actor.standing.platform_roles, []);
        let vended = local.vends(ROWS, Action::Read).await.unwrap();
        assert!(matches!(vended, Vended::Issued(_)), "the local reader has the grant");
        let vended = foreign.vends(ROWS, Action::Read).await.unwrap();
        assert!(matches!(vended, Vended::Refused(_)), "the other reader has none");
    }
}

#[tokio::test]
async fn a_role_by_subject_is_for_the_local_principal() {
    let (test, idp) = start().await;
    add(&test, "only-there").await;
    let command = app::identity::AssignRole {
        subject: "only-there".to_owned(),
        role: NewRole::Platform(PlatformRole::Admin),
        key: None,
    };
    assert_eq!(app::identity::assign_role(&test.admin, command).await.unwrap_err().kind(), Kind::NotFound);
    add(&test, "admin").await;
    let foreign = test.bearer(&idp.token("admin")).await;
    assert_eq!(foreign.actor.standing.platform_roles, [], "the first admin's subject says nothing at another issuer");
}

#[tokio::test]
async fn nobody_gets_a_local_token_for_the_subject_of_another_issuer() {
    let (test, idp) = start().await;
    test.principal("reader").await;
    let principal_id = add(&test, "reader").await;
    make_admin(&test, principal_id).await;
    let foreign = test.bearer(&idp.token("reader")).await;
    let own = CreateToken { subject: None, lifetime: None, purpose: None };
    let error = app::token::create_token(&foreign, own).await.unwrap_err();
    assert_eq!(error.kind(), Kind::Invalid, "{error:?}");
}

#[tokio::test]
async fn an_unknown_subject_and_the_one_time_tokens_subject_are_nobody_at_another_issuer() {
    let (test, idp) = start().await;
    for subject in ["admin", "nobody", BOOTSTRAP_SUBJECT] {
        assert!(test.refuses(&idp.token(subject)).await, "{subject}");
    }
    assert!(test.refuses("no token").await);
}

#[tokio::test]
async fn a_cached_caller_ends_with_the_token_of_its_issuer() {
    let (test, idp) = start().await;
    add(&test, "reader").await;
    let token = idp.token("reader");
    test.bearer(&token).await;
    test.clock.advance(LIFE - Duration::from_micros(1));
    let SignedIn::Actor(_) = app::identity::sign_in(&test.app, &token).await.unwrap() else { panic!("no principal") };
    test.clock.advance(Duration::from_micros(1));
    assert!(test.refuses(&token).await);
}

#[tokio::test]
async fn a_token_of_another_issuer_ends_with_the_disabling_of_its_principal() {
    let (test, idp) = start().await;
    let id = add(&test, "reader").await;
    let before = idp.token_issued_at("reader", test.clock.now());
    let reader = test.bearer(&before).await;
    test.admin.disables(id).await.unwrap();
    test.admin.enables(id).await.unwrap();
    assert!(test.refuses(&before).await, "it was issued before its principal was disabled");
    let own = CreateToken { subject: None, lifetime: None, purpose: None };
    let under_way = app::token::create_token(&reader, own).await;
    assert!(matches!(under_way, Err(Error::Unauthenticated)), "{under_way:?}");
    let after = idp.token_issued_at("reader", test.clock.now().plus(Duration::from_micros(1)));
    assert_eq!(test.bearer(&after).await.id(), id);
}

#[tokio::test]
async fn a_token_that_cannot_be_checked_now_is_not_called_bad() {
    let (test, idp) = start().await;
    add(&test, "reader").await;
    let (local, foreign) = (test.token("admin").await, idp.token("reader"));
    idp.is_away.store(true, Ordering::SeqCst);
    for token in [&foreign, "no token"] {
        let error = app::identity::sign_in(&test.app, token).await.err().unwrap();
        assert_eq!(error.kind(), Kind::Unavailable, "{token}: {error:?}");
    }
    test.bearer(&local).await;
    idp.is_away.store(false, Ordering::SeqCst);
    test.bearer(&foreign).await;
}

#[tokio::test]
#[should_panic(expected = "configured twice")]
async fn two_verifiers_of_one_issuer_are_refused() {
    start_with_issuers(&[ISSUER, "https://another.example", ISSUER]).await;
}

#[tokio::test]
#[should_panic(expected = "or is the local one")]
async fn a_second_verifier_of_the_local_issuer_is_refused() {
    start_with_issuers(&[ISSUER, LOCAL_ISSUER]).await;
}
