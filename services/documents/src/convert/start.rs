//! The first document of a new contract: small, with comments for people who have not written one before.

use domain::name::DomainPath;
use serde_json::{Map, Value, json};

use super::draft::{Draft, of_source};
use super::types::{Converted, Foreign, ImportOptions};
use super::{draft_of, yaml};
use crate::parse;
use crate::problem::Problem;

/// What a new contract is called, and where its table lies.
#[derive(Clone, Debug)]
pub struct StartOptions {
    /// The document's `id`.
    pub id: String,
    /// The name of the contract.
    pub name: Option<String>,
    /// The domain that it belongs to, in whose folder the tables lie.
    pub domain: Option<DomainPath>,
    /// As of an import; without a source the name of the table.
    pub object: Option<String>,
}

/// The name of the table where none is given.
const OBJECT: &str = "example";

const HEAD: &str = "\
# A data contract: what the producer of a table promises to its readers (Open Data Contract Standard, ODCS).
# Check it with `charter contract lint`. Publish it with `charter apply`, together with a data product that names the id
# below as `contractId` of an output port.
";
const ID: &str = "
# The id stays: all versions of the contract have it.
";
const VERSION: &str = "
# MAJOR.MINOR.PATCH. `charter contract diff` tells which part a change has to raise.
";
const STATUS: &str = "
# `draft` waits; `active` lets readers in as soon as the table has passed its inspection.
";
const SERVERS: &str = "
# Where the table lies: a folder below the storage root, in the folder of the domain.
";
const NO_SERVERS: &str = "
# Where the table lies: a folder below the storage root, in the folder of the domain.
# servers:
#   - server: lake
#     type: local
#     path: sales/orders
#     format: delta # or parquet
";
const SETTINGS: &str = "
# Settings of the gate, such as what happens to readers when a rule is broken: `block`, `last_good` or `warn`.
# customProperties:
#   - property: gateMode
#     value: block
";
const SLA: &str = "
# How fresh the data is.
# slaProperties:
#   - property: latency
#     value: 1
#     unit: d
";
const SCHEMA: &str = "
# The columns, and rules over the rows.
";

/// Makes the first version of a contract: of a foreign schema, or of an example table.
///
/// # Errors
/// As [`import_with`](super::import_with).
pub fn start(foreign: Option<Foreign<'_>>, options: &StartOptions) -> Result<Converted, Vec<Problem>> {
    let StartOptions { id, name, domain, object } = options;
    let import =
        ImportOptions { id: id.clone(), name: name.clone(), version: "1.0.0".to_owned(), object: object.clone() };
    let draft = match foreign {
        Some(foreign) => draft_of(foreign, &import)?,
        None => example(object.as_deref().unwrap_or(OBJECT)),
    };
    let (mut document, notes) = draft.document(&import)?;
    let mut text = HEAD.to_owned();
    let mut put = |comment: &str, fields: &[(&str, Option<Value>)]| {
        text.push_str(comment);
        let given = fields.iter().filter_map(|(key, value)| Some(((*key).to_owned(), value.clone()?)));
        text.push_str(&yaml::write(&given.collect::<Map<_, _>>()));
    };
    let mut take = |key: &str| document.remove(key);
    put("", &[("apiVersion", take("apiVersion")), ("kind", take("kind"))]);
    put(ID, &[("id", take("id")), ("name", take("name"))]);
    put(VERSION, &[("version", take("version"))]);
    put(STATUS, &[("status", take("status"))]);
    let schema = take("schema");
    let description = take("description").or_else(|| Some(json!({ "purpose": "What the data is for." })));
    put("\n", &[("domain", domain.as_ref().map(|domain| json!(domain.to_string()))), ("description", description)]);
    match domain {
        Some(domain) => put(SERVERS, &[("servers", Some(servers(domain, schema.as_ref())))]),
        None => put(NO_SERVERS, &[]),
    }
    match take("customProperties") {
        Some(own) => put("\n", &[("customProperties", Some(own))]),
        None => put(SETTINGS, &[]),
    }
    put(SLA, &[]);
    put(SCHEMA, &[("schema", schema)]);
    parse(text.as_bytes()).map_err(|problems| problems.into_iter().map(of_source).collect::<Vec<_>>())?;
    Ok(Converted { text, notes })
}

/// The folder of the table; of several tables each has the folder of its name.
fn servers(domain: &DomainPath, schema: Option<&Value>) -> Value {
    let names: Vec<&str> =
        schema.and_then(Value::as_array).into_iter().flatten().filter_map(|object| object["name"].as_str()).collect();
    let folder = match names.as_slice() {
        [only] => only,
        _ => "{model}",
    };
    json!([{ "server": "lake", "type": "local", "path": format!("{domain}/{folder}"), "format": "delta" }])
}

/// A table that shows what most contracts have.
fn example(object: &str) -> Draft {
    let column = |name: &str, logical: &str, description: &str| json!({ "name": name, "logicalType": logical, "description": description, "required": true });
    let mut key = column("id", "integer", "Identifies the row.");
    key["primaryKey"] = json!(true);
    let mut amount = column("amount", "number", "In euros, with taxes.");
    amount["logicalTypeOptions"] = json!({ "minimum": 0 });
    let table = json!({
        "name": object,
        "logicalType": "object",
        "description": "What one row is.",
        "properties": [key, amount, column("created_at", "timestamp", "When the row was written.")],
        "quality": [{ "type": "library", "metric": "rowCount", "mustBeGreaterThan": 0 }],
    });
    let mut draft = Draft::default();
    if let Value::Object(table) = table {
        draft.objects.push(table);
    }
    draft
}
