//! The type of a property, resolved from all ODCS fields that describe it.

use domain::contract::types::TypeName;
use domain::contract::{LogicalType, Property};
use domain::quality::Scalar;

use super::dialect;
use super::types::Dialect;

/// A type that every target has a word for, or none.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Shape {
    Boolean,
    /// Bits: 8, 16, 32 or 64.
    Integer {
        bits: u8,
        signed: bool,
    },
    /// Bits: 32 or 64.
    Float {
        bits: u8,
    },
    Decimal {
        precision: u8,
        scale: i8,
    },
    Text {
        length: Option<u64>,
    },
    Uuid,
    Binary,
    Date,
    Time,
    Timestamp {
        zoned: bool,
    },
    Struct,
    List,
    Map,
    Vector,
    /// An object of which nothing else is known.
    Json,
}

/// The shape of a property: its logical type, narrowed by a format that says a width, else by its physical type where
/// the two agree.
pub(super) fn shape(property: &Property) -> Shape {
    shape_in(property, Dialect::Generic)
}

/// As [`shape`], of a property whose physical type is a dialect's where that has it.
pub(super) fn shape_in(property: &Property, dialect: Dialect) -> Shape {
    let physical = property.physical_type.as_deref();
    let physical = physical.and_then(|text| match dialect::read(dialect, text) {
        Some(meaning) => Some(meaning.name),
        None => TypeName::parse(text),
    });
    let format = property.options.format.as_deref();
    let is_uuid = |text: &str| text.eq_ignore_ascii_case("uuid") || text.eq_ignore_ascii_case("uniqueidentifier");
    match (property.logical_type, &physical) {
        (Some(LogicalType::Boolean), _) => Shape::Boolean,
        (Some(LogicalType::Date), _) => Shape::Date,
        (Some(LogicalType::Time), _) => Shape::Time,
        (Some(LogicalType::Map), _) => Shape::Map,
        (Some(LogicalType::Vector), _) => Shape::Vector,
        (Some(LogicalType::Array), _) => Shape::List,
        (Some(LogicalType::Object), _) if property.members.is_empty() => Shape::Json,
        (Some(LogicalType::Object), _) => Shape::Struct,
        (Some(LogicalType::Timestamp), physical) => {
            let named = if let Some(TypeName::Timestamp { zoned }) = physical {
                *zoned
            } else {
                property.physical_type.as_deref().map(|name| !name.starts_with("local-"))
            };
            // Without a word on it a moment is in UTC, the standard's default time zone.
            Shape::Timestamp { zoned: property.options.timezone.or(named).unwrap_or(true) }
        }
        (Some(LogicalType::String), physical) => {
            let length = if let Some(TypeName::String { length }) = physical { *length } else { None };
            if format.is_some_and(is_uuid) || property.physical_type.as_deref().is_some_and(is_uuid) {
                Shape::Uuid
            } else if matches!(physical, Some(TypeName::Binary))
                || format.is_some_and(|it| it == "binary" || it == "byte")
            {
                Shape::Binary
            } else {
                Shape::Text { length: property.options.max_length.or(length) }
            }
        }
        // Dialects disagree about the width that a name means; a format does not.
        (Some(LogicalType::Integer), Some(TypeName::Integer { .. })) if is_width(format) => integer(format),
        (Some(LogicalType::Number), Some(TypeName::Float { .. })) if matches!(format, Some("f32" | "f64")) => {
            Shape::Float { bits: if format == Some("f32") { 32 } else { 64 } }
        }
        (Some(LogicalType::Integer), Some(TypeName::Integer { .. } | TypeName::Decimal { size: Some((_, 0)) }))
        | (
            Some(LogicalType::Number),
            Some(TypeName::Integer { .. } | TypeName::Float { .. } | TypeName::Decimal { .. }),
        ) => physical_shape(physical.as_ref()),
        (Some(LogicalType::Integer), _) => integer(format),
        (Some(LogicalType::Number), _) => Shape::Float { bits: if format == Some("f32") { 32 } else { 64 } },
        (None, _) if !property.members.is_empty() => Shape::Struct,
        (None, _) if property.items.is_some() => Shape::List,
        (None, _) if property.map.is_some() => Shape::Map,
        (None, _) if property.physical_type.as_deref().is_some_and(is_uuid) => Shape::Uuid,
        (None, physical) => physical_shape(physical.as_ref()),
    }
}

/// Whether a format of an integer says how wide it is.
fn is_width(format: Option<&str>) -> bool {
    format.is_some_and(|format| format.starts_with(['i', 'u']) && format[1..].bytes().all(|it| it.is_ascii_digit()))
}

/// `i32` is the standard's default.
fn integer(format: Option<&str>) -> Shape {
    match format {
        Some("i8") => Shape::Integer { bits: 8, signed: true },
        Some("i16") => Shape::Integer { bits: 16, signed: true },
        Some("i64") => Shape::Integer { bits: 64, signed: true },
        Some("u8") => Shape::Integer { bits: 8, signed: false },
        Some("u16") => Shape::Integer { bits: 16, signed: false },
        Some("u32") => Shape::Integer { bits: 32, signed: false },
        Some("u64") => Shape::Integer { bits: 64, signed: false },
        Some("i128" | "u128") => Shape::Decimal { precision: 38, scale: 0 },
        _ => Shape::Integer { bits: 32, signed: true },
    }
}

fn physical_shape(physical: Option<&TypeName>) -> Shape {
    match physical {
        Some(TypeName::Boolean) => Shape::Boolean,
        Some(TypeName::Integer { bits: 65.., .. }) => Shape::Decimal { precision: 38, scale: 0 },
        Some(TypeName::Integer { bits, signed }) => Shape::Integer { bits: *bits, signed: *signed },
        Some(TypeName::Float { bits }) => Shape::Float { bits: (*bits).max(32) },
        Some(TypeName::Decimal { size }) => {
            // Without a size: the widest that all table formats have.
            let (precision, scale) = size.unwrap_or((38, 9));
            Shape::Decimal { precision: precision.clamp(1, 38), scale }
        }
        Some(TypeName::String { length }) => Shape::Text { length: *length },
        Some(TypeName::Binary) => Shape::Binary,
        Some(TypeName::Date) => Shape::Date,
        Some(TypeName::Time) => Shape::Time,
        Some(TypeName::Timestamp { zoned }) => Shape::Timestamp { zoned: zoned.unwrap_or(true) },
        Some(TypeName::Struct | TypeName::List | TypeName::Map) => Shape::Json,
        None => Shape::Text { length: None },
    }
}

/// The text of a value that is one.
pub(super) fn text_of(value: &Scalar) -> Option<&str> {
    match value {
        Scalar::Text(text) => Some(text),
        Scalar::Integer(_) | Scalar::Number(_) | Scalar::Decimal(_) | Scalar::Boolean(_) => None,
    }
}
