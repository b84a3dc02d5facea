//! Tokens: listed and revoked one by one, neither wider nor longer than the token that makes them, and without a life
//! after the disabling of their principal.

#![expect(clippy::unwrap_used, reason = "a helper of tests ends the test")]

use std::time::Duration;

use app::error::Error;
use app::gate::Vended;
use app::grant::RequestAccess;
use app::identity::{AssignRole, CreatePrincipal, NewKind, NewRole, SignedIn};
use app::issuer::{Claims, TokenKind};
use app::lease::{Denied, Leases};
use app::token::{CreateToken, create_token, find_token, list_tokens, revoke_token};
use domain::audit;
use domain::clock::Clock;
use domain::error::{Kind, Reason};
use domain::gate::Action;
use domain::grant::Purpose;
use domain::id::TokenId;
use domain::identity::{DomainRole, PlatformRole, PurposeCode};
use domain::lease::LeaseState;
use domain::token::{MAX_CHAIN, MAX_VALID, Revoked, Token};
use store::{Lock, Seek};
use testkit::actor::{TestActor, access_to};
use testkit::app::TestApp;

use crate::open_table::{CONTRACT, PRODUCT, ROWS, open, publish};

const HOUR: Duration = Duration::from_secs(3_600);
const DAY: Duration = Duration::from_secs(24 * 3_600);

fn command(subject: Option<&str>, lifetime: Option<Duration>, purpose: Option<PurposeCode>) -> CreateToken {
    CreateToken { subject: subject.map(str::to_owned), lifetime, purpose }
}

async fn listed(ctx: &TestActor, subject: Option<&str>) -> Vec<Token> {
    list_tokens(ctx, subject, &Seek::first(100)).await.unwrap().items
}

#[tokio::test]
async fn a_token_is_revoked_by_its_id_and_no_other_with_it() {
    let test = TestApp::start().await;
    test.principal("reader").await;
    let [one, two] =
        [test.admin.creates_token("reader").await.unwrap(), test.admin.creates_token("reader").await.unwrap()];
    let reader = test.bearer(one.token.expose()).await;
    test.bearer(two.token.expose()).await;
    let ids: Vec<TokenId> = listed(&reader, None).await.into_iter().map(|token| token.id).collect();
    assert!(ids.contains(&one.registered.id) && ids.contains(&two.registered.id), "{ids:?}");

    let revoked = revoke_token(&reader, two.registered.id, None).await.unwrap();
    let expected = Some(Revoked { at: test.clock.now(), by: Some(reader.id()) });
    assert_eq!(revoked.revoked, expected);
    assert!(test.refuses(two.token.expose()).await, "the caller of a revoked token is not taken from the cache");
    assert!(!test.refuses(one.token.expose()).await);
    // Again it changes nothing, also for another one who may.
    let again = revoke_token(&test.admin, two.registered.id, None).await.unwrap();
    assert_eq!(again.revoked, expected);
    assert_eq!(find_token(&reader, two.registered.id).await.unwrap().unwrap().revoked, expected);

    let records = test.records(audit::Action::TokenRevoke).await;
    assert_eq!(records.len(), 1);
    assert_eq!(records[0].resource.id, two.registered.id.to_string());
}

#[tokio::test]
async fn a_request_under_way_with_a_revoked_token_changes_nothing_and_gets_no_credentials() {
    let (test, _, reader, _) = open().await;
    let admin = test.ctx("admin").await;
    revoke_token(&test.admin, admin.actor.bearer.token_id.unwrap(), None).await.unwrap();
    let command = CreatePrincipal { subject: "new".to_owned(), kind: NewKind::User, key: None };
    let created = app::identity::create_principal(&admin, command).await;
    assert!(matches!(created, Err(Error::Unauthenticated)), "{created:?}");

    let other = test.ctx("reader").await;
    assert!(matches!(reader.vends(ROWS, Action::Read).await.unwrap(), Vended::Issued(_)));
    revoke_token(&test.admin, reader.actor.bearer.token_id.unwrap(), None).await.unwrap();
    assert!(matches!(reader.vends(ROWS, Action::Read).await.unwrap(), Vended::Refused(_)));
    assert!(
        matches!(other.vends(ROWS, Action::Read).await.unwrap(), Vended::Issued(_)),
        "the answer is not cached for other tokens"
    );
    assert!(matches!(reader.vends(ROWS, Action::Read).await.unwrap(), Vended::Refused(_)));
}

