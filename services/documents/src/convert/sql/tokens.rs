//! The tokens of SQL text, and the limits on statements.

use sqlparser::dialect::{BigQueryDialect, Dialect as Grammar, GenericDialect, dialect_from_str};
use sqlparser::tokenizer::{Token, TokenWithSpan, Tokenizer};

use super::super::draft::Draft;
use super::super::types::Dialect;
use crate::node::shortened;
use crate::problem::Problem;

/// The deepest nesting of brackets.
const MAX_DEPTH: usize = 64;
/// The most tokens between two commas: an expression's tree is as deep as its chain of operators is long.
const MAX_CHAIN: usize = 1_000;

/// The tokens of a text.
///
/// # Errors
/// A text or comment that does not end.
pub(super) fn read(text: &str, dialect: Dialect, draft: &mut Draft) -> Result<Vec<TokenWithSpan>, Problem> {
    let is_spark = matches!(dialect, Dialect::Spark | Dialect::Hive);
    // The parser's own Spark dialects know no backslashes in texts; BigQuery's texts and names look like Spark's.
    let grammar = if is_spark { Box::new(BigQueryDialect) } else { grammar(dialect) };
    let tokens = Tokenizer::new(&*grammar, text).with_unescape(!is_spark).tokenize_with_location();
    let tokens = tokens.map_err(|error| {
        let (line, column) = (error.location.line.max(1), error.location.column.max(1));
        Problem { line, column, path: String::new(), message: shortened(&error.message) }
    })?;
    Ok(if is_spark { spark(tokens, draft) } else { tokens })
}

/// Whether a token begins a type with types in angle brackets.
fn opens_type(token: &Token) -> bool {
    ["ARRAY", "STRUCT", "MAP"].iter().any(|word| is_word(token, word))
}

/// The name of the member for the keys of a map.
pub(super) const MAP_KEY: &str = "\u{1}key";
const MAP_VALUE: &str = "\u{1}value";

/// Spark's tokens as the parser wants them: texts without escapes, members of structs without colons and without the
/// `NOT NULL` and `COMMENT` that it does not read there, and maps, which it does not read either, as structs of
/// [`MAP_KEY`] and a value.
fn spark(tokens: Vec<TokenWithSpan>, draft: &mut Draft) -> Vec<TokenWithSpan> {
    let mut kept: Vec<TokenWithSpan> = Vec::with_capacity(tokens.len());
    // Of each open angle bracket: whether it is a map's. Of each open round one inside of them: nothing but that it is.
    let (mut angles, mut n_round) = (Vec::new(), 0_usize);
    let (mut skips_text, mut skips_format, mut n_skipped) = (false, false, 0);
    for mut token in tokens {
        if matches!(token.token, Token::Whitespace(_)) {
            continue;
        }
        let member = |name: &str| TokenWithSpan { token: Token::make_word(name, Some('`')), span: token.span };
        match &mut token.token {
            Token::Lt if kept.last().is_some_and(|last| opens_type(&last.token)) => {
                let is_map = kept.last().is_some_and(|last| is_word(&last.token, "MAP"));
                angles.push(is_map);
                if is_map {
                    kept.pop();
                    kept.push(TokenWithSpan { token: Token::make_word("STRUCT", None), span: token.span });
                    let key = member(MAP_KEY);
                    kept.extend([token, key]);
                    continue;
                }
            }
            Token::Gt => drop(angles.pop()),
            Token::ShiftRight => angles.truncate(angles.len().saturating_sub(2)),
            Token::LParen if !angles.is_empty() => n_round += 1,
            Token::RParen if !angles.is_empty() => n_round = n_round.saturating_sub(1),
            Token::Comma if n_round == 0 && angles.last() == Some(&true) => {
                let value = member(MAP_VALUE);
                kept.extend([token, value]);
                continue;
            }
            Token::SingleQuotedString(text) | Token::DoubleQuotedString(text) => {
                if std::mem::take(&mut skips_text) {
                    continue;
                }
                token.token = Token::SingleQuotedString(unescaped(text));
            }
            Token::Word(word) if word.quote_style == Some('`') => word.value = word.value.replace("``", "`"),
            word if angles.is_empty() && is_word(word, "USING") => {
                skips_format = true;
                continue;
            }
            Token::Word(word) if std::mem::take(&mut skips_format) => {
                draft.note("", format!("the format `{}` is for a contract's servers", shortened(&word.value)));
                continue;
            }
            Token::Colon if !angles.is_empty() => continue,
            word if !angles.is_empty() && ["COMMENT", "NOT", "NULL"].iter().any(|it| is_word(word, it)) => {
                skips_text = is_word(word, "COMMENT");
                n_skipped += 1;
                continue;
            }
            _ => {}
        }
        if untyped_partition(&kept, &token.token) {
            kept.push(TokenWithSpan { token: Token::make_word("STRING", None), span: token.span });
        }
        kept.push(token);
    }
    if n_skipped > 0 {
        draft.note("", "`NOT NULL` and `COMMENT` of members of structs were omitted");
    }
    kept
}

