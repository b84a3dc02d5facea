//! What open leases do when the gate shuts: each row of the table in `docs/rules.md`, "Open leases", on both databases.
//!
//! A row is checked three times: the stored lease after the change, the same lease at the gateway, and a lease there that
//! the change did not touch, which the gateway has to judge by itself.

#![expect(clippy::unwrap_used, clippy::panic, reason = "a helper of tests ends the test")]

use std::time::Duration;

use app::Ctx;
use app::gate::{Vend, Vended};
use app::grant::{Answer, ApproveRequest, RequestAccess};
use app::identity::{CreatePrincipal, NewKind, NewRole};
use app::lease::{Denied, Leases};
use app::org::SetEnforcement;
use app::target::PortTarget;
use domain::clock::{Clock as _, Timestamp};
use domain::gate::open::Fate;
use domain::gate::{Action, Code, LineOutcome};
use domain::grant::Purpose;
use domain::id::{GrantId, LeaseId};
use domain::identity::{DomainRole, PlatformRole, PurposeCode};
use domain::inspection::InspectionError;
use domain::lease::{Lease, LeaseState};
use domain::org::Enforcement;
use policy::Policy;
use store::{Lock, Options, Seek};
use testkit::app::{TestApp, Wiring};
use testkit::inspector::Scene;

const PRODUCT: &str = include_str!("documents/race.product.yaml");
const CONTRACT: &str = include_str!("documents/race.contract.yaml");
const FOLDER: &str = "nyc/race";
const HOUR: Duration = Duration::from_secs(3_600);
/// Hides confidential products from all.
const HIDING: &str = r#"
@id("hiding")
forbid (principal is Principal, action == Action::"viewProduct", resource is Product)
when { resource.classification == Classification::"confidential" };
"#;
/// Reading is over.
const FORBIDDING: &str = r#"
@id("forbidding")
forbid (principal is Principal, action == Action::"read", resource is Binding);
"#;
/// A sum that is out of range.
const FAILING: &str = r#"
@id("failing")
forbid (principal is Principal, action == Action::"read", resource is Binding)
when { 9223372036854775807 + 1 == 0 };
"#;

/// What makes a check fail for an open lease.
#[derive(Clone, Copy, Debug)]
enum Cause {
    HolderDisabled,
    OwnerOfHolderDisabled,
    ProductHidden,
    ColumnClassified,
    ReadingForbidden,
    PolicyFailing,
    RoleTaken,
    ProductRetired,
    ProductPruned,
    VersionRetired,
    SunsetPassed,
    GrantRevoked,
    GrantEnded,
    TableMoved,
    RulesChanged,
    OtherColumns,
    InspectionFailed,
    BadBatch,
    HeadWaits,
    DataLate,
    LittleTimeLeft,
}

