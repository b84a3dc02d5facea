//! `charter plan` and `charter apply`: publish a set of documents, all or nothing.

use std::collections::HashMap;
use std::fmt::Write;
use std::path::PathBuf;

use documents::Places;
use serde::{Deserialize, Serialize};
use serde_json::json;

use super::answer::{Bump, Finding, findings_text};
use super::args::{self, Idempotency, Remote};
use super::client::Client;
use super::error::{Error, Exit, Result};
use super::output::{self, Paint, count, word};
use super::report::{self, Case, Format, Level, Note};
use super::sources::{self, Source};

/// `charter plan`.
#[derive(clap::Args)]
pub(crate) struct PlanArgs {
    #[command(flatten)]
    set: SetArgs,
    /// Show what `apply --prune` would retire
    #[arg(long)]
    prune: bool,
    /// Output format
    #[arg(long, value_enum, default_value_t, conflicts_with = "json")]
    format: Format,
    #[command(flatten)]
    remote: Remote,
}

/// `charter apply`.
#[derive(clap::Args)]
pub(crate) struct ApplyArgs {
    #[command(flatten)]
    set: SetArgs,
    /// Retire published products and contracts of the domain that are missing from the set
    #[arg(long, requires = "yes")]
    prune: bool,
    /// Confirm `--prune`; check with `plan --prune` first
    #[arg(long)]
    yes: bool,
    #[command(flatten)]
    idempotency: Idempotency,
    #[command(flatten)]
    remote: Remote,
}

#[derive(clap::Args)]
struct SetArgs {
    /// Files, directories (all `.yaml`, `.yml` and `.json` files in them), or `-` for standard input
    #[arg(value_name = "FILE", required = true)]
    files: Vec<PathBuf>,
    /// Domain of documents that name none; the others must name this one
    #[arg(short, long, value_parser = args::domain_path)]
    domain: Option<String>,
}

const PLAN: &[&str] = &[
    "query Plan($input: DocumentsInput!) { answer: planDocuments(input: $input) {
        __typename
        ... on PlanDocumentsPayload { changes { ...Change } warnings { ...Problem } }
        ... on InvalidDocuments { problems { ...Problem } }
        ... on RefusedVersions { refusals { ...Refusal } }
    } }\n",
    CHANGE,
    Problem::FRAGMENT,
    Refusal::FRAGMENT,
    Finding::FRAGMENT,
];

const APPLY: &[&str] = &[
    "mutation Apply($input: DocumentsInput!) { answer: applyDocuments(input: $input) {
        __typename
        ... on ApplyDocumentsPayload { changes { ...Change } warnings { ...Problem } }
        ... on InvalidDocuments { problems { ...Problem } }
        ... on RefusedVersions { refusals { ...Refusal } }
    } }\n",
    CHANGE,
    Problem::FRAGMENT,
    Refusal::FRAGMENT,
    Finding::FRAGMENT,
];

const CHANGE: &str = "fragment Change on DocumentChange {
    kind document name version change state findings { ...Finding } bump reasons
}\n";

#[derive(Debug, Deserialize, Serialize)]
#[serde(tag = "__typename")]
enum Outcome {
    #[serde(rename = "PlanDocumentsPayload")]
    Planned(Changes),
    #[serde(rename = "ApplyDocumentsPayload")]
    Applied(Changes),
    InvalidDocuments {
        problems: Vec<Problem>,
    },
    RefusedVersions {
        refusals: Vec<Refusal>,
    },
}

#[derive(Debug, Deserialize, Serialize)]
struct Changes {
    changes: Vec<Change>,
    warnings: Vec<Problem>,
}

#[derive(Debug, Deserialize, Serialize)]
struct Change {
    kind: String,
    document: String,
    name: String,
    version: Option<String>,
    change: ChangeKind,
    state: Option<String>,
    findings: Vec<Finding>,
    bump: Option<Bump>,
    reasons: Vec<String>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize, Serialize)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
enum ChangeKind {
    Added,
    Changed,
    Transition,
    Unchanged,
    Removed,
}

/// A problem in a document.
#[derive(Debug, Deserialize, Serialize)]
pub(crate) struct Problem {
    /// The document, as it was named.
    pub(crate) document: String,
    /// The line, from 1.
    pub(crate) line: Option<u32>,
    /// The column, from 1.
    pub(crate) column: Option<u32>,
    /// The path in the document; empty where the whole is meant.
    pub(crate) path: String,
    /// What does not hold.
    pub(crate) message: String,
}

impl Problem {
    /// The fields of a problem.
    pub(crate) const FRAGMENT: &str = "fragment Problem on Problem { document line column path message }\n";

