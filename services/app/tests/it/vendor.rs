//! Leases that need a provider: intended, then issued or ended. The provider is slow, fails, and sees revokes come while
//! it is asked.

#![expect(clippy::unwrap_used, clippy::panic, reason = "a helper of tests ends the test")]

use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use app::error::Error;
use app::gate::{Issued, Vend, Vended};
use app::identity::{CreatePrincipal, NewKind, NewRole};
use app::lease::{Denied, Leases};
use app::{Ctx, audit};
use domain::audit::Outcome;
use domain::gate::{Action, LineOutcome};
use domain::id::GrantId;
use domain::identity::DomainRole;
use domain::lease::{Credentials, Lease, LeaseState, VendError};
use store::{ListScope, Seek};
use testkit::app::{TestApp, Wiring};
use testkit::inspector::Scene;
use testkit::vendor::{Behaviour, FakeVendor};
use tokio::task::JoinHandle;
use tokio_util::sync::CancellationToken;

const PRODUCT: &str = include_str!("documents/race.product.yaml");
const CONTRACT: &str = include_str!("documents/race.contract.yaml");
/// Longer than any test waits: a test that reaches it has failed.
const LONG: Duration = Duration::from_secs(30);

/// An open table whose credentials a provider makes, its owner, and a reader with a grant.
struct World {
    test: TestApp,
    vendor: Arc<FakeVendor>,
    owner: Ctx,
    reader: Ctx,
    grant: GrantId,
}

impl World {
    async fn open(deadline: Duration) -> Self {
        let vendor = Arc::new(FakeVendor::new(deadline));
        let test = TestApp::start_wired(Wiring { vendor: Some(vendor.clone()), ..Wiring::default() }).await;
        let owner = test.domain("nyc").await;
        let reader = test.principal("reader").await;
        test.publish(&owner, "nyc", &[PRODUCT, CONTRACT]).await;
        test.lay("nyc/race", 0, Scene::of("id:integer")).await;
        let grant = granted(&owner, &reader).await;
        Self { test, vendor, owner, reader, grant }
    }

    /// An open table, and a vend whose provider is being asked and does not answer before the test lets it.
    async fn held() -> (Self, Lease, JoinHandle<Result<Vended, Error>>) {
        let world = Self::open(LONG).await;
        world.vendor.set(Behaviour::Held);
        let vending = tokio::spawn(vend(world.reader.clone(), Action::Read));
        world.vendor.asked().await;
        let [lease] = &world.leases().await[..] else { panic!("one lease") };
        (world, lease.clone(), vending)
    }

    /// All leases that a person was given, the newest first. (The server leases itself tables for inspection.)
    async fn leases(&self) -> Vec<Lease> {
        let mut tx = self.test.app.db.read().await.unwrap();
        let mut leases = store::lease::list(&mut tx, ListScope::All, &Seek::first(100)).await.unwrap().items;
        leases.retain(|lease| lease.action != Action::Inspect);
        leases
    }

    /// Starts the jobs, and ends them before they do more than a start does.
    async fn start_jobs(&self) {
        let stop = CancellationToken::new();
        stop.cancel();
        app::jobs::run(Arc::clone(&self.test.app), stop).await;
    }

    async fn state(&self, lease: &Lease) -> LeaseState {
        let mut tx = self.test.app.db.read().await.unwrap();
        store::lease::get(&mut tx, lease.id).await.unwrap().state
    }

    /// How the records of vends ended, sorted: several have one time.
    async fn outcomes(&self) -> Vec<Outcome> {
        let records = self.test.records_of(audit::Action::CredentialVend).await;
        let mut outcomes: Vec<_> = records.into_iter().map(|record| record.outcome).collect();
        outcomes.sort_by_key(|outcome| outcome.as_str());
        outcomes
    }
}

async fn granted(owner: &Ctx, reader: &Ctx) -> GrantId {
    testkit::app::grant(owner, reader, "nyc.race.rows").await.unwrap()
}

async fn vend(ctx: Ctx, action: Action) -> Result<Vended, Error> {
    let address = "nyc.race.rows".parse().unwrap();
    let command = Vend { address, action, purpose: None, lifetime: None };
    tokio::time::timeout(LONG * 2, app::gate::vend(&ctx, command)).await.expect("the vend hangs")
}

fn issued(vended: Result<Vended, Error>) -> Issued {
    match vended.unwrap() {
        Vended::Issued(issued) => *issued,
        Vended::Refused(decision) => panic!("refused: {decision:?}"),
    }
}

