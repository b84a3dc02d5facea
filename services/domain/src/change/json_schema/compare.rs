//! The comparison of two schemas: which keyword family compares two places.

use super::comparison::{Answer, Comparison, Sides, Step};
use super::model::{Conditional, Schema, Shape};
use super::{array, combined, names, object, scalar, value};
use crate::change::message::{Budget, Difference, Policy, TooComplex};

/// The differences for a reader of `new` over what was written under `old`, in the order of the schema.
///
/// # Errors
/// [`TooComplex`] if the answer takes more than [`Budget::COMPARISON`].
pub fn compare(old: &Schema, new: &Schema, policy: Policy) -> Result<Vec<Difference>, TooComplex> {
    compare_within(old, new, policy, &mut { Budget::COMPARISON })
}

/// As [`compare`], with steps of a budget that others take from, too.
///
/// # Errors
/// [`TooComplex`] if the budget does not suffice.
pub fn compare_within<'a>(
    old: &'a Schema,
    new: &'a Schema,
    policy: Policy,
    budget: &'a mut Budget,
) -> Result<Vec<Difference>, TooComplex> {
    Comparison::new([old, new], policy, budget, compare_places).run()
}

/// Compares two places by what they are.
fn compare_places<'a>(answer: &mut Answer<'_, 'a>, sides: &Sides<'a>) -> Result<(), TooComplex> {
    answer.take(1)?;
    if combined::compare_with_part(answer, sides)? || value::compare(answer, sides)? {
        return Ok(());
    }
    let (old, new) = (&sides.old.annotations, &sides.new.annotations);
    if std::mem::discriminant(&sides.old.shape) != std::mem::discriminant(&sides.new.shape) {
        let is_readable = matches!(sides.old.shape, Shape::Never)
            || matches!(sides.new.shape, Shape::Any)
            || (old.connect_bytes && new.connect_bytes);
        if !is_readable {
            answer.say(Step::Here, &names::TYPE_CHANGED);
        }
        return Ok(());
    }
    for (is_changed, name) in [
        (old.id != new.id, &names::ID_CHANGED),
        (old.title != new.title, &names::TITLE_CHANGED),
        (old.description != new.description, &names::DESCRIPTION_CHANGED),
        (old.default != new.default, &names::DEFAULT_CHANGED),
    ] {
        if is_changed {
            answer.say(Step::Here, name);
        }
    }
    match (&sides.old.shape, &sides.new.shape) {
        (Shape::Text(old), Shape::Text(new)) => scalar::compare_texts(answer, old, new),
        (Shape::Number(old), Shape::Number(new)) => scalar::compare_numbers(answer, old, new),
        (Shape::Enum(old), Shape::Enum(new)) => scalar::compare_enums(answer, Step::Keyword("enum"), old, new)?,
        (Shape::Const(old), Shape::Const(new)) if old != new => {
            answer.say(Step::Keyword("const"), &names::ENUM_ARRAY_CHANGED);
        }
        (Shape::Object(old), Shape::Object(new)) => object::compare(answer, sides, old, new)?,
        (Shape::Array(old), Shape::Array(new)) => array::compare(answer, sides, old, new)?,
        (
            Shape::Combined { criterion: old, parts: old_parts },
            Shape::Combined { criterion: new, parts: new_parts },
        ) => combined::compare(answer, (*old, old_parts), (*new, new_parts))?,
        (Shape::Not(old), Shape::Not(new)) => {
            // What is excluded may shrink and must not grow, so the two sides are compared in reverse.
            if !answer.would_be_compatible_turned(*old, *new)? {
                answer.say(Step::Keyword("not"), &names::NOT_TYPE_EXTENDED);
            } else if !answer.would_be_compatible(*old, *new)? {
                answer.say(Step::Keyword("not"), &names::NOT_TYPE_NARROWED);
            }
        }
        (Shape::Conditional(old), Shape::Conditional(new)) => compare_conditionals(answer, old, new)?,
        // They have no parts, and references were followed before.
        (Shape::Any | Shape::Never | Shape::Null | Shape::Boolean | Shape::Const(_) | Shape::Reference(_), _) => {}
        // Both are of one kind.
        (
            Shape::Text(_)
            | Shape::Number(_)
            | Shape::Enum(_)
            | Shape::Object(_)
            | Shape::Array(_)
            | Shape::Combined { .. }
            | Shape::Not(_)
            | Shape::Conditional(_),
            _,
        ) => {}
    }
    Ok(())
}

/// Which branch a value takes must stay what it is; then branches compare as they are. A branch that is absent demands
/// nothing, and so does a condition without branches or a branch without condition.
fn compare_conditionals(answer: &mut Answer<'_, '_>, old: &Conditional, new: &Conditional) -> Result<(), TooComplex> {
    let Some(condition) = new.condition.filter(|_| new.then.is_some() || new.otherwise.is_some()) else {
        return Ok(());
    };
    let is_same = match old.condition {
        Some(old) => {
            answer.would_be_compatible(old, condition)? && answer.would_be_compatible_turned(old, condition)?
        }
        None => false,
    };
    if !is_same {
        answer.say(Step::Keyword("if"), &names::TYPE_CHANGED);
    }
    answer.nest_optional(Step::Keyword("then"), old.then, new.then)?;
    answer.nest_optional(Step::Keyword("else"), old.otherwise, new.otherwise)
}
