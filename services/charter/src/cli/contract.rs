//! `charter contract`: contracts without a server. Comparisons follow the rules that the server publishes by.

use std::collections::BTreeSet;
use std::fmt::Write;
use std::path::{Path, PathBuf};

use clap::Subcommand;
use documents::Places;
use domain::change::{self, Options, Proofs};
use domain::contract;
use serde::Serialize;

use super::answer::{Finding, findings_text};
use super::api::{Bump, operation, schema};
use super::apply::{InvalidDocuments, Problem, invalid};
use super::args::{self, ProductAddress, Remote};
use super::changelog::{Head, changelog};
use super::client::Client;
use super::error::{Error, Exit, Result};
use super::lineage::AffectedReaders;
use super::output;
use super::report::{self, Case, Format, Note};
use super::sources::Source;
use super::{batch, contract_test, convert, init, lint, sources};

/// `charter contract`.
#[derive(clap::Args)]
pub(crate) struct Args {
    #[command(subcommand)]
    command: Command,
}

#[derive(Subcommand)]
enum Command {
    /// Compare two versions of a contract; exit code 2 if the version bump is too small for the changes
    Diff(DiffArgs),
    /// Write the first version of a new contract, with comments
    Init(init::InitArgs),
    /// Report all problems of contracts and data products; exit code 3 if there are errors
    Lint(lint::LintArgs),
    /// Create a contract from a schema: Avro, JSON Schema, Protobuf, dbt, Delta, Iceberg or SQL
    Import(convert::ImportArgs),
    /// Export a contract as a schema, SQL, a dbt model, a Great Expectations suite, Markdown or HTML
    Export(convert::ExportArgs),
    /// Judge a local table by a contract, without a server; exit code 2 if it breaks the contract
    Test(contract_test::TestArgs),
}

#[derive(clap::Args)]
struct DiffArgs {
    /// Old version, an ODCS document; `-` for standard input
    #[arg(required_unless_present = "batch", conflicts_with = "batch")]
    old: Option<PathBuf>,
    /// New version
    #[arg(required_unless_present = "batch", conflicts_with = "batch")]
    new: Option<PathBuf>,
    /// Assume that readers accept wider types: widening a type requires only a MINOR version
    #[arg(long, conflicts_with = "batch")]
    allow_widening: bool,
    /// Assume that all existing rows satisfy the new version, so that tightening a rule is not breaking for old data
    #[arg(long, conflicts_with = "batch")]
    proven: bool,
    /// Custom property that promises something to readers, as `contracts.promises` of the server; repeatable
    #[arg(long, value_name = "NAME", conflicts_with = "batch")]
    promise: Vec<String>,
    /// Read pairs as JSON lines from standard input (`id`, `old`, `new`; also `proof`, `allow_widening`,
    /// `classification_order`, `promises`) and write one JSON line for each
    #[arg(long, conflicts_with_all = ["json", "format", "changelog"])]
    batch: bool,
    /// Print the changes as Markdown, grouped by the version bump that they require
    #[arg(long, conflicts_with_all = ["json", "format"])]
    changelog: bool,
    /// Ask the server which consumers the changes may break: those of this product's contract, `domain.product`
    #[arg(long, value_name = "PRODUCT", value_parser = args::product, conflicts_with_all = ["batch", "changelog"])]
    impact: Option<ProductAddress>,
    /// Output format
    #[arg(long, value_enum, default_value_t, conflicts_with = "json")]
    format: Format,
    #[command(flatten)]
    remote: Remote,
}

operation!($ query "Query" CompareDocuments { product: String, old: Source, new: Source } "contractImpact" -> ContractImpactResult);

#[derive(cynic::InlineFragments)]
#[cynic(exhaustive)]
enum ContractImpactResult {
    ContractImpact(ContractImpact),
    InvalidDocuments(InvalidDocuments),
    #[cynic(fallback)]
    Unknown,
}

/// Whom the changes break: no one, if nothing breaks.
#[derive(Debug, Serialize, cynic::QueryFragment)]
struct ContractImpact {
    affected: Option<AffectedReaders>,
}

