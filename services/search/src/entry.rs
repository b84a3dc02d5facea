//! A product as the index takes it. It holds texts, not terms: the threads that write the index cut them into terms
//! ([`Cutter`]), so that whoever adds products does little.

use std::ops::Range;

use tantivy::schema::Field;
use tantivy::schema::document::{Document, ReferenceValue, ReferenceValueLeaf, Value};
use tantivy::tokenizer::{Token, TokenStream, Tokenizer};

use crate::token::{END, Words, push_terms};

/// All texts of a product, and which part of them each field has.
pub(crate) struct Entry {
    pub(crate) texts: String,
    pub(crate) parts: Vec<(Field, Range<usize>)>,
    pub(crate) numbers: Vec<(Field, u64)>,
}

impl Document for Entry {
    type Value<'a> = EntryValue<'a>;
    type FieldsValuesIter<'a> = EntryValues<'a>;

    fn iter_fields_and_values(&self) -> EntryValues<'_> {
        EntryValues { entry: self, at: 0 }
    }
}

/// The values of an entry, one after the other.
pub(crate) struct EntryValues<'a> {
    entry: &'a Entry,
    at: usize,
}

impl<'a> Iterator for EntryValues<'a> {
    type Item = (Field, EntryValue<'a>);

    fn next(&mut self) -> Option<Self::Item> {
        let Entry { texts, parts, numbers } = self.entry;
        let at = self.at;
        self.at += 1;
        match parts.get(at) {
            Some((field, range)) => Some((*field, EntryValue::Text(&texts[range.clone()]))),
            None => numbers.get(at - parts.len()).map(|(field, number)| (*field, EntryValue::Number(*number))),
        }
    }
}

/// A value of an entry.
#[derive(Clone, Debug)]
pub(crate) enum EntryValue<'a> {
    Text(&'a str),
    Number(u64),
}

impl<'a> Value<'a> for EntryValue<'a> {
    type ArrayIter = std::iter::Empty<Self>;
    type ObjectIter = std::iter::Empty<(&'a str, Self)>;

    fn as_value(&self) -> ReferenceValue<'a, Self> {
        ReferenceValue::Leaf(match self {
            Self::Text(text) => ReferenceValueLeaf::Str(text),
            Self::Number(number) => ReferenceValueLeaf::U64(*number),
        })
    }
}

/// Cuts texts into the terms by which they are found.
#[derive(Clone, Default)]
pub(crate) struct Cutter {
    terms: String,
    token: Token,
}

impl Cutter {
    /// Its name in the schema.
    pub(crate) const NAME: &str = "terms";
}

impl Tokenizer for Cutter {
    type TokenStream<'a> = Terms<'a>;

    fn token_stream<'a>(&'a mut self, text: &'a str) -> Terms<'a> {
        self.terms.clear();
        self.token.reset();
        Terms { words: Words::of(text), terms: &mut self.terms, at: 0, token: &mut self.token }
    }
}

/// The terms of a text.
pub(crate) struct Terms<'a> {
    words: Words<'a>,
    /// Those of one word.
    terms: &'a mut String,
    /// How much of them is done.
    at: usize,
    token: &'a mut Token,
}

impl TokenStream for Terms<'_> {
    fn advance(&mut self) -> bool {
        while self.at == self.terms.len() {
            let Some(word) = self.words.next() else { return false };
            self.terms.clear();
            self.at = 0;
            push_terms(word.text, self.terms);
        }
        let rest = &self.terms[self.at..];
        let length = rest.bytes().position(|byte| byte == END as u8).unwrap_or(rest.len());
        self.at += length + END.len_utf8();
        self.token.text.clear();
        self.token.text.push_str(&rest[..length]);
        self.token.position = self.token.position.wrapping_add(1);
        true
    }

    fn token(&self) -> &Token {
        self.token
    }

    fn token_mut(&mut self) -> &mut Token {
        self.token
    }
}
