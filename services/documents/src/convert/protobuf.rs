//! Protobuf: a file of messages, <https://protobuf.dev/reference/protobuf/proto3-spec/>.
//!
//! What Protobuf has no word for goes into a comment of its own line, `odcs: {...}`, where an import finds it again.

mod export;
mod import;

pub(super) use self::export::export;
pub(super) use self::import::import;
use super::draft::{Fields, option, set};

/// What begins the line of a comment that holds what Protobuf has no word for.
const BESIDE: &str = "odcs: ";
/// The custom property for a field's number.
const NUMBER: &str = "protobufNumber";
/// The custom property for a message's package.
const PACKAGE: &str = "protobufPackage";

/// The ODCS type of a scalar type, by its word; `false` if it is none.
fn scalar(word: &str, column: &mut Fields) -> bool {
    let (logical, narrowed) = match word {
        "double" => ("number", Some("f64")),
        "float" => ("number", Some("f32")),
        "int32" | "sint32" | "sfixed32" => ("integer", Some("i32")),
        "int64" | "sint64" | "sfixed64" => ("integer", Some("i64")),
        "uint32" | "fixed32" => ("integer", Some("u32")),
        "uint64" | "fixed64" => ("integer", Some("u64")),
        "bool" => ("boolean", None),
        "string" => ("string", None),
        "bytes" => ("string", Some("binary")),
        _ => return false,
    };
    set(column, "logicalType", logical);
    set(column, "physicalType", word);
    if let Some(format) = narrowed {
        option(column, "format", format);
    }
    true
}
