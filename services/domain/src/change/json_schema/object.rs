//! Objects. Whether a property may be added or removed depends on the content model, which says what an object may hold
//! beyond its properties: on the old model for an added property, on the new one for a removed property.

use std::collections::BTreeSet;

use super::comparison::{Answer, Sides, Step};
use super::model::{Additional, NodeId, Object, Schema, Shape};
use super::{names, pattern_properties, rest};
use crate::change::message::TooComplex;
use crate::decimal::Decimal;

pub(super) fn compare<'a>(
    answer: &mut Answer<'_, 'a>,
    sides: &Sides<'a>,
    old: &'a Object,
    new: &'a Object,
) -> Result<(), TooComplex> {
    compare_required(answer, sides, old, new)?;
    compare_properties(answer, sides, old, new)?;
    pattern_properties::compare(answer, sides, old, new)?;
    compare_names(answer, sides, old, new)?;
    compare_dependencies(answer, old, new)?;
    // Where patterns are found in every name, nothing is left for a schema of other names to demand.
    if !pattern_properties::name_all(old) {
        let additional = (old.additional, new.additional);
        rest::compare_additional(answer, &names::ADDITIONAL_PROPERTIES, sides, additional)?;
        let unevaluated = (old.unevaluated, new.unevaluated);
        rest::compare_unevaluated(answer, &names::UNEVALUATED_PROPERTIES, sides, unevaluated)?;
    }
    compare_counts(answer, old, new);
    Ok(())
}

/// Numbers of properties. Those that must be there are a minimum as well, and those that can be there a maximum.
fn compare_counts<'a>(answer: &mut Answer<'_, 'a>, old: &'a Object, new: &'a Object) {
    let is_closed = old.additional == Additional::Forbidden && old.pattern_properties.is_empty();
    let n_possible = Decimal::from(old.properties.len() as u64);
    let is_implied = is_closed && new.max_properties.as_ref().is_some_and(|most| n_possible <= *most);
    if !is_implied || old.max_properties.is_some() {
        answer.compare_limit(&names::MAX_PROPERTIES, old.max_properties.as_ref(), new.max_properties.as_ref());
    }
    let n_required = Decimal::from(old.required.len() as u64);
    let is_implied = new.min_properties.as_ref().is_some_and(|least| *least <= n_required);
    if !is_implied || old.min_properties.is_some() {
        answer.compare_limit(&names::MIN_PROPERTIES, old.min_properties.as_ref(), new.min_properties.as_ref());
    }
}

/// What an object may hold under a name that is not among its properties.
enum Content {
    /// Anything.
    Open,
    /// What all of these schemas admit.
    Partial(Vec<NodeId>),
    /// Perhaps what a schema admits: it is unknown whether its pattern matches the name.
    Unclear,
    /// Nothing.
    Closed,
}

fn content_under<'a>(
    answer: &mut Answer<'_, 'a>,
    schema: &Schema,
    object: &'a Object,
    name: &str,
) -> Result<Content, TooComplex> {
    let mut found = Vec::new();
    let mut is_unclear = false;
    for (pattern, schema) in &object.pattern_properties {
        match answer.is_found(pattern, name)? {
            Some(true) => found.push(*schema),
            Some(false) => {}
            None => is_unclear = true,
        }
    }
    if is_unclear {
        return Ok(Content::Unclear);
    }
    if !found.is_empty() {
        return Ok(Content::Partial(found));
    }
    Ok(match rest::Content::of(schema, object.additional, object.unevaluated) {
        rest::Content::Open => Content::Open,
        rest::Content::Partial(schema) => Content::Partial(vec![schema]),
        rest::Content::Closed => Content::Closed,
    })
}

fn compare_required<'a>(
    answer: &mut Answer<'_, 'a>,
    sides: &Sides<'a>,
    old: &'a Object,
    new: &'a Object,
) -> Result<(), TooComplex> {
    answer.take(old.properties.len() / 4)?;
    for name in old.properties.keys() {
        let Some(schema) = new.properties.get(name) else { continue };
        let step = Step::Member("required", name);
        match (old.required.contains(name), new.required.contains(name)) {
            (true, false) => answer.say(step, &names::REQUIRED_ATTRIBUTE_REMOVED),
            (false, true) if has_default(sides.new_schema, *schema) => {
                answer.say(step, &names::REQUIRED_ATTRIBUTE_WITH_DEFAULT_ADDED);
            }
            (false, true) => answer.say(step, &names::REQUIRED_ATTRIBUTE_ADDED),
            (true, true) | (false, false) => {}
        }
    }
    Ok(())
}

