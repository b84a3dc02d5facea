//! Strings, numbers and enumerations.

use std::collections::BTreeSet;

use super::compare::{Answer, Step};
use super::model::{Number, Text};
use super::{Decimal, names};
use crate::change::message::TooComplex;

pub(super) fn compare_texts(answer: &mut Answer<'_, '_>, old: &Text, new: &Text) {
    answer.compare_limit(&names::MAX_LENGTH, old.max_length, new.max_length);
    answer.compare_limit(&names::MIN_LENGTH, old.min_length, new.min_length);
    match (&old.pattern, &new.pattern) {
        (None, Some(_)) => answer.say(Step::Keyword("pattern"), &names::PATTERN_ADDED),
        (Some(_), None) => answer.say(Step::Keyword("pattern"), &names::PATTERN_REMOVED),
        (Some(old), Some(new)) if old != new => answer.say(Step::Keyword("pattern"), &names::PATTERN_CHANGED),
        (None, None) | (Some(_), Some(_)) => {}
    }
    for (keyword, old, new) in [
        ("format", &old.format, &new.format),
        ("contentEncoding", &old.content_encoding, &new.content_encoding),
        ("contentMediaType", &old.content_media_type, &new.content_media_type),
    ] {
        // One that comes or goes is taken as an annotation; one for another is another kind of text.
        if let (Some(old), Some(new)) = (old, new)
            && old != new
        {
            let is_wider = WIDER_FORMATS.contains(&(old.as_str(), new.as_str()));
            answer.say(Step::Keyword(keyword), if is_wider { &names::TYPE_EXTENDED } else { &names::TYPE_CHANGED });
        }
    }
}

/// Formats that admit all that another one does.
const WIDER_FORMATS: [(&str, &str); 7] = [
    ("email", "idn-email"),
    ("hostname", "idn-hostname"),
    ("uri", "iri"),
    ("uri", "uri-reference"),
    ("uri", "iri-reference"),
    ("iri", "iri-reference"),
    ("uri-reference", "iri-reference"),
];

pub(super) fn compare_numbers(answer: &mut Answer<'_, '_>, old: &Number, new: &Number) {
    // A bound that the old schema's other bound implies is no new demand: above 10 is at least 10.
    let is_implied = |bound: Option<Decimal>, implies: &dyn Fn(Decimal) -> bool| bound.is_some_and(implies);
    if !is_implied(new.maximum, &|bound| old.exclusive_maximum.is_some_and(|old| old <= bound)) {
        answer.compare_limit(&names::MAXIMUM, old.maximum, new.maximum);
    }
    if !is_implied(new.minimum, &|bound| old.exclusive_minimum.is_some_and(|old| old >= bound)) {
        answer.compare_limit(&names::MINIMUM, old.minimum, new.minimum);
    }
    if !is_implied(new.exclusive_maximum, &|bound| old.maximum.is_some_and(|old| old < bound)) {
        answer.compare_limit(&names::EXCLUSIVE_MAXIMUM, old.exclusive_maximum, new.exclusive_maximum);
    }
    if !is_implied(new.exclusive_minimum, &|bound| old.minimum.is_some_and(|old| old > bound)) {
        answer.compare_limit(&names::EXCLUSIVE_MINIMUM, old.exclusive_minimum, new.exclusive_minimum);
    }
    compare_multiples(answer, old, new);
    match (old.is_integer, new.is_integer) {
        (true, false) => answer.say(Step::Here, &names::TYPE_EXTENDED),
        (false, true) => answer.say(Step::Here, &names::TYPE_NARROWED),
        (true, true) | (false, false) => {}
    }
}

fn compare_multiples(answer: &mut Answer<'_, '_>, old: &Number, new: &Number) {
    let name = match (old.multiple_of, new.multiple_of) {
        (None, None) => return,
        (None, Some(_)) => &names::MULTIPLE_OF_ADDED,
        (Some(_), None) => &names::MULTIPLE_OF_REMOVED,
        (Some(old), Some(new)) if old == new => return,
        (Some(old), Some(new)) if new.is_multiple_of(old) => &names::MULTIPLE_OF_EXPANDED,
        (Some(old), Some(new)) if old.is_multiple_of(new) => &names::MULTIPLE_OF_REDUCED,
        (Some(_), Some(_)) => &names::MULTIPLE_OF_CHANGED,
    };
    answer.say(Step::Keyword("multipleOf"), name);
}

pub(super) fn compare_enums(
    answer: &mut Answer<'_, '_>,
    old: &BTreeSet<String>,
    new: &BTreeSet<String>,
) -> Result<(), TooComplex> {
    answer.take((old.len() + new.len()) / 4)?;
    if old != new {
        let name = if new.is_superset(old) {
            &names::ENUM_ARRAY_EXTENDED
        } else if old.is_superset(new) {
            &names::ENUM_ARRAY_NARROWED
        } else {
            &names::ENUM_ARRAY_CHANGED
        };
        answer.say(Step::Keyword("enum"), name);
    }
    Ok(())
}
