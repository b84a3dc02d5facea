//! The gate: the one function that says who may reach the data behind a contract, and why (`docs/design.md`, "The
//! gate").
//!
//! [`decide`] is pure and the same at every door. It is given a [`Request`] and [`Facts`] that were stored and read at
//! one revision, so nothing depends on a timer having fired. Which checks bind an action is in [`action`]; which
//! snapshot a lease is about is in [`served`]. A decision that allows carries a [`Permit`], the only value from which
//! credentials can be made ([`crate::lease::Lease::issue`]); its fields are private to this module.
//!
//! To add a check: a variant of [`Check`], its column in [`action::binds`], a function here, and rows in the tests. To add
//! a reason: a variant of [`Code`], the branch that gives it, and a row in the tests.

pub mod action;
mod code;
pub mod open;
pub mod served;

use std::time::Duration;

pub use self::action::{Action, Check};
pub use self::code::Code;
use self::served::{Served, Snapshots};
use crate::clock::Timestamp;
use crate::closed_set;
use crate::contract::{Classification, Settings, State};
use crate::grant::Grant;
use crate::id::{BindingId, DecisionId, GrantId, PrincipalId, SnapshotId, TableId};
use crate::identity::PurposeCode;
use crate::lease;
use crate::org::Enforcement;
use crate::share::BindingRight;
use crate::version::Version;

/// What is asked of the gate.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Request {
    /// The decision's id.
    pub decision_id: DecisionId,
    /// Who asks.
    pub principal_id: PrincipalId,
    /// To do what.
    pub action: Action,
    /// With which binding.
    pub binding_id: BindingId,
    /// The binding's table.
    pub table_id: TableId,
    /// For which purpose, where the caller's token says.
    pub purpose: Option<PurposeCode>,
    /// For how long, where the caller says.
    pub lifetime: Option<Duration>,
    /// The moment of asking.
    pub now: Timestamp,
}

/// All that a decision depends on, read at one revision.
#[derive(Clone, Debug, PartialEq)]
pub struct Facts {
    /// Whether the principal is known and enabled.
    pub principal_enabled: bool,
    /// Whether the policy lets the principal know that the product exists.
    pub visibility: Visibility,
    /// What the policy says of the action.
    pub policy: PolicyAnswer,
    /// Whether the product is `active` or `deprecated`.
    pub product_served: bool,
    /// The contract version in question.
    pub contract: ContractFacts,
    /// The domain's enforcement at the moment of asking.
    pub enforcement: Enforcement,
    /// Whether a role in the product's domain gives the right to read.
    pub role_grants: bool,
    /// The principal's grants on the port major, ended ones too.
    pub grants: Vec<Grant>,
    /// What is known of the table's snapshots, judged for this binding by the current rules.
    pub snapshots: Snapshots,
    /// Whether the binding stands, where several products are bound to the table.
    pub binding: BindingRight,
    /// Whether the table's location is registered for it alone, with no overlap.
    pub location_is_its_own: bool,
}

/// Whether the caller may know of the product that the binding belongs to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Visibility {
    /// Decided before the gate is asked: the binding was found by a look-up that finds nothing for those who may not know
    /// of the product, and answers them as if it did not exist. In the server [`Check::Visibility`] fails for shared
    /// tables alone; asking the policies again for the others would cost an evaluation for each decision.
    Established,
    /// The caller may not know of the product. For callers of [`decide`] that find bindings in another way.
    Hidden,
    /// The caller may know of the product, and not of data of the table's classification: the table is shared with a
    /// product that is classified higher.
    Classified,
}

/// What the policy says.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PolicyAnswer {
    /// Whether the action is allowed. Never true where `errors` is not empty.
    pub allowed: bool,
    /// The policies that decided, for owners and stewards.
    pub policy_ids: Vec<String>,
    /// Errors of evaluation; any of them is a refusal.
    pub errors: Vec<String>,
}

