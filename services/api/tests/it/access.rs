//! Who may ask what: every field of `Query` and `Mutation` against every kind of caller. A field without a line here fails.

use std::collections::BTreeSet;

use domain::identity::DomainRole;
use serde_json::{Value, json};

use crate::schema::{document, fields};
use crate::support::{Api, CONTRACT, PRODUCT, code, refused, succeeded};

/// Those who ask. What one was refused changes nothing for the next.
const CALLERS: [&str; 9] =
    ["stranger", "reader", "consumer", "owner-other", "auditor", "publisher", "steward", "admin", "owner-shop"];

const ALL: &[&str] = &CALLERS;
const PLATFORM: &[&str] = &["admin", "auditor", "steward"];
const OWNERS: &[&str] = &["owner-shop"];
const PRODUCERS: &[&str] = &["owner-shop", "publisher"];

/// A field, what it is asked with, and who is answered rather than refused. Lists and look-ups are for everybody: what
/// they show is tested where it is made.
fn expectations(world: &World) -> Vec<(&'static str, Value, &'static [&'static str])> {
    let documents = json!({ "domain": "shop", "documents": [
        { "path": "p", "text": PRODUCT }, { "path": "c", "text": CONTRACT }] });
    let table = json!({ "address": "shop.orders.orders" });
    vec![
        ("viewer", json!({}), ALL),
        ("node", json!({ "id": world.grant }), ALL),
        ("domains", json!({}), ALL),
        ("domain", json!({ "path": "shop" }), ALL),
        ("products", json!({}), ALL),
        ("product", json!({ "domain": "shop", "name": "orders" }), ALL),
        ("table", table.clone(), ALL),
        ("search", json!({ "text": "orders" }), ALL),
        ("rot", json!({}), ALL),
        ("suggestions", json!({ "text": "ord" }), ALL),
        ("lineage", json!({ "table": "shop.orders.orders", "direction": "DOWNSTREAM", "depth": 2 }), ALL),
        ("impact", json!({ "table": "shop.orders.orders" }), ALL),
        (
            "contractVersion",
            json!({ "domain": "shop", "product": "orders", "contract": "orders-contract", "version": "1.0.0" }),
            ALL,
        ),
        ("principals", json!({}), PLATFORM),
        ("tokens", json!({ "subject": "reader" }), &["admin", "auditor", "reader", "steward"]),
        ("accessRequests", json!({}), ALL),
        ("grants", json!({}), ALL),
        ("notices", json!({}), ALL),
        ("leases", json!({}), ALL),
        ("inspectionQueue", json!({}), ALL),
        ("decisions", json!({}), ALL),
        ("records", json!({}), PLATFORM),
        ("why", json!({ "input": table }), ALL),
        ("planDocuments", json!({ "input": documents }), PRODUCERS),
        (
            "contractImpact",
            json!({ "product": "shop.orders", "old": { "path": "c", "text": CONTRACT }, "new": { "path": "c", "text": CONTRACT } }),
            PRODUCERS,
        ),
        ("createDomain", json!({ "input": { "path": "new" } }), &["admin", "steward"]),
        ("setEnforcement", json!({ "input": { "domain": "shop", "enforcement": "REPORT" } }), &["steward"]),
        ("createPrincipal", json!({ "input": { "subject": "new" } }), &["admin"]),
        ("setPrincipalEnabled", json!({ "input": { "principal": world.reader, "enabled": true } }), &["admin"]),
        ("createToken", json!({ "input": { "subject": "reader" } }), &["admin"]),
        ("createSignInCode", json!({ "input": {} }), ALL),
        ("releaseSubject", json!({ "input": { "subject": "orders-value", "domain": "shop" } }), &["admin", "steward"]),
        ("revokeToken", json!({ "input": { "token": world.token } }), &["admin", "reader"]),
        (
            "assignRole",
            json!({ "input": { "subject": "reader", "role": "CONSUMER", "domain": "shop" } }),
            &["admin", "owner-shop"],
        ),
        ("unassignRole", json!({ "input": { "assignment": world.role } }), &["admin", "owner-shop"]),
        ("applyDocuments", json!({ "input": documents }), PRODUCERS),
        ("activateVersion", json!({ "input": { "version": world.version } }), OWNERS),
        ("inspectTable", json!({ "input": table }), &["owner-shop", "publisher", "steward"]),
        (
            "requestAccess",
            json!({ "input": { "address": "shop.orders.orders", "purpose": "ANALYTICS", "sentence": "to count" } }),
            ALL,
        ),
        ("withdrawRequest", json!({ "input": { "request": world.request } }), &["reader"]),
        ("approveRequest", json!({ "input": { "request": world.request } }), OWNERS),
        ("rejectRequest", json!({ "input": { "request": world.request, "reason": "no" } }), OWNERS),
        (
            "revokeGrant",
            json!({ "input": { "grant": world.grant, "reason": "no" } }),
            &["owner-shop", "reader", "steward"],
        ),
        ("answerNotice", json!({ "input": { "notice": world.notice, "reply": "ACKNOWLEDGED" } }), &["reader"]),
        ("updateNotice", json!({ "input": { "notice": world.notice, "migrationNote": "add them up" } }), OWNERS),
        ("createOverride", json!({ "input": world.refused }), &["steward"]),
        ("reviewRefusal", world.reviewed(), &["steward"]),
        ("revokeOverride", json!({ "input": { "override": world.accepted, "reason": "no" } }), &["steward"]),
        ("vendCredentials", json!({ "input": table }), ALL),
    ]
}

/// Ids of a world in which `reader` has a grant, a pending request, and a notice of a breaking successor.
struct World {
    api: Api,
    reader: String,
    role: String,
    version: String,
    request: String,
    grant: String,
    notice: String,
    /// A token of `reader`, revoked.
    token: String,
    /// The input of `createOverride`.
    refused: Value,
    accepted: String,
}

impl World {
    async fn new() -> Self {
        let api = Api::shop().await;
        api.test.principal("stranger").await;
        let grant = api.grant().await;
        let request = api.request().await;
        let owner = api.test.ctx("owner-shop").await;
        let [product, contract] = succeeded(PRODUCT, CONTRACT);
        api.test.publish(&owner, "shop", &[&product, &contract]).await;
        let ids = r#"{ notices { nodes { id } } product(domain: "shop", name: "orders") { contracts { id versions { nodes { id } } } }
            domain(path: "shop") { roles { id role } } }"#;
        let ids = api.data("owner-shop", ids, Value::Null).await;
        let roles = ids["domain"]["roles"].as_array().expect("roles");
        let consumer = roles.iter().find(|role| role["role"] == "CONSUMER").expect("a consumer");
        let text = |value: &Value| value.as_str().expect("an id").to_owned();
        let role = text(&consumer["id"]);
        let version = text(&ids["product"]["contracts"][0]["versions"]["nodes"][0]["id"]);
        let viewer = api.data("reader", "{ viewer { principal { id } } }", Value::Null).await;
        let reader = text(&viewer["viewer"]["principal"]["id"]);
        let notice = text(&ids["notices"]["nodes"][0]["id"]);
        let token = text(
            &api.data("reader", "{ tokens(first: 1) { nodes { id } } }", Value::Null).await["tokens"]["nodes"][0]["id"],
        );
        let accepted = api.accept("shop.orders", &refused(CONTRACT)).await;
        let other = refused(CONTRACT).replace("version: 1.8.0", "version: 1.9.0");
        let refused = api.override_input("shop.orders", &other).await;
        Self { api, reader, role, version, request, grant, notice, token, refused, accepted }
    }

    fn reviewed(&self) -> Value {
        json!({ "product": self.refused["product"], "document": self.refused["document"] })
    }
}

