//! Leases: credentials handed out, and the one way to make them, from a [`Permit`].

use std::time::Duration;

use crate::clock::Timestamp;
use crate::closed_set;
use crate::gate::{Action, Permit};
use crate::id::{BindingId, DecisionId, GrantId, LeaseId, PrincipalId, SnapshotId, TableId};
use crate::identity::PurposeCode;

/// The lifetime of a gateway lease that none was asked for (docs/rules.md, Gateway).
pub const GATEWAY_DEFAULT_LIFETIME: Duration = Duration::from_secs(3_600);
/// The longest lifetime of a gateway lease.
pub const GATEWAY_MAX_LIFETIME: Duration = Duration::from_secs(12 * 3_600);
/// The lifetime of a `repair` lease.
pub const REPAIR_LIFETIME: Duration = Duration::from_secs(3_600);
/// The shortest lifetime that is worth handing out; less is refused.
pub const MIN_LIFETIME: Duration = Duration::from_secs(1);

closed_set! {
    /// The life of a lease.
    LeaseState {
        /// Written down before a provider is asked.
        Intended = "intended",
        /// Handed out.
        Issued = "issued",
        /// Given back, or never made because the provider failed.
        Ended = "ended",
        /// Ended by a revoke.
        Revoked = "revoked",
    }
}

/// Credentials handed out: what for, to whom, until when. It holds no secret.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Lease {
    /// Its id; also the access key at the gateway.
    pub id: LeaseId,
    /// Who holds it.
    pub principal_id: PrincipalId,
    /// What it allows.
    pub action: Action,
    /// The binding it was decided about.
    pub binding_id: BindingId,
    /// The table it opens, and no other.
    pub table_id: TableId,
    /// The served snapshot; `None` where the lease covers the folder as it is (`repair`, `inspect`).
    pub snapshot_id: Option<SnapshotId>,
    /// The grant it hangs on; `None` where a role gave the right.
    pub grant_id: Option<GrantId>,
    /// What it is for.
    pub purpose: PurposeCode,
    /// The decision that allowed it.
    pub decision_id: DecisionId,
    /// Where it stands.
    pub state: LeaseState,
    /// When it was made.
    pub issued_at: Timestamp,
    /// Its end.
    pub expires_at: Timestamp,
}

impl Lease {
    /// A gateway lease, which needs no provider and is written once, as issued. Consumes the permit: one permit, one
    /// lease.
    pub fn issue(id: LeaseId, permit: Permit, now: Timestamp) -> Self {
        Self {
            id,
            principal_id: permit.principal_id(),
            action: permit.action(),
            binding_id: permit.binding_id(),
            table_id: permit.table_id(),
            snapshot_id: permit.served(),
            grant_id: permit.grant_id(),
            purpose: permit.purpose(),
            decision_id: permit.decision_id(),
            state: LeaseState::Issued,
            issued_at: now,
            expires_at: permit.expires_at(),
        }
    }

    /// Whether the lease opens anything at a moment.
    pub fn is_open(&self, now: Timestamp) -> bool {
        self.state == LeaseState::Issued && now < self.expires_at
    }
}
