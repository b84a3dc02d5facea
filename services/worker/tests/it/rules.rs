//! What each check counts, on rows made for it (docs/rules.md, Data rules).

use std::sync::Arc;

use arrow::array::{
    Array, ArrayRef, BooleanArray, Date32Array, Decimal128Array, Float64Array, Int32Array, ListArray, MapArray,
    RecordBatch, StringArray, StructArray, TimestampMicrosecondArray, UInt64Array,
};
use arrow::datatypes::{DataType, Field, Fields, Int32Type};
use domain::decimal::Decimal;
use domain::quality::{Bound, Check, Measured, Rule, Scalar, Unit};
use domain::table::ColumnPath;
use tempfile::TempDir;

use crate::support::{column, folder, nulls, rule, value, write_parquet};

/// Four rows, with a null in each column.
fn rows() -> RecordBatch {
    let address = StructArray::from(vec![(
        Arc::new(Field::new("city", DataType::Utf8, true)),
        Arc::new(StringArray::from(vec![Some("Bonn"), None, None, Some("Bonn")])) as ArrayRef,
    )]);
    let list = ListArray::from_iter_primitive::<Int32Type, _, _>(vec![Some(vec![Some(1)]), None, None, None]);
    let moments = [Some(0), Some(86_400_000_000), None, Some(-1)];
    let columns: Vec<(&str, ArrayRef)> = vec![
        ("text", Arc::new(StringArray::from(vec![Some("a"), Some("ßß"), None, Some("10")]))),
        ("Odd \"name\".x", Arc::new(Int32Array::from(vec![Some(1), Some(1), None, Some(2)]))),
        ("int", Arc::new(Int32Array::from(vec![Some(1), Some(9), None, Some(10)]))),
        ("big", Arc::new(UInt64Array::from(vec![Some(u64::MAX), Some(0), None, Some(1)]))),
        ("float", Arc::new(Float64Array::from(vec![Some(0.07), Some(f64::NAN), None, Some(0.3)]))),
        (
            "decimal",
            Arc::new(
                Decimal128Array::from(vec![Some(10), Some(-10), None, Some(25)])
                    .with_precision_and_scale(10, 2)
                    .unwrap(),
            ),
        ),
        ("flag", Arc::new(BooleanArray::from(vec![Some(true), Some(true), None, Some(false)]))),
        ("day", Arc::new(Date32Array::from(vec![Some(0), Some(1), None, Some(-1)]))),
        ("at", Arc::new(TimestampMicrosecondArray::from(moments.to_vec()).with_timezone("UTC"))),
        ("local", Arc::new(TimestampMicrosecondArray::from(moments.to_vec()))),
        ("address", Arc::new(address)),
        ("list", Arc::new(list)),
    ];
    RecordBatch::try_from_iter_with_nullable(columns.into_iter().map(|(name, column)| (name, column, true))).unwrap()
}

/// Measures the checks in one inspection of [`rows`].
fn measure(rules: Vec<Rule>) -> Vec<Measured> {
    let root = TempDir::new().unwrap();
    write_parquet(&root.path().join("part.parquet"), &rows());
    folder(root.path(), rules).unwrap().inspection.measured
}

#[track_caller]
fn check<const N: usize>(checks: [(Check, f64); N]) {
    let (checks, expected): (Vec<Check>, Vec<f64>) = checks.into_iter().unzip();
    let measured = measure(checks.iter().cloned().map(rule).collect());
    for ((check, expected), measured) in checks.iter().zip(expected).zip(measured) {
        assert_eq!(measured, value(expected), "{check:?}");
    }
}

/// Each of these is an error of its own rule, and a good rule between them is measured all the same.
#[track_caller]
fn check_refused<const N: usize>(checks: [Check; N]) {
    let rules = checks.iter().flat_map(|check| [rule(check.clone()), nulls("int")]);
    let measured = measure(rules.collect());
    for (check, measured) in checks.iter().zip(measured.chunks(2)) {
        assert!(matches!(&measured[0], Measured::Error(_)), "{check:?}: {:?}", measured[0]);
        assert_eq!(measured[1], value(1), "beside {check:?}");
    }
}

fn text(text: &str) -> Scalar {
    Scalar::Text(text.to_owned())
}

