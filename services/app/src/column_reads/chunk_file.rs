//! Where the columns lie in the files of a list, as a file of the data directory.
//!
//! It is a cache of what an inspection found. Whatever is wrong with the file, it is as if there was none: its first line
//! is the digest of the rest. Then come the columns, and a line for each file: for each chunk the place of its column plus
//! one, or 0, the bytes between the chunk before and this one, and its length; `?` where the chunks are not known.

use std::fmt::Write as _;
use std::io::{self, Read};

use domain::column_reads::{Chunk, ChunkMap, FileChunks};
use domain::table::FileDigest;
use sha2::{Digest, Sha256};

/// The most bytes of a file before compression: of the most chunks, with room for the names.
const MAX_PLAIN_BYTES: u64 = 96 << 20;
const ZSTD_LEVEL: i32 = 3;
const UNKNOWN: &str = "?";

/// The bytes of the file.
///
/// # Errors
/// If it would be too long.
pub(crate) fn encode(map: &ChunkMap) -> io::Result<Vec<u8>> {
    let mut text = serde_json::to_string(&map.columns()[..])?;
    text.push('\n');
    for file in map.files() {
        match file {
            None => text.push_str(UNKNOWN),
            Some(chunks) => write_chunks(&mut text, chunks),
        }
        text.push('\n');
    }
    let text = format!("{}\n{text}", digest(&text));
    if u64::try_from(text.len()).unwrap_or(u64::MAX) > MAX_PLAIN_BYTES {
        return Err(io::Error::other("they are too many"));
    }
    zstd::encode_all(text.as_bytes(), ZSTD_LEVEL)
}

fn write_chunks(text: &mut String, chunks: &FileChunks) {
    let mut end = 0;
    for chunk in chunks.as_slice() {
        let column = chunk.column.map_or(0, |column| u64::from(column) + 1);
        let gap = chunk.start - std::mem::replace(&mut end, chunk.end);
        let _ = write!(text, "{column} {gap} {} ", chunk.end - chunk.start);
    }
}

/// The map in the bytes of a file.
///
/// # Errors
/// If it is damaged.
pub(crate) fn decode(bytes: &[u8]) -> io::Result<ChunkMap> {
    let mut text = String::new();
    zstd::Decoder::new(bytes)?.take(MAX_PLAIN_BYTES).read_to_string(&mut text)?;
    parse(&text).ok_or_else(|| io::Error::new(io::ErrorKind::InvalidData, "it is damaged"))
}

fn parse(text: &str) -> Option<ChunkMap> {
    let (head, text) = text.split_once('\n')?;
    if head.parse() != Ok(digest(text)) {
        return None;
    }
    let mut lines = text.lines();
    let columns = serde_json::from_str(lines.next()?).ok()?;
    let files = lines.map(|line| if line == UNKNOWN { Some(None) } else { chunks_of(line).map(Some) });
    ChunkMap::new(columns, files.collect::<Option<_>>()?)
}

fn chunks_of(line: &str) -> Option<FileChunks> {
    let numbers = line.split_ascii_whitespace().map(str::parse).collect::<Result<Vec<u64>, _>>().ok()?;
    let (chunks, rest) = numbers.as_chunks::<3>();
    let mut end = 0_u64;
    let chunks = chunks.iter().map(|[column, gap, length]| {
        let column = column.checked_sub(1).map(u32::try_from).transpose().ok()?;
        let start = end.checked_add(*gap)?;
        end = start.checked_add(*length)?;
        Some(Chunk { start, end, column })
    });
    let chunks = chunks.collect::<Option<Vec<_>>>().filter(|_| rest.is_empty())?;
    FileChunks::new(chunks)
}

fn digest(text: &str) -> FileDigest {
    FileDigest(Sha256::digest(text).into())
}
