//! Overrides: what a steward may accept, for how long, and what stays refused all the same.

#![expect(clippy::unwrap_used, clippy::panic, reason = "a helper of tests ends the test")]

use std::time::Duration;

use app::Ctx;
use app::contract::Activate;
use app::error::Error;
use app::overrides::{
    CreateOverride, Created, Refused, Review, Revoked, create_override, list_overrides, review_refusal, revoke_override,
};
use app::publish::{DocumentText, Outcome, VersionRefusal, plan};
use domain::audit::Action;
use domain::contract::State;
use domain::error::Kind;
use domain::id::ContractId;
use domain::identity::{DomainRole, PlatformRole};
use domain::overrides::{FindingsDigest, Override};
use store::{Lock, Seek};
use testkit::actor::TestActor;
use testkit::app::{TestApp, set};
use testkit::inspector::Scene;

use crate::publish::{COLUMNS, CONTRACT, PRODUCT};

const DAY: Duration = Duration::from_secs(24 * 3_600);

struct World {
    test: TestApp,
    owner: TestActor,
    steward: TestActor,
    contract_id: ContractId,
}

impl World {
    async fn new() -> Self {
        let test = TestApp::start().await;
        let owner = test.domain("shop").await;
        test.publish(&owner, "shop", &[PRODUCT, CONTRACT]).await;
        test.lay("shop/orders", 0, Scene::of(COLUMNS)).await;
        let steward = test.officer("steward", PlatformRole::Steward).await;
        let mut tx = test.app.db.read().await.unwrap();
        let products = store::product::list(&mut tx, &Seek::first(9)).await.unwrap().items;
        let contracts = store::contract::list_of_products(&mut tx, &[products[0].id]).await.unwrap();
        let contract_id = contracts[0].id;
        drop(tx);
        Self { test, owner, steward, contract_id }
    }

    async fn publish(&self, document: &str) -> Result<(), VersionRefusal> {
        match self.owner.publishes("shop", &[document]).await.unwrap() {
            Outcome::Done(_) => {
                self.test.settle().await;
                Ok(())
            }
            Outcome::Refused(mut refusals) => Err(refusals.remove(0)),
            Outcome::Invalid(problems) => panic!("{problems:?}"),
        }
    }

    /// What the steward is shown of a document.
    async fn refusal(&self, document: &str) -> VersionRefusal {
        shown(&self.steward, document).await
    }

    async fn digest(&self, document: &str) -> FindingsDigest {
        self.refusal(document).await.digest.unwrap()
    }

    fn command(&self, document: &str, findings: FindingsDigest) -> CreateOverride {
        CreateOverride {
            refused: refused(document),
            findings,
            reason: "nobody reads it yet".to_owned(),
            expires_at: self.test.app.now().plus(7 * DAY),
            key: None,
        }
    }

    async fn accepted(&self, document: &str) -> Override {
        self.accepted_by(&self.steward, document).await
    }

    async fn accepted_by(&self, steward: &TestActor, document: &str) -> Override {
        let digest = shown(steward, document).await.digest.unwrap();
        done(create_override(steward, self.command(document, digest)).await.unwrap())
    }

    async fn state(&self, version: &str) -> State {
        self.version(version).await.state
    }

    async fn version(&self, version: &str) -> domain::contract::Version {
        let mut tx = self.test.app.db.read().await.unwrap();
        let version = version.parse().unwrap();
        let found = store::contract::find_version_by_number(&mut tx, self.contract_id, version).await.unwrap();
        found.unwrap()
    }
}

/// The overrides that a caller sees, all of them intact.
async fn listed(ctx: &Ctx, world: &World) -> Vec<Override> {
    let shown = list_overrides(ctx, &[world.contract_id]).await.unwrap();
    assert!(shown.iter().all(|shown| shown.is_intact), "{shown:?}");
    shown.into_iter().map(|shown| shown.accepted).collect()
}

fn refused(document: &str) -> Refused {
    Refused {
        domain: "shop".parse().unwrap(),
        product: "orders".parse().unwrap(),
        document: DocumentText { path: "orders.yaml".to_owned(), text: document.to_owned() },
    }
}

async fn shown(steward: &TestActor, document: &str) -> VersionRefusal {
    match review_refusal(steward, &refused(document)).await.unwrap() {
        Review::Refused(refusal) => *refusal,
        Review::Invalid(problems) => panic!("{problems:?}"),
    }
}

