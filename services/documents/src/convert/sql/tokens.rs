//! The tokens of SQL text, its statements, and the limits on them.

use sqlparser::dialect::{BigQueryDialect, Dialect as Grammar, GenericDialect, dialect_from_str};
use sqlparser::tokenizer::{Token, TokenWithSpan, Tokenizer};

use super::super::draft::Draft;
use super::super::types::Dialect;
use super::client;
use super::cursor::{Cursor, opens_type};
use crate::node::shortened;
use crate::problem::Problem;

/// The deepest nesting of brackets.
const MAX_DEPTH: usize = 64;
/// The most tokens between two commas: an expression's tree is as deep as its chain of operators is long.
const MAX_CHAIN: usize = 1_000;

/// The statements of a text, as tokens without white space.
///
/// # Errors
/// A text or comment that does not end.
pub(super) fn statements(text: &str, dialect: Dialect, draft: &mut Draft) -> Result<Vec<Vec<TokenWithSpan>>, Problem> {
    let text = client::without_lines(text, dialect, draft);
    let is_spark = matches!(dialect, Dialect::Spark | Dialect::Hive);
    // The parser's own Spark dialects know no backslashes in texts; BigQuery's texts and names look like Spark's.
    let grammar = if is_spark { Box::new(BigQueryDialect) } else { grammar(dialect) };
    let tokens = Tokenizer::new(&*grammar, &text).with_unescape(!is_spark).tokenize_with_location();
    let mut tokens = tokens.map_err(|error| {
        let (line, column) = (error.location.line.max(1), error.location.column.max(1));
        Problem { line, column, path: String::new(), message: shortened(&error.message) }
    })?;
    tokens.retain(|token| !matches!(token.token, Token::Whitespace(_) | Token::EOF));
    if is_spark {
        tokens.iter_mut().for_each(|token| without_escapes(&mut token.token));
    }
    Ok(split(tokens, dialect))
}

/// The statements: they end with a semicolon, or where the client sends what it has read.
fn split(tokens: Vec<TokenWithSpan>, dialect: Dialect) -> Vec<Vec<TokenWithSpan>> {
    let (mut statements, mut statement) = (Vec::new(), Vec::new());
    let (mut depth, mut line) = (0_usize, 0);
    let ends: Vec<bool> = (0..tokens.len())
        .map(|at| is_client_end(&tokens[at..], at.checked_sub(1).map(|at| &tokens[at]), dialect))
        .collect();
    let begins: Vec<bool> = (0..tokens.len()).map(|at| begins_statement(&tokens[at..], dialect)).collect();
    let mut skips_count = false;
    for ((token, is_end), is_begin) in tokens.into_iter().zip(ends).zip(begins) {
        let is_first = token.span.start.line > line;
        line = token.span.end.line;
        if std::mem::take(&mut skips_count) && !is_first && matches!(token.token, Token::Number(..)) {
            continue;
        }
        if is_end && is_first {
            // `GO 5` runs the batch five times.
            skips_count = true;
            depth = 0;
            statements.push(std::mem::take(&mut statement));
            continue;
        }
        let is_body = has_body(&statement, dialect);
        if token.token == Token::SemiColon && !is_body {
            depth = 0;
            statements.push(std::mem::take(&mut statement));
            continue;
        }
        if is_begin && is_first && depth == 0 && !(is_body && dialect == Dialect::SqlServer) && !statement.is_empty() {
            statements.push(std::mem::take(&mut statement));
        }
        match token.token {
            Token::LParen => depth += 1,
            Token::RParen => depth = depth.saturating_sub(1),
            _ => {}
        }
        statement.push(token);
    }
    statements.push(statement);
    statements.retain(|statement| !statement.is_empty());
    statements
}

/// Whether a token that is the first of its line is also the last, and tells the client to send what it has read.
fn is_client_end(tokens: &[TokenWithSpan], before: Option<&TokenWithSpan>, dialect: Dialect) -> bool {
    let [token, rest @ ..] = tokens else { return false };
    if before.is_some_and(|before| before.span.end.line == token.span.start.line) {
        return false;
    }
    let is_last = match rest {
        [next, after @ ..] if matches!(next.token, Token::Number(..)) => {
            next.span.start.line > token.span.start.line
                || after.first().is_none_or(|after| after.span.start.line > token.span.start.line)
        }
        [next, ..] => next.span.start.line > token.span.start.line,
        [] => true,
    };
    let sends = matches!(dialect, Dialect::SqlServer | Dialect::Generic) && Cursor::new(tokens).is(&["GO"]);
    is_last && (sends || token.token == Token::Div)
}

/// Whether a statement begins here even without a semicolon before it, as the tools of some dialects print them.
fn begins_statement(tokens: &[TokenWithSpan], dialect: Dialect) -> bool {
    if !matches!(dialect, Dialect::SqlServer | Dialect::Oracle) {
        return false;
    }
    let cursor = Cursor::new(tokens);
    let also = ["EXEC", "EXECUTE", "INSERT", "USE", "PRINT", "IF", "DECLARE"];
    cursor.is(&["ALTER", "TABLE"])
        || cursor.is(&["COMMENT", "ON"])
        || cursor.is_any(&["CREATE", "GRANT"])
        || dialect == Dialect::SqlServer && (cursor.is_any(&also) || cursor.is(&["ALTER", "DATABASE"]))
}

