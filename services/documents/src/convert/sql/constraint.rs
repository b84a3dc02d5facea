//! What a table promises of its columns: keys, references, checks.

use serde_json::{Value, json};
use sqlparser::ast::{BinaryOperator, Expr};
use sqlparser::dialect::Dialect as Grammar;
use sqlparser::parser::{Parser, ParserError};
use sqlparser::tokenizer::{Token, TokenWithSpan};

use super::super::dbt::{distinct_rule, foreign_key, primary_key};
use super::super::draft::{Draft, Fields, push, set};
use super::super::types::Dialect;
use super::check::bound;
use super::cursor::{Cursor, masked, rendered};
use super::lookup::column;
use super::tokens;
use crate::node::shortened;
use crate::problem::Problem;

/// Reads the parts of a table.
pub(super) struct Reader<'a> {
    pub(super) draft: &'a mut Draft,
    pub(super) dialect: Dialect,
    pub(super) grammar: &'a dyn Grammar,
    /// The tables before this one, to find the keys that references leave out.
    pub(super) tables: &'a [Fields],
}

/// What may follow a constraint, says how the database treats it, and changes nothing for readers.
const STATES: &[&[&str]] = &[
    &["NOT", "ENFORCED"],
    &["ENFORCED"],
    &["NOT", "DEFERRABLE"],
    &["DEFERRABLE"],
    &["INITIALLY", "DEFERRED"],
    &["INITIALLY", "IMMEDIATE"],
    &["ENABLE"],
    &["VALIDATE"],
    &["NOVALIDATE"],
    &["RELY"],
    &["NORELY"],
    &["NOT", "VALID"],
    &["NOT", "FOR", "REPLICATION"],
    &["CLUSTERED"],
    &["NONCLUSTERED"],
    &["ASC"],
    &["DESC"],
];

