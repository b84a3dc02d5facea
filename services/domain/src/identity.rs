//! Who acts: principals, the roles they hold, and the purposes they act for.

use crate::clock::Timestamp;
use crate::closed_set;
use crate::id::{DomainId, PrincipalId, RoleId};

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
    /// When it was first known.
    pub created_at: Timestamp,
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
    /// What data is read for: the platform's list (docs/rules.md, Names and states).
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
