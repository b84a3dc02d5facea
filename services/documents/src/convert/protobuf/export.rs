//! A contract to a file.

use std::collections::HashSet;

use domain::contract::Property;
use serde_json::{Map, Value};

use super::super::draft::{Fields, option, set};
use super::super::element::{Element, Export, fundamentals};
use super::super::json::pointer;
use super::super::names::{self, Scope};
use super::super::shape::{Shape, shape, text_of};
use super::{BESIDE, NUMBER, PACKAGE, scalar};

/// The greatest number of a field, and those that Protobuf keeps for itself.
const MAX_NUMBER: u64 = 536_870_911;
const RESERVED: std::ops::RangeInclusive<u64> = 19_000..=19_999;
const TIMESTAMP: &str = "google.protobuf.Timestamp";

/// Writes a message for each object.
pub(in super::super) fn export(export: &Export<'_>) -> String {
    let mut writer = Writer { export, body: String::new(), needs_timestamp: false };
    // One file has one package: that of its first object.
    let package = export.objects.first().and_then(|object| {
        let package = export.ledger.custom(&object.path, PACKAGE)?.as_str()?;
        package.split('.').all(|part| names::identifier(part) == part).then_some(package)
    });
    let mut messages = Scope::default();
    // A message of this name would hide the one that a moment is.
    messages.take("google");
    for object in &export.objects {
        let name = messages.take(&names::upper_camel(&object.it.name));
        if package.is_some() && export.ledger.custom(&object.path, PACKAGE).and_then(Value::as_str) == package {
            export.ledger.take_custom(&object.path, PACKAGE);
        }
        writer.say_name(&object.path, &object.it.name, &name);
        if export.ledger.field(&object.path, "logicalType").and_then(Value::as_str) == Some("object") {
            export.ledger.hold(&pointer(&object.path, "logicalType"));
        }
        let description = writer.description(&object.path);
        let mut inner = String::new();
        writer.fields(&object.properties(), 1, &mut inner);
        let mut text = String::from("\n");
        writer.comment(&object.path, description, 0, &mut text);
        writer.body.push_str(&format!("{text}message {name} {{\n{inner}}}\n"));
    }
    let mut text = String::new();
    for (name, value) in fundamentals(&export.ledger) {
        // A comment ends with its line.
        let value: String =
            value.as_str().unwrap_or_default().chars().map(|c| if is_break(c) { ' ' } else { c }).collect();
        text.push_str(&format!("// {name}: {value}\n"));
    }
    text.push_str("\nsyntax = \"proto3\";\n");
    if let Some(package) = package {
        text.push_str(&format!("\npackage {package};\n"));
    }
    if writer.needs_timestamp {
        text.push_str("\nimport \"google/protobuf/timestamp.proto\";\n");
    }
    text + &writer.body
}

fn is_break(character: char) -> bool {
    character.is_control() || "\u{2028}\u{2029}".contains(character)
}

struct Writer<'a> {
    export: &'a Export<'a>,
    body: String,
    needs_timestamp: bool,
}

/// A field's type and what has to be declared for it.
struct FieldType {
    /// `repeated`, or nothing.
    label: &'static str,
    word: String,
    /// Messages and enumerations, to be declared before the field.
    declared: String,
    /// What an import reads of it.
    read_back: Fields,
    /// Whether a scalar may be absent by a label.
    is_scalar: bool,
}

