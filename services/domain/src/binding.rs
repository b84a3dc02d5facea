//! Bindings: the table or topic of a schema object of a contract's major, in one environment.

use crate::clock::Timestamp;
use crate::id::{BindingId, ContractId, SnapshotId, TableId, VerdictId};
use crate::name::Name;
use crate::quality::{RuleResult, Verdict};
use crate::registry::Subject;

/// (contract, major, schema object, environment) -> table.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Binding {
    /// Its id.
    pub id: BindingId,
    /// The contract.
    pub contract_id: ContractId,
    /// The contract's major.
    pub major: u64,
    /// The schema object's name in addresses.
    pub object: Name,
    /// The environment.
    pub environment: String,
    /// The table.
    pub table_id: TableId,
}

/// (contract, major, schema object, environment) -> topic, by the subject of its schemas.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TopicBinding {
    /// Its id.
    pub id: BindingId,
    /// The contract.
    pub contract_id: ContractId,
    /// The contract's major.
    pub major: u64,
    /// The schema object's name in addresses.
    pub object: Name,
    /// The environment.
    pub environment: String,
    /// The subject.
    pub subject: Subject,
}

/// What an inspection found for (snapshot, binding, rule hash).
#[derive(Clone, Debug, PartialEq)]
pub struct BindingVerdict {
    /// Its id.
    pub id: VerdictId,
    /// The snapshot.
    pub snapshot_id: SnapshotId,
    /// The binding.
    pub binding_id: BindingId,
    /// SHA-256, in hex, of the rules it was made with.
    pub rule_hash: String,
    /// The worst of conformance and rules.
    pub verdict: Verdict,
    /// Whether the snapshot's schema and protocol satisfy the contract version.
    pub conforms: bool,
    /// What did not conform, one sentence each.
    pub conformance: Vec<String>,
    /// What each rule gave.
    pub results: Vec<RuleResult>,
    /// The engine that measured.
    pub engine: String,
    /// When.
    pub at: Timestamp,
}
