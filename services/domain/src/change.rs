//! The change engine: the differences between two versions, which readers they break, and the version bump they
//! require.
//!
//! Each format has a comparer with its own model. The comparer of data contracts reports each difference as a
//! [`Finding`] of a [`Rule`]; [`Rule::row`] and [`Rule::judgement`] are the normative table. A difference without a
//! rule is [`Rule::Undetermined`] and counts as breaking in both directions. Message schemas and tables ([`table`]) are
//! compared by the rules of their formats and share the types in [`message`].
//!
//! A new constraint that older data could violate is settled by a [`Proof`] that no row does, and a wider type by a
//! policy: see [`Options`]. A settled finding requires a smaller bump; the directions it breaks stay the same.
//!
//! Begin at [`compare`] and [`judge`]. To add a rule: add a variant with its word and its row of the table, and report
//! it in a comparer.

pub mod avro;
mod constraint;
mod contract;
mod fields;
mod finding_record;
pub mod json_schema;
pub mod level;
pub mod message;
pub mod proof;
mod property;
pub mod protobuf;
mod quality;
mod rule;
mod service;
mod serving;
pub mod table;
mod types;

use std::fmt;

pub use self::contract::{compare, compare_with};
pub use self::finding_record::{FindingRecord, finding_records};
pub use self::proof::{Options, Proof, Proofs};
pub use self::rule::{Judgement, Rule, Settlement};
use self::serving::Serving;
use crate::contract::Document;
use crate::error::Kind;
use crate::table::ColumnPath;
use crate::version::{Bump, Version};

/// One difference between two versions.
#[derive(Clone, Debug, PartialEq)]
pub struct Finding {
    /// What is different, by names: `orders.address.zip`, `orders.tags[]`, `servers.prod`, `sla.latency`, ...
    pub path: String,
    /// Which kind of difference it is.
    pub rule: Rule,
    /// The difference in one sentence, for people.
    pub message: String,
    /// What would settle it, if it were true of the data.
    pub proof: Option<Proof>,
    /// Whether the options it was found under settle it: its proof holds, or a policy allows it.
    pub settled: bool,
}

impl Finding {
    /// Whether a reader of the new version can read data written under the old.
    pub fn history_safe(&self) -> bool {
        self.rule.judgement().history_safe
    }

    /// Whether a reader of the old version goes on reading data written under the new.
    pub fn consumer_safe(&self) -> bool {
        self.rule.judgement().consumer_safe
    }

    /// The bump that it demands.
    pub fn bump(&self) -> Bump {
        let bump = self.rule.judgement().bump;
        if self.settled { bump.min(Bump::Minor) } else { bump }
    }
}

impl fmt::Display for Finding {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.path, self.message)
    }
}

/// The bump that all findings together demand; `None` for no findings. Documents that differ in their bytes alone are a
/// new version nevertheless, so a publisher asks for at least [`Bump::Patch`].
pub fn required_bump(findings: &[Finding]) -> Bump {
    findings.iter().map(Finding::bump).max().unwrap_or(Bump::None)
}

/// Why a new version may not be published.
#[derive(Clone, Debug, PartialEq, thiserror::Error)]
pub enum Refusal {
    /// Its major has a version that is as great or greater.
    #[error("version {version} is not greater than {newest}, the newest of its major")]
    NotGreater {
        /// The new version.
        version: Version,
        /// The newest of its major.
        newest: Version,
    },
    /// Its number does not say what changed.
    #[error("version {version} changes {since} in a way that needs a {needed} bump: publish it as {least} or later")]
    Bump {
        /// The new version.
        version: Version,
        /// The promised version that it was compared with.
        since: Version,
        /// The bump that the changes demand.
        needed: Bump,
        /// The least version that would be accepted.
        least: Version,
        /// The changes.
        findings: Vec<Finding>,
    },
}

impl Refusal {
    /// What a caller can conclude.
    pub fn kind(&self) -> Kind {
        Kind::Refused
    }
}

/// Decides whether a new version may be published into its major, under the strictest options: see [`judge_with`].
///
/// # Errors
/// [`Refusal`]; of several promised versions the one that demands the greatest version.
pub fn judge(new: &Document, versions: &[Version], promised: &[&Document]) -> Result<(), Refusal> {
    judge_with(new, versions, promised, &Options::default())
}

