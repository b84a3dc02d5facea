//! Tokens: listed and revoked one by one, neither wider nor longer than the token that makes them, and without a life
//! after the disabling of their principal.

#![expect(clippy::unwrap_used, clippy::panic, reason = "a helper of tests ends the test")]

use std::sync::Arc;
use std::time::Duration;

use app::error::Error;
use app::gate::{Vend, Vended};
use app::grant::{ApproveRequest, RequestAccess};
use app::identity::{AssignRole, CreatePrincipal, NewKind, NewRole, SignedIn, set_enabled};
use app::issuer::{Claims, TokenKind};
use app::lease::{Denied, Leases};
use app::target::PortTarget;
use app::token::{CreateToken, MadeToken, create_token, find_token, list_tokens, revoke_token};
use app::{App, Ctx};
use domain::audit;
use domain::clock::Clock;
use domain::error::{Kind, Reason};
use domain::gate::Action;
use domain::grant::Purpose;
use domain::id::{LeaseId, PrincipalId, TokenId};
use domain::identity::{DomainRole, PlatformRole, PurposeCode};
use domain::lease::LeaseState;
use domain::token::{MAX_CHAIN, MAX_VALID, Revoked, Token};
use store::{Lock, Seek};
use testkit::app::{TestApp, set};
use testkit::inspector::Scene;

const PRODUCT: &str = include_str!("documents/race.product.yaml");
const CONTRACT: &str = include_str!("documents/race.contract.yaml");
const HOUR: Duration = Duration::from_secs(3_600);
const DAY: Duration = Duration::from_secs(24 * 3_600);

async fn make(ctx: &Ctx, subject: &str) -> MadeToken {
    create_token(ctx, command(Some(subject), None, None)).await.unwrap()
}

fn command(subject: Option<&str>, lifetime: Option<Duration>, purpose: Option<PurposeCode>) -> CreateToken {
    CreateToken { subject: subject.map(str::to_owned), lifetime, purpose }
}

async fn account(test: &TestApp, subject: &str, owner: PrincipalId) -> PrincipalId {
    let command = CreatePrincipal { subject: subject.to_owned(), kind: NewKind::Service(Some(owner)), key: None };
    match app::identity::create_principal(&test.admin, command).await.unwrap() {
        app::org::Created::Made(principal) => principal.id,
        app::org::Created::NameTaken => panic!("`{subject}` is taken"),
    }
}

async fn is_refused(app: &Arc<App>, made: &MadeToken) -> bool {
    matches!(app::identity::sign_in(app, made.token.expose()).await, Err(Error::Unauthenticated))
}

async fn listed(ctx: &Ctx, subject: Option<&str>) -> Vec<Token> {
    list_tokens(ctx, subject, &Seek::first(100)).await.unwrap().items
}

async fn vend(ctx: &Ctx) -> Vended {
    let address = "nyc.race.rows".parse().unwrap();
    app::gate::vend(ctx, Vend { address, action: Action::Read, purpose: None, lifetime: None }).await.unwrap()
}

async fn lease(ctx: &Ctx) -> LeaseId {
    match vend(ctx).await {
        Vended::Issued(issued) => issued.lease.id,
        Vended::Refused(decision) => panic!("shut: {decision:?}"),
    }
}

/// A table, and a reader with a grant.
async fn open() -> (TestApp, Ctx) {
    let test = TestApp::start().await;
    let owner = test.domain("nyc").await;
    let reader = test.principal("reader").await;
    test.publish(&owner, "nyc", &[PRODUCT, CONTRACT]).await;
    test.lay("nyc/race", 0, Scene::of("id:integer")).await;
    testkit::app::grant(&owner, &reader, "nyc.race.rows").await.unwrap();
    (test, reader)
}

