//! Quality rules (rows 28 and 29 of the table): what a rule promises is the set of numbers it admits. A list of valid
//! values none of which may be missed is an enumeration by another name (rows 19 and 20).

use super::proof::Claim;
use super::{Findings, Rule};
use crate::contract::{Measure, Quality, QualityUnit};
use crate::quality::{Operator, Severity};

/// Compares two lists of rules. Rules are the same by stable id, else by what they measure; of two lists of valid values
/// for one column the new one continues the old.
pub(super) fn lists(old: &[Quality], new: &[Quality], findings: &mut Findings<'_>) {
    if old == new {
        return;
    }
    let mut unmatched: Vec<&Quality> = old.iter().collect();
    let mut added = Vec::new();
    for rule in new {
        let by_id = unmatched.iter().position(|before| before.id.is_some() && before.id == rule.id);
        let same = |before: &&Quality| measures(before) == measures(rule) && (before.id.is_none() || rule.id.is_none());
        let listed = |before: &&Quality| before.id.is_none() && rule.id.is_none() && is_list(before) && is_list(rule);
        let found = by_id.or_else(|| unmatched.iter().position(same));
        match found.or_else(|| unmatched.iter().position(listed)) {
            Some(at) => pair(unmatched.remove(at), rule, findings),
            None => added.push(rule),
        }
    }
    for rule in unmatched {
        let what = if promises(rule) { Rule::QualityLoosened } else { Rule::QualityRespelled };
        at(rule, findings, |findings| findings.add(what, "the quality rule was removed"));
    }
    for rule in added {
        let what = if promises(rule) { Rule::QualityTightened } else { Rule::QualityRespelled };
        at(rule, findings, |findings| findings.add(what, "a quality rule was added"));
    }
}

/// Whether it lists the values that are valid.
fn is_list(rule: &Quality) -> bool {
    matches!(&rule.measure, Measure::InvalidValues { values, .. } if !values.is_empty())
}

fn pair(old: &Quality, new: &Quality, findings: &mut Findings<'_>) {
    if old == new {
        return;
    }
    at(new, findings, |findings| {
        match (promises(old), promises(new)) {
            (false, false) => findings.add(Rule::QualityRespelled, "a quality rule that is no promise changed"),
            (false, true) => findings.add(Rule::QualityTightened, "the quality rule became a promise"),
            (true, false) => findings.add(Rule::QualityLoosened, "the quality rule is no promise any more"),
            (true, true) if old.other != new.other => {
                findings.add(Rule::QualityChanged, "the quality rule measures something else");
            }
            (true, true) if measures(old) != measures(new) => measured(old, new, findings),
            (true, true) => conditions(old, new, findings),
        }
        if old.name != new.name || old.documentary != new.documentary || old.id != new.id {
            findings.add(Rule::Documentation, "the quality rule is described otherwise");
        }
    });
}

/// Compares what two rules with one condition count; what cannot be compared is another promise.
fn measured(old: &Quality, new: &Quality, findings: &mut Findings<'_>) {
    let (Measure::InvalidValues { values, pattern }, Measure::InvalidValues { values: now, pattern: now_pattern }) =
        (&old.measure, &new.measure)
    else {
        findings.add(Rule::QualityChanged, "the quality rule measures something else");
        return;
    };
    // The fewer values are valid the more are counted, and that breaks the rule sooner if it admits few.
    let ranges = admitted(new);
    let admits_few = matches!(ranges[..], [(least, most)] if least == 0.0 && most < f64::INFINITY);
    let is_listed = !values.is_empty() && !now.is_empty();
    if old.unit != new.unit || old.operator != new.operator || pattern != now_pattern || !is_listed || !admits_few {
        findings.add(Rule::QualityChanged, "the quality rule measures something else");
        return;
    }
    let is_enumeration = ranges == [(0.0, 0.0)];
    if now.iter().any(|value| !values.contains(value)) {
        let rule = if is_enumeration { Rule::EnumLoosened } else { Rule::QualityLoosened };
        findings.add(rule, "more values are valid");
    }
    if values.iter().any(|value| !now.contains(value)) {
        match is_enumeration {
            true => {
                let claim = Claim::ValuesIn { column: findings.column(), values: now.clone() };
                findings.add_provable(Rule::EnumTightened, "fewer values are valid", claim);
            }
            false => findings.add(Rule::QualityTightened, "fewer values are valid"),
        }
    }
    if values.len() == now.len() && now.iter().all(|value| values.contains(value)) {
        findings.add(Rule::QualityRespelled, "the valid values are in another order");
    }
}

