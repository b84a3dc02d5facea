//! Avro 1.12, <https://avro.apache.org/docs/1.12.0/specification/>.
//!
//! Attributes that the specification does not define are metadata; ours is `odcs`, an object with the fields of the
//! property or object that Avro has no word for.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::{Map, Value, json};

use super::draft::{Draft, Fields, custom, enumeration, named, option, overlay, set, set_text};
use super::json::{self, pointer};
use super::names::{self, Scope};
use super::shape::{Shape, shape, text_of};
use super::{Element, Export, fault};
use crate::Problem;
use crate::message::References;
use crate::node::shortened;
use domain::contract::{Property, SchemaObject};

/// The attribute for what Avro has no word for.
const BESIDE: &str = "odcs";
/// The attribute for the contract that a schema was made of.
const CONTRACT: &str = "odcsContract";
/// Names that mean a type of their own.
const PRIMITIVES: [&str; 8] = ["null", "boolean", "int", "long", "float", "double", "bytes", "string"];

/// Reads a schema.
pub(super) fn import(text: &str, references: &References, draft: &mut Draft) -> Result<(), Problem> {
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
            _ => return Err(fault(&path, "a contract is made of a record or of a union of records")),
        }
    }
    Ok(())
}

/// The word in `type`, or the schema that is a word itself.
fn type_word(schema: &Value) -> Option<&str> {
    schema.as_str().or_else(|| schema.get("type")?.as_str())
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
        let mut object = named(name.rsplit('.').next().unwrap_or(name));
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
            let field = field.as_object().ok_or_else(|| fault(&path, "a field is an object"))?;
            let name = field.get("name").and_then(Value::as_str);
            let name = name.ok_or_else(|| fault(&path, "the field has no name"))?;
            let kind = field.get("type").ok_or_else(|| fault(&path, "the field has no type"))?;
            let mut column = named(name);
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
                ("order", _) => self.draft.note(&pointer(path, key), "a contract says nothing on sorting"),
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
        let inner_namespace = namespace_of(attributes, namespace);
        let mut known = vec!["type", "name", "namespace", "logicalType", "precision", "scale", "aliases", "doc"];
        match word {
            "record" | "error" => {
                known.push("fields");
                let name = attributes.get("name").and_then(Value::as_str).unwrap_or_default();
                let full = full_name(name, inner_namespace);
                set(column, "logicalType", "object");
                if self.open.insert(full.clone()) {
                    let members = self.fields(attributes, inner_namespace, path, depth + 1)?;
                    self.open.remove(&full);
                    set(column, "properties", members);
                } else {
                    self.draft.note(path, format!("`{full}` holds itself, and a contract cannot; it ends here"));
                }
                set_text(column, "description", attributes.get("doc").and_then(Value::as_str));
                set(column, "physicalType", "record");
            }
            "enum" => {
                known.extend(["symbols", "default"]);
                set(column, "logicalType", "string");
                set(column, "physicalType", "enum");
                let symbols = attributes.get("symbols").and_then(Value::as_array);
                let symbols = symbols.ok_or_else(|| fault(path, "the enumeration has no symbols"))?;
                set(column, "enum", enumeration(symbols));
                set_text(column, "description", attributes.get("doc").and_then(Value::as_str));
                if let Some(default) = attributes.get("default") {
                    custom(column, "avroEnumDefault", default.clone());
                }
            }
            "array" => {
                known.push("items");
                let inner = attributes.get("items").ok_or_else(|| fault(path, "the array has no items"))?;
                let mut items = Map::new();
                self.kind(inner, namespace, &pointer(path, "items"), depth + 1, &mut items)?;
                set(column, "logicalType", "array");
                set(column, "physicalType", "array");
                set(column, "items", items);
            }
            "map" => {
                known.push("values");
                let inner = attributes.get("values").ok_or_else(|| fault(path, "the map has no values"))?;
                let mut value = Map::new();
                self.kind(inner, namespace, &pointer(path, "values"), depth + 1, &mut value)?;
                set(column, "logicalType", "map");
                set(column, "physicalType", "map");
                let mut key = Map::new();
                simple("string", &Map::new(), &mut key);
                set(&mut key, "required", true);
                set(column, "map", json!({ "key": key, "value": value }));
            }
            "fixed" => {
                known.push("size");
                simple(word, attributes, column);
            }
            word if PRIMITIVES.contains(&word) => {
                if !simple(word, attributes, column) {
                    let logical = attributes.get("logicalType").map(Value::to_string).unwrap_or_default();
                    self.draft.note(path, format!("the logical type {logical} is not one that a contract has"));
                }
            }
            name => return self.reference(name, namespace, path, depth, column),
        }
        self.draft.note_unknown(path, attributes, &known);
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
            self.draft.note(path, format!("`{full}` holds itself, and a contract cannot; it ends here"));
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

/// What to call a branch of a union.
fn branch_word(branch: &Value) -> String {
    let name = branch.get("logicalType").or_else(|| branch.get("name")).and_then(Value::as_str);
    name.or_else(|| type_word(branch)).unwrap_or("union").to_owned()
}

/// The ODCS type of a type without parts. `false` if the schema has a logical type that means nothing here.
fn simple(word: &str, attributes: &Fields, column: &mut Fields) -> bool {
    let logical = attributes.get("logicalType").and_then(Value::as_str);
    let number = |name: &str| attributes.get(name).and_then(Value::as_u64);
    let mut put = |logical: &str, physical: &str, options: &[(&str, Value)]| {
        set(column, "logicalType", logical);
        set(column, "physicalType", physical);
        options.iter().for_each(|(name, value)| option(column, name, value.clone()));
    };
    match (word, logical) {
        ("bytes" | "fixed", Some("decimal")) if number("precision").is_some() => {
            let (precision, scale) = (number("precision").unwrap_or(38), number("scale").unwrap_or(0));
            put("number", &format!("decimal({precision},{scale})"), &[]);
        }
        ("string" | "fixed", Some("uuid")) => put("string", "uuid", &[("format", json!("uuid"))]),
        ("int", Some("date")) => put("date", "date", &[]),
        ("int" | "long", Some(time @ ("time-millis" | "time-micros"))) => put("time", time, &[]),
        ("long", Some(zoned @ ("timestamp-millis" | "timestamp-micros" | "timestamp-nanos"))) => {
            put("timestamp", zoned, &[("timezone", json!(true))]);
        }
        ("long", Some(local @ ("local-timestamp-millis" | "local-timestamp-micros" | "local-timestamp-nanos"))) => {
            put("timestamp", local, &[("timezone", json!(false))]);
        }
        ("boolean", _) => put("boolean", word, &[]),
        ("int", _) => put("integer", word, &[("format", json!("i32"))]),
        ("long", _) => put("integer", word, &[("format", json!("i64"))]),
        ("float", _) => put("number", word, &[("format", json!("f32"))]),
        ("double", _) => put("number", word, &[("format", json!("f64"))]),
        ("bytes", _) => put("string", word, &[("format", json!("binary"))]),
        ("fixed", _) => {
            let size = number("size").unwrap_or(0);
            put("string", &format!("fixed({size})"), &[("format", json!("binary"))]);
        }
        ("string", _) => put("string", word, &[]),
        _ => put("string", word, &[]),
    }
    let physical = column.get("physicalType").and_then(Value::as_str).unwrap_or_default();
    logical.is_none_or(|logical| physical == logical || physical.starts_with("decimal(") && logical == "decimal")
}

/// Writes the schema of the one object.
pub(super) fn export(export: &Export<'_>) -> String {
    let mut text = String::new();
    for object in &export.objects {
        let mut writer = Writer { export, types: Scope::default() };
        PRIMITIVES.iter().for_each(|name| drop(writer.types.take(name)));
        let schema = writer.object(object);
        text = serde_json::to_string_pretty(&schema).unwrap_or_default() + "\n";
    }
    text
}

struct Writer<'a> {
    export: &'a Export<'a>,
    /// The names of types, which are of one namespace.
    types: Scope,
}