#[tokio::test]
async fn a_token_is_revoked_by_its_id_and_no_other_with_it() {
    let test = TestApp::start().await;
    test.principal("reader").await;
    let [one, two] = [make(&test.admin, "reader").await, make(&test.admin, "reader").await];
    let reader = test.bearer(one.token.expose()).await;
    test.bearer(two.token.expose()).await;
    let ids: Vec<TokenId> = listed(&reader, None).await.into_iter().map(|token| token.id).collect();
    assert!(ids.contains(&one.registered.id) && ids.contains(&two.registered.id), "{ids:?}");

    let revoked = revoke_token(&reader, two.registered.id, None).await.unwrap();
    let expected = Some(Revoked { at: test.clock.now(), by: Some(reader.actor.principal.id) });
    assert_eq!(revoked.revoked, expected);
    assert!(is_refused(&test.app, &two).await, "the caller of a revoked token is not taken from the cache");
    assert!(!is_refused(&test.app, &one).await);
    // Again it changes nothing, also for another one who may.
    let again = revoke_token(&test.admin, two.registered.id, None).await.unwrap();
    assert_eq!(again.revoked, expected);
    assert_eq!(find_token(&reader, two.registered.id).await.unwrap().unwrap().revoked, expected);

    let filter = app::audit::Filter { action: Some(audit::Action::TokenRevoke), ..app::audit::Filter::default() };
    let records = app::audit::list_records(&test.admin, filter, &Seek::first(10)).await.unwrap().items;
    assert_eq!(records.len(), 1);
    assert_eq!(records[0].record.resource.id, two.registered.id.to_string());
}

#[tokio::test]
async fn a_request_under_way_with_a_revoked_token_changes_nothing_and_gets_no_credentials() {
    let (test, reader) = open().await;
    let admin = test.ctx("admin").await;
    revoke_token(&test.admin, admin.actor.bearer.token_id.unwrap(), None).await.unwrap();
    let command = CreatePrincipal { subject: "new".to_owned(), kind: NewKind::User, key: None };
    let created = app::identity::create_principal(&admin, command).await;
    assert!(matches!(created, Err(Error::Unauthenticated)), "{created:?}");

    let other = test.ctx("reader").await;
    assert!(matches!(vend(&reader).await, Vended::Issued(_)));
    revoke_token(&test.admin, reader.actor.bearer.token_id.unwrap(), None).await.unwrap();
    assert!(matches!(vend(&reader).await, Vended::Refused(_)));
    assert!(matches!(vend(&other).await, Vended::Issued(_)), "the answer is not cached for other tokens");
    assert!(matches!(vend(&reader).await, Vended::Refused(_)));
}

#[tokio::test]
async fn leases_end_with_the_token_that_they_were_requested_with() {
    let (test, reader) = open().await;
    let other = test.ctx("reader").await;
    let [ends, stays] = [lease(&reader).await, lease(&other).await];
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
    account(&test, "robot", person.actor.principal.id).await;
    test.principal("steward").await;
    let steward = test.assign_platform("steward", PlatformRole::Steward).await;
    let made = make(&test.admin, "robot").await;
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
    assert!(is_refused(&test.app, &made).await);
}

#[tokio::test]
async fn a_token_that_is_not_registered_is_refused_whatever_its_signature() {
    let test = TestApp::start().await;
    test.principal("reader").await;
    let id = TokenId::new(test.clock.as_ref(), test.random.as_ref());
    let claims = Claims::new(id, "reader", TokenKind::User, test.clock.now());
    let token = test.app.issuer.issue(&claims).unwrap();
    assert!(matches!(app::identity::sign_in(&test.app, token.expose()).await, Err(Error::Unauthenticated)));
    // Nor does the id of another principal's token help.
    let other = make(&test.admin, "admin").await;
    let claims = Claims::new(other.registered.id, "reader", TokenKind::User, test.clock.now());
    let token = test.app.issuer.issue(&claims).unwrap();
    assert!(matches!(app::identity::sign_in(&test.app, token.expose()).await, Err(Error::Unauthenticated)));
}

#[tokio::test]
async fn a_token_makes_none_that_lives_longer_than_itself() {
    let test = TestApp::start().await;
    test.principal("reader").await;
    let end = test.admin.actor.bearer.expires_at;
    test.clock.advance(HOUR / 2);
    for subject in ["admin", "reader"] {
        let made = make(&test.admin, subject).await;
        assert_eq!(made.registered.expires_at, end, "{subject}");
        let longer = command(Some(subject), Some(HOUR / 2 + Duration::from_secs(1)), None);
        let error = create_token(&test.admin, longer).await.unwrap_err();
        assert_eq!(error.kind(), Kind::Invalid, "{error:?}");
        let shorter = create_token(&test.admin, command(Some(subject), Some(HOUR / 4), None)).await.unwrap();
        assert_eq!(shorter.registered.expires_at, test.clock.now().plus(HOUR / 4));
    }
    // Renewed just before the end, it still ends.
    test.clock.advance(HOUR / 2 - Duration::from_secs(2));
    let last = make(&test.admin, "admin").await;
    test.clock.advance(Duration::from_secs(10));
    assert!(is_refused(&test.app, &last).await);
}