#[tokio::test]
async fn every_field_answers_only_the_callers_on_its_line() {
    let document = document();
    let world = World::new().await;
    let listed: BTreeSet<String> = expectations(&world).iter().map(|(field, _, _)| (*field).to_owned()).collect();
    let queries: BTreeSet<String> = fields(&document, "Query").into_iter().map(|field| field.name).collect();
    let mutations: BTreeSet<String> = fields(&document, "Mutation").into_iter().map(|field| field.name).collect();
    let served: BTreeSet<String> = queries.union(&mutations).cloned().collect();
    assert_eq!(listed, served, "every field has a line, and every line a field");

    for index in 0..listed.len() {
        // Queries change nothing, so that one world serves them all.
        let is_query = queries.contains(expectations(&world)[index].0);
        let mut own = if is_query { None } else { Some(World::new().await) };
        let (field, _, allowed) = expectations(&world).swap_remove(index);
        let mut answered = BTreeSet::new();
        for caller in CALLERS {
            let at = own.as_ref().unwrap_or(&world);
            let (_, arguments, _) = expectations(at).swap_remove(index);
            let before = without_tokens(&at.api.test.dump().await);
            let answer = at.api.ask(caller, &call(field, is_query), arguments).await;
            let unchanged = without_tokens(&at.api.test.dump().await) == before;
            match code(&answer) {
                None => {
                    assert!(unchanged || !is_query, "the query {field} as {caller} changed something");
                    answered.insert(caller);
                    if ONCE.contains(&field) {
                        own = Some(World::new().await);
                    }
                }
                Some(code) => {
                    assert!(matches!(code.as_str(), "FORBIDDEN" | "NOT_FOUND"), "{field} as {caller}: {answer}");
                    assert!(unchanged, "{field} as {caller} was refused and changed something");
                }
            }
        }
        let allowed: BTreeSet<&str> = allowed.iter().copied().collect();
        assert_eq!(answered, allowed, "{field}");
    }
}