#[tokio::test]
async fn the_intent_and_its_record_are_committed_before_the_provider_is_asked() {
    let (world, lease, vending) = World::held().await;
    assert_eq!(lease.state, LeaseState::Intended);
    assert_eq!(world.outcomes().await, [Outcome::Intended]);
    assert_eq!(world.test.app.open(lease.id).await.unwrap_err(), Denied::Unknown, "an intent opens nothing");

    world.vendor.go_on();
    let issued = issued(vending.await.unwrap());
    assert_eq!((issued.lease.id, issued.lease.state), (lease.id, LeaseState::Issued));
    assert_eq!(world.state(&lease).await, LeaseState::Issued);
    assert_eq!(world.outcomes().await, [Outcome::Done, Outcome::Intended]);
    let Credentials::Gateway(credentials) = issued.credentials;
    assert_eq!(credentials.access_key_id, format!("provider-{}", lease.id), "the credentials are the provider's");
    world.test.app.open(lease.id).await.unwrap();
}

#[tokio::test]
async fn a_provider_that_does_not_answer_in_time_ends_the_lease() {
    let world = World::open(Duration::from_millis(20)).await;
    world.vendor.set(Behaviour::Silent);
    let vended = vend(world.reader.clone(), Action::Read).await;
    assert!(matches!(vended, Err(Error::Unavailable(_))), "{vended:?}");
    let [lease] = &world.leases().await[..] else { panic!("one lease") };
    assert_eq!(lease.state, LeaseState::Ended);
    assert_eq!(world.outcomes().await, [Outcome::Failed, Outcome::Intended]);
    assert_eq!(world.test.app.open(lease.id).await.unwrap_err(), Denied::Ended);
}

#[tokio::test]
async fn a_provider_that_fails_ends_the_lease_and_the_next_one_is_new() {
    let world = World::open(LONG).await;
    world.vendor.set(Behaviour::Failing(VendError::Refused("the role is not there".to_owned())));
    let error = vend(world.reader.clone(), Action::Read).await.unwrap_err();
    assert!(
        matches!(&error, Error::Unavailable(why) if !why.to_string().contains("role")),
        "callers learn no cause: {error:?}"
    );
    let [failed] = &world.leases().await[..] else { panic!("one lease") };
    assert_eq!(failed.state, LeaseState::Ended);
    assert_eq!(world.outcomes().await, [Outcome::Failed, Outcome::Intended]);

    world.vendor.set(Behaviour::Prompt);
    let next = issued(vend(world.reader.clone(), Action::Read).await);
    assert_ne!((next.lease.id, next.lease.decision_id), (failed.id, failed.decision_id), "a permit is used once");
    assert_eq!(world.vendor.n_asked(), 2, "a failed lease is not tried again");
}

#[tokio::test]
async fn a_grant_revoked_while_the_provider_is_asked_gives_no_credentials() {
    let (world, lease, vending) = World::held().await;
    app::grant::revoke_grant(&world.owner, world.grant, "the project ended", None).await.unwrap();
    assert_eq!(world.state(&lease).await, LeaseState::Revoked);
    world.vendor.go_on();
    let Vended::Refused(decision) = vending.await.unwrap().unwrap() else { panic!("credentials after a revoke") };
    let failing = decision.lines.iter().filter(|line| line.outcome == LineOutcome::Fails);
    assert_eq!(failing.map(|line| line.code.as_str()).collect::<Vec<_>>(), ["policy.denied", "grant.revoked"]);
    assert_eq!(world.state(&lease).await, LeaseState::Revoked);
    assert_eq!(world.outcomes().await, [Outcome::Intended, Outcome::Refused, Outcome::Refused]);
    assert_eq!(world.test.app.open(lease.id).await.unwrap_err(), Denied::Revoked);
}

#[tokio::test]
async fn a_principal_disabled_while_the_provider_is_asked_gets_no_credentials() {
    let (world, lease, vending) = World::held().await;
    app::identity::set_enabled(&world.test.admin, world.reader.actor.principal.id, false, None).await.unwrap();
    world.vendor.go_on();
    assert!(matches!(vending.await.unwrap().unwrap(), Vended::Refused(_)));
    assert_eq!(world.state(&lease).await, LeaseState::Revoked);
}

#[tokio::test]
async fn the_leases_of_the_service_accounts_of_a_disabled_person_end_too() {
    let world = World::open(LONG).await;
    let person = world.reader.actor.principal.id;
    let kind = NewKind::Service(Some(person));
    let command = CreatePrincipal { subject: "robot".to_owned(), kind, key: None };
    app::identity::create_principal(&world.test.admin, command).await.unwrap();
    let robot = world.test.ctx("robot").await;
    granted(&world.owner, &robot).await;
    let open = issued(vend(robot.clone(), Action::Read).await).lease;
    world.vendor.set(Behaviour::Held);
    let vending = tokio::spawn(vend(robot, Action::Read));
    for _ in 0..2 {
        world.vendor.asked().await;
    }
    app::identity::set_enabled(&world.test.admin, person, false, None).await.unwrap();
    world.vendor.go_on();
    assert!(matches!(vending.await.unwrap().unwrap(), Vended::Refused(_)));
    assert_eq!(world.leases().await.iter().map(|lease| lease.state).collect::<Vec<_>>(), [LeaseState::Revoked; 2]);
    assert_eq!(world.test.app.open(open.id).await.unwrap_err(), Denied::Revoked);
}

