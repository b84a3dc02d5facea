//! What one client may hold of the server, and how often it may ask: everything beyond is refused, and others go on.

use std::future::Future;
use std::net::IpAddr;
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::task::Poll;
use std::time::Duration;

use api::Limits;
use app::Settings;
use axum::body::Body;
use axum::http::header::{AUTHORIZATION, CONTENT_TYPE, RETRY_AFTER};
use axum::http::{Request, StatusCode};
use futures::StreamExt;
use futures::stream::{iter, poll_fn};
use http_base::connections::peer::Peer;
use serde_json::{Value, json};
use testkit::app::TestApp;

use crate::support::{Api, Reply, code};

const VIEWER: &str = r#"{"query":"{ viewer { version } }"}"#;
const KIB: usize = 1 << 10;

/// A body of which this much arrives, and then nothing more.
fn half_sent(n_bytes: usize) -> Body {
    stuck(n_bytes, &Arc::default())
}

/// The same; it says when its reader waits for the rest.
fn stuck(n_bytes: usize, is_read: &Arc<AtomicBool>) -> Body {
    let chunk: Result<Vec<u8>, std::io::Error> = Ok(vec![b' '; n_bytes]);
    let is_read = Arc::clone(is_read);
    let rest = poll_fn(move |_| {
        is_read.store(true, Ordering::SeqCst);
        Poll::Pending
    });
    Body::from_stream(iter([chunk]).chain(rest))
}

fn padded(n_bytes: usize) -> String {
    format!("{VIEWER}{}", " ".repeat(n_bytes - VIEWER.len()))
}

/// Requests that are in progress for as long as the value lives.
struct InProgress<'a>(#[expect(dead_code, reason = "held, not read")] Vec<Pin<Box<dyn Future<Output = Reply> + 'a>>>);

impl<'a> InProgress<'a> {
    /// Sends bodies of which this much arrives, and waits until each is read as far as that.
    async fn of<F: Future<Output = Reply> + 'a>(bodies: &[usize], send: impl Fn(Body) -> F) -> Self {
        let mut pinned: Vec<Pin<Box<dyn Future<Output = Reply> + 'a>>> = Vec::new();
        for n_bytes in bodies {
            let is_read = Arc::new(AtomicBool::new(false));
            let mut request = Box::pin(send(stuck(*n_bytes, &is_read)));
            while !is_read.load(Ordering::SeqCst) {
                assert!(futures::poll!(&mut request).is_pending(), "it is answered already");
                tokio::task::yield_now().await;
            }
            pinned.push(request);
        }
        Self(pinned)
    }
}

async fn two_people(limits: &Limits) -> (Api, String, String) {
    let api = Api::with(limits).await;
    api.test.principal("reader").await;
    let tokens = (api.test.token("admin").await, api.test.token("reader").await);
    for token in [&tokens.0, &tokens.1] {
        assert_eq!(api.post(token, VIEWER).await.status, StatusCode::OK);
    }
    (api, tokens.0, tokens.1)
}

#[track_caller]
fn assert_too_many(reply: &Reply) {
    assert_eq!((reply.status, reply.problem().as_str()), (StatusCode::TOO_MANY_REQUESTS, "too-many"));
    assert!(reply.headers[RETRY_AFTER].to_str().is_ok_and(|seconds| seconds.parse::<u64>().is_ok_and(|n| n > 0)));
}

#[tokio::test]
async fn all_bodies_share_a_budget_of_bytes() {
    let limits = Limits { bodies_bytes: 200 * KIB, ..Limits::default() };
    let (api, admin, reader) = two_people(&limits).await;
    let held = InProgress::of(&[90 * KIB, 90 * KIB], |body| api.post(&admin, body)).await;
    let reply = api.post(&reader, padded(64 * KIB)).await;
    assert_eq!((reply.status, reply.problem().as_str()), (StatusCode::SERVICE_UNAVAILABLE, "busy"));
    assert_eq!(api.post(&reader, VIEWER).await.status, StatusCode::OK, "there is room for a small body");
    drop(held);
    assert_eq!(api.post(&reader, padded(64 * KIB)).await.status, StatusCode::OK);
}

#[tokio::test]
async fn a_principal_has_a_share_of_the_bytes() {
    let limits = Limits { bodies_bytes_per_client: 100 * KIB, ..Limits::default() };
    let (api, admin, reader) = two_people(&limits).await;
    let held = InProgress::of(&[80 * KIB], |body| api.post(&admin, body)).await;
    assert_too_many(&api.post(&admin, padded(64 * KIB)).await);
    assert_eq!(api.post(&reader, padded(64 * KIB)).await.status, StatusCode::OK, "another one has its own");
    drop(held);
    assert_eq!(api.post(&admin, padded(64 * KIB)).await.status, StatusCode::OK);
}

