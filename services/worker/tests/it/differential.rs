//! Random rules over random tables count what DuckDB counts.
//!
//! `CHARTER_PAIRS` sets the number of pairs of a rule and a table (2,000 by default), `CHARTER_SEED` repeats a run.

use std::io::Write;
use std::path::PathBuf;
use std::process::{Command, Stdio};
use std::sync::Arc;
use std::time::{SystemTime, UNIX_EPOCH};

use arrow::array::{
    ArrayRef, BooleanArray, Date32Array, Decimal128Array, Float32Array, Float64Array, Int8Array, Int32Array,
    Int64Array, RecordBatch, StringArray, StructArray, TimestampMicrosecondArray, UInt16Array, UInt64Array,
};
use arrow::buffer::NullBuffer;
use arrow::datatypes::{DataType, Field, Fields};
use domain::decimal::Decimal;
use domain::quality::{Bound, Check, Measured, Rule, Scalar};
use domain::table::ColumnPath;
use serde_json::json;
use tempfile::TempDir;

use crate::support::{folder, rule, sql, write_parquet};

const RULES_PER_TABLE: usize = 100;

/// Random numbers (SplitMix64), the same for the same seed.
struct Random(u64);

impl Random {
    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ z >> 30).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ z >> 27).wrapping_mul(0x94d0_49bb_1331_11eb);
        z ^ z >> 31
    }

    fn below(&mut self, limit: usize) -> usize {
        usize::try_from(self.next() % limit as u64).unwrap()
    }

    fn chance(&mut self, percent: u64) -> bool {
        self.next() % 100 < percent
    }

    fn one<'a, T>(&mut self, of: &'a [T]) -> &'a T {
        &of[self.below(of.len())]
    }

    fn some<T: Clone>(&mut self, of: &[T], limit: usize) -> Vec<T> {
        (0..1 + self.below(limit)).map(|_| self.one(of).clone()).collect()
    }
}

/// How a column's values are written, in a rule and in DuckDB.
#[derive(Clone)]
enum Kind {
    Boolean,
    /// Integers and decimals, with this many places.
    Exact(u32),
    Float(&'static str),
    Text,
    Moment(&'static str),
}

struct Column {
    path: &'static [&'static str],
    kind: Kind,
    /// Values that occur in it, and some that do not.
    values: Vec<String>,
}

impl Column {
    fn name(&self) -> ColumnPath {
        ColumnPath(self.path.iter().map(|&name| name.to_owned()).collect())
    }

    fn sql(&self) -> String {
        self.path.join(".")
    }

    /// The condition that every struct above is there.
    fn present(&self) -> String {
        let above = (1..self.path.len()).map(|n| format!("{} IS NOT NULL", self.path[..n].join(".")));
        above.chain(["true".to_owned()]).collect::<Vec<_>>().join(" AND ")
    }

    fn scalar(&self, value: &str) -> Scalar {
        match self.kind {
            Kind::Boolean => Scalar::Boolean(value == "true"),
            Kind::Exact(_) | Kind::Float(_) => Scalar::from(value.parse::<Decimal>().unwrap()),
            Kind::Text | Kind::Moment(_) => Scalar::Text(value.to_owned()),
        }
    }

    fn literal(&self, value: &str) -> String {
        match self.kind {
            Kind::Boolean => value.to_owned(),
            Kind::Exact(places) => format!("CAST('{value}' AS DECIMAL(38, {places}))"),
            Kind::Float(of_type) | Kind::Moment(of_type) => format!("CAST('{value}' AS {of_type})"),
            Kind::Text => format!("'{value}'"),
        }
    }

