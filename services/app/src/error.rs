//! Why a use case did not do what it was asked.
//!
//! Outcomes that a client would branch on (a refused version, a shut gate, a request that is decided already) are values
//! of the use case; this is everything else. None of it mentions HTTP. What a client may tell apart beyond the kind is a
//! variant here and a [`Reason`].

use std::time::Duration;

use domain::closed_set;
use domain::contract::{StateName, WrongState};
use domain::error::{Kind, Reason};

closed_set! {
    /// What was not found.
    Noun {
        /// An access request.
        AccessRequest = "access request",
        /// A contract.
        Contract = "contract",
        /// A contract version.
        ContractVersion = "contract version",
        /// A domain.
        Domain = "domain",
        /// The first admin.
        FirstAdmin = "first admin",
        /// A grant.
        Grant = "grant",
        /// A notice.
        Notice = "notice",
        /// An override.
        Override = "override",
        /// An output port.
        Port = "port",
        /// A principal.
        Principal = "principal",
        /// A data product.
        Product = "product",
        /// A role assignment.
        Role = "role",
        /// A table.
        Table = "table",
        /// A token.
        Token = "token",
    }
}

impl Noun {
    fn reason(self) -> Reason {
        match self {
            Self::AccessRequest => Reason::AccessRequestNotFound,
            Self::Contract => Reason::ContractNotFound,
            Self::ContractVersion => Reason::ContractVersionNotFound,
            Self::Domain => Reason::DomainNotFound,
            Self::FirstAdmin => Reason::FirstAdminNotFound,
            Self::Grant => Reason::GrantNotFound,
            Self::Notice => Reason::NoticeNotFound,
            Self::Override => Reason::OverrideNotFound,
            Self::Port => Reason::PortNotFound,
            Self::Principal => Reason::PrincipalNotFound,
            Self::Product => Reason::ProductNotFound,
            Self::Role => Reason::RoleNotFound,
            Self::Table => Reason::TableNotFound,
            Self::Token => Reason::TokenNotFound,
        }
    }
}

/// Why the caller may not do it; completes "not allowed to".
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Forbidden {
    /// The policies do not allow it.
    #[error("{0}")]
    Policy(String),
    /// The caller holds no grant that the notice concerns.
    #[error(
        "answer this notice: only holders of a grant on the old major may, and the owners of service accounts that hold \
         one"
    )]
    NotConcerned,
    /// There are no tokens for the server's own inspector.
    #[error("create a token for the inspector")]
    Inspector,
}

impl Forbidden {
    fn reason(&self) -> Reason {
        match self {
            Self::Policy(_) => Reason::PolicyDenied,
            Self::NotConcerned => Reason::NoticeNotConcerned,
            Self::Inspector => Reason::PrincipalInspector,
        }
    }
}

/// Why the state of things does not allow it.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Conflict {
    /// The data product takes no access requests.
    #[error("the data product is not active")]
    ProductInactive,
    /// A principal would disable itself.
    #[error("principals cannot disable themselves")]
    OwnPrincipal,
    /// A token for a principal that is disabled.
    #[error("the principal is disabled")]
    PrincipalDisabled,
    /// A token for a principal that has as many as there may be.
    #[error("the principal has {} valid tokens, the maximum: revoke some first", domain::token::MAX_VALID)]
    TooManyTokens,
    /// The platform would be without an admin.
    #[error("the platform needs at least one admin")]
    LastAdmin,
    /// The contract version's state does not allow the transition.
    #[error(transparent)]
    WrongState(#[from] WrongState),
    /// The access request was decided before.
    #[error("{0}")]
    AccessRequestDecided(domain::grant::Error),
    /// The grant was revoked before.
    #[error("{0}")]
    GrantRevoked(domain::grant::Error),
    /// An override for a version that is published already.
    #[error("{version} is {state}: there is nothing to accept")]
    VersionPublished {
        /// The version and its contract.
        version: String,
        /// Its state.
        state: StateName,
    },
    /// An override for a version that is not refused.
    #[error("{0} is not refused: there is nothing to accept")]
    VersionAllowed(String),
    /// An override for a version that the caller has accepted.
    #[error("{0} already has an override by you")]
    VersionAccepted(String),
    /// The version is refused for a reason that no override lifts.
    #[error("no override can accept it: {0}")]
    NoOverride(String),
    /// The override has ended.
    #[error("{0}")]
    OverrideEnded(domain::overrides::Error),
    /// The notice is closed.
    #[error("{0}")]
    NoticeClosed(domain::notice::Error),
    /// Whom the answer is for holds no grant that the notice concerns.
    #[error("{0}")]
    NotConcerned(domain::notice::Error),
    /// There is no table in the folder yet, or it cannot be listed; the text is as much as the caller may know.
    #[error("{0}")]
    TableUnreadable(String),
}

