//! A manifest to a contract. All of a manifest but models and tests is ignored.

use std::collections::{BTreeMap, HashSet};

use serde_json::{Map, Value, json};

use super::super::draft::{Draft, Fields, custom, enumeration, overlay, push, set, set_text, with_name};
use super::super::json::{self, pointer};
use super::super::sql::{check, typed};
use super::super::types::{Dialect, ImportOptions};
use super::BESIDE;
use crate::node::shortened;
use crate::problem::{Problem, fault};

/// Where dbt keeps the tables of a project, by the name of its adapter; its types are that dialect's.
fn dialect_of(manifest: &Value, draft: &mut Draft) -> Dialect {
    let Some(adapter) = manifest.get("metadata").and_then(|metadata| metadata.get("adapter_type")?.as_str()) else {
        return Dialect::Generic;
    };
    Dialect::from_word(adapter).unwrap_or_else(|| {
        let adapter = shortened(adapter);
        draft.note("/metadata/adapter_type", format!("the types of `{adapter}` are read as those of several dialects"));
        Dialect::Generic
    })
}

/// The names of the objects that models become. The versions of a model share its name, so each has its alias.
#[derive(Default)]
pub(super) struct Names<'a>(BTreeMap<&'a str, Model<'a>>);

struct Model<'a> {
    name: &'a str,
    version: Option<String>,
    latest: Option<String>,
    alias: Option<&'a str>,
}

impl<'a> Names<'a> {
    fn of(nodes: impl Iterator<Item = (&'a String, &'a Value)>) -> Self {
        let model = |node: &'a Value| {
            let text = |name: &str| node.get(name).and_then(Value::as_str);
            // A number, or a word.
            let version = |name: &str| match node.get(name)? {
                Value::String(word) => Some(word.clone()),
                Value::Number(number) => Some(number.to_string()),
                _ => None,
            };
            let (version, latest) = (version("version"), version("latest_version"));
            Model { name: text("name").unwrap_or_default(), version, latest, alias: text("alias") }
        };
        Self(nodes.map(|(id, node)| (id.as_str(), model(node))).collect())
    }

    fn of_model(model: &Model<'_>) -> String {
        match (&model.version, model.alias) {
            (None, _) => model.name.to_owned(),
            (Some(_), Some(alias)) => alias.to_owned(),
            (Some(version), None) => format!("{}_v{version}", model.name),
        }
    }

    fn of_id(&self, id: &str) -> String {
        self.0.get(id).map(Self::of_model).unwrap_or_default()
    }

    /// Whether a model is meant by its unique id, its own name, or the name that its versions share.
    fn is_meant(&self, id: &str, wanted: &str) -> bool {
        wanted == id || self.0.get(id).is_some_and(|model| wanted == model.name || wanted == Self::of_model(model))
    }

    /// The object of `ref('orders')`, `ref('package', 'orders', v=2)` or `db.schema.orders`. Without a version the
    /// latest is meant.
    fn of_reference(&self, text: &str) -> String {
        let text = text.trim();
        let inside = text.trim_end_matches(')').rsplit('(').next().unwrap_or(text);
        let plain = |part: &str| part.trim_matches([' ', '\'', '"', '`']).to_owned();
        let (mut name, mut version) = (String::new(), None);
        for part in inside.split(',') {
            match part.split_once('=') {
                Some((key, value)) if matches!(key.trim(), "v" | "version") => version = Some(plain(value)),
                Some(_) => {}
                None => name = plain(part),
            }
        }
        if !text.contains('(') {
            name = plain(name.rsplit('.').next().unwrap_or_default());
        }
        let is_it = |model: &&Model<'_>| {
            let wanted = version.as_ref().or(model.latest.as_ref());
            model.name == name && model.version.is_some() && (wanted.is_none() || model.version.as_ref() == wanted)
        };
        self.0.values().find(is_it).map_or(name, Self::of_model)
    }
}

