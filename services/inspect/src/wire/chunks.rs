//! The chunks of data files.

use domain::column_reads::{self, Chunk};
use serde::{Deserialize, Serialize};

use super::Malformed;

/// A [`column_reads::FileChunks`] on the wire: for each chunk the place of its column plus one, or 0; the bytes between
/// the chunk before and this one; and its length. A JSON array of numbers, since there are many.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(super) struct FileChunks(Vec<u64>);

impl From<&column_reads::FileChunks> for FileChunks {
    fn from(chunks: &column_reads::FileChunks) -> Self {
        let mut end = 0;
        let numbers = chunks.as_slice().iter().flat_map(|chunk| {
            let column = chunk.column.map_or(0, |column| u64::from(column) + 1);
            let gap = chunk.start - std::mem::replace(&mut end, chunk.end);
            [column, gap, chunk.end - chunk.start]
        });
        Self(numbers.collect())
    }
}

impl FileChunks {
    /// # Errors
    /// They are no chunks of a file.
    pub(super) fn into_domain(self) -> Result<column_reads::FileChunks, Malformed> {
        let malformed = || Malformed::new("the chunks of a file are none");
        let (chunks, rest) = self.0.as_chunks::<3>();
        let mut before = 0_u64;
        let chunks = chunks.iter().map(|[column, gap, length]| {
            let column = column.checked_sub(1).map(u32::try_from).transpose().ok()?;
            let start = before.checked_add(*gap)?;
            before = start.checked_add(*length)?;
            Some(Chunk { start, end: before, column })
        });
        let chunks = chunks.collect::<Option<Vec<_>>>().filter(|_| rest.is_empty()).ok_or_else(malformed)?;
        column_reads::FileChunks::new(chunks).ok_or_else(malformed)
    }
}