/// The differences between two versions, as printed by `--json`.
#[derive(Debug, Serialize)]
struct Diff {
    old: Side,
    new: Side,
    findings: Vec<Finding>,
    /// The bump between the two version numbers.
    declared: Bump,
    /// The bump that the findings require.
    needed: Bump,
    /// The lowest version number that the new document may have.
    suggested: String,
    /// Whether the declared bump is sufficient.
    accepted: bool,
    /// What the server says of it, with `--impact`.
    #[serde(flatten)]
    impact: Option<ContractImpact>,
}

#[derive(Debug, Serialize)]
struct Side {
    document: String,
    id: String,
    version: String,
}

/// Runs `charter contract`.
pub(crate) async fn run(args: Args) -> Result<Exit> {
    let args = match args.command {
        Command::Diff(args) => args,
        Command::Init(args) => return init::run(&args),
        Command::Lint(args) => return lint::run(&args),
        Command::Import(args) => return convert::import(&args),
        Command::Export(args) => return convert::export(&args),
        Command::Test(args) => return contract_test::run(&args).await,
    };
    match (&args.old, &args.new) {
        (Some(old), Some(new)) => diff(&args, old, new).await,
        _ => batch::diff(),
    }
}

/// The length of the longest name of a custom property, in bytes.
const LONGEST_PROPERTY: usize = 256;

fn promises(names: &[String]) -> Result<BTreeSet<String>> {
    let mut promises = BTreeSet::new();
    for name in names {
        if name.trim().is_empty() || name.len() > LONGEST_PROPERTY {
            let message = format!("`--promise` takes the name of a custom property, of 1 to {LONGEST_PROPERTY} bytes");
            return Err(Error::new(Exit::Usage, message));
        }
        if !promises.insert(name.clone()) {
            return Err(Error::new(Exit::Usage, format!("duplicate promise `{name}`")));
        }
    }
    Ok(promises)
}

async fn diff(args: &DiffArgs, old: &Path, new: &Path) -> Result<Exit> {
    let promises = promises(&args.promise)?;
    let (old, new) = match (read(old)?, read(new)?) {
        (Ok(old), Ok(new)) => (old, new),
        (Err(problems), Ok(_)) | (Ok(_), Err(problems)) => return Err(invalid(&problems)),
        (Err(mut problems), Err(more)) => {
            problems.extend(more);
            return Err(invalid(&problems));
        }
    };
    let proofs = if args.proven { Proofs::All } else { Proofs::None };
    let options = Options { proofs, allow_widening: args.allow_widening, promises, ..Options::default() };
    let mut diff = Diff::between(&old, &new, &options);
    if let Some(product) = &args.impact {
        diff.impact = Some(ask_impact(&args.remote, product, &old, &new).await?);
    }
    match args.format.or_json(args.remote.json) {
        Format::Text if args.changelog => output::print(&diff.changelog())?,
        Format::Text => output::print_report(&diff.text())?,
        Format::Json => output::print_json(&diff)?,
        Format::Junit => output::print(&report::junit("charter contract diff", &[diff.case(&new)]))?,
        Format::Github => output::print(&report::annotations(&[diff.case(&new)]))?,
        Format::Sarif => output::print_json(&report::sarif(&[diff.case(&new)]))?,
    }
    if diff.old.id != diff.new.id {
        output::warn(&format!("the documents belong to different contracts: `{}` and `{}`", diff.old.id, diff.new.id));
    }
    match diff.refusal() {
        None => Ok(Exit::Done),
        Some(refusal) => Err(Error::new(Exit::Refused, refusal)
            .hint(format!("set the version in `{}` to `{}`", diff.new.document, diff.suggested))),
    }
}

async fn ask_impact(
    remote: &Remote,
    product: &ProductAddress,
    old: &Document,
    new: &Document,
) -> Result<ContractImpact> {
    let product = format!("{}.{}", product.domain, product.product);
    let query = CompareDocuments { product, old: old.source(), new: new.source() };
    match Client::new(remote)?.send(query).await? {
        ContractImpactResult::ContractImpact(impact) => Ok(impact),
        ContractImpactResult::InvalidDocuments(invalid) => Err(invalid.error()),
        ContractImpactResult::Unknown => Err(Error::unknown_outcome()),
    }
}

/// A file with a contract.
pub(crate) struct Document {
    pub(crate) name: String,
    pub(crate) contract: contract::Document,
    bytes: Vec<u8>,
}

