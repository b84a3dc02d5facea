//! `charter schema`: offline compatibility checks of message schemas and table schemas, by the registry's rules.

use std::collections::BTreeMap;
use std::fmt::Write;
use std::path::{Path, PathBuf};

use clap::Subcommand;
use documents::message::MessageSchema;
use documents::table_schema;
use domain::change::level::Level;
use domain::change::message::{Difference, Format, Policy, all_compatible};
use domain::change::table::{self, Mode};
use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::error::{Error, Exit, Result};
use super::output::{self, Mark};
use super::{batch, sources};

/// `charter schema`.
#[derive(clap::Args)]
pub(crate) struct Args {
    #[command(subcommand)]
    command: Command,
}

#[derive(Subcommand)]
enum Command {
    /// Check whether a new schema breaks readers; exit code 2 if it breaks readers that the level protects
    Compat(CompatArgs),
}

#[derive(clap::Args)]
struct CompatArgs {
    /// Old schema; `-` for standard input
    #[arg(required_unless_present = "batch", conflicts_with = "batch")]
    old: Option<PathBuf>,
    /// New schema
    #[arg(required_unless_present = "batch", conflicts_with = "batch")]
    new: Option<PathBuf>,
    /// Schema format; derived from the file extensions if not given
    #[arg(long, value_enum, conflicts_with = "batch")]
    format: Option<Kind>,
    /// Rules for comparing table schemas
    #[arg(long, conflicts_with = "batch", default_value = "iceberg-v2", value_parser = mode)]
    mode: Mode,
    /// Compatibility level: the readers that must not break
    #[arg(long, conflicts_with = "batch", default_value = "FULL", value_parser = level)]
    level: Level,
    /// Treatment of open content models in JSON Schemas: `strict` or `lenient`
    #[arg(long, default_value = "strict", value_parser = policy)]
    policy: Policy,
    /// Referenced schema, as `NAME=FILE`; may be repeated
    #[arg(long = "reference", value_name = "NAME=FILE", conflicts_with = "batch")]
    references: Vec<String>,
    /// Read pairs as JSON lines from standard input (`id`, `format`, `old`, `new`; also `mode`, `old_imports`,
    /// `new_imports`) and write one JSON line for each
    #[arg(long)]
    batch: bool,
    /// Print the differences as JSON
    #[arg(long)]
    json: bool,
}

fn mode(word: &str) -> std::result::Result<Mode, String> {
    word.parse().map_err(|error: table::NotAMode| error.to_string())
}

fn level(word: &str) -> std::result::Result<Level, String> {
    word.to_uppercase().parse().map_err(|error: domain::closed_set::UnknownWord| error.to_string())
}

fn policy(word: &str) -> std::result::Result<Policy, String> {
    word.to_uppercase().parse().map_err(|error: domain::closed_set::UnknownWord| error.to_string())
}

/// The schema format.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize, clap::ValueEnum)]
#[serde(rename_all = "lowercase")]
enum Kind {
    Avro,
    Json,
    #[serde(alias = "proto")]
    Protobuf,
    Table,
}

impl Kind {
    fn from_extension(path: &Path) -> Option<Self> {
        match path.extension()?.to_str()? {
            "avsc" => Some(Self::Avro),
            "proto" => Some(Self::Protobuf),
            _ => None,
        }
    }
}

/// The differences between two schemas in both directions.
struct Comparison {
    backward: Vec<Difference>,
    forward: Vec<Difference>,
}

/// Runs `charter schema`.
pub(crate) fn run(args: Args) -> Result<Exit> {
    let Command::Compat(args) = args.command;
    match (&args.old, &args.new) {
        (Some(old), Some(new)) if !args.batch => compat(&args, old, new),
        _ => batch::run(batch::MAX_SCHEMA_LINE_BYTES, |line| match line {
            Ok(line) => {
                let answer = answer(line, args.policy);
                (answer.error.is_none(), answer)
            }
            Err((id, error)) => (false, Answer::failed(id, error)),
        }),
    }
}

fn compat(args: &CompatArgs, old: &Path, new: &Path) -> Result<Exit> {
    let kind = args.format.or_else(|| Kind::from_extension(old)).or_else(|| Kind::from_extension(new));
    let kind = kind.ok_or_else(|| {
        Error::new(Exit::Usage, "cannot derive the schema format from the file extensions").hint("pass `--format`")
    })?;
    let mut references = BTreeMap::new();
    for reference in &args.references {
        let (name, file) = reference
            .split_once('=')
            .ok_or_else(|| Error::new(Exit::Usage, format!("invalid reference `{reference}`")).hint("use NAME=FILE"))?;
        if references.insert(name.to_owned(), read(Path::new(file))?).is_some() {
            return Err(Error::new(Exit::Usage, format!("duplicate reference `{name}`")));
        }
    }
    let (old_text, new_text) = (read(old)?, read(new)?);
    let comparison = match kind {
        Kind::Table => {
            let parse = |path: &Path, text: &str| -> Result<Value> {
                serde_json::from_str(text).map_err(|error| invalid(path, error))
            };
            compare_tables(&parse(old, &old_text)?, &parse(new, &new_text)?, args.mode)
        }
        Kind::Avro | Kind::Json | Kind::Protobuf => {
            compare_messages(kind, &old_text, &new_text, &references, &references, args.policy)
        }
    };
    let comparison = comparison.map_err(|error| Error::new(Exit::Invalid, error))?;
    let breaks = (args.level.asks_backward() && !all_compatible(&comparison.backward))
        || (args.level.asks_forward() && !all_compatible(&comparison.forward));
    let answer = Answer::new(None, &comparison);
    output::show(args.json, &answer, Answer::text)?;
    if !breaks {
        return Ok(Exit::Done);
    }
    Err(Error::new(Exit::Refused, format!("the new schema breaks readers protected by {}", args.level)))
}