    fn note(&self, level: Level) -> Note {
        let message =
            if self.path.is_empty() { self.message.clone() } else { format!("{}: {}", self.path, self.message) };
        Note { level, line: self.line, column: self.column, title: "document".to_owned(), message }
    }
}

/// `file:line:column: path: message`, the format that editors recognize.
impl std::fmt::Display for Problem {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(&self.document)?;
        for number in [self.line, self.column].into_iter().flatten() {
            write!(f, ":{number}")?;
        }
        if !self.path.is_empty() {
            write!(f, ": {}", self.path)?;
        }
        write!(f, ": {}", self.message)
    }
}

/// Why a version is refused.
#[derive(Debug, Deserialize, Serialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Refusal {
    /// The document, as it was named.
    pub(crate) document: String,
    /// The contract, by its documents' id.
    pub(crate) contract: String,
    /// Its version.
    pub(crate) version: String,
    /// The version that it was compared with.
    pub(crate) compared_with: String,
    /// The bump that its changes demand.
    pub(crate) needed: Bump,
    /// A version that would do.
    pub(crate) suggested: String,
    /// What differs.
    pub(crate) findings: Vec<Finding>,
    /// The digest of the findings, where an override would help.
    pub(crate) findings_digest: Option<String>,
    /// The refusal in a sentence.
    pub(crate) message: String,
}

impl Refusal {
    /// The fields of a refusal; requires [`Finding::FRAGMENT`].
    pub(crate) const FRAGMENT: &str = "fragment Refusal on VersionRefusal {
    document contract version comparedWith needed suggested findings { ...Finding } findingsDigest message
}\n";

    /// The refusal with its findings.
    pub(crate) fn text(&self, paint: Paint) -> String {
        let Self { document, contract, version, compared_with, needed, suggested, .. } = self;
        let mut text = format!(
            "{document}: contract `{contract}` {version} against {compared_with} needs a {needed} version: {suggested}\n"
        );
        if !self.message.is_empty() {
            let _ = writeln!(text, "  {}", self.message);
        }
        text.push_str(&findings_text(&self.findings, "  ", paint));
        text
    }
}

/// `charter plan`: exit code 0 if `apply` would succeed, with or without changes.
pub(crate) async fn plan(args: PlanArgs) -> Result<Exit> {
    let documents = sources::read(&args.set.files)?;
    let input = json!({ "domain": args.set.domain, "documents": documents, "prune": args.prune });
    let outcome = Client::new(&args.remote)?.send(PLAN, json!({ "input": input })).await?;
    match args.format.or_json(args.remote.json) {
        Format::Junit => output::print(&report::junit("charter plan", &cases(&outcome, &documents)))?,
        Format::Github => output::print(&report::annotations(&cases(&outcome, &documents)))?,
        format => return finish(&outcome, format == Format::Json),
    }
    match &outcome {
        Outcome::Planned(_) | Outcome::Applied(_) => Ok(Exit::Done),
        Outcome::InvalidDocuments { problems } => Err(invalid(problems)),
        Outcome::RefusedVersions { refusals } => Err(refused(refusals)),
    }
}

/// `charter apply`.
pub(crate) async fn apply(args: ApplyArgs) -> Result<Exit> {
    let documents = sources::read(&args.set.files)?;
    let input = json!({ "domain": args.set.domain, "documents": documents, "prune": args.prune });
    let input = args.idempotency.into_input(input);
    let outcome = Client::new(&args.remote)?.send(APPLY, json!({ "input": input })).await?;
    finish(&outcome, args.remote.json)
}

