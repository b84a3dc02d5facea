//! Our own checkpoint of a version is all that a lease shows of the log; and checkpoints of others are read with care.

use std::fs;
use std::path::Path;
use std::sync::Arc;

use arrow::array::{Array, ArrayRef, AsArray, RecordBatch, StringArray, StructArray};
use arrow::datatypes::{DataType, Field};
use parquet::arrow::arrow_reader::ParquetRecordBatchReaderBuilder;
use serde_json::json;
use tempfile::TempDir;
use url::Url;

use crate::delta::{VECTOR, mapped_table, table_with_vector};
use crate::support::{
    Found, HandTable, add, delta, metadata, numbers, protocol, protocol_of, remove, sql, unreadable, value,
    write_parquet,
};

/// Three versions: 1, 2, 3; then 4 more rows; then the first file goes.
fn table() -> HandTable {
    let table = HandTable::of_three_rows();
    let size = table.data("b.parquet", &numbers(&[4, 5, 6, 7]));
    let mut second = add("b.parquet", size);
    second["add"]["stats"] = json!(r#"{"numRecords":4}"#);
    table.entry(1, &[second, json!({"txn": {"appId": "loader", "version": 8}})]);
    table.entry(
        2,
        &[
            remove("a.parquet"),
            json!({"cdc": {"path": "_change_data/c.parquet", "partitionValues": {}, "size": 1, "dataChange": false}}),
        ],
    );
    table
}

fn rows_of(found: &Found) -> Vec<RecordBatch> {
    let path = found.inspection.checkpoint.as_ref().unwrap();
    assert_eq!(path.parent(), Some(found.scratch.path()));
    let reader = ParquetRecordBatchReaderBuilder::try_new(fs::File::open(path).unwrap()).unwrap().build().unwrap();
    reader.map(Result::unwrap).collect()
}

/// A folder that shows what a lease shows: the checkpoint and the live files.
fn as_leased(table: &Path, found: &Found, version: u64) -> TempDir {
    let leased = TempDir::new().unwrap();
    fs::create_dir(leased.path().join("_delta_log")).unwrap();
    let name = format!("_delta_log/{version:020}.checkpoint.parquet");
    fs::copy(found.inspection.checkpoint.as_ref().unwrap(), leased.path().join(name)).unwrap();
    for file in &found.inspection.files {
        let to = leased.path().join(&file.path);
        fs::create_dir_all(to.parent().unwrap()).unwrap();
        fs::copy(table.join(&file.path), to).unwrap();
    }
    leased
}

/// Opens a folder with the deltalake crate, as a reader would.
fn open(folder: &Path) -> (Option<u64>, usize) {
    let url = Url::from_directory_path(folder).unwrap();
    let runtime = tokio::runtime::Runtime::new().unwrap();
    let table = runtime.block_on(deltalake::open_table(url)).unwrap();
    (table.version(), table.snapshot().unwrap().log_data().num_files())
}

#[test]
fn it_opens_alone_at_its_version() {
    let table = table();
    for (version, n_files) in [(0, 1), (1, 2), (2, 1)] {
        let found = delta(table.path(), version, vec![]).unwrap();
        let leased = as_leased(table.path(), &found, version);
        assert_eq!(open(leased.path()), (Some(version), n_files));
    }
}

#[test]
fn it_keeps_vectors_and_mapped_columns() {
    let vectors = (table_with_vector("u", VECTOR), 1, "SELECT sum(n) FROM ${table}", 33_336_667);
    let mapping = (mapped_table(), 0, "SELECT sum(\"order number\") FROM ${table} WHERE country = 'DE'", 3);
    for (table, version, query, sum) in [vectors, mapping] {
        let found = delta(table.path(), version, vec![]).unwrap();
        let leased = as_leased(table.path(), &found, version);
        let entry = leased.path().join(format!("_delta_log/{version:020}.json"));
        fs::write(entry, r#"{"commitInfo":{"timestamp":5}}"#).unwrap();
        let again = delta(leased.path(), version, vec![sql(query)]).unwrap().inspection;
        assert_eq!((again.n_rows, again.schema), (found.inspection.n_rows, found.inspection.schema));
        assert_eq!(again.measured, [value(sum)]);
    }
}

#[test]
fn it_names_no_file_that_is_gone() {
    let table = table();
    let found = delta(table.path(), 2, vec![]).unwrap();
    let batches = rows_of(&found);
    let present = |name: &str| -> usize {
        batches.iter().map(|batch| batch.column_by_name(name).unwrap()).map(|c| c.len() - c.null_count()).sum()
    };
    assert_eq!(
        [present("add"), present("remove"), present("metaData"), present("protocol"), present("txn")],
        [1, 0, 1, 1, 1]
    );
    let bytes = fs::read(found.inspection.checkpoint.as_ref().unwrap()).unwrap();
    let holds = |text: &str| bytes.windows(text.len()).any(|window| window == text.as_bytes());
    assert!(holds("b.parquet") && !holds("a.parquet") && !holds("_change_data"));
    let adds = batches.iter().find_map(|batch| batch.column_by_name("add").unwrap().as_struct_opt().cloned()).unwrap();
    let stats: Vec<_> =
        adds.column_by_name("stats").unwrap().as_string::<i32>().iter().flatten().map(str::to_owned).collect();
    assert_eq!(stats.len(), 1);
    let stats: serde_json::Value = serde_json::from_str(&stats[0]).unwrap();
    assert_eq!(stats["numRecords"], 4);
}

/// The table with a checkpoint of version 1 as its writer would make it, and without entry 0.
fn table_with_checkpoint(name: &str) -> HandTable {
    let table = table();
    let found = delta(table.path(), 1, vec![]).unwrap();
    fs::copy(found.inspection.checkpoint.as_ref().unwrap(), table.log(name)).unwrap();
    fs::remove_file(table.log("00000000000000000000.json")).unwrap();
    table
}

#[test]
fn a_checkpoint_stands_for_the_entries_before_it() {
    for name in [
        "00000000000000000001.checkpoint.parquet",
        "00000000000000000001.checkpoint.0000000001.0000000001.parquet",
        "00000000000000000001.checkpoint.80a083e8-7026-4e79-81be-64bd76c43a11.parquet",
    ] {
        let table = table_with_checkpoint(name);
        let found = delta(table.path(), 2, vec![sql("SELECT sum(n) FROM ${table}")]);
        let found = found.unwrap_or_else(|error| panic!("{name}: {error}")).inspection;
        assert_eq!((found.n_rows, found.measured), (4, vec![value(22)]), "{name}");
        assert_eq!(delta(table.path(), 1, vec![]).unwrap().inspection.n_rows, 7, "{name}");
        // Its own entry is not needed either; then its time is that of the checkpoint.
        fs::remove_file(table.log("00000000000000000001.json")).unwrap();
        let alone = delta(table.path(), 1, vec![sql("SELECT sum(n) FROM ${table}")]).unwrap();
        assert_eq!((alone.inspection.n_rows, &alone.inspection.measured), (7, &vec![value(28)]), "{name}");
        let modified = fs::metadata(table.log(name)).unwrap().modified().unwrap();
        let modified = modified.duration_since(std::time::UNIX_EPOCH).unwrap().as_micros();
        assert_eq!(alone.inspection.committed_at.0, i64::try_from(modified).unwrap(), "{name}");
        // What is written of it is a checkpoint like any other.
        assert_eq!(open(as_leased(table.path(), &alone, 1).path()), (Some(1), 2), "{name}");
        assert_eq!(unreadable(delta(table.path(), 3, vec![])), "its log has no entry 3", "{name}");
    }
}

#[test]
fn a_checkpoint_without_all_its_parts_does_not_count() {
    let table = table_with_checkpoint("00000000000000000001.checkpoint.0000000001.0000000002.parquet");
    let reason = unreadable(delta(table.path(), 2, vec![]));
    assert_eq!(reason, "its log has neither a complete checkpoint nor entry 0");
    fs::copy(
        table.log("00000000000000000001.checkpoint.0000000001.0000000002.parquet"),
        table.log("00000000000000000001.checkpoint.0000000002.0000000002.parquet"),
    )
    .unwrap();
    assert!(!matches!(delta(table.path(), 2, vec![]), Err(domain::inspection::InspectionError::Died(_))));
}

#[test]
fn a_checkpoint_that_is_torn_is_refused() {
    let table = table_with_checkpoint("00000000000000000001.checkpoint.parquet");
    let path = table.log("00000000000000000001.checkpoint.parquet");
    let whole = fs::read(&path).unwrap();
    for broken in [&whole[..whole.len() / 2], b"PAR1", b""] {
        fs::write(&path, broken).unwrap();
        unreadable(delta(table.path(), 2, vec![]));
    }
}

#[test]
fn hints_checksums_and_later_entries_change_nothing() {
    let table = table();
    fs::write(table.log("_last_checkpoint"), r#"{"version":1,"size":1}"#).unwrap();
    fs::write(table.log("00000000000000000002.crc"), "{}").unwrap();
    fs::write(table.log("00000000000000000003.json"), "torn").unwrap();
    fs::write(table.log("00000000000000000000.00000000000000000002.compacted.json"), "torn").unwrap();
    fs::write(table.log("00000000000000000009.checkpoint.parquet"), "torn").unwrap();
    let found = delta(table.path(), 2, vec![sql("SELECT sum(n) FROM ${table}")]).unwrap().inspection;
    assert_eq!((found.n_rows, found.measured), (4, vec![value(22)]));
}

/// A V2 checkpoint of one version, whose only file action is in a sidecar of this name.
fn table_with_sidecar(named: &str, on_disk: &str) -> HandTable {
    let table = HandTable::new();
    let size = table.data("a.parquet", &numbers(&[1, 2, 3]));
    let schema = metadata(&[("n", json!("long"))], &[], json!({"delta.checkpointPolicy": "v2"}));
    table.entry(1, &[json!({"commitInfo": {"timestamp": 5}})]);
    let actions = [json!({"checkpointMetadata": {"version": 1}}), protocol_of(&["v2Checkpoint"]), schema];
    // The sidecar's rows come from a checkpoint of ours over the same file.
    let source = HandTable::new();
    source.data("a.parquet", &numbers(&[1, 2, 3]));
    source.entry(0, &[protocol(1), metadata(&[("n", json!("long"))], &[], json!({})), add("a.parquet", size)]);
    let found = delta(source.path(), 0, vec![]).unwrap();
    fs::create_dir(table.log("_sidecars")).unwrap();
    let batches = rows_of(&found);
    let has_adds = |batch: &&RecordBatch| batch.column_by_name("add").unwrap().null_count() < batch.num_rows();
    let file_actions = batches.iter().find(has_adds).unwrap().project(&[0, 1]).unwrap();
    let sidecar_bytes = write_parquet(&table.log("_sidecars").join(on_disk), &file_actions);
    let sidecar = json!({"sidecar": {"path": named, "sizeInBytes": sidecar_bytes, "modificationTime": 1}});
    let lines: Vec<String> = actions.iter().chain([&sidecar]).map(ToString::to_string).collect();
    let name = "00000000000000000001.checkpoint.80a083e8-7026-4e79-81be-64bd76c43a11.json";
    fs::write(table.log(name), lines.join("\n")).unwrap();
    table
}

#[test]
fn sidecars_belong_to_their_checkpoint() {
    let table = table_with_sidecar("s.parquet", "s.parquet");
    let found = delta(table.path(), 1, vec![sql("SELECT sum(n) FROM ${table}")]).unwrap().inspection;
    assert_eq!((found.n_rows, found.measured), (3, vec![value(6)]));
    let missing = table_with_sidecar("s.parquet", "other.parquet");
    let reason = unreadable(delta(missing.path(), 1, vec![]));
    assert_eq!(reason, "its log has neither a complete checkpoint nor entry 0");
    for outside in ["../s.parquet", "/s.parquet", "%2e%2e%2fs.parquet", "file:///s.parquet", "../../a.parquet"] {
        let table = table_with_sidecar(outside, "s.parquet");
        let reason = unreadable(delta(table.path(), 1, vec![]));
        assert!(reason.contains("names the sidecar"), "{outside}: {reason}");
    }
}

#[test]
fn sidecars_of_a_parquet_checkpoint_are_found_too() {
    let table = table_with_checkpoint("00000000000000000001.checkpoint.parquet");
    let path: ArrayRef = Arc::new(StringArray::from(vec!["../s.parquet"]));
    let sidecar = StructArray::from(vec![(Arc::new(Field::new("path", DataType::Utf8, true)), path)]);
    let batch = RecordBatch::try_from_iter([("sidecar", Arc::new(sidecar) as ArrayRef)]).unwrap();
    write_parquet(&table.log("00000000000000000001.checkpoint.parquet"), &batch);
    let reason = unreadable(delta(table.path(), 2, vec![]));
    assert!(reason.contains("names the sidecar"), "{reason}");
}
