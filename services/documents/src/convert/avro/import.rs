//! A schema to a contract.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::{Map, Value, json};

use super::super::draft::{Draft, Fields, custom, enumeration, overlay, set, set_text, with_name};
use super::super::json::{self, pointer};
use super::{BESIDE, CONTRACT, PRIMITIVES, simple, type_word};
use crate::message::References;
use crate::node::shortened;
use crate::problem::{Problem, fault};

/// Reads a schema.
pub(in super::super) fn import(text: &str, references: &References, draft: &mut Draft) -> Result<(), Problem> {
    let schema = json::read(text)?;
    let referred = references.values().map(|text| json::read(text)).collect::<Result<Vec<_>, _>>()?;
    let mut reader = Reader { draft, named: BTreeMap::new(), open: BTreeSet::new() };
    for schema in std::iter::once(&schema).chain(&referred) {
        collect(schema, "", &mut reader.named);
    }
    let (records, is_list) = match &schema {
        Value::Array(branches) => (branches.as_slice(), true),
        one => (std::slice::from_ref(one), false),
    };
    for (index, record) in records.iter().enumerate() {
        let path = if is_list { format!("/{index}") } else { String::new() };
        // A schema may be no more than the name of one that it refers to.
        let named = record.as_str().and_then(|name| reader.named.get(name).copied());
        match record.as_object().or(named) {
            Some(fields) if fields.get("type").and_then(Value::as_str) == Some("record") => {
                reader.object(fields, &path)?;
            }
            _ => return Err(fault(&path, "a contract can only be created from a record or a union of records")),
        }
    }
    Ok(())
}

/// The full name of a named type or of a reference to one.
fn full_name(name: &str, namespace: &str) -> String {
    if name.contains('.') || namespace.is_empty() { name.to_owned() } else { format!("{namespace}.{name}") }
}

/// The namespace that a named type opens for what is inside of it.
fn namespace_of<'a>(fields: &'a Fields, around: &'a str) -> &'a str {
    let name = fields.get("name").and_then(Value::as_str).unwrap_or_default();
    match name.rsplit_once('.') {
        Some((namespace, _)) => namespace,
        None => fields.get("namespace").and_then(Value::as_str).unwrap_or(around),
    }
}

/// Finds every named type.
fn collect<'a>(schema: &'a Value, namespace: &str, found: &mut BTreeMap<String, &'a Fields>) {
    match schema {
        Value::Array(branches) => branches.iter().for_each(|branch| collect(branch, namespace, found)),
        Value::Object(fields) => {
            let mut inner = namespace;
            if let (Some("record" | "error" | "enum" | "fixed"), Some(name)) =
                (type_word(schema), fields.get("name").and_then(Value::as_str))
            {
                inner = namespace_of(fields, namespace);
                found.entry(full_name(name, inner)).or_insert(fields);
            }
            for key in ["type", "items", "values"] {
                if let Some(below @ (Value::Object(_) | Value::Array(_))) = fields.get(key) {
                    collect(below, inner, found);
                }
            }
            for field in fields.get("fields").and_then(Value::as_array).into_iter().flatten() {
                if let Some(below) = field.get("type") {
                    collect(below, inner, found);
                }
            }
        }
        _ => {}
    }
}

struct Reader<'a, 'd> {
    draft: &'d mut Draft,
    named: BTreeMap<String, &'a Fields>,
    /// The records that are being read, by full name: a record may hold itself.
    open: BTreeSet<String>,
}

