//! Why a hit matched: the texts in which the words of the query are, with the places.

use std::collections::HashSet;
use std::ops::Range;

use crate::expand::Expansion;
use crate::field::{MatchField, Stage};
use crate::query::Query;
use crate::record::Record;
use crate::request::{MAX_QUERY_CHARS, Match};
use crate::token::{STEM, Token, key, stem, tokens};

/// The most matches of a hit.
const MAX_MATCHES: usize = 6;
/// Of a longer text, only the part around the first match is shown.
const MAX_SHOWN_CHARS: usize = 240;
/// How much of it comes before the match.
const BEFORE_CHARS: usize = 60;

/// What matches of one hit are looked for.
pub(crate) struct Explainer {
    /// For each word, the terms that it stands for.
    words: Vec<HashSet<String>>,
    /// How these terms begin.
    beginnings: Beginnings,
    key: String,
    text: String,
}

/// The first two bytes of words, to pass over texts and words that cannot match.
struct Beginnings(Vec<bool>);

impl Beginnings {
    fn of<'a>(terms: impl Iterator<Item = &'a str>) -> Self {
        let mut found = vec![false; 1 << 16];
        for term in terms {
            match term.as_bytes() {
                [] => {}
                // A word of one letter: whatever follows it in the text.
                [first] => found[usize::from(*first) << 8..][..256].fill(true),
                [first, second, ..] => {
                    found[usize::from(*first) << 8 | usize::from(*second)] = true;
                    // The letter may be a word of its own, joined with the next.
                    found[usize::from(*first) << 8] = true;
                }
            }
        }
        Self(found)
    }

    fn has(&self, word: &[u8]) -> bool {
        let first = word.first().map_or(0, u8::to_ascii_lowercase);
        let second = word.get(1).filter(|byte| byte.is_ascii_alphanumeric()).map_or(0, u8::to_ascii_lowercase);
        self.0[usize::from(first) << 8 | usize::from(second)]
    }

    /// Whether a word of the text, or a part of one, may begin so.
    fn may_be_in(&self, text: &str) -> bool {
        let text = text.as_bytes();
        if !text.is_ascii() {
            return true;
        }
        let mut before = b' ';
        for (at, &byte) in text.iter().enumerate() {
            let begins = byte.is_ascii_alphanumeric()
                && (!before.is_ascii_alphanumeric()
                    || byte.is_ascii_uppercase()
                    || byte.is_ascii_digit() != before.is_ascii_digit());
            if begins && self.has(&text[at..]) {
                return true;
            }
            before = byte;
        }
        false
    }
}

impl Explainer {
    pub(crate) fn new(query: &Query, words: &[(String, Expansion)]) -> Self {
        let terms = || words.iter().flat_map(|(_, expansion)| &expansion.variants);
        let beginnings =
            Beginnings::of(terms().map(|variant| variant.term.trim_start_matches([STEM]).trim_start_matches("p:")));
        let words = words
            .iter()
            .map(|(_, expansion)| expansion.variants.iter().map(|variant| variant.term.clone()).collect())
            .collect();
        Self { words, beginnings, key: query.key.clone(), text: query.text.to_lowercase() }
    }

    /// The matches of a record: what the whole query names, the names of the product, and what has words of the query
    /// that no earlier match has. `words` has a bit for each word of the query that the document has.
    pub(crate) fn explain(&self, record: &Record<'_>, stage: Stage, words: u16) -> Vec<Match> {
        let to_explain = words.count_ones() as usize;
        let mut found: Vec<Match> = Vec::new();
        let mut explained: HashSet<usize> = HashSet::new();
        let mut of: Option<&str> = None;
        for (at, (field, text)) in record.entries().iter().enumerate() {
            if matches!(field, MatchField::Table | MatchField::Column) {
                of = Some(text);
            }
            let all_explained = explained.len() >= to_explain;
            if found.len() == MAX_MATCHES {
                break;
            }
            let whole = self.is_whole(*field, text, stage);
            if all_explained && !whole && !is_name(*field) {
                continue;
            }
            let all = 0..text.len();
            let (ranges, words) = if whole { (vec![all], HashSet::new()) } else { self.find(text) };
            if ranges.is_empty() || (!whole && !is_name(*field) && words.is_subset(&explained)) {
                continue;
            }
            // The first is the product's address: its words are those of domain and name.
            if at == 0 && !whole {
                continue;
            }
            explained.extend(if whole { (0..self.words.len()).collect() } else { words });
            let of = has_owner(*field).then(|| of.map(str::to_owned)).flatten();
            let (text, highlights) = shown(text, &ranges);
            let found_here = Match { field: *field, of, text, highlights };
            if whole { found.insert(0, found_here) } else { found.push(found_here) }
        }
        found
    }