impl Reader<'_> {
    /// An expression; `None` if it is none that we can read.
    ///
    /// # Errors
    /// If it is nested too deep.
    pub(super) fn expression(&self, tokens: &[TokenWithSpan]) -> Result<Option<Expr>, Problem> {
        let mut parser = Parser::new(self.grammar).with_tokens_with_locations(tokens.to_vec());
        match parser.parse_expr() {
            Ok(expression) if parser.peek_token().token == Token::EOF => Ok(Some(expression)),
            Err(ParserError::RecursionLimitExceeded) => {
                Err(Cursor::new(tokens).fault("the expression is nested too deep"))
            }
            Ok(_) | Err(ParserError::TokenizerError(_) | ParserError::ParserError(_)) => Ok(None),
        }
    }

    /// Passes what says how a constraint is treated.
    pub(super) fn states(&self, cursor: &mut Cursor<'_>) {
        while STATES.iter().any(|state| cursor.eat(state)) {}
    }

    /// A constraint of a table, if one begins here.
    ///
    /// # Errors
    /// If an expression of it is nested too deep.
    pub(super) fn constraint(
        &mut self,
        cursor: &mut Cursor<'_>,
        path: &str,
        object: &mut Fields,
    ) -> Result<(), Problem> {
        let line = cursor.line();
        let whole = cursor.rest();
        if cursor.eat(&["CONSTRAINT"]) && !cursor.is_any(&["PRIMARY", "UNIQUE", "FOREIGN", "CHECK", "EXCLUDE"]) {
            cursor.name();
        }
        if cursor.eat(&["PRIMARY", "KEY"]) {
            cursor.until(|it| it.is_token(&Token::LParen));
            let columns = cursor.group().and_then(|group| self.own_names(&group, object));
            match columns {
                // ClickHouse's key sorts rows, and admits several with the same.
                _ if self.dialect == Dialect::ClickHouse => self.omitted(line, path, whole),
                Some(columns) => primary_key(object, &columns.iter().map(String::as_str).collect::<Vec<_>>()),
                None => self.omitted(line, path, whole),
            }
        } else if cursor.eat(&["UNIQUE"]) {
            cursor.until(|it| it.is_token(&Token::LParen));
            match cursor.group().and_then(|group| self.own_names(&group, object)) {
                Some(columns) => self.unique(&columns, object),
                None => self.omitted(line, path, whole),
            }
        } else if cursor.eat(&["FOREIGN", "KEY"]) {
            cursor.until(|it| it.is_token(&Token::LParen));
            let columns = cursor.group().map(|group| plain_names(&group)).unwrap_or_default();
            if !cursor.eat(&["REFERENCES"]) {
                self.omitted(line, path, whole);
                return Ok(());
            }
            self.references(cursor, &columns.unwrap_or_default(), path, object);
        } else if cursor.eat(&["CHECK"]) {
            let Some(group) = cursor.group() else {
                self.omitted(line, path, whole);
                return Ok(());
            };
            self.check_of(&group, path, object, None)?;
        } else {
            self.omitted(line, path, whole);
            return Ok(());
        }
        self.rest(cursor, path);
        Ok(())
    }

    /// What follows a constraint.
    fn rest(&mut self, cursor: &mut Cursor<'_>, path: &str) {
        self.states(cursor);
        while !cursor.is_at_end() {
            let line = cursor.line();
            let left = cursor.until(|it| STATES.iter().any(|state| it.is(state)));
            if !left.is_empty() {
                self.omitted(line, path, left);
            }
            self.states(cursor);
        }
    }

    /// Notes what a contract has no word for.
    pub(super) fn omitted(&mut self, line: u64, path: &str, tokens: &[TokenWithSpan]) {
        self.draft.note_at(line, path, format!("`{}` has no equivalent in a contract", masked(tokens)));
    }

    fn unique(&mut self, columns: &[String], object: &mut Fields) {
        match columns {
            [only] => {
                if let Some(property) = column(object, only) {
                    set(property, "unique", true);
                }
            }
            several => {
                let several: Vec<_> = several.iter().map(String::as_str).collect();
                push(object, "quality", distinct_rule(&several));
            }
        }
    }

    /// Columns as the table's own definitions spell them; `None` if one is no column of it.
    fn own_names(&self, group: &Cursor<'_>, object: &mut Fields) -> Option<Vec<String>> {
        let mut own = Vec::new();
        for name in plain_names(group)? {
            own.push(column(object, &name)?.get("name")?.as_str()?.to_owned());
        }
        (!own.is_empty()).then_some(own)
    }

    /// What comes after `REFERENCES`.
    pub(super) fn references(&mut self, cursor: &mut Cursor<'_>, columns: &[String], path: &str, object: &mut Fields) {
        let table = cursor.names().pop().unwrap_or_default();
        let referred = cursor.group().and_then(|group| plain_names(&group)).unwrap_or_default();
        self.actions(cursor);
        let targets = self.targets(&table, referred, columns.len(), object);
        match (columns, targets.as_slice()) {
            ([name], [target]) => match column(object, name) {
                Some(property) => foreign_key(&table, target, path, property, self.draft),
                None => self.draft.note(path, format!("the column `{}` does not exist", shortened(name))),
            },
            ([_], _) => self.draft.note(path, format!("the referenced columns of `{}` are unknown", shortened(&table))),
            _ => self.composite(&table, columns, &targets, path, object),
        }
    }

    /// Passes what a reference does when its target goes.
    fn actions(&self, cursor: &mut Cursor<'_>) {
        loop {
            if cursor.eat(&["ON", "DELETE"]) || cursor.eat(&["ON", "UPDATE"]) {
                let _ = cursor.eat(&["SET", "NULL"])
                    || cursor.eat(&["SET", "DEFAULT"])
                    || cursor.eat(&["NO", "ACTION"])
                    || cursor.name().is_some();
                cursor.group();
            } else if cursor.eat(&["MATCH"]) {
                cursor.name();
            } else {
                return;
            }
        }
    }

    /// The columns that a foreign key means.
    fn targets(&self, table: &str, referred: Vec<String>, n_columns: usize, own: &Fields) -> Vec<String> {
        if !referred.is_empty() {
            return referred;
        }
        // Without columns it means the other table's primary key.
        let mut tables = std::iter::once(own).chain(self.tables);
        let table = tables.find(|it| it.get("name").and_then(Value::as_str) == Some(table));
        let columns = table.and_then(|table| table.get("properties")?.as_array()).into_iter().flatten();
        let keys = columns.filter(|column| column.get("primaryKey") == Some(&Value::Bool(true)));
        let keys: Vec<_> = keys.filter_map(|column| column.get("name")?.as_str()).map(str::to_owned).collect();
        if keys.len() == n_columns { keys } else { Vec::new() }
    }

    fn composite(&mut self, table: &str, columns: &[String], targets: &[String], path: &str, object: &mut Fields) {
        let own = object.get("name").and_then(Value::as_str).unwrap_or_default().to_owned();
        let is_plain = |name: &str| name.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'_');
        let mut all = columns.iter().chain(targets).map(String::as_str).chain([own.as_str(), table]);
        if columns.is_empty() || targets.len() != columns.len() || !all.all(is_plain) {
            let table = shortened(table);
            return self.draft.note(path, format!("the foreign key to `{table}` cannot be expressed in a contract"));
        }
        let from: Vec<_> = columns.iter().map(|column| format!("{own}.{column}")).collect();
        let to: Vec<_> = targets.iter().map(|column| format!("{table}.{column}")).collect();
        push(object, "relationships", json!({ "type": "foreignKey", "from": from, "to": to }));
    }

    /// A check, of a column or of the table.
    ///
    /// # Errors
    /// If the expression is nested too deep.
    pub(super) fn check_of(
        &mut self,
        group: &Cursor<'_>,
        path: &str,
        object: &mut Fields,
        of: Option<&str>,
    ) -> Result<(), Problem> {
        match self.expression(group.rest())? {
            Some(expression) => self.check(&expression, path, object, of),
            None => self.in_words(&rendered(group.rest()), path, object, of),
        }
        Ok(())
    }

    /// What a check says that an option of a type can say; anything else is kept as a rule in words.
    fn check(&mut self, expression: &Expr, path: &str, object: &mut Fields, of: Option<&str>) {
        match expression {
            Expr::Nested(inner) => self.check(inner, path, object, of),
            Expr::BinaryOp { left, op: BinaryOperator::And, right } => {
                self.check(left, path, object, of);
                self.check(right, path, object, of);
            }
            other => {
                if bound(other, object).is_none() {
                    self.in_words(&other.to_string(), path, object, of);
                }
            }
        }
    }

    fn in_words(&mut self, text: &str, path: &str, object: &mut Fields, of: Option<&str>) {
        let rule = json!({ "type": "text", "description": format!("CHECK ({text})") });
        match of.and_then(|name| column(object, name)) {
            Some(property) => push(property, "quality", rule),
            None => push(object, "quality", rule),
        }
        self.draft.note(path, format!("`{}` is kept as text only", shortened(text)));
    }
}

