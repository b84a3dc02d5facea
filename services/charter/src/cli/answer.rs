//! Response types that several commands share: principals, product names, findings, decisions, snapshots and verdicts.
//!
//! The field names are the API's; `--json` prints them unchanged.

use std::fmt::Write;

use cynic::Id;
use domain::gate::Check;
use domain::{change, version};
use serde::Serialize;

use super::api::{
    Bump, DateTime, GateAction, GateCheck, LineOutcome, Long, QualityUnit, ReasonCode, RuleOutcome, Severity,
    SnapshotState, VerdictWord, schema,
};
use super::output::{self, Mark, bold, cleaned, or_dash, word};

/// A principal, by name.
#[derive(Debug, Serialize, cynic::QueryFragment)]
#[cynic(graphql_type = "Principal")]
pub(crate) struct PrincipalName {
    pub(crate) subject: String,
}

/// A domain, by path.
#[derive(Debug, Serialize, cynic::QueryFragment)]
#[cynic(graphql_type = "Domain")]
pub(crate) struct DomainName {
    pub(crate) path: String,
}

/// A product, by name.
#[derive(Debug, Serialize, cynic::QueryFragment)]
#[cynic(graphql_type = "Product")]
pub(crate) struct ProductName {
    pub(crate) name: String,
    pub(crate) domain: DomainName,
}

/// A name is in use.
#[derive(Debug, Serialize, cynic::QueryFragment)]
pub(crate) struct NameTaken {
    pub(crate) message: String,
}

/// A contract, by the id of its documents.
#[derive(Debug, Serialize, cynic::QueryFragment)]
#[cynic(graphql_type = "Contract")]
#[serde(rename_all = "camelCase")]
pub(crate) struct ContractName {
    pub(crate) document_id: String,
}

impl std::fmt::Display for ProductName {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{}.{}", self.domain.path, self.name)
    }
}

impl From<version::Bump> for Bump {
    fn from(bump: version::Bump) -> Self {
        match bump {
            version::Bump::None => Self::None,
            version::Bump::Patch => Self::Patch,
            version::Bump::Minor => Self::Minor,
            version::Bump::Major => Self::Major,
        }
    }
}

/// A difference between two versions of a contract.
#[derive(Debug, Serialize, cynic::QueryFragment)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Finding {
    pub(crate) path: String,
    /// The rule that judged the difference.
    pub(crate) rule: String,
    /// Whether readers of the new version can read old data.
    pub(crate) history_safe: bool,
    /// Whether readers of the old version can read new data.
    pub(crate) consumer_safe: bool,
    /// The required bump.
    pub(crate) bump: Bump,
    pub(crate) message: String,
    /// The value before, shortened.
    pub(crate) before: Option<String>,
    /// The value after, shortened.
    pub(crate) after: Option<String>,
    /// A condition on the data that would make the difference compatible.
    pub(crate) proof: Option<String>,
}

impl From<change::Finding> for Finding {
    fn from(finding: change::Finding) -> Self {
        Self {
            rule: finding.rule.to_string(),
            history_safe: finding.history_safe(),
            consumer_safe: finding.consumer_safe(),
            bump: finding.bump().into(),
            proof: finding.proof.map(|proof| proof.to_string()),
            path: finding.path,
            message: finding.message,
            before: finding.before,
            after: finding.after,
        }
    }
}

/// Findings grouped by the bump they require, the largest first.
pub(crate) fn findings_text(findings: &[Finding], indent: &str) -> String {
    let mut text = String::new();
    for bump in [Bump::Major, Bump::Minor, Bump::Patch, Bump::None] {
        let mut of_bump = findings.iter().filter(|finding| finding.bump == bump).peekable();
        if of_bump.peek().is_some() {
            let _ = writeln!(text, "{indent}{}", bold(&bump.to_string()));
        }
        for Finding { path, message, rule, history_safe, consumer_safe, before, after, proof, .. } in of_bump {
            let breaks = match (history_safe, consumer_safe) {
                (true, true) => "",
                (true, false) => ", not consumer-safe",
                (false, true) => ", not history-safe",
                (false, false) => ", neither history-safe nor consumer-safe",
            };
            let (path, message) = (cleaned(path), cleaned(message));
            let values = match (before, after) {
                (None, None) => String::new(),
                (before, after) => format!(" [{} -> {}]", shown(before.as_deref()), shown(after.as_deref())),
            };
            let _ = writeln!(text, "{indent}  {path}: {message} ({rule}{breaks}){values}");
            if let Some(proof) = proof {
                let _ = writeln!(text, "{indent}    a minor version is enough if {proof}");
            }
        }
    }
    text
}