/// What makes a check fail with a code. None if an open lease cannot come to it in a running server, only in the tests of
/// `domain`.
fn causes(code: Code) -> &'static [Cause] {
    match code {
        Code::IdentityUnknown => &[Cause::HolderDisabled, Cause::OwnerOfHolderDisabled],
        Code::VisibilityHidden => &[Cause::ProductHidden, Cause::ColumnClassified],
        Code::PolicyDenied => &[Cause::ReadingForbidden, Cause::RoleTaken],
        Code::PolicyError => &[Cause::PolicyFailing],
        Code::ContractProductInactive => &[Cause::ProductRetired, Cause::ProductPruned],
        Code::ContractRetired => &[Cause::VersionRetired],
        Code::ContractSunset => &[Cause::SunsetPassed],
        Code::GrantMissing => &[Cause::RoleTaken],
        Code::GrantRevoked => &[Cause::GrantRevoked],
        Code::GrantEnded => &[Cause::GrantEnded],
        Code::ScopeUnbound => &[Cause::TableMoved],
        Code::ConformancePending | Code::QualityPending => &[Cause::RulesChanged],
        Code::ConformanceBroken => &[Cause::OtherColumns],
        Code::ConformanceUnknown | Code::QualityError => &[Cause::InspectionFailed],
        Code::QualityFailed | Code::ScopeNothingToServe => &[Cause::BadBatch],
        Code::QualityHeadPending => &[Cause::HeadWaits],
        Code::QualityLate => &[Cause::DataLate],
        Code::ScopeTooShort => &[Cause::LittleTimeLeft],
        // A version that gave a lease was active, and a major never goes back to drafts alone; what was superseded has a
        // successor that is judged in its place.
        Code::ContractDraft | Code::ContractSuperseded => &[],
        // A grant does not change its window or purpose, nor a lease its purpose.
        Code::GrantNotYet | Code::GrantOtherPurpose | Code::GrantPurposeNeeded | Code::ScopePurpose => &[],
        // The tests of shared tables bring these about (`shared.rs`).
        Code::VisibilityClassified | Code::ScopeConsentEnded | Code::ScopeOwnerRetired => &[],
        // The store registers no table that overlaps.
        Code::ScopeLocation => &[],
        other => {
            assert_eq!(other.fate(), None, "{other} has no row here");
            &[]
        }
    }
}

#[tokio::test]
async fn open_leases_follow_the_table_on_sqlite() {
    follow_the_table(|| None).await;
}

#[tokio::test]
async fn open_leases_follow_the_table_on_postgres() {
    let Some(server) = testkit::postgres::Server::shared() else { return };
    follow_the_table(|| Some(server.database())).await;
}

async fn follow_the_table(url: impl Fn() -> Option<String>) {
    let mut n_rows = 0;
    for code in Code::ALL {
        let Some(fate) = code.fate() else {
            assert!(causes(*code).is_empty(), "no check fails with {code}");
            continue;
        };
        for cause in causes(*code) {
            World::open(url(), *cause).await.check(*code, fate, *cause).await;
            n_rows += 1;
        }
    }
    assert_eq!(n_rows, 25);
}

struct World {
    test: TestApp,
    owner: Ctx,
    /// Whose lease it is.
    holder: Ctx,
    grant: GrantId,
    lease: Lease,
}

impl World {
    /// An open table, and a lease on it that the cause is to meet.
    async fn open(url: Option<String>, cause: Cause) -> Self {
        let options = Options::for_testing();
        let policy = match cause {
            Cause::ProductHidden | Cause::ColumnClassified => Policy::with_files(&[("hiding.cedar", HIDING)]).unwrap(),
            _ => Policy::embedded().unwrap(),
        };
        let test = TestApp::start_wired_under(Wiring { url, options, ..Wiring::default() }, policy).await;
        let owner = test.domain("nyc").await;
        let reader = test.principal("reader").await;
        let contract = match cause {
            Cause::TableMoved => CONTRACT.replace("status: active", "status: draft"),
            _ => CONTRACT.replace(
                "status: active\n",
                "status: active\ncustomProperties:\n  - property: late\n    value: block\nslaProperties:\n  \
                 - property: latency\n    value: 3\n    unit: h\n  - property: endOfSupport\n    \
                 value: \"2026-09-21T16:13:20Z\"\n",
            ),
        };
        test.publish(&owner, "nyc", &[PRODUCT, &contract]).await;
        let scene = Scene { committed_at: test.clock.now(), ..Scene::of("id:integer") };
        test.lay(FOLDER, 0, scene).await;
        let until = matches!(cause, Cause::GrantEnded | Cause::LittleTimeLeft).then(|| test.clock.now().plus(HOUR * 2));
        let (holder, action) = match cause {
            Cause::RoleTaken | Cause::TableMoved => {
                test.principal("mender").await;
                let role = NewRole::Domain("nyc".parse().unwrap(), DomainRole::Publisher);
                let mender = test.assign("mender", role).await;
                (mender, if matches!(cause, Cause::TableMoved) { Action::Repair } else { Action::Read })
            }
            Cause::OwnerOfHolderDisabled => {
                let kind = NewKind::Service(Some(reader.actor.principal.id));
                let command = CreatePrincipal { subject: "robot".to_owned(), kind, key: None };
                app::identity::create_principal(&test.admin, command).await.unwrap();
                (test.ctx("robot").await, Action::Read)
            }
            _ => (reader.clone(), Action::Read),
        };
        let by_role = matches!(cause, Cause::RoleTaken | Cause::TableMoved);
        let grant = granted(&owner, if by_role { &reader } else { &holder }, PurposeCode::Analytics, until).await;
        let lease = vend(&holder, action, HOUR * 12).await;
        Self { test, owner, holder, grant, lease }
    }

