//! Around GraphQL: media types, methods, tokens, sizes, headers, problem documents.

use axum::body::Body;
use axum::http::header::{ALLOW, AUTHORIZATION, CACHE_CONTROL, CONTENT_ENCODING, CONTENT_TYPE, WWW_AUTHENTICATE};
use axum::http::{Method, Request, StatusCode};
use serde_json::json;

use crate::support::{Api, code};

const VIEWER: &str = r#"{"query":"{ viewer { principal { subject } } }"}"#;

fn get(path: &str) -> Request<Body> {
    Request::get(path).body(Body::empty()).expect("a request")
}

#[tokio::test]
async fn health_and_readiness_need_no_token() {
    let api = Api::start().await;
    let health = api.send(get("/health")).await;
    assert_eq!((health.status, health.json()), (StatusCode::OK, json!({ "status": "ok" })));
    let ready = api.send(get("/ready")).await;
    assert_eq!((ready.status, ready.json()), (StatusCode::OK, json!({ "status": "ready" })));
}

#[tokio::test]
async fn what_is_left_out_is_a_warning_of_readiness() {
    let api = Api::start().await;
    let owner = api.test.domain("shop").await;
    api.test.publish(&owner, "shop", &[crate::support::PRODUCT, crate::support::CONTRACT]).await;
    api.test.execute("UPDATE products SET state = 'unheard'").await;
    app::search::catch_up(&api.test.app).await.expect("an index");
    let ready = api.send(get("/ready")).await;
    let warnings = ["products that cannot be read and are missing in search: 1"];
    assert_eq!((ready.status, ready.json()), (StatusCode::OK, json!({ "status": "ready", "warnings": warnings })));
}

#[tokio::test]
async fn without_its_database_the_server_is_healthy_and_not_ready() {
    let api = Api::start().await;
    api.test.app.db.close().await;
    assert_eq!(api.send(get("/health")).await.status, StatusCode::OK);
    let ready = api.send(get("/ready")).await;
    assert_eq!((ready.status, ready.problem().as_str()), (StatusCode::SERVICE_UNAVAILABLE, "unavailable"));
    assert_eq!(ready.headers["retry-after"], "1");
}

#[tokio::test]
async fn paths_are_matched_exactly() {
    let api = Api::start().await;
    for path in
        ["/", "/graphql/", "//graphql", "/GRAPHQL", "/health/../graphql", "/graphql;x=/health", "/%2fhealth", "/ready."]
    {
        let reply = api.send(get(path)).await;
        assert_eq!((reply.status, reply.problem().as_str()), (StatusCode::NOT_FOUND, "not-found"), "{path}");
        assert_eq!(reply.json()["detail"], "the GraphQL API is at `/graphql`");
    }
}

#[tokio::test]
async fn only_post_reaches_graphql() {
    let api = Api::start().await;
    let token = api.test.token("admin").await;
    for method in
        [Method::GET, Method::HEAD, Method::PUT, Method::DELETE, Method::OPTIONS, Method::PATCH, Method::TRACE]
    {
        let request = Request::builder()
            .method(method.clone())
            .uri("/graphql?query=%7Bviewer%7Bversion%7D%7D")
            .header(AUTHORIZATION, format!("Bearer {token}"));
        let reply = api.send(request.body(Body::empty()).expect("a request")).await;
        assert_eq!(reply.status, StatusCode::METHOD_NOT_ALLOWED, "{method}");
        assert_eq!(reply.headers[ALLOW], "POST", "{method}");
        if method != Method::HEAD {
            assert_eq!(reply.problem(), "method-not-allowed");
        }
    }
}

#[tokio::test]
async fn a_body_must_be_plain_json() {
    let api = Api::start().await;
    let token = api.test.token("admin").await;
    let send = async |media_type: Option<&str>, encoding: Option<&str>| {
        let mut request = Request::post("/graphql").header(AUTHORIZATION, format!("Bearer {token}"));
        for (name, value) in [(CONTENT_TYPE, media_type), (CONTENT_ENCODING, encoding)] {
            if let Some(value) = value {
                request = request.header(name, value);
            }
        }
        api.send(request.body(Body::from(VIEWER)).expect("a request")).await
    };
    for media_type in ["application/json", "Application/JSON; charset=UTF-8", "application/json;charset=utf-8"] {
        assert_eq!(send(Some(media_type), None).await.status, StatusCode::OK, "{media_type}");
    }
    let refused = [
        None,
        Some("text/plain"),
        Some("application/x-www-form-urlencoded"),
        Some("multipart/form-data; boundary=x"),
        Some("application/json; charset=utf-16"),
        Some("application/jsonp"),
        Some("application/graphql"),
    ];
    for media_type in refused {
        let reply = send(media_type, None).await;
        assert_eq!(reply.status, StatusCode::UNSUPPORTED_MEDIA_TYPE, "{media_type:?}");
        assert_eq!(reply.problem(), "unsupported-media-type");
    }
    assert_eq!(send(Some("application/json"), Some("gzip")).await.status, StatusCode::UNSUPPORTED_MEDIA_TYPE);
}

