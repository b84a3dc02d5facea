//! One pass over the rows of a snapshot for all rules that count rows.
//!
//! Each rule has its own counter and its own failure. The keys of all rules share a pool of memory; when it is
//! exhausted, the rule with the most keys fails and the others go on.

use std::collections::BTreeSet;
use std::sync::Arc;
use std::sync::mpsc::sync_channel;

use anyhow::Context;
use arrow::array::{Array, RecordBatch};
use arrow::buffer::NullBuffer;
use arrow::datatypes::Schema;
use domain::quality::{Check, Scalar};
use domain::table::ColumnPath;

use super::column::{Column, Values};
use super::duplicates::Keys;
use super::failure::{NO_MEMORY, failure};
use super::test::{self, Test};
use crate::error::{Failure, Result};
use crate::scan::{READ_AHEAD_BATCHES, Rows};

/// Counts the rows that break one check.
pub(super) struct Counter {
    counting: Counting,
    n_broken: u64,
}

enum Counting {
    /// Rows whose column is null.
    Nulls(Column),
    /// Rows whose column is null, or a value that the test finds.
    Missing(Column, Test),
    /// Rows whose column has a value that the test finds.
    Values(Column, Test),
    Duplicates(Keys),
    /// It failed, for this reason.
    Failed(String),
}

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
            Ok::<_, String>(Counting::Values(column, test))
        };
        let counting = match check {
            Check::NullValues { column: path } => Counting::Nulls(column(path)?),
            Check::MissingValues { column: path, values } => missing(column(path)?, values)?,
            Check::InvalidValues { column: path, values: valid } => values(path, &|column| none_of(column, valid))?,
            Check::InvalidPattern { column: path, pattern } => values(path, &|column| test::no_match(column, pattern))?,
            Check::OutOfRange { column: path, minimum, maximum } => {
                values(path, &|column| test::outside(column, minimum.as_ref(), maximum.as_ref()))?
            }
            Check::Length { column: path, minimum, maximum } => {
                values(path, &|column| test::other_length(column, *minimum, *maximum))?
            }
            Check::NotMultipleOf { column: path, divisor } => {
                values(path, &|column| test::no_multiple_of(column, divisor))?
            }
            Check::DuplicateValues { columns } => Counting::Duplicates(Keys::of(schema, columns)?),
            Check::RowCount | Check::Sql { .. } => return Err("this check does not apply to single rows".to_owned()),
        };
        Ok(Self { counting, n_broken: 0 })
    }

    /// The number of rows that break the check, or why they could not be counted.
    pub(super) fn result(self) -> Result<u64, String> {
        match self.counting {
            Counting::Nulls(_) | Counting::Missing(_, _) | Counting::Values(_, _) => Ok(self.n_broken),
            Counting::Duplicates(keys) => Ok(keys.n_duplicates()),
            Counting::Failed(reason) => Err(reason),
        }
    }

    fn columns(&self) -> Vec<usize> {
        match &self.counting {
            Counting::Nulls(column) | Counting::Missing(column, _) | Counting::Values(column, _) => vec![column.root],
            Counting::Duplicates(keys) => keys.columns().collect(),
            Counting::Failed(_) => Vec::new(),
        }
    }

    /// Counts in a batch of these columns of the table.
    fn add(&mut self, batch: &RecordBatch, columns: &[usize]) {
        self.n_broken += match &mut self.counting {
            Counting::Nulls(column) => n_null(&column.values(batch, columns)),
            Counting::Missing(column, test) => {
                let values = column.values(batch, columns);
                n_null(&values) + n_found(&values, test)
            }
            Counting::Values(column, test) => n_found(&column.values(batch, columns), test),
            Counting::Duplicates(keys) => {
                if let Err(error) = keys.add(batch, columns) {
                    self.counting = Counting::Failed(failure(&error));
                }
                0
            }
            Counting::Failed(_) => 0,
        };
    }

    fn size_bytes(&self) -> usize {
        match &self.counting {
            Counting::Duplicates(keys) => keys.size_bytes(),
            Counting::Nulls(_) | Counting::Missing(_, _) | Counting::Values(_, _) | Counting::Failed(_) => 0,
        }
    }
}

fn missing(column: Column, values: &[Scalar]) -> Result<Counting, String> {
    if values.is_empty() {
        return Ok(Counting::Nulls(column));
    }
    let test = test::one_of(&column, values)?;
    Ok(Counting::Missing(column, test))
}

/// The values that are not in the list; all of them if it is empty, whatever their type.
fn none_of(column: &Column, values: &[Scalar]) -> Result<Test, String> {
    if values.is_empty() {
        return Ok(Box::new(|array| arrow::buffer::BooleanBuffer::new_set(array.len())));
    }
    let listed = test::one_of(column, values)?;
    Ok(Box::new(move |array| !&listed(array)))
}

fn n_valid(nulls: Option<&NullBuffer>, len: usize) -> u64 {
    (len - nulls.map_or(0, NullBuffer::null_count)) as u64
}

fn n_null(values: &Values) -> u64 {
    let len = values.array.len();
    n_valid(values.present.as_ref(), len) - n_valid(values.valid.as_ref(), len)
}

fn n_found(values: &Values, test: &Test) -> u64 {
    let found = test(&values.array);
    let found = match &values.valid {
        Some(valid) => &found & valid.inner(),
        None => found,
    };
    found.count_set_bits() as u64
}

/// Reads the columns that the counters look at and has each count its rows.
///
/// # Errors
/// [`Failure::Unreadable`] if rows cannot be read.
pub(super) async fn count(
    rows: Arc<dyn Rows>,
    mut counters: Vec<Counter>,
    pool_bytes: usize,
) -> Result<Vec<Counter>, Failure> {
    let columns: BTreeSet<usize> = counters.iter().flat_map(Counter::columns).collect();
    if columns.is_empty() {
        return Ok(counters);
    }
    let columns: Vec<usize> = columns.into_iter().collect();
    let (sender, receiver) = sync_channel::<RecordBatch>(READ_AHEAD_BATCHES);
    let reading = tokio::task::spawn_blocking({
        let columns = columns.clone();
        move || rows.read(&columns, &mut |batch| sender.send(batch).is_ok())
    });
    let counting = tokio::task::spawn_blocking(move || {
        for batch in receiver {
            counters.iter_mut().for_each(|counter| counter.add(&batch, &columns));
            keep_within(pool_bytes, &mut counters);
        }
        counters
    });
    let counters = counting.await.context("a count crashed")?;
    reading.await.context("a reader crashed")??;
    Ok(counters)
}

/// Gives up the rules with the most keys until the rest fits into the pool.
fn keep_within(pool_bytes: usize, counters: &mut [Counter]) {
    while counters.iter().map(Counter::size_bytes).sum::<usize>() > pool_bytes {
        let Some(greatest) = counters.iter_mut().max_by_key(|counter| counter.size_bytes()) else { return };
        greatest.counting = Counting::Failed(NO_MEMORY.to_owned());
    }
}
