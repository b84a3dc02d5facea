//! Leases: credentials handed out, and the one way to make them, from a [`Permit`].
//!
//! A [`Vendor`] makes the credentials. The gateway's own vendor derives them from a key of the server, so its leases are
//! written once, as issued ([`Lease::issue`]). A vendor that asks a provider, such as a cloud's token service, may be slow
//! or fail: its leases are written as intended ([`Lease::intend`]) before the provider is asked, and become issued only
//! if nothing revoked them meanwhile.

use std::fmt;
use std::time::Duration;

use crate::clock::Timestamp;
use crate::closed_set;
use crate::gate::{Action, Permit};
use crate::id::{BindingId, DecisionId, GrantId, LeaseId, PrincipalId, SnapshotId, TableId, TokenId};
use crate::identity::PurposeCode;
use crate::pending::Pending;
use crate::table::Location;

/// How much a product was read in a time.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Usage {
    /// Principals with a lease to read.
    pub n_readers: u64,
    /// Leases to read.
    pub n_leases: u64,
    /// When the last of them was issued.
    pub last_at: Option<Timestamp>,
}

/// The lifetime of a gateway lease that none was asked for (`docs/rules.md`, "Gateway").
pub const GATEWAY_DEFAULT_LIFETIME: Duration = Duration::from_secs(3_600);
/// The longest lifetime of a gateway lease.
pub const GATEWAY_MAX_LIFETIME: Duration = Duration::from_secs(12 * 3_600);
/// The lifetime of a `repair` lease.
pub const REPAIR_LIFETIME: Duration = Duration::from_secs(3_600);
/// The shortest lifetime that is worth handing out; less is refused.
pub const MIN_LIFETIME: Duration = Duration::from_secs(1);
/// The longest time that a provider has to answer: well below the time limit of a request, whose caller would get no
/// answer else. An intended lease that is much older was abandoned.
pub const MAX_VENDOR_DEADLINE: Duration = Duration::from_secs(30);

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
    /// The token that it was requested with; it ends when that is revoked.
    pub token_id: Option<TokenId>,
    /// Its state.
    pub state: LeaseState,
    /// When it was made.
    pub issued_at: Timestamp,
    /// Its end.
    pub expires_at: Timestamp,
}

impl Lease {
    /// A lease that needs no provider and is written once, as issued. Consumes the permit: one permit, one lease.
    pub fn issue(id: LeaseId, permit: Permit, now: Timestamp) -> Self {
        Self::from_permit(id, permit, now, LeaseState::Issued)
    }

    /// A lease whose credentials a provider is still to make. It opens nothing. Consumes the permit: one permit, one
    /// lease, whatever becomes of it.
    pub fn intend(id: LeaseId, permit: Permit, now: Timestamp) -> LeaseIntent {
        LeaseIntent(Self::from_permit(id, permit, now, LeaseState::Intended))
    }

    fn from_permit(id: LeaseId, permit: Permit, now: Timestamp, state: LeaseState) -> Self {
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
            token_id: None,
            state,
            issued_at: now,
            expires_at: permit.expires_at(),
        }
    }

    /// The lease, as it was requested with a token.
    #[must_use]
    pub fn requested_with(self, token_id: Option<TokenId>) -> Self {
        Self { token_id, ..self }
    }

    /// What it hangs on.
    pub fn hold(&self) -> Hold {
        Hold {
            principal_id: self.principal_id,
            action: self.action,
            binding_id: self.binding_id,
            table_id: self.table_id,
            grant_id: self.grant_id,
            purpose: self.purpose,
        }
    }

    /// Whether the lease opens anything at a moment.
    pub fn is_open(&self, now: Timestamp) -> bool {
        self.state == LeaseState::Issued && now < self.expires_at
    }
}

/// What a lease hangs on. Leases that agree in it go on or end together ([`crate::gate::open::judge`]).
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Hold {
    /// Who holds it.
    pub principal_id: PrincipalId,
    /// What it allows.
    pub action: Action,
    /// The binding it was decided about.
    pub binding_id: BindingId,
    /// The table it opens.
    pub table_id: TableId,
    /// The grant it hangs on; `None` where a role gave the right.
    pub grant_id: Option<GrantId>,
    /// What it is for.
    pub purpose: PurposeCode,
}