/// Reads the condition of a `CHECK` on a column. What the column's options cannot say is kept as a rule in words.
pub(in super::super) fn check(
    dialect: Dialect,
    expression: &str,
    column: &str,
    path: &str,
    object: &mut Fields,
    draft: &mut Draft,
) {
    let grammar = tokens::grammar(dialect);
    let statements = tokens::statements(expression, dialect, draft).unwrap_or_default();
    let mut reader = Reader { draft, dialect, grammar: &*grammar, tables: &[] };
    let is_read = match statements.as_slice() {
        [one] if tokens::bounded(one).is_ok() => reader.check_of(&Cursor::new(one), path, object, Some(column)).is_ok(),
        _ => false,
    };
    if !is_read {
        reader.in_words(expression, path, object, Some(column));
    }
}

/// The names of a list of columns, with their order or length; `None` if one is an expression.
pub(super) fn plain_names(group: &Cursor<'_>) -> Option<Vec<String>> {
    let name = |mut item: Cursor<'_>| {
        let name = item.name()?;
        // MySQL's `name(10)` takes the first characters: if those are distinct, the whole is.
        item.group();
        let _ = item.eat(&["ASC"]) || item.eat(&["DESC"]);
        let _ = item.eat(&["NULLS", "FIRST"]) || item.eat(&["NULLS", "LAST"]) || item.eat(&["TIMESERIES"]);
        item.is_at_end().then_some(name)
    };
    group.items().into_iter().map(name).collect()
}
