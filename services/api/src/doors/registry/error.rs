//! The error codes of the protocol.

use app::registry;
use axum::http::StatusCode;
use axum::http::header::{CONTENT_TYPE, WWW_AUTHENTICATE};
use axum::response::{IntoResponse, Response};
use domain::error::Kind;
use http_base::problem::Problem;
use serde_json::json;

use super::media::MEDIA_TYPE;

/// An error code. Its first three digits are the HTTP status.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Code {
    BadRequest = 400,
    Unauthorized = 401,
    Forbidden = 403,
    NotFound = 404,
    MethodNotAllowed = 405,
    NotAcceptable = 406,
    Incompatible = 409,
    UnsupportedMediaType = 415,
    Unprocessable = 422,
    SubjectNotFound = 40_401,
    VersionNotFound = 40_402,
    SchemaNotFound = 40_403,
    SubjectSoftDeleted = 40_404,
    SubjectNotSoftDeleted = 40_405,
    VersionSoftDeleted = 40_406,
    VersionNotSoftDeleted = 40_407,
    NoLevel = 40_408,
    NoMode = 40_409,
    AssociationNotFound = 40_410,
    InvalidSchema = 42_201,
    InvalidVersion = 42_202,
    InvalidLevel = 42_203,
    InvalidMode = 42_204,
    NotPermitted = 42_205,
    ReferenceExists = 42_206,
    IdMismatch = 42_207,
    InvalidSubject = 42_208,
    SchemaTooLarge = 42_209,
    Store = 50_001,
    Timeout = 50_002,
}

impl Code {
    fn status(self) -> StatusCode {
        let number = self as u32;
        let status = if number >= 10_000 { number / 100 } else { number };
        u16::try_from(status).ok().and_then(|status| StatusCode::from_u16(status).ok()).unwrap_or_default()
    }
}

/// An error answer.
#[derive(Debug)]
pub(super) enum Failure {
    /// An error of the protocol.
    Coded(Code, String),
    /// An error that the protocol has no code for.
    Problem(Problem),
}

impl Failure {
    pub(super) fn new(code: Code, message: impl Into<String>) -> Self {
        Self::Coded(code, message.into())
    }

    /// The answer for an unknown path.
    pub(super) fn not_found() -> Self {
        Self::new(Code::NotFound, "HTTP 404 Not Found")
    }
}

impl From<Problem> for Failure {
    fn from(problem: Problem) -> Self {
        match problem {
            Problem::InvalidRequest(why) => Self::Coded(Code::BadRequest, why),
            Problem::Unauthenticated => Self::new(Code::Unauthorized, "User cannot access the resource."),
            Problem::NotFound(_) => Self::not_found(),
            Problem::Forbidden(why) => Self::Coded(Code::Forbidden, why),
            Problem::MethodNotAllowed => Self::new(Code::MethodNotAllowed, "HTTP 405 Method Not Allowed"),
            other @ (Problem::ForeignOrigin(_)
            | Problem::UnsupportedMediaType(_)
            | Problem::TooLarge { .. }
            | Problem::BodyTimedOut
            | Problem::TooMany { .. }
            | Problem::Busy
            | Problem::TimedOut
            | Problem::Unavailable
            | Problem::NotReady(_)
            | Problem::Internal) => Self::Problem(other),
        }
    }
}

impl From<app::Error> for Failure {
    fn from(error: app::Error) -> Self {
        let code = match error.kind() {
            Kind::Unauthenticated => Code::Unauthorized,
            Kind::Forbidden => Code::Forbidden,
            Kind::NotFound => Code::NotFound,
            Kind::Invalid => Code::BadRequest,
            Kind::Conflict | Kind::Stale | Kind::Refused => Code::NotPermitted,
            Kind::TooMany | Kind::Unavailable => Code::Timeout,
            Kind::Internal => {
                tracing::error!(error = &error as &dyn std::error::Error, "use case failed");
                Code::Store
            }
        };
        Self::Coded(code, error.to_string())
    }
}

impl From<registry::Error> for Failure {
    fn from(error: registry::Error) -> Self {
        use registry::Error;
        let code = match &error {
            Error::SubjectNotFound(_) => Code::SubjectNotFound,
            Error::VersionNotFound(_) => Code::VersionNotFound,
            Error::SchemaNotFound(_) => Code::SchemaNotFound,
            Error::SubjectSoftDeleted(_) => Code::SubjectSoftDeleted,
            Error::SubjectNotSoftDeleted(_) => Code::SubjectNotSoftDeleted,
            Error::VersionSoftDeleted(..) => Code::VersionSoftDeleted,
            Error::VersionNotSoftDeleted(..) => Code::VersionNotSoftDeleted,
            Error::NoLevel(_) => Code::NoLevel,
            Error::NoMode(_) => Code::NoMode,
            Error::Incompatible { .. } => Code::Incompatible,
            Error::InvalidSchema(_) => Code::InvalidSchema,
            Error::TooLarge => Code::SchemaTooLarge,
            Error::NothingToClear(_) => Code::SubjectNotFound,
            Error::NotPermitted(_) | Error::TooMany { .. } | Error::IdTaken(_) => Code::NotPermitted,
            Error::ReferenceExists(..) => Code::ReferenceExists,
            Error::IdMismatch { .. } => Code::IdMismatch,
            Error::Other(_) => {
                let Error::Other(other) = error else { return Self::Problem(Problem::Internal) };
                return other.into();
            }
        };
        Self::Coded(code, error.to_string())
    }
}

impl IntoResponse for Failure {
    fn into_response(self) -> Response {
        let (code, message) = match self {
            Self::Coded(code, message) => (code, message),
            Self::Problem(problem) => return problem.into_response(),
        };
        let body = json!({ "error_code": code as u32, "message": message }).to_string();
        let mut response = (code.status(), [(CONTENT_TYPE, MEDIA_TYPE)], body).into_response();
        if code == Code::Unauthorized {
            let challenge = axum::http::HeaderValue::from_static("Basic realm=\"charterhouse\"");
            response.headers_mut().insert(WWW_AUTHENTICATE, challenge);
        }
        response
    }
}
