//! Counts are for every reader of a product's quality page, values out of the data for owners and stewards only.

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
