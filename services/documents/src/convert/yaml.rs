//! Writes values as YAML 1.2 in block style: the same value always gives the same bytes, and `parse` reads it back.

use std::fmt::Write as _;

use serde_json::{Map, Value};

/// The order of the standard's fields, over all its levels. Keys that are not here keep their own order, after these.
const ORDER: &[&str] = &[
    "apiVersion",
    "kind",
    "id",
    "name",
    "version",
    "status",
    "tenant",
    "domain",
    "dataProduct",
    "physicalName",
    "logicalType",
    "logicalTypeOptions",
    "physicalType",
    "businessName",
    "description",
    "tags",
    "deprecated",
    "primaryKey",
    "primaryKeyPosition",
    "required",
    "unique",
    "partitioned",
    "partitionKeyPosition",
    "classification",
    "criticalDataElement",
    "enum",
    "examples",
    "items",
    "map",
    "relationships",
    "quality",
    "customProperties",
    "servers",
    "schema",
    "properties",
];

/// Words that a reader of YAML 1.1 or 1.2 takes for something else than text.
const WORDS: &[&str] =
    &["y", "n", "yes", "no", "on", "off", "true", "false", "null", "nan", "inf", "infinity", "nil", "none"];

pub(super) fn write(document: &Map<String, Value>) -> String {
    let mut text = String::new();
    map(document, 0, true, &mut text);
    text
}

/// Writes a document of another standard, whose fields keep their own order.
pub(super) fn write_as_is(document: &Map<String, Value>) -> String {
    let mut text = String::new();
    map(document, 0, false, &mut text);
    text
}

/// The entries of a map; `ordered` puts the standard's fields first.
fn map(entries: &Map<String, Value>, indent: usize, ordered: bool, text: &mut String) {
    let mut sorted: Vec<_> = entries.iter().collect();
    if ordered {
        sorted.sort_by_key(|(key, _)| ORDER.iter().position(|known| known == key).unwrap_or(ORDER.len()));
    }
    for (index, (key, value)) in sorted.into_iter().enumerate() {
        if index > 0 {
            pad(indent, text);
        }
        scalar(key, text);
        text.push(':');
        // Custom properties and examples keep their own order of fields.
        let ordered = ordered && !matches!(key.as_str(), "value" | "examples" | "implementation");
        match value {
            Value::Object(inner) if !inner.is_empty() => {
                text.push('\n');
                pad(indent + 2, text);
                map(inner, indent + 2, ordered, text);
            }
            Value::Array(items) if !items.is_empty() => {
                text.push('\n');
                pad(indent, text);
                list(items, indent, ordered, text);
            }
            other => {
                text.push(' ');
                leaf(other, indent + 2, text);
            }
        }
    }
}

fn list(items: &[Value], indent: usize, ordered: bool, text: &mut String) {
    for (index, item) in items.iter().enumerate() {
        if index > 0 {
            pad(indent, text);
        }
        text.push_str("- ");
        match item {
            Value::Object(inner) if !inner.is_empty() => map(inner, indent + 2, ordered, text),
            Value::Array(inner) if !inner.is_empty() => list(inner, indent + 2, ordered, text),
            other => leaf(other, indent + 2, text),
        }
    }
}

fn pad(indent: usize, text: &mut String) {
    text.extend(std::iter::repeat_n(' ', indent));
}

/// A value without entries, and the end of its line.
fn leaf(value: &Value, indent: usize, text: &mut String) {
    match value {
        Value::String(string) if is_block(string) => block(string, indent, text),
        Value::String(string) => {
            scalar(string, text);
            text.push('\n');
        }
        // `null`, `true`, a number, `[]` and `{}` are the same in JSON.
        other => {
            _ = writeln!(text, "{other}");
        }
    }
}

/// A text on one line.
fn scalar(string: &str, text: &mut String) {
    if is_plain(string) {
        text.push_str(string);
        return;
    }
    text.push('"');
    for character in string.chars() {
        match character {
            '"' => text.push_str("\\\""),
            '\\' => text.push_str("\\\\"),
            '\n' => text.push_str("\\n"),
            '\t' => text.push_str("\\t"),
            '\r' => text.push_str("\\r"),
            // Line breaks of YAML 1.1, the byte order mark, what is not printable.
            '\u{0}'..='\u{1f}'
            | '\u{7f}'..='\u{9f}'
            | '\u{2028}'
            | '\u{2029}'
            | '\u{feff}'
            | '\u{fffe}'
            | '\u{ffff}' => {
                _ = write!(text, "\\u{:04X}", u32::from(character));
            }
            other => text.push(other),
        }
    }
    text.push('"');
}

/// Whether a text needs no quotes: it begins with a letter, ends with no space, holds nothing that YAML gives a meaning
/// and is no word of it.
fn is_plain(string: &str) -> bool {
    string.starts_with(|first: char| first.is_ascii_alphabetic())
        && string.bytes().all(|byte| byte.is_ascii_alphanumeric() || b" _-./()".contains(&byte))
        && !string.ends_with(' ')
        && string.len() <= 200
        && !WORDS.contains(&string.to_ascii_lowercase().as_str())
}

/// Whether a text of several lines can be written as they are.
fn is_block(string: &str) -> bool {
    string.contains('\n')
        && !string.contains('\r')
        && !string.ends_with("\n\n")
        && string.lines().any(|line| !line.is_empty())
        && !string.starts_with([' ', '\n'])
        && string.lines().all(|line| {
            !line.ends_with([' ', '\t'])
                && !line.starts_with('\t')
                && line
                    .chars()
                    .all(|c| c == '\t' || !(c.is_control() || "\u{2028}\u{2029}\u{feff}\u{fffe}\u{ffff}".contains(c)))
        })
}

fn block(string: &str, indent: usize, text: &mut String) {
    text.push_str(if string.ends_with('\n') { "|\n" } else { "|-\n" });
    for line in string.lines() {
        if !line.is_empty() {
            pad(indent, text);
            text.push_str(line);
        }
        text.push('\n');
    }
}
