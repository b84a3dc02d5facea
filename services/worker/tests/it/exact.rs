//! Values are compared in their own type: numbers as IEEE 754 and SQL do, decimals and integers by their digits, dates
//! and times as they are stored.

use std::sync::Arc;

use arrow::array::{
    ArrayRef, Date32Array, Decimal128Array, Decimal256Array, Float16Array, Float32Array, Float64Array, Int64Array,
    ListArray, MapArray, PrimitiveArray, RecordBatch, StringArray, StructArray, Time64MicrosecondArray,
    TimestampMicrosecondArray, UInt64Array,
};
use arrow::buffer::{NullBuffer, OffsetBuffer};
use arrow::datatypes::{DataType, Field, Fields, Float16Type, i256};
use domain::quality::{Bound, Check, Measured, Rule, Scalar};
use tempfile::TempDir;

use crate::support::{column, folder, nulls, rule, sql, value, write_parquet};

fn measure(columns: Vec<(&str, ArrayRef)>, rules: Vec<Rule>) -> Vec<Measured> {
    let columns = columns.into_iter().map(|(name, column)| (name, column, true));
    let root = TempDir::new().unwrap();
    write_parquet(&root.path().join("part.parquet"), &RecordBatch::try_from_iter_with_nullable(columns).unwrap());
    folder(root.path(), rules).unwrap().inspection.measured
}

/// Measures the rules on a table of these columns, all in one inspection.
#[track_caller]
fn check<const N: usize>(columns: Vec<(&str, ArrayRef)>, rules: [(Rule, f64); N]) {
    let (rules, expected): (Vec<Rule>, Vec<f64>) = rules.into_iter().unzip();
    for ((rule, expected), measured) in rules.iter().zip(expected).zip(measure(columns, rules.clone())) {
        assert_eq!(measured, value(expected), "{:?}", rule.check);
    }
}

fn number(text: &str) -> Scalar {
    Scalar::from(text.parse::<domain::decimal::Decimal>().unwrap())
}

fn text(text: &str) -> Scalar {
    Scalar::Text(text.to_owned())
}

fn bound(value: Scalar, exclusive: bool) -> Option<Bound> {
    Some(Bound { value, exclusive })
}

fn least(path: &str, value: Scalar) -> Rule {
    rule(Check::OutOfRange { column: column(path), minimum: bound(value, false), maximum: None })
}

fn above(path: &str, value: Scalar) -> Rule {
    rule(Check::OutOfRange { column: column(path), minimum: bound(value, true), maximum: None })
}

fn most(path: &str, value: Scalar) -> Rule {
    rule(Check::OutOfRange { column: column(path), minimum: None, maximum: bound(value, false) })
}

fn below(path: &str, value: Scalar) -> Rule {
    rule(Check::OutOfRange { column: column(path), minimum: None, maximum: bound(value, true) })
}

fn valid(path: &str, values: &[&str]) -> Rule {
    rule(Check::InvalidValues { column: column(path), values: values.iter().map(|value| number(value)).collect() })
}

fn missing(path: &str, values: &[&str]) -> Rule {
    rule(Check::MissingValues { column: column(path), values: values.iter().map(|value| number(value)).collect() })
}

fn multiple(path: &str, divisor: f64) -> Rule {
    multiple_of(path, &format!("{divisor:e}"))
}

fn multiple_of(path: &str, divisor: &str) -> Rule {
    rule(Check::NotMultipleOf { column: column(path), divisor: divisor.parse().unwrap() })
}

fn unique(paths: &[&str]) -> Rule {
    rule(Check::DuplicateValues { columns: paths.iter().map(|path| column(path)).collect() })
}

/// The same numbers in each width: zeros of both signs, not-a-numbers of different bits, infinities, a null.
fn floats() -> Vec<(&'static str, ArrayRef)> {
    type Half = <Float16Type as arrow::array::ArrowPrimitiveType>::Native;
    let other_nan = f64::from_bits(f64::NAN.to_bits() | 1 << 63 | 1);
    let doubles =
        [Some(0.0), Some(-0.0), Some(f64::NAN), Some(other_nan), Some(f64::INFINITY), Some(f64::NEG_INFINITY), None];
    let singles = doubles.map(|double| double.map(|double| double as f32));
    let halves = doubles.map(|double| double.map(Half::from_f64));
    vec![
        ("f64", Arc::new(Float64Array::from(doubles.to_vec()))),
        ("f32", Arc::new(Float32Array::from(singles.to_vec()))),
        ("f16", Arc::new(Float16Array::from(halves.to_vec()))),
    ]
}

