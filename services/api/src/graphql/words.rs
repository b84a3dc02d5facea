//! Enums of the schema that have their own names or descriptions.

use async_graphql::Enum;

/// An action on a table.
#[derive(Enum, Copy, Clone, Debug, PartialEq, Eq)]
pub(crate) enum Action {
    /// Read the served snapshot.
    Read,
    /// Read the head as it is, in order to fix it: owners and publishers.
    Repair,
    /// Write: publishers.
    Write,
}

impl From<Action> for domain::gate::Action {
    fn from(action: Action) -> Self {
        match action {
            Action::Read => Self::Read,
            Action::Repair => Self::Repair,
            Action::Write => Self::Write,
        }
    }
}

/// The purpose of reading data.
#[derive(Enum, Copy, Clone, Debug, PartialEq, Eq)]
#[graphql(remote = "domain::identity::PurposeCode")]
pub(crate) enum PurposeCode {
    /// Exploration and ad-hoc questions.
    Analytics,
    /// Recurring reports and dashboards.
    Reporting,
    /// Running a business process; the purpose of the domain's owners and publishers.
    Operations,
    /// Training or applying models.
    MachineLearning,
    /// Demonstrating compliance.
    Compliance,
    /// Supporting a customer or a colleague.
    Support,
}

/// The kind of a principal.
#[derive(Enum, Copy, Clone, Debug, PartialEq, Eq)]
pub(crate) enum PrincipalKind {
    /// A person.
    User,
    /// A program with a person as its owner.
    Service,
    /// A job inside the server.
    Inspector,
}

impl From<domain::identity::PrincipalKind> for PrincipalKind {
    fn from(kind: domain::identity::PrincipalKind) -> Self {
        match kind {
            domain::identity::PrincipalKind::User => Self::User,
            domain::identity::PrincipalKind::Service { .. } => Self::Service,
            domain::identity::PrincipalKind::Inspector => Self::Inspector,
        }
    }
}

/// The form of a token.
#[derive(Enum, Copy, Clone, Debug, PartialEq, Eq)]
pub(crate) enum TokenKind {
    /// Sent in the header `Authorization`.
    Bearer,
    /// A session of the web page, in a cookie.
    Session,
}

/// The kind of a new principal.
#[derive(Enum, Copy, Clone, Debug, PartialEq, Eq)]
pub(crate) enum NewPrincipalKind {
    /// A person.
    User,
    /// A program with a person as its owner.
    Service,
}

/// What a principal is to a domain (`OWNER`, `PUBLISHER`, `CONSUMER`) or to the platform (`ADMIN`, `STEWARD`, `AUDITOR`).
#[derive(Enum, Copy, Clone, Debug, PartialEq, Eq)]
pub(crate) enum RoleWord {
    /// Responsible for the domain's products and their readers.
    Owner,
    /// Publishes documents and writes tables.
    Publisher,
    /// Works in the domain.
    Consumer,
    /// Runs the platform.
    Admin,
    /// Sets the rules for all domains.
    Steward,
    /// Reads metadata about all access.
    Auditor,
}

impl From<domain::identity::Role> for RoleWord {
    fn from(role: domain::identity::Role) -> Self {
        use domain::identity::{DomainRole, PlatformRole, Role};
        match role {
            Role::Domain(_, DomainRole::Owner) => Self::Owner,
            Role::Domain(_, DomainRole::Publisher) => Self::Publisher,
            Role::Domain(_, DomainRole::Consumer) => Self::Consumer,
            Role::Platform(PlatformRole::Admin) => Self::Admin,
            Role::Platform(PlatformRole::Steward) => Self::Steward,
            Role::Platform(PlatformRole::Auditor) => Self::Auditor,
        }
    }
}

/// A consumer's reply to a notice of a breaking successor.
#[derive(Enum, Copy, Clone, Debug, PartialEq, Eq)]
#[graphql(remote = "domain::notice::ReplyKind")]
pub(crate) enum NoticeReply {
    /// It will move in time.
    Acknowledged,
    /// It needs the old major for longer.
    NeedsTime,
    /// It cannot or will not move.
    Objects,
}

