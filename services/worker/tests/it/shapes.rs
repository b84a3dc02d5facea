//! Columns of every type as other writers shape them: the names of items and entries, and what may be null inside of
//! them, are the writer's.

use std::fs::{self, File};
use std::path::Path;
use std::sync::Arc;

use arrow::array::{
    Array, ArrayRef, FixedSizeListArray, Int32Array, LargeListArray, ListArray, MapArray, RecordBatch, StringArray,
    StructArray,
};
use arrow::buffer::{NullBuffer, OffsetBuffer};
use arrow::datatypes::{DataType, Field, Fields};
use domain::quality::{Bound, Check, Measured, Scalar};
use parquet::data_type::{Int32Type, Int96, Int96Type};
use parquet::file::writer::SerializedFileWriter;
use parquet::schema::parser::parse_message_type;
use serde_json::json;
use tempfile::TempDir;

use crate::support::{
    HandTable, add, column, delta, folder, metadata, nulls, numbers, protocol, rule, sql, unreadable, value,
    write_parquet,
};

/// How a writer names what the formats leave to it, and whether it says that nothing inside is null.
#[derive(Clone, Copy)]
struct Style {
    item: &'static str,
    entries: &'static str,
    key: &'static str,
    nullable: bool,
}

const STYLES: [Style; 4] = [
    Style { item: "element", entries: "key_value", key: "key", nullable: true },
    Style { item: "item", entries: "entries", key: "keys", nullable: true },
    Style { item: "array", entries: "map", key: "key", nullable: false },
    Style { item: "array_element", entries: "key_value", key: "k", nullable: false },
];

/// Three rows, the second of them null in each column: a list, a map, a list of lists and of structs with a list.
fn rows(style: Style) -> RecordBatch {
    let Style { item, entries, key, nullable } = style;
    let there = || Some(NullBuffer::from(vec![true, false, true]));
    let offsets = || OffsetBuffer::from_lengths([2, 0, 1]);
    let numbers = || Arc::new(Int32Array::from(vec![1, 2, 3])) as ArrayRef;
    let list_of = |values: ArrayRef| {
        let field = Arc::new(Field::new(item, values.data_type().clone(), nullable));
        ListArray::new(field, offsets(), values, there())
    };
    let inner = ListArray::new(
        Arc::new(Field::new(item, DataType::Int32, nullable)),
        OffsetBuffer::from_lengths([1, 1, 1]),
        numbers(),
        None,
    );
    let inner: ArrayRef = Arc::new(inner);
    let member = Fields::from(vec![Field::new("m", inner.data_type().clone(), nullable)]);
    let structs: ArrayRef = Arc::new(StructArray::new(member, vec![inner.clone()], None));
    let pair =
        Fields::from(vec![Field::new(key, DataType::Utf8, false), Field::new("value", DataType::Int32, nullable)]);
    let keys: ArrayRef = Arc::new(StringArray::from(vec!["a", "b", "c"]));
    let pairs = StructArray::new(pair.clone(), vec![keys, numbers()], None);
    let field = Arc::new(Field::new(entries, DataType::Struct(pair), false));
    let map = MapArray::new(field, offsets(), pairs, there(), false);
    let columns: Vec<(&str, ArrayRef)> = vec![
        ("l", Arc::new(list_of(numbers()))),
        ("m", Arc::new(map)),
        ("ll", Arc::new(list_of(inner))),
        ("ls", Arc::new(list_of(structs))),
    ];
    RecordBatch::try_from_iter_with_nullable(columns.into_iter().map(|(name, column)| (name, column, true))).unwrap()
}

const COLUMNS: [&str; 4] = ["l", "m", "ll", "ls"];

fn rules() -> Vec<domain::quality::Rule> {
    let duplicates = |path: &str| rule(Check::DuplicateValues { columns: vec![column(path)] });
    let query = sql("SELECT count(*) FROM ${table} WHERE l IS NULL AND m IS NULL");
    COLUMNS.iter().map(|path| nulls(path)).chain([duplicates("ls"), query]).collect()
}

#[test]
fn a_delta_table_of_any_writer_is_read() {
    let list = |element: serde_json::Value| json!({"type": "array", "elementType": element, "containsNull": true});
    let members = json!([{"name": "m", "type": list(json!("integer")), "nullable": true, "metadata": {}}]);
    let table = HandTable::new();
    let mut actions = vec![
        protocol(1),
        metadata(
            &[
                ("l", list(json!("integer"))),
                ("m", json!({"type": "map", "keyType": "string", "valueType": "integer", "valueContainsNull": true})),
                ("ll", list(list(json!("integer")))),
                ("ls", list(json!({"type": "struct", "fields": members}))),
            ],
            &[],
            json!({}),
        ),
    ];
    for (nth, style) in STYLES.into_iter().enumerate() {
        let name = format!("{nth}.parquet");
        let size = table.data(&name, &rows(style));
        actions.push(add(&name, size));
    }
    table.entry(0, &actions);
    let found = delta(table.path(), 0, rules()).unwrap().inspection;
    assert_eq!(found.measured, [4, 4, 4, 4, 6, 4].map(value));
}

