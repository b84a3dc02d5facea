//! `duplicateValues`: rows minus distinct keys, among the rows whose key has no null.

use std::collections::HashSet;
use std::mem::size_of;

use arrow::array::{ArrayRef, RecordBatch};
use arrow::buffer::NullBuffer;
use arrow::datatypes::Schema;
use arrow::error::ArrowError;
use arrow::row::{RowConverter, SortField};
use domain::table::ColumnPath;

use super::column::Column;
use crate::floats;

/// The keys seen so far, in Arrow's row format. In it two keys are equal exactly if their values are, once equal
/// floating-point numbers have equal bits.
pub(super) struct Keys {
    columns: Vec<Column>,
    converter: RowConverter,
    seen: HashSet<Box<[u8]>>,
    seen_bytes: usize,
    n_rows: u64,
}

impl Keys {
    /// No key of these columns.
    ///
    /// # Errors
    /// There is no column, one is missing, or its type has no equality, as a message for the contract's author.
    pub(super) fn of(schema: &Schema, columns: &[ColumnPath]) -> Result<Self, String> {
        let columns = columns.iter().map(|column| Column::find(schema, column)).collect::<Result<Vec<_>, _>>()?;
        if columns.is_empty() {
            return Err("the key has no column".to_owned());
        }
        let types = columns.iter().map(|column| SortField::new(column.data_type.clone())).collect();
        let converter = RowConverter::new(types);
        let converter = converter.map_err(|_| "a column of the key has a type without equality".to_owned())?;
        Ok(Self { columns, converter, seen: HashSet::new(), seen_bytes: 0, n_rows: 0 })
    }

    pub(super) fn columns(&self) -> impl Iterator<Item = usize> {
        self.columns.iter().map(|column| column.root)
    }

    /// Adds the keys of a batch of these columns of the table.
    pub(super) fn add(&mut self, batch: &RecordBatch, columns: &[usize]) -> Result<(), ArrowError> {
        let values: Vec<_> = self.columns.iter().map(|column| column.values(batch, columns)).collect();
        let valid = values
            .iter()
            .fold(None, |valid: Option<NullBuffer>, values| NullBuffer::union(valid.as_ref(), values.valid.as_ref()));
        let arrays: Vec<ArrayRef> =
            values.iter().map(|values| floats::normal(&values.array)).collect::<Result<_, _>>()?;
        let rows = self.converter.convert_columns(&arrays)?;
        for (index, row) in rows.iter().enumerate() {
            if valid.as_ref().is_none_or(|valid| valid.is_valid(index)) {
                self.n_rows += 1;
                if !self.seen.contains(row.as_ref()) {
                    self.seen_bytes += row.as_ref().len();
                    self.seen.insert(row.as_ref().into());
                }
            }
        }
        Ok(())
    }

    pub(super) fn n_duplicates(&self) -> u64 {
        self.n_rows - self.seen.len() as u64
    }

    /// The memory that the keys take.
    pub(super) fn size_bytes(&self) -> usize {
        self.seen_bytes + self.seen.capacity() * (size_of::<Box<[u8]>>() + 1)
    }
}
