//! JSON Schema 2020-12, <https://json-schema.org/draft/2020-12>; older drafts are read as well.
//!
//! What JSON Schema has no keyword for lies under `x-odcs`, beside the keywords of its schema.

use domain::contract::{LogicalType, Property, SchemaObject};
use serde_json::{Map, Value, json};

use super::draft::{Draft, Fields, custom, enumeration, option, overlay, set, set_text, with_name};
use super::element::{Element, Export, fundamentals};
use super::json::{self, pointer};
use super::shape::{Shape, shape};
use super::types::ImportOptions;
use crate::json_schema::Draft as Version;
use crate::json_schema::index::{Index, Scope};
use crate::message::References;
use crate::problem::{Problem, fault};

const DIALECT: &str = "https://json-schema.org/draft/2020-12/schema";
/// The keyword for what JSON Schema has no word for.
const BESIDE: &str = "x-odcs";
/// The keyword that names the contract behind an exported schema.
const CONTRACT: &str = "x-odcs-contract";
/// Formats that mean a logical type of their own.
const TYPED_FORMATS: [&str; 3] = ["date", "date-time", "time"];

/// Keywords of values of one type that ODCS has under the same name.
const TEXT: &[&str] = &["minLength", "maxLength"];
const NUMBER: &[&str] = &["minimum", "maximum", "exclusiveMinimum", "exclusiveMaximum", "multipleOf"];
const ARRAY: &[&str] = &["minItems", "maxItems", "uniqueItems"];
const OBJECT: &[&str] = &["minProperties", "maxProperties"];

/// Keywords that are read wherever they stand, or say nothing about the data.
const KNOWN: &[&str] = &[
    "$schema",
    "$id",
    "$defs",
    "definitions",
    "$comment",
    "$ref",
    "$anchor",
    "type",
    "title",
    "description",
    "default",
    "examples",
    "deprecated",
    "enum",
    "const",
    "format",
    "pattern",
    "properties",
    "required",
    "items",
    "contentEncoding",
    "anyOf",
    "oneOf",
    "allOf",
    "nullable",
    CONTRACT,
];

