//! Counts are for every reader of a product's quality page, values out of the data for owners and stewards only.

use domain::identity::DomainRole;
use serde_json::{Value, json};
use testkit::inspector::Scene;

use crate::support::{Api, COLUMNS, CONTRACT, PRODUCT};

/// What the query of the rule below gives: the least number that breaks it.
const SALARY: &str = "98765";

#[tokio::test]
async fn the_result_of_a_query_is_for_owners_and_stewards() {
    let api = Api::shop().await;
    let owner = api.test.ctx("owner-shop").await;
    let rules = "    quality:
      - id: top-salary
        type: sql
        description: nobody earns that much
        query: SELECT max(amount) FROM ${table}
        mustBeLessThan: 98765
      - id: some-rows
        metric: rowCount
        mustBeGreaterThan: 4321
";
    let product = PRODUCT.replace("orders", "pay").replace("Orders", "Pay");
    let contract = format!("{}{rules}", CONTRACT.replace("orders", "pay").replace("Orders", "Pay"));
    api.test.publish(&owner, "shop", &[&product, &contract]).await;
    api.test.lay("shop/pay", 0, Scene::of(COLUMNS)).await;
    api.test.lay("shop/pay", 1, Scene::of(COLUMNS).breaking("top-salary").breaking("some-rows")).await;

    for (subject, sees) in [
        ("owner-shop", true),
        ("steward", true),
        ("publisher", false),
        ("consumer", false),
        ("auditor", false),
        ("reader", false),
    ] {
        let why = r#"query { why(input: { address: "shop.pay.pay" }) { lines { message details } } }"#;
        let why = api.data(subject, why, Value::Null).await.to_string();
        assert!(why.contains("top-salary") && why.contains("4321"), "{subject} sees what fails, and counts: {why}");
        assert_eq!(why.contains(SALARY), sees, "{subject}: {why}");

        let verdict = r#"query { table(address: "shop.pay.pay") { head { verdict {
            results { key outcome measured message } } } } }"#;
        let verdict = api.data(subject, verdict, Value::Null).await;
        let results = verdict["table"]["head"]["verdict"]["results"].as_array().expect("results").clone();
        let of = |key: &str| results.iter().find(|result| result["key"] == key).expect("a result").clone();
        assert_eq!(of("some-rows")["measured"], json!(4321.0), "{subject}");
        let salary = of("top-salary");
        assert_eq!(salary["outcome"], "FAIL", "{subject}");
        let shown = if sees { json!(98_765.0) } else { Value::Null };
        assert_eq!(salary["measured"], shown, "{subject}");
        assert_eq!(salary["message"].is_string(), !sees, "{subject}: {salary}");
    }
}

#[tokio::test]
async fn the_snapshots_of_a_shared_table_are_for_those_who_may_know_of_its_data() {
    let api = Api::shop().await;
    api.test.domain("fin").await;
    let owner = api.test.assign("owner-shop", "fin", DomainRole::Owner).await;
    let [product, contract] = [PRODUCT, CONTRACT].map(|text| text.replace("orders-", "copy-"));
    let product = product.replace("name: Orders", "name: Copy");
    let contract = contract.replace("{model}", "orders");
    api.test.publish(&owner, "fin", &[&product, &contract]).await;
    let snapshots = r#"query { table(address: "fin.copy.orders") { head { key columns { name } }
        snapshots { nodes { key } } } }"#;
    for (class, n_seen) in [("internal", 1), ("restricted", 0)] {
        let class = format!("customProperties:\n  - property: classification\n    value: {class}");
        api.test.publish(&owner, "shop", &[&PRODUCT.replace("customProperties:", &class), CONTRACT]).await;
        let table = api.data("reader", snapshots, Value::Null).await["table"].clone();
        assert_eq!(table["head"].is_null(), n_seen == 0, "{table}");
        assert_eq!(table["snapshots"]["nodes"].as_array().expect("a list").len(), n_seen, "{table}");
    }
}