    async fn check(mut self, code: Code, fate: Fate, cause: Cause) {
        let what = format!("{code} by {cause:?}");
        assert_eq!(self.test.app.open(self.lease.id).await.map(|_| ()), Ok(()), "{what}: before");
        let by_time = self.bring_about(cause).await;
        match (code, self.codes().await) {
            // What is hidden is not found; where the table was, another one answers.
            (Code::VisibilityHidden | Code::ScopeUnbound, codes) => assert_eq!(codes, None, "{what}"),
            (_, codes) => assert!(codes.is_some_and(|codes| codes.contains(&code)), "{what}"),
        }

        let state = self.state(self.lease.id).await;
        let opened = self.test.app.open(self.lease.id).await.map(|_| ());
        // As the lease would be if the change had left it alone.
        let expires_at = self.test.clock.now().plus(HOUR);
        let untouched = Lease { id: LeaseId::random(self.test.random.as_ref()), expires_at, ..self.lease.clone() };
        let mut tx = self.test.app.db.write(Lock::FactsShared).await.unwrap();
        store::lease::insert(&mut tx, &untouched).await.unwrap();
        tx.commit().await.unwrap();
        let judged = self.test.app.open(untouched.id).await.map(|_| ());
        match (fate, by_time) {
            (Fate::RunsOn, _) => assert_eq!((state, opened, judged), (LeaseState::Issued, Ok(()), Ok(())), "{what}"),
            // No transaction changes it: its own end comes by then, and policies come with a start.
            (Fate::EndsAtOnce, ByTime::Expiry) => {
                assert_eq!(state, LeaseState::Issued, "{what}");
                assert_eq!((opened, judged), (Err(Denied::Expired), Err(Denied::Revoked)), "{what}");
            }
            (Fate::EndsAtOnce, ByTime::Start) => {
                assert_eq!((opened, judged), (Err(Denied::Revoked), Err(Denied::Revoked)), "{what}");
            }
            (Fate::EndsAtOnce, ByTime::No) => {
                assert_eq!(state, LeaseState::Revoked, "{what}");
                assert_eq!((opened, judged), (Err(Denied::Revoked), Err(Denied::Revoked)), "{what}");
            }
        }
    }

    /// What the holder is told by the gate; nothing of what is gone or hidden.
    async fn codes(&self) -> Option<Vec<Code>> {
        let address = "nyc.race.rows".parse().unwrap();
        let holder = Ctx { app: std::sync::Arc::clone(&self.test.app), ..self.holder.clone() };
        let why = app::gate::why(&holder, &address, self.lease.action, Some(self.lease.purpose)).await.unwrap()?;
        let failing = why.lines.iter().filter(|line| line.outcome == LineOutcome::Fails);
        let codes: Vec<Code> = failing.map(|line| line.code).collect();
        // A table that has moved is there for the question.
        (!codes.is_empty()).then_some(codes)
    }

    async fn state(&self, id: LeaseId) -> LeaseState {
        store::lease::get(&mut self.test.app.db.read().await.unwrap(), id).await.unwrap().state
    }

