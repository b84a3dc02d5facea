//! A folder of Parquet files, or one such file.
//!
//! Its columns are those of its files, which must have the same names and types. Folder names such as `year=2013` are
//! not columns, because readers interpret them differently.

use std::sync::Arc;

use arrow::array::RecordBatch;
use arrow::datatypes::SchemaRef;
use domain::clock::Timestamp;
use domain::table::{PhysicalSchema, PinnedFile, ReaderProtocol, SnapshotKey, is_parquet_data_file};
use inspect::wire::MAX_FILES;
use parquet::arrow::ProjectionMask;
use parquet::arrow::arrow_reader::ParquetRecordBatchReaderBuilder;

use crate::error::{Result, Unreadable};
use crate::root::Root;
use crate::scan::Rows;
use crate::table::Table;
use crate::{footer, schema, shape};

const BATCH_ROWS: usize = 8192;

/// Opens the folder in its current state, which must be the snapshot `expected` if one is given. Blocks.
pub(crate) fn open(root: &Arc<Root>, expected: Option<&SnapshotKey>) -> Result<Table> {
    let mut files = Vec::new();
    let mut first: Option<(String, SchemaRef)> = None;
    let mut n_rows = 0_u64;
    for path in root.list_below(is_parquet_data_file, MAX_FILES)? {
        let (file, pin) = root.open_file(&path)?;
        let metadata = footer::read(&file, &path)?;
        n_rows = n_rows.saturating_add(footer::n_rows(&metadata, &path)?);
        match &first {
            None => first = Some((path, metadata.schema().clone())),
            Some((first_path, schema)) if shape::common(schema) != shape::common(metadata.schema()) => {
                return Err(Unreadable(format!("the files `{first_path}` and `{path}` have different columns")));
            }
            Some(_) => {}
        }
        files.push(pin);
    }
    let Some((_, arrow)) = first else { return Err(Unreadable("it has no Parquet file".to_owned())) };
    files.sort();
    let snapshot = SnapshotKey::of_parquet_files(&files);
    if expected.is_some_and(|expected| *expected != snapshot) {
        return Err(Unreadable("its files are no longer those of the snapshot".to_owned()));
    }
    Ok(Table {
        snapshot,
        committed_at: newest(&files),
        schema: PhysicalSchema {
            columns: schema::from_arrow(arrow.fields().iter())?,
            partitioned_by: Vec::new(),
            protocol: ReaderProtocol::default(),
        },
        n_rows,
        rows: Arc::new(FolderRows {
            root: root.clone(),
            files: files.clone(),
            schema: Arc::new(shape::common(&arrow)),
        }),
        files,
        checkpoint: None,
    })
}

fn newest(files: &[PinnedFile]) -> Timestamp {
    Timestamp(files.iter().map(|file| file.mtime_ns.div_euclid(1_000)).max().unwrap_or(0))
}

struct FolderRows {
    root: Arc<Root>,
    files: Vec<PinnedFile>,
    schema: SchemaRef,
}

impl Rows for FolderRows {
    fn schema(&self) -> SchemaRef {
        self.schema.clone()
    }

    fn read(&self, columns: &[usize], sink: &mut dyn FnMut(RecordBatch) -> bool) -> Result<()> {
        let wanted = self.schema.project(columns).map(Arc::new).map_err(|error| Unreadable(error.to_string()))?;
        for PinnedFile { path, .. } in &self.files {
            let corrupt = |error: &dyn std::fmt::Display| Unreadable(format!("the file `{path}` is corrupt: {error}"));
            let (file, _) = self.root.open_file(path)?;
            let metadata = footer::read(&file, path)?;
            let builder = ParquetRecordBatchReaderBuilder::new_with_metadata(file, metadata);
            let mask = ProjectionMask::roots(builder.parquet_schema(), columns.iter().copied());
            let reader = builder.with_projection(mask).with_batch_size(BATCH_ROWS).build();
            for batch in reader.map_err(|error| corrupt(&error))? {
                let batch = batch.map_err(|error| corrupt(&error))?;
                // The reader returns columns in the order of the file.
                let ordered = wanted.fields().iter().map(|field| {
                    let column = batch.column_by_name(field.name()).ok_or_else(|| corrupt(&"a column is missing"))?;
                    shape::fit(column, field.data_type()).map_err(|error| corrupt(&error))
                });
                let ordered = ordered.collect::<Result<_>>()?;
                let batch = RecordBatch::try_new(wanted.clone(), ordered).map_err(|error| corrupt(&error))?;
                if !sink(batch) {
                    return Ok(());
                }
            }
        }
        Ok(())
    }
}
