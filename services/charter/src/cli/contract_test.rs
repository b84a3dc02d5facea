//! `charter contract test`: judges a local table by a contract, without a server, by the code that an inspection runs.

use std::fmt::Write;
use std::path::PathBuf;

use app::contract::{RuleSet, judge_snapshot, rule_set};
use domain::clock::{Clock, SystemClock};
use domain::contract::{self, Classification, SchemaObject};
use domain::inspection::{Inspection, InspectionJob, Inspector, Kept};
use domain::quality::{self, Measured};
use domain::table::{Format, SnapshotKey};
use serde::Serialize;

use super::answer::{RuleResult, Verdict};
use super::api::{DateTime, QualityUnit, RuleOutcome, Severity, TableFormat, VerdictWord};
use super::apply::invalid;
use super::contract::{Document, read};
use super::error::{Error, Exit, Result};
use super::output::{self, bold, cleaned, count, mark};

/// `charter contract test`.
#[derive(clap::Args)]
pub(crate) struct TestArgs {
    /// Contract, an ODCS document; `-` for standard input
    file: PathBuf,
    /// Table: the folder of a Delta table (its newest version), a folder of Parquet files, or one Parquet file
    #[arg(long, value_name = "PATH")]
    data: PathBuf,
    /// Schema object that describes the table; needed if the contract has several
    #[arg(long)]
    object: Option<String>,
    /// Program that inspects tables; `charter-worker` next to this program if not given
    #[arg(long, env = "CHARTER_WORKER", value_name = "FILE")]
    worker: Option<PathBuf>,
    /// Print the result as JSON, with the API's field names
    #[arg(long)]
    json: bool,
}

/// The result, as printed by `--json`.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Tested {
    document: String,
    contract: String,
    version: String,
    object: String,
    data: String,
    format: TableFormat,
    snapshot: String,
    committed_at: DateTime,
    rows: u64,
    files: usize,
    verdict: Verdict,
    /// What the contract promises and this command cannot judge.
    not_judged: Vec<String>,
}

/// Runs `charter contract test`.
pub(crate) async fn run(args: &TestArgs) -> Result<Exit> {
    let document = read(&args.file)?.map_err(|problems| invalid(&problems))?;
    let object = chosen(&document, args.object.as_deref())?;
    // No server knows the product here, so it has the classification that products have by default.
    let rules = rule_set(&document.contract, object, Classification::default())
        .map_err(|error| Error::new(Exit::Invalid, format!("`{}`: {error}", document.name)))?;
    let (format, inspection) = inspect(args, &rules).await?;
    let tested = Tested::new(args, &document, object, &rules, format, inspection);
    output::show(args.json, &tested, Tested::text)?;
    Ok(exit(&tested.verdict))
}

/// A promise that is broken for certain counts more than one that cannot be measured.
fn exit(verdict: &Verdict) -> Exit {
    let is_broken = |result: &RuleResult| result.outcome == RuleOutcome::Fail && result.severity == Severity::Error;
    match verdict.verdict {
        VerdictWord::Pass | VerdictWord::Warn => Exit::Done,
        VerdictWord::Error if verdict.conforms && !verdict.results.iter().any(is_broken) => Exit::Failed,
        VerdictWord::Fail | VerdictWord::Error => Exit::Refused,
    }
}

/// The schema object that the table is judged by.
fn chosen<'a>(document: &'a Document, wanted: Option<&str>) -> Result<&'a SchemaObject> {
    let Document { name, contract, .. } = document;
    let objects: Vec<_> = contract.objects.iter().filter(|it| wanted.is_none_or(|wanted| wanted == it.name)).collect();
    let names = || {
        let names: Vec<_> = contract.objects.iter().map(|object| format!("`{}`", object.name)).collect();
        names.join(", ")
    };
    let (message, hint) = match (objects.as_slice(), wanted) {
        ([only], _) => return Ok(only),
        ([], _) if contract.objects.is_empty() => (format!("`{name}` has no schema object to judge a table by"), None),
        ([], wanted) => {
            let wanted = wanted.unwrap_or_default();
            (format!("`{name}` has no schema object `{wanted}`"), Some(format!("it has {}", names())))
        }
        (_, Some(wanted)) => (format!("`{name}` has several schema objects `{wanted}`"), None),
        (_, None) => {
            (format!("`{name}` has several schema objects: {}", names()), Some("choose one with `--object`".to_owned()))
        }
    };
    let error = Error::new(Exit::Invalid, message);
    Err(match hint {
        Some(hint) => error.hint(hint),
        None => error,
    })
}

/// Inspects the table as it is now, in a worker under the limits of a server's.
async fn inspect(args: &TestArgs, rules: &RuleSet) -> Result<(Format, Inspection)> {
    let failed = |message: String| Error::new(Exit::Failed, message);
    let data = args.data.display();
    // The worker follows no links, and the path is one that the caller chose.
    let root = args.data.canonicalize().map_err(|cause| failed(format!("cannot read `{data}`: {cause}")))?;
    let newest = match root.is_dir() {
        true => storage::newest_delta_version(&root),
        false => Ok(None),
    };
    let newest = newest.map_err(|cause| failed(format!("cannot read the Delta table `{data}`: {cause}")))?;
    let (format, snapshot) = match newest {
        Some(version) => (Format::Delta, Some(SnapshotKey::DeltaVersion(version))),
        None => (Format::Parquet, None),
    };
    let launcher = super::super::serve::default_launcher(args.worker.as_deref());
    let launcher = launcher.map_err(|error| failed(format!("{error:#}")))?;
    let scratch = tempfile::tempdir().map_err(|cause| failed(format!("cannot create a temporary folder: {cause}")))?;
    let job = InspectionJob {
        format,
        root,
        snapshot,
        rules: rules.rules.clone(),
        digests: false,
        scratch: scratch.path().to_owned(),
        kept: Kept::default(),
    };
    let spinner = output::spinner(format!("inspecting {data}"));
    let inspected = launcher.inspect(job).await;
    spinner.finish_and_clear();
    let inspection = inspected.map_err(|error| failed(format!("`{data}`: {error}")))?;
    Ok((format, inspection))
}

