//! Delta Lake's schema: Spark's struct as JSON, in the `metaData` action of a table's log
//! (<https://github.com/delta-io/delta/blob/master/PROTOCOL.md>).
//!
//! What it has no word for lies in a column's metadata under `odcs`, as a text of JSON: Spark's own metadata has no
//! lists of mixed types.

use domain::contract::{Property, SchemaObject};
use serde_json::{Map, Value, json};

use super::draft::{Draft, Fields, custom, option, overlay, set, set_text, with_name};
use super::element::{Element, Export};
use super::json::{self, pointer};
use super::shape::{Shape, shape};
use super::types::ImportOptions;
use crate::problem::{Problem, fault};

/// The key of column metadata for what Delta has no word for.
const BESIDE: &str = "odcs";
/// The field of column metadata that says which column it is, through renames.
const MAPPED_ID: &str = "delta.columnMapping.id";

/// Reads an entry of a table's log, a `metaData` action, or the struct of a schema.
pub(super) fn import(text: &str, options: &ImportOptions, draft: &mut Draft) -> Result<(), Problem> {
    let (mut metadata, mut protocol) = (None, None);
    let actions = match json::read(text) {
        Ok(one) => vec![one],
        // An entry of the log has an action a line.
        Err(error) if text.lines().filter(|line| !line.trim().is_empty()).take(2).count() < 2 => return Err(error),
        Err(_) => {
            let mut actions = Vec::new();
            for (number, line) in (1..).zip(text.lines()) {
                // Files come by the thousand, and say nothing of the schema.
                let wanted = line.contains("\"metaData\"") || line.contains("\"protocol\"");
                if wanted || !line.trim_start().starts_with('{') && !line.trim().is_empty() {
                    actions.push(json::read(line).map_err(|problem| Problem { line: number, ..problem })?);
                }
            }
            actions
        }
    };
    for action in &actions {
        metadata = action.get("metaData").and_then(Value::as_object).or(metadata);
        protocol = action.get("protocol").and_then(Value::as_object).or(protocol);
    }
    let first = actions.first().and_then(Value::as_object);
    metadata = metadata.or_else(|| first.filter(|action| action.contains_key("schemaString")));
    let mut object = with_name(options.object.as_deref().unwrap_or("table"));
    set(&mut object, "logicalType", "object");
    let properties = match (metadata, first) {
        (Some(metadata), _) => {
            let schema = metadata.get("schemaString").and_then(Value::as_str);
            let schema = schema.ok_or_else(|| fault("/metaData", "`schemaString` is missing"))?;
            let schema = json::read(schema).map_err(|problem| fault("/metaData/schemaString", problem.to_string()))?;
            if let (None, Some(name)) = (&options.object, metadata.get("name").and_then(Value::as_str)) {
                set(&mut object, "name", name);
            }
            set_text(&mut object, "description", metadata.get("description").and_then(Value::as_str));
            for (key, value) in metadata.get("configuration").and_then(Value::as_object).into_iter().flatten() {
                custom(&mut object, key, value.clone());
            }
            // Not of the contract: the table's own id, when it was made, and that its files are Parquet.
            let known = [
                "id",
                "name",
                "description",
                "format",
                "schemaString",
                "partitionColumns",
                "createdTime",
                "configuration",
            ];
            draft.note_unknown("/metaData", metadata, &known);
            let mut properties = members(&schema, "/metaData/schemaString", 1, draft)?;
            let partitions = metadata.get("partitionColumns").and_then(Value::as_array);
            partitioned(&mut properties, partitions.map_or(&[], Vec::as_slice));
            properties
        }
        (None, Some(schema)) if schema.contains_key("fields") => members(&Value::Object(schema.clone()), "", 1, draft)?,
        _ => return Err(fault("", "neither a `metaData` action nor a struct with `fields`")),
    };
    if let Some(protocol) = protocol {
        reader_ceiling(protocol, draft);
    }
    object.insert("properties".to_owned(), Value::Array(properties));
    draft.objects.push(object);
    Ok(())
}

/// What the table asks of its readers is what the contract lets it ask.
fn reader_ceiling(protocol: &Fields, draft: &mut Draft) {
    if let Some(version) = protocol.get("minReaderVersion").and_then(Value::as_u64) {
        draft.settings.push(json!({ "property": "readerVersion", "value": version }));
    }
    if let Some(features) = protocol.get("readerFeatures").and_then(Value::as_array) {
        draft.settings.push(json!({ "property": "readerFeatures", "value": features }));
    }
    // What writers must know is no promise to readers.
    draft.note_unknown(
        "/protocol",
        protocol,
        &["minReaderVersion", "readerFeatures", "minWriterVersion", "writerFeatures"],
    );
}

