//! Totals, facets and filters. A document counts by its signature and by what the caller may do, so that the counting
//! looks at two numbers for each match.

use std::collections::HashMap;

use crate::field::{Access, Facet};
use crate::request::{FacetCounts, Filter, MAX_FACET_VALUES, Request};
use crate::snapshot::{Place, Reading, Segment};
use crate::visibility::access;

/// Levels of access, with that of hidden documents.
const LEVELS: usize = Access::ALL.len() + 1;

/// How many matches there are of each signature and level.
pub(crate) struct Counts<'a> {
    reading: Reading<'a>,
    /// For each segment, by slot: signature and level.
    counts: Vec<Vec<u32>>,
    /// For each filter: the facet, and for each segment and slot, whether it passes.
    filters: Vec<(Facet, Vec<Vec<bool>>)>,
}

impl<'a> Counts<'a> {
    pub(crate) fn new(reading: Reading<'a>, request: &Request) -> Self {
        let segments = || reading.snapshot.segments.iter();
        let passing = |filter: &Filter| segments().map(|segment| passing(filter, segment)).collect();
        Self {
            reading,
            counts: segments().map(|segment| vec![0; segment.columns.signatures.len() * LEVELS]).collect(),
            filters: request.filters.iter().map(|filter| (filter.facet, passing(filter))).collect(),
        }
    }

    /// Counts a match, and returns whether it passes all filters.
    pub(crate) fn add(&mut self, place: Place) -> bool {
        let segment = place.segment as usize;
        let signature = self.reading.segment(place).columns.signature[place.doc as usize] as usize;
        let slot = signature * LEVELS + usize::from(self.reading.level(place));
        self.counts[segment][slot] += 1;
        self.filters.iter().all(|(_, passing)| passing[segment][slot])
    }

    pub(crate) fn facets(&self) -> Vec<FacetCounts> {
        let of_segment = |counts: &Vec<u32>| -> Vec<(usize, u64)> {
            counts
                .iter()
                .enumerate()
                .filter(|(_, count)| **count > 0)
                .map(|(slot, count)| (slot, (*count).into()))
                .collect()
        };
        let found: Vec<Vec<(usize, u64)>> = self.counts.iter().map(of_segment).collect();
        Facet::ALL.iter().map(|facet| FacetCounts { facet: *facet, values: self.values(*facet, &found) }).collect()
    }

    /// The counts of one facet's values, under the filters of the other facets.
    fn values(&self, facet: Facet, found: &[Vec<(usize, u64)>]) -> Vec<(String, u64)> {
        let mut by_text: HashMap<&str, u64> = HashMap::new();
        for (number, segment) in self.reading.snapshot.segments.iter().enumerate() {
            let passes = |slot: usize| {
                self.filters.iter().all(|(filtered, passing)| *filtered == facet || passing[number][slot])
            };
            let slots = found[number].iter().copied().filter(|(slot, _)| passes(*slot));
            if facet == Facet::Access {
                for (slot, count) in slots {
                    if let Some(word) = word_of(slot % LEVELS) {
                        *by_text.entry(word).or_default() += count;
                    }
                }
                continue;
            }
            let values = &segment.columns.values[facet as usize];
            let mut by_number = vec![0; values.texts.len()];
            for (slot, count) in slots {
                for value in values.numbers(slot / LEVELS) {
                    by_number[*value as usize] += count;
                }
            }
            for (text, count) in values.texts.iter().zip(by_number).filter(|(_, count)| *count > 0) {
                *by_text.entry(text).or_default() += count;
            }
        }
        let mut found: Vec<(&str, u64)> = by_text.into_iter().collect();
        found.sort_by(|a, b| b.1.cmp(&a.1).then_with(|| a.0.cmp(b.0)));
        found.truncate(MAX_FACET_VALUES);
        found.into_iter().map(|(value, count)| (value.to_owned(), count)).collect()
    }
}

/// Whether each slot of a segment passes a filter.
fn passing(filter: &Filter, segment: &Segment) -> Vec<bool> {
    let wanted = |text: &str| filter.values.iter().any(|value| value == text);
    let slots = 0..segment.columns.signatures.len() * LEVELS;
    if filter.facet == Facet::Access {
        return slots.map(|slot| word_of(slot % LEVELS).is_some_and(wanted)).collect();
    }
    let values = &segment.columns.values[filter.facet as usize];
    let wanted: Vec<bool> = values.texts.iter().map(|text| wanted(text)).collect();
    slots.map(|slot| values.numbers(slot / LEVELS).iter().any(|value| wanted[*value as usize])).collect()
}

/// What the caller may do with a document of a level.
fn word_of(level: usize) -> Option<&'static str> {
    u8::try_from(level).ok().and_then(access).map(Access::as_str)
}