/// Decides whether a new version may be published into its major: it is greater than all `versions` of that major, its
/// number says what changed since each of the `promised` ones (those that are active or deprecated), and it keeps to
/// the compatibility level. Versions of other majors among them count for nothing: majors live side by side.
///
/// The level is that of the newest promised version, since its readers were promised it. A level that is not transitive
/// looks at that version alone. Breaking a level needs another major, where no level holds yet.
///
/// # Errors
/// [`Refusal`]; of several promised versions the one that demands the greatest version.
pub fn judge_with(
    new: &Document,
    versions: &[Version],
    promised: &[&Document],
    options: &Options,
) -> Result<(), Refusal> {
    let version = new.version;
    let newest = versions.iter().copied().filter(|old| old.major == version.major).max();
    if let Some(newest) = newest.filter(|newest| version <= *newest) {
        return Err(Refusal::NotGreater { version, newest });
    }
    let in_major = || promised.iter().filter(|old| old.version.major == version.major);
    let Some(newest) = in_major().max_by_key(|old| old.version) else { return Ok(()) };
    let level = newest.settings.compatibility;
    let history = in_major().filter(|old| level.is_transitive() || old.version == newest.version);
    let refusals = history.filter_map(|old| {
        let findings = compare_with(old, new, options);
        let least = if level.breaches(&findings).next().is_some() { Bump::Major } else { Bump::Patch };
        let needed = required_bump(&findings).max(least);
        let least = old.version.next(needed);
        let refused = version.bump_from(old.version) < needed;
        refused.then_some(Refusal::Bump { version, since: old.version, needed, least, findings })
    });
    let worst = refusals.max_by_key(|refused| match refused {
        Refusal::Bump { least, since, .. } => (*least, *since),
        Refusal::NotGreater { version, newest } => (*version, *newest),
    });
    worst.map_or(Ok(()), Err)
}

/// What holds for a whole comparison of two contracts.
#[derive(Clone, Copy, Debug)]
struct Context<'a> {
    options: &'a Options,
    /// Whether the old version lets types become wider.
    allow_widening: bool,
    /// Whether the old version told its readers to expect new values in every enumeration.
    enums_open: bool,
    /// How both versions are read.
    serving: Serving,
}

/// Collects findings on the way down.
#[derive(Debug)]
struct Findings<'a> {
    context: Context<'a>,
    path: Vec<String>,
    /// The way to the column in the table, for proofs: the object, then columns.
    columns: Vec<String>,
    found: Vec<Finding>,
}

impl<'a> Findings<'a> {
    fn new(context: Context<'a>) -> Self {
        Self { context, path: Vec::new(), columns: Vec::new(), found: Vec::new() }
    }

    fn add(&mut self, rule: Rule, message: impl Into<String>) {
        let settled = match rule.settled_by() {
            Settlement::Widening => self.context.allow_widening || self.context.options.allow_widening,
            Settlement::Readers => self.context.options.readers_keep_up,
            Settlement::Proof | Settlement::Nothing => false,
        };
        let path = self.path.concat();
        self.found.push(Finding { path, rule, message: message.into(), proof: None, settled });
    }

    /// Adds a finding that a proof would settle.
    fn add_provable(&mut self, rule: Rule, message: impl Into<String>, claim: proof::Claim) {
        let proof = Proof { object: self.columns.first().cloned().unwrap_or_default(), claim };
        let settled = self.context.options.proofs.hold(&proof);
        let path = self.path.concat();
        self.found.push(Finding { path, rule, message: message.into(), proof: Some(proof), settled });
    }

    /// The column that is being looked at.
    fn column(&self) -> ColumnPath {
        ColumnPath(self.columns.get(1..).unwrap_or_default().to_vec())
    }

    /// Looks at something below: `step` is what its path adds, with its separator.
    fn below(&mut self, step: impl Into<String>, look: impl FnOnce(&mut Self)) {
        self.path.push(step.into());
        look(self);
        self.path.pop();
    }

    /// Looks at an object, or at a column below it: `column` is its name in the table.
    fn below_column(&mut self, step: impl Into<String>, column: &str, look: impl FnOnce(&mut Self)) {
        self.columns.push(column.to_owned());
        self.below(step, look);
        self.columns.pop();
    }
}
