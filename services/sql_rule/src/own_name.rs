//! The table's own name in a query, as in the examples of ODCS.

use std::ops::ControlFlow;

use sqlparser::ast::{Ident, ObjectName, ObjectNamePart, Statement, TableFactor, Visit, Visitor};
use sqlparser::dialect::GenericDialect;
use sqlparser::parser::Parser;
use sqlparser::tokenizer::Location;

use crate::shape::declared_tables;
use crate::{MAX_QUERY_BYTES, MAX_RECURSION, tokens};

/// Placeholders with words of the same length in their place, so that places in the text stay the same.
const PLACEHOLDERS: [(&str, &str); 6] = [
    ("${table}", "snapshot"),
    ("${object}", "snapshot "),
    ("${column}", "_column__"),
    ("${property}", "_property__"),
    ("{column}", "_column_"),
    ("{property}", "_property_"),
];

/// The query with `${table}` wherever it reads a table of one of these names; unchanged if it does not, or cannot be
/// read.
pub fn with_table(query: &str, names: &[&str]) -> String {
    let found = find(query, names).unwrap_or_default();
    let mut text = query.to_owned();
    for Found { start, end, alias } in found.into_iter().rev() {
        if text.get(start..end).is_some() {
            text.replace_range(
                start..end,
                &alias.map_or_else(|| "${table}".to_owned(), |name| format!("${{table}} AS {name}")),
            );
        }
    }
    text
}

/// Where a table is read, in bytes; and the name that its columns have before them, if it is not an alias.
struct Found {
    start: usize,
    end: usize,
    alias: Option<Ident>,
}

fn find(query: &str, names: &[&str]) -> Option<Vec<Found>> {
    if query.len() > MAX_QUERY_BYTES {
        return None;
    }
    let text = PLACEHOLDERS.iter().fold(query.to_owned(), |text, (from, to)| text.replace(from, to));
    let parser = Parser::new(&GenericDialect {}).with_recursion_limit(MAX_RECURSION);
    let statements = parser.with_tokens_with_locations(tokens(&text).ok()?).parse_statements().ok()?;
    let [statement @ Statement::Query(_)] = statements.as_slice() else { return None };
    let mut finder = Finder { text: &text, names, declared: declared_tables(statement), found: Vec::new() };
    let _ = statement.visit(&mut finder);
    finder.found.sort_by_key(|found| found.start);
    Some(finder.found)
}

struct Finder<'a> {
    text: &'a str,
    names: &'a [&'a str],
    declared: std::collections::HashSet<String>,
    found: Vec<Found>,
}

impl Finder<'_> {
    /// The first and the last part of a name of the table.
    fn own<'n>(&self, name: &'n ObjectName) -> Option<(&'n Ident, &'n Ident)> {
        let parts: Option<Vec<&Ident>> = name.0.iter().map(ObjectNamePart::as_ident).collect();
        let parts = parts?;
        let joined = parts.iter().map(|part| part.value.as_str()).collect::<Vec<_>>().join(".");
        let is_exact = parts.iter().any(|part| part.quote_style.is_some());
        let is = |own: &&str| if is_exact { **own == joined } else { own.to_lowercase() == joined.to_lowercase() };
        let is_declared = parts.len() == 1 && self.declared.contains(&joined.to_lowercase());
        if is_declared || !self.names.iter().any(is) { None } else { Some((*parts.first()?, *parts.last()?)) }
    }
}

impl Visitor for Finder<'_> {
    type Break = ();

    fn pre_visit_table_factor(&mut self, factor: &TableFactor) -> ControlFlow<()> {
        if let TableFactor::Table { name, alias, args: None, .. } = factor
            && let Some((first, last)) = self.own(name)
            && let Some(start) = offset(self.text, first.span.start)
            && let Some(end) = offset(self.text, last.span.end)
        {
            self.found.push(Found { start, end, alias: alias.is_none().then(|| last.clone()) });
        }
        ControlFlow::Continue(())
    }
}

/// The byte at a place; lines and columns count from 1, columns in characters.
fn offset(text: &str, place: Location) -> Option<usize> {
    let (line, column) = (usize::try_from(place.line).ok()?, usize::try_from(place.column).ok()?);
    let before: usize = text.split_inclusive('\n').take(line.checked_sub(1)?).map(str::len).sum();
    let after = text.get(before..)?;
    let within = after.char_indices().nth(column.checked_sub(1)?).map_or(after.len(), |(index, _)| index);
    Some(before + within)
}
