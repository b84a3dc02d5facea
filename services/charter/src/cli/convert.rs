//! `charter contract import` and `charter contract export`: offline conversion between contracts and schemas.

use std::path::PathBuf;

use documents::convert::{self, Dialect, ImportOptions, Note, Source, Target};
use serde::Serialize;

use super::apply::{Problem, invalid};
use super::error::{Error, Exit, Result};
use super::output;
use super::sources;

/// `charter contract import`.
#[derive(clap::Args)]
pub(crate) struct ImportArgs {
    /// Schema, dbt `manifest.json`, Delta log entry, Iceberg table metadata, or SQL; `-` for standard input
    file: PathBuf,
    /// Input format: `avro`, `json-schema`, `protobuf`, `dbt`, `delta`, `iceberg` or `sql`
    #[arg(long, value_name = "FORMAT", value_parser = source)]
    from: Source,
    /// SQL dialect, which decides what types mean: `postgres`, `redshift`, `sqlserver`, `snowflake`, `bigquery`,
    /// `mysql`, `sqlite`, `clickhouse`, `oracle`, `duckdb`, `databricks`, `spark`, `hive` or `generic`
    #[arg(long, value_parser = dialect)]
    dialect: Option<Dialect>,
    /// Id of the contract
    #[arg(long)]
    id: String,
    /// Name of the contract
    #[arg(long)]
    name: Option<String>,
    /// Version of the contract
    #[arg(long, default_value = "1.0.0")]
    version: String,
    /// Name for the schema object; if the input has several tables, the one to import, which may be qualified by its
    /// schema (all if not given)
    #[arg(long)]
    object: Option<String>,
    /// Print the document and the losses as JSON
    #[arg(long)]
    json: bool,
}

/// `charter contract export`.
#[derive(clap::Args)]
pub(crate) struct ExportArgs {
    /// Contract, an ODCS document; `-` for standard input
    file: PathBuf,
    /// Output format: `odcs`, `avro`, `json-schema`, `protobuf`, `delta`, `sql`, `dbt` (`schema.yml`),
    /// `great-expectations`, `markdown` or `html`
    #[arg(long, value_name = "FORMAT", value_parser = target)]
    to: Target,
    /// SQL dialect: `postgres` or `spark`; for `dbt` that of its adapter, any that `contract import` reads but `generic`
    #[arg(long, value_parser = dialect)]
    dialect: Option<Dialect>,
    /// Schema object to export; Avro, JSON Schema, Delta and Great Expectations describe exactly one
    #[arg(long)]
    object: Option<String>,
    /// Print the output, losses and approximations as JSON
    #[arg(long)]
    json: bool,
}

pub(crate) fn source(word: &str) -> std::result::Result<Source, String> {
    Source::from_word(word).ok_or_else(|| {
        format!("`{word}` is not one of `avro`, `json-schema`, `protobuf`, `dbt`, `delta`, `iceberg`, `sql`")
    })
}

fn target(word: &str) -> std::result::Result<Target, String> {
    Target::from_word(word).ok_or_else(|| {
        format!(
            "`{word}` is not one of `odcs`, `avro`, `json-schema`, `protobuf`, `delta`, `sql`, `dbt`, \
             `great-expectations`, `markdown`, `html`"
        )
    })
}

pub(crate) fn dialect(word: &str) -> std::result::Result<Dialect, String> {
    Dialect::from_word(word).ok_or_else(|| {
        format!(
            "`{word}` is not one of `postgres`, `redshift`, `sqlserver`, `snowflake`, `bigquery`, `mysql`, `sqlite`, \
             `clickhouse`, `oracle`, `duckdb`, `databricks`, `spark`, `hive`, `generic`"
        )
    })
}

#[derive(Serialize)]
struct Answer {
    text: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    notes: Option<Vec<Remark>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    lost: Option<Vec<Remark>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    changed: Option<Vec<Remark>>,
}

#[derive(Serialize)]
pub(crate) struct Remark {
    path: String,
    /// Of the source, from 1.
    #[serde(skip_serializing_if = "Option::is_none")]
    line: Option<u64>,
    pub(crate) what: String,
}

