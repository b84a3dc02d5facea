//! Hidden equals missing, byte for byte: the same catalog is built twice, once with products that `reader` may not know
//! of, and asked the same questions.

use std::collections::BTreeSet;

use serde_json::{Value, json};
use testkit::inspector::Scene;

use crate::schema::{document, fields};
use crate::support::{Api, COLUMNS, CONTRACT, PRODUCT, refused, succeeded};

/// What a world's secrets are called; questions name them in both worlds.
#[derive(Clone, Debug, Default)]
pub(crate) struct Secrets {
    pub(crate) ids: Vec<String>,
}

/// The shop, and, where `with_hidden`, a confidential and a restricted product that were published last, read by their
/// owner, asked for, and refused.
pub(crate) async fn world(with_hidden: bool) -> (Api, Secrets) {
    let api = Api::shop().await;
    api.grant().await;
    let [product, contract] = succeeded(PRODUCT, CONTRACT);
    api.test.publish(&api.test.ctx("owner-shop").await, "shop", &[&product, &contract]).await;
    let token = api.test.token("reader").await;
    let mut secrets = Secrets::default();
    if with_hidden {
        for (name, classification) in [("payroll", "confidential"), ("aardvark", "restricted")] {
            hide(&api, &SHOP, name, classification).await;
            secrets.ids.extend(ids(&api, &SHOP, name).await);
        }
    }
    // From here on both worlds draw the same ids, and say the same time.
    api.test.random.reseed(99);
    api.test.clock.set(domain::clock::Timestamp(1_800_000_000_000_000));
    drop(token);
    (api, secrets)
}

/// Where something is hidden, by whom, and who asks for it all the same.
pub(crate) struct Home {
    domain: &'static str,
    owner: &'static str,
    asker: &'static str,
}

pub(crate) const SHOP: Home = Home { domain: "shop", owner: "owner-shop", asker: "publisher" };
pub(crate) const OTHER: Home = Home { domain: "other", owner: "owner-other", asker: "steward" };

/// The documents of a product with one table.
pub(crate) fn documents(domain: &str, name: &str, classification: &str) -> [String; 2] {
    let properties = format!("customProperties:\n  - property: classification\n    value: {classification}\n");
    let product = PRODUCT
        .replace("id: orders-product", &format!("id: {name}-product"))
        .replace("name: Orders", &format!("name: {name}"))
        .replace("contractId: orders", &format!("contractId: {name}"))
        .replace("customProperties:\n", &properties);
    let contract = CONTRACT
        .replace("id: orders-contract", &format!("id: {name}-contract"))
        .replace("shop/orders", &format!("{domain}/{name}"))
        .replace("- name: orders", &format!("- name: {name}"));
    [product, contract]
}

/// Publishes a product, has its owner read it, lets somebody ask for it and be granted it, and publishes a breaking
/// successor.
pub(crate) async fn hide(api: &Api, home: &Home, name: &str, classification: &str) {
    let Home { domain, owner, asker } = home;
    let [product, contract] = documents(domain, name, classification);
    api.test.publish(&api.test.ctx(owner).await, domain, &[&product, &contract]).await;
    api.test.lay(&format!("{domain}/{name}"), 0, Scene::of(COLUMNS)).await;
    let address = format!("{domain}.{name}.{name}");
    let input = json!({ "input": { "address": address } });
    let vend = "mutation($input: VendCredentialsInput!) { vendCredentials(input: $input) { __typename } }";
    let vended = api.data(owner, vend, input).await;
    assert_eq!(vended["vendCredentials"]["__typename"], "VendCredentialsPayload", "{name}");
    let ask = "mutation($input: RequestAccessInput!) { requestAccess(input: $input) { request { id } } }";
    let input = json!({ "input": { "address": address, "purpose": "SUPPORT", "sentence": "to help" } });
    let asked = api.data(asker, ask, input).await;
    let approve = "mutation($input: ApproveRequestInput!) { approveRequest(input: $input) { __typename } }";
    let input = json!({ "input": { "request": asked["requestAccess"]["request"]["id"] } });
    api.data(owner, approve, input).await;
    let accepted = refused(&contract);
    let [product, contract] = succeeded(&product, &contract);
    api.test.publish(&api.test.ctx(owner).await, domain, &[&product, &contract]).await;
    api.accept(&format!("{domain}.{name}"), &accepted).await;
}

