//! The rows of a version as its readers see them: logical columns with partition values, without deleted rows.

use std::sync::Arc;

use arrow::array::RecordBatch;
use arrow::compute::concat_batches;
use arrow::datatypes::SchemaRef;
use buoyant_kernel::Engine;
use buoyant_kernel::actions::deletion_vector::split_vector;
use buoyant_kernel::engine::arrow_utils::{fixup_parquet_read, get_requested_indices};
use buoyant_kernel::scan::Scan;
use buoyant_kernel::scan::state::{ScanFile, transform_to_logical};
use buoyant_kernel::snapshot::SnapshotRef;
use parquet::arrow::ProjectionMask;
use parquet::arrow::arrow_reader::ParquetRecordBatchReaderBuilder;

use super::files;
use super::kernel::{record_batch, unreadable};
use crate::error::{Result, Unreadable};
use crate::root::Root;
use crate::scan::Rows;
use crate::{footer, shape};

/// The minimum number of rows in a batch, while there are any.
const BATCH_ROWS: usize = 8192;

/// The zone of all timestamps in the files of a table.
const ZONE: &str = "UTC";

pub(crate) struct DeltaRows {
    pub(crate) root: Arc<Root>,
    pub(crate) snapshot: SnapshotRef,
    pub(crate) engine: Arc<dyn Engine>,
    pub(crate) schema: SchemaRef,
}

impl Rows for DeltaRows {
    fn schema(&self) -> SchemaRef {
        self.schema.clone()
    }

    fn read(&self, columns: &[usize], sink: &mut dyn FnMut(RecordBatch) -> bool) -> Result<()> {
        // The kernel needs a column to read a file, and partition columns are not in the files: a column that is in
        // the files is read along and dropped again.
        let companion = self.companion(columns);
        let read: Vec<usize> = columns.iter().copied().chain(companion).collect();
        let names: Vec<&String> = read.iter().map(|column| self.schema.field(*column).name()).collect();
        let wanted = self.snapshot.schema().project(&names).map_err(|error| unreadable(&error))?;
        let scan = self.snapshot.clone().scan_builder().with_schema(wanted).build();
        let scan = scan.map_err(|error| unreadable(&error))?;
        let arrow = self.schema.project(columns).map_err(|error| Unreadable(error.to_string()))?;
        let mut batches = Batches { schema: Arc::new(arrow), waiting: Vec::new(), n_waiting: 0 };
        for metadata in scan.scan_metadata(self.engine.as_ref()).map_err(|error| unreadable(&error))? {
            let metadata = metadata.map_err(|error| unreadable(&error))?;
            let files = metadata.visit_scan_files(Vec::new(), |files: &mut Vec<ScanFile>, file| files.push(file));
            for file in files.map_err(|error| unreadable(&error))? {
                if !self.read_file(&scan, file, &mut batches, sink)? {
                    return Ok(());
                }
            }
        }
        batches.flush(sink).map(|_| ())
    }
}

impl DeltaRows {
    /// A column that is in the files, if all of these are partition columns.
    fn companion(&self, columns: &[usize]) -> Option<usize> {
        let partitions = self.snapshot.table_configuration().partition_columns();
        let is_in_files = |column: &usize| !partitions.contains(self.schema.field(*column).name());
        if columns.iter().any(is_in_files) {
            return None;
        }
        (0..self.schema.fields().len()).find(is_in_files)
    }

    /// Reads one file. Returns `false` when the sink accepts no more. The path was checked when the version was opened,
    /// and the log cannot have changed since, because its files are pinned.
    fn read_file(
        &self,
        scan: &Scan,
        file: ScanFile,
        batches: &mut Batches,
        sink: &mut dyn FnMut(RecordBatch) -> bool,
    ) -> Result<bool> {
        let engine = self.engine.as_ref();
        let vector = file.dv_info.get_selection_vector(engine, scan.table_root());
        let mut selection = vector.map_err(|error| unreadable(&error))?;
        let path = files::path_of_data_file(&file.path)?;
        let corrupt = |error: &dyn std::fmt::Display| Unreadable(format!("the file `{path}` is corrupt: {error}"));
        let (opened, _) = self.root.open_file(&path)?;
        let metadata = footer::in_microseconds(footer::read(&opened, &path)?, Some(ZONE));
        let metadata = metadata.map_err(|error| corrupt(&error))?;
        let (leaves, order) =
            get_requested_indices(scan.physical_schema(), metadata.schema()).map_err(|error| unreadable(&error))?;
        let builder = ParquetRecordBatchReaderBuilder::new_with_metadata(opened, metadata);
        let mask = ProjectionMask::leaves(builder.parquet_schema(), leaves);
        let reader = builder.with_projection(mask).with_batch_size(BATCH_ROWS).build();
        for physical in reader.map_err(|error| corrupt(&error))? {
            let physical = physical.map_err(|error| corrupt(&error))?;
            let (from, to) = (scan.physical_schema(), scan.logical_schema());
            let physical = fixup_parquet_read(physical, &order, None, None, Some(from));
            let logical = physical.and_then(|physical| {
                let logical = transform_to_logical(engine, Box::new(physical), from, to, file.transform.clone())?;
                // The rest of the selection is for the batches that follow.
                let rest = split_vector(selection.as_mut(), logical.len(), None);
                match std::mem::replace(&mut selection, rest) {
                    Some(selected) => logical.apply_selection_vector(selected),
                    None => Ok(logical),
                }
            });
            let logical = record_batch(logical.map_err(|error| unreadable(&error))?)?;
            if !batches.push(logical, sink)? {
                return Ok(false);
            }
        }
        Ok(true)
    }
}

/// Combines small batches into larger ones.
struct Batches {
    schema: SchemaRef,
    waiting: Vec<RecordBatch>,
    n_waiting: usize,
}

impl Batches {
    fn push(&mut self, batch: RecordBatch, sink: &mut dyn FnMut(RecordBatch) -> bool) -> Result<bool> {
        // The columns are the same except for a companion, but the names of items and entries are those of the file.
        let columns = batch.columns().iter().zip(self.schema.fields());
        let columns = columns.map(|(column, field)| shape::fit(column, field.data_type())).collect::<Result<_, _>>();
        let batch = columns.and_then(|columns| RecordBatch::try_new(self.schema.clone(), columns));
        let batch = batch.map_err(|error| Unreadable(format!("its rows do not fit its schema: {error}")))?;
        self.n_waiting += batch.num_rows();
        self.waiting.push(batch);
        if self.n_waiting < BATCH_ROWS { Ok(true) } else { self.flush(sink) }
    }

    fn flush(&mut self, sink: &mut dyn FnMut(RecordBatch) -> bool) -> Result<bool> {
        if self.n_waiting == 0 {
            self.waiting.clear();
            return Ok(true);
        }
        let batch = concat_batches(&self.schema, &self.waiting).map_err(|error| Unreadable(error.to_string()))?;
        self.waiting.clear();
        self.n_waiting = 0;
        Ok(sink(batch))
    }
}
