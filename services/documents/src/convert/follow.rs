//! The next version of a contract document, with one object replaced by a schema.

use domain::contract::SchemaObject;
use domain::name::Name;
use domain::version::Version;
use serde_json::{Map, Value};

use super::types::{Converted, Foreign, ImportOptions};
use super::{import_with, yaml};
use crate::node::Node;
use crate::problem::{Problem, fault};
use crate::{Document, parse};

/// What a schema says of a column; everything else is the contract's own and stays.
const OF_SCHEMA: &[&str] = &["logicalType", "physicalType", "required", "enum", "items", "map", "properties"];

/// The document of a contract in which the object of this name in addresses has the columns that a schema gives it.
/// What only the contract says of a column of the same name (id, classification, quality, ...) stays. `status` replaces
/// the document's own.
///
/// # Errors
/// What is wrong with the schema, or with the document that it would make.
pub fn follow(
    bytes: &[u8],
    object: &Name,
    schema: Foreign<'_>,
    version: Version,
    status: Option<&str>,
) -> Result<String, Vec<Problem>> {
    let text = std::str::from_utf8(bytes).map_err(|error| vec![fault("", error.to_string())])?;
    let Document::Contract(contract) = parse(bytes)?.document else {
        return Err(vec![fault("", "a data product has no schema objects")]);
    };
    let is_meant = |candidate: &SchemaObject| candidate.table_name().as_ref() == Ok(object);
    let index = contract.objects.iter().position(is_meant);
    let index = index.ok_or_else(|| vec![fault("/schema", format!("the contract has no `{object}`"))])?;

    let name = contract.objects[index].name.clone();
    let options =
        ImportOptions { id: "schema".to_owned(), name: None, version: version.to_string(), object: Some(name) };
    let Converted { text: imported, .. } = import_with(schema, &options)?;
    let imported = tree(&imported)?;
    let columns = imported.pointer("/schema/0/properties").cloned().unwrap_or_else(|| Value::Array(Vec::new()));

    let mut document = tree(text)?;
    let Some(own) = document.pointer_mut(&format!("/schema/{index}")).and_then(Value::as_object_mut) else {
        return Err(vec![fault("/schema", format!("the contract has no `{object}`"))]);
    };
    let old = own.remove("properties").unwrap_or(Value::Null);
    own.insert("properties".to_owned(), columns_of(&old, columns));
    let Value::Object(document) = &mut document else { return Err(vec![fault("", "the document is not an object")]) };
    document.insert("version".to_owned(), version.to_string().into());
    if let Some(status) = status {
        document.insert("status".to_owned(), status.into());
    }
    let written = yaml::write(document);
    // A schema may say what the document's version of the standard has no field for.
    if parse(written.as_bytes()).is_ok() {
        return Ok(written);
    }
    document.insert("apiVersion".to_owned(), "v3.2.0".into());
    let written = yaml::write(document);
    parse(written.as_bytes()).map(|_| written)
}

fn tree(text: &str) -> Result<Value, Vec<Problem>> {
    Ok(Node::parse(text).map_err(|problem| vec![problem])?.to_json())
}

/// The columns that a schema gives, each with what the contract says of it.
fn columns_of(old: &Value, new: Value) -> Value {
    let Value::Array(new) = new else { return new };
    let old = old.as_array().map(Vec::as_slice).unwrap_or_default();
    let with_old = |column: Value| {
        let same = old.iter().find(|candidate| candidate.get("name") == column.get("name"));
        match same {
            Some(Value::Object(old)) => column_of(old, column),
            _ => column,
        }
    };
    Value::Array(new.into_iter().map(with_old).collect())
}

fn column_of(old: &Map<String, Value>, new: Value) -> Value {
    let Value::Object(mut new) = new else { return new };
    if !old.contains_key("physicalType") && old.get("logicalType") == new.get("logicalType") {
        keep_logical(old, &mut new);
    }
    let mut column = old.clone();
    for key in OF_SCHEMA {
        let value = match (*key, new.remove(*key), old.get(*key)) {
            ("properties", Some(members), Some(own)) => Some(columns_of(own, members)),
            ("items", Some(items), Some(Value::Object(own))) => Some(column_of(own, items)),
            (_, value, _) => value,
        };
        match value {
            Some(value) => column.insert((*key).to_owned(), value),
            None => column.remove(*key),
        };
    }
    for (key, value) in new {
        match (key.as_str(), column.get_mut(&key)) {
            // The schema's constraints count; those that its format has no word for stay the contract's.
            ("logicalTypeOptions", Some(Value::Object(own))) => {
                if let Value::Object(options) = value {
                    own.extend(options);
                }
            }
            // Names and marks of the contract's own are not overwritten by what an import makes up.
            ("description", Some(own)) => *own = value,
            (_, Some(_)) | ("customProperties", None) => {}
            (_, None) => {
                column.insert(key, value);
            }
        }
    }
    Value::Object(column)
}

/// A contract that promises a logical type, and not how it is written, goes on promising that alone.
fn keep_logical(old: &Map<String, Value>, new: &mut Map<String, Value>) {
    new.remove("physicalType");
    let promises_format = old.get("logicalTypeOptions").is_some_and(|options| options.get("format").is_some());
    if let Some(Value::Object(options)) = new.get_mut("logicalTypeOptions").filter(|_| !promises_format) {
        options.remove("format");
        if options.is_empty() {
            new.remove("logicalTypeOptions");
        }
    }
}
