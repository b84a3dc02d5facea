//! One Arrow type for all columns that hold the same values, however their writer named the parts of lists and maps and
//! whatever it said about nulls: formats leave both to the writer.

use std::sync::Arc;

use arrow::array::{Array, ArrayRef, AsArray, ListArray, MapArray, StructArray};
use arrow::datatypes::{DataType, Field, FieldRef, Fields, Schema};
use arrow::error::ArrowError;

/// The schema with the same columns, all nullable at every depth, with the names of Delta for items and entries.
pub(crate) fn common(schema: &Schema) -> Schema {
    Schema::new(common_fields(schema.fields()))
}

fn common_fields(fields: &Fields) -> Fields {
    fields.iter().map(|field| named(field.name(), field, true)).collect()
}

fn named(name: &str, field: &Field, nullable: bool) -> FieldRef {
    Arc::new(Field::new(name, common_type(field.data_type()), nullable))
}

fn common_type(data_type: &DataType) -> DataType {
    match data_type {
        DataType::List(item) => DataType::List(named("element", item, true)),
        DataType::Struct(members) => DataType::Struct(common_fields(members)),
        DataType::Map(entries, sorted) => match entries.data_type() {
            DataType::Struct(pair) if pair.len() == 2 => {
                let pair = Fields::from(vec![named("key", &pair[0], false), named("value", &pair[1], true)]);
                DataType::Map(Arc::new(Field::new("key_value", DataType::Struct(pair), false)), *sorted)
            }
            _ => data_type.clone(),
        },
        _ => data_type.clone(),
    }
}

/// The column as one of a type that [`common`] made of its own. No value is converted.
///
/// # Errors
/// The type is another one.
pub(crate) fn fit(array: &ArrayRef, to: &DataType) -> Result<ArrayRef, ArrowError> {
    if array.data_type() == to {
        return Ok(array.clone());
    }
    match (array.data_type(), to) {
        (DataType::List(_), DataType::List(item)) => {
            let (_, offsets, values, nulls) = array.as_list::<i32>().clone().into_parts();
            let values = fit(&values, item.data_type())?;
            Ok(Arc::new(ListArray::try_new(item.clone(), offsets, values, nulls)?))
        }
        (DataType::Struct(_), DataType::Struct(members)) => Ok(Arc::new(fit_struct(array.as_struct(), members)?)),
        (DataType::Map(_, _), DataType::Map(entries, sorted)) => match entries.data_type() {
            DataType::Struct(pair) => {
                let (_, offsets, found, nulls, _) = array.as_map().clone().into_parts();
                let found = fit_struct(&found, pair)?;
                Ok(Arc::new(MapArray::try_new(entries.clone(), offsets, found, nulls, *sorted)?))
            }
            _ => Err(another(array, to)),
        },
        _ => Err(another(array, to)),
    }
}

fn fit_struct(array: &StructArray, members: &Fields) -> Result<StructArray, ArrowError> {
    let columns = array.columns().iter().zip(members).map(|(column, member)| fit(column, member.data_type()));
    let columns = columns.collect::<Result<_, _>>()?;
    StructArray::try_new_with_length(members.clone(), columns, array.nulls().cloned(), array.len())
}

fn another(array: &ArrayRef, to: &DataType) -> ArrowError {
    ArrowError::SchemaError(format!("expected {to}, found {}", array.data_type()))
}
