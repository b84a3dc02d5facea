//! Columns and their members, items and keys (rows 1 to 21, 24 to 27, 32 to 35 and 42 of the table).

use std::collections::{BTreeMap, HashMap, HashSet};
use std::ptr;
use std::sync::Arc;

use super::fields::{DEFAULTS, OPEN_ENUM, deprecation, documentation, others, partitioning};
use super::finding::{Finding, Findings};
use super::proof::Claim;
use super::rule::Rule;
use super::serving::custom;
use super::types::{Difference, type_of};
use super::values::Values;
use super::{constraint, quality, types};
use crate::contract::{Classification, MapTypes, Property, Relationship, SchemaObject};
use crate::quality::Scalar;
use crate::table::ColumnPath;

/// Compares the columns of an object, or the members of a structure.
pub(super) fn members(old: &[Arc<Property>], new: &[Arc<Property>], findings: &mut Findings<'_>) {
    let pairs = pairs(old, new);
    let mut is_kept = vec![false; old.len()];
    pairs.iter().flatten().for_each(|before| is_kept[*before] = true);
    for (property, before) in new.iter().zip(&pairs) {
        match before {
            Some(before) if is_same(&old[*before], property) => {}
            Some(before) => below_property(property, findings, |findings| column(&old[*before], property, findings)),
            None => below_property(property, findings, |findings| added(property, findings)),
        }
    }
    let removed = || old.iter().zip(&is_kept).filter(|(_, is_kept)| !**is_kept).map(|(it, _)| it.as_ref());
    for property in removed() {
        below_property(property, findings, |findings| {
            if must_not_be_null(property) {
                let message = "the column was removed; it was never null";
                findings.change(Rule::ColumnRemovedRequired, message, Values::removed(property));
            } else {
                findings.change(Rule::ColumnRemovedOptional, "the column was removed", Values::removed(property));
            }
        });
    }
    let added: Vec<_> =
        new.iter().zip(&pairs).filter(|(_, before)| before.is_none()).map(|(it, _)| it.as_ref()).collect();
    if !added.is_empty() {
        regrouped(&removed().collect::<Vec<_>>(), &added, findings);
    }
    let kept =
        new.iter().zip(&pairs).filter_map(|(property, before)| Some((old[(*before)?].as_ref(), property.as_ref())));
    moved(removed(), &added, kept, findings);
    let is_moved = pairs.iter().enumerate().any(|(at, before)| before.is_some_and(|before| before != at));
    let order = || {
        let names = |properties: &[Arc<Property>]| properties.iter().map(|it| it.name.clone()).collect::<Vec<_>>();
        Values::of(&names(old), &names(new))
    };
    if findings.context.serving.by_position && is_moved {
        findings.change(Rule::ReorderedByPosition, "columns moved, and readers go by position", order());
    } else if !pairs.iter().flatten().is_sorted() {
        let message = "columns are in a different order; readers that go by position should check";
        findings.change(Rule::Reordered, message, order());
    }
}

fn added(property: &Property, findings: &mut Findings<'_>) {
    let has_default = custom(&property.other)
        .is_some_and(|custom| custom.iter().any(|(name, value)| is_default(name) && !value.is_null()));
    let values = Values::added(property);
    if !must_not_be_null(property) {
        findings.change(Rule::ColumnAddedOptional, "a column was added that may be null", values);
    } else if has_default && findings.context.serving.fills_defaults {
        let message = "a required column was added; older data gets its default";
        findings.change(Rule::ColumnAddedDefaulted, message, values);
    } else {
        findings.change(Rule::ColumnAddedRequired, "a column was added that must not be null", values);
    }
}

/// Whether a custom property says what a missing value is.
fn is_default(name: &str) -> bool {
    matches!(name, "initialDefault" | "initial-default") || (name != "enumDefault" && DEFAULTS.contains(&name))
}

