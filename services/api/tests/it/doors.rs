//! Who may use which route: every route of every door against every kind of caller. A route without a line here fails.

use std::collections::BTreeSet;

use api::Limits;
use api::doors::endpoints;
use axum::body::Body;
use axum::http::header::{AUTHORIZATION, CONTENT_TYPE};
use axum::http::{Method, Request, StatusCode};
use domain::identity::PlatformRole;
use http_base::sign_in::SignIn;
use serde_json::{Value, json};
use testkit::app::TestApp;

use crate::access::without_tokens;
use crate::registry_topics::{GROWN, ORDER, Topics};
use crate::support::{Api, Reply};

const CALLERS: [&str; 9] =
    ["anonymous", "stranger", "consumer", "publisher", "owner-shop", "owner-other", "steward", "auditor", "admin"];

const EVERYONE: &[&str] = &CALLERS;
const SIGNED_IN: &[&str] =
    &["stranger", "consumer", "publisher", "owner-shop", "owner-other", "steward", "auditor", "admin"];
const OWNER: &[&str] = &["owner-shop"];
const PRODUCERS: &[&str] = &["publisher", "owner-shop"];
/// Who configures the schemas of a product.
const CONFIGURERS: &[&str] = &["owner-shop", "steward"];
/// Who configures the registry.
const PLATFORM: &[&str] = &["admin", "steward"];

/// A route, one request to it, and who may make it.
struct Line {
    /// The route, as [`endpoints`] has it.
    route: (Method, &'static str),
    path: &'static str,
    body: Option<Value>,
    /// The status for those who may.
    status: u16,
    allowed: &'static [&'static str],
}