/// Reads a schema of an object.
pub(super) fn import(
    text: &str,
    references: &References,
    options: &ImportOptions,
    draft: &mut Draft,
) -> Result<(), Problem> {
    let root = json::read(text)?;
    let read = |(name, text): (&'_ String, &String)| Ok((name.clone(), json::read(text)?));
    let referred = references.iter().map(read).collect::<Result<Vec<_>, Problem>>()?;
    let mut index = Index::new(&root, Version::of(&root).unwrap_or_default());
    for (name, schema) in &referred {
        index.add(name, schema, Version::of(schema).unwrap_or_default());
    }
    let scope = index.root_scope();
    let mut reader = Reader { index: &index, scope, draft, references: Vec::new() };
    let mut fields = Map::new();
    reader.schema(&root, "", 0, &mut fields)?;
    if fields.get("logicalType").and_then(Value::as_str) != Some("object") {
        return Err(fault("", "a contract can only be created from the schema of an object"));
    }
    let title = root.get("title").and_then(Value::as_str);
    let named_by = root.get("$id").and_then(Value::as_str).and_then(|id| id.trim_end_matches('/').rsplit('/').next());
    let name = options.object.as_deref().or(title).or(named_by).unwrap_or("object");
    // Of an object the title is the name, and ODCS has no options for it.
    fields.remove("businessName");
    fields.remove("required");
    if let Some(options) = fields.remove("logicalTypeOptions") {
        reader.draft.note("", format!("{options} has no equivalent for a schema object"));
    }
    let mut object = with_name(name);
    overlay(&mut object, fields);
    draft.objects.push(object);
    Ok(())
}

/// Takes over keywords that are options of the same name in a contract.
fn copy_options(keywords: &Fields, names: &[&str], fields: &mut Fields) {
    for name in names {
        if let Some(value) = keywords.get(*name) {
            option(fields, name, value.clone());
        }
    }
}

struct Reader<'a, 'd> {
    /// Where references lead.
    index: &'d Index<'a>,
    /// What those in the schema at hand are relative to.
    scope: Scope,
    draft: &'d mut Draft,
    /// The schemas that references are being followed to, by their addresses: a schema may hold itself.
    references: Vec<*const Value>,
}

impl<'a> Reader<'a, '_> {
    /// What a schema says of a value.
    fn schema(&mut self, schema: &'a Value, path: &str, depth: usize, fields: &mut Fields) -> Result<(), Problem> {
        self.draft.column(path, depth)?;
        let keywords = match schema {
            Value::Object(keywords) => keywords,
            Value::Bool(true) => return Ok(()),
            _ => return Err(fault(path, "a schema must be an object")),
        };
        if let Some(reference) = keywords.get("$ref").and_then(Value::as_str) {
            let scope = self.index.scope(schema, &self.scope);
            self.reference(reference, &scope, path, depth, fields)?;
        }
        for name in ["anyOf", "oneOf", "allOf"] {
            if let Some(Value::Array(branches)) = keywords.get(name) {
                self.branches(name, branches, path, depth, fields)?;
            }
        }
        let word = self.type_word(keywords, path, fields);
        if let Some(word) = word {
            self.value_of_type(word, keywords, path, depth, fields)?;
        }
        set_text(fields, "businessName", keywords.get("title").and_then(Value::as_str));
        set_text(fields, "description", keywords.get("description").and_then(Value::as_str));
        if let Some(values) = keywords.get("enum").and_then(Value::as_array) {
            self.values(values, path, fields);
        } else if let Some(value) = keywords.get("const") {
            self.values(std::slice::from_ref(value), path, fields);
        }
        if let Some(Value::Array(examples)) = keywords.get("examples") {
            set(fields, "examples", examples.clone());
        }
        if keywords.get("deprecated") == Some(&Value::Bool(true)) {
            set(fields, "deprecated", true);
        }
        if keywords.get("nullable") == Some(&Value::Bool(true)) {
            set(fields, "required", false);
        }
        if let Some(default) = keywords.get("default").filter(|default| !default.is_null()) {
            custom(fields, "default", default.clone());
        }
        self.others(word, keywords, path, fields);
        Ok(())
    }

    fn reference(
        &mut self,
        reference: &str,
        scope: &Scope,
        path: &str,
        depth: usize,
        fields: &mut Fields,
    ) -> Result<(), Problem> {
        let at = pointer(path, "$ref");
        let Some((found, inside)) = self.index.find(reference, scope) else {
            return Err(fault(
                &at,
                "resolves to no schema here or among the references; other documents are not fetched: put it under `$defs`",
            ));
        };
        if self.references.contains(&std::ptr::from_ref(found)) {
            self.draft.note(&at, "the schema is recursive, which contracts cannot express; it is cut off here");
            set(fields, "logicalType", "object");
            return Ok(());
        }
        self.references.push(found);
        let around = std::mem::replace(&mut self.scope, inside);
        let result = self.schema(found, path, depth + 1, fields);
        self.scope = around;
        self.references.pop();
        // The title of a shared type is not the name of what has it.
        fields.remove("businessName");
        result
    }

    /// Alternatives: one of a type or null is a value that may be null, and a conjunction of one is that one.
    fn branches(
        &mut self,
        name: &str,
        branches: &'a [Value],
        path: &str,
        depth: usize,
        fields: &mut Fields,
    ) -> Result<(), Problem> {
        let is_null = |branch: &Value| branch.get("type").and_then(Value::as_str) == Some("null");
        let others: Vec<_> = branches.iter().enumerate().filter(|(_, branch)| !is_null(branch)).collect();
        let at = pointer(path, name);
        if name == "allOf" || others.len() == 1 {
            for (index, branch) in &others {
                self.schema(branch, &pointer(&at, index), depth + 1, fields)?;
            }
            if others.len() < branches.len() {
                set(fields, "required", false);
            }
        } else {
            self.draft.note(&at, "a contract has no alternatives, so this column has no logical type");
        }
        Ok(())
    }

    /// The one type that is not null. `required: false` where null is one too.
    fn type_word(&mut self, keywords: &'a Fields, path: &str, fields: &mut Fields) -> Option<&'a str> {
        match keywords.get("type") {
            Some(Value::String(word)) => Some(word),
            Some(Value::Array(words)) => {
                let others: Vec<_> = words.iter().filter_map(Value::as_str).filter(|word| *word != "null").collect();
                if others.len() < words.len() {
                    set(fields, "required", false);
                }
                match others.as_slice() {
                    [only] => Some(only),
                    _ => {
                        self.draft.note(
                            &pointer(path, "type"),
                            "a contract has no alternatives, so this column has no logical type",
                        );
                        None
                    }
                }
            }
            _ if keywords.contains_key("properties") => Some("object"),
            _ if keywords.contains_key("items") => Some("array"),
            _ if keywords.get("enum").and_then(Value::as_array).is_some_and(|all| all.iter().all(Value::is_string)) => {
                Some("string")
            }
            _ => None,
        }
    }

    /// What a type and its keywords say.
    fn value_of_type(
        &mut self,
        word: &str,
        keywords: &'a Fields,
        path: &str,
        depth: usize,
        fields: &mut Fields,
    ) -> Result<(), Problem> {
        match word {
            "string" => self.text(keywords, path, fields),
            "integer" | "number" => self.number(word, keywords, path, fields),
            "boolean" => set(fields, "logicalType", "boolean"),
            "array" => self.array(keywords, path, depth, fields)?,
            "object" => self.object(keywords, path, depth, fields)?,
            _ => self.draft.note(&pointer(path, "type"), format!("`{word}` is not a type of contracts")),
        }
        Ok(())
    }

    fn text(&mut self, keywords: &Fields, path: &str, fields: &mut Fields) {
        let format = keywords.get("format").and_then(Value::as_str);
        match format {
            Some("date") => set(fields, "logicalType", "date"),
            Some("time") => set(fields, "logicalType", "time"),
            Some("date-time") => {
                set(fields, "logicalType", "timestamp");
                option(fields, "timezone", true);
            }
            _ => {
                set(fields, "logicalType", "string");
                copy_options(keywords, TEXT, fields);
                if let Some(pattern) = keywords.get("pattern").and_then(Value::as_str) {
                    self.draft.pattern(&pointer(path, "pattern"), fields, pattern);
                }
                if keywords.get("contentEncoding").and_then(Value::as_str).is_some() {
                    option(fields, "format", "binary");
                } else if let Some(format) = format {
                    option(fields, "format", format);
                }
            }
        }
    }

    fn number(&mut self, word: &str, keywords: &Fields, path: &str, fields: &mut Fields) {
        set(fields, "logicalType", word);
        for name in NUMBER {
            match keywords.get(*name) {
                Some(bound @ Value::Number(_)) => option(fields, name, bound.clone()),
                Some(_) => self.draft.note(&pointer(path, name), "is not a number, as since draft 6"),
                None => {}
            }
        }
        let format = keywords.get("format").and_then(Value::as_str);
        let bits = match (word, format) {
            ("integer", Some("int32")) => Some("i32"),
            ("integer", Some("int64")) => Some("i64"),
            ("number", Some("float")) => Some("f32"),
            ("number", Some("double")) => Some("f64"),
            _ => None,
        };
        if let Some(bits) = bits {
            option(fields, "format", bits);
        } else if format.is_some() {
            self.draft.note(&pointer(path, "format"), "is not a number format of contracts");
        }
    }

    fn array(&mut self, keywords: &'a Fields, path: &str, depth: usize, fields: &mut Fields) -> Result<(), Problem> {
        set(fields, "logicalType", "array");
        copy_options(keywords, ARRAY, fields);
        match keywords.get("items") {
            Some(items @ (Value::Object(_) | Value::Bool(true))) => {
                let mut inner = Map::new();
                set(&mut inner, "required", true);
                self.schema(items, &pointer(path, "items"), depth + 1, &mut inner)?;
                if inner.get("required") == Some(&Value::Bool(false)) {
                    inner.remove("required");
                }
                set(fields, "items", inner);
            }
            Some(_) => self.draft.note(&pointer(path, "items"), "items by position have no equivalent in a contract"),
            None => {}
        }
        Ok(())
    }

    fn object(&mut self, keywords: &'a Fields, path: &str, depth: usize, fields: &mut Fields) -> Result<(), Problem> {
        let values = keywords.get("additionalProperties");
        if let (None, Some(values @ Value::Object(_))) = (keywords.get("properties"), values) {
            let mut value = Map::new();
            set(&mut value, "required", true);
            self.schema(values, &pointer(path, "additionalProperties"), depth + 1, &mut value)?;
            set(fields, "logicalType", "map");
            set(fields, "map", json!({ "key": { "logicalType": "string", "required": true }, "value": value }));
            return Ok(());
        }
        set(fields, "logicalType", "object");
        copy_options(keywords, OBJECT, fields);
        match values {
            Some(Value::Bool(true)) | None => {}
            Some(_) => {
                let what =
                    "the schema for undeclared members has no equivalent in a contract; see its setting `closed`";
                self.draft.note(&pointer(path, "additionalProperties"), what);
            }
        }
        let required: Vec<_> = keywords.get("required").and_then(Value::as_array).into_iter().flatten().collect();
        let mut properties = Vec::new();
        for (name, schema) in keywords.get("properties").and_then(Value::as_object).into_iter().flatten() {
            let mut column = with_name(name);
            let at = pointer(&pointer(path, "properties"), name);
            if required.iter().any(|required| required.as_str() == Some(name)) {
                set(&mut column, "required", true);
            }
            self.schema(schema, &at, depth + 1, &mut column)?;
            if column.get("required") == Some(&Value::Bool(false)) {
                column.remove("required");
            }
            properties.push(Value::Object(column));
        }
        if !properties.is_empty() {
            set(fields, "properties", properties);
        }
        Ok(())
    }

    fn values(&mut self, values: &[Value], path: &str, fields: &mut Fields) {
        let values = enumeration(values);
        if values.as_array().is_some_and(|values| !values.is_empty()) {
            set(fields, "enum", values);
        } else {
            self.draft.note(&pointer(path, "enum"), "has no value that a contract can express");
        }
    }

    /// What is left: `x-odcs` is ours, other extensions go to custom properties, other keywords are noted.
    fn others(&mut self, word: Option<&str>, keywords: &Fields, path: &str, fields: &mut Fields) {
        let of_type: &[&str] = match word {
            Some("string") => TEXT,
            Some("integer" | "number") => NUMBER,
            Some("array") => ARRAY,
            Some("object") => OBJECT,
            _ => &[],
        };
        for (key, value) in keywords {
            match (key.as_str(), value) {
                (BESIDE, Value::Object(beside)) => overlay(fields, beside.clone()),
                (key, _) if KNOWN.contains(&key) || of_type.contains(&key) => {}
                ("additionalProperties", _) if word == Some("object") => {}
                (key, value) if key.starts_with("x-") => custom(fields, key, value.clone()),
                (key, _) => self.draft.note(&pointer(path, key), "has no equivalent in a contract"),
            }
        }
    }
}

/// Writes the schema of the one object.
pub(super) fn export(export: &Export<'_>) -> String {
    let schemas = export.objects.iter().map(|object| Value::Object(object_schema(export, object)));
    let one = schemas.last().unwrap_or_default();
    serde_json::to_string_pretty(&one).unwrap_or_default() + "\n"
}

fn object_schema(export: &Export<'_>, object: &Element<'_, SchemaObject>) -> Fields {
    let ledger = &export.ledger;
    let mut schema = Map::new();
    set(&mut schema, "$schema", DIALECT);
    set(&mut schema, "title", object.it.name.clone());
    ledger.hold(&pointer(&object.path, "name"));
    set_text(&mut schema, "description", ledger.take_text(&object.path, "description"));
    if ledger.field(&object.path, "logicalType").and_then(Value::as_str) == Some("object") {
        ledger.hold(&pointer(&object.path, "logicalType"));
    }
    members(export, &object.properties(), &mut schema);
    if let Some(rest) = ledger.take_rest(&object.path) {
        set(&mut schema, BESIDE, rest);
    }
    set(&mut schema, CONTRACT, fundamentals(ledger));
    schema
}

/// The keywords of an object.
fn members(export: &Export<'_>, properties: &[Element<'_, Property>], schema: &mut Fields) {
    set(schema, "type", "object");
    let mut own = Map::new();
    for property in properties {
        export.ledger.hold(&pointer(&property.path, "name"));
        own.insert(property.it.name.clone(), Value::Object(value_schema(export, property)));
    }
    set(schema, "properties", own);
    let required: Vec<_> =
        properties.iter().filter(|property| property.it.required).map(|property| property.it.name.clone()).collect();
    if !required.is_empty() {
        set(schema, "required", required);
    }
}