fn partitioned(properties: &mut [Value], columns: &[Value]) {
    for (position, name) in (1..).zip(columns) {
        let of_name = |it: &&mut Value| it.get("name") == Some(name);
        if let Some(property) = properties.iter_mut().find(of_name).and_then(Value::as_object_mut) {
            set(property, "partitioned", true);
            set(property, "partitionKeyPosition", position);
        }
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
        let kind = field.get("type").ok_or_else(|| fault(&path, "the field has no type"))?;
        let mut column = with_name(name);
        let nullable = field.get("nullable").and_then(Value::as_bool);
        value(kind, nullable, &pointer(&path, "type"), depth, draft, &mut column)?;
        let mut beside = None;
        for (key, value) in field.get("metadata").and_then(Value::as_object).into_iter().flatten() {
            match (key.as_str(), value) {
                ("comment", Value::String(comment)) => set_text(&mut column, "description", Some(comment)),
                (MAPPED_ID, Value::Number(id)) => {
                    set(&mut column, "id", format!("field-{id}"));
                    custom(&mut column, key, value.clone());
                }
                ("CURRENT_DEFAULT", default) => custom(&mut column, "default", default.clone()),
                (BESIDE, Value::String(text)) => {
                    let read = json::read(text).map_err(|problem| fault(&path, problem.to_string()))?;
                    beside = read.as_object().cloned();
                }
                (key, value) => custom(&mut column, key, value.clone()),
            }
        }
        overlay(&mut column, beside.unwrap_or_default());
        draft.note_unknown(&path, field, &["name", "type", "nullable", "metadata"]);
        properties.push(Value::Object(column));
    }
    Ok(properties)
}

/// A column's, item's, key's or value's type.
fn value(
    kind: &Value,
    nullable: Option<bool>,
    path: &str,
    depth: usize,
    draft: &mut Draft,
    column: &mut Fields,
) -> Result<(), Problem> {
    draft.column(path, depth)?;
    if nullable == Some(false) {
        set(column, "required", true);
    }
    let flag = |name: &str| kind.get(name).and_then(Value::as_bool);
    let part = |name: &str| kind.get(name).ok_or_else(|| fault(path, format!("`{name}` is missing")));
    let below = |name: &str, nullable: Option<bool>, draft: &mut Draft| {
        let mut inner = Map::new();
        value(part(name)?, nullable, &pointer(path, name), depth + 1, draft, &mut inner)?;
        Ok::<_, Problem>(inner)
    };
    match kind.as_str().or_else(|| kind.get("type")?.as_str()) {
        Some("struct") => {
            composite(column, "object", "struct");
            let members = members(kind, path, depth + 1, draft)?;
            set(column, "properties", members);
        }
        Some("array") => {
            composite(column, "array", "array");
            let items = below("elementType", flag("containsNull"), draft)?;
            set(column, "items", items);
        }
        Some("map") => {
            composite(column, "map", "map");
            let key = below("keyType", Some(false), draft)?;
            let value = below("valueType", flag("valueContainsNull"), draft)?;
            set(column, "map", json!({ "key": key, "value": value }));
        }
        Some(word) => {
            if !primitive(word, column) {
                draft.note(path, format!("`{word}` is not a type of contracts, so this column has no logical type"));
            }
        }
        None => return Err(fault(path, "the type is neither a name nor an object with `type`")),
    }
    Ok(())
}

fn composite(column: &mut Fields, logical: &str, physical: &str) {
    set(column, "logicalType", logical);
    set(column, "physicalType", physical);
}

/// The ODCS type of a type without parts; `false` if it is none.
fn primitive(word: &str, column: &mut Fields) -> bool {
    let (logical, narrowed) = match word {
        "string" => ("string", None),
        "byte" => ("integer", Some(("format", json!("i8")))),
        "short" => ("integer", Some(("format", json!("i16")))),
        "integer" => ("integer", Some(("format", json!("i32")))),
        "long" => ("integer", Some(("format", json!("i64")))),
        "float" => ("number", Some(("format", json!("f32")))),
        "double" => ("number", Some(("format", json!("f64")))),
        "boolean" => ("boolean", None),
        "binary" => ("string", Some(("format", json!("binary")))),
        "date" => ("date", None),
        "timestamp" => ("timestamp", Some(("timezone", json!(true)))),
        "timestamp_ntz" => ("timestamp", Some(("timezone", json!(false)))),
        _ if word.starts_with("decimal") => ("number", None),
        _ if word.starts_with("varchar(") || word.starts_with("char(") => ("string", None),
        _ => {
            set(column, "physicalType", word);
            return false;
        }
    };
    composite(column, logical, word);
    if let Some((name, value)) = narrowed {
        option(column, name, value);
    }
    true
}

/// Writes the struct of the one object.
pub(super) fn export(export: &Export<'_>) -> String {
    let mut schema = Map::new();
    for object in &export.objects {
        schema = object_struct(export, object);
    }
    serde_json::to_string_pretty(&schema).unwrap_or_default() + "\n"
}

