//! `CREATE TABLE` statements: read in every dialect, written for PostgreSQL and for Spark.
//!
//! Statements are read by a reader of our own, which passes what it does not know; only expressions are read by
//! `sqlparser`, whose statements refuse what the databases' own tools print.

mod alter;
mod check;
mod client;
mod constraint;
mod cursor;
mod export;
mod import;
mod kind;
mod lookup;
mod table;
mod tokens;

use domain::contract::types::TypeName;

pub(super) use self::constraint::check;
pub(super) use self::export::{conditions, export, means_the_same, type_word};
pub(super) use self::import::import;
use super::dialect::{self, Meaning};
use super::draft::{Fields, option, set};
use super::types::Dialect;

/// The ODCS type of a column of a physical type, as far as its name says it in a dialect.
pub(super) fn typed(dialect: Dialect, physical: &str, column: &mut Fields) {
    set(column, "physicalType", physical);
    let Some(Meaning { name, is_uuid, is_unsigned }) = dialect::read(dialect, physical) else { return };
    let mut put = |logical: &str, narrowed: Option<(&str, serde_json::Value)>| {
        set(column, "logicalType", logical);
        if let Some((name, value)) = narrowed {
            option(column, name, value);
        }
    };
    match name {
        TypeName::Boolean => put("boolean", None),
        TypeName::Integer { bits, signed } => {
            let sign = if signed { 'i' } else { 'u' };
            put("integer", Some(("format", format!("{sign}{bits}").into())));
        }
        TypeName::Float { bits: 64 } => put("number", Some(("format", "f64".into()))),
        TypeName::Float { .. } => put("number", Some(("format", "f32".into()))),
        TypeName::Decimal { .. } => put("number", None),
        TypeName::String { .. } if is_uuid => put("string", Some(("format", "uuid".into()))),
        TypeName::String { length } => put("string", length.map(|length| ("maxLength", length.into()))),
        TypeName::Binary => put("string", Some(("format", "binary".into()))),
        TypeName::Date => put("date", None),
        TypeName::Time => put("time", None),
        TypeName::Timestamp { zoned } => put("timestamp", zoned.map(|zoned| ("timezone", zoned.into()))),
        TypeName::Struct => put("object", None),
        TypeName::List => put("array", None),
        // The standard's map needs its key and value, which only the caller may know.
        TypeName::Map => {}
    }
    if is_unsigned {
        option(column, "minimum", 0);
    }
}
