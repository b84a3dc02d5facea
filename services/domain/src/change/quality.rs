//! Quality rules (rows 28 and 29 of the table). A rule promises the set of numbers that it admits. A list of valid
//! values that admits no exception is compared as an enumeration (rows 19 and 20).

use super::fields::{but_for_custom, custom_properties};
use super::finding::Findings;
use super::proof::Claim;
use super::rule::Rule;
use super::sql_text;
use crate::contract::{Fields, Measure, Quality, QualityUnit};
use crate::quality::{Operator, Severity};

/// Compares two lists of rules. Rules are the same by stable id, else by all that they promise, else by what they
/// measure; of two lists of valid values for one column the new one continues the old.
pub(super) fn lists(old: &[Quality], new: &[Quality], findings: &mut Findings<'_>) {
    if old == new {
        return;
    }
    let same: [fn(&Quality, &Quality) -> bool; 4] = [
        |old, new| old.id.is_some() && old.id == new.id,
        |old, new| promised(old) == promised(new),
        |old, new| measures(old) == measures(new) && (old.id.is_none() || new.id.is_none()),
        |old, new| old.id.is_none() && new.id.is_none() && is_list(old) && is_list(new),
    ];
    let n_found = findings.found.len();
    let mut counterparts = vec![None; new.len()];
    let mut unmatched: Vec<&Quality> = old.iter().collect();
    for same in same {
        for (rule, counterpart) in new.iter().zip(&mut counterparts).filter(|(_, counterpart)| counterpart.is_none()) {
            let found = unmatched.iter().position(|before| same(before, rule));
            *counterpart = found.map(|at| unmatched.remove(at));
        }
    }
    for (rule, counterpart) in new.iter().zip(counterparts) {
        match counterpart {
            Some(before) => pair(before, rule, findings),
            None => {
                let what = if promises(rule) { Rule::QualityTightened } else { Rule::QualityRespelled };
                below_rule(rule, findings, |findings| findings.add(what, "a quality rule was added"));
            }
        }
    }
    for rule in unmatched {
        let what = if promises(rule) { Rule::QualityLoosened } else { Rule::QualityRespelled };
        below_rule(rule, findings, |findings| findings.add(what, "the quality rule was removed"));
    }
    if findings.found.len() == n_found {
        findings.add(Rule::QualityRespelled, "the quality rules are in another order");
    }
}

/// What a rule promises, whatever it is called.
fn promised(rule: &Quality) -> (Counted<'_>, &QualityUnit, Option<Operator>, Severity, &Fields) {
    (Counted::of(rule), &rule.unit, rule.operator, rule.severity, &rule.other)
}

/// What a rule counts; white space and comments in a query mean nothing.
#[derive(PartialEq)]
enum Counted<'a> {
    Query(String),
    Measure(&'a Measure),
}