    async fn bring_about(&mut self, cause: Cause) -> ByTime {
        let (test, owner) = (&self.test, &self.owner);
        let late = "status: active\ncustomProperties:\n  - property: late\n    value: block\nslaProperties:\n  \
                    - property: latency\n    value: 3\n    unit: h\n  - property: endOfSupport\n    \
                    value: \"2026-09-21T16:13:20Z\"\n";
        let contract = CONTRACT.replace("status: active\n", late);
        let confidential = PRODUCT.replace(
            "status: active\n",
            "status: active\ncustomProperties:\n  - property: classification\n    value: confidential\n",
        );
        match cause {
            Cause::HolderDisabled => {
                app::identity::set_enabled(&test.admin, self.holder.actor.principal.id, false, None).await.unwrap();
            }
            Cause::OwnerOfHolderDisabled => {
                let person = self.holder.actor.principal.person();
                app::identity::set_enabled(&test.admin, person, false, None).await.unwrap();
            }
            Cause::ProductHidden => test.publish(owner, "nyc", &[&confidential]).await,
            Cause::ColumnClassified => {
                let classified = contract.replace("- name: id\n", "- name: id\n        classification: confidential\n");
                test.publish(owner, "nyc", &[&classified.replace("version: 1.0.0", "version: 2.0.0")]).await;
            }
            Cause::ReadingForbidden | Cause::PolicyFailing => {
                let text = if matches!(cause, Cause::PolicyFailing) { FAILING } else { FORBIDDING };
                let policy = Policy::with_files(&[("reading.cedar", text)]).unwrap();
                let test = std::mem::replace(&mut self.test, TestApp::start().await);
                self.test = test.restart_under(policy).await;
                return ByTime::Start;
            }
            Cause::RoleTaken => {
                let role = app::identity::list_own_roles(&self.holder).await.unwrap()[0].id;
                app::identity::unassign_role(&test.admin, role, None).await.unwrap();
            }
            Cause::ProductRetired => {
                test.publish(owner, "nyc", &[&PRODUCT.replace("status: active", "status: retired")]).await;
            }
            Cause::ProductPruned => {
                let set = app::publish::DocumentSet { prune: true, ..testkit::app::set("nyc", &[]) };
                app::publish::apply(owner, set).await.unwrap();
            }
            Cause::VersionRetired => {
                test.publish(owner, "nyc", &[&contract.replace("status: active", "status: retired")]).await;
            }
            Cause::SunsetPassed => {
                test.publish(owner, "nyc", &[&contract.replace("status: active", "status: deprecated")]).await;
                let sunset = Timestamp::parse_rfc3339("2026-09-21T16:13:20Z").unwrap();
                let mut tx = test.app.db.read().await.unwrap();
                let stored = store::lease::get(&mut tx, self.lease.id).await.unwrap();
                assert_eq!(stored.expires_at, sunset, "it is told that the lease ends sooner");
                assert!(test.app.open(self.lease.id).await.is_ok(), "not before the sunset");
                test.clock.set(sunset);
                return ByTime::Expiry;
            }
            Cause::GrantRevoked => {
                app::grant::revoke_grant(owner, self.grant, "the project ended", None).await.unwrap();
            }
            Cause::GrantEnded => {
                test.clock.advance(HOUR * 2);
                return ByTime::Expiry;
            }
            Cause::TableMoved => {
                let moved = CONTRACT.replace("status: active", "status: draft").replace(FOLDER, "nyc/moved");
                test.publish(owner, "nyc", &[&moved]).await;
            }
            Cause::RulesChanged => {
                app::publish::apply(owner, testkit::app::set("nyc", &[&confidential])).await.unwrap();
            }
            Cause::OtherColumns => test.lay(FOLDER, 1, Scene::of("other:string")).await,
            Cause::InspectionFailed => {
                let died = InspectionError::Died("killed".to_owned());
                test.lay(FOLDER, 1, Scene::of("id:integer").failing(died)).await;
            }
            Cause::BadBatch => test.lay(FOLDER, 1, Scene::of("id:integer").breaking("required")).await,
            Cause::HeadWaits => {
                let log = test.table_folder(FOLDER).join("_delta_log");
                std::fs::write(log.join("00000000000000000001.json"), b"{}").unwrap();
                test.clock.advance(Duration::from_secs(6));
                self.codes().await;
                test.clock.advance(HOUR * 2);
            }
            Cause::DataLate => test.clock.advance(HOUR * 4),
            Cause::LittleTimeLeft => test.clock.advance(HOUR * 2 - Duration::from_millis(500)),
        }
        ByTime::No
    }
}

