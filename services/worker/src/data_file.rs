//! One Parquet data file, read by row group, so that several threads can share it.

use std::collections::BTreeSet;
use std::fs::File;
use std::io::{self, BufReader, Read};
use std::os::unix::fs::FileExt;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use arrow::array::{ArrayRef, BooleanArray, RecordBatch};
use arrow::buffer::BooleanBuffer;
use arrow::compute::filter_record_batch;
use arrow::datatypes::{DataType, Schema, SchemaRef};
use parquet::arrow::ProjectionMask;
use parquet::arrow::arrow_reader::statistics::StatisticsConverter;
use parquet::arrow::arrow_reader::{ArrowReaderMetadata, ArrowReaderOptions, ParquetRecordBatchReaderBuilder};
use parquet::basic::{ColumnOrder, ConvertedType, Encoding};
use parquet::errors::ParquetError;
use parquet::file::metadata::ColumnChunkMetaData;
use parquet::file::reader::{ChunkReader, Length};

use crate::error::{Result, Unreadable};

/// The number of rows in a batch.
const BATCH_ROWS: usize = 8192;
/// What is read at once of the header of a page.
const HEADER_BYTES: usize = 1024;

/// What was read of a file so far.
#[derive(Debug, Default)]
pub(crate) struct Reads {
    pub(crate) n_rows: AtomicU64,
    /// As they are in the file.
    pub(crate) n_bytes: AtomicU64,
}

/// How the columns that were asked for are found in a file.
pub(crate) enum Layout {
    /// Each is a leaf of the file, without members, of the same type; by their indexes, in the order that was asked for.
    Plain(Vec<usize>),
    /// These leaves are read, and converted together to all columns in the order that was asked for.
    Converted { leaves: Vec<usize>, convert: Box<Convert> },
}

/// Makes the columns of the table of those of the file.
pub(crate) type Convert = dyn Fn(RecordBatch) -> Result<RecordBatch> + Send + Sync;

/// A file that is open for some columns of the table.
pub(crate) struct OpenFile {
    pub(crate) path: String,
    source: Source,
    metadata: ArrowReaderMetadata,
    layout: Layout,
    /// The rows that are deleted, ascending.
    deleted: Vec<u64>,
    /// The number of the first row of each row group.
    first_rows: Vec<u64>,
    reads: Arc<Reads>,
}

/// Which of the columns of an [`OpenFile`] are read, and how.
pub(crate) struct Wanted {
    /// Their positions among the columns that the file was opened for, ascending.
    pub(crate) positions: Vec<usize>,
    /// The positions that may be dictionaries, where all pages of the file are.
    pub(crate) dictionaries: BTreeSet<usize>,
}

impl OpenFile {
    pub(crate) fn new(
        (path, file, metadata): (&str, File, ArrowReaderMetadata),
        layout: Layout,
        deleted: Vec<u64>,
        reads: Arc<Reads>,
    ) -> Result<Self> {
        let size_bytes = file.metadata().map_err(|error| corrupt(path, &error))?.len();
        let source = Source { file: Arc::new(file), size_bytes };
        let mut first_rows = Vec::new();
        let mut n_rows = 0_u64;
        for row_group in metadata.metadata().row_groups() {
            first_rows.push(n_rows);
            let rows = u64::try_from(row_group.num_rows()).map_err(|error| corrupt(path, &error))?;
            n_rows = n_rows.saturating_add(rows);
        }
        Ok(Self { path: path.to_owned(), source, metadata, layout, deleted, first_rows, reads })
    }

    pub(crate) fn n_row_groups(&self) -> usize {
        self.first_rows.len()
    }

    /// The rows of a row group, with those that are deleted.
    pub(crate) fn n_rows(&self, row_group: usize) -> u64 {
        // Checked when the file was opened.
        u64::try_from(self.metadata.metadata().row_group(row_group).num_rows()).unwrap_or_default()
    }

    pub(crate) fn n_deleted(&self, row_group: usize) -> u64 {
        self.deleted_in(self.first_rows[row_group], self.n_rows(row_group)).len() as u64
    }

    fn deleted_in(&self, first: u64, n_rows: u64) -> &[u64] {
        let from = self.deleted.partition_point(|row| *row < first);
        let to = self.deleted.partition_point(|row| *row < first.saturating_add(n_rows));
        &self.deleted[from..to]
    }