/// How far a domain's contracts bind readers.
#[derive(Enum, Copy, Clone, Debug, PartialEq, Eq)]
#[graphql(remote = "domain::org::Enforcement")]
pub(crate) enum Enforcement {
    /// Conformance and quality are not judged.
    Off,
    /// They are judged and recorded, but do not refuse.
    Report,
    /// They bind.
    On,
}

/// The state of a product.
#[derive(Enum, Copy, Clone, Debug, PartialEq, Eq)]
pub(crate) enum ProductState {
    /// Proposed.
    Proposed,
    /// In development.
    Draft,
    /// In service.
    Active,
    /// Still served to existing consumers.
    Deprecated,
    /// No longer offered.
    Retired,
}

impl From<&domain::product::State> for ProductState {
    fn from(state: &domain::product::State) -> Self {
        use domain::product::State;
        match state {
            State::Proposed => Self::Proposed,
            State::Draft => Self::Draft,
            State::Active { .. } => Self::Active,
            State::Deprecated { .. } => Self::Deprecated,
            State::Retired { .. } => Self::Retired,
        }
    }
}

/// How sensitive data is.
#[derive(Enum, Copy, Clone, Debug, PartialEq, Eq)]
#[graphql(remote = "domain::contract::Classification")]
pub(crate) enum Classification {
    /// Public.
    Public,
    /// For everyone in the organisation.
    Internal,
    /// On a need-to-know basis.
    Confidential,
    /// For named principals.
    Restricted,
}

/// The state of a contract version.
#[derive(Enum, Copy, Clone, Debug, PartialEq, Eq)]
pub(crate) enum ContractState {
    /// It waits; see `reasons`.
    Draft,
    /// It is the current version of its major.
    Active,
    /// Replaced by a newer version of its major.
    Superseded,
    /// It is served until its sunset.
    Deprecated,
    /// It is no longer served.
    Retired,
}

impl From<&domain::contract::State> for ContractState {
    fn from(state: &domain::contract::State) -> Self {
        use domain::contract::State;
        match state {
            State::Draft { .. } => Self::Draft,
            State::Active { .. } => Self::Active,
            State::Superseded { .. } => Self::Superseded,
            State::Deprecated { .. } => Self::Deprecated,
            State::Retired { .. } => Self::Retired,
        }
    }
}

/// The snapshot to serve if the newest is not good.
#[derive(Enum, Copy, Clone, Debug, PartialEq, Eq)]
#[graphql(remote = "domain::contract::GateMode")]
pub(crate) enum GateMode {
    /// None; the gate is shut.
    Block,
    /// The newest snapshot that passed.
    LastGood,
    /// The newest snapshot, with its findings in the answer.
    Warn,
}

/// A version bump.
#[derive(Enum, Copy, Clone, Debug, PartialEq, Eq)]
#[graphql(remote = "domain::version::Bump")]
pub(crate) enum Bump {
    /// Nothing changed.
    None,
    /// No change that is visible to readers.
    Patch,
    /// The promise changed, without breaking readers.
    Minor,
    /// Readers may break.
    Major,
}

/// A table's format.
#[derive(Enum, Copy, Clone, Debug, PartialEq, Eq)]
#[graphql(remote = "domain::table::Format")]
pub(crate) enum TableFormat {
    /// Delta Lake.
    Delta,
    /// A folder of Parquet files.
    Parquet,
}

/// The state of a snapshot.
#[derive(Enum, Copy, Clone, Debug, PartialEq, Eq)]
#[graphql(remote = "domain::table::SnapshotState")]
pub(crate) enum SnapshotState {
    /// Noticed, not inspected yet.
    Pending,
    /// Inspected.
    Inspected,
    /// A newer one was inspected first; never served.
    Skipped,
    /// The inspection failed.
    Error,
}