/// The findings, document by document.
fn cases(outcome: &Outcome, documents: &[Source]) -> Vec<Case> {
    let places: HashMap<_, _> =
        documents.iter().map(|source| (source.path.as_str(), Places::of(&source.text))).collect();
    let note = |document: &str, contract: &str, version: &str, finding: &Finding| {
        let place = places.get(document).and_then(|places| places.find(contract, version, &finding.path));
        Note::from_finding(finding, None, place)
    };
    match outcome {
        Outcome::Planned(changes) | Outcome::Applied(changes) => {
            let case = |change: &Change| {
                let version = change.version.as_ref().map(|version| format!(" {version}")).unwrap_or_default();
                let own = |problem: &&Problem| problem.document == change.document;
                let warnings = changes.warnings.iter().filter(own).map(|warning| warning.note(Level::Warning));
                let waiting = change.reasons.iter().map(|reason| Note {
                    level: Level::Notice,
                    line: None,
                    column: None,
                    title: "waiting".to_owned(),
                    message: reason.clone(),
                });
                let own_version = change.version.as_deref().unwrap_or_default();
                let notes = change.findings.iter().map(|it| note(&change.document, &change.name, own_version, it));
                Case {
                    document: change.document.clone(),
                    name: format!("{} {}{version}", word(&change.kind), change.name),
                    notes: notes.chain(waiting).chain(warnings).collect(),
                    failure: None,
                }
            };
            changes.changes.iter().map(case).collect()
        }
        Outcome::InvalidDocuments { problems } => {
            let mut cases: Vec<Case> = Vec::new();
            for problem in problems {
                if cases.last().is_none_or(|case| case.document != problem.document) {
                    let (document, name) = (problem.document.clone(), "document".to_owned());
                    cases.push(Case {
                        document,
                        name,
                        notes: Vec::new(),
                        failure: Some("the document is invalid".to_owned()),
                    });
                }
                if let Some(case) = cases.last_mut() {
                    case.notes.push(problem.note(Level::Error));
                }
            }
            cases
        }
        Outcome::RefusedVersions { refusals } => {
            let case = |refusal: &Refusal| {
                let Refusal { document, contract, version, findings, message, .. } = refusal;
                Case {
                    document: document.clone(),
                    name: format!("contract {contract} {version}"),
                    notes: findings.iter().map(|finding| note(document, contract, version, finding)).collect(),
                    failure: Some(message.clone()),
                }
            };
            refusals.iter().map(case).collect()
        }
    }
}

fn finish(outcome: &Outcome, json: bool) -> Result<Exit> {
    if json {
        output::print_json(outcome)?;
    }
    match outcome {
        Outcome::Planned(changes) | Outcome::Applied(changes) => {
            if !json {
                output::print(&changes_text(&changes.changes, Paint::stdout()))?;
            }
            for warning in &changes.warnings {
                output::warn(&warning.to_string());
            }
            Ok(Exit::Done)
        }
        Outcome::InvalidDocuments { problems } => Err(invalid(problems)),
        Outcome::RefusedVersions { refusals } => Err(refused(refusals)),
    }
}

/// The error for invalid documents, with all problems.
pub(crate) fn invalid(problems: &[Problem]) -> Error {
    let report: Vec<String> = problems.iter().map(ToString::to_string).collect();
    Error::new(Exit::Invalid, format!("{} in the documents", count(problems.len(), "problem")))
        .report(output::cleaned(&report.join("\n")))
}

fn refused(refusals: &[Refusal]) -> Error {
    let mut report = String::new();
    for refusal in refusals {
        report.push_str(&refusal.text(Paint::stderr()));
        if let Some(digest) = &refusal.findings_digest {
            let _ = writeln!(report, "  a steward may accept it with `charter override create`: findings {digest}");
        }
    }
    let message = format!("{} refused", count(refusals.len(), "version"));
    let error = Error::new(Exit::Refused, message).report(report);
    match refusals {
        [only] => error.hint(format!("set the version in `{}` to `{}`", only.document, only.suggested)),
        _ => error.hint("set each version to the suggested one"),
    }
}

/// One line for each change, with its findings and what it waits for, then a summary.
fn changes_text(changes: &[Change], paint: Paint) -> String {
    let mut text = String::new();
    for change in changes {
        let sign = match change.change {
            ChangeKind::Added => "+",
            ChangeKind::Changed | ChangeKind::Transition => "~",
            ChangeKind::Unchanged => "=",
            ChangeKind::Removed => "-",
        };
        let version = change.version.as_ref().map(|version| format!(" {version}")).unwrap_or_default();
        let state = change.state.as_ref().map(|state| format!(": {}", word(state))).unwrap_or_default();
        let Change { kind, name, document, .. } = change;
        let head = paint.bold(&format!("{} {name}{version}", word(kind)));
        let document = if document.is_empty() { String::new() } else { format!(" ({document})") };
        let _ = writeln!(text, "{sign} {head}{document}{state}");
        text.push_str(&findings_text(&change.findings, "    ", paint));
        for reason in &change.reasons {
            let _ = writeln!(text, "    waiting: {reason}");
        }
    }
    let n = |kinds: &[ChangeKind]| changes.iter().filter(|change| kinds.contains(&change.change)).count();
    let _ = writeln!(
        text,
        "{} added, {} changed, {} removed, {} unchanged",
        n(&[ChangeKind::Added]),
        n(&[ChangeKind::Changed, ChangeKind::Transition]),
        n(&[ChangeKind::Removed]),
        n(&[ChangeKind::Unchanged]),
    );
    text
}
