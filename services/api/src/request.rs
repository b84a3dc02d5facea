//! Around every request: its id, its deadline, the headers of its answer, and its line in the log
//! (`docs/request-log.md`).

use std::sync::{Arc, OnceLock};

use axum::extract::{Request, State};
use axum::http::header::{CACHE_CONTROL, CONTENT_SECURITY_POLICY, REFERRER_POLICY, X_CONTENT_TYPE_OPTIONS};
use axum::http::{HeaderName, HeaderValue, Method, StatusCode};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};
use domain::clock::Timestamp;

use crate::Server;
use crate::problem::{self, Problem};

/// The header that names the request in answers, in the log and in audit records.
pub(crate) const REQUEST_ID: HeaderName = HeaderName::from_static("x-request-id");

/// What a request's line says, noted on the way.
#[derive(Debug, Default)]
pub(crate) struct Notes {
    /// The caller's id; `bootstrap` for the bearer of the first token.
    pub(crate) requester: OnceLock<String>,
    /// What was asked for, such as `mutation vendCredentials`.
    pub(crate) operation: OnceLock<String>,
}

/// The request's id, and where its notes go.
#[derive(Clone)]
pub(crate) struct Tag {
    pub(crate) id: Arc<str>,
    pub(crate) notes: Arc<Notes>,
}

/// Answers a request. Its id is ours: what a client sends under that name is not believed.
pub(crate) async fn serve(State(server): State<Arc<Server>>, mut request: Request, next: Next) -> Response {
    let mut bytes = [0; 16];
    server.app.random.fill(&mut bytes);
    let id: Arc<str> = uuid::Builder::from_random_bytes(bytes).into_uuid().as_hyphenated().to_string().into();
    let notes = Arc::new(Notes::default());
    let mut line = Line {
        started_at: server.app.now(),
        server: Arc::clone(&server),
        id: Arc::clone(&id),
        notes: Arc::clone(&notes),
        method: request.method().clone(),
        path: known_path(request.uri().path()),
        status: None,
    };
    request.extensions_mut().insert(Tag { id: Arc::clone(&id), notes });

    let answered = tokio::time::timeout(server.limits.timeout, next.run(request)).await;
    let response = answered.unwrap_or_else(|_| Problem::TimedOut.into_response());
    let mut response = problem::render(response, &id);
    let headers = response.headers_mut();
    if let Ok(id) = HeaderValue::from_str(&id) {
        headers.insert(REQUEST_ID, id);
    }
    headers.insert(CACHE_CONTROL, HeaderValue::from_static("no-store"));
    headers.insert(X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff"));
    headers.insert(REFERRER_POLICY, HeaderValue::from_static("no-referrer"));
    headers.insert(
        CONTENT_SECURITY_POLICY,
        HeaderValue::from_static("default-src 'none'; frame-ancestors 'none'; base-uri 'none'"),
    );
    line.status = Some(response.status());
    response
}

/// Paths that are not ours are the client's words and stay out of the log.
fn known_path(path: &str) -> &'static str {
    match path {
        "/graphql" => "/graphql",
        "/health" => "/health",
        "/ready" => "/ready",
        path if path.starts_with("/registry/") => "/registry",
        _ => "other",
    }
}

/// Writes the request's line when it goes out of scope, so also where the client hung up.
struct Line {
    server: Arc<Server>,
    started_at: Timestamp,
    id: Arc<str>,
    notes: Arc<Notes>,
    method: Method,
    path: &'static str,
    status: Option<StatusCode>,
}

impl Drop for Line {
    fn drop(&mut self) {
        let elapsed = self.server.app.now().since(self.started_at);
        tracing::info!(
            target: "charter::request",
            requester = self.notes.requester.get().map_or("-", String::as_str),
            request.id = %self.id,
            method = %self.method,
            path = self.path,
            operation = self.notes.operation.get().map_or("-", String::as_str),
            status = self.status.map_or(499, |status| status.as_u16()),
            elapsed_ms = elapsed.as_secs_f64() * 1_000.0,
            "request answered"
        );
    }
}
