//! Problem documents (RFC 9457): every error answer that is not a protocol's own. `docs/problems.md` lists their types.

use std::time::Duration;

use axum::body::Body;
use axum::http::header::{CONTENT_LENGTH, CONTENT_TYPE, RETRY_AFTER, WWW_AUTHENTICATE};
use axum::http::{HeaderValue, StatusCode};
use axum::response::{IntoResponse, Response};
use domain::error::Reason;
use serde_json::json;

/// Why a request gets no other answer.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Problem {
    /// The path does not exist; the text says where to look.
    NotFound(&'static str),
    /// The path exists and does not support the method.
    MethodNotAllowed,
    /// The token, session or sign-in code is missing or invalid.
    Unauthenticated,
    /// The request is not from our own page, and may not sign in with a cookie; the text says why.
    ForeignOrigin(&'static str),
    /// The caller may not do this; the text says what.
    Forbidden(String),
    /// The endpoint does not accept the body's media type; the text says which it accepts.
    UnsupportedMediaType(&'static str),
    /// The body exceeds the limit of its operation.
    TooLarge {
        /// The limit, which the document names.
        limit_bytes: usize,
    },
    /// The body is not a valid request; the text says why.
    InvalidRequest(String),
    /// The body did not arrive within its time limit.
    BodyTimedOut,
    /// The client exceeds its own share or rate.
    TooMany {
        /// When to try again.
        retry_after_seconds: u64,
    },
    /// Too many requests are in progress, or too much is in memory.
    Busy,
    /// The request exceeded its time limit.
    TimedOut,
    /// A dependency, such as the database, does not respond.
    Unavailable,
    /// The server is not ready: what does not work.
    NotReady(Vec<&'static str>),
    /// An error of the server.
    Internal,
}

impl Problem {
    /// The client exceeds its own share or rate, and may try again after this time.
    pub fn too_many(retry_after: Duration) -> Self {
        Self::TooMany { retry_after_seconds: retry_after_seconds(retry_after) }
    }

    fn status(&self) -> StatusCode {
        match self {
            Self::NotFound(_) => StatusCode::NOT_FOUND,
            Self::MethodNotAllowed => StatusCode::METHOD_NOT_ALLOWED,
            Self::Unauthenticated => StatusCode::UNAUTHORIZED,
            Self::ForeignOrigin(_) | Self::Forbidden(_) => StatusCode::FORBIDDEN,
            Self::UnsupportedMediaType(_) => StatusCode::UNSUPPORTED_MEDIA_TYPE,
            Self::TooLarge { .. } => StatusCode::PAYLOAD_TOO_LARGE,
            Self::InvalidRequest(_) => StatusCode::BAD_REQUEST,
            Self::BodyTimedOut => StatusCode::REQUEST_TIMEOUT,
            Self::TooMany { .. } => StatusCode::TOO_MANY_REQUESTS,
            Self::Busy | Self::TimedOut | Self::Unavailable | Self::NotReady(_) => StatusCode::SERVICE_UNAVAILABLE,
            Self::Internal => StatusCode::INTERNAL_SERVER_ERROR,
        }
    }

    /// The last part of the type URI, and the title, which is the same for every occurrence of a type.
    fn kind(&self) -> (&'static str, &'static str) {
        match self {
            Self::NotFound(_) => ("not-found", "not found"),
            Self::MethodNotAllowed => ("method-not-allowed", "method not allowed"),
            Self::Unauthenticated => ("unauthenticated", "authentication required"),
            Self::ForeignOrigin(_) => ("foreign-origin", "the request does not come from the page"),
            Self::Forbidden(_) => ("forbidden", "not allowed"),
            Self::UnsupportedMediaType(_) => ("unsupported-media-type", "unsupported media type"),
            Self::TooLarge { .. } => ("too-large", "the body is too large"),
            Self::InvalidRequest(_) => ("invalid-request", "invalid request"),
            Self::BodyTimedOut => ("body-timed-out", "the body did not arrive in time"),
            Self::TooMany { .. } => ("too-many", "too many requests from this client"),
            Self::Busy => ("busy", "too many requests in progress"),
            Self::TimedOut => ("timed-out", "the request timed out"),
            Self::Unavailable | Self::NotReady(_) => ("unavailable", "the service is temporarily unavailable"),
            Self::Internal => ("internal", "internal server error"),
        }
    }

    /// The kind of failure, for programs: the same set as the `reason` of a GraphQL error.
    fn reason(&self) -> Reason {
        match self {
            Self::NotFound(_) => Reason::PathNotFound,
            Self::MethodNotAllowed => Reason::MethodNotAllowed,
            Self::Unauthenticated => Reason::TokenInvalid,
            Self::ForeignOrigin(_) => Reason::RequestForeign,
            Self::Forbidden(_) => Reason::PolicyDenied,
            Self::UnsupportedMediaType(_) => Reason::BodyMediaType,
            Self::TooLarge { .. } => Reason::BodyTooLarge,
            Self::InvalidRequest(_) => Reason::BodyInvalid,
            Self::BodyTimedOut => Reason::BodyTimedOut,
            Self::TooMany { .. } => Reason::ClientTooMany,
            Self::Busy => Reason::ServerBusy,
            Self::TimedOut => Reason::ServerTimedOut,
            Self::Unavailable | Self::NotReady(_) => Reason::ServerUnavailable,
            Self::Internal => Reason::ServerFault,
        }
    }

    fn detail(&self) -> String {
        let detail = match self {
            Self::NotFound(text) | Self::UnsupportedMediaType(text) | Self::ForeignOrigin(text) => text,
            Self::MethodNotAllowed => "the `Allow` header lists the supported methods",
            Self::Unauthenticated => "the token, session or sign-in code is missing, expired or invalid",
            Self::TooLarge { limit_bytes } => return format!("the limit of this operation is {limit_bytes} bytes"),
            Self::InvalidRequest(why) | Self::Forbidden(why) => return why.clone(),
            Self::NotReady(faults) => return faults.join("; "),
            Self::BodyTimedOut => "send the whole body at once",
            Self::TooMany { .. } => "the client exceeds its share or rate: try again after `Retry-After` seconds",
            Self::Busy | Self::Unavailable => "try again in a moment",
            Self::TimedOut => "a requested change may still be made: check before you retry",
            Self::Internal => "report the request id to an operator",
        };
        detail.to_owned()
    }
}

/// The value of `Retry-After` for a wait: never before its end, and never at once.
pub fn retry_after_seconds(wait: Duration) -> u64 {
    let is_partial = u64::from(wait.subsec_nanos() > 0);
    (wait.as_secs() + is_partial).max(1)
}

/// A response without a body: [`render`] writes the body when the request's id is known.
impl IntoResponse for Problem {
    fn into_response(self) -> Response {
        let mut response = self.status().into_response();
        response.extensions_mut().insert(self);
        response
    }
}

/// Writes the problem document of a response that carries a [`Problem`].
pub fn render(mut response: Response, request_id: &str) -> Response {
    let Some(problem) = response.extensions_mut().remove::<Problem>() else { return response };
    let (kind, title) = problem.kind();
    let mut document = json!({
        "type": format!("urn:charterhouse:problem:{kind}"),
        "title": title,
        "status": problem.status().as_u16(),
        "detail": problem.detail(),
        "reason": problem.reason().as_str(),
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
        Problem::TooMany { retry_after_seconds } => {
            headers.insert(RETRY_AFTER, HeaderValue::from(retry_after_seconds));
        }
        Problem::Busy | Problem::TimedOut | Problem::Unavailable | Problem::NotReady(_) => {
            headers.insert(RETRY_AFTER, HeaderValue::from_static("1"));
        }
        Problem::MethodNotAllowed
        | Problem::NotFound(_)
        | Problem::ForeignOrigin(_)
        | Problem::Forbidden(_)
        | Problem::UnsupportedMediaType(_)
        | Problem::TooLarge { .. }
        | Problem::InvalidRequest(_)
        | Problem::BodyTimedOut
        | Problem::Internal => {}
    }
    headers.remove(CONTENT_LENGTH);
    *response.body_mut() = Body::from(document.to_string());
    response
}
