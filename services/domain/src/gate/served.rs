//! Which snapshot a `read` lease is about, and what that means for conformance and quality (`docs/rules.md`, "Served
//! snapshot").

use crate::clock::Timestamp;
use crate::contract::{GateMode, Late};
use crate::gate::{Check, Code, Detail, DetailRight, Facts, Line, LineOutcome, fails, holds, warns};
use crate::id::SnapshotId;
use crate::org::Enforcement;
use crate::quality::Verdict;

/// A snapshot, judged by the current rules of one binding.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct JudgedSnapshot {
    /// The snapshot.
    pub snapshot_id: SnapshotId,
    /// When it was committed, by the table's own account; the time of notice where it could not be looked at.
    pub committed_at: Timestamp,
    /// The worst of conformance and rules.
    pub verdict: Verdict,
    /// Whether it has the contract's columns.
    pub conforms: bool,
    /// Whether it was looked at, so that there is a file list to serve it from. A rule that could not be measured makes
    /// the verdict `error` all the same.
    pub readable: bool,
    /// How its columns differ from the contract, a sentence each, and who may see it.
    pub conformance: Vec<Detail>,
    /// Which rules do not hold, and who may see it.
    pub findings: Vec<Detail>,
}

impl JudgedSnapshot {
    fn is_good(&self) -> bool {
        self.conforms && matches!(self.verdict, Verdict::Pass | Verdict::Warn)
    }
}

/// What is known of a table's snapshots.
#[derive(Clone, Debug, PartialEq, Eq, Default)]
pub struct Snapshots {
    /// The newest ones that were judged by the current rules, the newest first.
    pub judged: Vec<JudgedSnapshot>,
    /// Since when there has been a snapshot newer than the judged ones, if there is one: the notice of the oldest of
    /// them, so that a table that commits often cannot extend its grace forever.
    pub head_pending_since: Option<Timestamp>,
    /// When the head was noticed, if it has not been judged yet: how new the newest data is.
    pub head_noticed_at: Option<Timestamp>,
}

/// The snapshot to serve, and the two lines about it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Served {
    /// The snapshot; `None` shuts the gate in every enforcement, since there is nothing to serve.
    pub snapshot: Option<JudgedSnapshot>,
    /// The line about its columns.
    pub conformance: Line,
    /// The line about its verdict.
    pub quality: Line,
    /// When asking again may help.
    pub retry_at: Option<Timestamp>,
}

/// How long a first inspection is expected to take, for the "try again" of an answer.
const FIRST_LOOK: std::time::Duration = std::time::Duration::from_secs(60);

/// Chooses by the contract's mode.
pub fn choose(facts: &Facts, now: Timestamp) -> Served {
    let settings = &facts.contract.settings;
    let Some(newest) = facts.snapshots.judged.first() else {
        let pending = "the table has not been inspected by the contract's current rules yet";
        return Served {
            snapshot: None,
            conformance: fails(Code::ConformancePending, pending),
            quality: fails(Code::QualityPending, pending),
            retry_at: Some(now.plus(FIRST_LOOK)),
        };
    };

    let chosen = match settings.gate_mode {
        _ if newest.is_good() => Some(newest),
        GateMode::Block => None,
        GateMode::LastGood => facts.snapshots.judged.iter().find(|judged| judged.is_good()),
        GateMode::Warn => Some(newest).filter(|newest| newest.conforms && newest.verdict == Verdict::Fail),
    };
    let mut served = match chosen {
        Some(chosen) => open(chosen, newest),
        None => shut(newest),
    };
    mark_pending_head(&mut served, facts, now);
    mark_late(&mut served, facts, newest, now);

    let binding = facts.enforcement == Enforcement::On;
    if !binding && served.snapshot.is_none() {
        served.snapshot = facts.snapshots.judged.iter().find(|judged| judged.readable).cloned();
    }
    served
}

fn open(chosen: &JudgedSnapshot, newest: &JudgedSnapshot) -> Served {
    let conformance = match chosen.conformance.is_empty() {
        true => holds(Check::Conformance, "the served snapshot has the contract's columns"),
        false => {
            let message = "the served snapshot has the contract's columns, with remarks";
            warns(Code::ConformanceNoted, message)
        }
    };
    let quality = if chosen.snapshot_id != newest.snapshot_id {
        let message = "the newest snapshot is not good; the newest good one is served";
        warns(Code::QualityOlderServed, message)
    } else {
        match chosen.verdict {
            Verdict::Pass => holds(Check::Quality, "the served snapshot passed its inspection"),
            Verdict::Warn => warns(Code::QualityWarned, "the served snapshot passed with warnings"),
            Verdict::Fail | Verdict::Error => {
                let message = "the served snapshot broke rules of the contract; its mode is `warn`";
                warns(Code::QualityFailedServed, message)
            }
        }
    };
    explained(chosen, Some(chosen.clone()), conformance, quality)
}

