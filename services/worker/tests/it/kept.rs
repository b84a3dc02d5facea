//! Counts that are kept from one inspection to the next: always those of a whole inspection, whatever became of the
//! table and the rules in between.

use std::fs;
use std::path::Path;

use arrow::array::{ArrayRef, Int64Array, RecordBatch, StringArray};
use buoyant_kernel::actions::deletion_vector_writer::{KernelDeletionVector, StreamingDeletionVectorWriter};
use domain::decimal::Decimal;
use domain::inspection::{Inspection, InspectionJob, Kept};
use domain::quality::{Bound, Check, Measured, Rule, Scalar};
use domain::table::{Format, SnapshotKey};
use serde_json::{Value, json};

use crate::support::{
    HandTable, add, column, delta, launcher, metadata, nulls, numbers, protocol, protocol_of, remove, rule, run, value,
};

/// Inspects a version with what is known from before.
fn inspect(root: &Path, version: u64, rules: &[Rule], kept: Kept) -> Inspection {
    let found = run(&launcher(), |scratch| InspectionJob {
        format: Format::Delta,
        root: root.to_owned(),
        snapshot: Some(SnapshotKey::DeltaVersion(version)),
        rules: rules.to_vec(),
        digests: false,
        kept,
        scratch,
    });
    found.unwrap().inspection
}

fn whole(root: &Path, version: u64, rules: &[Rule]) -> Vec<Measured> {
    delta(root, version, rules.to_vec()).unwrap().inspection.measured
}

fn at_least(path: &str, minimum: i64) -> Rule {
    let minimum = Some(Bound { value: Scalar::Integer(minimum), exclusive: false });
    rule(Check::OutOfRange { column: column(path), minimum, maximum: None })
}

fn multiples(path: &str, divisor: f64) -> Rule {
    rule(Check::NotMultipleOf { column: column(path), divisor: Decimal::of(divisor).unwrap() })
}

fn unique(path: &str) -> Rule {
    rule(Check::DuplicateValues { columns: vec![column(path)] })
}

