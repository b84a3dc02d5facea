//! The texts by which a registry compares schemas: the output of Java's `Schema.toString`, and its normal form
//! (`normalize=true`).
//!
//! Neither is the parsing canonical form of the specification, which drops defaults, aliases, documentation and logical
//! types. Both work on the text alone: names of types that references define are left as names.
//!
//! Java's own normal form loses two things that have a meaning, and this one does not: that a type within a namespace
//! has none, and the default of a union that is a value of another branch than the first. Java also writes numbers deep
//! in defaults as their types have them (`3` as `3.0`), which takes the types behind the names.

use std::io;

use domain::change::avro::Primitive;
use serde::Serialize;
use serde_json::ser::{CompactFormatter, Formatter, Serializer};
use serde_json::{Map, Value};

use super::read::{name_at, namespace_at};
use super::{Error, Size, full_name, invalid, json, namespace_of};

/// The schema as Java's Avro writes it: compact, attributes in one order, names without namespaces that go without
/// saying, `{"type": "string"}` as `"string"`. Attributes that Avro does not know are kept in their order.
///
/// # Errors
/// What is wrong with the text, as far as writing it again shows it: see [`super::parse`] for the rest.
pub fn canonical(text: &str) -> Result<String, Error> {
    written(text, Form::Canonical)
}