fn shut(newest: &JudgedSnapshot) -> Served {
    let conformance = match (newest.conforms, newest.readable) {
        (true, _) => holds(Check::Conformance, "the newest snapshot has the contract's columns"),
        (false, true) => fails(Code::ConformanceBroken, "the newest snapshot does not have the contract's columns"),
        (false, false) => fails(Code::ConformanceUnknown, "the newest snapshot could not be inspected"),
    };
    let quality = match newest.verdict {
        Verdict::Error => fails(Code::QualityError, "the newest snapshot could not be inspected in full"),
        Verdict::Fail => fails(Code::QualityFailed, "the newest snapshot broke rules of the contract"),
        Verdict::Warn => warns(Code::QualityWarned, "the newest snapshot passed with warnings"),
        Verdict::Pass => holds(Check::Quality, "the newest snapshot passed its rules"),
    };
    explained(newest, None, conformance, quality)
}

fn explained(by: &JudgedSnapshot, snapshot: Option<JudgedSnapshot>, conformance: Line, quality: Line) -> Served {
    Served {
        snapshot,
        conformance: Line { details: by.conformance.clone(), ..conformance },
        quality: Line { details: by.findings.clone(), ..quality },
        retry_at: None,
    }
}

/// A head that has been waiting for longer than `grace` shuts the gate in `block`, and is only reported in the others.
fn mark_pending_head(served: &mut Served, facts: &Facts, now: Timestamp) {
    let settings = &facts.contract.settings;
    let Some(since) = facts.snapshots.head_pending_since else { return };
    if now.since(since) <= settings.grace {
        return;
    }
    let text = format!("a newer snapshot has waited for its inspection since {since}");
    served.quality.details.push(Detail { right: DetailRight::Quality, text });
    match settings.gate_mode {
        GateMode::Block => {
            served.snapshot = None;
            served.retry_at = Some(now.plus(FIRST_LOOK));
            let message = "the newest snapshot has waited for its inspection for longer than the contract's grace";
            served.worsen(fails(Code::QualityHeadPending, message));
        }
        GateMode::LastGood | GateMode::Warn => {
            let message = "a newer snapshot waits for its inspection";
            served.worsen(warns(Code::QualityHeadWaits, message));
        }
    }
}

/// Late data warns, or shuts where the contract says `late: block`. A pending head counts from its notice.
fn mark_late(served: &mut Served, facts: &Facts, newest: &JudgedSnapshot, now: Timestamp) {
    let settings = &facts.contract.settings;
    let Some(freshness) = facts.contract.freshness.filter(|_| !settings.is_final) else { return };
    let committed_at = newest.committed_at.max(facts.snapshots.head_noticed_at.unwrap_or(newest.committed_at));
    if now.since(committed_at) <= freshness {
        return;
    }
    let message = format!("the newest data is from {committed_at}, older than the contract allows");
    served.quality.details.push(Detail { right: DetailRight::Quality, text: message.clone() });
    match settings.late {
        Late::Block => {
            served.snapshot = None;
            served.worsen(fails(Code::QualityLate, message));
        }
        Late::Warn => served.worsen(warns(Code::QualityLate, message)),
    }
}

impl Served {
    /// Takes the graver line about quality; what was found stays beside it.
    fn worsen(&mut self, line: Line) {
        let is_light = |line: &Line| [Code::QualityWarned, Code::QualityHeadWaits].contains(&line.code);
        let gravity = |line: &Line| match line.outcome {
            LineOutcome::Fails => 3,
            LineOutcome::Warns if is_light(line) => 1,
            LineOutcome::Warns => 2,
            LineOutcome::Holds | LineOutcome::NotBinding | LineOutcome::NotChecked => 0,
        };
        if gravity(&line) > gravity(&self.quality) {
            let details = std::mem::take(&mut self.quality.details);
            self.quality = Line { details, ..line };
        }
    }
}
