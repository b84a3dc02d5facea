//! Quality rules (rows 28 and 29 of the table). A rule promises the set of numbers that it admits. A list of valid
//! values that admits no exception is compared as an enumeration (rows 19 and 20).

use std::collections::BTreeSet;

use super::fields::{but_for_custom, custom_properties};
use super::finding::Findings;
use super::proof::Claim;
use super::rule::Rule;
use super::sql_text;
use super::values::{Values, differing};
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
                below_rule(rule, findings, |findings| {
                    findings.change(what, "a quality rule was added", Values::added(rule));
                });
            }
        }
    }
    for rule in unmatched {
        let what = if promises(rule) { Rule::QualityLoosened } else { Rule::QualityRespelled };
        below_rule(rule, findings, |findings| {
            findings.change(what, "the quality rule was removed", Values::removed(rule));
        });
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
    let values = || Values::of(old, new);
    below_rule(new, findings, |findings| {
        match (promises(old), promises(new)) {
            (false, false) => {
                findings.change(Rule::QualityRespelled, "a quality rule that is no promise changed", values());
            }
            (false, true) => findings.change(Rule::QualityTightened, "the quality rule became a promise", values()),
            (true, false) => {
                findings.change(Rule::QualityLoosened, "the quality rule is no longer a promise", values());
            }
            (true, true) if !but_for_custom(&old.other).eq(but_for_custom(&new.other)) => {
                findings.change(Rule::QualityChanged, "the quality rule measures something else", values());
            }
            (true, true) if measures(old) != measures(new) => measured(old, new, findings),
            (true, true) => {
                if old.measure != new.measure {
                    let message = "the query is written differently and is the same";
                    findings.change(Rule::QualityRespelled, message, values());
                }
                conditions(old, new, findings);
            }
        }
        custom_properties(&old.other, &new.other, findings);
        if old.name != new.name || old.documentary != new.documentary || old.id != new.id {
            let text = |fields: &Fields, name: &str| fields.get(name).map(ToString::to_string);
            let names: BTreeSet<&String> = old.documentary.keys().chain(new.documentary.keys()).collect();
            let described = names.iter().map(|name| (text(&old.documentary, name), text(&new.documentary, name)));
            let described: Vec<_> = names.iter().zip(described).collect();
            let named =
                [("id", old.id.as_deref(), new.id.as_deref()), ("name", old.name.as_deref(), new.name.as_deref())];
            let described = described.iter().map(|(name, (old, new))| (name.as_str(), old.as_deref(), new.as_deref()));
            let values = differing(&named.into_iter().chain(described).collect::<Vec<_>>());
            findings.change(Rule::Documentation, "the quality rule is described differently", values);
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
    let both = || Values::of(old, new);
    // Where more is counted the rule is broken sooner, if it admits few.
    let ranges = admitted(new);
    let admits_few = matches!(ranges[..], [(least, most)] if least == 0.0 && most < f64::INFINITY);
    let Some((more, fewer)) = counts.filter(|_| old.unit == new.unit && old.operator == new.operator && admits_few)
    else {
        findings.change(Rule::QualityChanged, "the quality rule measures something else", both());
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
        findings.change(rule, looser, both());
    }
    match allowed {
        Some(values) if more => {
            let claim = Claim::ValuesIn { column: findings.column(), values: values.clone() };
            findings.add_provable(Rule::EnumTightened, stricter, both(), claim);
        }
        _ if more => findings.change(Rule::QualityTightened, stricter, both()),
        _ if !fewer => {
            let message = "the count of the quality rule is written differently";
            findings.change(Rule::QualityRespelled, message, both());
        }
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
    findings.change(rule, message, Values::of(old, new));
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
