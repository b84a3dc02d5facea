//! Types of columns, members, items, keys and values.

use serde_json::{Map, Value, json};
use sqlparser::tokenizer::Token;

use super::super::dialect;
use super::super::draft::{Draft, Fields, enumeration, set, set_text, with_name};
use super::super::types::Dialect;
use super::cursor::{Cursor, masked, rendered};
use super::typed;
use crate::node::shortened;
use crate::problem::Problem;

/// What a type alone says about null.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Nulls {
    /// Nothing.
    Unsaid,
    Allowed,
    /// A value is always there: the database makes it.
    Never,
}

/// The types of one dialect.
pub(super) struct Types<'d> {
    pub(super) draft: &'d mut Draft,
    pub(super) dialect: Dialect,
}

impl Types<'_> {
    /// The type that begins here.
    ///
    /// # Errors
    /// If none begins here, or it does not end, or is nested too deep.
    pub(super) fn read(
        &mut self,
        cursor: &mut Cursor<'_>,
        path: &str,
        depth: usize,
        column: &mut Fields,
    ) -> Result<Nulls, Problem> {
        self.draft.column(path, depth)?;
        let mut own = Map::new();
        let nulls = self.named(cursor, path, depth, &mut own)?;
        let mut n_lists = 0;
        // `int[]`, `int[3]`, `int ARRAY[3]`.
        while matches!(cursor.peek(), Some(Token::LBracket)) || cursor.is(&["ARRAY"]) {
            cursor.eat(&["ARRAY"]);
            if cursor.is_token(&Token::LBracket) {
                cursor.skip();
            }
            n_lists += 1;
            self.draft.column(path, depth + n_lists)?;
            own = list(own);
        }
        // ClickHouse has no null but where a type admits it.
        if self.dialect == Dialect::ClickHouse && nulls != Nulls::Allowed {
            set(&mut own, "required", true);
        }
        column.extend(own);
        Ok(nulls)
    }

    fn named(
        &mut self,
        cursor: &mut Cursor<'_>,
        path: &str,
        depth: usize,
        column: &mut Fields,
    ) -> Result<Nulls, Problem> {
        let Some(word) = cursor.keyword() else { return self.scalar(cursor, path, column) };
        let is_value = matches!(cursor.peek_at(2), Some(Token::SingleQuotedString(_) | Token::Number(..)));
        let opens = match cursor.peek_at(1) {
            // ClickHouse's `Object('json')` has no types in its brackets.
            Some(Token::LParen) if is_value && !word.starts_with("ENUM") => None,
            Some(Token::LParen) => Some(Bracket::Round),
            Some(Token::Lt) => Some(Bracket::Angle),
            // `STRUCT<>`
            Some(Token::Neq) => Some(Bracket::Empty),
            _ => None,
        };
        let Some(bracket) = opens else { return self.scalar(cursor, path, column) };
        match word.as_str() {
            "ARRAY" | "LIST" => {
                bracket.open(cursor);
                let mut items = Map::new();
                self.part(cursor, path, depth + 1, &mut items)?;
                bracket.close(cursor)?;
                column.extend(list(items));
            }
            "MAP" => {
                bracket.open(cursor);
                let (mut key, mut value) = (Map::new(), Map::new());
                self.part(cursor, path, depth + 1, &mut key)?;
                if !cursor.eat_token(&Token::Comma) {
                    return Err(cursor.expected("a comma"));
                }
                self.part(cursor, path, depth + 1, &mut value)?;
                bracket.close(cursor)?;
                set(&mut key, "required", true);
                set(column, "logicalType", "map");
                set(column, "physicalType", "map");
                set(column, "map", json!({ "key": key, "value": value }));
            }
            "STRUCT" | "ROW" | "TUPLE" | "OBJECT" | "RECORD" => self.members(bracket, cursor, path, depth, column)?,
            "NESTED" => {
                let mut items = Map::new();
                self.members(bracket, cursor, path, depth + 1, &mut items)?;
                column.extend(list(items));
            }
            "NULLABLE" | "LOWCARDINALITY" => {
                bracket.open(cursor);
                let nulls = self.read(cursor, path, depth + 1, column)?;
                bracket.close(cursor)?;
                column.remove("required");
                return Ok(if word == "NULLABLE" { Nulls::Allowed } else { nulls });
            }
            "SIMPLEAGGREGATEFUNCTION" => {
                bracket.open(cursor);
                cursor.until(|cursor| cursor.is_token(&Token::Comma));
                cursor.eat_token(&Token::Comma);
                let nulls = self.read(cursor, path, depth + 1, column)?;
                bracket.close(cursor)?;
                return Ok(nulls);
            }
            "ENUM" | "ENUM8" | "ENUM16" => {
                cursor.next();
                let group = cursor.group().ok_or_else(|| cursor.expected("values"))?;
                let values: Vec<_> = group.items().iter_mut().filter_map(Cursor::text).map(Value::from).collect();
                set(column, "logicalType", "string");
                set(column, "physicalType", "enum");
                set(column, "enum", enumeration(&values));
            }
            _ => return self.scalar(cursor, path, column),
        }
        Ok(Nulls::Unsaid)
    }

    /// A type inside of another, with what dialects say about it there.
    fn part(&mut self, cursor: &mut Cursor<'_>, path: &str, depth: usize, fields: &mut Fields) -> Result<(), Problem> {
        self.read(cursor, path, depth, fields)?;
        loop {
            if cursor.eat(&["NOT", "NULL"]) {
                set(fields, "required", true);
            } else if cursor.eat(&["COMMENT"]) {
                set_text(fields, "description", cursor.text().as_deref());
            } else if cursor.eat(&["OPTIONS"]) {
                if let Some(options) = cursor.group() {
                    self.options(&options, path, fields);
                }
            } else if cursor.eat(&["NULL"]) {
            } else if cursor.is_any(&["COLLATE", "DEFAULT"]) {
                let ends = |it: &Cursor<'_>| {
                    matches!(it.peek(), Some(Token::Comma | Token::Gt | Token::ShiftRight | Token::RParen))
                        || it.is_any(&["COMMENT", "OPTIONS"])
                        || it.is(&["NOT", "NULL"])
                };
                let left = cursor.until(ends);
                self.draft.note(path, format!("`{}` has no equivalent in a contract", masked(left)));
            } else {
                return Ok(());
            }
        }
    }

    /// BigQuery's `OPTIONS` of a column or member.
    pub(super) fn options(&mut self, options: &Cursor<'_>, path: &str, fields: &mut Fields) {
        for mut option in options.items() {
            let Some(name) = option.name() else { continue };
            option.eat_token(&Token::Eq);
            match option.text() {
                Some(text) if name.eq_ignore_ascii_case("description") => set_text(fields, "description", Some(&text)),
                _ => {
                    self.draft.note(path, format!("the option `{}` has no equivalent in a contract", shortened(&name)))
                }
            }
        }
    }

    fn members(
        &mut self,
        bracket: Bracket,
        cursor: &mut Cursor<'_>,
        path: &str,
        depth: usize,
        column: &mut Fields,
    ) -> Result<(), Problem> {
        bracket.open(cursor);
        let mut properties = Vec::new();
        while !bracket.is_closed(cursor) {
            // A member may have no name. A name is followed by a type, or by a colon.
            let is_named = match cursor.peek_at(1) {
                Some(Token::Colon) => true,
                Some(Token::Word(next)) => {
                    let first = cursor.keyword().unwrap_or_default();
                    !dialect::continues(self.dialect, &first, &next.value)
                        && !cursor.is(&[&*first, "NOT", "NULL"])
                        && !cursor.is(&[&*first, "OPTIONS"])
                }
                _ => false,
            };
            let name = if is_named { cursor.name() } else { None };
            cursor.eat_token(&Token::Colon);
            let name = name.unwrap_or_else(|| format!("field_{}", properties.len() + 1));
            let mut property = with_name(&name);
            self.part(cursor, &format!("{path}.{name}"), depth + 1, &mut property)?;
            properties.push(Value::Object(property));
            if !cursor.eat_token(&Token::Comma) {
                break;
            }
        }
        bracket.close(cursor)?;
        set(column, "logicalType", "object");
        set(column, "physicalType", "struct");
        set(column, "properties", properties);
        Ok(())
    }

    /// A type without parts.
    fn scalar(&mut self, cursor: &mut Cursor<'_>, path: &str, column: &mut Fields) -> Result<Nulls, Problem> {
        // SQLite takes a text for a name.
        if !matches!(cursor.peek(), Some(Token::Word(_))) && self.dialect != Dialect::Sqlite {
            return Err(cursor.expected("a type"));
        }
        let schema = cursor.names();
        let Some(mut base) = schema.last().cloned() else { return Err(cursor.expected("a type")) };
        let mut suffix = String::new();
        while let Some(word) = cursor.keyword() {
            let goes_on = dialect::continues(self.dialect, &base, &word)
                && !["WITH", "WITHOUT"].contains(&word.as_str())
                || self.dialect == Dialect::Sqlite && !SQLITE_ENDS.contains(&word.as_str());
            if !goes_on {
                break;
            }
            base.push(' ');
            base.push_str(&cursor.name().unwrap_or_default());
        }
        let arguments = cursor.group().map(|group| {
            let items: Vec<_> = group.items().iter().map(|item| rendered(item.rest())).collect();
            items
        });
        for zone in [&["WITH", "TIME", "ZONE"][..], &["WITHOUT", "TIME", "ZONE"], &["WITH", "LOCAL", "TIME", "ZONE"]] {
            if cursor.eat(zone) {
                suffix = format!(" {}", zone.join(" "));
            }
        }
        while cursor.keyword().is_some_and(|word| dialect::is_sign(self.dialect, &word)) {
            suffix.push(' ');
            suffix.push_str(&cursor.name().unwrap_or_default());
        }
        if base.eq_ignore_ascii_case("interval") {
            while cursor.is_any(&["YEAR", "MONTH", "DAY", "HOUR", "MINUTE", "SECOND", "TO"]) {
                suffix.push(' ');
                suffix.push_str(&cursor.name().unwrap_or_default());
                if let Some(group) = cursor.group() {
                    suffix.push_str(&format!("({})", rendered(group.rest())));
                }
            }
        }
        let written = match &arguments {
            Some(arguments) => format!("{base}({}){suffix}", arguments.join(",")),
            None => format!("{base}{suffix}"),
        };
        let is_known = dialect::knows(self.dialect, &written);
        let physical = if is_known && dialect::ignores_case(self.dialect) {
            written.to_ascii_uppercase()
        } else if schema.len() > 1 && !is_known {
            format!("{}.{written}", schema[..schema.len() - 1].join("."))
        } else {
            written
        };
        typed(self.dialect, &physical, column);
        if !column.contains_key("logicalType") {
            self.draft.note(path, format!("`{}` is a type without a logical type", shortened(&physical)));
        }
        if base.eq_ignore_ascii_case("set") && self.dialect == Dialect::MySql {
            self.draft.note(path, "the members of a `SET` have no equivalent in a contract");
        }
        let makes_values = SERIALS.iter().any(|serial| serial.eq_ignore_ascii_case(&base));
        let has_serial = matches!(self.dialect, Dialect::Generic | Dialect::Postgres | Dialect::MySql);
        Ok(if makes_values && has_serial { Nulls::Never } else { Nulls::Unsaid })
    }
}

