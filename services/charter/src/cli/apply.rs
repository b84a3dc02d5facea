//! `charter plan` and `charter apply`: publish a set of documents, all or nothing.

use std::collections::HashMap;
use std::fmt::Write;
use std::path::PathBuf;
use std::time::Duration;

use documents::Places;
use serde::Serialize;

use super::answer::{Finding, findings_text};
use super::api::{Bump, ChangeKind, DocumentKind, operation, schema};
use super::args::{self, Idempotency, Remote};
use super::client::Client;
use super::error::{Error, Exit, Result};
use super::lineage::AffectedReaders;
use super::output::{self, bold, count, word};
use super::report::{self, Case, Format, Kind, Level, Note};
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
    /// Maximum time to wait for the server, such as `90s`, `15m`; unlimited if not given
    #[arg(long, value_parser = args::duration)]
    timeout: Option<Duration>,
}

operation!($ query "Query" PlanDocuments { input: DocumentsInput } "planDocuments" -> PlanDocumentsResult);
operation!($ mutation "Mutation" ApplyDocuments { input: DocumentsInput } "applyDocuments" -> ApplyDocumentsResult);

#[derive(Clone, cynic::InputObject)]
struct DocumentsInput {
    domain: Option<String>,
    documents: Vec<Source>,
    prune: Option<bool>,
    #[cynic(skip_serializing_if = "Option::is_none")]
    idempotency_key: Option<String>,
}

#[derive(Serialize, cynic::InlineFragments)]
#[cynic(exhaustive)]
#[serde(tag = "__typename")]
enum PlanDocumentsResult {
    PlanDocumentsPayload(PlanDocumentsPayload),
    InvalidDocuments(InvalidDocuments),
    RefusedVersions(RefusedVersions),
    #[cynic(fallback)]
    Unknown,
}

#[derive(Serialize, cynic::InlineFragments)]
#[cynic(exhaustive)]
#[serde(tag = "__typename")]
enum ApplyDocumentsResult {
    ApplyDocumentsPayload(ApplyDocumentsPayload),
    InvalidDocuments(InvalidDocuments),
    RefusedVersions(RefusedVersions),
    #[cynic(fallback)]
    Unknown,
}

#[derive(Serialize, cynic::QueryFragment)]
struct PlanDocumentsPayload {
    changes: Vec<DocumentChange>,
    warnings: Vec<Problem>,
}

#[derive(Serialize, cynic::QueryFragment)]
struct ApplyDocumentsPayload {
    changes: Vec<DocumentChange>,
    warnings: Vec<Problem>,
}

#[derive(Serialize, cynic::QueryFragment)]
pub(crate) struct InvalidDocuments {
    problems: Vec<Problem>,
}

#[derive(Serialize, cynic::QueryFragment)]
struct RefusedVersions {
    refusals: Vec<VersionRefusal>,
}

#[derive(Serialize, cynic::QueryFragment)]
struct DocumentChange {
    kind: DocumentKind,
    document: String,
    name: String,
    version: Option<String>,
    change: ChangeKind,
    state: Option<String>,
    findings: Vec<Finding>,
    bump: Option<Bump>,
    reasons: Vec<String>,
    affected: Option<AffectedReaders>,
}

/// Why a version is refused.
#[derive(Serialize, cynic::QueryFragment)]
#[serde(rename_all = "camelCase")]
pub(crate) struct VersionRefusal {
    /// The file name.
    document: String,
    /// The id of the contract's documents.
    contract: String,
    pub(crate) version: String,
    compared_with: String,
    /// The required bump.
    needed: Bump,
    /// The lowest version that would be accepted.
    suggested: String,
    findings: Vec<Finding>,
    /// Who reads what the findings break.
    affected: Option<AffectedReaders>,
    /// `None` if no override is possible.
    pub(crate) findings_digest: Option<String>,
    message: String,
}

/// A problem in a document.
#[derive(Debug, Serialize, cynic::QueryFragment)]
pub(crate) struct Problem {
    /// The file name.
    pub(crate) document: String,
    /// From 1.
    pub(crate) line: Option<i32>,
    /// From 1.
    pub(crate) column: Option<i32>,
    /// The path in the document; empty for the whole document.
    pub(crate) path: String,
    pub(crate) message: String,
}

/// The outcome of a plan or of an apply.
enum Outcome<'a> {
    Accepted { changes: &'a [DocumentChange], warnings: &'a [Problem] },
    Invalid(&'a InvalidDocuments),
    Refused(&'a RefusedVersions),
    Unknown,
}

impl PlanDocumentsResult {
    fn outcome(&self) -> Outcome<'_> {
        match self {
            Self::PlanDocumentsPayload(PlanDocumentsPayload { changes, warnings }) => {
                Outcome::Accepted { changes, warnings }
            }
            Self::InvalidDocuments(invalid) => Outcome::Invalid(invalid),
            Self::RefusedVersions(refused) => Outcome::Refused(refused),
            Self::Unknown => Outcome::Unknown,
        }
    }
}