/// The global ids of everything that belongs to a hidden product, as its owner sees them.
pub(crate) async fn ids(api: &Api, home: &Home, name: &str) -> Vec<String> {
    let query = "query($domain: String!, $name: String!) { product(domain: $domain, name: $name) {
            id contracts { id versions { nodes { id } } overrides { id } } tables { id head { id } } }
        notices { nodes { id product { name } } }
        accessRequests { nodes { id port product { name } } } grants { nodes { id product { name } } }
        leases { nodes { id address } } decisions { nodes { id address } } }";
    let data = api.data(home.owner, query, json!({ "domain": home.domain, "name": name })).await;
    let mut found = Vec::new();
    collect(&data["product"], &mut found);
    for list in ["notices", "accessRequests", "grants", "leases", "decisions"] {
        for node in data[list]["nodes"].as_array().expect("nodes") {
            if node.to_string().contains(name) {
                found.extend(node["id"].as_str().map(str::to_owned));
            }
        }
    }
    assert!(found.len() >= 12, "{name}: {found:?}");
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
pub(crate) const ABOUT_NAMES: [&str; 36] = [
    r#"{ lineage(table: "shop.{}.{}", depth: 3) { start { id } total complete consumerCount } }"#,
    r#"{ lineage(product: "shop.{}", direction: UPSTREAM) { start { id } total complete } }"#,
    r#"{ impact(table: "shop.{}.{}") { total consumerCount counts { distance } } }"#,
    r#"{ impact(table: "shop.{}.{}__v1", columns: ["order_id"]) { total consumerCount } }"#,
    r#"{ impact(product: "shop.{}") { total consumerCount } }"#,
    r#"{ rot(domain: "shop/{}") { findings { address } complete } }"#,
    r#"{ search(text: "{}") { hits { product { id name } access stage matches { field of text } } total facets { facet values { value count } } corrections { typed found } partial endCursor } }"#,
    r#"{ search(text: "shop.{}.{}") { hits { product { name } } total corrections { typed found } } }"#,
    r#"{ search(text: "{}x orders", first: 1) { hits { product { name } } total corrections { typed found } endCursor } }"#,
    r#"{ suggestions(text: "{}") { hits { product { name } } corrections { typed found } } }"#,
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
    r#"{ reviewRefusal(product: "shop.{}", document: { path: "c", text: "{\"apiVersion\": \"v3.1.0\", \"kind\": \"DataContract\", \"id\": \"{}-contract\", \"version\": \"1.8.0\", \"status\": \"active\"}" }) { __typename } }"#,
    r#"{ contractImpact(product: "shop.{}", old: { path: "c", text: "{\"apiVersion\": \"v3.1.0\", \"kind\": \"DataContract\", \"id\": \"{}-contract\", \"version\": \"1.0.0\", \"status\": \"active\"}" }, new: { path: "c", text: "{\"apiVersion\": \"v3.1.0\", \"kind\": \"DataContract\", \"id\": \"{}-contract\", \"version\": \"1.8.0\", \"status\": \"active\"}" }) { __typename } }"#,
    r#"mutation { createOverride(input: { product: "shop.{}", document: { path: "c", text: "{\"apiVersion\": \"v3.1.0\", \"kind\": \"DataContract\", \"id\": \"{}-contract\", \"version\": \"1.8.0\", \"status\": \"active\"}" }, findingsDigest: "0000000000000000000000000000000000000000000000000000000000000000", reason: "x", expiresAt: "2027-02-01T00:00:00Z" }) { __typename } }"#,
    r#"mutation { createDomain(input: { path: "shop/{}" }) { __typename } }"#,
    r#"mutation { createDomain(input: { path: "{}" }) { __typename } }"#,
    r#"mutation { setEnforcement(input: { domain: "{}", enforcement: OFF }) { __typename } }"#,
    r#"mutation { createPrincipal(input: { subject: "{}" }) { __typename } }"#,
    r#"mutation { createToken(input: { subject: "{}" }) { __typename } }"#,
    r#"{ tokens(subject: "{}") { nodes { id } } }"#,
    r#"mutation { releaseSubject(input: { subject: "{}-value", domain: "shop" }) { subject } }"#,
    r#"mutation { assignRole(input: { subject: "{}", role: OWNER, domain: "shop" }) { __typename } }"#,
    r#"mutation { assignRole(input: { subject: "reader", role: OWNER, domain: "shop/{}" }) { __typename } }"#,
];