#[tokio::test]
async fn what_is_made_of_a_body_counts_too() {
    let limits = Limits { bodies_bytes_per_client: 100 * KIB, ..Limits::default() };
    let (api, admin, _) = two_people(&limits).await;
    let ask = |n: usize| json!({ "query": "{ viewer { version } }", "variables": { "a": vec![1; n] } }).to_string();
    assert_eq!(api.post(&admin, ask(500)).await.status, StatusCode::OK);
    assert_too_many(&api.post(&admin, ask(1_000)).await);
}

#[tokio::test]
async fn variables_have_at_most_50000_values() {
    let api = Api::start().await;
    let token = api.test.token("admin").await;
    let ask = |n: usize| json!({ "query": "{ viewer { version } }", "variables": { "a": vec![1; n] } }).to_string();
    // The object and the list count as well.
    assert_eq!(api.post(&token, ask(49_998)).await.status, StatusCode::OK);
    let reply = api.post(&token, ask(49_999)).await;
    assert_eq!((reply.status, reply.problem().as_str()), (StatusCode::BAD_REQUEST, "invalid-request"));
}

#[tokio::test]
async fn a_body_has_to_arrive_in_time() {
    let limits = Limits { body_timeout: Duration::from_millis(50), ..Limits::default() };
    let (api, admin, _) = two_people(&limits).await;
    let reply = api.post(&admin, half_sent(10)).await;
    assert_eq!((reply.status, reply.problem().as_str()), (StatusCode::REQUEST_TIMEOUT, "body-timed-out"));
}

#[tokio::test]
async fn large_documents_are_read_only_of_those_who_may_send_documents() {
    let api = Api::shop().await;
    let limits = Limits::default();
    let input = json!({ "domain": "shop", "documents": [{ "path": "a.yaml", "text": "a: b" }] });
    let query = "query($input: DocumentsInput!) { planDocuments(input: $input) { __typename } }";
    let plan = json!({ "query": query, "variables": { "input": input } }).to_string();
    let large = format!("{plan}{}", " ".repeat(limits.body_bytes));
    for (subject, status) in [
        ("owner-shop", StatusCode::OK),
        ("publisher", StatusCode::OK),
        ("steward", StatusCode::OK),
        ("reader", StatusCode::PAYLOAD_TOO_LARGE),
        ("consumer", StatusCode::PAYLOAD_TOO_LARGE),
        ("admin", StatusCode::PAYLOAD_TOO_LARGE),
    ] {
        let reply = api.post(&api.test.token(subject).await, large.clone()).await;
        assert_eq!(reply.status, status, "{subject}");
        if status == StatusCode::PAYLOAD_TOO_LARGE {
            assert_eq!(reply.json()["limitBytes"], limits.body_bytes);
        }
    }
    // It is not read to its end.
    let reader = api.test.token("reader").await;
    assert_eq!(api.post(&reader, half_sent(limits.body_bytes + 1)).await.status, StatusCode::PAYLOAD_TOO_LARGE);
}

