//! Wrong input, generated from the schema: each argument of each field of `Query` and `Mutation`, wrong in every way. The
//! answer is typed, nothing panics, and nothing changes.

use async_graphql::parser::types::{BaseType, ServiceDocument, Type, TypeKind, TypeSystemDefinition};
use axum::http::StatusCode;
use serde_json::{Value, json};

use crate::access::{call, without_tokens};
use crate::hidden::{OTHER, documents, hide, ids};
use crate::schema::{document, fields};
use crate::support::{Api, CONTRACT, PRODUCT, code};

/// Arguments that a field takes well. A field without a line fails the test.
fn valid(field: &str) -> Value {
    let table = json!({ "address": "shop.orders.orders" });
    let id = |kind: &str| id(&format!("{kind}:{UNKNOWN}"));
    let documents = json!({ "domain": "shop", "prune": false, "idempotencyKey": "k", "documents": [
        { "path": "p", "text": PRODUCT }, { "path": "c", "text": CONTRACT }] });
    let page = json!({ "first": 1, "after": null });
    match field {
        "viewer" => json!({}),
        "node" => json!({ "id": id("grant") }),
        "domains" | "principals" | "grants" | "notices" | "leases" | "decisions" | "inspectionQueue" => page,
        "domain" => json!({ "path": "shop" }),
        "products" => json!({ "first": 1, "after": null, "domain": "shop" }),
        "product" => json!({ "domain": "shop", "name": "orders" }),
        "table" => table,
        "search" => json!({
            "text": "orders", "filters": [{ "facet": "STATE", "values": ["active"] }], "first": 1, "after": null }),
        "rot" => json!({ "domain": "shop" }),
        "suggestions" => json!({ "text": "ord", "first": 1 }),
        "lineage" => json!({
            "table": "shop.orders.orders", "columns": ["id"], "product": null, "direction": "UPSTREAM",
            "kinds": ["OBSERVED"], "depth": 2, "first": 1, "after": null, "consumer": null }),
        "impact" => json!({
            "table": "shop.orders.orders", "columns": ["id"], "product": null, "first": 1, "after": null,
            "consumer": null }),
        "contractVersion" => {
            json!({ "domain": "shop", "product": "orders", "contract": "orders-contract", "version": "1.0.0" })
        }
        "accessRequests" => json!({ "first": 1, "after": null, "state": "PENDING" }),
        "records" => json!({ "first": 1, "after": null, "action": "DOMAIN_CREATE" }),
        "why" => json!({ "input": { "address": "shop.orders.orders", "action": "READ", "purpose": "ANALYTICS" } }),
        "planDocuments" | "applyDocuments" => json!({ "input": documents }),
        "contractImpact" => {
            let [old, new] = [CONTRACT, "{}"].map(|text| json!({ "path": "c", "text": text }));
            json!({ "product": "shop.orders", "old": old, "new": new })
        }
        "createDomain" => json!({ "input": { "path": "shop", "idempotencyKey": "k" } }),
        "setEnforcement" => json!({ "input": {
            "domain": "nowhere", "enforcement": "ON", "switchAt": "2030-01-01T00:00:00Z", "idempotencyKey": "k" } }),
        "createPrincipal" => json!({ "input": {
            "subject": "reader", "kind": "SERVICE", "owner": id("principal"), "idempotencyKey": "k" } }),
        "setPrincipalEnabled" => {
            json!({ "input": { "principal": id("principal"), "enabled": false, "idempotencyKey": "k" } })
        }
        "tokens" => json!({ "subject": "reader", "first": 1, "after": null }),
        "revokeToken" => json!({ "input": { "token": id("token"), "idempotencyKey": "k" } }),
        "releaseSubject" => {
            json!({ "input": { "subject": "orders-value", "domain": "nowhere", "idempotencyKey": "k" } })
        }
        "createToken" => json!({ "input": { "subject": "nobody", "lifetimeSeconds": 60, "purpose": "SUPPORT" } }),
        "createSignInCode" => json!({ "input": { "lifetimeSeconds": 86_400 } }),
        "assignRole" => {
            json!({ "input": { "subject": "nobody", "role": "OWNER", "domain": "shop", "idempotencyKey": "k" } })
        }
        "unassignRole" => json!({ "input": { "assignment": id("role_assignment"), "idempotencyKey": "k" } }),
        "activateVersion" => json!({ "input": { "version": id("contract_version"), "idempotencyKey": "k" } }),
        "inspectTable" => json!({ "input": { "address": "shop.orders.nothing", "idempotencyKey": "k" } }),
        "requestAccess" => json!({ "input": {
            "address": "shop.orders.nothing", "purpose": "ANALYTICS", "sentence": "to count",
            "from": "2030-01-01T00:00:00Z", "until": "2030-02-01T00:00:00Z", "idempotencyKey": "k" } }),
        "withdrawRequest" => json!({ "input": { "request": id("access_request"), "idempotencyKey": "k" } }),
        "approveRequest" => json!({ "input": {
            "request": id("access_request"), "until": "2030-02-01T00:00:00Z", "reason": "yes", "idempotencyKey": "k" } }),
        "rejectRequest" => {
            json!({ "input": { "request": id("access_request"), "reason": "no", "idempotencyKey": "k" } })
        }
        "revokeGrant" => json!({ "input": { "grant": id("grant"), "reason": "no", "idempotencyKey": "k" } }),
        "answerNotice" => json!({ "input": {
            "notice": id("change_notice"), "consumer": id("principal"), "reply": "NEEDS_TIME",
            "until": "2030-02-01T00:00:00Z", "reason": "we are few", "idempotencyKey": "k" } }),
        "updateNotice" => json!({ "input": {
            "notice": id("change_notice"), "migrationNote": "add them up", "deadline": "2030-02-01T00:00:00Z",
            "idempotencyKey": "k" } }),
        "reviewRefusal" => json!({ "product": "shop.orders", "document": { "path": "c", "text": CONTRACT } }),
        "createOverride" => json!({ "input": {
            "product": "shop.orders", "document": { "path": "c", "text": CONTRACT }, "findingsDigest": "0".repeat(64),
            "reason": "a trial", "expiresAt": "2026-10-01T00:00:00Z", "idempotencyKey": "k" } }),
        "revokeOverride" => {
            json!({ "input": { "override": id("contract_override"), "reason": "no", "idempotencyKey": "k" } })
        }
        "vendCredentials" => json!({ "input": {
            "address": "shop.orders.nothing", "action": "READ", "purpose": "ANALYTICS", "lifetimeSeconds": 60 } }),
        other => panic!("`{other}` has no valid input here"),
    }
}

