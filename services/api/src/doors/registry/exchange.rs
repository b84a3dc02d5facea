//! Bodies and answers of the protocol, and changes that outlive their request.

use app::registry;
use axum::body::Body;
use axum::extract::Request;
use axum::http::header::{ACCEPT, CONTENT_TYPE};
use axum::http::{HeaderMap, HeaderValue};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};
use serde_json::Value;

use super::error::{Code, Failure};
use super::media::{self, MEDIA_TYPE};
use crate::body;
use crate::server::Server;

/// The result of a handler.
pub(super) type Answer = Result<Response, Failure>;

/// Answers with the media type that the client prefers.
pub(super) async fn negotiate(request: Request, next: Next) -> Response {
    let accepted: Vec<&str> =
        request.headers().get_all(ACCEPT).iter().map(|value| value.to_str().unwrap_or_default()).collect();
    let chosen = if accepted.is_empty() { Some(MEDIA_TYPE) } else { media::chosen(&accepted.join(",")) };
    let Some(chosen) = chosen else {
        return Failure::new(Code::NotAcceptable, "HTTP 406 Not Acceptable").into_response();
    };
    let mut response = next.run(request).await;
    if response.headers().get(CONTENT_TYPE).is_some_and(|sent| sent == MEDIA_TYPE) {
        response.headers_mut().insert(CONTENT_TYPE, HeaderValue::from_static(chosen));
    }
    response
}

/// Runs a change in its own task: it completes even if the client disconnects.
pub(super) async fn complete<T, F>(server: &Server, work: F) -> Result<T, Failure>
where
    F: Future<Output = Result<T, registry::Error>> + Send + 'static,
    T: Send + 'static,
{
    match server.tasks.spawn(work).await {
        Ok(done) => Ok(done?),
        Err(ended) => Err(app::Error::internal(ended).into()),
    }
}

/// Reads a body: JSON under any of the media types that clients send.
pub(super) async fn read_json<T: serde::de::DeserializeOwned>(headers: &HeaderMap, body: Body) -> Result<T, Failure> {
    const TYPES: [&str; 4] = [
        "application/vnd.schemaregistry.v1+json",
        "application/vnd.schemaregistry+json",
        "application/json",
        "application/octet-stream",
    ];
    if let Some(sent) = headers.get(CONTENT_TYPE) {
        let sent = sent.to_str().unwrap_or_default().split(';').next().unwrap_or_default().trim().to_ascii_lowercase();
        if !TYPES.contains(&sent.as_str()) {
            return Err(Failure::new(Code::UnsupportedMediaType, "HTTP 415 Unsupported Media Type"));
        }
    }
    let mut bytes = Vec::new();
    let mut stream = body::stream(body);
    // A schema as a JSON string is longer than the schema itself.
    if !body::read(&mut stream, &mut bytes, 2 * domain::registry::MAX_SCHEMA_BYTES).await.map_err(Failure::from)? {
        return Err(Failure::new(Code::SchemaTooLarge, "the schema is too large"));
    }
    if matches!(bytes.trim_ascii(), b"" | b"null") {
        return Err(Failure::new(Code::Unprocessable, "the request has no body"));
    }
    // A derived struct also accepts an array, as its fields in order.
    if bytes.iter().find(|byte| !byte.is_ascii_whitespace()) != Some(&b'{') {
        return Err(Failure::new(Code::BadRequest, "send one JSON object"));
    }
    serde_json::from_slice(&bytes).map_err(|error| Failure::new(Code::BadRequest, error.to_string()))
}

pub(super) fn json_response(value: &Value) -> Response {
    ([(CONTENT_TYPE, HeaderValue::from_static(MEDIA_TYPE))], value.to_string()).into_response()
}

pub(super) fn text_response(text: String) -> Response {
    ([(CONTENT_TYPE, HeaderValue::from_static(MEDIA_TYPE))], text).into_response()
}
