//! An open snapshot of a table, of either format.

use std::path::PathBuf;
use std::sync::Arc;

use domain::clock::Timestamp;
use domain::column_reads::FileChunks;
use domain::table::{PhysicalSchema, PinnedFile, SnapshotKey};

use crate::scan::Rows;

/// An open snapshot: all of an inspection but the measurements of the rules.
pub(crate) struct Table {
    pub(crate) snapshot: SnapshotKey,
    pub(crate) committed_at: Timestamp,
    pub(crate) schema: PhysicalSchema,
    pub(crate) n_rows: u64,
    /// Sorted by path.
    pub(crate) files: Vec<PinnedFile>,
    /// Of each of the files, in the same order.
    pub(crate) chunks: Option<Vec<Option<FileChunks>>>,
    pub(crate) checkpoint: Option<PathBuf>,
    pub(crate) rows: Arc<dyn Rows>,
}