impl<'a> Counted<'a> {
    fn of(rule: &'a Quality) -> Self {
        match &rule.measure {
            Measure::Sql { query } => Self::Query(sql_text::canonical(query)),
            measure @ (Measure::NullValues
            | Measure::MissingValues { .. }
            | Measure::InvalidValues { .. }
            | Measure::DuplicateValues { .. }
            | Measure::RowCount
            | Measure::Text
            | Measure::Custom(_)) => Self::Measure(measure),
        }
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
    below_rule(new, findings, |findings| {
        match (promises(old), promises(new)) {
            (false, false) => findings.add(Rule::QualityRespelled, "a quality rule that is no promise changed"),
            (false, true) => findings.add(Rule::QualityTightened, "the quality rule became a promise"),
            (true, false) => findings.add(Rule::QualityLoosened, "the quality rule is no longer a promise"),
            (true, true) if !but_for_custom(&old.other).eq(but_for_custom(&new.other)) => {
                findings.add(Rule::QualityChanged, "the quality rule measures something else");
            }
            (true, true) if measures(old) != measures(new) => measured(old, new, findings),
            (true, true) => {
                if old.measure != new.measure {
                    findings.add(Rule::QualityRespelled, "the query is written differently and is the same");
                }
                conditions(old, new, findings);
            }
        }
        custom_properties(&old.other, &new.other, findings);
        if old.name != new.name || old.documentary != new.documentary || old.id != new.id {
            findings.add(Rule::Documentation, "the quality rule is described differently");
        }
    });
}

/// Compares what two rules with one condition count; what cannot be compared is another promise.
fn measured(old: &Quality, new: &Quality, findings: &mut Findings<'_>) {
    fn has_others<T: PartialEq>(values: &[T], than: &[T]) -> bool {
        values.iter().any(|value| !than.contains(value))
    }
    use Measure::{Custom, DuplicateValues, InvalidValues, MissingValues, NullValues, RowCount, Sql, Text};
    // Whether rows are counted that were not, and whether rows are not counted any more.
    let counts = match (&old.measure, &new.measure) {
        (InvalidValues { values, pattern }, InvalidValues { values: now, pattern: now_pattern })
            if pattern == now_pattern && !values.is_empty() && !now.is_empty() =>
        {
            Some((has_others(values, now), has_others(now, values)))
        }
        (MissingValues { values }, MissingValues { values: now }) => {
            Some((has_others(now, values), has_others(values, now)))
        }
        // Rows that are alike in two columns are alike in one of them.
        (DuplicateValues { properties }, DuplicateValues { properties: now })
            if !properties.is_empty() && !now.is_empty() =>
        {
            Some((has_others(properties, now), has_others(now, properties)))
        }
        // Measures of two kinds, and those whose counts have no order.
        (
            NullValues
            | MissingValues { .. }
            | InvalidValues { .. }
            | DuplicateValues { .. }
            | RowCount
            | Sql { .. }
            | Text
            | Custom(_),
            _,
        ) => None,
    };
    // Where more is counted the rule is broken sooner, if it admits few.
    let ranges = admitted(new);
    let admits_few = matches!(ranges[..], [(least, most)] if least == 0.0 && most < f64::INFINITY);
    let Some((more, fewer)) = counts.filter(|_| old.unit == new.unit && old.operator == new.operator && admits_few)
    else {
        findings.add(Rule::QualityChanged, "the quality rule measures something else");
        return;
    };
    let allowed = match &new.measure {
        InvalidValues { values, .. } if ranges == [(0.0, 0.0)] => Some(values),
        InvalidValues { .. }
        | NullValues
        | MissingValues { .. }
        | DuplicateValues { .. }
        | RowCount
        | Sql { .. }
        | Text
        | Custom(_) => None,
    };
    let (looser, stricter) = match &new.measure {
        InvalidValues { .. } => ("more values are valid", "fewer values are valid"),
        NullValues | MissingValues { .. } | DuplicateValues { .. } | RowCount | Sql { .. } | Text | Custom(_) => {
            ("the quality rule counts fewer rows", "the quality rule counts more rows")
        }
    };
    if fewer {
        let rule = if allowed.is_some() { Rule::EnumLoosened } else { Rule::QualityLoosened };
        findings.add(rule, looser);
    }
    match allowed {
        Some(values) if more => {
            let claim = Claim::ValuesIn { column: findings.column(), values: values.clone() };
            findings.add_provable(Rule::EnumTightened, stricter, claim);
        }
        _ if more => findings.add(Rule::QualityTightened, stricter),
        _ if !fewer => findings.add(Rule::QualityRespelled, "the count of the quality rule is written differently"),
        _ => {}
    }
}

fn conditions(old: &Quality, new: &Quality, findings: &mut Findings<'_>) {
    if old.operator == new.operator {
        return;
    }
    let (before, after) = (admitted(old), admitted(new));
    let (tighter, looser) = (is_within(&after, &before), is_within(&before, &after));
    let (rule, message) = match (tighter, looser) {
        (true, true) => (Rule::QualityRespelled, "the condition is written differently and allows the same"),
        (true, false) => (Rule::QualityTightened, "the condition allows less"),
        (false, true) => (Rule::QualityLoosened, "the condition allows more"),
        (false, false) => (Rule::QualityChanged, "the condition allows something else"),
    };
    findings.add(rule, message);
}

/// What is counted, as what.
fn measures(rule: &Quality) -> (Counted<'_>, &QualityUnit) {
    (Counted::of(rule), &rule.unit)
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

fn below_rule(rule: &Quality, findings: &mut Findings, look: impl FnOnce(&mut Findings<'_>)) {
    let name = rule.id.as_deref().or(rule.name.as_deref()).unwrap_or(rule.measure.name());
    findings.below(format!("#{name}"), look);
}