/// Whether a token ends a column of `PARTITIONED BY (a, b)` without a type: the parser wants one, as Hive does.
fn untyped_partition(before: &[TokenWithSpan], token: &Token) -> bool {
    let is_end = matches!(token, Token::Comma | Token::RParen);
    let [.., opening, TokenWithSpan { token: Token::Word(_), .. }] = before else { return false };
    if !is_end || !matches!(opening.token, Token::LParen | Token::Comma) {
        return false;
    }
    // No real table has a hundred partition columns.
    let recent = before.len().saturating_sub(200);
    let list = before[recent..].iter().rposition(|token| token.token == Token::LParen).map_or(0, |at| recent + at);
    let is = |back: usize, word: &str| {
        list.checked_sub(back).and_then(|at| before.get(at)).is_some_and(|token| is_word(&token.token, word))
    };
    is(1, "BY") && is(2, "PARTITIONED")
}

fn is_word(token: &Token, wanted: &str) -> bool {
    matches!(token, Token::Word(word) if word.quote_style.is_none() && word.value.eq_ignore_ascii_case(wanted))
}

/// A text of Spark's without its escapes.
fn unescaped(text: &str) -> String {
    let mut plain = String::with_capacity(text.len());
    let mut characters = text.chars();
    while let Some(character) = characters.next() {
        if character != '\\' {
            plain.push(character);
            continue;
        }
        match characters.next() {
            Some('n') => plain.push('\n'),
            Some('t') => plain.push('\t'),
            Some('r') => plain.push('\r'),
            Some('u') => {
                let digits: String = characters.clone().take(4).collect();
                match u32::from_str_radix(&digits, 16).ok().and_then(char::from_u32).filter(|_| digits.len() == 4) {
                    Some(character) => {
                        plain.push(character);
                        characters.nth(3);
                    }
                    None => plain.push('u'),
                }
            }
            Some(other) => plain.push(other),
            None => plain.push('\\'),
        }
    }
    plain
}

/// The parser's dialect.
pub(super) fn grammar(dialect: Dialect) -> Box<dyn Grammar> {
    let word = match dialect {
        Dialect::Generic => "generic",
        Dialect::Postgres => "postgres",
        // The one that has structs, which the parser's Spark dialects do not.
        Dialect::Spark => "generic",
        Dialect::Snowflake => "snowflake",
        Dialect::BigQuery => "bigquery",
        Dialect::MySql => "mysql",
        Dialect::SqlServer => "mssql",
        Dialect::DuckDb => "duckdb",
        Dialect::Hive => "generic",
        Dialect::Redshift => "redshift",
        Dialect::ClickHouse => "clickhouse",
        Dialect::Sqlite => "sqlite",
        Dialect::Oracle => "oracle",
    };
    dialect_from_str(word).unwrap_or_else(|| Box::new(GenericDialect))
}

/// Refuses what would make a tree too deep to walk or to drop.
pub(super) fn bounded(tokens: &[TokenWithSpan]) -> Result<(), Problem> {
    let mut chains = vec![0_usize];
    let mut opens = false;
    let mut n_angles = 0_usize;
    for token in tokens {
        let at = |message: &str| {
            let start = token.span.start;
            Problem { line: start.line, column: start.column, path: String::new(), message: message.to_owned() }
        };
        match &token.token {
            Token::Whitespace(_) => continue,
            Token::LParen | Token::LBracket | Token::LBrace => chains.push(0),
            Token::RParen | Token::RBracket | Token::RBrace if chains.len() > 1 => {
                chains.pop();
            }
            Token::Lt if opens => n_angles += 1,
            Token::Gt => n_angles = n_angles.saturating_sub(1),
            Token::ShiftRight => n_angles = n_angles.saturating_sub(2),
            Token::Comma => {
                if let Some(chain) = chains.last_mut() {
                    *chain = 0;
                }
            }
            _ => {}
        }
        if let Some(chain) = chains.last_mut() {
            *chain += 1;
            if *chain > MAX_CHAIN {
                return Err(at("an expression of the statement is too long"));
            }
        }
        if chains.len() + n_angles > MAX_DEPTH {
            return Err(at(&format!("brackets are nested more than {MAX_DEPTH} deep")));
        }
        opens = opens_type(&token.token);
    }
    Ok(())
}

/// A fault of syntax, with the place that the parser names or the one where the statement begins.
pub(super) fn misread(statement: &[TokenWithSpan], message: &str) -> Problem {
    let start =
        statement.iter().find(|token| !matches!(token.token, Token::Whitespace(_))).map(|token| token.span.start);
    let message = message.strip_prefix("sql parser error: ").unwrap_or(message);
    let (what, place) = message.split_once(" at Line: ").unwrap_or((message, ""));
    let numbers: Vec<u64> = place.split(", Column: ").filter_map(|number| number.trim().parse().ok()).collect();
    let (line, column) = match (numbers.as_slice(), start) {
        ([line, column], _) => (*line, *column),
        (_, Some(start)) => (start.line, start.column),
        _ => (1, 1),
    };
    Problem { line: line.max(1), column: column.max(1), path: String::new(), message: shortened(what) }
}