/// The questions that take documents.
pub(crate) const ABOUT_DOCUMENTS: [(&str, &str); 2] = [
    ("planDocuments", "query($input: DocumentsInput!) { planDocuments(input: $input) { __typename } }"),
    ("applyDocuments", "mutation($input: DocumentsInput!) { applyDocuments(input: $input) { __typename } }"),
];

/// Those who may not know: one with a grant in the domain, and the owner of another domain.
pub(crate) const CALLERS: [&str; 2] = ["reader", "owner-other"];

/// Questions about ids; `{}` stands for one.
pub(crate) const ABOUT_IDS: [&str; 12] = [
    r#"{ node(id: "{}") { __typename id } }"#,
    r#"mutation { activateVersion(input: { version: "{}" }) { __typename } }"#,
    r#"mutation { withdrawRequest(input: { request: "{}" }) { __typename } }"#,
    r#"mutation { approveRequest(input: { request: "{}" }) { __typename } }"#,
    r#"mutation { rejectRequest(input: { request: "{}", reason: "x" }) { __typename } }"#,
    r#"mutation { revokeGrant(input: { grant: "{}", reason: "x" }) { __typename } }"#,
    r#"mutation { answerNotice(input: { notice: "{}", reply: ACKNOWLEDGED }) { __typename } }"#,
    r#"mutation { updateNotice(input: { notice: "{}", migrationNote: "x" }) { __typename } }"#,
    r#"mutation { revokeOverride(input: { override: "{}", reason: "x" }) { __typename } }"#,
    r#"mutation { unassignRole(input: { assignment: "{}" }) { __typename } }"#,
    r#"mutation { revokeToken(input: { token: "{}" }) { __typename } }"#,
    r#"mutation { setPrincipalEnabled(input: { principal: "{}", enabled: false }) { __typename } }"#,
];

/// Questions that name nothing.
const LISTS: [&str; 22] = [
    r#"{ lineage(table: "shop.orders.orders", depth: 5) { start { id } complete cut total counts { distance } found { distance } endCursor consumerCount consumers { principal { subject } } endConsumer } }"#,
    r#"{ impact(product: "shop.orders") { complete total counts { distance } found { distance } consumerCount consumers { principal { subject } } } }"#,
    r#"{ products(first: 5) { nodes { name access usage { readers leases lastAt } similar(first: 3) { name } tables { freshness { promisedSeconds late } } contracts { changes(from: "1.0.0", to: "2.0.0") { message } } } } }"#,
    "{ rot { findings { kind address since product { id } contractVersion { id } grant { id } } complete } }",
    r#"{ rot(domain: "shop") { findings { kind address since } complete } }"#,
    r#"{ search(text: "") { hits { product { id name } access stage } total facets { facet values { value count } } partial endCursor } }"#,
    r#"{ search(text: "amount", filters: [{ facet: CLASSIFICATION, values: ["confidential", "restricted", "internal"] }], first: 1) { hits { product { name } matches { field of text highlights { start end } } } total facets { facet values { value count } } endCursor } }"#,
    "{ viewer { principal { id subject } roles { role } version purpose } }",
    "{ domains { edges { cursor node { path enforcement roles { id } products { edges { cursor node { id name } } pageInfo { hasNextPage endCursor } } } } } }",
    r#"{ domain(path: "shop") { id products(first: 1) { nodes { name } pageInfo { hasNextPage hasPreviousPage startCursor endCursor } } } }"#,
    "{ products { edges { cursor node { id name title state classification medallion ports { name major contract { id } } contracts { documentId name versions(first: 5) { nodes { version state } } overrides { id } } tables { address head { key state } } document { digest } } } pageInfo { hasNextPage endCursor } } }",
    "{ products(first: 1) { nodes { name } pageInfo { hasNextPage endCursor } } }",
    r#"{ products(domain: "shop", first: 1) { nodes { name } pageInfo { hasNextPage endCursor } } }"#,
    "{ accessRequests { nodes { id port product { name } grant { id } requester { subject } decidedBy { subject } } pageInfo { hasNextPage } } }",
    "{ grants { nodes { id product { name } state grantedBy { subject } } pageInfo { hasNextPage endCursor } } }",
    "{ notices { nodes { id product { name notices { nodes { id } } } ports { name } consumers { nodes { grant { id } answer { reply } } } } pageInfo { hasNextPage endCursor } } }",
    "{ leases { nodes { id address } pageInfo { hasNextPage endCursor } } }",
    "{ inspectionQueue { edges { cursor node { table { address } running again } } pageInfo { hasNextPage endCursor } } }",
    "{ decisions { nodes { id address } pageInfo { hasNextPage endCursor } } }",
    "{ records { nodes { id } } }",
    "{ principals { nodes { id } } }",
    "mutation { createSignInCode(input: { lifetimeSeconds: 86400 }) { code } }",
];