/// Whether time shuts the gate and no transaction.
enum ByTime {
    No,
    /// The lease ends by itself then.
    Expiry,
    /// The server was started with other policies.
    Start,
}

async fn granted(owner: &Ctx, reader: &Ctx, purpose: PurposeCode, until: Option<Timestamp>) -> GrantId {
    let command = RequestAccess {
        target: PortTarget::Port {
            domain: "nyc".parse().unwrap(),
            product: "race".parse().unwrap(),
            port: "rows".parse().unwrap(),
            major: None,
        },
        purpose: Purpose::new(purpose, "to learn").unwrap(),
        from: None,
        until,
        key: None,
    };
    let request = match app::grant::request_access(reader, command).await {
        Ok(request) => request,
        // A port whose versions are all drafts takes no requests.
        Err(app::Error::PortClosed(_)) => return GrantId(uuid::Uuid::nil()),
        Err(error) => panic!("{error:?}"),
    };
    let approve = ApproveRequest { id: request.id, until: None, reason: None, key: None };
    match app::grant::approve_request(owner, approve).await.unwrap() {
        Answer::Done((_, grant)) => grant.id,
        Answer::NotPending(_) => panic!("a fresh request is pending"),
    }
}

async fn vend(ctx: &Ctx, action: Action, lifetime: Duration) -> Lease {
    let (address, lifetime) = ("nyc.race.rows".parse().unwrap(), Some(lifetime));
    match app::gate::vend(ctx, Vend { address, action, purpose: None, lifetime }).await.unwrap() {
        Vended::Issued(issued) => issued.lease,
        Vended::Refused(decision) => panic!("shut: {decision:?}"),
    }
}

/// An open table, its owner, and a reader with a grant.
async fn open_table() -> (TestApp, Ctx, Ctx, GrantId) {
    let test = TestApp::start().await;
    let owner = test.domain("nyc").await;
    let reader = test.principal("reader").await;
    test.publish(&owner, "nyc", &[PRODUCT, CONTRACT]).await;
    test.lay(FOLDER, 0, Scene::of("id:integer")).await;
    let grant = granted(&owner, &reader, PurposeCode::Analytics, None).await;
    (test, owner, reader, grant)
}

#[tokio::test]
async fn a_successor_and_enforcement_end_no_lease() {
    let (test, owner, reader, _) = open_table().await;
    let lease = vend(&reader, Action::Read, HOUR).await;
    let successor =
        CONTRACT.replace("version: 1.0.0", "version: 1.0.1").replace("kind:", "description:\n  purpose: races\nkind:");
    test.publish(&owner, "nyc", &[&successor]).await;
    test.assign_platform("admin", PlatformRole::Steward).await;
    let steward = test.ctx("admin").await;
    for enforcement in [Enforcement::Off, Enforcement::On] {
        let command = SetEnforcement { path: "nyc".parse().unwrap(), enforcement, switch_at: None, key: None };
        app::org::set_enforcement(&steward, command).await.unwrap();
    }
    let mut tx = test.app.db.read().await.unwrap();
    assert_eq!(store::lease::get(&mut tx, lease.id).await.unwrap(), lease);
    drop(tx);
    assert!(test.app.open(lease.id).await.is_ok());
}