#[test]
fn zeros_are_equal_and_not_a_number_is_in_no_range() {
    for path in ["f64", "f32", "f16"] {
        check(
            floats(),
            [
                // Both not-a-numbers and an infinity.
                (least(path, number("0")), 3.0),
                (most(path, number("0")), 3.0),
                // The zeros as well.
                (above(path, number("0")), 5.0),
                (below(path, number("0")), 5.0),
                (valid(path, &["0"]), 4.0),
                (valid(path, &["-0.0", "1"]), 4.0),
                (missing(path, &["0"]), 3.0),
                // The second zero and the second not-a-number.
                (unique(&[path]), 2.0),
                (multiple(path, 1.0), 4.0),
                (multiple(path, 0.1), 4.0),
                // Infinity is a value: above every number that the type cannot hold, and itself in a range.
                (most(path, number("1e400")), 3.0),
                (least(path, number("1e400")), 5.0),
                (least(path, number("-1e400")), 3.0),
                (valid(path, &["1e400"]), 6.0),
            ],
        );
    }
}

#[test]
fn a_query_compares_numbers_in_the_same_way() {
    check(
        floats(),
        [
            (sql("SELECT count(*) FROM ${table} WHERE f64 < 0"), 1.0),
            (sql("SELECT count(*) FROM ${table} WHERE f64 = 0"), 2.0),
            (sql("SELECT count(*) FROM ${table} WHERE f32 = 0 AND f32 = -0.0"), 2.0),
            (sql("SELECT count(*) FROM ${table} WHERE f64 IN (-0.0)"), 2.0),
            (sql("SELECT count(DISTINCT f64) FROM ${table}"), 4.0),
            (sql("SELECT count(DISTINCT f32) FROM ${table}"), 4.0),
            (sql("SELECT count(*) FROM (SELECT DISTINCT f64 * -1 AS x FROM ${table} WHERE f64 IS NOT NULL)"), 4.0),
            (sql("SELECT count(*) FROM (SELECT f64 FROM ${table} WHERE f64 IS NOT NULL GROUP BY f64)"), 4.0),
            (sql("SELECT count(*) FROM ${table} WHERE f64 * -1.0 < 0.0"), 1.0),
            (sql("SELECT count(*) FROM ${table} WHERE -f64 = 0.0 AND -f64 >= 0"), 2.0),
            (sql("SELECT count(*) FROM ${table} WHERE round(f64 - 0.4) = 0"), 2.0),
            (sql("SELECT count(*) FROM ${table} WHERE f64 - f64 = f64 / f64 AND f64 <> 0"), 4.0),
            // As in PostgreSQL and DuckDB, not-a-number is equal to itself and greater than every number.
            (sql("SELECT count(*) FROM ${table} WHERE f64 > 1e308"), 3.0),
            (sql("SELECT count(*) FROM ${table} a JOIN ${table} b ON a.f64 = b.f64"), 10.0),
            (sql("SELECT count(*) FROM ${table} a JOIN ${table} b USING (f32)"), 10.0),
            // A computation may make a not-a-number of other bits.
            (
                sql(
                    "SELECT count(*) FROM (SELECT sum(f64) AS s FROM ${table} WHERE f64 < 0 OR f64 > 1 AND NOT isnan(f64)) WHERE s > 0",
                ),
                1.0,
            ),
        ],
    );
}

#[test]
fn keys_inside_of_lists_and_structs_are_equal_as_their_numbers_are() {
    let numbers = || Arc::new(Float64Array::from(vec![0.0, -0.0])) as ArrayRef;
    let field = Arc::new(Field::new("item", DataType::Float64, true));
    let list = ListArray::new(field, OffsetBuffer::from_lengths([1, 1]), numbers(), None);
    let member = StructArray::from(vec![(Arc::new(Field::new("x", DataType::Float64, true)), numbers())]);
    let columns: Vec<(&str, ArrayRef)> = vec![("list", Arc::new(list)), ("struct", Arc::new(member))];
    check(columns, [(unique(&["list"]), 1.0), (unique(&["struct"]), 1.0), (unique(&["list", "struct.x"]), 1.0)]);
}

