//! Why a use case did not do what it was asked.
//!
//! Outcomes that a client would branch on (a refused version, a shut gate, a request that is decided already) are values
//! of the use case; this is everything else. None of it mentions HTTP.

use domain::error::Kind;

/// A failure of a use case.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// No token, or one that is not good here.
    #[error("sign in first: the token is missing, expired or not good here")]
    Unauthenticated,
    /// The caller may not do this.
    #[error("not allowed to {0}")]
    Forbidden(String),
    /// It does not exist, or the caller may not know that it does: the two are never told apart.
    #[error("{0} not found")]
    NotFound(&'static str),
    /// An input that breaks a rule.
    #[error("{message}")]
    Invalid {
        /// The input's name, as the API spells it.
        field: &'static str,
        /// What is wrong with it.
        message: String,
    },
    /// The state of things does not allow it.
    #[error("{0}")]
    Conflict(String),
    /// No new access is given to a major of a port.
    #[error(transparent)]
    PortClosed(#[from] domain::grant::Closed),
    /// The idempotency key was used for something else.
    #[error("the idempotency key was used for another request")]
    KeyReused,
    /// It may work later; nothing happened.
    #[error("not possible now, try again: {0}")]
    Unavailable(String),
    /// A fault of ours; the text is for operators only.
    #[error("internal error")]
    Internal(#[source] Box<dyn std::error::Error + Send + Sync>),
}

impl Error {
    /// What kind of failure it is.
    pub fn kind(&self) -> Kind {
        match self {
            Self::Unauthenticated => Kind::Unauthenticated,
            Self::Forbidden(_) => Kind::Forbidden,
            Self::NotFound(_) => Kind::NotFound,
            Self::Invalid { .. } => Kind::Invalid,
            Self::Conflict(_) | Self::KeyReused => Kind::Conflict,
            Self::PortClosed(closed) => closed.kind(),
            Self::Unavailable(_) => Kind::Unavailable,
            Self::Internal(_) => Kind::Internal,
        }
    }

    /// An input that breaks a rule of the domain.
    pub fn invalid(field: &'static str, why: impl ToString) -> Self {
        Self::Invalid { field, message: why.to_string() }
    }

    /// A state that should not be; for operators.
    pub fn internal(why: impl Into<Box<dyn std::error::Error + Send + Sync>>) -> Self {
        Self::Internal(why.into())
    }
}

impl From<store::Error> for Error {
    fn from(error: store::Error) -> Self {
        match error.kind() {
            Kind::Unavailable | Kind::TooMany => Self::Unavailable("the database is busy or away".to_owned()),
            _ => Self::Internal(Box::new(error)),
        }
    }
}

impl From<domain::grant::Error> for Error {
    fn from(error: domain::grant::Error) -> Self {
        match error.kind() {
            Kind::Invalid => Self::invalid("input", error),
            _ => Self::Conflict(error.to_string()),
        }
    }
}

impl From<domain::overrides::Error> for Error {
    fn from(error: domain::overrides::Error) -> Self {
        match &error {
            domain::overrides::Error::BadExpiry => Self::invalid("expiresAt", error),
            domain::overrides::Error::NoReason(_) => Self::invalid("reason", error),
            domain::overrides::Error::NotStanding => Self::Conflict(error.to_string()),
        }
    }
}

impl From<domain::notice::Error> for Error {
    fn from(error: domain::notice::Error) -> Self {
        let field = match &error {
            domain::notice::Error::NoMoreTime(_) => "until",
            domain::notice::Error::NoReason(_) => "reason",
            domain::notice::Error::Sooner(_) => "deadline",
            domain::notice::Error::BadNote => "migrationNote",
            domain::notice::Error::Closed | domain::notice::Error::NotConcerned => {
                return Self::Conflict(error.to_string());
            }
        };
        Self::invalid(field, error)
    }
}
