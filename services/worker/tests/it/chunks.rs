//! Where the columns lie in data files.

use std::fs::{self, File};
use std::path::Path;
use std::sync::Arc;

use arrow::array::{ArrayRef, Int64Array, RecordBatch, StringArray, StructArray};
use arrow::datatypes::{DataType, Field};
use domain::column_reads::{Chunk, FileChunks};
use parquet::arrow::ArrowWriter;
use parquet::file::metadata::{ColumnChunkMetaData, ParquetMetaData, ParquetMetaDataReader, ParquetMetaDataWriter};
use parquet::file::properties::{EnabledStatistics, WriterProperties};
use serde_json::json;
use tempfile::TempDir;

use crate::support::{
    HandTable, add, delta, folder, metadata, metadata_of, numbers, protocol, protocol_of, write_parquet,
};

/// Columns `n`, `text`, and `pair` with two members.
fn batch() -> RecordBatch {
    let n: ArrayRef = Arc::new(Int64Array::from_iter_values(0..100));
    let text: ArrayRef = Arc::new(StringArray::from_iter_values((0..100).map(|at| format!("word {}", at % 7))));
    let member = |name: &str| Arc::new(Field::new(name, DataType::Int64, false));
    let pair: ArrayRef = Arc::new(StructArray::from(vec![(member("x"), n.clone()), (member("y"), n.clone())]));
    RecordBatch::try_from_iter([("n", n), ("text", text), ("pair", pair)]).unwrap()
}

fn write(path: &Path, properties: WriterProperties) {
    let mut writer = ArrowWriter::try_new(File::create(path).unwrap(), batch().schema(), Some(properties)).unwrap();
    writer.write(&batch()).unwrap();
    writer.close().unwrap();
}

/// Two row groups, with dictionaries, page indexes and a bloom filter.
fn properties() -> WriterProperties {
    WriterProperties::builder()
        .set_max_row_group_row_count(Some(50))
        .set_statistics_enabled(EnabledStatistics::Page)
        .set_column_bloom_filter_enabled("text".into(), true)
        .build()
}

fn footer(path: &Path) -> ParquetMetaData {
    ParquetMetaDataReader::new().parse_and_finish(&File::open(path).unwrap()).unwrap()
}

/// The chunks of the only file of a folder.
fn of_folder(root: &Path) -> Option<FileChunks> {
    let mut chunks = folder(root, vec![]).unwrap().inspection.chunks.unwrap();
    assert_eq!(chunks.len(), 1);
    chunks.remove(0)
}

#[test]
fn chunks_lie_where_the_footer_says_with_dictionaries_and_bloom_filters() {
    let root = TempDir::new().unwrap();
    let path = root.path().join("a.parquet");
    write(&path, properties());
    let footer = footer(&path);
    let mut expected = Vec::new();
    for row_group in footer.row_groups() {
        for (leaf, column) in row_group.columns().iter().zip([0, 1, 2, 2]) {
            let (start, length) = leaf.byte_range();
            expected.push(Chunk { start, end: start + length, column: Some(column) });
            if let (Some(start), Some(length)) = (leaf.bloom_filter_offset(), leaf.bloom_filter_length()) {
                let (start, length) = (u64::try_from(start).unwrap(), u64::try_from(length).unwrap());
                expected.push(Chunk { start, end: start + length, column: Some(column) });
            }
        }
    }
    assert_eq!(expected.len(), 2 * 4 + 2, "a bloom filter for `text` in each row group");
    assert!(footer.row_group(0).column(1).dictionary_page_offset().is_some());
    assert_eq!(of_folder(root.path()), FileChunks::new(expected));
}

#[test]
fn a_file_without_rows_has_none() {
    let root = TempDir::new().unwrap();
    write_parquet(&root.path().join("a.parquet"), &numbers(&[]));
    assert_eq!(of_folder(root.path()), Some(FileChunks::default()));
}

#[test]
fn a_bloom_filter_of_unknown_length_ends_where_something_else_begins() {
    let root = TempDir::new().unwrap();
    let path = root.path().join("a.parquet");
    write(&path, properties());
    let before = of_folder(root.path()).unwrap();
    let filter = |footer: &ParquetMetaData| footer.row_group(0).column(1).bloom_filter_offset().unwrap();
    let start = u64::try_from(filter(&footer(&path))).unwrap();
    rewrite(&path, |leaf| match leaf.bloom_filter_offset() {
        Some(_) => leaf.into_builder().set_bloom_filter_length(None).build().unwrap(),
        None => leaf,
    });
    let after = of_folder(root.path()).unwrap();
    let find = |chunks: &FileChunks| *chunks.as_slice().iter().find(|chunk| chunk.start == start).unwrap();
    assert_eq!(find(&after).column, Some(1));
    assert!(find(&after).end >= find(&before).end, "no byte of it is left out");
    assert_eq!(after.as_slice().len(), before.as_slice().len());
}

