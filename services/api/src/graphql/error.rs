//! Errors of resolvers, and their mapping to GraphQL errors.

use std::sync::Arc;

use app::error::Noun;
use async_graphql::{ErrorExtensionValues, ServerError};
use domain::error::{Kind, Reason};

/// The result of a resolver.
pub(crate) type Result<T> = std::result::Result<T, Failure>;

/// The failure of a field. It does not implement `Display`, so that it cannot become a GraphQL error without its code.
#[derive(Clone, Debug)]
pub(crate) struct Failure {
    kind: Kind,
    message: String,
    reason: Option<Reason>,
    /// The invalid input.
    field: Option<&'static str>,
    hint: Option<&'static str>,
    /// For operators only.
    source: Option<Arc<app::Error>>,
}

impl Failure {
    fn new(kind: Kind, message: impl Into<String>) -> Self {
        Self { kind, message: message.into(), reason: None, field: None, hint: None, source: None }
    }

    /// An input that breaks a rule.
    pub(crate) fn invalid(field: &'static str, why: impl ToString) -> Self {
        Self { field: Some(field), ..Self::new(Kind::Invalid, why.to_string()) }
    }

    /// The object does not exist, or is hidden from the caller.
    pub(crate) fn not_found(noun: Noun) -> Self {
        Self::from(app::Error::NotFound(noun))
    }

    /// The one-time token is valid for `createToken` only.
    pub(crate) fn bootstrap() -> Self {
        Self {
            reason: Some(Reason::TokenBootstrap),
            hint: Some("redeem it with `createToken` without a subject, and use the returned token"),
            ..Self::new(Kind::Unauthenticated, "the one-time token of the first start is valid for `createToken` only")
        }
    }

    /// A fault of the server.
    pub(crate) fn internal() -> Self {
        Self { reason: Some(Reason::ServerFault), ..Self::new(Kind::Internal, "internal error") }
    }
}

impl From<app::Error> for Failure {
    fn from(error: app::Error) -> Self {
        Arc::new(error).into()
    }
}

impl From<Arc<app::Error>> for Failure {
    fn from(error: Arc<app::Error>) -> Self {
        let (field, hint) = match &*error {
            app::Error::Invalid { field, .. } => (Some(*field), None),
            app::Error::KeyReused => (Some("idempotencyKey"), Some("use a new key")),
            app::Error::Unauthenticated => (None, Some("send a token as `Authorization: Bearer ...`")),
            app::Error::TooMany { .. } => (None, Some("wait as long as the message says, then try again")),
            app::Error::Unavailable(_) => (None, Some("try again in a moment")),
            app::Error::Forbidden(_)
            | app::Error::NotFound(_)
            | app::Error::Conflict(_)
            | app::Error::PortClosed(_)
            | app::Error::Internal(_) => (None, None),
        };
        Self { reason: error.reason(), field, hint, ..Self::new(error.kind(), error.to_string()) }.with(error)
    }
}

impl Failure {
    fn with(self, source: Arc<app::Error>) -> Self {
        Self { source: Some(source), ..self }
    }

    fn extensions(&self) -> ErrorExtensionValues {
        let mut extensions = ErrorExtensionValues::default();
        extensions.set("code", self.kind.as_str());
        let more = [("reason", self.reason.map(Reason::as_str)), ("field", self.field), ("hint", self.hint)];
        for (name, value) in more {
            if let Some(value) = value {
                extensions.set(name, value);
            }
        }
        extensions
    }
}

impl From<Failure> for async_graphql::Error {
    fn from(failure: Failure) -> Self {
        let extensions = Some(failure.extensions());
        let source = failure.source.map(|source| source as Arc<dyn std::any::Any + Send + Sync>);
        Self { message: failure.message, source, extensions }
    }
}

/// The error of a document that is not executed.
pub(crate) fn refused(message: String) -> ServerError {
    ServerError { extensions: Some(Failure::new(Kind::Invalid, "").extensions()), ..ServerError::new(message, None) }
}

/// A fault of the server, as the only error of an answer.
pub(crate) fn internal() -> ServerError {
    let failure = Failure::internal();
    ServerError { extensions: Some(failure.extensions()), ..ServerError::new(failure.message, None) }
}
