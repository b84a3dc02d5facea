//! Around every request: its id, its time limit, the headers of every answer, and its line in the log
//! (`docs/request-log.md`).

use std::sync::{Arc, OnceLock};
use std::time::{Duration, Instant};

use axum::extract::{Request, State};
use axum::http::header::{
    CACHE_CONTROL, CONTENT_LENGTH, CONTENT_SECURITY_POLICY, REFERRER_POLICY, X_CONTENT_TYPE_OPTIONS,
};
use axum::http::{HeaderMap, HeaderName, HeaderValue, Method, StatusCode};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};
use domain::clock::Random;
use domain::id::LeaseId;

use crate::problem::{self, Problem};

/// The header that names the request in answers, in the log and in audit records.
pub const REQUEST_ID: HeaderName = HeaderName::from_static("x-request-id");

/// Facts for the request's log line, collected while it is handled.
#[derive(Debug, Default)]
pub struct Notes {
    /// The caller's id; `bootstrap` for the one-time token of the first start.
    pub requester: OnceLock<String>,
    /// The operation, such as `mutation vendCredentials`.
    pub operation: OnceLock<String>,
    /// The lease that the request claims to act under.
    pub lease_id: OnceLock<LeaseId>,
}

/// A request's id and notes. Handlers find it among the request's extensions.
#[derive(Clone)]
pub struct RequestInfo {
    /// A random UUID: the request's name in answers, in the log and in audit records.
    pub id: Arc<str>,
    /// Shared with the log line, which is written after the handler returned.
    pub notes: Arc<Notes>,
}

/// Marks an answer as a file of the web page, the same for every caller. No other answer is cached, or may load anything.
#[derive(Clone, Copy, Debug)]
pub struct PageFile {
    /// Its `Cache-Control`.
    pub caching: &'static str,
    /// Its `Content-Security-Policy`.
    pub policy: &'static str,
}

/// What [`handle`] needs to know of a server.
pub struct Settings {
    /// For request ids.
    pub random: Arc<dyn Random>,
    /// The time limit of a request.
    pub timeout: Duration,
    /// The name of a path in the log.
    pub log_name: Box<dyn Fn(&str) -> &'static str + Send + Sync>,
}

/// The outermost middleware of a router.
pub async fn handle(State(settings): State<Arc<Settings>>, mut request: Request, next: Next) -> Response {
    let log_name = (settings.log_name)(request.uri().path());
    let line = LogLine::begin(settings.random.as_ref(), request.method(), log_name);
    request.extensions_mut().insert(line.info.clone());

    let answered = tokio::time::timeout(settings.timeout, next.run(request)).await;
    let response = answered.unwrap_or_else(|_| Problem::TimedOut.into_response());
    let mut response = problem::render(response, &line.info.id);
    let file = response.extensions_mut().remove::<PageFile>();
    let headers = response.headers_mut();
    headers.extend(line.id_header(REQUEST_ID));
    headers.insert(REFERRER_POLICY, HeaderValue::from_static("no-referrer"));
    match file {
        Some(PageFile { caching, policy }) => {
            forbid_sniffing(headers);
            headers.insert(CACHE_CONTROL, HeaderValue::from_static(caching));
            headers.insert(CONTENT_SECURITY_POLICY, HeaderValue::from_static(policy));
        }
        None => {
            forbid_caching_and_sniffing(headers);
            headers.insert(
                CONTENT_SECURITY_POLICY,
                HeaderValue::from_static("default-src 'none'; frame-ancestors 'none'; base-uri 'none'"),
            );
        }
    }
    line.end(&response);
    response
}

/// Sets the headers that every answer of every listener has, but for the files of the page: answers may hold credentials
/// and data of others.
pub fn forbid_caching_and_sniffing(headers: &mut HeaderMap) {
    headers.insert(CACHE_CONTROL, HeaderValue::from_static("no-store"));
    forbid_sniffing(headers);
}

fn forbid_sniffing(headers: &mut HeaderMap) {
    headers.insert(X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff"));
}

/// The log line of a request. It is written on drop, so also for a client that disconnects before the answer.
pub struct LogLine {
    info: RequestInfo,
    started: Instant,
    method: Method,
    path: &'static str,
    answer: Option<(StatusCode, Option<u64>)>,
}

impl LogLine {
    /// Begins a request. Its id is always a new one: an id that the client sends is not trusted.
    pub fn begin(random: &dyn Random, method: &Method, path: &'static str) -> Self {
        let mut bytes = [0; 16];
        random.fill(&mut bytes);
        let id = uuid::Builder::from_random_bytes(bytes).into_uuid().as_hyphenated().to_string().into();
        Self {
            info: RequestInfo { id, notes: Arc::default() },
            // Not the time of day, which may be set while the request runs.
            started: Instant::now(),
            method: method.clone(),
            path,
            answer: None,
        }
    }

    /// The request's id and notes.
    pub fn info(&self) -> &RequestInfo {
        &self.info
    }

    /// The request's id under the header that a protocol has for it.
    pub fn id_header(&self, name: HeaderName) -> Option<(HeaderName, HeaderValue)> {
        Some((name, HeaderValue::from_str(&self.info.id).ok()?))
    }

    /// Writes the line of an answered request.
    pub fn end<B>(mut self, response: &http::Response<B>) {
        let length = response.headers().get(CONTENT_LENGTH);
        let size_bytes = length.and_then(|length| length.to_str().ok()?.parse().ok());
        self.answer = Some((response.status(), size_bytes));
    }
}

impl Drop for LogLine {
    fn drop(&mut self) {
        let elapsed = self.started.elapsed();
        let notes = &self.info.notes;
        let (status, size_bytes) = match self.answer {
            Some((status, size_bytes)) => (status.as_u16(), size_bytes),
            None => (499, None),
        };
        tracing::info!(
            target: "charter::request",
            requester = notes.requester.get().map_or("-", String::as_str),
            lease.id = notes.lease_id.get().map(tracing::field::display),
            request.id = %self.info.id,
            method = %self.method,
            path = self.path,
            operation = notes.operation.get().map_or("-", String::as_str),
            status,
            size_bytes,
            elapsed_ms = elapsed.as_secs_f64() * 1_000.0,
            "request answered"
        );
    }
}