#[tokio::test]
async fn a_chain_of_tokens_ends_however_they_make_each_other() {
    let test = TestApp::start().await;
    let start = test.clock.now();
    let robots = [
        account(&test, "robot-1", test.admin.actor.principal.id).await,
        account(&test, "robot-2", test.admin.actor.principal.id).await,
    ];
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
        let other = make(&robot, ["robot-2", "robot-1"][n_rounds % 2]).await;
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
        assert_eq!(make(&limited, subject).await.registered.purpose, Some(PurposeCode::Analytics));
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
    let owner = test.domain("nyc").await;
    let reader = test.principal("reader").await;
    test.publish(&owner, "nyc", &[PRODUCT, CONTRACT]).await;
    test.lay("nyc/race", 0, Scene::of("id:integer")).await;
    let request = |purpose| RequestAccess {
        target: PortTarget::Table("nyc.race.rows".parse().unwrap()),
        purpose: Purpose::new(purpose, "to learn").unwrap(),
        from: None,
        until: None,
        key: None,
    };
    let pending = app::grant::request_access(&reader, request(PurposeCode::Analytics)).await.unwrap();
    let limited = async |subject: &str| {
        let made =
            create_token(&test.admin, command(Some(subject), None, Some(PurposeCode::Operations))).await.unwrap();
        test.bearer(made.token.expose()).await
    };
    let owner = limited("owner-nyc").await;
    let approve = ApproveRequest { id: pending.id, until: None, reason: None, key: None };
    let role = |subject: &str| AssignRole {
        subject: subject.to_owned(),
        role: NewRole::Domain("nyc".parse().unwrap(), DomainRole::Owner),
        key: None,
    };
    let errors = [
        app::grant::approve_request(&owner, approve).await.unwrap_err(),
        app::publish::apply(&owner, set("nyc", &[PRODUCT, CONTRACT])).await.unwrap_err(),
        app::identity::assign_role(&owner, role("reader")).await.unwrap_err(),
        app::identity::assign_role(&limited("admin").await, role("reader")).await.unwrap_err(),
        set_enabled(&limited("admin").await, reader.actor.principal.id, false, None).await.unwrap_err(),
    ];
    for error in errors {
        assert_eq!(error.kind(), Kind::Forbidden, "{error:?}");
    }
    // It requests access for its own purpose only.
    let reader = limited("reader").await;
    let error = app::grant::request_access(&reader, request(PurposeCode::Analytics)).await.unwrap_err();
    assert!(matches!(&error, Error::Invalid { field: "purpose", .. }), "{error:?}");
    app::grant::request_access(&reader, request(PurposeCode::Operations)).await.unwrap();
}

#[tokio::test]
async fn disabling_ends_all_earlier_tokens_for_good_and_those_of_the_service_accounts() {
    let test = TestApp::start().await;
    let person = test.principal("person").await.actor.principal.id;
    account(&test, "robot", person).await;
    let before = [make(&test.admin, "person").await, make(&test.admin, "robot").await];
    for made in &before {
        assert!(!is_refused(&test.app, made).await);
    }
    set_enabled(&test.admin, person, false, None).await.unwrap();
    set_enabled(&test.admin, person, true, None).await.unwrap();
    for made in &before {
        assert!(is_refused(&test.app, made).await, "{}", made.principal.subject);
    }
    for subject in ["person", "robot"] {
        assert!(!is_refused(&test.app, &make(&test.admin, subject).await).await, "{subject}");
    }
}