#[tokio::test]
async fn leases_end_with_the_token_that_they_were_requested_with() {
    let (test, _, reader, _) = open().await;
    let other = test.ctx("reader").await;
    let [ends, stays] = [reader.leases(ROWS).await.lease.id, other.leases(ROWS).await.lease.id];
    test.app.open(ends).await.unwrap();
    revoke_token(&test.admin, reader.actor.bearer.token_id.unwrap(), None).await.unwrap();
    assert_eq!(test.app.open(ends).await.unwrap_err(), Denied::Revoked);
    assert!(test.app.open(stays).await.is_ok());
}

#[tokio::test]
async fn a_token_of_another_principal_is_hidden_or_only_seen() {
    let test = TestApp::start().await;
    let stranger = test.principal("stranger").await;
    let person = test.principal("person").await;
    // Without a token of its own.
    let kind = NewKind::Service(Some(person.id()));
    let command = CreatePrincipal { subject: "robot".to_owned(), kind, key: None };
    app::identity::create_principal(&test.admin, command).await.unwrap();
    let steward = test.officer("steward", PlatformRole::Steward).await;
    let made = test.admin.creates_token("robot").await.unwrap();
    let robot = test.bearer(made.token.expose()).await;
    let (id, unknown) = (made.registered.id, TokenId::new(test.clock.as_ref(), test.random.as_ref()));
    let of_person = person.actor.bearer.token_id.unwrap();

    for (who, id) in [(&stranger, id), (&stranger, unknown), (&robot, of_person), (&test.admin, unknown)] {
        assert_eq!(find_token(who, id).await.unwrap(), None);
        let error = revoke_token(who, id, None).await.unwrap_err();
        assert_eq!(error.reason(), Some(Reason::TokenNotFound), "{error:?}");
    }
    for subject in ["robot", "person", "nobody"] {
        let error = list_tokens(&stranger, Some(subject), &Seek::first(10)).await.unwrap_err();
        assert_eq!(error.reason(), Some(Reason::PrincipalNotFound), "{subject}");
    }
    // Whoever sees all principals sees the token, and an admin or its own people revoke it.
    assert_eq!(find_token(&steward, id).await.unwrap().map(|token| token.id), Some(id));
    assert_eq!(revoke_token(&steward, id, None).await.unwrap_err().kind(), Kind::Forbidden);
    assert_eq!(listed(&person, Some("robot")).await.len(), 1);
    revoke_token(&person, id, None).await.unwrap();
    assert!(test.refuses(made.token.expose()).await);
}

#[tokio::test]
async fn a_token_that_is_not_registered_is_refused_whatever_its_signature() {
    let test = TestApp::start().await;
    test.principal("reader").await;
    let id = TokenId::new(test.clock.as_ref(), test.random.as_ref());
    let claims = Claims::new(id, "reader", TokenKind::User, test.clock.now());
    let token = test.app.issuer.issue(&claims).unwrap();
    assert!(test.refuses(token.expose()).await);
    // Nor does the id of another principal's token help.
    let other = test.admin.creates_token("admin").await.unwrap();
    let claims = Claims::new(other.registered.id, "reader", TokenKind::User, test.clock.now());
    let token = test.app.issuer.issue(&claims).unwrap();
    assert!(test.refuses(token.expose()).await);
}

