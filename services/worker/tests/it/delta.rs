//! Delta versions written by hand: which are read and which are refused (docs/rules.md, Gateway).

use std::fs;
use std::os::unix::fs::symlink;
use std::sync::Arc;

use arrow::array::{ArrayRef, Int64Array, RecordBatch, StringArray, StructArray};
use arrow::datatypes::{DataType, Field};
use buoyant_kernel::actions::deletion_vector_writer::{KernelDeletionVector, StreamingDeletionVectorWriter};
use domain::clock::Timestamp;
use domain::quality::Check;
use domain::table::{PhysicalType, ReaderProtocol};
use serde_json::{Value, json};
use tempfile::TempDir;

use crate::support::{
    HandTable, add, column, delta, delta_within, metadata, metadata_of, nulls, numbers, protocol, protocol_of, remove,
    rule, sql, unreadable, value,
};

/// The location that the Delta protocol gives as its example, and the file that it means.
pub(crate) const VECTOR: &str = "ab^-aqEH.-t@S}K{vb[*k^";
const VECTOR_FILE: &str = "ab/deletion_vector_d2c639aa-8816-431a-aaf6-d3fe2512ff61.bin";

/// `a.parquet` with 1 to 10,000, of which the vector deletes every row that 3 divides.
pub(crate) fn table_with_vector(storage_type: &str, location: &str) -> HandTable {
    let table = HandTable::new();
    let size = table.data("a.parquet", &numbers(&(1..=10_000).collect::<Vec<_>>()));
    let mut bytes = Vec::new();
    let mut writer = StreamingDeletionVectorWriter::new(&mut bytes);
    let mut vector = KernelDeletionVector::new();
    vector.add_deleted_row_indexes((0..10_000_u64).filter(|row| (row + 1) % 3 == 0));
    let written = writer.write_deletion_vector(vector).unwrap();
    writer.finalize().unwrap();
    fs::create_dir(table.path().join("ab")).unwrap();
    fs::write(table.path().join(VECTOR_FILE), bytes).unwrap();
    let schema = metadata(&[("n", json!("long"))], &[], json!({"delta.enableDeletionVectors": "true"}));
    table.entry(0, &[protocol_of(&["deletionVectors"]), schema, add("a.parquet", size)]);
    let mut with_vector = add("a.parquet", size);
    with_vector["add"]["deletionVector"] = json!({
        "storageType": storage_type, "pathOrInlineDv": location, "offset": written.offset,
        "sizeInBytes": written.size_in_bytes, "cardinality": written.cardinality
    });
    table.entry(1, &[remove("a.parquet"), with_vector]);
    table
}

#[test]
fn rows_that_a_vector_deletes_are_not_there() {
    let table = table_with_vector("u", VECTOR);
    let rules = || {
        vec![
            sql("SELECT count(*) FROM ${table}"),
            sql("SELECT sum(n) FROM ${table}"),
            rule(Check::NotMultipleOf { column: column("n"), divisor: 3_i64.into() }),
        ]
    };
    let whole = delta(table.path(), 0, rules()).unwrap().inspection;
    assert_eq!((whole.n_rows, whole.files.len()), (10_000, 1));
    assert_eq!(whole.measured, [value(10_000), value(50_005_000), value(6_667)]);
    let rest = delta(table.path(), 1, rules()).unwrap().inspection;
    assert_eq!(rest.n_rows, 6_667);
    assert_eq!(rest.measured, [value(6_667), value(50_005_000 - 3 * 3_333 * 3_334 / 2), value(6_667)]);
    let paths: Vec<&str> = rest.files.iter().map(|file| file.path.as_str()).collect();
    assert_eq!(paths, ["a.parquet", VECTOR_FILE]);
    assert_eq!(rest.schema.protocol, ReaderProtocol { version: 3, features: ["deletionVectors".to_owned()].into() });
}

#[test]
fn a_vector_outside_of_the_table_is_refused() {
    let outside = TempDir::new().unwrap();
    let source = table_with_vector("u", VECTOR);
    fs::create_dir(outside.path().join("ab")).unwrap();
    fs::copy(source.path().join(VECTOR_FILE), outside.path().join(VECTOR_FILE)).unwrap();
    let absolute = format!("file://{}/{VECTOR_FILE}", outside.path().display());
    let reason = unreadable(delta(table_with_vector("p", &absolute).path(), 1, vec![]));
    assert!(reason.contains("not relative"), "{reason}");
    for folder in ["../", "a/../../", "/", "%2e%2e/", ".", "a b"] {
        let table = table_with_vector("u", &format!("{folder}{}", &VECTOR[2..]));
        let reason = unreadable(delta(table.path(), 1, vec![]));
        assert!(reason.contains("not a plain path"), "{folder}: {reason}");
    }
    let linked = table_with_vector("u", VECTOR);
    fs::remove_dir_all(linked.path().join("ab")).unwrap();
    symlink(outside.path().join("ab"), linked.path().join("ab")).unwrap();
    let reason = unreadable(delta(linked.path(), 1, vec![]));
    assert!(reason.contains("symbolic link"), "{reason}");
}

