//! Words of texts and identifiers.
//!
//! A *word* is a run of letters, digits and marks; an apostrophe inside is dropped. Folding takes case, accents and
//! compatibility forms away. A word of an identifier has *parts*: `clientsDailyV2` is found as a whole, as `clients`,
//! `daily`, `v2`, and as `v` and `2`. Snake and dotted names are words already.

use std::cell::RefCell;
use std::ops::Range;

use frostem::{Algorithm, Stemmer};
use unicode_normalization::char::{decompose_compatible, is_combining_mark};

/// Longer words are cut: no one types them, and terms must be short.
const MAX_WORD_CHARS: usize = 64;
/// Marks the stem of an inflected word among the terms: no word contains it, so that prefixes and typing errors never
/// meet stems.
pub(crate) const STEM: char = '^';

/// A folded word or part, and the bytes of the text that it stands for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Token {
    pub(crate) text: String,
    pub(crate) range: Range<usize>,
}

/// A word of a text.
pub(crate) struct Word {
    /// The whole, folded.
    pub(crate) whole: Token,
    /// Its parts at changes of case; at least one.
    pub(crate) parts: Vec<Token>,
}

/// A word as it is written, and where it begins.
pub(crate) struct Written<'a> {
    pub(crate) text: &'a str,
    start: usize,
}

/// The words of a text as they are written, in order.
pub(crate) struct Words<'a> {
    text: &'a str,
    at: usize,
}

impl<'a> Words<'a> {
    pub(crate) fn of(text: &'a str) -> Self {
        Self { text, at: 0 }
    }

    /// The character at a byte.
    fn char(&self, at: usize) -> Option<char> {
        match self.text.as_bytes().get(at) {
            Some(byte) if byte.is_ascii() => Some(char::from(*byte)),
            _ => self.text[at..].chars().next(),
        }
    }
}

impl<'a> Iterator for Words<'a> {
    type Item = Written<'a>;

    fn next(&mut self) -> Option<Written<'a>> {
        let first = loop {
            let c = self.char(self.at)?;
            if c.is_alphanumeric() && (c.is_ascii() || !is_combining_mark(c)) {
                break c;
            }
            self.at += c.len_utf8();
        };
        let start = self.at;
        self.at += first.len_utf8();
        while !is_ideograph(first) {
            self.at += self.text.as_bytes()[self.at..].iter().take_while(|byte| byte.is_ascii_alphanumeric()).count();
            let Some(c) = self.char(self.at) else { break };
            let more = if is_apostrophe(c) {
                self.char(self.at + c.len_utf8()).is_some_and(char::is_alphabetic)
            } else {
                is_part_of_word(c) && !is_ideograph(c)
            };
            if !more {
                break;
            }
            self.at += c.len_utf8();
        }
        Some(Written { text: &self.text[start..self.at], start })
    }
}

/// The words of a text, in order.
pub(crate) fn words(text: &str) -> Vec<Word> {
    let mut out = Vec::new();
    for written in Words::of(text) {
        let range = written.start..written.start + written.text.len();
        let parts: Vec<Token> = if is_simple(written.text) {
            vec![Token { text: fold(written.text), range: range.clone() }]
        } else {
            split(text, range.clone(), is_case_change).filter(|part| !part.text.is_empty()).collect()
        };
        if !parts.is_empty() {
            out.push(Word { whole: Token { text: fold(written.text), range }, parts });
        }
    }
    out
}

/// Everything by which a text is found: parts, their runs of letters and digits, and whole words.
pub(crate) fn tokens(text: &str) -> Vec<Token> {
    let mut out = Vec::new();
    for Word { whole, parts } in words(text) {
        let one = parts.len() == 1;
        for part in parts {
            let runs: Vec<Token> = split(text, part.range.clone(), is_digit_change).collect();
            if runs.len() > 1 {
                out.extend(runs);
            }
            out.push(part);
        }
        if !one {
            out.push(whole);
        }
    }
    out
}

/// The parts of a text's words, in order.
pub(crate) fn parts(text: &str) -> Vec<String> {
    words(text).into_iter().flat_map(|word| word.parts).map(|part| part.text).collect()
}

