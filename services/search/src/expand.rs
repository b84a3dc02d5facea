//! The terms that a word of a query stands for.
//!
//! A term counts only if a visible document has it: a word that only hidden documents have is as unknown as one that
//! none has, so it neither stops a correction nor becomes one. All limits count visible terms.

use std::collections::BTreeSet;

use tantivy::Term;
use tantivy::query::FuzzyTermQuery;
use tantivy::schema::Field;

use crate::abbreviation::other_forms;
use crate::query::QueryWord;
use crate::schema::{Zone, keys};
use crate::snapshot::{Part, Reading};
use crate::token::{STEM, stem};

/// How many words a prefix stands for.
const MAX_COMPLETIONS: usize = 48;
/// How many words a typing error stands for.
const MAX_CORRECTIONS: usize = 12;
/// A shorter prefix completes names only: it begins too many words.
const MIN_PREFIX_OF_ANYTHING: usize = 3;
/// Typing errors are forgiven from these lengths on: one, two.
const MIN_ONE_ERROR: usize = 5;
const MIN_TWO_ERRORS: usize = 9;
/// Longer words are not corrected.
const MAX_CORRECTED: usize = 40;

const STEM_WEIGHT: f32 = 0.85;
const FORM_WEIGHT: f32 = 0.7;
const JOINED_WEIGHT: f32 = 0.9;
const PREFIX_WEIGHT: f32 = 0.4;
const ONLY_PREFIX_WEIGHT: f32 = 0.7;
const ONE_ERROR_WEIGHT: f32 = 0.7;
const TWO_ERRORS_WEIGHT: f32 = 0.5;

/// A term, and how much it says of the word.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Variant {
    /// The term of a zone, or the key of two neighbouring words of a name.
    pub(crate) term: String,
    pub(crate) weight: f32,
    /// A bit for each zone in which a visible document has it.
    zones: u8,
}

impl Variant {
    /// Whether it is the key of two neighbouring words of a name.
    pub(crate) fn is_pair(&self) -> bool {
        self.zones == 0
    }

    pub(crate) fn zones(&self) -> impl Iterator<Item = Zone> {
        let zones = self.zones;
        Zone::ALL.into_iter().filter(move |zone| zones & bit(*zone) != 0)
    }
}

fn bit(zone: Zone) -> u8 {
    1 << zone as u8
}

/// What a word stands for.
#[derive(Clone, Debug, Default, PartialEq)]
pub(crate) struct Expansion {
    pub(crate) variants: Vec<Variant>,
    /// The variants are corrections of a word that is not found.
    pub(crate) corrected: bool,
}

impl Expansion {
    fn add(&mut self, term: String, weight: f32, zones: u8) {
        if !self.variants.iter().any(|known| known.term == term) {
            self.variants.push(Variant { term, weight, zones });
        }
    }

    /// Adds a term if a visible document has it.
    fn add_known(&mut self, reading: Reading<'_>, term: String, weight: f32) -> tantivy::Result<()> {
        let zones = zones_of(reading, &Zone::ALL, &term)?;
        if zones != 0 {
            self.add(term, weight, zones);
        }
        Ok(())
    }
}

/// What a word stands for, for the documents that can be seen. `before` is the word before it.
pub(crate) fn expand(reading: Reading<'_>, word: &QueryWord, before: Option<&str>) -> tantivy::Result<Expansion> {
    let mut out = Expansion::default();
    let text = &word.text;
    for (term, weight) in forms(text) {
        out.add_known(reading, term, weight)?;
    }
    let found = !out.variants.is_empty();
    for other in other_forms(text) {
        for (term, weight) in forms(other) {
            out.add_known(reading, term, weight * FORM_WEIGHT)?;
        }
    }
    let joined =
        [before.map(|before| format!("{before}{text}")), word.next.as_ref().map(|next| format!("{text}{next}"))];
    for joined in joined.into_iter().flatten() {
        out.add_known(reading, joined, JOINED_WEIGHT)?;
    }
    let pair = keys::pair(text, "");
    if !found && reading.has(Part::Keys, &pair)? {
        out.add(pair, 1.0, 0);
    }
    let length = text.chars().count();
    if word.unfinished || (out.variants.is_empty() && length >= MIN_PREFIX_OF_ANYTHING) {
        let weight = if found { PREFIX_WEIGHT } else { ONLY_PREFIX_WEIGHT };
        for (term, zones) in completions(reading, text)? {
            out.add(term, weight, zones);
        }
    }
    if out.variants.is_empty() && (MIN_ONE_ERROR..=MAX_CORRECTED).contains(&length) {
        out.corrected = true;
        for (term, zones) in corrections(reading, text, 1)? {
            out.add(term, ONE_ERROR_WEIGHT, zones);
        }
        if out.variants.is_empty() && length >= MIN_TWO_ERRORS {
            for (term, zones) in corrections(reading, text, 2)? {
                out.add(term, TWO_ERRORS_WEIGHT, zones);
            }
        }
        out.corrected = !out.variants.is_empty();
    }
    Ok(out)
}