/// Whether a statement holds others with semicolons of their own, and ends only where the client says so.
fn has_body(statement: &[TokenWithSpan], dialect: Dialect) -> bool {
    let mut cursor = Cursor::new(statement);
    if dialect == Dialect::SqlServer {
        if !cursor.eat(&["CREATE"]) && !cursor.eat(&["ALTER"]) {
            return false;
        }
        cursor.eat(&["OR", "ALTER"]);
        return cursor.is_any(&["PROC", "PROCEDURE", "FUNCTION", "TRIGGER", "VIEW"]);
    }
    if dialect != Dialect::Oracle {
        return false;
    }
    if cursor.is_any(&["BEGIN", "DECLARE"]) {
        return true;
    }
    if !cursor.eat(&["CREATE"]) {
        return false;
    }
    cursor.eat(&["OR", "REPLACE"]);
    let _ = cursor.eat(&["EDITIONABLE"]) || cursor.eat(&["NONEDITIONABLE"]);
    cursor.is_any(&["PROCEDURE", "FUNCTION", "PACKAGE", "TRIGGER", "TYPE"])
}

/// How many words `CREATE ... TABLE` has at the beginning; `None` if that is not what begins here.
pub(super) fn table_modifiers(cursor: &Cursor<'_>) -> Option<usize> {
    const BETWEEN: &[&str] = &[
        "OR",
        "REPLACE",
        "REFRESH",
        "GLOBAL",
        "LOCAL",
        "TEMP",
        "TEMPORARY",
        "UNLOGGED",
        "EXTERNAL",
        "TRANSIENT",
        "VOLATILE",
        "DYNAMIC",
        "HYBRID",
        "ICEBERG",
        "FOREIGN",
        "IMMUTABLE",
        "PRIVATE",
        "DUPLICATED",
        "SHARDED",
        "BLOCKCHAIN",
        "STREAMING",
        "LIVE",
        "SNAPSHOT",
        "COLUMN",
        "ROW",
        "MULTISET",
        "SET",
        "EVENT",
        "READ",
        "ONLY",
        "MANAGED",
    ];
    if cursor.keyword().as_deref() != Some("CREATE") {
        return None;
    }
    for ahead in 1..8 {
        let word = cursor.keyword_at(ahead)?;
        if word == "TABLE" {
            let is_function = cursor.keyword_at(ahead + 1).is_some_and(|next| next == "FUNCTION");
            return (!is_function).then_some(ahead + 1);
        }
        if !BETWEEN.contains(&word.as_str()) {
            return None;
        }
    }
    None
}

/// Spark's texts without escapes, and its names without doubled quotes.
fn without_escapes(token: &mut Token) {
    match token {
        Token::SingleQuotedString(text) | Token::DoubleQuotedString(text) => {
            *token = Token::SingleQuotedString(unescaped(text));
        }
        Token::Word(word) if word.quote_style == Some('`') => word.value = word.value.replace("``", "`"),
        _ => {}
    }
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
        Dialect::Generic | Dialect::Spark | Dialect::Hive => "generic",
        Dialect::Postgres => "postgres",
        Dialect::Snowflake => "snowflake",
        Dialect::BigQuery => "bigquery",
        Dialect::MySql => "mysql",
        Dialect::SqlServer => "mssql",
        Dialect::DuckDb => "duckdb",
        Dialect::Redshift => "redshift",
        Dialect::ClickHouse => "clickhouse",
        Dialect::Sqlite => "sqlite",
        Dialect::Oracle => "oracle",
    };
    dialect_from_str(word).unwrap_or_else(|| Box::new(GenericDialect))
}

/// Refuses what would make a tree too deep to walk or to drop, and brackets that do not end.
pub(super) fn bounded(tokens: &[TokenWithSpan]) -> Result<(), Problem> {
    let mut chains = vec![0_usize];
    let mut open = Vec::new();
    let mut opens = false;
    let mut n_angles = 0_usize;
    let at = |token: &TokenWithSpan, message: &str| {
        let start = token.span.start;
        Problem {
            line: start.line.max(1),
            column: start.column.max(1),
            path: String::new(),
            message: message.to_owned(),
        }
    };
    for token in tokens {
        match &token.token {
            Token::LParen | Token::LBracket | Token::LBrace => {
                chains.push(0);
                open.push(token);
            }
            Token::RParen | Token::RBracket | Token::RBrace => {
                if chains.len() == 1 {
                    return Err(at(token, "this bracket was not opened"));
                }
                chains.pop();
                open.pop();
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
                return Err(at(token, "an expression of the statement is too long"));
            }
        }
        if chains.len() + n_angles > MAX_DEPTH {
            return Err(at(token, &format!("brackets are nested more than {MAX_DEPTH} deep")));
        }
        opens = opens_type(&token.token);
    }
    match open.last() {
        Some(token) => Err(at(token, "this bracket is not closed")),
        None => Ok(()),
    }
}
