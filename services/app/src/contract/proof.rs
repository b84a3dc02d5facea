//! Data proofs: that no row of the present table breaks what a new version promises beyond its predecessors.
//!
//! Every promise that a proof is about is also an implied rule of the new version, and a draft's rules are measured
//! before it becomes active. So a proof needs no work of its own: it holds if the verdict on the table's head, by the
//! draft's own rules, has counted no row against it. It is bound to that snapshot as the verdict is, and it is asked for
//! anew whenever activation is tried.

use domain::change::{Options, Proof, Proofs, Refusal, compare_with, judge_with};
use domain::contract;
use domain::quality::{Check, Measured, RuleResult};
use domain::version::Version;

use super::readiness::{ActivationFacts, TableFacts};

/// The proofs, of those that can be measured, that would settle what a version changes.
pub(crate) fn demanded(new: &contract::Document, promised: &[&contract::Document], options: &Options) -> Vec<Proof> {
    let in_major = promised.iter().filter(|old| old.version.major == new.version.major);
    let proofs = in_major.flat_map(|old| compare_with(old, new, options)).filter_map(|finding| finding.proof);
    let mut demanded: Vec<Proof> = Vec::new();
    for proof in proofs.filter(|proof| proof.checks().is_some()) {
        if !demanded.contains(&proof) {
            demanded.push(proof);
        }
    }
    demanded
}

/// Decides whether a version may be published, by its number alone or with these proofs.
///
/// # Errors
/// The refusal by its number alone, if the proofs would not help.
pub(crate) fn judge(
    new: &contract::Document,
    versions: &[Version],
    promised: &[&contract::Document],
    proofs: Vec<Proof>,
    options: &Options,
) -> Result<(), Refusal> {
    let Err(refused) = judge_with(new, versions, promised, options) else { return Ok(()) };
    let options = Options { proofs: Proofs::These(proofs), ..options.clone() };
    judge_with(new, versions, promised, &options).map_err(|_| refused)
}

/// Which of the proofs hold on the heads of the tables that a version's objects are bound to.
pub(super) fn holding(document: &contract::Document, facts: &ActivationFacts, demanded: &[Proof]) -> Vec<Proof> {
    let mut holding = Vec::new();
    for object in &document.objects {
        let of_object = demanded.iter().filter(|proof| proof.object == object.name);
        let results = facts.table_of(object).map_or(&[][..], TableFacts::results_on_head);
        holding.extend(of_object.filter(|proof| is_proven(proof, results)).cloned());
    }
    holding
}

/// Whether each of the proof's checks was measured, and counted nothing.
fn is_proven(proof: &Proof, results: &[RuleResult]) -> bool {
    let is_clean = |check: &Check| {
        let covers_it = |result: &&RuleResult| result.rule.check.as_ref().is_some_and(|rule| covers(rule, check));
        results.iter().filter(covers_it).any(|result| result.measured == Measured::Value(0.0))
    };
    proof.checks().is_some_and(|checks| checks.iter().all(is_clean))
}

/// Whether a rule that counts nothing proves a check: it is the check, or one of both ends of a range together.
fn covers(rule: &Check, wanted: &Check) -> bool {
    fn one<T: PartialEq>(rule: &Option<T>, wanted: &Option<T>) -> bool {
        wanted.is_none() || rule == wanted
    }
    match (rule, wanted) {
        (
            Check::OutOfRange { column, minimum, maximum },
            Check::OutOfRange { column: of, minimum: least, maximum: most },
        ) => column == of && one(minimum, least) && one(maximum, most),
        (Check::Length { column, minimum, maximum }, Check::Length { column: of, minimum: least, maximum: most }) => {
            column == of && one(minimum, least) && one(maximum, most)
        }
        (
            Check::NullValues { .. }
            | Check::MissingValues { .. }
            | Check::InvalidValues { .. }
            | Check::InvalidPattern { .. }
            | Check::OutOfRange { .. }
            | Check::Length { .. }
            | Check::NotMultipleOf { .. }
            | Check::DuplicateValues { .. }
            | Check::RowCount
            | Check::Sql { .. },
            _,
        ) => rule == wanted,
    }
}