/// An id that names nothing.
const UNKNOWN: &str = "00000000-0000-7000-8000-000000000000";

/// Texts that mean something where they are empty: a file's name in messages, and a filter that nothing fits.
const MAY_BE_EMPTY: [&str; 3] = ["path", "action", "contract"];

fn id(text: &str) -> String {
    use base64::Engine as _;
    base64::engine::general_purpose::URL_SAFE_NO_PAD.encode(text)
}

/// One wrong way to call a field.
struct Case {
    what: String,
    body: Vec<u8>,
}

#[tokio::test]
async fn each_wrong_input_has_its_own_error_and_changes_nothing() {
    let api = Api::shop().await;
    let token = api.test.token("admin").await;
    let document = document();
    let before = api.test.dump().await;
    let mut n_cases = 0;
    for (root, is_query) in [("Query", true), ("Mutation", false)] {
        for field in fields(&document, root) {
            let good = valid(&field.name);
            for case in cases(&document, &field.name, is_query, &field.arguments, &good) {
                n_cases += 1;
                check(&api, &token, &case, is_query).await;
            }
        }
    }
    assert!(n_cases > 500, "only {n_cases} cases were generated");
    assert_eq!(without_tokens(&before), without_tokens(&api.test.dump().await), "something changed");
}

async fn check(api: &Api, token: &str, case: &Case, is_query: bool) {
    let reply = api.post(token, case.body.clone()).await;
    if reply.status != StatusCode::OK {
        assert!(reply.status.is_client_error(), "{}: {reply:?}", case.what);
        let problem = reply.problem();
        assert!(matches!(problem.as_str(), "invalid-request" | "too-large"), "{}: {problem}", case.what);
        return;
    }
    let answer = reply.json();
    match code(&answer) {
        Some(code) => {
            let known = ["INVALID", "NOT_FOUND", "FORBIDDEN", "CONFLICT"].contains(&code.as_str());
            assert!(known, "{}: {answer}", case.what);
        }
        // A look-up that finds nothing is an answer; so is a member of a union that says what is wrong.
        None if is_query => {}
        None => assert!(is_refusal(&answer), "{}: {answer}", case.what),
    }
}

