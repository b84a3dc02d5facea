//! Columns with their members, items and maps.

use std::sync::Arc;

use domain::contract::{
    Classification, LogicalType, MapTypes, Options, Property, SemanticType, check_pattern, check_value,
};
use domain::quality::Scalar;
use serde_json::Value;

use super::{classification, names_are_unique, quality, relationship};
use crate::node::Data;
use crate::reader::{At, Reader};

const MODELLED: &[&str] = &[
    "classification",
    "criticalDataElement",
    "deprecated",
    "encryptedName",
    "enum",
    "id",
    "items",
    "logicalType",
    "logicalTypeOptions",
    "map",
    "name",
    "partitionKeyPosition",
    "partitioned",
    "physicalName",
    "physicalType",
    "primaryKey",
    "primaryKeyPosition",
    "properties",
    "quality",
    "relationships",
    "required",
    "semanticType",
    "unique",
];

/// The field `properties`.
pub(super) fn properties(at: &At<'_>, reader: &mut Reader) -> Vec<Arc<Property>> {
    let items = at.list("properties");
    names_are_unique(&items, "name", reader);
    let properties: Vec<_> = items.iter().map(|item| Arc::new(property(item, None, reader))).collect();
    let mut columns = std::collections::BTreeSet::new();
    for (at, property) in items.iter().zip(&properties) {
        let name = property.column_name();
        if property.is_stored() && !columns.insert(name) && property.physical_name.is_some() {
            reader.problem(at, format!("another property is stored as the column `{name}`"));
        }
    }
    properties
}

/// One property; `place` is what it is called where it is inside of a list or a map. A name there is for people: no
/// reader selects by it.
fn property(at: &At<'_>, place: Option<&str>, reader: &mut Reader) -> Property {
    let (mut documentary, mut other) = at.rest(MODELLED, &[]);
    let mut name = at.text_of("name").unwrap_or_default();
    if let Some(place) = place {
        documentary.extend(at.text_of("name").map(|name| ("name".to_owned(), Value::String(name))));
        place.clone_into(&mut name);
    }
    let semantic_type = match at.text_of("semanticType").as_deref() {
        Some("measure") => SemanticType::Measure,
        Some("dimension") => SemanticType::Dimension,
        _ => SemanticType::Column,
    };
    // How a column was made is for people; how a measure is computed is what it is.
    if semantic_type != SemanticType::Measure {
        documentary.extend(other.remove_entry("transformLogic"));
    }
    let classified = at.get("classification").and_then(|word| classification(&word, reader));
    if let Some(word) = at.text_of("classification").filter(|word| Classification::from_word(word).is_none()) {
        documentary.insert("classification".to_owned(), Value::String(word));
    }
    if let Some(labels) = enumeration_labels(at) {
        documentary.insert("enum".to_owned(), labels);
    }
    let mut options = at.get("logicalTypeOptions").map(|options| self::options(&options, reader)).unwrap_or_default();
    let mut members = properties(at, reader);
    require_members(&mut options, &mut members);
    let position = |name: &str| at.count_of(name).and_then(|position| u32::try_from(position).ok());
    let property = Property {
        id: at.text_of("id"),
        name,
        physical_name: at.text_of("physicalName"),
        logical_type: at.text_of("logicalType").as_deref().and_then(LogicalType::from_word),
        options,
        physical_type: at.text_of("physicalType"),
        required: at.flag_of("required").unwrap_or(false),
        unique: at.flag_of("unique").unwrap_or(false),
        primary_key: at.flag_of("primaryKey").unwrap_or(false),
        primary_key_position: position("primaryKeyPosition"),
        partitioned: at.flag_of("partitioned").unwrap_or(false),
        partition_key_position: position("partitionKeyPosition"),
        classification: classified,
        encrypted_name: at.text_of("encryptedName"),
        semantic_type,
        enumeration: enumeration(at, reader),
        critical: at.flag_of("criticalDataElement").unwrap_or(false),
        deprecated: at.flag_of("deprecated").unwrap_or(false),
        members,
        items: at.get("items").map(|items| Box::new(property(&items, Some("items"), reader))),
        map: at.get("map").and_then(|map| {
            let key = property(&map.get("key")?, Some("key"), reader);
            let value = property(&map.get("value")?, Some("value"), reader);
            Some(Box::new(MapTypes { key, value }))
        }),
        quality: quality::list(at, quality::Level::Property, reader),
        relationships: relationship::list(at),
        documentary,
        other,
    };
    check_values(at, &property, reader);
    property
}

