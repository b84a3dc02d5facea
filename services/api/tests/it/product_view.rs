//! The view of a product: what the caller may do with it, how much it is read, whether promises are kept, what changed, and
//! what is like it.

use std::time::Duration;

use domain::clock::Clock as _;
use serde_json::{Value, json};
use testkit::inspector::Scene;

use crate::support::{Api, COLUMNS, CONTRACT, PRODUCT, succeeded};

const DAY: Duration = Duration::from_secs(86_400);

async fn product(api: &Api, subject: &str, fields: &str) -> Value {
    let query = format!(r#"{{ product(domain: "shop", name: "orders") {{ {fields} }} }}"#);
    api.data(subject, &query, Value::Null).await["product"].take()
}

async fn vend(api: &Api, subject: &str) {
    let vend = "mutation($input: VendCredentialsInput!) { vendCredentials(input: $input) { __typename } }";
    let vended = api.data(subject, vend, json!({ "input": { "address": "shop.orders.orders" } })).await;
    assert_eq!(vended["vendCredentials"]["__typename"], "VendCredentialsPayload");
}

#[tokio::test]
async fn access_is_what_roles_and_grants_allow() {
    let api = Api::shop().await;
    api.test.principal("stranger").await;
    assert_eq!(product(&api, "reader", "access").await, json!({ "access": "REQUEST" }));
    api.grant().await;
    assert_eq!(product(&api, "reader", "access").await, json!({ "access": "READ" }));
    assert_eq!(product(&api, "stranger", "access").await, json!({ "access": "REQUEST" }));
    assert_eq!(product(&api, "owner-shop", "access").await, json!({ "access": "READ" }));
}

#[tokio::test]
async fn usage_counts_readers_and_leases_of_the_last_days() {
    let api = Api::shop().await;
    api.grant().await;
    let usage = "usage { readers leases lastAt }";
    let nothing = json!({ "usage": { "readers": 0, "leases": 0, "lastAt": null } });
    assert_eq!(product(&api, "reader", usage).await, nothing);
    vend(&api, "reader").await;
    let last = api.test.clock.now().to_string();
    vend(&api, "reader").await;
    vend(&api, "owner-shop").await;
    assert_eq!(product(&api, "reader", usage).await["usage"], json!({ "readers": 2, "leases": 3, "lastAt": last }));
    api.test.clock.advance(31 * DAY);
    assert_eq!(product(&api, "reader", usage).await, nothing);
    let longer = product(&api, "reader", "usage(days: 60) { readers leases }").await;
    assert_eq!(longer["usage"], json!({ "readers": 2, "leases": 3 }));
    let query = r#"{ product(domain: "shop", name: "orders") { usage(days: 401) { readers } } }"#;
    assert_eq!(api.code("reader", query, Value::Null).await, "INVALID");
}

#[tokio::test]
async fn a_promise_of_freshness_stands_beside_the_fact() {
    let api = Api::shop().await;
    let fields = "tables { freshness { promisedSeconds late committedAt } }";
    assert_eq!(product(&api, "reader", fields).await["tables"], json!([{ "freshness": null }]));
    let contract = CONTRACT.replace("version: 1.0.0", "version: 1.1.0")
        + "slaProperties:\n  - {property: latency, value: 2, unit: h}\n";
    api.test.publish(&api.test.ctx("owner-shop").await, "shop", &[PRODUCT, &contract]).await;
    let committed_at = api.test.clock.now();
    api.test.lay("shop/orders", 1, Scene { committed_at, ..Scene::of(COLUMNS) }).await;
    let kept = json!([{ "freshness": {
        "promisedSeconds": "7200", "late": false, "committedAt": committed_at.to_string() } }]);
    assert_eq!(product(&api, "reader", fields).await["tables"], kept);
    api.test.clock.advance(Duration::from_secs(7_201));
    assert_eq!(product(&api, "reader", "tables { freshness { late } }").await["tables"][0]["freshness"]["late"], true);
}

/// A schema object has any name; its table has one in addresses.
#[tokio::test]
async fn a_promise_is_found_whatever_the_name_of_the_object() {
    let api = Api::shop().await;
    let parcels = |text: &str| text.replace("orders", "parcels").replace("Orders", "Parcels");
    let contract = parcels(CONTRACT).replace("  - name: parcels\n", "  - name: Parcel Lines\n")
        + "slaProperties:\n  - {property: latency, value: 2, unit: h}\n";
    api.test.publish(&api.test.ctx("owner-shop").await, "shop", &[&parcels(PRODUCT), &contract]).await;
    api.test.lay("shop/parcels", 0, Scene::of(COLUMNS)).await;
    let query = r#"{ table(address: "shop.parcels.parcel-lines") { freshness { promisedSeconds } } }"#;
    let promised = api.data("reader", query, Value::Null).await;
    assert_eq!(promised["table"]["freshness"], json!({ "promisedSeconds": "7200" }));
}

#[tokio::test]
async fn any_two_versions_are_compared_in_either_direction() {
    let api = Api::shop().await;
    let [next, contract] = succeeded(PRODUCT, CONTRACT);
    api.test.publish(&api.test.ctx("owner-shop").await, "shop", &[&next, &contract]).await;
    let changes = async |from: &str, to: &str| {
        let fields = format!(r#"contracts {{ changes(from: "{from}", to: "{to}") {{ bump before after }} }}"#);
        product(&api, "reader", &fields).await["contracts"][0]["changes"].take()
    };
    let forward = changes("1.0.0", "2.0.0").await;
    assert!(forward.as_array().unwrap().iter().any(|finding| finding["bump"] == "MAJOR"), "{forward}");
    assert_ne!(changes("2.0.0", "1.0.0").await, forward);
    assert_eq!(changes("1.0.0", "1.0.0").await, json!([]));
    assert_eq!(changes("1.0.0", "9.0.0").await, Value::Null);
}

#[tokio::test]
async fn similar_products_are_others_that_the_caller_may_see() {
    let api = Api::shop().await;
    let owner = api.test.ctx("owner-shop").await;
    for (name, more) in [("orders_daily", ""), ("orders_secret", "  - {property: classification, value: restricted}\n")]
    {
        let product = PRODUCT
            .replace("id: orders-product", &format!("id: {name}-product"))
            .replace("name: Orders", &format!("name: {name}"))
            .replace("contractId: orders", &format!("contractId: {name}"))
            .replace("customProperties:\n", &format!("customProperties:\n{more}"));
        let contract = CONTRACT
            .replace("id: orders-contract", &format!("id: {name}-contract"))
            .replace("shop/orders", &format!("shop/{name}"));
        api.test.publish(&owner, "shop", &[&product, &contract]).await;
    }
    let names = async |subject: &str| {
        let found = product(&api, subject, "similar { name }").await;
        let mut names: Vec<String> = found["similar"]
            .as_array()
            .unwrap()
            .iter()
            .map(|other| other["name"].as_str().unwrap().to_owned())
            .collect();
        names.sort();
        names
    };
    assert_eq!(names("reader").await, ["orders_daily"]);
    assert_eq!(names("owner-shop").await, ["orders_daily", "orders_secret"]);
}