fn conditions(old: &Quality, new: &Quality, findings: &mut Findings<'_>) {
    if old.operator == new.operator {
        return;
    }
    let (before, after) = (admitted(old), admitted(new));
    let (tighter, looser) = (is_within(&after, &before), is_within(&before, &after));
    let (rule, message) = match (tighter, looser) {
        (true, true) => (Rule::QualityRespelled, "the condition is written otherwise and admits the same"),
        (true, false) => (Rule::QualityTightened, "the condition admits less"),
        (false, true) => (Rule::QualityLoosened, "the condition admits more"),
        (false, false) => (Rule::QualityChanged, "the condition admits something else"),
    };
    findings.add(rule, message);
}

/// What is counted, as what.
fn measures(rule: &Quality) -> (&Measure, &QualityUnit) {
    (&rule.measure, &rule.unit)
}

/// Whether breaking the rule shuts the gate. What is not run, or only warns, promises nothing.
fn promises(rule: &Quality) -> bool {
    let runs = !matches!(rule.measure, Measure::Text | Measure::Custom(_));
    let counted = !matches!(rule.unit, QualityUnit::Unknown(_));
    rule.severity == Severity::Error && rule.operator.is_some() && runs && counted
}

/// A range of numbers, both ends included.
type Range = (f64, f64);

/// The numbers that a rule admits. Counts are whole and not negative, so that `> 100` and `>= 101` are the same.
fn admitted(rule: &Quality) -> Vec<Range> {
    let whole = rule.unit == QualityUnit::Rows && !matches!(rule.measure, Measure::Sql { .. });
    let least = if matches!(rule.measure, Measure::Sql { .. }) { f64::NEG_INFINITY } else { 0.0 };
    let above = |bound: f64| if whole { bound.floor() + 1.0 } else { bound.next_up() };
    let below = |bound: f64| if whole { bound.ceil() - 1.0 } else { bound.next_down() };
    let Some(operator) = rule.operator else { return vec![(least, f64::INFINITY)] };
    let ranges = match operator {
        Operator::MustBe(bound) => vec![(bound, bound)],
        Operator::MustNotBe(bound) => vec![(least, below(bound)), (above(bound), f64::INFINITY)],
        Operator::MustBeGreaterThan(bound) => vec![(above(bound), f64::INFINITY)],
        Operator::MustBeGreaterOrEqualTo(bound) => vec![(bound, f64::INFINITY)],
        Operator::MustBeLessThan(bound) => vec![(least, below(bound))],
        Operator::MustBeLessOrEqualTo(bound) => vec![(least, bound)],
        Operator::MustBeBetween(low, high) => vec![(low, high)],
        Operator::MustNotBeBetween(low, high) => vec![(least, below(low)), (above(high), f64::INFINITY)],
    };
    let clipped = ranges.into_iter().map(|(low, high)| {
        let low = low.max(least);
        if whole { (low.ceil(), high.floor()) } else { (low, high) }
    });
    clipped.filter(|(low, high)| low <= high).collect()
}

/// Whether every number of `inner` is in `outer`.
fn is_within(inner: &[Range], outer: &[Range]) -> bool {
    inner.iter().all(|(low, high)| outer.iter().any(|(least, most)| least <= low && high <= most))
}

fn at(rule: &Quality, findings: &mut Findings, look: impl FnOnce(&mut Findings<'_>)) {
    let name = rule.id.as_deref().or(rule.name.as_deref()).unwrap_or(match &rule.measure {
        Measure::NullValues => "nullValues",
        Measure::MissingValues { .. } => "missingValues",
        Measure::InvalidValues { .. } => "invalidValues",
        Measure::DuplicateValues { .. } => "duplicateValues",
        Measure::RowCount => "rowCount",
        Measure::Sql { .. } => "sql",
        Measure::Text => "text",
        Measure::Custom(_) => "custom",
    });
    findings.below(format!("#{name}"), look);
}
