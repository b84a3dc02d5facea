//! Scores: BM25 over weighted zones (BM25F), counted over the documents that the caller may see.
//!
//! The frequency of a word, which says how rare it is, is counted while its postings are read, and only visible
//! documents are read; the usual lengths of the zones are constants. So documents that are hidden, deleted or replaced
//! but not yet merged away cannot move a score.

use std::time::{Duration, Instant};

use domain::clock::Timestamp;
use tantivy::fieldnorm::FieldNormReader;

use crate::abbreviation::is_mark_of_copy;
use crate::cell::{Cell, Cells};
use crate::expand::{Expansion, Variant, expand, misspelt_names};
use crate::field::Stage;
use crate::query::{Query, QueryWord};
use crate::request::{MAX_WORDS, SearchError};
use crate::schema::{Factors, Zone, keys};
use crate::snapshot::{Part, Place, Reading};

/// A search that takes longer is given up: the machine is overloaded.
const MAX_TIME: Duration = Duration::from_secs(10);
/// How fast further occurrences of a word count less.
const K1: f32 = 2.0;
/// What a whole name with a typing error adds: as if the name had all words of a query.
const MISSPELT_NAME: f32 = 40.0;
/// What each pair of neighbouring words that a name has in the same order adds, as a share.
const PAIR_BONUS: f32 = 0.25;

/// How a zone counts: weight, influence of its length, usual length.
struct ZoneRule {
    weight: f32,
    b: f32,
    usual: f32,
}

fn rule(zone: Zone) -> ZoneRule {
    let (weight, b, usual) = match zone {
        Zone::Name => (6.0, 0.5, 5.0),
        Zone::Title => (4.0, 0.5, 6.0),
        Zone::Domain => (2.0, 0.0, 1.0),
        Zone::Label => (1.0, 0.0, 1.0),
        Zone::Table => (3.0, 0.5, 12.0),
        Zone::Column => (0.5, 0.5, 200.0),
        Zone::Text => (2.0, 0.5, 50.0),
        Zone::ColumnText => (0.2, 0.5, 500.0),
    };
    ZoneRule { weight, b, usual }
}

/// The documents that match, with their stages and scores.
pub(crate) struct Scores {
    pub(crate) cells: Cells,
    pub(crate) matched: Vec<Place>,
    /// The words that were looked for, and what each stands for.
    pub(crate) words: Vec<(String, Expansion)>,
}

impl Scores {
    pub(crate) fn cell(&self, place: Place) -> &Cell {
        &self.cells[place.segment as usize][place.doc as usize]
    }

    pub(crate) fn cell_mut(&mut self, place: Place) -> &mut Cell {
        cell_of(&mut self.cells, place)
    }
}

fn cell_of(cells: &mut [Vec<Cell>], place: Place) -> &mut Cell {
    &mut cells[place.segment as usize][place.doc as usize]
}

/// Scores all visible documents for a query with words.
pub(crate) fn score(reading: Reading<'_>, query: &Query, now: Timestamp) -> Result<Scores, SearchError> {
    let started = Instant::now();
    let in_time = || if started.elapsed() > MAX_TIME { Err(SearchError::TimedOut) } else { Ok(()) };
    let mut scorer = Scorer { reading, cells: reading.snapshot.cells(), matched: Vec::new() };
    let mut words = query.words.clone();
    let mut expansions = Vec::new();
    let mut weights = Vec::new();
    let mut at = 0;
    while at < words.len() {
        in_time()?;
        let before = at.checked_sub(1).map(|before| words[before].text.clone());
        let expansion = expand(reading, &words[at], before.as_deref())?;
        if (expansion.variants.is_empty() || expansion.corrected) && !words[at].parts.is_empty() {
            let word = words.remove(at);
            for (offset, part) in word.parts.into_iter().enumerate() {
                words.insert(at + offset, QueryWord { text: part, ..word_without_parts(word.unfinished) });
            }
            words.truncate(MAX_WORDS);
            continue;
        }
        weights.push(scorer.word(at, &expansion.variants)?);
        expansions.push(expansion);
        at += 1;
    }
    scorer.names(query)?;
    for pair in words.windows(2) {
        scorer.pair(&keys::pair(&pair[0].text, &pair[1].text))?;
    }
    in_time()?;
    let copies = words.iter().any(|word| is_mark_of_copy(&word.text));
    scorer.finish(words.len(), weights.iter().sum(), &Factors::new(copies, now));
    let words = words.into_iter().map(|word| word.text).zip(expansions).collect();
    Ok(Scores { cells: scorer.cells, matched: scorer.matched, words })
}

fn word_without_parts(unfinished: bool) -> QueryWord {
    QueryWord { text: String::new(), parts: Vec::new(), next: None, unfinished }
}

struct Scorer<'a> {
    reading: Reading<'a>,
    cells: Cells,
    matched: Vec<Place>,
}