/// Maps are no keys, and a query compares them.
#[test]
fn maps_are_equal_as_their_numbers_are() {
    let pair =
        Fields::from(vec![Field::new("key", DataType::Utf8, false), Field::new("value", DataType::Float64, true)]);
    let keys: ArrayRef = Arc::new(StringArray::from(vec!["a", "a"]));
    let pairs = StructArray::new(pair.clone(), vec![keys, Arc::new(Float64Array::from(vec![0.0, -0.0]))], None);
    let entries = Arc::new(Field::new("key_value", DataType::Struct(pair), false));
    let map = MapArray::new(entries, OffsetBuffer::from_lengths([1, 1]), pairs, None, false);
    let join = sql("SELECT count(*) FROM ${table} a JOIN ${table} b ON a.m = b.m");
    check(vec![("m", Arc::new(map) as ArrayRef)], [(join, 4.0)]);
}

#[test]
fn a_number_of_the_contract_is_rounded_to_the_width_of_its_column() {
    type Half = <Float16Type as arrow::array::ArrowPrimitiveType>::Native;
    let columns: Vec<(&str, ArrayRef)> = vec![
        ("f32", Arc::new(Float32Array::from(vec![0.1, 0.7, f32::MAX, f32::from_bits(1)]))),
        ("f16", Arc::new(Float16Array::from_iter_values([0.1, 0.7, 65504.0, 6e-8].map(Half::from_f64)))),
        ("f64", Arc::new(Float64Array::from(vec![0.1, 0.7, f64::MAX, f64::from_bits(1)]))),
    ];
    let near = ["0.1", "0.7"];
    check(
        columns,
        [
            (valid("f32", &near), 2.0),
            (valid("f16", &near), 2.0),
            (valid("f64", &near), 2.0),
            (most("f32", number("0.1")), 2.0),
            (below("f32", number("0.1")), 3.0),
            (least("f16", number("0.7")), 2.0),
            // Too great or too small for the type, and compared all the same.
            (most("f32", number("1e39")), 0.0),
            (least("f32", number("1e39")), 4.0),
            (least("f16", number("65536")), 4.0),
            (least("f32", number("1e-60")), 0.0),
            (most("f32", number("1e-60")), 4.0),
            (above("f32", number("-1e-60")), 0.0),
            (below("f64", number("1e400")), 0.0),
            (valid("f32", &["1e39", "1e-60"]), 4.0),
            (multiple("f32", 0.1), 1.0),
            (multiple("f16", 0.1), 1.0),
        ],
    );
}

#[test]
fn whole_divisors_of_floating_point_numbers_are_exact() {
    // Beyond 2^53 the whole numbers that are doubles lie apart, and these two are no multiples of 10.
    let numbers = vec![12345678901234567168.0, 12345678901234569216.0, 30.0, 30.000000000000004];
    check(vec![("n", Arc::new(Float64Array::from(numbers)) as ArrayRef)], [(multiple("n", 10.0), 3.0)]);
}

#[test]
fn the_least_value_of_a_type_may_be_a_multiple_beyond_it() {
    let values: ArrayRef = Arc::new(arrow::array::Int8Array::from(vec![-128, 127, 0, 64]));
    check(vec![("n", values)], [(multiple("n", 128.0), 2.0), (multiple("n", 256.0), 3.0), (multiple("n", 64.0), 1.0)]);
}

#[test]
fn a_value_too_small_for_its_quotient_is_no_multiple() {
    let numbers = vec![f64::from_bits(1), -f64::from_bits(1), 0.0, 2.5];
    check(vec![("n", Arc::new(Float64Array::from(numbers)) as ArrayRef)], [(multiple("n", 2.5), 2.0)]);
}

#[test]
fn a_value_too_great_for_its_quotient_is_a_multiple() {
    let numbers = vec![1e300, -1e300, f64::INFINITY];
    check(vec![("n", Arc::new(Float64Array::from(numbers)) as ArrayRef)], [(multiple("n", 1e-300), 1.0)]);
}

