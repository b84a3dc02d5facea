//! Response types that several commands share: principals, product names, findings, decisions, snapshots and verdicts.
//!
//! The field names are the API's; `--json` prints them unchanged. A type's `FRAGMENT` selects its fields; a document
//! that uses it lists it among its parts.

use std::fmt::Write;

use domain::gate::{Check, Code};
use domain::{change, version};
use serde::{Deserialize, Serialize};

use super::output::{Mark, Paint, cleaned, or_dash, word};

/// A principal, by name.
#[derive(Debug, Deserialize, Serialize)]
pub(crate) struct PrincipalName {
    /// The name at its issuer.
    pub(crate) subject: String,
}

/// A domain, by path.
#[derive(Debug, Deserialize, Serialize)]
pub(crate) struct DomainName {
    /// Its path.
    pub(crate) path: String,
}

/// A product, by name.
#[derive(Debug, Deserialize, Serialize)]
pub(crate) struct ProductName {
    /// Its name.
    pub(crate) name: String,
    /// Its domain, where the caller may know of it.
    pub(crate) domain: Option<DomainName>,
}

impl ProductName {
    /// What to ask for, as `...ProductName`.
    pub(crate) const FRAGMENT: &str = "fragment ProductName on Product { name domain { path } }\n";
}

impl std::fmt::Display for ProductName {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match &self.domain {
            Some(domain) => write!(f, "{}.{}", domain.path, self.name),
            None => f.write_str(&self.name),
        }
    }
}

/// How far a version must move.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Deserialize, Serialize)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
pub(crate) enum Bump {
    /// Not at all.
    None,
    /// The third number.
    Patch,
    /// The second number.
    Minor,
    /// The first number.
    Major,
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

impl std::fmt::Display for Bump {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(match self {
            Self::None => "none",
            Self::Patch => "patch",
            Self::Minor => "minor",
            Self::Major => "major",
        })
    }
}

/// One difference between two versions of a contract.
#[derive(Debug, Deserialize, Serialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Finding {
    /// Where.
    pub(crate) path: String,
    /// The rule that judged it.
    pub(crate) rule: String,
    /// Whether readers of the new version can read data written under the old (BACKWARD).
    pub(crate) history_safe: bool,
    /// Whether readers of the old version go on reading data written under the new (FORWARD).
    pub(crate) consumer_safe: bool,
    /// The bump that it demands.
    pub(crate) bump: Bump,
    /// What has changed.
    pub(crate) message: String,
    /// What would settle it, if it were true of every row.
    pub(crate) proof: Option<String>,
}

impl Finding {
    /// What to ask for, as `...Finding`.
    pub(crate) const FRAGMENT: &str =
        "fragment Finding on Finding { path rule historySafe consumerSafe bump message proof }\n";
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
        }
    }
}

/// Findings grouped by the bump they require, the largest first.
pub(crate) fn findings_text(findings: &[Finding], indent: &str, paint: Paint) -> String {
    let mut text = String::new();
    for bump in [Bump::Major, Bump::Minor, Bump::Patch, Bump::None] {
        let mut of_bump = findings.iter().filter(|finding| finding.bump == bump).peekable();
        if of_bump.peek().is_some() {
            let _ = writeln!(text, "{indent}{}", paint.bold(&bump.to_string()));
        }
        for Finding { path, message, rule, history_safe, consumer_safe, proof, .. } in of_bump {
            let breaks = match (history_safe, consumer_safe) {
                (true, true) => "",
                (true, false) => ", not consumer-safe",
                (false, true) => ", not history-safe",
                (false, false) => ", neither history-safe nor consumer-safe",
            };
            let (path, message) = (cleaned(path), cleaned(message));
            let _ = writeln!(text, "{indent}  {path}: {message} ({rule}{breaks})");
            if let Some(proof) = proof {
                let _ = writeln!(text, "{indent}    a minor version is enough if {proof}");
            }
        }
    }
    text
}

/// A decision of the gate, with a line for each check.
#[derive(Debug, Deserialize, Serialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Decision {
    /// Its id.
    pub(crate) id: String,
    /// What was asked for: `read`, `repair`, `write`.
    pub(crate) action: String,
    /// Whether the table is open.
    pub(crate) allowed: bool,
    /// When it was decided.
    pub(crate) at: String,
    /// The table's address.
    pub(crate) address: Option<String>,
    /// The checks in order.
    pub(crate) lines: Vec<DecisionLine>,
    /// The snapshot that is served.
    pub(crate) served: Option<SnapshotName>,
    /// When to try again.
    pub(crate) retry_at: Option<String>,
}