impl Writer<'_> {
    fn object(&mut self, object: &Element<'_, SchemaObject>) -> Value {
        let ledger = &self.export.ledger;
        let path = &object.path;
        let mut record = Map::new();
        set(&mut record, "type", "record");
        let name = self.types.take(&names::identifier(&object.it.name));
        self.say_name(path, &object.it.name, &name);
        set(&mut record, "name", name);
        let namespace = ledger.take_custom(path, "avroNamespace").and_then(Value::as_str);
        if let Some(namespace) = namespace {
            let namespace: Vec<_> = namespace.split('.').map(names::identifier).collect();
            set(&mut record, "namespace", namespace.join("."));
        }
        set_text(&mut record, "doc", ledger.take_text(path, "description"));
        if ledger.field(path, "logicalType").and_then(Value::as_str) == Some("object") {
            ledger.hold(&pointer(path, "logicalType"));
        }
        let fields = self.fields(&object.properties());
        set(&mut record, "fields", fields);
        if let Some(rest) = ledger.take_rest(path) {
            set(&mut record, BESIDE, rest);
        }
        set(&mut record, CONTRACT, super::fundamentals(ledger));
        Value::Object(record)
    }

    fn fields(&mut self, properties: &[Element<'_, Property>]) -> Vec<Value> {
        let own: Vec<_> = properties.iter().map(|property| property.it.name.as_str()).collect();
        let mapped = names::distinct(&own, names::identifier, str::to_owned);
        properties.iter().zip(mapped).map(|(property, name)| self.field(property, &name)).collect()
    }

    fn field(&mut self, property: &Element<'_, Property>, name: &str) -> Value {
        let ledger = &self.export.ledger;
        let path = &property.path;
        let mut field = Map::new();
        self.say_name(path, &property.it.name, name);
        set(&mut field, "name", name);
        set_text(&mut field, "doc", ledger.take_text(path, "description"));
        let mut kind = self.kind(property, name);
        // A union's default is a value of its first branch.
        let default = default_of(&kind, self.export, path);
        match (default, &mut kind) {
            (Some(default), kind) => {
                if let Value::Array(branches) = kind {
                    branches.reverse();
                }
                set(&mut field, "default", default);
            }
            (None, Value::Array(_)) => set(&mut field, "default", Value::Null),
            _ => {}
        }
        set(&mut field, "type", kind);
        if let Some(aliases) = aliases_of(self.export, path) {
            set(&mut field, "aliases", aliases);
        }
        if let Some(rest) = ledger.take_rest(path) {
            set(&mut field, BESIDE, rest);
        }
        Value::Object(field)
    }

    /// The type, in a union with null unless the value is required. Holds what an import reads of it.
    fn kind(&mut self, property: &Element<'_, Property>, name: &str) -> Value {
        let ledger = &self.export.ledger;
        ledger.hold_defaults(&property.path);
        let kind = self.single(property, name);
        let mut read_back = Map::new();
        let is_named = |word: &str| kind.get("type").and_then(Value::as_str) == Some(word);
        match type_word(&kind) {
            Some(word @ ("array" | "map" | "record" | "enum")) => {
                let logical = match word {
                    "record" => "object",
                    "enum" => "string",
                    other => other,
                };
                set(&mut read_back, "logicalType", logical);
                set(&mut read_back, "physicalType", word);
            }
            Some(word) => {
                let no_attributes = Map::new();
                simple(word, kind.as_object().unwrap_or(&no_attributes), &mut read_back);
            }
            None => {}
        }
        if is_named("map") {
            let mut key = Map::new();
            simple("string", &Map::new(), &mut key);
            set(&mut key, "required", true);
            ledger.hold_equal(&pointer(&pointer(&property.path, "map"), "key"), &key);
        }
        if property.it.required {
            set(&mut read_back, "required", true);
        }
        ledger.hold_equal(&property.path, &read_back);
        if property.it.required { kind } else { json!(["null", kind]) }
    }

    fn single(&mut self, property: &Element<'_, Property>, name: &str) -> Value {
        let physical = property.it.physical_type.as_deref().unwrap_or_default();
        let logical = |word: &str, logical: &str| json!({ "type": word, "logicalType": logical });
        match shape(property.it) {
            Shape::Text { .. } => self.enumeration(property, name).unwrap_or_else(|| json!("string")),
            Shape::Boolean => json!("boolean"),
            Shape::Integer { bits, signed } if bits < 32 || (bits == 32 && signed) => json!("int"),
            Shape::Integer { bits, signed } if bits < 64 || signed => json!("long"),
            Shape::Integer { .. } => decimal(20, 0),
            Shape::Float { bits: 32 } => json!("float"),
            Shape::Float { .. } => json!("double"),
            Shape::Decimal { precision, scale } => decimal(precision, scale),
            Shape::Uuid => logical("string", "uuid"),
            Shape::Binary => match fixed_size(physical) {
                Some(size) => json!({ "type": "fixed", "name": self.types.take(name), "size": size }),
                None => json!("bytes"),
            },
            Shape::Date => logical("int", "date"),
            Shape::Time if physical == "time-millis" => logical("int", physical),
            Shape::Time => logical("long", "time-micros"),
            Shape::Timestamp { zoned } => {
                let unit =
                    ["millis", "nanos"].into_iter().find(|unit| physical.ends_with(&format!("timestamp-{unit}")));
                let local = if zoned { "" } else { "local-" };
                logical("long", &format!("{local}timestamp-{}", unit.unwrap_or("micros")))
            }
            Shape::Struct => {
                let name = self.types.take(name);
                json!({ "type": "record", "name": name, "fields": self.fields(&property.members()) })
            }
            Shape::List => match property.items() {
                Some(items) => json!({ "type": "array", "items": self.kind(&items, &format!("{name}_item")) }),
                None => json!({ "type": "array", "items": ["null", "string"] }),
            },
            Shape::Map => match property.entry() {
                Some((_, value)) => json!({ "type": "map", "values": self.kind(&value, &format!("{name}_value")) }),
                None => json!({ "type": "map", "values": ["null", "string"] }),
            },
            Shape::Vector if property.it.options.element_type.as_deref() == Some("float64") => {
                json!({ "type": "array", "items": "double" })
            }
            Shape::Vector => json!({ "type": "array", "items": "float" }),
            Shape::Json => {
                self.export.ledger.changed(&property.path, "an object without members is written as a text of JSON");
                json!("string")
            }
        }
    }

    /// The enumeration of a text, where every value is a name.
    fn enumeration(&mut self, property: &Element<'_, Property>, name: &str) -> Option<Value> {
        let symbols: Vec<&str> = property.it.enumeration.iter().map(text_of).collect::<Option<_>>()?;
        if symbols.is_empty() || symbols.iter().any(|symbol| names::identifier(symbol) != *symbol) {
            return None;
        }
        let mut kind = Map::new();
        set(&mut kind, "type", "enum");
        set(&mut kind, "name", self.types.take(name));
        set(&mut kind, "symbols", symbols);
        self.export.ledger.hold_bare_values(&pointer(&property.path, "enum"));
        Some(Value::Object(kind))
    }

    fn say_name(&self, path: &str, own: &str, name: &str) {
        let ledger = &self.export.ledger;
        if own == name {
            ledger.hold(&pointer(path, "name"));
        } else {
            ledger.changed(path, format!("is called `{name}`, since Avro does not allow its name or has it already"));
        }
    }
}

