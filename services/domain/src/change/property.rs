//! Columns and what they contain (rows 1 to 27, 31 to 35, 41 and 42 of the table).

use std::collections::{BTreeMap, BTreeSet};

use super::contract::{documentation, others};
use super::{Findings, Rule, quality, types};
use crate::contract::{Classification, MapTypes, Options, Property, Relationship, SchemaObject};
use crate::quality::Scalar;

/// Compares the columns of an object, or the members of a structure.
pub(super) fn members(old: &[Property], new: &[Property], findings: &mut Findings) {
    let pairs = pairs(old, new);
    let mut is_kept = vec![false; old.len()];
    pairs.iter().flatten().for_each(|before| is_kept[*before] = true);
    for (property, before) in new.iter().zip(&pairs) {
        match before {
            Some(before) if old[*before] == *property => {}
            Some(before) => at(property, findings, |findings| column(&old[*before], property, findings)),
            None if must_not_be_null(property) => at(property, findings, |findings| {
                findings.add(Rule::ColumnAddedRequired, "a column was added that must not be null");
            }),
            None => at(property, findings, |findings| {
                findings.add(Rule::ColumnAddedOptional, "a column was added that may be null");
            }),
        }
    }
    for (property, _) in old.iter().zip(is_kept).filter(|(_, is_kept)| !is_kept) {
        at(property, findings, |findings| {
            if must_not_be_null(property) {
                findings.add(Rule::ColumnRemovedRequired, "the column was removed; it was never null");
            } else {
                findings.add(Rule::ColumnRemovedOptional, "the column was removed");
            }
        });
    }
    if !pairs.iter().flatten().is_sorted() {
        findings.add(Rule::Reordered, "columns are in another order; who reads by position should look");
    }
}

fn at(property: &Property, findings: &mut Findings, look: impl FnOnce(&mut Findings)) {
    findings.below(format!(".{}", property.name), look);
}

/// For each new property the position of the old one that it continues: that of the same stable id, else of the same
/// name.
fn pairs(old: &[Property], new: &[Property]) -> Vec<Option<usize>> {
    let mut pairs = vec![None; new.len()];
    let mut taken = vec![false; old.len()];
    let mut pair = |pairs: &mut Vec<Option<usize>>, at: usize, before: usize| {
        if pairs[at].is_none() && !taken[before] {
            pairs[at] = Some(before);
            taken[before] = true;
        }
    };
    // Most columns stay where they are, and need no index.
    let mut n_pairs = 0;
    for (at, (before, after)) in old.iter().zip(new).enumerate() {
        if before.id == after.id && before.name == after.name {
            pair(&mut pairs, at, at);
            n_pairs += 1;
        }
    }
    if n_pairs == new.len() {
        return pairs;
    }
    let keys: [fn(&Property) -> Option<&str>; 2] = [|property| property.id.as_deref(), |property| Some(&property.name)];
    for key in keys {
        let entries = old.iter().enumerate().filter_map(|(at, property)| Some((key(property)?, at)));
        let index: BTreeMap<_, _> = entries.collect();
        for (at, property) in new.iter().enumerate() {
            if let Some(before) = key(property).and_then(|key| index.get(key)) {
                pair(&mut pairs, at, *before);
            }
        }
    }
    pairs
}

fn must_not_be_null(property: &Property) -> bool {
    property.required || property.primary_key
}

/// Compares two versions of one property.
pub(super) fn column(old: &Property, new: &Property, findings: &mut Findings) {
    if old == new {
        return;
    }
    names(old, new, findings);
    if let Some((rule, message)) = types::difference(old, new) {
        findings.add(rule, message);
    }
    if old.required != new.required {
        let (rule, message) = match new.required {
            true => (Rule::RequiredAdded, "the column must not be null now; older data may be"),
            false => (Rule::RequiredRemoved, "the column may be null now; its readers may not expect that"),
        };
        findings.add(rule, message);
    }
    if old.unique != new.unique {
        let (rule, message) = match new.unique {
            true => (Rule::UniqueAdded, "values must be distinct now; older data may not be"),
            false => (Rule::UniqueRemoved, "values need not be distinct any more"),
        };
        findings.add(rule, message);
    }
    enumeration(&old.enumeration, &new.enumeration, findings);
    options(old, new, findings);
    relationships(&old.relationships, &new.relationships, findings);
    classification(old, new, findings);
    if old.encrypted_name != new.encrypted_name {
        findings.add(Rule::EncryptionChanged, "where the encrypted form is changed");
    }
    if (old.partitioned, old.partition_key_position) != (new.partitioned, new.partition_key_position) {
        findings.add(Rule::PartitionChanged, "the data is partitioned otherwise");
    }
    if old.semantic_type != new.semantic_type {
        findings.add(Rule::Undetermined, "the semantic type changed");
    }
    match (old.deprecated, new.deprecated) {
        (false, true) => findings.add(Rule::Deprecated, "the column is marked as deprecated"),
        (true, false) => findings.add(Rule::DeprecationWithdrawn, "the column is not deprecated any more"),
        _ => {}
    }
    quality::lists(&old.quality, &new.quality, findings);
    if old.critical != new.critical {
        findings.add(Rule::Documentation, "whether it is a critical data element changed");
    }
    let hint = if new.critical { "; it is a critical data element, so its meaning may have changed" } else { "" };
    documentation(&old.documentary, &new.documentary, hint, findings);
    others(&old.other, &new.other, findings);
    inside(old, new, findings);
}

