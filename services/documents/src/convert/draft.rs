//! The ODCS document that an import builds.

use domain::contract::check_pattern;
use serde_json::{Map, Value, json};

use super::json::pointer;
use super::names::Scope;
use super::types::{Converted, ImportOptions, Note};
use super::yaml;
use crate::parse;
use crate::problem::{Problem, fault};

/// The version of the standard that imports are written in: the first with `enum`, `map` and `deprecated`.
const API_VERSION: &str = "v3.2.0";
/// The most columns of an import, members, items, keys and values included.
const MAX_COLUMNS: usize = 12_000;
/// The deepest nesting of columns: a document's limit on depth holds no more.
const MAX_DEPTH: usize = 12;
/// The most notes of an import.
const MAX_NOTES: usize = 1_000;

/// Fields of an ODCS element.
pub(super) type Fields = Map<String, Value>;

/// The document in the making.
#[derive(Default)]
pub(super) struct Draft {
    pub(super) objects: Vec<Fields>,
    /// Custom properties of the contract.
    pub(super) settings: Vec<Value>,
    /// What the source says of the contract as a whole.
    pub(super) description: Option<String>,
    /// Whether the objects are the wanted ones already, under their own names.
    pub(super) is_chosen: bool,
    notes: Vec<Note>,
    n_columns: usize,
}

impl Draft {
    /// The source says something that the document does not.
    pub(super) fn note(&mut self, path: &str, what: impl Into<String>) {
        self.add_note(None, path, what.into());
    }

    /// As [`note`](Self::note), of a line of the source.
    pub(super) fn note_at(&mut self, line: u64, path: &str, what: impl Into<String>) {
        self.add_note(Some(line), path, what.into());
    }

    fn add_note(&mut self, line: Option<u64>, path: &str, what: String) {
        if self.notes.len() < MAX_NOTES {
            self.notes.push(Note { path: path.to_owned(), line, what });
        }
    }

    /// Notes every field of a source's object that is not known.
    pub(super) fn note_unknown(&mut self, path: &str, object: &Fields, known: &[&str]) {
        for (key, value) in object {
            let is_empty = value.is_null()
                || value.as_array().is_some_and(Vec::is_empty)
                || value.as_object().is_some_and(Map::is_empty);
            if !known.contains(&key.as_str()) && !is_empty {
                self.note(&pointer(path, key), "is not part of a contract and was omitted");
            }
        }
    }

    /// A column, member, item, key or value begins.
    ///
    /// # Errors
    /// If there are too many, or it is nested too deep.
    pub(super) fn column(&mut self, path: &str, depth: usize) -> Result<(), Problem> {
        self.n_columns += 1;
        if self.n_columns > MAX_COLUMNS {
            return Err(fault(path, format!("the source has more than {MAX_COLUMNS} columns")));
        }
        if depth > MAX_DEPTH {
            return Err(fault(path, format!("columns are nested more than {MAX_DEPTH} deep")));
        }
        Ok(())
    }

    /// A pattern that the server can run; another is noted.
    pub(super) fn pattern(&mut self, path: &str, fields: &mut Fields, pattern: &str) {
        match check_pattern(pattern) {
            Ok(_) => option(fields, "pattern", pattern),
            Err(reason) => self.note(path, format!("the pattern cannot be matched in linear time: {reason}")),
        }
    }

    /// The document.
    ///
    /// # Errors
    /// What is wrong with it, if the source's names or values make none that can be read.
    pub(super) fn finish(self, options: &ImportOptions) -> Result<Converted, Vec<Problem>> {
        let (document, notes) = self.document(options)?;
        let text = yaml::write(&document);
        parse(text.as_bytes()).map_err(|problems| problems.into_iter().map(of_source).collect::<Vec<_>>())?;
        Ok(Converted { text, notes })
    }

