//! Words of texts and identifiers.
//!
//! A *word* is a run of letters, digits and marks; an apostrophe inside is dropped. Folding takes case, accents and
//! compatibility forms away. A word of an identifier has *parts*: `clientsDailyV2` is found as a whole, as `clients`,
//! `daily`, `v2`, and as `v` and `2`. Snake and dotted names are words already.

use std::cell::RefCell;
use std::collections::HashMap;
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

/// The words of a text, in order.
pub(crate) fn words(text: &str) -> Vec<Word> {
    let mut out = Vec::new();
    let mut chars = text.char_indices().peekable();
    while let Some((start, first)) = chars.next() {
        if !is_part_of_word(first) || is_combining_mark(first) {
            continue;
        }
        let mut end = start + first.len_utf8();
        if !is_ideograph(first) {
            while let Some(&(at, c)) = chars.peek() {
                let more = if is_apostrophe(c) {
                    text[at + c.len_utf8()..].chars().next().is_some_and(char::is_alphabetic)
                } else {
                    is_part_of_word(c) && !is_ideograph(c)
                };
                if !more {
                    break;
                }
                end = at + c.len_utf8();
                chars.next();
            }
        }
        let parts: Vec<Token> = split(text, start..end, is_case_change).filter(|part| !part.text.is_empty()).collect();
        let whole = Token { text: fold(&text[start..end]), range: start..end };
        if !parts.is_empty() {
            out.push(Word { whole, parts });
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

/// The texts of [`tokens`], for the many texts of an index.
pub(crate) fn each_token(text: &str, mut visit: impl FnMut(&str)) {
    if !text.is_ascii() {
        return tokens(text).iter().for_each(|token| visit(&token.text));
    }
    let mut folded = String::new();
    for (word, is_simple) in ascii_words(text) {
        if is_simple {
            folded.clear();
            folded.extend(word.bytes().take(MAX_WORD_CHARS).map(|byte| char::from(byte.to_ascii_lowercase())));
            visit(&folded);
        } else {
            tokens(word).iter().for_each(|token| visit(&token.text));
        }
    }
}

/// The words of an ASCII text, and whether each has one part and no digits among letters.
fn ascii_words(text: &str) -> impl Iterator<Item = (&str, bool)> {
    let bytes = text.as_bytes();
    let mut at = 0;
    std::iter::from_fn(move || {
        while at < bytes.len() && !bytes[at].is_ascii_alphanumeric() {
            at += 1;
        }
        let start = at;
        let mut is_simple = true;
        while at < bytes.len() {
            let byte = bytes[at];
            let apostrophe = byte == b'\'' && bytes.get(at + 1).is_some_and(u8::is_ascii_alphabetic);
            if !byte.is_ascii_alphanumeric() && !apostrophe {
                break;
            }
            let before = if at > start { bytes[at - 1] } else { byte };
            is_simple &= !apostrophe
                && byte.is_ascii_digit() == before.is_ascii_digit()
                && (at == start || !byte.is_ascii_uppercase() || before.is_ascii_uppercase())
                && !(at > start + 1 && byte.is_ascii_lowercase() && before.is_ascii_uppercase());
            at += 1;
        }
        (start < at).then(|| (&text[start..at], is_simple))
    })
}

/// A name without case, accents and separators: `newtab_content`, `NewtabContent` and `newtab content` have one key.
pub(crate) fn key(text: &str) -> String {
    let mut key = String::with_capacity(text.len());
    if text.is_ascii() {
        for (word, _) in ascii_words(text) {
            let folded =
                word.bytes().filter(u8::is_ascii_alphanumeric).map(|byte| char::from(byte.to_ascii_lowercase()));
            key.extend(folded.take(MAX_WORD_CHARS));
        }
        return key;
    }
    for word in words(text) {
        key.push_str(&word.whole.text);
    }
    key
}

/// The stem of a folded word, if it is another one.
pub(crate) fn stem(word: &str) -> Option<String> {
    with_stem(word, |stem| stem.map(str::to_owned))
}

/// Stems that are kept, for each thread.
const MAX_STEMS: usize = 50_000;

thread_local! {
    static STEMS: RefCell<HashMap<String, Option<Box<str>>>> = RefCell::default();
}

/// Calls `visit` with the stem of a folded word, if it is another one.
pub(crate) fn with_stem<T>(word: &str, visit: impl FnOnce(Option<&str>) -> T) -> T {
    if word.len() < 4 || !word.bytes().all(|byte| byte.is_ascii_lowercase()) {
        return visit(None);
    }
    STEMS.with_borrow_mut(|stems| {
        if let Some(stem) = stems.get(word) {
            return visit(stem.as_deref());
        }
        if stems.len() == MAX_STEMS {
            stems.clear();
        }
        let stemmer = Stemmer::new(Algorithm::English);
        let stem = stemmer.stem(word);
        let stem = (stem != word && !stem.is_empty()).then(|| Box::from(&*stem));
        visit(stems.entry(word.to_owned()).or_insert(stem).as_deref())
    })
}

/// Folds a word.
fn fold(word: &str) -> String {
    let mut out = String::with_capacity(word.len());
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
    out
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
    c.is_alphanumeric() || is_combining_mark(c)
}

fn is_apostrophe(c: char) -> bool {
    matches!(c, '\'' | '\u{2019}')
}

/// Scripts without spaces: each character is a word.
fn is_ideograph(c: char) -> bool {
    matches!(c, '\u{3040}'..='\u{30ff}' | '\u{3400}'..='\u{9fff}' | '\u{f900}'..='\u{faff}' | '\u{20000}'..='\u{3ffff}')
}
