//! Arrays. Positions of the prefix are added and removed as properties are, by the content model of the items behind
//! it.

use super::comparison::{Answer, Sides, Step};
use super::model::{Additional, Array, Shape};
use super::names;
use super::rest::{self, Content};
use crate::change::message::TooComplex;
use crate::decimal::Decimal;

pub(super) fn compare<'a>(
    answer: &mut Answer<'_, 'a>,
    sides: &Sides<'a>,
    old: &'a Array,
    new: &'a Array,
) -> Result<(), TooComplex> {
    answer.nest_optional(Step::Keyword("items"), old.items, new.items)?;
    compare_prefix(answer, sides, old, new)?;
    rest::compare_additional(answer, &names::ADDITIONAL_ITEMS, sides, (old.additional, new.additional))?;
    rest::compare_unevaluated(answer, &names::UNEVALUATED_ITEMS, sides, (old.unevaluated, new.unevaluated))?;
    // Positions without further items are a maximum as well.
    let is_closed = old.additional == Additional::Forbidden && !old.prefix.is_empty();
    let n_positions = Decimal::from(old.prefix.len() as u64);
    let is_implied = is_closed && new.max_items.as_ref().is_some_and(|most| n_positions <= *most);
    if !is_implied || old.max_items.is_some() {
        answer.compare_limit(&names::MAX_ITEMS, old.max_items.as_ref(), new.max_items.as_ref());
    }
    answer.compare_limit(&names::MIN_ITEMS, old.min_items.as_ref(), new.min_items.as_ref());
    match (old.unique_items, new.unique_items) {
        (true, false) => answer.say(Step::Keyword("uniqueItems"), &names::UNIQUE_ITEMS_REMOVED),
        // One item is like no other.
        (false, true) if old.max_items.as_ref().is_some_and(|most| *most <= Decimal::one()) => {}
        (false, true) => answer.say(Step::Keyword("uniqueItems"), &names::UNIQUE_ITEMS_ADDED),
        (true, true) | (false, false) => {}
    }
    match (old.contains, new.contains) {
        // An item of any kind is one item at least.
        (None, Some(_)) => answer.say(Step::Keyword("contains"), &names::SCHEMA_ADDED),
        (old, new) => answer.nest_optional(Step::Keyword("contains"), old, new)?,
    }
    answer.compare_limit(&names::MAX_CONTAINS, old.max_contains.as_ref(), new.max_contains.as_ref());
    answer.compare_limit(&names::MIN_CONTAINS, old.min_contains.as_ref(), new.min_contains.as_ref());
    Ok(())
}

fn compare_prefix<'a>(
    answer: &mut Answer<'_, 'a>,
    sides: &Sides<'a>,
    old: &'a Array,
    new: &'a Array,
) -> Result<(), TooComplex> {
    for index in 0..old.prefix.len().max(new.prefix.len()) {
        let step = Step::Index("items", index);
        let name = match (old.prefix.get(index), new.prefix.get(index)) {
            (Some(old), Some(new)) => {
                answer.nest(step, *old, *new)?;
                continue;
            }
            (Some(item), None) => match Content::of(sides.new_schema, new.additional, new.unevaluated) {
                Content::Open => &names::ITEM_REMOVED_FROM_OPEN_CONTENT_MODEL,
                Content::Partial(schema) if answer.nest(step, *item, schema)? => {
                    &names::ITEM_REMOVED_IS_COVERED_BY_PARTIALLY_OPEN_CONTENT_MODEL
                }
                Content::Partial(_) => &names::ITEM_REMOVED_NOT_COVERED_BY_PARTIALLY_OPEN_CONTENT_MODEL,
                Content::Closed if matches!(sides.old_schema.node(*item).shape, Shape::Never) => {
                    &names::ITEM_WITH_FALSE_REMOVED_FROM_CLOSED_CONTENT_MODEL
                }
                Content::Closed => &names::ITEM_REMOVED_FROM_CLOSED_CONTENT_MODEL,
            },
            (None, Some(item)) => match Content::of(sides.old_schema, old.additional, old.unevaluated) {
                Content::Open if matches!(sides.new_schema.node(*item).shape, Shape::Any) => {
                    &names::ITEM_WITH_EMPTY_SCHEMA_ADDED_TO_OPEN_CONTENT_MODEL
                }
                Content::Open => &names::ITEM_ADDED_TO_OPEN_CONTENT_MODEL,
                Content::Partial(schema) if answer.nest(step, schema, *item)? => {
                    &names::ITEM_ADDED_IS_COVERED_BY_PARTIALLY_OPEN_CONTENT_MODEL
                }
                Content::Partial(_) => &names::ITEM_ADDED_NOT_COVERED_BY_PARTIALLY_OPEN_CONTENT_MODEL,
                Content::Closed => &names::ITEM_ADDED_TO_CLOSED_CONTENT_MODEL,
            },
            (None, None) => continue,
        };
        answer.say(step, name);
    }
    Ok(())
}
