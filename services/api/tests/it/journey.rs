//! The whole way through the API: from the one-time token to credentials and back, and what each party may see.

use axum::http::StatusCode;
use domain::inspection::InspectionError;
use serde_json::{Value, json};
use testkit::inspector::Scene;

use crate::access::without_tokens;
use crate::support::{Api, COLUMNS, CONTRACT, PRODUCT, code};

const VEND: &str = "mutation($input: VendCredentialsInput!) { answer: vendCredentials(input: $input) { __typename
    ... on VendCredentialsPayload { lease { id state address action grant { id } decision { id } snapshot { key } }
        decision { id allowed lines { check outcome code } }
        credentials { ... on GatewayCredentials {
            accessKeyId secretAccessKey sessionToken endpoint region tableUri expiresAt allowHttp } } }
    ... on GateRefused { decision { allowed lines { check outcome code message details } } } } }";
const WHY: &str = "query($input: WhyInput!) { why(input: $input) {
    allowed address served { key } lines { check outcome code details } } }";

fn orders() -> Value {
    json!({ "input": { "address": "shop.orders.orders" } })
}

#[tokio::test]
async fn the_one_time_token_creates_a_token_and_nothing_else() {
    let api = Api::start().await;
    // The first admin is there already, so a fresh one-time token is made by hand.
    let (clock, random) = (api.test.clock.as_ref(), api.test.random.as_ref());
    let id = domain::id::TokenId::new(clock, random);
    let claims = app::issuer::Claims::bootstrap(id, api.test.app.now());
    let token = api.test.app.issuer.issue(&claims).expect("a token");
    let ask = async |query: &str| {
        let reply = api.post(token.expose(), json!({ "query": query }).to_string()).await;
        assert_eq!(reply.status, StatusCode::OK);
        reply.json()
    };
    for query in [
        "{ viewer { version } }",
        r#"mutation { createToken(input: { subject: "admin" }) { token } }"#,
        r#"mutation { createDomain(input: { path: "shop" }) { __typename } }"#,
        r#"{ node(id: "x") { id } }"#,
    ] {
        let answer = ask(query).await;
        assert_eq!(code(&answer).as_deref(), Some("UNAUTHENTICATED"), "{query}");
        assert_eq!(answer["errors"][0]["extensions"]["reason"], "token.bootstrap", "{query}");
        assert!(answer["errors"][0]["extensions"]["hint"].is_string(), "{query}");
    }
    let answer = ask("mutation { createToken(input: {}) { token } }").await;
    assert_eq!(code(&answer).as_deref(), Some("UNAUTHENTICATED"), "it was spent");
    assert_ne!(answer["errors"][0]["extensions"]["reason"], "token.bootstrap", "{answer}");
}

#[tokio::test]
async fn a_consumer_requests_access_reads_and_is_refused_after_the_revocation() {
    let api = Api::shop().await;
    let refused = api.data("reader", VEND, orders()).await;
    assert_eq!(refused["answer"]["__typename"], "GateRefused");
    let grant = api.grant().await;

    let why = &api.data("reader", WHY, orders()).await["why"];
    assert_eq!((&why["allowed"], &why["address"]), (&json!(true), &json!("shop.orders.orders__v1")));
    assert_eq!(why["served"]["key"], "delta:0");

    let issued = api.data("reader", VEND, orders()).await["answer"].clone();
    assert_eq!(issued["__typename"], "VendCredentialsPayload");
    let lease = &issued["lease"];
    assert_eq!((&lease["state"], &lease["action"]), (&json!("ISSUED"), &json!("READ")));
    assert_eq!(lease["grant"]["id"], grant.as_str());
    assert_eq!(lease["decision"]["id"], issued["decision"]["id"]);
    assert_eq!(lease["snapshot"]["key"], "delta:0");
    let uri = issued["credentials"]["tableUri"].as_str().expect("a URI");
    assert!(uri.starts_with("s3://lake/"), "{uri}");

    let revoke = "mutation($input: RevokeGrantInput!) { answer: revokeGrant(input: $input) { __typename
        ... on RevokeGrantPayload { grant { state revokedBy { subject } reason } endedLeases { id } }
        ... on GrantNotActive { grant { state } } } }";
    let input = json!({ "input": { "grant": grant, "reason": "the project ended" } });
    let revoked = api.data("owner-shop", revoke, input.clone()).await["answer"].clone();
    assert_eq!(revoked["grant"]["state"], "REVOKED");
    assert_eq!(revoked["grant"]["revokedBy"]["subject"], "owner-shop");
    assert_eq!(revoked["endedLeases"][0]["id"], lease["id"]);
    let again = api.data("owner-shop", revoke, input).await["answer"].clone();
    assert_eq!(again["__typename"], "GrantNotActive");

    let refused = api.data("reader", VEND, orders()).await["answer"].clone();
    assert_eq!(refused["__typename"], "GateRefused");
    let lines = "{ leases { nodes { state } } decisions { nodes { allowed principal { subject } } } }";
    let seen = api.data("reader", lines, Value::Null).await;
    assert_eq!(seen["leases"]["nodes"], json!([{ "state": "REVOKED" }]));
    assert_eq!(seen["decisions"]["nodes"].as_array().map(Vec::len), Some(3));
}