/// An intended lease: what is stored before a provider is asked.
#[derive(Debug)]
pub struct LeaseIntent(Lease);

impl LeaseIntent {
    /// The intent, as it was requested with a token.
    #[must_use]
    pub fn requested_with(self, token_id: Option<TokenId>) -> Self {
        Self(self.0.requested_with(token_id))
    }

    /// The lease, which is intended.
    pub fn lease(&self) -> &Lease {
        &self.0
    }

    /// The lease with its credentials made. To be called once the stored one has become issued.
    pub fn into_issued(self) -> Lease {
        Lease { state: LeaseState::Issued, ..self.0 }
    }
}

/// Makes the credentials of a lease.
pub trait Vendor: Send + Sync + 'static {
    /// How the credentials are made, and so how the lease is written.
    fn provision(&self) -> Provision;

    /// Makes credentials that open what the order names and nothing else, no longer than its lease lives. Called outside
    /// of any transaction. When the deadline passes, the result is dropped: credentials that a provider makes later are
    /// held by no one.
    ///
    /// # Errors
    /// [`VendError`]; the lease ends then.
    fn vend<'a>(&'a self, order: Order<'a>) -> Pending<'a, Result<Credentials, VendError>>;
}

/// How a vendor makes credentials.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Provision {
    /// At once, from a key of the server.
    Local,
    /// By asking a provider.
    Provider {
        /// How long it has to answer.
        deadline: VendorDeadline,
    },
}

/// How long a provider has to answer: at most [`MAX_VENDOR_DEADLINE`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct VendorDeadline(Duration);

impl VendorDeadline {
    /// This time, or the longest one if that is shorter.
    pub fn new(deadline: Duration) -> Self {
        Self(deadline.min(MAX_VENDOR_DEADLINE))
    }

    /// The time.
    pub fn get(self) -> Duration {
        self.0
    }
}

/// What credentials are to open.
#[derive(Clone, Copy, Debug)]
pub struct Order<'a> {
    /// The lease: its table, action, served snapshot and end.
    pub lease: &'a Lease,
    /// Where the table is.
    pub location: &'a Location,
}

/// Credentials as they are handed out, once. A kind of storage with another kind of credentials adds its own variant.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Credentials {
    /// For the gateway.
    Gateway(GatewayCredentials),
}

/// What a client of the gateway signs with.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct GatewayCredentials {
    /// The access key: the lease's id.
    pub access_key_id: String,
    /// What requests are signed with.
    pub secret_access_key: Secret,
    /// What is sent with each request.
    pub session_token: Secret,
    /// The gateway's URL.
    pub endpoint: String,
    /// The region to name.
    pub region: String,
    /// The table's URI: `s3://lake/<table id>`.
    pub table_uri: String,
}

/// A secret of credentials. `Debug` does not show it.
#[derive(Clone, PartialEq, Eq)]
pub struct Secret(String);

impl Secret {
    /// Wraps a secret.
    pub fn new(secret: String) -> Self {
        Self(secret)
    }

    /// The secret itself, for the one answer that hands it out and for checking signatures.
    pub fn expose(&self) -> &str {
        &self.0
    }
}

impl fmt::Debug for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Secret(..)")
    }
}

/// Why a vendor made no credentials. The texts are for operators and hold no secret.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum VendError {
    /// The provider did not answer in time.
    #[error("the provider did not answer within {} ms", .0.as_millis())]
    Deadline(Duration),
    /// The provider answered only after the lease had expired.
    #[error("the provider answered after the lease had expired")]
    Expired,
    /// The provider cannot be reached or is failing.
    #[error("the provider is unavailable: {0}")]
    Unavailable(String),
    /// The provider refuses to make these credentials.
    #[error("the provider refused: {0}")]
    Refused(String),
}
