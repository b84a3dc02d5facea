//! `charter schema`: message schemas and table schemas compared without a server, by the same rules that the registry's
//! door judges by.

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
use super::output::{self, Mark, Paint};
use super::{batch, sources};

/// `charter schema`.
#[derive(clap::Args)]
pub(crate) struct Args {
    #[command(subcommand)]
    command: Command,
}

#[derive(Subcommand)]
enum Command {
    /// Tell whether a new schema breaks readers; exit code 2 if it breaks those that the level protects
    Compat(CompatArgs),
}

#[derive(clap::Args)]
struct CompatArgs {
    /// The old schema; `-` for standard input
    #[arg(required_unless_present = "batch", conflicts_with = "batch")]
    old: Option<PathBuf>,
    /// The new schema
    #[arg(required_unless_present = "batch", conflicts_with = "batch")]
    new: Option<PathBuf>,
    /// The schemas' format; by the files' ending where it is not given
    #[arg(long, value_enum, conflicts_with = "batch")]
    format: Option<Kind>,
    /// Whose rules table schemas are compared by
    #[arg(long, conflicts_with = "batch", default_value = "iceberg-v2", value_parser = mode)]
    mode: Mode,
    /// Which readers must not break
    #[arg(long, conflicts_with = "batch", default_value = "FULL", value_parser = level)]
    level: Level,
    /// How content models of JSON Schemas are judged: `strict` or `lenient`
    #[arg(long, default_value = "strict", value_parser = policy)]
    policy: Policy,
    /// What a schema refers to, as `NAME=FILE`; may be given several times
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

/// What kind of schemas are compared.
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
    fn of_file(path: &Path) -> Option<Self> {
        match path.extension()?.to_str()? {
            "avsc" => Some(Self::Avro),
            "proto" => Some(Self::Protobuf),
            _ => None,
        }
    }
}

/// Both directions between two schemas.
struct Compared {
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
            Err((id, why)) => (false, Answer::failed(id, why)),
        }),
    }
}

fn compat(args: &CompatArgs, old: &Path, new: &Path) -> Result<Exit> {
    let kind = args.format.or_else(|| Kind::of_file(old)).or_else(|| Kind::of_file(new));
    let kind = kind.ok_or_else(|| {
        Error::new(Exit::Usage, "the schemas' format is not known from the files' ending").hint("give `--format`")
    })?;
    let mut references = BTreeMap::new();
    for reference in &args.references {
        let (name, file) = reference.split_once('=').ok_or_else(|| {
            Error::new(Exit::Usage, format!("`{reference}` is no reference")).hint("write it as NAME=FILE")
        })?;
        if references.insert(name.to_owned(), read(Path::new(file))?).is_some() {
            return Err(Error::new(Exit::Usage, format!("the reference `{name}` is given twice")));
        }
    }
    let (old_text, new_text) = (read(old)?, read(new)?);
    let compared = match kind {
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
    let compared = compared.map_err(|why| Error::new(Exit::Invalid, why))?;
    let breaks = (args.level.asks_backward() && !all_compatible(&compared.backward))
        || (args.level.asks_forward() && !all_compatible(&compared.forward));
    let answer = Answer::of(None, &compared);
    output::show(args.json, &answer, |answer| answer.text(Paint::stdout()))?;
    if !breaks {
        return Ok(Exit::Done);
    }
    Err(Error::new(Exit::Refused, format!("the new schema breaks readers that {} protects", args.level)))
}

fn read(path: &Path) -> Result<String> {
    String::from_utf8(sources::read_bytes(path)?).map_err(|error| invalid(path, error))
}

fn invalid(path: &Path, why: impl std::fmt::Display) -> Error {
    Error::new(Exit::Invalid, format!("`{}`: {why}", path.display()))
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

/// What is answered for one pair.
#[derive(Debug, Serialize)]
struct Answer {
    id: Option<Value>,
    /// A reader of the new schema accepts what was written under the old.
    backward: bool,
    /// A reader of the old schema accepts what is written under the new.
    forward: bool,
    findings: Vec<Finding>,
    /// Why there is no comparison; both directions are refused then.
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
    fn of(id: Option<Value>, compared: &Compared) -> Self {
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
        let mut findings = side("backward", &compared.backward);
        findings.extend(side("forward", &compared.forward));
        Self {
            id,
            backward: all_compatible(&compared.backward),
            forward: all_compatible(&compared.forward),
            findings,
            error: None,
        }
    }

    fn failed(id: Option<Value>, why: String) -> Self {
        Self { id, backward: false, forward: false, findings: Vec::new(), error: Some(why) }
    }

    fn text(&self, paint: Paint) -> String {
        let mut text = String::new();
        for (direction, holds, explained) in [
            ("backward", self.backward, "readers of the new schema read what was written under the old"),
            ("forward", self.forward, "readers of the old schema go on reading"),
        ] {
            let mark = if holds { Mark::Ok } else { Mark::Fail };
            let _ = writeln!(text, "{} {}: {explained}", paint.mark(mark), paint.bold(direction));
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
    let compared = match line.format {
        Kind::Table => line
            .mode
            .as_deref()
            .unwrap_or("iceberg-v2")
            .parse()
            .map_err(|error: table::NotAMode| error.to_string())
            .and_then(|mode| compare_tables(&line.old, &line.new, mode)),
        kind => {
            let text = |schema: &Value| match (kind, schema) {
                (Kind::Protobuf, Value::String(text)) => text.clone(),
                (_, schema) => schema.to_string(),
            };
            compare_messages(kind, &text(&line.old), &text(&line.new), &line.old_imports, &line.new_imports, policy)
        }
    };
    match compared {
        Ok(compared) => Answer::of(Some(line.id), &compared),
        Err(why) => Answer::failed(Some(line.id), why),
    }
}

fn compare_messages(
    kind: Kind,
    old: &str,
    new: &str,
    old_references: &BTreeMap<String, String>,
    new_references: &BTreeMap<String, String>,
    policy: Policy,
) -> std::result::Result<Compared, String> {
    let format = match kind {
        Kind::Json => Format::Json,
        Kind::Protobuf => Format::Protobuf,
        Kind::Avro | Kind::Table => Format::Avro,
    };
    let parse = |which: &str, text: &str, references: &BTreeMap<String, String>| {
        MessageSchema::parse(format, text, references).map_err(|why| format!("the {which} schema: {why}"))
    };
    let (old, new) = (parse("old", old, old_references)?, parse("new", new, new_references)?);
    let compare = |from: &MessageSchema, to: &MessageSchema| {
        from.differences_to(to, policy).map_err(|complex| complex.to_string())
    };
    Ok(Compared { backward: compare(&old, &new)?, forward: compare(&new, &old)? })
}

fn compare_tables(old: &Value, new: &Value, mode: Mode) -> std::result::Result<Compared, String> {
    let parse =
        |which: &str, schema: &Value| table_schema::parse(schema).map_err(|why| format!("the {which} schema: {why}"));
    let (old, new) = (parse("old", old)?, parse("new", new)?);
    let compare = |from, to| table::compare(from, to, mode).map_err(|complex| complex.to_string());
    Ok(Compared { backward: compare(&old, &new)?, forward: compare(&new, &old)? })
}
