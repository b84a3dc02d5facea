//! The pairs of places of one comparison, and what is known of each.
//!
//! A pair is compared one place deep: its own differences, and the pairs of children that it depends on. All pairs are
//! taken as compatible until a difference says otherwise; a pair that turns incompatible has those compared again that
//! depend on it. What remains is the greatest fixpoint, so that a cycle of references neither runs for ever nor hides
//! anything, and a pair met on many ways is compared once.
//!
//! How two places compare is the caller's ([`ComparePlaces`]), which answers into an [`Answer`] and never calls itself.

use std::collections::{BTreeSet, HashMap};

use regex::{Regex, RegexBuilder};

use super::model::{Node, NodeId, Schema};
use super::names::{self, Limit, Name};
use crate::change::message::{Budget, Difference, Policy, TooComplex};
use crate::decimal::Decimal;

/// How often pairs that say something are listed at every place where they are met; beyond that each is listed once.
const MAX_LISTINGS: usize = 2_000;
/// The largest compiled form of a pattern, in bytes. What is larger, or beyond linear matching, cannot be told to
/// match.
const MAX_PATTERN_BYTES: usize = 1 << 18;
/// What a pattern costs before it can be looked for.
const STEPS_FOR_A_PATTERN: u32 = 1_000;

/// What a pair costs that is met for the first time: it will be compared, and kept.
const STEPS_FOR_A_PAIR: usize = 4;

/// Two places to be compared. Below a `not` the question turns round, and old and new with it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
struct Pair {
    old: NodeId,
    new: NodeId,
    is_swapped: bool,
}

/// Compares two places by what they are, one place deep.
pub(super) type ComparePlaces = for<'a> fn(&mut Answer<'_, 'a>, &Sides<'a>) -> Result<(), TooComplex>;

pub(super) struct Comparison<'a> {
    schemas: [&'a Schema; 2],
    policy: Policy,
    budget: &'a mut Budget,
    compare_places: ComparePlaces,
    pairs: Vec<PairState<'a>>,
    known: HashMap<Pair, usize>,
    patterns: HashMap<&'a str, Option<Regex>>,
}

/// What is known of a pair.
struct PairState<'a> {
    pair: Pair,
    is_compatible: bool,
    entries: Vec<Entry<'a>>,
    /// The pairs whose comparison depends on this one.
    dependents: Vec<usize>,
}

/// A line of a pair's answer, below the pair's own path.
#[derive(Clone, Copy)]
struct Entry<'a> {
    step: Step<'a>,
    what: What<'a>,
}

#[derive(Clone, Copy)]
enum What<'a> {
    /// A difference, for limits with both values.
    Difference(&'static Name, Option<(&'a Decimal, &'a Decimal)>),
    /// All that another pair has to say.
    Nested(usize),
}