/// The authorisation list. Routes of the registry are asked about `orders`, a product that every signed-in caller sees;
/// `registry_topics` asks them about a hidden one.
fn lines() -> Vec<Line> {
    let line = |method: Method, route: &'static str, path: &'static str, allowed: &'static [&'static str]| Line {
        route: (method, route),
        path,
        body: None,
        status: 200,
        allowed,
    };
    let get = |route, path| line(Method::GET, route, path, SIGNED_IN);
    let missing = |route, path| Line { status: 404, ..line(Method::GET, route, path, SIGNED_IN) };
    let post = |route, path, body, allowed| Line { body: Some(body), ..line(Method::POST, route, path, allowed) };
    let put = |route, path, body, allowed| Line { body: Some(body), ..line(Method::PUT, route, path, allowed) };
    let delete = |route, path, allowed| line(Method::DELETE, route, path, allowed);
    let (order, grown) = (json!({ "schema": ORDER }), json!({ "schema": GROWN }));
    let (level, mode) = (json!({ "compatibility": "FULL" }), json!({ "mode": "READONLY" }));
    vec![
        // Every field of the schema has its own line in `access`.
        post("/graphql", "/graphql", json!({ "query": "{ viewer { version } }" }), SIGNED_IN),
        line(Method::GET, "/health", "/health", EVERYONE),
        line(Method::GET, "/ready", "/ready", EVERYONE),
        line(Method::GET, "/assets/{*file}", "/assets/main.js", EVERYONE),
        // No token opens a session, and none is one: `web_session` signs in with codes.
        post("/session", "/session", json!({ "code": "K7QM2FXA9RTDWB3N" }), &[]),
        delete("/session", "/session", &[]),
        Line {
            status: 201,
            ..post(
                "/api/v1/lineage",
                "/api/v1/lineage",
                lineage_event(),
                &["consumer", "publisher", "owner-shop", "owner-other"],
            )
        },
        post(
            "/api/v1/lineage/batch",
            "/api/v1/lineage/batch",
            json!([lineage_event()]),
            &["consumer", "publisher", "owner-shop", "owner-other"],
        ),
        get("/registry/", "/registry/"),
        get("/registry/schemas/types", "/registry/schemas/types"),
        get("/registry/schemas", "/registry/schemas"),
        get("/registry/schemas/ids/{id}", "/registry/schemas/ids/1"),
        get("/registry/schemas/ids/{id}/schema", "/registry/schemas/ids/1/schema"),
        get("/registry/schemas/ids/{id}/subjects", "/registry/schemas/ids/1/subjects"),
        get("/registry/schemas/ids/{id}/versions", "/registry/schemas/ids/1/versions"),
        get("/registry/subjects", "/registry/subjects"),
        post("/registry/subjects/{subject}", "/registry/subjects/orders-value", order.clone(), SIGNED_IN),
        delete("/registry/subjects/{subject}", "/registry/subjects/orders-value", OWNER),
        // No schema has metadata.
        missing("/registry/subjects/{subject}/metadata", "/registry/subjects/orders-value/metadata?key=a&value=b"),
        get("/registry/subjects/{subject}/versions", "/registry/subjects/orders-value/versions"),
        post(
            "/registry/subjects/{subject}/versions",
            "/registry/subjects/orders-value/versions",
            grown.clone(),
            PRODUCERS,
        ),
        get("/registry/subjects/{subject}/versions/{version}", "/registry/subjects/orders-value/versions/1"),
        delete("/registry/subjects/{subject}/versions/{version}", "/registry/subjects/orders-value/versions/1", OWNER),
        get(
            "/registry/subjects/{subject}/versions/{version}/schema",
            "/registry/subjects/orders-value/versions/1/schema",
        ),
        get(
            "/registry/subjects/{subject}/versions/{version}/referencedby",
            "/registry/subjects/orders-value/versions/1/referencedby",
        ),
        post(
            "/registry/compatibility/subjects/{subject}/versions",
            "/registry/compatibility/subjects/orders-value/versions",
            grown.clone(),
            SIGNED_IN,
        ),
        post(
            "/registry/compatibility/subjects/{subject}/versions/{version}",
            "/registry/compatibility/subjects/orders-value/versions/1",
            grown,
            SIGNED_IN,
        ),
        get("/registry/contexts", "/registry/contexts"),
        get("/registry/v1/metadata/id", "/registry/v1/metadata/id"),
        get("/registry/v1/metadata/deployment", "/registry/v1/metadata/deployment"),
        get("/registry/v1/metadata/version", "/registry/v1/metadata/version"),
        missing("/registry/associations/{*rest}", "/registry/associations/subjects/orders"),
        get("/registry/config", "/registry/config"),
        put("/registry/config", "/registry/config", level.clone(), PLATFORM),
        delete("/registry/config", "/registry/config", PLATFORM),
        get("/registry/config/{subject}", "/registry/config/orders-value?defaultToGlobal=true"),
        put("/registry/config/{subject}", "/registry/config/orders-value", level, CONFIGURERS),
        delete("/registry/config/{subject}", "/registry/config/orders-key", CONFIGURERS),
        get("/registry/mode", "/registry/mode"),
        put("/registry/mode", "/registry/mode", mode.clone(), PLATFORM),
        delete("/registry/mode", "/registry/mode", PLATFORM),
        get("/registry/mode/{subject}", "/registry/mode/orders-value?defaultToGlobal=true"),
        put("/registry/mode/{subject}", "/registry/mode/orders-value", mode, CONFIGURERS),
        delete("/registry/mode/{subject}", "/registry/mode/orders-key", CONFIGURERS),
    ]
}

fn lineage_event() -> Value {
    json!({
        "eventTime": "2026-01-01T00:00:00Z", "producer": "p", "schemaURL": "s", "eventType": "COMPLETE",
        "run": { "runId": "00000000-0000-7000-8000-000000000001" }, "job": { "namespace": "jobs", "name": "load" },
        "inputs": [{ "namespace": "db", "name": "a" }], "outputs": [{ "namespace": "db", "name": "b" }],
    })
}

