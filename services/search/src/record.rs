//! The texts of a document, in the order in which a hit is explained. Kept in the index, so that an explanation is made
//! from what was matched.

use std::ops::Range;

use crate::field::MatchField;

/// What most products need, so that their texts are copied once.
const USUAL_BYTES: usize = 2_048;
const PART: char = '\u{1f}';
const ENTRY: char = '\u{1e}';

pub(crate) struct RecordWriter(String);

impl RecordWriter {
    pub(crate) fn new<'a>(revision: u64, upstream: impl Iterator<Item = &'a String>) -> Self {
        let mut out = String::with_capacity(USUAL_BYTES);
        out.push_str(&revision.to_string());
        for id in upstream {
            out.push(PART);
            push_clean(&mut out, id);
        }
        Self(out)
    }

    /// Adds a text, and returns where it is in the record.
    pub(crate) fn add(&mut self, field: MatchField, text: &str) -> Range<usize> {
        self.0.push(ENTRY);
        self.0.push(char::from(b'A' + field as u8));
        let start = self.0.len();
        push_clean(&mut self.0, text);
        start..self.0.len()
    }

    pub(crate) fn finish(self) -> String {
        self.0
    }
}

fn push_clean(out: &mut String, text: &str) {
    if text.contains([PART, ENTRY]) {
        out.extend(text.chars().map(|c| if c == PART || c == ENTRY { ' ' } else { c }));
    } else {
        out.push_str(text);
    }
}

/// A record that is read.
pub(crate) struct Record<'a> {
    pub(crate) revision: u64,
    pub(crate) upstream: Vec<&'a str>,
    entries: Vec<(MatchField, &'a str)>,
}

impl<'a> Record<'a> {
    pub(crate) fn read(text: &'a str) -> Self {
        let mut entries = text.split(ENTRY);
        let mut head = entries.next().unwrap_or_default().split(PART);
        let revision = head.next().and_then(|revision| revision.parse().ok()).unwrap_or_default();
        let entries = entries
            .filter_map(|entry| {
                let code = entry.chars().next()?;
                let field = MatchField::ALL.get((u32::from(code)).checked_sub(u32::from(b'A'))? as usize)?;
                Some((*field, &entry[code.len_utf8()..]))
            })
            .collect();
        Self { revision, upstream: head.collect(), entries }
    }

    pub(crate) fn entries(&self) -> &[(MatchField, &'a str)] {
        &self.entries
    }
}