impl From<Note> for Remark {
    fn from(note: Note) -> Self {
        Self { path: note.path, line: note.line, what: note.what }
    }
}

pub(crate) fn remarks(notes: Vec<Note>) -> Vec<Remark> {
    notes.into_iter().map(Remark::from).collect()
}

/// The source in its dialect.
pub(crate) fn source_of(from: Source, dialect: Option<Dialect>) -> Result<Source> {
    match (from, dialect) {
        (Source::Sql(_), Some(dialect)) => Ok(Source::Sql(dialect)),
        (from, None) => Ok(from),
        (_, Some(_)) => Err(Error::new(Exit::Usage, "`--dialect` requires `--from sql`")),
    }
}

/// Runs `charter contract import`: the document goes to standard output, losses to standard error.
pub(crate) fn import(args: &ImportArgs) -> Result<Exit> {
    let from = source_of(args.from, args.dialect)?;
    let options = ImportOptions {
        id: args.id.clone(),
        name: args.name.clone(),
        version: args.version.clone(),
        object: args.object.clone(),
    };
    let converted = convert::import(from, &text(&args.file)?, &options).map_err(|problems| refused(args, problems))?;
    let answer = Answer { text: converted.text, notes: Some(remarks(converted.notes)), lost: None, changed: None };
    print(args.json, &answer)?;
    if !args.json {
        for note in answer.notes.iter().flatten() {
            output::note(&format!("{}: {}", place(note), note.what));
        }
    }
    Ok(Exit::Done)
}

/// Runs `charter contract export`: the text goes to standard output, losses to standard error.
pub(crate) fn export(args: &ExportArgs) -> Result<Exit> {
    let usage = |message: String| Error::new(Exit::Usage, message);
    let to = match args.dialect {
        Some(dialect) => args.to.in_dialect(dialect),
        None => Some(args.to),
    };
    let to = to.ok_or_else(|| usage("`--dialect` requires `--to sql` or `--to dbt`".to_owned()))?;
    to.check_dialect().map_err(usage)?;
    let bytes = sources::read_bytes(&args.file)?;
    let exported = convert::export(&bytes, to, args.object.as_deref())
        .map_err(|problems| invalid(&located(&args.file, problems)))?;
    for warning in located(&args.file, exported.warnings) {
        output::warn(&warning.to_string());
    }
    let answer = Answer {
        text: exported.text,
        notes: None,
        lost: Some(remarks(exported.lost)),
        changed: Some(remarks(exported.changed)),
    };
    if !args.json && to == Target::Odcs {
        // Unchanged, byte for byte.
        output::print_raw(&answer.text)?;
        return Ok(Exit::Done);
    }
    print(args.json, &answer)?;
    if !args.json {
        for note in answer.lost.iter().flatten() {
            output::note(&format!("lost: {}: {}", place(note), note.what));
        }
        for note in answer.changed.iter().flatten() {
            output::note(&format!("approximated: {}: {}", place(note), note.what));
        }
    }
    Ok(Exit::Done)
}

fn print(json: bool, answer: &Answer) -> Result<()> {
    if json { output::print_json(answer) } else { output::print(&answer.text) }
}

pub(crate) fn place(remark: &Remark) -> String {
    match (remark.line, remark.path.as_str()) {
        (None, "") => "document".to_owned(),
        (Some(line), "") => format!("line {line}"),
        (None, path) => path.to_owned(),
        (Some(line), path) => format!("line {line}: {path}"),
    }
}

pub(crate) fn text(file: &std::path::Path) -> Result<String> {
    String::from_utf8(sources::read_bytes(file)?)
        .map_err(|error| Error::new(Exit::Invalid, format!("`{}`: {error}", sources::name(file))))
}

fn refused(args: &ImportArgs, problems: Vec<documents::Problem>) -> Error {
    invalid(&located(&args.file, problems))
}

fn located(file: &std::path::Path, problems: Vec<documents::Problem>) -> Vec<Problem> {
    let document = sources::name(file);
    problems.into_iter().map(|problem| Problem::of(&document, problem)).collect()
}