/// Types whose values the database counts.
const SERIALS: &[&str] = &["serial", "bigserial", "smallserial", "serial2", "serial4", "serial8"];
/// What ends a type of SQLite's, which is any words.
const SQLITE_ENDS: &[&str] =
    &["CONSTRAINT", "PRIMARY", "NOT", "NULL", "UNIQUE", "CHECK", "DEFAULT", "COLLATE", "REFERENCES", "GENERATED", "AS"];

fn list(items: Fields) -> Fields {
    let mut column = Map::new();
    set(&mut column, "logicalType", "array");
    set(&mut column, "physicalType", "array");
    set(&mut column, "items", items);
    column
}

/// The brackets around the parts of a type.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Bracket {
    Round,
    Angle,
    /// `<>`, read as one token.
    Empty,
}

impl Bracket {
    /// Passes the word before the bracket, and the bracket.
    fn open(self, cursor: &mut Cursor<'_>) {
        cursor.next();
        cursor.next();
    }

    fn is_closed(self, cursor: &Cursor<'_>) -> bool {
        match self {
            Self::Round => cursor.is_token(&Token::RParen) || cursor.is_at_end(),
            Self::Angle => matches!(cursor.peek(), Some(Token::Gt | Token::ShiftRight) | None),
            Self::Empty => true,
        }
    }

    fn close(self, cursor: &mut Cursor<'_>) -> Result<(), Problem> {
        let is_closed = match self {
            Self::Round => cursor.eat_token(&Token::RParen),
            Self::Angle => cursor.eat_greater(),
            Self::Empty => true,
        };
        if is_closed { Ok(()) } else { Err(cursor.expected("the end of the type")) }
    }
}
