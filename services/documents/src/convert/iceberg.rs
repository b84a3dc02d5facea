//! Iceberg table metadata, format versions 1 to 3 (<https://iceberg.apache.org/spec/#table-metadata>), or a schema
//! alone.
//!
//! A field's id becomes the stable id of its property, so that a rename in the table is one in the contract.

use serde_json::{Map, Value, json};

use super::draft::{Draft, Fields, custom, option, set, set_text, with_name};
use super::json::{self, pointer};
use super::types::ImportOptions;
use crate::problem::{Problem, fault};

/// What says where the table is and what was written to it, not what it looks like.
const STATE: &[&str] = &[
    "current-schema-id",
    "current-snapshot-id",
    "default-sort-order-id",
    "default-spec-id",
    "format-version",
    "last-column-id",
    "last-partition-id",
    "last-sequence-number",
    "last-updated-ms",
    "location",
    "metadata-log",
    "next-row-id",
    "partition-spec",
    "partition-specs",
    "partition-statistics",
    "properties",
    "refs",
    "schema",
    "schemas",
    "snapshot-log",
    "snapshots",
    "sort-orders",
    "statistics",
    "table-uuid",
];

/// Reads a table's metadata, or a schema.
pub(super) fn import(text: &str, options: &ImportOptions, draft: &mut Draft) -> Result<(), Problem> {
    let root = json::read(text)?;
    let metadata = root.as_object().ok_or_else(|| fault("", "the metadata must be an object"))?;
    let (schema, path) = current_schema(metadata)?;
    let mut object = with_name(options.object.as_deref().unwrap_or("table"));
    set(&mut object, "logicalType", "object");
    let mut properties = members(schema, &path, 1, draft)?;
    identifiers(schema, &path, &mut properties, draft);
    if metadata.contains_key("format-version") {
        draft.note_unknown("", metadata, STATE);
        if let Some(version) = metadata.get("format-version") {
            custom(&mut object, "icebergFormatVersion", version.clone());
        }
        for (key, value) in metadata.get("properties").and_then(Value::as_object).into_iter().flatten() {
            match (key.as_str(), value) {
                ("comment", Value::String(comment)) => set_text(&mut object, "description", Some(comment)),
                (key, value) => custom(&mut object, key, value.clone()),
            }
        }
        partitions(metadata, &mut properties, draft);
        let orders = metadata.get("sort-orders").and_then(Value::as_array).into_iter().flatten();
        if orders.filter_map(|order| order.get("fields")?.as_array()).any(|fields| !fields.is_empty()) {
            draft.note("/sort-orders", "contracts do not define a sort order");
        }
    }
    object.insert("properties".to_owned(), Value::Array(properties));
    draft.objects.push(object);
    Ok(())
}

fn current_schema(metadata: &Fields) -> Result<(&Value, String), Problem> {
    if let Some(schemas) = metadata.get("schemas").and_then(Value::as_array) {
        let wanted = metadata.get("current-schema-id").and_then(Value::as_i64).unwrap_or(0);
        let mut all = schemas.iter().enumerate();
        let found = all.find(|(_, schema)| schema.get("schema-id").and_then(Value::as_i64).unwrap_or(0) == wanted);
        let (index, schema) = found.ok_or_else(|| fault("/current-schema-id", "names an unknown schema"))?;
        return Ok((schema, format!("/schemas/{index}")));
    }
    match metadata.get("schema") {
        Some(schema) => Ok((schema, "/schema".to_owned())),
        None => Err(fault("", "neither `schemas` nor a `schema`: give a table's metadata, or a schema in `schema`")),
    }
}

fn members(schema: &Value, path: &str, depth: usize, draft: &mut Draft) -> Result<Vec<Value>, Problem> {
    let fields = schema.get("fields").and_then(Value::as_array);
    let fields = fields.ok_or_else(|| fault(path, "a struct needs `fields`"))?;
    let mut properties = Vec::new();
    for (index, field) in fields.iter().enumerate() {
        let path = format!("{path}/fields/{index}");
        let field = field.as_object().ok_or_else(|| fault(&path, "a field must be an object"))?;
        let name = field.get("name").and_then(Value::as_str).ok_or_else(|| fault(&path, "the field has no name"))?;
        let mut column = with_name(name);
        value(field.get("type"), field.get("required"), &pointer(&path, "type"), depth, draft, &mut column)?;
        identify(field.get("id"), &mut column);
        set_text(&mut column, "description", field.get("doc").and_then(Value::as_str));
        // What readers take for rows that were written before the column was added.
        if let Some(default) = field.get("initial-default").or_else(|| field.get("write-default")) {
            custom(&mut column, "default", default.clone());
        }
        if let (Some(initial), Some(write)) = (field.get("initial-default"), field.get("write-default"))
            && initial != write
        {
            custom(&mut column, "icebergWriteDefault", write.clone());
        }
        draft.note_unknown(
            &path,
            field,
            &["id", "name", "required", "type", "doc", "initial-default", "write-default"],
        );
        properties.push(Value::Object(column));
    }
    Ok(properties)
}

fn identify(id: Option<&Value>, column: &mut Fields) {
    if let Some(id) = id.and_then(Value::as_i64) {
        set(column, "id", format!("field-{id}"));
    }
}