    /// Whether the query is this text as a whole.
    fn is_whole(&self, field: MatchField, text: &str, stage: Stage) -> bool {
        match field {
            MatchField::Address => stage == Stage::Address && text.to_lowercase() == self.text,
            MatchField::Name
            | MatchField::Title
            | MatchField::Synonym
            | MatchField::Tag
            | MatchField::Table
            | MatchField::TableSynonym
            | MatchField::Column
            | MatchField::ColumnSynonym => self.is_key(text),
            MatchField::Domain
            | MatchField::Owner
            | MatchField::Port
            | MatchField::Description
            | MatchField::TableDescription
            | MatchField::ColumnDescription
            | MatchField::Feeds => false,
        }
    }

    fn is_key(&self, text: &str) -> bool {
        let begins = |text: &str| text.trim_start().as_bytes().first().map(u8::to_ascii_lowercase);
        !self.key.is_empty()
            && text.len() < 4 * MAX_QUERY_CHARS
            && (!text.is_ascii()
                || begins(text) == begins(&self.key)
                || begins(text).is_some_and(|c| !c.is_ascii_alphanumeric()))
            && key(text) == self.key
    }

    /// The bytes that match, and the words of the query that they stand for.
    fn find(&self, text: &str) -> (Vec<Range<usize>>, HashSet<usize>) {
        if !self.beginnings.may_be_in(text) {
            return Default::default();
        }
        let mut ranges: Vec<Range<usize>> = Vec::new();
        let mut words = HashSet::new();
        let tokens = tokens(text);
        for (at, token) in tokens.iter().enumerate() {
            if token.text.is_ascii() && !self.beginnings.has(token.text.as_bytes()) {
                continue;
            }
            let stemmed = stem(&token.text).map(|stem| format!("{STEM}{stem}"));
            let pair = tokens.get(at + 1).map(|next: &Token| format!("p:{}{}", token.text, next.text));
            for (word, terms) in self.words.iter().enumerate() {
                if terms.contains(&token.text) || stemmed.as_ref().is_some_and(|stem| terms.contains(stem)) {
                    ranges.push(token.range.clone());
                    words.insert(word);
                } else if pair.as_ref().is_some_and(|pair| terms.contains(pair)) {
                    ranges.push(token.range.start..tokens[at + 1].range.end);
                    words.insert(word);
                }
            }
        }
        ranges.sort_by_key(|range| (range.start, range.end));
        let mut merged: Vec<Range<usize>> = Vec::new();
        for range in ranges {
            match merged.last_mut() {
                Some(last) if range.start <= last.end => last.end = last.end.max(range.end),
                _ => merged.push(range),
            }
        }
        (merged, words)
    }
}

/// Names are shown whatever else matched: they say what the hit is.
fn is_name(field: MatchField) -> bool {
    matches!(field, MatchField::Name | MatchField::Title | MatchField::Synonym)
}

/// Whether a text belongs to the table or column before it.
fn has_owner(field: MatchField) -> bool {
    match field {
        MatchField::TableDescription
        | MatchField::ColumnDescription
        | MatchField::TableSynonym
        | MatchField::ColumnSynonym => true,
        MatchField::Address
        | MatchField::Name
        | MatchField::Title
        | MatchField::Synonym
        | MatchField::Tag
        | MatchField::Domain
        | MatchField::Owner
        | MatchField::Port
        | MatchField::Table
        | MatchField::Column
        | MatchField::Description
        | MatchField::Feeds => false,
    }
}

/// The part of a text that is shown, and the highlights in its characters.
fn shown(text: &str, ranges: &[Range<usize>]) -> (String, Vec<Range<u32>>) {
    let first = ranges.first().map_or(0, |range| range.start);
    let long = text.chars().nth(MAX_SHOWN_CHARS).is_some();
    let start =
        if long { text[..first].char_indices().rev().nth(BEFORE_CHARS - 1).map_or(0, |(start, _)| start) } else { 0 };
    let end = text[start..].char_indices().nth(MAX_SHOWN_CHARS).map_or(text.len(), |(end, _)| start + end);
    let chars = |byte: usize| u32::try_from(text[start..byte].chars().count()).unwrap_or(u32::MAX);
    let highlights = ranges
        .iter()
        .filter(|range| range.start >= start && range.end <= end)
        .map(|range| chars(range.start)..chars(range.end))
        .collect();
    (text[start..end].to_owned(), highlights)
}