#[tokio::test]
async fn whoever_may_enable_what_others_disabled_wins_over_the_owner_of_a_service_account() {
    let test = TestApp::start().await;
    let person = test.principal("person").await;
    let robot = account(&test, "robot", person.actor.principal.id).await;
    let forbidden = async |what: &str| {
        let error = set_enabled(&person, robot, true, None).await.unwrap_err();
        assert_eq!(error.kind(), Kind::Forbidden, "{what}: {error:?}");
    };
    // What the owner has disabled, the owner enables.
    set_enabled(&person, robot, false, None).await.unwrap();
    assert!(set_enabled(&person, robot, true, None).await.unwrap().enabled);
    // What an admin has disabled, an admin enables,
    set_enabled(&test.admin, robot, false, None).await.unwrap();
    forbidden("disabled by an admin").await;
    set_enabled(&person, robot, false, None).await.unwrap();
    forbidden("disabled by an admin, then by the owner").await;
    set_enabled(&test.admin, robot, true, None).await.unwrap();
    // also where the owner was first.
    set_enabled(&person, robot, false, None).await.unwrap();
    set_enabled(&test.admin, robot, false, None).await.unwrap();
    forbidden("disabled by the owner, then by an admin").await;
    assert!(set_enabled(&test.admin, robot, true, None).await.unwrap().enabled);
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
    assert!(matches!(app::identity::sign_in(&test.app, first.expose()).await, Err(Error::Unauthenticated)));
    let late = app::token::redeem_bootstrap(&test.app, id, "test").await;
    assert!(matches!(late, Err(Error::Unauthenticated)), "signed in before the second start");

    let SignedIn::Bootstrap(id) = app::identity::sign_in(&test.app, second.expose()).await.unwrap() else {
        panic!("a one-time token is nobody's")
    };
    app::token::redeem_bootstrap(&test.app, id, "test").await.unwrap();
    assert!(matches!(app::token::redeem_bootstrap(&test.app, id, "test").await, Err(Error::Unauthenticated)));
    assert!(matches!(app::identity::sign_in(&test.app, second.expose()).await, Err(Error::Unauthenticated)));
}

#[tokio::test]
async fn recovery_ends_the_earlier_tokens_of_the_admin() {
    let (test, reader) = open().await;
    let made = make(&test.admin, "admin").await;
    let of_reader = lease(&reader).await;
    // With a grant, which the recovery leaves alone: only the token ends the lease.
    let holder = test.bearer(made.token.expose()).await;
    testkit::app::grant(&test.ctx("owner-nyc").await, &holder, "nyc.race.rows").await.unwrap();
    let of_admin = lease(&holder).await;

    let first = app::token::recover_admin(&test.app).await.unwrap();
    assert_eq!(test.app.open(of_admin).await.unwrap_err(), Denied::Revoked);
    let mut tx = test.app.db.read().await.unwrap();
    assert_eq!(store::lease::get(&mut tx, of_admin).await.unwrap().state, LeaseState::Revoked);
    drop(tx);
    assert!(test.app.open(of_reader).await.is_ok());
    assert!(is_refused(&test.app, &made).await);
    assert!(!is_refused(&test.app, &first).await);
    let second = app::token::recover_admin(&test.app).await.unwrap();
    assert!(is_refused(&test.app, &first).await);
    assert!(!is_refused(&test.app, &second).await);
}

#[tokio::test]
async fn a_principal_has_so_many_tokens_and_ended_ones_are_deleted_later() {
    let test = TestApp::start().await;
    let reader = test.principal("reader").await.actor.principal.id;
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
        };
        store::token::insert(&mut tx, &token).await.unwrap();
    }
    tx.commit().await.unwrap();
    let error = create_token(&test.admin, command(Some("reader"), None, None)).await.unwrap_err();
    assert_eq!(error.reason(), Some(Reason::TokenTooMany), "{error:?}");
    let id = listed(&test.admin, Some("reader")).await[0].id;
    revoke_token(&test.admin, id, None).await.unwrap();
    make(&test.admin, "reader").await;

    test.clock.advance(HOUR + 7 * DAY);
    app::jobs::tidy_once(&test.app).await.unwrap();
    assert_eq!(listed(&test.admin, Some("reader")).await.len(), 100, "a page of them: their time is not over");
    test.clock.advance(Duration::from_secs(1));
    app::jobs::tidy_once(&test.app).await.unwrap();
    assert_eq!(listed(&test.admin, Some("reader")).await, []);
}
