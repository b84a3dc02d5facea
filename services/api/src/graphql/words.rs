//! The words of closed sets, as GraphQL spells them.

use async_graphql::Enum;

/// What is to be done with a table.
#[derive(Enum, Copy, Clone, Debug, PartialEq, Eq)]
pub(crate) enum Action {
    /// Read the served snapshot.
    Read,
    /// Read the head as it is, to mend it: owners and publishers.
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

/// What data is read for.
#[derive(Enum, Copy, Clone, Debug, PartialEq, Eq)]
#[graphql(remote = "domain::identity::PurposeCode")]
pub(crate) enum PurposeCode {
    /// Exploring and answering questions.
    Analytics,
    /// Recurring reports and dashboards.
    Reporting,
    /// Running a business process; the purpose of the domain's own principals.
    Operations,
    /// Training or applying models.
    MachineLearning,
    /// Showing that rules are kept.
    Compliance,
    /// Helping a customer or a colleague.
    Support,
}

/// What a principal is.
#[derive(Enum, Copy, Clone, Debug, PartialEq, Eq)]
pub(crate) enum PrincipalKind {
    /// A person.
    User,
    /// A program that a person answers for.
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

/// What a new principal is.
#[derive(Enum, Copy, Clone, Debug, PartialEq, Eq)]
pub(crate) enum NewPrincipalKind {
    /// A person.
    User,
    /// A program that a person answers for.
    Service,
}

/// What a principal is to a domain (`OWNER`, `PUBLISHER`, `CONSUMER`) or to the platform (`ADMIN`, `STEWARD`, `AUDITOR`).
#[derive(Enum, Copy, Clone, Debug, PartialEq, Eq)]
pub(crate) enum RoleWord {
    /// Answers for the domain's products and their readers.
    Owner,
    /// Publishes documents and writes tables.
    Publisher,
    /// Works in the domain.
    Consumer,
    /// Runs the platform.
    Admin,
    /// Sets the rules for all domains.
    Steward,
    /// Reads everything about access.
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

/// What a consumer answers to a notice of a breaking successor.
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

/// How far a domain's contracts bind its readers.
#[derive(Enum, Copy, Clone, Debug, PartialEq, Eq)]
#[graphql(remote = "domain::org::Enforcement")]
pub(crate) enum Enforcement {
    /// Conformance and quality are not judged.
    Off,
    /// They are judged and recorded, and refuse nobody.
    Report,
    /// They bind.
    On,
}

/// Where a product stands.
#[derive(Enum, Copy, Clone, Debug, PartialEq, Eq)]
pub(crate) enum ProductState {
    /// Somebody would like it to exist.
    Proposed,
    /// It is being made.
    Draft,
    /// It is offered.
    Active,
    /// It goes on for those who use it.
    Deprecated,
    /// It is offered no more.
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
    /// For everybody.
    Public,
    /// For everybody inside.
    Internal,
    /// For those with a reason.
    Confidential,
    /// For those named.
    Restricted,
}

/// Where a contract version stands.
#[derive(Enum, Copy, Clone, Debug, PartialEq, Eq)]
pub(crate) enum ContractState {
    /// It waits; `reasons` say what for.
    Draft,
    /// It is the current version of its major.
    Active,
    /// A newer version of its major took its place.
    Superseded,
    /// It serves until its sunset.
    Deprecated,
    /// It serves no more.
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

/// Which snapshot is served when the newest is bad.
#[derive(Enum, Copy, Clone, Debug, PartialEq, Eq)]
#[graphql(remote = "domain::contract::GateMode")]
pub(crate) enum GateMode {
    /// None: the gate is shut.
    Block,
    /// The newest that passed.
    LastGood,
    /// The newest, with its findings in the answer.
    Warn,
}

/// How far a version must move.
#[derive(Enum, Copy, Clone, Debug, PartialEq, Eq)]
#[graphql(remote = "domain::version::Bump")]
pub(crate) enum Bump {
    /// Nothing changed.
    None,
    /// Nothing that a reader can see changed.
    Patch,
    /// The promise changed and nobody breaks.
    Minor,
    /// Somebody may break.
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

/// Where a snapshot stands.
#[derive(Enum, Copy, Clone, Debug, PartialEq, Eq)]
#[graphql(remote = "domain::table::SnapshotState")]
pub(crate) enum SnapshotState {
    /// Noticed, not looked at yet.
    Pending,
    /// Looked at.
    Inspected,
    /// A newer one was looked at first; never served.
    Skipped,
    /// It could not be looked at.
    Error,
}

/// What an inspection found.
#[derive(Enum, Copy, Clone, Debug, PartialEq, Eq)]
#[graphql(remote = "domain::quality::Verdict")]
pub(crate) enum VerdictWord {
    /// All rules hold.
    Pass,
    /// A rule of severity `WARNING` does not hold, or a column is undeclared.
    Warn,
    /// A rule of severity `ERROR` does not hold, or the snapshot does not conform.
    Fail,
    /// The inspection could not be done, or a rule of it.
    Error,
}

/// How much a broken rule weighs.
#[derive(Enum, Copy, Clone, Debug, PartialEq, Eq)]
#[graphql(remote = "domain::quality::Severity")]
pub(crate) enum Severity {
    /// It is reported.
    Info,
    /// The verdict becomes `WARN`.
    Warning,
    /// The verdict becomes `FAIL`.
    Error,
}

/// The answer of one rule.
#[derive(Enum, Copy, Clone, Debug, PartialEq, Eq)]
#[graphql(remote = "domain::quality::Outcome")]
pub(crate) enum RuleOutcome {
    /// It holds.
    Pass,
    /// It does not hold.
    Fail,
    /// It could not be measured.
    Error,
    /// It is of a kind that is not run.
    NotRun,
}

/// What a count is compared as.
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
    /// Waiting for an owner.
    Pending,
    /// A grant was given.
    Approved,
    /// Refused by an owner.
    Rejected,
    /// Taken back by who asked.
    Withdrawn,
}

/// Where a grant stands now.
#[derive(Enum, Copy, Clone, Debug, PartialEq, Eq)]
pub(crate) enum GrantState {
    /// Its window has not begun.
    Upcoming,
    /// It is in force.
    Active,
    /// Its window is over.
    Ended,
    /// It was ended early.
    Revoked,
}

/// What became of one check.
#[derive(Enum, Copy, Clone, Debug, PartialEq, Eq)]
#[graphql(remote = "domain::gate::LineOutcome")]
pub(crate) enum LineOutcome {
    /// It holds.
    Holds,
    /// It holds, with something to know.
    Warns,
    /// It does not hold, and binds.
    Fails,
    /// It does not hold, and does not bind this action or this domain.
    NotBinding,
    /// It was not looked at.
    NotChecked,
}

/// The life of a lease. One whose time is over has ended.
#[derive(Enum, Copy, Clone, Debug, PartialEq, Eq)]
#[graphql(remote = "domain::lease::LeaseState")]
pub(crate) enum LeaseState {
    /// Written down before a provider is asked.
    Intended,
    /// Handed out.
    Issued,
    /// Given back, over, or never made because the provider failed.
    Ended,
    /// Ended by a revoke.
    Revoked,
}

/// What a document is a document of.
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
    /// Its document is another one now.
    Changed,
    /// Only its state changes.
    Transition,
    /// Nothing.
    Unchanged,
    /// It was not in the set and is retired.
    Removed,
}