    /// The number of nulls that the footer states for a column, deleted rows included.
    pub(crate) fn n_null(&self, row_group: usize, position: usize) -> Option<u64> {
        let chunk = self.plain_chunk(row_group, position)?;
        if chunk.column_descr().max_def_level() == 0 {
            return Some(0);
        }
        chunk.statistics()?.null_count_opt().filter(|n_null| *n_null <= self.n_rows(row_group))
    }

    /// The least and the greatest value that the footer states for a column, deleted rows included. They may lie beyond
    /// the values, as those of long texts do. Those of floating-point numbers say nothing of not-a-number. `None` for
    /// bounds of an unknown order.
    pub(crate) fn bounds(&self, row_group: usize, position: usize) -> Option<[ArrayRef; 2]> {
        let chunk = self.plain_chunk(row_group, position)?;
        let Layout::Plain(leaves) = &self.layout else { return None };
        let (leaf, file) = (*leaves.get(position)?, self.metadata.metadata().file_metadata());
        let field = self.root(leaf);
        let order = file.column_order(leaf);
        if !matches!(order, ColumnOrder::TYPE_DEFINED_ORDER(_)) || chunk.statistics()?.is_min_max_deprecated() {
            return None;
        }
        let converter = StatisticsConverter::try_new(field.name(), self.metadata.schema(), file.schema_descr()).ok()?;
        if converter.parquet_column_index() != Some(leaf) {
            return None;
        }
        let row_group = self.metadata.metadata().row_group(row_group);
        let bounds = [converter.row_group_mins([row_group]).ok()?, converter.row_group_maxes([row_group]).ok()?];
        bounds.iter().all(|bound| bound.len() == 1 && bound.is_valid(0)).then_some(bounds)
    }

    fn plain_chunk(&self, row_group: usize, position: usize) -> Option<&ColumnChunkMetaData> {
        let Layout::Plain(leaves) = &self.layout else { return None };
        self.metadata.metadata().row_group(row_group).columns().get(*leaves.get(position)?)
    }

    /// The column of the file that a leaf belongs to.
    fn root(&self, leaf: usize) -> &arrow::datatypes::FieldRef {
        let parquet = self.metadata.metadata().file_metadata().schema_descr();
        &self.metadata.schema().fields()[parquet.get_column_root_idx(leaf)]
    }

    /// Passes the rows of a row group that are not deleted to `sink`, in batches of the wanted columns, until it returns
    /// `false`. Returns whether it never did.
    pub(crate) fn read(
        &self,
        row_group: usize,
        wanted: &Wanted,
        sink: &mut dyn FnMut(RecordBatch) -> bool,
    ) -> Result<bool> {
        let corrupt = |error: &dyn std::fmt::Display| corrupt(&self.path, error);
        let leaves: Vec<usize> = match &self.layout {
            Layout::Plain(leaves) => wanted.positions.iter().map(|position| leaves[*position]).collect(),
            Layout::Converted { leaves, .. } => leaves.clone(),
        };
        let chunks = self.metadata.metadata().row_group(row_group).columns();
        let n_bytes = leaves.iter().map(|leaf| u64::try_from(chunks[*leaf].compressed_size()).unwrap_or_default());
        self.reads.n_bytes.fetch_add(n_bytes.sum(), Ordering::Relaxed);
        self.reads.n_rows.fetch_add(self.n_rows(row_group), Ordering::Relaxed);

        let metadata = self.with_dictionaries(row_group, wanted);
        let builder = ParquetRecordBatchReaderBuilder::new_with_metadata(self.source.clone(), metadata);
        let mask = ProjectionMask::leaves(builder.parquet_schema(), leaves.iter().copied());
        let builder = builder.with_projection(mask).with_row_groups(vec![row_group]).with_batch_size(BATCH_ROWS);
        let mut first = self.first_rows[row_group];
        let mut schema: Option<SchemaRef> = None;
        for batch in builder.build().map_err(|error| corrupt(&error))? {
            let batch = batch.map_err(|error| corrupt(&error))?;
            let n_rows = batch.num_rows() as u64;
            let mut batch = match &self.layout {
                Layout::Plain(_) => {
                    // The reader returns columns in the order of the file.
                    let places = leaves.iter().map(|leaf| leaves.iter().filter(|other| *other < leaf).count());
                    batch.project(&places.collect::<Vec<_>>()).map_err(|error| corrupt(&error))?
                }
                Layout::Converted { convert, .. } => {
                    convert(batch)?.project(&wanted.positions).map_err(|error| corrupt(&error))?
                }
            };
            let deleted = self.deleted_in(first, n_rows);
            if !deleted.is_empty() {
                batch = without(&batch, first, deleted).map_err(|error| corrupt(&error))?;
            }
            first = first.saturating_add(n_rows);
            // One schema for all batches.
            let common = schema.get_or_insert_with(|| batch.schema());
            debug_assert_eq!(common.fields().len(), batch.num_columns());
            if batch.num_rows() > 0 && !sink(batch) {
                return Ok(false);
            }
        }
        Ok(true)
    }

