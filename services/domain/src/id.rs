//! Ids. Each kind has its own type, so that one cannot be passed for another.
//!
//! Ids are UUIDs: version 7 where creation order helps the database, version 4 where an id must not be guessable.

use std::fmt;
use std::str::FromStr;

use uuid::Uuid;

use crate::clock::{Clock, Random};

/// An id that is not one: not a UUID in its hyphenated lower-case form.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("not an id")]
pub struct NotAnId;

macro_rules! ids {
    ($($(#[$doc:meta])* $name:ident;)*) => {$(
        $(#[$doc])*
        #[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub struct $name(pub Uuid);

        impl $name {
            /// A new id that sorts after those made before it (UUID version 7).
            pub fn new(clock: &dyn Clock, random: &dyn Random) -> Self {
                let mut bytes = [0; 10];
                random.fill(&mut bytes);
                let millis = u64::try_from(clock.now().millis()).unwrap_or(0);
                Self(uuid::Builder::from_unix_timestamp_millis(millis, &bytes).into_uuid())
            }

            /// A new id that cannot be guessed (UUID version 4).
            pub fn random(random: &dyn Random) -> Self {
                let mut bytes = [0; 16];
                random.fill(&mut bytes);
                Self(uuid::Builder::from_random_bytes(bytes).into_uuid())
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                self.0.as_hyphenated().fmt(f)
            }
        }

        impl fmt::Debug for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                write!(f, concat!(stringify!($name), "({})"), self.0.as_hyphenated())
            }
        }

        /// Accepts the hyphenated lower-case form only, so that an id has one spelling.
        impl FromStr for $name {
            type Err = NotAnId;

            fn from_str(text: &str) -> Result<Self, NotAnId> {
                let id = Uuid::try_parse(text).map_err(|_| NotAnId)?;
                if id.as_hyphenated().to_string() == text { Ok(Self(id)) } else { Err(NotAnId) }
            }
        }
    )*};
}

ids! {
    /// A domain of the organisation.
    DomainId;
    /// A data product.
    ProductId;
    /// A contract (all its versions).
    ContractId;
    /// One version of a contract.
    ContractVersionId;
    /// A binding of (contract, major, schema object, environment) to a table.
    BindingId;
    /// A table; permanent, and the only name of it in a vended address.
    TableId;
    /// One committed state of a table, as we noticed it.
    SnapshotId;
    /// What one inspection found for (snapshot, binding, rule hash).
    VerdictId;
    /// A user or service account.
    PrincipalId;
    /// A role held by a principal.
    RoleId;
    /// A token that was issued (its `jti`).
    TokenId;
    /// A request for access.
    AccessRequestId;
    /// A standing answer to a request.
    GrantId;
    /// A change notice.
    NoticeId;
    /// A consumer's answer to a change notice.
    AnswerId;
    /// A steward's override of a refusal.
    OverrideId;
    /// A decision of the gate.
    DecisionId;
    /// Credentials handed out. Random: it is also the access key at the gateway.
    LeaseId;
    /// A line of the audit log.
    RecordId;
    /// A piece of follow-up work.
    JobId;
}