#[tokio::test]
async fn every_route_answers_only_the_callers_on_its_line() {
    let lines = lines();
    let listed: BTreeSet<String> = lines.iter().map(|Line { route: (method, path), .. }| key(method, path)).collect();
    let served: BTreeSet<String> = endpoints().iter().map(|endpoint| key(&endpoint.method, &endpoint.path)).collect();
    assert_eq!(listed.len(), lines.len(), "no route has two lines");
    let unlisted: Vec<&String> = served.difference(&listed).collect();
    assert!(unlisted.is_empty(), "routes without a line in the authorisation list: {unlisted:?}");
    assert_eq!(listed, served, "every line has a route");

    let mut world = world().await;
    for line in &lines {
        let mut answered = BTreeSet::new();
        for caller in CALLERS {
            let before = dump(&world).await;
            let reply = send(&world, caller, line).await;
            let is_unchanged = dump(&world).await == before;
            let text = String::from_utf8_lossy(&reply.bytes).into_owned();
            let case = format!("{} {} as {caller}: {} {text}", line.route.0, line.path, reply.status);
            match reply.status.as_u16() {
                status if status == line.status => {
                    answered.insert(caller);
                }
                401 | 403 => assert!(is_unchanged, "refused, but changed something: {case}"),
                _ => panic!("unexpected status: {case}"),
            }
            if !is_unchanged {
                assert_ne!(line.route.0, Method::GET, "a read changed something: {case}");
                world = self::world().await;
            }
        }
        let allowed: BTreeSet<&str> = line.allowed.iter().copied().collect();
        assert_eq!(answered, allowed, "{} {}", line.route.0, line.path);
    }
}

/// Below a path with sign-in, a caller without a token does not even learn which routes there are.
#[tokio::test]
async fn a_door_requires_a_token_also_where_it_has_no_route() {
    let api = Api::start().await;
    for (method, path) in [
        (Method::GET, "/registry"),
        (Method::GET, "/registry/nothing"),
        (Method::PATCH, "/registry/subjects"),
        (Method::GET, "/registry//subjects/"),
        (Method::GET, "/registry/contexts/.a/subjects"),
    ] {
        let request = Request::builder().method(method.clone()).uri(path).body(Body::empty()).unwrap();
        assert_eq!(api.send(request).await.status, StatusCode::UNAUTHORIZED, "{method} {path}");
    }
    assert!(endpoints().iter().all(|endpoint| match endpoint.sign_in {
        SignIn::Anonymous => matches!(endpoint.path.as_str(), "/health" | "/ready" | "/assets/{*file}"),
        SignIn::Native => endpoint.path.starts_with("/api/v1/lineage"),
        SignIn::NativeOrSession => endpoint.path == "/graphql",
        SignIn::Code => endpoint.path == "/session" && endpoint.method == Method::POST,
        SignIn::Session => endpoint.path == "/session" && endpoint.method == Method::DELETE,
        SignIn::Door => endpoint.path.starts_with("/registry/"),
    }));
}

fn key(method: &Method, path: &str) -> String {
    format!("{method} {path}")
}

/// The domain `shop` with the product `orders`, whose subjects `orders-value` and `orders-key` have settings of their own.
async fn world() -> Api {
    let api = Api::serving(TestApp::start().await, &Limits::default(), crate::page::web());
    let topics = Topics::open(api).await;
    topics.publish("orders", "internal", &[]).await;
    topics.registers("orders-value", ORDER).await;
    for (path, body) in [
        ("/config/orders-key", json!({ "compatibility": "FULL" })),
        ("/mode/orders-key", json!({ "mode": "READWRITE" })),
    ] {
        let (status, answer) = topics.call("owner-shop", Method::PUT, path, Some(&body)).await;
        assert_eq!(status, StatusCode::OK, "{answer}");
    }
    let test = &topics.api.test;
    test.domain("other").await;
    for (subject, role) in [("steward", PlatformRole::Steward), ("auditor", PlatformRole::Auditor)] {
        test.officer(subject, role).await;
    }
    for path in ["/config", "/mode"] {
        let body = json!({ "compatibility": "BACKWARD", "mode": "READWRITE" });
        let (status, answer) = topics.call("admin", Method::PUT, path, Some(&body)).await;
        assert_eq!(status, StatusCode::OK, "{answer}");
    }
    topics.api
}

async fn dump(api: &Api) -> String {
    without_tokens(&api.test.dump().await)
}

async fn send(api: &Api, caller: &str, line: &Line) -> Reply {
    let mut request = Request::builder().method(line.route.0.clone()).uri(line.path);
    if caller != "anonymous" {
        request = request.header(AUTHORIZATION, format!("Bearer {}", api.test.token(caller).await));
    }
    let body = match &line.body {
        Some(body) => {
            request = request.header(CONTENT_TYPE, "application/json");
            Body::from(body.to_string())
        }
        None => Body::empty(),
    };
    api.send(request.body(body).unwrap()).await
}