/// A snapshot, by its key in the table's format.
#[derive(Debug, Deserialize, Serialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct SnapshotName {
    /// The Delta version, or the digest of a set of files.
    pub(crate) key: String,
    /// When it was committed.
    pub(crate) committed_at: Option<String>,
}

/// One check of a decision.
#[derive(Debug, Deserialize, Serialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct DecisionLine {
    /// Its name.
    #[serde(with = "super::word")]
    pub(crate) check: Check,
    /// What became of it.
    pub(crate) outcome: LineOutcome,
    /// The reason for programs.
    #[serde(with = "super::word")]
    pub(crate) code: Code,
    /// The reason for people.
    pub(crate) message: String,
    /// More, for those with the right to it.
    pub(crate) details: Vec<String>,
}

/// What became of a check.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize, Serialize)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
pub(crate) enum LineOutcome {
    /// It holds.
    Holds,
    /// It holds, with something to know.
    Warns,
    /// It does not hold.
    Fails,
    /// It does not hold and does not bind.
    NotBinding,
    /// It was not looked at.
    NotChecked,
}

impl Decision {
    /// What to ask for, as `...Decision`.
    pub(crate) const FRAGMENT: &str = "fragment Decision on Decision {
        id action allowed at address lines { check outcome code message details } served { key committedAt } retryAt
    }\n";

    /// The decision line by line. `requested` is the address of the request; the decision's own includes the major.
    pub(crate) fn text(&self, requested: &str, paint: Paint) -> String {
        let address = self.address.as_deref().unwrap_or(requested);
        let outcome = if self.allowed { "allowed" } else { "denied" };
        let mut text = format!("{}\n", paint.bold(&format!("{address}: {} {outcome}", word(&self.action))));
        for line in &self.lines {
            let mark = match line.outcome {
                LineOutcome::Holds => Mark::Ok,
                LineOutcome::Warns => Mark::Warn,
                LineOutcome::Fails => Mark::Fail,
                LineOutcome::NotBinding | LineOutcome::NotChecked => Mark::Blank,
            };
            let aside = if line.outcome == LineOutcome::NotBinding { " (not enforced)" } else { "" };
            let _ = writeln!(text, "  {} {:<12} {}{aside}", paint.mark(mark), line.check.as_str(), line.message);
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
            |check: Check| self.lines.iter().any(|line| line.outcome == LineOutcome::Fails && line.check == check);
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
#[derive(Debug, Deserialize, Serialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Snapshot {
    /// Its id.
    pub(crate) id: String,
    /// The Delta version, or the digest of a set of files.
    pub(crate) key: String,
    /// Where it stands.
    pub(crate) state: SnapshotState,
    /// When it was noticed.
    pub(crate) noticed_at: String,
    /// When it was committed.
    pub(crate) committed_at: Option<String>,
    /// How many rows it has.
    pub(crate) rows: Option<String>,
    /// How many files it has.
    pub(crate) files: Option<String>,
    /// What the inspection found.
    pub(crate) verdict: Option<Verdict>,
    /// Why the inspection failed.
    pub(crate) error: Option<String>,
}

/// Where a snapshot stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize, Serialize)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
pub(crate) enum SnapshotState {
    /// Not inspected yet.
    Pending,
    /// Inspected.
    Inspected,
    /// Overtaken by a newer one before it was inspected.
    Skipped,
    /// Its inspection failed.
    Error,
}

/// What an inspection found.
#[derive(Debug, Deserialize, Serialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Verdict {
    /// In one word.
    pub(crate) verdict: VerdictWord,
    /// Whether the table has the form that the contract promises.
    pub(crate) conforms: bool,
    /// What is to be said of its form.
    pub(crate) conformance: Vec<String>,
    /// What became of each rule.
    pub(crate) results: Vec<RuleResult>,
    /// When it was found.
    pub(crate) at: String,
}

/// A verdict in one word.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize, Serialize)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
pub(crate) enum VerdictWord {
    /// All rules hold.
    Pass,
    /// All that bind hold.
    Warn,
    /// One that binds does not hold.
    Fail,
    /// It could not be found out.
    Error,
}

