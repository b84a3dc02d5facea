//! The words of a query.

use crate::abbreviation::is_stop_word;
use crate::request::{MAX_QUERY_CHARS, MAX_WORDS};
use crate::schema::cut;
use crate::token::{key, words};

/// A query, read.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Query {
    /// The text, as far as it counts.
    pub(crate) text: String,
    /// The whole query as the key of a name.
    pub(crate) key: String,
    /// Its words, each once, in order; words that say nothing are left out if others say something.
    pub(crate) words: Vec<QueryWord>,
    /// More was typed than counts.
    pub(crate) shortened: bool,
}

/// A word of a query.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct QueryWord {
    /// The folded word.
    pub(crate) text: String,
    /// Its parts, if it has several.
    pub(crate) parts: Vec<String>,
    /// The next word, if it follows directly.
    pub(crate) next: Option<String>,
    /// The caller may still be typing it.
    pub(crate) unfinished: bool,
}

impl Query {
    pub(crate) fn read(text: &str) -> Self {
        let text = text.trim_start();
        let counted = cut(text, MAX_QUERY_CHARS);
        let found = words(counted);
        let all_stop = found.iter().all(|word| is_stop_word(&word.whole.text));
        let mut out: Vec<QueryWord> = Vec::new();
        let mut shortened = counted.len() < text.trim_end().len();
        for (at, word) in found.iter().enumerate() {
            let whole = &word.whole.text;
            let unfinished = at + 1 == found.len() && word.whole.range.end == counted.len();
            if out.iter().any(|known| known.text == *whole) || (is_stop_word(whole) && !all_stop) {
                continue;
            }
            if out.len() == MAX_WORDS {
                shortened = true;
                break;
            }
            let parts = if word.parts.len() > 1 {
                word.parts.iter().map(|part| part.text.clone()).collect()
            } else {
                Vec::new()
            };
            let next = found.get(at + 1).map(|next| next.whole.text.clone());
            out.push(QueryWord { text: whole.clone(), parts, next, unfinished });
        }
        Self { text: counted.to_owned(), key: key(counted), words: out, shortened }
    }
}