/// Finds columns that were grouped into a structure, or a structure that was taken apart: the names are the same and
/// no format finds the values there. The same by stable id, or by name and type.
fn regrouped(removed: &[&Property], added: &[&Property], findings: &mut Findings<'_>) {
    fn keys(property: &Property) -> impl Iterator<Item = (&str, &str, Option<&'static str>)> {
        let named = (property.name.as_str(), property.physical_type.as_deref().unwrap_or_default());
        let logical = property.logical_type.map(|logical| logical.as_str());
        property.id.as_deref().map(|id| (id, "", None)).into_iter().chain([(named.0, named.1, logical)])
    }
    let mut look = |flat: &[&Property], grouped: &[&Property], message: &str| {
        if grouped.iter().all(|property| property.members.is_empty()) {
            return;
        }
        let flat: HashSet<_> = flat.iter().flat_map(|property| keys(property)).collect();
        for property in grouped {
            if property.members.iter().flat_map(|member| keys(member)).any(|key| flat.contains(&key)) {
                below_property(property, findings, |findings| findings.add(Rule::ShapeChanged, message));
            }
        }
    };
    look(removed, added, "columns were grouped into a structure; their older values are not found there");
    look(added, removed, "the structure was taken apart; its older values are not found in the columns");
}

/// Finds columns that moved into a structure that stays, or out of one, by their stable ids. `kept` are the columns
/// that stay, before and after.
fn moved<'a>(
    removed: impl Iterator<Item = &'a Property>,
    added: &[&'a Property],
    kept: impl Iterator<Item = (&'a Property, &'a Property)>,
    findings: &mut Findings<'_>,
) {
    fn id(property: &Property) -> Option<&str> {
        property.id.as_deref()
    }
    fn members(property: &Property) -> impl Iterator<Item = &Property> {
        property.members.iter().map(Arc::as_ref)
    }
    // What left, and what came to where, each with whether it was or is in a structure that stays.
    let mut gone: BTreeMap<&str, bool> = BTreeMap::new();
    let mut came: BTreeMap<&str, (&Property, Option<&Property>, bool)> = BTreeMap::new();
    for (before, after) in kept {
        if ptr::eq(before, after) || members(before).map(id).eq(members(after).map(id)) {
            continue;
        }
        let ids = |property: &'a Property| members(property).filter_map(id).collect::<HashSet<_>>();
        let (was, is) = (ids(before), ids(after));
        gone.extend(was.difference(&is).map(|id| (*id, true)));
        let new = members(after).filter_map(|member| Some((id(member)?, member)));
        came.extend(new.filter(|(id, _)| !was.contains(id)).map(|(id, member)| (id, (member, Some(after), true))));
    }
    for property in removed {
        for id in std::iter::once(property).chain(members(property)).filter_map(id) {
            gone.entry(id).or_insert(false);
        }
    }
    for property in added {
        let members = members(property).map(|member| (member, Some(*property)));
        for (property, place) in std::iter::once((*property, None)).chain(members) {
            if let Some(id) = id(property) {
                came.entry(id).or_insert((property, place, false));
            }
        }
    }
    for (id, (property, place, stays)) in came {
        // A structure that comes or goes as a whole is looked at by `regrouped`.
        if gone.get(id).is_some_and(|stayed| stays || *stayed) {
            let message = "the column moved between structures; its older values are not found here";
            let add = |findings: &mut Findings<'_>| {
                below_property(property, findings, |it| it.add(Rule::ShapeChanged, message))
            };
            match place {
                Some(place) => below_property(place, findings, add),
                None => add(findings),
            }
        }
    }
}

fn below_property(property: &Property, findings: &mut Findings<'_>, look: impl FnOnce(&mut Findings<'_>)) {
    findings.below_column(format!(".{}", property.name), property.column_name(), look);
}

/// For each new property the position of the old one that it continues: that of the same stable id, else of the same
/// name.
pub(super) fn pairs(old: &[Arc<Property>], new: &[Arc<Property>]) -> Vec<Option<usize>> {
    let mut pairs = vec![None; new.len()];
    let mut taken = vec![false; old.len()];
    // Most columns stay where they are, and need no index.
    for (at, (before, after)) in old.iter().zip(new).enumerate() {
        if before.id == after.id && before.name == after.name {
            pairs[at] = Some(at);
            taken[at] = true;
        }
    }
    let keys: [fn(&Property) -> Option<&str>; 2] = [|property| property.id.as_deref(), |property| Some(&property.name)];
    for key in keys {
        let left = old.iter().enumerate().filter(|(at, _)| !taken[*at]);
        let index: HashMap<_, _> = left.filter_map(|(at, property)| Some((key(property)?, at))).collect();
        if index.is_empty() {
            continue;
        }
        for (pair, property) in pairs.iter_mut().zip(new).filter(|(pair, _)| pair.is_none()) {
            let before = key(property).and_then(|key| index.get(key)).filter(|before| !taken[**before]);
            if let Some(before) = before {
                *pair = Some(*before);
                taken[*before] = true;
            }
        }
    }
    pairs
}