/// A value of a finding.
fn shown(value: Option<&str>) -> String {
    value.map_or_else(|| "none".to_owned(), cleaned)
}

/// A decision of the gate, with a line for each check.
#[derive(Debug, Serialize, cynic::QueryFragment)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Decision {
    pub(crate) id: Id,
    pub(crate) action: GateAction,
    pub(crate) allowed: bool,
    pub(crate) at: DateTime,
    /// The table's address.
    pub(crate) address: Option<String>,
    pub(crate) lines: Vec<DecisionLine>,
    pub(crate) served: Option<SnapshotName>,
    pub(crate) retry_at: Option<DateTime>,
}

/// A snapshot, by its key in the table's format.
#[derive(Debug, Serialize, cynic::QueryFragment)]
#[cynic(graphql_type = "Snapshot")]
#[serde(rename_all = "camelCase")]
pub(crate) struct SnapshotName {
    pub(crate) key: String,
    pub(crate) committed_at: Option<DateTime>,
}

/// One check of a decision.
#[derive(Debug, Serialize, cynic::QueryFragment)]
#[serde(rename_all = "camelCase")]
pub(crate) struct DecisionLine {
    pub(crate) check: GateCheck,
    pub(crate) outcome: LineOutcome,
    /// The reason for programs.
    pub(crate) code: ReasonCode,
    /// The reason for people.
    pub(crate) message: String,
    /// Only for callers with the right to see it.
    pub(crate) details: Vec<String>,
}

impl Decision {
    /// The decision line by line. `requested` is the address of the request; the decision's own includes the major.
    pub(crate) fn text(&self, requested: &str) -> String {
        let address = self.address.as_deref().unwrap_or(requested);
        let outcome = if self.allowed { "allowed" } else { "denied" };
        let mut text = format!("{}\n", bold(&format!("{address}: {} {outcome}", word(self.action.as_str()))));
        for line in &self.lines {
            let mark = match line.outcome {
                LineOutcome::Holds => Mark::Ok,
                LineOutcome::Warns => Mark::Warn,
                LineOutcome::Fails => Mark::Fail,
                LineOutcome::NotBinding | LineOutcome::NotChecked => Mark::Blank,
            };
            let aside = if line.outcome == LineOutcome::NotBinding { " (not enforced)" } else { "" };
            let _ = writeln!(text, "  {} {:<12} {}{aside}", output::mark(mark), line.check.as_str(), line.message);
            for detail in &line.details {
                let _ = writeln!(text, "       {:<12} {detail}", "");
            }
        }
        if let Some(served) = &self.served {
            let committed = served.committed_at.as_ref().map(|at| format!(", committed {at}")).unwrap_or_default();
            let _ = writeln!(text, "snapshot {}{committed}", served.key);
        }
        text
    }

    /// The next step after access was denied.
    pub(crate) fn hint(&self, address: &str) -> Option<String> {
        let failed =
            |check: Check| self.lines.iter().any(|line| line.outcome == LineOutcome::Fails && line.check.0 == check);
        if failed(Check::Grant) {
            Some(format!("request access with `charter access request {address} --purpose ... --sentence ...`"))
        } else if let Some(at) = &self.retry_at {
            Some(format!("try again at {at}"))
        } else if failed(Check::Conformance) || failed(Check::Quality) {
            Some(format!("see the inspection results with `charter table show {address}`"))
        } else {
            None
        }
    }
}

/// A snapshot of a table and its inspection result.
#[derive(Debug, Serialize, cynic::QueryFragment)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Snapshot {
    pub(crate) id: Id,
    /// The Delta version, or the digest of a set of files.
    pub(crate) key: String,
    pub(crate) state: SnapshotState,
    pub(crate) noticed_at: DateTime,
    pub(crate) committed_at: Option<DateTime>,
    pub(crate) rows: Option<Long>,
    pub(crate) files: Option<Long>,
    pub(crate) inspection_read: Option<InspectionRead>,
    /// Why the inspection failed.
    pub(crate) error: Option<String>,
    pub(crate) verdict: Option<Verdict>,
}