/// Reads the models of a project.
pub(in super::super) fn import(text: &str, options: &ImportOptions, draft: &mut Draft) -> Result<(), Problem> {
    let manifest = json::read_fields(text, Some(&["nodes", "metadata"]))?;
    let dialect = dialect_of(&manifest, draft);
    let nodes = manifest.get("nodes").and_then(Value::as_object);
    let nodes = nodes.ok_or_else(|| fault("", "the manifest has no `nodes`"))?;
    let is_kind = |node: &Value, kind: &str| node.get("resource_type").and_then(Value::as_str) == Some(kind);
    let names = Names::of(nodes.iter().filter(|(_, node)| is_kind(node, "model")));
    let project = Project { dialect, names: &names };
    let mut models = BTreeMap::new();
    let mut n_models = 0;
    for (id, node) in nodes.iter().filter(|(_, node)| is_kind(node, "model")) {
        n_models += 1;
        if options.object.as_deref().is_none_or(|wanted| names.is_meant(id, wanted)) {
            let path = pointer("/nodes", id);
            let node = node.as_object().ok_or_else(|| fault(&path, "a node must be an object"))?;
            models.insert(id.as_str(), project.model(node, names.of_id(id), &path, draft)?);
        }
    }
    draft.is_chosen = options.object.is_some();
    if models.is_empty() && n_models > 0 {
        return Err(fault("/nodes", "the manifest has no model of this name"));
    }
    for (id, test) in nodes.iter().filter(|(_, node)| is_kind(node, "test")) {
        let attached = test.get("attached_node").and_then(Value::as_str);
        if let Some(object) = attached.and_then(|model| models.get_mut(model)) {
            project.test(test, &pointer("/nodes", id), object, draft);
        }
    }
    if options.object.is_some() && models.len() > 1 {
        let ids: Vec<_> = models.keys().map(|id| format!("`{id}`")).collect();
        let ids = shortened(&ids.join(", "));
        return Err(fault("/nodes", format!("several models have this name; give the unique id of one: {ids}")));
    }
    draft.objects.extend(models.into_values());
    Ok(())
}

/// What the parts of a manifest are read with.
pub(super) struct Project<'a> {
    pub(super) dialect: Dialect,
    pub(super) names: &'a Names<'a>,
}

/// How a model is kept in the database.
fn materialized(node: &Fields, path: &str, object: &mut Fields, draft: &mut Draft) {
    let materialized = node.get("config").and_then(|config| config.get("materialized")?.as_str());
    let kind = match materialized {
        Some(view @ "view") => view,
        Some("materialized_view" | "dynamic_table") => "materialized view",
        Some("table") | None => "table",
        Some(other) => {
            let what = if other == "ephemeral" {
                "an ephemeral model exists only inside of others".to_owned()
            } else {
                format!("the materialization `{}` is not part of a contract, which calls it a table", shortened(other))
            };
            draft.note(&pointer(&pointer(path, "config"), "materialized"), what);
            "table"
        }
    };
    set(object, "physicalType", kind);
}

impl Project<'_> {
    /// The object of a model, without what its tests promise.
    ///
    /// # Errors
    /// A model without a name, and columns that are not objects or too many.
    pub(super) fn model(&self, node: &Fields, name: String, path: &str, draft: &mut Draft) -> Result<Fields, Problem> {
        let text = |name: &str| node.get(name).and_then(Value::as_str);
        text("name").ok_or_else(|| fault(path, "the model has no name"))?;
        let mut object = with_name(&name);
        set(&mut object, "logicalType", "object");
        materialized(node, path, &mut object, draft);
        let relation = text("relation_name").map(|name| name.replace(['"', '`'], ""));
        set_text(&mut object, "physicalName", relation.as_deref().or(text("alias")));
        set_text(&mut object, "description", text("description"));
        let mut properties = Vec::new();
        for (key, column) in node.get("columns").and_then(Value::as_object).into_iter().flatten() {
            let path = pointer(&pointer(path, "columns"), key);
            draft.column(&path, 1)?;
            let column = column.as_object().ok_or_else(|| fault(&path, "a column must be an object"))?;
            let text = |name: &str| column.get(name).and_then(Value::as_str);
            let mut property = with_name(text("name").unwrap_or(key));
            if let Some(kind) = text("data_type") {
                typed(self.dialect, kind, &mut property);
            }
            set_text(&mut property, "description", text("description"));
            labels(column, &mut property);
            if let Some(kind) = text("data_type")
                && !property.contains_key("logicalType")
            {
                draft.note(&path, format!("`{}` is a type without a logical type", shortened(kind)));
            }
            for (index, constraint) in list(column, "constraints").enumerate() {
                let path = format!("{path}/constraints/{index}");
                self.constraint(constraint, &path, &mut property, draft);
            }
            properties.push(Value::Object(property));
        }
        set(&mut object, "properties", properties);
        labels(node, &mut object);
        for (index, constraint) in list(node, "constraints").enumerate() {
            let path = format!("{path}/constraints/{index}");
            let columns: Vec<_> = texts(constraint.get("columns"));
            match constraint.get("type").and_then(Value::as_str) {
                Some("primary_key") => primary_key(&mut object, &columns),
                Some("unique") if columns.len() > 1 => {
                    let names: Vec<_> = columns.iter().map(|column| name_of(&mut object, column)).collect();
                    let names: Vec<_> = names.iter().map(String::as_str).collect();
                    push(&mut object, "quality", distinct_rule(&names));
                }
                Some("foreign_key") if columns.len() > 1 => {
                    self.composite(constraint, &columns, &path, &mut object, draft);
                }
                _ if columns.len() == 1 => match column_of(&mut object, columns[0]) {
                    Some(property) => self.constraint(constraint, &path, property, draft),
                    None => draft.note(&path, "names a column that the model does not have"),
                },
                _ => draft.note(&path, "is a constraint without an equivalent in contracts"),
            }
        }
        Ok(object)
    }
}