/// Whether a word is one part without digits among letters. All such words are ASCII.
fn is_simple(word: &str) -> bool {
    let bytes = word.as_bytes();
    let (first, rest) = bytes.split_first().unwrap_or((&b'a', &[]));
    let is_capital = |byte: &u8| byte.is_ascii_uppercase();
    if first.is_ascii_digit() {
        return rest.iter().all(u8::is_ascii_digit);
    }
    first.is_ascii_alphabetic() && (rest.iter().all(u8::is_ascii_lowercase) || bytes.iter().all(is_capital))
}

/// A name without case, accents and separators: `newtab_content`, `NewtabContent` and `newtab content` have one key.
pub(crate) fn key(text: &str) -> String {
    let mut key = String::with_capacity(text.len());
    push_key(text, &mut key);
    key
}

/// Appends the key of a name.
pub(crate) fn push_key(text: &str, out: &mut String) {
    Words::of(text).for_each(|word| push_folded(word.text, out));
}

/// The stem of a folded word, if it is another one.
pub(crate) fn stem(word: &str) -> Option<String> {
    if !is_english(word) || word.len() > MAX_KNOWN_BYTES {
        return find_stem(word);
    }
    with_terms(word, |terms| terms.split(END).nth(1).and_then(|stem| stem.strip_prefix(STEM)).map(str::to_owned))
}

/// Ends a term in a list of terms.
pub(crate) const END: char = '\0';

/// Appends the terms by which a word is found, as it is written: its tokens, and the stems of those that are inflected.
pub(crate) fn push_terms(word: &str, out: &mut String) {
    if word.len() > MAX_KNOWN_BYTES {
        find_terms(word, out);
    } else if word.bytes().all(|byte| byte.is_ascii_digit()) {
        out.push_str(word);
        out.push(END);
    } else {
        with_terms(word, |terms| out.push_str(terms));
    }
}

fn find_terms(word: &str, out: &mut String) {
    let mut push = |token: &str| {
        if token.is_empty() {
            return;
        }
        out.push_str(token);
        out.push(END);
        if let Some(stem) = find_stem(token) {
            out.push(STEM);
            out.push_str(&stem);
            out.push(END);
        }
    };
    if is_simple(word) {
        push(&fold(word));
    } else {
        tokens(word).iter().for_each(|token| push(&token.text));
    }
}

fn find_stem(word: &str) -> Option<String> {
    if !is_english(word) {
        return None;
    }
    let stemmer = Stemmer::new(Algorithm::English);
    let stem = stemmer.stem(word);
    (stem != word && !stem.is_empty()).then(|| stem.into_owned())
}

/// Whether a folded word may be an English one with an ending.
fn is_english(word: &str) -> bool {
    word.len() >= 4 && word.bytes().all(|byte| byte.is_ascii_lowercase())
}

/// The terms of the words that came lately: each slot has the last word of its hash and its terms. There are more slots
/// the more words there are, up to a bound.
#[derive(Default)]
struct Known {
    slots: Vec<String>,
    missed: usize,
}

const MIN_SLOTS: usize = 1 << 8;
const MAX_SLOTS: usize = 1 << 16;
/// The terms of longer words are not kept.
const MAX_KNOWN_BYTES: usize = 64;

impl Known {
    fn terms(&mut self, word: &str) -> &str {
        if self.missed >= self.slots.len() && self.slots.len() < MAX_SLOTS {
            let n = (2 * self.slots.len()).max(MIN_SLOTS);
            self.slots = vec![String::new(); n];
            self.missed = 0;
        }
        let at = hash(word) % self.slots.len();
        let slot = &mut self.slots[at];
        if !slot.strip_prefix(word).is_some_and(|terms| terms.starts_with(END)) {
            self.missed += 1;
            slot.clear();
            slot.push_str(word);
            slot.push(END);
            find_terms(word, slot);
        }
        &slot[word.len() + END.len_utf8()..]
    }
}

