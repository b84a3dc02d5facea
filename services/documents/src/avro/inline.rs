//! A schema with its references inlined, each type where its name first occurs, for clients that do not support
//! references.

use std::collections::{BTreeMap, HashMap, HashSet};

use domain::change::avro::Primitive;
use serde_json::{Map, Value};

use super::read::namespace_at;
use super::{Error, MAX_DEPTH, Size, full_name, in_reference, json, namespace_of, text};

/// The schema as [`super::canonical`] writes it, with the types that `references` define in the places of their names.
///
/// # Errors
/// What is wrong with the texts, as far as writing them again shows it; [`Error::TooLarge`] if that is nested deeper
/// than a schema may be.
pub fn resolved(text: &str, references: &BTreeMap<String, String>) -> Result<String, Error> {
    let mut size = Size::default();
    let mut inliner = Inliner::default();
    for (name, reference) in references {
        let value = json(reference, &mut size).map_err(|source| in_reference(name, source))?;
        inliner.define(&value, "");
    }
    let mut value = json(text, &mut size)?;
    inliner.write(&mut value, "", 1)?;
    text::canonical_value(&value)
}

#[derive(Default)]
struct Inliner {
    /// What the references define, by full names.
    defined: HashMap<String, Value>,
    /// The full names of the types that are written already.
    written: HashSet<String>,
}

impl Inliner {
    /// Collects the named types of a reference, each with its own namespace said.
    fn define(&mut self, value: &Value, namespace: &str) {
        let attributes = match value {
            Value::Array(branches) => return branches.iter().for_each(|branch| self.define(branch, namespace)),
            Value::Object(attributes) => attributes,
            _ => return,
        };
        let full = defined_name(attributes, namespace);
        let namespace = full.as_deref().map_or(namespace, namespace_of);
        if let Some(full) = &full {
            let mut whole = attributes.clone();
            whole.insert("name".to_owned(), full.rsplit('.').next().unwrap_or_default().into());
            whole.insert("namespace".to_owned(), namespace.into());
            self.defined.insert(full.clone(), whole.into());
        }
        parts(attributes).for_each(|part| self.define(part, namespace));
    }

    /// Writes what the references define in the places where it is named first.
    fn write(&mut self, value: &mut Value, namespace: &str, depth: usize) -> Result<(), Error> {
        if depth > MAX_DEPTH {
            return Err(Error::TooLarge(format!("values are nested more than {MAX_DEPTH} deep")));
        }
        match value {
            Value::String(name) => {
                if let Some(whole) = self.take(name, namespace) {
                    *value = whole;
                    self.write(value, namespace, depth)?;
                }
            }
            Value::Array(branches) => {
                for branch in branches {
                    self.write(branch, namespace, depth + 1)?;
                }
            }
            Value::Object(attributes) => match defined_name(attributes, namespace) {
                Some(full) if !self.written.insert(full.clone()) => *value = full.into(),
                full => {
                    let namespace = full.as_deref().map_or(namespace, namespace_of);
                    for part in parts_mut(attributes) {
                        self.write(part, namespace, depth + 1)?;
                    }
                }
            },
            _ => {}
        }
        Ok(())
    }

    /// The definition that a name means, if it is a reference's and not written yet.
    fn take(&mut self, name: &str, namespace: &str) -> Option<Value> {
        if name.parse::<Primitive>().is_ok() {
            return None;
        }
        let full = full_name(name, namespace);
        if self.written.contains(&full) {
            return None;
        }
        self.defined.remove(&full).or_else(|| self.defined.remove(name))
    }
}

/// The full name that a type defines, if it defines one.
fn defined_name(attributes: &Map<String, Value>, namespace: &str) -> Option<String> {
    let word = attributes.get("type")?.as_str()?;
    let name = attributes.get("name")?.as_str()?;
    let is_named = matches!(word, "record" | "error" | "enum" | "fixed");
    is_named.then(|| full_name(name, namespace_at(attributes).unwrap_or(namespace)))
}

/// The types inside a type, as they are written.
fn parts(attributes: &Map<String, Value>) -> impl Iterator<Item = &Value> {
    let fields = attributes.get("fields").and_then(Value::as_array).into_iter().flatten();
    let of_fields = fields.filter_map(|field| field.get("type"));
    ["type", "items", "values"].into_iter().filter_map(|key| attributes.get(key)).chain(of_fields)
}

/// The same, to be rewritten.
fn parts_mut(attributes: &mut Map<String, Value>) -> impl Iterator<Item = &mut Value> {
    attributes.iter_mut().flat_map(|(key, value)| match (key.as_str(), value) {
        ("type" | "items" | "values", value) => vec![value],
        ("fields", Value::Array(fields)) => fields.iter_mut().filter_map(|field| field.get_mut("type")).collect(),
        _ => Vec::new(),
    })
}