#[tokio::test]
async fn details_need_the_right_to_see_them() {
    let api = Api::shop().await;
    api.grant().await;
    let policy = |answer: &Value| {
        let lines = answer["why"]["lines"].as_array().expect("lines").clone();
        lines.into_iter().find(|line| line["check"] == "POLICY").expect("a line")["details"].clone()
    };
    let shown = policy(&api.data("owner-shop", WHY, orders()).await);
    assert!(shown.as_array().is_some_and(|details| !details.is_empty()), "an owner sees which policies decided");
    assert_eq!(policy(&api.data("reader", WHY, orders()).await), json!([]));

    let location = r#"{ table(address: "shop.orders.orders") { location } }"#;
    for (subject, expected) in
        [("owner-shop", json!("shop/orders")), ("steward", json!("shop/orders")), ("reader", Value::Null)]
    {
        assert_eq!(api.data(subject, location, Value::Null).await["table"]["location"], expected, "{subject}");
    }

    let broken =
        Scene::of(COLUMNS).failing(InspectionError::Unreadable("/lake/shop/orders/part-0 is cut short".to_owned()));
    api.test.lay("shop/orders", 1, broken).await;
    let error = r#"{ table(address: "shop.orders.orders") { head { state error verdict { verdict } } } }"#;
    for (subject, shown) in [("owner-shop", true), ("steward", true), ("reader", false), ("consumer", false)] {
        let head = api.data(subject, error, Value::Null).await["table"]["head"].clone();
        assert_eq!((&head["state"], &head["verdict"]["verdict"]), (&json!("ERROR"), &json!("ERROR")));
        assert_eq!(head["error"].is_string(), shown, "{subject}: {head}");
    }
}

#[tokio::test]
async fn documents_are_planned_applied_and_refused() {
    let api = Api::shop().await;
    let plan = "query($input: DocumentsInput!) { answer: planDocuments(input: $input) { __typename
        ... on PlanDocumentsPayload { changes { kind name version change bump findings { rule } } }
        ... on InvalidDocuments { problems { document line column path message } }
        ... on RefusedVersions { refusals { contract version comparedWith needed suggested findings { rule bump } } } } }";
    let set = |contract: &str| {
        let documents = json!([{ "path": "p.yaml", "text": PRODUCT }, { "path": "c.yaml", "text": contract }]);
        json!({ "input": { "domain": "shop", "documents": documents } })
    };
    let before = api.test.dump().await;
    let answer = api.data("publisher", plan, set(CONTRACT)).await["answer"].clone();
    let changes: Vec<&Value> =
        answer["changes"].as_array().expect("changes").iter().map(|change| &change["change"]).collect();
    assert_eq!(changes, ["UNCHANGED", "UNCHANGED"]);

    let breaking = CONTRACT
        .replace("version: 1.0.0", "version: 1.0.1")
        .replace("      - name: amount\n        logicalType: number\n", "");
    let answer = api.data("publisher", plan, set(&breaking)).await["answer"].clone();
    assert_eq!(answer["refusals"][0]["needed"], "MAJOR", "{answer}");
    assert_eq!(answer["refusals"][0]["comparedWith"], "1.0.0");

    let answer = api.data("publisher", plan, set("kind: DataContract\nid: [")).await["answer"].clone();
    assert_eq!(answer["__typename"], "InvalidDocuments");
    assert_eq!(answer["problems"][0]["document"], "c.yaml");
    assert_eq!(without_tokens(&api.test.dump().await), without_tokens(&before), "a plan changes nothing");
    assert_eq!(api.code("reader", plan, set(CONTRACT)).await, "FORBIDDEN");
}

