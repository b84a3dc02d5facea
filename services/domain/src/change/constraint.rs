//! Constraints on a column's values: bounds, lengths, counts, patterns, formats (rows 22, 23, 31 and 41 of the table).

use std::cmp::Ordering;

use super::fields::others;
use super::finding::Findings;
use super::proof::{Claim, Constraint};
use super::rule::Rule;
use super::types;
use super::values::Values;
use crate::clock::Timestamp;
use crate::contract::{LogicalType, Options, Property};
use crate::quality::{Bound, Scalar};

/// Compares `logicalTypeOptions`.
pub(super) fn options(old: &Property, new: &Property, findings: &mut Findings<'_>) {
    let (before, after) = (&old.options, &new.options);
    if before == after {
        return;
    }
    let n_found = findings.found.len();
    bounds(old, new, Edge::Low, findings);
    bounds(old, new, Edge::High, findings);
    // No least count is the same as a least count of 0.
    let least = |count: Option<u64>| Some(count.unwrap_or(0));
    let counts: [Count; 6] = [
        ("minLength", least(before.min_length), least(after.min_length), Edge::Low, Constraint::MinLength),
        ("maxLength", before.max_length, after.max_length, Edge::High, Constraint::MaxLength),
        ("minItems", least(before.min_items), least(after.min_items), Edge::Low, Constraint::MinItems),
        ("maxItems", before.max_items, after.max_items, Edge::High, Constraint::MaxItems),
        (
            "minProperties",
            least(before.min_properties),
            least(after.min_properties),
            Edge::Low,
            Constraint::MinProperties,
        ),
        ("maxProperties", before.max_properties, after.max_properties, Edge::High, Constraint::MaxProperties),
    ];
    for (name, then, now, edge, holds) in counts {
        // A least count that grows, or a greatest one that shrinks, allows fewer values.
        let change = match (then, now) {
            (then, now) if then == now => continue,
            (None, Some(now)) => Change::Tighter(holds(now)),
            (Some(then), Some(now)) if (now > then) == (edge == Edge::Low) => Change::Tighter(holds(now)),
            (Some(_), _) => Change::Looser,
            (None, None) => continue,
        };
        constraint(change, name, Values::of(&then, &now), findings);
    }
    if before.unique_items != after.unique_items {
        let change = if after.unique_items { Change::Tighter(Constraint::UniqueItems) } else { Change::Looser };
        constraint(change, "uniqueItems", Values::of(&before.unique_items, &after.unique_items), findings);
    }
    if before.pattern != after.pattern {
        let change = match (&before.pattern, &after.pattern) {
            (None, Some(pattern)) => Change::Tighter(Constraint::Pattern(pattern.clone())),
            (_, None) => Change::Looser,
            // Whether one pattern admits less than another is not worth deciding here.
            (Some(_), Some(_)) => Change::Other,
        };
        constraint(change, "pattern", Values::of(&before.pattern, &after.pattern), findings);
    }
    if before.multiple_of != after.multiple_of {
        let change = match (&before.multiple_of, &after.multiple_of) {
            (None, Some(divisor)) => Change::Tighter(Constraint::MultipleOf(divisor.clone())),
            (_, None) => Change::Looser,
            (Some(then), Some(now)) if now.is_multiple_of(then) => Change::Tighter(Constraint::MultipleOf(now.clone())),
            (Some(then), Some(now)) if then.is_multiple_of(now) => Change::Looser,
            (Some(_), Some(_)) => Change::Other,
        };
        constraint(change, "multipleOf", Values::of(&before.multiple_of, &after.multiple_of), findings);
    }
    if before.format != after.format && !(types::format_is_type(old) && types::format_is_type(new)) {
        let values = Values::of(&before.format, &after.format);
        match types::compare_formats(old, new) {
            Some(rule) => findings.change(rule, "the format of the numbers changed", values),
            None => findings.change(Rule::MeaningChanged, "the format changed", values),
        }
    }
    time_zones(before, after, findings);
    vector(before, after, findings);
    others(&before.other, &after.other, findings);
    // A format that is the type is compared with it.
    if findings.found.len() == n_found && before.format == after.format {
        findings.add(Rule::Documentation, "the constraints are written differently and allow the same values");
    }
}