/// What `other` has, which the owner of `shop` and `reader` may not know of.
struct Foreign {
    /// The ids of its confidential product `vault` and of all that belongs to it, and of a role and a principal.
    ids: Vec<String>,
    /// The id of a token of the owner of `other`.
    token: String,
}

impl Foreign {
    async fn make(api: &Api) -> Self {
        hide(api, &OTHER, "vault", "confidential").await;
        let mut ids = ids(api, &OTHER, "vault").await;
        let query = r#"{ domain(path: "other") { id roles { id principal { id } } } }"#;
        let found = api.data("owner-other", query, Value::Null).await;
        for pointer in ["/domain/id", "/domain/roles/0/id", "/domain/roles/0/principal/id"] {
            ids.push(found.pointer(pointer).and_then(Value::as_str).expect("an id").to_owned());
        }
        let query = "{ tokens(first: 1) { nodes { id } } }";
        let found = api.data("owner-other", query, Value::Null).await;
        let token = found.pointer("/tokens/nodes/0/id").and_then(Value::as_str).expect("an id").to_owned();
        ids.push(token.clone());
        Self { ids, token }
    }

    fn id(&self, kind: &str) -> Value {
        let start = id(&format!("{kind}:"));
        // Whole groups of three bytes look alike, whatever follows.
        let start = &start[..start.len() / 4 * 4];
        json!(self.ids.iter().find(|id| id.starts_with(start)).unwrap_or_else(|| panic!("no id of a {kind}")))
    }

    /// Arguments of a field that name what is `other`'s, all else being good. A field without a line fails the test.
    fn arguments(&self, field: &str) -> Vec<Value> {
        let with = |changes: &[(&str, Value)]| {
            let mut arguments = valid(field);
            for (pointer, value) in changes {
                *arguments.pointer_mut(pointer).expect(pointer) = value.clone();
            }
            arguments
        };
        let input = |name: &str, value: Value| vec![with(&[(&format!("/input/{name}"), value)])];
        match field {
            "viewer" | "domains" | "principals" | "accessRequests" | "grants" | "notices" | "leases" | "decisions"
            | "inspectionQueue" | "records" | "createSignInCode" => Vec::new(),
            "node" => self.ids.iter().map(|id| with(&[("/id", json!(id))])).collect(),
            "domain" => vec![with(&[("/path", json!("other"))])],
            "products" => vec![with(&[("/domain", json!("other"))])],
            "search" => ["vault", "other.vault", "vault-contract"].map(|text| with(&[("/text", json!(text))])).into(),
            "rot" => vec![with(&[("/domain", json!("other"))])],
            "suggestions" => vec![with(&[("/text", json!("vaul"))])],
            "product" => vec![with(&[("/domain", json!("other")), ("/name", json!("vault"))])],
            "table" => vec![with(&[("/address", json!("other.vault.vault"))])],
            "lineage" | "impact" => vec![
                with(&[("/table", json!("other.vault.vault")), ("/columns", Value::Null)]),
                with(&[("/table", Value::Null), ("/columns", Value::Null), ("/product", json!("other.vault"))]),
            ],
            "contractVersion" => vec![
                with(&[
                    ("/domain", json!("other")),
                    ("/product", json!("vault")),
                    ("/contract", json!("vault-contract")),
                ]),
                with(&[("/contract", json!("vault-contract"))]),
            ],
            "why" | "inspectTable" | "requestAccess" | "vendCredentials" => {
                input("address", json!("other.vault.vault"))
            }
            "planDocuments" | "applyDocuments" => {
                let [product, contract] = documents("other", "vault", "public");
                let set = json!([{ "path": "p", "text": product }, { "path": "c", "text": contract }]);
                let (theirs, ours) = (json!("other"), json!("shop"));
                vec![
                    with(&[("/input/domain", theirs), ("/input/documents", set.clone())]),
                    with(&[("/input/domain", ours), ("/input/documents", set)]),
                ]
            }
            "createDomain" => input("path", json!("other/new")),
            "setEnforcement" => input("domain", json!("other")),
            "createPrincipal" => input("owner", self.id("principal")),
            "setPrincipalEnabled" => input("principal", self.id("principal")),
            "createToken" => input("subject", json!("owner-other")),
            "tokens" => vec![with(&[("/subject", json!("owner-other"))])],
            "revokeToken" => input("token", json!(self.token)),
            "releaseSubject" => input("domain", json!("other")),
            "assignRole" => vec![with(&[("/input/domain", json!("other")), ("/input/subject", json!("reader"))])],
            "unassignRole" => input("assignment", self.id("role_assignment")),
            "activateVersion" => input("version", self.id("contract_version")),
            "withdrawRequest" | "approveRequest" | "rejectRequest" => input("request", self.id("access_request")),
            "revokeGrant" => input("grant", self.id("grant")),
            "createOverride" => input("product", json!("other.vault")),
            "reviewRefusal" | "contractImpact" => vec![with(&[("/product", json!("other.vault"))])],
            "revokeOverride" => input("override", self.id("contract_override")),
            "answerNotice" | "updateNotice" => input("notice", self.id("change_notice")),
            other => panic!("`{other}` is not asked about what is someone else's"),
        }
    }
}

