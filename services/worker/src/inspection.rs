//! One inspection from job to report.

use std::path::PathBuf;
use std::sync::Arc;

use domain::clock::Timestamp;
use domain::inspection::{Inspection, InspectionJob};
use domain::table::{Format, PhysicalSchema, PinnedFile, SnapshotKey};
use inspect::wire::Limits;

use crate::error::{Result, Unreadable};
use crate::root::Root;
use crate::scan::Rows;
use crate::{delta, folder, measure};

/// Kept beside each verdict: what measured it.
pub(crate) fn engine() -> String {
    format!("charter-worker {}, datafusion {}", env!("CARGO_PKG_VERSION"), datafusion::DATAFUSION_VERSION)
}

/// A snapshot, opened: everything but what the rules ask of its rows.
pub(crate) struct Table {
    pub(crate) snapshot: SnapshotKey,
    pub(crate) committed_at: Timestamp,
    pub(crate) schema: PhysicalSchema,
    pub(crate) n_rows: u64,
    /// Sorted by path.
    pub(crate) files: Vec<PinnedFile>,
    pub(crate) checkpoint: Option<PathBuf>,
    pub(crate) rows: Arc<dyn Rows>,
}

/// Does the job.
///
/// # Errors
/// [`Unreadable`] inside is about the table; the outer error is ours.
pub(crate) async fn run(job: InspectionJob, limits: Limits) -> anyhow::Result<Result<Inspection>> {
    let opened = tokio::task::spawn_blocking({
        let job = job.clone();
        move || open(&job)
    });
    let (root, table) = match opened.await? {
        Ok(opened) => opened,
        Err(unreadable) => return Ok(Err(unreadable)),
    };
    let measured = measure::measure(&table, &job.rules, limits).await?;
    let whole = measured.and_then(|measured| root.verify().map(|()| measured));
    Ok(whole.map(|measured| Inspection {
        snapshot: table.snapshot,
        committed_at: table.committed_at,
        schema: table.schema,
        n_rows: table.n_rows,
        files: table.files,
        checkpoint: table.checkpoint,
        measured,
        engine: engine(),
    }))
}

fn open(job: &InspectionJob) -> Result<(Arc<Root>, Table)> {
    let root = Arc::new(Root::open(&job.root)?);
    let table = match (job.format, &job.snapshot) {
        (Format::Delta, Some(SnapshotKey::DeltaVersion(version))) => delta::open(&root, *version, &job.scratch)?,
        (Format::Parquet, expected @ (None | Some(SnapshotKey::ParquetDigest(_)))) => {
            folder::open(&root, expected.as_ref())?
        }
        (Format::Delta, _) => return Err(Unreadable("a Delta table is inspected at a version".to_owned())),
        (Format::Parquet, _) => return Err(Unreadable("a Parquet folder has no versions".to_owned())),
    };
    Ok((root, table))
}
