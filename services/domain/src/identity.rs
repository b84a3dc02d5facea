//! Principals, their roles, and the purposes of their access.

use crate::clock::Timestamp;
use crate::closed_set;
use crate::error::Kind;
use crate::id::{DomainId, PrincipalId, RoleId, TokenId};
use crate::pending::Pending;

/// The issuer of principals that Charterhouse itself knows, without an identity provider.
pub const LOCAL_ISSUER: &str = "charterhouse";
/// The longest subject, in bytes.
pub const MAX_SUBJECT_BYTES: usize = 255;

/// A user or service account. Its identity is (issuer, subject), never the subject alone.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Principal {
    /// Its id.
    pub id: PrincipalId,
    /// Who vouches for it.
    pub issuer: String,
    /// Its name at the issuer; unique there.
    pub subject: String,
    /// What it is.
    pub kind: PrincipalKind,
    /// Whether it may act at all.
    pub enabled: bool,
    /// When it was disabled last, whether or not it was enabled since.
    pub disabled: Option<Disabled>,
    /// When it was first known.
    pub created_at: Timestamp,
}

/// A principal was disabled. Tokens issued until then stay invalid when it is enabled again.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Disabled {
    /// When.
    pub at: Timestamp,
    /// By whom.
    pub by: PrincipalId,
}

/// What a principal is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum PrincipalKind {
    /// A person.
    User,
    /// A program.
    Service {
        /// The person who answers for it. The two count as one where approvals are separated.
        owner: PrincipalId,
    },
    /// A job inside the server. It never has a token.
    Inspector,
}

impl Principal {
    /// The person behind the principal: itself, or the owner of a service account.
    pub fn person(&self) -> PrincipalId {
        match self.kind {
            PrincipalKind::Service { owner } => owner,
            PrincipalKind::User | PrincipalKind::Inspector => self.id,
        }
    }
}

/// Verifies the tokens of one issuer. The issuer is the verifier's own and not a claim it passes on, so one issuer can
/// never vouch for another's principals.
pub trait Verifier: Send + Sync + 'static {
    /// The issuer, compared exactly: the first half of every principal's identity.
    fn issuer(&self) -> &str;

    /// Verifies a token at a moment: signature, issuer, audience, claims and time.
    ///
    /// # Errors
    /// [`VerifyError`], by the first thing that is wrong.
    fn verify<'a>(&'a self, token: &'a str, now: Timestamp) -> Pending<'a, Result<VerifiedToken, VerifyError>>;
}

/// What a valid token says.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct VerifiedToken {
    /// Its id, if the local issuer registered it.
    pub id: Option<TokenId>,
    /// When it was issued.
    pub issued_at: Timestamp,
    /// The principal's name at the issuer.
    pub subject: String,
    /// The only purpose that data may be read for with it.
    pub purpose: Option<PurposeCode>,
    /// The first moment at which it is valid, the issuer's leeway included.
    pub valid_from: Timestamp,
    /// The first moment at which it is no longer valid, the issuer's leeway included.
    pub valid_until: Timestamp,
}

impl VerifiedToken {
    /// Whether the token is valid at a moment.
    ///
    /// # Errors
    /// [`VerifyError::NotYet`], [`VerifyError::Expired`].
    pub fn check_time(&self, now: Timestamp) -> Result<(), VerifyError> {
        if now < self.valid_from {
            return Err(VerifyError::NotYet);
        }
        if now >= self.valid_until {
            return Err(VerifyError::Expired);
        }
        Ok(())
    }
}

/// Why a token is not valid, or cannot be checked. Callers are told no more than its kind; this is for the log.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum VerifyError {
    /// It is longer than any token that is read.
    #[error("the token is too long")]
    TooLong,
    /// It is not a token at all, or its header cannot be read; an unknown algorithm is one reason.
    #[error("the token is malformed")]
    Malformed,
    /// Its header names no key of the issuer.
    #[error("the token names an unknown key")]
    UnknownKey,
    /// Its header is not the one that the issuer writes: another algorithm or type, or extra fields.
    #[error("the token's header is invalid")]
    Header,
    /// The signature is not valid.
    #[error("the token's signature is not valid")]
    Signature,
    /// It is from another issuer.
    #[error("the token is from another issuer")]
    Issuer,
    /// It is for another audience.
    #[error("the token is for another audience")]
    Audience,
    /// A claim is missing, has the wrong type, or contradicts the others.
    #[error("the token's claims are not valid")]
    Claims,
    /// It is not valid yet.
    #[error("the token is not valid yet")]
    NotYet,
    /// It has expired.
    #[error("the token has expired")]
    Expired,
    /// It is not registered, or was revoked, or its principal was disabled since it was issued.
    #[error("the token is not registered, or was revoked")]
    Revoked,
    /// It cannot be checked now: the issuer's keys are not to be had.
    #[error("the issuer's keys are unavailable")]
    Unavailable,
}

impl VerifyError {
    /// What kind of failure it is.
    pub fn kind(self) -> Kind {
        match self {
            Self::TooLong
            | Self::Malformed
            | Self::UnknownKey
            | Self::Header
            | Self::Signature
            | Self::Issuer
            | Self::Audience
            | Self::Revoked
            | Self::Claims
            | Self::NotYet
            | Self::Expired => Kind::Unauthenticated,
            Self::Unavailable => Kind::Unavailable,
        }
    }
}

closed_set! {
    /// What a principal is to a domain and all domains below it.
    DomainRole {
        /// Answers for the domain's products and their readers.
        Owner = "owner",
        /// Publishes documents and writes tables.
        Publisher = "publisher",
        /// Works in the domain; asks for access like everybody else.
        Consumer = "consumer",
    }
}

closed_set! {
    /// What a principal is to the platform. None of them gives access to data.
    PlatformRole {
        /// Runs the platform: domains, principals, roles.
        Admin = "admin",
        /// Sets the rules for all domains.
        Steward = "steward",
        /// Reads everything about access.
        Auditor = "auditor",
    }
}

/// A role and where it holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Role {
    /// In a domain and all below it.
    Domain(DomainId, DomainRole),
    /// On the platform.
    Platform(PlatformRole),
}

/// A role held by a principal.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RoleAssignment {
    /// Its id.
    pub id: RoleId,
    /// Who holds it.
    pub principal_id: PrincipalId,
    /// The role.
    pub role: Role,
    /// Who assigned it.
    pub assigned_by: PrincipalId,
    /// When.
    pub assigned_at: Timestamp,
}

closed_set! {
    /// What data is read for: the platform's list (`docs/rules.md`, "Names and states").
    PurposeCode {
        /// Exploring and answering questions.
        Analytics = "analytics",
        /// Recurring reports and dashboards.
        Reporting = "reporting",
        /// Running a business process; the purpose of the domain's own principals.
        Operations = "operations",
        /// Training or applying models.
        MachineLearning = "machine_learning",
        /// Showing that rules are kept.
        Compliance = "compliance",
        /// Helping a customer or a colleague.
        Support = "support",
    }
}