/// What an inspection read to measure the rules; only for callers with the right to see it.
#[derive(Debug, Serialize, cynic::QueryFragment)]
#[serde(rename_all = "camelCase")]
pub(crate) struct InspectionRead {
    pub(crate) files: Long,
    pub(crate) bytes: Long,
    pub(crate) rows: Long,
    pub(crate) files_known: Long,
    pub(crate) proven: Long,
}

impl std::fmt::Display for InspectionRead {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let Self { files, bytes, rows, files_known, proven } = self;
        write!(f, "read: files {files}, rows {rows}, bytes {bytes}; ")?;
        write!(f, "known from before: files {files_known}; proven by statistics: counts {proven}")
    }
}

/// The result of an inspection.
#[derive(Debug, Serialize, cynic::QueryFragment)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Verdict {
    pub(crate) verdict: VerdictWord,
    pub(crate) conforms: bool,
    /// Remarks on conformance.
    pub(crate) conformance: Vec<String>,
    pub(crate) at: DateTime,
    pub(crate) results: Vec<RuleResult>,
}

/// The result of one rule.
#[derive(Debug, Serialize, cynic::QueryFragment)]
#[serde(rename_all = "camelCase")]
pub(crate) struct RuleResult {
    pub(crate) key: String,
    pub(crate) title: String,
    pub(crate) severity: Severity,
    pub(crate) outcome: RuleOutcome,
    pub(crate) measured: Option<f64>,
    pub(crate) unit: QualityUnit,
    pub(crate) message: Option<String>,
}

impl Snapshot {
    /// The verdict if there is one, otherwise the state.
    pub(crate) fn status(&self) -> String {
        match (self.state, &self.verdict) {
            (SnapshotState::Inspected, Some(verdict)) => verdict.verdict.to_string(),
            (state, _) => state.to_string(),
        }
    }

    /// The snapshot and its verdict, rule by rule.
    pub(crate) fn text(&self) -> String {
        let mut text = format!(
            "{}\n",
            bold(&format!(
                "snapshot {}: {} ({} rows, {} files, committed {})",
                self.key,
                self.status(),
                or_dash(self.rows.as_ref()),
                or_dash(self.files.as_ref()),
                or_dash(self.committed_at.as_ref()),
            ))
        );
        if let Some(read) = &self.inspection_read {
            let _ = writeln!(text, "  {read}");
        }
        if let Some(error) = &self.error {
            let _ = writeln!(text, "  {} {}", output::mark(Mark::Fail), cleaned(error));
        }
        if let Some(verdict) = &self.verdict {
            text.push_str(&verdict.text());
        }
        text
    }
}

impl Verdict {
    /// Conformance and rules, line by line.
    pub(crate) fn text(&self) -> String {
        let (mark, conformance) = if !self.conforms {
            (Mark::Fail, "does not conform to the contract")
        } else if self.conformance.is_empty() {
            (Mark::Ok, "conforms to the contract")
        } else {
            (Mark::Warn, "conforms to the contract, with remarks")
        };
        let mut text = format!("  {} {conformance}\n", output::mark(mark));
        for line in &self.conformance {
            let _ = writeln!(text, "       {}", cleaned(line));
        }
        for result in &self.results {
            let mark = match (result.outcome, result.severity) {
                (RuleOutcome::Pass, _) => Mark::Ok,
                (RuleOutcome::NotRun, _) | (_, Severity::Info) => Mark::Blank,
                (RuleOutcome::Fail | RuleOutcome::Error, Severity::Warning) => Mark::Warn,
                (RuleOutcome::Fail | RuleOutcome::Error, Severity::Error) => Mark::Fail,
            };
            let measured = result.measured.map(|number| format!(": {number} {}", result.unit));
            let aside = match result.outcome {
                RuleOutcome::NotRun => " (not run)",
                RuleOutcome::Error => " (could not be measured)",
                RuleOutcome::Pass | RuleOutcome::Fail => "",
            };
            let title = cleaned(&result.title);
            let _ = write!(text, "  {} {title}{}{aside}", output::mark(mark), measured.unwrap_or_default());
            let _ = match &result.message {
                Some(message) => writeln!(text, "; {}", cleaned(message)),
                None => writeln!(text),
            };
        }
        text
    }
}
