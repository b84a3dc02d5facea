//! Answers of the protocol, and changes that outlive their request.

use app::registry;
use axum::extract::Request;
use axum::http::HeaderValue;
use axum::http::header::{ACCEPT, CONTENT_TYPE};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};
use serde_json::Value;

use super::error::{Code, Failure};
use super::media::{self, MEDIA_TYPE};
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

pub(super) fn json_response(value: &Value) -> Response {
    ([(CONTENT_TYPE, HeaderValue::from_static(MEDIA_TYPE))], value.to_string()).into_response()
}

pub(super) fn text_response(text: String) -> Response {
    ([(CONTENT_TYPE, HeaderValue::from_static(MEDIA_TYPE))], text).into_response()
}
