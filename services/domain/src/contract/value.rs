//! Whether a value of a rule can be compared with its column, as far as the contract declares the column.

use super::types::TypeName;
use super::{LogicalType, Property};
use crate::moment::Moment;
use crate::quality::Scalar;

/// Checks a bound, or one of a list of values, of a property. A bound of another kind would be shifted or cut before it
/// could be compared, so it is refused.
///
/// # Errors
/// A date where the column holds times, or the reverse; a zone where the column has none. In one line.
pub fn check_value(property: &Property, value: &Scalar) -> Result<(), String> {
    let Scalar::Text(text) = value else { return Ok(()) };
    match (declared(property), Moment::parse(text)) {
        (Some(TypeName::Date), Some(Moment::Local(_) | Moment::Zoned(_) | Moment::Time(_))) => {
            Err(format!("`{text}` is not a date, as `{}` is", property.name))
        }
        (Some(TypeName::Timestamp { zoned: Some(false) }), Some(Moment::Zoned(_))) => {
            Err(format!("`{text}` has a time zone, and `{}` has none: write the local time", property.name))
        }
        (Some(TypeName::Timestamp { .. }), Some(Moment::Time(_))) => {
            Err(format!("`{text}` is not a date and time, as `{}` is", property.name))
        }
        (Some(TypeName::Time), Some(Moment::Day(_) | Moment::Local(_) | Moment::Zoned(_))) => {
            Err(format!("`{text}` is not a time of day, as `{}` is", property.name))
        }
        _ => Ok(()),
    }
}

/// The type of the column, where the contract says that it holds dates or timestamps.
fn declared(property: &Property) -> Option<TypeName> {
    let physical = property.physical_type.as_deref().and_then(TypeName::parse);
    let zoned = property.options.timezone;
    match (physical, property.logical_type) {
        (None, Some(LogicalType::Time)) => Some(TypeName::Time),
        (Some(TypeName::Timestamp { zoned: None }), _) | (None, Some(LogicalType::Timestamp)) => {
            Some(TypeName::Timestamp { zoned })
        }
        (None, Some(LogicalType::Date)) => Some(TypeName::Date),
        (physical, _) => physical,
    }
}