/// Both halves of each product count: the low bits of one depend on the first letters only.
fn hash(word: &str) -> usize {
    let mix = |hash: u64, bytes: &[u8]| {
        let mut block = [0; 8];
        block[..bytes.len()].copy_from_slice(bytes);
        let product = u128::from(hash ^ u64::from_le_bytes(block)) * 0x9e37_79b9_7f4a_7c15;
        (product >> 64) as u64 ^ product as u64
    };
    word.as_bytes().chunks(8).fold(word.len() as u64, mix) as usize
}

thread_local! {
    static KNOWN: RefCell<Known> = RefCell::default();
}

/// Calls `visit` with the terms of a word as it is written.
fn with_terms<T>(word: &str, visit: impl FnOnce(&str) -> T) -> T {
    KNOWN.with_borrow_mut(|known| visit(known.terms(word)))
}

/// Folds a word.
fn fold(word: &str) -> String {
    let mut out = String::with_capacity(word.len());
    push_folded(word, &mut out);
    out
}

/// Appends a folded word.
fn push_folded(word: &str, out: &mut String) {
    if word.len() <= MAX_WORD_CHARS && word.bytes().all(|byte| byte.is_ascii_alphanumeric()) {
        let start = out.len();
        out.push_str(word);
        out[start..].make_ascii_lowercase();
        return;
    }
    for c in word.chars().filter(|c| !is_apostrophe(*c)).take(MAX_WORD_CHARS) {
        if c.is_ascii_alphanumeric() {
            out.push(c.to_ascii_lowercase());
        } else if !c.is_ascii() {
            decompose_compatible(c, |part| {
                if !is_combining_mark(part) {
                    match part {
                        'ß' => out.push_str("ss"),
                        'ø' | 'Ø' => out.push('o'),
                        'ł' | 'Ł' => out.push('l'),
                        'đ' | 'Đ' => out.push('d'),
                        'æ' | 'Æ' => out.push_str("ae"),
                        'œ' | 'Œ' => out.push_str("oe"),
                        'ı' => out.push('i'),
                        part => {
                            out.extend(part.to_lowercase().filter(|c| c.is_alphanumeric() && !is_combining_mark(*c)))
                        }
                    }
                }
            });
        }
    }
}

/// The tokens of a range, cut before each character at which `is_change` holds for it, its predecessor and its
/// successor.
fn split(
    text: &str,
    range: Range<usize>,
    is_change: fn(char, char, Option<char>) -> bool,
) -> impl Iterator<Item = Token> + '_ {
    let word = &text[range.clone()];
    let mut starts = vec![0];
    let mut chars = word.char_indices().peekable();
    let mut before = None;
    while let Some((at, c)) = chars.next() {
        if before.is_some_and(|before| is_change(before, c, chars.peek().map(|(_, next)| *next))) {
            starts.push(at);
        }
        before = Some(c);
    }
    starts.push(word.len());
    let bounds: Vec<Range<usize>> = starts.windows(2).map(|pair| pair[0]..pair[1]).collect();
    let start = range.start;
    bounds.into_iter().map(move |part| {
        let range = start + part.start..start + part.end;
        Token { text: fold(&text[range.clone()]), range }
    })
}

/// `clientsDaily`, `HTTPServer`, `v2Beta`.
fn is_case_change(before: char, c: char, next: Option<char>) -> bool {
    c.is_uppercase()
        && (before.is_lowercase()
            || before.is_numeric()
            || (before.is_uppercase() && next.is_some_and(char::is_lowercase)))
}

fn is_digit_change(before: char, c: char, _: Option<char>) -> bool {
    before.is_numeric() != c.is_numeric()
}

fn is_part_of_word(c: char) -> bool {
    c.is_alphanumeric() || (!c.is_ascii() && is_combining_mark(c))
}

fn is_apostrophe(c: char) -> bool {
    matches!(c, '\'' | '\u{2019}')
}

/// Scripts without spaces: each character is a word.
fn is_ideograph(c: char) -> bool {
    matches!(c, '\u{3040}'..='\u{30ff}' | '\u{3400}'..='\u{9fff}' | '\u{f900}'..='\u{faff}' | '\u{20000}'..='\u{3ffff}')
}