/// The type of a field, element, key or value.
fn value(
    kind: Option<&Value>,
    required: Option<&Value>,
    path: &str,
    depth: usize,
    draft: &mut Draft,
    column: &mut Fields,
) -> Result<(), Problem> {
    draft.column(path, depth)?;
    let kind = kind.ok_or_else(|| fault(path, "the type is missing"))?;
    if required == Some(&Value::Bool(true)) {
        set(column, "required", true);
    }
    let below = |name: &str, required: Option<&Value>, draft: &mut Draft| {
        let mut inner = Map::new();
        value(kind.get(name), required, &pointer(path, name), depth + 1, draft, &mut inner)?;
        identify(kind.get(format!("{name}-id")), &mut inner);
        Ok::<_, Problem>(inner)
    };
    match kind.as_str().or_else(|| kind.get("type")?.as_str()) {
        Some("struct") => {
            set(column, "logicalType", "object");
            set(column, "physicalType", "struct");
            let members = members(kind, path, depth + 1, draft)?;
            set(column, "properties", members);
        }
        Some("list") => {
            set(column, "logicalType", "array");
            set(column, "physicalType", "list");
            let items = below("element", kind.get("element-required"), draft)?;
            set(column, "items", items);
        }
        Some("map") => {
            set(column, "logicalType", "map");
            set(column, "physicalType", "map");
            let key = below("key", Some(&Value::Bool(true)), draft)?;
            let value = below("value", kind.get("value-required"), draft)?;
            set(column, "map", json!({ "key": key, "value": value }));
        }
        Some(word) => {
            set(column, "physicalType", word);
            if !primitive(word, column) {
                draft.note(path, format!("`{word}` is not a type of contracts, so this column has no logical type"));
            }
        }
        None => return Err(fault(path, "the type is neither a name nor an object with `type`")),
    }
    Ok(())
}

/// The logical type of a type without parts; `false` if it has none.
fn primitive(word: &str, column: &mut Fields) -> bool {
    let base = word.split(['(', '[']).next().unwrap_or(word);
    let (logical, narrowed) = match base {
        "boolean" => ("boolean", None),
        "int" => ("integer", Some(("format", json!("i32")))),
        "long" => ("integer", Some(("format", json!("i64")))),
        "float" => ("number", Some(("format", json!("f32")))),
        "double" => ("number", Some(("format", json!("f64")))),
        "decimal" => ("number", None),
        "date" => ("date", None),
        "time" => ("time", None),
        "timestamp" | "timestamp_ns" => ("timestamp", Some(("timezone", json!(false)))),
        "timestamptz" | "timestamptz_ns" => ("timestamp", Some(("timezone", json!(true)))),
        "string" => ("string", None),
        "uuid" => ("string", Some(("format", json!("uuid")))),
        "fixed" | "binary" => ("string", Some(("format", json!("binary")))),
        _ => return false,
    };
    set(column, "logicalType", logical);
    if base == "timestamp" {
        // Other dialects mean the one with a zone by this word.
        set(column, "physicalType", "timestamp_ntz");
    }
    if let Some((name, value)) = narrowed {
        option(column, name, value);
    }
    true
}

/// Identifier fields are the primary key.
fn identifiers(schema: &Value, path: &str, properties: &mut [Value], draft: &mut Draft) {
    let ids = schema.get("identifier-field-ids").and_then(Value::as_array).map_or(&[][..], Vec::as_slice);
    let mut position = 0;
    for id in ids {
        match of_id(properties, id) {
            Some(property) => {
                position += 1;
                set(property, "primaryKey", true);
                set(property, "primaryKeyPosition", position);
            }
            None => {
                draft.note(&pointer(path, "identifier-field-ids"), format!("{id} is not a column of the table itself"))
            }
        }
    }
}

fn of_id<'a>(properties: &'a mut [Value], id: &Value) -> Option<&'a mut Fields> {
    let wanted = format!("field-{id}");
    let found = properties.iter_mut().find(|it| it.get("id").and_then(Value::as_str) == Some(&wanted));
    found.and_then(Value::as_object_mut)
}

/// The fields of the default partition specification.
fn partitions(metadata: &Fields, properties: &mut [Value], draft: &mut Draft) {
    let wanted = metadata.get("default-spec-id").and_then(Value::as_i64).unwrap_or(0);
    let specs = metadata.get("partition-specs").and_then(Value::as_array).into_iter().flatten();
    let mut current = specs.filter(|spec| spec.get("spec-id").and_then(Value::as_i64) == Some(wanted));
    let fields = current.next().and_then(|spec| spec.get("fields")).or_else(|| metadata.get("partition-spec"));
    let mut position = 0;
    for field in fields.and_then(Value::as_array).into_iter().flatten() {
        let source = field.get("source-id").unwrap_or(&Value::Null);
        let transform = field.get("transform").and_then(Value::as_str).unwrap_or("identity");
        match of_id(properties, source) {
            Some(property) if !property.contains_key("partitioned") => {
                position += 1;
                set(property, "partitioned", true);
                set(property, "partitionKeyPosition", position);
                if transform != "identity" {
                    custom(property, "partitionTransform", transform);
                }
            }
            _ => draft.note(
                "/partition-specs",
                format!("`{transform}` of field {source} is a partition a contract cannot name"),
            ),
        }
    }
}
