//! `charter contract init`: the first version of a new contract, without a server.

use std::fs;
use std::io::{self, ErrorKind, Write};
use std::path::{Path, PathBuf};

use documents::convert::{self, Dialect, Foreign, Source, StartOptions};
use documents::message::References;
use domain::name::DomainPath;
use serde::Serialize;

use super::apply::{Problem, invalid};
use super::convert::{Remark, dialect, place, remarks, source, source_of, text};
use super::error::{Error, Exit, Result};
use super::{output, sources};

/// `charter contract init`.
#[derive(clap::Args)]
pub(crate) struct InitArgs {
    /// File to write; `-` for standard output
    file: PathBuf,
    /// Id of the contract; the name of the file up to its first dot if not given
    #[arg(long)]
    id: Option<String>,
    /// Name of the contract
    #[arg(long)]
    name: Option<String>,
    /// Domain of the contract; its table then lies in the domain's folder
    #[arg(short, long)]
    domain: Option<DomainPath>,
    /// Name of the table, as for `import` if a schema is given; the name of the file up to its first dot if not given
    #[arg(long)]
    object: Option<String>,
    /// Schema to create the contract from, as for `import`; an example if not given
    #[arg(long, value_name = "FILE", requires = "from")]
    schema: Option<PathBuf>,
    /// Format of the schema: `avro`, `json-schema`, `protobuf`, `dbt`, `delta`, `iceberg` or `sql`
    #[arg(long, value_name = "FORMAT", value_parser = source, requires = "schema")]
    from: Option<Source>,
    /// SQL dialect of the schema, as for `import`
    #[arg(long, value_parser = dialect, requires = "from")]
    dialect: Option<Dialect>,
    /// Overwrite the file if it exists
    #[arg(long)]
    force: bool,
    /// Print the file name, the document and the losses as JSON
    #[arg(long)]
    json: bool,
}

/// What was written, as printed by `--json`.
#[derive(Serialize)]
struct Answer {
    file: String,
    text: String,
    notes: Vec<Remark>,
}

/// Runs `charter contract init`. Nothing is written unless the whole document is valid.
pub(crate) fn run(args: &InitArgs) -> Result<Exit> {
    let stem = stem(&args.file);
    let options = StartOptions {
        id: args.id.clone().or_else(|| stem.clone()).unwrap_or_else(|| "example".to_owned()),
        name: args.name.clone(),
        domain: args.domain.clone(),
        object: args.object.clone().or_else(|| stem.filter(|_| args.schema.is_none())),
    };
    let references = References::new();
    let (schema, from) = match (&args.schema, args.from) {
        (Some(schema), Some(from)) => (text(schema)?, Some(source_of(from, args.dialect)?)),
        _ => (String::new(), None),
    };
    let foreign = from.map(|source| Foreign { source, text: &schema, references: &references });
    let read = args.schema.as_deref().map_or_else(|| "<contract>".to_owned(), sources::name);
    let converted = convert::start(foreign, &options).map_err(|problems| {
        invalid(&problems.into_iter().map(|problem| Problem::of(&read, problem)).collect::<Vec<_>>())
    })?;
    let file = args.file.display().to_string();
    let answer = Answer { file, text: converted.text, notes: remarks(converted.notes) };
    let is_stdout = sources::is_stdin(&args.file);
    if !is_stdout {
        write(&args.file, &answer.text, args.force)?;
    } else if !args.json {
        output::print_raw(&answer.text)?;
    }
    if args.json {
        output::print_json(&answer)?;
    } else {
        answer.notes.iter().for_each(|note| output::note(&format!("{}: {}", place(note), note.what)));
    }
    Ok(Exit::Done)
}

/// The name of a file up to its first dot; none of standard output.
fn stem(file: &Path) -> Option<String> {
    let name = file.file_name().filter(|_| !sources::is_stdin(file))?.to_str()?;
    let stem = name.split('.').next().unwrap_or_default();
    (!stem.is_empty()).then(|| stem.to_owned())
}

/// Writes a new file. One that exists is replaced only if that is wanted.
fn write(file: &Path, text: &str, force: bool) -> Result<()> {
    let opened = match force {
        true => fs::File::create(file),
        false => fs::File::create_new(file),
    };
    let cannot_write = |cause: &io::Error| {
        let error = Error::new(Exit::Failed, format!("cannot write `{}`: {cause}", sources::name(file)));
        match cause.kind() {
            ErrorKind::AlreadyExists => error.hint("give another name, or `--force` to overwrite the file"),
            _ => error,
        }
    };
    let mut opened = opened.map_err(|cause| cannot_write(&cause))?;
    opened.write_all(text.as_bytes()).map_err(|cause| cannot_write(&cause))
}