/// Tags and meta, of a model or a column; over it what an export put beside them.
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
    let (mut seen, mut beside) = (HashSet::new(), None);
    // dbt has it in both places since 1.10.
    let places = [node.get("meta"), config.and_then(|config| config.get("meta"))];
    for (key, value) in places.into_iter().flatten().filter_map(Value::as_object).flatten() {
        if !seen.insert(key) {
            continue;
        }
        match (key == BESIDE, value.as_str().and_then(|text| json::read(text).ok())) {
            (true, Some(Value::Object(own))) => beside = Some(own),
            _ => custom(fields, key, value.clone()),
        }
    }
    if let Some(beside) = beside {
        overlay(fields, beside);
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

/// The column of this name in the database, which may be in quotes.
fn column_of<'a>(object: &'a mut Fields, name: &str) -> Option<&'a mut Fields> {
    let columns = object.get_mut("properties").and_then(Value::as_array_mut)?;
    let position = |wanted: &str| {
        let is_it = |it: &Value| {
            let text = |key: &str| it.get(key).and_then(Value::as_str);
            text("physicalName").or(text("name")) == Some(wanted)
        };
        columns.iter().position(is_it)
    };
    let found = position(name).or_else(|| position(unquoted(name)))?;
    columns[found].as_object_mut()
}

/// A name without the quotes of a dialect.
fn unquoted(name: &str) -> &str {
    let quotes = [('"', '"'), ('`', '`'), ('[', ']')];
    quotes.iter().find_map(|(open, close)| name.strip_prefix(*open)?.strip_suffix(*close)).unwrap_or(name)
}

/// What the contract calls a column of this name in the database.
fn name_of(object: &mut Fields, column: &str) -> String {
    let name = column_of(object, column).and_then(|property| property.get("name")?.as_str());
    name.unwrap_or_else(|| unquoted(column)).to_owned()
}

/// Marks the columns of a primary key, in their order.
pub(in super::super) fn primary_key(object: &mut Fields, columns: &[&str]) {
    for (position, column) in (1..).zip(columns) {
        if let Some(property) = column_of(object, column) {
            set(property, "primaryKey", true);
            set(property, "primaryKeyPosition", position);
            set(property, "required", true);
        }
    }
}

/// The rule that no two rows have the same values in these columns.
pub(in super::super) fn distinct_rule(columns: &[&str]) -> Value {
    json!({ "type": "library", "metric": "duplicateValues", "arguments": { "properties": columns }, "mustBe": 0 })
}

impl Project<'_> {
    fn constraint(&self, constraint: &Value, path: &str, property: &mut Fields, draft: &mut Draft) {
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
                match (text("to").map(|to| self.names.of_reference(to)), columns.as_slice()) {
                    (Some(model), [column]) => foreign_key(&model, unquoted(column), path, property, draft),
                    _ => {
                        let expression = text("expression").unwrap_or_default();
                        draft.note(path, format!("the foreign key `{expression}` is not one column of one model"));
                    }
                }
            }
            Some("check") => {
                // The condition names the column as the database does.
                let names = ["name", "physicalName"].map(|key| property.shift_remove(key));
                let column = names.iter().rev().flatten().find_map(Value::as_str).unwrap_or_default().to_owned();
                set(property, "name", column.as_str());
                let mut object = Map::new();
                set(&mut object, "properties", vec![Value::Object(std::mem::take(property))]);
                check(self.dialect, text("expression").unwrap_or_default(), &column, path, &mut object, draft);
                *property = column_of(&mut object, &column).map(std::mem::take).unwrap_or_default();
                for (key, value) in ["name", "physicalName"].into_iter().zip(names) {
                    if let Some(value) = value {
                        set(property, key, value);
                    }
                }
            }
            _ => draft.note(path, "is a constraint without an equivalent in contracts"),
        }
    }
}

