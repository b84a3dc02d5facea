//! Strings, numbers and enumerations.

use std::collections::BTreeSet;

use super::comparison::{Answer, Step};
use super::model::{Number, Text};
use super::names;
use crate::change::message::TooComplex;
use crate::decimal::Decimal;

pub(super) fn compare_texts<'a>(answer: &mut Answer<'_, 'a>, old: &'a Text, new: &'a Text) {
    answer.compare_limit(&names::MAX_LENGTH, old.max_length.as_ref(), new.max_length.as_ref());
    answer.compare_limit(&names::MIN_LENGTH, old.min_length.as_ref(), new.min_length.as_ref());
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

pub(super) fn compare_numbers<'a>(answer: &mut Answer<'_, 'a>, old: &'a Number, new: &'a Number) {
    // A bound that the old schema's other bound implies is no new demand: above 10 is at least 10.
    let holds = |new: &Option<Decimal>, old: &Option<Decimal>, holds: fn(&Decimal, &Decimal) -> bool| {
        new.as_ref().zip(old.as_ref()).is_some_and(|(new, old)| holds(old, new))
    };
    if !holds(&new.maximum, &old.exclusive_maximum, |old, new| old <= new) {
        answer.compare_limit(&names::MAXIMUM, old.maximum.as_ref(), new.maximum.as_ref());
    }
    if !holds(&new.minimum, &old.exclusive_minimum, |old, new| old >= new) {
        answer.compare_limit(&names::MINIMUM, old.minimum.as_ref(), new.minimum.as_ref());
    }
    if !holds(&new.exclusive_maximum, &old.maximum, |old, new| old < new) {
        let (old, new) = (old.exclusive_maximum.as_ref(), new.exclusive_maximum.as_ref());
        answer.compare_limit(&names::EXCLUSIVE_MAXIMUM, old, new);
    }
    if !holds(&new.exclusive_minimum, &old.minimum, |old, new| old > new) {
        let (old, new) = (old.exclusive_minimum.as_ref(), new.exclusive_minimum.as_ref());
        answer.compare_limit(&names::EXCLUSIVE_MINIMUM, old, new);
    }
    compare_multiples(answer, old, new);
    match (old.is_integer, new.is_integer) {
        (true, false) => answer.say(Step::Here, &names::TYPE_EXTENDED),
        (false, true) => answer.say(Step::Here, &names::TYPE_NARROWED),
        (true, true) | (false, false) => {}
    }
}

fn compare_multiples(answer: &mut Answer<'_, '_>, old: &Number, new: &Number) {
    let name = match (&old.multiple_of, &new.multiple_of) {
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