/// The contract version that the gate judges: the current one of the grant's major.
#[derive(Clone, Debug, PartialEq)]
pub struct ContractFacts {
    /// The version.
    pub version: Version,
    /// Whether it is in force, and until when.
    pub state: State,
    /// The contract's own settings of the gate.
    pub settings: Settings,
    /// How late data may be, by the contract's SLA.
    pub freshness: Option<Duration>,
}

closed_set! {
    /// What became of one check.
    LineOutcome {
        /// The check holds.
        Holds = "holds",
        /// It holds, with remarks.
        Warns = "warns",
        /// It does not hold, and binds.
        Fails = "fails",
        /// It does not hold, and does not bind this action or this domain.
        NotBinding = "not_binding",
        /// It was not looked at: the action does not ask for it, or an earlier check stopped.
        NotChecked = "not_checked",
    }
}

/// One line of a decision.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Line {
    /// The check.
    pub check: Check,
    /// What became of it.
    pub outcome: LineOutcome,
    /// The reason, for programs.
    pub code: Code,
    /// The reason for people. It names nothing that the caller may not know.
    pub message: String,
    /// More, for those with the right to it.
    pub details: Vec<Detail>,
}

/// A part of a line that not everybody may see.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Detail {
    /// Who may see it.
    pub right: DetailRight,
    /// The text.
    pub text: String,
}

/// Who may see a detail (`docs/design.md`, "The gate").
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum DetailRight {
    /// Those who may know of a column of this classification.
    Column(Classification),
    /// Readers of the quality page: everybody who may see the product.
    Quality,
    /// The domain's owners, and stewards: values, paths, policy ids.
    Owner,
}

/// The gate's answer.
#[derive(Debug, PartialEq)]
pub struct Decision {
    /// Its id.
    pub id: DecisionId,
    /// Who asked.
    pub principal_id: PrincipalId,
    /// To do what.
    pub action: Action,
    /// With which binding.
    pub binding_id: BindingId,
    /// When.
    pub at: Timestamp,
    /// One line for each check, in their order.
    pub lines: Vec<Line>,
    /// The snapshot that a lease would be about.
    pub served: Option<SnapshotId>,
    /// When asking again may help, where we know.
    pub retry_at: Option<Timestamp>,
    permit: Option<Permit>,
}

impl Decision {
    /// Whether the gate is open.
    pub fn allows(&self) -> bool {
        self.permit.is_some()
    }

    /// The permit of a decision that allows.
    ///
    /// # Errors
    /// The refusal, with the same lines.
    pub fn into_permit(mut self) -> Result<Permit, Box<Self>> {
        self.permit.take().ok_or_else(|| Box::new(self))
    }

    /// The decision without its permit, for showing and keeping.
    pub fn explained(&self) -> Explained {
        Explained {
            id: self.id,
            principal_id: self.principal_id,
            action: self.action,
            binding_id: self.binding_id,
            at: self.at,
            allowed: self.allows(),
            lines: self.lines.clone(),
            served: self.served,
            retry_at: self.retry_at,
        }
    }
}

/// A decision as it is kept and shown. Nothing can be opened with it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Explained {
    /// Its id.
    pub id: DecisionId,
    /// Who asked.
    pub principal_id: PrincipalId,
    /// To do what.
    pub action: Action,
    /// With which binding.
    pub binding_id: BindingId,
    /// When.
    pub at: Timestamp,
    /// Whether the gate was open.
    pub allowed: bool,
    /// One line for each check.
    pub lines: Vec<Line>,
    /// The snapshot that a lease would be about.
    pub served: Option<SnapshotId>,
    /// When asking again may help.
    pub retry_at: Option<Timestamp>,
}

/// A decision that allows. Only [`decide`] makes one.
#[derive(Debug, PartialEq, Eq)]
pub struct Permit {
    decision_id: DecisionId,
    principal_id: PrincipalId,
    action: Action,
    binding_id: BindingId,
    table_id: TableId,
    served: Option<SnapshotId>,
    grant_id: Option<GrantId>,
    purpose: PurposeCode,
    expires_at: Timestamp,
}

impl Permit {
    /// The decision it comes from.
    pub fn decision_id(&self) -> DecisionId {
        self.decision_id
    }

    /// Who may act.
    pub fn principal_id(&self) -> PrincipalId {
        self.principal_id
    }