/// Checks each value that a rule compares the column with.
fn check_values(at: &At<'_>, property: &Property, reader: &mut Reader) {
    const BOUNDS: [&str; 4] = ["minimum", "exclusiveMinimum", "maximum", "exclusiveMaximum"];
    let options = at.get("logicalTypeOptions");
    let bounds = options.iter().flat_map(|options| BOUNDS.iter().filter_map(|name| options.get(name)));
    let entries = at.list("enum");
    let listed = entries.iter().filter_map(|entry| entry.get("value"));
    let arguments: Vec<_> = at.list("quality").iter().filter_map(|entry| entry.get("arguments")).collect();
    let of_rules = arguments
        .iter()
        .flat_map(|arguments| ["validValues", "missingValues"].into_iter().flat_map(|name| arguments.list(name)));
    for value in bounds.chain(listed).chain(of_rules) {
        if let Some(Err(reason)) = value.scalar().map(|scalar| check_value(property, &scalar)) {
            reader.problem(&value, reason);
        }
    }
}

/// Members that the object's options name as required are so, as if they said it themselves.
fn require_members(options: &mut Options, members: &mut [Arc<Property>]) {
    let Some(Value::Array(names)) = options.other.remove("required") else { return };
    let mut unknown = Vec::new();
    for name in names {
        match members.iter_mut().find(|member| Some(member.name.as_str()) == name.as_str()) {
            Some(member) => Arc::make_mut(member).required = true,
            None => unknown.push(name),
        }
    }
    if !unknown.is_empty() {
        options.other.insert("required".to_owned(), Value::Array(unknown));
    }
}

fn options(at: &At<'_>, reader: &mut Reader) -> Options {
    const MODELLED: &[&str] = &[
        "defaultTimezone",
        "dimensions",
        "elementType",
        "exclusiveMaximum",
        "exclusiveMinimum",
        "format",
        "maxItems",
        "maxLength",
        "maxProperties",
        "maximum",
        "minItems",
        "minLength",
        "minProperties",
        "minimum",
        "multipleOf",
        "pattern",
        "timezone",
    ];
    let bound = |name: &str| at.get(name).and_then(|bound| bound.scalar());
    let (mut minimum, mut maximum) = (bound("minimum"), bound("maximum"));
    let (mut exclusive_minimum, mut exclusive_maximum) = (bound("exclusiveMinimum"), bound("exclusiveMaximum"));
    // Up to ODCS 3.0 these two are flags over the inclusive bounds.
    if let Some(Scalar::Boolean(exclusive)) = exclusive_minimum {
        exclusive_minimum = if exclusive { minimum.take() } else { None };
    }
    if let Some(Scalar::Boolean(exclusive)) = exclusive_maximum {
        exclusive_maximum = if exclusive { maximum.take() } else { None };
    }
    if let Some(pattern) = at.get("pattern") {
        let text = pattern.text().unwrap_or_default();
        if let Err(reason) = check_pattern(text) {
            reader.problem(&pattern, format!("the pattern cannot be matched in linear time: {reason}"));
        }
    }
    let (_, mut other) = at.rest(MODELLED, &[]);
    let unique_items = other.remove("uniqueItems") == Some(Value::Bool(true));
    Options {
        format: at.text_of("format"),
        min_length: at.count_of("minLength"),
        max_length: at.count_of("maxLength"),
        pattern: at.text_of("pattern"),
        minimum,
        maximum,
        exclusive_minimum,
        exclusive_maximum,
        multiple_of: at.get("multipleOf").and_then(|divisor| divisor.scalar()?.as_decimal()),
        timezone: at.flag_of("timezone"),
        default_timezone: at.text_of("defaultTimezone"),
        min_items: at.count_of("minItems"),
        max_items: at.count_of("maxItems"),
        unique_items,
        min_properties: at.count_of("minProperties"),
        max_properties: at.count_of("maxProperties"),
        dimensions: at.count_of("dimensions"),
        element_type: at.text_of("elementType"),
        other,
    }
}

/// The values of `enum` (ODCS 3.2). They are distinct, numbers by all of their digits, which the schema cannot say: labels
/// may differ, and it knows numbers as doubles.
fn enumeration(at: &At<'_>, reader: &mut Reader) -> Vec<Scalar> {
    let mut values: Vec<Scalar> = Vec::new();
    let mut seen = std::collections::BTreeSet::new();
    for entry in at.list("enum") {
        let Some(value) = entry.get("value") else { continue };
        let Some(scalar) = value.scalar() else { continue };
        let number = scalar.as_decimal();
        if seen.insert(number.map_or_else(|| value.node.to_json().to_string(), |number| number.to_string())) {
            values.push(scalar);
        } else {
            reader.problem(&value, "the value is already in this enumeration");
        }
    }
    values
}

/// What an enumeration says about its values besides them.
fn enumeration_labels(at: &At<'_>) -> Option<Value> {
    let entries = at.list("enum");
    let is_bare = |entry: &At<'_>| matches!(&entry.node.data, Data::Map(fields) if fields.len() == 1);
    (!entries.iter().all(is_bare)).then(|| Value::Array(entries.iter().map(|entry| entry.node.to_json()).collect()))
}