/// Reads a contract, or returns all problems in it.
pub(crate) fn read(path: &Path) -> Result<std::result::Result<Document, Vec<Problem>>> {
    let name = sources::name(path);
    let located = |problem: documents::Problem| Problem::of(&name, problem);
    let bytes = sources::read_bytes(path)?;
    // What only the server refuses (names, places, units) neither hides nor makes a difference.
    let parsed = match documents::parse_to_compare(&bytes) {
        Ok(parsed) => parsed,
        Err(problems) => return Ok(Err(problems.into_iter().map(located).collect())),
    };
    for warning in parsed.warnings {
        output::warn(&located(warning).to_string());
    }
    match parsed.document {
        documents::Document::Contract(contract) => Ok(Ok(Document { name, contract, bytes })),
        documents::Document::Product(_) => {
            Err(Error::new(Exit::Invalid, format!("`{name}` is a data product, not a contract")))
        }
    }
}

impl Document {
    fn source(&self) -> Source {
        Source { path: self.name.clone(), text: String::from_utf8_lossy(&self.bytes).into_owned() }
    }
}

impl Diff {
    fn between(old: &Document, new: &Document, options: &Options) -> Self {
        let findings = change::compare_with(&old.contract, &new.contract, options);
        let (old_version, new_version) = (old.contract.version, new.contract.version);
        let needed = change::needed_bump(&old.contract, &new.contract, &findings);
        let declared = new_version.bump_from(old_version);
        let accepted = declared >= needed;
        let suggested = if accepted { new_version } else { old_version.next(needed) };
        Self {
            old: Side::from(old),
            new: Side::from(new),
            findings: findings.into_iter().map(Finding::from).collect(),
            declared: declared.into(),
            needed: needed.into(),
            suggested: suggested.to_string(),
            accepted,
            impact: None,
        }
    }

    fn refusal(&self) -> Option<String> {
        let refusal = || format!("version {} is too low for the changes", self.new.version);
        (!self.accepted).then(refusal)
    }

    /// The comparison as a report case for the new document.
    fn case(&self, new: &Document) -> Case {
        let places = Places::of(&String::from_utf8_lossy(&new.bytes));
        let note = |finding: &Finding| {
            let place = places.find(&self.new.id, &self.new.version, &finding.path);
            Note::from_finding(finding, Some(self.declared), place)
        };
        Case {
            document: self.new.document.clone(),
            name: format!("contract {} {} to {}", self.new.id, self.old.version, self.new.version),
            notes: self.findings.iter().map(note).chain(self.affected().flat_map(AffectedReaders::notes)).collect(),
            failure: self.refusal(),
        }
    }

    /// Those whom the changes break, if the server was asked.
    fn affected(&self) -> impl Iterator<Item = &AffectedReaders> {
        self.impact.iter().flat_map(|impact| &impact.affected)
    }

    fn changelog(&self) -> String {
        let Self { old, new, needed, suggested, .. } = self;
        let suggested = (!self.accepted).then_some(suggested.as_str());
        let head = Head { contract: &new.id, old: &old.version, new: &new.version, needed: *needed, suggested };
        changelog(&head, &self.findings)
    }

    fn text(&self) -> String {
        let Self { old, new, needed, declared, .. } = self;
        let mut text = format!(
            "{}\n",
            output::bold(&format!("contract `{}`: {} to {}", output::cleaned(&new.id), old.version, new.version))
        );
        if self.findings.is_empty() {
            text.push_str("no differences in the contract\n");
            return text;
        }
        text.push_str(&findings_text(&self.findings, ""));
        for reader in self.affected().flat_map(AffectedReaders::lines) {
            let _ = writeln!(text, "breaks: {}", output::cleaned(&reader));
        }
        if self.impact.is_some() && self.affected().all(AffectedReaders::is_empty) {
            text.push_str("breaks: no consumer that you may see\n");
        }
        let outcome = if self.accepted { "sufficient" } else { "too small" };
        let _ = writeln!(text, "required bump: {needed}, declared bump: {declared} ({outcome})");
        text
    }
}

impl From<&Document> for Side {
    fn from(document: &Document) -> Self {
        Self {
            document: document.name.clone(),
            id: document.contract.document_id.clone(),
            version: document.contract.version.to_string(),
        }
    }
}