fn names(old: &Property, new: &Property, findings: &mut Findings) {
    if old.name != new.name {
        findings.add(Rule::ColumnRenamed, format!("the column was called `{}`", old.name));
    } else if old.column_name() != new.column_name() {
        let (before, after) = (old.column_name(), new.column_name());
        findings.add(Rule::PhysicalNameChanged, format!("the column at the source was `{before}` and is `{after}`"));
    } else if old.physical_name != new.physical_name {
        findings.add(Rule::Documentation, "the name at the source is written otherwise and is the same");
    }
    if old.id != new.id {
        findings.add(Rule::Documentation, "the stable id changed");
    }
}

/// Compares what properties contain.
fn inside(old: &Property, new: &Property, findings: &mut Findings) {
    members(&old.members, &new.members, findings);
    match (&old.items, &new.items) {
        (Some(before), Some(after)) => findings.below("[]", |findings| column(before, after, findings)),
        (None, None) => {}
        _ => findings.below("[]", |findings| {
            findings.add(Rule::Undetermined, "what the list holds was not said before, or is not any more")
        }),
    }
    match (&old.map, &new.map) {
        (Some(before), Some(after)) => map(before, after, findings),
        (None, None) => {}
        _ => findings.add(Rule::Undetermined, "what the map holds was not said before, or is not any more"),
    }
}

fn map(old: &MapTypes, new: &MapTypes, findings: &mut Findings) {
    findings.below("{key}", |findings| {
        let mut below = Findings::default();
        column(&old.key, &new.key, &mut below);
        // Any change that a reader can see changes which keys are equal.
        if below.found.iter().any(|finding| !(finding.history_safe() && finding.consumer_safe())) {
            findings.add(Rule::MapKeyChanged, "the keys of the map changed");
        } else if !below.found.is_empty() {
            findings.add(Rule::Documentation, "the keys of the map are described otherwise");
        }
    });
    findings.below("{value}", |findings| column(&old.value, &new.value, findings));
}

fn enumeration(old: &[Scalar], new: &[Scalar], findings: &mut Findings) {
    match (old.is_empty(), new.is_empty()) {
        (true, true) => {}
        (true, false) => findings.add(Rule::EnumTightened, "only listed values are allowed now"),
        (false, true) => findings.add(Rule::EnumLoosened, "any value is allowed now"),
        (false, false) => {
            let words = |values: &[Scalar]| values.iter().map(word).collect::<BTreeSet<_>>();
            let (before, after) = (words(old), words(new));
            let list = |values: Vec<&String>| {
                values.iter().take(5).map(|value| format!("`{value}`")).collect::<Vec<_>>().join(", ")
            };
            let added: Vec<_> = after.difference(&before).collect();
            let removed: Vec<_> = before.difference(&after).collect();
            if !added.is_empty() {
                findings.add(Rule::EnumLoosened, format!("values were added to the enumeration: {}", list(added)));
            }
            if !removed.is_empty() {
                findings
                    .add(Rule::EnumTightened, format!("values were removed from the enumeration: {}", list(removed)));
            }
            if before == after && old != new {
                findings.add(Rule::Documentation, "the enumeration is in another order");
            }
        }
    }
}

/// A value with its type, so that `1` and `"1"` differ.
fn word(value: &Scalar) -> String {
    match value {
        Scalar::Text(text) => text.clone(),
        Scalar::Integer(number) => format!("{number} (number)"),
        Scalar::Number(number) => format!("{number} (number)"),
        Scalar::Boolean(boolean) => format!("{boolean} (boolean)"),
    }
}

