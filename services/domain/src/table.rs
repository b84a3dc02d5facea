//! Lakehouse tables: their location, their snapshots and their physical schema.

mod location;
mod log;

use std::collections::BTreeSet;
use std::fmt;
use std::str::FromStr;

use sha2::{Digest, Sha256};

pub use self::location::{Location, NotALocation};
pub use self::log::LogName;
use crate::clock::Timestamp;
use crate::closed_set;
use crate::id::{SnapshotId, TableId};

/// The deepest nesting of a physical type that we look at.
pub const MAX_TYPE_DEPTH: usize = 32;

closed_set! {
    /// A table's format.
    Format {
        /// Delta Lake.
        Delta = "delta",
        /// A folder of Parquet files.
        Parquet = "parquet",
    }
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
    /// Whether several products are bound to it, or were ([`crate::share`]).
    pub shared: bool,
    /// When it was registered.
    pub created_at: Timestamp,
}

/// Names one committed state of a table: a Delta version, or the digest of a Parquet file set.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum SnapshotKey {
    /// A version of a Delta table.
    DeltaVersion(u64),
    /// SHA-256, in hex, over the sorted (path, size, mtime, inode, ctime) of a folder's Parquet files
    /// ([`SnapshotKey::of_parquet_files`]).
    ParquetDigest(String),
}

impl SnapshotKey {
    /// The key of a folder that holds exactly these Parquet files, in any order.
    ///
    /// Which files count is settled here for everyone who lists a folder: the regular files below it, at any depth,
    /// whose name ends in `.parquet`, unless the name or a folder on the way begins with `_` or `.`
    /// ([`is_parquet_data_file`]).
    pub fn of_parquet_files<'a>(files: impl IntoIterator<Item = &'a PinnedFile>) -> Self {
        let mut files: Vec<&PinnedFile> = files.into_iter().collect();
        files.sort_by(|a, b| a.path.as_bytes().cmp(b.path.as_bytes()));
        let mut hash = Sha256::new();
        for file in files {
            hash.update((file.path.len() as u64).to_be_bytes());
            hash.update(file.path.as_bytes());
            hash.update(file.size_bytes.to_be_bytes());
            hash.update(file.mtime_ns.to_be_bytes());
            hash.update(file.inode.to_be_bytes());
            hash.update(file.ctime_ns.unwrap_or_default().to_be_bytes());
        }
        Self::ParquetDigest(hex::encode(hash.finalize()))
    }
}

/// Whether a path below a table's folder, `/` between segments, names a data file of a Parquet folder.
pub fn is_parquet_data_file(path: &str) -> bool {
    path.ends_with(".parquet") && !path.split('/').any(|segment| segment.starts_with(['_', '.']))
}

/// `delta:5`, `parquet:<hex>`.
impl fmt::Display for SnapshotKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::DeltaVersion(version) => write!(f, "delta:{version}"),
            Self::ParquetDigest(digest) => write!(f, "parquet:{digest}"),
        }
    }
}

/// Not a snapshot's name.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("not a snapshot: use `delta:<version>` or `parquet:<digest>`")]
pub struct NotASnapshot;

impl FromStr for SnapshotKey {
    type Err = NotASnapshot;

    fn from_str(text: &str) -> Result<Self, NotASnapshot> {
        match text.split_once(':') {
            Some(("delta", version)) => version.parse().map(Self::DeltaVersion).map_err(|_| NotASnapshot),
            Some(("parquet", digest)) if digest.len() == 64 && digest.bytes().all(|b| b.is_ascii_hexdigit()) => {
                Ok(Self::ParquetDigest(digest.to_owned()))
            }
            _ => Err(NotASnapshot),
        }
    }
}

/// The path to a column: its name, then the names of struct members below it.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ColumnPath(pub Vec<String>);

/// Segments joined with `.`, for people.
impl fmt::Display for ColumnPath {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0.join("."))
    }
}

/// The physical type of a column, in the terms that contracts are judged by. It is spelt `int32`, `decimal(12,2)`,
/// `list<string>`, `struct<a: int64>`, `timestamp with time zone`.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum PhysicalType {
    /// True or false.
    Boolean,
    /// A whole number.
    Integer {
        /// 8, 16, 32 or 64.
        bits: u8,
        /// Whether it can be negative.
        signed: bool,
    },
    /// A binary floating-point number.
    Float {
        /// 16, 32 or 64.
        bits: u8,
    },
    /// An exact decimal number.
    Decimal {
        /// Digits in all.
        precision: u8,
        /// Digits after the point.
        scale: i8,
    },
    /// Text.
    String,
    /// Bytes.
    Binary,
    /// A calendar date.
    Date,
    /// A time of day.
    Time,
    /// A moment.
    Timestamp {
        /// Whether it is a moment in UTC (with time zone) rather than a wall-clock reading.
        zoned: bool,
    },
    /// Named members.
    Struct(Vec<PhysicalColumn>),
    /// Elements of one type.
    List(Box<PhysicalColumn>),
    /// Keys to values.
    Map {
        /// The key.
        key: Box<PhysicalColumn>,
        /// The value.
        value: Box<PhysicalColumn>,
    },
    /// A type that no contract can name, in the format's own words.
    Other(String),
}

