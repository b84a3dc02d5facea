//! Sessions of the web page: they begin with a code that is valid once, give no more than the token that the code was made
//! with, and end in every way that a token ends.

#![expect(clippy::unwrap_used, reason = "a helper of tests ends the test")]

use std::path::Path;
use std::time::Duration;

use app::error::Error;
use app::lease::{Denied, Leases};
use app::token::{CreateToken, create_token, list_tokens, revoke_token};
use app::web_session::{Begun, begin, create_code, end, sign_in};
use app::{Actor, Ctx};
use domain::audit;
use domain::clock::Clock;
use domain::error::{Kind, Reason};
use domain::id::TokenId;
use domain::identity::PurposeCode;
use domain::token::{MAX_VALID, Token};
use domain::web_session::{CODE_VALID, MAX_IDLE, MAX_SESSION, USE_PRECISION, Voucher};
use sha2::{Digest, Sha256};
use store::{Lock, Seek};
use testkit::actor::TestActor;
use testkit::app::TestApp;

use crate::open_table::{ROWS, open, open_on};

const SECOND: Duration = Duration::from_secs(1);

async fn on_both(check: impl AsyncFn(TestApp)) {
    check(TestApp::start().await).await;
    if let Some(server) = testkit::postgres::Server::shared() {
        check(TestApp::start_on(Some(server.database())).await).await;
    }
}

/// Signs an actor in to the page.
async fn begins(test: &TestApp, actor: &TestActor) -> Begun {
    let made = create_code(actor, None).await.unwrap();
    begin(&test.app, made.code.expose(), "test").await.unwrap()
}

/// The actor of a session.
async fn of(test: &TestApp, begun: &Begun) -> TestActor {
    let actor = sign_in(&test.app, begun.secret.expose()).await.unwrap();
    Ctx { app: test.app.clone(), actor, request_id: "test".into() }.into()
}

async fn is_refused(test: &TestApp, begun: &Begun) -> bool {
    matches!(sign_in(&test.app, begun.secret.expose()).await, Err(Error::Unauthenticated))
}

async fn code_is_refused(test: &TestApp, code: &str) -> bool {
    matches!(begin(&test.app, code, "test").await, Err(Error::Unauthenticated))
}

fn token_id(actor: &TestActor) -> TokenId {
    actor.actor.bearer.token_id.unwrap()
}

#[tokio::test]
async fn a_code_begins_one_session_of_its_principal_and_is_spent() {
    on_both(async |test| {
        let reader = test.principal("reader").await;
        let made = create_code(&reader, None).await.unwrap();
        let begun = begin(&test.app, made.code.expose(), "test").await.unwrap();
        assert_eq!(begun.principal.id, reader.id());
        assert_eq!(of(&test, &begun).await.id(), reader.id());
        assert!(code_is_refused(&test, made.code.expose()).await, "used twice");

        for wrong in ["", "nonsense", "0000-0000-0000-0000", &"0".repeat(1_000)] {
            assert!(code_is_refused(&test, wrong).await, "{wrong}");
        }
        // The next code ends the one before, and is read as a person types it.
        let [first, second] = [create_code(&reader, None).await.unwrap(), create_code(&reader, None).await.unwrap()];
        assert!(code_is_refused(&test, first.code.expose()).await, "replaced");
        let typed = second.code.expose().to_ascii_lowercase();
        let other = begin(&test.app, &format!("{}-{}", &typed[..8], &typed[8..]), "test").await.unwrap();
        assert_ne!(other.secret, begun.secret, "a new secret each time");
        assert!(!is_refused(&test, &begun).await, "a session ends no other");

        let late = create_code(&reader, None).await.unwrap();
        test.clock.advance(CODE_VALID);
        assert!(code_is_refused(&test, late.code.expose()).await, "too late");
    })
    .await;
}

#[tokio::test]
async fn of_two_that_use_a_code_at_once_one_gets_a_session() {
    on_both(async |test| {
        let reader = test.principal("reader").await;
        for _ in 0..10 {
            let made = create_code(&reader, None).await.unwrap();
            let [one, two] = [begin(&test.app, made.code.expose(), "one"), begin(&test.app, made.code.expose(), "two")];
            let (one, two) = tokio::join!(one, two);
            assert!(one.is_ok() != two.is_ok(), "{one:?} {two:?}");
        }
    })
    .await;
}