fn options(old: &Property, new: &Property, findings: &mut Findings) {
    let (before, after) = (&old.options, &new.options);
    if before == after {
        return;
    }
    bound(lowest(before), lowest(after), true, findings);
    bound(highest(before), highest(after), false, findings);
    // A least count grows, or a greatest one shrinks: fewer values.
    for (name, least, then, now) in [
        ("minLength", true, before.min_length, after.min_length),
        ("maxLength", false, before.max_length, after.max_length),
        ("minItems", true, before.min_items, after.min_items),
        ("maxItems", false, before.max_items, after.max_items),
        ("minProperties", true, before.min_properties, after.min_properties),
        ("maxProperties", false, before.max_properties, after.max_properties),
    ] {
        // No least count is the same as a least count of 0.
        let (then, now) = if least { (Some(then.unwrap_or(0)), Some(now.unwrap_or(0))) } else { (then, now) };
        let tighter = match (then, now) {
            (None, Some(_)) => true,
            (Some(_), None) => false,
            (Some(then), Some(now)) if then != now => (now > then) == least,
            _ => continue,
        };
        constraint(if tighter { Change::Tighter } else { Change::Looser }, name, findings);
    }
    if before.unique_items != after.unique_items {
        constraint(if after.unique_items { Change::Tighter } else { Change::Looser }, "uniqueItems", findings);
    }
    if before.pattern != after.pattern {
        let change = match (&before.pattern, &after.pattern) {
            (None, _) => Change::Tighter,
            (_, None) => Change::Looser,
            // Whether one pattern admits less than another is not worth deciding here.
            _ => Change::Other,
        };
        constraint(change, "pattern", findings);
    }
    if before.multiple_of != after.multiple_of {
        let whole = |number: f64| number.fract() == 0.0;
        let change = match (before.multiple_of, after.multiple_of) {
            (None, _) => Change::Tighter,
            (_, None) => Change::Looser,
            (Some(then), Some(now)) if whole(now / then) => Change::Tighter,
            (Some(then), Some(now)) if whole(then / now) => Change::Looser,
            _ => Change::Other,
        };
        constraint(change, "multipleOf", findings);
    }
    if before.format != after.format && !(types::format_is_type(old) && types::format_is_type(new)) {
        findings.add(Rule::MeaningChanged, "the format changed");
    }
    if (before.timezone, &before.default_timezone) != (after.timezone, &after.default_timezone) {
        findings.add(Rule::MeaningChanged, "the time zone changed");
    }
    vector(before, after, findings);
    others(&before.other, &after.other, findings);
}

fn vector(before: &Options, after: &Options, findings: &mut Findings) {
    let element = |options: &Options| options.element_type.clone().unwrap_or_else(|| "float32".to_owned());
    if before.dimensions != after.dimensions || element(before) != element(after) {
        findings.add(Rule::VectorChanged, "the vector has other dimensions or elements");
    } else if before.element_type != after.element_type {
        findings.add(Rule::Documentation, "the type of the vector's elements is written otherwise and is the same");
    }
}

enum Change {
    Tighter,
    Looser,
    Other,
}

fn constraint(change: Change, name: &str, findings: &mut Findings) {
    match change {
        Change::Tighter => findings.add(Rule::ConstraintTightened, format!("`{name}` admits fewer values")),
        Change::Looser => findings.add(Rule::ConstraintLoosened, format!("`{name}` admits more values")),
        Change::Other => findings.add(Rule::ConstraintChanged, format!("`{name}` may admit other values")),
    }
}

/// An end of a range: the value, and whether it is outside.
type End<'a> = Option<(&'a Scalar, bool)>;

fn lowest(options: &Options) -> End<'_> {
    stricter(&options.minimum, &options.exclusive_minimum, std::cmp::Ordering::Greater)
}

fn highest(options: &Options) -> End<'_> {
    stricter(&options.maximum, &options.exclusive_maximum, std::cmp::Ordering::Less)
}

/// The end that counts where a document gives two.
fn stricter<'a>(inclusive: &'a Option<Scalar>, exclusive: &'a Option<Scalar>, wins: std::cmp::Ordering) -> End<'a> {
    match (inclusive, exclusive) {
        (Some(inclusive), Some(exclusive)) if order(inclusive, exclusive) == Some(wins) => Some((inclusive, false)),
        (_, Some(exclusive)) => Some((exclusive, true)),
        (inclusive, None) => inclusive.as_ref().map(|inclusive| (inclusive, false)),
    }
}