/// The middle of two values of a half is a double; what is beside it by less than a double can tell is still nearer to
/// one of them.
#[test]
fn a_number_is_rounded_once_to_a_half() {
    type Half = <Float16Type as arrow::array::ArrowPrimitiveType>::Native;
    let halves = vec![Half::ONE, Half::from_bits(Half::ONE.to_bits() + 1)];
    let halves: ArrayRef = Arc::new(Float16Array::from(halves));
    check(
        vec![("h", halves)],
        [
            (most("h", number("1.00048828125")), 1.0),
            (most("h", number("1.0004882812500000000000000000001")), 0.0),
            (least("h", number("1.0004882812499999999999999999999")), 0.0),
            (least("h", number("1.0004882812500000000000000000001")), 1.0),
        ],
    );
}

#[test]
fn integers_beyond_double_precision_are_compared_by_their_digits() {
    const ODD: i64 = 9_007_199_254_740_993;
    let columns: Vec<(&str, ArrayRef)> = vec![
        ("i", Arc::new(Int64Array::from(vec![ODD - 1, ODD, ODD + 1, i64::MAX]))),
        ("u", Arc::new(UInt64Array::from(vec![0, u64::MAX - 1, u64::MAX, 5]))),
    ];
    check(
        columns,
        [
            (least("i", Scalar::Integer(ODD)), 1.0),
            (above("i", number("9007199254740992.5")), 1.0),
            (most("i", number("9007199254740993.5")), 2.0),
            (valid("i", &["9007199254740993", "9223372036854775807", "9007199254740992.5"]), 2.0),
            (multiple("i", 3.0), 3.0),
            (multiple("i", 0.25), 0.0),
            (multiple("i", 1.5), 3.0),
            (multiple("i", 1e300), 4.0),
            (most("u", number("18446744073709551614")), 1.0),
            (valid("u", &["18446744073709551615", "-1", "0"]), 2.0),
            // Beyond the type.
            (least("i", number("18446744073709551615")), 4.0),
            (most("i", number("1e300")), 0.0),
            (least("u", number("-18446744073709551616")), 0.0),
            (most("u", number("-0.5")), 4.0),
            (above("u", number("-0.5")), 0.0),
            (multiple("u", 1e300), 3.0),
        ],
    );
}

#[test]
fn decimals_of_any_size_are_compared_by_their_digits() {
    let narrow = |digits: Vec<i128>, precision, scale| -> ArrayRef {
        Arc::new(Decimal128Array::from(digits).with_precision_and_scale(precision, scale).unwrap())
    };
    let wide: ArrayRef = Arc::new(
        Decimal256Array::from_iter_values([1, 10, -1].map(i256::from_i128)).with_precision_and_scale(76, 70).unwrap(),
    );
    let greatest = 10_i128.pow(38) - 1;
    let columns = vec![
        ("fraction", narrow(vec![greatest, -greatest, 0], 38, 38)),
        ("whole", narrow(vec![greatest, greatest - 1, 5], 38, 0)),
        ("cents", narrow(vec![123_456_789_012_345_678_901, 10, 11], 38, 2)),
        ("wide", wide),
    ];
    check(
        columns,
        [
            (most("fraction", number("1")), 0.0),
            (least("fraction", number("1")), 3.0),
            (valid("fraction", &["1", "0"]), 2.0),
            (least("fraction", number("-1e5")), 0.0),
            (most("fraction", number("0.99999999999999999999999999999999999998")), 1.0),
            (most("whole", number("99999999999999999999999999999999999998")), 1.0),
            (valid("whole", &["99999999999999999999999999999999999999"]), 2.0),
            (most("whole", number("1e40")), 0.0),
            (most("whole", number("1e200")), 0.0),
            (least("whole", number("-1e200")), 0.0),
            (above("whole", number("4.999")), 0.0),
            (most("cents", number("1234567890123456789.00")), 1.0),
            (most("cents", number("0.105")), 2.0),
            (below("cents", number("0.11")), 2.0),
            (least("cents", number("0.105")), 1.0),
            (multiple("cents", 0.1), 2.0),
            (multiple("cents", 0.005), 0.0),
            (multiple("cents", 0.02), 2.0),
            (multiple("cents", 1e40), 3.0),
            (multiple("whole", 3.0), 2.0),
            (multiple("fraction", 0.5), 2.0),
            // By all digits of the divisor.
            (multiple_of("cents", "0.01000000000000000000001"), 3.0),
            (most("wide", number("1e-70")), 1.0),
            (valid("wide", &["1e-69", "-1e-70"]), 1.0),
            (multiple("wide", 1e-69), 2.0),
            (unique(&["whole"]), 0.0),
        ],
    );
}