fn read(path: &Path) -> Result<String> {
    String::from_utf8(sources::read_bytes(path)?).map_err(|error| invalid(path, error))
}

fn invalid(path: &Path, error: impl std::fmt::Display) -> Error {
    Error::new(Exit::Invalid, format!("`{}`: {error}", path.display()))
}

/// A line of `--batch`.
#[derive(Deserialize)]
struct Line {
    id: Value,
    format: Kind,
    #[serde(default)]
    mode: Option<String>,
    old: Value,
    new: Value,
    #[serde(default, deserialize_with = "batch::or_default")]
    old_imports: BTreeMap<String, String>,
    #[serde(default, deserialize_with = "batch::or_default")]
    new_imports: BTreeMap<String, String>,
}

/// The answer for one pair.
#[derive(Debug, Serialize)]
struct Answer {
    id: Option<Value>,
    /// Whether readers of the new schema can read data written with the old one.
    backward: bool,
    /// Whether readers of the old schema can read data written with the new one.
    forward: bool,
    findings: Vec<Finding>,
    /// Why the comparison failed; both directions are then reported as incompatible.
    #[serde(skip_serializing_if = "Option::is_none")]
    error: Option<String>,
}

#[derive(Debug, Serialize)]
struct Finding {
    direction: &'static str,
    name: &'static str,
    path: String,
    message: String,
    compatible: bool,
}

impl Answer {
    fn new(id: Option<Value>, comparison: &Comparison) -> Self {
        let side = |direction: &'static str, differences: &[Difference]| -> Vec<Finding> {
            let finding = |difference: &Difference| Finding {
                direction,
                name: difference.name,
                path: difference.path.clone(),
                message: difference.message.clone(),
                compatible: difference.compatible,
            };
            differences.iter().map(finding).collect()
        };
        let mut findings = side("backward", &comparison.backward);
        findings.extend(side("forward", &comparison.forward));
        Self {
            id,
            backward: all_compatible(&comparison.backward),
            forward: all_compatible(&comparison.forward),
            findings,
            error: None,
        }
    }

    fn failed(id: Option<Value>, error: String) -> Self {
        Self { id, backward: false, forward: false, findings: Vec::new(), error: Some(error) }
    }

    fn text(&self) -> String {
        let mut text = String::new();
        for (direction, is_compatible, meaning) in [
            ("backward", self.backward, "readers of the new schema can read old data"),
            ("forward", self.forward, "readers of the old schema can read new data"),
        ] {
            let mark = if is_compatible { Mark::Ok } else { Mark::Fail };
            let _ = writeln!(text, "{} {}: {meaning}", output::mark(mark), output::bold(direction));
            for finding in self.findings.iter().filter(|finding| finding.direction == direction) {
                let breaks = if finding.compatible { "" } else { ", breaks" };
                let (path, message) = (output::cleaned(&finding.path), output::cleaned(&finding.message));
                let _ = writeln!(text, "    {path}: {message} ({}{breaks})", finding.name);
            }
        }
        text
    }
}

fn answer(line: Line, policy: Policy) -> Answer {
    let comparison = match line.format {
        Kind::Table => line
            .mode
            .as_deref()
            .unwrap_or("iceberg-v2")
            .parse()
            .map_err(|error: table::NotAMode| error.to_string())
            .and_then(|mode| compare_tables(&line.old, &line.new, mode)),
        kind @ (Kind::Avro | Kind::Json | Kind::Protobuf) => {
            let text = |schema: &Value| match (kind, schema) {
                (Kind::Protobuf, Value::String(text)) => text.clone(),
                (_, schema) => schema.to_string(),
            };
            compare_messages(kind, &text(&line.old), &text(&line.new), &line.old_imports, &line.new_imports, policy)
        }
    };
    match comparison {
        Ok(comparison) => Answer::new(Some(line.id), &comparison),
        Err(error) => Answer::failed(Some(line.id), error),
    }
}

fn compare_messages(
    kind: Kind,
    old: &str,
    new: &str,
    old_references: &BTreeMap<String, String>,
    new_references: &BTreeMap<String, String>,
    policy: Policy,
) -> std::result::Result<Comparison, String> {
    let format = match kind {
        Kind::Json => Format::Json,
        Kind::Protobuf => Format::Protobuf,
        Kind::Avro | Kind::Table => Format::Avro,
    };
    let parse = |which: &str, text: &str, references: &BTreeMap<String, String>| {
        MessageSchema::parse(format, text, references).map_err(|error| format!("the {which} schema: {error}"))
    };
    let (old, new) = (parse("old", old, old_references)?, parse("new", new, new_references)?);
    let compare = |from: &MessageSchema, to: &MessageSchema| {
        from.differences_to(to, policy).map_err(|complex| complex.to_string())
    };
    Ok(Comparison { backward: compare(&old, &new)?, forward: compare(&new, &old)? })
}

fn compare_tables(old: &Value, new: &Value, mode: Mode) -> std::result::Result<Comparison, String> {
    let parse = |which: &str, schema: &Value| {
        table_schema::parse(schema).map_err(|error| format!("the {which} schema: {error}"))
    };
    let (old, new) = (parse("old", old)?, parse("new", new)?);
    let compare = |from, to| table::compare(from, to, mode).map_err(|complex| complex.to_string());
    Ok(Comparison { backward: compare(&old, &new)?, forward: compare(&new, &old)? })
}