/// The way from a pair to what is below it.
#[derive(Clone, Copy, Debug)]
pub(super) enum Step<'a> {
    Here,
    Keyword(&'static str),
    Member(&'static str, &'a str),
    Index(&'static str, usize),
}

impl<'a> Comparison<'a> {
    pub(super) fn new(
        schemas: [&'a Schema; 2],
        policy: Policy,
        budget: &'a mut Budget,
        compare_places: ComparePlaces,
    ) -> Self {
        let (pairs, known, patterns) = (Vec::new(), HashMap::new(), HashMap::new());
        Self { schemas, policy, budget, compare_places, pairs, known, patterns }
    }

    /// The differences, in the order of the schema.
    ///
    /// # Errors
    /// [`TooComplex`] if the budget does not suffice.
    pub(super) fn run(mut self) -> Result<Vec<Difference>, TooComplex> {
        let [old, new] = self.schemas;
        let root = self.pair(Pair { old: old.root(), new: new.root(), is_swapped: false });
        self.solve(root)?;
        self.list(root)
    }

    /// The index of a pair, with references followed.
    fn pair(&mut self, pair: Pair) -> usize {
        let [old, new] = self.sides(pair);
        let pair = Pair { old: old.resolve(pair.old), new: new.resolve(pair.new), ..pair };
        *self.known.entry(pair).or_insert_with(|| {
            self.pairs.push(PairState { pair, is_compatible: true, entries: Vec::new(), dependents: Vec::new() });
            self.pairs.len() - 1
        })
    }

    fn sides(&self, pair: Pair) -> [&'a Schema; 2] {
        let [old, new] = self.schemas;
        if pair.is_swapped { [new, old] } else { [old, new] }
    }

    /// Compares pairs until nothing moves. Later pairs go first: they are mostly what earlier ones wait for.
    fn solve(&mut self, root: usize) -> Result<(), TooComplex> {
        let mut pending = BTreeSet::from([root]);
        while let Some(index) = pending.pop_last() {
            let n_known = self.pairs.len();
            let entries = self.differences(index)?;
            pending.extend(n_known..self.pairs.len());
            let is_compatible = entries.iter().all(|entry| self.is_compatible(entry));
            let compared = &mut self.pairs[index];
            compared.entries = entries;
            if compared.is_compatible && !is_compatible {
                compared.is_compatible = false;
                pending.extend(std::mem::take(&mut compared.dependents));
            }
        }
        Ok(())
    }

    fn is_compatible(&self, entry: &Entry<'_>) -> bool {
        match entry.what {
            What::Difference(name, _) => name.is_compatible(self.policy),
            What::Nested(pair) => self.pairs[pair].is_compatible,
        }
    }

    /// One pair's own differences and the pairs below.
    fn differences(&mut self, index: usize) -> Result<Vec<Entry<'a>>, TooComplex> {
        let pair = self.pairs[index].pair;
        let [old_schema, new_schema] = self.sides(pair);
        let sides = Sides { old_schema, old: old_schema.node(pair.old), new_schema, new: new_schema.node(pair.new) };
        let compare_places = self.compare_places;
        let mut answer = Answer { comparison: self, index, pair, entries: Vec::new() };
        compare_places(&mut answer, &sides)?;
        Ok(answer.entries)
    }

    /// The differences of a solved pair and of all below it, with their paths.
    fn list(self, root: usize) -> Result<Vec<Difference>, TooComplex> {
        let says_something = self.saying_something();
        let mut differences = Vec::new();
        let mut is_listed = vec![false; self.pairs.len()];
        let mut n_listings = 0;
        // The way to each listed pair: its own index, the listing above it, and the step from there.
        let mut trail: Vec<(usize, Option<usize>, Step<'a>)> = Vec::new();
        let mut stack = vec![(None, Entry { step: Step::Here, what: What::Nested(root) })];
        while let Some((above, entry)) = stack.pop() {
            match entry.what {
                What::Difference(name, values) => {
                    let path = path_of(&trail, above, entry.step);
                    self.budget.take(1 + u32::try_from(path.len() / 64).unwrap_or(u32::MAX))?;
                    let compatible = name.is_compatible(self.policy);
                    differences.push(Difference {
                        name: name.word,
                        path,
                        message: message_of(name, values),
                        compatible,
                    });
                }
                What::Nested(pair) => {
                    let is_due =
                        if n_listings < MAX_LISTINGS { !is_above(&trail, above, pair) } else { !is_listed[pair] };
                    if is_due && says_something[pair] {
                        n_listings += 1;
                        is_listed[pair] = true;
                        trail.push((pair, above, entry.step));
                        let here = Some(trail.len() - 1);
                        stack.extend(self.pairs[pair].entries.iter().rev().map(|entry| (here, *entry)));
                    }
                }
            }
        }
        Ok(differences)
    }

    /// Which pairs have a difference, or lead to one that has.
    fn saying_something(&self) -> Vec<bool> {
        let mut above = vec![Vec::new(); self.pairs.len()];
        let mut has_output = vec![false; self.pairs.len()];
        let mut pending = Vec::new();
        for (index, compared) in self.pairs.iter().enumerate() {
            for entry in &compared.entries {
                match entry.what {
                    What::Difference(..) => pending.push(index),
                    What::Nested(pair) => above[pair].push(index),
                }
            }
        }
        while let Some(index) = pending.pop() {
            if !std::mem::replace(&mut has_output[index], true) {
                pending.extend(above[index].iter().copied());
            }
        }
        has_output
    }
}

/// Both places of a pair and the schemas that they are of.
pub(super) struct Sides<'a> {
    pub(super) old_schema: &'a Schema,
    pub(super) old: &'a Node,
    pub(super) new_schema: &'a Schema,
    pub(super) new: &'a Node,
}

/// What one pair has to say, while it is being compared.
pub(super) struct Answer<'c, 'a> {
    comparison: &'c mut Comparison<'a>,
    index: usize,
    pair: Pair,
    entries: Vec<Entry<'a>>,
}

impl<'a> Answer<'_, 'a> {
    /// The places that are compared, old and new.
    pub(super) fn places(&self) -> (NodeId, NodeId) {
        (self.pair.old, self.pair.new)
    }

    /// Tells a difference.
    pub(super) fn say(&mut self, step: Step<'a>, name: &'static Name) {
        self.entries.push(Entry { step, what: What::Difference(name, None) });
    }

    /// Tells how a limit was set, lifted or moved.
    pub(super) fn compare_limit(&mut self, limit: &'static Limit, old: Option<&'a Decimal>, new: Option<&'a Decimal>) {
        let name = match (old, new) {
            (None, None) => return,
            (None, Some(_)) => limit.added,
            (Some(_), None) => limit.removed,
            (Some(old), Some(new)) if old == new => return,
            (Some(old), Some(new)) if old < new => limit.increased,
            (Some(_), Some(_)) => limit.decreased,
        };
        let what = What::Difference(name, old.zip(new));
        self.entries.push(Entry { step: Step::Keyword(limit.keyword), what });
    }

    /// Takes over all that a pair below has to say, and whether it is compatible.
    pub(super) fn nest(&mut self, step: Step<'a>, old: NodeId, new: NodeId) -> Result<bool, TooComplex> {
        let (pair, is_compatible) = self.ask(Pair { old, new, ..self.pair })?;
        self.entries.push(Entry { step, what: What::Nested(pair) });
        Ok(is_compatible)
    }

    /// Takes over what a pair below has to say if it is compatible.
    pub(super) fn nest_if_compatible(&mut self, step: Step<'a>, old: NodeId, new: NodeId) -> Result<bool, TooComplex> {
        let is_compatible = self.would_be_compatible(old, new)?;
        if is_compatible {
            self.nest(step, old, new)?;
        }
        Ok(is_compatible)
    }

    /// Whether a reader of the new place reads what the old one admits.
    pub(super) fn would_be_compatible(&mut self, old: NodeId, new: NodeId) -> Result<bool, TooComplex> {
        Ok(self.ask(Pair { old, new, ..self.pair })?.1)
    }

    /// The same with the sides changed: whether the old place admits all that the new one does.
    pub(super) fn would_be_compatible_turned(&mut self, old: NodeId, new: NodeId) -> Result<bool, TooComplex> {
        Ok(self.ask(Pair { old: new, new: old, is_swapped: !self.pair.is_swapped })?.1)
    }

    /// Compares two places that may be absent: a schema where there was none is a demand, unless it admits everything.
    pub(super) fn nest_optional(
        &mut self,
        step: Step<'a>,
        old: Option<NodeId>,
        new: Option<NodeId>,
    ) -> Result<(), TooComplex> {
        let [_, new_schema] = self.comparison.sides(self.pair);
        match (old, new) {
            (None, None) => {}
            (None, Some(new)) if new_schema.is_any(new) => {}
            (None, Some(_)) => self.say(step, &names::SCHEMA_ADDED),
            (Some(_), None) => self.say(step, &names::SCHEMA_REMOVED),
            (Some(old), Some(new)) => {
                self.nest(step, old, new)?;
            }
        }
        Ok(())
    }

    /// Whether a pattern is found in a text; `None` if that is unknown (look-around, references back, size).
    pub(super) fn is_found(&mut self, pattern: &'a str, text: &str) -> Result<Option<bool>, TooComplex> {
        self.take(1 + text.len() / 16)?;
        let comparison = &mut *self.comparison;
        let regex = match comparison.patterns.get(pattern) {
            Some(regex) => regex,
            None => {
                let n_bytes = u32::try_from(pattern.len()).unwrap_or(u32::MAX);
                comparison.budget.take(n_bytes.saturating_add(STEPS_FOR_A_PATTERN))?;
                let regex = RegexBuilder::new(pattern).size_limit(MAX_PATTERN_BYTES).build().ok();
                comparison.patterns.entry(pattern).or_insert(regex)
            }
        };
        Ok(regex.as_ref().map(|regex| regex.is_match(text)))
    }

    /// Takes steps from the budget of the comparison.
    pub(super) fn take(&mut self, n_steps: usize) -> Result<(), TooComplex> {
        self.comparison.budget.take(u32::try_from(n_steps).unwrap_or(u32::MAX))
    }

    fn ask(&mut self, pair: Pair) -> Result<(usize, bool), TooComplex> {
        let n_known = self.comparison.pairs.len();
        let index = self.comparison.pair(pair);
        self.take(if index == n_known { STEPS_FOR_A_PAIR } else { 1 })?;
        let compared = &mut self.comparison.pairs[index];
        if compared.is_compatible && compared.dependents.last() != Some(&self.index) {
            compared.dependents.push(self.index);
        }
        Ok((index, compared.is_compatible))
    }
}

