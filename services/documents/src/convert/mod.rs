//! Import of foreign schemas as contracts, and export of contracts as foreign schemas.
//!
//! [`import`] makes an ODCS document of a schema and notes what of the schema no contract can hold. [`export`] makes a
//! schema of a contract and lists what the target cannot hold: every field of the document is either in the text or in
//! that list, since [`ledger`] counts as lost whatever an exporter does not claim. Where a format allows attributes of
//! its users (Avro, JSON Schema, Delta, dbt) or keeps comments (Protobuf), what it has no word for lies there under
//! `odcs`, and an import finds it again. What is said of the contract and not of its data (servers, service levels, team,
//! price) is not put into schemas.
//!
//! Nothing is ever fetched: imports and references to other files lead to the texts that are handed in, or are refused.
//!
//! To add a format: a file with `import` and `export`, a variant of [`Source`] or [`Target`], a golden file, and a line
//! in the tests' table of targets.

mod avro;
mod dbt;
mod delta;
mod dialect;
mod draft;
mod element;
mod expectations;
mod follow;
mod html;
mod iceberg;
mod json;
mod json_schema;
mod ledger;
mod markdown;
mod names;
mod page;
mod protobuf;
mod shape;
mod sql;
mod start;
mod types;
mod yaml;

use domain::contract::{self, SchemaObject};

use self::draft::Draft;
use self::element::{Element, Export};
pub use self::follow::follow;
use self::ledger::Ledger;
pub use self::markdown::inline as markdown_text;
pub use self::start::{StartOptions, start};
pub use self::types::{Converted, Dialect, Exported, Foreign, ImportOptions, Note, Source, Target};
use crate::message::References;
use crate::node::Node;
use crate::odcs::sql::name_no_object;
use crate::problem::fault;
use crate::{Document, MAX_DOCUMENT_BYTES, ParsedDocument, Problem, parse_to_compare};

/// The largest source of an import, in bytes: the manifest of a large dbt project.
pub const MAX_SOURCE_BYTES: usize = 4 * MAX_DOCUMENT_BYTES;

/// Makes an ODCS document of a foreign schema that refers to none.
///
/// # Errors
/// As [`import_with`].
pub fn import(source: Source, text: &str, options: &ImportOptions) -> Result<Converted, Vec<Problem>> {
    import_with(Foreign { source, text, references: &References::new() }, options)
}

/// Makes an ODCS document of a foreign schema. What it refers to is a part of what refers to it.
///
/// # Errors
/// What is wrong with the schema, or with the contract that it would make.
pub fn import_with(foreign: Foreign<'_>, options: &ImportOptions) -> Result<Converted, Vec<Problem>> {
    draft_of(foreign, options)?.finish(options)
}

fn draft_of(foreign: Foreign<'_>, options: &ImportOptions) -> Result<Draft, Vec<Problem>> {
    let Foreign { source, text, references } = foreign;
    if text.len() > MAX_SOURCE_BYTES {
        let message = format!("the source has {} bytes; at most {MAX_SOURCE_BYTES} are allowed", text.len());
        return Err(vec![fault("", message)]);
    }
    let mut draft = Draft::default();
    match source {
        Source::Avro => avro::import(text, references, &mut draft),
        Source::JsonSchema => json_schema::import(text, references, options, &mut draft),
        Source::Protobuf => protobuf::import(text, references, &mut draft),
        Source::Dbt => dbt::import(text, options, &mut draft),
        Source::Delta => delta::import(text, options, &mut draft),
        Source::Iceberg => iceberg::import(text, options, &mut draft),
        Source::Sql(dialect) => sql::import(text, dialect, options, &mut draft),
    }
    .map_err(|problem| vec![problem])?;
    Ok(draft)
}

/// Makes a foreign schema of a contract; what only publishing refuses is among the warnings. `object` names one schema
/// object; Avro, JSON Schema, Delta and Great Expectations, which hold one, need it where there are several.
///
/// # Errors
/// What is wrong with the document; no such object, or none; a target that does not hold it at all.
pub fn export(bytes: &[u8], target: Target, object: Option<&str>) -> Result<Exported, Vec<Problem>> {
    target.check_dialect().map_err(|message| vec![fault("", message)])?;
    let ParsedDocument { document, warnings } = parse_to_compare(bytes)?;
    let text = std::str::from_utf8(bytes).map_err(|error| vec![fault("", error.to_string())])?;
    if target == Target::Odcs {
        return Ok(Exported { text: text.to_owned(), lost: Vec::new(), changed: Vec::new(), warnings });
    }
    let Document::Contract(contract) = document else {
        return Err(vec![fault("", "a data product has no schema; export one of its contracts")]);
    };
    let mut document = Node::parse(text).map_err(|problem| vec![problem])?.to_json();
    name_no_object(&mut document);
    let ledger = Ledger::new(&document);
    let export = Export { objects: chosen(&contract, target, object, &ledger)?, contract: &contract, ledger };
    let text = match target {
        Target::Odcs => text.to_owned(),
        Target::Avro => avro::export(&export),
        Target::JsonSchema => json_schema::export(&export),
        Target::Protobuf => protobuf::export(&export),
        Target::Delta => delta::export(&export),
        Target::Sql(dialect) => sql::export(&export, dialect),
        Target::Dbt(dialect) => dbt::export(&export, dialect),
        Target::GreatExpectations => expectations::export(&export),
        Target::Markdown => markdown::export(&export),
        Target::Html => html::export(&export),
    };
    let (changed, lost) = export.ledger.close();
    Ok(Exported { text, lost, changed, warnings })
}

/// The objects to export. What is said of others was not asked for, and is not lost.
fn chosen<'a>(
    contract: &'a contract::Document,
    target: Target,
    wanted: Option<&str>,
    ledger: &Ledger<'_>,
) -> Result<Vec<Element<'a, SchemaObject>>, Vec<Problem>> {
    let mut objects = Vec::new();
    for (index, object) in contract.objects.iter().enumerate() {
        let path = format!("/schema/{index}");
        if wanted.is_none_or(|wanted| wanted == object.name) {
            objects.push(Element { it: object, path });
        } else {
            ledger.hold(&path);
        }
    }
    let needs_one = match target {
        Target::Avro | Target::JsonSchema | Target::Delta | Target::GreatExpectations => true,
        Target::Odcs | Target::Protobuf | Target::Sql(_) | Target::Dbt(_) | Target::Markdown | Target::Html => false,
    };
    let is_page = matches!(target, Target::Markdown | Target::Html);
    match (objects.len(), wanted) {
        (0, Some(wanted)) => Err(vec![fault("/schema", format!("the contract has no `{wanted}`"))]),
        (0, None) if !is_page => {
            Err(vec![fault("/schema", "the contract has no schema object, so there is nothing to export")])
        }
        (2.., _) if needs_one => {
            let names: Vec<_> = objects.iter().map(|object| format!("`{}`", object.it.name)).collect();
            let names = crate::node::shortened(&names.join(", "));
            Err(vec![fault("/schema", format!("the target format allows one schema object; choose one of {names}"))])
        }
        _ => Ok(objects),
    }
}