    /// What may be done.
    pub fn action(&self) -> Action {
        self.action
    }

    /// The binding it was decided about.
    pub fn binding_id(&self) -> BindingId {
        self.binding_id
    }

    /// The table it opens.
    pub fn table_id(&self) -> TableId {
        self.table_id
    }

    /// The snapshot to serve; `None` where the action is about the folder as it is.
    pub fn served(&self) -> Option<SnapshotId> {
        self.served
    }

    /// The grant it hangs on.
    pub fn grant_id(&self) -> Option<GrantId> {
        self.grant_id
    }

    /// The purpose.
    pub fn purpose(&self) -> PurposeCode {
        self.purpose
    }

    /// The end of anything made from it.
    pub fn expires_at(&self) -> Timestamp {
        self.expires_at
    }
}

/// Decides.
///
/// Identity and visibility stop early; after them every check that the action asks for is looked at, so that the answer
/// tells everything that is missing.
pub fn decide(request: &Request, facts: &Facts) -> Decision {
    let mut answer = Answer { action: request.action, enforcement: facts.enforcement, lines: Vec::new() };
    let mut decision = Decision {
        id: request.decision_id,
        principal_id: request.principal_id,
        action: request.action,
        binding_id: request.binding_id,
        at: request.now,
        lines: Vec::new(),
        served: None,
        retry_at: None,
        permit: None,
    };

    answer.put(identity(facts));
    if !answer.fails() {
        answer.put(visibility(facts));
    }
    if answer.fails() {
        decision.lines = answer.finish();
        return decision;
    }

    let (grant_line, right) = match action::binds(request.action, Check::Grant) {
        true => grant(request, facts),
        false => (not_checked(Check::Grant), None),
    };
    let served = served::choose(facts, request.now);
    answer.put(policy(facts));
    answer.put(contract(request, facts));
    answer.put(grant_line);
    answer.put(served.conformance.clone());
    answer.put(served.quality.clone());
    let about_a_snapshot = request.action == Action::Read;
    let (scope_line, expires_at) = scope(request, facts, right.as_ref(), &served, about_a_snapshot);
    answer.put(scope_line);

    let open = !answer.fails();
    decision.served = if about_a_snapshot { served.snapshot.as_ref().map(|judged| judged.snapshot_id) } else { None };
    decision.retry_at = if open { None } else { served.retry_at };
    if let (true, Some(expires_at)) = (open, expires_at) {
        let right = right.unwrap_or(Right { grant_id: None, purpose: PurposeCode::Operations, until: None });
        decision.permit = Some(Permit {
            decision_id: request.decision_id,
            principal_id: request.principal_id,
            action: request.action,
            binding_id: request.binding_id,
            table_id: request.table_id,
            served: decision.served,
            grant_id: right.grant_id,
            purpose: right.purpose,
            expires_at,
        });
    }
    decision.lines = answer.finish();
    decision
}

/// The lines as they come, each made binding or not for the action and the domain.
struct Answer {
    action: Action,
    enforcement: Enforcement,
    lines: Vec<Line>,
}

impl Answer {
    fn put(&mut self, mut line: Line) {
        let is_binding = action::binds(self.action, line.check);
        let judged = matches!(line.check, Check::Conformance | Check::Quality);
        line = match (is_binding, judged, self.enforcement) {
            (false, _, _) | (true, true, Enforcement::Off) => not_checked(line.check),
            (true, true, Enforcement::Report) if line.outcome == LineOutcome::Fails => {
                Line { outcome: LineOutcome::NotBinding, ..line }
            }
            _ => line,
        };
        self.lines.push(line);
    }

    fn fails(&self) -> bool {
        self.lines.iter().any(|line| line.outcome == LineOutcome::Fails)
    }

    fn finish(mut self) -> Vec<Line> {
        for check in Check::ALL.iter().skip(self.lines.len()) {
            self.lines.push(not_checked(*check));
        }
        self.lines
    }
}

/// What gives the right to read: a grant, or a role.
struct Right {
    grant_id: Option<GrantId>,
    purpose: PurposeCode,
    until: Option<Timestamp>,
}