fn value_schema(export: &Export<'_>, property: &Element<'_, Property>) -> Fields {
    let ledger = &export.ledger;
    let path = &property.path;
    ledger.hold_defaults(path);
    ledger.hold(&pointer(path, "required"));
    let mut schema = Map::new();
    set_text(&mut schema, "title", ledger.take_text(path, "businessName"));
    set_text(&mut schema, "description", ledger.take_text(path, "description"));
    let word = type_keywords(export, property, &mut schema);
    let kind = if property.it.required { json!(word) } else { json!([word, "null"]) };
    set(&mut schema, "type", kind);
    if let Some(Value::Array(entries)) = ledger.field(path, "enum") {
        let mut values: Vec<_> = entries.iter().filter_map(|entry| entry.get("value")).cloned().collect();
        if !property.it.required && !values.contains(&Value::Null) {
            values.push(Value::Null);
        }
        ledger.hold_bare_values(&pointer(path, "enum"));
        set(&mut schema, "enum", values);
    }
    if let Some(Value::Array(examples)) = ledger.field(path, "examples") {
        set(&mut schema, "examples", examples.clone());
        ledger.hold(&pointer(path, "examples"));
    }
    if property.it.deprecated {
        set(&mut schema, "deprecated", true);
        ledger.hold(&pointer(path, "deprecated"));
    }
    if let Some(default) = ledger.take_custom(path, "default") {
        set(&mut schema, "default", default.clone());
    }
    if let Some(rest) = ledger.take_rest(path) {
        set(&mut schema, BESIDE, rest);
    }
    schema
}