#[tokio::test]
async fn a_token_makes_none_that_lives_longer_than_itself() {
    let test = TestApp::start().await;
    test.principal("reader").await;
    let end = test.admin.actor.bearer.expires_at;
    test.clock.advance(HOUR / 2);
    for subject in ["admin", "reader"] {
        let made = test.admin.creates_token(subject).await.unwrap();
        assert_eq!(made.registered.expires_at, end, "{subject}");
        let longer = command(Some(subject), Some(HOUR / 2 + Duration::from_secs(1)), None);
        let error = create_token(&test.admin, longer).await.unwrap_err();
        assert_eq!(error.kind(), Kind::Invalid, "{error:?}");
        let shorter = create_token(&test.admin, command(Some(subject), Some(HOUR / 4), None)).await.unwrap();
        assert_eq!(shorter.registered.expires_at, test.clock.now().plus(HOUR / 4));
    }
    // Renewed just before the end, it still ends.
    test.clock.advance(HOUR / 2 - Duration::from_secs(2));
    let last = test.admin.creates_token("admin").await.unwrap();
    test.clock.advance(Duration::from_secs(10));
    assert!(test.refuses(last.token.expose()).await);
}

#[tokio::test]
async fn a_chain_of_tokens_ends_however_they_make_each_other() {
    let test = TestApp::start().await;
    let start = test.clock.now();
    let robots = [test.account("robot-1", &test.admin).await.id(), test.account("robot-2", &test.admin).await.id()];
    for subject in ["robot-1", "robot-2"] {
        test.assign_platform(subject, PlatformRole::Admin).await;
    }
    assert_ne!(robots[0], robots[1]);
    // A person makes a token for a service account, which makes one for the person, and so on.
    let mut person = test.admin.clone();
    let mut n_rounds = 0;
    loop {
        let subject = ["robot-1", "robot-2"][n_rounds % 2];
        let Ok(made) = create_token(&person, command(Some(subject), None, None)).await else { break };
        assert!(made.registered.expires_at <= start.plus(MAX_CHAIN), "{:?}", made.registered);
        let robot = test.bearer(made.token.expose()).await;
        // A service account makes none that lives longer, also not for another service account.
        let other = robot.creates_token(["robot-2", "robot-1"][n_rounds % 2]).await.unwrap();
        assert_eq!(other.registered.expires_at, made.registered.expires_at);
        let left = made.registered.expires_at.since(test.clock.now());
        test.clock.advance((left * 99 / 100).max(Duration::from_secs(1)));
        let Ok(made) = create_token(&robot, command(Some("admin"), None, None)).await else { break };
        assert!(made.registered.expires_at <= start.plus(MAX_CHAIN), "{:?}", made.registered);
        person = test.bearer(made.token.expose()).await;
        n_rounds += 1;
        assert!(n_rounds < 10, "the chain does not end");
    }
    assert!(test.clock.now() <= start.plus(MAX_CHAIN + Duration::from_secs(1)));
    test.clock.advance(DAY);
    let error = create_token(&person, command(Some("robot-1"), None, None)).await.unwrap_err();
    assert_eq!(error.kind(), Kind::Invalid, "{error:?}");
}

#[tokio::test]
async fn a_token_for_a_purpose_makes_only_tokens_for_that_purpose() {
    let test = TestApp::start().await;
    test.principal("reader").await;
    let limited = create_token(&test.admin, command(None, None, Some(PurposeCode::Analytics))).await.unwrap();
    let limited = test.bearer(limited.token.expose()).await;
    for subject in ["admin", "reader"] {
        assert_eq!(limited.creates_token(subject).await.unwrap().registered.purpose, Some(PurposeCode::Analytics));
        let other = command(Some(subject), None, Some(PurposeCode::Support));
        let error = create_token(&limited, other).await.unwrap_err();
        assert!(matches!(&error, Error::Invalid { field: "purpose", .. }), "{error:?}");
        let same = create_token(&limited, command(Some(subject), None, Some(PurposeCode::Analytics))).await.unwrap();
        let bearer = test.bearer(same.token.expose()).await;
        assert_eq!(bearer.actor.purpose, Some(PurposeCode::Analytics));
    }
}

