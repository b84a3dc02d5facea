//! Overrides: what a steward may accept, for how long, and what stays refused all the same.

#![expect(clippy::unwrap_used, clippy::panic, reason = "a helper of tests ends the test")]

use std::time::Duration;

use app::Ctx;
use app::contract::Activate;
use app::error::Error;
use app::identity::NewRole;
use app::overrides::{CreateOverride, Revoked, create_override, list_overrides, revoke_override};
use app::publish::{Outcome, VersionRefusal, apply, plan};
use domain::audit::Record;
use domain::error::Kind;
use domain::id::ContractId;
use domain::identity::{DomainRole, PlatformRole};
use domain::overrides::{FindingsDigest, Override};
use domain::version::Version;
use store::{Lock, Seek};
use testkit::app::{TestApp, set};
use testkit::inspector::Scene;

use crate::publish::{COLUMNS, CONTRACT, PRODUCT};

const DAY: Duration = Duration::from_secs(24 * 3_600);

struct World {
    test: TestApp,
    owner: Ctx,
    steward: Ctx,
    contract_id: ContractId,
}

impl World {
    async fn new() -> Self {
        let test = TestApp::start().await;
        let owner = test.domain("shop").await;
        test.publish(&owner, "shop", &[PRODUCT, CONTRACT]).await;
        test.lay("shop/orders", 0, Scene::of(COLUMNS)).await;
        test.principal("steward").await;
        let steward = test.assign_platform("steward", PlatformRole::Steward).await;
        let mut tx = test.app.db.read().await.unwrap();
        let products = store::product::list(&mut tx, &Seek::first(9)).await.unwrap().items;
        let contracts = store::contract::list_of_products(&mut tx, &[products[0].id]).await.unwrap();
        let contract_id = contracts[0].id;
        drop(tx);
        Self { test, owner, steward, contract_id }
    }

    async fn publish(&self, document: &str) -> Result<(), VersionRefusal> {
        match apply(&self.owner, set("shop", &[document])).await.unwrap() {
            Outcome::Done(_) => {
                self.test.settle().await;
                Ok(())
            }
            Outcome::Refused(mut refusals) => Err(refusals.remove(0)),
            Outcome::Invalid(problems) => panic!("{problems:?}"),
        }
    }

    /// The digest that the refusal of a document names.
    async fn digest(&self, document: &str) -> FindingsDigest {
        match plan(&self.owner, set("shop", &[document])).await.unwrap() {
            Outcome::Refused(refusals) => refusals[0].digest.clone().unwrap(),
            other => panic!("not refused: {other:?}"),
        }
    }

    fn command(&self, version: &str, findings: FindingsDigest) -> CreateOverride {
        CreateOverride {
            contract_id: self.contract_id,
            version: version.parse::<Version>().unwrap(),
            findings,
            reason: "nobody reads it yet".to_owned(),
            expires_at: self.test.app.now().plus(7 * DAY),
            key: None,
        }
    }

    async fn accepted(&self, document: &str, version: &str) -> Override {
        let digest = self.digest(document).await;
        create_override(&self.steward, self.command(version, digest)).await.unwrap()
    }

    async fn state(&self, version: &str) -> domain::contract::State {
        self.version(version).await.state
    }

    async fn version(&self, version: &str) -> store::contract::ContractVersion {
        let mut tx = self.test.app.db.read().await.unwrap();
        let version = version.parse().unwrap();
        let found = store::contract::find_version_by_number(&mut tx, self.contract_id, version).await.unwrap();
        found.unwrap()
    }

    async fn records(&self, action: &str) -> Vec<Record> {
        let mut tx = self.test.app.db.read().await.unwrap();
        let filter = store::audit::Filter { action: Some(action), ..store::audit::Filter::default() };
        let records = store::audit::list(&mut tx, filter, &Seek::first(100)).await.unwrap().items;
        records.iter().map(|stored| Record::from_canonical(&stored.bytes).unwrap()).collect()
    }
}

