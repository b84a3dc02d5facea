//! Counts that the statistics in footers prove, and statistics that prove nothing.

use std::fs::{self, File};
use std::sync::Arc;

use arrow::array::{Array, ArrayRef, Float64Array, Int64Array, RecordBatch, StringArray};
use domain::quality::{Bound, Check, Measured, Rule, Scalar};
use domain::table::InspectionRead;
use parquet::arrow::ArrowWriter;
use parquet::data_type::ByteArray;
use parquet::file::metadata::{ParquetMetaData, ParquetMetaDataReader, ParquetMetaDataWriter};
use parquet::file::properties::WriterProperties;
use parquet::file::statistics::{Statistics, ValueStatistics};
use tempfile::TempDir;

use crate::support::{column, folder, nulls, rule, unreadable, value, write_parquet};

fn range(minimum: Scalar, maximum: Scalar) -> Rule {
    let end = |value| Some(Bound { value, exclusive: false });
    rule(Check::OutOfRange { column: column("c"), minimum: end(minimum), maximum: end(maximum) })
}

fn integers(minimum: i64, maximum: i64) -> Rule {
    range(Scalar::Integer(minimum), Scalar::Integer(maximum))
}

fn texts(minimum: &str, maximum: &str) -> Rule {
    range(Scalar::Text(minimum.to_owned()), Scalar::Text(maximum.to_owned()))
}

/// Inspects a folder with one file of one column `c`, in row groups of two rows, whose footer is then changed.
fn inspect(
    values: ArrayRef,
    rules: Vec<Rule>,
    change: impl Fn(ParquetMetaData) -> ParquetMetaData,
) -> (Vec<Measured>, InspectionRead) {
    let found = folder(written(values, change, |_| ()).path(), rules).unwrap().inspection;
    (found.measured, found.read)
}

/// The folder. `change` changes what the footer says, `edit` its bytes.
fn written(
    values: ArrayRef,
    change: impl Fn(ParquetMetaData) -> ParquetMetaData,
    edit: impl Fn(&mut Vec<u8>),
) -> TempDir {
    let folder = TempDir::new().unwrap();
    let path = folder.path().join("a.parquet");
    let batch = RecordBatch::try_from_iter_with_nullable([("c", values, true)]).unwrap();
    let properties = WriterProperties::builder().set_max_row_group_row_count(Some(2)).build();
    let mut writer = ArrowWriter::try_new(File::create(&path).unwrap(), batch.schema(), Some(properties)).unwrap();
    writer.write(&batch).unwrap();
    writer.close().unwrap();

    let mut bytes = fs::read(&path).unwrap();
    let metadata = ParquetMetaDataReader::new().parse_and_finish(&bytes::Bytes::from(bytes.clone())).unwrap();
    let tail = bytes.len() - 8;
    let footer_bytes = u32::from_le_bytes(bytes[tail..tail + 4].try_into().unwrap());
    bytes.truncate(tail - footer_bytes as usize);
    let mut footer = Vec::new();
    ParquetMetaDataWriter::new(&mut footer, &change(metadata)).finish().unwrap();
    footer.truncate(footer.len() - 8);
    edit(&mut footer);
    bytes.extend(&footer);
    bytes.extend(u32::try_from(footer.len()).unwrap().to_le_bytes());
    bytes.extend(b"PAR1");
    fs::write(path, bytes).unwrap();
    folder
}

/// The same with other statistics in each row group.
fn with_statistics(metadata: ParquetMetaData, statistics: &Statistics) -> ParquetMetaData {
    let mut builder = metadata.into_builder();
    let row_groups = builder.take_row_groups().into_iter().map(|row_group| {
        let chunk = row_group.column(0).clone().into_builder().set_statistics(statistics.clone()).build().unwrap();
        row_group.into_builder().set_column_metadata(vec![chunk]).build().unwrap()
    });
    let row_groups = row_groups.collect();
    builder.set_row_groups(row_groups).build()
}

fn numbers() -> ArrayRef {
    Arc::new(Int64Array::from(vec![Some(1), None, Some(5), Some(3), None, None]))
}

#[test]
fn bounds_and_nulls_that_a_footer_states_are_not_counted_again() {
    let rules = vec![integers(0, 9), integers(1, 5), nulls("c")];
    let (measured, read) = inspect(numbers(), rules, |metadata| metadata);
    assert_eq!(measured, [value(0), value(0), value(3)]);
    assert_eq!(read, InspectionRead { n_proven: 9, ..InspectionRead::default() });
}

#[test]
fn a_row_group_whose_bounds_do_not_prove_the_rule_is_read() {
    // In the second row group 5 is too much; in the third there are only nulls.
    let (measured, read) = inspect(numbers(), vec![integers(0, 4)], |metadata| metadata);
    assert_eq!(measured, [value(1)]);
    assert_eq!((read.n_files, read.n_rows, read.n_proven), (1, 2, 2));
}

#[test]
fn a_missing_number_of_nulls_is_not_zero() {
    let none = Statistics::Int64(ValueStatistics::new(Some(1), Some(5), None, None, false));
    let (measured, read) = inspect(numbers(), vec![nulls("c")], |metadata| with_statistics(metadata, &none));
    assert_eq!((measured, read.n_proven), (vec![value(3)], 0));
    let absurd = Statistics::Int64(ValueStatistics::new(Some(1), Some(5), None, Some(3), false));
    let (measured, _) = inspect(numbers(), vec![nulls("c")], |metadata| with_statistics(metadata, &absurd));
    assert_eq!(measured, [value(3)]);
}