fn must_not_be_null(property: &Property) -> bool {
    property.required || property.primary_key
}

/// Whether two versions of a property are equal, as most pairs of a wide contract are; those that are
/// [shared](crate::contract::Document::share_columns) need no look.
fn is_same(old: &Property, new: &Property) -> bool {
    ptr::eq(old, new) || old == new
}

/// Compares two versions of one property.
pub(super) fn column(old: &Property, new: &Property, findings: &mut Findings<'_>) {
    if is_same(old, new) {
        return;
    }
    names(old, new, findings);
    match types::difference(old, new, findings.context.serving) {
        Difference::None => {}
        Difference::Rule(rule, message) => findings.change(rule, message, types_of(old, new)),
        Difference::Inside(before, after) => {
            let n_found = findings.found.len();
            inside(&before, &after, findings);
            if findings.found.len() == n_found {
                let message = "the type is written differently and is the same";
                findings.change(Rule::TypeRespelled, message, types_of(old, new));
            }
        }
    }
    if old.required != new.required {
        let values = Values::of(&old.required, &new.required);
        match new.required {
            true => {
                let claim = Claim::NoNulls { column: findings.column() };
                findings.add_provable(
                    Rule::RequiredAdded,
                    "the column is now required; older data may contain nulls",
                    values,
                    claim,
                );
            }
            false => {
                let message = "the column is now nullable; its readers may not expect nulls";
                findings.change(Rule::RequiredRemoved, message, values);
            }
        }
    }
    if old.unique != new.unique {
        let values = Values::of(&old.unique, &new.unique);
        match new.unique {
            true => {
                let claim = Claim::Unique { columns: vec![findings.column()] };
                findings.add_provable(
                    Rule::UniqueAdded,
                    "values must now be unique; older data may contain duplicates",
                    values,
                    claim,
                );
            }
            false => findings.change(Rule::UniqueRemoved, "values no longer have to be unique", values),
        }
    }
    key_flags(old, new, findings);
    enumeration(old, new, findings);
    constraint::options(old, new, findings);
    relationships(&old.relationships, &new.relationships, findings);
    classification(old, new, findings);
    if old.encrypted_name != new.encrypted_name {
        let values = Values::of(&old.encrypted_name, &new.encrypted_name);
        findings.change(Rule::EncryptionChanged, "the location of the encrypted form changed", values);
    }
    if (old.partitioned, old.partition_key_position) != (new.partitioned, new.partition_key_position) {
        let values = match old.partitioned == new.partitioned {
            true => Values::of(&old.partition_key_position, &new.partition_key_position),
            false => Values::of(&old.partitioned, &new.partitioned),
        };
        partitioning("the data is partitioned differently", values, findings);
    }
    if old.semantic_type != new.semantic_type {
        let values = Values::of(&old.semantic_type, &new.semantic_type);
        findings.change(Rule::Undetermined, "the semantic type changed", values);
    }
    if old.deprecated != new.deprecated {
        deprecation(new.deprecated, findings);
    }
    quality::lists(&old.quality, &new.quality, findings);
    if old.critical != new.critical {
        let values = Values::of(&old.critical, &new.critical);
        findings.change(Rule::Documentation, "whether it is a critical data element changed", values);
    }
    let hint = if new.critical { "; it is a critical data element, so its meaning may have changed" } else { "" };
    documentation(&old.documentary, &new.documentary, hint, findings);
    others(&old.other, &new.other, findings);
    inside(old, new, findings);
}

fn types_of(old: &Property, new: &Property) -> Values {
    let text = |property: &Property| type_of(property).replace('`', "");
    Values::of(&text(old), &text(new))
}

