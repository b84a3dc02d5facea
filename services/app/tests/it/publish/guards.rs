//! Second fences of publishing, each with a set that only it keeps out.

use app::publish::{ChangeKind, DocumentSet, Outcome, apply};
use domain::error::Kind;
use domain::version::Bump;
use policy::Policy;
use testkit::actor::TestActor;
use testkit::app::{TestApp, set};
use testkit::inspector::Scene;

use super::{
    COLUMNS, CONTRACT, PRODUCT, done, invalid, kinds, open_shop, outcome, refused, shop, state, version, with,
};

/// A second product with a contract of its own.
fn second() -> (String, String) {
    let product = with(&with(PRODUCT, "orders-product", "second-product"), "name: Orders", "name: Second");
    let contract = with(CONTRACT, "shop/{model}", "shop/second");
    (with(&product, "orders-contract", "second-contract"), with(&contract, "orders-contract", "second-contract"))
}

/// The domain `shop`, where the stewards forbid `action` on restricted things.
async fn forbidding(action: &str) -> (TestApp, TestActor) {
    let rule = format!(
        r#"@id("not-on-restricted")
        forbid (principal is Principal, action == Action::"{action}", resource)
        when {{ resource has classification && resource.classification == Classification::"restricted" }};"#
    );
    let test = TestApp::start_under(Policy::with_files(&[("restricted.cedar", rule.as_str())]).unwrap()).await;
    let owner = test.domain("shop").await;
    (test, owner)
}

fn restricted(document: &str) -> String {
    let custom = "status: active\ncustomProperties:\n  - property: classification\n    value: restricted";
    with(document, "status: active", custom)
}

async fn is_forbidden(ctx: &TestActor, set: DocumentSet) {
    assert_eq!(apply(ctx, set).await.unwrap_err().kind(), Kind::Forbidden);
}

#[tokio::test]
async fn a_product_is_published_only_where_the_policy_allows_it_for_the_product() {
    let (_test, owner) = forbidding("publish").await;
    let portless = with(PRODUCT, "    contractId: orders-contract\n", "");
    is_forbidden(&owner, set("shop", &[&restricted(&portless)])).await;
    done(&owner, &[&portless]).await;
}

#[tokio::test]
async fn a_product_is_judged_as_it_is_and_not_as_its_new_document_says() {
    let (_test, owner) = forbidding("plan").await;
    let portless = with(PRODUCT, "    contractId: orders-contract\n", "");
    done(&owner, &[&restricted(&portless)]).await;
    let planned = app::publish::plan(&owner, set("shop", &[&portless])).await;
    assert_eq!(planned.unwrap_err().kind(), Kind::Forbidden);
}

#[tokio::test]
async fn tables_are_bound_only_where_the_policy_allows_it_for_the_product() {
    let (_test, owner) = forbidding("bindTable").await;
    is_forbidden(&owner, set("shop", &[&restricted(PRODUCT), CONTRACT])).await;
    done(&owner, &[PRODUCT, CONTRACT]).await;
}

#[tokio::test]
async fn pruning_asks_for_each_product_and_each_contract_that_it_retires() {
    let (_test, owner) = forbidding("retire").await;
    let portless = with(PRODUCT, "    contractId: orders-contract\n", "");
    let (second, _) = second();
    let second = with(&second, "    contractId: second-contract\n", "");
    done(&owner, &[&restricted(&portless), &second]).await;
    let pruned = |documents: &[&str]| DocumentSet { prune: true, ..set("shop", documents) };
    is_forbidden(&owner, pruned(&[&second])).await;

    // A product that may be retired, with a contract version that may not.
    let (_test, owner) = forbidding("retire").await;
    let sensitive = with(CONTRACT, "logicalType: number", "logicalType: number\n        classification: restricted");
    done(&owner, &[PRODUCT, &sensitive, &second]).await;
    is_forbidden(&owner, pruned(&[&portless, &second])).await;
}

#[tokio::test]
async fn pruning_leaves_alone_what_the_caller_may_not_know_of() {
    const FORBID: &str = r#"@id("restricted-is-for-admins")
        forbid (principal is Principal, action == Action::"viewProduct", resource is Product)
        when { resource.classification == Classification::"restricted" }
        unless { principal in PlatformRole::"admin" };"#;
    let test = TestApp::start_under(Policy::with_files(&[("restricted.cedar", FORBID)]).unwrap()).await;
    let owner = test.domain("shop").await;
    let portless = with(PRODUCT, "    contractId: orders-contract\n", "");
    done(&owner, &[&restricted(&portless)]).await;
    let (second, _) = second();
    let second = with(&second, "    contractId: second-contract\n", "");
    let pruned = DocumentSet { prune: true, ..set("shop", &[&second]) };
    let Outcome::Done(report) = apply(&owner, pruned).await.unwrap() else { panic!("not taken") };
    assert_eq!(kinds(&report.changes), [ChangeKind::Added], "what is hidden is not retired");

    // Nor is it what a contract's `dataProduct` means.
    let word = with(CONTRACT, "status: active", "status: active\ndataProduct: orders-product");
    let problems = invalid(&owner, &[&word]).await;
    assert!(problems[0].message.starts_with("no product of domain `shop` has the contract"), "{problems:?}");
}