/// The successor waits for its inspection; between its predecessor's end and its own begin there is no moment.
#[tokio::test]
async fn a_successor_that_waits_for_its_inspection_ends_no_lease() {
    let (test, owner, reader, _) = open_table().await;
    let lease = vend(&reader, Action::Read, HOUR).await;
    let rule = "required: true\n        quality:\n          - metric: duplicateValues\n            mustBe: 0\n";
    let successor = CONTRACT.replace("version: 1.0.0", "version: 1.1.0").replace("required: true\n", rule);
    test.publish(&owner, "nyc", &[&successor]).await;
    assert!(vend(&reader, Action::Read, HOUR).await.decision_id != lease.decision_id);
    let states = async || {
        let mut tx = test.app.db.read().await.unwrap();
        let product = store::product::list(&mut tx, &Seek::first(1)).await.unwrap().items.remove(0);
        let contract = store::contract::list_of_products(&mut tx, &[product.id]).await.unwrap().remove(0);
        let versions = store::contract::list_versions_of_contracts(&mut tx, &[contract.id]).await.unwrap();
        versions.iter().map(|version| version.state.as_str()).collect::<Vec<_>>()
    };
    assert_eq!(states().await, ["active", "superseded"], "the newest first");
    assert!(test.app.open(lease.id).await.is_ok());
}

/// Stewards may forbid something to those who have a role or a grant.
#[tokio::test]
async fn a_right_that_a_policy_forbids_to_combine_ends_leases_when_it_comes_and_when_it_goes() {
    const RULES: &str = r#"
@id("auditors-read-nothing")
forbid (principal in PlatformRole::"auditor", action == Action::"read", resource is Binding);
@id("publishers-hold-no-grants")
forbid (principal is Principal, action == Action::"read", resource is Binding)
when { principal in resource.holders && principal in resource.domain.publishers };
@id("owners-hold-grants")
forbid (principal is Principal, action == Action::"read", resource is Binding)
when { principal in resource.domain.owners }
unless { principal in resource.holders };
"#;
    let policy = Policy::with_files(&[("combining.cedar", RULES)]).unwrap();
    let test = TestApp::start_wired_under(Wiring::default(), policy).await;
    let owner = test.domain("nyc").await;
    test.publish(&owner, "nyc", &[PRODUCT, CONTRACT]).await;
    test.lay(FOLDER, 0, Scene::of("id:integer")).await;
    let other = NewRole::Domain("nyc".parse().unwrap(), DomainRole::Owner);
    test.principal("second").await;
    let second = test.assign("second", other).await;
    let state =
        async |lease: &Lease| store::lease::get(&mut test.app.db.read().await.unwrap(), lease.id).await.unwrap().state;

    let reader = test.principal("reader").await;
    granted(&owner, &reader, PurposeCode::Analytics, None).await;
    let lease = vend(&reader, Action::Read, HOUR).await;
    test.assign_platform("reader", PlatformRole::Auditor).await;
    assert_eq!(state(&lease).await, LeaseState::Revoked, "a role that comes");

    test.principal("publisher").await;
    let publisher = test.assign("publisher", NewRole::Domain("nyc".parse().unwrap(), DomainRole::Publisher)).await;
    let lease = vend(&publisher, Action::Read, HOUR).await;
    granted(&owner, &publisher, PurposeCode::Analytics, None).await;
    assert_eq!(state(&lease).await, LeaseState::Revoked, "a grant that comes");

    let grant = granted(&second, &owner, PurposeCode::Analytics, None).await;
    let address = "nyc.race.rows".parse().unwrap();
    let command = Vend { address, action: Action::Read, purpose: Some(PurposeCode::Operations), lifetime: None };
    let Vended::Issued(by_role) = app::gate::vend(&test.ctx("owner-nyc").await, command).await.unwrap() else {
        panic!("shut")
    };
    assert_eq!(by_role.lease.grant_id, None);
    app::grant::revoke_grant(&second, grant, "it is over", None).await.unwrap();
    assert_eq!(state(&by_role.lease).await, LeaseState::Revoked, "a grant that goes");
}