fn identity(facts: &Facts) -> Line {
    if facts.principal_enabled {
        holds(Check::Identity, "the caller is known")
    } else {
        fails(Code::IdentityUnknown, "the caller is unknown or disabled")
    }
}

fn visibility(facts: &Facts) -> Line {
    match facts.visibility {
        Visibility::Established => holds(Check::Visibility, "the caller may know of the product"),
        Visibility::Hidden => fails(Code::VisibilityHidden, "not found"),
        Visibility::Classified => {
            let message = "the table's data is classified higher than the product, and the caller may not know of it";
            fails(Code::VisibilityClassified, message)
        }
    }
}

fn policy(facts: &Facts) -> Line {
    let answer = &facts.policy;
    let line = if !answer.errors.is_empty() {
        fails(Code::PolicyError, "a policy could not be evaluated, so access is refused")
    } else if answer.allowed {
        holds(Check::Policy, "the policies allow it")
    } else {
        fails(Code::PolicyDenied, "no policy allows it, or one forbids it")
    };
    let mut line = line;
    let owner = |text: String| Detail { right: DetailRight::Owner, text };
    line.details.extend(answer.policy_ids.iter().map(|id| owner(format!("policy `{id}`"))));
    line.details.extend(answer.errors.iter().map(|error| owner(error.clone())));
    line
}

fn contract(request: &Request, facts: &Facts) -> Line {
    let version = facts.contract.version;
    let only_not_retired = request.action == Action::Write;
    if !facts.product_served && !only_not_retired {
        return fails(Code::ContractProductInactive, "the data product is not active");
    }
    let (code, message) = match &facts.contract.state {
        State::Active { .. } => return holds(Check::Contract, format!("contract version {version} is active")),
        State::Deprecated { sunset, .. } if request.now < *sunset => {
            let message = format!("contract version {version} is deprecated and ends {sunset}");
            return warns(Code::ContractDeprecated, message);
        }
        State::Retired { .. } => {
            return fails(Code::ContractRetired, format!("contract version {version} is retired"));
        }
        State::Deprecated { sunset, .. } => {
            (Code::ContractSunset, format!("contract version {version} is deprecated and ended {sunset}"))
        }
        State::Draft { .. } => (Code::ContractDraft, format!("contract version {version} is not active yet")),
        State::Superseded { .. } => (Code::ContractSuperseded, format!("contract version {version} is superseded")),
    };
    if only_not_retired { warns(code, message) } else { fails(code, message) }
}

fn grant(request: &Request, facts: &Facts) -> (Line, Option<Right>) {
    let now = request.now;
    let standing = facts.grants.iter().filter(|grant| grant.covers(now));
    let from_grants = standing.map(|grant| Right {
        grant_id: Some(grant.id),
        purpose: grant.purpose.code,
        until: Some(grant.window.until),
    });
    let from_role =
        facts.role_grants.then_some(Right { grant_id: None, purpose: PurposeCode::Operations, until: None });
    let mut rights: Vec<Right> = from_role.into_iter().chain(from_grants).collect();
    if rights.is_empty() {
        return (no_grant(request, facts), None);
    }

    if let Some(purpose) = request.purpose {
        rights.retain(|right| right.purpose == purpose);
        if rights.is_empty() {
            let message = format!("no grant of the caller is for the purpose `{purpose}`");
            return (fails(Code::GrantOtherPurpose, message), None);
        }
    }
    let first_purpose = rights.first().map(|right| right.purpose);
    if rights.iter().any(|right| Some(right.purpose) != first_purpose) {
        let mut purposes: Vec<&str> = rights.iter().map(|right| right.purpose.as_str()).collect();
        purposes.sort_unstable();
        purposes.dedup();
        let message = format!("several purposes are possible; specify one of: {}", purposes.join(", "));
        return (fails(Code::GrantPurposeNeeded, message), None);
    }

    // A role has no end; among grants for one purpose the one that ends last serves the caller best.
    let right = rights.into_iter().max_by_key(|right| right.until.unwrap_or(Timestamp(i64::MAX)));
    let line = match right.as_ref().and_then(|right| right.until) {
        Some(until) => holds(Check::Grant, format!("a grant is valid until {until}")),
        None => holds(Check::Grant, "the caller has access by their role in the domain"),
    };
    (line, right)
}

