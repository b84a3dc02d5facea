//! Problem documents.

use std::time::Duration;

use axum::http::StatusCode;
use axum::http::header::{CONTENT_LENGTH, CONTENT_TYPE, RETRY_AFTER, WWW_AUTHENTICATE};
use axum::response::{IntoResponse, Response};
use http_base::problem::{Problem, render};
use http_body_util::BodyExt;
use serde_json::{Value, json};

async fn body(response: Response) -> Vec<u8> {
    response.into_body().collect().await.unwrap().to_bytes().into()
}

/// Checks the document of a problem and the headers that it adds.
async fn check(problem: Problem, document: Value, headers: &[(&str, &str)]) {
    let mut response = problem.clone().into_response();
    // Of the empty body, which the document replaces.
    response.headers_mut().insert(CONTENT_LENGTH, 0.into());
    let response = render(response, "the-id");
    assert_eq!(response.status().as_u16(), document["status"], "{problem:?}");
    let mut found: Vec<_> = response.headers().iter().map(|(name, value)| (name.as_str(), value.as_bytes())).collect();
    found.sort_unstable();
    let mut expected = vec![(CONTENT_TYPE.as_str(), b"application/problem+json".as_slice())];
    expected.extend(headers.iter().map(|(name, value)| (*name, value.as_bytes())));
    assert_eq!(found, expected, "{problem:?}");
    let written: Value = serde_json::from_slice(&body(response).await).unwrap();
    assert_eq!(written, document, "{problem:?}");
}

fn document(kind: &str, status: u16, reason: &str, title: &str, detail: &str) -> Value {
    json!({
        "type": format!("urn:charterhouse:problem:{kind}"),
        "title": title,
        "status": status,
        "detail": detail,
        "reason": reason,
        "requestId": "the-id",
    })
}

#[tokio::test]
async fn each_problem_has_its_document_and_headers() {
    let again = (RETRY_AFTER.as_str(), "1");
    check(Problem::NotFound("look"), document("not-found", 404, "path.not_found", "not found", "look"), &[]).await;
    let text = "the `Allow` header lists the supported methods";
    let expected = document("method-not-allowed", 405, "method.not_allowed", "method not allowed", text);
    check(Problem::MethodNotAllowed, expected, &[]).await;
    let text = "the token, session or sign-in code is missing, expired or invalid";
    let expected = document("unauthenticated", 401, "token.invalid", "authentication required", text);
    check(Problem::Unauthenticated, expected, &[(WWW_AUTHENTICATE.as_str(), "Bearer")]).await;
    let title = "the request does not come from the page";
    let expected = document("foreign-origin", 403, "request.foreign", title, "why");
    check(Problem::ForeignOrigin("why"), expected, &[]).await;
    let expected = document("forbidden", 403, "policy.denied", "not allowed", "no");
    check(Problem::Forbidden("no".into()), expected, &[]).await;
    let expected = document("unsupported-media-type", 415, "body.media_type", "unsupported media type", "send JSON");
    check(Problem::UnsupportedMediaType("send JSON"), expected, &[]).await;
    let text = "the limit of this operation is 9 bytes";
    let mut expected = document("too-large", 413, "body.too_large", "the body is too large", text);
    expected["limitBytes"] = 9.into();
    check(Problem::TooLarge { limit_bytes: 9 }, expected, &[]).await;
    let expected = document("invalid-request", 400, "body.invalid", "invalid request", "why");
    check(Problem::InvalidRequest("why".into()), expected, &[]).await;
    let text = "send the whole body at once";
    let expected = document("body-timed-out", 408, "body.timed_out", "the body did not arrive in time", text);
    check(Problem::BodyTimedOut, expected, &[]).await;
    let text = "the client exceeds its share or rate: try again after `Retry-After` seconds";
    let expected = document("too-many", 429, "client.too_many", "too many requests from this client", text);
    check(Problem::TooMany { retry_after_seconds: 7 }, expected, &[(RETRY_AFTER.as_str(), "7")]).await;
    let text = "try again in a moment";
    let expected = document("busy", 503, "server.busy", "too many requests in progress", text);
    check(Problem::Busy, expected, &[again]).await;
    let text = "a requested change may still be made: check before you retry";
    let expected = document("timed-out", 503, "server.timed_out", "the request timed out", text);
    check(Problem::TimedOut, expected, &[again]).await;
    let title = "the service is temporarily unavailable";
    let expected = document("unavailable", 503, "server.unavailable", title, "try again in a moment");
    check(Problem::Unavailable, expected, &[again]).await;
    let expected = document("unavailable", 503, "server.unavailable", title, "the log; the database");
    check(Problem::NotReady(vec!["the log", "the database"]), expected, &[again]).await;
    let text = "report the request id to an operator";
    let expected = document("internal", 500, "server.fault", "internal server error", text);
    check(Problem::Internal, expected, &[]).await;
}

#[tokio::test]
async fn a_response_that_carries_no_problem_stays_as_it_is() {
    let response = render((StatusCode::NOT_FOUND, "of a protocol").into_response(), "the-id");
    assert_eq!(response.status(), StatusCode::NOT_FOUND);
    assert_eq!(response.headers()[CONTENT_TYPE], "text/plain; charset=utf-8");
    assert_eq!(body(response).await, b"of a protocol");
}

#[test]
fn a_client_is_told_to_wait_for_whole_seconds_that_are_long_enough() {
    for (wait, seconds) in [(0, 1), (1, 1), (1_000, 1), (1_001, 2), (1_999, 2), (60_000, 60)] {
        let problem = Problem::too_many(Duration::from_millis(wait));
        assert_eq!(problem, Problem::TooMany { retry_after_seconds: seconds }, "{wait} ms");
    }
}