#[tokio::test]
async fn codes_and_sessions_are_stored_as_digests_and_do_not_show() {
    let test = TestApp::start().await;
    let reader = test.principal("reader").await;
    let unused = create_code(&test.admin, None).await.unwrap();
    let made = create_code(&reader, None).await.unwrap();
    let begun = begin(&test.app, made.code.expose(), "test").await.unwrap();
    assert!(!format!("{made:?} {begun:?}").contains(made.code.expose()));
    assert!(!format!("{begun:?}").contains(begun.secret.expose()));
    let data = test.table_folder("none");
    let data = data.ancestors().nth(2).unwrap().to_owned();
    let holds = |path: &Path, secret: &str| {
        std::fs::read(path).unwrap().windows(secret.len()).any(|bytes| bytes == secret.as_bytes())
    };
    for file in ["charter.db", "charter.db-wal"].map(|name| data.join(name)) {
        for secret in [unused.code.expose(), made.code.expose(), begun.secret.expose()] {
            assert!(!holds(&file, secret), "{}", file.display());
        }
    }
    assert!(
        ["charter.db", "charter.db-wal"].iter().any(|name| holds(&data.join(name), "reader")),
        "the files are read"
    );
}

#[tokio::test]
async fn neither_a_session_nor_a_token_passes_for_the_other() {
    let test = TestApp::start().await;
    let token = test.token("admin").await;
    let begun = begins(&test, &test.bearer(&token).await).await;
    for _ in 0..2 {
        assert!(test.refuses(begun.secret.expose()).await);
        assert!(matches!(sign_in(&test.app, &token).await, Err(Error::Unauthenticated)));
        // From now on both are cached.
        assert!(!is_refused(&test, &begun).await);
        assert!(!test.refuses(&token).await);
    }
}

#[tokio::test]
async fn a_session_ends_with_the_token_that_its_code_was_made_with() {
    on_both(async |test| {
        let reader = test.principal("reader").await;
        let token_end = reader.actor.bearer.expires_at;
        test.clock.advance(Duration::from_secs(40 * 60));
        let error = create_code(&reader, Some(MAX_IDLE)).await.unwrap_err();
        assert!(matches!(&error, Error::Invalid { field: "lifetimeSeconds", .. }), "{error:?}");
        let begun = begins(&test, &reader).await;
        assert_eq!(begun.registered.expires_at, token_end);
        let made = create_code(&reader, Some(SECOND * 60)).await.unwrap();
        let short = begin(&test.app, made.code.expose(), "test").await.unwrap();
        assert_eq!(short.registered.expires_at, test.clock.now().plus(SECOND * 60));
        // A session of a session, and a token: neither lives longer.
        let chained = begins(&test, &of(&test, &begun).await).await;
        assert_eq!(chained.registered.expires_at, token_end);

        test.clock.advance(SECOND * 59);
        assert!(!is_refused(&test, &short).await);
        test.clock.advance(SECOND);
        assert!(is_refused(&test, &short).await);
        test.clock.set(token_end.minus(SECOND));
        assert!(!is_refused(&test, &begun).await);
        test.clock.set(token_end);
        assert!(is_refused(&test, &begun).await && is_refused(&test, &chained).await);
    })
    .await;
}

#[tokio::test]
async fn a_session_ends_after_twelve_hours_however_much_it_is_used() {
    let test = TestApp::start().await;
    let robot = test.account("robot", &test.admin).await;
    let error = create_code(&robot, Some(MAX_SESSION + SECOND)).await.unwrap_err();
    assert_eq!(error.kind(), Kind::Invalid, "{error:?}");
    let begun = begins(&test, &robot).await;
    let begin = test.clock.now();
    while test.clock.now().since(begin) + MAX_IDLE < MAX_SESSION {
        test.clock.advance(MAX_IDLE - SECOND);
        assert!(!is_refused(&test, &begun).await, "{:?}", test.clock.now().since(begin));
    }
    test.clock.set(begin.plus(MAX_SESSION - SECOND));
    assert!(!is_refused(&test, &begun).await);
    test.clock.set(begin.plus(MAX_SESSION));
    assert!(is_refused(&test, &begun).await);
}

#[tokio::test]
async fn a_session_that_is_not_used_ends() {
    on_both(async |test| {
        let reader = test.principal("reader").await;
        let [used, unused] = [begins(&test, &reader).await, begins(&test, &reader).await];
        let last_use = async |begun: &Begun| {
            let listed = list_tokens(&reader, None, &Seek::first(10)).await.unwrap().items;
            let token = listed.into_iter().find(|token| token.id == begun.registered.id).unwrap();
            token.session.unwrap().last_used_at
        };
        let begin = test.clock.now();
        // Within a minute the use is not stored again, and the caller comes from the cache.
        test.clock.advance(USE_PRECISION - SECOND);
        assert!(!is_refused(&test, &used).await);
        assert_eq!(last_use(&used).await, begin);
        test.clock.advance(MAX_IDLE / 2);
        assert!(!is_refused(&test, &used).await);
        assert_eq!(last_use(&used).await, test.clock.now());
        test.clock.set(begin.plus(MAX_IDLE));
        assert!(is_refused(&test, &unused).await);
        assert!(!is_refused(&test, &used).await);
        assert!(is_refused(&test, &unused).await, "asking again does not revive it");
    })
    .await;
}