/// The flags of the primary key where the key itself, which is compared as a whole, has no place for them.
fn key_flags(old: &Property, new: &Property, findings: &mut Findings<'_>) {
    let is_nested = findings.columns.len() != 2;
    if is_nested && old.primary_key != new.primary_key {
        let values = Values::of(&old.primary_key, &new.primary_key);
        findings.change(Rule::Undetermined, "whether a nested column is part of the primary key changed", values);
    } else if old.primary_key_position != new.primary_key_position {
        let values = Values::of(&old.primary_key_position, &new.primary_key_position);
        findings.change(Rule::Documentation, "the position in the primary key is written differently", values);
    }
}

fn names(old: &Property, new: &Property, findings: &mut Findings<'_>) {
    if old.name != new.name {
        let message = format!("the column was renamed from `{}`", old.name);
        findings.change(Rule::ColumnRenamed, message, Values::of(&old.name, &new.name));
    }
    // A rename moves the name at the source as well, where that is not said.
    let is_named = old.name == new.name || old.physical_name.is_some() || new.physical_name.is_some();
    if old.column_name() != new.column_name() && is_named {
        let (before, after) = (old.column_name(), new.column_name());
        let message = format!("the column at the source changed from `{before}` to `{after}`");
        findings.change(Rule::PhysicalNameChanged, message, Values::of(before, after));
    } else if old.physical_name != new.physical_name {
        let values = Values::of(&old.physical_name, &new.physical_name);
        let message = "the name at the source is written differently and is the same";
        findings.change(Rule::Documentation, message, values);
    }
    if old.id != new.id {
        findings.change(Rule::Documentation, "the stable id changed", Values::of(&old.id, &new.id));
    }
}

/// Compares what properties contain.
fn inside(old: &Property, new: &Property, findings: &mut Findings<'_>) {
    members(&old.members, &new.members, findings);
    match (&old.items, &new.items) {
        (Some(before), Some(after)) => {
            findings.below_column("[]", "[]", |findings| column(before, after, findings));
        }
        (None, None) => {}
        (Some(_), None) | (None, Some(_)) => findings.below("[]", |findings| {
            let values = Values::of(&old.items.as_deref(), &new.items.as_deref());
            let message = "only one of the versions declares the items of the list";
            findings.change(Rule::Undetermined, message, values);
        }),
    }
    match (&old.map, &new.map) {
        (Some(before), Some(after)) => map(before, after, findings),
        (None, None) => {}
        (Some(_), None) | (None, Some(_)) => {
            let types = |map: &MapTypes| format!("{} to {}", type_of(&map.key), type_of(&map.value)).replace('`', "");
            let values = Values::of(&old.map.as_deref().map(types), &new.map.as_deref().map(types));
            let message = "only one of the versions declares the types of the map";
            findings.change(Rule::Undetermined, message, values);
        }
    }
}

fn map(old: &MapTypes, new: &MapTypes, findings: &mut Findings<'_>) {
    findings.below_column("{key}", "{key}", |findings| {
        let n_found = findings.found.len();
        column(&old.key, &new.key, findings);
        let below = findings.found.split_off(n_found);
        // Any change of what a key is changes which keys are equal.
        let is_described = |finding: &Finding| {
            matches!(finding.rule, Rule::Documentation | Rule::TypeRespelled | Rule::QualityRespelled)
        };
        if below.iter().all(is_described) {
            findings.found.extend(below);
        } else {
            findings.change(Rule::MapKeyChanged, "the keys of the map changed", Values::of(&old.key, &new.key));
        }
    });
    findings.below_column("{value}", "{value}", |findings| column(&old.value, &new.value, findings));
}

