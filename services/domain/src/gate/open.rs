//! What an open lease does when the gate shuts (`docs/rules.md`, "Open leases").
//!
//! [`Code::fate`] is the table: for every code with which a check can fail, whether an open lease ends at once or runs to
//! its own end. [`judge`] applies it, in the transaction of a change and at the gateway, to the facts of that moment. To
//! add a reason to shut the gate: its variant of [`Code`]; the match here then asks for its fate.

use super::{Code, Facts, LineOutcome, Request, decide, grant, latest_end};
use crate::clock::Timestamp;
use crate::closed_set;
use crate::id::DecisionId;
use crate::lease::Hold;

closed_set! {
    /// What an open lease does when a check of the gate fails for it.
    Fate {
        /// It ends in the transaction of the change, and the gateway refuses its next request.
        EndsAtOnce = "ends at once",
        /// It opens the snapshot that it was issued for until its own end.
        RunsOn = "runs to its own end",
    }
}

impl Code {
    /// What an open lease does when a check fails with this code; `None` for the codes with which no check fails.
    ///
    /// The right to read ends a lease; what is found out about data does not: the lease is pinned to a snapshot that was
    /// good when it was issued.
    pub fn fate(self) -> Option<Fate> {
        match self {
            Self::IdentityUnknown
            | Self::VisibilityHidden
            | Self::VisibilityClassified
            | Self::PolicyDenied
            | Self::PolicyError
            | Self::ContractProductInactive
            | Self::ContractDraft
            | Self::ContractSunset
            | Self::ContractSuperseded
            | Self::ContractRetired
            | Self::GrantMissing
            | Self::GrantNotYet
            | Self::GrantEnded
            | Self::GrantRevoked
            | Self::GrantOtherPurpose
            | Self::GrantPurposeNeeded
            | Self::ScopeUnbound
            | Self::ScopeConsentEnded
            | Self::ScopeOwnerRetired
            | Self::ScopeLocation
            | Self::ScopePurpose => Some(Fate::EndsAtOnce),

            Self::ConformancePending
            | Self::ConformanceBroken
            | Self::ConformanceUnknown
            | Self::QualityPending
            | Self::QualityFailed
            | Self::QualityError
            | Self::QualityHeadPending
            | Self::QualityLate
            | Self::ScopeNothingToServe
            | Self::ScopeTooShort => Some(Fate::RunsOn),

            Self::IdentityHolds
            | Self::IdentityNotChecked
            | Self::VisibilityHolds
            | Self::VisibilityNotChecked
            | Self::PolicyHolds
            | Self::PolicyNotChecked
            | Self::ContractHolds
            | Self::ContractNotChecked
            | Self::ContractDeprecated
            | Self::GrantHolds
            | Self::GrantNotChecked
            | Self::ConformanceHolds
            | Self::ConformanceNotChecked
            | Self::ConformanceNoted
            | Self::QualityHolds
            | Self::QualityNotChecked
            | Self::QualityWarned
            | Self::QualityFailedServed
            | Self::QualityOlderServed
            | Self::QualityHeadWaits
            | Self::ScopeHolds
            | Self::ScopeNotChecked => None,
        }
    }
}

/// Judges open leases by the facts of a moment: the end that none of them outlives, where there is one, or the codes of
/// what ends them at once. They hang on the very grant, or else on the role, that they were issued by: another right does
/// not take its place.
///
/// # Errors
/// The codes by which they end. If there are no facts, since binding, product or holder are gone, they end too.
pub fn judge(hold: &Hold, facts: Option<Facts>, now: Timestamp) -> Result<Option<Timestamp>, Vec<Code>> {
    let Some(mut facts) = facts else { return Err(vec![Code::ScopeUnbound]) };
    facts.grants.retain(|grant| Some(grant.id) == hold.grant_id);
    facts.role_grants &= hold.grant_id.is_none();
    let request = Request {
        // Of no decision that is kept.
        decision_id: DecisionId(uuid::Uuid::nil()),
        principal_id: hold.principal_id,
        action: hold.action,
        binding_id: hold.binding_id,
        table_id: hold.table_id,
        purpose: Some(hold.purpose),
        lifetime: None,
        now,
    };
    let failing = decide(&request, &facts).lines.into_iter().filter(|line| line.outcome == LineOutcome::Fails);
    // A code that was taken for one with which no check fails ends them, too.
    let ends: Vec<Code> = failing.map(|line| line.code).filter(|code| code.fate() != Some(Fate::RunsOn)).collect();
    if !ends.is_empty() {
        return Err(ends);
    }
    let (_, right) = grant(&request, &facts);
    Ok(latest_end(&request, &facts, right.as_ref()))
}
