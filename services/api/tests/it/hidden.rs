//! Hidden equals missing, byte for byte: the same catalog is built twice, once with products that `reader` may not know
//! of, and asked the same questions.

use std::collections::BTreeSet;

use serde_json::{Value, json};
use testkit::inspector::Scene;

use crate::schema::{document, fields};
use crate::support::{Api, COLUMNS, CONTRACT, PRODUCT};

/// What a world's secrets are called; questions name them in both worlds.
#[derive(Clone, Debug, Default)]
struct Secrets {
    ids: Vec<String>,
}

/// The shop, and, where `with_hidden`, a confidential and a restricted product that were published last, read by their
/// owner, asked for, and refused.
async fn world(with_hidden: bool) -> (Api, Secrets) {
    let api = Api::shop().await;
    api.grant().await;
    let token = api.test.token("reader").await;
    let mut secrets = Secrets::default();
    if with_hidden {
        for (name, classification) in [("payroll", "confidential"), ("aardvark", "restricted")] {
            hide(&api, name, classification).await;
            secrets.ids.extend(ids(&api, name).await);
        }
    }
    // From here on both worlds draw the same ids, and say the same time.
    api.test.random.reseed(99);
    api.test.clock.set(domain::clock::Timestamp(1_800_000_000_000_000));
    drop(token);
    (api, secrets)
}

async fn hide(api: &Api, name: &str, classification: &str) {
    let owner = api.test.ctx("owner-shop").await;
    let properties = format!("customProperties:\n  - property: classification\n    value: {classification}\n");
    let product = PRODUCT
        .replace("id: orders-product", &format!("id: {name}-product"))
        .replace("name: Orders", &format!("name: {name}"))
        .replace("contractId: orders", &format!("contractId: {name}"))
        .replace("customProperties:\n", &properties);
    let contract = CONTRACT
        .replace("id: orders-contract", &format!("id: {name}-contract"))
        .replace("shop/orders", &format!("shop/{name}"))
        .replace("- name: orders", &format!("- name: {name}"));
    api.test.publish(&owner, "shop", &[&product, &contract]).await;
    api.test.lay(&format!("shop/{name}"), 0, Scene::of(COLUMNS)).await;
    let address = format!("shop.{name}.{name}");
    let input = json!({ "input": { "address": address } });
    let vend = "mutation($input: VendCredentialsInput!) { vendCredentials(input: $input) { __typename } }";
    let vended = api.data("owner-shop", vend, input).await;
    assert_eq!(vended["vendCredentials"]["__typename"], "VendCredentialsPayload", "{name}");
    let ask = "mutation($input: RequestAccessInput!) { requestAccess(input: $input) { request { id } } }";
    let input = json!({ "input": { "address": address, "purpose": "SUPPORT", "sentence": "to help" } });
    let asked = api.data("publisher", ask, input).await;
    let approve = "mutation($input: ApproveRequestInput!) { approveRequest(input: $input) { __typename } }";
    let input = json!({ "input": { "request": asked["requestAccess"]["request"]["id"] } });
    api.data("owner-shop", approve, input).await;
}

/// The global ids of everything that belongs to a hidden product, as its owner sees them.
async fn ids(api: &Api, name: &str) -> Vec<String> {
    let query = "query($name: String!) { product(domain: \"shop\", name: $name) {
            id contracts { id versions { id } } tables { id head { id } } }
        accessRequests { nodes { id port product { name } } } grants { nodes { id product { name } } }
        leases { nodes { id address } } decisions { nodes { id address } } }";
    let data = api.data("owner-shop", query, json!({ "name": name })).await;
    let mut found = Vec::new();
    collect(&data["product"], &mut found);
    for list in ["accessRequests", "grants", "leases", "decisions"] {
        for node in data[list]["nodes"].as_array().expect("nodes") {
            if node.to_string().contains(name) {
                found.extend(node["id"].as_str().map(str::to_owned));
            }
        }
    }
    assert!(found.len() >= 9, "{name}: {found:?}");
    found
}

fn collect(value: &Value, found: &mut Vec<String>) {
    match value {
        Value::Object(fields) => {
            found.extend(fields.get("id").and_then(Value::as_str).map(str::to_owned));
            fields.values().for_each(|value| collect(value, found));
        }
        Value::Array(values) => values.iter().for_each(|value| collect(value, found)),
        _ => {}
    }
}

/// Questions about names; `{}` stands for a hidden product's name.
const ABOUT_NAMES: [&str; 14] = [
    r#"{ product(domain: "shop", name: "{}") { id name } }"#,
    r#"{ table(address: "shop.{}.{}") { id location } }"#,
    r#"{ table(address: "shop.{}.{}__v1") { id } }"#,
    r#"{ table(address: "shop.{}.nothing") { id } }"#,
    r#"{ contractVersion(domain: "shop", product: "{}", contract: "{}-contract", version: "1.0.0") { id } }"#,
    r#"{ why(input: { address: "shop.{}.{}" }) { allowed lines { message } } }"#,
    r#"{ why(input: { address: "shop.{}.{}", action: REPAIR }) { allowed } }"#,
    r#"{ why(input: { address: "shop.{}.{}", action: WRITE, purpose: SUPPORT }) { allowed } }"#,
    r#"mutation { vendCredentials(input: { address: "shop.{}.{}" }) { __typename } }"#,
    r#"mutation { vendCredentials(input: { address: "shop.{}.{}", action: REPAIR }) { __typename } }"#,
    r#"mutation { inspectTable(input: { address: "shop.{}.{}" }) { table { id } } }"#,
    r#"mutation { requestAccess(input: { address: "shop.{}.{}", purpose: SUPPORT, sentence: "x" }) { request { id } } }"#,
    r#"mutation { requestAccess(input: { product: "shop.{}", port: "orders", purpose: SUPPORT, sentence: "x" }) { request { id } } }"#,
    r#"mutation { requestAccess(input: { product: "shop.{}", port: "orders", major: 1, purpose: SUPPORT, sentence: "x" }) { request { id } } }"#,
];