impl Writer<'_> {
    fn say_name(&self, path: &str, own: &str, name: &str) {
        let ledger = &self.export.ledger;
        if own == name {
            ledger.hold(&pointer(path, "name"));
        } else {
            ledger.changed(path, format!("was renamed to `{name}` to be a valid Protobuf name"));
        }
    }

    /// The description, if it can stand in a comment as it is.
    fn description(&self, path: &str) -> Option<String> {
        let text = self.export.ledger.field(path, "description")?.as_str()?;
        let is_plain = text == text.trim()
            && !text.is_empty()
            && text
                .lines()
                .all(|line| !line.chars().any(is_break) && line == line.trim() && !line.starts_with("odcs:"))
            && !text.contains('\r');
        is_plain.then(|| {
            self.export.ledger.hold(&pointer(path, "description"));
            text.to_owned()
        })
    }

    /// The comment before a message or field: its description, and what Protobuf has no word for.
    fn comment(&self, path: &str, description: Option<String>, indent: usize, text: &mut String) {
        let indent = "  ".repeat(indent);
        for line in description.iter().flat_map(|description| description.lines()) {
            text.push_str(format!("{indent}// {line}").trim_end());
            text.push('\n');
        }
        if let Some(rest) = self.export.ledger.take_rest(path) {
            text.push_str(&format!("{indent}// {BESIDE}{rest}\n"));
        }
    }

    /// The fields of a message, with the types that only they use.
    fn fields(&mut self, properties: &[Element<'_, Property>], indent: usize, text: &mut String) {
        let ledger = &self.export.ledger;
        let own: Vec<_> = properties.iter().map(|property| property.it.name.as_str()).collect();
        // Two names that are one in JSON clash.
        let in_json = |name: &str| name.replace('_', "").to_ascii_lowercase();
        let mapped = names::distinct(&own, names::identifier, in_json);
        let wanted: Vec<_> = properties.iter().map(|property| ledger.custom(&property.path, NUMBER)).collect();
        let numbers = numbers(&wanted);
        let mut scope = Scope::default();
        mapped.iter().for_each(|name| drop(scope.take(name)));
        for ((property, name), (number, is_wanted)) in properties.iter().zip(&mapped).zip(numbers) {
            self.say_name(&property.path, &property.it.name, name);
            if is_wanted {
                self.export.ledger.take_custom(&property.path, NUMBER);
                let id = Map::from_iter([("id".to_owned(), format!("field-{number}").into())]);
                self.export.ledger.hold_equal(&property.path, &id);
            }
            self.field(property, name, number, indent, &mut scope, text);
        }
    }

    fn field(
        &mut self,
        property: &Element<'_, Property>,
        name: &str,
        number: u64,
        indent: usize,
        scope: &mut Scope,
        text: &mut String,
    ) {
        let ledger = &self.export.ledger;
        let path = &property.path;
        ledger.hold_defaults(path);
        let description = self.description(path);
        let typed = self.kind(property, name, indent, scope);
        let ledger = &self.export.ledger;
        let mut read_back = typed.read_back;
        if property.it.required && typed.is_scalar {
            set(&mut read_back, "required", true);
        }
        ledger.hold_equal(path, &read_back);
        let label = match typed.label {
            "" if typed.is_scalar && !property.it.required => "optional ",
            label => label,
        };
        let mut options = "";
        if property.it.deprecated {
            options = " [deprecated = true]";
            ledger.hold(&pointer(path, "deprecated"));
        }
        text.push_str(&typed.declared);
        self.comment(path, description, indent, text);
        let indent = "  ".repeat(indent);
        text.push_str(&format!("{indent}{label}{} {name} = {number}{options};\n", typed.word));
    }

    /// The type of a field.
    fn kind(&mut self, property: &Element<'_, Property>, name: &str, indent: usize, scope: &mut Scope) -> FieldType {
        match shape(property.it) {
            Shape::List => {
                let items = property.items();
                let mut inner = match &items {
                    Some(items) => self.single(items, name, indent, scope),
                    None => word("string"),
                };
                if let Some(items) = &items {
                    set(&mut inner.read_back, "required", true);
                    self.export.ledger.hold_equal(&items.path, &inner.read_back);
                }
                FieldType { label: "repeated ", read_back: composite("array", "repeated"), is_scalar: false, ..inner }
            }
            Shape::Vector => {
                let is_double = property.it.options.element_type.as_deref() == Some("float64");
                FieldType {
                    label: "repeated ",
                    is_scalar: false,
                    read_back: Map::new(),
                    ..word(if is_double { "double" } else { "float" })
                }
            }
            Shape::Map => {
                let Some((key, value)) = property.entry() else {
                    return FieldType { is_scalar: false, ..word("map<string, string>") };
                };
                let key_word = match shape(key.it) {
                    Shape::Boolean => "bool",
                    Shape::Integer { .. } => scalar_word(key.it),
                    // Protobuf has no other keys.
                    Shape::Float { .. }
                    | Shape::Decimal { .. }
                    | Shape::Text { .. }
                    | Shape::Uuid
                    | Shape::Binary
                    | Shape::Date
                    | Shape::Time
                    | Shape::Timestamp { .. }
                    | Shape::Struct
                    | Shape::List
                    | Shape::Map
                    | Shape::Vector
                    | Shape::Json => "string",
                };
                let mut read_back = Map::new();
                scalar(key_word, &mut read_back);
                set(&mut read_back, "required", true);
                self.export.ledger.hold_equal(&key.path, &read_back);
                let mut inner = self.single(&value, name, indent, scope);
                set(&mut inner.read_back, "required", true);
                self.export.ledger.hold_equal(&value.path, &inner.read_back);
                let word = format!("map<{key_word}, {}>", inner.word);
                FieldType { word, read_back: composite("map", "map"), is_scalar: false, ..inner }
            }
            Shape::Boolean
            | Shape::Integer { .. }
            | Shape::Float { .. }
            | Shape::Decimal { .. }
            | Shape::Text { .. }
            | Shape::Uuid
            | Shape::Binary
            | Shape::Date
            | Shape::Time
            | Shape::Timestamp { .. }
            | Shape::Struct
            | Shape::Json => self.single(property, name, indent, scope),
        }
    }

    /// The type of one value: a list or map in a list or map needs a message around it.
    fn single(&mut self, property: &Element<'_, Property>, name: &str, indent: usize, scope: &mut Scope) -> FieldType {
        match shape(property.it) {
            Shape::Struct => {
                let message = scope.take(&names::upper_camel(name));
                let mut inner = String::new();
                self.fields(&property.members(), indent + 1, &mut inner);
                let pad = "  ".repeat(indent);
                let declared = format!("{pad}message {message} {{\n{inner}{pad}}}\n");
                FieldType {
                    label: "",
                    word: message,
                    declared,
                    read_back: composite("object", "message"),
                    is_scalar: false,
                }
            }
            Shape::List | Shape::Map | Shape::Vector => {
                let message = scope.take(&names::upper_camel(name));
                let mut inner = Scope::default();
                inner.take("values");
                // An import sees a message, and takes what is in the list from the comment.
                let ledger = &self.export.ledger;
                let typed = ledger.without_holding(|| self.kind(property, "values", indent + 1, &mut inner));
                let pad = "  ".repeat(indent);
                let FieldType { label, word, declared, .. } = typed;
                let field = format!("{pad}  {label}{word} values = 1;\n");
                let declared = format!("{pad}message {message} {{\n{declared}{field}{pad}}}\n");
                self.export.ledger.changed(
                    &property.path,
                    "was wrapped in a message with one field `values`: Protobuf cannot nest lists or maps",
                );
                FieldType { label: "", word: message, declared, read_back: Map::new(), is_scalar: false }
            }
            Shape::Timestamp { zoned: true } => {
                self.needs_timestamp = true;
                let mut read_back = composite("timestamp", TIMESTAMP);
                option(&mut read_back, "timezone", true);
                let word = format!(".{TIMESTAMP}");
                FieldType { label: "", word, declared: String::new(), read_back, is_scalar: false }
            }
            Shape::Boolean
            | Shape::Integer { .. }
            | Shape::Float { .. }
            | Shape::Decimal { .. }
            | Shape::Text { .. }
            | Shape::Uuid
            | Shape::Binary
            | Shape::Date
            | Shape::Time
            | Shape::Timestamp { zoned: false }
            | Shape::Json => {
                self.enumeration(property, name, indent, scope).unwrap_or_else(|| word(scalar_word(property.it)))
            }
        }
    }

    /// An enumeration of texts. Its values are constants here; the texts themselves stand in the comment.
    fn enumeration(
        &self,
        property: &Element<'_, Property>,
        name: &str,
        indent: usize,
        scope: &mut Scope,
    ) -> Option<FieldType> {
        let values: Vec<&str> = property.it.enumeration.iter().map(text_of).collect::<Option<_>>()?;
        if values.is_empty() || !matches!(shape(property.it), Shape::Text { .. }) {
            return None;
        }
        let kind = scope.take(&names::upper_camel(name));
        let prefix = names::identifier(name).to_ascii_uppercase();
        let pad = "  ".repeat(indent);
        let mut declared =
            format!("{pad}enum {kind} {{\n{pad}  {} = 0;\n", scope.take(&format!("{prefix}_UNSPECIFIED")));
        for (number, value) in (1..).zip(values) {
            let constant = format!("{prefix}_{}", names::identifier(value).to_ascii_uppercase());
            declared.push_str(&format!("{pad}  {} = {number};\n", scope.take(&constant)));
        }
        declared.push_str(&format!("{pad}}}\n"));
        Some(FieldType { label: "", word: kind, declared, read_back: composite("string", "enum"), is_scalar: true })
    }
}