#[test]
fn numbers_in_a_query_keep_their_digits() {
    let digits = vec![1_234_567_890_123_456_789_012, 1_234_567_890_123_456_789_013];
    let decimals: ArrayRef = Arc::new(Decimal128Array::from(digits).with_precision_and_scale(38, 2).unwrap());
    let fractions = Decimal128Array::from(vec![10_i128.pow(38) - 2, 10_i128.pow(38) - 1]);
    let fractions: ArrayRef = Arc::new(fractions.with_precision_and_scale(38, 38).unwrap());
    check(
        vec![("d", decimals), ("f", fractions)],
        [
            (sql("SELECT count(*) FROM ${table} WHERE d > 12345678901234567890.12"), 1.0),
            (sql("SELECT count(*) FROM ${table} WHERE -d = -12345678901234567890.13"), 1.0),
            (sql("SELECT count(*) FROM ${table} WHERE d < 99999999999999999999999999999999"), 2.0),
            (sql("SELECT max(d) - 12345678901234567890.12 FROM ${table}"), 0.01),
            (sql("SELECT count(*) FROM ${table} WHERE f = 0.99999999999999999999999999999999999998"), 1.0),
        ],
    );
}

/// A number with a point is a decimal where it meets integers or decimals, also if a double had all of its digits.
#[test]
fn numbers_with_a_point_meet_decimals_as_such() {
    let cents = Decimal128Array::from(vec![999_999_999, 70, 30, -5]).with_precision_and_scale(10, 2).unwrap();
    let integers = Int64Array::from(vec![9_007_199_254_740_993, 3, 30, -7]);
    check(
        vec![("d", Arc::new(cents) as ArrayRef), ("i", Arc::new(integers) as ArrayRef)],
        [
            (sql("SELECT count(*) FROM ${table} WHERE d = 9999999.99"), 1.0),
            (sql("SELECT count(*) FROM ${table} WHERE 9999999.99 > d"), 3.0),
            (sql("SELECT count(*) FROM ${table} WHERE d IN (9999999.99, 0.7)"), 2.0),
            (sql("SELECT count(*) FROM ${table} WHERE d BETWEEN 9999999.99 AND 1e9"), 1.0),
            (sql("SELECT count(*) FROM ${table} WHERE d IS NOT DISTINCT FROM 9999999.99"), 1.0),
            (sql("SELECT count(*) FROM ${table} WHERE i = 9007199254740992.0"), 0.0),
            (sql("SELECT count(*) FROM ${table} WHERE i NOT IN (9007199254740992.0, 3.0)"), 3.0),
            // In doubles each of these is beside the number.
            (sql("SELECT count(*) FROM ${table} WHERE d * 3.0 = 2.1"), 1.0),
            (sql("SELECT count(*) FROM ${table} WHERE i * 0.1 = 0.3"), 1.0),
            (sql("SELECT count(*) FROM ${table} WHERE d - 0.1 = 0.2"), 1.0),
            (sql("SELECT count(*) FROM ${table} WHERE d % 0.1 = 0.0"), 2.0),
            // The engine's own quotient of decimals has six places.
            (sql("SELECT sum(d) / 3.0 FROM ${table} WHERE d = 0.7"), 0.7 / 3.0),
            (sql("SELECT 1e0 * count(*) * 100.0 / 3 FROM ${table}"), 400.0 / 3.0),
            (sql("SELECT count(*) * 100.0 / 3 FROM ${table}"), 400.0 / 3.0),
        ],
    );
}