/// `n` as a nullable number.
fn schema(r#type: &str) -> Value {
    metadata(&[("n", json!(r#type))], &[], json!({"delta.enableDeletionVectors": "true"}))
}

/// Adds a file again with these rows deleted, in a vector of its own file.
fn with_vector(table: &HandTable, path: &str, size: u64, uuid: u64, deleted: &[u64]) -> Value {
    let mut bytes = Vec::new();
    let mut writer = StreamingDeletionVectorWriter::new(&mut bytes);
    let mut vector = KernelDeletionVector::new();
    vector.add_deleted_row_indexes(deleted.iter().copied());
    let written = writer.write_deletion_vector(vector).unwrap();
    writer.finalize().unwrap();
    // The identifier in base 85, of which only the last digit is not zero.
    let digit = char::from_digit(u32::try_from(uuid).unwrap(), 36).unwrap();
    let location = format!("0000000000000000000{digit}");
    let name = format!("deletion_vector_00000000-0000-0000-0000-{uuid:012x}.bin");
    fs::write(table.path().join(name), bytes).unwrap();
    let mut added = add(path, size);
    added["add"]["deletionVector"] = json!({
        "storageType": "u", "pathOrInlineDv": location, "offset": written.offset,
        "sizeInBytes": written.size_in_bytes, "cardinality": written.cardinality
    });
    added
}

/// Removes what was added: a file is another one with another vector.
fn removed(added: &Value) -> Value {
    let mut action = remove(added["add"]["path"].as_str().unwrap());
    if let Some(vector) = added["add"].get("deletionVector") {
        action["remove"]["deletionVector"] = vector.clone();
    }
    action
}

#[test]
fn only_new_files_are_read() {
    let table = HandTable::new();
    let size = table.data("a.parquet", &numbers(&[1, 2, 3]));
    table.entry(0, &[protocol(1), schema("long"), add("a.parquet", size)]);
    let rules = [multiples("n", 2.0), nulls("n"), multiples("n", 3.0)];
    let first = inspect(table.path(), 0, &rules, Kept::default());
    assert_eq!(first.measured, [value(2), value(0), value(2)]);
    assert_eq!((first.read.n_files, first.read.n_rows, first.read.n_files_known), (1, 3, 0));
    assert!(first.read.n_bytes > 0);
    assert_eq!((first.kept.checks.len(), first.kept.files.len()), (3, 1));

    let size = table.data("b.parquet", &numbers(&[4, 5]));
    table.entry(1, &[add("b.parquet", size)]);
    let second = inspect(table.path(), 1, &rules, first.kept);
    assert_eq!(second.measured, [value(3), value(0), value(4)]);
    assert_eq!((second.read.n_files, second.read.n_rows, second.read.n_files_known), (1, 2, 1));

    let third = inspect(table.path(), 1, &rules, second.kept);
    assert_eq!(third.measured, second.measured);
    assert_eq!((third.read.n_files, third.read.n_bytes, third.read.n_rows, third.read.n_files_known), (0, 0, 0, 2));
}

#[test]
fn keys_are_counted_over_all_files() {
    let table = HandTable::of_three_rows();
    let rules = [unique("n"), multiples("n", 2.0)];
    let first = inspect(table.path(), 0, &rules, Kept::default());
    assert_eq!(first.measured, [value(0), value(2)]);
    assert_eq!(first.kept.checks.len(), 1, "keys do not add up");
    let size = table.data("b.parquet", &numbers(&[3, 4]));
    table.entry(1, &[add("b.parquet", size)]);
    let second = inspect(table.path(), 1, &rules, first.kept);
    assert_eq!(second.measured, [value(1), value(3)]);
    assert_eq!(second.read.n_files, 2);
}

#[test]
fn the_counts_of_a_rule_that_was_not_asked_for_stay() {
    let table = HandTable::of_three_rows();
    let (even, thirds) = (multiples("n", 2.0), multiples("n", 3.0));
    let first = inspect(table.path(), 0, std::slice::from_ref(&even), Kept::default());
    let second = inspect(table.path(), 0, std::slice::from_ref(&thirds), first.kept);
    // Nor does an inspection without such rules forget them.
    let third = inspect(table.path(), 0, &[unique("n")], second.kept);
    let fourth = inspect(table.path(), 0, &[], third.kept);
    let both = inspect(table.path(), 0, &[thirds, even], fourth.kept);
    assert_eq!(both.measured, [value(2), value(2)]);
    assert_eq!(both.read.n_files, 0);
}

#[test]
fn a_file_that_was_replaced_under_its_name_is_read() {
    let table = HandTable::of_three_rows();
    let rules = [multiples("n", 2.0)];
    let first = inspect(table.path(), 0, &rules, Kept::default());
    assert_eq!(first.measured, [value(2)]);
    let before = fs::metadata(table.path().join("a.parquet")).unwrap();
    fs::remove_file(table.path().join("a.parquet")).unwrap();
    let size = table.data("a.parquet", &numbers(&[2, 4, 6]));
    assert_eq!(size, before.len());
    // The writer may set the modification time back, but not the change time.
    let file = fs::File::options().write(true).open(table.path().join("a.parquet")).unwrap();
    file.set_modified(before.modified().unwrap()).unwrap();
    assert_eq!(inspect(table.path(), 0, &rules, first.kept).measured, [value(0)]);
}

#[test]
fn another_deletion_vector_is_another_file() {
    let table = HandTable::new();
    let size = table.data("a.parquet", &numbers(&[1, 2, 3]));
    table.entry(0, &[protocol_of(&["deletionVectors"]), schema("long"), add("a.parquet", size)]);
    let rules = [multiples("n", 2.0)];
    let mut kept = Kept::default();
    let mut counts = Vec::new();
    let mut live = add("a.parquet", size);
    for (version, deleted) in [(0, &[][..]), (1, &[0]), (2, &[0, 2]), (3, &[1])] {
        if version > 0 {
            let added = with_vector(&table, "a.parquet", size, version, deleted);
            table.entry(version, &[removed(&live), added.clone()]);
            live = added;
        }
        let found = inspect(table.path(), version, &rules, kept);
        counts.push(found.measured);
        kept = found.kept;
    }
    assert_eq!(counts, [[value(2)], [value(1)], [value(0)], [value(2)]]);
}

#[test]
fn nulls_of_deleted_rows_do_not_count() {
    let table = HandTable::new();
    let values: ArrayRef = std::sync::Arc::new(Int64Array::from(vec![None, Some(1), None]));
    let size = table.data("a.parquet", &RecordBatch::try_from_iter_with_nullable([("n", values, true)]).unwrap());
    let added = with_vector(&table, "a.parquet", size, 1, &[0]);
    table.entry(0, &[protocol_of(&["deletionVectors"]), schema("long"), added]);
    let found = inspect(table.path(), 0, &[nulls("n"), at_least("n", 0)], Kept::default());
    assert_eq!(found.measured, [value(1), value(0)]);
    // What the footer says holds of the rest for the bounds, but not for the nulls.
    assert_eq!((found.read.n_files, found.read.n_proven), (1, 1));
}

#[test]
fn other_partition_values_are_another_file() {
    let table = HandTable::new();
    let size = table.data("a.parquet", &numbers(&[1, 2, 3]));
    let schema = metadata(&[("n", json!("long")), ("p", json!("long"))], &["p"], json!({}));
    let in_partition = |p: &str| {
        let mut added = add("a.parquet", size);
        added["add"]["partitionValues"] = json!({ "p": p });
        added
    };
    table.entry(0, &[protocol(1), schema, in_partition("1")]);
    table.entry(1, &[remove("a.parquet")]);
    table.entry(2, &[in_partition("2")]);
    let rules = [at_least("p", 2), multiples("n", 2.0)];
    let first = inspect(table.path(), 0, &rules, Kept::default());
    assert_eq!(first.measured, [value(3), value(2)]);
    assert_eq!(inspect(table.path(), 2, &rules, first.kept).measured, [value(0), value(2)]);
}

#[test]
fn a_rule_that_changed_is_counted() {
    let table = HandTable::of_three_rows();
    let first = inspect(table.path(), 0, &[at_least("n", 2), multiples("n", 2.0)], Kept::default());
    assert_eq!(first.measured, [value(1), value(2)]);
    // In the other order, with other numbers.
    let second = inspect(table.path(), 0, &[multiples("n", 1.0), at_least("n", 4)], first.kept);
    assert_eq!(second.measured, [value(0), value(3)]);
}

#[test]
fn a_column_that_means_another_one_or_has_another_type_is_counted() {
    let table = HandTable::new();
    let columns: [(&str, ArrayRef); 2] = [
        ("x", std::sync::Arc::new(Int64Array::from(vec![1, 2, 3]))),
        ("y", std::sync::Arc::new(Int64Array::from(vec![2, 4, 6]))),
    ];
    let size = table.data("a.parquet", &RecordBatch::try_from_iter(columns).unwrap());
    let mapped = |name: &str, physical: &str, id: u32| {
        let mapping = json!({"delta.columnMapping.id": id, "delta.columnMapping.physicalName": physical});
        json!({"name": name, "type": "long", "nullable": true, "metadata": mapping})
    };
    let named = |first: &str, second: &str| {
        let fields = vec![mapped("n", first, 1), mapped("m", second, 2)];
        crate::support::metadata_of(fields, &[], json!({"delta.columnMapping.mode": "name"}))
    };
    table.entry(
        0,
        &[json!({"protocol": {"minReaderVersion": 2, "minWriterVersion": 5}}), named("x", "y"), add("a.parquet", size)],
    );
    table.entry(1, &[named("y", "x")]);
    let rules = [multiples("n", 2.0)];
    let first = inspect(table.path(), 0, &rules, Kept::default());
    assert_eq!(first.measured, [value(2)]);
    assert_eq!(inspect(table.path(), 1, &rules, first.kept).measured, [value(0)]);

    let table = HandTable::new();
    let size = table.data("a.parquet", &numbers(&[1]));
    let typed = |r#type: &str| metadata(&[("n", json!("long")), ("p", json!(r#type))], &["p"], json!({}));
    let mut added = add("a.parquet", size);
    added["add"]["partitionValues"] = json!({ "p": "2024-01-01 00:00:00" });
    table.entry(0, &[protocol(1), typed("string"), added]);
    table.entry(1, &[typed("timestamp")]);
    let minimum = Some(Bound { value: Scalar::Text("2024-01-01T00:00:00".to_owned()), exclusive: false });
    let rules = [rule(Check::OutOfRange { column: column("p"), minimum, maximum: None })];
    // As a text it is below.
    let first = inspect(table.path(), 0, &rules, Kept::default());
    assert_eq!(first.measured, [value(1)]);
    assert_eq!(inspect(table.path(), 1, &rules, first.kept).measured, [value(0)]);
}

/// A small generator of numbers, the same at each run.
struct Chance(u64);

impl Chance {
    fn below(&mut self, n: u64) -> u64 {
        self.0 = self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (self.0 >> 33) % n
    }
}

#[test]
fn what_is_kept_gives_the_counts_of_a_whole_inspection() {
    let seed = 20_261_130;
    let mut chance = Chance(seed);
    let table = HandTable::new();
    let columns = [("n", json!("long")), ("t", json!("string"))];
    let schema = metadata(&columns, &[], json!({"delta.enableDeletionVectors": "true"}));
    table.entry(0, &[protocol_of(&["deletionVectors"]), schema]);
    let mut live: Vec<(Value, u64)> = Vec::new();
    let mut kept = Kept::default();
    for version in 1..=24 {
        let mut actions = Vec::new();
        match chance.below(4) {
            _ if live.len() < 3 => actions.push(append(&table, &mut live, &mut chance, version)),
            0 | 1 => actions.push(append(&table, &mut live, &mut chance, version)),
            2 => {
                let (added, _) = live.swap_remove(chance.below(live.len() as u64) as usize);
                actions.push(removed(&added));
            }
            _ => {
                let chosen = chance.below(live.len() as u64) as usize;
                let (added, n_rows) = &mut live[chosen];
                let deleted: Vec<u64> = (0..*n_rows).filter(|_| chance.below(3) == 0).collect();
                if !deleted.is_empty() {
                    let (path, size) = (added["add"]["path"].as_str().unwrap(), added["add"]["size"].as_u64().unwrap());
                    let now = with_vector(&table, path, size, version, &deleted);
                    actions.extend([removed(added), now.clone()]);
                    *added = now;
                }
            }
        }
        // A log entry without actions is none.
        actions.push(json!({"commitInfo": {"timestamp": version}}));
        table.entry(version, &actions);
        let all = [
            nulls("n"),
            nulls("t"),
            multiples("n", 3.0),
            at_least("n", -5),
            rule(Check::Length { column: column("t"), minimum: Some(2), maximum: None }),
            rule(Check::InvalidPattern { column: column("t"), pattern: "^a".to_owned() }),
            rule(Check::InvalidValues { column: column("t"), values: vec![Scalar::Text("ab".to_owned())] }),
            unique("n"),
            unique("t"),
        ];
        let rules: Vec<Rule> = all.into_iter().filter(|_| chance.below(4) > 0).collect();
        let found = inspect(table.path(), version, &rules, kept);
        assert_eq!(found.measured, whole(table.path(), version, &rules), "seed {seed}, version {version}");
        kept = found.kept;
    }
}

fn append(table: &HandTable, live: &mut Vec<(Value, u64)>, chance: &mut Chance, version: u64) -> Value {
    let n_rows = 1 + chance.below(40);
    let numbers = (0..n_rows).map(|_| (chance.below(8) > 0).then(|| chance.below(20) as i64 - 10));
    let numbers: ArrayRef = std::sync::Arc::new(Int64Array::from_iter(numbers));
    let texts = ["ab", "a", "ba", "", "abc"];
    let texts = (0..n_rows).map(|_| (chance.below(8) > 0).then(|| texts[chance.below(5) as usize]));
    let texts: ArrayRef = std::sync::Arc::new(StringArray::from_iter(texts));
    let columns = [("n", numbers, true), ("t", texts, true)];
    let path = format!("{version}.parquet");
    let size = table.data(&path, &RecordBatch::try_from_iter_with_nullable(columns).unwrap());
    let added = add(&path, size);
    live.push((added.clone(), n_rows));
    added
}