#[test]
fn files_of_several_writers_are_one_folder() {
    let root = TempDir::new().unwrap();
    for (nth, style) in STYLES.into_iter().enumerate() {
        write_parquet(&root.path().join(format!("{nth}.parquet")), &rows(style));
    }
    let found = folder(root.path(), rules()).unwrap().inspection;
    assert_eq!(found.measured, [4, 4, 4, 4, 6, 4].map(value));
    // Other columns are another table all the same.
    write_parquet(&root.path().join("5.parquet"), &numbers(&[1]));
    assert!(unreadable(folder(root.path(), vec![])).contains("have different columns"));
}

#[test]
fn every_kind_of_list_is_counted() {
    let item = Arc::new(Field::new("x", DataType::Int32, true));
    let values = || Arc::new(Int32Array::from(vec![1, 2, 1, 2])) as ArrayRef;
    let there = || Some(NullBuffer::from(vec![true, false]));
    let large = LargeListArray::new(item.clone(), OffsetBuffer::from_lengths([2, 2]), values(), there());
    let fixed = FixedSizeListArray::new(item, 2, values(), there());
    let root = TempDir::new().unwrap();
    let columns: [(&str, ArrayRef, bool); 2] = [("large", Arc::new(large), true), ("fixed", Arc::new(fixed), true)];
    write_parquet(&root.path().join("a.parquet"), &RecordBatch::try_from_iter_with_nullable(columns).unwrap());
    let found = folder(root.path(), vec![nulls("large"), nulls("fixed")]).unwrap().inspection;
    assert_eq!(found.measured, [value(1), value(1)]);
}

/// Spark's legacy layout: the items repeat without a group of their own.
fn write_legacy_list(path: &Path) -> u64 {
    let schema = "message spark_schema { optional group l (LIST) { repeated int32 array; } }";
    let schema = Arc::new(parse_message_type(schema).unwrap());
    let mut writer = SerializedFileWriter::new(File::create(path).unwrap(), schema, Arc::default()).unwrap();
    let mut rows = writer.next_row_group().unwrap();
    let mut items = rows.next_column().unwrap().unwrap();
    // [1, 2], null, []
    items.typed::<Int32Type>().write_batch(&[1, 2], Some(&[2, 2, 0, 1]), Some(&[0, 1, 0, 0])).unwrap();
    items.close().unwrap();
    rows.close().unwrap();
    writer.close().unwrap();
    fs::metadata(path).unwrap().len()
}

#[test]
fn the_legacy_layout_of_lists_is_read() {
    let table = HandTable::new();
    let size = write_legacy_list(&table.path().join("a.parquet"));
    let list = json!({"type": "array", "elementType": "integer", "containsNull": false});
    table.entry(0, &[protocol(1), metadata(&[("l", list)], &[], json!({})), add("a.parquet", size)]);
    let rules = || vec![nulls("l"), sql("SELECT count(*) FROM ${table}")];
    assert_eq!(delta(table.path(), 0, rules()).unwrap().inspection.measured, [value(1), value(3)]);
    assert_eq!(folder(table.path(), rules()).unwrap().inspection.measured, [value(1), value(3)]);
}

/// As Spark writes timestamps by default: by their Julian day and the nanoseconds of it. Both ends of the years of SQL lie
/// far outside of what 64 bits of nanoseconds hold.
#[test]
fn timestamps_of_the_oldest_type_reach_all_years() {
    let table = HandTable::new();
    let path = table.path().join("a.parquet");
    let schema = "message spark_schema { optional int96 t; optional group l (LIST) { repeated group list { optional \
                  int96 element; } } optional group s { optional int32 n; optional int96 t; } }";
    let schema = Arc::new(parse_message_type(schema).unwrap());
    let mut writer = SerializedFileWriter::new(File::create(&path).unwrap(), schema, Arc::default()).unwrap();
    let mut rows = writer.next_row_group().unwrap();
    // 9999-12-31T23:59:59.999999, 0001-01-01, 1970-01-01T00:00:00.000001
    let values =
        [(5_373_484, 86_399_999_999_000), (1_721_426, 0), (2_440_588, 1_000)].map(|(day, nanos): (u32, u64)| {
            let mut value = Int96::new();
            value.set_data((nanos & u64::from(u32::MAX)) as u32, (nanos >> 32) as u32, day);
            value
        });
    for (depth, is_int96) in [(1, true), (3, true), (2, false), (2, true)] {
        let mut column = rows.next_column().unwrap().unwrap();
        let (definitions, repetitions) = ([depth; 3], [0; 3]);
        let repetitions = (depth == 3).then_some(repetitions.as_slice());
        if is_int96 {
            column.typed::<Int96Type>().write_batch(&values, Some(&definitions), repetitions).unwrap();
        } else {
            column.typed::<Int32Type>().write_batch(&[1, 2, 3], Some(&definitions), repetitions).unwrap();
        }
        column.close().unwrap();
    }
    rows.close().unwrap();
    writer.close().unwrap();
    let size = fs::metadata(&path).unwrap().len();
    let list = json!({"type": "array", "elementType": "timestamp", "containsNull": true});
    let member = |name: &str, kind: &str| json!({"name": name, "type": kind, "nullable": true, "metadata": {}});
    let object = json!({"type": "struct", "fields": [member("n", "integer"), member("t", "timestamp")]});
    let columns = [("t", json!("timestamp")), ("l", list), ("s", object)];
    table.entry(0, &[protocol(1), metadata(&columns, &[], json!({})), add("a.parquet", size)]);
    let from = |path: &str, text: &str| {
        let minimum = Some(Bound { value: Scalar::Text(text.to_owned()), exclusive: false });
        rule(Check::OutOfRange { column: column(path), minimum, maximum: None })
    };
    let rules = || {
        vec![
            from("t", "9999-12-31T23:59:59.999999"),
            from("t", "0001-01-01"),
            from("s.t", "1970-01-01T00:00:00.000001"),
            nulls("l"),
            rule(Check::DuplicateValues { columns: vec![column("l"), column("s")] }),
            sql("SELECT count(*) FROM ${table} WHERE t > TIMESTAMP '2262-01-01'"),
        ]
    };
    let expected = [value(2), value(0), value(1), value(0), value(0), value(1)];
    assert_eq!(delta(table.path(), 0, rules()).unwrap().inspection.measured, expected);
    assert_eq!(folder(table.path(), rules()).unwrap().inspection.measured, expected);
}