fn bound(before: End<'_>, after: End<'_>, is_low: bool, findings: &mut Findings) {
    use std::cmp::Ordering::{Equal, Greater, Less};
    let name = if is_low { "minimum" } else { "maximum" };
    let change = match (before, after) {
        (None, None) => return,
        (None, Some(_)) => Change::Tighter,
        (Some(_), None) => Change::Looser,
        (Some((then, was_exclusive)), Some((now, is_exclusive))) => match order(now, then) {
            Some(Equal) if was_exclusive == is_exclusive => return,
            Some(Equal) if is_exclusive => Change::Tighter,
            Some(Equal) => Change::Looser,
            Some(Greater) if is_low => Change::Tighter,
            Some(Less) if !is_low => Change::Tighter,
            Some(Greater | Less) => Change::Looser,
            None => Change::Other,
        },
    };
    constraint(change, name, findings);
}

/// The order of two bounds; `None` if they cannot be compared. Texts are dates and times; those written alike compare
/// as texts do.
fn order(a: &Scalar, b: &Scalar) -> Option<std::cmp::Ordering> {
    #[expect(
        clippy::cast_precision_loss,
        reason = "bounds beyond 2^53 that differ by less than one step count as equal only if they are"
    )]
    let number = |value: &Scalar| match value {
        Scalar::Integer(number) => Some(*number as f64),
        Scalar::Number(number) => Some(*number),
        Scalar::Text(_) | Scalar::Boolean(_) => None,
    };
    match (a, b) {
        (Scalar::Integer(a), Scalar::Integer(b)) => Some(a.cmp(b)),
        (Scalar::Text(a), Scalar::Text(b)) if a.len() == b.len() => Some(a.cmp(b)),
        _ => number(a)?.partial_cmp(&number(b)?),
    }
}

fn classification(old: &Property, new: &Property, findings: &mut Findings) {
    let level = |property: &Property| property.classification.unwrap_or_default();
    let (before, after): (Classification, Classification) = (level(old), level(new));
    if before < after {
        findings.add(Rule::ClassificationRaised, format!("the data is `{after}` and was `{before}`"));
    } else if after < before {
        findings.add(Rule::ClassificationLowered, format!("the data is `{after}` and was `{before}`"));
    } else if old.classification != new.classification {
        findings.add(Rule::Documentation, "the classification is written otherwise and is the same");
    }
}

/// Compares foreign keys, of a property or of an object. One with another target is one removed and one added.
pub(super) fn relationships(old: &[Relationship], new: &[Relationship], findings: &mut Findings) {
    let ends = |relationship: &Relationship| (relationship.from.clone(), relationship.to.clone());
    let before: BTreeMap<_, _> = old.iter().map(|relationship| (ends(relationship), relationship)).collect();
    let after: BTreeMap<_, _> = new.iter().map(|relationship| (ends(relationship), relationship)).collect();
    for (key, relationship) in &after {
        let to = relationship.to.join(", ");
        match before.get(key) {
            None => findings.add(Rule::ForeignKeyAdded, format!("a foreign key to `{to}` was added")),
            Some(before) => {
                documentation(&before.documentary, &relationship.documentary, "", findings);
                others(&before.other, &relationship.other, findings);
            }
        }
    }
    for (_, relationship) in before.iter().filter(|(key, _)| !after.contains_key(*key)) {
        let to = relationship.to.join(", ");
        findings.add(Rule::ForeignKeyRemoved, format!("the foreign key to `{to}` was removed"));
    }
}

/// Compares the primary keys of two versions of an object. A renamed column is the same column.
pub(super) fn primary_keys(old: &SchemaObject, new: &SchemaObject, findings: &mut Findings) {
    let (before, after) = (old.primary_key(), new.primary_key());
    let same = |a: &Property, b: &Property| (a.id.is_some() && a.id == b.id) || a.name == b.name;
    let is_within = |some: &[&Property], all: &[&Property]| some.iter().all(|a| all.iter().any(|b| same(a, b)));
    match (before.is_empty(), after.is_empty()) {
        (true, true) => {}
        (true, false) => findings.add(Rule::PrimaryKeyAdded, "there is a primary key now; older data may break it"),
        (false, true) => findings.add(Rule::PrimaryKeyRemoved, "there is no primary key any more"),
        (false, false) if before.len() != after.len() || !is_within(&before, &after) => {
            findings.add(Rule::PrimaryKeyChanged, "the primary key has other columns");
        }
        (false, false) if !before.iter().zip(&after).all(|(a, b)| same(a, b)) => {
            findings.add(Rule::PrimaryKeyReordered, "the columns of the primary key are in another order");
        }
        (false, false) => {}
    }
}