/// Years after 2262 have no place among nanoseconds.
#[test]
fn timestamps_in_a_query_reach_all_years() {
    let end = 253_402_300_799_999_999;
    let stamps = vec![Some(end), Some(0), None, Some(-62_135_596_800_000_000)];
    let local: ArrayRef = Arc::new(TimestampMicrosecondArray::from(stamps.clone()));
    let zoned: ArrayRef = Arc::new(TimestampMicrosecondArray::from(stamps).with_timezone("UTC"));
    let coarse: ArrayRef =
        Arc::new(arrow::array::TimestampMillisecondArray::from(vec![Some(0), Some(1), Some(0), Some(5)]));
    let fine: ArrayRef = Arc::new(arrow::array::TimestampNanosecondArray::from(vec![Some(1), None, Some(0), Some(2)]));
    check(
        vec![("l", local), ("z", zoned), ("f", fine), ("m", coarse)],
        [
            (sql("SELECT count(*) FROM ${table} WHERE l = TIMESTAMP '9999-12-31 23:59:59.999999'"), 1.0),
            (sql("SELECT count(*) FROM ${table} WHERE z < TIMESTAMP '9999-12-31T00:00:00Z'"), 2.0),
            (sql("SELECT count(*) FROM ${table} WHERE l >= CAST('0001-01-01' AS TIMESTAMP)"), 3.0),
            (sql("SELECT count(*) FROM ${table} WHERE CAST(l AS TIMESTAMP) > TIMESTAMP '2300-01-01'"), 1.0),
            // Beside a value by less than the unit of the column.
            (sql("SELECT count(*) FROM ${table} WHERE m = TIMESTAMP '1969-12-31 23:59:59.999999'"), 0.0),
            (sql("SELECT count(*) FROM ${table} WHERE m > TIMESTAMP '1969-12-31 23:59:59.999999'"), 4.0),
            (sql("SELECT count(*) FROM ${table} WHERE m < TIMESTAMP '1970-01-01 00:00:00.000001'"), 2.0),
            (sql("SELECT count(*) FROM ${table} WHERE f > TIMESTAMP '1970-01-01 00:00:00.000000001'"), 1.0),
            (sql("SELECT count(*) FROM ${table} WHERE f >= CAST('1970-01-01 00:00:00.000000002' AS TIMESTAMP)"), 1.0),
        ],
    );
}

/// The engine moves the members of structs out of the conditions of a join.
#[test]
fn tables_are_joined_by_members_of_structs() {
    let values: ArrayRef = Arc::new(Float64Array::from(vec![0.0, -0.0, f64::NAN, -f64::NAN, 1.5]));
    let field = Arc::new(Field::new("x", DataType::Float64, true));
    let structs: ArrayRef = Arc::new(StructArray::from(vec![(field, values)]));
    check(
        vec![("s", structs)],
        [
            (sql("SELECT count(*) FROM ${table} a JOIN ${table} b ON a.s['x'] = b.s['x']"), 9.0),
            (sql("SELECT count(*) FROM ${table} a JOIN ${table} b ON a.s['x'] + 0.5 = b.S['x'] + 0.5"), 9.0),
            (sql("SELECT count(DISTINCT s['x']) FROM ${table}"), 3.0),
        ],
    );
}