#[test]
fn the_legacy_layout_of_maps_is_read() {
    let table = HandTable::new();
    let nested = "message spark_schema { optional group m (MAP) { repeated group map (MAP_KEY_VALUE) { \
                  required int32 key; optional int32 value; } } }";
    let path = table.path().join("a.parquet");
    let schema = Arc::new(parse_message_type(nested).unwrap());
    let mut writer = SerializedFileWriter::new(File::create(&path).unwrap(), schema, Arc::default()).unwrap();
    let mut rows = writer.next_row_group().unwrap();
    // {1: null}, null
    for (values, definitions) in [(vec![1], [2, 0]), (vec![], [2, 0])] {
        let mut column = rows.next_column().unwrap().unwrap();
        column.typed::<Int32Type>().write_batch(&values, Some(&definitions), Some(&[0, 0])).unwrap();
        column.close().unwrap();
    }
    rows.close().unwrap();
    writer.close().unwrap();
    let size = fs::metadata(&path).unwrap().len();
    let map = json!({"type": "map", "keyType": "integer", "valueType": "integer", "valueContainsNull": true});
    table.entry(0, &[protocol(1), metadata(&[("m", map)], &[], json!({})), add("a.parquet", size)]);
    assert_eq!(delta(table.path(), 0, vec![nulls("m")]).unwrap().inspection.measured, [value(1)]);
}

#[test]
fn an_encrypted_file_is_called_so() {
    let root = TempDir::new().unwrap();
    let path = root.path().join("a.parquet");
    write_parquet(&path, &numbers(&[1]));
    let plain = fs::read(&path).unwrap();
    let told = "the file `a.parquet` is encrypted, and its key is not known here";
    let mut encrypted = plain.clone();
    let end = encrypted.len();
    encrypted[end - 4..].copy_from_slice(b"PARE");
    fs::write(&path, &encrypted).unwrap();
    assert_eq!(unreadable(folder(root.path(), vec![])), told);
    // A readable footer whose field 8 names the algorithm: a struct with an empty struct.
    let length = u32::from_le_bytes(plain[end - 8..end - 4].try_into().unwrap()) as usize;
    let footer = &plain[end - 8 - length..end - 8];
    let (stop, fields) = footer.split_last().unwrap();
    assert_eq!(*stop, 0);
    let footer = [fields, &[0x0c, 0x10, 0x1c, 0, 0, 0]].concat();
    let start = &plain[..end - 8 - length];
    fs::write(&path, [start, &footer, &u32::try_from(footer.len()).unwrap().to_le_bytes(), b"PAR1"].concat()).unwrap();
    assert_eq!(unreadable(folder(root.path(), vec![])), told);
    // One of lists within one another, without end.
    let deep = [&[0x19][..], &[0x19; 2_000_000]].concat();
    fs::write(&path, [start, &deep, &u32::try_from(deep.len()).unwrap().to_le_bytes(), b"PAR1"].concat()).unwrap();
    assert!(unreadable(folder(root.path(), vec![])).contains("is corrupt"));
    // A file that is cut off is corrupt.
    fs::write(&path, &plain[end - 8 - length / 2..]).unwrap();
    assert!(unreadable(folder(root.path(), vec![])).contains("is corrupt"));
    fs::write(&path, plain).unwrap();
    assert_eq!(folder(root.path(), vec![nulls("n")]).unwrap().inspection.measured, [Measured::Value(0.0)]);
}