impl<'a> Reader<'a, '_> {
    fn object(&mut self, record: &'a Fields, path: &str) -> Result<(), Problem> {
        let name = record.get("name").and_then(Value::as_str);
        let name = name.ok_or_else(|| fault(path, "the record has no name"))?;
        let namespace = namespace_of(record, "");
        let mut object = with_name(name.rsplit('.').next().unwrap_or(name));
        set(&mut object, "logicalType", "object");
        if !namespace.is_empty() {
            custom(&mut object, "avroNamespace", namespace);
        }
        set_text(&mut object, "description", record.get("doc").and_then(Value::as_str));
        self.open.insert(full_name(name, namespace));
        let properties = self.fields(record, namespace, path, 1)?;
        self.open.clear();
        set(&mut object, "properties", properties);
        self.attributes(record, &["type", "name", "namespace", "doc", "fields", CONTRACT], path, &mut object);
        self.draft.objects.push(object);
        Ok(())
    }

    fn fields(&mut self, record: &'a Fields, namespace: &str, path: &str, depth: usize) -> Result<Vec<Value>, Problem> {
        let mut properties = Vec::new();
        for (index, field) in record.get("fields").and_then(Value::as_array).into_iter().flatten().enumerate() {
            let path = format!("{path}/fields/{index}");
            let field = field.as_object().ok_or_else(|| fault(&path, "a field must be an object"))?;
            let name = field.get("name").and_then(Value::as_str);
            let name = name.ok_or_else(|| fault(&path, "the field has no name"))?;
            let kind = field.get("type").ok_or_else(|| fault(&path, "the field has no type"))?;
            let mut column = with_name(name);
            self.kind(kind, namespace, &pointer(&path, "type"), depth, &mut column)?;
            if let Some(doc) = field.get("doc").and_then(Value::as_str) {
                set_text(&mut column, "description", Some(doc));
            }
            // That a column may be null is said already; its default is then null as a rule.
            if let Some(default) = field.get("default").filter(|default| !default.is_null()) {
                custom(&mut column, "default", default.clone());
            }
            self.attributes(field, &["name", "type", "doc", "default"], &path, &mut column);
            properties.push(Value::Object(column));
        }
        Ok(properties)
    }

    /// What else a record or field says: `odcs` is ours, the rest goes to custom properties.
    fn attributes(&mut self, schema: &Fields, known: &[&str], path: &str, fields: &mut Fields) {
        for (key, value) in schema.iter().filter(|(key, _)| !known.contains(&key.as_str())) {
            match (key.as_str(), value) {
                (BESIDE, Value::Object(beside)) => overlay(fields, beside.clone()),
                ("order", Value::String(order)) if order == "ascending" => {}
                ("aliases", value) => custom(fields, "avroAliases", value.clone()),
                ("order", _) => self.draft.note(&pointer(path, key), "contracts do not define a sort order"),
                (key, value) => custom(fields, key, value.clone()),
            }
        }
    }

    /// The type of a field, item or value.
    fn kind(
        &mut self,
        schema: &'a Value,
        namespace: &str,
        path: &str,
        depth: usize,
        column: &mut Fields,
    ) -> Result<(), Problem> {
        self.draft.column(path, depth)?;
        if let Value::Array(branches) = schema {
            let others: Vec<_> = branches.iter().filter(|branch| type_word(branch) != Some("null")).collect();
            if others.len() == branches.len() {
                set(column, "required", true);
            }
            return match others.as_slice() {
                [only] => self.single(only, namespace, path, depth, column),
                _ => {
                    let words: Vec<_> = others.iter().map(|branch| branch_word(branch)).collect();
                    set(column, "physicalType", format!("union<{}>", words.join(",")));
                    self.draft.note(path, "a contract has no unions, so this column has no logical type");
                    Ok(())
                }
            };
        }
        set(column, "required", true);
        self.single(schema, namespace, path, depth, column)
    }

    fn single(
        &mut self,
        schema: &'a Value,
        namespace: &str,
        path: &str,
        depth: usize,
        column: &mut Fields,
    ) -> Result<(), Problem> {
        let Some(word) = type_word(schema) else {
            return match schema.get("type") {
                // `{"type": {...}}` is its inner type.
                Some(inner) if !inner.is_array() => {
                    self.single(inner, namespace, &pointer(path, "type"), depth + 1, column)
                }
                _ => Err(fault(path, "the type is neither a name nor an object with `type`")),
            };
        };
        let Some(attributes) = schema.as_object() else {
            if PRIMITIVES.contains(&word) {
                simple(word, &Map::new(), column);
                return Ok(());
            }
            return self.reference(word, namespace, path, depth, column);
        };
        let known: &[&str] = match word {
            "record" | "error" => {
                self.record(attributes, namespace, path, depth, column)?;
                &["fields"]
            }
            "enum" => {
                enumerated(attributes, path, column)?;
                &["symbols", "default"]
            }
            "array" => {
                self.array(attributes, namespace, path, depth, column)?;
                &["items"]
            }
            "map" => {
                self.map(attributes, namespace, path, depth, column)?;
                &["values"]
            }
            "fixed" => {
                simple(word, attributes, column);
                &["size"]
            }
            word if PRIMITIVES.contains(&word) => {
                if !simple(word, attributes, column) {
                    let logical = attributes.get("logicalType").map(Value::to_string).unwrap_or_default();
                    self.draft.note(path, format!("the logical type {logical} does not exist in contracts"));
                }
                &[]
            }
            name => return self.reference(name, namespace, path, depth, column),
        };
        const ALWAYS_KNOWN: [&str; 8] =
            ["type", "name", "namespace", "logicalType", "precision", "scale", "aliases", "doc"];
        self.draft.note_unknown(path, attributes, &[&ALWAYS_KNOWN, known].concat());
        Ok(())
    }

    fn record(
        &mut self,
        attributes: &'a Fields,
        namespace: &str,
        path: &str,
        depth: usize,
        column: &mut Fields,
    ) -> Result<(), Problem> {
        let namespace = namespace_of(attributes, namespace);
        let name = attributes.get("name").and_then(Value::as_str).unwrap_or_default();
        let full = full_name(name, namespace);
        set(column, "logicalType", "object");
        if self.open.insert(full.clone()) {
            let members = self.fields(attributes, namespace, path, depth + 1)?;
            self.open.remove(&full);
            set(column, "properties", members);
        } else {
            self.draft.note(path, format!("`{full}` is recursive, which contracts cannot express; it is cut off here"));
        }
        set_text(column, "description", attributes.get("doc").and_then(Value::as_str));
        set(column, "physicalType", "record");
        Ok(())
    }

    fn array(
        &mut self,
        attributes: &'a Fields,
        namespace: &str,
        path: &str,
        depth: usize,
        column: &mut Fields,
    ) -> Result<(), Problem> {
        let inner = attributes.get("items").ok_or_else(|| fault(path, "the array has no items"))?;
        let mut items = Map::new();
        self.kind(inner, namespace, &pointer(path, "items"), depth + 1, &mut items)?;
        set(column, "logicalType", "array");
        set(column, "physicalType", "array");
        set(column, "items", items);
        Ok(())
    }

    fn map(
        &mut self,
        attributes: &'a Fields,
        namespace: &str,
        path: &str,
        depth: usize,
        column: &mut Fields,
    ) -> Result<(), Problem> {
        let inner = attributes.get("values").ok_or_else(|| fault(path, "the map has no values"))?;
        let mut value = Map::new();
        self.kind(inner, namespace, &pointer(path, "values"), depth + 1, &mut value)?;
        set(column, "logicalType", "map");
        set(column, "physicalType", "map");
        let mut key = Map::new();
        simple("string", &Map::new(), &mut key);
        set(&mut key, "required", true);
        set(column, "map", json!({ "key": key, "value": value }));
        Ok(())
    }

    /// The name of a type.
    fn reference(
        &mut self,
        name: &str,
        namespace: &str,
        path: &str,
        depth: usize,
        column: &mut Fields,
    ) -> Result<(), Problem> {
        let full = full_name(name, namespace);
        let found = self.named.get(&full).or_else(|| self.named.get(name)).copied();
        let found = found.ok_or_else(|| fault(path, format!("`{}` is not a type of this schema", shortened(name))))?;
        if self.open.contains(&full) {
            set(column, "logicalType", "object");
            set(column, "physicalType", "record");
            self.draft.note(path, format!("`{full}` is recursive, which contracts cannot express; it is cut off here"));
            return Ok(());
        }
        let around = full.rsplit_once('.').map_or("", |(namespace, _)| namespace);
        self.named_type(found, around, path, depth, column)
    }

    /// A type that was defined elsewhere in the schema.
    fn named_type(
        &mut self,
        fields: &'a Fields,
        namespace: &str,
        path: &str,
        depth: usize,
        column: &mut Fields,
    ) -> Result<(), Problem> {
        match fields.get("type").and_then(Value::as_str) {
            Some("record" | "error") => {
                let name = fields.get("name").and_then(Value::as_str).unwrap_or_default();
                let inner = namespace_of(fields, namespace);
                let full = full_name(name, inner);
                self.open.insert(full.clone());
                let members = self.fields(fields, inner, path, depth + 1)?;
                self.open.remove(&full);
                set(column, "logicalType", "object");
                set(column, "physicalType", "record");
                set(column, "properties", members);
            }
            Some("enum") => {
                set(column, "logicalType", "string");
                set(column, "physicalType", "enum");
                let symbols = fields.get("symbols").and_then(Value::as_array).into_iter().flatten();
                set(column, "enum", enumeration(symbols));
            }
            _ => {
                simple("fixed", fields, column);
            }
        }
        set_text(column, "description", fields.get("doc").and_then(Value::as_str));
        Ok(())
    }
}

fn enumerated(attributes: &Fields, path: &str, column: &mut Fields) -> Result<(), Problem> {
    set(column, "logicalType", "string");
    set(column, "physicalType", "enum");
    let symbols = attributes.get("symbols").and_then(Value::as_array);
    let symbols = symbols.ok_or_else(|| fault(path, "the enumeration has no symbols"))?;
    set(column, "enum", enumeration(symbols));
    set_text(column, "description", attributes.get("doc").and_then(Value::as_str));
    if let Some(default) = attributes.get("default") {
        custom(column, "avroEnumDefault", default.clone());
    }
    Ok(())
}

/// What to call a branch of a union.
fn branch_word(branch: &Value) -> String {
    let name = branch.get("logicalType").or_else(|| branch.get("name")).and_then(Value::as_str);
    name.or_else(|| type_word(branch)).unwrap_or("union").to_owned()
}