#[tokio::test]
async fn the_gateway_itself_ends_a_lease_at_the_sunset() {
    let mut world = World::open(None, Cause::SunsetPassed).await;
    assert!(matches!(world.bring_about(Cause::SunsetPassed).await, ByTime::Expiry));
    let (test, sunset) = (&world.test, world.test.clock.now());
    test.clock.set(sunset.minus(HOUR));
    // As the lease would be if the deprecation had left it alone.
    let lease = Lease { id: LeaseId::random(test.random.as_ref()), ..world.lease.clone() };
    assert!(lease.expires_at > sunset);
    let mut tx = test.app.db.write(Lock::FactsShared).await.unwrap();
    store::lease::insert(&mut tx, &lease).await.unwrap();
    tx.commit().await.unwrap();
    assert_eq!(test.app.open(lease.id).await.unwrap().expires_at, sunset);
    test.clock.set(sunset);
    assert_eq!(test.app.open(lease.id).await.unwrap_err(), Denied::Expired);
}

#[tokio::test]
async fn a_lease_hangs_on_its_own_grant_and_no_other_right_takes_its_place() {
    let (test, owner, reader, first) = open_table().await;
    let of_first = vend(&reader, Action::Read, HOUR).await;
    let second = granted(&owner, &reader, PurposeCode::Analytics, Some(test.clock.now().plus(HOUR * 24 * 200))).await;
    let of_second = vend(&reader, Action::Read, HOUR).await;
    assert_eq!((of_first.grant_id, of_second.grant_id), (Some(first), Some(second)));
    app::grant::revoke_grant(&owner, first, "it has two", None).await.unwrap();
    assert_eq!(test.app.open(of_first.id).await.unwrap_err(), Denied::Revoked);
    assert!(test.app.open(of_second.id).await.is_ok());
    assert!(vend(&reader, Action::Read, HOUR).await.grant_id == Some(second));
}

#[tokio::test]
async fn a_role_that_is_lost_ends_the_leases_that_hang_on_it_and_no_others() {
    let (test, ..) = open_table().await;
    test.domain("lax").await;
    test.principal("mender").await;
    for domain in ["nyc", "lax"] {
        test.assign("mender", NewRole::Domain(domain.parse().unwrap(), DomainRole::Publisher)).await;
        test.clock.advance(Duration::from_millis(1));
    }
    let mender = test.ctx("mender").await;
    let lease = vend(&mender, Action::Repair, HOUR).await;
    let mut roles = app::identity::list_own_roles(&mender).await.unwrap();
    roles.sort_by_key(|role| role.assigned_at);
    app::identity::unassign_role(&test.admin, roles[1].id, None).await.unwrap();
    assert!(test.app.open(lease.id).await.is_ok(), "a role elsewhere");
    app::identity::unassign_role(&test.admin, roles[0].id, None).await.unwrap();
    assert_eq!(test.app.open(lease.id).await.unwrap_err(), Denied::Revoked);
}

#[tokio::test]
async fn the_leases_that_a_change_ends_are_on_record() {
    let (test, owner, reader, _) = open_table().await;
    let leases = [vend(&reader, Action::Read, HOUR).await, vend(&reader, Action::Read, HOUR).await];
    test.publish(&owner, "nyc", &[&CONTRACT.replace("status: active", "status: retired")]).await;
    let records = test.records_of(app::audit::Action::LeaseEnd).await;
    let [record] = &records[..] else { panic!("{records:?}") };
    assert_eq!(record.actor, owner.actor.principal.id.to_string());
    assert_eq!(record.resource.id, leases[0].table_id.to_string());
    assert_eq!(record.reason.as_deref(), Some("contract.retired"));
    assert!(record.detail.contains("2 leases ended"), "{}", record.detail);
}
