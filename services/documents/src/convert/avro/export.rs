//! A contract to a schema.

use domain::contract::{Property, SchemaObject};
use serde_json::{Map, Value, json};

use super::super::draft::{set, set_text};
use super::super::element::{Element, Export, fundamentals};
use super::super::json::pointer;
use super::super::names::{self, Scope};
use super::super::shape::{Shape, shape, text_of};
use super::{BESIDE, CONTRACT, PRIMITIVES, simple, type_word};

/// Writes the schema of the one object.
pub(in super::super) fn export(export: &Export<'_>) -> String {
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
        set(&mut record, CONTRACT, fundamentals(ledger));
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
                self.export.ledger.changed(&property.path, "an object without members is written as a JSON string");
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
            ledger.changed(path, format!("was renamed to `{name}`: its name is invalid in Avro or already used"));
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