impl Conflict {
    fn reason(&self) -> Reason {
        match self {
            Self::ProductInactive => Reason::ProductInactive,
            Self::OwnPrincipal => Reason::PrincipalSelf,
            Self::PrincipalDisabled => Reason::PrincipalDisabled,
            Self::TooManyTokens => Reason::TokenTooMany,
            Self::LastAdmin => Reason::RoleLastAdmin,
            Self::WrongState(_) => Reason::ContractVersionWrongState,
            Self::AccessRequestDecided(_) => Reason::AccessRequestDecided,
            Self::GrantRevoked(_) => Reason::GrantRevoked,
            Self::VersionPublished { .. } => Reason::OverrideOfPublished,
            Self::VersionAllowed(_) => Reason::OverrideOfAllowed,
            Self::VersionAccepted(_) => Reason::OverrideExists,
            Self::NoOverride(_) => Reason::OverrideImpossible,
            Self::OverrideEnded(_) => Reason::OverrideEnded,
            Self::NoticeClosed(_) => Reason::NoticeClosed,
            Self::NotConcerned(_) => Reason::NoticeNotConcerned,
            Self::TableUnreadable(_) => Reason::TableUnreadable,
        }
    }
}

/// Why it may work later.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Unavailable {
    /// The database does not respond.
    #[error("the database is busy or unreachable")]
    Database,
    /// The provider of credentials failed.
    #[error("the credential provider failed")]
    Provider,
    /// The lease was revoked, or ended, while its credentials were made.
    #[error("the lease was revoked or had ended before its credentials were issued")]
    LeaseOver,
    /// The keys of a token issuer cannot be fetched.
    #[error("the keys of a token issuer are unavailable")]
    IssuerKeys,
    /// The first call with the idempotency key has not ended.
    #[error("the same call is in progress")]
    CallInProgress,
    /// Other registrations for the subject came first, again and again.
    #[error("too many concurrent registrations for this subject")]
    SubjectContended,
    /// A search takes longer than it may.
    #[error("the search took too long: use fewer or longer words")]
    SearchTooLong,
    /// The graph of lineage is being made for the first time since the start.
    #[error("lineage is being loaded after a start")]
    LineageUnbuilt,
}

impl Unavailable {
    fn reason(self) -> Reason {
        match self {
            Self::Database => Reason::ServerUnavailable,
            Self::Provider => Reason::ProviderFailed,
            Self::LeaseOver => Reason::LeaseOver,
            Self::IssuerKeys => Reason::IssuerUnavailable,
            Self::CallInProgress => Reason::CallInProgress,
            Self::SubjectContended => Reason::SubjectContended,
            Self::SearchTooLong => Reason::SearchTooLong,
            Self::LineageUnbuilt => Reason::LineageUnbuilt,
        }
    }
}