#[tokio::test]
async fn hidden_objects_are_answered_like_missing_ones() {
    let (with, secrets) = world(true).await;
    let (without, _) = world(false).await;
    let mut questions: Vec<String> = LISTS.map(str::to_owned).to_vec();
    for name in ["payroll", "aardvark"] {
        questions.extend(ABOUT_NAMES.iter().map(|question| question.replace("{}", name)));
    }
    for id in &secrets.ids {
        questions.extend(ABOUT_IDS.iter().map(|question| question.replace("{}", id)));
    }
    for caller in CALLERS {
        let token = with.test.token(caller).await;
        assert_eq!(token, without.test.token(caller).await, "the worlds are not alike");
        for question in &questions {
            let body = json!({ "query": question }).to_string();
            let (one, two) = (with.post(&token, body.clone()).await, without.post(&token, body).await);
            assert_eq!((one.status, &one.headers), (two.status, &two.headers), "{caller}: {question}");
            let texts = (String::from_utf8_lossy(&one.bytes), String::from_utf8_lossy(&two.bytes));
            assert_eq!(texts.0, texts.1, "{caller}: {question}");
        }
    }
    // The worlds do differ: for the owner.
    let list = json!({ "query": "{ products { nodes { name } } }" }).to_string();
    let token = with.test.token("owner-shop").await;
    assert_ne!(with.post(&token, list.clone()).await.bytes, without.post(&token, list).await.bytes);
}

#[tokio::test]
async fn documents_do_not_distinguish_a_hidden_name_from_a_free_one() {
    let (with, _) = world(true).await;
    let (without, _) = world(false).await;
    // The name itself, and a product of another domain that offers and reads what may be hidden.
    let named = PRODUCT.replace("name: Orders", "name: payroll");
    let input_port = "inputPorts:\n  - name: payroll\n    version: 1.0.0\n    contractId: payroll-contract\n";
    let naming = PRODUCT.replace("contractId: orders-contract", "contractId: payroll-contract") + input_port;
    for (field, query) in ABOUT_DOCUMENTS {
        for (subject, domain) in
            [("reader", "shop"), ("owner-other", "shop"), ("consumer", "shop"), ("owner-other", "other")]
        {
            let product = if domain == "shop" { &named } else { &naming };
            let input = json!({ "input": { "domain": domain, "documents": [{ "path": "p", "text": product }] } });
            let body = json!({ "query": query, "variables": input }).to_string();
            let token = with.test.token(subject).await;
            assert_eq!(token, without.test.token(subject).await);
            let (one, two) = (with.post(&token, body.clone()).await, without.post(&token, body).await);
            assert_eq!(one.bytes, two.bytes, "{field} as {subject}");
        }
    }
}

#[test]
fn every_field_has_a_query_about_hidden_objects() {
    let asked = LISTS.iter().chain(&ABOUT_NAMES).chain(&ABOUT_IDS).copied().collect::<Vec<_>>().join("\n");
    let fields = ["Query", "Mutation"].map(|root| fields(&document(), root));
    let names: BTreeSet<String> = fields.into_iter().flatten().map(|field| field.name).collect();
    for name in names.iter().filter(|name| !ABOUT_DOCUMENTS.iter().any(|(field, _)| field == name)) {
        let starts = [format!("{{ {name}("), format!("{{ {name} {{")];
        assert!(starts.iter().any(|start| asked.contains(start)), "`{name}` is not asked about hidden things");
    }
}