#[tokio::test]
async fn a_role_taken_away_while_the_provider_is_asked_gives_no_credentials() {
    let world = World::open(LONG).await;
    world.test.principal("mender").await;
    let mender = world.test.assign("mender", NewRole::Domain("nyc".parse().unwrap(), DomainRole::Publisher)).await;
    world.vendor.set(Behaviour::Held);
    let vending = tokio::spawn(vend(mender.clone(), Action::Repair));
    world.vendor.asked().await;
    let role = app::identity::list_own_roles(&mender).await.unwrap()[0].id;
    app::identity::unassign_role(&world.test.admin, role, None).await.unwrap();
    world.vendor.go_on();
    assert!(matches!(vending.await.unwrap().unwrap(), Vended::Refused(_)));
}

#[tokio::test]
async fn a_lease_that_expired_while_the_provider_was_asked_is_not_issued() {
    let (world, lease, vending) = World::held().await;
    world.test.clock.set(lease.expires_at);
    world.vendor.go_on();
    assert!(matches!(vending.await.unwrap(), Err(Error::Unavailable(_))));
    assert_eq!(world.state(&lease).await, LeaseState::Ended);
}

#[tokio::test]
async fn an_intent_that_a_restart_leaves_behind_opens_nothing_and_ends() {
    let (mut world, lease, vending) = World::held().await;
    vending.abort();
    let _ = vending.await;
    world.test.clock.advance(Duration::from_secs(1));
    world.test = world.test.restart().await;
    assert_eq!(world.state(&lease).await, LeaseState::Intended);
    assert_eq!(world.test.app.open(lease.id).await.unwrap_err(), Denied::Unknown);

    world.start_jobs().await;
    assert_eq!(world.state(&lease).await, LeaseState::Ended);
    assert_eq!(world.outcomes().await, [Outcome::Failed, Outcome::Intended]);
}

#[tokio::test]
async fn the_start_of_the_jobs_leaves_the_intents_of_its_own_run() {
    let (world, lease, vending) = World::held().await;
    world.test.clock.advance(Duration::from_secs(1));
    world.start_jobs().await;
    assert_eq!(world.state(&lease).await, LeaseState::Intended);
    world.vendor.go_on();
    issued(vending.await.unwrap());
}

/// What cannot be read stays as it is, and the error is told.
#[tokio::test]
async fn a_lease_that_cannot_be_read_keeps_nothing_else_from_being_deleted() {
    let (mut world, lease, vending) = World::held().await;
    vending.abort();
    let _ = vending.await;
    let spoil = |database: &Path| {
        let mut bytes = std::fs::read(database).unwrap();
        let row = format!("analytics{}intended", lease.decision_id);
        let at = bytes.windows(row.len()).position(|window| window == row.as_bytes()).unwrap();
        bytes[at] = b'A';
        std::fs::write(database, bytes).unwrap();
    };
    world.test = world.test.restart_after(spoil).await;
    world.test.clock.advance(Duration::from_secs(30 * 24 * 3_600));
    let n_events = async || {
        let mut tx = world.test.app.db.read().await.unwrap();
        store::outbox::list_after(&mut tx, 0, 1_000).await.unwrap().len()
    };
    assert!(n_events().await > 1);
    assert!(app::jobs::tidy_once(&world.test.app).await.is_err());
    assert_eq!(n_events().await, 1, "the newest stays");
}

#[tokio::test]
async fn the_tidy_job_ends_old_intents_and_leaves_those_whose_provider_may_still_answer() {
    let (world, lease, vending) = World::held().await;
    app::jobs::tidy_once(&world.test.app).await.unwrap();
    assert_eq!(world.state(&lease).await, LeaseState::Intended);
    world.test.clock.advance(Duration::from_secs(600));
    app::jobs::tidy_once(&world.test.app).await.unwrap();
    assert_eq!(world.state(&lease).await, LeaseState::Ended);

    world.vendor.go_on();
    let vended = vending.await.unwrap();
    assert!(matches!(vended, Err(Error::Unavailable(_))), "an ended intent gives no credentials: {vended:?}");
    assert_eq!(world.state(&lease).await, LeaseState::Ended);
}

#[tokio::test]
async fn an_intent_becomes_issued_once() {
    let (world, lease, vending) = World::held().await;
    world.vendor.go_on();
    issued(vending.await.unwrap());
    let mut tx = world.test.app.db.write(store::Lock::FactsShared).await.unwrap();
    assert!(!store::lease::issue(&mut tx, lease.id).await.unwrap());
}