/// A failure of a use case.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// No token, or one that is not good here.
    #[error("sign in first: the token is missing, expired or not valid on this server")]
    Unauthenticated,
    /// The caller may not do this.
    #[error("not allowed to {0}")]
    Forbidden(Forbidden),
    /// It does not exist, or the caller may not know that it does: both have the same answer.
    #[error("{0} not found")]
    NotFound(Noun),
    /// An input that breaks a rule.
    #[error("{message}")]
    Invalid {
        /// The input's name, as the API spells it.
        field: &'static str,
        /// What is wrong with it.
        message: String,
    },
    /// The state of things does not allow it.
    #[error(transparent)]
    Conflict(#[from] Conflict),
    /// No new access is given to a major of a port.
    #[error(transparent)]
    PortClosed(#[from] domain::grant::Closed),
    /// The idempotency key was used for something else.
    #[error("the idempotency key was used for another request")]
    KeyReused,
    /// Too often; nothing happened.
    #[error("too many {what}: try again in {} s", .retry_after.as_secs().max(1))]
    TooMany {
        /// What there were too many of.
        what: &'static str,
        /// When it may be done again.
        retry_after: Duration,
    },
    /// It may work later; nothing happened.
    #[error("temporarily unavailable, try again: {0}")]
    Unavailable(Unavailable),
    /// A fault of ours; the text is for operators only.
    #[error("internal error")]
    Internal(#[source] Box<dyn std::error::Error + Send + Sync>),
}

impl Error {
    /// Whether a row of the database is the reason: it is damaged, or a newer program wrote it.
    pub(crate) fn is_of_a_row(&self) -> bool {
        match self {
            Self::Internal(source) => {
                matches!(source.downcast_ref::<store::Error>(), Some(store::Error::Inconsistent { .. }))
            }
            Self::Unauthenticated
            | Self::Forbidden(_)
            | Self::NotFound(_)
            | Self::Invalid { .. }
            | Self::Conflict(_)
            | Self::PortClosed(_)
            | Self::KeyReused
            | Self::TooMany { .. }
            | Self::Unavailable(_) => false,
        }
    }

    /// What kind of failure it is.
    pub fn kind(&self) -> Kind {
        match self {
            Self::Unauthenticated => Kind::Unauthenticated,
            Self::Forbidden(_) => Kind::Forbidden,
            Self::NotFound(_) => Kind::NotFound,
            Self::Invalid { .. } => Kind::Invalid,
            Self::Conflict(_) | Self::KeyReused => Kind::Conflict,
            Self::PortClosed(closed) => closed.kind(),
            Self::TooMany { .. } => Kind::TooMany,
            Self::Unavailable(_) => Kind::Unavailable,
            Self::Internal(_) => Kind::Internal,
        }
    }

    /// Which failure it is, where a client would branch.
    pub fn reason(&self) -> Option<Reason> {
        match self {
            Self::Forbidden(forbidden) => Some(forbidden.reason()),
            Self::NotFound(noun) => Some(noun.reason()),
            Self::Conflict(conflict) => Some(conflict.reason()),
            Self::PortClosed(closed) => Some(closed.why.reason()),
            Self::KeyReused => Some(Reason::KeyReused),
            Self::Unauthenticated => Some(Reason::TokenInvalid),
            Self::TooMany { .. } => Some(Reason::ClientTooMany),
            Self::Unavailable(unavailable) => Some(unavailable.reason()),
            Self::Internal(_) => Some(Reason::ServerFault),
            Self::Invalid { .. } => None,
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
            Kind::Unavailable | Kind::TooMany => Self::Unavailable(Unavailable::Database),
            Kind::Invalid
            | Kind::Unauthenticated
            | Kind::Forbidden
            | Kind::NotFound
            | Kind::Conflict
            | Kind::Stale
            | Kind::Refused
            | Kind::Internal => Self::Internal(Box::new(error)),
        }
    }
}

impl From<domain::grant::Error> for Error {
    fn from(error: domain::grant::Error) -> Self {
        use domain::grant::Error;
        match &error {
            Error::WindowEmpty | Error::WindowTooLong | Error::NoSentence => Self::invalid("input", error),
            Error::AlreadyDecided(_) => Conflict::AccessRequestDecided(error).into(),
            Error::AlreadyRevoked => Conflict::GrantRevoked(error).into(),
        }
    }
}

impl From<domain::overrides::Error> for Error {
    fn from(error: domain::overrides::Error) -> Self {
        match &error {
            domain::overrides::Error::BadExpiry => Self::invalid("expiresAt", error),
            domain::overrides::Error::NoReason(_) => Self::invalid("reason", error),
            domain::overrides::Error::NotStanding => Conflict::OverrideEnded(error).into(),
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
            domain::notice::Error::Closed => return Conflict::NoticeClosed(error).into(),
            domain::notice::Error::NotConcerned => return Conflict::NotConcerned(error).into(),
        };
        Self::invalid(field, error)
    }
}