/// Whether a pair is among the listings above.
fn is_above(trail: &[(usize, Option<usize>, Step<'_>)], mut at: Option<usize>, pair: usize) -> bool {
    while let Some((listed, above, _)) = at.map(|index| trail[index]) {
        if listed == pair {
            return true;
        }
        at = above;
    }
    false
}

/// The path of a step below a listing, as Confluent writes it: keywords and names separated by `/`, not escaped.
fn path_of(trail: &[(usize, Option<usize>, Step<'_>)], mut at: Option<usize>, step: Step<'_>) -> String {
    let mut steps = vec![step];
    while let Some((_, above, step)) = at.map(|index| trail[index]) {
        steps.push(step);
        at = above;
    }
    let words = steps.iter().rev().filter_map(|step| match step {
        Step::Here => None,
        Step::Keyword(keyword) => Some((*keyword).to_owned()),
        Step::Member(keyword, name) => Some(format!("{keyword}/{name}")),
        Step::Index(keyword, index) => Some(format!("{keyword}/{index}")),
    });
    format!("#/{}", words.collect::<Vec<_>>().join("/"))
}

fn message_of(name: &Name, values: Option<(&Decimal, &Decimal)>) -> String {
    match values {
        Some((old, new)) => format!("{} ({old} before, {new} now)", name.sentence),
        None => name.sentence.to_owned(),
    }
}