/// The word, and the words of its stem.
fn forms(word: &str) -> Vec<(String, f32)> {
    let mut out = vec![(word.to_owned(), 1.0)];
    let stem = stem(word);
    let root = stem.as_deref().unwrap_or(word);
    out.push((format!("{STEM}{root}"), STEM_WEIGHT));
    if stem.is_some() {
        out.push((root.to_owned(), STEM_WEIGHT));
    }
    out
}

/// The zones of a list in which a visible document has a term, as bits.
fn zones_of(reading: Reading<'_>, zones: &[Zone], term: &str) -> tantivy::Result<u8> {
    let mut found = 0;
    for zone in zones {
        if reading.has(Part::Zone(*zone), term)? {
            found |= bit(*zone);
        }
    }
    Ok(found)
}

/// The visible words that begin so, the shortest first.
fn completions(reading: Reading<'_>, prefix: &str) -> tantivy::Result<Vec<(String, u8)>> {
    let zones: &[Zone] =
        if prefix.chars().count() < MIN_PREFIX_OF_ANYTHING { &[Zone::Name, Zone::Title] } else { &Zone::VOCABULARY };
    let mut found: BTreeSet<(usize, String)> = BTreeSet::new();
    let mut end = prefix.as_bytes().to_vec();
    end.push(0xff);
    for zone in zones {
        for dictionary in reading.dictionaries(Part::Zone(*zone)) {
            let mut stream = dictionary.range().gt(prefix).lt(&end).into_stream()?;
            while stream.advance() {
                if let Ok(term) = std::str::from_utf8(stream.key()) {
                    found.insert((term.len(), term.to_owned()));
                }
            }
        }
    }
    visible(reading, zones, found.into_iter().map(|(_, term)| term), MAX_COMPLETIONS)
}

/// The visible words that differ by so many errors, those with the same first letter first.
fn corrections(reading: Reading<'_>, word: &str, errors: u8) -> tantivy::Result<Vec<(String, u8)>> {
    let mut found: BTreeSet<(bool, String)> = BTreeSet::new();
    for zone in Zone::VOCABULARY {
        near(reading, Part::Zone(zone), word, "", errors, |term| {
            if !term.starts_with(STEM) {
                found.insert((term.chars().next() != word.chars().next(), term.to_owned()));
            }
        })?;
    }
    visible(reading, &Zone::VOCABULARY, found.into_iter().map(|(_, term)| term), MAX_CORRECTIONS)
}

/// The first of the terms that visible documents have, with their zones.
fn visible(
    reading: Reading<'_>,
    zones: &[Zone],
    terms: impl Iterator<Item = String>,
    limit: usize,
) -> tantivy::Result<Vec<(String, u8)>> {
    let mut out = Vec::new();
    for term in terms {
        if out.len() == limit {
            break;
        }
        let zones = zones_of(reading, zones, &term)?;
        if zones != 0 {
            out.push((term, zones));
        }
    }
    Ok(out)
}

/// Calls `visit` with the terms that begin with a prefix of the word and differ from it by so many errors. With two errors,
/// the letter behind the prefix must be right: they are too many otherwise.
fn near(
    reading: Reading<'_>,
    part: Part,
    word: &str,
    prefix: &str,
    errors: u8,
    mut visit: impl FnMut(&str),
) -> tantivy::Result<()> {
    // The field does not matter: the automaton has the text only.
    let term = Term::from_field_text(Field::from_field_id(0), word);
    let automaton = FuzzyTermQuery::new(term, errors, true).automaton()?;
    let letter = word[prefix.len()..].chars().next().filter(|_| errors > 1);
    let begin = prefix.chars().chain(letter).collect::<String>();
    let mut end = begin.clone().into_bytes();
    end.push(u8::MAX);
    for dictionary in reading.dictionaries(part) {
        let mut stream = dictionary.search(&automaton).ge(&begin).lt(&end).into_stream()?;
        while stream.advance() {
            if let Ok(term) = std::str::from_utf8(stream.key()) {
                visit(term);
            }
        }
    }
    Ok(())
}

/// The visible names of products that differ from a key by a typing error: their keys.
pub(crate) fn misspelt_names(reading: Reading<'_>, key: &str) -> tantivy::Result<Vec<String>> {
    let length = key.chars().count();
    if !(MIN_ONE_ERROR..=MAX_CORRECTED * 2).contains(&length) {
        return Ok(Vec::new());
    }
    for errors in 1..=if length >= MIN_TWO_ERRORS { 2 } else { 1 } {
        let mut found: BTreeSet<String> = BTreeSet::new();
        near(reading, Part::Keys, &keys::name(key), &keys::name(""), errors, |term| {
            found.insert(term.to_owned());
        })?;
        let mut out = Vec::new();
        for term in found {
            if out.len() == MAX_CORRECTIONS {
                break;
            }
            if reading.has(Part::Keys, &term)? {
                out.push(term);
            }
        }
        if !out.is_empty() {
            return Ok(out);
        }
    }
    Ok(Vec::new())
}
