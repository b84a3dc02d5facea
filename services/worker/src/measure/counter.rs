//! The counter of one check of rows: what it counts in a batch, and what it knows without reading.

use arrow::array::{Array, AsArray, RecordBatch};
use arrow::buffer::{BooleanBuffer, NullBuffer};
use arrow::datatypes::{Int32Type, Schema};
use domain::quality::{Check, Scalar};
use domain::table::ColumnPath;

use super::column::{Column, Values};
use super::keys::Keys;
use super::test::{self, Test};
use crate::data_file::OpenFile;

/// Counts the rows that break one check.
pub(super) enum Counter {
    /// Rows whose column is null.
    Nulls(Column),
    /// Rows whose column is null, or a value that the test finds.
    Missing(Column, Test),
    /// Rows whose column has a value that the test finds.
    Values(Column, Test),
    Duplicates(Keys),
}

/// The values of a dictionary and which of them a test finds. All batches of a row group have the same dictionary.
#[derive(Default)]
pub(super) struct Dictionary(Option<(arrow::array::ArrayData, BooleanBuffer)>);

impl Counter {
    /// A counter for a check of rows.
    ///
    /// # Errors
    /// The column is missing, or its type does not fit the check or a value in it, as a message for the contract's
    /// author.
    pub(super) fn new(schema: &Schema, check: &Check) -> Result<Self, String> {
        let column = |path: &ColumnPath| Column::find(schema, path);
        let values = |path: &ColumnPath, test: &dyn Fn(&Column) -> Result<Test, String>| {
            let column = column(path)?;
            let test = test(&column)?;
            Ok::<_, String>(Self::Values(column, test))
        };
        match check {
            Check::NullValues { column: path } => Ok(Self::Nulls(column(path)?)),
            Check::MissingValues { column: path, values } => missing(column(path)?, values),
            Check::InvalidValues { column: path, values: valid } => values(path, &|column| none_of(column, valid)),
            Check::InvalidPattern { column: path, pattern } => values(path, &|column| test::no_match(column, pattern)),
            Check::OutOfRange { column: path, minimum, maximum } => {
                values(path, &|column| test::outside(column, minimum.as_ref(), maximum.as_ref()))
            }
            Check::Length { column: path, minimum, maximum } => {
                values(path, &|column| test::other_length(column, *minimum, *maximum))
            }
            Check::NotMultipleOf { column: path, divisor } => {
                values(path, &|column| test::no_multiple_of(column, divisor))
            }
            Check::DuplicateValues { columns } => Ok(Self::Duplicates(Keys::of(schema, columns)?)),
            Check::RowCount | Check::Sql { .. } => Err("this check does not apply to single rows".to_owned()),
        }
    }

    /// The keys of a counter whose counts of several files do not add up.
    pub(super) fn keys(&self) -> Option<&Keys> {
        match self {
            Self::Nulls(_) | Self::Missing(_, _) | Self::Values(_, _) => None,
            Self::Duplicates(keys) => Some(keys),
        }
    }

    /// The columns of the table that it reads.
    pub(super) fn columns(&self) -> Vec<usize> {
        match self {
            Self::Nulls(column) | Self::Missing(column, _) | Self::Values(column, _) => vec![column.root],
            Self::Duplicates(keys) => keys.columns().map(|column| column.root).collect(),
        }
    }

    /// The count in a row group, if what the footer states of the column proves it.
    pub(super) fn proven(&self, file: &OpenFile, row_group: usize, columns: &[usize]) -> Option<u64> {
        let (Self::Nulls(column) | Self::Missing(column, _) | Self::Values(column, _)) = self else { return None };
        if !column.is_whole() {
            return None;
        }
        let position = columns.binary_search(&column.root).ok()?;
        let n_null = file.n_null(row_group, position);
        match self {
            Self::Nulls(_) => n_null.filter(|n_null| *n_null == 0 || file.n_deleted(row_group) == 0),
            Self::Values(_, _) if n_null == Some(file.n_rows(row_group)) => Some(0),
            Self::Values(_, test) if test.is_outside => {
                let ends = file.bounds(row_group, position)?;
                let are_inside =
                    ends.iter().all(|end| *end.data_type() == column.data_type && test.find(end).count_set_bits() == 0);
                are_inside.then_some(0)
            }
            Self::Missing(_, _) | Self::Values(_, _) | Self::Duplicates(_) => None,
        }
    }

    /// The count in a batch of these columns of the table. Keys are counted elsewhere.
    pub(super) fn count(&self, batch: &RecordBatch, columns: &[usize], known: &mut Dictionary) -> u64 {
        match self {
            Self::Nulls(column) => n_null(&column.values(batch, columns)),
            Self::Missing(column, test) => {
                let values = column.values(batch, columns);
                n_null(&values) + n_found(&values, test, known)
            }
            Self::Values(column, test) => n_found(&column.values(batch, columns), test, known),
            Self::Duplicates(_) => 0,
        }
    }
}

fn missing(column: Column, values: &[Scalar]) -> Result<Counter, String> {
    if values.is_empty() {
        return Ok(Counter::Nulls(column));
    }
    let test = test::one_of(&column, values)?;
    Ok(Counter::Missing(column, test))
}

/// The values that are not in the list; all of them if it is empty, whatever their type.
fn none_of(column: &Column, values: &[Scalar]) -> Result<Test, String> {
    if values.is_empty() {
        return Ok(Test::new(|array| BooleanBuffer::new_set(array.len())));
    }
    let listed = test::one_of(column, values)?;
    Ok(Test::new(move |array| !&listed.find(array)))
}

fn n_valid(nulls: Option<&NullBuffer>, len: usize) -> u64 {
    (len - nulls.map_or(0, NullBuffer::null_count)) as u64
}

fn n_null(values: &Values) -> u64 {
    let len = values.array.len();
    n_valid(values.present.as_ref(), len) - n_valid(values.valid.as_ref(), len)
}

fn n_found(values: &Values, test: &Test, known: &mut Dictionary) -> u64 {
    let Some(found) = known.find(values, test) else { return 0 };
    let found = match &values.valid {
        Some(valid) => &found & valid.inner(),
        None => found,
    };
    found.count_set_bits() as u64
}

impl Dictionary {
    /// The rows that a test finds; `None` if there is none. Of a dictionary, each value is tested once.
    fn find(&mut self, values: &Values, test: &Test) -> Option<BooleanBuffer> {
        let Some(dictionary) = values.array.as_dictionary_opt::<Int32Type>() else {
            return Some(test.find(&values.array));
        };
        let data = dictionary.values().to_data();
        let found = match self.0.take() {
            Some((known, found)) if known.ptr_eq(&data) => found,
            _ => test.find(dictionary.values()),
        };
        let (_, found) = self.0.insert((data, found));
        if found.count_set_bits() == 0 {
            return None;
        }
        // The key of a null is any number.
        let is_found = |key: i32| usize::try_from(key).is_ok_and(|key| key < found.len() && found.value(key));
        let keys = dictionary.keys().values();
        Some(BooleanBuffer::collect_bool(keys.len(), |row| is_found(keys[row])))
    }
}
