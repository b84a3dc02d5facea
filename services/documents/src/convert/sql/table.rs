//! `CREATE TABLE`: columns with what is said of each, and what follows them.
//!
//! What no contract has a word for is passed up to the next clause that one has, and noted.

use serde_json::Value;
use sqlparser::tokenizer::Token;

use super::super::dialect;
use super::super::draft::{Fields, custom, push, set, set_text, with_name};
use super::super::types::Dialect;
use super::check::{default_value, literal};
use super::constraint::{Reader, plain_names};
use super::cursor::{Cursor, masked, rendered};
use super::kind::{Nulls, Types};
use super::lookup::column;
use crate::node::shortened;
use crate::problem::Problem;

/// Where a clause of a column begins that is read.
const OF_COLUMN: &[&str] = &[
    "CONSTRAINT",
    "NULL",
    "DEFAULT",
    "PRIMARY",
    "UNIQUE",
    "CHECK",
    "REFERENCES",
    "FOREIGN",
    "COMMENT",
    "OPTIONS",
    "GENERATED",
    "IDENTITY",
    "AUTO_INCREMENT",
    "AUTOINCREMENT",
    "AS",
    "MATERIALIZED",
    "ALIAS",
    "EPHEMERAL",
];
/// Where a default ends, besides.
const AFTER_DEFAULT: &[&str] = &[
    "ON",
    "ENCODE",
    "DISTKEY",
    "SORTKEY",
    "COLLATE",
    "CODEC",
    "TTL",
    "ENABLE",
    "DISABLE",
    "WITH",
    "MASKING",
    "MASK",
    "VISIBLE",
    "INVISIBLE",
    "ROWGUIDCOL",
    "SPARSE",
    "DEFERRABLE",
    "INITIALLY",
    "TAG",
    "STORAGE",
    "KEY",
];
/// Where a clause of a table begins that is read.
const OF_TABLE: &[&str] = &[
    "PARTITION",
    "PARTITIONED",
    "USING",
    "COMMENT",
    "TBLPROPERTIES",
    "WITH",
    "OPTIONS",
    "LOCATION",
    "BASE_LOCATION",
    "LIKE",
    "CLONE",
    "INHERITS",
    "PROPERTIES",
];

/// Where the expression of partitions ends, besides.
const AFTER_PARTITIONS: &[&str] =
    &["ORDER", "PRIMARY", "CLUSTER", "SETTINGS", "TTL", "SAMPLE", "PARTITIONS", "SUBPARTITION", "AUTO", "INTERVAL"];

/// Whether a clause of a table begins here that is read.
fn begins_clause(cursor: &Cursor<'_>) -> bool {
    cursor.is_any(OF_TABLE) || begins_query(cursor)
}

/// Whether the query begins here that fills the table: `AS SELECT`, and not `STORED AS`.
fn begins_query(cursor: &Cursor<'_>) -> bool {
    cursor.is(&["AS"])
        && (cursor.peek_at(1) == Some(&Token::LParen)
            || cursor.keyword_at(1).is_some_and(|next| ["SELECT", "WITH", "TABLE", "VALUES", "FROM"].contains(&&*next)))
}