fn object_struct(export: &Export<'_>, object: &Element<'_, SchemaObject>) -> Fields {
    if export.ledger.field(&object.path, "logicalType").and_then(Value::as_str) == Some("object") {
        export.ledger.hold(&pointer(&object.path, "logicalType"));
    }
    fields(export, &object.properties())
}

fn fields(export: &Export<'_>, properties: &[Element<'_, Property>]) -> Fields {
    let own: Vec<_> = properties.iter().map(|property| property.it.column_name()).collect();
    // Delta compares names without regard to case.
    let mapped = super::names::distinct(&own, str::to_owned, str::to_lowercase);
    let fields: Vec<_> = properties.iter().zip(&mapped).map(|(property, name)| field(export, property, name)).collect();
    json!({ "type": "struct", "fields": fields }).as_object().cloned().unwrap_or_default()
}

fn field(export: &Export<'_>, property: &Element<'_, Property>, name: &str) -> Value {
    let ledger = &export.ledger;
    let path = &property.path;
    if property.it.name == name {
        ledger.hold_fields(path, &["name"]);
        // A physical name that is the name again says nothing more.
        if property.it.physical_name.as_deref() == Some(name) {
            ledger.hold_fields(path, &["physicalName"]);
        }
    } else if property.it.column_name() != name {
        ledger.changed(path, format!("was renamed to `{name}`: Delta ignores case, and its name is already used"));
    }
    let kind = kind(export, property);
    let mut metadata = Map::new();
    set_text(&mut metadata, "comment", ledger.take_text(path, "description"));
    if let Some(default @ Value::String(_)) = ledger.custom(path, "default") {
        ledger.take_custom(path, "default");
        set(&mut metadata, "CURRENT_DEFAULT", default.clone());
    }
    if let Some(rest) = ledger.take_rest(path) {
        set(&mut metadata, BESIDE, rest.to_string());
    }
    json!({ "name": name, "type": kind, "nullable": !property.it.required, "metadata": metadata })
}

/// The type. Holds what an import reads of it.
fn kind(export: &Export<'_>, property: &Element<'_, Property>) -> Value {
    let ledger = &export.ledger;
    ledger.hold_defaults(&property.path);
    let is_nullable = |part: &Element<'_, Property>| !part.it.required;
    let text = || json!("string");
    let kind = match shape(property.it) {
        Shape::Boolean => json!("boolean"),
        Shape::Integer { bits: 8, signed: true } => json!("byte"),
        Shape::Integer { bits: 16, signed: true } | Shape::Integer { bits: 8, .. } => json!("short"),
        Shape::Integer { bits: 32, signed: true } | Shape::Integer { bits: 16, .. } => json!("integer"),
        Shape::Integer { bits: 64, signed: false } => json!("decimal(20,0)"),
        Shape::Integer { .. } => json!("long"),
        Shape::Float { bits: 32 } => json!("float"),
        Shape::Float { .. } => json!("double"),
        Shape::Decimal { precision, scale } => {
            let scale = u8::try_from(scale).unwrap_or(0).min(precision);
            json!(format!("decimal({precision},{scale})"))
        }
        Shape::Text { .. } => text(),
        Shape::Binary => json!("binary"),
        Shape::Date => json!("date"),
        Shape::Timestamp { zoned: true } => json!("timestamp"),
        Shape::Timestamp { zoned: false } => json!("timestamp_ntz"),
        Shape::Uuid | Shape::Time | Shape::Json => {
            ledger.changed(&property.path, "is written as a string: Delta has no type for it");
            text()
        }
        Shape::Struct => Value::Object(fields(export, &property.members())),
        Shape::List => {
            let items = property.items();
            let element = items.as_ref().map_or_else(text, |items| self::kind(export, items));
            json!({ "type": "array", "elementType": element, "containsNull": items.as_ref().is_none_or(is_nullable) })
        }
        Shape::Vector => {
            let element =
                if property.it.options.element_type.as_deref() == Some("float64") { "double" } else { "float" };
            json!({ "type": "array", "elementType": element, "containsNull": false })
        }
        Shape::Map => {
            let entry = property.entry();
            let (key, value) = entry.as_ref().map_or_else(
                || (text(), text()),
                |(key, value)| {
                    ledger.hold(&pointer(&key.path, "required"));
                    (self::kind(export, key), self::kind(export, value))
                },
            );
            let nullable = entry.as_ref().is_none_or(|(_, value)| is_nullable(value));
            json!({ "type": "map", "keyType": key, "valueType": value, "valueContainsNull": nullable })
        }
    };
    let mut read_back = Map::new();
    match kind.as_str().or_else(|| kind.get("type")?.as_str()) {
        Some("struct") => composite(&mut read_back, "object", "struct"),
        Some(word @ ("array" | "map")) => composite(&mut read_back, word, word),
        Some(word) => {
            primitive(word, &mut read_back);
        }
        None => {}
    }
    if property.it.required {
        set(&mut read_back, "required", true);
    }
    ledger.hold_equal(&property.path, &read_back);
    kind
}
