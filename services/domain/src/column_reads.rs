//! Which columns of a table are read: where the chunks of each column lie in the data files of a snapshot, which columns
//! a range of a file touches, and what is kept of that.
//!
//! A column is one of the table's own, by its name in the snapshot's schema; members of structs, items of lists and
//! entries of maps count as the column they are in. The answer may hold columns that were not read, and never lacks one
//! whose values were. Where that cannot be told, it is everything (`docs/rules.md`, "Columns read").

use std::ops::Range;
use std::sync::Arc;
use std::time::Duration;

use crate::clock::Timestamp;
use crate::id::{BindingId, PrincipalId, TableId};

/// The most chunks that the map of a snapshot has. A snapshot with more has no map.
pub const MAX_CHUNKS: usize = 1_000_000;
/// The most chunks of one file. A read of a file with more counts as everything.
pub const MAX_CHUNKS_OF_FILE: usize = 100_000;
/// A read up to the end of a file that begins within these last bytes is one of the footer.
pub const FOOTER_BYTES: u64 = 256 << 10;
/// The most columns that a lease reads in a day before it counts as everything.
pub const MAX_COLUMNS: usize = 1_000;
/// A day.
pub const DAY: Duration = Duration::from_secs(24 * 3_600);
/// How many days reads are kept, and the longest time that can be asked about.
pub const MAX_DAYS: u32 = 400;
/// How often reads are written.
pub const WRITE_EVERY: Duration = Duration::from_secs(60);

/// Bytes of a data file that hold values of one column: a chunk with its dictionary, or a bloom filter.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Chunk {
    /// The first byte.
    pub start: u64,
    /// The byte after the last one.
    pub end: u64,
    /// The column's place in the schema; `None` for one that the table does not have, such as a dropped one.
    pub column: Option<u32>,
}

/// The chunks of one file, in the order of their bytes. None overlaps another one.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct FileChunks(Vec<Chunk>);

impl FileChunks {
    /// `None` for chunks that are empty or overlap, and for too many: a footer that says so is not to be relied upon.
    pub fn new(mut chunks: Vec<Chunk>) -> Option<Self> {
        chunks.sort_unstable_by_key(|chunk| chunk.start);
        let apart = chunks.windows(2).all(|pair| pair[0].end <= pair[1].start);
        let filled = chunks.iter().all(|chunk| chunk.start < chunk.end);
        (apart && filled && chunks.len() <= MAX_CHUNKS_OF_FILE).then_some(Self(chunks))
    }

    /// The chunks.
    pub fn as_slice(&self) -> &[Chunk] {
        &self.0
    }
}

/// Where the columns of a snapshot lie in its files.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ChunkMap {
    columns: Arc<[String]>,
    without_bytes: Vec<u32>,
    files: Vec<Option<FileChunks>>,
}

impl ChunkMap {
    /// The map of a snapshot with these columns. `files` are in the order of its file list; one of which the chunks are
    /// not known is `None`, and one that holds no values, such as a deletion vector, has none. `None` if a chunk is of a
    /// column that is not there, or if there are too many chunks.
    pub fn new(columns: Vec<String>, files: Vec<Option<FileChunks>>) -> Option<Self> {
        let mut has_bytes = vec![false; columns.len()];
        let mut n_chunks = 0_usize;
        for chunk in files.iter().flatten().flat_map(FileChunks::as_slice) {
            n_chunks += 1;
            if let Some(column) = chunk.column {
                *has_bytes.get_mut(usize::try_from(column).ok()?)? = true;
            }
        }
        let without = (0..).zip(has_bytes).filter_map(|(column, has_bytes)| (!has_bytes).then_some(column));
        let without_bytes = without.collect();
        (n_chunks <= MAX_CHUNKS).then(|| Self { columns: columns.into(), without_bytes, files })
    }

    /// The columns' names.
    pub fn columns(&self) -> &Arc<[String]> {
        &self.columns
    }

    /// The files, in the order of the file list.
    pub fn files(&self) -> &[Option<FileChunks>] {
        &self.files
    }

    /// The columns of which no file holds a byte, such as those that a table is partitioned by: their values are in the
    /// metadata, so each read may be one of them.
    pub fn without_bytes(&self) -> &[u32] {
        &self.without_bytes
    }

    /// What a read of these bytes touches of the file at this place in the list. A read of the footer may take more of
    /// the end of the file along; of the columns there it counts those whose chunks it holds whole, since a reader that
    /// wants more of one asks for the rest.
    pub fn touched(&self, file: usize, size_bytes: u64, bytes: &Range<u64>) -> Touched<'_> {
        let Some(Some(FileChunks(chunks))) = self.files.get(file) else { return Touched::Everything };
        let (Some(first), Some(last)) = (chunks.first(), chunks.last()) else { return Touched::Chunks(&[]) };
        if bytes.start <= first.start && bytes.end >= last.end && chunks.iter().any(|one| one.column != first.column) {
            return Touched::Everything;
        }
        let is_footer = bytes.end == size_bytes && size_bytes - bytes.start.min(size_bytes) <= FOOTER_BYTES;
        let from = match is_footer {
            true => chunks.partition_point(|chunk| chunk.start < bytes.start),
            false => chunks.partition_point(|chunk| chunk.end <= bytes.start),
        };
        let to = chunks.partition_point(|chunk| chunk.start < bytes.end);
        let touched = chunks.get(from..to).unwrap_or_default();
        match touched.iter().any(|chunk| chunk.column.is_none()) {
            true => Touched::Everything,
            false => Touched::Chunks(touched),
        }
    }
}

/// What a read touches of a file.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Touched<'a> {
    /// Any column, for all that can be told.
    Everything,
    /// The columns of these chunks.
    Chunks(&'a [Chunk]),
}

/// Who reads, and through which binding.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Reader {
    /// Who holds the lease.
    pub principal_id: PrincipalId,
    /// The binding that the lease was decided about.
    pub binding_id: BindingId,
}

/// What was read of a table.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum ReadColumn {
    /// Any column, for all that can be told.
    Everything,
    /// A column.
    Named(String),
}

/// Who read what, on one day or in a time.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Reading {
    /// The table.
    pub table_id: TableId,
    /// The binding through which it was read.
    pub binding_id: BindingId,
    /// Who read it.
    pub principal_id: PrincipalId,
    /// What was read.
    pub column: ReadColumn,
}

/// How often and when something was read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Extent {
    /// Under how many leases. One that reads on several days, or before and after a restart, counts each time.
    pub n_leases: u64,
    /// When it was read last, to the minute or so.
    pub last_at: Timestamp,
}

impl Extent {
    /// This and another one together.
    #[must_use]
    pub fn and(self, other: Self) -> Self {
        Self { n_leases: self.n_leases.saturating_add(other.n_leases), last_at: self.last_at.max(other.last_at) }
    }
}

/// What is known of the recording of reads.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Recording {
    /// Since when reads are recorded; `None` if they are not.
    pub since: Option<Timestamp>,
    /// When reads may have been lost: at the start after a crash, which loses up to [`WRITE_EVERY`] before it, and
    /// whenever there were more than the program holds.
    pub losses: Vec<Timestamp>,
}

/// The number of the day, in UTC, that a moment belongs to.
pub fn day_of(at: Timestamp) -> i64 {
    at.micros().div_euclid(24 * 3_600 * 1_000_000)
}
