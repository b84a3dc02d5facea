//! Where the chunks of columns lie in data files, by their footers: what tells which columns a read of some bytes touches.
//!
//! A footer is not to be relied upon. A file whose chunks lie outside of it, overlap or lie in another file has none that
//! are known. Page indexes belong to no column: like the footer they say bounds of values, for many columns at once.

use std::collections::BTreeMap;

use domain::column_reads::{Chunk, FileChunks, MAX_CHUNKS};
use domain::table::PinnedFile;
use parquet::arrow::arrow_reader::ArrowReaderMetadata;
use parquet::file::metadata::{ColumnChunkMetaData, ParquetMetaData};

/// The chunks of the data files seen so far; `None` once they are too many.
pub(crate) struct ChunksOfFiles {
    files: Option<BTreeMap<String, Option<FileChunks>>>,
    n_chunks: usize,
}

impl ChunksOfFiles {
    pub(crate) fn new() -> Self {
        Self { files: Some(BTreeMap::new()), n_chunks: 0 }
    }

    /// Adds a data file. `column_of` gives the place in the table's schema of a column of the file, by its place there.
    pub(crate) fn add(
        &mut self,
        file: &PinnedFile,
        metadata: &ArrowReaderMetadata,
        column_of: impl Fn(usize) -> Option<u32>,
    ) {
        let Some(files) = &mut self.files else { return };
        let chunks = chunks(metadata.metadata(), file.size_bytes, column_of).and_then(FileChunks::new);
        self.n_chunks += chunks.as_ref().map_or(0, |chunks| chunks.as_slice().len());
        files.insert(file.path.clone(), chunks);
        if self.n_chunks > MAX_CHUNKS {
            self.files = None;
        }
    }

    /// Those of these files, in their order. What is no data file has none.
    pub(crate) fn of(self, files: &[PinnedFile]) -> Option<Vec<Option<FileChunks>>> {
        let mut known = self.files?;
        Some(files.iter().map(|file| known.remove(&file.path).unwrap_or_else(|| Some(FileChunks::default()))).collect())
    }
}

/// `None` if one of them is not in the file.
fn chunks(metadata: &ParquetMetaData, size_bytes: u64, column_of: impl Fn(usize) -> Option<u32>) -> Option<Vec<Chunk>> {
    let schema = metadata.file_metadata().schema_descr();
    let columns: Vec<Option<u32>> =
        (0..schema.num_columns()).map(|leaf| column_of(schema.get_column_root_idx(leaf))).collect();
    let (mut chunks, mut open_ended) = (Vec::new(), Vec::new());
    // Where something else begins than the chunks.
    let mut starts = Vec::new();
    for row_group in metadata.row_groups() {
        for (leaf, column) in row_group.columns().iter().zip(&columns) {
            chunks.extend(chunk(leaf, *column)?);
            let indexes = [leaf.column_index_offset(), leaf.offset_index_offset()];
            starts.extend(indexes.into_iter().flatten().filter_map(|start| u64::try_from(start).ok()));
            match bloom_filter(leaf)? {
                Some((start, Some(end))) => chunks.push(Chunk { start, end, column: *column }),
                Some((start, None)) => open_ended.push((start, *column)),
                None => {}
            }
        }
    }
    starts.extend(chunks.iter().map(|chunk| chunk.start).chain(open_ended.iter().map(|(start, _)| *start)));
    starts.sort_unstable();
    for (start, column) in open_ended {
        // Writers did not always say how long the filter is: it ends where the next part of the file begins.
        let next = starts.get(starts.partition_point(|next| *next <= start));
        chunks.push(Chunk { start, end: next.copied().unwrap_or(size_bytes), column });
    }
    chunks.iter().all(|chunk| chunk.end <= size_bytes).then_some(chunks)
}

/// The bytes of a chunk, from its dictionary on; none where it has no bytes. The outer `None` for a chunk whose bytes are
/// not known.
fn chunk(leaf: &ColumnChunkMetaData, column: Option<u32>) -> Option<Option<Chunk>> {
    if leaf.file_path().is_some() {
        return None;
    }
    let data = u64::try_from(leaf.data_page_offset()).ok()?;
    // Some writers say 0 where there is none.
    let others = [leaf.dictionary_page_offset(), leaf.index_page_offset()];
    let others = others.into_iter().flatten().filter(|start| *start > 0).filter_map(|start| u64::try_from(start).ok());
    let start = others.chain([data]).min()?;
    let end = start.checked_add(u64::try_from(leaf.compressed_size()).ok()?)?;
    if start == end && leaf.num_values() == 0 {
        return Some(None);
    }
    (data < end).then_some(Some(Chunk { start, end, column }))
}

/// Where a bloom filter begins and, if that is known, ends. The outer `None` for one that lies nowhere.
fn bloom_filter(leaf: &ColumnChunkMetaData) -> Option<Option<(u64, Option<u64>)>> {
    let Some(start) = leaf.bloom_filter_offset() else { return Some(None) };
    let start = u64::try_from(start).ok()?;
    let length = leaf.bloom_filter_length().map(u64::try_from).transpose().ok()?.filter(|length| *length > 0);
    let end = match length {
        Some(length) => Some(start.checked_add(length)?),
        None => None,
    };
    Some(Some((start, end)))
}