#[tokio::test]
async fn a_token_for_a_purpose_neither_publishes_nor_approves_nor_assigns_roles() {
    let test = TestApp::start().await;
    publish(&test, CONTRACT).await;
    let reader = test.principal("reader").await;
    let pending = reader.requests(access_to(ROWS)).await.unwrap();
    let limited = async |subject: &str| {
        let made =
            create_token(&test.admin, command(Some(subject), None, Some(PurposeCode::Operations))).await.unwrap();
        test.bearer(made.token.expose()).await
    };
    let (owner, admin) = (limited("owner-nyc").await, limited("admin").await);
    let role = |subject: &str| AssignRole {
        subject: subject.to_owned(),
        role: NewRole::Domain("nyc".parse().unwrap(), DomainRole::Owner),
        key: None,
    };
    let errors = [
        owner.approves(pending.id).await.unwrap_err(),
        owner.publishes("nyc", &[PRODUCT, CONTRACT]).await.unwrap_err(),
        app::identity::assign_role(&owner, role("reader")).await.unwrap_err(),
        app::identity::assign_role(&admin, role("reader")).await.unwrap_err(),
        admin.disables(reader.id()).await.unwrap_err(),
    ];
    for error in errors {
        assert_eq!(error.kind(), Kind::Forbidden, "{error:?}");
    }
    // It requests access for its own purpose only.
    let reader = limited("reader").await;
    let error = reader.requests(access_to(ROWS)).await.unwrap_err();
    assert!(matches!(&error, Error::Invalid { field: "purpose", .. }), "{error:?}");
    let purpose = Purpose::new(PurposeCode::Operations, "to learn").unwrap();
    reader.requests(RequestAccess { purpose, ..access_to(ROWS) }).await.unwrap();
}

#[tokio::test]
async fn disabling_ends_all_earlier_tokens_for_good_and_those_of_the_service_accounts() {
    let test = TestApp::start().await;
    let person = test.principal("person").await;
    test.account("robot", &person).await;
    let before = [test.admin.creates_token("person").await.unwrap(), test.admin.creates_token("robot").await.unwrap()];
    for made in &before {
        assert!(!test.refuses(made.token.expose()).await);
    }
    test.admin.disables(person.id()).await.unwrap();
    test.admin.enables(person.id()).await.unwrap();
    for made in &before {
        assert!(test.refuses(made.token.expose()).await, "{}", made.principal.subject);
    }
    for subject in ["person", "robot"] {
        assert!(!test.refuses(test.admin.creates_token(subject).await.unwrap().token.expose()).await, "{subject}");
    }
}

#[tokio::test]
async fn whoever_may_enable_what_others_disabled_wins_over_the_owner_of_a_service_account() {
    let test = TestApp::start().await;
    let person = test.principal("person").await;
    let robot = test.account("robot", &person).await.id();
    let forbidden = async |what: &str| {
        let error = person.enables(robot).await.unwrap_err();
        assert_eq!(error.kind(), Kind::Forbidden, "{what}: {error:?}");
    };
    // What the owner has disabled, the owner enables.
    person.disables(robot).await.unwrap();
    assert!(person.enables(robot).await.unwrap().enabled);
    // What an admin has disabled, an admin enables,
    test.admin.disables(robot).await.unwrap();
    forbidden("disabled by an admin").await;
    person.disables(robot).await.unwrap();
    forbidden("disabled by an admin, then by the owner").await;
    test.admin.enables(robot).await.unwrap();
    // also where the owner was first.
    person.disables(robot).await.unwrap();
    test.admin.disables(robot).await.unwrap();
    forbidden("disabled by the owner, then by an admin").await;
    assert!(test.admin.enables(robot).await.unwrap().enabled);
}