#[test]
fn sums_are_widened_or_an_error() {
    let integers: ArrayRef = Arc::new(Int64Array::from(vec![i64::MAX, i64::MAX, -3]));
    let unsigned: ArrayRef = Arc::new(UInt64Array::from(vec![u64::MAX, 1, 0]));
    let small: ArrayRef = Arc::new(arrow::array::Int8Array::from(vec![127, -128, 127]));
    let greatest = 10_i128.pow(38) - 1;
    let decimals = Decimal128Array::from(vec![greatest, greatest, -greatest]).with_precision_and_scale(38, 0).unwrap();
    // Beyond 38 digits, but not beyond 128 bits.
    let digits = Decimal128Array::from(vec![greatest, 5 * 10_i128.pow(37), 0]).with_precision_and_scale(38, 0).unwrap();
    let columns = vec![
        ("i", integers),
        ("u", unsigned),
        ("s", small),
        ("d", Arc::new(decimals) as ArrayRef),
        ("e", Arc::new(digits) as ArrayRef),
    ];
    check(
        columns.clone(),
        [
            // On the way beyond the type, and back.
            (sql("SELECT sum(i) - 4611686018427387904 FROM ${table} WHERE i < 0"), -4_611_686_018_427_387_907.0),
            (
                sql("SELECT sum(x) FROM (SELECT i AS x FROM ${table} WHERE i < 0 OR s = 127)"),
                9_223_372_036_854_775_804.0,
            ),
            (sql("SELECT sum(d) / 1e38 FROM ${table}"), 1.0),
            (sql("SELECT sum(DISTINCT d) FROM ${table}"), 0.0),
            (sql("SELECT avg(CAST(i AS DECIMAL(20, 0))) FROM ${table} WHERE i > 0"), 9_223_372_036_854_775_807.0),
            (
                sql("SELECT max(avg_of) FROM (SELECT avg(i) OVER () AS avg_of FROM ${table})"),
                6_148_914_691_236_517_000.0,
            ),
            (sql("SELECT sum(s) FROM ${table}"), 126.0),
            (sql("SELECT max(s + s) FROM ${table}"), 254.0),
            (sql("SELECT max(s * s * s) FROM ${table}"), 2_048_383.0),
            (sql("SELECT max(-s) FROM ${table}"), 128.0),
            (sql("SELECT sum(s) / 4 FROM ${table}"), 31.0),
            (sql("SELECT sum(DISTINCT s) FROM ${table}"), -1.0),
            (sql("SELECT avg(s) FROM ${table}"), 42.0),
            (sql("SELECT sum(s) FROM ${table} WHERE s = 5 OR s = -128"), -128.0),
            (sql("SELECT max(r) FROM (SELECT sum(s) OVER (ORDER BY i, s ROWS 1 PRECEDING) AS r FROM ${table})"), 127.0),
            (sql("SELECT s + u FROM ${table} WHERE u = 0"), 127.0),
            (sql("SELECT max(u + 1) FROM ${table}"), 18_446_744_073_709_551_616.0),
            (sql("SELECT min(u - 1) FROM ${table}"), -1.0),
        ],
    );
    let overflowing = [
        "SELECT sum(i) FROM ${table}",
        "SELECT sum(u) FROM ${table}",
        "SELECT sum(i) FROM ${table} WHERE i > 0",
        "SELECT max(i + 1) FROM ${table}",
        "SELECT min(-i - 3) FROM ${table}",
        "SELECT max(i * 2) FROM ${table}",
        "SELECT max(u + u) FROM ${table}",
        "SELECT min(a.u - b.u) FROM ${table} a, ${table} b",
        "SELECT 9223372036854775807 + 1",
        "SELECT count(*) FROM ${table} WHERE i + 1 > 0",
        "SELECT count(*) FROM ${table} a JOIN ${table} b ON a.i + 1 = b.i",
        "SELECT count(*) FROM ${table} WHERE i IN (SELECT i + 1 FROM ${table})",
        "SELECT sum(d) FROM ${table} WHERE d > 0",
        "SELECT sum(e) FROM ${table}",
        "SELECT sum(x) FROM (SELECT sum(i) OVER (ORDER BY s) AS x FROM ${table})",
    ];
    for (query, measured) in overflowing.iter().zip(measure(columns, overflowing.map(sql).to_vec())) {
        assert_eq!(measured, Measured::Error("a number overflows".to_owned()), "{query}");
    }
}

/// The sum on the way to it is beyond 128 bits.
#[test]
fn an_average_is_that_of_all_values() {
    let values = Decimal128Array::from(vec![10_i128.pow(34) - 1; 20_000]).with_precision_and_scale(34, 0).unwrap();
    check(vec![("d", Arc::new(values) as ArrayRef)], [(sql("SELECT avg(d) FROM ${table}"), 1e34)]);
}

