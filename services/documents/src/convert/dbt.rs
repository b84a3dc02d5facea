//! dbt's `manifest.json` (<https://schemas.getdbt.com/dbt/manifest/v12.json>): its models, with what their tests and
//! contracts promise. All of a manifest but models and tests is ignored.

use std::collections::BTreeMap;

use domain::contract::types::TypeName;
use serde_json::{Map, Value, json};

use super::draft::{Draft, Fields, custom, enumeration, push, set, set_text, with_name};
use super::json::{self, pointer};
use super::sql::typed;
use super::types::ImportOptions;
use crate::problem::{Problem, fault};

/// Reads the models of a project.
pub(super) fn import(text: &str, options: &ImportOptions, draft: &mut Draft) -> Result<(), Problem> {
    let manifest = json::read_fields(text, Some(&["nodes"]))?;
    let nodes = manifest.get("nodes").and_then(Value::as_object);
    let nodes = nodes.ok_or_else(|| fault("", "the manifest has no `nodes`"))?;
    let is_kind = |node: &Value, kind: &str| node.get("resource_type").and_then(Value::as_str) == Some(kind);
    let mut models = BTreeMap::new();
    let mut n_models = 0;
    for (id, node) in nodes.iter().filter(|(_, node)| is_kind(node, "model")) {
        n_models += 1;
        let name = node.get("name").and_then(Value::as_str).unwrap_or_default();
        if options.object.as_deref().is_none_or(|wanted| wanted == name || wanted == id) {
            let path = pointer("/nodes", id);
            let node = node.as_object().ok_or_else(|| fault(&path, "a node must be an object"))?;
            models.insert(id.as_str(), model(node, &path, draft)?);
        }
    }
    if models.is_empty() && n_models > 0 {
        return Err(fault("/nodes", "the manifest has no model of this name"));
    }
    for (id, test) in nodes.iter().filter(|(_, node)| is_kind(node, "test")) {
        let attached = test.get("attached_node").and_then(Value::as_str);
        if let Some(object) = attached.and_then(|model| models.get_mut(model)) {
            self::test(test, &pointer("/nodes", id), object, draft);
        }
    }
    if options.object.is_some() && models.len() > 1 {
        return Err(fault("/nodes", "several models have this name; give the model's unique id"));
    }
    draft.objects.extend(models.into_values());
    Ok(())
}

fn model(node: &Fields, path: &str, draft: &mut Draft) -> Result<Fields, Problem> {
    let text = |name: &str| node.get(name).and_then(Value::as_str);
    let mut object = with_name(text("name").ok_or_else(|| fault(path, "the model has no name"))?);
    set(&mut object, "logicalType", "object");
    let config = node.get("config");
    let materialized = config.and_then(|config| config.get("materialized")?.as_str());
    set(&mut object, "physicalType", if materialized == Some("view") { "view" } else { "table" });
    let relation = text("relation_name").map(|name| name.replace(['"', '`'], ""));
    set_text(&mut object, "physicalName", relation.as_deref().or(text("alias")));
    set_text(&mut object, "description", text("description"));
    labels(node, &mut object);
    let mut properties = Vec::new();
    for (key, column) in node.get("columns").and_then(Value::as_object).into_iter().flatten() {
        let path = pointer(&pointer(path, "columns"), key);
        draft.column(&path, 1)?;
        let column = column.as_object().ok_or_else(|| fault(&path, "a column must be an object"))?;
        let text = |name: &str| column.get(name).and_then(Value::as_str);
        let mut property = with_name(text("name").unwrap_or(key));
        if let Some(kind) = text("data_type") {
            typed(kind, TypeName::parse(kind).as_ref(), &mut property);
        }
        set_text(&mut property, "description", text("description"));
        labels(column, &mut property);
        for (index, constraint) in list(column, "constraints").enumerate() {
            let path = format!("{path}/constraints/{index}");
            self::constraint(constraint, &path, &mut property, draft);
        }
        properties.push(Value::Object(property));
    }
    set(&mut object, "properties", properties);
    for (index, constraint) in list(node, "constraints").enumerate() {
        let path = format!("{path}/constraints/{index}");
        let columns: Vec<_> = texts(constraint.get("columns"));
        match constraint.get("type").and_then(Value::as_str) {
            Some("primary_key") => primary_key(&mut object, &columns),
            Some("unique") if columns.len() > 1 => push(&mut object, "quality", distinct_rule(&columns)),
            _ if columns.len() == 1 => match column_of(&mut object, columns[0]) {
                Some(property) => self::constraint(constraint, &path, property, draft),
                None => draft.note(&path, "names a column that the model does not have"),
            },
            _ => draft.note(&path, "is a constraint without an equivalent in contracts"),
        }
    }
    Ok(object)
}

/// Tags and meta, of a model or a column.
fn labels(node: &Fields, fields: &mut Fields) {
    let config = node.get("config").and_then(Value::as_object);
    let mut tags: Vec<String> = texts(node.get("tags")).into_iter().map(str::to_owned).collect();
    for tag in texts(config.and_then(|config| config.get("tags"))) {
        if !tags.iter().any(|known| known == tag) {
            tags.push(tag.to_owned());
        }
    }
    if !tags.is_empty() {
        set(fields, "tags", tags);
    }
    let meta = node.get("meta").or_else(|| config?.get("meta")).and_then(Value::as_object);
    for (key, value) in meta.into_iter().flatten() {
        custom(fields, key, value.clone());
    }
}

fn list<'a>(node: &'a Fields, name: &str) -> impl Iterator<Item = &'a Value> {
    node.get(name).and_then(Value::as_array).into_iter().flatten()
}

