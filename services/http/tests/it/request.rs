//! What is around every request.

use std::sync::Arc;
use std::sync::atomic::{AtomicU8, Ordering};
use std::time::Duration;

use axum::body::Body;
use axum::extract::{Extension, Request};
use axum::http::header::CONTENT_LENGTH;
use axum::http::{HeaderMap, StatusCode};
use axum::middleware::from_fn_with_state;
use axum::response::Response;
use axum::routing::get;
use axum::{Router, http};
use domain::clock::Random;
use http_base::problem::Problem;
use http_base::request::{RequestInfo, Settings, handle};
use http_body_util::BodyExt;
use serde_json::Value;
use tower::ServiceExt;

use crate::log_line::Lines;

/// Another sequence of equal bytes at each call.
#[derive(Default)]
struct Counter(AtomicU8);

impl Random for Counter {
    fn fill(&self, buffer: &mut [u8]) {
        buffer.fill(self.0.fetch_add(1, Ordering::Relaxed));
    }
}

fn router(timeout: Duration) -> Router {
    let log_name = Box::new(|path: &str| if path == "/id" { "/id" } else { "other" });
    let settings = Settings { random: Arc::new(Counter::default()), timeout, log_name };
    Router::new()
        .route("/id", get(|info: Extension<RequestInfo>| async move { info.id.to_string() }))
        .route("/problem", get(|| async { Problem::Internal }))
        .route("/never", get(std::future::pending::<()>))
        .route("/own", get(|| async { [("cache-control", "public"), ("content-security-policy", "x")] }))
        .fallback(|| async { Problem::NotFound("look elsewhere") })
        .layer(from_fn_with_state(Arc::new(settings), handle))
}

async fn ask(router: &Router, path: &str) -> Response {
    let request = Request::get(path).header("x-request-id", "mine").body(Body::empty()).unwrap();
    router.clone().oneshot(request).await.unwrap()
}

async fn body(response: Response) -> Vec<u8> {
    response.into_body().collect().await.unwrap().to_bytes().into()
}

fn id(headers: &HeaderMap) -> String {
    assert_eq!(headers.get_all("x-request-id").iter().count(), 1, "{headers:?}");
    headers["x-request-id"].to_str().unwrap().to_owned()
}

#[tokio::test]
async fn every_answer_has_the_headers_that_protect_it() {
    let router = router(Duration::from_millis(50));
    for path in ["/id", "/problem", "/nothing", "/never", "/own"] {
        let headers = ask(&router, path).await.headers().clone();
        let policy = "default-src 'none'; frame-ancestors 'none'; base-uri 'none'";
        for (name, value) in [
            ("cache-control", "no-store"),
            ("x-content-type-options", "nosniff"),
            ("referrer-policy", "no-referrer"),
            ("content-security-policy", policy),
        ] {
            let values: Vec<_> = headers.get_all(name).iter().collect();
            assert_eq!(values, [value], "{path} {name}");
        }
    }
}

#[tokio::test]
async fn a_request_has_one_new_id_in_its_answer_its_handler_and_its_problem() {
    let router = router(Duration::from_secs(60));
    let answer = ask(&router, "/id").await;
    let first = id(answer.headers());
    assert_eq!(String::from_utf8(body(answer).await).unwrap(), first);
    let answer = ask(&router, "/problem").await;
    let second = id(answer.headers());
    let problem: Value = serde_json::from_slice(&body(answer).await).unwrap();
    assert_eq!(problem["requestId"], *second);
    assert_ne!(first, second);
    // A random UUID, as RFC 9562 has it.
    assert_eq!(
        (first.as_str(), second.as_str()),
        ("00000000-0000-4000-8000-000000000000", "01010101-0101-4101-8101-010101010101")
    );
}

#[tokio::test]
async fn the_length_of_a_problem_is_not_that_of_the_empty_body_before_it() {
    for path in ["/problem", "/nothing"] {
        let answer = ask(&router(Duration::from_secs(60)), path).await;
        let announced = answer.headers().get(CONTENT_LENGTH).map(|length| length.to_str().unwrap().to_owned());
        let length = body(answer).await.len().to_string();
        assert!(announced.as_ref().is_none_or(|announced| *announced == length), "{path}: {announced:?} of {length}");
    }
}

#[tokio::test]
async fn a_request_has_a_time_limit() {
    let router = router(Duration::from_millis(50));
    let answer = tokio::time::timeout(Duration::from_secs(10), ask(&router, "/never")).await.expect("an answer");
    assert_eq!(answer.status(), StatusCode::SERVICE_UNAVAILABLE);
    let problem: Value = serde_json::from_slice(&body(answer).await).unwrap();
    assert_eq!(problem["type"], "urn:charterhouse:problem:timed-out");
}

#[tokio::test]
async fn each_request_has_one_line_also_if_its_client_disconnects() {
    let lines = Lines::default();
    let guard = tracing::subscriber::set_default(lines.clone());
    let router = router(Duration::from_secs(60));
    let answered = ask(&router, "/id").await;
    ask(&router, "/secret?token=x").await;
    {
        let mut hung_up = std::pin::pin!(ask(&router, "/never"));
        let early = tokio::time::timeout(Duration::from_millis(50), hung_up.as_mut()).await;
        assert!(early.is_err());
    }
    drop(guard);
    let lines = lines.taken();
    let field = |name: &str| lines.iter().map(|line| line.get(name).cloned().unwrap_or_default()).collect::<Vec<_>>();
    assert_eq!(field("status"), ["200", "404", "499"]);
    assert_eq!(field("path"), ["/id", "other", "other"]);
    assert_eq!(field("method"), ["GET"; 3]);
    assert_eq!((field("requester"), field("operation")), (vec!["-".into(); 3], vec!["-".into(); 3]));
    assert_eq!(lines[0]["request.id"], id(answered.headers()));
    assert!(lines.iter().all(|line| line.values().all(|value| !value.contains("secret") && !value.contains("token"))));
}

#[test]
fn the_line_of_an_answer_has_the_length_that_it_announces() {
    use http_base::request::LogLine;

    let lines = Lines::default();
    let guard = tracing::subscriber::set_default(lines.clone());
    for length in [None, Some("12"), Some("twelve")] {
        let mut response = http::Response::new(());
        if let Some(length) = length {
            response.headers_mut().insert(CONTENT_LENGTH, length.parse().unwrap());
        }
        LogLine::begin(&Counter::default(), &http::Method::GET, "/").end(&response);
    }
    drop(guard);
    let sizes: Vec<_> = lines.taken().iter().map(|line| line.get("size_bytes").cloned()).collect();
    assert_eq!(sizes, [None, Some("12".into()), None]);
}
