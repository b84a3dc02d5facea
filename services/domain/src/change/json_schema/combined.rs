//! `allOf`, `anyOf`, `oneOf`, and keywords of several families side by side.

use super::comparison::{Answer, Sides, Step};
use super::model::{Criterion, NodeId, Shape};
use super::names;
use crate::change::message::TooComplex;

/// Compares a place that is a combination with one that is not. True if one part settles it; otherwise the two are as
/// different as their types.
pub(super) fn compare_with_part<'a>(answer: &mut Answer<'_, 'a>, sides: &Sides<'a>) -> Result<bool, TooComplex> {
    let (old, new) = answer.places();
    match (&sides.old.shape, &sides.new.shape) {
        (
            Shape::Combined { criterion: Criterion::Together, .. },
            Shape::Combined { criterion: Criterion::Any, parts },
        ) => {
            let is_alike = |part: &NodeId| {
                let shape = &sides.new_schema.node(*part).shape;
                matches!(shape, Shape::Combined { criterion: Criterion::Together, .. })
            };
            nest_alternative(answer, old, parts.iter().copied().filter(is_alike))
        }
        (Shape::Combined { .. }, Shape::Combined { .. }) => Ok(false),
        (_, Shape::Combined { parts, .. }) if parts.len() == 1 => answer.nest_if_compatible(Step::Here, old, parts[0]),
        (_, Shape::Combined { criterion: Criterion::Any | Criterion::One, parts }) => {
            nest_alternative(answer, old, parts.iter().copied())
        }
        (Shape::Combined { parts, .. }, _) if parts.len() == 1 => answer.nest_if_compatible(Step::Here, parts[0], new),
        (Shape::Combined { criterion, parts }, _) if criterion.is_all() => {
            for part in parts {
                if answer.nest_if_compatible(Step::Here, *part, new)? {
                    answer.say(Step::Here, &names::PRODUCT_TYPE_NARROWED);
                    return Ok(true);
                }
            }
            Ok(false)
        }
        _ => Ok(false),
    }
}

/// Compares a place with the first of the alternatives that reads it. True if there is one.
fn nest_alternative(
    answer: &mut Answer<'_, '_>,
    old: NodeId,
    alternatives: impl Iterator<Item = NodeId>,
) -> Result<bool, TooComplex> {
    for alternative in alternatives {
        if answer.nest_if_compatible(Step::Here, old, alternative)? {
            answer.say(Step::Here, &names::SUM_TYPE_EXTENDED);
            return Ok(true);
        }
    }
    Ok(false)
}

/// Compares two combinations: each schema of the smaller one needs a compatible counterpart of its own in the larger.
pub(super) fn compare(
    answer: &mut Answer<'_, '_>,
    (old_criterion, old_parts): (Criterion, &[NodeId]),
    (new_criterion, new_parts): (Criterion, &[NodeId]),
) -> Result<(), TooComplex> {
    if old_criterion != new_criterion && !(old_criterion.is_all() && new_criterion.is_all()) {
        let (is_old_single, is_new_single) = (old_parts.len() == 1, new_parts.len() == 1);
        let is_weaker = new_criterion == Criterion::Any
            || (is_old_single && (is_new_single || new_criterion == Criterion::One))
            || (is_new_single && old_criterion.is_all());
        if !is_weaker {
            answer.say(Step::Here, &names::COMBINED_TYPE_CHANGED);
            return Ok(());
        }
        answer.say(Step::Here, &names::COMBINED_TYPE_EXTENDED);
    }
    let (n_old, n_new) = (old_parts.len(), new_parts.len());
    if n_old < n_new {
        let is_product = new_criterion.is_all();
        answer.say(Step::Here, if is_product { &names::PRODUCT_TYPE_EXTENDED } else { &names::SUM_TYPE_EXTENDED });
    } else if n_old > n_new {
        let is_product = old_criterion.is_all();
        answer.say(Step::Here, if is_product { &names::PRODUCT_TYPE_NARROWED } else { &names::SUM_TYPE_NARROWED });
    }
    let mut is_compatible = Vec::with_capacity(n_old);
    for old in old_parts {
        let mut row = Vec::with_capacity(n_new);
        for new in new_parts {
            row.push(answer.would_be_compatible(*old, *new)?);
        }
        is_compatible.push(row);
    }
    let partners = largest_matching(answer, &is_compatible, n_new)?;
    let mut n_matched = 0;
    for (index, partner) in partners.iter().enumerate() {
        if let Some(partner) = partner {
            n_matched += 1;
            answer.nest(Step::Index(old_criterion.as_str(), index), old_parts[index], new_parts[*partner])?;
        }
    }
    if n_matched < n_old.min(n_new) {
        answer.say(Step::Here, &names::COMBINED_TYPE_SUBSCHEMAS_CHANGED);
    }
    Ok(())
}

/// A largest matching between the rows and the columns that may be paired: each row's column. Augmenting paths are
/// looked for breadth first (Kuhn's algorithm without its recursion).
fn largest_matching(
    answer: &mut Answer<'_, '_>,
    may_pair: &[Vec<bool>],
    n_columns: usize,
) -> Result<Vec<Option<usize>>, TooComplex> {
    let mut column_of = vec![None; may_pair.len()];
    let mut row_of: Vec<Option<usize>> = vec![None; n_columns];
    for start in 0..may_pair.len() {
        // From which row each column was reached.
        let mut reached_from: Vec<Option<usize>> = vec![None; n_columns];
        let mut rows = vec![start];
        let mut next = 0;
        let mut free = None;
        while free.is_none() && next < rows.len() {
            let row = rows[next];
            next += 1;
            answer.take(1 + n_columns / 16)?;
            for column in (0..n_columns).filter(|column| may_pair[row][*column]) {
                if reached_from[column].is_none() {
                    reached_from[column] = Some(row);
                    match row_of[column] {
                        Some(other) => rows.push(other),
                        None => {
                            free = Some(column);
                            break;
                        }
                    }
                }
            }
        }
        // Turn the pairs along the path round.
        while let Some(column) = free {
            let Some(row) = reached_from[column] else { break };
            row_of[column] = Some(row);
            free = column_of[row].replace(column);
        }
    }
    Ok(column_of)
}
