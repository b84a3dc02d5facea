//! What a draft waits for, and who may make it active.

use app::contract::{Activate, Activated, activate_version, find_version, list_findings};
use domain::error::Kind;
use domain::id::ContractVersionId;
use domain::inspection::InspectionError;
use testkit::inspector::Scene;

use super::{COLUMNS, CONTRACT, PRODUCT, address, done, open_shop, publisher, reasons, shop, state, version, with};

async fn id(ctx: &app::Ctx, version: &str) -> ContractVersionId {
    find_version(ctx, &address(version)).await.unwrap().unwrap().version.id
}

#[tokio::test]
async fn a_draft_waits_until_its_table_keeps_the_promise() {
    let (test, owner) = shop().await;
    done(&owner, &[PRODUCT, CONTRACT]).await;
    let steps = [
        (
            Scene::of(COLUMNS).failing(InspectionError::Died("killed".into())),
            "the table of `orders` could not be inspected",
        ),
        (Scene::of("order_id:integer"), "the table of `orders` does not conform: see its verdict"),
        (Scene::of(COLUMNS).breaking("primaryKey"), "the table of `orders` breaks quality rules: see its verdict"),
    ];
    for (number, (scene, reason)) in (0..).zip(steps) {
        test.lay("shop/orders", number, scene).await;
        assert_eq!(reasons(&owner, "1.0.0").await, [reason]);
    }
    test.lay("shop/orders", 9, Scene::of(COLUMNS)).await;
    assert_eq!(state(&owner, "1.0.0").await, "active");
}

#[tokio::test]
async fn in_warn_mode_broken_rules_do_not_hold_a_version_back() {
    let (test, owner) = shop().await;
    let lenient =
        with(CONTRACT, "status: active", "status: active\ncustomProperties:\n  - property: gateMode\n    value: warn");
    done(&owner, &[PRODUCT, &lenient]).await;
    test.lay("shop/orders", 0, Scene::of("order_id:integer")).await;
    assert_eq!(state(&owner, "1.0.0").await, "draft", "what does not conform is served in no mode");
    test.lay("shop/orders", 1, Scene::of(COLUMNS).breaking("primaryKey")).await;
    assert_eq!(state(&owner, "1.0.0").await, "active");
}

#[tokio::test]
async fn an_object_that_cannot_be_bound_waits_with_a_reason() {
    let (_test, owner) = shop().await;
    let kafka = with(
        CONTRACT,
        "    type: local\n    path: shop/{model}\n    format: delta\n",
        "    type: kafka\n    host: kafka.example:9092\n",
    );
    done(&owner, &[PRODUCT, &kafka]).await;
    assert!(reasons(&owner, "1.0.0").await[0].contains("no server of type `local`"));

    let elsewhere = with(&version("2.0.0"), "    type: local", "    type: local\n    environment: test");
    let elsewhere = with(&elsewhere, "path: shop/{model}", "path: shop/test/{model}");
    done(&owner, &[&elsewhere]).await;
    assert!(reasons(&owner, "2.0.0").await[0].contains("in environment `prod`"));
}

#[tokio::test]
async fn a_held_version_becomes_active_when_its_owner_says_so() {
    let (test, owner) = shop().await;
    done(&owner, &[PRODUCT, &with(CONTRACT, "status: active", "status: draft")]).await;
    let activate =
        async |ctx: &app::Ctx| activate_version(ctx, Activate { id: id(&owner, "1.0.0").await, key: None }).await;
    test.lay("shop/orders", 0, Scene::of(COLUMNS)).await;
    assert_eq!(state(&owner, "1.0.0").await, "draft", "its author holds it back");
    assert!(reasons(&owner, "1.0.0").await[0].contains("activateVersion"));
    let publisher = publisher(&test).await;
    assert_eq!(activate(&publisher).await.unwrap_err().kind(), Kind::Forbidden);
    assert!(matches!(activate(&owner).await.unwrap(), Activated::Done(_)));
    assert_eq!(state(&owner, "1.0.0").await, "active");
}

