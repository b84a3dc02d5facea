//! Statements to a contract.
//!
//! A statement that creates or completes no table is noted with its line and left out.

use serde_json::Value;
use sqlparser::tokenizer::{Token, TokenWithSpan};

use super::super::draft::{Draft, Fields, set_text};
use super::super::types::{Dialect, ImportOptions};
use super::constraint::Reader;
use super::cursor::Cursor;
use super::lookup::{column, find, position};
use super::tokens;
use crate::node::shortened;
use crate::problem::Problem;

/// A table and the place of its name.
struct Found {
    object: Fields,
    place: (u64, u64),
}

/// Reads the tables that the statements create.
pub(in super::super) fn import(
    text: &str,
    dialect: Dialect,
    options: &ImportOptions,
    draft: &mut Draft,
) -> Result<(), Problem> {
    let grammar = tokens::grammar(dialect);
    let mut tables: Vec<Fields> = Vec::new();
    let mut places = Vec::new();
    for statement in tokens::statements(text, dialect, draft)? {
        let mut cursor = Cursor::new(&statement);
        if let Some(n_words) = tokens::table_modifiers(&cursor) {
            tokens::bounded(&statement)?;
            (0..n_words).for_each(|_| cursor.skip());
            let place = cursor.place();
            let mut reader = Reader { draft: &mut *draft, dialect, grammar: &*grammar, tables: &tables };
            if let Some(object) = reader.table(&mut cursor)? {
                tables.push(object);
                places.push(place);
            }
        } else if cursor.eat(&["ALTER", "TABLE"]) {
            cursor.eat(&["IF", "EXISTS"]);
            cursor.eat(&["ONLY"]);
            let line = cursor.line();
            let mut reader = Reader { draft: &mut *draft, dialect, grammar: &*grammar, tables: &[] };
            let parts = reader.table_name(&mut cursor);
            let Some(index) = position(&tables, &parts) else {
                let what = "`ALTER TABLE` of a table that is not created here was omitted";
                draft.note_at(line, &parts.join("."), what);
                continue;
            };
            tokens::bounded(&statement)?;
            // It is taken out, so that what it refers to can be looked up in the others.
            let mut table = std::mem::take(&mut tables[index]);
            reader.tables = &tables;
            let name = table.get("name").and_then(Value::as_str).unwrap_or_default().to_owned();
            reader.alter(&cursor, &name, &mut table)?;
            tables[index] = table;
        } else if !commented(&mut cursor, &mut tables) && !described(&mut cursor, &mut tables) {
            omitted(&statement, draft);
        }
    }
    let found = tables.into_iter().zip(places).map(|(object, place)| Found { object, place }).collect();
    draft.objects = chosen(found, options, draft)?;
    Ok(())
}

/// Notes a statement by its first words: what follows may be a secret.
fn omitted(statement: &[TokenWithSpan], draft: &mut Draft) {
    let cursor = Cursor::new(statement);
    let words = (0..2).map_while(|ahead| cursor.keyword_at(ahead));
    let words: Vec<_> = words.map(|word| shortened(&word)).collect();
    let shown = if words.is_empty() { "...".to_owned() } else { format!("{} ...", words.join(" ")) };
    draft.note_at(cursor.line(), "", format!("the statement `{shown}` creates no table and was omitted"));
}

/// `COMMENT ON TABLE` and `COMMENT ON COLUMN` of a table here.
fn commented(cursor: &mut Cursor<'_>, tables: &mut [Fields]) -> bool {
    if !cursor.eat(&["COMMENT"]) {
        return false;
    }
    cursor.eat(&["IF", "EXISTS"]);
    if !cursor.eat(&["ON"]) {
        return false;
    }
    let is_table = cursor.eat(&["TABLE"]);
    if !is_table && !cursor.eat(&["COLUMN"]) {
        return false;
    }
    let mut parts = cursor.names();
    let name = if is_table { None } else { parts.pop() };
    let fields = match (find(tables, &parts), name) {
        (Some(table), None) => Some(table),
        (Some(table), Some(name)) => column(table, &name),
        (None, _) => None,
    };
    let Some(fields) = fields else { return false };
    if !cursor.eat(&["IS"]) {
        return false;
    }
    set_text(fields, "description", cursor.text().as_deref());
    true
}

/// SQL Server's descriptions: `EXEC sp_addextendedproperty @name=N'MS_Description', @value=N'...', ...`.
fn described(cursor: &mut Cursor<'_>, tables: &mut [Fields]) -> bool {
    if !cursor.eat(&["EXEC"]) && !cursor.eat(&["EXECUTE"]) {
        return false;
    }
    if !cursor.names().last().is_some_and(|name| name.eq_ignore_ascii_case("sp_addextendedproperty")) {
        return false;
    }
    const ORDER: [&str; 8] =
        ["@name", "@value", "@level0type", "@level0name", "@level1type", "@level1name", "@level2type", "@level2name"];
    let mut values: [Option<String>; 8] = Default::default();
    for (position, mut item) in cursor.items().into_iter().enumerate() {
        let mut named = item.clone();
        let name = named.name().filter(|_| named.eat_token(&Token::Eq));
        let index = match &name {
            Some(name) => ORDER.iter().position(|known| known.eq_ignore_ascii_case(name)),
            None => Some(position),
        };
        let value = if name.is_some() { &mut named } else { &mut item };
        if let Some(slot) = index.and_then(|index| values.get_mut(index)) {
            *slot = value.text().or_else(|| value.name());
        }
    }
    let [name, value, _, schema, kind, table, below, column_name] = values;
    let is = |word: &Option<String>, wanted: &str| word.as_ref().is_some_and(|it| it.eq_ignore_ascii_case(wanted));
    if !is(&name, "MS_Description") || !is(&kind, "TABLE") {
        return false;
    }
    let parts: Vec<_> = schema.into_iter().chain(table).collect();
    let Some(table) = find(tables, &parts) else { return false };
    let fields = match (below, column_name) {
        (None, None) => Some(table),
        (Some(kind), Some(name)) if kind.eq_ignore_ascii_case("COLUMN") => column(table, &name),
        _ => None,
    };
    match fields {
        Some(fields) => set_text(fields, "description", value.as_deref()),
        None => return false,
    }
    true
}

/// The tables that are wanted, each under a name of its own.
fn chosen(mut found: Vec<Found>, options: &ImportOptions, draft: &mut Draft) -> Result<Vec<Fields>, Problem> {
    let text = |object: &Fields, key: &str| object.get(key).and_then(Value::as_str).map(str::to_owned);
    if let Some(wanted) = &options.object {
        let is_it = |found: &Found| {
            ["name", "physicalName"].iter().any(|key| text(&found.object, key).as_ref() == Some(wanted))
        };
        if found.iter().any(is_it) {
            found.retain(is_it);
            draft.is_chosen = true;
        }
    }
    let mut seen = std::collections::HashMap::new();
    for Found { object, place } in &found {
        let Some(name) = text(object, "name") else { continue };
        let whole = text(object, "physicalName").unwrap_or_else(|| name.clone());
        if let Some(other) = seen.insert(name.clone(), whole.clone()) {
            let [name, other, whole] = [name, other, whole].map(|it| shortened(&it));
            let message = format!(
                "another table is called `{name}`: import one at a time, with `--object {other}` or `--object {whole}`"
            );
            return Err(Problem { line: place.0, column: place.1, path: String::new(), message });
        }
    }
    Ok(found.into_iter().map(|found| found.object).collect())
}