fn compare_properties<'a>(
    answer: &mut Answer<'_, 'a>,
    sides: &Sides<'a>,
    old: &'a Object,
    new: &'a Object,
) -> Result<(), TooComplex> {
    let all: BTreeSet<&'a String> = old.properties.keys().chain(new.properties.keys()).collect();
    for name in all {
        let step = Step::Member("properties", name);
        match (old.properties.get(name), new.properties.get(name)) {
            (Some(property), Some(new_property)) => {
                // Patterns are looked at only where they could help.
                if old.pattern_properties.is_empty() || answer.would_be_compatible(*property, *new_property)? {
                    answer.nest(step, *property, *new_property)?;
                } else {
                    let said = pattern_properties::said_under(answer, old, name, Some(*property))?;
                    nest_any(answer, step, &said, *new_property)?;
                }
            }
            (Some(property), None) => {
                let is_never = matches!(sides.old_schema.node(*property).shape, Shape::Never);
                let verdict = match content_under(answer, sides.new_schema, new, name)? {
                    Content::Open => &names::PROPERTY_REMOVED_FROM_OPEN_CONTENT_MODEL,
                    Content::Partial(schemas) => {
                        let said = pattern_properties::said_under(answer, old, name, Some(*property))?;
                        let mut is_covered = true;
                        for schema in schemas {
                            is_covered &= nest_any(answer, step, &said, schema)?;
                        }
                        if is_covered {
                            &names::PROPERTY_REMOVED_IS_COVERED_BY_PARTIALLY_OPEN_CONTENT_MODEL
                        } else {
                            &names::PROPERTY_REMOVED_NOT_COVERED_BY_PARTIALLY_OPEN_CONTENT_MODEL
                        }
                    }
                    Content::Unclear => &names::PROPERTY_REMOVED_NOT_COVERED_BY_PARTIALLY_OPEN_CONTENT_MODEL,
                    Content::Closed if is_never => &names::PROPERTY_WITH_FALSE_REMOVED_FROM_CLOSED_CONTENT_MODEL,
                    Content::Closed => &names::PROPERTY_REMOVED_FROM_CLOSED_CONTENT_MODEL,
                };
                answer.say(step, verdict);
            }
            (None, Some(property)) => {
                let content = content_under(answer, sides.old_schema, old, name)?;
                compare_added(answer, sides, step, *property, (content, new.required.contains(name)))?;
            }
            (None, None) => {}
        }
    }
    Ok(())
}

/// Takes over what the first of several schemas that all hold has to say that the new one reads; if there is none, what
/// the first one has to say. Whether there is one.
pub(super) fn nest_any<'a>(
    answer: &mut Answer<'_, 'a>,
    step: Step<'a>,
    old: &[NodeId],
    new: NodeId,
) -> Result<bool, TooComplex> {
    for old in old {
        if answer.nest_if_compatible(step, *old, new)? {
            return Ok(true);
        }
    }
    match old.first() {
        Some(old) => answer.nest(step, *old, new),
        None => Ok(false),
    }
}

