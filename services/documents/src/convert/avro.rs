//! Avro 1.12, <https://avro.apache.org/docs/1.12.0/specification/>.
//!
//! Attributes that the specification does not define are metadata; ours is `odcs`, an object with the fields of the
//! property or object that Avro has no word for.

mod export;
mod import;

pub(super) use self::export::export;
pub(super) use self::import::import;

use serde_json::{Value, json};

use super::draft::{Fields, option, set};

/// The attribute for what Avro has no word for.
const BESIDE: &str = "odcs";
/// The attribute that names the contract behind an exported schema.
const CONTRACT: &str = "odcsContract";
/// Names that mean a type of their own.
const PRIMITIVES: [&str; 8] = ["null", "boolean", "int", "long", "float", "double", "bytes", "string"];

/// The word in `type`, or the schema that is a word itself.
fn type_word(schema: &Value) -> Option<&str> {
    schema.as_str().or_else(|| schema.get("type")?.as_str())
}

/// The ODCS type of a type without parts. `false` if the schema has a logical type that means nothing here.
fn simple(word: &str, attributes: &Fields, column: &mut Fields) -> bool {
    let logical = attributes.get("logicalType").and_then(Value::as_str);
    let number = |name: &str| attributes.get(name).and_then(Value::as_u64);
    let mut put = |logical: &str, physical: &str, options: &[(&str, Value)]| {
        set(column, "logicalType", logical);
        set(column, "physicalType", physical);
        options.iter().for_each(|(name, value)| option(column, name, value.clone()));
    };
    match (word, logical) {
        ("bytes" | "fixed", Some("decimal")) if number("precision").is_some() => {
            let (precision, scale) = (number("precision").unwrap_or(38), number("scale").unwrap_or(0));
            put("number", &format!("decimal({precision},{scale})"), &[]);
        }
        ("string" | "fixed", Some("uuid")) => put("string", "uuid", &[("format", json!("uuid"))]),
        ("int", Some("date")) => put("date", "date", &[]),
        ("int" | "long", Some(time @ ("time-millis" | "time-micros"))) => put("time", time, &[]),
        ("long", Some(zoned @ ("timestamp-millis" | "timestamp-micros" | "timestamp-nanos"))) => {
            put("timestamp", zoned, &[("timezone", json!(true))]);
        }
        ("long", Some(local @ ("local-timestamp-millis" | "local-timestamp-micros" | "local-timestamp-nanos"))) => {
            put("timestamp", local, &[("timezone", json!(false))]);
        }
        ("boolean", _) => put("boolean", word, &[]),
        ("int", _) => put("integer", word, &[("format", json!("i32"))]),
        ("long", _) => put("integer", word, &[("format", json!("i64"))]),
        ("float", _) => put("number", word, &[("format", json!("f32"))]),
        ("double", _) => put("number", word, &[("format", json!("f64"))]),
        ("bytes", _) => put("string", word, &[("format", json!("binary"))]),
        ("fixed", _) => {
            let size = number("size").unwrap_or(0);
            put("string", &format!("fixed({size})"), &[("format", json!("binary"))]);
        }
        ("string", _) => put("string", word, &[]),
        _ => put("string", word, &[]),
    }
    let physical = column.get("physicalType").and_then(Value::as_str).unwrap_or_default();
    logical.is_none_or(|logical| physical == logical || physical.starts_with("decimal(") && logical == "decimal")
}
