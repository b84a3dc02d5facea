//! `patternProperties`: what a pattern demands must hold for all that older objects could hold under the names in which
//! it is found.
//!
//! A pattern that both schemas have is compared by its schemas. One that comes is a demand on the properties whose names
//! it is found in, on the older patterns that may be found in the same names, and on names that the old schema did not
//! speak of. One that goes leaves its names to what the new schema says of other names. Whether two patterns meet is
//! known of literal beginnings only ([`pattern`]); of others it is assumed.

use super::comparison::{Answer, Sides, Step};
use super::model::{NodeId, Object, Shape};
use super::object::nest_any;
use super::rest::Content;
use super::{names, pattern};
use crate::change::message::TooComplex;

const KEYWORD: &str = "patternProperties";

pub(super) fn compare<'a>(
    answer: &mut Answer<'_, 'a>,
    sides: &Sides<'a>,
    old: &'a Object,
    new: &'a Object,
) -> Result<(), TooComplex> {
    for (pattern, demand) in &new.pattern_properties {
        match old.pattern_properties.get(pattern) {
            Some(before) => drop(answer.nest(Step::Member(KEYWORD, pattern), *before, *demand)?),
            None => added(answer, sides, old, (pattern, *demand))?,
        }
    }
    for (pattern, promised) in &old.pattern_properties {
        if !new.pattern_properties.contains_key(pattern) {
            removed(answer, sides, new, (pattern, *promised))?;
        }
    }
    Ok(())
}

/// Whether one of the patterns is found in every name.
pub(super) fn name_all(object: &Object) -> bool {
    object.pattern_properties.keys().any(|pattern| pattern::is_found_everywhere(pattern))
}

/// The schemas that all hold under a name: its property's, and those of the patterns that are found in it.
pub(super) fn said_under<'a>(
    answer: &mut Answer<'_, 'a>,
    object: &'a Object,
    name: &str,
    property: Option<NodeId>,
) -> Result<Vec<NodeId>, TooComplex> {
    let mut said: Vec<_> = property.into_iter().collect();
    for (pattern, schema) in &object.pattern_properties {
        if answer.is_found(pattern, name)? == Some(true) {
            said.push(*schema);
        }
    }
    Ok(said)
}

fn added<'a>(
    answer: &mut Answer<'_, 'a>,
    sides: &Sides<'a>,
    old: &'a Object,
    (pattern, demand): (&'a str, NodeId),
) -> Result<(), TooComplex> {
    let step = Step::Member(KEYWORD, pattern);
    if sides.new_schema.is_any(demand) {
        answer.say(step, &names::PROPERTY_WITH_EMPTY_SCHEMA_ADDED_TO_OPEN_CONTENT_MODEL);
        return Ok(());
    }
    let mut is_read = true;
    for (name, property) in &old.properties {
        if answer.is_found(pattern, name)? != Some(false) {
            let said = said_under(answer, old, name, Some(*property))?;
            is_read &= nest_any(answer, step, &said, demand)?;
        }
    }
    let is_property = pattern::only_text(pattern).is_some_and(|name| old.properties.contains_key(name));
    let mut covering = Vec::new();
    let mut meeting = Vec::new();
    for (other, schema) in &old.pattern_properties {
        answer.take(1)?;
        if pattern::covers(other, pattern) {
            covering.push(*schema);
        } else if !pattern::are_disjoint(other, pattern) {
            meeting.push(*schema);
        }
    }
    let is_covered = is_property || !covering.is_empty();
    if !covering.is_empty() {
        is_read &= nest_any(answer, step, &covering, demand)?;
    } else if !is_property {
        for schema in meeting {
            is_read &= answer.nest(step, schema, demand)?;
        }
    }
    let name = match Content::of(sides.old_schema, old.additional, old.unevaluated) {
        _ if !is_read => &names::PROPERTY_ADDED_NOT_COVERED_BY_PARTIALLY_OPEN_CONTENT_MODEL,
        _ if is_covered => &names::PROPERTY_ADDED_IS_COVERED_BY_PARTIALLY_OPEN_CONTENT_MODEL,
        Content::Open => &names::OPTIONAL_PROPERTY_ADDED_TO_OPEN_CONTENT_MODEL,
        Content::Partial(schema) if answer.nest(step, schema, demand)? => {
            &names::PROPERTY_ADDED_IS_COVERED_BY_PARTIALLY_OPEN_CONTENT_MODEL
        }
        Content::Partial(_) => &names::PROPERTY_ADDED_NOT_COVERED_BY_PARTIALLY_OPEN_CONTENT_MODEL,
        Content::Closed => &names::OPTIONAL_PROPERTY_ADDED_TO_UNOPEN_CONTENT_MODEL,
    };
    answer.say(step, name);
    Ok(())
}

fn removed<'a>(
    answer: &mut Answer<'_, 'a>,
    sides: &Sides<'a>,
    new: &'a Object,
    (pattern, promised): (&'a str, NodeId),
) -> Result<(), TooComplex> {
    let step = Step::Member(KEYWORD, pattern);
    answer.take(1 + new.pattern_properties.len())?;
    let is_never = matches!(sides.old_schema.node(sides.old_schema.resolve(promised)).shape, Shape::Never);
    let is_property = pattern::only_text(pattern).is_some_and(|name| new.properties.contains_key(name));
    // What the new patterns demand is compared where they came, or stayed.
    let is_covered = is_property || new.pattern_properties.keys().any(|other| pattern::covers(other, pattern));
    let name = match Content::of(sides.new_schema, new.additional, new.unevaluated) {
        _ if is_never => &names::PROPERTY_WITH_FALSE_REMOVED_FROM_CLOSED_CONTENT_MODEL,
        _ if is_covered => &names::PROPERTY_REMOVED_IS_COVERED_BY_PARTIALLY_OPEN_CONTENT_MODEL,
        Content::Open => &names::PROPERTY_REMOVED_FROM_OPEN_CONTENT_MODEL,
        Content::Partial(schema) if answer.nest(step, promised, schema)? => {
            &names::PROPERTY_REMOVED_IS_COVERED_BY_PARTIALLY_OPEN_CONTENT_MODEL
        }
        Content::Partial(_) => &names::PROPERTY_REMOVED_NOT_COVERED_BY_PARTIALLY_OPEN_CONTENT_MODEL,
        Content::Closed => &names::PROPERTY_REMOVED_FROM_CLOSED_CONTENT_MODEL,
    };
    answer.say(step, name);
    Ok(())
}
