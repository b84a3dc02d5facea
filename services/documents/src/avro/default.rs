//! Validation of a field's default against its type, in the JSON encoding of defaults: bytes as text of the code points
//! up to 255, and a union's value without the name of its branch.

use domain::change::avro::{Primitive, Schema, Shape, TypeId};
use domain::change::message::{Budget, TooComplex};
use serde_json::Value;

/// Whether the value is one of the type. A union takes a value of any of its branches; a record's value may leave out
/// fields that have defaults, which are looked at where they are written.
///
/// # Errors
/// [`TooComplex`] if trying all branches of unions in unions takes too long.
pub(super) fn fits(schema: &Schema, type_id: TypeId, value: &Value, budget: &mut Budget) -> Result<bool, TooComplex> {
    budget.take(1)?;
    Ok(match (&schema.get(type_id).shape, value) {
        (Shape::Primitive(primitive), value) => match primitive {
            Primitive::Null => value.is_null(),
            Primitive::Boolean => value.is_boolean(),
            Primitive::Int => value.as_i64().is_some_and(|number| i32::try_from(number).is_ok()),
            Primitive::Long => value.is_i64(),
            Primitive::Float | Primitive::Double => value.is_number(),
            Primitive::Bytes => value.as_str().is_some_and(|text| n_bytes(text).is_some()),
            Primitive::String => value.is_string(),
        },
        (Shape::Fixed(fixed), Value::String(text)) => n_bytes(text) == Some(fixed.size_bytes),
        (Shape::Enum(symbols), Value::String(text)) => {
            budget.take(u32::try_from(symbols.symbols.len() / 16).unwrap_or(u32::MAX))?;
            symbols.symbols.contains(text)
        }
        (Shape::Array(part), Value::Array(items)) => all(schema, *part, items.iter(), budget)?,
        (Shape::Map(part), Value::Object(entries)) => all(schema, *part, entries.values(), budget)?,
        (Shape::Record(record), Value::Object(entries)) => {
            for field in &record.fields {
                budget.take(1)?;
                let fits = match entries.get(&field.name) {
                    Some(value) => fits(schema, field.type_id, value, budget)?,
                    None => field.default.is_some(),
                };
                if !fits {
                    return Ok(false);
                }
            }
            true
        }
        (Shape::Union(branches), value) => {
            for branch in branches {
                if fits(schema, *branch, value, budget)? {
                    return Ok(true);
                }
            }
            false
        }
        (Shape::Fixed(_) | Shape::Enum(_) | Shape::Array(_) | Shape::Map(_) | Shape::Record(_), _) => false,
    })
}

/// Whether the value is one of those of floating-point types for which JSON has no number. Java writes them as texts,
/// and reads these as the defaults of fields of such a type, of no others.
pub(super) fn is_no_number(schema: &Schema, type_id: TypeId, value: &Value) -> bool {
    matches!(schema.get(type_id).shape, Shape::Primitive(Primitive::Float | Primitive::Double))
        && matches!(value.as_str(), Some("NaN" | "Infinity" | "-Infinity"))
}

fn all<'a>(
    schema: &Schema,
    part: TypeId,
    values: impl Iterator<Item = &'a Value>,
    budget: &mut Budget,
) -> Result<bool, TooComplex> {
    for value in values {
        if !fits(schema, part, value, budget)? {
            return Ok(false);
        }
    }
    Ok(true)
}

/// How many bytes a string encodes, one for each code point; `None` if one is past 255.
fn n_bytes(text: &str) -> Option<u64> {
    text.chars().try_fold(0, |n_bytes, character| u8::try_from(u32::from(character)).ok().map(|_| n_bytes + 1))
}