#[tokio::test]
async fn of_the_one_time_tokens_of_several_starts_the_last_is_valid_once() {
    let test = TestApp::start().await;
    assert!(app::token::bootstrap_token(&test.app).await.unwrap().is_none(), "an admin exists");
    // As if none did.
    let role = app::identity::list_own_roles(&test.admin).await.unwrap()[0].id;
    let mut tx = test.app.db.write(Lock::Facts).await.unwrap();
    store::identity::delete_role(&mut tx, role).await.unwrap();
    tx.commit().await.unwrap();
    let first = app::token::bootstrap_token(&test.app).await.unwrap().unwrap();
    let SignedIn::Bootstrap(id) = app::identity::sign_in(&test.app, first.expose()).await.unwrap() else {
        panic!("a one-time token is nobody's")
    };
    let second = app::token::bootstrap_token(&test.app).await.unwrap().unwrap();
    assert!(test.refuses(first.expose()).await);
    let late = app::token::redeem_bootstrap(&test.app, id, "test").await;
    assert!(matches!(late, Err(Error::Unauthenticated)), "signed in before the second start");

    let SignedIn::Bootstrap(id) = app::identity::sign_in(&test.app, second.expose()).await.unwrap() else {
        panic!("a one-time token is nobody's")
    };
    app::token::redeem_bootstrap(&test.app, id, "test").await.unwrap();
    assert!(matches!(app::token::redeem_bootstrap(&test.app, id, "test").await, Err(Error::Unauthenticated)));
    assert!(test.refuses(second.expose()).await);
}

#[tokio::test]
async fn recovery_ends_the_earlier_tokens_of_the_admin() {
    let (test, owner, reader, _) = open().await;
    let made = test.admin.creates_token("admin").await.unwrap();
    let of_reader = reader.leases(ROWS).await.lease.id;
    // With a grant, which the recovery leaves alone: only the token ends the lease.
    let holder = test.bearer(made.token.expose()).await;
    owner.grants(&holder, access_to(ROWS)).await.unwrap();
    let of_admin = holder.leases(ROWS).await.lease.id;

    let first = app::token::recover_admin(&test.app).await.unwrap();
    assert_eq!(test.app.open(of_admin).await.unwrap_err(), Denied::Revoked);
    assert_eq!(test.lease(of_admin).await.state, LeaseState::Revoked);
    assert!(test.app.open(of_reader).await.is_ok());
    assert!(test.refuses(made.token.expose()).await);
    assert!(!test.refuses(first.token.expose()).await);
    let second = app::token::recover_admin(&test.app).await.unwrap();
    assert!(test.refuses(first.token.expose()).await);
    assert!(!test.refuses(second.token.expose()).await);
}

#[tokio::test]
async fn a_principal_has_so_many_tokens_and_ended_ones_are_deleted_later() {
    let test = TestApp::start().await;
    let reader = test.principal("reader").await.id();
    let n_before = listed(&test.admin, Some("reader")).await.len();
    let mut tx = test.app.db.write(Lock::FactsShared).await.unwrap();
    for _ in n_before..MAX_VALID {
        let token = Token {
            id: TokenId::new(test.clock.as_ref(), test.random.as_ref()),
            principal_id: reader,
            purpose: None,
            issued_at: test.clock.now(),
            expires_at: test.clock.now().plus(HOUR),
            chain_ends_at: test.clock.now().plus(HOUR),
            issued_by: None,
            revoked: None,
            session: None,
        };
        store::token::insert(&mut tx, &token).await.unwrap();
    }
    tx.commit().await.unwrap();
    let error = create_token(&test.admin, command(Some("reader"), None, None)).await.unwrap_err();
    assert_eq!(error.reason(), Some(Reason::TokenTooMany), "{error:?}");
    let id = listed(&test.admin, Some("reader")).await[0].id;
    revoke_token(&test.admin, id, None).await.unwrap();
    test.admin.creates_token("reader").await.unwrap();

    test.clock.advance(HOUR + 7 * DAY);
    app::jobs::tidy_once(&test.app).await.unwrap();
    assert_eq!(listed(&test.admin, Some("reader")).await.len(), 100, "a page of them: their time is not over");
    test.clock.advance(Duration::from_secs(1));
    app::jobs::tidy_once(&test.app).await.unwrap();
    assert_eq!(listed(&test.admin, Some("reader")).await, []);
}
