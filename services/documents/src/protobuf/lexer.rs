//! The tokens of `.proto` text, and the limits that are checked before parsing.

use super::error::{Error, MAX_DECLARATIONS, MAX_DEPTH, MAX_SCOPED_BYTES};

/// A token. Comments and spaces are none.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Token<'a> {
    /// An identifier or keyword.
    Name(&'a str),
    /// A number, as it is written.
    Number(&'a str),
    /// The text between the quotes of a string, with its escapes.
    Text(&'a str),
    /// Any other character.
    Mark(char),
}

/// A token and where it begins.
#[derive(Clone, Copy, Debug)]
pub(super) struct Spanned<'a> {
    pub(super) token: Token<'a>,
    /// Its first byte.
    pub(super) offset: usize,
}

/// Splits a text.
///
/// # Errors
/// [`Error::Invalid`] where a comment or a string does not end.
pub(super) fn tokens(text: &str) -> Result<Vec<Spanned<'_>>, Error> {
    let bytes = text.as_bytes();
    let mut tokens = Vec::new();
    let mut at = 0;
    while let Some(rest) = text.get(at..).filter(|rest| !rest.is_empty()) {
        let offset = at;
        let length_while = |accept: fn(char) -> bool| rest.find(|c| !accept(c)).unwrap_or(rest.len());
        let token = match bytes[at] {
            b'/' if rest.starts_with("//") => {
                at += length_while(|c| c != '\n');
                continue;
            }
            // Comments of the text format, in the values of options.
            b'#' => {
                at += length_while(|c| c != '\n');
                continue;
            }
            b'/' if rest.starts_with("/*") => {
                let Some(length) = rest[2..].find("*/") else {
                    return Err(Error::at(text, offset, "the comment does not end"));
                };
                at += length + 4;
                continue;
            }
            quote @ (b'"' | b'\'') => {
                let length = string_length(&bytes[at..], quote)
                    .ok_or_else(|| Error::at(text, offset, "the string does not end on its line"))?;
                at += length;
                Token::Text(&rest[1..length - 1])
            }
            byte if byte.is_ascii_alphabetic() || byte == b'_' => {
                at += length_while(|c| c.is_ascii_alphanumeric() || c == '_');
                Token::Name(&text[offset..at])
            }
            byte if byte.is_ascii_digit() => {
                at += length_while(|c| c.is_ascii_alphanumeric() || c == '.');
                Token::Number(&text[offset..at])
            }
            _ => {
                let Some(character) = rest.chars().next() else { break };
                at += character.len_utf8();
                if character.is_whitespace() || character == '\u{feff}' {
                    continue;
                }
                Token::Mark(character)
            }
        };
        tokens.push(Spanned { token, offset });
    }
    Ok(tokens)
}

/// The length of a string with its quotes, in bytes.
fn string_length(bytes: &[u8], quote: u8) -> Option<usize> {
    let mut at = 1;
    loop {
        match bytes.get(at)? {
            b'\\' => at += 2,
            b'\n' => return None,
            byte if *byte == quote => return Some(at + 1),
            _ => at += 1,
        }
    }
}

/// Refuses what would take those who parse it too deep, or too long.
///
/// # Errors
/// [`Error::TooDeep`], [`Error::TooMany`].
pub(super) fn check_limits(tokens: &[Spanned<'_>]) -> Result<(), Error> {
    let mut depth = 0_usize;
    let mut n_declarations = 0;
    // Full names repeat the names of what is around them, so those count once for each thing inside.
    let mut scopes: Vec<usize> = Vec::new();
    let (mut scoped_bytes, mut scope_bytes, mut name_bytes) = (0_usize, 0_usize, 0_usize);
    let (mut keyword, mut n_dots) = (None, 0);
    for token in tokens {
        match token.token {
            Token::Name(name) => {
                name_bytes += name.len();
                keyword = keyword.or(Some(name));
            }
            Token::Mark(open @ ('{' | '[' | '(' | '<')) => {
                depth += 1;
                if depth > MAX_DEPTH {
                    return Err(Error::TooDeep);
                }
                if open == '{' {
                    scopes.push(name_bytes);
                    scope_bytes += name_bytes;
                    scoped_bytes += scope_bytes;
                    (name_bytes, n_dots, keyword) = (0, 0, None);
                    n_declarations += 1;
                }
            }
            Token::Mark(close @ ('}' | ']' | ')' | '>')) => {
                depth = depth.saturating_sub(1);
                if close == '}' {
                    scope_bytes -= scopes.pop().unwrap_or(0);
                    (name_bytes, n_dots, keyword) = (0, 0, None);
                }
            }
            Token::Mark('.') => n_dots += 1,
            Token::Mark(';') => {
                scoped_bytes += scope_bytes + name_bytes;
                if keyword == Some("package") && scopes.is_empty() {
                    if n_dots > MAX_DEPTH {
                        return Err(Error::TooDeep);
                    }
                    scope_bytes += name_bytes;
                }
                (name_bytes, n_dots, keyword) = (0, 0, None);
                n_declarations += 1;
            }
            Token::Mark(_) | Token::Number(_) | Token::Text(_) => {}
        }
        if n_declarations > MAX_DECLARATIONS || scoped_bytes > MAX_SCOPED_BYTES {
            return Err(Error::TooMany);
        }
    }
    Ok(())
}