#[tokio::test]
async fn a_session_ends_by_signing_out_with_its_leases_and_no_other() {
    on_both(async |test| {
        let (test, _, reader, _) = open_on(test).await;
        let [ends, stays] = [begins(&test, &reader).await, begins(&test, &reader).await];
        let (here, there) = (of(&test, &ends).await, of(&test, &stays).await);
        let [lease, other] = [here.leases(ROWS).await.lease.id, there.leases(ROWS).await.lease.id];
        test.app.open(lease).await.unwrap();
        end(&here).await.unwrap();
        assert!(is_refused(&test, &ends).await, "the caller of an ended session is not taken from the cache");
        assert_eq!(test.app.open(lease).await.unwrap_err(), Denied::Revoked);
        assert!(test.app.open(other).await.is_ok() && !is_refused(&test, &stays).await);
        // A request under way changes nothing.
        assert!(matches!(end(&here).await, Err(Error::Unauthenticated)));
        assert!(matches!(create_code(&here, None).await, Err(Error::Unauthenticated)));
    })
    .await;
}

#[tokio::test]
async fn a_revoke_ends_a_session_also_that_of_the_token_that_its_code_was_made_with() {
    on_both(async |test| {
        let (test, _, reader, _) = open_on(test).await;
        let [one, two] = [begins(&test, &reader).await, begins(&test, &reader).await];
        let chained = begins(&test, &of(&test, &two).await).await;
        let lease = of(&test, &chained).await.leases(ROWS).await.lease.id;
        // By its id, as every token, by those who may.
        let stranger = test.principal("stranger").await;
        let error = revoke_token(&stranger, one.registered.id, None).await.unwrap_err();
        assert_eq!(error.reason(), Some(Reason::TokenNotFound));
        revoke_token(&test.admin, one.registered.id, None).await.unwrap();
        assert!(is_refused(&test, &one).await && !is_refused(&test, &two).await);

        let unused = create_code(&reader, None).await.unwrap();
        revoke_token(&test.admin, token_id(&reader), None).await.unwrap();
        assert!(is_refused(&test, &two).await && is_refused(&test, &chained).await);
        assert_eq!(test.app.open(lease).await.unwrap_err(), Denied::Revoked);
        assert!(code_is_refused(&test, unused.code.expose()).await, "a code ends with its token");
        assert!(matches!(create_code(&reader, None).await, Err(Error::Unauthenticated)));
    })
    .await;
}

#[tokio::test]
async fn disabling_ends_sessions_and_codes_for_good() {
    on_both(async |test| {
        let person = test.principal("person").await;
        let robot = test.account("robot", &person).await;
        let sessions = [begins(&test, &person).await, begins(&test, &robot).await];
        let codes = [create_code(&person, None).await.unwrap(), create_code(&robot, None).await.unwrap()];
        assert!(!is_refused(&test, &sessions[0]).await && !is_refused(&test, &sessions[1]).await);
        test.admin.disables(person.id()).await.unwrap();
        for _ in 0..2 {
            for begun in &sessions {
                assert!(is_refused(&test, begun).await, "{}", begun.principal.subject);
            }
            for made in &codes {
                assert!(code_is_refused(&test, made.code.expose()).await);
            }
            test.admin.enables(person.id()).await.unwrap();
        }
    })
    .await;
}

#[tokio::test]
#[expect(clippy::disallowed_methods, reason = "facts are changed by hand, and there are no leases")]
async fn a_disabled_principal_begins_no_session_with_a_token_that_stays_valid() {
    // The owner of a service account is disabled by hand, so that the account's token is not revoked.
    let test = TestApp::start().await;
    let person = test.principal("person").await;
    let robot = test.account("robot", &person).await;
    let begun = begins(&test, &robot).await;
    let made = create_code(&robot, None).await.unwrap();
    let mut tx = test.app.db.write(Lock::Facts).await.unwrap();
    let disabled = domain::identity::Disabled { at: test.clock.now(), by: test.admin.id() };
    store::identity::disable(&mut tx, person.id(), disabled).await.unwrap();
    store::revision::bump(&mut tx, store::revision::Revision::Access).await.unwrap();
    tx.commit().await.unwrap();
    assert!(code_is_refused(&test, made.code.expose()).await);
    assert!(is_refused(&test, &begun).await);
}