/// Questions about ids; `{}` stands for one.
const ABOUT_IDS: [&str; 7] = [
    r#"{ node(id: "{}") { __typename id } }"#,
    r#"mutation { activateVersion(input: { version: "{}" }) { __typename } }"#,
    r#"mutation { withdrawRequest(input: { request: "{}" }) { __typename } }"#,
    r#"mutation { approveRequest(input: { request: "{}" }) { __typename } }"#,
    r#"mutation { rejectRequest(input: { request: "{}", reason: "x" }) { __typename } }"#,
    r#"mutation { revokeGrant(input: { grant: "{}", reason: "x" }) { __typename } }"#,
    r#"mutation { unassignRole(input: { assignment: "{}" }) { __typename } }"#,
];

/// Questions that name nothing.
const LISTS: [&str; 12] = [
    "{ viewer { principal { id subject } roles { role } version purpose } }",
    "{ domains { edges { cursor node { path enforcement roles { id } products { edges { cursor node { id name } } pageInfo { hasNextPage endCursor } } } } } }",
    r#"{ domain(path: "shop") { id products(first: 1) { nodes { name } pageInfo { hasNextPage hasPreviousPage startCursor endCursor } } } }"#,
    "{ products { edges { cursor node { id name title state classification medallion ports { name major contract { id } } contracts { documentId name versions { version state } } tables { address head { key state } } document { digest } } } pageInfo { hasNextPage endCursor } } }",
    "{ products(first: 1) { nodes { name } pageInfo { hasNextPage endCursor } } }",
    r#"{ products(domain: "shop", first: 1) { nodes { name } pageInfo { hasNextPage endCursor } } }"#,
    "{ accessRequests { nodes { id port product { name } grant { id } requester { subject } decidedBy { subject } } pageInfo { hasNextPage } } }",
    "{ grants { nodes { id product { name } state grantedBy { subject } } pageInfo { hasNextPage endCursor } } }",
    "{ leases { nodes { id address } pageInfo { hasNextPage endCursor } } }",
    "{ decisions { nodes { id address } pageInfo { hasNextPage endCursor } } }",
    "{ records { nodes { id } } }",
    "{ principals { nodes { id } } }",
];

#[tokio::test]
async fn what_is_hidden_is_answered_as_what_does_not_exist() {
    let (with, secrets) = world(true).await;
    let (without, _) = world(false).await;
    let mut questions: Vec<String> = LISTS.map(str::to_owned).to_vec();
    for name in ["payroll", "aardvark"] {
        questions.extend(ABOUT_NAMES.iter().map(|question| question.replace("{}", name)));
    }
    for id in &secrets.ids {
        questions.extend(ABOUT_IDS.iter().map(|question| question.replace("{}", id)));
    }
    let token = with.test.token("reader").await;
    assert_eq!(token, without.test.token("reader").await, "the worlds are not alike");

    for question in &questions {
        let body = json!({ "query": question }).to_string();
        let (one, two) = (with.post(&token, body.clone()).await, without.post(&token, body).await);
        assert_eq!((one.status, &one.headers), (two.status, &two.headers), "{question}");
        let texts = (String::from_utf8_lossy(&one.bytes), String::from_utf8_lossy(&two.bytes));
        assert_eq!(texts.0, texts.1, "{question}");
    }
    // The worlds do differ: for the owner.
    let list = json!({ "query": "{ products { nodes { name } } }" }).to_string();
    let token = with.test.token("owner-shop").await;
    assert_ne!(with.post(&token, list.clone()).await.bytes, without.post(&token, list).await.bytes);
}

#[tokio::test]
async fn a_hidden_name_is_not_told_from_a_free_one_by_a_plan() {
    let (with, _) = world(true).await;
    let (without, _) = world(false).await;
    let plan = "query($input: DocumentsInput!) { planDocuments(input: $input) { __typename } }";
    for subject in ["reader", "owner-other", "consumer"] {
        let product = PRODUCT.replace("name: Orders", "name: payroll");
        let input = json!({ "input": { "domain": "shop", "documents": [{ "path": "p", "text": product }] } });
        let body = json!({ "query": plan, "variables": input }).to_string();
        let token = with.test.token(subject).await;
        assert_eq!(token, without.test.token(subject).await);
        assert_eq!(with.post(&token, body.clone()).await.bytes, without.post(&token, body).await.bytes, "{subject}");
    }
}

#[test]
fn every_query_is_asked() {
    let asked = LISTS.iter().chain(&ABOUT_NAMES).chain(&ABOUT_IDS).copied().collect::<Vec<_>>().join("\n");
    let names: BTreeSet<String> = fields(&document(), "Query").into_iter().map(|field| field.name).collect();
    for name in names.iter().filter(|name| *name != "planDocuments") {
        let starts = [format!("{{ {name}(",), format!("{{ {name} {{")];
        assert!(starts.iter().any(|start| asked.contains(start)), "`{name}` is not asked about hidden things");
    }
}