fn composite(logical: &str, physical: &str) -> Fields {
    let mut read_back = Map::new();
    set(&mut read_back, "logicalType", logical);
    set(&mut read_back, "physicalType", physical);
    read_back
}

fn word(word: &str) -> FieldType {
    let mut read_back = Map::new();
    scalar(word, &mut read_back);
    FieldType { label: "", word: word.to_owned(), declared: String::new(), read_back, is_scalar: true }
}

/// The word of a type without parts. One that Protobuf does not have is a text.
fn scalar_word(property: &Property) -> &'static str {
    const WORDS: [&str; 10] =
        ["sint32", "sint64", "fixed32", "fixed64", "sfixed32", "sfixed64", "int32", "int64", "uint32", "uint64"];
    let named = WORDS.into_iter().find(|word| property.physical_type.as_deref() == Some(word));
    match shape(property) {
        Shape::Boolean => "bool",
        Shape::Integer { bits, signed } => named.unwrap_or(match (bits, signed) {
            (64, true) => "int64",
            (64, false) => "uint64",
            (_, true) => "int32",
            (_, false) => "uint32",
        }),
        Shape::Float { bits: 32 } => "float",
        Shape::Float { .. } => "double",
        Shape::Binary => "bytes",
        Shape::Decimal { .. }
        | Shape::Text { .. }
        | Shape::Uuid
        | Shape::Date
        | Shape::Time
        | Shape::Timestamp { .. }
        | Shape::Struct
        | Shape::List
        | Shape::Map
        | Shape::Vector
        | Shape::Json => "string",
    }
}

/// The fields' numbers, and whether it is the one that the document names: else the field's position, or the next
/// number that is free.
fn numbers(wanted: &[Option<&Value>]) -> Vec<(u64, bool)> {
    let mut taken = HashSet::new();
    let named: Vec<_> = wanted
        .iter()
        .map(|number| number.and_then(Value::as_u64))
        .map(|number| number.filter(|it| (1..=MAX_NUMBER).contains(it) && !RESERVED.contains(it) && taken.insert(*it)))
        .collect();
    let mut next = 1;
    let mut number = |(position, named): (u64, Option<u64>)| match named {
        Some(number) => (number, true),
        None => {
            next = next.max(position);
            while RESERVED.contains(&next) || !taken.insert(next) {
                next += 1;
            }
            (next, false)
        }
    };
    (1..).zip(named).map(&mut number).collect()
}
