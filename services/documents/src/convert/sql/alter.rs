//! `ALTER TABLE`, as dumps and tools complete a table with it.

use serde_json::Value;
use sqlparser::tokenizer::Token;

use super::super::draft::{Fields, set};
use super::super::types::Dialect;
use super::constraint::Reader;
use super::cursor::{Cursor, masked};
use super::kind::Nulls;
use super::lookup::column;
use crate::problem::Problem;

impl Reader<'_> {
    /// The operations of the statement, after the table's name.
    ///
    /// # Errors
    /// What cannot be read of them.
    pub(super) fn alter(&mut self, cursor: &Cursor<'_>, table: &str, object: &mut Fields) -> Result<(), Problem> {
        let mut is_adding = false;
        for mut item in cursor.items() {
            item.eat_token(&Token::Mul);
            let _ = item.eat(&["WITH", "CHECK"]) || item.eat(&["WITH", "NOCHECK"]);
            let line = item.line();
            let whole = item.rest();
            // SQL Server adds several things with one word.
            let adds = item.eat(&["ADD"]) || is_adding && self.dialect == Dialect::SqlServer;
            is_adding = adds;
            if adds {
                self.add(&mut item, whole, table, object)?;
            } else if item.eat(&["ALTER"]) {
                self.alter_column(&mut item, whole, table, object)?;
            } else if item.eat(&["MODIFY"]) {
                item.eat(&["COLUMN"]);
                match item.group() {
                    Some(group) => {
                        for mut item in group.items() {
                            self.modify(&mut item, table, object)?;
                        }
                    }
                    None => self.modify(&mut item, table, object)?,
                }
            } else if item.eat(&["CHECK", "CONSTRAINT"]) {
                // It is checked from now on, as it is anyway.
            } else {
                self.draft.note_at(line, table, format!("`{}` was omitted", masked(whole)));
            }
        }
        Ok(())
    }

    fn add(
        &mut self,
        item: &mut Cursor<'_>,
        whole: &[sqlparser::tokenizer::TokenWithSpan],
        table: &str,
        object: &mut Fields,
    ) -> Result<(), Problem> {
        // `ADD CONSTRAINT d DEFAULT (0) FOR a`
        let mut default = item.clone();
        if default.eat(&["CONSTRAINT"]) {
            default.name();
        }
        if default.eat(&["DEFAULT"]) {
            let mut of = default.clone();
            of.until(|it| it.is(&["FOR"]));
            of.eat(&["FOR"]);
            let name = of.name().unwrap_or_default();
            let value = default.until(|it| it.is(&["FOR"]));
            return self.default(&mut Cursor::new(value), &name, object);
        }
        let is_constraint = item.is_any(&["CONSTRAINT", "PRIMARY", "UNIQUE", "FOREIGN", "CHECK", "EXCLUDE"]);
        if is_constraint {
            return self.constraint(item, table, object);
        }
        let is_index = item.is_any(&["INDEX", "KEY", "FULLTEXT", "SPATIAL", "PARTITION", "SUPPLEMENTAL"]);
        if is_index {
            self.omitted(item.line(), table, whole);
            return Ok(());
        }
        let _ = item.eat(&["COLUMN"]) || item.eat(&["COLUMNS"]);
        item.eat(&["IF", "NOT", "EXISTS"]);
        let items = match item.group() {
            Some(group) => group.items(),
            None => vec![item.clone()],
        };
        for mut item in items {
            let starts_constraint = item.is_any(&["CONSTRAINT", "PRIMARY", "UNIQUE", "FOREIGN", "CHECK"]);
            if starts_constraint {
                self.constraint(&mut item, table, object)?;
                continue;
            }
            let (name, nulls) = self.column(&mut item, table, object)?;
            self.column_clauses(&mut item, &name, nulls, table, object)?;
        }
        Ok(())
    }

    /// PostgreSQL's `ALTER COLUMN`.
    fn alter_column(
        &mut self,
        item: &mut Cursor<'_>,
        whole: &[sqlparser::tokenizer::TokenWithSpan],
        table: &str,
        object: &mut Fields,
    ) -> Result<(), Problem> {
        let line = item.line();
        item.eat(&["COLUMN"]);
        let name = item.name().unwrap_or_default();
        if item.eat(&["SET", "NOT", "NULL"]) {
            if let Some(property) = column(object, &name) {
                set(property, "required", true);
            }
        } else if item.eat(&["SET", "DEFAULT"]) {
            self.default(item, &name, object)?;
        } else if item.eat(&["ADD"]) {
            self.column_clauses(item, &name, Nulls::Unsaid, table, object)?;
        } else {
            self.draft.note_at(line, table, format!("`{}` was omitted", masked(whole)));
        }
        Ok(())
    }

    /// A column's definition anew, as MySQL and Oracle write what they add to it.
    fn modify(&mut self, item: &mut Cursor<'_>, table: &str, object: &mut Fields) -> Result<(), Problem> {
        let name = item.clone().name().unwrap_or_default();
        let mut fresh = Fields::new();
        let is_known = column(object, &name).is_some();
        if !is_known {
            self.omitted(item.line(), table, item.rest());
            return Ok(());
        }
        let has_type = !{
            let mut after = item.clone();
            after.next();
            after.is_any(&["NOT", "NULL", "DEFAULT", "CONSTRAINT", "PRIMARY", "UNIQUE", "CHECK", "GENERATED"])
        };
        let nulls = if has_type {
            set(&mut fresh, "properties", Vec::<Value>::new());
            let (_, nulls) = self.column(item, table, &mut fresh)?;
            if let (Some(Value::Object(new)), Some(old)) =
                (fresh.get("properties").and_then(|all| all.get(0)), column(object, &name))
            {
                for key in ["logicalType", "logicalTypeOptions", "physicalType", "properties", "items", "map", "enum"] {
                    match new.get(key) {
                        Some(value) => drop(old.insert(key.to_owned(), value.clone())),
                        None => drop(old.remove(key)),
                    }
                }
            }
            nulls
        } else {
            item.next();
            Nulls::Unsaid
        };
        self.column_clauses(item, &name, nulls, table, object)
    }
}
