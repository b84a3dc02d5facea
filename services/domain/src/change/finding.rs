//! A difference between two versions of a contract, and the collector of them.

use std::fmt;

use super::proof::{Claim, Options, Proof};
use super::rule::{Rule, Settlement};
use super::serving::Serving;
use super::values::Values;
use crate::table::ColumnPath;
use crate::version::Bump;

/// One difference between two versions.
#[derive(Clone, Debug, PartialEq)]
pub struct Finding {
    /// What is different, by names: `orders.address.zip`, `orders.tags[]`, `servers.prod`, `sla.latency`, ...
    pub path: String,
    /// Which kind of difference it is.
    pub rule: Rule,
    /// The difference in one sentence, for people.
    pub message: String,
    /// The value before, shortened; `None` where there was none, or where the message says it all.
    pub before: Option<String>,
    /// The value after, likewise.
    pub after: Option<String>,
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

/// What holds for a whole comparison of two contracts.
#[derive(Clone, Copy, Debug)]
pub(super) struct Context<'a> {
    pub(super) options: &'a Options,
    /// Whether the old version lets types become wider.
    pub(super) allow_widening: bool,
    /// Whether the old version told its readers to expect new values in every enumeration.
    pub(super) enums_open: bool,
    /// How both versions are read.
    pub(super) serving: Serving,
}

/// Collects findings on the way down.
#[derive(Debug)]
pub(super) struct Findings<'a> {
    pub(super) context: Context<'a>,
    path: Vec<String>,
    /// The way to the column in the table, for proofs: the object, then columns.
    pub(super) columns: Vec<String>,
    pub(super) found: Vec<Finding>,
}

impl<'a> Findings<'a> {
    pub(super) fn new(context: Context<'a>) -> Self {
        Self { context, path: Vec::new(), columns: Vec::new(), found: Vec::new() }
    }

    /// Adds a difference of which there are no values, as of an order.
    pub(super) fn add(&mut self, rule: Rule, message: impl Into<String>) {
        self.change(rule, message, Values::default());
    }

    /// Adds a difference between two values.
    pub(super) fn change(&mut self, rule: Rule, message: impl Into<String>, values: Values) {
        let settled = match rule.settled_by() {
            Settlement::Widening => self.context.allow_widening || self.context.options.allow_widening,
            Settlement::Readers => self.context.options.readers_keep_up,
            Settlement::Proof | Settlement::Nothing => false,
        };
        let path = self.path.concat();
        let Values { before, after } = values;
        self.found.push(Finding { path, rule, message: message.into(), before, after, proof: None, settled });
    }

    /// Adds a finding that a proof would settle.
    pub(super) fn add_provable(&mut self, rule: Rule, message: impl Into<String>, values: Values, claim: Claim) {
        let proof = Proof { object: self.columns.first().cloned().unwrap_or_default(), claim };
        let settled = self.context.options.proofs.hold(&proof);
        let path = self.path.concat();
        let Values { before, after } = values;
        self.found.push(Finding { path, rule, message: message.into(), before, after, proof: Some(proof), settled });
    }

    /// The column that is being looked at.
    pub(super) fn column(&self) -> ColumnPath {
        ColumnPath(self.columns.get(1..).unwrap_or_default().to_vec())
    }

    /// Looks at something below: `step` is what its path adds, with its separator.
    pub(super) fn below(&mut self, step: impl Into<String>, look: impl FnOnce(&mut Self)) {
        self.path.push(step.into());
        look(self);
        self.path.pop();
    }

    /// Looks at an object, or at a column below it: `column` is its name in the table.
    pub(super) fn below_column(&mut self, step: impl Into<String>, column: &str, look: impl FnOnce(&mut Self)) {
        self.columns.push(column.to_owned());
        self.below(step, look);
        self.columns.pop();
    }
}
