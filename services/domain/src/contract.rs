//! Contracts: what an ODCS document promises, and the life of its versions.
//!
//! A [`Contract`] is registered and owns a line of [`Version`]s; each version keeps the document it was published as. A
//! [`Document`] is the parsed form of one such document; only `documents` creates it. What a rule needs is a field of
//! its own; what only people read is in `documentary` (row 32 of the change table); what is neither is in `other`, so
//! that the change engine can tell "documentation only" from "undetermined" and nothing is lost on the way.
//!
//! - [`rules()`] compiles a schema object to the rules that the worker measures.
//! - [`conformance()`] judges a table's physical schema against a schema object.
//! - [`types`](self::types) reads physical type names.
//! - [`sla`](self::sla) reads durations and dates of service levels.
//! - [`crate::change`] compares two versions.

mod conformance;
mod document;
mod fingerprint;
mod object;
mod rules;
mod server;
mod settings;
pub mod sla;
mod state;
pub mod types;
mod value;

pub use self::conformance::{ConformanceFinding, ConformanceProblem, conformance, verdict_of};
pub use self::document::{Document, MIGRATION_NOTE, Role, Wish};
pub use self::fingerprint::{canonical, conformance_fingerprint};
pub use self::object::{
    Classification, Fields, LibraryMetric, LogicalType, MapTypes, Measure, Options, Property, Quality, QualityUnit,
    Relationship, SchemaObject, SemanticType,
};
pub use self::rules::{RuleError, check_pattern, query_over, rules};
pub use self::server::{BadLocalPath, LocalPath, LocalServer, SERVING_ENVIRONMENT, Server, ServerKind};
pub use self::settings::{Evolve, GateMode, Late, Pinning, Settings};
pub use self::sla::SlaProperty;
pub use self::state::{DEFAULT_SUNSET, DeprecateError, State, StateName, WrongState};
pub use self::value::check_value;
use crate::clock::Timestamp;
use crate::document::StoredDocument;
use crate::id::{ContractId, ContractVersionId, ProductId};

/// A contract as it is registered: a line of versions.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Contract {
    /// The permanent id.
    pub id: ContractId,
    /// The product it belongs to.
    pub product_id: ProductId,
    /// The `id` in its documents; unique in the product.
    pub document_id: String,
    /// When the first version was published.
    pub created_at: Timestamp,
}

/// A version of a contract. Its document never changes once it is active.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Version {
    /// The permanent id.
    pub id: ContractVersionId,
    /// The contract.
    pub contract_id: ContractId,
    /// The semantic version number.
    pub version: crate::version::Version,
    /// The state in its life cycle.
    pub state: State,
    /// The document it was published as.
    pub document: StoredDocument,
}