/// A count before and after: its name, which end of a range it is, and what holds where it admits less.
type Count = (&'static str, Option<u64>, Option<u64>, Edge, fn(u64) -> Constraint);

fn vector(before: &Options, after: &Options, findings: &mut Findings<'_>) {
    let element = |options: &Options| options.element_type.clone().unwrap_or_else(|| "float32".to_owned());
    if before.dimensions != after.dimensions || element(before) != element(after) {
        let text = |options: &Options| format!("{} of {}", options.dimensions.unwrap_or_default(), element(options));
        let values = Values::of(&text(before), &text(after));
        findings.change(Rule::VectorChanged, "the vector has other dimensions or elements", values);
    } else if before.element_type != after.element_type {
        let values = Values::of(&before.element_type, &after.element_type);
        let message = "the type of the vector's elements is written differently and is the same";
        findings.change(Rule::Documentation, message, values);
    }
}

/// A zone that a document need not write out.
fn is_utc(zone: &str) -> bool {
    matches!(zone, "UTC" | "Etc/UTC" | "Z")
}

fn time_zones(before: &Options, after: &Options, findings: &mut Findings<'_>) {
    let default = |options: &Options| {
        let zone = options.default_timezone.as_deref().unwrap_or("UTC");
        if is_utc(zone) { "UTC".to_owned() } else { zone.to_owned() }
    };
    if before.timezone != after.timezone || default(before) != default(after) {
        let values = match before.timezone == after.timezone {
            true => Values::of(&default(before), &default(after)),
            false => Values::of(&before.timezone, &after.timezone),
        };
        findings.change(Rule::MeaningChanged, "the time zone changed", values);
    } else if before.default_timezone != after.default_timezone {
        let values = Values::of(&before.default_timezone, &after.default_timezone);
        let message = "the default time zone is written differently and is the same";
        findings.change(Rule::Documentation, message, values);
    }
}

enum Change {
    /// Fewer values are admitted: those that satisfy this.
    Tighter(Constraint),
    Looser,
    Other,
}

/// Which end of a range.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Edge {
    Low,
    High,
}

fn constraint(change: Change, name: &str, values: Values, findings: &mut Findings<'_>) {
    match change {
        Change::Tighter(constraint) => {
            let claim = Claim::Holds { column: findings.column(), constraint };
            let message = format!("`{name}` allows fewer values");
            findings.add_provable(Rule::ConstraintTightened, message, values, claim);
        }
        Change::Looser => findings.change(Rule::ConstraintLoosened, format!("`{name}` allows more values"), values),
        Change::Other => findings.change(Rule::ConstraintChanged, format!("`{name}` may allow other values"), values),
    }
}

/// One end of a property's range: the stricter, where a document gives two.
fn end(property: &Property, edge: Edge) -> Option<Bound> {
    let options = &property.options;
    let (inclusive, exclusive, wins, step) = match edge {
        Edge::Low => (&options.minimum, &options.exclusive_minimum, Ordering::Greater, 1),
        Edge::High => (&options.maximum, &options.exclusive_maximum, Ordering::Less, -1),
    };
    let bound = match (inclusive, exclusive) {
        (Some(inclusive), Some(exclusive)) if order(inclusive, exclusive) == Some(wins) => (inclusive, false),
        (_, Some(exclusive)) => (exclusive, true),
        (Some(inclusive), None) => (inclusive, false),
        (None, None) => return None,
    };
    match bound {
        // Of whole numbers `> 0` is `>= 1`.
        (Scalar::Integer(number), true) if property.logical_type == Some(LogicalType::Integer) => {
            let next = number.checked_add(step);
            Some(Bound { value: Scalar::Integer(next.unwrap_or(*number)), exclusive: next.is_none() })
        }
        (value, exclusive) => Some(Bound { value: value.clone(), exclusive }),
    }
}

fn bounds(old: &Property, new: &Property, edge: Edge, findings: &mut Findings<'_>) {
    let name = if edge == Edge::Low { "minimum" } else { "maximum" };
    let (before, after) = (end(old, edge), end(new, edge));
    let values = Values::of(&before, &after);
    let Some(after) = after else {
        if before.is_some() {
            constraint(Change::Looser, name, values, findings);
        }
        return;
    };
    let (inwards, is_exclusive) = (if edge == Edge::Low { Ordering::Greater } else { Ordering::Less }, after.exclusive);
    let change = before.map(|before| (order(&after.value, &before.value), before.exclusive));
    let tighter =
        Change::Tighter(if edge == Edge::Low { Constraint::Minimum(after) } else { Constraint::Maximum(after) });
    let change = match change {
        None => tighter,
        Some((Some(Ordering::Equal), was_exclusive)) if was_exclusive == is_exclusive => return,
        Some((Some(Ordering::Equal), _)) if is_exclusive => tighter,
        Some((Some(change), _)) if change == inwards => tighter,
        Some((Some(_), _)) => Change::Looser,
        Some((None, _)) => Change::Other,
    };
    constraint(change, name, values, findings);
}

/// The order of two bounds; `None` if they cannot be compared. Texts are dates and times of ISO 8601; any other
/// notation has an order that we do not know.
fn order(a: &Scalar, b: &Scalar) -> Option<Ordering> {
    let is_clock = |text: &str| text.len() >= 5 && text.bytes().all(|byte| byte.is_ascii_digit() || byte == b':');
    match (a, b) {
        (Scalar::Integer(a), Scalar::Integer(b)) => Some(a.cmp(b)),
        (Scalar::Text(a), Scalar::Text(b)) if a == b => Some(Ordering::Equal),
        (Scalar::Text(a), Scalar::Text(b)) if a.len() == b.len() && is_clock(a) && is_clock(b) => Some(a.cmp(b)),
        (Scalar::Text(a), Scalar::Text(b)) => Some(Timestamp::parse_date_time(a)?.cmp(&Timestamp::parse_date_time(b)?)),
        (Scalar::Integer(_) | Scalar::Number(_) | Scalar::Decimal(_) | Scalar::Text(_) | Scalar::Boolean(_), _) => {
            Some(a.as_decimal()?.cmp(&b.as_decimal()?))
        }
    }
}
