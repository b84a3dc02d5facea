//! Which columns a read of some bytes touches.

use domain::column_reads::{Chunk, ChunkMap, FOOTER_BYTES, FileChunks, MAX_CHUNKS_OF_FILE, Touched};

const MIB: u64 = 1 << 20;
/// The footer of the file, with its length and magic.
const FOOTER: u64 = 1_000;
const SIZE: u64 = 4 + 3 * MIB + FOOTER;

fn chunk(start: u64, length: u64, column: u32) -> Chunk {
    Chunk { start, end: start + length, column: Some(column) }
}

fn map(files: Vec<Option<Vec<Chunk>>>) -> ChunkMap {
    let files = files.into_iter().map(|file| file.map(|chunks| FileChunks::new(chunks).unwrap()));
    let columns = ["a", "b", "c", "day"].map(str::to_owned).to_vec();
    ChunkMap::new(columns, files.collect()).unwrap()
}

/// A file of three columns, a MiB each.
fn large() -> ChunkMap {
    map(vec![Some((0..3).map(|column| chunk(4 + u64::from(column) * MIB, MIB, column)).collect())])
}

/// The columns that a read touches; `None` for everything.
fn touched(map: &ChunkMap, size: u64, start: u64, end: u64) -> Option<Vec<u32>> {
    match map.touched(0, size, &(start..end)) {
        Touched::Everything => None,
        Touched::Chunks(chunks) => Some(chunks.iter().map(|chunk| chunk.column.unwrap()).collect()),
    }
}

#[test]
fn a_read_touches_the_columns_of_each_chunk_that_it_has_a_byte_of() {
    let map = large();
    let at = |start, end| touched(&map, SIZE, start, end).unwrap();
    assert_eq!(at(4, 4 + MIB), [0]);
    assert_eq!(at(4 + MIB, 4 + 2 * MIB), [1]);
    assert_eq!(at(4 + MIB - 1, 4 + MIB + 1), [0, 1]);
    assert_eq!(at(4 + MIB, 4 + 2 * MIB + 1), [1, 2]);
    assert_eq!(at(4 + MIB + 5, 4 + MIB + 6), [1]);
    assert_eq!(at(0, 4), [0; 0], "the magic");
    assert_eq!(at(4 + 3 * MIB, SIZE - 8), [0; 0], "the footer alone");
    assert_eq!(at(10, 10), [0], "no byte, and no miss");
}

#[test]
fn a_read_of_the_footer_counts_the_columns_whose_chunks_it_holds_whole() {
    let map = large();
    assert_eq!(touched(&map, SIZE, SIZE - 8, SIZE).unwrap(), [0; 0]);
    assert_eq!(touched(&map, SIZE, SIZE - FOOTER_BYTES, SIZE).unwrap(), [0; 0], "a part of the last column");
    assert_eq!(touched(&map, SIZE, SIZE - FOOTER_BYTES - 1, SIZE).unwrap(), [2], "it begins too early for a footer");
    assert_eq!(touched(&map, SIZE, SIZE - FOOTER_BYTES, SIZE - 1).unwrap(), [2], "it ends before the end");

    let small = self::map(vec![Some(vec![chunk(4, 100, 0), chunk(104, 100, 1), chunk(204, 100, 2)])]);
    let size = 1_000;
    assert_eq!(touched(&small, size, 150, size).unwrap(), [2], "a reader that keeps these bytes asks for no others");
    assert_eq!(touched(&small, size, 104, size).unwrap(), [1, 2]);
    assert_eq!(touched(&small, size, 304, size).unwrap(), [0; 0]);
}

#[test]
fn what_covers_all_columns_is_everything() {
    assert_eq!(touched(&large(), SIZE, 0, SIZE), None);
    assert_eq!(touched(&large(), SIZE, 4, 4 + 3 * MIB), None);
    assert_eq!(touched(&large(), SIZE, 5, SIZE).unwrap(), [0, 1, 2]);
    let small = map(vec![Some(vec![chunk(4, 100, 0), chunk(104, 100, 1)])]);
    assert_eq!(touched(&small, 1_000, 0, 1_000), None, "a small file by its footer");
    let one = map(vec![Some(vec![chunk(4, 100, 1), chunk(104, 100, 1)])]);
    assert_eq!(touched(&one, 1_000, 0, 1_000).unwrap(), [1, 1], "its only column");
}

#[test]
fn in_doubt_it_is_everything() {
    let unknown = map(vec![None]);
    assert_eq!(touched(&unknown, SIZE, SIZE - 8, SIZE), None, "a file whose chunks are not known");
    assert_eq!(large().touched(1, SIZE, &(0..4)), Touched::Everything, "a file that is not there");
    let dropped = vec![chunk(4, 100, 0), Chunk { start: 104, end: 204, column: None }, chunk(204, 100, 1)];
    let dropped = map(vec![Some(dropped)]);
    assert_eq!(touched(&dropped, 1_000_000, 4, 104).unwrap(), [0]);
    assert_eq!(touched(&dropped, 1_000_000, 4, 105), None, "a chunk of no column of the table");
    let vector = map(vec![Some(Vec::new())]);
    assert_eq!(touched(&vector, 100, 0, 100).unwrap(), [0; 0], "a file without values");
}

#[test]
fn columns_of_which_no_file_has_a_byte_are_known() {
    assert_eq!(large().without_bytes(), [3]);
    let second = map(vec![Some(vec![chunk(4, 1, 0)]), None, Some(vec![chunk(4, 1, 3)])]);
    assert_eq!(second.without_bytes(), [1, 2]);
}

#[test]
fn chunks_that_cannot_be_are_refused() {
    assert!(FileChunks::new(vec![chunk(4, 10, 0), chunk(14, 10, 1)]).is_some());
    assert!(FileChunks::new(vec![chunk(14, 10, 0), chunk(4, 10, 1)]).is_some(), "in any order");
    assert!(FileChunks::new(vec![chunk(4, 10, 0), chunk(13, 10, 1)]).is_none(), "they overlap");
    assert!(FileChunks::new(vec![chunk(4, 0, 0)]).is_none(), "an empty one");
    let many = |n: usize| FileChunks::new((0..n as u64).map(|at| chunk(4 + at, 1, 0)).collect());
    assert!(many(MAX_CHUNKS_OF_FILE).is_some());
    assert!(many(MAX_CHUNKS_OF_FILE + 1).is_none());
    let file = |n| many(n).map(Some);
    let full = || (0..10).map(|_| file(MAX_CHUNKS_OF_FILE).unwrap()).collect::<Vec<_>>();
    let columns = || vec!["a".to_owned()];
    assert!(ChunkMap::new(columns(), full()).is_some());
    assert!(ChunkMap::new(columns(), full().into_iter().chain([file(1).unwrap()]).collect()).is_none(), "too many");
    let other = FileChunks::new(vec![chunk(4, 1, 1)]);
    assert!(ChunkMap::new(columns(), vec![other]).is_none(), "a column that is not there");
}