/// Takes the column away that others read, under a number that does not say so.
fn broken(version: &str) -> String {
    let without = CONTRACT.replace("      - name: amount\n        logicalType: number\n", "");
    without.replace("version: 1.0.0", &format!("version: {version}"))
}

#[tokio::test]
async fn what_a_steward_accepts_is_published_and_the_record_says_so() {
    let world = World::new().await;
    assert!(world.publish(&broken("1.1.0")).await.is_err());
    let accepted = world.accepted(&broken("1.1.0"), "1.1.0").await;
    assert_eq!((accepted.steward, accepted.revoked.clone()), (world.steward.actor.principal.id, None));
    world.publish(&broken("1.1.0")).await.unwrap();
    assert_eq!(world.state("1.1.0").await.as_str(), "active");
    let published = &world.records("contract.publish").await[0];
    assert!(published.detail.contains(&accepted.id.to_string()), "{published:?}");
    let created = &world.records("override.create").await[0];
    assert_eq!(created.reason.as_deref(), Some("nobody reads it yet"));
    assert!(created.detail.contains(&accepted.findings.to_string()));
    let first = world.records("contract.publish").await.pop().unwrap();
    assert!(!first.detail.contains("override"), "{first:?}");
}

#[tokio::test]
async fn it_covers_one_version_with_just_these_findings() {
    let world = World::new().await;
    world.accepted(&broken("1.1.0"), "1.1.0").await;
    world.publish(&broken("1.2.0")).await.unwrap_err();
    let more = broken("1.1.0").replace("logicalType: integer", "logicalType: string");
    world.publish(&more).await.unwrap_err();
    let other_key = broken("1.1.0").replace("        primaryKey: true\n", "");
    world.publish(&other_key).await.unwrap_err();
    world.publish(&broken("1.1.0")).await.unwrap();
    world.publish(&broken("1.1.0").replace("logicalType: integer", "logicalType: string")).await.unwrap_err();
}

#[tokio::test]
async fn it_ends_by_itself_or_early_and_stays_listed() {
    let world = World::new().await;
    let first = world.accepted(&broken("1.1.0"), "1.1.0").await;
    world.test.clock.advance(7 * DAY);
    world.publish(&broken("1.1.0")).await.unwrap_err();
    let late = revoke_override(&world.steward, first.id, "too late", None).await.unwrap();
    assert!(matches!(late, Revoked::NotStanding(_)));

    let second = world.accepted(&broken("1.1.0"), "1.1.0").await;
    let Revoked::Done(second) = revoke_override(&world.steward, second.id, "a mistake", None).await.unwrap() else {
        panic!("it stands");
    };
    world.publish(&broken("1.1.0")).await.unwrap_err();
    assert_eq!(world.records("override.revoke").await[0].reason.as_deref(), Some("a mistake"));
    let reader = world.test.principal("reader").await;
    let listed = list_overrides(&reader, &[world.contract_id]).await.unwrap();
    assert_eq!(listed, [second, first], "to everybody who may see the product");
}

#[tokio::test]
async fn a_draft_waits_once_its_override_was_taken_back() {
    let world = World::new().await;
    for (number, is_revoked) in (1..).zip([true, false]) {
        let version = format!("1.{number}.0");
        let held = broken(&version).replace("status: active", "status: draft");
        let accepted = world.accepted(&held, &version).await;
        world.publish(&held).await.unwrap();
        if is_revoked {
            revoke_override(&world.steward, accepted.id, "a mistake", None).await.unwrap();
        } else {
            world.test.clock.advance(8 * DAY);
        }
        let id = world.version(&version).await.id;
        app::contract::activate_version(&world.owner, Activate { id, key: None }).await.unwrap();
        assert_eq!(world.state(&version).await.as_str(), if is_revoked { "draft" } else { "active" });
    }
}