    /// The fields of the document, which may be invalid still.
    ///
    /// # Errors
    /// If the source has no such object, or none.
    pub(super) fn document(mut self, options: &ImportOptions) -> Result<(Fields, Vec<Note>), Vec<Problem>> {
        if let Some(name) = &options.object
            && !self.is_chosen
        {
            match self.objects.as_mut_slice() {
                [only] => {
                    let own = only.insert("name".to_owned(), json!(name));
                    if own.is_some_and(|own| own != json!(name)) {
                        only.remove("id");
                    }
                }
                _ => {
                    self.objects.retain(|object| object.get("name").and_then(Value::as_str) == Some(name));
                    if self.objects.is_empty() {
                        return Err(vec![fault("", format!("the source has no `{name}`"))]);
                    }
                }
            }
        }
        if self.objects.is_empty() {
            return Err(vec![fault("", "the source defines nothing that a contract can be created from")]);
        }
        let mut objects = Value::Array(self.objects.drain(..).map(Value::Object).collect());
        complete(&mut objects);
        if let Value::Array(objects) = objects {
            self.objects =
                objects.into_iter().filter_map(|it| if let Value::Object(it) = it { Some(it) } else { None }).collect();
        }
        assign_ids(&mut self.objects);
        let mut document = Map::new();
        let mut put = |key: &str, value: Value| {
            document.insert(key.to_owned(), value);
        };
        put("apiVersion", json!(API_VERSION));
        put("kind", json!("DataContract"));
        put("id", json!(options.id));
        if let Some(name) = &options.name {
            put("name", json!(name));
        }
        put("version", json!(options.version));
        put("status", json!("draft"));
        if let Some(description) = self.description.take() {
            put("description", json!({ "purpose": description }));
        }
        if !self.settings.is_empty() {
            put("customProperties", Value::Array(self.settings));
        }
        put("schema", Value::Array(self.objects.into_iter().map(Value::Object).collect()));
        Ok((document, self.notes))
    }
}

/// A problem of the document that an import made, for readers of its source, who do not have that
/// document.
pub(super) fn of_source(problem: Problem) -> Problem {
    let parts: Vec<_> = problem.path.split('/').collect();
    let hint = match parts.as_slice() {
        ["", "id"] => "; choose another with `--id`",
        ["", "name"] => "; choose another with `--name`",
        ["", "version"] => "; choose another with `--version`",
        ["", "schema", _, "name"] => "; choose an object, or a name for a single one, with `--object`",
        _ => "",
    };
    let place = if problem.path.is_empty() { String::new() } else { format!(" at `{}`", problem.path) };
    let message = format!("the contract would be invalid{place}: {}{hint}", problem.message);
    Problem { line: 0, column: 0, path: String::new(), message }
}

/// A property's or object's fields, by its name.
pub(super) fn with_name(name: &str) -> Fields {
    let mut fields = Map::new();
    set(&mut fields, "name", name);
    fields
}

pub(super) fn set(fields: &mut Fields, key: &str, value: impl Into<Value>) {
    fields.insert(key.to_owned(), value.into());
}

/// Sets a text that says something.
pub(super) fn set_text(fields: &mut Fields, key: &str, text: Option<&str>) {
    if let Some(text) = text.filter(|text| !text.is_empty()) {
        set(fields, key, text);
    }
}

/// Sets an entry of `logicalTypeOptions`.
pub(super) fn option(fields: &mut Fields, key: &str, value: impl Into<Value>) {
    let options = fields.entry("logicalTypeOptions").or_insert_with(|| Value::Object(Map::new()));
    if let Value::Object(options) = options {
        options.insert(key.to_owned(), value.into());
    }
}

/// Adds a custom property.
pub(super) fn custom(fields: &mut Fields, property: &str, value: impl Into<Value>) {
    let entry = json!({ "property": property, "value": value.into() });
    push(fields, "customProperties", entry);
}

/// Adds an entry to a field that is a list.
pub(super) fn push(fields: &mut Fields, key: &str, entry: Value) {
    if let Value::Array(list) = fields.entry(key).or_insert_with(|| Value::Array(Vec::new())) {
        list.push(entry);
    }
}