#[test]
fn a_vector_that_is_torn_is_refused() {
    let table = table_with_vector("u", VECTOR);
    let file = table.path().join(VECTOR_FILE);
    let bytes = fs::read(&file).unwrap();
    for broken in [&bytes[..bytes.len() / 2], &[], &[&bytes[..40], &[bytes[40] ^ 1], &bytes[41..]].concat()] {
        fs::write(&file, broken).unwrap();
        unreadable(delta(table.path(), 1, vec![]));
    }
}

/// A field as column mapping writes it.
fn mapped(name: &str, r#type: &Value, id: u32, physical: &str) -> Value {
    let mapping = json!({"delta.columnMapping.id": id, "delta.columnMapping.physicalName": physical});
    json!({"name": name, "type": r#type, "nullable": true, "metadata": mapping})
}

/// Two rows under column mapping, with a partition column and a struct.
pub(crate) fn mapped_table() -> HandTable {
    let table = HandTable::new();
    let member = Field::new("col-4", DataType::Utf8, true);
    let city: ArrayRef = Arc::new(StringArray::from(vec![Some("Bonn"), None]));
    let columns: Vec<(&str, ArrayRef)> = vec![
        ("col-1", Arc::new(Int64Array::from(vec![1, 2]))),
        ("col-3", Arc::new(StructArray::from(vec![(Arc::new(member), city)]))),
    ];
    let columns = columns.into_iter().map(|(name, column)| (name, column, true));
    let batch = RecordBatch::try_from_iter_with_nullable(columns).unwrap();
    let size = table.data("p/a.parquet", &batch);
    let address = json!({"type": "struct", "fields": [mapped("city", &json!("string"), 4, "col-4")]});
    let fields = vec![
        mapped("order number", &json!("long"), 1, "col-1"),
        mapped("country", &json!("string"), 2, "col-2"),
        mapped("address", &address, 3, "col-3"),
    ];
    let configuration = json!({"delta.columnMapping.mode": "name", "delta.columnMapping.maxColumnId": "4"});
    let mut file = add("p/a.parquet", size);
    file["add"]["partitionValues"] = json!({"col-2": "DE"});
    table.entry(0, &[protocol_of(&["columnMapping"]), metadata_of(fields, &["country"], configuration), file]);
    table
}

#[test]
fn mapped_columns_are_known_by_their_logical_names() {
    let table = mapped_table();
    let rules = vec![
        nulls("order number"),
        nulls("address.city"),
        nulls("col-1"),
        sql("SELECT sum(\"order number\") FROM ${table} WHERE country = 'DE'"),
        rule(Check::DuplicateValues { columns: vec![column("country")] }),
        // A query that needs no column of the files.
        sql("SELECT count(DISTINCT country) FROM ${table}"),
    ];
    let found = delta(table.path(), 0, rules).unwrap().inspection;
    assert_eq!(found.measured[..2], [value(0), value(1)]);
    assert!(matches!(found.measured[2], domain::quality::Measured::Error(_)), "{:?}", found.measured[2]);
    assert_eq!(found.measured[3..], [value(3), value(1), value(1)]);
    let names: Vec<&str> = found.schema.columns.iter().map(|column| column.name.as_str()).collect();
    assert_eq!(names, ["order number", "country", "address"]);
    let PhysicalType::Struct(members) = &found.schema.columns[2].physical_type else { panic!("{:?}", found.schema) };
    assert_eq!(members[0].name, "city");
    assert_eq!(found.schema.partitioned_by, ["country"]);
}

#[test]
fn partition_folders_are_url_decoded_once() {
    let table = HandTable::new();
    let folders = [("k=a%20b", "k=a b", "a b"), ("k=a%2520b", "k=a%20b", "a%20b"), ("k=%C3%9F+%27", "k=ß+'", "ß+'")];
    let mut actions = vec![protocol(1), metadata(&[("n", json!("long")), ("k", json!("string"))], &["k"], json!({}))];
    for (logged, on_disk, key) in folders {
        let size = table.data(&format!("{on_disk}/a.parquet"), &numbers(&[1]));
        let mut file = add(&format!("{logged}/a.parquet"), size);
        file["add"]["partitionValues"] = json!({"k": key});
        actions.push(file);
    }
    table.entry(0, &actions);
    let rules = folders
        .map(|(_, _, key)| sql(&format!("SELECT sum(n) FROM ${{table}} WHERE k = '{}'", key.replace('\'', "''"))));
    let found = delta(table.path(), 0, rules.to_vec()).unwrap().inspection;
    assert_eq!(found.measured, [value(1), value(1), value(1)]);
    let mut expected = folders.map(|(_, on_disk, _)| format!("{on_disk}/a.parquet"));
    expected.sort();
    assert_eq!(found.files.iter().map(|file| file.path.clone()).collect::<Vec<_>>(), expected);
}

#[test]
fn a_path_that_leads_out_of_the_table_is_refused() {
    let outside = TempDir::new().unwrap();
    let table = HandTable::of_three_rows();
    fs::copy(table.path().join("a.parquet"), outside.path().join("a.parquet")).unwrap();
    fs::copy(table.path().join("a.parquet"), table.path().join("_delta_log/a.parquet")).unwrap();
    let size = fs::metadata(table.path().join("a.parquet")).unwrap().len();
    let sibling = outside.path().file_name().unwrap().to_str().unwrap();
    let absolute = outside.path().join("a.parquet");
    let (outside, plain, twice) = ("not relative to", "not a plain path", "ambiguous");
    let paths = [
        (format!("../{sibling}/a.parquet"), plain),
        (format!("%2e%2e/{sibling}/a.parquet"), plain),
        (format!("%2E%2e%2f{sibling}%2fa.parquet"), plain),
        (format!("x/../../{sibling}/a.parquet"), plain),
        (format!("..\\{sibling}\\a.parquet"), plain),
        (format!("{}", absolute.display()), outside),
        (format!("%2f{}", &absolute.display().to_string()[1..]), plain),
        (format!("file://{}", absolute.display()), outside),
        ("file:a.parquet".to_owned(), outside),
        ("s3://bucket/a.parquet".to_owned(), outside),
        ("//a.parquet".to_owned(), outside),
        ("./a.parquet".to_owned(), plain),
        ("x//a.parquet".to_owned(), plain),
        ("a.parquet/".to_owned(), plain),
        ("a.parquet%00".to_owned(), plain),
        ("a.parquet?x".to_owned(), twice),
        ("a.parquet#x".to_owned(), twice),
        ("a.par\tquet".to_owned(), twice),
        ("%ff.parquet".to_owned(), "not UTF-8"),
        ("_delta_log/a.parquet".to_owned(), "a file of the log"),
        (String::new(), plain),
    ];
    for (path, told) in paths {
        table.entry(1, &[add(&path, size)]);
        let reason = unreadable(delta(table.path(), 1, vec![]));
        assert!(reason.starts_with("its log names the file") && reason.contains(told), "{path}: {reason}");
    }
}

#[test]
fn a_file_behind_a_link_is_refused() {
    let outside = TempDir::new().unwrap();
    let table = HandTable::of_three_rows();
    let size = fs::metadata(table.path().join("a.parquet")).unwrap().len();
    fs::copy(table.path().join("a.parquet"), outside.path().join("a.parquet")).unwrap();
    symlink(outside.path().join("a.parquet"), table.path().join("link.parquet")).unwrap();
    symlink("a.parquet", table.path().join("inner.parquet")).unwrap();
    symlink(outside.path(), table.path().join("folder")).unwrap();
    for path in ["link.parquet", "inner.parquet", "folder/a.parquet"] {
        table.entry(1, &[add(path, size)]);
        let reason = unreadable(delta(table.path(), 1, vec![]));
        assert!(reason.contains("symbolic link"), "{path}: {reason}");
    }
    let root = outside.path().join("table");
    symlink(table.path(), &root).unwrap();
    unreadable(delta(&root, 0, vec![]));
    fs::remove_file(table.log("00000000000000000001.json")).unwrap();
    symlink(table.log("00000000000000000000.json"), table.log("00000000000000000001.json")).unwrap();
    let reason = unreadable(delta(table.path(), 1, vec![]));
    assert!(reason.contains("symbolic link"), "{reason}");
}

#[test]
fn what_is_not_a_regular_file_is_refused_and_not_waited_for() {
    let table = HandTable::of_three_rows();
    let pipe = table.path().join("pipe.parquet");
    let mode = rustix::fs::Mode::from_raw_mode(0o600);
    rustix::fs::mknodat(rustix::fs::CWD, &pipe, rustix::fs::FileType::Fifo, mode, 0).unwrap();
    fs::create_dir(table.path().join("folder.parquet")).unwrap();
    for path in ["pipe.parquet", "folder.parquet"] {
        table.entry(1, &[add(path, 8)]);
        let reason = unreadable(delta(table.path(), 1, vec![]));
        assert!(reason.contains("not a regular file"), "{path}: {reason}");
    }
}

#[test]
fn a_file_that_is_not_what_the_log_says_is_refused() {
    let table = HandTable::of_three_rows();
    let size = fs::metadata(table.path().join("a.parquet")).unwrap().len();
    table.entry(1, &[add("gone.parquet", size)]);
    assert_eq!(unreadable(delta(table.path(), 1, vec![])), "`gone.parquet` is missing");
    table.entry(1, &[add("a.parquet", size + 1)]);
    assert!(unreadable(delta(table.path(), 1, vec![])).contains("bytes, the log says"));
    table.entry(1, &[add("%61.parquet", size)]);
    assert_eq!(unreadable(delta(table.path(), 1, vec![])), "its log lists `a.parquet` twice");
}

#[test]
fn a_log_with_a_hole_is_refused() {
    let table = HandTable::of_three_rows();
    let mark = json!({"commitInfo": {"timestamp": 5}});
    for version in 1..=4 {
        table.entry(version, std::slice::from_ref(&mark));
    }
    assert_eq!(delta(table.path(), 4, vec![]).unwrap().inspection.n_rows, 3);
    assert_eq!(unreadable(delta(table.path(), 5, vec![])), "its log has no entry 5");
    fs::remove_file(table.log("00000000000000000002.json")).unwrap();
    assert_eq!(unreadable(delta(table.path(), 4, vec![])), "its log has no entry 2");
    assert_eq!(delta(table.path(), 1, vec![]).unwrap().inspection.n_rows, 3);
    fs::remove_file(table.log("00000000000000000000.json")).unwrap();
    let reason = unreadable(delta(table.path(), 1, vec![]));
    assert_eq!(reason, "its log has neither a complete checkpoint nor entry 0");
    assert_eq!(unreadable(delta(&table.path().join("_delta_log"), 0, vec![])), "`_delta_log` is missing");
}

#[test]
fn a_log_that_is_cut_off_is_refused() {
    let table = HandTable::of_three_rows();
    let path = table.log("00000000000000000000.json");
    let whole = fs::read(&path).unwrap();
    for end in [0, 1, whole.len() / 3, whole.len() - 3] {
        fs::write(&path, &whole[..end]).unwrap();
        unreadable(delta(table.path(), 0, vec![]));
    }
    // Without its last line end an entry is whole.
    fs::write(&path, &whole[..whole.len() - 1]).unwrap();
    assert_eq!(delta(table.path(), 0, vec![]).unwrap().inspection.n_rows, 3);
    table.entry(1, &[]);
    let reason = unreadable(delta(table.path(), 1, vec![]));
    assert_eq!(reason, "the log entry `_delta_log/00000000000000000001.json` is empty");
}

/// A metadata that a later one replaces is not part of the version, so nothing is asked of it.
#[test]
fn a_metadata_without_a_schema_counts_unless_it_is_replaced() {
    let without = |nothing: Option<Value>| {
        let mut metadata = metadata(&[], &[], json!({}));
        let fields = metadata["metaData"].as_object_mut().unwrap();
        fields.remove("schemaString");
        fields.extend(nothing.map(|nothing| ("schemaString".to_owned(), nothing)));
        metadata
    };
    let whole = || metadata(&[("n", json!("long"))], &[], json!({}));
    let table = |entries: &[&[Value]]| {
        let table = HandTable::new();
        let size = table.data("a.parquet", &numbers(&[1, 2, 3]));
        for (version, entry) in (0..).zip(entries) {
            let files = if version == 0 { vec![protocol(1), add("a.parquet", size)] } else { Vec::new() };
            table.entry(version, &[files, entry.to_vec()].concat());
        }
        table
    };
    let mark = [json!({"commitInfo": {"timestamp": 5}})];
    for none in [None, Some(Value::Null)] {
        let replaced = table(&[&[without(none.clone())], &mark, &[whole()]]);
        let found = delta(replaced.path(), 2, vec![sql("SELECT sum(n) FROM ${table}")]).unwrap().inspection;
        assert_eq!((found.n_rows, found.measured), (3, vec![value(6)]));
        let reason = "the metadata in the log entry `_delta_log/00000000000000000000.json` has no `schemaString`";
        assert_eq!(unreadable(delta(replaced.path(), 1, vec![])), reason);
        let last = table(&[&[whole()], &[without(none)]]);
        assert_eq!(unreadable(delta(last.path(), 1, vec![])), reason.replace("00.json", "01.json"));
        assert_eq!(delta(last.path(), 0, vec![]).unwrap().inspection.n_rows, 3);
    }
}

/// `𠮷` and the last character of all, as a writer may escape them.
#[test]
fn escaped_characters_of_all_planes_are_read() {
    let table = HandTable::new();
    let size = table.data("a.parquet", &numbers(&[1, 2, 3]));
    let columns = [("n", json!("long")), ("p", json!("string"))];
    let mut file = add("a.parquet", size);
    file["add"]["partitionValues"] = json!({"p": "PAIRS"});
    let text = |action: &Value| action.to_string().replace("PAIRS", r"\ud842\udfb7\uDBFF\uDFFF\ud83d\ude00\u00e9");
    let actions = [protocol(1), metadata(&columns, &["p"], json!({})), file];
    let lines: Vec<String> = actions.iter().map(text).collect();
    fs::write(table.log("00000000000000000000.json"), lines.join("\n")).unwrap();
    let values = vec![domain::quality::Scalar::Text("\u{20bb7}\u{10ffff}\u{1f600}\u{e9}".to_owned())];
    let listed = rule(Check::InvalidValues { column: column("p"), values });
    let found = delta(table.path(), 0, vec![listed, sql("SELECT sum(n) FROM ${table}")]).unwrap().inspection;
    assert_eq!(found.measured, [value(0), value(6)]);
}

#[test]
fn a_protocol_that_we_do_not_know_is_refused() {
    for protocol in [protocol(99), protocol_of(&["timeTravelByHand"])] {
        let table = HandTable::of_three_rows();
        table.entry(1, &[protocol]);
        unreadable(delta(table.path(), 1, vec![]));
    }
}

#[test]
fn a_million_columns_are_refused_soon() {
    for (n_columns, told) in [(1_000_000, "its schema is"), (10_001, "more than 10000 columns")] {
        let table = HandTable::of_three_rows();
        let fields =
            (0..n_columns).map(|n| format!(r#"{{"name":"{n}","type":"long","nullable":true,"metadata":{{}}}}"#));
        let mut schema = metadata(&[], &[], json!({}));
        let fields = fields.collect::<Vec<_>>().join(",");
        schema["metaData"]["schemaString"] = format!(r#"{{"type":"struct","fields":[{fields}]}}"#).into();
        table.entry(1, &[schema]);
        let reason = unreadable(delta_within(20, table.path(), 1, vec![]));
        assert!(reason.contains(told), "{reason}");
    }
}

#[test]
fn the_commit_time_is_the_tables_own() {
    let table = HandTable::of_three_rows();
    let committed = |version| delta(table.path(), version, vec![]).unwrap().inspection.committed_at;
    let by_the_file = fs::metadata(table.log("00000000000000000000.json")).unwrap().modified().unwrap();
    let micros = by_the_file.duration_since(std::time::UNIX_EPOCH).unwrap().as_micros();
    assert_eq!(committed(0), Timestamp(i64::try_from(micros).unwrap()));
    table.entry(1, &[json!({"commitInfo": {"timestamp": 7, "inCommitTimestamp": 9}})]);
    assert_eq!(committed(1), Timestamp::from_millis(7));
    table.entry(2, &[json!({"commitInfo": {"timestamp": "soon"}})]);
    assert!(committed(2) > Timestamp::from_millis(9));
}

#[test]
fn an_in_commit_timestamp_counts_where_the_table_has_it_on() {
    let table = HandTable::new();
    let size = table.data("a.parquet", &numbers(&[1]));
    let schema = metadata(&[("n", json!("long"))], &[], json!({"delta.enableInCommitTimestamps": "true"}));
    let protocol = json!({"protocol": {
        "minReaderVersion": 1, "minWriterVersion": 7, "writerFeatures": ["inCommitTimestamp"]
    }});
    let info = json!({"commitInfo": {"timestamp": 7, "inCommitTimestamp": 9}});
    table.entry(0, &[info, protocol, schema, add("a.parquet", size)]);
    assert_eq!(delta(table.path(), 0, vec![]).unwrap().inspection.committed_at, Timestamp::from_millis(9));
}
