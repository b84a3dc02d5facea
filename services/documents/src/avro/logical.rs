//! Logical types: those that are invalid for their type are ignored, as the specification asks.

use domain::change::avro::{LogicalType, Primitive, Shape};
use serde_json::{Map, Value};

/// The logical type of a type, if it has one that is valid, or that is unknown here.
pub(super) fn logical_type(map: &Map<String, Value>, shape: &Shape) -> Option<LogicalType> {
    let name = map.get("logicalType")?.as_str()?;
    let plain = |valid: bool| valid.then(|| LogicalType { name: name.to_owned(), decimal: None });
    let is = |primitive| matches!(shape, Shape::Primitive(found) if *found == primitive);
    let has_size = |size| matches!(shape, Shape::Fixed(fixed) if fixed.size_bytes == size);
    match name {
        "decimal" => {
            let decimal = decimal(map, shape)?;
            Some(LogicalType { name: name.to_owned(), decimal: Some(decimal) })
        }
        "big-decimal" => plain(is(Primitive::Bytes)),
        "uuid" => plain(is(Primitive::String) || has_size(16)),
        "date" | "time-millis" => plain(is(Primitive::Int)),
        "time-micros"
        | "timestamp-millis"
        | "timestamp-micros"
        | "timestamp-nanos"
        | "local-timestamp-millis"
        | "local-timestamp-micros"
        | "local-timestamp-nanos" => plain(is(Primitive::Long)),
        "duration" => plain(has_size(12)),
        _ => plain(name.len() <= super::MAX_NAME_BYTES),
    }
}

/// The precision and scale of a decimal, if they are valid and fit into the type.
fn decimal(map: &Map<String, Value>, shape: &Shape) -> Option<(u64, u64)> {
    let precision = map.get("precision")?.as_u64().filter(|precision| *precision > 0)?;
    let scale = map.get("scale").map_or(Some(0), Value::as_u64).filter(|scale| *scale <= precision)?;
    let fits = match shape {
        Shape::Primitive(Primitive::Bytes) => true,
        // The digits that a signed number of so many bits can always hold, in millionths of a digit per bit.
        Shape::Fixed(fixed) => {
            let bits = fixed.size_bytes.saturating_mul(8).saturating_sub(1);
            u128::from(precision) * 1_000_000 <= u128::from(bits) * 301_030
        }
        Shape::Primitive(_) | Shape::Record(_) | Shape::Enum(_) | Shape::Array(_) | Shape::Map(_) | Shape::Union(_) => {
            false
        }
    };
    fits.then_some((precision, scale))
}
