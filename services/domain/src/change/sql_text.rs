//! SQL texts that differ in white space and comments alone.

/// A query without comments, and with white space only where it separates words. What cannot be told apart without the
/// rules of a dialect (text between dollars, backslashes in strings, hints) leaves the query as it is.
pub(super) fn canonical(query: &str) -> String {
    if ["$$", "\\", "/*+", "/*!"].iter().any(|mark| query.contains(mark)) {
        return query.to_owned();
    }
    let mut text = String::with_capacity(query.len());
    let mut is_separate = false;
    let mut rest = query;
    while let Some(first) = rest.chars().next() {
        let n_bytes = match first {
            '-' if rest.starts_with("--") => rest.find('\n').unwrap_or(rest.len()),
            '/' if rest.starts_with("/*") => match rest[2..].find("*/") {
                Some(at) => at + 4,
                None => return query.to_owned(),
            },
            _ if first.is_whitespace() => first.len_utf8(),
            _ => 0,
        };
        if n_bytes > 0 {
            is_separate = true;
            rest = &rest[n_bytes..];
            continue;
        }
        // A doubled quote ends one piece and begins the next, which is the same text.
        let n_bytes = match first {
            '\'' | '"' | '`' => match rest[1..].find(first) {
                Some(at) => at + 2,
                None => return query.to_owned(),
            },
            _ => first.len_utf8(),
        };
        if std::mem::take(&mut is_separate) && text.ends_with(is_of_word) && is_of_word(first) {
            text.push(' ');
        }
        text.push_str(&rest[..n_bytes]);
        rest = &rest[n_bytes..];
    }
    text
}

/// Whether white space beside it can matter.
fn is_of_word(c: char) -> bool {
    !matches!(c, '(' | ')' | '[' | ']' | ',' | ';' | ':' | '=' | '<' | '>' | '!' | '|' | '+' | '-' | '*' | '/' | '%')
}
