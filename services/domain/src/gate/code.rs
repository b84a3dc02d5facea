//! The reason codes of a decision: one for every way in which a check can end.

use crate::closed_set;
use crate::gate::Check;

closed_set! {
    /// Why a check ended as it did, for programs. The words are stable: clients branch on them, and kept decisions hold
    /// them. A word begins with the word of its check.
    Code {
        /// The caller is known and enabled.
        IdentityHolds = "identity.holds",
        /// Identity does not apply to the action.
        IdentityNotChecked = "identity.not_checked",
        /// The caller is unknown or disabled.
        IdentityUnknown = "identity.unknown",

        /// The caller may know that the product exists.
        VisibilityHolds = "visibility.holds",
        /// Visibility does not apply to the action, or an earlier check ended the decision.
        VisibilityNotChecked = "visibility.not_checked",
        /// The caller may not know that the product exists.
        VisibilityHidden = "visibility.hidden",
        /// The table is shared with a product of a higher classification, whose data the caller may not know of.
        VisibilityClassified = "visibility.classified",

        /// The policies allow the action.
        PolicyHolds = "policy.holds",
        /// An earlier check ended the decision.
        PolicyNotChecked = "policy.not_checked",
        /// No policy allows the action, or one forbids it.
        PolicyDenied = "policy.denied",
        /// A policy could not be evaluated, so access is refused.
        PolicyError = "policy.error",

        /// The contract version is active.
        ContractHolds = "contract.holds",
        /// The contract does not bind the action, or an earlier check ended the decision.
        ContractNotChecked = "contract.not_checked",
        /// The data product is neither active nor deprecated.
        ContractProductInactive = "contract.product_inactive",
        /// The contract version has not been activated yet.
        ContractDraft = "contract.draft",
        /// The contract version is deprecated and serves until its sunset.
        ContractDeprecated = "contract.deprecated",
        /// The contract version is deprecated and its sunset has passed.
        ContractSunset = "contract.sunset",
        /// A newer version has replaced the contract version.
        ContractSuperseded = "contract.superseded",
        /// The contract version is retired.
        ContractRetired = "contract.retired",

        /// A grant or a role gives the right to read.
        GrantHolds = "grant.holds",
        /// A grant is not needed for the action, or an earlier check ended the decision.
        GrantNotChecked = "grant.not_checked",
        /// The caller has no grant.
        GrantMissing = "grant.missing",
        /// The caller's grant has not started yet.
        GrantNotYet = "grant.not_yet",
        /// The caller's grant has expired.
        GrantEnded = "grant.ended",
        /// The caller's grant was revoked.
        GrantRevoked = "grant.revoked",
        /// The caller has grants, but none for the purpose of the request.
        GrantOtherPurpose = "grant.other_purpose",
        /// The caller may read for several purposes and the request names none.
        GrantPurposeNeeded = "grant.purpose_needed",

        /// The snapshot has the contract's columns.
        ConformanceHolds = "conformance.holds",
        /// Conformance does not bind the action or is not enforced in the domain, or an earlier check ended the decision.
        ConformanceNotChecked = "conformance.not_checked",
        /// The served snapshot has the contract's columns, with remarks.
        ConformanceNoted = "conformance.noted",
        /// No snapshot has been inspected by the contract's current rules yet.
        ConformancePending = "conformance.pending",
        /// The newest snapshot does not have the contract's columns.
        ConformanceBroken = "conformance.broken",
        /// The newest snapshot could not be inspected.
        ConformanceUnknown = "conformance.unknown",

        /// The snapshot passed its inspection.
        QualityHolds = "quality.holds",
        /// Quality does not bind the action or is not enforced in the domain, or an earlier check ended the decision.
        QualityNotChecked = "quality.not_checked",
        /// No snapshot has been inspected by the contract's current rules yet.
        QualityPending = "quality.pending",
        /// The snapshot passed its inspection with warnings.
        QualityWarned = "quality.warned",
        /// The newest snapshot broke rules of the contract.
        QualityFailed = "quality.failed",
        /// The newest snapshot could not be inspected in full.
        QualityError = "quality.error",
        /// The served snapshot broke rules of the contract, whose mode is `warn`.
        QualityFailedServed = "quality.failed_served",
        /// The newest snapshot is not good; the newest good one is served.
        QualityOlderServed = "quality.older_served",
        /// The newest snapshot has waited for its inspection for longer than the contract's grace; the gate is shut.
        QualityHeadPending = "quality.head_pending",
        /// A newer snapshot has waited for its inspection for longer than the contract's grace; an inspected one is served.
        QualityHeadWaits = "quality.head_waits",
        /// The newest data is older than the contract allows.
        QualityLate = "quality.late",

        /// The credentials reach this table alone, for a bounded time.
        ScopeHolds = "scope.holds",
        /// An earlier check ended the decision.
        ScopeNotChecked = "scope.not_checked",
        /// The binding through which the lease was issued does not exist any more. For open leases only.
        ScopeUnbound = "scope.unbound",
        /// The table is shared, and the consent to this binding has ended.
        ScopeConsentEnded = "scope.consent_ended",
        /// The table is shared, and the product to which it belongs is retired.
        ScopeOwnerRetired = "scope.owner_retired",
        /// The table's location overlaps that of another table.
        ScopeLocation = "scope.location",
        /// There is no snapshot to serve.
        ScopeNothingToServe = "scope.nothing_to_serve",
        /// The action is for the purpose `operations` alone.
        ScopePurpose = "scope.purpose",
        /// Less than a second would be left to use the credentials.
        ScopeTooShort = "scope.too_short",
    }
}

