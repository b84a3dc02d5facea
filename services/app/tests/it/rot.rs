//! Neglected parts of the catalog: each kind begins and ends with its cause, and only those see it who may.

#![expect(clippy::unwrap_used, reason = "a helper of tests ends the test")]

use std::time::Duration;

use app::org::SetEnforcement;
use app::rot::find_rot;
use domain::clock::Clock as _;
use domain::identity::{DomainRole, PlatformRole};
use domain::org::Enforcement;
use domain::rot::{MAX_UNREAD, MAX_UNUSED};
use testkit::actor::{TestActor, access_to};
use testkit::app::TestApp;
use testkit::inspector::Scene;

use crate::catalog::on_both;
use crate::search::documents;

const ORDERS: &str = "shop.orders.orders";
const SECOND: Duration = Duration::from_secs(1);

/// The findings as `kind address`.
async fn rot(actor: &TestActor, domain: Option<&str>) -> Vec<String> {
    let domain = domain.map(|domain| domain.parse().unwrap());
    let rot = find_rot(actor, domain.as_ref()).await.unwrap();
    assert!(rot.is_complete);
    rot.findings.iter().map(|finding| format!("{} {}", finding.kind, finding.subject.address())).collect()
}

async fn publish(test: &TestApp, owner: &TestActor, name: &str, classification: &str) {
    test.publish(owner, "shop", &documents("shop", name, classification, "")).await;
}

/// A product whose table has passed.
async fn world(test: &TestApp) -> TestActor {
    let owner = test.domain("shop").await;
    publish(test, &owner, "orders", "internal").await;
    test.lay("shop/orders", 0, Scene::of("customerId:integer amount:number")).await;
    owner
}

#[tokio::test]
async fn a_product_without_readers_and_a_grant_without_use_are_found_after_their_time() {
    on_both(async |test| {
        let owner = world(&test).await;
        let reader = test.principal("reader").await;
        let grant = owner.grants(&reader, access_to(ORDERS)).await.unwrap();
        assert_eq!(rot(&owner, None).await, [""; 0]);
        test.clock.advance(MAX_UNUSED);
        assert_eq!(rot(&test.ctx("owner-shop").await, None).await, [""; 0]);
        test.clock.advance(SECOND);
        let owner = test.ctx("owner-shop").await;
        assert_eq!(rot(&owner, None).await, ["not_used shop.orders:orders v1"]);
        test.ctx("reader").await.leases(ORDERS).await;
        assert_eq!(rot(&owner, None).await, [""; 0], "it is used");
        test.clock.advance(MAX_UNREAD);
        assert_eq!(rot(&test.ctx("owner-shop").await, None).await, [""; 0]);
        test.clock.advance(SECOND);
        let owner = test.ctx("owner-shop").await;
        assert_eq!(rot(&owner, None).await, ["not_read shop.orders"]);
        owner.revokes(grant).await.unwrap();
        assert_eq!(rot(&owner, Some("shop")).await, ["not_read shop.orders"]);
        owner.leases(ORDERS).await;
        assert_eq!(rot(&owner, Some("shop")).await, [""; 0], "its owner reads it");
    })
    .await;
}

#[tokio::test]
async fn a_version_whose_newest_snapshot_does_not_pass_is_found() {
    on_both(async |test| {
        let owner = world(&test).await;
        let [product, contract] = documents("shop", "returns", "internal", "");
        let contract = contract.replace("logicalType: number,", "logicalType: number, required: true,");
        test.publish(&owner, "shop", &[product, contract]).await;
        assert_eq!(rot(&owner, None).await, [""; 0], "a draft promises nothing");
        let scene = Scene::of("customerId:integer amount:number");
        test.lay("shop/returns", 0, scene.clone()).await;
        assert_eq!(rot(&owner, None).await, [""; 0], "it passes");
        test.clock.advance(SECOND);
        test.lay("shop/returns", 1, scene.clone().breaking("required")).await;
        assert_eq!(rot(&owner, None).await, ["not_passing shop.returns returns-contract 1.0.0"]);
        test.clock.advance(SECOND);
        test.lay("shop/returns", 2, scene).await;
        assert_eq!(rot(&owner, None).await, [""; 0]);
    })
    .await;
}

#[tokio::test]
async fn a_domain_without_an_owner_or_without_enforcement_is_found() {
    on_both(async |test| {
        let owner = world(&test).await;
        test.domain("shop/web").await;
        let steward = test.officer("steward", PlatformRole::Steward).await;
        assert_eq!(rot(&steward, None).await, [""; 0]);
        let enforce = |enforcement, switch_at| SetEnforcement {
            path: "shop".parse().unwrap(),
            enforcement,
            switch_at,
            key: None,
        };
        let soon = test.clock.now().plus(SECOND);
        app::org::set_enforcement(&steward, enforce(Enforcement::Report, Some(soon))).await.unwrap();
        assert_eq!(rot(&steward, None).await, [""; 0], "it has a date");
        app::org::set_enforcement(&steward, enforce(Enforcement::Report, None)).await.unwrap();
        assert_eq!(rot(&steward, None).await, ["not_enforced shop"]);
        app::org::set_enforcement(&steward, enforce(Enforcement::On, None)).await.unwrap();

        // The owner of the domain above owns this one, too.
        let web = test.ctx("owner-shop-web").await;
        test.renewed_admin().disables(web.id()).await.unwrap();
        assert_eq!(rot(&steward, None).await, [""; 0]);
        test.renewed_admin().disables(owner.id()).await.unwrap();
        assert_eq!(rot(&steward, None).await, ["without_owner shop", "without_owner shop/web"]);
        assert_eq!(rot(&steward, Some("shop/web")).await, ["without_owner shop/web"]);
        test.member("heir", &[("shop", DomainRole::Owner)]).await;
        assert_eq!(rot(&steward, None).await, [""; 0]);
    })
    .await;
}

#[tokio::test]
async fn rot_is_seen_by_the_people_of_the_domain_and_without_what_is_hidden() {
    on_both(async |test| {
        let owner = world(&test).await;
        publish(&test, &owner, "margins", "restricted").await;
        test.lay("shop/margins", 0, Scene::of("customerId:integer amount:number")).await;
        test.domain("fin").await;
        test.principal("reader").await;
        let consumer = test.member("consumer", &[("shop", DomainRole::Consumer)]).await;
        owner.grants(&test.ctx("reader").await, access_to(ORDERS)).await.unwrap();
        owner.grants(&consumer, access_to(ORDERS)).await.unwrap();
        test.clock.advance(MAX_UNREAD + SECOND);

        let unread = ["not_read shop.margins", "not_read shop.orders"];
        assert_eq!(rot(&test.ctx("owner-shop").await, None).await[..2], unread);
        let seen = rot(&test.ctx("consumer").await, None).await;
        assert!(!seen.iter().any(|finding| finding.contains("margins")), "{seen:?}");
        assert!(seen.contains(&"not_read shop.orders".to_owned()), "{seen:?}");
        for stranger in ["reader", "owner-fin"] {
            assert_eq!(rot(&test.ctx(stranger).await, Some("shop")).await, [""; 0], "{stranger}");
        }
        assert_eq!(rot(&test.ctx("owner-fin").await, None).await, [""; 0]);
        assert_eq!(rot(&test.ctx("owner-fin").await, Some("nowhere")).await, [""; 0]);
    })
    .await;
}