fn enumeration(old: &Property, new: &Property, findings: &mut Findings<'_>) {
    let (before, after) = (&old.enumeration, &new.enumeration);
    if before == after {
        return;
    }
    let values = || Values::of(before, after);
    let grown = if is_open(old, findings) { Rule::EnumExtended } else { Rule::EnumLoosened };
    let tightened = |findings: &mut Findings<'_>, message: String| {
        let claim = Claim::ValuesIn { column: findings.column(), values: after.clone() };
        findings.add_provable(Rule::EnumTightened, message, values(), claim);
    };
    match (before.is_empty(), after.is_empty()) {
        (true, _) => tightened(findings, "only listed values are now allowed".to_owned()),
        (false, true) => findings.change(grown, "any value is now allowed", values()),
        (false, false) => {
            let words = |values: &[Scalar]| values.iter().map(word).collect::<HashSet<_>>();
            let (words_before, words_after) = (words(before), words(after));
            let others = |values: &[Scalar], words: &HashSet<String>| {
                let others = values.iter().map(word).filter(|word| !words.contains(word));
                others.map(|word| format!("`{word}`")).collect::<Vec<_>>()
            };
            let list = |words: &[String]| words.iter().take(5).cloned().collect::<Vec<_>>().join(", ");
            let (added, removed) = (others(after, &words_before), others(before, &words_after));
            if !added.is_empty() {
                let message = format!("values were added to the enumeration: {}", list(&added));
                findings.change(grown, message, values());
            }
            if !removed.is_empty() {
                tightened(findings, format!("values were removed from the enumeration: {}", list(&removed)));
            }
            if added.is_empty() && removed.is_empty() {
                findings.change(Rule::Documentation, "the enumeration is in another order", values());
            }
        }
    }
}

/// Whether the old version told its readers to expect values that it does not list, or how to read them.
fn is_open(old: &Property, findings: &Findings<'_>) -> bool {
    let custom_value = |name: &str| custom(&old.other).and_then(|custom| custom.get(name));
    let is_declared = custom_value(OPEN_ENUM).and_then(|open| open.as_bool());
    let has_default =
        findings.context.serving.reads_defaults && custom_value("enumDefault").is_some_and(|it| !it.is_null());
    is_declared.unwrap_or(findings.context.enums_open) || has_default
}

/// A value with its type, so that `1` and `"1"` differ.
fn word(value: &Scalar) -> String {
    match value {
        Scalar::Text(text) => text.clone(),
        Scalar::Integer(number) => format!("{number} (number)"),
        Scalar::Number(number) => format!("{number} (number)"),
        Scalar::Decimal(number) => format!("{number} (number)"),
        Scalar::Boolean(boolean) => format!("{boolean} (boolean)"),
    }
}

fn classification(old: &Property, new: &Property, findings: &mut Findings<'_>) {
    let order = &findings.context.options.classification_order;
    if order.is_empty() {
        let level = |property: &Property| property.classification.unwrap_or_default();
        let (before, after): (Classification, Classification) = (level(old), level(new));
        classified(before.as_str(), after.as_str(), before.cmp(&after), findings);
        if before == after && old.classification != new.classification {
            let said = |property: &Property| property.classification.map(Classification::as_str);
            let values = Values::of(&said(old), &said(new));
            let message = "the classification is written differently and is the same";
            findings.change(Rule::Documentation, message, values);
        }
        return;
    }
    // A word outside of the four is kept beside what it counts as.
    fn classification_word(property: &Property) -> Option<&str> {
        let own_word = property.documentary.get("classification").and_then(|word| word.as_str());
        own_word.or(property.classification.map(Classification::as_str))
    }
    if classification_word(old) == classification_word(new) {
        return;
    }
    let rank = |word: &str| order.iter().position(|other| other.eq_ignore_ascii_case(word));
    let unsaid = Classification::default().as_str();
    let unsaid = if rank(unsaid).is_some() { unsaid } else { &order[0] };
    let (before, after) = (classification_word(old).unwrap_or(unsaid), classification_word(new).unwrap_or(unsaid));
    match (rank(before), rank(after)) {
        (Some(was), Some(is)) => {
            classified(before, after, was.cmp(&is), findings);
            if was == is {
                let message = "the classification is written differently and is the same";
                findings.change(Rule::Documentation, message, Values::of(before, after));
            }
        }
        // It may be.
        _ => {
            let message = "the classification is not in the configured order";
            findings.change(Rule::ClassificationRaised, message, Values::of(before, after));
        }
    }
}

fn classified(before: &str, after: &str, change: std::cmp::Ordering, findings: &mut Findings<'_>) {
    let message = format!("the data changed from `{before}` to `{after}`");
    match change {
        std::cmp::Ordering::Less => {
            findings.change(Rule::ClassificationRaised, message, Values::of(before, after));
        }
        std::cmp::Ordering::Greater => {
            findings.change(Rule::ClassificationLowered, message, Values::of(before, after));
        }
        std::cmp::Ordering::Equal => {}
    }
}