impl Scorer<'_> {
    /// Scores one word, and returns its weight: how rare it is.
    fn word(&mut self, at: usize, variants: &[Variant]) -> Result<f32, SearchError> {
        let bit = 1_u16 << at;
        let number = u8::try_from(at + 1).unwrap_or(u8::MAX);
        let mut found: Vec<Place> = Vec::new();
        for variant in variants {
            if variant.is_pair() {
                let weights = [variant.weight * rule(Zone::Name).weight; 256];
                self.count(Part::Keys, variant, number, (bit, bit), &weights, &mut found)?;
                continue;
            }
            for zone in variant.zones() {
                let names = if matches!(zone, Zone::Name | Zone::Title) { bit } else { 0 };
                let places = if zone == Zone::Domain { bit } else { names };
                let weights = weights(&rule(zone), variant.weight);
                self.count(Part::Zone(zone), variant, number, (names, places), &weights, &mut found)?;
            }
        }
        let n = self.reading.view.n as f32;
        let frequency = found.len() as f32;
        let weight = (1.0 + (n - frequency + 0.5) / (frequency + 0.5)).ln();
        for place in found {
            let cell = cell_of(&mut self.cells, place);
            cell.score += weight * cell.count * (K1 + 1.0) / (cell.count + K1);
            cell.covered += weight;
            cell.found |= bit;
        }
        Ok(weight)
    }

    /// Counts the occurrences of a term for the word with a number, with the bits of the word to set, and the weight for
    /// each code of a length.
    fn count(
        &mut self,
        part: Part,
        variant: &Variant,
        number: u8,
        (names, places): (u16, u16),
        weights: &[f32; 256],
        found: &mut Vec<Place>,
    ) -> Result<(), SearchError> {
        let (all_cells, matched) = (&mut self.cells, &mut self.matched);
        self.reading.visit(part, &variant.term, |segment_number, segment, occurrences| {
            let norm = segment.norm(part);
            let cells = &mut all_cells[segment_number as usize];
            for (&doc, &count) in occurrences.docs.iter().zip(occurrences.counts) {
                let cell = &mut cells[doc as usize];
                if cell.word != number {
                    cell.word = number;
                    cell.count = 0.0;
                    let place = Place { segment: segment_number, doc };
                    found.push(place);
                    if !cell.matched {
                        cell.matched = true;
                        matched.push(place);
                    }
                }
                let length = norm.map_or(0, |norm| norm.fieldnorm_id(doc));
                cell.count += weights[usize::from(length)] * saturate(count);
                cell.named |= names;
                cell.placed |= places;
            }
            true
        })?;
        Ok(())
    }

    /// Counts a pair of neighbouring words, for documents that match: the same letters can be other words.
    fn pair(&mut self, key: &str) -> Result<(), SearchError> {
        let cells = &mut self.cells;
        self.reading.visit(Part::Keys, key, |segment, _, occurrences| {
            for doc in occurrences.docs {
                let cell = &mut cells[segment as usize][*doc as usize];
                cell.pairs += u8::from(cell.matched);
            }
            true
        })?;
        Ok(())
    }

    /// Finds what the whole query names.
    fn names(&mut self, query: &Query) -> Result<(), SearchError> {
        for address in [keys::own_address(&query.text), keys::address(&query.text)].into_iter().flatten() {
            self.reach(&address, Stage::Address)?;
        }
        let name = keys::name(&query.key);
        let named = self.reach(&name, Stage::Name)?;
        self.reach(&keys::term(&query.key), Stage::Term)?;
        if named == 0 {
            for name in misspelt_names(self.reading, &query.key)? {
                self.reach(&name, Stage::Words)?;
            }
        }
        Ok(())
    }

    /// Puts the documents that have a key into a stage, and returns how many there are.
    fn reach(&mut self, key: &str, stage: Stage) -> Result<usize, SearchError> {
        let (cells, matched) = (&mut self.cells, &mut self.matched);
        let mut n = 0;
        self.reading.visit(Part::Keys, key, |segment, _, occurrences| {
            for &doc in occurrences.docs {
                let cell = &mut cells[segment as usize][doc as usize];
                if !cell.matched {
                    cell.matched = true;
                    matched.push(Place { segment, doc });
                }
                cell.reach(stage);
                if stage == Stage::Words {
                    cell.score += MISSPELT_NAME;
                }
            }
            n += occurrences.docs.len();
            true
        })?;
        Ok(n)
    }

    /// Stages and final scores.
    fn finish(&mut self, n_words: usize, weight: f32, factors: &Factors) {
        let all = u16::MAX.checked_shr(16 - u32::try_from(n_words).unwrap_or(16)).unwrap_or(0);
        for place in &self.matched {
            let columns = &self.reading.segment(*place).columns;
            let cell = cell_of(&mut self.cells, *place);
            if n_words > 0 && cell.placed == all && cell.named != 0 {
                cell.reach(Stage::Words);
            }
            if columns.prior(place.doc).deprecated {
                cell.demote();
            }
            // What has no word of the query matches by its whole name.
            let coverage = if cell.covered > 0.0 { cell.covered / weight } else { 1.0 };
            let factor = columns.factor(place.doc, factors);
            cell.score *= coverage.sqrt() * (1.0 + PAIR_BONUS * f32::from(cell.pairs)) * factor;
        }
    }
}

/// The logarithm keeps long lists of equal words from winning.
fn saturate(count: u32) -> f32 {
    if count == 1 { 1.0 } else { 1.0 + (count as f32).ln() }
}

/// What a count is multiplied by, for each code of a length.
fn weights(rule: &ZoneRule, weight: f32) -> [f32; 256] {
    std::array::from_fn(|code| {
        let length = FieldNormReader::id_to_fieldnorm(u8::try_from(code).unwrap_or(u8::MAX)) as f32;
        weight * rule.weight / (1.0 - rule.b + rule.b * length / rule.usual)
    })
}
