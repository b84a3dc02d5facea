//! Places that name their values (`enum`, `const`, `boolean`, `null`) against places that admit values by what they
//! are. Values are canonical JSON.

use std::collections::BTreeSet;

use super::comparison::{Answer, Sides, Step};
use super::model::{Array, Criterion, Node, NodeId, Number, Object, Schema, Shape, Text};
use super::{names, scalar};
use crate::change::message::TooComplex;
use crate::decimal::Decimal;

/// How deep places are followed for one value. What is not settled then is unknown.
const MAX_DEPTH: usize = 32;
/// How many places are asked for all values of a pair. What is not settled then is unknown.
const MAX_QUESTIONS: usize = 10_000;

/// Compares two places of different kinds by the values that they name. True if that settles it; otherwise the two are
/// as different as their types.
pub(super) fn compare<'a>(answer: &mut Answer<'_, 'a>, sides: &Sides<'a>) -> Result<bool, TooComplex> {
    if are_of_one_kind(&sides.old.shape, &sides.new.shape) {
        return Ok(false);
    }
    let mut judge = Judge { answer, n_questions_left: MAX_QUESTIONS };
    let Some(old) = judge.values(sides.old_schema, sides.old)? else { return Ok(false) };
    if let Some(new) = judge.values(sides.new_schema, sides.new)? {
        let keyword = if matches!(sides.new.shape, Shape::Const(_)) { "const" } else { "enum" };
        scalar::compare_enums(judge.answer, Step::Keyword(keyword), &old, &new)?;
        return Ok(true);
    }
    // A type lists no values: it is held against such as do, and against types by what it is.
    if matches!(sides.old.shape, Shape::Boolean | Shape::Null) {
        return Ok(false);
    }
    for value in old {
        if judge.admits(sides.new_schema, sides.new, value, MAX_DEPTH)? != Some(true) {
            return Ok(false);
        }
    }
    answer.say(Step::Here, &names::TYPE_EXTENDED);
    Ok(true)
}

/// Whether a comparison of their kind can judge both.
fn are_of_one_kind(old: &Shape, new: &Shape) -> bool {
    match (old, new) {
        (Shape::Combined { criterion: old, .. }, Shape::Combined { criterion: new, .. }) => {
            old == new || (old.is_all() && new.is_all())
        }
        _ => std::mem::discriminant(old) == std::mem::discriminant(new),
    }
}

struct Judge<'j, 'c, 'a> {
    answer: &'j mut Answer<'c, 'a>,
    n_questions_left: usize,
}