/// A property that came, by what older objects may hold under its name.
fn compare_added<'a>(
    answer: &mut Answer<'_, 'a>,
    sides: &Sides<'a>,
    step: Step<'a>,
    property: NodeId,
    (content, is_required): (Content, bool),
) -> Result<(), TooComplex> {
    let has_default = has_default(sides.new_schema, property);
    match content {
        Content::Open => {
            let is_any = sides.new_schema.is_any(property);
            let name = match (is_any, is_required, has_default) {
                (true, _, _) => &names::PROPERTY_WITH_EMPTY_SCHEMA_ADDED_TO_OPEN_CONTENT_MODEL,
                (false, true, true) => &names::REQUIRED_PROPERTY_WITH_DEFAULT_ADDED_TO_OPEN_CONTENT_MODEL,
                (false, true, false) => &names::REQUIRED_PROPERTY_ADDED_TO_OPEN_CONTENT_MODEL,
                (false, false, _) => &names::OPTIONAL_PROPERTY_ADDED_TO_OPEN_CONTENT_MODEL,
            };
            answer.say(step, name);
            return Ok(());
        }
        Content::Partial(schemas) => {
            let name = if nest_any(answer, step, &schemas, property)? {
                &names::PROPERTY_ADDED_IS_COVERED_BY_PARTIALLY_OPEN_CONTENT_MODEL
            } else {
                &names::PROPERTY_ADDED_NOT_COVERED_BY_PARTIALLY_OPEN_CONTENT_MODEL
            };
            answer.say(step, name);
        }
        Content::Unclear => answer.say(step, &names::PROPERTY_ADDED_NOT_COVERED_BY_PARTIALLY_OPEN_CONTENT_MODEL),
        Content::Closed => {}
    }
    let name = match (is_required, has_default) {
        (true, true) => &names::REQUIRED_PROPERTY_WITH_DEFAULT_ADDED_TO_UNOPEN_CONTENT_MODEL,
        (true, false) => &names::REQUIRED_PROPERTY_ADDED_TO_UNOPEN_CONTENT_MODEL,
        (false, _) => &names::OPTIONAL_PROPERTY_ADDED_TO_UNOPEN_CONTENT_MODEL,
    };
    answer.say(step, name);
    Ok(())
}

/// A demand on names is no new one for objects that can hold nothing but properties whose names satisfy it.
fn compare_names<'a>(
    answer: &mut Answer<'_, 'a>,
    sides: &Sides<'a>,
    old: &'a Object,
    new: &'a Object,
) -> Result<(), TooComplex> {
    let is_closed = old.additional == Additional::Forbidden && old.pattern_properties.is_empty();
    if let (None, Some(demand), true) = (old.property_names, new.property_names, is_closed)
        && let Shape::Text(demand) = &sides.new_schema.node(sides.new_schema.resolve(demand)).shape
    {
        let mut are_all_good = true;
        for name in old.properties.keys() {
            let length = Decimal::from(name.chars().count() as u64);
            let is_found = match &demand.pattern {
                Some(pattern) => answer.is_found(pattern, name)? == Some(true),
                None => true,
            };
            are_all_good &= is_found
                && demand.min_length.as_ref().is_none_or(|least| *least <= length)
                && demand.max_length.as_ref().is_none_or(|most| length <= *most);
        }
        if are_all_good {
            return Ok(());
        }
    }
    answer.nest_optional(Step::Keyword("propertyNames"), old.property_names, new.property_names)
}

fn compare_dependencies<'a>(answer: &mut Answer<'_, 'a>, old: &'a Object, new: &'a Object) -> Result<(), TooComplex> {
    let all: BTreeSet<&'a String> = old.dependent_required.keys().chain(new.dependent_required.keys()).collect();
    for property in all {
        answer.take(1)?;
        let name = match (old.dependent_required.get(property), new.dependent_required.get(property)) {
            (Some(old), Some(new)) if old == new => continue,
            (Some(old), Some(new)) if new.is_superset(old) => &names::DEPENDENCY_ARRAY_EXTENDED,
            (Some(old), Some(new)) if old.is_superset(new) => &names::DEPENDENCY_ARRAY_NARROWED,
            (Some(_), Some(_)) => &names::DEPENDENCY_ARRAY_CHANGED,
            (None, _) => &names::DEPENDENCY_ARRAY_ADDED,
            (Some(_), None) => &names::DEPENDENCY_ARRAY_REMOVED,
        };
        answer.say(Step::Member("dependencies", property), name);
    }
    let all: BTreeSet<&'a String> = old.dependent_schemas.keys().chain(new.dependent_schemas.keys()).collect();
    for property in all {
        let step = Step::Member("dependencies", property);
        match (old.dependent_schemas.get(property), new.dependent_schemas.get(property)) {
            (Some(old), Some(new)) => {
                answer.nest(step, *old, *new)?;
            }
            (None, _) => answer.say(step, &names::DEPENDENCY_SCHEMA_ADDED),
            (Some(_), None) => answer.say(step, &names::DEPENDENCY_SCHEMA_REMOVED),
        }
    }
    Ok(())
}

/// Whether a property has a default. A reference has none, neither beside itself nor from where it leads.
fn has_default(schema: &Schema, property: NodeId) -> bool {
    let node = schema.node(property);
    node.annotations.default.is_some() && !matches!(node.shape, Shape::Reference(_))
}
