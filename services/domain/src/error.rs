//! The kinds of failure. Every error has one, and each interface maps it to its own status.

/// What a caller can conclude from an error, without its protocol. GraphQL, every door and the command line have one
/// table each from kind to answer.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Kind {
    /// The input is not well formed or breaks a rule of its own; sending it again will not help.
    Invalid,
    /// The caller is not known: no token, or one that is not good here.
    Unauthenticated,
    /// The caller is known and may know of the thing, but may not do this.
    Forbidden,
    /// The thing does not exist, or the caller may not know that it does.
    NotFound,
    /// The thing exists already, or its state does not allow this.
    Conflict,
    /// The caller has seen an older state of the thing; read it again.
    Stale,
    /// The gate or a contract says no.
    Refused,
    /// Too much, too often, too large.
    TooMany,
    /// It may work later; nothing happened.
    Unavailable,
    /// A fault of ours.
    Internal,
}

impl Kind {
    /// The word for it in `extensions.code` and in `--json`.
    pub fn code(self) -> &'static str {
        match self {
            Self::Invalid => "INVALID",
            Self::Unauthenticated => "UNAUTHENTICATED",
            Self::Forbidden => "FORBIDDEN",
            Self::NotFound => "NOT_FOUND",
            Self::Conflict => "CONFLICT",
            Self::Stale => "STALE",
            Self::Refused => "REFUSED",
            Self::TooMany => "TOO_MANY",
            Self::Unavailable => "UNAVAILABLE",
            Self::Internal => "INTERNAL",
        }
    }
}
