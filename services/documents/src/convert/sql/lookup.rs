//! Tables and columns by the names that statements give them.

use serde_json::Value;

use super::super::draft::Fields;

/// The table of a name that may be qualified.
pub(super) fn find<'a>(tables: &'a mut [Fields], parts: &[String]) -> Option<&'a mut Fields> {
    tables.get_mut(position(tables, parts)?)
}

/// Where that table is: by the whole name, else by its last part.
pub(super) fn position(tables: &[Fields], parts: &[String]) -> Option<usize> {
    let whole = parts.join(".");
    let last = parts.last()?;
    let position = |key: &str, name: &str, ignores_case: bool| {
        let is_it = |own: &str| if ignores_case { own.eq_ignore_ascii_case(name) } else { own == name };
        tables.iter().position(|table| table.get(key).and_then(Value::as_str).is_some_and(is_it))
    };
    position("physicalName", &whole, false)
        .or_else(|| position("physicalName", &whole, true))
        .or_else(|| position("name", last, false))
        .or_else(|| position("name", last, true))
}

/// A column: the one of this very name, else one whose letters differ in their case, as names without quotes may.
pub(super) fn column<'a>(table: &'a mut Fields, name: &str) -> Option<&'a mut Fields> {
    let columns = table.get_mut("properties").and_then(Value::as_array_mut)?;
    let position = |is_it: &dyn Fn(&str) -> bool| {
        columns.iter().position(|column| column.get("name").and_then(Value::as_str).is_some_and(is_it))
    };
    let found = position(&|own| own == name).or_else(|| position(&|own| own.eq_ignore_ascii_case(name)))?;
    columns[found].as_object_mut()
}