/// The schema as [`canonical`] writes it, with the attributes that Avro does not know, the keys of their values and of
/// defaults, and aliases sorted, without empty documentation.
///
/// # Errors
/// As [`canonical`].
pub fn normalise(text: &str) -> Result<String, Error> {
    written(text, Form::Normal)
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Form {
    Canonical,
    Normal,
}

/// Attributes with a meaning of their own on some type; Java keeps none of them on others.
const OF_TYPES: [&str; 10] =
    ["type", "doc", "fields", "items", "name", "namespace", "size", "symbols", "values", "aliases"];
/// The same for enums, of which alone the default has a meaning.
const OF_ENUMS: [&str; 11] =
    ["type", "doc", "fields", "items", "name", "namespace", "size", "symbols", "values", "aliases", "default"];
/// Attributes with a meaning of their own on a field.
const OF_FIELDS: [&str; 6] = ["type", "doc", "name", "order", "aliases", "default"];

/// [`canonical`] of a schema that was read already.
pub(super) fn canonical_value(value: &Value) -> Result<String, Error> {
    printed(value, Form::Canonical)
}

fn written(text: &str, form: Form) -> Result<String, Error> {
    printed(&json(text, &mut Size::default())?, form)
}

fn printed(value: &Value, form: Form) -> Result<String, Error> {
    let value = form.type_of(value, "", "")?;
    let mut out = Vec::new();
    let unwritten = |error: &dyn std::error::Error| invalid("", error.to_string());
    value.serialize(&mut Serializer::with_formatter(&mut out, LikeJava)).map_err(|error| unwritten(&error))?;
    String::from_utf8(out).map_err(|error| unwritten(&error))
}

impl Form {
    fn type_of(self, value: &Value, namespace: &str, path: &str) -> Result<Value, Error> {
        let attributes = match value {
            Value::String(name) => return Ok(relative(name, namespace).into()),
            Value::Array(branches) => {
                let branches = branches.iter().enumerate();
                let branches =
                    branches.map(|(index, branch)| self.type_of(branch, namespace, &format!("{path}/{index}")));
                return branches.collect();
            }
            Value::Object(attributes) => attributes,
            Value::Null | Value::Bool(_) | Value::Number(_) => return Err(invalid(path, "not a type")),
        };
        let word = match attributes.get("type") {
            Some(Value::String(word)) => word.as_str(),
            Some(inner) => return self.type_of(inner, namespace, &format!("{path}/type")),
            None => return Err(invalid(path, "the type has no `type`")),
        };
        let is_primitive = word.parse::<Primitive>().is_ok();
        let is_named = matches!(word, "record" | "error" | "enum" | "fixed");
        if !is_primitive && !is_named && word != "array" && word != "map" {
            return Ok(relative(word, namespace).into());
        }
        let mut out = Map::new();
        let written_word = if self == Self::Normal && word == "error" { "record" } else { word };
        out.insert("type".to_owned(), written_word.into());
        let namespace = match is_named {
            true => self.names(attributes, namespace, path, &mut out)?,
            false => namespace.to_owned(),
        };
        let mut known = OF_TYPES.as_slice();
        match word {
            "record" | "error" => {
                let Some(Value::Array(fields)) = attributes.get("fields") else {
                    return Err(invalid(path, "the record needs an array `fields`"));
                };
                let fields = fields.iter().enumerate();
                let fields =
                    fields.map(|(index, field)| self.field(field, &namespace, &format!("{path}/fields/{index}")));
                out.insert("fields".to_owned(), fields.collect::<Result<_, _>>()?);
            }
            "array" | "map" => {
                let key = if word == "array" { "items" } else { "values" };
                let part = attributes.get(key).ok_or_else(|| invalid(path, format!("the type has no `{key}`")))?;
                out.insert(key.to_owned(), self.type_of(part, &namespace, &format!("{path}/{key}"))?);
            }
            "enum" => {
                known = &OF_ENUMS;
                for key in ["symbols", "default"] {
                    out.extend(attributes.get(key).map(|value| (key.to_owned(), value.clone())));
                }
            }
            "fixed" => out.extend(attributes.get("size").map(|size| ("size".to_owned(), size.clone()))),
            _ => {}
        }
        self.others(attributes, known, &mut out);
        if is_named {
            let full = |alias: &str| full_name(alias, &namespace);
            self.alias_list(attributes, full, |alias| relative(alias, &namespace), &mut out);
        }
        match is_primitive && out.len() == 1 {
            true => Ok(word.into()),
            false => Ok(out.into()),
        }
    }

    fn field(self, value: &Value, namespace: &str, path: &str) -> Result<Value, Error> {
        let Value::Object(attributes) = value else { return Err(invalid(path, "a field must be an object")) };
        let part = attributes.get("type").ok_or_else(|| invalid(path, "the type has no `type`"))?;
        let part = self.type_of(part, namespace, &format!("{path}/type"))?;
        let mut out = Map::new();
        out.insert("name".to_owned(), name_at(attributes, path)?.into());
        let default = attributes.get("default").map(|default| self.default(default, &part));
        out.insert("type".to_owned(), part);
        out.extend(text_at(attributes, "doc").map(|doc| ("doc".to_owned(), doc.into())));
        out.extend(default.map(|default| ("default".to_owned(), default)));
        let order = text_at(attributes, "order").map(str::to_lowercase).filter(|order| order != "ascending");
        out.extend(order.map(|order| ("order".to_owned(), order.into())));
        self.alias_list(attributes, str::to_owned, str::to_owned, &mut out);
        self.others(attributes, &OF_FIELDS, &mut out);
        Ok(out.into())
    }

    /// Writes the name, the namespace where it is not that of the type around, and the documentation, and gives the
    /// namespace.
    fn names(
        self,
        attributes: &Map<String, Value>,
        around: &str,
        path: &str,
        out: &mut Map<String, Value>,
    ) -> Result<String, Error> {
        let full = full_name(name_at(attributes, path)?, namespace_at(attributes).unwrap_or(around));
        let namespace = namespace_of(&full);
        let unqualified = full.rsplit('.').next().unwrap_or_default();
        out.insert("name".to_owned(), unqualified.into());
        if namespace != around {
            out.insert("namespace".to_owned(), namespace.into());
        }
        let doc = text_at(attributes, "doc").filter(|doc| self == Self::Canonical || !doc.is_empty());
        out.extend(doc.map(|doc| ("doc".to_owned(), doc.into())));
        Ok(namespace.to_owned())
    }

    /// Writes the aliases, each once.
    fn alias_list(
        self,
        attributes: &Map<String, Value>,
        full: impl Fn(&str) -> String,
        written: impl Fn(&str) -> String,
        out: &mut Map<String, Value>,
    ) {
        let Some(Value::Array(list)) = attributes.get("aliases") else { return };
        let mut aliases: Vec<String> = Vec::with_capacity(list.len());
        let mut known = std::collections::HashSet::new();
        aliases.extend(list.iter().filter_map(Value::as_str).map(full).filter(|alias| known.insert(alias.clone())));
        if self == Self::Normal {
            aliases.sort();
        }
        if !aliases.is_empty() {
            let aliases: Vec<String> = aliases.iter().map(|alias| written(alias)).collect();
            out.insert("aliases".to_owned(), aliases.into());
        }
    }

    /// Writes the attributes that are none of the known.
    fn others(self, attributes: &Map<String, Value>, known: &[&str], out: &mut Map<String, Value>) {
        let mut others: Vec<_> = attributes.iter().filter(|(key, _)| !known.contains(&key.as_str())).collect();
        if self == Self::Normal {
            others.sort_by_key(|(key, _)| *key);
        }
        out.extend(others.into_iter().map(|(key, value)| (key.clone(), self.value(value))));
    }

    /// A default: what is a floating-point number is written as one.
    fn default(self, value: &Value, part: &Value) -> Value {
        let first = match part {
            Value::Array(branches) => branches.first().unwrap_or(part),
            part => part,
        };
        let word = first.as_str().or_else(|| first.get("type").and_then(Value::as_str));
        match (self, word, value.as_f64()) {
            (Self::Normal, Some("float" | "double"), Some(number)) => number.into(),
            _ => self.value(value),
        }
    }

    fn value(self, value: &Value) -> Value {
        let mut value = value.clone();
        if self == Self::Normal {
            value.sort_all_objects();
        }
        value
    }
}

/// A name as it is written within a namespace. What would be taken for a primitive type stays as it is.
fn relative(name: &str, namespace: &str) -> String {
    match name.rsplit_once('.') {
        Some((_, unqualified)) if unqualified.parse::<Primitive>().is_ok() => name.to_owned(),
        Some((own, unqualified)) if own.is_empty() || own == namespace => unqualified.to_owned(),
        _ => name.to_owned(),
    }
}

fn text_at<'v>(attributes: &'v Map<String, Value>, key: &str) -> Option<&'v str> {
    attributes.get(key).and_then(Value::as_str)
}

/// Writes numbers that are no integers as Java's `Double.toString` does: from `1.0E7`, and below `0.001`, with an
/// exponent.
struct LikeJava;

impl Formatter for LikeJava {
    fn write_f64<W: ?Sized + io::Write>(&mut self, writer: &mut W, value: f64) -> io::Result<()> {
        if value == 0.0 || (1e-3..1e7).contains(&value.abs()) {
            return CompactFormatter.write_f64(writer, value);
        }
        let text = format!("{value:E}");
        match text.split_once('E') {
            Some((digits, exponent)) if !digits.contains('.') => write!(writer, "{digits}.0E{exponent}"),
            _ => writer.write_all(text.as_bytes()),
        }
    }
}