/// Compares foreign keys, of a property or of an object. One with another target is one removed and one added.
pub(super) fn relationships(old: &[Relationship], new: &[Relationship], findings: &mut Findings<'_>) {
    /// The columns of both sides: their order means nothing, as long as each names the same other.
    fn ends(Relationship { from, to, .. }: &Relationship) -> Vec<(Option<&String>, Option<&String>)> {
        let mut pairs: Vec<_> = (0..from.len().max(to.len())).map(|at| (from.get(at), to.get(at))).collect();
        pairs.sort_unstable();
        pairs
    }
    if old == new {
        return;
    }
    let n_found = findings.found.len();
    let before: BTreeMap<_, _> = old.iter().map(|relationship| (ends(relationship), relationship)).collect();
    let after: BTreeMap<_, _> = new.iter().map(|relationship| (ends(relationship), relationship)).collect();
    for (key, relationship) in &after {
        let to = relationship.to.join(", ");
        match before.get(key) {
            None => {
                let own = || vec![findings.column().to_string()];
                let columns = if relationship.from.is_empty() { own() } else { relationship.from.clone() };
                let claim = Claim::References { columns, to: relationship.to.clone() };
                let (message, values) = (format!("a foreign key to `{to}` was added"), Values::added(*relationship));
                findings.add_provable(Rule::ForeignKeyAdded, message, values, claim);
            }
            Some(before) => {
                documentation(&before.documentary, &relationship.documentary, "", findings);
                others(&before.other, &relationship.other, findings);
            }
        }
    }
    for (_, relationship) in before.iter().filter(|(key, _)| !after.contains_key(*key)) {
        let to = relationship.to.join(", ");
        let message = format!("the foreign key to `{to}` was removed");
        findings.change(Rule::ForeignKeyRemoved, message, Values::removed(*relationship));
    }
    if findings.found.len() == n_found {
        let message = "the foreign keys are written differently and are the same";
        findings.change(Rule::Documentation, message, Values::of(old, new));
    }
}

/// Compares the primary keys of two versions of an object. A renamed column is the same column.
pub(super) fn primary_keys(old: &SchemaObject, new: &SchemaObject, findings: &mut Findings<'_>) {
    let key = |object: &SchemaObject| {
        let columns = object.properties.iter().enumerate().filter(|(_, column)| column.primary_key);
        let mut key: Vec<_> =
            columns.map(|(at, column)| (column.primary_key_position.unwrap_or(u32::MAX), at)).collect();
        key.sort_unstable();
        key.into_iter().map(|(_, at)| at).collect::<Vec<_>>()
    };
    let (before, after) = (key(old), key(new));
    let values = || {
        let names = |object: &SchemaObject, key: &[usize]| {
            key.iter().map(|at| object.properties[*at].name.clone()).collect::<Vec<_>>()
        };
        Values::of(&names(old, &before), &names(new, &after))
    };
    match (before.is_empty(), after.is_empty()) {
        (true, true) => {}
        (true, false) => {
            let column = |at: &usize| ColumnPath(vec![new.properties[*at].column_name().to_owned()]);
            let claim = Claim::Key { columns: after.iter().map(column).collect() };
            let message = "a primary key was added; older data may violate it";
            findings.add_provable(Rule::PrimaryKeyAdded, message, values(), claim);
        }
        (false, true) => findings.change(Rule::PrimaryKeyRemoved, "the primary key was removed", values()),
        (false, false) => {
            let pairs = pairs(&old.properties, &new.properties);
            let continued: Vec<_> = after.iter().filter_map(|at| pairs[*at]).collect();
            let has_all = continued.len() == after.len() && before.len() == after.len();
            if !has_all || !before.iter().all(|at| continued.contains(at)) {
                findings.change(Rule::PrimaryKeyChanged, "the primary key has other columns", values());
            } else if before != continued {
                let message = "the columns of the primary key are in another order";
                findings.change(Rule::PrimaryKeyReordered, message, values());
            }
        }
    }
}
