//! Import of foreign schemas as contracts, and export of contracts as foreign schemas.
//!
//! [`import`] makes an ODCS document of a schema and notes what of the schema no contract can hold. [`export`] makes a
//! schema of a contract and lists what the target cannot hold: every field of the document is either in the text or in
//! that list, since [`ledger`] counts as lost whatever an exporter does not claim. Where a format allows attributes of
//! its users (Avro, JSON Schema, Delta) or keeps comments (Protobuf), what it has no word for lies there under `odcs`,
//! and an import finds it again. What is said of the contract and not of its data (servers, service levels, team,
//! price) is not put into schemas.
//!
//! Nothing is ever fetched: imports and references to other files lead to the texts that are handed in, or are refused.
//!
//! To add a format: a file with `import` and `export`, a variant of [`Source`] or [`Target`], a golden file, and a line
//! in the tests' table of targets.

mod avro;
mod dbt;
mod delta;
mod draft;
mod follow;
mod iceberg;
mod json;
mod json_schema;
mod ledger;
mod markdown;
mod names;
mod protobuf;
mod shape;
mod sql;
mod yaml;

use std::sync::Arc;

use domain::contract::{self, Property, SchemaObject};

use self::draft::Draft;
pub use self::follow::follow;
use self::ledger::Ledger;
use crate::message::References;
use crate::node::Node;
use crate::{Document, MAX_DOCUMENT_BYTES, Problem, parse};

/// The largest source of an import, in bytes: the manifest of a large dbt project.
pub const MAX_SOURCE_BYTES: usize = 4 * MAX_DOCUMENT_BYTES;

/// The sources that a contract can be created from.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Source {
    /// An Avro schema (1.12): a record, or a union of records.
    Avro,
    /// A JSON Schema, drafts 7 to 2020-12.
    JsonSchema,
    /// A Protobuf file, proto2 or proto3.
    Protobuf,
    /// dbt's `manifest.json`, v9 to v12: its models.
    Dbt,
    /// A Delta table: an entry of its log, its `metaData` action, or the struct of its schema.
    Delta,
    /// An Iceberg table's metadata, v1 to v3, or its schema alone.
    Iceberg,
    /// `CREATE TABLE` statements.
    Sql(Dialect),
}

impl Source {
    /// The source that a word means; SQL in any dialect.
    pub fn from_word(word: &str) -> Option<Self> {
        Some(match word {
            "avro" => Self::Avro,
            "json-schema" => Self::JsonSchema,
            "protobuf" => Self::Protobuf,
            "dbt" => Self::Dbt,
            "delta" => Self::Delta,
            "iceberg" => Self::Iceberg,
            "sql" => Self::Sql(Dialect::Generic),
            _ => return None,
        })
    }
}

/// What a contract can be made into.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Target {
    /// The document's own bytes.
    Odcs,
    /// An Avro schema (1.12) of one object.
    Avro,
    /// A JSON Schema (2020-12) of one object.
    JsonSchema,
    /// A Protobuf file (proto3).
    Protobuf,
    /// The schema of a Delta table: Spark's struct as JSON, of one object.
    Delta,
    /// `CREATE TABLE` statements; [`Dialect::Spark`], and PostgreSQL's for every other.
    Sql(Dialect),
    /// A page for people, in GitHub-flavoured Markdown.
    Markdown,
}

impl Target {
    /// The target that a word means; SQL for PostgreSQL.
    pub fn from_word(word: &str) -> Option<Self> {
        Some(match word {
            "odcs" => Self::Odcs,
            "avro" => Self::Avro,
            "json-schema" => Self::JsonSchema,
            "protobuf" => Self::Protobuf,
            "delta" => Self::Delta,
            "sql" => Self::Sql(Dialect::Postgres),
            "markdown" => Self::Markdown,
            _ => return None,
        })
    }
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Dialect {
    /// Whatever several of them share.
    Generic,
    Postgres,
    /// Spark and Databricks.
    Spark,
    Snowflake,
    BigQuery,
    MySql,
    SqlServer,
    DuckDb,
    Hive,
    Redshift,
    ClickHouse,
    Sqlite,
    Oracle,
}

impl Dialect {
    /// The dialect that a word means.
    pub fn from_word(word: &str) -> Option<Self> {
        Some(match word {
            "generic" | "ansi" => Self::Generic,
            "postgres" | "postgresql" => Self::Postgres,
            "spark" | "databricks" => Self::Spark,
            "snowflake" => Self::Snowflake,
            "bigquery" => Self::BigQuery,
            "mysql" => Self::MySql,
            "sqlserver" | "mssql" => Self::SqlServer,
            "duckdb" => Self::DuckDb,
            "hive" => Self::Hive,
            "redshift" => Self::Redshift,
            "clickhouse" => Self::ClickHouse,
            "sqlite" => Self::Sqlite,
            "oracle" => Self::Oracle,
            _ => return None,
        })
    }
}

/// What a source does not say about the contract that is created from it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ImportOptions {
    /// The document's `id`.
    pub id: String,
    pub name: Option<String>,
    pub version: String,
    /// Of a source with one table: what to call it. Of one with several: which to take; all of them if not given.
    pub object: Option<String>,
}