    /// The metadata that has the reader return dictionaries where that is wanted and all pages are.
    fn with_dictionaries(&self, row_group: usize, wanted: &Wanted) -> ArrowReaderMetadata {
        let Layout::Plain(leaves) = &self.layout else { return self.metadata.clone() };
        let parquet = self.metadata.metadata().file_metadata().schema_descr();
        let mut fields: Vec<_> = self.metadata.schema().fields().iter().cloned().collect();
        let mut n_changed = 0;
        for position in &wanted.dictionaries {
            let leaf = leaves[*position];
            let chunk = self.metadata.metadata().row_group(row_group).column(leaf);
            let field = &mut fields[parquet.get_column_root_idx(leaf)];
            // The dictionary reader goes by the old name of the type, and would not check the text without it.
            let is_text =
                *field.data_type() == DataType::Utf8 && chunk.column_descr().converted_type() == ConvertedType::UTF8;
            if is_text && is_all_dictionary(chunk) {
                let dictionary = DataType::Dictionary(Box::new(DataType::Int32), Box::new(DataType::Utf8));
                *field = Arc::new(field.as_ref().clone().with_data_type(dictionary));
                n_changed += 1;
            }
        }
        if n_changed == 0 {
            return self.metadata.clone();
        }
        let options = ArrowReaderOptions::new().with_schema(Arc::new(Schema::new(fields)));
        ArrowReaderMetadata::try_new(self.metadata.metadata().clone(), options)
            .unwrap_or_else(|_| self.metadata.clone())
    }
}

/// Whether all values of a chunk are in its dictionary, by what its writer says of the pages.
fn is_all_dictionary(chunk: &ColumnChunkMetaData) -> bool {
    chunk
        .page_encoding_stats_mask()
        .is_some_and(|pages| pages.is_only(Encoding::RLE_DICTIONARY) || pages.is_only(Encoding::PLAIN_DICTIONARY))
}

/// The rows of a batch that are not deleted.
fn without(batch: &RecordBatch, first: u64, deleted: &[u64]) -> Result<RecordBatch, arrow::error::ArrowError> {
    let mut kept = vec![true; batch.num_rows()];
    for row in deleted {
        if let Some(kept) = usize::try_from(row - first).ok().and_then(|row| kept.get_mut(row)) {
            *kept = false;
        }
    }
    filter_record_batch(batch, &BooleanArray::new(BooleanBuffer::from(kept), None))
}

pub(crate) fn corrupt(path: &str, error: &dyn std::fmt::Display) -> Unreadable {
    Unreadable(format!("the file `{path}` is corrupt: {error}"))
}

/// Reads at positions, so that threads share one handle.
#[derive(Clone)]
struct Source {
    file: Arc<File>,
    size_bytes: u64,
}

impl Length for Source {
    fn len(&self) -> u64 {
        self.size_bytes
    }
}

impl ChunkReader for Source {
    type T = BufReader<At>;

    fn get_read(&self, start: u64) -> Result<Self::T, ParquetError> {
        Ok(BufReader::with_capacity(HEADER_BYTES, At { file: self.file.clone(), position: start }))
    }

    fn get_bytes(&self, start: u64, length: usize) -> Result<bytes::Bytes, ParquetError> {
        // Before any memory is reserved for it.
        if start.checked_add(length as u64).is_none_or(|end| end > self.size_bytes) {
            return Err(ParquetError::EOF(format!("{length} bytes at {start} are not in the file")));
        }
        let mut bytes = Vec::with_capacity(length);
        let read = At { file: self.file.clone(), position: start }.take(length as u64).read_to_end(&mut bytes)?;
        if read != length {
            return Err(ParquetError::EOF(format!("{length} bytes at {start}, of which {read} are there")));
        }
        Ok(bytes.into())
    }
}

struct At {
    file: Arc<File>,
    position: u64,
}

impl Read for At {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let read = self.file.read_at(buffer, self.position)?;
        self.position += read as u64;
        Ok(read)
    }
}