#[tokio::test]
async fn a_missing_or_invalid_token_is_refused_without_a_reason() {
    let api = Api::start().await;
    let good = api.test.token("admin").await;
    let mut bodies = Vec::new();
    let headers: Vec<Vec<String>> = vec![
        vec![],
        vec!["Bearer".into()],
        vec!["Bearer ".into()],
        vec![format!("Basic {good}")],
        vec![good.clone()],
        vec![format!("Bearer {good}x")],
        vec![format!("Bearer {good}"), format!("Bearer {good}")],
    ];
    for values in headers {
        let mut request = Request::post("/graphql").header(CONTENT_TYPE, "application/json");
        for value in &values {
            request = request.header(AUTHORIZATION, value);
        }
        let reply = api.send(request.body(Body::from(VIEWER)).expect("a request")).await;
        assert_eq!(
            (reply.status, reply.problem().as_str()),
            (StatusCode::UNAUTHORIZED, "unauthenticated"),
            "{values:?}"
        );
        assert_eq!(reply.headers[WWW_AUTHENTICATE], "Bearer");
        bodies.push(reply.json()["detail"].clone());
    }
    bodies.dedup();
    assert_eq!(bodies.len(), 1, "{bodies:?}");

    let request = Request::post("/graphql").header(CONTENT_TYPE, "application/json");
    let request = request.header(AUTHORIZATION, format!("bearer {good}"));
    assert_eq!(api.send(request.body(Body::from(VIEWER)).expect("a request")).await.status, StatusCode::OK);
}

#[tokio::test]
async fn a_disabled_principal_is_refused_at_its_next_request() {
    let api = Api::start().await;
    let reader = api.test.principal("reader").await;
    let token = api.test.token("reader").await;
    assert_eq!(api.post(&token, VIEWER).await.status, StatusCode::OK);
    api.test.admin.disables(reader.id()).await.expect("disabled");
    assert_eq!(api.post(&token, VIEWER).await.status, StatusCode::UNAUTHORIZED);
}

#[tokio::test]
async fn the_body_must_be_one_request() {
    let api = Api::start().await;
    let token = api.test.token("admin").await;
    let bad: [&[u8]; 16] = [
        b"",
        b"null",
        b"\"{ viewer { version } }\"",
        b"[]",
        b"[{\"query\":\"{ viewer { version } }\"}]",
        b"[\"{ viewer { version } }\"]",
        b"{}",
        b"{\"query\":5}",
        b"{\"query\":\"{ viewer { version } }\"",
        b"{\"query\":\"{ viewer { version } }\"} trailing",
        b"{\"query\":\"a\",\"query\":\"{ viewer { version } }\"}",
        b"{\"query\":\"{ viewer { version } }\",\"variables\":[]}",
        b"{\"query\":\"{ viewer { version } }\",\"variables\":{\"a\":1,\"a\":2}}",
        b"{\"query\":\"{ viewer { version } }\",\"variables\":{\"a\":{\"b\":1,\"b\":1}}}",
        b"{\"query\":\"{ viewer { version } }\",\"variables\":{\"a\":\"\\u0000\"}}",
        b"{\"query\":\"{ viewer { version } \xff}\"}",
    ];
    for body in bad {
        let reply = api.post(&token, body.to_vec()).await;
        let text = String::from_utf8_lossy(body).into_owned();
        assert_eq!((reply.status, reply.problem().as_str()), (StatusCode::BAD_REQUEST, "invalid-request"), "{text}");
    }
}