#[test]
fn bounds_say_nothing_of_not_a_number() {
    let values = Arc::new(Float64Array::from(vec![1.0, f64::NAN, -0.0, 0.0]));
    let (measured, read) = inspect(values, vec![integers(0, 2)], |metadata| metadata);
    assert_eq!((measured, read.n_proven), (vec![value(1)], 0));
}

#[test]
fn bounds_of_an_old_writer_are_not_used() {
    // Old writers compared bytes as signed numbers, so `é` was below `a`.
    let values = || Arc::new(StringArray::from(vec!["a", "é", "b", "c"])) as ArrayRef;
    let bound = |text: &str| Some(ByteArray::from(text));
    let old = Statistics::ByteArray(ValueStatistics::new(bound("a"), bound("c"), None, Some(0), true));
    let (measured, read) = inspect(values(), vec![texts("a", "z")], |metadata| with_statistics(metadata, &old));
    assert_eq!((measured, read.n_proven), (vec![value(1)], 0));

    // Without an order, bounds have no meaning. It is the last field of the footer: a list of one empty order.
    let new = Statistics::ByteArray(ValueStatistics::new(bound("a"), bound("c"), None, Some(0), false));
    let unordered = |footer: &mut Vec<u8>| {
        assert!(footer.ends_with(&[0x19, 0x1c, 0x1c, 0, 0, 0]), "{footer:x?}");
        footer.truncate(footer.len() - 6);
        footer.push(0);
    };
    let rules = || vec![texts("a", "z")];
    let table = written(values(), |metadata| with_statistics(metadata, &new), unordered);
    assert_eq!(folder(table.path(), rules()).unwrap().inspection.measured, [value(1)]);
    // With one, they are believed.
    let table = written(values(), |metadata| with_statistics(metadata, &new), |_| ());
    assert_eq!(folder(table.path(), rules()).unwrap().inspection.measured, [value(0)]);
}

#[test]
fn bounds_that_were_cut_off_prove_what_lies_beyond_them_only() {
    let long = format!("{}b", "a".repeat(200));
    let values = || Arc::new(StringArray::from(vec![long.as_str(), long.as_str()])) as ArrayRef;
    let (measured, read) = inspect(values(), vec![texts("a", &long), texts("a", "b")], |metadata| metadata);
    assert_eq!(measured, [value(0), value(0)]);
    assert_eq!((read.n_rows, read.n_proven), (2, 1));
    let (measured, _) = inspect(values(), vec![texts("a", &"a".repeat(100))], |metadata| metadata);
    assert_eq!(measured, [value(2)]);
}

#[test]
fn row_groups_that_hold_other_rows_than_the_file_counts_are_refused() {
    // The third field of the footer, 6 as a zigzag number, becomes 7.
    let other = |footer: &mut Vec<u8>| {
        let place = footer.windows(3).position(|bytes| bytes == [0x16, 0x0c, 0x19]).unwrap();
        footer[place + 1] = 0x0e;
    };
    let table = written(numbers(), |metadata| metadata, other);
    let reason = unreadable(folder(table.path(), vec![nulls("c")]));
    assert!(reason.contains("its row groups have other rows than it counts"), "{reason}");
}

#[test]
fn a_value_of_a_dictionary_counts_for_each_of_its_rows() {
    let words = ["ok", "bad", "ok", "ok", "bad", "no", "ok"];
    let values: StringArray = words.iter().map(|word| (*word != "no").then_some(*word)).collect();
    assert_eq!(values.null_count(), 1);
    let valid =
        |word: &str| rule(Check::InvalidValues { column: column("c"), values: vec![Scalar::Text(word.to_owned())] });
    let missing = rule(Check::MissingValues { column: column("c"), values: vec![Scalar::Text("bad".to_owned())] });
    let pattern = rule(Check::InvalidPattern { column: column("c"), pattern: "^b".to_owned() });
    let length = rule(Check::Length { column: column("c"), minimum: Some(3), maximum: None });
    let keys = rule(Check::DuplicateValues { columns: vec![column("c")] });
    let rules = vec![valid("ok"), valid("bad"), missing, pattern, length, nulls("c")];
    let expected = [value(2), value(4), value(3), value(4), value(4), value(1)];
    // As its writer left it: a changed footer does not say any more that all pages are dictionaries.
    let table = TempDir::new().unwrap();
    let values: ArrayRef = Arc::new(values);
    let batch = RecordBatch::try_from_iter_with_nullable([("c", values, true)]).unwrap();
    write_parquet(&table.path().join("a.parquet"), &batch);
    assert_eq!(folder(table.path(), rules.clone()).unwrap().inspection.measured, expected);
    // With keys of the same column, its values are read as they are.
    let rules = rules.into_iter().chain([keys]).collect();
    let measured = folder(table.path(), rules).unwrap().inspection.measured;
    assert_eq!((&measured[..6], &measured[6]), (&expected[..], &value(4)));
}