/// The word for the type, and its keywords. Holds what an import reads of them.
fn type_keywords(export: &Export<'_>, property: &Element<'_, Property>, schema: &mut Fields) -> &'static str {
    let value = ValueExport { export, property, options: pointer(&property.path, "logicalTypeOptions") };
    match shape(property.it) {
        Shape::Boolean => {
            value.hold_type("boolean");
            "boolean"
        }
        Shape::Integer { .. } => value.number("integer", schema),
        // A whole number of many digits is still one.
        Shape::Float { .. } | Shape::Decimal { .. } if property.it.logical_type == Some(LogicalType::Integer) => {
            value.number("integer", schema)
        }
        Shape::Float { .. } | Shape::Decimal { .. } => value.number("number", schema),
        shape @ (Shape::Text { .. } | Shape::Uuid | Shape::Binary) => value.text(shape, schema),
        Shape::Date => value.clock("date", "date", schema),
        Shape::Time => value.clock("time", "time", schema),
        Shape::Timestamp { zoned: true } => {
            if property.it.options.timezone == Some(true) {
                export.ledger.hold(&pointer(&value.options, "timezone"));
            }
            value.clock("timestamp", "date-time", schema)
        }
        // A reading of a clock without a zone is no `date-time`.
        Shape::Timestamp { zoned: false } => "string",
        Shape::Struct => value.object(schema),
        Shape::Json => {
            value.hold_type("object");
            "object"
        }
        Shape::List => value.array(schema),
        Shape::Vector => value.vector(schema),
        Shape::Map => value.map(schema),
    }
}

