//! The footer of a Parquet file, read within limits.

mod encryption;
mod int96;

use std::fs::File;
use std::os::unix::fs::FileExt;
use std::sync::Arc;

use inspect::wire::MAX_COLUMNS;
use parquet::arrow::arrow_reader::{ArrowReaderMetadata, ArrowReaderOptions};
use parquet::file::metadata::ParquetMetaDataReader;

pub(crate) use self::int96::in_microseconds;
use crate::error::{Result, Unreadable};

/// The maximum size of a footer: thousands of row groups of a wide table. In memory it is several times larger.
const MAX_FOOTER_BYTES: u32 = 64 * 1024 * 1024;
/// The last four bytes of a file whose footer is encrypted.
const ENCRYPTED_MAGIC: [u8; 4] = *b"PARE";
/// The last bytes of each file: the footer's length and the magic.
const TAIL_BYTES: u64 = 8;

/// Reads the footer. The Arrow schema that a writer may have embedded is ignored; only the Parquet types count.
///
/// # Errors
/// The file is not Parquet, is encrypted, is cut off, has a corrupt or too long footer, or too many columns.
pub(crate) fn read(file: &File, path: &str) -> Result<ArrowReaderMetadata> {
    let corrupt = |error: &dyn std::fmt::Display| Unreadable(format!("the file `{path}` is corrupt: {error}"));
    let size_bytes = file.metadata().map_err(|error| corrupt(&error))?.len();
    let mut tail = [0; TAIL_BYTES as usize];
    let start = size_bytes.checked_sub(TAIL_BYTES).ok_or_else(|| corrupt(&"it is too short"))?;
    file.read_exact_at(&mut tail, start).map_err(|error| corrupt(&error))?;
    let [a, b, c, d, magic @ ..] = tail;
    let encrypted = || Unreadable(format!("the file `{path}` is encrypted, and its key is not known here"));
    if magic == ENCRYPTED_MAGIC {
        return Err(encrypted());
    }
    if magic != *b"PAR1" {
        return Err(corrupt(&"it is not Parquet"));
    }
    let footer_bytes = u32::from_le_bytes([a, b, c, d]);
    if footer_bytes > MAX_FOOTER_BYTES {
        return Err(corrupt(&format_args!("its footer says {footer_bytes} bytes, more than {MAX_FOOTER_BYTES}")));
    }
    let start = start.checked_sub(footer_bytes.into()).ok_or_else(|| corrupt(&"it is too short for its footer"))?;
    let mut footer = vec![0; footer_bytes as usize];
    file.read_exact_at(&mut footer, start).map_err(|error| corrupt(&error))?;
    if encryption::is_encrypted(&footer) {
        return Err(encrypted());
    }
    let metadata = ParquetMetaDataReader::decode_metadata(&footer).map_err(|error| corrupt(&error))?;
    let options = ArrowReaderOptions::new().with_skip_arrow_metadata(true);
    let metadata = ArrowReaderMetadata::try_new(Arc::new(metadata), options).map_err(|error| corrupt(&error))?;
    let n_columns = metadata.metadata().file_metadata().schema_descr().num_columns();
    if n_columns > MAX_COLUMNS {
        return Err(Unreadable(format!("the file `{path}` has {n_columns} columns, more than {MAX_COLUMNS}")));
    }
    in_microseconds(metadata, None).map_err(|error| corrupt(&error))
}

/// The number of rows according to a footer, which must be that of its row groups.
pub(crate) fn n_rows(metadata: &ArrowReaderMetadata, path: &str) -> Result<u64> {
    let corrupt = |why: &str| Unreadable(format!("the file `{path}` is corrupt: {why}"));
    let below_zero = |_| corrupt("it counts its rows below zero");
    let n_rows = u64::try_from(metadata.metadata().file_metadata().num_rows()).map_err(below_zero)?;
    let mut n_in_groups = 0_u64;
    for row_group in metadata.metadata().row_groups() {
        let in_group = u64::try_from(row_group.num_rows()).map_err(below_zero)?;
        n_in_groups = n_in_groups.saturating_add(in_group);
    }
    if n_rows == n_in_groups { Ok(n_rows) } else { Err(corrupt("its row groups have other rows than it counts")) }
}