#[tokio::test]
async fn a_large_schema_is_read_only_of_those_who_may_register_it() {
    let api = Api::with_quarantine().await;
    api.test.principal("reader").await;
    let (owner, reader) = (api.test.token("owner-strays").await, api.test.token("reader").await);
    let register = async |token: &str, subject: &str, body: Body| {
        let request = Request::post(format!("/registry/subjects/{subject}/versions"))
            .header(CONTENT_TYPE, "application/json")
            .header(AUTHORIZATION, format!("Bearer {token}"));
        let reply = api.send(request.body(body).unwrap()).await;
        reply.json()["error_code"].as_u64().unwrap_or(reply.status.as_u16().into())
    };
    let schema = json!({ "schema": r#"{"type":"record","name":"a","fields":[]}"# }).to_string();
    let large = format!("{schema}{}", " ".repeat(100 * KIB));
    // The same refusal as for a small one, before the rest arrives.
    assert_eq!(register(&reader, "a-value", schema.clone().into()).await, 403);
    assert_eq!(register(&reader, "a-value", half_sent(100 * KIB)).await, 403);
    assert_eq!(register(&owner, "a-value", large.clone().into()).await, 200);
    // Whoever sees the subject may ask for the id of its schema.
    assert_eq!(register(&reader, "a-value", large.into()).await, 200);
}

#[tokio::test]
async fn a_principal_has_a_share_of_the_requests() {
    let limits = Limits { n_requests_per_client: 2, ..Limits::default() };
    let (api, admin, reader) = two_people(&limits).await;
    let held = InProgress::of(&[10, 10], |body| api.post(&admin, body)).await;
    assert_too_many(&api.post(&admin, VIEWER).await);
    assert_eq!(api.post(&reader, VIEWER).await.status, StatusCode::OK, "another one has its own");
    drop(held);
    assert_eq!(api.post(&admin, VIEWER).await.status, StatusCode::OK);
}

#[tokio::test]
async fn a_mutation_counts_until_it_is_done_though_its_client_hung_up() {
    let limits = Limits { n_requests_per_client: 1, ..Limits::default() };
    let (api, admin, _) = two_people(&limits).await;
    let body = r#"{"query":"mutation { createDomain(input: { path: \"shop\" }) { __typename } }"}"#;
    {
        let mut asked = std::pin::pin!(api.post(&admin, body));
        while api.tasks().is_empty() {
            assert!(futures::poll!(asked.as_mut()).is_pending(), "it was answered before it was under way");
            if api.tasks().is_empty() {
                tokio::task::yield_now().await;
            }
        }
    }
    let reply = api.post(&admin, VIEWER).await;
    api.tasks().close();
    api.tasks().wait().await;
    assert_too_many(&reply);
    assert_eq!(api.post(&admin, VIEWER).await.status, StatusCode::OK);
}

/// Sends a body from an address; gives the answer.
async fn post_from(api: &Api, address: &str, token: &str, body: impl Into<Body>) -> Reply {
    let request = Request::post("/graphql")
        .header(CONTENT_TYPE, "application/json")
        .header(AUTHORIZATION, format!("Bearer {token}"))
        .extension(Peer(address.parse::<IpAddr>().unwrap()));
    api.send(request.body(body.into()).unwrap()).await
}

#[tokio::test]
async fn an_address_has_a_share_of_the_requests() {
    let limits = Limits { n_requests_per_client: 1, ..Limits::default() };
    let (api, admin, reader) = two_people(&limits).await;
    let held = InProgress::of(&[10], |body| post_from(&api, "203.0.113.1", &admin, body)).await;
    assert_too_many(&post_from(&api, "203.0.113.1", &reader, VIEWER).await);
    assert_eq!(post_from(&api, "203.0.113.2", &reader, VIEWER).await.status, StatusCode::OK);
    drop(held);
}

#[tokio::test]
async fn an_address_may_send_a_limited_number_of_invalid_tokens() {
    let limits = Limits { sign_in_failures_per_second: 1, ..Limits::default() };
    let (api, known, _) = two_people(&limits).await;
    api.test.principal("late").await;
    let new = api.test.token("late").await;
    for _ in 0..10 {
        assert_eq!(post_from(&api, "203.0.113.1", "wrong", VIEWER).await.status, StatusCode::UNAUTHORIZED);
    }
    assert_too_many(&post_from(&api, "203.0.113.1", "wrong", VIEWER).await);
    assert_too_many(&post_from(&api, "203.0.113.1", &new, VIEWER).await);
    // Who has signed in before goes on, and other addresses do.
    assert_eq!(post_from(&api, "203.0.113.1", &known, VIEWER).await.status, StatusCode::OK);
    assert_eq!(post_from(&api, "203.0.113.2", "wrong", VIEWER).await.status, StatusCode::UNAUTHORIZED);
    // Loopback is shared by all clients of the machine, or by all behind a proxy that is not configured.
    for _ in 0..20 {
        assert_eq!(post_from(&api, "127.0.0.1", "wrong", VIEWER).await.status, StatusCode::UNAUTHORIZED);
    }
    api.test.clock.advance(Duration::from_secs(1));
    assert_eq!(post_from(&api, "203.0.113.1", &new, VIEWER).await.status, StatusCode::OK);
}

#[tokio::test]
async fn a_principal_may_ask_for_a_limited_number_of_credentials() {
    let settings = Settings { vends_per_second: 1, ..Settings::for_testing() };
    let api = Api::around(TestApp::start_configured(settings).await, &Limits::default());
    api.test.principal("reader").await;
    let (admin, reader) = (api.test.token("admin").await, api.test.token("reader").await);
    let query = r#"mutation { vendCredentials(input: { address: "a.b.c" }) { __typename } }"#;
    let vend = async |token: &str| api.post(token, json!({ "query": query }).to_string()).await;
    for _ in 0..10 {
        assert_eq!(code(&vend(&reader).await.json()).as_deref(), Some("NOT_FOUND"));
    }
    let reply = vend(&reader).await;
    assert_eq!((reply.status, code(&reply.json()).as_deref()), (StatusCode::TOO_MANY_REQUESTS, Some("TOO_MANY")));
    assert_eq!(reply.headers[RETRY_AFTER], "1");
    assert_eq!(code(&vend(&admin).await.json()).as_deref(), Some("NOT_FOUND"), "another one has its own rate");
    api.test.clock.advance(Duration::from_secs(1));
    assert_eq!(vend(&reader).await.status, StatusCode::OK);
}

#[tokio::test]
async fn an_answer_has_a_limited_number_of_errors() {
    let api = Api::start().await;
    let fields: String = (0..200).map(|index| format!("missing{index} ")).collect();
    let answer: Value = api.ask("admin", &format!("{{ {fields} }}"), Value::Null).await;
    let errors = answer["errors"].as_array().unwrap();
    assert_eq!(errors.len(), Limits::default().n_errors + 1);
    assert_eq!(errors.last().unwrap()["message"], "150 more errors are left out");
}
