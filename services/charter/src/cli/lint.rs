//! `charter contract lint`: all problems of documents, without a server.

use std::fmt::Write;
use std::path::{Path, PathBuf};

use documents::{Remark, Severity};
use serde::Serialize;

use super::error::{Error, Exit, Result};
use super::output::{self, cleaned, count};
use super::report::{self, Case, Format, Kind, Level, Note};
use super::sources;

/// `charter contract lint`.
#[derive(clap::Args)]
pub(crate) struct LintArgs {
    /// Contracts and data products: files, directories (all `.yaml`, `.yml` and `.json` files in them), or `-` for
    /// standard input
    #[arg(value_name = "FILE", required = true)]
    files: Vec<PathBuf>,
    /// Exit with code 3 for warnings too
    #[arg(long)]
    strict: bool,
    /// Output format
    #[arg(long, value_enum, default_value_t, conflicts_with = "json")]
    format: Format,
    /// Print the problems as JSON
    #[arg(long)]
    json: bool,
}

/// What was found, as printed by `--json`.
#[derive(Debug, Default, Serialize)]
struct Report {
    /// The number of files.
    documents: usize,
    errors: usize,
    warnings: usize,
    problems: Vec<Problem>,
}

/// A problem, as printed by `--json`.
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
struct Problem {
    document: String,
    line: u64,
    column: u64,
    path: String,
    severity: String,
    code: &'static str,
    /// Whether the server refuses to publish the document for it.
    is_refused: bool,
    message: String,
}

/// A file with what is wrong in it.
struct Linted {
    document: String,
    remarks: Vec<Remark>,
}

/// Runs `charter contract lint`. The problems are the data of this command, so they go to standard output.
pub(crate) fn run(args: &LintArgs) -> Result<Exit> {
    let mut linted = Vec::new();
    sources::each(&args.files, &mut |path: &Path| {
        let remarks = documents::lint(&sources::read_bytes(path)?);
        linted.push(Linted { document: sources::name(path), remarks });
        Ok(())
    })?;
    let number = |severity: Severity| {
        linted.iter().flat_map(|linted| &linted.remarks).filter(|remark| remark.severity == severity).count()
    };
    let (n_errors, n_warnings) = (number(Severity::Error), number(Severity::Warning));
    let is_failed =
        |linted: &Linted| linted.remarks.iter().any(|remark| remark.severity == Severity::Error || args.strict);
    let cases = || linted.iter().map(Linted::case);
    match args.format.or_json(args.json) {
        Format::Text => output::print_report(&text(&linted, n_errors, n_warnings))?,
        Format::Json => {
            let problems = linted.iter().flat_map(Linted::problems).collect();
            output::print_json(&Report { documents: linted.len(), errors: n_errors, warnings: n_warnings, problems })?;
        }
        Format::Junit => {
            let failed = linted.iter().map(|linted| is_failed(linted).then(|| linted.failure()));
            let cases: Vec<Case> = cases().zip(failed).map(|(case, failure)| Case { failure, ..case }).collect();
            output::print(&report::junit("charter contract lint", &cases))?;
        }
        Format::Github => output::print(&report::annotations(&cases().collect::<Vec<_>>()))?,
        Format::Sarif => output::print_json(&report::sarif(&cases().collect::<Vec<_>>()))?,
    }
    match linted.iter().any(is_failed) {
        false => Ok(Exit::Done),
        true => Err(Error::new(Exit::Invalid, format!("{} in the documents", counted(n_errors, n_warnings)))),
    }
}

/// One line for each problem, in the format that editors recognize, then a summary.
fn text(linted: &[Linted], n_errors: usize, n_warnings: usize) -> String {
    let mut text = String::new();
    for Linted { document, remarks } in linted {
        for remark in remarks {
            let documents::Problem { line, column, .. } = remark.problem;
            let severity = remark.severity.as_str();
            let line = format!("{document}:{line}:{column}: {severity}[{}]: {}", remark.code.as_str(), message(remark));
            // A key can hold a line break, which would begin a line of its own.
            let _ = writeln!(text, "{}", cleaned(&line).replace('\n', "\u{fffd}"));
        }
    }
    let _ = writeln!(text, "{}: {}", count(linted.len(), "file"), counted(n_errors, n_warnings));
    text
}

fn counted(n_errors: usize, n_warnings: usize) -> String {
    format!("{}, {}", count(n_errors, "error"), count(n_warnings, "warning"))
}

/// `path: message`, and whether a warning keeps the document from being published.
fn message(remark: &Remark) -> String {
    let documents::Problem { path, message, .. } = &remark.problem;
    let place = if path.is_empty() { String::new() } else { format!("{path}: ") };
    let refused = match (remark.severity, remark.is_refused) {
        (Severity::Warning, true) => " (the server refuses this)",
        (Severity::Warning, false) | (Severity::Error, _) => "",
    };
    format!("{place}{message}{refused}")
}

impl Linted {
    fn case(&self) -> Case {
        let note = |remark: &Remark| Note {
            level: match remark.severity {
                Severity::Error => Level::Error,
                Severity::Warning => Level::Warning,
            },
            line: i32::try_from(remark.problem.line).ok(),
            column: i32::try_from(remark.problem.column).ok(),
            kind: Kind::new((remark.code.as_str(), remark.code.meaning())),
            title: format!("{} ({})", remark.code, remark.severity),
            message: message(remark),
        };
        Case {
            document: self.document.clone(),
            name: "document".to_owned(),
            notes: self.remarks.iter().map(note).collect(),
            failure: None,
        }
    }

    fn failure(&self) -> String {
        let number = |severity: Severity| self.remarks.iter().filter(|remark| remark.severity == severity).count();
        counted(number(Severity::Error), number(Severity::Warning))
    }

    fn problems(&self) -> impl Iterator<Item = Problem> {
        self.remarks.iter().map(|remark| Problem {
            document: self.document.clone(),
            line: remark.problem.line,
            column: remark.problem.column,
            path: remark.problem.path.clone(),
            severity: remark.severity.as_str().to_uppercase(),
            code: remark.code.as_str(),
            is_refused: remark.is_refused,
            message: remark.problem.message.clone(),
        })
    }
}