impl Reader<'_> {
    /// The table whose name begins here; `None` if it has no columns of its own because it is a part of another.
    ///
    /// # Errors
    /// What cannot be read of it.
    pub(super) fn table(&mut self, cursor: &mut Cursor<'_>) -> Result<Option<Fields>, Problem> {
        cursor.eat(&["IF", "NOT", "EXISTS"]);
        let parts = self.table_name(cursor);
        let Some(name) = parts.last().cloned() else { return Err(cursor.expected("the name of a table")) };
        let mut object = with_name(&name);
        set(&mut object, "logicalType", "object");
        set(&mut object, "physicalType", "table");
        if parts.len() > 1 {
            set(&mut object, "physicalName", parts.join("."));
        }
        set(&mut object, "properties", Vec::<Value>::new());
        if cursor.is(&["PARTITION", "OF"]) {
            self.draft.note_at(cursor.line(), &name, "a partition of another table, which was omitted");
            return Ok(None);
        }
        let line = cursor.line();
        let before = cursor.until(|it| it.is_token(&Token::LParen) || begins_clause(it));
        if !before.is_empty() {
            self.omitted(line, &name, before);
        }
        if let Some(body) = cursor.group()
            && !body.is_any(&["SELECT", "WITH"])
        {
            self.body(&body, &name, &mut object)?;
        }
        self.tail(cursor, &name, &mut object)?;
        Ok(Some(object))
    }

    pub(super) fn table_name(&self, cursor: &mut Cursor<'_>) -> Vec<String> {
        let parts = cursor.names();
        if self.dialect == Dialect::BigQuery {
            // One pair of quotes may be around the whole.
            return parts.iter().flat_map(|part| part.split('.')).map(str::to_owned).collect();
        }
        parts
    }

    /// What is between the brackets.
    fn body(&mut self, body: &Cursor<'_>, table: &str, object: &mut Fields) -> Result<(), Problem> {
        let (mut definitions, mut constraints) = (Vec::new(), Vec::new());
        for mut item in body.items() {
            if self.is_constraint(&item) {
                constraints.push(item);
            } else {
                let (name, nulls) = self.column(&mut item, table, object)?;
                definitions.push((name, nulls, item));
            }
        }
        // These name columns of the table, so they follow them.
        for (name, nulls, mut item) in definitions {
            self.column_clauses(&mut item, &name, nulls, table, object)?;
        }
        for mut item in constraints {
            self.constraint(&mut item, table, object)?;
        }
        Ok(())
    }

    /// Whether an item between the brackets is no column.
    fn is_constraint(&self, item: &Cursor<'_>) -> bool {
        let Some(word) = item.keyword() else { return false };
        let has_group = |ahead: usize| item.peek_at(ahead) == Some(&Token::LParen);
        match word.as_str() {
            "CONSTRAINT" | "FOREIGN" => matches!(item.peek_at(1), Some(Token::Word(_))),
            "PRIMARY" => item.is(&["PRIMARY", "KEY"]),
            "UNIQUE" => has_group(1) || item.is_any(&["UNIQUE"]) && matches!(item.peek_at(1), Some(Token::Word(_))),
            "CHECK" | "EXCLUDE" => has_group(1) || item.is(&["EXCLUDE", "USING"]),
            "LIKE" => matches!(item.peek_at(1), Some(Token::Word(_))) && self.dialect != Dialect::MySql,
            "PERIOD" => item.is(&["PERIOD", "FOR"]),
            "SUPPLEMENTAL" => item.is(&["SUPPLEMENTAL", "LOG"]),
            "PROJECTION" | "INDEX" if self.dialect == Dialect::ClickHouse => true,
            "FULLTEXT" | "SPATIAL" => {
                matches!(self.dialect, Dialect::MySql | Dialect::Generic)
                    && (has_group(1)
                        || has_group(2)
                        || item.keyword_at(1).is_some_and(|next| next == "KEY" || next == "INDEX"))
            }
            "INDEX" | "KEY" if matches!(self.dialect, Dialect::MySql | Dialect::SqlServer) => true,
            "INDEX" | "KEY" if self.dialect == Dialect::Generic => {
                // Elsewhere a column may be called so.
                let is_type = item.keyword_at(1).is_some_and(|next| dialect::read(self.dialect, &next).is_some());
                has_group(1) || has_group(2) && !is_type
            }
            _ => false,
        }
    }

    /// A column's name and type.
    ///
    /// # Errors
    /// If it has neither.
    pub(super) fn column(
        &mut self,
        item: &mut Cursor<'_>,
        table: &str,
        object: &mut Fields,
    ) -> Result<(String, Nulls), Problem> {
        let name = item.name().ok_or_else(|| item.expected("the name of a column"))?;
        let path = format!("{table}.{name}");
        let mut property = with_name(&name);
        let is_typeless = item.is_at_end()
            || item.is_any(&["AS", "MATERIALIZED", "ALIAS", "EPHEMERAL"])
            || matches!(self.dialect, Dialect::Sqlite | Dialect::ClickHouse | Dialect::Oracle)
                && item.is_any(&[
                    "PRIMARY",
                    "NOT",
                    "NULL",
                    "UNIQUE",
                    "DEFAULT",
                    "CHECK",
                    "REFERENCES",
                    "GENERATED",
                    "COLLATE",
                    "CONSTRAINT",
                    "INVISIBLE",
                ]);
        let nulls = if is_typeless {
            self.draft.column(&path, 1)?;
            self.draft.note_at(item.line(), &path, "has no type");
            Nulls::Unsaid
        } else {
            Types { draft: &mut *self.draft, dialect: self.dialect }.read(item, &path, 1, &mut property)?
        };
        push(object, "properties", Value::Object(property));
        Ok((name, nulls))
    }

    /// What a column's definition says besides its type.
    ///
    /// # Errors
    /// If an expression is nested too deep.
    pub(super) fn column_clauses(
        &mut self,
        item: &mut Cursor<'_>,
        name: &str,
        nulls: Nulls,
        table: &str,
        object: &mut Fields,
    ) -> Result<(), Problem> {
        let path = format!("{table}.{name}");
        let promise = |object: &mut Fields, key: &str, value: Value| {
            if let Some(property) = column(object, name) {
                set(property, key, value);
            }
        };
        if nulls == Nulls::Never {
            promise(object, "required", true.into());
        }
        loop {
            self.states(item);
            if item.is_at_end() {
                return Ok(());
            }
            let line = item.line();
            if item.eat(&["CONSTRAINT"]) {
                item.name();
            } else if item.eat(&["NOT", "NULL"]) {
                if item.is(&["DISABLE"]) {
                    self.draft.note_at(line, &path, "`NOT NULL` is disabled and was omitted");
                    item.until(|it| it.is_any(OF_COLUMN));
                } else {
                    promise(object, "required", true.into());
                }
            } else if item.eat(&["NULL"]) {
                if let Some(property) = column(object, name) {
                    property.remove("required");
                }
            } else if item.eat(&["PRIMARY", "KEY"]) {
                if self.dialect == Dialect::ClickHouse {
                    self.draft.note_at(line, &path, "`PRIMARY KEY` has no equivalent in a contract: keys repeat here");
                } else {
                    promise(object, "primaryKey", true.into());
                    promise(object, "required", true.into());
                }
            } else if item.eat(&["UNIQUE"]) {
                let _ =
                    item.eat(&["KEY"]) || item.eat(&["NULLS", "NOT", "DISTINCT"]) || item.eat(&["NULLS", "DISTINCT"]);
                promise(object, "unique", true.into());
            } else if item.eat(&["DEFAULT"]) {
                let _ = item.eat(&["ON", "NULL"])
                    && (item.eat(&["FOR", "INSERT", "ONLY"]) || item.eat(&["FOR", "INSERT", "AND", "UPDATE"]));
                self.default(item, name, object)?;
            } else if item.eat(&["COMMENT"]) {
                item.eat_token(&Token::Eq);
                let text = item.text();
                if let Some(property) = column(object, name) {
                    set_text(property, "description", text.as_deref());
                }
            } else if item.is(&["OPTIONS"]) && item.peek_at(1) == Some(&Token::LParen) {
                item.next();
                if let (Some(options), Some(property)) = (item.group(), column(object, name)) {
                    Types { draft: &mut *self.draft, dialect: self.dialect }.options(&options, &path, property);
                }
            } else if item.eat(&["CHECK"]) {
                if let Some(group) = item.group() {
                    self.check_of(&group, &path, object, Some(name))?;
                }
            } else if item.is(&["REFERENCES"]) || item.is(&["FOREIGN", "KEY", "REFERENCES"]) {
                item.eat(&["FOREIGN", "KEY"]);
                item.next();
                self.references(item, &[name.to_owned()], &path, object);
            } else {
                self.made_or_other(item, name, &path, object);
            }
        }
    }

    /// Values that the database makes, and what no contract has a word for.
    fn made_or_other(&mut self, item: &mut Cursor<'_>, name: &str, path: &str, object: &mut Fields) {
        let line = item.line();
        let mut lookahead = item.clone();
        let is_generated = lookahead.eat(&["GENERATED", "ALWAYS"]) || lookahead.eat(&["GENERATED", "BY", "DEFAULT"]);
        lookahead.eat(&["ON", "NULL"]);
        let is_identity = is_generated && lookahead.is(&["AS", "IDENTITY"])
            || item.is_any(&["IDENTITY", "AUTO_INCREMENT"])
            || item.is(&["AUTOINCREMENT"]) && self.dialect != Dialect::Snowflake;
        // Snowflake and Delta let such a column be null.
        let fills_all = !matches!(self.dialect, Dialect::Snowflake | Dialect::Spark | Dialect::Hive);
        if is_identity
            && fills_all
            && let Some(property) = column(object, name)
        {
            set(property, "required", true);
        }
        let begin = item.rest();
        let is_passed = item.eat(&["GENERATED", "ALWAYS", "AS", "IDENTITY"])
            || item.eat(&["GENERATED", "BY", "DEFAULT", "AS", "IDENTITY"])
            || item.eat(&["GENERATED", "BY", "DEFAULT", "ON", "NULL", "AS", "IDENTITY"])
            || item.eat(&["GENERATED", "ALWAYS", "AS"]);
        if !is_passed {
            item.skip();
        }
        item.until(|it| {
            it.is_any(OF_COLUMN) || it.is(&["NOT", "NULL"]) || it.is(&["NOT", "ENFORCED"]) || it.is(&["ENABLE"])
        });
        let left = &begin[..begin.len() - item.rest().len()];
        self.draft.note_at(line, path, format!("`{}` has no equivalent in a contract", masked(left)));
    }

    /// The value of a column of which nothing is said; to the next clause.
    ///
    /// # Errors
    /// If it is nested too deep.
    pub(super) fn default(&mut self, item: &mut Cursor<'_>, name: &str, object: &mut Fields) -> Result<(), Problem> {
        let begin = item.rest();
        item.skip();
        // `'now'::timestamp with time zone`
        let is_zone = |it: &Cursor<'_>| it.is(&["WITH", "TIME"]);
        item.until(|it| it.is_any(OF_COLUMN) || it.is_any(AFTER_DEFAULT) && !is_zone(it) || it.is(&["NOT", "NULL"]));
        let tokens = &begin[..begin.len() - item.rest().len()];
        let value = match self.expression(tokens)? {
            Some(expression) => default_value(&expression),
            None => rendered(tokens).into(),
        };
        // A column without a default is null as well.
        if let Some(property) = column(object, name).filter(|_| !value.is_null()) {
            custom(property, "default", value);
        }
        Ok(())
    }

    /// What follows the columns.
    fn tail(&mut self, cursor: &mut Cursor<'_>, table: &str, object: &mut Fields) -> Result<(), Problem> {
        while !cursor.is_at_end() {
            let line = cursor.line();
            let begin = cursor.rest();
            if begins_query(cursor) || cursor.is_any(&["LIKE", "CLONE", "INHERITS"]) {
                cursor.until(|_| false);
                self.draft.note(table, "columns from a query or another table are unknown");
            } else if cursor.eat(&["PARTITION", "BY"]) {
                self.partition_by(cursor, table, object);
            } else if cursor.eat(&["PARTITIONED", "BY"]) {
                self.partitioned_by(cursor, table, object)?;
            } else if cursor.eat(&["USING"]) {
                let format = cursor.names().join(".");
                self.draft.note("", format!("the format `{}` is for a contract's servers", shortened(&format)));
            } else if cursor.eat(&["COMMENT"]) {
                cursor.eat_token(&Token::Eq);
                set_text(object, "description", cursor.text().as_deref());
            } else if cursor.is_any(&["LOCATION", "BASE_LOCATION"]) {
                let word = cursor.keyword().unwrap_or_default();
                cursor.next();
                cursor.eat_token(&Token::Eq);
                cursor.text();
                self.draft.note(table, format!("`{word}` is for a contract's servers, and was omitted"));
            } else if self.has_properties(cursor) {
                cursor.until(|it| it.is_token(&Token::LParen));
                if let Some(group) = cursor.group() {
                    self.properties(&group, table, object)?;
                }
            } else {
                cursor.skip();
                cursor.until(begins_clause);
                self.omitted(line, table, &begin[..begin.len() - cursor.rest().len()]);
            }
        }
        Ok(())
    }

    /// Whether properties of a table begin here: `WITH (...)` and its like. SQL Server's, and the options of a source
    /// of Spark's, are about storage.
    fn has_properties(&self, cursor: &Cursor<'_>) -> bool {
        let words: &[&str] = match self.dialect {
            Dialect::SqlServer => &[],
            Dialect::Spark | Dialect::Hive => &["TBLPROPERTIES"],
            Dialect::BigQuery => &["OPTIONS"],
            Dialect::Generic => &["TBLPROPERTIES", "OPTIONS", "WITH"],
            Dialect::Postgres
            | Dialect::Snowflake
            | Dialect::MySql
            | Dialect::DuckDb
            | Dialect::Redshift
            | Dialect::ClickHouse
            | Dialect::Sqlite
            | Dialect::Oracle => &["WITH", "PROPERTIES"],
        };
        cursor.is_any(words) && cursor.peek_at(1) == Some(&Token::LParen)
    }

    /// Names with values. What describes the table is its description, the others are custom properties.
    fn properties(&mut self, group: &Cursor<'_>, table: &str, object: &mut Fields) -> Result<(), Problem> {
        for mut item in group.items() {
            let whole = item.clone();
            let name = item.names().join(".");
            item.eat_token(&Token::Eq);
            if name.is_empty() || item.is_at_end() {
                self.omitted(whole.line(), table, whole.rest());
                continue;
            }
            let value = match self.expression(item.rest())? {
                Some(expression) => literal(&expression).unwrap_or_else(|| rendered(item.rest()).into()),
                None => rendered(item.rest()).into(),
            };
            if name.eq_ignore_ascii_case("description") || name.eq_ignore_ascii_case("comment") {
                set_text(object, "description", value.as_str());
            } else {
                custom(object, &name, value);
            }
        }
        Ok(())
    }

    /// `PARTITION BY` with columns, or with what makes partitions of them.
    fn partition_by(&mut self, cursor: &mut Cursor<'_>, table: &str, object: &mut Fields) {
        let line = cursor.line();
        let begin = cursor.rest();
        cursor.eat(&["LINEAR"]);
        let _ = ["RANGE", "LIST", "HASH", "KEY"].iter().any(|method| cursor.eat(&[method]));
        cursor.eat(&["COLUMNS"]);
        let ends = |it: &Cursor<'_>| {
            begins_clause(it)
                || it.is_any(AFTER_PARTITIONS)
                || it.is_token(&Token::LParen) && it.rest().len() < begin.len()
        };
        let columns = match cursor.group() {
            Some(group) => plain_names(&group),
            None => {
                let words = cursor.until(ends);
                match words {
                    [only] if !cursor.is_token(&Token::LParen) => {
                        Cursor::new(std::slice::from_ref(only)).name().map(|it| vec![it])
                    }
                    _ => {
                        cursor.until(|it| begins_clause(it) || it.is_any(AFTER_PARTITIONS));
                        None
                    }
                }
            }
        };
        match columns {
            Some(columns) => self.partition_columns(&columns, table, object),
            None => {
                let tokens = &begin[..begin.len() - cursor.rest().len()];
                self.draft.note_at(line, table, format!("`PARTITION BY {}` is not a list of columns", masked(tokens)));
            }
        }
    }

    /// `PARTITIONED BY` of Spark and Hive: names, columns, or what makes partitions of them.
    fn partitioned_by(&mut self, cursor: &mut Cursor<'_>, table: &str, object: &mut Fields) -> Result<(), Problem> {
        let Some(group) = cursor.group() else { return Ok(()) };
        let mut names = Vec::new();
        for mut item in group.items() {
            if item.peek_at(1) == Some(&Token::LParen) {
                self.draft.note_at(
                    item.line(),
                    table,
                    format!("`PARTITIONED BY ({})` is not a column", masked(item.rest())),
                );
                continue;
            }
            let Some(name) = item.clone().name() else { continue };
            // In Hive partition columns are defined here and nowhere else.
            if item.rest().len() > 1 && column(object, &name).is_none() {
                let (_, nulls) = self.column(&mut item, table, object)?;
                self.column_clauses(&mut item, &name, nulls, table, object)?;
            }
            names.push(name);
        }
        self.partition_columns(&names, table, object);
        Ok(())
    }

    fn partition_columns(&mut self, names: &[String], table: &str, object: &mut Fields) {
        let mut position = 0;
        for name in names {
            match column(object, name) {
                Some(property) => {
                    position += 1;
                    set(property, "partitioned", true);
                    set(property, "partitionKeyPosition", position);
                }
                None => {
                    self.draft.note(table, format!("the partition column `{}` does not exist", shortened(name)));
                }
            }
        }
    }
}