impl ApplyDocumentsResult {
    fn outcome(&self) -> Outcome<'_> {
        match self {
            Self::ApplyDocumentsPayload(ApplyDocumentsPayload { changes, warnings }) => {
                Outcome::Accepted { changes, warnings }
            }
            Self::InvalidDocuments(invalid) => Outcome::Invalid(invalid),
            Self::RefusedVersions(refused) => Outcome::Refused(refused),
            Self::Unknown => Outcome::Unknown,
        }
    }
}

impl Problem {
    /// A problem in a file. One of a document that was made of the file has no place in it.
    pub(crate) fn of(document: &str, problem: documents::Problem) -> Self {
        let number = |number: u64| i32::try_from(number).ok().filter(|number| *number > 0);
        Self {
            document: document.to_owned(),
            line: number(problem.line),
            column: number(problem.column),
            path: problem.path,
            message: problem.message,
        }
    }

    fn note(&self, level: Level) -> Note {
        let message =
            if self.path.is_empty() { self.message.clone() } else { format!("{}: {}", self.path, self.message) };
        let kind = Kind::new(Kind::DOCUMENT);
        Note { level, line: self.line, column: self.column, title: kind.word.clone(), kind, message }
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

impl VersionRefusal {
    /// The refusal with its findings.
    pub(crate) fn text(&self) -> String {
        let Self { document, contract, version, compared_with, needed, suggested, .. } = self;
        let mut text = format!(
            "{document}: contract `{contract}` {version} against {compared_with} needs a {needed} version: {suggested}\n"
        );
        if !self.message.is_empty() {
            let _ = writeln!(text, "  {}", self.message);
        }
        text.push_str(&findings_text(&self.findings, "  "));
        for reader in self.affected.iter().flat_map(AffectedReaders::lines) {
            let _ = writeln!(text, "  breaks: {}", output::cleaned(&reader));
        }
        text
    }
}

/// `charter plan`: exit code 0 if `apply` would succeed, with or without changes.
pub(crate) async fn plan(args: PlanArgs) -> Result<Exit> {
    let documents = sources::read(&args.set.files)?;
    let client = Client::with_timeout(&args.remote, args.set.timeout)?;
    let input = DocumentsInput {
        domain: args.set.domain,
        documents: documents.clone(),
        prune: Some(args.prune),
        idempotency_key: None,
    };
    let progress = output::spinner(format!("planning {}", count(documents.len(), "document")));
    let result = client.send(PlanDocuments { input }).await;
    progress.finish_and_clear();
    let result = result?;
    let outcome = result.outcome();
    match args.format.or_json(args.remote.json) {
        Format::Text => outcome.print(),
        Format::Json => outcome.print_json(&result),
        Format::Junit => {
            output::print(&report::junit("charter plan", &outcome.cases(&documents)))?;
            outcome.exit()
        }
        Format::Github => {
            output::print(&report::annotations(&outcome.cases(&documents)))?;
            outcome.exit()
        }
        Format::Sarif => {
            output::print_json(&report::sarif(&outcome.cases(&documents)))?;
            outcome.exit()
        }
    }
}

/// `charter apply`.
pub(crate) async fn apply(args: ApplyArgs) -> Result<Exit> {
    let documents = sources::read(&args.set.files)?;
    let client = Client::with_timeout(&args.remote, args.set.timeout)?;
    let progress = output::spinner(format!("applying {}", count(documents.len(), "document")));
    let input = DocumentsInput {
        domain: args.set.domain,
        documents,
        prune: Some(args.prune),
        idempotency_key: args.idempotency.into_key(),
    };
    let result = client.send(ApplyDocuments { input }).await;
    progress.finish_and_clear();
    let result = result?;
    if args.remote.json { result.outcome().print_json(&result) } else { result.outcome().print() }
}

impl Outcome<'_> {
    fn print(&self) -> Result<Exit> {
        if let Self::Accepted { changes, .. } = self {
            output::print_report(&changes_text(changes))?;
        }
        self.warn();
        self.exit()
    }

    fn print_json(&self, result: &impl Serialize) -> Result<Exit> {
        output::print_json(result)?;
        self.warn();
        self.exit()
    }

    fn warn(&self) {
        if let Self::Accepted { warnings, .. } = self {
            for warning in *warnings {
                output::warn(&warning.to_string());
            }
        }
    }

    fn exit(&self) -> Result<Exit> {
        match self {
            Self::Accepted { .. } => Ok(Exit::Done),
            Self::Invalid(invalid) => Err(invalid.error()),
            Self::Refused(refused) => Err(refused.error()),
            Self::Unknown => Err(Error::unknown_outcome()),
        }
    }

    /// The findings as report cases, document by document.
    fn cases(&self, documents: &[Source]) -> Vec<Case> {
        let places: HashMap<_, _> =
            documents.iter().map(|source| (source.path.as_str(), Places::of(&source.text))).collect();
        let note = |document: &str, contract: &str, version: &str, finding: &Finding| {
            let place = places.get(document).and_then(|places| places.find(contract, version, &finding.path));
            Note::from_finding(finding, None, place)
        };
        match self {
            Self::Accepted { changes, warnings } => {
                let case = |change: &DocumentChange| {
                    let DocumentChange { kind, document, name, version, .. } = change;
                    let version = version.as_deref().unwrap_or_default();
                    let findings = change.findings.iter().map(|finding| note(document, name, version, finding));
                    let waiting = change.reasons.iter().map(|reason| Note {
                        level: Level::Notice,
                        line: None,
                        column: None,
                        kind: Kind::new(("waiting", "The version stays a draft until this is done.")),
                        title: "waiting".to_owned(),
                        message: reason.clone(),
                    });
                    let affected = change.affected.iter().flat_map(AffectedReaders::notes);
                    let own_warnings = warnings.iter().filter(|warning| warning.document == *document);
                    let warnings = own_warnings.map(|warning| warning.note(Level::Warning));
                    Case {
                        document: document.clone(),
                        name: format!("{kind} {name} {version}").trim_end().to_owned(),
                        notes: findings.chain(affected).chain(waiting).chain(warnings).collect(),
                        failure: None,
                    }
                };
                changes.iter().map(case).collect()
            }
            Self::Invalid(invalid) => {
                let mut cases: Vec<Case> = Vec::new();
                for problem in &invalid.problems {
                    if cases.last().is_none_or(|case| case.document != problem.document) {
                        cases.push(Case {
                            document: problem.document.clone(),
                            name: "document".to_owned(),
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
            Self::Refused(refused) => {
                let case = |refusal: &VersionRefusal| {
                    let VersionRefusal { document, contract, version, findings, affected, message, .. } = refusal;
                    let findings = findings.iter().map(|finding| note(document, contract, version, finding));
                    Case {
                        document: document.clone(),
                        name: format!("contract {contract} {version}"),
                        notes: findings.chain(affected.iter().flat_map(AffectedReaders::notes)).collect(),
                        failure: Some(message.clone()),
                    }
                };
                refused.refusals.iter().map(case).collect()
            }
            Self::Unknown => Vec::new(),
        }
    }
}

impl InvalidDocuments {
    pub(crate) fn error(&self) -> Error {
        invalid(&self.problems)
    }
}

/// The error for invalid documents, with all problems.
pub(crate) fn invalid(problems: &[Problem]) -> Error {
    let report: Vec<String> = problems.iter().map(ToString::to_string).collect();
    Error::new(Exit::Invalid, format!("{} in the documents", count(problems.len(), "problem")))
        .report(output::cleaned(&report.join("\n")))
}

impl RefusedVersions {
    fn error(&self) -> Error {
        let mut report = String::new();
        for refusal in &self.refusals {
            report.push_str(&refusal.text());
            if let Some(digest) = &refusal.findings_digest {
                let _ = writeln!(report, "  a steward may accept it with `charter override create`: findings {digest}");
            }
        }
        let message = format!("{} refused", count(self.refusals.len(), "version"));
        let error = Error::new(Exit::Refused, message).report(report);
        match self.refusals.as_slice() {
            [only] => error.hint(format!("set the version in `{}` to `{}`", only.document, only.suggested)),
            _ => error.hint("set each version to the suggested one"),
        }
    }
}

/// One line for each change, with its findings and what it waits for, then a summary.
fn changes_text(changes: &[DocumentChange]) -> String {
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
        let DocumentChange { kind, name, document, .. } = change;
        let head = bold(&format!("{kind} {name}{version}"));
        let document = if document.is_empty() { String::new() } else { format!(" ({document})") };
        let _ = writeln!(text, "{sign} {head}{document}{state}");
        text.push_str(&findings_text(&change.findings, "    "));
        for reader in change.affected.iter().flat_map(AffectedReaders::lines) {
            let _ = writeln!(text, "    breaks: {}", output::cleaned(&reader));
        }
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
