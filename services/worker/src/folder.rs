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

use crate::chunks::ChunksOfFiles;
use crate::data_file::{Convert, Layout, OpenFile, corrupt};
use crate::error::{Result, Unreadable};
use crate::identity::Identity;
use crate::root::Root;
use crate::scan::{DataFile, Rows};
use crate::table::Table;
use crate::{footer, schema, shape};

/// Opens the folder in its current state, which must be the snapshot `expected` if one is given. Blocks.
pub(crate) fn open(root: &Arc<Root>, expected: Option<&SnapshotKey>) -> Result<Table> {
    let mut files = Vec::new();
    let mut first: Option<(String, SchemaRef)> = None;
    let mut chunks = ChunksOfFiles::new();
    for path in root.list_below(is_parquet_data_file, MAX_FILES)? {
        let (file, pin) = root.open_file(&path)?;
        let metadata = footer::read(&file, &path)?;
        let n_rows = footer::n_rows(&metadata, &path)?;
        match &first {
            None => first = Some((path, metadata.schema().clone())),
            Some((first_path, schema)) if shape::common(schema) != shape::common(metadata.schema()) => {
                return Err(Unreadable(format!("the files `{first_path}` and `{path}` have different columns")));
            }
            Some(_) => {}
        }
        // All files have the same columns in the same order.
        chunks.add(&pin, &metadata, |column| u32::try_from(column).ok());
        files.push((pin, n_rows));
    }
    let Some((_, arrow)) = first else { return Err(Unreadable("it has no Parquet file".to_owned())) };
    files.sort();
    let data: Vec<DataFile> = files.iter().map(|(pin, n_rows)| data_file(pin, *n_rows)).collect();
    let n_rows = data.iter().fold(0, |n_rows: u64, file| n_rows.saturating_add(file.n_rows));
    let files: Vec<PinnedFile> = files.into_iter().map(|(pin, _)| pin).collect();
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
            paths: files.iter().map(|file| file.path.clone()).collect(),
            files: data,
            schema: Arc::new(shape::common(&arrow)),
        }),
        chunks: chunks.of(&files),
        files,
        checkpoint: None,
    })
}

fn data_file(pin: &PinnedFile, n_rows: u64) -> DataFile {
    DataFile { identity: Identity::of(pin).digest(), n_rows, reads: Arc::default() }
}

fn newest(files: &[PinnedFile]) -> Timestamp {
    Timestamp(files.iter().map(|file| file.mtime_ns.div_euclid(1_000)).max().unwrap_or(0))
}

struct FolderRows {
    root: Arc<Root>,
    files: Vec<DataFile>,
    paths: Vec<String>,
    schema: SchemaRef,
}

impl Rows for FolderRows {
    fn schema(&self) -> SchemaRef {
        self.schema.clone()
    }

    fn files(&self) -> &[DataFile] {
        &self.files
    }

    fn is_plain(&self, column: usize) -> bool {
        !self.schema.field(column).data_type().is_nested()
    }

    fn definition(&self, column: usize) -> String {
        // Columns are found by their place, which is the same in all files.
        format!("{column} {:?}", self.schema.field(column))
    }

    fn open(&self, index: usize, columns: &[usize]) -> Result<OpenFile> {
        let path = &self.paths[index];
        let (file, _) = self.root.open_file(path)?;
        let metadata = footer::read(&file, path)?;
        let parquet = metadata.metadata().file_metadata().schema_descr();
        let leaves_of = |column: &usize| {
            (0..parquet.num_columns()).filter(|leaf| parquet.get_column_root_idx(*leaf) == *column).collect::<Vec<_>>()
        };
        let leaves: Vec<usize> = columns.iter().flat_map(leaves_of).collect();
        let layout = if columns.iter().all(|column| self.is_plain(*column)) && leaves.len() == columns.len() {
            Layout::Plain(leaves)
        } else {
            Layout::Converted { leaves, convert: self.convert(path, columns)? }
        };
        OpenFile::new((path, file, metadata), layout, Vec::new(), self.files[index].reads.clone())
    }
}

impl FolderRows {
    fn convert(&self, path: &str, columns: &[usize]) -> Result<Box<Convert>> {
        let wanted = self.schema.project(columns).map(Arc::new).map_err(|error| Unreadable(error.to_string()))?;
        let path = path.to_owned();
        Ok(Box::new(move |batch: RecordBatch| {
            // The reader returns columns in the order of the file.
            let ordered = wanted.fields().iter().map(|field| {
                let column = batch.column_by_name(field.name());
                let column = column.ok_or_else(|| corrupt(&path, &"a column is missing"))?;
                shape::fit(column, field.data_type()).map_err(|error| corrupt(&path, &error))
            });
            let ordered = ordered.collect::<Result<_>>()?;
            RecordBatch::try_new(wanted.clone(), ordered).map_err(|error| corrupt(&path, &error))
        }))
    }
}
