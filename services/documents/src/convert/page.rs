//! What the pages for people share: the order of their parts, and words and values in one text.

use domain::contract::Property;
use serde_json::{Map, Value};

use super::element::Element;
use super::ledger::Ledger;

/// What is said of the contract in one text each.
pub(super) const FACTS: [&str; 7] = ["id", "version", "status", "tenant", "domain", "dataProduct", "contractCreatedTs"];
/// What is said of the contract after its schema, a section each.
pub(super) const SECTIONS: [&str; 6] = ["slaProperties", "roles", "team", "servers", "support", "price"];

/// Of which keys a column is part, and whether it is unique. These flags and `required` then are held.
pub(super) fn key_words(ledger: &Ledger<'_>, property: &Element<'_, Property>) -> Vec<String> {
    let (it, path) = (property.it, &property.path);
    let mut key = Vec::new();
    if it.primary_key {
        let position = it.primary_key_position.map(|position| format!(" {position}")).unwrap_or_default();
        key.push(format!("primary{position}"));
        ledger.hold_fields(path, &["primaryKey", "primaryKeyPosition"]);
    }
    if it.unique {
        key.push("unique".to_owned());
    }
    if it.partitioned {
        let position = it.partition_key_position.map(|position| format!(" {position}")).unwrap_or_default();
        key.push(format!("partition{position}"));
        ledger.hold_fields(path, &["partitioned", "partitionKeyPosition"]);
    }
    ledger.hold_fields(path, &["required", "unique"]);
    key
}

/// The keys of some things, for the head of a table.
pub(super) fn columns_of(things: &[Value]) -> Vec<&String> {
    let mut columns: Vec<&String> = Vec::new();
    for key in things.iter().filter_map(Value::as_object).flat_map(Map::keys) {
        if !columns.contains(&key) {
            columns.push(key);
        }
    }
    columns
}

pub(super) fn is_list_of_things(value: &Value) -> bool {
    value.as_array().is_some_and(|items| !items.is_empty() && items.iter().all(Value::is_object))
}

/// `slaProperties` as `Sla properties`.
pub(super) fn words(name: &str) -> String {
    let mut words = String::new();
    for (index, character) in name.chars().enumerate() {
        match character {
            first if index == 0 => words.extend(first.to_uppercase()),
            upper if upper.is_ascii_uppercase() => {
                words.push(' ');
                words.push(upper.to_ascii_lowercase());
            }
            other => words.push(other),
        }
    }
    words
}

/// A value in one text: lists of texts with commas, anything deeper as JSON.
pub(super) fn compact(value: &Value) -> String {
    match value {
        Value::String(text) => text.clone(),
        Value::Array(items) if items.iter().all(|item| !item.is_object() && !item.is_array()) => {
            items.iter().map(compact).collect::<Vec<_>>().join(", ")
        }
        other => other.to_string(),
    }
}
