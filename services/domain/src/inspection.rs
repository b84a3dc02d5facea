//! Inspections: the job that a worker gets, and its result.

use std::path::PathBuf;
use std::time::Duration;

use crate::clock::Timestamp;
use crate::column_reads::FileChunks;
use crate::quality::{Measured, Rule};
use crate::table::{FileDigest, Format, InspectionRead, PhysicalSchema, PinnedFile, SnapshotKey};

/// The longest checkpoint of ours, in bytes: that of a table of a million files is a tenth of it. It is also the longest
/// file that a worker may write.
pub const MAX_CHECKPOINT_BYTES: u64 = 1 << 30;

/// What the worker is asked to do. It sees nothing else.
#[derive(Clone, Debug, PartialEq)]
pub struct InspectionJob {
    /// The table's format.
    pub format: Format,
    /// The table's folder, absolute. For Parquet it may be a single file.
    pub root: PathBuf,
    /// The snapshot to look at. For Parquet `None`: the folder as it is.
    pub snapshot: Option<SnapshotKey>,
    /// The rules to measure, answered in this order.
    pub rules: Vec<Rule>,
    /// Whether the bytes of every data file are to be digested.
    pub digests: bool,
    /// What is known of its files from an earlier inspection.
    pub kept: Kept,
    /// An empty folder, the only place where the worker may write; the checkpoint is put there.
    pub scratch: PathBuf,
}

/// What one inspection found. The server judges it.
#[derive(Clone, Debug, PartialEq)]
pub struct Inspection {
    /// The snapshot that was looked at.
    pub snapshot: SnapshotKey,
    /// When it was committed, by the table's own account (Delta `commitInfo.timestamp`, else the newest file's mtime).
    pub committed_at: Timestamp,
    /// Its columns and protocol.
    pub schema: PhysicalSchema,
    /// Its rows.
    pub n_rows: u64,
    /// Its data files and deletion vectors, sorted by path bytes, no log files.
    pub files: Vec<PinnedFile>,
    /// Where the columns lie in each of these files, which is `None` for one whose footer does not say so reliably. `None`
    /// if that is too much to keep.
    pub chunks: Option<Vec<Option<FileChunks>>>,
    /// Delta: the file in the scratch folder that holds our own checkpoint of the snapshot.
    pub checkpoint: Option<PathBuf>,
    /// What each rule of the job gave, in its order.
    pub measured: Vec<Measured>,
    /// Counts for the next inspection of the table.
    pub kept: Kept,
    /// What was read for them.
    pub read: InspectionRead,
    /// The engine and its version, kept beside the verdict.
    pub engine: String,
}

/// The most checks whose counts are kept for a table.
pub const MAX_KEPT_CHECKS: usize = 1_000;
/// The most files that a table may have for its counts to be kept.
pub const MAX_KEPT_FILES: usize = 100_000;
/// The most counts that are kept for a table: files times checks.
pub const MAX_KEPT_COUNTS: usize = 1_000_000;

/// Counts of the rows that break a check, by data file: what adds up over files is counted once per file. The worker
/// alone knows what the digests stand for; the server keeps them from one inspection of a table to the next.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Kept {
    /// Digests over everything but the file that a count depends on: the check, the column, the program.
    pub checks: Vec<FileDigest>,
    /// The files.
    pub files: Vec<KeptFile>,
}

/// The counts of one file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct KeptFile {
    /// Digest over everything that its rows depend on: path, size, times, inode, deletion vector, partition values.
    pub file: FileDigest,
    /// One for each check of [`Kept`].
    pub counts: Vec<u64>,
}

impl Kept {
    /// Whether each file has a count for each check, and all are within the limits.
    pub fn is_whole(&self) -> bool {
        self.checks.len() <= MAX_KEPT_CHECKS
            && self.files.len() <= MAX_KEPT_FILES
            && self.checks.len().saturating_mul(self.files.len()) <= MAX_KEPT_COUNTS
            && self.files.iter().all(|file| file.counts.len() == self.checks.len())
    }
}

/// How much of a worker's sandbox the kernel enforces.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Sandbox {
    /// All of it: files (Landlock) and system calls (seccomp).
    Full,
    /// What this kernel knows of it.
    Partial,
    /// Nothing: the kernel has neither, or they are switched off.
    Absent,
}

impl std::fmt::Display for Sandbox {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(match self {
            Self::Full => "fully enforced",
            Self::Partial => "enforced in part",
            Self::Absent => "not enforced",
        })
    }
}

/// Why an inspection brought nothing back. Each one makes the verdict `error`.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum InspectionError {
    /// The table is not one we may or can read: a hole in the log, a path that leads outside, a corrupt file, ...
    #[error("the table cannot be inspected: {0}")]
    Unreadable(String),
    /// The deadline passed and the worker was killed.
    #[error("the inspection took longer than {} s", .0.as_secs())]
    Deadline(Duration),
    /// The worker ended without a report: killed, out of memory, crashed.
    #[error("the inspection ended without a report: {0}")]
    Died(String),
    /// The worker answered something that is not a report.
    #[error("the inspection's report cannot be read: {0}")]
    Nonsense(String),
    /// The server demands a full sandbox, and this machine does not enforce one. The table was not opened.
    #[error("the table was not opened: the worker's sandbox is {0} by this kernel")]
    NoSandbox(Sandbox),
    /// The worker could not be started.
    #[error("the inspection could not be started: {0}")]
    NotStarted(String),
}

/// Runs inspections: `charter-worker` on this machine, or (later) a cluster's engine.
pub trait Inspector: Send + Sync + 'static {
    /// Looks at one snapshot.
    ///
    /// # Errors
    /// Any [`InspectionError`]; all of them make the verdict `error`.
    fn inspect(
        &self,
        job: InspectionJob,
    ) -> std::pin::Pin<Box<dyn Future<Output = Result<Inspection, InspectionError>> + Send + '_>>;
}