/// What an admin may do with everybody's. The gate keeps what it refused him as a decision.
const FOR_ADMINS: [&str; 10] = [
    "createDomain",
    "createPrincipal",
    "setPrincipalEnabled",
    "createToken",
    "revokeToken",
    "releaseSubject",
    "assignRole",
    "unassignRole",
    "requestAccess",
    "vendCredentials",
];

#[tokio::test]
async fn objects_of_others_are_refused_and_not_changed() {
    let api = Api::shop().await;
    let foreign = Foreign::make(&api).await;
    let document = document();
    let before = without_tokens(&api.test.dump().await);
    for (root, is_query) in [("Query", true), ("Mutation", false)] {
        for field in fields(&document, root) {
            let name = &field.name;
            for arguments in foreign.arguments(name) {
                for caller in ["owner-shop", "reader", "admin"] {
                    if caller == "admin" && FOR_ADMINS.contains(&name.as_str()) {
                        continue;
                    }
                    let answer = api.ask(caller, &call(name, is_query), arguments.clone()).await;
                    let what = format!("{name} as {caller}: {arguments}: {answer}");
                    match code(&answer) {
                        Some(code) => assert!(matches!(code.as_str(), "NOT_FOUND" | "FORBIDDEN"), "{what}"),
                        None => assert!(is_query || is_refusal(&answer), "{what}"),
                    }
                    let is_hidden = matches!(name.as_str(), "product" | "table" | "contractVersion" | "why");
                    if is_hidden && caller != "admin" {
                        assert_eq!(answer["data"][name], Value::Null, "{what}");
                    }
                }
            }
            assert_eq!(before, without_tokens(&api.test.dump().await), "{name} changed something");
        }
    }
}

/// Whether the answer is a member of a union that says what is wrong.
fn is_refusal(answer: &Value) -> bool {
    let data = answer["data"].as_object().expect("data");
    let name = data.values().next().and_then(|value| value["__typename"].as_str()).unwrap_or_default();
    matches!(name, "InvalidDocuments" | "NameTaken")
}

fn cases(
    document: &ServiceDocument,
    field: &str,
    is_query: bool,
    arguments: &[(String, Type)],
    good: &Value,
) -> Vec<Case> {
    let query = call(field, is_query);
    let body = |variables: &Value| json!({ "query": query, "variables": variables }).to_string();
    let mut cases = Vec::new();
    let mut add = |what: String, body: Vec<u8>| cases.push(Case { what: format!("{field}: {what}"), body });

    let mut broken = body(good).into_bytes();
    let at = broken.len() - 2;
    broken.splice(at..at, b",\"x\":\"\xff\xfe\"".iter().copied());
    add("invalid UTF-8".to_owned(), broken);
    let text = body(good);
    add(
        "the variables twice".to_owned(),
        text.replacen("\"variables\":", "\"variables\":{},\"variables\":", 1).into_bytes(),
    );

    let mut is_large_sent = false;
    for (pointer, ty) in leaves(document, arguments, good, "") {
        let with = |value: Value| {
            let mut wrong = good.clone();
            *wrong.pointer_mut(&pointer).expect("a place") = value;
            wrong
        };
        if !ty.nullable {
            let mut wrong = good.clone();
            let (parent, key) = pointer.rsplit_once('/').expect("a pointer");
            if let Some(Value::Object(parent)) = wrong.pointer_mut(parent) {
                parent.remove(key);
            }
            add(format!("{pointer} missing"), body(&wrong).into_bytes());
            add(format!("{pointer} null"), body(&with(Value::Null)).into_bytes());
        }
        for value in wrong_values(document, &ty) {
            add(format!("{pointer} is {value}"), body(&with(value)).into_bytes());
        }
        let BaseType::Named(name) = &ty.base else { continue };
        let last = pointer.rsplit('/').next().unwrap_or_default();
        if matches!(name.as_str(), "String" | "ID") {
            if !MAY_BE_EMPTY.contains(&last) || is_query {
                add(format!("{pointer} empty"), body(&with(json!(""))).into_bytes());
            }
            add(format!("{pointer} with NUL"), body(&with(json!("a\u{0}b"))).into_bytes());
            // Once for each field: what is too large is not looked at any further.
            if !is_large_sent && last != "text" && last != "path" {
                is_large_sent = true;
                add(format!("{pointer} of 10 MB"), body(&with(json!("a".repeat(10_000_000)))).into_bytes());
            }
            let key = format!("\"{last}\":");
            add(format!("{pointer} twice"), text.replacen(&key, &format!("{key}\"x\",{key}"), 1).into_bytes());
        }
        if name == "ID" {
            for kind in ["domain", "product", "nothing"] {
                add(
                    format!("{pointer} of the kind {kind}"),
                    body(&with(json!(id(&format!("{kind}:{UNKNOWN}"))))).into_bytes(),
                );
            }
            add(format!("{pointer} unknown"), text.clone().into_bytes());
        }
    }
    if field.ends_with("Documents") {
        let large =
            json!({ "input": { "domain": "shop", "documents": [{ "path": "x", "text": "a".repeat(10_000_000) }] } });
        add("a document of 10 MB".to_owned(), body(&large).into_bytes());
    }
    cases
}