/// What became of one rule.
#[derive(Debug, Deserialize, Serialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct RuleResult {
    /// The rule.
    pub(crate) key: String,
    /// The rule for people.
    pub(crate) title: String,
    /// How much it weighs.
    pub(crate) severity: Severity,
    /// What became of it.
    pub(crate) outcome: RuleOutcome,
    /// What was measured.
    pub(crate) measured: Option<f64>,
    /// In which unit.
    pub(crate) unit: String,
    /// More for people.
    pub(crate) message: Option<String>,
}

/// How much a rule weighs.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize, Serialize)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
pub(crate) enum Severity {
    /// It reports.
    Info,
    /// It warns.
    Warning,
    /// It fails.
    Error,
}

/// What became of a rule.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize, Serialize)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
pub(crate) enum RuleOutcome {
    /// It holds.
    Pass,
    /// It does not hold.
    Fail,
    /// It could not be measured.
    Error,
    /// It is of a kind that is not run.
    NotRun,
}

impl Snapshot {
    /// What to ask for, as `...Snapshot`.
    pub(crate) const FRAGMENT: &str = "fragment Snapshot on Snapshot {
        id key state noticedAt committedAt rows files error
        verdict { verdict conforms conformance at results { key title severity outcome measured unit message } }
    }\n";

    /// The verdict if there is one, otherwise the state.
    pub(crate) fn status(&self) -> &'static str {
        match (self.state, self.verdict.as_ref().map(|verdict| verdict.verdict)) {
            (SnapshotState::Pending, _) => "pending",
            (SnapshotState::Skipped, _) => "skipped",
            (SnapshotState::Error, _) | (SnapshotState::Inspected, Some(VerdictWord::Error)) => "error",
            (SnapshotState::Inspected, None) => "inspected",
            (SnapshotState::Inspected, Some(VerdictWord::Pass)) => "pass",
            (SnapshotState::Inspected, Some(VerdictWord::Warn)) => "warn",
            (SnapshotState::Inspected, Some(VerdictWord::Fail)) => "fail",
        }
    }

    /// The snapshot and its verdict, rule by rule.
    pub(crate) fn text(&self, paint: Paint) -> String {
        let mut text = format!(
            "{}\n",
            paint.bold(&format!(
                "snapshot {}: {} ({} rows, {} files, committed {})",
                self.key,
                self.status(),
                or_dash(self.rows.as_deref()),
                or_dash(self.files.as_deref()),
                or_dash(self.committed_at.as_deref()),
            ))
        );
        if let Some(error) = &self.error {
            let _ = writeln!(text, "  {} {error}", paint.mark(Mark::Fail));
        }
        if let Some(verdict) = &self.verdict {
            text.push_str(&verdict.text(paint));
        }
        text
    }
}

impl Verdict {
    fn text(&self, paint: Paint) -> String {
        let (mark, conformance) = if !self.conforms {
            (Mark::Fail, "does not conform to the contract")
        } else if self.conformance.is_empty() {
            (Mark::Ok, "conforms to the contract")
        } else {
            (Mark::Warn, "conforms to the contract, with remarks")
        };
        let mut text = format!("  {} {conformance}\n", paint.mark(mark));
        for line in &self.conformance {
            let _ = writeln!(text, "       {line}");
        }
        for result in &self.results {
            let mark = match (result.outcome, result.severity) {
                (RuleOutcome::Pass, _) => Mark::Ok,
                (RuleOutcome::NotRun, _) | (_, Severity::Info) => Mark::Blank,
                (RuleOutcome::Fail | RuleOutcome::Error, Severity::Warning) => Mark::Warn,
                (RuleOutcome::Fail | RuleOutcome::Error, Severity::Error) => Mark::Fail,
            };
            let measured = result.measured.map(|number| format!(": {number} {}", word(&result.unit)));
            let aside = match result.outcome {
                RuleOutcome::NotRun => " (not run)",
                RuleOutcome::Error => " (could not be measured)",
                RuleOutcome::Pass | RuleOutcome::Fail => "",
            };
            let _ = write!(text, "  {} {}{}{aside}", paint.mark(mark), result.title, measured.unwrap_or_default());
            let _ = match &result.message {
                Some(message) => writeln!(text, "; {message}"),
                None => writeln!(text),
            };
        }
        text
    }
}