#[tokio::test]
async fn a_body_is_read_up_to_its_limit_and_documents_further() {
    let api = Api::shop().await;
    let token = api.test.token("owner-shop").await;
    let limits = api::Limits::default();
    let padded = |body: &str, size: usize| format!("{body}{}", " ".repeat(size - body.len()));
    assert_eq!(api.post(&token, padded(VIEWER, limits.body_bytes)).await.status, StatusCode::OK);
    let reply = api.post(&token, padded(VIEWER, limits.body_bytes + 1)).await;
    assert_eq!((reply.status, reply.problem().as_str()), (StatusCode::PAYLOAD_TOO_LARGE, "too-large"));
    assert_eq!(reply.json()["limitBytes"], limits.body_bytes);

    let plan = |query: &str| {
        let input = json!({ "domain": "shop", "documents": [{ "path": "a.yaml", "text": "a: b" }] });
        json!({ "query": query, "variables": { "input": input } }).to_string()
    };
    let alone = plan("query($input: DocumentsInput!) { planDocuments(input: $input) { __typename } }");
    let beside =
        plan("query($input: DocumentsInput!) { planDocuments(input: $input) { __typename } viewer { version } }");
    assert_eq!(api.post(&token, padded(&alone, limits.documents_body_bytes)).await.status, StatusCode::OK);
    for body in [padded(&alone, limits.documents_body_bytes + 1), padded(&beside, limits.body_bytes + 1)] {
        let reply = api.post(&token, body).await;
        assert_eq!((reply.status, reply.problem().as_str()), (StatusCode::PAYLOAD_TOO_LARGE, "too-large"));
    }
    let anonymous = api.post("nobody", padded(&alone, limits.body_bytes + 1)).await;
    assert_eq!(anonymous.status, StatusCode::UNAUTHORIZED);
}

#[tokio::test]
async fn every_answer_has_an_id_and_is_not_cached() {
    let api = Api::start().await;
    let token = api.test.token("admin").await;
    let mut ids = std::collections::HashSet::new();
    for reply in [api.post(&token, VIEWER).await, api.send(get("/health")).await, api.send(get("/nothing")).await] {
        assert_eq!(reply.headers[CACHE_CONTROL], "no-store");
        assert_eq!(reply.headers["x-content-type-options"], "nosniff");
        assert!(reply.headers.contains_key("content-security-policy"));
        assert!(!reply.headers.contains_key("access-control-allow-origin"));
        ids.insert(reply.headers["x-request-id"].clone());
    }
    assert_eq!(ids.len(), 3, "an id was given twice");

    let request = Request::post("/graphql")
        .header(CONTENT_TYPE, "application/json")
        .header(AUTHORIZATION, format!("Bearer {token}"))
        .header("x-request-id", "mine");
    let reply = api.send(request.body(Body::from(r#"{"query":"{ nothing }"}"#)).expect("a request")).await;
    assert_ne!(reply.headers["x-request-id"], "mine");
    let answer = reply.json();
    assert_eq!(code(&answer).as_deref(), Some("INVALID"));
    assert_eq!(answer["errors"][0]["extensions"]["requestId"], reply.headers["x-request-id"].to_str().unwrap());
}

#[tokio::test]
async fn requests_over_the_limit_are_refused() {
    let api = Api::with(&api::Limits { n_requests: 0, ..api::Limits::default() }).await;
    let token = api.test.token("admin").await;
    let reply = api.post(&token, VIEWER).await;
    assert_eq!((reply.status, reply.problem().as_str()), (StatusCode::SERVICE_UNAVAILABLE, "busy"));
    assert_eq!(api.send(get("/health")).await.status, StatusCode::OK);
}

#[test]
fn a_provider_of_credentials_has_answered_before_its_caller_is_given_up() {
    assert!(domain::lease::MAX_VENDOR_DEADLINE * 2 <= api::Limits::default().timeout);
}

#[tokio::test]
async fn a_slow_request_times_out() {
    let limits = api::Limits { timeout: std::time::Duration::ZERO, ..api::Limits::default() };
    let api = Api::with(&limits).await;
    let token = api.test.token("admin").await;
    let body = Body::from_stream(futures::stream::pending::<Result<Vec<u8>, std::io::Error>>());
    let reply = api.post(&token, body).await;
    assert_eq!((reply.status, reply.problem().as_str()), (StatusCode::SERVICE_UNAVAILABLE, "timed-out"));
}

#[tokio::test]
async fn a_mutation_completes_after_its_client_disconnects() {
    let api = Api::start().await;
    let token = api.test.token("admin").await;
    let body = r#"{"query":"mutation { createDomain(input: { path: \"shop\" }) { __typename } }"}"#;
    // Polled until the use case waits for the database, then dropped, as a connection that is closed drops it.
    {
        let mut asked = std::pin::pin!(api.post(&token, body));
        while api.tasks().is_empty() {
            assert!(futures::poll!(asked.as_mut()).is_pending(), "it was answered before it was under way");
            if api.tasks().is_empty() {
                tokio::task::yield_now().await;
            }
        }
    }
    api.tasks().close();
    api.tasks().wait().await;
    let found = app::org::find_domain(&api.test.admin, &"shop".parse().unwrap()).await.expect("an answer");
    assert!(found.is_some());
}
