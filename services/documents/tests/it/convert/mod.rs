//! Import and export: through the targets' own parsers, back again, and with hostile input.

mod accounts;
mod cases;
mod dbt;
mod dialects;
mod expectations;
mod golden;
mod hostile;
mod html;
mod import;
mod manifest;
mod official;
mod round_trip;
mod scripts;

use std::sync::OnceLock;

use documents::convert::{Converted, Dialect, ImportOptions, Source, Target, import};
use documents::{Document, parse};
use protox::file::{File, FileResolver, GoogleFileResolver};
use serde_json::Value;
use sqlparser::dialect::{DatabricksDialect, PostgreSqlDialect};
use sqlparser::parser::Parser;

use crate::shared;

/// Every target but the document itself, with the source that reads it back.
const TARGETS: [(Target, Option<Source>); 11] = [
    (Target::Avro, Some(Source::Avro)),
    (Target::JsonSchema, Some(Source::JsonSchema)),
    (Target::Protobuf, Some(Source::Protobuf)),
    (Target::Delta, Some(Source::Delta)),
    (Target::Sql(Dialect::Postgres), Some(Source::Sql(Dialect::Postgres))),
    (Target::Sql(Dialect::Spark), Some(Source::Sql(Dialect::Spark))),
    // A manifest is what dbt makes of it.
    (Target::Dbt(Dialect::Postgres), None),
    (Target::Dbt(Dialect::BigQuery), None),
    (Target::GreatExpectations, None),
    (Target::Markdown, None),
    (Target::Html, None),
];

/// Whether a target holds one object only.
fn holds_one(target: Target) -> bool {
    matches!(target, Target::Avro | Target::JsonSchema | Target::Delta | Target::GreatExpectations)
}

fn options() -> ImportOptions {
    ImportOptions { id: "made".to_owned(), name: None, version: "1.0.0".to_owned(), object: None }
}

/// Imports, and holds the document against the official schema.
#[track_caller]
fn imported(source: Source, text: &str, options: &ImportOptions) -> (Value, Converted) {
    let converted = import(source, text, options).unwrap_or_else(|problems| panic!("{problems:#?}\n{text}"));
    let parsed =
        parse(converted.text.as_bytes()).unwrap_or_else(|problems| panic!("{problems:#?}\n{}", converted.text));
    assert!(matches!(parsed.document, Document::Contract(_)));
    let document: Value = serde_saphyr::from_str(&converted.text).unwrap();
    static OFFICIAL: OnceLock<Vec<jsonschema::Validator>> = OnceLock::new();
    let compile =
        || shared::official("DataContract", "v3.2.0").iter().map(|it| jsonschema::validator_for(it).unwrap()).collect();
    for validator in OFFICIAL.get_or_init(compile) {
        let errors: Vec<_> = validator.iter_errors(&document).map(|error| error.to_string()).collect();
        assert!(errors.is_empty(), "{errors:#?}\n{}", converted.text);
    }
    (document, converted)
}

/// Reads an export with its target's own parser.
#[track_caller]
fn parsed_by_its_target(target: Target, text: &str) {
    match target {
        Target::Avro => {
            apache_avro::Schema::parse_str(text).unwrap_or_else(|error| panic!("{error}\n{text}"));
        }
        Target::JsonSchema => {
            let schema: Value = serde_json::from_str(text).unwrap();
            if let Err(error) = jsonschema::meta::validate(&schema) {
                panic!("{error}\n{text}");
            }
        }
        Target::Protobuf => {
            let mut compiler = protox::Compiler::with_file_resolver(Only(text.to_owned()));
            compiler.open_file("export.proto").unwrap_or_else(|error| panic!("{error:?}\n{text}"));
        }
        Target::Delta => {
            let schema: Value = serde_json::from_str(text).unwrap();
            assert_eq!(schema["type"], "struct");
            assert!(schema["fields"].is_array());
        }
        // The parser's dialect has no maps, structs or partition columns without a type; the import reads them.
        Target::Sql(Dialect::Spark) if ["MAP<", "STRUCT<", "PARTITIONED BY"].iter().any(|word| text.contains(word)) => {
        }
        Target::Sql(Dialect::Spark) => {
            Parser::parse_sql(&DatabricksDialect {}, text).unwrap_or_else(|error| panic!("{error}\n{text}"));
        }
        Target::Sql(_) => {
            Parser::parse_sql(&PostgreSqlDialect {}, text).unwrap_or_else(|error| panic!("{error}\n{text}"));
        }
        Target::Dbt(_) => dbt::check(text),
        Target::GreatExpectations => expectations::check(text),
        Target::Html => html::check(text),
        Target::Markdown => assert!(!text.replace("<br>", "").contains(['<', '>']), "{text}"),
        Target::Odcs => {}
    }
}

/// One file, and those that come with every compiler.
struct Only(String);

impl FileResolver for Only {
    fn open_file(&self, name: &str) -> Result<File, protox::Error> {
        match name {
            "export.proto" => File::from_source(name, &self.0),
            other => GoogleFileResolver::new().open_file(other),
        }
    }
}

/// The names of a document's schema objects.
fn objects(document: &str) -> Vec<String> {
    match parse(document.as_bytes()).unwrap().document {
        Document::Contract(contract) => contract.objects.into_iter().map(|object| object.name).collect(),
        Document::Product(_) => Vec::new(),
    }
}

/// Whether everything that `part` says is in `whole`: the first difference. Lists of named things are compared by name.
fn missing(part: &Value, whole: &Value, path: &str) -> Option<String> {
    match (part, whole) {
        (Value::Object(part), Value::Object(whole)) => part.iter().find_map(|(key, value)| {
            let path = format!("{path}/{key}");
            match whole.get(key) {
                Some(found) => missing(value, found, &path),
                // Nothing was said.
                None if value.as_object().is_some_and(serde_json::Map::is_empty) => None,
                None => Some(format!("{path} is missing: {value}")),
            }
        }),
        (Value::Array(part), Value::Array(whole)) => part.iter().enumerate().find_map(|(index, value)| {
            let path = format!("{path}/{index}");
            let same = |found: &&Value| ["name", "property"].iter().all(|key| found.get(key) == value.get(key));
            let found = if value.is_object() && (value.get("name").is_some() || value.get("property").is_some()) {
                whole.iter().find(same)
            } else {
                whole.get(index)
            };
            match found {
                Some(found) => missing(value, found, &path),
                None => Some(format!("{path} is missing: {value}")),
            }
        }),
        (part, whole) if part == whole => None,
        (part, whole) if part.as_f64().is_some() && part.as_f64() == whole.as_f64() => None,
        (part, whole) => Some(format!("{path}: {whole} instead of {part}")),
    }
}
