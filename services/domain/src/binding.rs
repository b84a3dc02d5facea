//! Bindings: which table or topic holds a schema object of a contract's major, in an environment.

use crate::clock::Timestamp;
use crate::closed_set;
use crate::id::{BindingId, ContractId, SnapshotId, TableId, VerdictId};
use crate::name::{DomainPath, Name};
use crate::quality::{RuleResult, Verdict};
use crate::registry::Subject;
use crate::table::{Format, PhysicalSchema, SnapshotKey};

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

/// A table as it is registered. It knows no contract.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Table {
    /// Its permanent id.
    pub id: TableId,
    /// Its format.
    pub format: Format,
    /// Its folder below the storage root.
    pub location: Location,
    /// Moves with every change of head, served snapshot or verdict.
    pub revision: i64,
    /// The newest snapshot that we noticed.
    pub head: Option<SnapshotId>,
    /// When it was registered.
    pub created_at: Timestamp,
}

/// A folder below the storage root: parsed, never joined as text. No segment is empty, `.`, `..`, or holds `\`, NUL or
/// another control character.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Location(Vec<String>);

/// The longest location, in bytes, and the deepest, in segments.
const MAX_LOCATION: (usize, usize) = (512, 16);

/// Why a text is not a location.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("`{0}` is not a location: use a relative path without empty, `.` or `..` segments")]
pub struct NotALocation(String);

impl Location {
    /// The segments, from the storage root down.
    pub fn segments(&self) -> &[String] {
        &self.0
    }

    /// Whether one of the two lies inside the other, or both are the same folder. Siblings such as `sales` and
    /// `sales_eu` do not overlap.
    pub fn overlaps(&self, other: &Self) -> bool {
        self.0.iter().zip(&other.0).all(|(one, two)| one == two)
    }

    /// Whether it is the folder of a domain, or lies in it: where the domain's own tables may be.
    pub fn lies_in(&self, domain: &DomainPath) -> bool {
        let mut segments = self.0.iter();
        domain.as_str().split('/').all(|name| segments.next().is_some_and(|segment| segment == name))
    }

    /// The location itself and every folder above it.
    pub fn ancestors(&self) -> impl Iterator<Item = Self> + '_ {
        (1..=self.0.len()).rev().map(|n_segments| Self(self.0[..n_segments].to_vec()))
    }
}

impl std::str::FromStr for Location {
    type Err = NotALocation;

    fn from_str(text: &str) -> Result<Self, NotALocation> {
        let wrong = || NotALocation(text.chars().filter(|c| !c.is_control()).take(80).collect());
        let text_fits = !text.is_empty() && text.len() <= MAX_LOCATION.0;
        let segments: Vec<String> = text.split('/').map(str::to_owned).collect();
        let segment_fits = |segment: &String| {
            !matches!(segment.as_str(), "" | "." | "..")
                && !segment.chars().any(|c| c.is_control() || matches!(c, '\\' | '%' | '*' | '?' | '{' | '}' | '$'))
        };
        if text_fits && segments.len() <= MAX_LOCATION.1 && segments.iter().all(segment_fits) {
            Ok(Self(segments))
        } else {
            Err(wrong())
        }
    }
}

impl std::fmt::Display for Location {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(&self.0.join("/"))
    }
}

closed_set! {
    /// Where a snapshot stands.
    SnapshotState {
        /// Noticed, not looked at yet.
        Pending = "pending",
        /// Looked at: schema, files and counts are known.
        Inspected = "inspected",
        /// A newer one was looked at first; never served.
        Skipped = "skipped",
        /// It could not be looked at.
        Error = "error",
    }
}

/// One snapshot of a table, as noticed and inspected.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Snapshot {
    /// Its id.
    pub id: SnapshotId,
    /// The table.
    pub table_id: TableId,
    /// The table's own name for it.
    pub key: SnapshotKey,
    /// Its place in the order of notice, from 1.
    pub ordinal: i64,
    /// When we noticed it.
    pub noticed_at: Timestamp,
    /// Where it stands.
    pub state: SnapshotState,
    /// What the inspection found, where there was one.
    pub found: Option<Found>,
    /// Why it could not be looked at, for operators and owners.
    pub error: Option<String>,
}

/// What is kept of a snapshot's inspection.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Found {
    /// When it was looked at.
    pub inspected_at: Timestamp,
    /// When it was committed, by the table's own account.
    pub committed_at: Timestamp,
    /// Rows.
    pub n_rows: u64,
    /// Data files.
    pub n_files: u64,
    /// Columns and protocol.
    pub schema: PhysicalSchema,
    /// The digest that names the stored file list.
    pub file_list: String,
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
