//! Which snapshot a `read` lease is about, and what that means for conformance and quality (SPEC section 1).

use crate::clock::Timestamp;
use crate::contract::{GateMode, Late};
use crate::gate::{Check, Detail, DetailRight, Facts, Line, fails, holds, warns};
use crate::id::SnapshotId;
use crate::org::Enforcement;
use crate::quality::Verdict;

/// A snapshot and what the current rules of one binding say of it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Judged {
    /// The snapshot.
    pub snapshot_id: SnapshotId,
    /// When it was committed, by the table's own account; the time of notice where it could not be looked at.
    pub committed_at: Timestamp,
    /// The worst of conformance and rules.
    pub verdict: Verdict,
    /// Whether it has the contract's columns.
    pub conforms: bool,
    /// What is wrong or worth knowing, a sentence each, and who may see it.
    pub findings: Vec<Detail>,
}

impl Judged {
    fn is_good(&self) -> bool {
        self.conforms && matches!(self.verdict, Verdict::Pass | Verdict::Warn)
    }

    /// Whether there is a file list to serve it from.
    fn is_readable(&self) -> bool {
        self.verdict != Verdict::Error
    }
}

/// What is known of a table's snapshots.
#[derive(Clone, Debug, PartialEq, Eq, Default)]
pub struct Snapshots {
    /// The newest ones that were judged by the current rules, the newest first.
    pub judged: Vec<Judged>,
    /// When the head was noticed, if it has not been judged yet.
    pub head_pending_since: Option<Timestamp>,
}

/// The snapshot to serve, and the two lines about it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Served {
    /// The snapshot; `None` shuts the gate in every enforcement, since there is nothing to serve.
    pub snapshot: Option<Judged>,
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
            conformance: fails(Check::Conformance, "conformance.pending", pending),
            quality: fails(Check::Quality, "quality.pending", pending),
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
        served.snapshot = facts.snapshots.judged.iter().find(|judged| judged.is_readable()).cloned();
    }
    served
}

fn open(chosen: &Judged, newest: &Judged) -> Served {
    let mut conformance = holds(Check::Conformance, "the served snapshot has the contract's columns");
    let mut quality = if chosen.snapshot_id != newest.snapshot_id {
        let message = "the newest snapshot is not good; the newest good one is served";
        warns(Check::Quality, "quality.older_served", message)
    } else {
        match chosen.verdict {
            Verdict::Pass => holds(Check::Quality, "the served snapshot passed its inspection"),
            Verdict::Warn => warns(Check::Quality, "quality.warned", "the served snapshot passed with warnings"),
            Verdict::Fail | Verdict::Error => {
                let message = "the served snapshot broke rules of the contract; its mode is `warn`";
                warns(Check::Quality, "quality.failed_served", message)
            }
        }
    };
    conformance.details = Vec::new();
    quality.details = chosen.findings.clone();
    Served { snapshot: Some(chosen.clone()), conformance, quality, retry_at: None }
}

fn shut(newest: &Judged) -> Served {
    let looked_at = newest.verdict != Verdict::Error;
    let conformance = match (newest.conforms, looked_at) {
        (true, _) => holds(Check::Conformance, "the newest snapshot has the contract's columns"),
        (false, true) => {
            fails(Check::Conformance, "conformance.broken", "the newest snapshot does not have the contract's columns")
        }
        (false, false) => {
            fails(Check::Conformance, "conformance.unknown", "the newest snapshot could not be inspected")
        }
    };
    let mut quality = match newest.verdict {
        Verdict::Error => fails(Check::Quality, "quality.error", "the newest snapshot could not be inspected in full"),
        Verdict::Fail => fails(Check::Quality, "quality.failed", "the newest snapshot broke rules of the contract"),
        Verdict::Warn => warns(Check::Quality, "quality.warned", "the newest snapshot passed with warnings"),
        Verdict::Pass => holds(Check::Quality, "the newest snapshot passed its rules"),
    };
    quality.details = newest.findings.clone();
    Served { snapshot: None, conformance, quality, retry_at: None }
}

/// A head that has been waiting for longer than `grace` shuts the gate in `block`, and is only told in the others.
fn mark_pending_head(served: &mut Served, facts: &Facts, now: Timestamp) {
    let settings = &facts.contract.settings;
    let Some(since) = facts.snapshots.head_pending_since else { return };
    if now.since(since) <= settings.grace {
        return;
    }
    let owner = Detail { right: DetailRight::Owner, text: format!("the newest snapshot was noticed {since}") };
    match settings.gate_mode {
        GateMode::Block => {
            served.snapshot = None;
            let message = "the newest snapshot has waited for its inspection for longer than the contract's grace";
            served.quality = fails(Check::Quality, "quality.head_pending", message);
            served.retry_at = Some(now.plus(FIRST_LOOK));
        }
        GateMode::LastGood | GateMode::Warn => {
            if served.snapshot.is_some() && served.quality.code == "quality.holds" {
                let message = "a newer snapshot waits for its inspection";
                served.quality = warns(Check::Quality, "quality.head_waits", message);
            }
        }
    }
    served.quality.details.push(owner);
}

/// Late data warns, or shuts where the contract says `late: block`. A pending head counts from its notice.
fn mark_late(served: &mut Served, facts: &Facts, newest: &Judged, now: Timestamp) {
    let settings = &facts.contract.settings;
    let Some(freshness) = facts.contract.freshness.filter(|_| !settings.is_final) else { return };
    let committed_at = newest.committed_at.max(facts.snapshots.head_pending_since.unwrap_or(newest.committed_at));
    if now.since(committed_at) <= freshness {
        return;
    }
    let message = format!("the newest data is of {committed_at}, later than the contract promises");
    match settings.late {
        Late::Block => {
            served.snapshot = None;
            served.quality = with_details(fails(Check::Quality, "quality.late", message), served);
        }
        Late::Warn if served.snapshot.is_some() => {
            served.quality = with_details(warns(Check::Quality, "quality.late", message), served);
        }
        Late::Warn => {}
    }
}

fn with_details(line: Line, served: &Served) -> Line {
    Line { details: served.quality.details.clone(), ..line }
}
