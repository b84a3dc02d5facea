//! `duplicateValues`: rows minus distinct keys, among the rows whose key has no null. It is an aggregate function, so
//! that it runs in the same pass as every other count and its memory is accounted to the query.

use std::any::Any;
use std::collections::HashSet;
use std::mem::size_of;
use std::sync::Arc;

use arrow::array::{Array, ArrayRef, AsArray, BinaryArray, Int64Array, ListArray};
use arrow::buffer::OffsetBuffer;
use arrow::datatypes::{DataType, Field, FieldRef, Int64Type, Schema};
use arrow::row::{RowConverter, SortField};
use datafusion::common::{Result, ScalarValue};
use datafusion::logical_expr::function::{AccumulatorArgs, StateFieldsArgs};
use datafusion::logical_expr::{Accumulator, AggregateUDF, AggregateUDFImpl, Expr, Signature, Volatility};
use domain::table::ColumnPath;

use super::expression::field;

/// The number of duplicates over these columns.
///
/// # Errors
/// There is no column, one is missing, or its type has no equality, as a message for the contract's author.
pub(super) fn count(schema: &Schema, columns: &[ColumnPath]) -> Result<Expr, String> {
    let fields = columns.iter().map(|column| field(schema, column)).collect::<Result<Vec<_>, _>>()?;
    if fields.is_empty() {
        return Err("the key has no column".to_owned());
    }
    let types = fields.iter().map(|field| SortField::new(field.data_type.clone())).collect();
    RowConverter::new(types).map_err(|_| "a column of the key has a type without equality".to_owned())?;
    let function = AggregateUDF::from(DuplicateRows { signature: Signature::variadic_any(Volatility::Immutable) });
    Ok(function.call(fields.into_iter().map(|field| field.expr).collect()))
}

#[derive(Debug, PartialEq, Eq, Hash)]
struct DuplicateRows {
    signature: Signature,
}

impl AggregateUDFImpl for DuplicateRows {
    fn as_any(&self) -> &dyn Any {
        self
    }

    fn name(&self) -> &str {
        "duplicate_rows"
    }

    fn signature(&self) -> &Signature {
        &self.signature
    }

    fn return_type(&self, _: &[DataType]) -> Result<DataType> {
        Ok(DataType::Int64)
    }

    fn accumulator(&self, args: AccumulatorArgs) -> Result<Box<dyn Accumulator>> {
        let types = args.expr_fields.iter().map(|field| SortField::new(field.data_type().clone())).collect();
        Ok(Box::new(Keys { converter: RowConverter::new(types)?, seen: HashSet::new(), seen_bytes: 0, n_rows: 0 }))
    }

    fn state_fields(&self, _: StateFieldsArgs) -> Result<Vec<FieldRef>> {
        Ok(vec![
            Arc::new(Field::new("rows", DataType::Int64, false)),
            Arc::new(Field::new("keys", DataType::List(key_field()), false)),
        ])
    }
}

fn key_field() -> FieldRef {
    Arc::new(Field::new("item", DataType::Binary, false))
}

/// The keys seen so far, in Arrow's row format, in which two keys are equal exactly if their values are.
#[derive(Debug)]
struct Keys {
    converter: RowConverter,
    seen: HashSet<Box<[u8]>>,
    seen_bytes: usize,
    n_rows: i64,
}

impl Keys {
    fn insert(&mut self, key: &[u8]) {
        if !self.seen.contains(key) {
            self.seen_bytes += key.len();
            self.seen.insert(key.into());
        }
    }
}

impl Accumulator for Keys {
    fn update_batch(&mut self, columns: &[ArrayRef]) -> Result<()> {
        let rows = self.converter.convert_columns(columns)?;
        let nulls: Vec<_> = columns.iter().filter_map(|column| column.logical_nulls()).collect();
        for (index, row) in rows.iter().enumerate() {
            if nulls.iter().all(|nulls| nulls.is_valid(index)) {
                self.n_rows += 1;
                self.insert(row.as_ref());
            }
        }
        Ok(())
    }

    fn evaluate(&mut self) -> Result<ScalarValue> {
        Ok(ScalarValue::Int64(Some(self.n_rows - self.seen.len() as i64)))
    }

    fn size(&self) -> usize {
        size_of::<Self>() + self.seen_bytes + self.seen.capacity() * (size_of::<Box<[u8]>>() + 1)
    }

    fn state(&mut self) -> Result<Vec<ScalarValue>> {
        let keys = BinaryArray::from_iter_values(self.seen.drain());
        let list = ListArray::try_new(key_field(), OffsetBuffer::from_lengths([keys.len()]), Arc::new(keys), None)?;
        Ok(vec![ScalarValue::Int64(Some(self.n_rows)), ScalarValue::List(Arc::new(list))])
    }

    fn merge_batch(&mut self, states: &[ArrayRef]) -> Result<()> {
        let rows: &Int64Array = states[0].as_primitive::<Int64Type>();
        self.n_rows += rows.values().iter().sum::<i64>();
        for keys in states[1].as_list::<i32>().iter().flatten() {
            for key in keys.as_binary::<i32>().iter().flatten() {
                self.insert(key);
            }
        }
        Ok(())
    }
}