/// The result of an inspection.
#[derive(Enum, Copy, Clone, Debug, PartialEq, Eq)]
#[graphql(remote = "domain::quality::Verdict")]
pub(crate) enum VerdictWord {
    /// All rules hold.
    Pass,
    /// A rule of severity `WARNING` does not hold, or a column is undeclared.
    Warn,
    /// A rule of severity `ERROR` does not hold, or the snapshot does not conform.
    Fail,
    /// The inspection failed, or a rule could not be measured.
    Error,
}

/// The severity of a broken rule.
#[derive(Enum, Copy, Clone, Debug, PartialEq, Eq)]
#[graphql(remote = "domain::quality::Severity")]
pub(crate) enum Severity {
    /// Reported only.
    Info,
    /// The verdict becomes `WARN`.
    Warning,
    /// The verdict becomes `FAIL`.
    Error,
}

/// The outcome of a rule.
#[derive(Enum, Copy, Clone, Debug, PartialEq, Eq)]
#[graphql(remote = "domain::quality::Outcome")]
pub(crate) enum RuleOutcome {
    /// It holds.
    Pass,
    /// It does not hold.
    Fail,
    /// It could not be measured.
    Error,
    /// Rules of this kind are not run.
    NotRun,
}

/// The unit in which a count is compared.
#[derive(Enum, Copy, Clone, Debug, PartialEq, Eq)]
#[graphql(remote = "domain::quality::Unit")]
pub(crate) enum QualityUnit {
    /// Rows.
    Rows,
    /// Percent of all rows.
    Percent,
}

/// The life of an access request.
#[derive(Enum, Copy, Clone, Debug, PartialEq, Eq)]
#[graphql(remote = "domain::grant::RequestState")]
pub(crate) enum AccessRequestState {
    /// Waiting for a decision of an owner.
    Pending,
    /// Approved: a grant exists.
    Approved,
    /// Rejected by an owner.
    Rejected,
    /// Withdrawn by the requester.
    Withdrawn,
}

/// The current state of a grant.
#[derive(Enum, Copy, Clone, Debug, PartialEq, Eq)]
pub(crate) enum GrantState {
    /// Its window has not started.
    Upcoming,
    /// It is active.
    Active,
    /// Its window has ended.
    Ended,
    /// It was revoked.
    Revoked,
}

/// The outcome of a check.
#[derive(Enum, Copy, Clone, Debug, PartialEq, Eq)]
#[graphql(remote = "domain::gate::LineOutcome")]
pub(crate) enum LineOutcome {
    /// It holds.
    Holds,
    /// It holds, with a warning.
    Warns,
    /// It does not hold, and binds.
    Fails,
    /// It does not hold, and does not bind this action or this domain.
    NotBinding,
    /// It was not checked.
    NotChecked,
}

/// The state of a lease. An expired lease is `ENDED`.
#[derive(Enum, Copy, Clone, Debug, PartialEq, Eq)]
#[graphql(remote = "domain::lease::LeaseState")]
pub(crate) enum LeaseState {
    /// Recorded before the provider is called.
    Intended,
    /// Issued.
    Issued,
    /// Returned, expired, or never issued because the provider failed.
    Ended,
    /// Revoked.
    Revoked,
}

/// The kind of a document.
#[derive(Enum, Copy, Clone, Debug, PartialEq, Eq)]
#[graphql(remote = "app::publish::DocumentKind")]
pub(crate) enum DocumentKind {
    /// A data product.
    Product,
    /// A contract version.
    Contract,
}

/// What happens to a product or contract version.
#[derive(Enum, Copy, Clone, Debug, PartialEq, Eq)]
#[graphql(remote = "app::publish::ChangeKind")]
pub(crate) enum ChangeKind {
    /// It is new.
    Added,
    /// Its document changes.
    Changed,
    /// Only its state changes.
    Transition,
    /// Nothing.
    Unchanged,
    /// It is not in the set, and is retired.
    Removed,
}
