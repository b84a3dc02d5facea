//! Our own checkpoint of a version: the only part of the log that leases serve.

use std::fs::File;
use std::path::{Path, PathBuf};

use arrow::array::{Array, RecordBatch};
use arrow::compute::{filter_record_batch, is_null};
use buoyant_kernel::Engine;
use buoyant_kernel::snapshot::SnapshotRef;
use parquet::arrow::ArrowWriter;
use parquet::basic::{Compression, ZstdLevel};
use parquet::file::properties::WriterProperties;

use super::kernel::{record_batch, unreadable};
use crate::error::{Result, Unreadable};

const FILE_NAME: &str = "checkpoint.parquet";

/// The file that the checkpoint is written to: the only one that this process can write.
pub(crate) struct NewCheckpoint {
    file: File,
    path: PathBuf,
}

impl NewCheckpoint {
    /// Creates it in the scratch folder.
    pub(crate) fn create(scratch: &Path) -> std::io::Result<Self> {
        let path = scratch.join(FILE_NAME);
        Ok(Self { file: File::create_new(&path)?, path })
    }

    /// Writes the checkpoint, without tombstones: a `remove` names a file that is not part of the version, with
    /// statistics of rows that may have been withdrawn.
    pub(super) fn write(self, snapshot: &SnapshotRef, engine: &dyn Engine) -> Result<PathBuf> {
        let checkpoint = snapshot.clone().create_checkpoint_writer().map_err(|error| unreadable(&error))?;
        let (mut empty, mut begun) = (Some(self.file), None::<ArrowWriter<File>>);
        let not_written =
            |error: &dyn std::fmt::Display| Unreadable(format!("its checkpoint cannot be written: {error}"));
        for actions in checkpoint.checkpoint_data(engine).map_err(|error| unreadable(&error))? {
            let actions = actions.and_then(|actions| actions.apply_selection_vector());
            let actions = without_tombstones(&record_batch(actions.map_err(|error| unreadable(&error))?)?)?;
            if let Some(file) = empty.take() {
                let writer = ArrowWriter::try_new(file, actions.schema(), Some(properties()));
                begun = Some(writer.map_err(|error| not_written(&error))?);
            }
            if let Some(writer) = &mut begun {
                writer.write(&actions).map_err(|error| not_written(&error))?;
            }
        }
        let writer = begun.ok_or_else(|| Unreadable("its log contains no actions".to_owned()))?;
        let written = writer.into_inner().map_err(|error| not_written(&error))?;
        written.sync_all().map_err(|error| not_written(&error))?;
        Ok(self.path)
    }
}

fn without_tombstones(actions: &RecordBatch) -> Result<RecordBatch> {
    let Some(removes) = actions.column_by_name("remove") else { return Ok(actions.clone()) };
    is_null(&removes as &dyn Array)
        .and_then(|is_kept| filter_record_batch(actions, &is_kept))
        .map_err(|error| Unreadable(format!("its log contains invalid actions: {error}")))
}

fn properties() -> WriterProperties {
    WriterProperties::builder().set_compression(Compression::ZSTD(ZstdLevel::default())).build()
}
