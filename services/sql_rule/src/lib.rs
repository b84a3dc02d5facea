//! The text of an `sql` rule: one SELECT over one table, with functions that are safe to run.
//!
//! Both sides judge a rule here: `documents` when a contract is published, with the columns that the contract declares,
//! and the worker before it runs the rule, with the columns of the table. So a rule is published only if the worker
//! takes its text. The worker also checks the plan that its engine makes of the text, which can fail for reasons that no
//! text shows, such as a sum of texts.
//!
//! The parser is recursive: callers give it a stack of its own. [`Query::read`] checks the text (length, tokens, nesting,
//! to protect the parser), the statement, its tables and its functions. [`Query::bind`] finds its columns.

mod functions;
mod names;
mod own_name;
mod shape;

use sqlparser::ast::Statement;
use sqlparser::dialect::GenericDialect;
use sqlparser::keywords::Keyword;
use sqlparser::parser::Parser;
use sqlparser::tokenizer::{Token, TokenWithSpan, Tokenizer};

pub use crate::functions::{AGGREGATE_FUNCTIONS, SCALAR_FUNCTIONS, WINDOW_FUNCTIONS, canonical_name};
pub use crate::own_name::with_table;

/// The only table that a query can name. It replaces `${table}` and `${object}`.
pub const TABLE: &str = "snapshot";
const MAX_QUERY_BYTES: usize = 16 * 1024;
const MAX_TOKENS: usize = 2_000;
/// The maximum nesting of parentheses and `CASE`s.
const MAX_NESTING: usize = 32;
/// The parser's own limit. It counts several steps per level of nesting, and operators such as `NOT` without
/// parentheses.
const MAX_RECURSION: usize = 200;

/// Why the text of a rule can never run.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Refusal {
    /// The text is too long.
    #[error("the query is longer than {MAX_QUERY_BYTES} bytes")]
    TooLong,
    /// It has too many tokens.
    #[error("the query has more than {MAX_TOKENS} tokens")]
    TooManyTokens,
    /// It is nested too deeply.
    #[error("the query is nested deeper than {MAX_NESTING}")]
    TooDeep,
    /// A placeholder is left.
    #[error("the query contains a placeholder other than `${{table}}` and `${{object}}`")]
    Placeholder,
    /// The parser cannot read it.
    #[error("the query cannot be read: {0}")]
    Unreadable(String),
    /// It is empty, or several statements.
    #[error("the rule is not exactly one query")]
    NotOneStatement,
    /// It is another statement.
    #[error("the rule is not a SELECT")]
    NotASelect,
    /// It has a part that no rule may have.
    #[error("the query contains {0}")]
    Contains(&'static str),
    /// The parser takes more for the right side of a comparison than SQL does.
    #[error("`IS DISTINCT FROM` is followed by AND or OR: put the comparison in parentheses")]
    Unclear,
    /// It reads another table.
    #[error("the query reads `{0}`, but a rule reads only `${{table}}`")]
    OtherTable(String),
    /// It calls a function that is unknown or not allowed.
    #[error("the query calls `{0}`, which is not allowed")]
    Function(String),
    /// The table has no such column.
    #[error("the query names the column `{0}`, which the table does not have")]
    UnknownColumn(String),
    /// Several columns differ only in case.
    #[error("the query names the column `{name}`, which may be {}: put the name in double quotes", listed(.columns))]
    AmbiguousColumn {
        /// The name.
        name: String,
        /// The columns that it may be.
        columns: Vec<String>,
    },
}

fn listed(columns: &[String]) -> String {
    columns.iter().map(|column| format!("`{column}`")).collect::<Vec<_>>().join(" or ")
}

/// What a rule looks at.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Reads {
    /// Columns, or the number of rows.
    Table,
    /// No column, and it counts no rows: its answer is always the same.
    Nothing,
}

/// A text that is one SELECT over the table.
#[derive(Clone, Debug)]
pub struct Query {
    statement: Statement,
}

impl Query {
    /// Reads and checks a text.
    ///
    /// # Errors
    /// The first reason why it can never run.
    pub fn read(text: &str) -> Result<Self, Refusal> {
        if text.len() > MAX_QUERY_BYTES {
            return Err(Refusal::TooLong);
        }
        let text = text.replace("${table}", TABLE).replace("${object}", TABLE);
        if text.contains("${") {
            return Err(Refusal::Placeholder);
        }
        let parser = Parser::new(&GenericDialect {}).with_recursion_limit(MAX_RECURSION);
        let statements = parser.with_tokens_with_locations(tokens(&text)?).parse_statements();
        let mut statements = statements.map_err(|error| Refusal::Unreadable(one_line(&error.to_string())))?;
        let (Some(statement), true) = (statements.pop(), statements.is_empty()) else {
            return Err(Refusal::NotOneStatement);
        };
        shape::check(&statement)?;
        Ok(Self { statement })
    }

    /// Finds the columns that the query names. An unquoted name is that of the one column with these letters in any
    /// case, and is spelled like it from now on; a quoted name is exact.
    ///
    /// # Errors
    /// [`Refusal::UnknownColumn`], [`Refusal::AmbiguousColumn`].
    pub fn bind<S: AsRef<str>>(&mut self, columns: &[S]) -> Result<(), Refusal> {
        let columns: Vec<&str> = columns.iter().map(AsRef::as_ref).collect();
        names::bind(&mut self.statement, &columns)
    }

    /// Whether it looks at the table at all.
    pub fn reads(&self) -> Reads {
        shape::reads(&self.statement)
    }

    /// The statement.
    pub fn into_statement(self) -> Statement {
        self.statement
    }
}

/// The tokens of a text, not too many and not nested too deeply for the parser.
fn tokens(text: &str) -> Result<Vec<TokenWithSpan>, Refusal> {
    let tokens = Tokenizer::new(&GenericDialect {}, text).tokenize_with_location();
    let tokens = tokens.map_err(|error| Refusal::Unreadable(one_line(&error.to_string())))?;
    check_size(tokens.iter().map(|token| &token.token))?;
    Ok(tokens)
}

fn check_size<'a>(tokens: impl Iterator<Item = &'a Token>) -> Result<(), Refusal> {
    let (mut n_tokens, mut depth) = (0, 0_usize);
    for token in tokens.filter(|token| !matches!(token, Token::Whitespace(_))) {
        n_tokens += 1;
        match token {
            Token::LParen | Token::LBracket | Token::LBrace => depth += 1,
            Token::RParen | Token::RBracket | Token::RBrace => depth = depth.saturating_sub(1),
            Token::Word(word) if word.keyword == Keyword::CASE => depth += 1,
            Token::Word(word) if word.keyword == Keyword::END => depth = depth.saturating_sub(1),
            _ => {}
        }
        if depth > MAX_NESTING {
            return Err(Refusal::TooDeep);
        }
    }
    if n_tokens > MAX_TOKENS { Err(Refusal::TooManyTokens) } else { Ok(()) }
}

/// The parser's message. It is about the text, never about rows.
fn one_line(message: &str) -> String {
    let message = message.trim_start_matches("sql parser error: ");
    message.lines().next().unwrap_or_default().chars().take(300).collect()
}