/// Mutations after which the next caller would not find what they are about.
const ONCE: [&str; 1] = ["unassignRole"];

#[tokio::test]
async fn without_a_token_nothing_is_answered() {
    let world = World::new().await;
    let queries: BTreeSet<String> = fields(&document(), "Query").into_iter().map(|field| field.name).collect();
    for (field, arguments, _) in expectations(&world) {
        let body = json!({ "query": call(field, queries.contains(field)), "variables": arguments }).to_string();
        let reply = world.api.post("", body).await;
        assert_eq!(reply.status, axum::http::StatusCode::UNAUTHORIZED, "{field}");
    }
}

#[tokio::test]
async fn requesters_cannot_approve_their_own_request() {
    let api = Api::shop().await;
    let input = json!({ "input": { "address": "shop.orders.orders", "purpose": "ANALYTICS", "sentence": "to look" } });
    let asked = "mutation($input: RequestAccessInput!) { requestAccess(input: $input) { request { id } } }";
    let request = api.data("owner-shop", asked, input).await["requestAccess"]["request"]["id"].clone();
    let approve = "mutation($input: ApproveRequestInput!) { approveRequest(input: $input) { __typename } }";
    assert_eq!(api.code("owner-shop", approve, json!({ "input": { "request": request } })).await, "FORBIDDEN");
}

/// A person and the service accounts that he owns count as one, whatever roles they hold.
#[tokio::test]
async fn a_service_account_and_its_owner_cannot_approve_each_others_requests() {
    let api = Api::shop().await;
    let person = api.test.ctx("owner-shop").await;
    for subject in ["robot", "sibling"] {
        api.test.account(subject, &person).await;
        api.test.assign(subject, "shop", DomainRole::Owner).await;
    }
    api.test.member("second", &[("shop", DomainRole::Owner)]).await;
    let input = json!({ "input": { "address": "shop.orders.orders", "purpose": "ANALYTICS", "sentence": "to look" } });
    let ask = "mutation($input: RequestAccessInput!) { requestAccess(input: $input) { request { id } } }";
    let approve = "mutation($input: ApproveRequestInput!) { approveRequest(input: $input) { __typename } }";
    for (asker, approver) in [("robot", "owner-shop"), ("owner-shop", "robot"), ("robot", "sibling")] {
        let request = api.data(asker, ask, input.clone()).await["requestAccess"]["request"]["id"].clone();
        let decision = json!({ "input": { "request": request } });
        assert_eq!(api.code(approver, approve, decision.clone()).await, "FORBIDDEN", "{approver} for {asker}");
        api.data("second", approve, decision).await;
    }
}

#[tokio::test]
async fn the_key_of_an_unassigned_role_repeats_its_answer() {
    let world = World::new().await;
    let assign = "mutation($input: AssignRoleInput!) { assignRole(input: $input) { assignment { id } } }";
    let auditor = json!({ "input": { "subject": "reader", "role": "AUDITOR" } });
    let auditor = world.api.data("admin", assign, auditor).await["assignRole"]["assignment"]["id"].clone();
    let unassign = "mutation($input: UnassignRoleInput!) { unassignRole(input: $input) {
        assignment { id role domain { path } principal { subject } assignedAt } } }";
    for (caller, other, role) in [("owner-shop", "admin", json!(world.role)), ("admin", "steward", auditor)] {
        let input = json!({ "input": { "assignment": role, "idempotencyKey": "k" } });
        let first = world.api.data(caller, unassign, input.clone()).await;
        assert_eq!(first["unassignRole"]["assignment"]["id"], role);
        assert_eq!(world.api.data(caller, unassign, input.clone()).await, first);
        assert_eq!(world.api.code(other, unassign, input).await, "NOT_FOUND");
    }
}

/// A document that calls a field with its arguments as variables.
pub(crate) fn call(field: &str, is_query: bool) -> String {
    let document = document();
    let root = if is_query { "Query" } else { "Mutation" };
    let found = fields(&document, root).into_iter().find(|found| found.name == field).expect("a field");
    let variables: String = found.arguments.iter().map(|(name, ty)| format!("${name}: {ty} ")).collect();
    let arguments: String = found.arguments.iter().map(|(name, _)| format!("{name}: ${name} ")).collect();
    let operation = if is_query { "query" } else { "mutation" };
    let (variables, arguments) = match found.arguments.is_empty() {
        true => (String::new(), String::new()),
        false => (format!("({variables})"), format!("({arguments})")),
    };
    format!("{operation}{variables} {{ {field}{arguments} {{ __typename }} }}")
}

pub(crate) fn without_tokens(dump: &str) -> String {
    let is_token = |line: &str| line.contains("action: TokenCreate") || line.contains("action: SignInCodeCreate");
    dump.lines().filter(|line| !is_token(line)).collect::<Vec<_>>().join("\n")
}