#[tokio::test]
async fn a_held_version_that_was_asked_for_too_early_becomes_active_by_itself() {
    let (test, owner) = shop().await;
    let held = with(CONTRACT, "status: active", "status: draft");
    done(&owner, &[PRODUCT, &held]).await;
    let activate = async || activate_version(&owner, Activate { id: id(&owner, "1.0.0").await, key: None }).await;
    assert!(matches!(activate().await.unwrap(), Activated::Waits(_)), "nothing was inspected yet");
    // Another document is another wish.
    done(&owner, &[PRODUCT, &with(&held, "status: draft", "status: proposed")]).await;
    assert!(reasons(&owner, "1.0.0").await[0].contains("activateVersion"));

    assert!(matches!(activate().await.unwrap(), Activated::Waits(_)));
    assert!(!reasons(&owner, "1.0.0").await[0].contains("activateVersion"));
    test.lay("shop/orders", 0, Scene::of(COLUMNS)).await;
    assert_eq!(state(&owner, "1.0.0").await, "active");
}

#[tokio::test]
async fn a_version_of_a_hidden_product_is_not_found() {
    let (test, owner) = shop().await;
    let hidden = with(
        PRODUCT,
        "status: active",
        "status: active\ncustomProperties:\n  - property: classification\n    value: restricted",
    );
    done(&owner, &[&hidden, CONTRACT]).await;
    let stranger = test.principal("sam").await;
    let unknown = ContractVersionId::random(test.app.random.as_ref());
    let hidden = activate_version(&stranger, Activate { id: id(&owner, "1.0.0").await, key: None }).await.unwrap_err();
    let missing = activate_version(&stranger, Activate { id: unknown, key: None }).await.unwrap_err();
    assert_eq!((hidden.kind(), hidden.to_string()), (missing.kind(), missing.to_string()));
    assert_eq!(hidden.kind(), Kind::NotFound);
    assert!(list_findings(&stranger, id(&owner, "1.0.0").await).await.unwrap().is_empty());
}

#[tokio::test]
async fn findings_are_those_against_the_next_lower_version() {
    let (_test, owner) = open_shop().await;
    done(&owner, &[&with(&version("2.0.0"), "      - name: amount\n        logicalType: number\n", "")]).await;
    assert!(list_findings(&owner, id(&owner, "1.0.0").await).await.unwrap().is_empty());
    assert_eq!(list_findings(&owner, id(&owner, "2.0.0").await).await.unwrap().len(), 1);
}

#[tokio::test]
async fn a_rule_that_changes_needs_a_new_look() {
    let (test, owner) = open_shop().await;
    let stricter = with(
        &version("1.1.0"),
        "      # more columns",
        "    quality:\n      - metric: rowCount\n        mustBeGreaterThan: 0",
    );
    done(&owner, &[&stricter]).await;
    assert_eq!(
        reasons(&owner, "1.1.0").await,
        ["the table of `orders` has not been inspected by this version's rules yet"]
    );
    test.settle().await;
    assert_eq!(state(&owner, "1.1.0").await, "active");
}

#[tokio::test]
async fn a_verdict_on_an_older_snapshot_does_not_count() {
    let (test, owner) = shop().await;
    let held = with(CONTRACT, "status: active", "status: draft");
    let rule = "    quality:\n      - metric: rowCount\n        mustBeGreaterThan: 0";
    done(&owner, &[PRODUCT, &held]).await;
    test.lay("shop/orders", 0, Scene::of(COLUMNS)).await;
    done(&owner, &[&with(&held, "      # more columns", rule)]).await;
    test.lay("shop/orders", 1, Scene::of(COLUMNS).breaking("primaryKey")).await;

    // By these rules only the snapshot before the bad one was judged.
    done(&owner, &[CONTRACT]).await;
    assert_eq!(
        reasons(&owner, "1.0.0").await,
        ["the table of `orders` has not been inspected by this version's rules yet"]
    );
    test.settle().await;
    assert_eq!(reasons(&owner, "1.0.0").await, ["the table of `orders` breaks quality rules: see its verdict"]);
}

#[tokio::test]
async fn a_table_that_went_back_is_judged_as_it_is() {
    let (test, owner) = open_shop().await;
    let failing = Scene::of(COLUMNS).failing(InspectionError::Died("killed".into()));
    test.lay("shop/orders", 7, failing).await;
    // The first look finds the newest entry gone, the second goes back to the one before.
    std::fs::remove_file(test.table_folder("shop/orders").join("_delta_log/00000000000000000007.json")).unwrap();
    test.settle().await;
    test.inspector.set(test.table_folder("shop/orders"), Scene::of(COLUMNS));
    test.settle().await;

    let stricter = with(
        &version("1.1.0"),
        "      # more columns",
        "    quality:\n      - metric: rowCount\n        mustBeGreaterThan: 0",
    );
    done(&owner, &[&stricter]).await;
    test.settle().await;
    assert_eq!(state(&owner, "1.1.0").await, "active");
}
