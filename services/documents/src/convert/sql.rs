//! `CREATE TABLE`, in the dialects that `sqlparser` reads; written for PostgreSQL and for Spark.

mod check;
mod export;
mod import;
mod tokens;

use domain::contract::types::TypeName;

pub(super) use self::export::export;
pub(super) use self::import::import;
use super::draft::{Fields, option, set};

/// The ODCS type of a column of a physical type, as far as its name says it.
pub(super) fn typed(physical: &str, name: Option<&TypeName>, column: &mut Fields) {
    set(column, "physicalType", physical);
    let mut put = |logical: &str, narrowed: Option<(&str, serde_json::Value)>| {
        set(column, "logicalType", logical);
        if let Some((name, value)) = narrowed {
            option(column, name, value);
        }
    };
    match name {
        Some(TypeName::Boolean) => put("boolean", None),
        Some(TypeName::Integer { bits, signed }) => {
            let sign = if *signed { 'i' } else { 'u' };
            put("integer", Some(("format", format!("{sign}{bits}").into())));
        }
        Some(TypeName::Float { bits: 64 }) => put("number", Some(("format", "f64".into()))),
        Some(TypeName::Float { .. }) => put("number", Some(("format", "f32".into()))),
        Some(TypeName::Decimal { .. }) => put("number", None),
        Some(TypeName::String { length }) => {
            let is_uuid = ["uuid", "uniqueidentifier"].contains(&physical.to_ascii_lowercase().as_str());
            put(
                "string",
                if is_uuid { Some(("format", "uuid".into())) } else { length.map(|n| ("maxLength", n.into())) },
            );
        }
        Some(TypeName::Binary) => put("string", Some(("format", "binary".into()))),
        Some(TypeName::Date) => put("date", None),
        Some(TypeName::Time) => put("time", None),
        Some(TypeName::Timestamp { zoned }) => put("timestamp", zoned.map(|zoned| ("timezone", zoned.into()))),
        Some(TypeName::Struct) => put("object", None),
        Some(TypeName::List) => put("array", None),
        // The standard's map needs its key and value, which only the caller may know.
        Some(TypeName::Map) | None => {}
    }
}