/// Writes another footer after the same data, with each column chunk changed.
fn rewrite(path: &Path, change: impl Fn(ColumnChunkMetaData) -> ColumnChunkMetaData) {
    let bytes = fs::read(path).unwrap();
    let length = u32::from_le_bytes(bytes[bytes.len() - 8..bytes.len() - 4].try_into().unwrap());
    let mut written = bytes[..bytes.len() - 8 - length as usize].to_vec();
    let mut metadata = footer(path).into_builder();
    let row_groups = metadata.take_row_groups().into_iter().map(|row_group| {
        let columns = row_group.columns().iter().cloned().map(&change).collect();
        row_group.into_builder().set_column_metadata(columns).build().unwrap()
    });
    let metadata = metadata.set_row_groups(row_groups.collect()).build();
    ParquetMetaDataWriter::new(&mut written, &metadata).finish().unwrap();
    fs::write(path, written).unwrap();
}

#[test]
fn a_footer_that_cannot_be_right_leaves_the_chunks_unknown() {
    type Change = fn(ColumnChunkMetaData) -> ColumnChunkMetaData;
    let root = TempDir::new().unwrap();
    let path = root.path().join("a.parquet");
    let wrong: [(&str, Change); 6] = [
        ("all begin at one byte", |leaf| {
            leaf.into_builder().set_dictionary_page_offset(None).set_data_page_offset(4).build().unwrap()
        }),
        ("beyond the end", |leaf| leaf.into_builder().set_total_compressed_size(1 << 40).build().unwrap()),
        ("as long as can be", |leaf| leaf.into_builder().set_total_compressed_size(i64::MAX / 8).build().unwrap()),
        ("before the start", |leaf| leaf.into_builder().set_data_page_offset(-1).build().unwrap()),
        ("the data after the end", |leaf| {
            let data = leaf.data_page_offset();
            leaf.into_builder().set_data_page_offset(data + (1 << 30)).build().unwrap()
        }),
        ("in another file", |leaf| leaf.into_builder().set_file_path("b.parquet".to_owned()).build().unwrap()),
    ];
    for (what, change) in wrong {
        write(&path, properties());
        rewrite(&path, change);
        assert_eq!(of_folder(root.path()), None, "{what}");
    }
    write(&path, properties());
    rewrite(&path, |leaf| leaf);
    assert!(of_folder(root.path()).is_some(), "the footer is written as it was");
}

/// The columns of a version's files that have chunks, file by file.
fn columns_of(table: &HandTable, version: u64) -> Vec<(String, Option<Vec<Option<u32>>>)> {
    let found = delta(table.path(), version, vec![]).unwrap().inspection;
    let columns = |chunks: &FileChunks| chunks.as_slice().iter().map(|chunk| chunk.column).collect();
    let chunks = found.chunks.unwrap();
    let chunks = chunks.iter().map(|chunks| chunks.as_ref().map(columns));
    found.files.into_iter().map(|file| file.path).zip(chunks).collect()
}

#[test]
fn columns_of_a_delta_table_are_found_by_name() {
    let table = HandTable::new();
    let size = table.data("a.parquet", &batch());
    let schema =
        metadata(&[("text", json!("string")), ("day", json!("date")), ("n", json!("long"))], &["day"], json!({}));
    let mut added = add("a.parquet", size);
    added["add"]["partitionValues"] = json!({"day": "2026-01-01"});
    table.entry(0, &[protocol(1), schema, added]);
    // `day` is in no file, and `pair` in no version.
    let expected = vec![Some(2), Some(0), None, None];
    assert_eq!(columns_of(&table, 0), [("a.parquet".to_owned(), Some(expected))]);
}

/// The names in the file are `n`, `text` and `pair`.
fn mapped(mode: &str) -> HandTable {
    let field = |name: &str, r#type: &str, id: u32, physical: &str| {
        let mapping = json!({"delta.columnMapping.id": id, "delta.columnMapping.physicalName": physical});
        json!({"name": name, "type": r#type, "nullable": true, "metadata": mapping})
    };
    let table = HandTable::new();
    let size = table.data("a.parquet", &with_numbers());
    let configuration = json!({"delta.columnMapping.mode": mode, "delta.columnMapping.maxColumnId": "9"});
    // A column that now has the name which another one has in files.
    let fields = vec![field("n", "string", 7, "text"), field("number", "long", 8, "n")];
    let schema = metadata_of(fields, &[], configuration);
    table.entry(0, &[protocol_of(&["columnMapping"]), schema, add("a.parquet", size)]);
    table
}

/// The columns `n` and `text` with their numbers in files.
fn with_numbers() -> RecordBatch {
    let batch = batch().project(&[0, 1]).unwrap();
    let known = batch.schema();
    let fields = known.fields().iter().zip(["8", "7"]).map(|(field, id)| {
        let id = [("PARQUET:field_id".to_owned(), id.to_owned())];
        field.as_ref().clone().with_metadata(id.into())
    });
    let schema = arrow::datatypes::Schema::new(fields.collect::<Vec<_>>());
    RecordBatch::try_new(Arc::new(schema), batch.columns().to_vec()).unwrap()
}

#[test]
fn mapped_columns_of_a_delta_table_have_their_names_in_the_version() {
    for mode in ["name", "id"] {
        let expected = vec![Some(1), Some(0)];
        assert_eq!(columns_of(&mapped(mode), 0), [("a.parquet".to_owned(), Some(expected))], "{mode}");
    }
}