fn decimal(precision: u8, scale: i8) -> Value {
    // Avro's scale is between 0 and the precision.
    let scale = u8::try_from(scale).unwrap_or(0).min(precision);
    json!({ "type": "bytes", "logicalType": "decimal", "precision": precision, "scale": scale })
}

/// The size in `fixed(16)`.
fn fixed_size(physical: &str) -> Option<u64> {
    physical.strip_prefix("fixed(")?.strip_suffix(')')?.parse().ok().filter(|size| *size > 0 && *size < 1 << 20)
}

/// The custom property `default`, where it is a value of the type.
fn default_of(kind: &Value, export: &Export<'_>, path: &str) -> Option<Value> {
    let kind = match kind {
        Value::Array(branches) => branches.iter().find(|branch| branch.as_str() != Some("null"))?,
        single => single,
    };
    let default = export.ledger.custom(path, "default")?;
    let fits = match (kind.as_str(), default) {
        (Some("string"), Value::String(_)) | (Some("boolean"), Value::Bool(_)) => true,
        (Some("int"), Value::Number(number)) => number.as_i64().is_some_and(|number| i32::try_from(number).is_ok()),
        (Some("long"), Value::Number(number)) => number.as_i64().is_some(),
        (Some("float" | "double"), Value::Number(_)) => true,
        (None, Value::String(text)) => {
            kind.get("symbols").and_then(Value::as_array).is_some_and(|symbols| symbols.contains(&json!(text)))
        }
        _ => false,
    };
    fits.then(|| export.ledger.take_custom(path, "default")).flatten().cloned()
}

/// The custom property `avroAliases`, where all of them are names.
fn aliases_of(export: &Export<'_>, path: &str) -> Option<Value> {
    let aliases = export.ledger.custom(path, "avroAliases")?.as_array()?;
    let all = aliases.iter().all(|alias| alias.as_str().is_some_and(|alias| names::identifier(alias) == alias));
    all.then(|| export.ledger.take_custom(path, "avroAliases")).flatten().cloned()
}