fn missing(path: &str, values: Vec<Scalar>) -> Check {
    Check::MissingValues { column: column(path), values }
}

fn invalid(path: &str, values: Vec<Scalar>) -> Check {
    Check::InvalidValues { column: column(path), values }
}

fn pattern(path: &str, pattern: &str) -> Check {
    Check::InvalidPattern { column: column(path), pattern: pattern.to_owned() }
}

fn from(path: &str, value: Scalar, exclusive: bool) -> Check {
    Check::OutOfRange { column: column(path), minimum: Some(Bound { value, exclusive }), maximum: None }
}

fn to(path: &str, value: Scalar, exclusive: bool) -> Check {
    Check::OutOfRange { column: column(path), minimum: None, maximum: Some(Bound { value, exclusive }) }
}

fn length(path: &str, minimum: Option<u64>, maximum: Option<u64>) -> Check {
    Check::Length { column: column(path), minimum, maximum }
}

fn multiple(path: &str, divisor: f64) -> Check {
    Check::NotMultipleOf { column: column(path), divisor: Decimal::of(divisor).unwrap() }
}

fn duplicates(paths: &[&str]) -> Check {
    Check::DuplicateValues { columns: paths.iter().map(|path| column(path)).collect() }
}

#[test]
fn nulls_break_only_null_and_missing_values() {
    check([
        (Check::NullValues { column: column("text") }, 1.0),
        (Check::NullValues { column: column("list") }, 3.0),
        (Check::NullValues { column: column("address.city") }, 2.0),
        (missing("text", vec![]), 1.0),
        (missing("text", vec![text("a"), text("A")]), 2.0),
        (missing("int", vec![Scalar::Integer(9), Scalar::Integer(10)]), 3.0),
        (invalid("text", vec![text("a")]), 2.0),
        (invalid("text", vec![]), 3.0),
        (invalid("int", vec![Scalar::Integer(1), Scalar::Number(9.0)]), 1.0),
        (invalid("flag", vec![Scalar::Boolean(true)]), 1.0),
        (invalid("day", vec![text("1970-01-01")]), 2.0),
        (invalid("decimal", vec![Scalar::Number(0.1), Scalar::Number(-0.1)]), 1.0),
        (invalid("address.city", vec![text("Köln")]), 2.0),
    ]);
}

#[test]
fn a_pattern_is_searched_for_anywhere_unless_it_is_anchored() {
    check([
        (pattern("text", "0"), 2.0),
        (pattern("text", "^.$"), 2.0),
        (pattern("text", "^.{1,2}$"), 0.0),
        (pattern("text", "'; DROP TABLE x; --"), 3.0),
    ]);
    check_refused([
        pattern("text", "("),
        pattern("text", "(a{1000}){1000}"),
        pattern("text", r"(a)\1"),
        pattern("int", "1"),
    ]);
}

#[test]
fn a_range_compares_values_of_one_kind() {
    check([
        (from("int", Scalar::Integer(9), false), 1.0),
        (from("int", Scalar::Integer(9), true), 2.0),
        (to("int", Scalar::Integer(9), false), 1.0),
        (to("int", Scalar::Integer(9), true), 2.0),
        (from("int", Scalar::Number(8.5), false), 1.0),
        (to("big", Scalar::Integer(i64::MAX), false), 1.0),
        (from("big", Scalar::Integer(-1), false), 0.0),
        // Not a number is in no range.
        (from("float", Scalar::Integer(0), false), 1.0),
        (to("float", Scalar::Number(0.1), false), 2.0),
        (from("decimal", Scalar::Number(0.1), false), 1.0),
        (from("decimal", Scalar::Number(0.1), true), 2.0),
        // As text, `10` comes before `9` and before `a`.
        (to("text", text("9"), false), 2.0),
        (from("day", text("1970-01-01"), false), 1.0),
        (from("at", text("1970-01-01T00:00:00Z"), false), 1.0),
        (from("at", text("1970-01-01T01:00:00+01:00"), true), 2.0),
        (to("local", text("1970-01-01T00:00:00"), false), 1.0),
    ]);
}

#[test]
fn lengths_count_characters() {
    check([
        (length("text", Some(2), None), 1.0),
        (length("text", None, Some(1)), 2.0),
        (length("text", Some(2), Some(2)), 1.0),
        (length("text", None, Some(u64::MAX)), 0.0),
    ]);
}

