//! Global ids: opaque to clients, typed in the server. An id contains its kind and the UUID, so that an id of the wrong
//! kind is an error and an unknown one is not found.

use std::fmt;

use async_graphql::ID;
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use domain::id::{
    AccessRequestId, BindingId, ContractId, ContractVersionId, DecisionId, DomainId, GrantId, LeaseId, NoticeId,
    OverrideId, PrincipalId, ProductId, RecordId, RoleId, SnapshotId, TokenId,
};

use super::error::{Failure, Result};

/// Declares the kinds with their words and id types.
macro_rules! kinds {
    ($($kind:ident = $word:literal: $id:ty,)+) => {
        /// A kind of object with a global id.
        #[derive(Clone, Copy, Debug, PartialEq, Eq)]
        pub(crate) enum Kind { $($kind,)+ }

        impl Kind {
            fn as_str(self) -> &'static str {
                match self { $(Self::$kind => $word,)+ }
            }

            fn from_word(word: &str) -> Option<Self> {
                match word {
                    $($word => Some(Self::$kind),)+
                    _ => None,
                }
            }
        }

        $(impl NodeId for $id {
            const KIND: Kind = Kind::$kind;
        })+
    };
}

kinds! {
    Principal = "principal": PrincipalId,
    RoleAssignment = "role_assignment": RoleId,
    Domain = "domain": DomainId,
    Product = "product": ProductId,
    Contract = "contract": ContractId,
    ContractVersion = "contract_version": ContractVersionId,
    Table = "table": BindingId,
    Snapshot = "snapshot": SnapshotOfTable,
    AccessRequest = "access_request": AccessRequestId,
    Grant = "grant": GrantId,
    ChangeNotice = "change_notice": NoticeId,
    ContractOverride = "contract_override": OverrideId,
    Decision = "decision": DecisionId,
    Lease = "lease": LeaseId,
    Record = "record": RecordId,
    Token = "token": TokenId,
}

/// An id with its kind.
pub(crate) trait NodeId: fmt::Display + std::str::FromStr {
    /// The kind.
    const KIND: Kind;
}

/// A snapshot, seen through one of the bindings that share its table: each binding has its own verdicts.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(crate) struct SnapshotOfTable {
    pub(crate) snapshot_id: SnapshotId,
    pub(crate) binding_id: BindingId,
}

impl fmt::Display for SnapshotOfTable {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{}", self.snapshot_id, self.binding_id)
    }
}

impl std::str::FromStr for SnapshotOfTable {
    type Err = domain::id::NotAnId;

    fn from_str(text: &str) -> std::result::Result<Self, domain::id::NotAnId> {
        let (snapshot, binding) = text.split_once(':').ok_or(domain::id::NotAnId)?;
        Ok(Self { snapshot_id: snapshot.parse()?, binding_id: binding.parse()? })
    }
}

/// The global id.
pub(crate) fn encode<T: NodeId>(id: T) -> ID {
    encode_text::<T>(&id.to_string())
}

/// The global id of a stored object whose own id may have been made unreadable.
pub(crate) fn encode_text<T: NodeId>(text: &str) -> ID {
    ID(URL_SAFE_NO_PAD.encode(format!("{}:{text}", T::KIND.as_str())))
}

/// Reads a global id of one kind; `field` is the input's name.
///
/// # Errors
/// `INVALID` for a text that is no id, and for an id of another kind.
pub(crate) fn decode<T: NodeId>(id: &ID, field: &'static str) -> Result<T> {
    let (kind, rest) = split(id).ok_or_else(|| not_an_id(field))?;
    if kind != T::KIND {
        let message = format!("`{field}` takes the id of one {}, not of one {}", words_of(T::KIND), words_of(kind));
        return Err(Failure::invalid(field, message));
    }
    rest.parse().map_err(|_| not_an_id(field))
}

/// The kind of a global id, and the rest of it.
pub(crate) fn split(id: &ID) -> Option<(Kind, String)> {
    // The longest is a snapshot's, 9 + 2 * 37 bytes.
    if id.len() > 128 {
        return None;
    }
    let text = String::from_utf8(URL_SAFE_NO_PAD.decode(id.as_bytes()).ok()?).ok()?;
    let (kind, rest) = text.split_once(':')?;
    Some((Kind::from_word(kind)?, rest.to_owned()))
}

/// The failure for a text that is no id of this server.
pub(crate) fn not_an_id(field: &'static str) -> Failure {
    Failure::invalid(field, format!("`{field}` is not an id of this server"))
}

fn words_of(kind: Kind) -> String {
    kind.as_str().replace('_', " ")
}
