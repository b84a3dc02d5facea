//! Strings, numbers and enumerations.

use std::collections::BTreeSet;

use super::comparison::{Answer, Step};
use super::model::{Number, Text};
use super::{names, pattern};
use crate::change::message::TooComplex;
use crate::decimal::Decimal;

pub(super) fn compare_texts<'a>(answer: &mut Answer<'_, 'a>, old: &'a Text, new: &'a Text) {
    answer.compare_limit(&names::MAX_LENGTH, old.max_length.as_ref(), new.max_length.as_ref());
    answer.compare_limit(&names::MIN_LENGTH, old.min_length.as_ref(), new.min_length.as_ref());
    // A pattern that is found in every text demands nothing.
    let [old_pattern, new_pattern] =
        [old, new].map(|text| text.pattern.as_deref().filter(|pattern| !pattern::is_found_everywhere(pattern)));
    match (old_pattern, new_pattern) {
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
    // A bound that the old schema's other bounds imply is no new demand: above 10 is at least 10, and of whole numbers at
    // least 11.
    let (least, most) = (least(old), most(old));
    let is_implied =
        |old: &Option<Decimal>, new: &Option<Decimal>, end: &Option<End>, holds: fn(&Decimal, &End) -> bool| {
            old.is_none() && new.as_ref().zip(end.as_ref()).is_some_and(|(bound, end)| holds(bound, end))
        };
    if !is_implied(&old.maximum, &new.maximum, &most, |bound, end| end.value <= *bound) {
        answer.compare_limit(&names::MAXIMUM, old.maximum.as_ref(), new.maximum.as_ref());
    }
    if !is_implied(&old.minimum, &new.minimum, &least, |bound, end| end.value >= *bound) {
        answer.compare_limit(&names::MINIMUM, old.minimum.as_ref(), new.minimum.as_ref());
    }
    let (before, after) = (&old.exclusive_maximum, &new.exclusive_maximum);
    if !is_implied(before, after, &most, |bound, end| end.is_below(bound)) {
        answer.compare_limit(&names::EXCLUSIVE_MAXIMUM, before.as_ref(), after.as_ref());
    }
    let (before, after) = (&old.exclusive_minimum, &new.exclusive_minimum);
    if !is_implied(before, after, &least, |bound, end| end.is_above(bound)) {
        answer.compare_limit(&names::EXCLUSIVE_MINIMUM, before.as_ref(), after.as_ref());
    }
    compare_multiples(answer, old, new);
    match (old.is_integer, new.is_integer) {
        (true, false) => answer.say(Step::Here, &names::TYPE_EXTENDED),
        (false, true) if !old.multiple_of.as_ref().is_some_and(Decimal::is_whole) => {
            answer.say(Step::Here, &names::TYPE_NARROWED);
        }
        (false, true) | (true, true) | (false, false) => {}
    }
}

/// Where the numbers of a place end.
struct End {
    value: Decimal,
    is_exclusive: bool,
}

impl End {
    fn is_below(&self, bound: &Decimal) -> bool {
        self.value < *bound || (self.is_exclusive && self.value == *bound)
    }

    fn is_above(&self, bound: &Decimal) -> bool {
        self.value > *bound || (self.is_exclusive && self.value == *bound)
    }
}

fn least(number: &Number) -> Option<End> {
    let (minimum, above) = (number.minimum.as_ref(), number.exclusive_minimum.as_ref());
    if number.is_integer {
        let value = minimum.map(Decimal::ceiling).max(above.map(Decimal::next_whole))?;
        return Some(End { value, is_exclusive: false });
    }
    let is_exclusive = above.is_some() && above >= minimum;
    minimum.max(above).map(|value| End { value: value.clone(), is_exclusive })
}

fn most(number: &Number) -> Option<End> {
    let (maximum, below) = (number.maximum.as_ref(), number.exclusive_maximum.as_ref());
    if number.is_integer {
        let ends = [maximum.map(Decimal::floor), below.map(Decimal::previous_whole)];
        return ends.into_iter().flatten().min().map(|value| End { value, is_exclusive: false });
    }
    let is_exclusive = below.is_some_and(|below| maximum.is_none_or(|maximum| below <= maximum));
    [maximum, below].into_iter().flatten().min().map(|value| End { value: value.clone(), is_exclusive })
}

fn compare_multiples(answer: &mut Answer<'_, '_>, old: &Number, new: &Number) {
    // Whole numbers are multiples of all that one is a multiple of.
    let is_implied = |new: &Decimal| old.is_integer && Decimal::one().is_multiple_of(new);
    let name = match (&old.multiple_of, &new.multiple_of) {
        (None, None) => return,
        (None, Some(new)) if is_implied(new) => return,
        (None, Some(_)) => &names::MULTIPLE_OF_ADDED,
        (Some(_), None) => &names::MULTIPLE_OF_REMOVED,
        (Some(old), Some(new)) if old == new => return,
        (Some(_), Some(new)) if is_implied(new) => &names::MULTIPLE_OF_REDUCED,
        (Some(old), Some(new)) if new.is_multiple_of(old) => &names::MULTIPLE_OF_EXPANDED,
        (Some(old), Some(new)) if old.is_multiple_of(new) => &names::MULTIPLE_OF_REDUCED,
        (Some(_), Some(_)) => &names::MULTIPLE_OF_CHANGED,
    };
    answer.say(Step::Keyword("multipleOf"), name);
}

/// Compares what two places name, whose words are at `step`.
pub(super) fn compare_enums<'a, T: Ord>(
    answer: &mut Answer<'_, 'a>,
    step: Step<'a>,
    old: &BTreeSet<T>,
    new: &BTreeSet<T>,
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
        answer.say(step, name);
    }
    Ok(())
}