#[test]
fn multiples_forgive_what_binary_fractions_cannot_say() {
    check([
        (multiple("int", 3.0), 2.0),
        (multiple("int", 0.5), 0.0),
        (multiple("float", 0.01), 1.0),
        (multiple("float", 0.1), 2.0),
        (multiple("decimal", 0.1), 1.0),
    ]);
}

#[test]
fn duplicates_are_rows_minus_distinct_keys_where_no_part_is_null() {
    check([
        (duplicates(&["flag"]), 1.0),
        (duplicates(&["int"]), 0.0),
        (duplicates(&["address.city"]), 1.0),
        (duplicates(&["flag", "int"]), 0.0),
        (Check::DuplicateValues { columns: vec![ColumnPath(vec!["Odd \"name\".x".to_owned()])] }, 1.0),
        (duplicates(&["address.city", "list"]), 0.0),
    ]);
    check_refused([duplicates(&[]), duplicates(&["int", "absent"])]);
}

#[test]
fn a_column_that_is_missing_or_does_not_fit_spoils_only_its_own_rule() {
    check_refused([
        Check::NullValues { column: column("absent") },
        Check::NullValues { column: column("INT") },
        Check::NullValues { column: column("int.member") },
        Check::NullValues { column: column("address.street") },
        Check::NullValues { column: ColumnPath(vec![]) },
        length("int", Some(1), None),
        multiple("text", 1.0),
        multiple("int", 0.0),
        invalid("int", vec![text("1")]),
        invalid("text", vec![Scalar::Integer(10)]),
        missing("flag", vec![Scalar::Integer(1)]),
        from("flag", Scalar::Boolean(false), false),
        from("day", text("yesterday"), false),
        from("address", Scalar::Integer(1), false),
        to("list", Scalar::Integer(1), false),
    ]);
}

#[test]
fn a_percent_is_of_all_rows_and_a_rule_without_a_check_is_not_run() {
    let percent = |rule| Rule { unit: Unit::Percent, ..rule };
    let measured = measure(vec![
        percent(nulls("int")),
        percent(rule(duplicates(&["flag"]))),
        rule(Check::RowCount),
        percent(rule(Check::RowCount)),
        Rule { check: None, ..nulls("int") },
    ]);
    assert_eq!(measured, [value(25), value(25), value(4), Measured::NotRun, Measured::NotRun]);
}

#[test]
fn an_empty_table_breaks_nothing() {
    let root = TempDir::new().unwrap();
    write_parquet(&root.path().join("part.parquet"), &rows().slice(0, 0));
    let rules = vec![
        nulls("int"),
        Rule { unit: Unit::Percent, ..nulls("int") },
        rule(duplicates(&["int"])),
        rule(Check::RowCount),
        nulls("absent"),
    ];
    let found = folder(root.path(), rules).unwrap().inspection;
    assert_eq!(found.measured[..4], [value(0), value(0), value(0), value(0)]);
    assert!(matches!(found.measured[4], Measured::Error(_)), "{:?}", found.measured[4]);
}

#[test]
fn a_key_of_maps_has_no_equality() {
    let entries =
        Fields::from(vec![Field::new("keys", DataType::Utf8, false), Field::new("values", DataType::Int32, true)]);
    let entries = StructArray::new(
        entries,
        vec![Arc::new(StringArray::from(vec!["a"])) as ArrayRef, Arc::new(Int32Array::from(vec![1])) as ArrayRef],
        None,
    );
    let field = Arc::new(Field::new("entries", entries.data_type().clone(), false));
    let offsets = arrow::buffer::OffsetBuffer::from_lengths([1]);
    let map: ArrayRef = Arc::new(MapArray::new(field, offsets, entries, None, false));
    let root = TempDir::new().unwrap();
    let batch = RecordBatch::try_from_iter_with_nullable([("map", map, true)]).unwrap();
    write_parquet(&root.path().join("part.parquet"), &batch);
    let found = folder(root.path(), vec![rule(duplicates(&["map"])), nulls("map")]).unwrap().inspection;
    assert!(matches!(found.measured[0], Measured::Error(_)), "{:?}", found.measured[0]);
    assert_eq!(found.measured[1], value(0));
}