/// Allowed values, as ODCS has them; `null` is not one.
pub(super) fn enumeration<'a>(values: impl IntoIterator<Item = &'a Value>) -> Value {
    let mut distinct: Vec<Value> = Vec::new();
    let mut seen = std::collections::HashSet::new();
    for value in values {
        if !value.is_null() && !value.is_array() && !value.is_object() && seen.insert(value.to_string()) {
            distinct.push(json!({ "value": value }));
        }
    }
    Value::Array(distinct)
}

/// Lays what an export put beside a schema over what the schema itself says. Lists of properties are joined.
pub(super) fn overlay(fields: &mut Fields, beside: Fields) {
    // A type that the schema has no word for was written as another one, and nothing of that one is meant.
    if beside.get("logicalType").is_some_and(|logical| fields.get("logicalType").is_some_and(|own| own != logical)) {
        for name in ["logicalTypeOptions", "physicalType", "properties", "items", "map"] {
            fields.remove(name);
        }
    }
    for (key, value) in beside {
        match (fields.get_mut(&key), value) {
            (Some(Value::Object(own)), Value::Object(value)) => overlay(own, value),
            (Some(Value::Array(own)), Value::Array(value))
                if matches!(key.as_str(), "properties" | "customProperties") =>
            {
                own.extend(value);
            }
            (_, value) => {
                fields.insert(key, value);
            }
        }
    }
    fill_maps(fields);
}

/// A map's key or value of which nothing is said was not put beside the schema.
fn fill_maps(property: &mut Fields) {
    if let Some(Value::Object(map)) = property.get_mut("map") {
        for part in ["key", "value"] {
            map.entry(part).or_insert_with(|| json!({}));
        }
    }
    for (key, below) in property.iter_mut() {
        match (key.as_str(), below) {
            ("map", Value::Object(map)) => map.values_mut().filter_map(Value::as_object_mut).for_each(fill_maps),
            ("items", Value::Object(items)) => fill_maps(items),
            ("properties", Value::Array(members)) => {
                members.iter_mut().filter_map(Value::as_object_mut).for_each(fill_maps);
            }
            _ => {}
        }
    }
}

/// Custom properties without a value, which documents of ODCS 3.0 may have, say so since 3.1.
fn complete(value: &mut Value) {
    match value {
        Value::Object(fields) => {
            for (key, value) in fields.iter_mut() {
                complete(value);
                if key == "customProperties" {
                    let entries = value.as_array_mut().into_iter().flatten().filter_map(Value::as_object_mut);
                    for entry in entries {
                        entry.entry("value").or_insert(Value::Null);
                    }
                }
            }
        }
        Value::Array(items) => items.iter_mut().for_each(complete),
        _ => {}
    }
}

/// Gives every object and property without a stable id one made of its name.
fn assign_ids(elements: &mut [Fields]) {
    let mut scope = Scope::default();
    for element in elements.iter() {
        if let Some(id) = element.get("id").and_then(Value::as_str) {
            scope.take(id);
        }
    }
    for element in elements {
        if !element.contains_key("id")
            && let Some(name) = element.get("name").and_then(Value::as_str)
        {
            let id: String =
                name.chars().map(|c| if c.is_ascii_alphanumeric() || c == '-' { c } else { '_' }).collect();
            let id = if id.is_empty() { "unnamed".to_owned() } else { id };
            let id = scope.take_as(&id, '-', &str::to_owned);
            set(element, "id", id);
        }
        assign_ids_below(element);
    }
}

fn assign_ids_below(element: &mut Fields) {
    if let Some(Value::Array(properties)) = element.get_mut("properties") {
        let mut inner: Vec<_> =
            properties.drain(..).filter_map(|it| if let Value::Object(it) = it { Some(it) } else { None }).collect();
        assign_ids(&mut inner);
        properties.extend(inner.into_iter().map(Value::Object));
    }
    if let Some(Value::Object(items)) = element.get_mut("items") {
        assign_ids_below(items);
    }
    if let Some(Value::Object(map)) = element.get_mut("map") {
        map.values_mut().filter_map(Value::as_object_mut).for_each(assign_ids_below);
    }
}
