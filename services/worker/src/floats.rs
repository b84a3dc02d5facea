//! Floating-point numbers of which equal ones have equal bits, as in SQL: one zero and one not-a-number.
//!
//! Arrow's kernels and its row format compare floats by the total order of IEEE 754, in which -0.0 is below 0.0 and
//! each not-a-number has a place of its own.

use std::sync::Arc;

use arrow::array::{Array, ArrayRef, ArrowPrimitiveType, AsArray, ListArray, MapArray, PrimitiveArray, StructArray};
use arrow::datatypes::{DataType, Float16Type, Float32Type, Float64Type};
use arrow::error::ArrowError;

/// The column with one zero and one not-a-number, at every depth. All lists of Parquet files are read as one kind.
///
/// # Errors
/// None that a valid array causes.
pub(crate) fn normal(array: &ArrayRef) -> Result<ArrayRef, ArrowError> {
    Ok(match array.data_type() {
        DataType::Float16 => {
            type Half = <Float16Type as ArrowPrimitiveType>::Native;
            with::<Float16Type>(array, |value| {
                if value.is_nan() {
                    Half::NAN
                } else if value == Half::ZERO {
                    Half::ZERO
                } else {
                    value
                }
            })
        }
        DataType::Float32 => with::<Float32Type>(array, |value| {
            if value.is_nan() {
                f32::NAN
            } else {
                // The sum of zeros of both signs is the positive one.
                value + 0.0
            }
        }),
        DataType::Float64 => with::<Float64Type>(array, normal_f64),
        DataType::List(_) if has_floats(array.data_type()) => {
            let (item, offsets, values, nulls) = array.as_list::<i32>().clone().into_parts();
            Arc::new(ListArray::try_new(item, offsets, normal(&values)?, nulls)?)
        }
        DataType::Struct(_) if has_floats(array.data_type()) => Arc::new(members(array.as_struct())?),
        DataType::Map(_, _) if has_floats(array.data_type()) => {
            let (entries, offsets, pairs, nulls, sorted) = array.as_map().clone().into_parts();
            Arc::new(MapArray::try_new(entries, offsets, members(&pairs)?, nulls, sorted)?)
        }
        _ => array.clone(),
    })
}

/// The number with one zero and one not-a-number.
pub(crate) fn normal_f64(value: f64) -> f64 {
    if value.is_nan() { f64::NAN } else { value + 0.0 }
}

/// Whether there are floating-point numbers at any depth.
pub(crate) fn has_floats(data_type: &DataType) -> bool {
    match data_type {
        DataType::List(item) => has_floats(item.data_type()),
        DataType::Map(entries, _) => has_floats(entries.data_type()),
        DataType::Struct(fields) => fields.iter().any(|field| has_floats(field.data_type())),
        data_type => data_type.is_floating(),
    }
}

fn with<T: ArrowPrimitiveType>(array: &ArrayRef, normal: impl Fn(T::Native) -> T::Native) -> ArrayRef {
    let numbers: &PrimitiveArray<T> = array.as_primitive();
    Arc::new(numbers.unary::<_, T>(normal))
}

fn members(array: &StructArray) -> Result<StructArray, ArrowError> {
    let columns = array.columns().iter().map(normal).collect::<Result<_, _>>()?;
    StructArray::try_new_with_length(array.fields().clone(), columns, array.nulls().cloned(), array.len())
}