impl Tested {
    fn new(
        args: &TestArgs,
        document: &Document,
        object: &SchemaObject,
        rules: &RuleSet,
        format: Format,
        inspection: Inspection,
    ) -> Self {
        let Document { name, contract, .. } = document;
        let Inspection { snapshot, committed_at, schema, n_rows, files, measured, .. } = inspection;
        let results = rules.rules.iter().cloned().zip(measured);
        let results: Vec<_> = results.map(|(rule, measured)| quality::RuleResult { rule, measured }).collect();
        let judged = judge_snapshot(contract, object, rules, &schema, &results);
        let mut not_judged = not_judged(contract, object);
        let stricter = contract::verdict_of(&contract::conformance(contract, object, &schema, true));
        if stricter == quality::Verdict::Fail && judged.conforms {
            not_judged.push(
                "columns that the contract does not declare: a failure if the product is confidential or restricted, \
                 which a server knows"
                    .to_owned(),
            );
        }
        Self {
            document: name.clone(),
            contract: contract.document_id.clone(),
            version: contract.version.to_string(),
            object: object.name.clone(),
            data: args.data.display().to_string(),
            format: match format {
                Format::Delta => TableFormat::Delta,
                Format::Parquet => TableFormat::Parquet,
            },
            snapshot: snapshot.to_string(),
            committed_at: committed_at.into(),
            rows: n_rows,
            files: files.len(),
            verdict: Verdict {
                verdict: judged.verdict.into(),
                conforms: judged.conforms,
                conformance: judged.conformance,
                at: SystemClock.now().into(),
                results: results.into_iter().map(RuleResult::from).collect(),
            },
            not_judged,
        }
    }

    fn text(&self) -> String {
        let Self { contract, version, object, data, snapshot, committed_at, rows, files, .. } = self;
        let title = format!(
            "contract `{}` {version}, object `{}`: {}",
            cleaned(contract),
            cleaned(object),
            self.verdict.verdict
        );
        let files = count(*files, "file");
        let mut text = format!(
            "{}\n{}: snapshot {snapshot} ({rows} rows, {files}, committed {committed_at})\n",
            bold(&title),
            cleaned(data)
        );
        text.push_str(&self.verdict.text());
        if !self.not_judged.is_empty() {
            text.push_str("not judged:\n");
        }
        for what in &self.not_judged {
            let _ = writeln!(text, "  {} {}", mark(output::Mark::Blank), cleaned(what));
        }
        text
    }
}

/// What a contract promises beyond the data of one table.
fn not_judged(contract: &contract::Document, object: &SchemaObject) -> Vec<String> {
    let mut not_judged = Vec::new();
    for sla in contract.sla.iter().filter(|sla| sla.concerns(object)) {
        let name = &sla.property;
        not_judged.push(match name.as_str() {
            "latency" | "frequency" => format!("service level `{name}`: a server knows when data is late"),
            _ => format!("service level `{name}`"),
        });
    }
    let refers = |relationships: &[contract::Relationship]| !relationships.is_empty();
    if refers(&object.relationships) || object.properties.iter().any(|column| refers(&column.relationships)) {
        not_judged.push("references to other tables: an inspection reads one table".to_owned());
    }
    not_judged
}

impl From<quality::RuleResult> for RuleResult {
    fn from(result: quality::RuleResult) -> Self {
        let outcome = match result.outcome() {
            quality::Outcome::Pass => RuleOutcome::Pass,
            quality::Outcome::Fail => RuleOutcome::Fail,
            quality::Outcome::Error => RuleOutcome::Error,
            quality::Outcome::NotRun => RuleOutcome::NotRun,
        };
        let quality::RuleResult { rule, measured } = result;
        let (measured, message) = match measured {
            Measured::Value(value) => (Some(value), None),
            Measured::Error(reason) => (None, Some(reason)),
            Measured::NotRun => (None, None),
        };
        Self {
            key: rule.key,
            title: rule.title,
            severity: match rule.severity {
                quality::Severity::Info => Severity::Info,
                quality::Severity::Warning => Severity::Warning,
                quality::Severity::Error => Severity::Error,
            },
            outcome,
            measured,
            unit: match rule.unit {
                quality::Unit::Rows => QualityUnit::Rows,
                quality::Unit::Percent => QualityUnit::Percent,
            },
            message,
        }
    }
}

impl From<quality::Verdict> for VerdictWord {
    fn from(verdict: quality::Verdict) -> Self {
        match verdict {
            quality::Verdict::Pass => Self::Pass,
            quality::Verdict::Warn => Self::Warn,
            quality::Verdict::Fail => Self::Fail,
            quality::Verdict::Error => Self::Error,
        }
    }
}