#[tokio::test]
async fn only_a_steward_accepts_and_not_where_he_publishes() {
    let world = World::new().await;
    let test = &world.test;
    let digest = world.digest(&broken("1.1.0")).await;
    test.principal("auditor").await;
    let auditor = test.assign_platform("auditor", PlatformRole::Auditor).await;
    let refused =
        async |ctx: &Ctx| create_override(ctx, world.command("1.1.0", digest.clone())).await.unwrap_err().kind();
    for ctx in [&world.owner, &test.admin, &auditor] {
        assert_eq!(refused(ctx).await, Kind::Forbidden);
    }
    for role in [DomainRole::Owner, DomainRole::Publisher] {
        let subject = format!("steward-{role}");
        test.principal(&subject).await;
        test.assign_platform(&subject, PlatformRole::Steward).await;
        let both = test.assign(&subject, NewRole::Domain("shop".parse().unwrap(), role)).await;
        assert_eq!(refused(&both).await, Kind::Forbidden, "{role}");
    }
    let accepted = world.accepted(&broken("1.1.0"), "1.1.0").await;
    let revoked = revoke_override(&world.owner, accepted.id, "no", None).await.unwrap_err();
    assert_eq!(revoked.kind(), Kind::Forbidden);
    let unknown = ContractId::random(test.app.random.as_ref());
    let missing = CreateOverride { contract_id: unknown, ..world.command("1.1.0", digest.clone()) };
    assert_eq!(create_override(&world.steward, missing).await.unwrap_err().kind(), Kind::NotFound);
}

#[tokio::test]
async fn it_has_a_reason_and_an_end_within_thirty_days() {
    let world = World::new().await;
    let digest = world.digest(&broken("1.1.0")).await;
    let now = world.test.app.now();
    let command = || world.command("1.1.0", digest.clone());
    let late = now.plus(30 * DAY + Duration::from_micros(1));
    for (wrong, at) in [
        (CreateOverride { reason: " ".to_owned(), ..command() }, "reason"),
        (CreateOverride { expires_at: now, ..command() }, "expiresAt"),
        (CreateOverride { expires_at: late, ..command() }, "expiresAt"),
    ] {
        let error = create_override(&world.steward, wrong).await.unwrap_err();
        assert!(matches!(error, Error::Invalid { field, .. } if field == at), "{error}");
    }
    create_override(&world.steward, CreateOverride { expires_at: now.plus(30 * DAY), ..command() }).await.unwrap();
    let active =
        create_override(&world.steward, CreateOverride { version: "1.0.0".parse().unwrap(), ..command() }).await;
    assert_eq!(active.unwrap_err().kind(), Kind::Conflict);
}

#[tokio::test]
async fn one_that_somebody_wrote_into_the_database_is_not_believed() {
    let world = World::new().await;
    let says = world.accepted(&broken("1.2.0"), "1.2.0").await;
    let mut tx = world.test.app.db.write(Lock::Facts).await.unwrap();
    let id = domain::id::OverrideId::random(world.test.app.random.as_ref());
    let says = Override { id, version: "1.1.0".parse().unwrap(), ..says };
    let mac = says.sign(&domain::audit::Key::new([0; 32])).to_vec();
    store::overrides::insert(&mut tx, &store::overrides::Stored { says, mac }).await.unwrap();
    tx.commit().await.unwrap();
    let error = apply(&world.owner, set("shop", &[&broken("1.1.0")])).await.unwrap_err();
    assert_eq!(error.kind(), Kind::Internal);
    assert_eq!(list_overrides(&world.steward, &[world.contract_id]).await.unwrap_err().kind(), Kind::Internal);
}

#[tokio::test]
async fn a_repeated_call_makes_one() {
    let world = World::new().await;
    let digest = world.digest(&broken("1.1.0")).await;
    let key = || Some(app::idempotency::Key::new("k".into(), "createOverride", b"x").unwrap());
    let command = || CreateOverride { key: key(), ..world.command("1.1.0", digest.clone()) };
    let first = create_override(&world.steward, command()).await.unwrap();
    assert_eq!(create_override(&world.steward, command()).await.unwrap(), first);
    assert_eq!(list_overrides(&world.steward, &[world.contract_id]).await.unwrap(), [first]);
}