#[tokio::test]
async fn a_folder_that_is_shared_holds_one_format() {
    let (_test, owner) = open_shop().await;
    let (product, contract) = second();
    let contract = with(&with(&contract, "shop/second", "shop/orders"), "format: delta", "format: parquet");
    let problems = invalid(&owner, &[&product, &contract]).await;
    assert!(problems[0].message.contains("contains a delta table"), "{problems:?}");
}

#[tokio::test]
async fn a_set_names_nothing_twice() {
    let (_test, owner) = shop().await;
    let portless = with(PRODUCT, "    contractId: orders-contract\n", "");
    let twin = with(&portless, "orders-product", "twin-product");
    let problems = invalid(&owner, &[&portless, &twin]).await;
    assert!(problems[0].message.contains("is used by two products of the set"), "{problems:?}");
    let respelled = with(CONTRACT, "Every order", "All orders");
    let problems = invalid(&owner, &[PRODUCT, CONTRACT, &respelled]).await;
    assert!(problems[0].message.contains("the set contains version 1.0.0 twice"), "{problems:?}");
}

#[tokio::test]
async fn an_object_lies_in_one_folder_of_an_environment() {
    let (_test, owner) = shop().await;
    let other = "  - server: other\n    type: local\n    path: shop/other\n    format: delta\nschema:";
    let problems = invalid(&owner, &[PRODUCT, &with(CONTRACT, "schema:", other)]).await;
    assert!(problems[0].message.contains("has two local servers in environment"), "{problems:?}");
}

/// [`CONTRACT`] with a topic in place of its table.
fn topic() -> String {
    let kafka = with(CONTRACT, "type: local", "type: kafka");
    let kafka = with(&kafka, "    path: shop/{model}\n    format: delta\n", "    host: kafka:9092\n    format: avro\n");
    with(&kafka, "  - name: orders\n", "  - name: orders\n    physicalType: topic\n    physicalName: orders\n")
}

#[tokio::test]
async fn a_topic_is_one_objects_of_one_contract() {
    let (_test, owner) = shop().await;
    let twin = "schema:\n  - name: twin\n    physicalType: topic\n    physicalName: orders\n    \
                properties:\n      - name: n\n        logicalType: integer\n";
    let problems = invalid(&owner, &[PRODUCT, &with(&topic(), "schema:\n", twin)]).await;
    assert!(problems[0].message.contains("two schema objects have the subject"), "{problems:?}");

    done(&owner, &[PRODUCT, &topic()]).await;
    let (product, _) = second();
    let problems = invalid(&owner, &[&product, &with(&topic(), "orders-contract", "second-contract")]).await;
    assert!(problems[0].message.contains("another contract is bound to it"), "{problems:?}");
}

#[tokio::test]
async fn a_republished_draft_keeps_its_number() {
    let (_test, owner) = open_shop().await;
    let wider = with(&version("1.1.0"), "      # more columns", "      - name: note\n        logicalType: string");
    done(&owner, &[&wider]).await;
    assert_eq!(state(&owner, "1.1.0").await, "draft");
    let narrower = with(&version("1.1.0"), "      - name: amount\n        logicalType: number\n", "");
    assert_eq!(refused(&owner, &[&narrower]).await.needed, Bump::Major);
}

#[tokio::test]
async fn two_sets_at_once_are_compared_one_after_the_other() {
    let (test, owner) = open_shop().await;
    let column = |name: &str| {
        let column = format!("      - name: {name}\n        logicalType: string");
        with(&version("1.1.0"), "      # more columns", &column)
    };
    let (first, second) = (column("first"), column("second"));
    let (first, second) = ([first.as_str()], [second.as_str()]);
    let both = tokio::join!(outcome(&owner, &first), outcome(&owner, &second));
    let (Outcome::Done(one), Outcome::Done(other)) = both else { panic!("{both:?}") };
    let mut seen = [one.changes[0].change, other.changes[0].change].map(|change| format!("{change:?}"));
    seen.sort();
    assert_eq!(seen, ["Added", "Changed"], "the later one takes the earlier one's draft for what it is");
    test.lay("shop/orders", 1, Scene::of(COLUMNS)).await;
}