#[tokio::test]
async fn recovery_ends_the_sessions_of_the_admin() {
    let test = TestApp::start().await;
    let begun = begins(&test, &test.admin).await;
    let made = create_code(&test.admin, None).await.unwrap();
    app::token::recover_admin(&test.app).await.unwrap();
    assert!(is_refused(&test, &begun).await);
    assert!(code_is_refused(&test, made.code.expose()).await);
}

#[tokio::test]
async fn a_session_has_the_rights_of_its_principal_and_the_purpose_of_the_token() {
    let (test, _, _, _) = open().await;
    let reader = test.ctx("reader").await;
    let session = of(&test, &begins(&test, &reader).await).await;
    assert_eq!(session.leases(ROWS).await.lease.purpose, reader.leases(ROWS).await.lease.purpose);
    // Roles and grants are those of now.
    let Actor { standing, .. } = &*session.actor;
    assert_eq!(standing.grants, reader.actor.standing.grants);
    test.assign_platform("reader", domain::identity::PlatformRole::Admin).await;
    let limited = CreateToken { subject: Some("reader".into()), lifetime: None, purpose: Some(PurposeCode::Support) };
    let made = create_token(&test.admin, limited).await.unwrap();
    let begun = begins(&test, &test.bearer(made.token.expose()).await).await;
    let session = of(&test, &begun).await;
    assert_eq!(session.actor.purpose, Some(PurposeCode::Support));
    let error = session.disables(test.admin.id()).await.unwrap_err();
    assert_eq!(error.kind(), Kind::Forbidden, "limited to a purpose: {error:?}");
}

#[tokio::test]
async fn sessions_are_listed_with_the_tokens_and_recorded() {
    let test = TestApp::start().await;
    let reader = test.principal("reader").await;
    test.clock.advance(SECOND);
    let begun = begins(&test, &reader).await;
    let listed = list_tokens(&reader, None, &Seek::first(10)).await.unwrap().items;
    let [session, token] = &listed[..] else { panic!("{listed:?}") };
    assert_eq!((session.id, token.id), (begun.registered.id, token_id(&reader)));
    let facts = session.session.unwrap();
    assert_eq!((facts.vouched_by, facts.made_with), (Voucher::Token, Some(token.id)));
    assert_eq!(token.session, None);
    assert_eq!(session.issued_by, Some(reader.id()));

    let signed_in = of(&test, &begun).await;
    end(&signed_in).await.unwrap();
    for (action, id) in [
        (audit::Action::SignInCodeCreate, reader.id().to_string()),
        (audit::Action::SessionCreate, reader.id().to_string()),
        (audit::Action::TokenRevoke, session.id.to_string()),
    ] {
        let records = test.records(action).await;
        assert_eq!(records.len(), 1, "{action}");
        assert_eq!((&records[0].actor, &records[0].resource.id), (&reader.id().to_string(), &id));
        assert!(!records[0].detail.contains(begun.secret.expose()));
    }
    let record = &test.records(audit::Action::SessionCreate).await[0];
    assert!(record.detail.contains(&session.id.to_string()), "{}", record.detail);
}

#[tokio::test]
async fn sessions_count_among_the_tokens_of_a_principal_and_ended_codes_are_deleted() {
    let test = TestApp::start().await;
    let reader = test.principal("reader").await;
    let made = create_code(&reader, None).await.unwrap();
    let mut tx = test.app.db.write(Lock::FactsShared).await.unwrap();
    for _ in 1..MAX_VALID {
        let token = Token {
            id: TokenId::new(test.clock.as_ref(), test.random.as_ref()),
            principal_id: reader.id(),
            purpose: None,
            issued_at: test.clock.now(),
            expires_at: test.clock.now().plus(CODE_VALID * 2),
            chain_ends_at: test.clock.now().plus(CODE_VALID * 2),
            issued_by: None,
            revoked: None,
            session: None,
        };
        store::token::insert(&mut tx, &token).await.unwrap();
    }
    tx.commit().await.unwrap();
    let error = create_code(&reader, None).await.unwrap_err();
    assert_eq!(error.reason(), Some(Reason::TokenTooMany), "{error:?}");
    let error = begin(&test.app, made.code.expose(), "test").await.unwrap_err();
    assert_eq!(error.reason(), Some(Reason::TokenTooMany), "{error:?}");

    let digest = hex::encode(Sha256::digest(made.code.expose()));
    test.clock.advance(CODE_VALID - SECOND);
    app::jobs::tidy_once(&test.app).await.unwrap();
    let kept = async || store::web_session::find_code(&mut test.app.db.read().await.unwrap(), &digest).await.unwrap();
    assert!(kept().await.is_some());
    test.clock.advance(SECOND);
    app::jobs::tidy_once(&test.app).await.unwrap();
    assert!(kept().await.is_none());
}