impl Code {
    /// The check that ends with the code.
    pub fn check(self) -> Check {
        match self {
            Self::IdentityHolds | Self::IdentityNotChecked | Self::IdentityUnknown => Check::Identity,
            Self::VisibilityHolds
            | Self::VisibilityNotChecked
            | Self::VisibilityHidden
            | Self::VisibilityClassified => Check::Visibility,
            Self::PolicyHolds | Self::PolicyNotChecked | Self::PolicyDenied | Self::PolicyError => Check::Policy,
            Self::ContractHolds
            | Self::ContractNotChecked
            | Self::ContractProductInactive
            | Self::ContractDraft
            | Self::ContractDeprecated
            | Self::ContractSunset
            | Self::ContractSuperseded
            | Self::ContractRetired => Check::Contract,
            Self::GrantHolds
            | Self::GrantNotChecked
            | Self::GrantMissing
            | Self::GrantNotYet
            | Self::GrantEnded
            | Self::GrantRevoked
            | Self::GrantOtherPurpose
            | Self::GrantPurposeNeeded => Check::Grant,
            Self::ConformanceHolds
            | Self::ConformanceNotChecked
            | Self::ConformanceNoted
            | Self::ConformancePending
            | Self::ConformanceBroken
            | Self::ConformanceUnknown => Check::Conformance,
            Self::QualityHolds
            | Self::QualityNotChecked
            | Self::QualityPending
            | Self::QualityWarned
            | Self::QualityFailed
            | Self::QualityError
            | Self::QualityFailedServed
            | Self::QualityOlderServed
            | Self::QualityHeadPending
            | Self::QualityHeadWaits
            | Self::QualityLate => Check::Quality,
            Self::ScopeHolds
            | Self::ScopeNotChecked
            | Self::ScopeUnbound
            | Self::ScopeConsentEnded
            | Self::ScopeOwnerRetired
            | Self::ScopeLocation
            | Self::ScopeNothingToServe
            | Self::ScopePurpose
            | Self::ScopeTooShort => Check::Scope,
        }
    }

    /// The code of a check that holds.
    pub fn holds(check: Check) -> Self {
        match check {
            Check::Identity => Self::IdentityHolds,
            Check::Visibility => Self::VisibilityHolds,
            Check::Policy => Self::PolicyHolds,
            Check::Contract => Self::ContractHolds,
            Check::Grant => Self::GrantHolds,
            Check::Conformance => Self::ConformanceHolds,
            Check::Quality => Self::QualityHolds,
            Check::Scope => Self::ScopeHolds,
        }
    }

    /// The code of a check that was not evaluated.
    pub fn not_checked(check: Check) -> Self {
        match check {
            Check::Identity => Self::IdentityNotChecked,
            Check::Visibility => Self::VisibilityNotChecked,
            Check::Policy => Self::PolicyNotChecked,
            Check::Contract => Self::ContractNotChecked,
            Check::Grant => Self::GrantNotChecked,
            Check::Conformance => Self::ConformanceNotChecked,
            Check::Quality => Self::QualityNotChecked,
            Check::Scope => Self::ScopeNotChecked,
        }
    }
}
