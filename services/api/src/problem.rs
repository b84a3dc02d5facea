//! Every answer that is not a protocol's own: problem documents (RFC 9457). Their types are listed in `docs/problems.md`.

use axum::body::Body;
use axum::http::header::{ALLOW, CONTENT_TYPE, RETRY_AFTER, WWW_AUTHENTICATE};
use axum::http::{HeaderValue, StatusCode};
use axum::response::{IntoResponse, Response};
use serde_json::json;

/// Why there is no answer.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Problem {
    /// Nothing is at the path.
    NotFound,
    /// Something is, and does not take the method.
    MethodNotAllowed,
    /// The token is missing or not good here.
    Unauthenticated,
    /// The body is not `application/json`, or is compressed.
    UnsupportedMediaType,
    /// The body is larger than the operation may send.
    TooLarge {
        /// What it may.
        limit_bytes: usize,
    },
    /// The body is not a GraphQL request.
    InvalidRequest(String),
    /// Too many requests are under way.
    Busy,
    /// The answer took too long.
    TimedOut,
    /// What is behind the server does not answer.
    Unavailable,
    /// A fault of ours.
    Internal,
}

impl Problem {
    fn status(&self) -> StatusCode {
        match self {
            Self::NotFound => StatusCode::NOT_FOUND,
            Self::MethodNotAllowed => StatusCode::METHOD_NOT_ALLOWED,
            Self::Unauthenticated => StatusCode::UNAUTHORIZED,
            Self::UnsupportedMediaType => StatusCode::UNSUPPORTED_MEDIA_TYPE,
            Self::TooLarge { .. } => StatusCode::PAYLOAD_TOO_LARGE,
            Self::InvalidRequest(_) => StatusCode::BAD_REQUEST,
            Self::Busy | Self::TimedOut | Self::Unavailable => StatusCode::SERVICE_UNAVAILABLE,
            Self::Internal => StatusCode::INTERNAL_SERVER_ERROR,
        }
    }

    /// The last part of the type URI, and the title, which never differs within a type.
    fn kind(&self) -> (&'static str, &'static str) {
        match self {
            Self::NotFound => ("not-found", "there is nothing here"),
            Self::MethodNotAllowed => ("method-not-allowed", "the path does not take this method"),
            Self::Unauthenticated => ("unauthenticated", "sign in first"),
            Self::UnsupportedMediaType => ("unsupported-media-type", "the body must be plain JSON"),
            Self::TooLarge { .. } => ("too-large", "the body is too large"),
            Self::InvalidRequest(_) => ("invalid-request", "the body is not a GraphQL request"),
            Self::Busy => ("busy", "too many requests are under way"),
            Self::TimedOut => ("timed-out", "the answer took too long"),
            Self::Unavailable => ("unavailable", "the server cannot answer now"),
            Self::Internal => ("internal", "a fault of the server"),
        }
    }

    fn detail(&self) -> String {
        let detail = match self {
            Self::NotFound => "the API is at `/graphql`",
            Self::MethodNotAllowed => "the header `Allow` names those it takes",
            Self::Unauthenticated => "the bearer token is missing, expired or not good here",
            Self::UnsupportedMediaType => "send `Content-Type: application/json`, in UTF-8 and not compressed",
            Self::TooLarge { limit_bytes } => {
                return format!("at most {limit_bytes} bytes are read for this operation");
            }
            Self::InvalidRequest(why) => return why.clone(),
            Self::Busy | Self::Unavailable => "try again in a moment",
            Self::TimedOut => "a change that was asked for may still be made: look before asking again",
            Self::Internal => "tell an operator the request's id",
        };
        detail.to_owned()
    }
}

/// An answer whose body [`render`] writes once the request's id is known.
impl IntoResponse for Problem {
    fn into_response(self) -> Response {
        let mut response = self.status().into_response();
        response.extensions_mut().insert(self);
        response
    }
}

/// Writes the problem document of a response that is one.
pub(crate) fn render(mut response: Response, request_id: &str) -> Response {
    let Some(problem) = response.extensions_mut().remove::<Problem>() else { return response };
    let (kind, title) = problem.kind();
    let mut document = json!({
        "type": format!("urn:charterhouse:problem:{kind}"),
        "title": title,
        "status": problem.status().as_u16(),
        "detail": problem.detail(),
        "requestId": request_id,
    });
    if let Problem::TooLarge { limit_bytes } = problem {
        document["limitBytes"] = limit_bytes.into();
    }
    let headers = response.headers_mut();
    headers.insert(CONTENT_TYPE, HeaderValue::from_static("application/problem+json"));
    match problem {
        Problem::Unauthenticated => {
            headers.insert(WWW_AUTHENTICATE, HeaderValue::from_static("Bearer"));
        }
        Problem::Busy | Problem::TimedOut | Problem::Unavailable => {
            headers.insert(RETRY_AFTER, HeaderValue::from_static("1"));
        }
        Problem::MethodNotAllowed if !headers.contains_key(ALLOW) => {
            headers.insert(ALLOW, HeaderValue::from_static("POST"));
        }
        _ => {}
    }
    headers.remove(axum::http::header::CONTENT_LENGTH);
    *response.body_mut() = Body::from(document.to_string());
    response
}
