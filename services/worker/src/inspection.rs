//! An inspection, from the job to the result.

use std::sync::Arc;

use domain::inspection::{Inspection, InspectionJob};
use domain::table::{Format, SnapshotKey};
use inspect::wire::Limits;

use crate::delta::checkpoint::NewCheckpoint;
use crate::error::{Failure, Result, Unreadable};
use crate::identity::engine;
use crate::measure::Measurements;
use crate::root::Root;
use crate::table::Table;
use crate::{delta, folder, measure};

/// Runs the job.
pub(crate) async fn run(
    job: InspectionJob,
    checkpoint: Option<NewCheckpoint>,
    limits: Limits,
) -> Result<Inspection, Failure> {
    let opened = tokio::task::spawn_blocking({
        let job = job.clone();
        move || open(&job, checkpoint)
    });
    let (root, mut table) = opened.await.map_err(anyhow::Error::from)??;
    let Measurements { measured, kept, read } = measure::measure(&table, &job.rules, job.kept, limits).await?;
    if job.digests {
        let (root, mut files) = (root.clone(), std::mem::take(&mut table.files));
        let digested = tokio::task::spawn_blocking(move || {
            for file in &mut files {
                file.digest = Some(root.digest(&file.path)?);
            }
            Ok::<_, Unreadable>(files)
        });
        table.files = digested.await.map_err(anyhow::Error::from)??;
    }
    root.verify()?;
    Ok(Inspection {
        snapshot: table.snapshot,
        committed_at: table.committed_at,
        schema: table.schema,
        n_rows: table.n_rows,
        files: table.files,
        chunks: table.chunks,
        checkpoint: table.checkpoint,
        measured,
        kept,
        read,
        engine: engine(),
    })
}

fn open(job: &InspectionJob, checkpoint: Option<NewCheckpoint>) -> Result<(Arc<Root>, Table)> {
    let root = Arc::new(match job.format {
        Format::Delta => Root::open(&job.root)?,
        Format::Parquet => Root::open_or_file(&job.root)?,
    });
    let table = match (job.format, &job.snapshot, checkpoint) {
        (Format::Delta, Some(SnapshotKey::DeltaVersion(version)), Some(checkpoint)) => {
            delta::open(&root, *version, checkpoint)?
        }
        (Format::Parquet, expected @ (None | Some(SnapshotKey::ParquetDigest(_))), _) => {
            folder::open(&root, expected.as_ref())?
        }
        (Format::Delta, _, _) => return Err(Unreadable("a Delta table is inspected at a version".to_owned())),
        (Format::Parquet, _, _) => return Err(Unreadable("a Parquet folder has no versions".to_owned())),
    };
    Ok((root, table))
}