impl<'a> Judge<'_, '_, 'a> {
    /// The values that a place admits, if it names them all.
    fn values(&mut self, schema: &'a Schema, node: &'a Node) -> Result<Option<BTreeSet<&'a str>>, TooComplex> {
        let resolved = |part: &NodeId| schema.node(schema.resolve(*part));
        let Shape::Combined { criterion, parts } = &node.shape else { return Ok(named(&node.shape)) };
        self.answer.take(parts.len())?;
        match criterion {
            Criterion::Any => Ok(parts.iter().map(|part| named(&resolved(part).shape)).try_fold(
                BTreeSet::new(),
                |mut all, values| {
                    all.extend(values?);
                    Some(all)
                },
            )),
            Criterion::One => {
                let mut values = BTreeSet::new();
                for part in parts {
                    let Some(named) = named(&resolved(part).shape) else { return Ok(None) };
                    // What two alternatives name, exactly one does not.
                    if named.iter().any(|value| !values.insert(*value)) {
                        return Ok(None);
                    }
                }
                Ok(Some(values))
            }
            Criterion::All | Criterion::Together => {
                let Some(mut values) = parts.iter().find_map(|part| named(&resolved(part).shape)) else {
                    return Ok(None);
                };
                for part in parts {
                    let mut refused = Vec::new();
                    for value in &values {
                        match self.admits(schema, resolved(part), value, MAX_DEPTH)? {
                            Some(true) => {}
                            Some(false) => refused.push(*value),
                            None => return Ok(None),
                        }
                    }
                    values.retain(|value| !refused.contains(value));
                }
                Ok(Some(values))
            }
        }
    }

    /// Whether a place admits a value; `None` if that is unknown. Formats are notes.
    fn admits(
        &mut self,
        schema: &'a Schema,
        node: &'a Node,
        value: &str,
        depth: usize,
    ) -> Result<Option<bool>, TooComplex> {
        if depth == 0 || self.n_questions_left == 0 {
            return Ok(None);
        }
        self.n_questions_left -= 1;
        self.answer.take(1 + value.len() / 64)?;
        let kind = Kind::of(value);
        Ok(match &node.shape {
            Shape::Any => Some(true),
            Shape::Never => Some(false),
            Shape::Null => Some(kind == Kind::Null),
            Shape::Boolean => Some(kind == Kind::Boolean),
            Shape::Enum(values) => Some(values.contains(value)),
            Shape::Const(only) => Some(only == value),
            Shape::Text(text) if kind == Kind::Text => self.text(text, value)?,
            Shape::Text(text) => Some(!text.is_required),
            Shape::Number(number) if kind == Kind::Number => is_within(number, value),
            Shape::Number(number) => Some(!number.is_required),
            Shape::Object(object) if kind == Kind::Object => {
                (**object == Object { is_required: object.is_required, ..Object::default() }).then_some(true)
            }
            Shape::Object(object) => Some(!object.is_required),
            Shape::Array(array) if kind == Kind::Array => {
                (**array == Array { is_required: array.is_required, ..Array::default() }).then_some(true)
            }
            Shape::Array(array) => Some(!array.is_required),
            Shape::Combined { criterion, parts } => {
                let (mut n_yes, mut n_unknown) = (0, 0);
                for part in parts {
                    let part = schema.node(schema.resolve(*part));
                    match self.admits(schema, part, value, depth - 1)? {
                        Some(true) => n_yes += 1,
                        Some(false) => {}
                        None => n_unknown += 1,
                    }
                }
                let (least, most) = (n_yes, n_yes + n_unknown);
                match criterion {
                    Criterion::All | Criterion::Together if least == parts.len() => Some(true),
                    Criterion::All | Criterion::Together => (most < parts.len()).then_some(false),
                    Criterion::Any if least > 0 => Some(true),
                    Criterion::Any => (most == 0).then_some(false),
                    Criterion::One if least == 1 && most == 1 => Some(true),
                    Criterion::One => (least > 1 || most == 0).then_some(false),
                }
            }
            Shape::Not(excluded) => {
                let excluded = schema.node(schema.resolve(*excluded));
                self.admits(schema, excluded, value, depth - 1)?.map(|is_excluded| !is_excluded)
            }
            // References were followed; which branch is taken is not worth a rule of its own.
            Shape::Conditional(_) | Shape::Reference(_) => None,
        })
    }

    fn text(&mut self, text: &'a Text, value: &str) -> Result<Option<bool>, TooComplex> {
        let Ok(value) = serde_json::from_str::<String>(value) else { return Ok(None) };
        let length = Decimal::from(value.chars().count() as u64);
        let fits = text.min_length.as_ref().is_none_or(|least| *least <= length)
            && text.max_length.as_ref().is_none_or(|most| length <= *most);
        Ok(match &text.pattern {
            Some(pattern) if fits => self.answer.is_found(pattern, &value)?,
            Some(_) | None => Some(fits),
        })
    }
}

/// The values that a place names by itself.
fn named(shape: &Shape) -> Option<BTreeSet<&str>> {
    Some(match shape {
        Shape::Const(value) => BTreeSet::from([value.as_str()]),
        Shape::Enum(values) => values.iter().map(String::as_str).collect(),
        Shape::Boolean => BTreeSet::from(["false", "true"]),
        Shape::Null => BTreeSet::from(["null"]),
        Shape::Any
        | Shape::Never
        | Shape::Text(_)
        | Shape::Number(_)
        | Shape::Object(_)
        | Shape::Array(_)
        | Shape::Combined { .. }
        | Shape::Not(_)
        | Shape::Conditional(_)
        | Shape::Reference(_) => return None,
    })
}

/// What a value is, by how its JSON begins.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Kind {
    Null,
    Boolean,
    Text,
    Number,
    Object,
    Array,
}

impl Kind {
    fn of(value: &str) -> Self {
        match value.as_bytes().first() {
            Some(b'n') => Self::Null,
            Some(b't' | b'f') => Self::Boolean,
            Some(b'"') => Self::Text,
            Some(b'{') => Self::Object,
            Some(b'[') => Self::Array,
            Some(_) | None => Self::Number,
        }
    }
}

fn is_within(number: &Number, value: &str) -> Option<bool> {
    let value = Decimal::parse(value)?;
    let is_past = |bound: &Option<Decimal>, is_past: fn(&Decimal, &Decimal) -> bool| {
        bound.as_ref().is_some_and(|bound| is_past(&value, bound))
    };
    let is_outside = is_past(&number.minimum, |value, bound| value < bound)
        || is_past(&number.maximum, |value, bound| value > bound)
        || is_past(&number.exclusive_minimum, |value, bound| value <= bound)
        || is_past(&number.exclusive_maximum, |value, bound| value >= bound);
    let is_multiple = number.multiple_of.as_ref().is_none_or(|of| value.is_multiple_of(of));
    Some(!is_outside && is_multiple && (!number.is_integer || value.is_whole()))
}