#[test]
fn dates_and_times_are_compared_as_they_are_stored() {
    let moments = || PrimitiveArray::from(vec![Some(0), Some(1), Some(-1), None]);
    let columns: Vec<(&str, ArrayRef)> = vec![
        ("day", Arc::new(Date32Array::from(vec![Some(0), Some(1), Some(-1), None]))),
        ("time", Arc::new(Time64MicrosecondArray::from(vec![Some(0), Some(1), Some(86_399_999_999), None]))),
        ("at", Arc::new(TimestampMicrosecondArray::with_timezone(moments(), "UTC"))),
        ("local", Arc::new(TimestampMicrosecondArray::from(moments()))),
    ];
    let of = |path: &str, values: &[&str]| {
        rule(Check::InvalidValues { column: column(path), values: values.iter().map(|value| text(value)).collect() })
    };
    check(
        columns.clone(),
        [
            (least("day", text("1970-01-01")), 1.0),
            (above("day", text("1970-01-01")), 2.0),
            (most("day", text("9999-12-31")), 0.0),
            (of("day", &["1970-01-02", "1969-12-31"]), 1.0),
            (most("time", text("00:00:00.000001")), 1.0),
            (below("time", text("23:59:59.9999999")), 0.0),
            (least("time", text("00:00")), 0.0),
            // Half a microsecond lies between two values.
            (least("at", text("1970-01-01T00:00:00.0000005Z")), 2.0),
            (most("at", text("1970-01-01T00:00:00.0000005Z")), 1.0),
            (of("at", &["1970-01-01T00:00:00.0000005Z"]), 3.0),
            (of("at", &["1970-01-01T02:00:00+02:00"]), 2.0),
            (least("at", text("1970-01-01")), 1.0),
            (least("at", text("1970-01-01T00:00:00")), 1.0),
            (above("local", text("1970-01-01")), 2.0),
            (least("local", text("1970-01-01 00:00:00.000001")), 2.0),
        ],
    );
    let refused = [
        least("day", text("1970-01-01T00:00:00")),
        of("day", &["1970-01-01T12:00:00Z"]),
        least("local", text("1970-01-01T00:00:00Z")),
        of("local", &["1970-01-01T00:00:00+02:00"]),
        least("time", text("1970-01-01")),
        least("at", text("12:00:00")),
        least("at", text("soon")),
        least("at", Scalar::Integer(0)),
    ];
    for (rule, measured) in refused.iter().zip(measure(columns, refused.to_vec())) {
        assert!(matches!(measured, Measured::Error(_)), "{:?}: {measured:?}", rule.check);
    }
}

#[test]
fn members_of_a_null_struct_break_nothing() {
    let inner = Fields::from(vec![Field::new("d", DataType::Utf8, true)]);
    let there = |rows: [bool; 4]| Some(NullBuffer::from(rows.to_vec()));
    let d: ArrayRef = Arc::new(StringArray::from(vec![Some("x"), None, None, None]));
    let t = StructArray::new(inner.clone(), vec![d], there([true, true, false, false]));
    let a: ArrayRef = Arc::new(Int64Array::from(vec![Some(1), None, Some(1), None]));
    let outer =
        Fields::from(vec![Field::new("a", DataType::Int64, true), Field::new("t", DataType::Struct(inner), true)]);
    let s: ArrayRef = Arc::new(StructArray::new(outer, vec![a, Arc::new(t)], there([true, true, true, false])));
    let missing = |path: &str| rule(Check::MissingValues { column: column(path), values: vec![text("x")] });
    check(
        vec![("s", s)],
        [
            (nulls("s"), 1.0),
            (nulls("s.a"), 1.0),
            (nulls("s.t"), 1.0),
            (nulls("s.t.d"), 1.0),
            (missing("s.t.d"), 2.0),
            (self::missing("s.a", &["1"]), 3.0),
            (valid("s.a", &["2"]), 2.0),
            (unique(&["s.a"]), 1.0),
            (unique(&["s.a", "s.t.d"]), 0.0),
        ],
    );
}

#[test]
fn a_pattern_that_matches_anything_matches_the_empty_text() {
    let texts: ArrayRef = Arc::new(StringArray::from(vec![Some(""), Some("a"), Some("\n"), None]));
    let pattern = |pattern: &str| rule(Check::InvalidPattern { column: column("t"), pattern: pattern.to_owned() });
    check(
        vec![("t", texts)],
        [
            (pattern(".*"), 0.0),
            (pattern(""), 0.0),
            (pattern("^.*$"), 1.0),
            (pattern(".+"), 2.0),
            (sql("SELECT count(*) FROM ${table} WHERE t !~ '.*'"), 0.0),
            (sql("SELECT count(*) FROM ${table} WHERE t ~ '.*'"), 3.0),
            (sql("SELECT count(*) FROM ${table} WHERE NOT (t ~* '.*')"), 0.0),
            (sql("SELECT count(*) FROM ${table} WHERE NOT regexp_like(t, '.*')"), 0.0),
        ],
    );
}
