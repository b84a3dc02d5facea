//! A scan of a GraphQL document's tokens before anything recursive reads it: their number, the nesting of brackets, and two
//! errors that the parser accepts, a repeated key of an input object and NUL in a string.

use std::collections::HashSet;

use crate::limits::{Excess, Limits};

/// Why a document is refused.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub(crate) enum Refused {
    #[error(transparent)]
    Excess(#[from] Excess),
    #[error("the key `{0}` is repeated")]
    Repeated(String),
    #[error("a string contains the character NUL")]
    Nul,
}

/// Scans a document. A document that is not GraphQL passes: the parser reports that better.
///
/// # Errors
/// The first error.
pub(crate) fn scan(text: &str, limits: &Limits) -> Result<(), Refused> {
    if text.len() > limits.query_bytes {
        return Err(Excess::Bytes(limits.query_bytes).into());
    }
    if text.contains('\0') || text.contains("\\u0000") {
        return Err(Refused::Nul);
    }
    let mut n_tokens = 0;
    let mut open: Vec<Bracket<'_>> = Vec::new();
    let mut name = "";
    let mut rest = text;
    while let Some(first) = rest.chars().next() {
        let length = match first {
            '#' => rest.find(['\n', '\r']).unwrap_or(rest.len()),
            '"' => string_length(rest),
            c if is_name(c) => rest.find(|c| !is_name(c)).unwrap_or(rest.len()),
            c => c.len_utf8(),
        };
        let (token, after) = rest.split_at(length);
        rest = after;
        match first {
            '#' | ',' | '\u{feff}' => continue,
            c if c.is_whitespace() => continue,
            '{' | '(' | '[' => {
                // Braces inside parentheses are input objects; all others are selection sets.
                let inside = open.iter().any(|bracket| matches!(bracket, Bracket::Parenthesis));
                open.push(match first {
                    '(' => Bracket::Parenthesis,
                    '{' if inside => Bracket::Object(HashSet::new()),
                    _ => Bracket::Other,
                });
                if open.len() > limits.nesting {
                    return Err(Excess::Nesting(limits.nesting).into());
                }
            }
            '}' | ')' | ']' => {
                open.pop();
            }
            ':' => {
                if let Some(Bracket::Object(keys)) = open.last_mut()
                    && !keys.insert(name)
                {
                    return Err(Refused::Repeated(name.chars().take(80).collect()));
                }
            }
            c if is_name(c) => name = token,
            _ => {}
        }
        n_tokens += 1;
        if n_tokens > limits.n_tokens {
            return Err(Excess::Tokens(limits.n_tokens).into());
        }
    }
    Ok(())
}

enum Bracket<'a> {
    Parenthesis,
    /// An input object, and its keys so far.
    Object(HashSet<&'a str>),
    Other,
}

fn is_name(c: char) -> bool {
    c == '_' || c.is_ascii_alphanumeric()
}

/// The length of the string or block string at the start of the text; all of the text if it is unterminated.
fn string_length(text: &str) -> usize {
    let (quote, block) = if text.starts_with("\"\"\"") { ("\"\"\"", true) } else { ("\"", false) };
    let mut at = quote.len();
    while let Some(rest) = text.get(at..) {
        match rest.chars().next() {
            None => break,
            Some('\\') if block => at += if rest.starts_with("\\\"\"\"") { 4 } else { 1 },
            Some('\\') => at += 1 + rest.chars().nth(1).map_or(0, char::len_utf8),
            Some('\n') if !block => return at,
            Some(_) if rest.starts_with(quote) => return at + quote.len(),
            Some(c) => at += c.len_utf8(),
        }
    }
    text.len()
}