/// Every place of the good input, inside of input objects and lists too, with its type.
fn leaves(document: &ServiceDocument, fields: &[(String, Type)], good: &Value, at: &str) -> Vec<(String, Type)> {
    let mut found = Vec::new();
    for (name, ty) in fields {
        let pointer = format!("{at}/{name}");
        if good.pointer(&pointer).is_none() {
            continue;
        }
        found.push((pointer.clone(), ty.clone()));
        let (inner, pointer) = match &ty.base {
            BaseType::Named(name) => (name.as_str().to_owned(), pointer),
            BaseType::List(element) => match &element.base {
                BaseType::Named(name) => (name.as_str().to_owned(), format!("{pointer}/0")),
                BaseType::List(_) => panic!("no list of lists is taken"),
            },
        };
        if let Some(TypeKind::InputObject(object)) = kind(document, &inner) {
            let inputs: Vec<(String, Type)> = object
                .fields
                .iter()
                .map(|input| (input.node.name.node.to_string(), input.node.ty.node.clone()))
                .collect();
            found.extend(leaves(document, &inputs, good, &pointer));
        }
    }
    found
}

fn kind<'a>(document: &'a ServiceDocument, name: &str) -> Option<&'a TypeKind> {
    document.definitions.iter().find_map(|definition| match definition {
        TypeSystemDefinition::Type(found) if found.node.name.node == name => Some(&found.node.kind),
        _ => None,
    })
}

/// Values that are not of a type.
fn wrong_values(document: &ServiceDocument, ty: &Type) -> Vec<Value> {
    match &ty.base {
        // GraphQL takes a single value for a list of one.
        BaseType::List(_) => vec![json!(7), json!("x"), json!([7])],
        BaseType::Named(name) => match name.as_str() {
            "String" => vec![json!(5), json!(true), json!({}), json!(["x"])],
            "ID" => vec![json!({}), json!([]), json!(true), json!("not an id")],
            "Int" => vec![json!("1"), json!(1.5), json!(1e30), json!(i64::MAX), json!(-1), json!(true), json!({})],
            "Boolean" => vec![json!("true"), json!(1), json!({})],
            "DateTime" => {
                let mut values: Vec<Value> = [
                    "yesterday",
                    "2030-01-01",
                    "2030-13-01T00:00:00Z",
                    "2030-01-01T00:00:00",
                    "30-01-01T00:00:00Z",
                    "2030-0001-01T00:00:00Z",
                    "9999999-01-01T00:00:00Z",
                ]
                .map(Value::from)
                .to_vec();
                values.extend([json!(5), json!({})]);
                values
            }
            other => match kind(document, other) {
                Some(TypeKind::Enum(_)) => vec![json!("NOT_A_WORD"), json!("read"), json!(5), json!({})],
                Some(TypeKind::InputObject(_)) => vec![json!("x"), json!(5), json!([]), json!({ "surplus": 1 })],
                _ => panic!("`{other}` is of a kind that has no wrong values here"),
            },
        },
    }
}