fn texts(value: Option<&Value>) -> Vec<&str> {
    match value {
        Some(Value::String(text)) => vec![text],
        Some(Value::Array(items)) => items.iter().filter_map(Value::as_str).collect(),
        _ => Vec::new(),
    }
}

fn column_of<'a>(object: &'a mut Fields, name: &str) -> Option<&'a mut Fields> {
    let columns = object.get_mut("properties").and_then(Value::as_array_mut)?;
    columns.iter_mut().find(|it| it.get("name").and_then(Value::as_str) == Some(name)).and_then(Value::as_object_mut)
}

/// Marks the columns of a primary key, in their order.
pub(super) fn primary_key(object: &mut Fields, columns: &[&str]) {
    for (position, column) in (1..).zip(columns) {
        if let Some(property) = column_of(object, column) {
            set(property, "primaryKey", true);
            set(property, "primaryKeyPosition", position);
            set(property, "required", true);
        }
    }
}

/// The rule that no two rows have the same values in these columns.
pub(super) fn distinct_rule(columns: &[&str]) -> Value {
    json!({ "type": "library", "metric": "duplicateValues", "arguments": { "properties": columns }, "mustBe": 0 })
}

fn constraint(constraint: &Value, path: &str, property: &mut Fields, draft: &mut Draft) {
    let text = |name: &str| constraint.get(name).and_then(Value::as_str);
    match text("type") {
        Some("not_null") => set(property, "required", true),
        Some("unique") => set(property, "unique", true),
        Some("primary_key") => {
            set(property, "primaryKey", true);
            set(property, "required", true);
        }
        Some("foreign_key") => {
            let columns = texts(constraint.get("to_columns"));
            match (text("to").map(model_of), columns.as_slice()) {
                (Some(model), [column]) => foreign_key(&model, column, path, property, draft),
                _ => {
                    let expression = text("expression").unwrap_or_default();
                    draft.note(path, format!("the foreign key `{expression}` is not one column of one model"));
                }
            }
        }
        Some("check") => {
            let expression = text("expression").unwrap_or_default();
            push(property, "quality", json!({ "type": "text", "description": format!("CHECK ({expression})") }));
        }
        _ => draft.note(path, "is a constraint without an equivalent in contracts"),
    }
}

/// A foreign key to `model.column`, where a reference of ODCS can say it.
pub(super) fn foreign_key(model: &str, column: &str, path: &str, property: &mut Fields, draft: &mut Draft) {
    let is_name = |name: &str| {
        name.starts_with(|first: char| first.is_ascii_alphabetic() || first == '_')
            && name.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"_-".contains(&byte))
    };
    if is_name(model) && is_name(column) {
        push(property, "relationships", json!({ "type": "foreignKey", "to": format!("{model}.{column}") }));
    } else {
        draft.note(path, format!("`{model}.{column}` cannot be expressed as a reference in a contract"));
    }
}

/// `orders` of `ref('orders')`, `ref('package', 'orders')` or `db.schema.orders`.
fn model_of(text: &str) -> String {
    let name = text.trim().trim_end_matches(')').rsplit(['(', ',', '.']).next().unwrap_or(text);
    name.trim_matches([' ', '\'', '"', '`']).to_owned()
}

/// A generic test says what a constraint says; what else it asks is a rule for dbt to run.
fn test(test: &Value, path: &str, object: &mut Fields, draft: &mut Draft) {
    let no_arguments = Map::new();
    let metadata = test.get("test_metadata");
    let name = metadata.and_then(|metadata| metadata.get("name")?.as_str()).unwrap_or_default();
    let arguments = metadata.and_then(|metadata| metadata.get("kwargs")?.as_object()).unwrap_or(&no_arguments);
    let column = test.get("column_name").and_then(Value::as_str).or_else(|| arguments.get("column_name")?.as_str());
    let severity = test.get("config").and_then(|config| config.get("severity")?.as_str()).unwrap_or("error");
    let is_promise = !severity.eq_ignore_ascii_case("warn")
        && test.get("config").and_then(|config| config.get("where")).is_none_or(Value::is_null);
    let text = |name: &str| arguments.get(name).and_then(Value::as_str);
    if let Some(property) = column.and_then(|column| column_of(object, column))
        && is_promise
    {
        match name {
            "not_null" => return set(property, "required", true),
            "unique" => return set(property, "unique", true),
            "accepted_values" => {
                let values = enumeration(arguments.get("values").and_then(Value::as_array).into_iter().flatten());
                if values.as_array().is_some_and(|values| !values.is_empty()) {
                    return set(property, "enum", values);
                }
            }
            "relationships" => {
                if let (Some(to), Some(field)) = (text("to"), text("field")) {
                    return foreign_key(&model_of(to), field, path, property, draft);
                }
            }
            _ => {}
        }
    }
    let label = test.get("name").and_then(Value::as_str).unwrap_or(name);
    let mut implementation: Map<_, _> =
        arguments.iter().filter(|(key, _)| *key != "model").map(|(key, value)| (key.clone(), value.clone())).collect();
    set(&mut implementation, "test", if name.is_empty() { label } else { name });
    let mut rule = Map::new();
    set(&mut rule, "name", label);
    set(&mut rule, "type", "custom");
    set(&mut rule, "engine", "dbt");
    set(&mut rule, "severity", if is_promise { "error" } else { "warning" });
    set(&mut rule, "implementation", implementation);
    if let Some(property) = column.and_then(|column| column_of(object, column)) {
        return push(property, "quality", Value::Object(rule));
    }
    push(object, "quality", Value::Object(rule));
}
