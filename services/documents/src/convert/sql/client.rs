//! Lines of a script that are for the client: its commands, and rows of data.

use std::borrow::Cow;

use super::super::draft::Draft;
use super::super::types::Dialect;
use crate::node::shortened;

/// What the beginning of a line is inside of.
#[derive(Clone, Debug, PartialEq, Eq)]
enum Inside {
    Nothing,
    /// A text or name, up to this quote; whether a backslash escapes it.
    Quotes(char, bool),
    /// PostgreSQL's text, up to this tag.
    Dollars(String),
    Comment,
}

impl Inside {
    /// What is open at the end of a line.
    fn after(mut self, line: &str, escapes: bool) -> Self {
        let mut rest = line;
        let mut before = ' ';
        while let Some(character) = rest.chars().next() {
            let mut passed = character.len_utf8();
            let comment = rest.starts_with("--");
            self = match self {
                Self::Nothing => match character {
                    '-' if comment => return Self::Nothing,
                    '/' if rest.starts_with("/*") => {
                        passed = 2;
                        Self::Comment
                    }
                    '\'' => Self::Quotes('\'', escapes || matches!(before, 'e' | 'E')),
                    '"' | '`' => Self::Quotes(character, escapes && character == '"'),
                    '$' => match rest[1..].split_once('$') {
                        Some((tag, _)) if tag.chars().all(|it| it.is_alphanumeric() || it == '_') => {
                            passed = tag.len() + 2;
                            Self::Dollars(format!("${tag}$"))
                        }
                        _ => Self::Nothing,
                    },
                    _ => Self::Nothing,
                },
                Self::Quotes(quote, true) if character == '\\' => {
                    passed += rest[passed..].chars().next().map_or(0, char::len_utf8);
                    Self::Quotes(quote, true)
                }
                // Two quotes close and open it again.
                Self::Quotes(quote, _) if character == quote => Self::Nothing,
                Self::Dollars(tag) if rest.starts_with(&tag) => {
                    passed = tag.len();
                    Self::Nothing
                }
                Self::Comment if rest.starts_with("*/") => {
                    passed = 2;
                    Self::Nothing
                }
                same @ (Self::Quotes(..) | Self::Dollars(_) | Self::Comment) => same,
            };
            before = character;
            rest = &rest[passed..];
        }
        self
    }
}

/// The text without what its dialect's client reads itself: its own commands and rows of data. The lines stay, empty.
pub(super) fn without_lines<'a>(text: &'a str, dialect: Dialect, draft: &mut Draft) -> Cow<'a, str> {
    let is_psql = matches!(dialect, Dialect::Generic | Dialect::Postgres | Dialect::Redshift);
    let is_mysql = matches!(dialect, Dialect::Generic | Dialect::MySql);
    let is_sqlplus = dialect == Dialect::Oracle;
    if !is_psql && !is_mysql && !is_sqlplus {
        return Cow::Borrowed(text);
    }
    let mut kept = String::with_capacity(text.len());
    let mut inside = Inside::Nothing;
    // The line that ends what is being left out.
    let mut end: Option<&str> = None;
    for (number, line) in (1_u64..).zip(text.split_inclusive('\n')) {
        let plain = line.trim_end();
        let first = plain.split_whitespace().next().unwrap_or_default().to_ascii_uppercase();
        let left_out = if let Some(last) = end {
            if plain.eq_ignore_ascii_case(last) {
                end = None;
            }
            true
        } else if inside != Inside::Nothing {
            false
        } else if is_psql && first == "COPY" && plain.to_ascii_uppercase().ends_with("FROM STDIN;") {
            draft.note_at(number, "", "`COPY ... FROM stdin` is rows, which were omitted");
            end = Some("\\.");
            true
        } else if is_mysql && first == "DELIMITER" && plain.split_whitespace().nth(1) != Some(";") {
            draft.note_at(number, "", "the statements to the next `DELIMITER ;` were omitted");
            end = Some("DELIMITER ;");
            true
        } else if is_psql && plain.starts_with('\\') || is_sqlplus && ["PROMPT", "REM", "REMARK"].contains(&&*first) {
            draft.note_at(
                number,
                "",
                format!("`{} ...` is a command of the client and was omitted", shortened(&first)),
            );
            true
        } else {
            false
        };
        if left_out {
            kept.push('\n');
        } else {
            kept.push_str(line);
            inside = inside.after(line, dialect == Dialect::MySql);
        }
    }
    Cow::Owned(kept)
}