#[tokio::test]
async fn a_key_repeats_a_call_and_refuses_another() {
    let api = Api::start().await;
    let create = "mutation($input: CreateDomainInput!) { answer: createDomain(input: $input) { __typename
        ... on CreateDomainPayload { domain { id } } } }";
    let input = |path: &str| json!({ "input": { "path": path, "idempotencyKey": "once" } });
    let first = api.data("admin", create, input("shop")).await;
    assert_eq!(api.data("admin", create, input("shop")).await, first);
    let answer = api.ask("admin", create, input("other")).await;
    assert_eq!(code(&answer).as_deref(), Some("CONFLICT"));
    assert_eq!(answer["errors"][0]["extensions"]["reason"], "idempotency.key_reused");
    for key in ["", "a b", "ü", &"k".repeat(129)] {
        assert_eq!(
            api.code("admin", create, json!({ "input": { "path": "x", "idempotencyKey": key } })).await,
            "INVALID"
        );
    }
}

#[tokio::test]
async fn an_internal_error_is_reported_without_its_cause() {
    let api = Api::start().await;
    let token = api.test.token("admin").await;
    // The token is good and its bearer known, and then the database goes away under the query.
    let body = json!({ "query": "{ domains { nodes { path } } }" }).to_string();
    api.test.app.db.close().await;
    let reply = api.post(&token, body).await;
    assert_eq!(code(&reply.json()).as_deref(), Some("UNAVAILABLE"));
    let text = String::from_utf8_lossy(&reply.bytes).to_lowercase();
    for word in ["sql", "pool", "charter.db", "connection"] {
        assert!(!text.contains(word), "{text}");
    }
}

#[tokio::test]
async fn fields_have_the_order_of_the_document_and_failed_ones_are_null() {
    let api = Api::shop().await;
    let token = api.test.token("reader").await;
    let ask = async |query: &str| {
        let reply = api.post(&token, json!({ "query": query }).to_string()).await;
        String::from_utf8(reply.bytes).expect("UTF-8")
    };
    let query = r#"{ last: product(domain: "shop", name: "orders") { title ports { contract { documentId } name } ...P }
        viewer { version } } fragment P on Product { state domain { path } name }"#;
    let version = env!("CARGO_PKG_VERSION");
    let expected = format!(
        r#"{{"data":{{"last":{{"title":"Orders","ports":[{{"contract":{{"documentId":"orders-contract"}},"name":"orders"}}],"state":"ACTIVE","domain":{{"path":"shop"}},"name":"orders"}},"viewer":{{"version":"{version}"}}}}}}"#
    );
    assert_eq!(ask(query).await, expected);

    // A field that may be null is null beside the others; one that may not takes the whole answer with it.
    let nullable = ask(r#"{ a: viewer { version } node(id: "x") { id } b: viewer { version } }"#).await;
    assert!(
        nullable.starts_with(&format!(
            r#"{{"data":{{"a":{{"version":"{version}"}},"node":null,"b":{{"version":"{version}"}}}},"errors":"#
        )),
        "{nullable}"
    );
    let required = ask("{ viewer { version } records { nodes { id } } }").await;
    assert!(required.starts_with(r#"{"data":null,"errors":"#), "{required}");
}