fn no_grant(request: &Request, facts: &Facts) -> Line {
    let now = request.now;
    if let Some(grant) = facts.grants.iter().filter(|grant| grant.revoked.is_none()).max_by_key(|g| g.window.until) {
        if now < grant.window.from {
            return fails(Code::GrantNotYet, format!("the grant starts {}", grant.window.from));
        }
        return fails(Code::GrantEnded, format!("the grant ended {}", grant.window.until));
    }
    if facts.grants.is_empty() {
        fails(Code::GrantMissing, "no grant: request access")
    } else {
        fails(Code::GrantRevoked, "the grant was revoked")
    }
}

fn scope(
    request: &Request,
    facts: &Facts,
    right: Option<&Right>,
    served: &Served,
    about_a_snapshot: bool,
) -> (Line, Option<Timestamp>) {
    match facts.binding {
        BindingRight::Stands => {}
        BindingRight::ConsentEnded => {
            let message =
                "the consent to share this table has ended; an owner of every product bound to it can renew it";
            return (fails(Code::ScopeConsentEnded, message), None);
        }
        BindingRight::OwnerRetired => {
            let message = "the product to which this shared table belongs is retired";
            return (fails(Code::ScopeOwnerRetired, message), None);
        }
    }
    if !facts.location_is_its_own {
        let message = "the table's location overlaps another table";
        return (fails(Code::ScopeLocation, message), None);
    }
    let by_role = !action::binds(request.action, Check::Grant);
    if by_role && request.purpose.is_some_and(|purpose| purpose != PurposeCode::Operations) {
        let message = format!("`{}` is for the purpose `operations` alone", request.action);
        return (fails(Code::ScopePurpose, message), None);
    }
    // From here on, what open leases outlive: it must not hide what ends them.
    if about_a_snapshot && served.snapshot.is_none() {
        return (fails(Code::ScopeNothingToServe, "there is no snapshot to serve"), None);
    }
    let longest = match request.action {
        Action::Read | Action::Write => lease::GATEWAY_MAX_LIFETIME,
        Action::Repair | Action::Inspect => lease::REPAIR_LIFETIME,
    };
    let lifetime = request.lifetime.unwrap_or(lease::GATEWAY_DEFAULT_LIFETIME).min(longest);
    let mut expires_at = request.now.plus(lifetime);
    if let Some(latest) = latest_end(request, facts, right) {
        expires_at = expires_at.min(latest);
    }
    if expires_at.since(request.now) < lease::MIN_LIFETIME {
        return (fails(Code::ScopeTooShort, "the credentials would be valid for less than a second"), None);
    }
    (holds(Check::Scope, format!("this table alone, until {expires_at}")), Some(expires_at))
}

/// The end that no lease outlives: that of its grant, and for reading the sunset of a deprecated version.
fn latest_end(request: &Request, facts: &Facts, right: Option<&Right>) -> Option<Timestamp> {
    let reads = request.action == Action::Read;
    let sunset = facts.contract.state.sunset().filter(|sunset| reads && request.now < *sunset);
    right.and_then(|right| right.until).into_iter().chain(sunset).min()
}

fn holds(check: Check, message: impl Into<String>) -> Line {
    line(LineOutcome::Holds, Code::holds(check), message.into())
}

fn warns(code: Code, message: impl Into<String>) -> Line {
    line(LineOutcome::Warns, code, message.into())
}

fn fails(code: Code, message: impl Into<String>) -> Line {
    line(LineOutcome::Fails, code, message.into())
}

fn not_checked(check: Check) -> Line {
    line(LineOutcome::NotChecked, Code::not_checked(check), "not looked at".to_owned())
}

fn line(outcome: LineOutcome, code: Code, message: String) -> Line {
    Line { check: code.check(), outcome, code, message, details: Vec::new() }
}