impl fmt::Display for PhysicalType {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Boolean => f.write_str("boolean"),
            Self::Integer { bits, signed: true } => write!(f, "int{bits}"),
            Self::Integer { bits, signed: false } => write!(f, "uint{bits}"),
            Self::Float { bits } => write!(f, "float{bits}"),
            Self::Decimal { precision, scale } => write!(f, "decimal({precision},{scale})"),
            Self::String => f.write_str("string"),
            Self::Binary => f.write_str("binary"),
            Self::Date => f.write_str("date"),
            Self::Time => f.write_str("time"),
            Self::Timestamp { zoned: true } => f.write_str("timestamp with time zone"),
            Self::Timestamp { zoned: false } => f.write_str("timestamp without time zone"),
            Self::Struct(members) => {
                f.write_str("struct<")?;
                for (index, member) in members.iter().enumerate() {
                    let separator = if index == 0 { "" } else { ", " };
                    write!(f, "{separator}{}: {}", member.name, member.physical_type)?;
                }
                f.write_str(">")
            }
            Self::List(element) => write!(f, "list<{}>", element.physical_type),
            Self::Map { key, value } => write!(f, "map<{}, {}>", key.physical_type, value.physical_type),
            Self::Other(words) => f.write_str(words),
        }
    }
}

/// A column, struct member, list element, map key or map value.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct PhysicalColumn {
    /// Its logical name (under Delta column mapping: not the name in the files).
    pub name: String,
    /// Its type.
    pub physical_type: PhysicalType,
    /// Whether it may be null.
    pub nullable: bool,
}

/// What a table asks of those who read it (Delta protocol: `minReaderVersion`, `readerFeatures`).
#[derive(Clone, Debug, PartialEq, Eq, Hash, Default)]
pub struct ReaderProtocol {
    /// The least reader version; 0 for Parquet.
    pub version: u32,
    /// The features that a reader must know.
    pub features: BTreeSet<String>,
}

/// The columns of one snapshot, and what reading it takes.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct PhysicalSchema {
    /// The columns in their order.
    pub columns: Vec<PhysicalColumn>,
    /// The partition columns.
    pub partitioned_by: Vec<String>,
    /// What a reader must know.
    pub protocol: ReaderProtocol,
}

closed_set! {
    /// The state of a snapshot.
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
    /// Its state.
    pub state: SnapshotState,
    /// What the inspection found, where there was one.
    pub found: Option<Inspected>,
    /// Why it could not be looked at, for operators and owners.
    pub error: Option<String>,
}

/// What is kept of a snapshot's inspection.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Inspected {
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
    /// The digest that names the stored file list; `None` once it was collected: then the snapshot is not served.
    pub file_list: Option<String>,
    /// Delta: the digest that names our own checkpoint, while there is a file list.
    pub checkpoint: Option<String>,
    /// What was read to measure the rules; `None` for an inspection by a release that did not tell.
    pub read: Option<InspectionRead>,
}

/// What an inspection read to measure the rules. Footers are read of every file and do not count.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct InspectionRead {
    /// Data files of which values were read.
    pub n_files: u64,
    /// The bytes of their columns that were read, as stored.
    pub n_bytes: u64,
    /// The rows that were read. Each query reads them again.
    pub n_rows: u64,
    /// Files of which all that adds up was known from an earlier inspection.
    pub n_files_known: u64,
    /// Counts of a rule in a row group that the file's statistics prove.
    pub n_proven: u64,
}

/// One file of a snapshot, pinned: it is served only while all of this still holds.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct PinnedFile {
    /// The path below the table's folder, `/` between segments: the key it is served under. No segment is empty, `.`
    /// or `..`.
    pub path: String,
    /// Its size.
    pub size_bytes: u64,
    /// Its modification time, in nanoseconds since 1970.
    pub mtime_ns: i64,
    /// Its inode.
    pub inode: u64,
    /// When its content or its inode changed last, in nanoseconds since 1970: a writer cannot set it back. `None` for a
    /// file that was pinned by a release that did not look, and for a file of our own, whose digest is pinned instead.
    pub ctime_ns: Option<i64>,
    /// SHA-256 of its bytes, for contracts that ask for it (`pinned: digest`) and for files of our own.
    pub digest: Option<FileDigest>,
}

/// SHA-256 of a file's bytes.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct FileDigest(pub [u8; 32]);

/// In hex.
impl fmt::Display for FileDigest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&hex::encode(self.0))
    }
}

impl fmt::Debug for FileDigest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

/// Not SHA-256 in hex.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("not a digest: use 64 hexadecimal digits")]
pub struct NotADigest;

impl FromStr for FileDigest {
    type Err = NotADigest;

    fn from_str(text: &str) -> Result<Self, NotADigest> {
        let mut digest = [0; 32];
        hex::decode_to_slice(text, &mut digest).map_err(|_| NotADigest)?;
        Ok(Self(digest))
    }
}