/// A contract created from a foreign schema.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Converted {
    /// The ODCS document, a draft. [`parse`] accepts it.
    pub text: String,
    /// What of the source it does not hold, by the place in the source.
    pub notes: Vec<Note>,
}

/// A foreign schema created from a contract.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Exported {
    pub text: String,
    /// What of the document it does not hold. With [`text`](Self::text) this is all that the document says of the
    /// exported objects.
    pub lost: Vec<Note>,
    /// What it says in another way: names that the target does not allow, types that it has none for.
    pub changed: Vec<Note>,
}

/// A remark on a place of a document or schema.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Note {
    /// The place: a JSON pointer (RFC 6901), or dotted names in Protobuf and SQL.
    pub path: String,
    /// What is to be said about it, for people; of something lost, its value.
    pub what: String,
}

/// A foreign schema, with what it refers to.
#[derive(Clone, Copy, Debug)]
pub struct Foreign<'a> {
    pub source: Source,
    /// Its text. Of Protobuf, base64 of a `FileDescriptorProto` will do, as registries take it.
    pub text: &'a str,
    /// The texts that a message schema refers to, by the names under which it does.
    pub references: &'a References,
}

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
        Source::Sql(dialect) => sql::import(text, dialect, &mut draft),
    }
    .map_err(|problem| vec![problem])?;
    draft.finish(options)
}

/// Makes a foreign schema of a contract. `object` names one schema object; Avro, JSON Schema and Delta, which hold one,
/// need it where there are several.
///
/// # Errors
/// What is wrong with the document; no such object, or none; a target that does not hold it at all.
pub fn export(bytes: &[u8], target: Target, object: Option<&str>) -> Result<Exported, Vec<Problem>> {
    let parsed = parse(bytes)?;
    let text = std::str::from_utf8(bytes).map_err(|error| vec![fault("", error.to_string())])?;
    if target == Target::Odcs {
        return Ok(Exported { text: text.to_owned(), lost: Vec::new(), changed: Vec::new() });
    }
    let Document::Contract(contract) = parsed.document else {
        return Err(vec![fault("", "a data product has no schema; export one of its contracts")]);
    };
    let document = Node::parse(text).map_err(|problem| vec![problem])?.to_json();
    let ledger = Ledger::new(&document);
    let export = Export { objects: chosen(&contract, target, object, &ledger)?, contract: &contract, ledger };
    let text = match target {
        Target::Odcs => text.to_owned(),
        Target::Avro => avro::export(&export),
        Target::JsonSchema => json_schema::export(&export),
        Target::Protobuf => protobuf::export(&export),
        Target::Delta => delta::export(&export),
        Target::Sql(dialect) => sql::export(&export, dialect),
        Target::Markdown => markdown::export(&export),
    };
    let (changed, lost) = export.ledger.close();
    Ok(Exported { text, lost, changed })
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
    let needs_one = matches!(target, Target::Avro | Target::JsonSchema | Target::Delta);
    match (objects.len(), wanted) {
        (0, Some(wanted)) => Err(vec![fault("/schema", format!("the contract has no `{wanted}`"))]),
        (0, None) if target != Target::Markdown => {
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

/// What an exporter works on.
struct Export<'a> {
    contract: &'a contract::Document,
    objects: Vec<Element<'a, SchemaObject>>,
    ledger: Ledger<'a>,
}

/// A part of the contract and its JSON pointer.
#[derive(Clone, Debug)]
struct Element<'a, T> {
    it: &'a T,
    path: String,
}

impl<'a> Element<'a, SchemaObject> {
    /// The properties that tables and messages hold: measures are computed by who reads.
    fn properties(&self) -> Vec<Element<'a, Property>> {
        elements(&self.it.properties, &self.path).collect()
    }
}

impl<'a> Element<'a, Property> {
    fn members(&self) -> Vec<Self> {
        elements(&self.it.members, &self.path).collect()
    }

    fn items(&self) -> Option<Self> {
        Some(Element { it: self.it.items.as_deref()?, path: format!("{}/items", self.path) })
    }

    /// Key and value of a map.
    fn entry(&self) -> Option<(Self, Self)> {
        let map = self.it.map.as_deref()?;
        let key = Element { it: &map.key, path: format!("{}/map/key", self.path) };
        let value = Element { it: &map.value, path: format!("{}/map/value", self.path) };
        Some((key, value))
    }
}

fn elements<'a>(properties: &'a [Arc<Property>], path: &str) -> impl Iterator<Item = Element<'a, Property>> {
    let path = path.to_owned();
    let elements = properties.iter().map(Arc::as_ref).enumerate();
    elements.filter(|(_, property)| property.is_stored()).map(move |(index, property)| {
        let path = format!("{path}/properties/{index}");
        Element { it: property, path }
    })
}

/// The text that names the contract behind an exported schema, for a target with a place for it.
fn fundamentals(ledger: &Ledger<'_>) -> serde_json::Map<String, serde_json::Value> {
    let names = ["id", "name", "version", "status", "tenant", "domain", "dataProduct"];
    let field = |name: &&str| Some(((*name).to_owned(), ledger.take_text("", name)?.into()));
    names.iter().filter_map(field).collect()
}

/// Something wrong at a place that has a path but no line.
fn fault(path: &str, message: impl Into<String>) -> Problem {
    Problem { line: 1, column: 1, path: path.to_owned(), message: message.into() }
}