fn done(created: Created) -> Override {
    match created {
        Created::Done(says) => says,
        other => panic!("not accepted: {other:?}"),
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
    let accepted = world.accepted(&broken("1.1.0")).await;
    assert_eq!((accepted.steward, accepted.revoked.clone()), (world.steward.id(), None));
    world.test.clock.advance(Duration::from_millis(1));
    world.publish(&broken("1.1.0")).await.unwrap();
    assert_eq!(world.state("1.1.0").await.as_str(), "active");
    let published = &world.test.records(Action::ContractPublish).await[0];
    assert!(published.detail.contains(&accepted.id.to_string()), "{published:?}");
    let created = &world.test.records(Action::OverrideCreate).await[0];
    assert_eq!(created.reason.as_deref(), Some("nobody reads it yet"));
    let sentence = &accepted.findings[0].message;
    for told in [accepted.digest().to_string(), sentence.clone(), "not safe for consumers".to_owned()] {
        assert!(created.detail.contains(&told), "{told}: {}", created.detail);
    }
    let first = world.test.records(Action::ContractPublish).await.pop().unwrap();
    assert!(!first.detail.contains("override"), "{first:?}");
}

#[tokio::test]
async fn it_covers_one_version_with_just_these_findings() {
    let world = World::new().await;
    world.accepted(&broken("1.1.0")).await;
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
    let first = world.accepted(&broken("1.1.0")).await;
    world.test.clock.advance(7 * DAY);
    world.publish(&broken("1.1.0")).await.unwrap_err();
    let late = revoke_override(&world.steward, first.id, "too late", None).await.unwrap();
    assert!(matches!(late, Revoked::NotStanding(_)));

    let second = world.accepted(&broken("1.1.0")).await;
    let Revoked::Done(second) = revoke_override(&world.steward, second.id, "a mistake", None).await.unwrap() else {
        panic!("it stands");
    };
    world.publish(&broken("1.1.0")).await.unwrap_err();
    assert_eq!(world.test.records(Action::OverrideRevoke).await[0].reason.as_deref(), Some("a mistake"));
    let reader = world.test.principal("reader").await;
    let listed = listed(&reader, &world).await;
    assert_eq!(listed, [second, first], "to everybody who may see the product");
}

#[tokio::test]
async fn a_draft_waits_once_its_override_was_taken_back() {
    let world = World::new().await;
    for (number, is_revoked) in (1..).zip([true, false]) {
        let version = format!("1.{number}.0");
        let held = broken(&version).replace("status: active", "status: draft");
        let accepted = world.accepted(&held).await;
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
    let auditor = test.officer("auditor", PlatformRole::Auditor).await;
    let refused = async |ctx: &TestActor| {
        create_override(ctx, world.command(&broken("1.1.0"), digest.clone())).await.unwrap_err().kind()
    };
    for ctx in [&world.owner, &test.admin, &auditor] {
        assert_eq!(refused(ctx).await, Kind::Forbidden);
    }
    for role in [DomainRole::Owner, DomainRole::Publisher] {
        let subject = format!("steward-{role}");
        test.officer(&subject, PlatformRole::Steward).await;
        let both = test.assign(&subject, "shop", role).await;
        assert_eq!(refused(&both).await, Kind::Forbidden, "{role}");
    }
    let accepted = world.accepted(&broken("1.1.0")).await;
    let revoked = revoke_override(&world.owner, accepted.id, "no", None).await.unwrap_err();
    assert_eq!(revoked.kind(), Kind::Forbidden);
}

#[tokio::test]
async fn it_has_a_reason_and_an_end_within_thirty_days() {
    let world = World::new().await;
    let digest = world.digest(&broken("1.1.0")).await;
    let now = world.test.app.now();
    let command = || world.command(&broken("1.1.0"), digest.clone());
    let late = now.plus(30 * DAY + Duration::from_micros(1));
    for (wrong, at) in [
        (CreateOverride { reason: " ".to_owned(), ..command() }, "reason"),
        (CreateOverride { expires_at: now, ..command() }, "expiresAt"),
        (CreateOverride { expires_at: late, ..command() }, "expiresAt"),
    ] {
        let error = create_override(&world.steward, wrong).await.unwrap_err();
        assert!(matches!(error, Error::Invalid { field, .. } if field == at), "{error}");
    }
    done(
        create_override(&world.steward, CreateOverride { expires_at: now.plus(30 * DAY), ..command() }).await.unwrap(),
    );
}

#[tokio::test]
async fn one_that_somebody_wrote_into_the_database_is_not_believed() {
    let world = World::new().await;
    let says = world.accepted(&broken("1.2.0")).await;
    assert_eq!(listed(&world.steward, &world).await, std::slice::from_ref(&says));
    let mut tx = world.test.app.db.write(Lock::Facts).await.unwrap();
    let id = domain::id::OverrideId::random(world.test.app.random.as_ref());
    let says = Override { id, version: "1.1.0".parse().unwrap(), ..says };
    store::overrides::insert(&mut tx, &says, &domain::audit::Key::new([0; 32])).await.unwrap();
    tx.commit().await.unwrap();
    let error = world.owner.publishes("shop", &[&broken("1.1.0")]).await.unwrap_err();
    assert_eq!(error.kind(), Kind::Internal);
    let shown = list_overrides(&world.steward, &[world.contract_id]).await.unwrap();
    let mut shown: Vec<_> = shown
        .iter()
        .map(|it| (it.accepted.version.to_string(), it.is_intact, it.stands(world.test.app.now())))
        .collect();
    shown.sort();
    assert_eq!(shown, [("1.1.0".to_owned(), false, false), ("1.2.0".to_owned(), true, true)]);
    let revoked = revoke_override(&world.steward, id, "a forgery", None).await.unwrap_err();
    assert_eq!(revoked.kind(), Kind::Internal);
}

#[tokio::test]
async fn a_repeated_call_makes_one() {
    let world = World::new().await;
    let digest = world.digest(&broken("1.1.0")).await;
    let key = || Some(app::idempotency::Key::new("k".into(), "createOverride", b"x").unwrap());
    let command = || CreateOverride { key: key(), ..world.command(&broken("1.1.0"), digest.clone()) };
    let first = done(create_override(&world.steward, command()).await.unwrap());
    assert_eq!(done(create_override(&world.steward, command()).await.unwrap()), first);
    assert_eq!(listed(&world.steward, &world).await, [first]);
}

#[tokio::test]
async fn a_steward_is_shown_what_he_signs_and_it_is_told_for_ever() {
    let world = World::new().await;
    let document = broken("1.1.0");
    let shown = world.refusal(&document).await;
    let Outcome::Refused(planned) = plan(&world.owner, set("shop", &[&document])).await.unwrap() else {
        panic!("it is refused");
    };
    assert_eq!(planned[0].findings, shown.findings, "as the publisher sees it");
    assert_eq!(planned[0].digest, shown.digest);
    assert_eq!((shown.compared_with.to_string(), shown.findings.len()), ("1.0.0".to_owned(), 1));

    let says = world.accepted(&document).await;
    let kept = domain::change::finding_records(&shown.findings);
    assert_eq!((&says.findings, says.since, says.version), (&kept, shown.compared_with, shown.version));
    assert_eq!(Some(says.digest()), shown.digest);
    assert_eq!((kept[0].path.as_str(), kept[0].consumer_safe), ("orders.amount", false));
    world.publish(&document).await.unwrap();
    world.test.clock.advance(400 * DAY);
    let listed = listed(&world.steward, &world).await;
    assert_eq!(listed[0].findings, kept);
}

#[tokio::test]
async fn what_was_not_shown_is_not_signed() {
    let world = World::new().await;
    let digest = world.digest(&broken("1.1.0")).await;
    let more = broken("1.1.0").replace("logicalType: integer", "logicalType: string");
    let created = create_override(&world.steward, world.command(&more, digest.clone())).await.unwrap();
    let Created::OtherFindings(now) = created else { panic!("{created:?}") };
    assert_eq!(now.findings.len(), 2);
    assert_eq!(listed(&world.steward, &world).await, []);

    let conflict = async |document: &str| {
        let refused = refused(document);
        let reviewed = review_refusal(&world.steward, &refused).await.unwrap_err();
        let command = CreateOverride { refused, ..world.command(document, digest.clone()) };
        let created = create_override(&world.steward, command).await.unwrap_err();
        assert_eq!((reviewed.kind(), reviewed.to_string()), (created.kind(), created.to_string()));
        (created.kind(), created.to_string())
    };
    for (document, says) in [
        (CONTRACT.to_owned(), "version 1.0.0 of `orders-contract` is active: there is nothing to accept"),
        (broken("2.0.0"), "version 2.0.0 of `orders-contract` is not refused: there is nothing to accept"),
        (broken("1.1.0").replace("id: orders-contract", "id: other"), "contract not found"),
    ] {
        let (kind, message) = conflict(&document).await;
        assert!(message.contains(says) && matches!(kind, Kind::Conflict | Kind::NotFound), "{message}");
    }
    world.accepted(&broken("1.1.0")).await;
    let (kind, message) = conflict(&broken("1.1.0")).await;
    assert!(kind == Kind::Conflict && message.contains("already has an override by you"), "{message}");
    world.publish(&CONTRACT.replace("version: 1.0.0", "version: 1.2.0")).await.unwrap();
    let (kind, message) = conflict(&broken("1.1.0")).await;
    assert!(kind == Kind::Conflict && message.contains("no override can accept it"), "{message}");
}

#[tokio::test]
async fn a_document_that_cannot_be_read_is_told_with_its_problems() {
    let world = World::new().await;
    let two = format!("{}\n---\n{PRODUCT}", broken("1.1.0"));
    for wrong in ["apiVersion: v3.1.0\nkind: DataContract\n", PRODUCT, &two] {
        let reviewed = review_refusal(&world.steward, &refused(wrong)).await.unwrap();
        assert!(matches!(reviewed, Review::Invalid(problems) if !problems.is_empty()), "{wrong}");
        let digest = world.digest(&broken("1.1.0")).await;
        let created = create_override(&world.steward, world.command(wrong, digest)).await.unwrap();
        assert!(matches!(created, Created::Invalid(problems) if !problems.is_empty()), "{wrong}");
    }
}

/// A person and the service accounts that he owns count as one: each of them signs, each of them publishes.
#[tokio::test]
async fn nobody_signs_where_he_publishes_through_another_of_his_principals() {
    let world = World::new().await;
    let test = &world.test;
    let person = test.principal("person").await;
    let digest = world.digest(&broken("1.1.0")).await;
    world.test.account("signer", &person).await;
    world.test.account("loader", &person).await;
    for subject in ["person", "signer"] {
        test.assign_platform(subject, PlatformRole::Steward).await;
    }
    let signs = async |subject: &str| {
        let ctx = test.ctx(subject).await;
        let command = world.command(&broken("1.1.0"), digest.clone());
        let seen = review_refusal(&ctx, &command.refused).await.map(drop).map_err(|error| error.kind());
        let signed = create_override(&ctx, command).await.map(done).map_err(|error| error.kind());
        assert_eq!(seen.is_ok(), signed.is_ok(), "{subject}");
        signed.map(|says| says.id)
    };
    for publishes in ["loader", "signer", "person"] {
        let role = test.assign(publishes, "shop", DomainRole::Publisher).await;
        for subject in ["person", "signer"] {
            assert_eq!(signs(subject).await, Err(Kind::Forbidden), "{subject} while {publishes} publishes");
        }
        test.admin.unassigns(&role, "shop").await.unwrap();
    }
    for subject in ["person", "signer"] {
        let id = signs(subject).await.unwrap();
        let steward = test.ctx(subject).await;
        revoke_override(&steward, id, "a trial", None).await.unwrap();
    }
}

#[tokio::test]
async fn nobody_publishes_what_he_signed_not_even_through_his_service_account() {
    let world = World::new().await;
    let test = &world.test;
    world.test.account("loader", &world.steward).await;
    let says = world.accepted(&broken("1.1.0")).await;
    let account = test.assign("loader", "shop", DomainRole::Publisher).await;
    let document = broken("1.1.0");
    let Outcome::Refused(refusals) = account.publishes("shop", &[&document]).await.unwrap() else {
        panic!("whoever signed it publishes it");
    };
    assert!(refusals[0].message.ends_with("cannot publish it themselves"), "{}", refusals[0].message);
    assert_eq!(refusals[0].digest, Some(says.digest()));
    world.publish(&document).await.unwrap();
    assert_eq!(world.state("1.1.0").await.as_str(), "active", "published by somebody else");
}

#[tokio::test]
async fn what_somebody_published_does_not_become_active_by_what_he_signed() {
    let world = World::new().await;
    let test = &world.test;
    world.test.account("loader", &world.steward).await;
    let other = test.officer("other", PlatformRole::Steward).await;
    let held = broken("1.1.0").replace("status: active", "status: draft");
    let says = world.accepted_by(&other, &held).await;
    let account = test.assign("loader", "shop", DomainRole::Publisher).await;
    let published = account.publishes("shop", &[&held]).await.unwrap();
    assert!(matches!(published, Outcome::Done(_)), "{published:?}");
    test.settle().await;
    revoke_override(&other, says.id, "a mistake", None).await.unwrap();
    test.admin.unassigns(&account, "shop").await.unwrap();

    world.accepted(&held).await;
    let id = world.version("1.1.0").await.id;
    app::contract::activate_version(&world.owner, Activate { id, key: None }).await.unwrap();
    let State::Draft { reasons, .. } = world.state("1.1.0").await else { panic!("it waits") };
    assert!(reasons.len() == 1 && reasons[0].contains("needs a major bump"), "{reasons:?}");
    world.accepted_by(&other, &held).await;
    app::contract::activate_version(&world.owner, Activate { id, key: None }).await.unwrap();
    assert_eq!(world.state("1.1.0").await.as_str(), "active");
}