    fn compared(&self) -> String {
        match self.kind {
            Kind::Exact(places) => format!("CAST({} AS DECIMAL(38, {places}))", self.sql()),
            Kind::Boolean | Kind::Float(_) | Kind::Text | Kind::Moment(_) => self.sql(),
        }
    }
}

fn count(condition: &str) -> String {
    format!("count(*) FILTER (WHERE {condition})")
}

/// An array of `n_rows` values of a pool, and the pool as text.
macro_rules! column {
    ($random:expr, $n_rows:expr, $array:ty, $pool:expr, $text:expr) => {{
        let pool = $pool.to_vec();
        let rows: Vec<_> =
            (0..$n_rows).map(|_| if $random.chance(15) { None } else { Some($random.one(&pool).clone()) }).collect();
        let array = <$array>::from(rows);
        (array, pool.iter().map($text).collect::<Vec<String>>())
    }};
}

fn decimal(digits: i128, places: usize) -> String {
    let sign = if digits < 0 { "-" } else { "" };
    let digits = format!("{:0>width$}", digits.unsigned_abs(), width = places + 1);
    let (whole, fraction) = digits.split_at(digits.len() - places);
    if places == 0 { format!("{sign}{whole}") } else { format!("{sign}{whole}.{fraction}") }
}

fn table(random: &mut Random) -> (RecordBatch, Vec<Column>) {
    let n_rows = if random.chance(5) { 0 } else { 1 + random.below(60) };
    let mut fields: Vec<(&'static str, ArrayRef)> = Vec::new();
    let mut columns = Vec::new();
    let mut add =
        |name: &'static str, path: &'static [&'static str], kind: Kind, (array, values): (ArrayRef, Vec<String>)| {
            fields.push((name, array));
            columns.push(Column { path, kind, values });
        };
    macro_rules! integers {
        ($name:literal, $array:ty, $native:ty) => {{
            let pool: [$native; 9] = [0, 1, 2, 3, 7, 100, <$native>::MAX, <$native>::MIN, <$native>::MAX - 1];
            let (array, values) = column!(random, n_rows, $array, pool, <$native>::to_string);
            add($name, &[$name], Kind::Exact(0), (Arc::new(array), values));
        }};
    }
    integers!("i8", Int8Array, i8);
    integers!("i32", Int32Array, i32);
    integers!("i64", Int64Array, i64);
    integers!("u16", UInt16Array, u16);
    integers!("u64", UInt64Array, u64);
    let text = |number: &f64| format!("{number:?}");
    let doubles = [0.0, -0.0, 0.1, 0.3, -1.5, 9_007_199_254_740_992.0, 1e300, f64::MAX, 5e-324];
    let (_, values) = column!(random, 0, Float64Array, doubles, text);
    let special = [f64::NAN, f64::INFINITY, f64::NEG_INFINITY, f64::from_bits(0xfff8_0000_0000_0001)];
    let (array, _) = column!(random, n_rows, Float64Array, [&doubles[..], &special[..]].concat(), text);
    add("f64", &["f64"], Kind::Float("DOUBLE"), (Arc::new(array), values));
    let singles = [0.0, -0.0, 0.1, 0.7, -1.5, 16_777_216.0, f32::MAX, f32::MIN_POSITIVE];
    let text = |number: &f32| format!("{number:?}");
    let (_, values) = column!(random, 0, Float32Array, singles, text);
    let special = [f32::NAN, f32::INFINITY, -f32::NAN];
    let (array, _) = column!(random, n_rows, Float32Array, [&singles[..], &special[..]].concat(), text);
    add("f32", &["f32"], Kind::Float("FLOAT"), (Arc::new(array), values));
    for (name, path, precision, places) in
        [("d5", &["d5"] as &'static [_], 5, 2), ("d38", &["d38"], 38, 10), ("fraction", &["fraction"], 38, 38)]
    {
        let most = 10_i128.pow(precision) - 1;
        let pool = [0, 1, -1, 10, 25, most, -most, most - 1, most / 10];
        let (array, values) = column!(random, n_rows, Decimal128Array, pool, |digits| decimal(*digits, places));
        let array = array.with_precision_and_scale(u8::try_from(precision).unwrap(), i8::try_from(places).unwrap());
        add(name, path, Kind::Exact(u32::try_from(places).unwrap()), (Arc::new(array.unwrap()), values));
    }
    let (array, values) = column!(random, n_rows, BooleanArray, [true, false], bool::to_string);
    add("flag", &["flag"], Kind::Boolean, (Arc::new(array), values));
    let texts = ["", "a", "ab", "ä€𝄞", "10", "9", "a b", "zzz"];
    let (array, values) = column!(random, n_rows, StringArray, texts, |text| (*text).to_owned());
    add("word", &["word"], Kind::Text, (Arc::new(array), values));
    let days =
        [(0, "1970-01-01"), (1, "1970-01-02"), (-1, "1969-12-31"), (11_016, "2000-02-29"), (-719_162, "0001-01-01")];
    let (array, _) = column!(random, n_rows, Date32Array, days.map(|(day, _)| day), i32::to_string);
    let values = days.map(|(_, text)| text.to_owned()).to_vec();
    add("day", &["day"], Kind::Moment("DATE"), (Arc::new(array), values));
    let moments = [(0, "1970-01-01T00:00:00"), (1, "1970-01-01T00:00:00.000001"), (-1, "1969-12-31T23:59:59.999999")];
    for (name, path, of_type, zone) in
        [("local", &["local"] as &'static [_], "TIMESTAMP", None), ("at", &["at"], "TIMESTAMPTZ", Some("UTC"))]
    {
        let pool = moments.map(|(micros, _)| micros);
        let (array, _) = column!(random, n_rows, TimestampMicrosecondArray, pool, i64::to_string);
        let values =
            moments.map(|(_, text)| if zone.is_some() { format!("{text}Z") } else { text.to_owned() }).to_vec();
        add(name, path, Kind::Moment(of_type), (Arc::new(array.with_timezone_opt(zone)), values));
    }
    // A member of a struct that may be null.
    let (member, values) = column!(random, n_rows, Int64Array, [0_i64, 1, 2], i64::to_string);
    let there: NullBuffer = (0..n_rows).map(|_| random.chance(80)).collect();
    let members = Fields::from(vec![Field::new("a", DataType::Int64, true)]);
    let nested = StructArray::try_new_with_length(members, vec![Arc::new(member)], Some(there), n_rows).unwrap();
    add("s", &["s", "a"], Kind::Exact(0), (Arc::new(nested), values));
    let fields = fields.into_iter().map(|(name, array)| (name, array, true));
    (RecordBatch::try_from_iter_with_nullable(fields).unwrap(), columns)
}

/// A rule over one of the columns, and what DuckDB counts for it.
fn pair(random: &mut Random, columns: &[Column]) -> (Rule, String) {
    let column = random.one(columns);
    let (name, field, present) = (column.name(), column.sql(), column.present());
    let listed = |column: &Column, values: &[String]| {
        let list: Vec<String> = values.iter().map(|value| column.literal(value)).collect();
        format!("{} IN ({})", column.compared(), list.join(", "))
    };
    match random.below(9) {
        0 => (rule(Check::NullValues { column: name }), count(&format!("{present} AND {field} IS NULL"))),
        1 => {
            let values = random.some(&column.values, 4);
            let condition = format!("{present} AND ({field} IS NULL OR {})", listed(column, &values));
            let values = values.iter().map(|value| column.scalar(value)).collect();
            (rule(Check::MissingValues { column: name, values }), count(&condition))
        }
        2 => {
            let values = random.some(&column.values, 4);
            let condition = format!("NOT {}", listed(column, &values));
            let values = values.iter().map(|value| column.scalar(value)).collect();
            (rule(Check::InvalidValues { column: name, values }), count(&condition))
        }
        3 | 4 if !matches!(column.kind, Kind::Boolean) => range(random, column),
        5 => {
            let key: Vec<&Column> = (0..1 + random.below(3)).map(|_| random.one(columns)).collect();
            let parts: Vec<String> = key.iter().map(|column| column.sql()).collect();
            let valid = parts.iter().map(|part| format!("{part} IS NOT NULL")).collect::<Vec<_>>().join(" AND ");
            let filter = format!("FILTER (WHERE {valid})");
            let expression = format!("count(*) {filter} - count(DISTINCT row({})) {filter}", parts.join(", "));
            (rule(Check::DuplicateValues { columns: key.iter().map(|column| column.name()).collect() }), expression)
        }
        6 if matches!(column.kind, Kind::Text) => {
            let pattern = random.one(&[".*", "^a", "b$", "^[a-z]+$", "[0-9]", "", "ä", "^.{2,3}$", "^$"]);
            let condition = format!("NOT regexp_matches({field}, '{pattern}')");
            (rule(Check::InvalidPattern { column: name, pattern: (*pattern).to_owned() }), count(&condition))
        }
        7 if matches!(column.kind, Kind::Text) => {
            let (least, most) = (random.below(4) as u64, random.below(4) as u64);
            let condition = format!("length({field}) < {least} OR length({field}) > {most}");
            (rule(Check::Length { column: name, minimum: Some(least), maximum: Some(most) }), count(&condition))
        }
        6 | 7 if matches!(column.kind, Kind::Exact(0)) => {
            let divisor = *random.one(&[1_u32, 2, 3, 7, 10, 1_000_000]);
            let condition = format!("CAST({field} AS HUGEINT) % {divisor} <> 0");
            (rule(Check::NotMultipleOf { column: name, divisor: divisor.into() }), count(&condition))
        }
        _ => {
            let op = *random.one(&["=", "<", ">=", "<>"]);
            let value = random.one(&column.values);
            let condition = format!("{field} {op} {}", column.literal(value));
            // The engine has no literals of its own for these.
            let literal = column.literal(value).replace("TIMESTAMPTZ", "TIMESTAMP WITH TIME ZONE");
            let query = format!("SELECT count(*) FROM ${{table}} WHERE {field} {op} {literal}");
            (sql(&query), count(&condition))
        }
    }
}

/// A bound is a value of the column, or just above one where the column has no value.
fn range(random: &mut Random, column: &Column) -> (Rule, String) {
    let mut end = |is_low: bool| {
        if random.chance(25) {
            return (None, "false".to_owned());
        }
        let value = random.one(&column.values).clone();
        let exclusive = random.chance(40);
        let above = match column.kind {
            Kind::Exact(_) if random.chance(30) && !value.starts_with('-') => {
                Some(if value.contains('.') { format!("{value}5") } else { format!("{value}.5") })
            }
            Kind::Exact(_) | Kind::Boolean | Kind::Float(_) | Kind::Text | Kind::Moment(_) => None,
        };
        let op = match (is_low, exclusive, above.is_some()) {
            (true, false, false) => "<",
            (true, true, false) | (true, _, true) => "<=",
            (false, _, true) | (false, false, false) => ">",
            (false, true, false) => ">=",
        };
        let condition = format!("{} {op} {}", column.compared(), column.literal(&value));
        let value = column.scalar(above.as_deref().unwrap_or(&value));
        (Some(Bound { value, exclusive }), condition)
    };
    let ((minimum, below), (maximum, beyond)) = (end(true), end(false));
    let nan = match column.kind {
        Kind::Float(_) if minimum.is_some() || maximum.is_some() => format!("isnan({})", column.sql()),
        Kind::Float(_) | Kind::Boolean | Kind::Exact(_) | Kind::Text | Kind::Moment(_) => "false".to_owned(),
    };
    let check = Check::OutOfRange { column: column.name(), minimum, maximum };
    (rule(check), count(&format!("{below} OR {beyond} OR {nan}")))
}

fn clients() -> Option<PathBuf> {
    let beside = || PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../../target/clients");
    let clients = std::env::var_os("CHARTER_CLIENTS").map_or_else(beside, PathBuf::from);
    crate::shared::found("the Python environment with DuckDB", clients)
}

#[test]
fn rules_count_what_duckdb_counts() {
    let Some(clients) = clients() else { return };
    let number = |name: &str| std::env::var(name).ok().map(|text| text.parse::<u64>().unwrap());
    let seed = number("CHARTER_SEED")
        .unwrap_or_else(|| u64::from(SystemTime::now().duration_since(UNIX_EPOCH).unwrap().subsec_nanos()));
    let n_pairs = usize::try_from(number("CHARTER_PAIRS").unwrap_or(2_000)).unwrap();
    println!("CHARTER_SEED={seed} CHARTER_PAIRS={n_pairs}");
    let mut random = Random(seed);
    let root = TempDir::new().unwrap();
    let (mut measured, mut questions, mut rules) = (Vec::new(), Vec::new(), Vec::new());
    for nth in 0..n_pairs.div_ceil(RULES_PER_TABLE) {
        let (batch, columns) = table(&mut random);
        let file = root.path().join(format!("{nth}/part.parquet"));
        write_parquet(&file, &batch);
        let (of_table, expressions): (Vec<Rule>, Vec<String>) =
            (0..RULES_PER_TABLE).map(|_| pair(&mut random, &columns)).unzip();
        measured.push(folder(file.parent().unwrap(), of_table.clone()).unwrap().inspection.measured);
        questions.push(json!({"file": file, "expressions": expressions}));
        rules.push(of_table);
    }
    let script = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../../tests/clients/differential.py");
    let mut python = Command::new(clients.join("bin/python"));
    let mut python = python.arg(script).stdin(Stdio::piped()).stdout(Stdio::piped()).spawn().unwrap();
    python.stdin.take().unwrap().write_all(json!(questions).to_string().as_bytes()).unwrap();
    let output = python.wait_with_output().unwrap();
    assert!(output.status.success());
    let expected: Vec<Vec<serde_json::Value>> = serde_json::from_slice(&output.stdout).unwrap();
    let mut different = Vec::new();
    for (nth, (measured, expected)) in measured.iter().zip(&expected).enumerate() {
        for (which, (measured, expected)) in measured.iter().zip(expected).enumerate() {
            let same = matches!(measured, Measured::Value(count) if expected.as_f64() == Some(*count));
            if !same {
                let (check, asked) = (&rules[nth][which].check, &questions[nth]["expressions"][which]);
                different.push(format!("table {nth}: {check:?} is {measured:?}, and {asked} is {expected}"));
            }
        }
    }
    let shown = different.iter().take(20).cloned().collect::<Vec<_>>().join("\n");
    assert!(different.is_empty(), "seed {seed}: {} pairs differ\n{shown}", different.len());
}