impl Project<'_> {
    /// A foreign key of several columns.
    fn composite(&self, constraint: &Value, columns: &[&str], path: &str, object: &mut Fields, draft: &mut Draft) {
        let own = object.get("name").and_then(Value::as_str).unwrap_or_default().to_owned();
        let model = constraint.get("to").and_then(Value::as_str).map(|to| self.names.of_reference(to));
        let targets: Vec<_> = texts(constraint.get("to_columns")).into_iter().map(unquoted).collect();
        let columns: Vec<_> = columns.iter().map(|column| name_of(object, column)).collect();
        let Some(model) = model.filter(|_| targets.len() == columns.len()) else {
            return draft.note(path, "is a foreign key that names no columns of a model");
        };
        let own_names = columns.iter().chain([&own, &model]).map(String::as_str);
        if !own_names.chain(targets.iter().copied()).all(is_name) {
            return draft.note(path, format!("the foreign key to `{model}` cannot be expressed in a contract"));
        }
        let from: Vec<_> = columns.iter().map(|column| format!("{own}.{column}")).collect();
        let to: Vec<_> = targets.iter().map(|column| format!("{model}.{column}")).collect();
        push(object, "relationships", json!({ "type": "foreignKey", "from": from, "to": to }));
    }
}

/// Whether a name can be part of a reference.
fn is_name(name: &str) -> bool {
    name.starts_with(|first: char| first.is_ascii_alphabetic() || first == '_')
        && name.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"_-".contains(&byte))
}

/// A foreign key to `model.column`, where a reference of ODCS can say it.
pub(in super::super) fn foreign_key(model: &str, column: &str, path: &str, property: &mut Fields, draft: &mut Draft) {
    if is_name(model) && is_name(column) {
        push(property, "relationships", json!({ "type": "foreignKey", "to": format!("{model}.{column}") }));
    } else {
        draft.note(path, format!("`{model}.{column}` cannot be expressed as a reference in a contract"));
    }
}

impl Project<'_> {
    /// A generic test says what a constraint says; what else it asks is a rule for dbt to run.
    pub(super) fn test(&self, test: &Value, path: &str, object: &mut Fields, draft: &mut Draft) {
        let no_arguments = Map::new();
        // An export runs a rule as this test, and keeps the rule itself beside the model or column.
        let stands_for_a_rule = |test: &Value| test.get("meta")?.get(BESIDE)?.as_bool();
        if test.get("config").and_then(stands_for_a_rule).or_else(|| stands_for_a_rule(test)) == Some(true) {
            return;
        }
        let metadata = test.get("test_metadata");
        let text_of = |key: &str| metadata.and_then(|metadata| metadata.get(key)?.as_str()).unwrap_or_default();
        let (name, package) = (text_of("name"), text_of("namespace"));
        let arguments = metadata.and_then(|metadata| metadata.get("kwargs")?.as_object()).unwrap_or(&no_arguments);
        let column = test.get("column_name").and_then(Value::as_str).or_else(|| arguments.get("column_name")?.as_str());
        let severity = test.get("config").and_then(|config| config.get("severity")?.as_str()).unwrap_or("error");
        let is_promise = !severity.eq_ignore_ascii_case("warn")
            && test.get("config").and_then(|config| config.get("where")).is_none_or(Value::is_null);
        let text = |name: &str| arguments.get(name).and_then(Value::as_str);
        if let Some(property) = column.and_then(|column| column_of(object, column))
            && is_promise
            && package.is_empty()
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
                        return foreign_key(&self.names.of_reference(to), unquoted(field), path, property, draft);
                    }
                }
                _ => {}
            }
        }
        let label = test.get("name").and_then(Value::as_str).unwrap_or(name);
        let called = if package.is_empty() { name.to_owned() } else { format!("{package}.{name}") };
        let is_of_column = column.is_some_and(|column| column_of(object, column).is_some());
        let mut implementation: Map<_, _> = arguments
            .iter()
            .filter(|(key, _)| *key != "model" && !(*key == "column_name" && is_of_column))
            .map(|(key, value)| (key.clone(), value.clone()))
            .collect();
        set(&mut implementation, "test", if name.is_empty() { label.to_owned() } else { called });
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
}