/// A property whose type is written.
struct ValueExport<'a, 'e> {
    export: &'a Export<'e>,
    property: &'a Element<'a, Property>,
    /// The path of its options.
    options: String,
}

impl ValueExport<'_, '_> {
    /// Takes over options that are keywords of the same name.
    fn copy(&self, names: &[&str], schema: &mut Fields) {
        let ledger = &self.export.ledger;
        for name in names {
            if let Some(value @ (Value::Number(_) | Value::Bool(_))) = ledger.field(&self.options, name)
                && (value.is_number() || *name == "uniqueItems")
            {
                set(schema, name, value.clone());
                ledger.hold(&pointer(&self.options, name));
            }
        }
    }

    fn hold_type(&self, word: &str) {
        if self.property.it.logical_type.map(LogicalType::as_str) == Some(word) {
            self.export.ledger.hold(&pointer(&self.property.path, "logicalType"));
        }
    }

    fn number(&self, word: &'static str, schema: &mut Fields) -> &'static str {
        self.hold_type(word);
        self.copy(NUMBER, schema);
        word
    }

    fn clock(&self, logical: &str, format: &str, schema: &mut Fields) -> &'static str {
        self.hold_type(logical);
        set(schema, "format", format);
        "string"
    }

    fn text(&self, shape: Shape, schema: &mut Fields) -> &'static str {
        let ledger = &self.export.ledger;
        let holds_format =
            |word: &str| ledger.hold_equal(&self.options, &Map::from_iter([("format".to_owned(), json!(word))]));
        self.hold_type("string");
        self.copy(TEXT, schema);
        set_text(schema, "pattern", ledger.take_text(&self.options, "pattern"));
        match (shape, self.property.it.options.format.as_deref()) {
            (Shape::Uuid, _) => {
                set(schema, "format", "uuid");
                holds_format("uuid");
            }
            (Shape::Binary, _) => {
                set(schema, "contentEncoding", "base64");
                holds_format("binary");
            }
            (_, Some(format)) if !TYPED_FORMATS.contains(&format) => {
                set(schema, "format", format);
                ledger.hold(&pointer(&self.options, "format"));
            }
            (_, _) => {}
        }
        "string"
    }

    fn object(&self, schema: &mut Fields) -> &'static str {
        let ledger = &self.export.ledger;
        self.hold_type("object");
        self.copy(OBJECT, schema);
        members(self.export, &self.property.members(), schema);
        if let Some(required) = ledger.field(&self.options, "required").and_then(Value::as_array) {
            let members = &self.property.it.members;
            let is_member = |name: &&Value| members.iter().any(|it| Some(it.name.as_str()) == name.as_str());
            if required.iter().filter(is_member).count() == required.len() {
                ledger.hold(&pointer(&self.options, "required"));
            }
        }
        "object"
    }

    fn array(&self, schema: &mut Fields) -> &'static str {
        self.hold_type("array");
        self.copy(ARRAY, schema);
        if let Some(items) = self.property.items() {
            set(schema, "items", value_schema(self.export, &items));
        }
        "array"
    }

    fn vector(&self, schema: &mut Fields) -> &'static str {
        set(schema, "items", json!({ "type": "number" }));
        if let Some(dimensions) = self.property.it.options.dimensions {
            set(schema, "minItems", dimensions);
            set(schema, "maxItems", dimensions);
        }
        "array"
    }

    fn map(&self, schema: &mut Fields) -> &'static str {
        let Some((key, value)) = self.property.entry() else { return "object" };
        self.hold_type("map");
        if matches!(shape(key.it), Shape::Text { .. }) {
            let read_back = json!({ "logicalType": "string", "required": true });
            self.export.ledger.hold_equal(&key.path, read_back.as_object().unwrap_or(&Map::new()));
        }
        set(schema, "additionalProperties", value_schema(self.export, &value));
        "object"
    }
}
