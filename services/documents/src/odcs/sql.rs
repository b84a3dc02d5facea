//! `sql` rules: the table's own name in them, and whether they can run on a table as the contract declares it.

use std::sync::Arc;

use domain::contract::{Measure, Property, Quality, SchemaObject, query_over};
use serde_json::Value;
use sql_rule::{Query, Reads, Refusal, with_table};

use crate::code::Code;
use crate::reader::{At, Reader};

/// The stack of the thread that reads a query. The parser is recursive, and its frames in a debug build take up to 300
/// KB. Unused stack costs only address space.
const STACK_BYTES: usize = 128 * 1024 * 1024;

/// Checks all `sql` rules of a schema object, and gives those that read the object by its name `${table}` instead.
pub(super) fn resolve(at: &At<'_>, object: &mut SchemaObject, reader: &mut Reader) {
    let stored = object.properties.iter().filter(|property| property.is_stored());
    let columns = stored.map(|property| property.column_name().to_owned()).collect();
    let names = [Some(object.name.clone()), object.physical_name.clone()].into_iter().flatten().collect();
    reader.about(Code::Sql, |reader| {
        let mut resolver = Resolver { names, columns, path: Vec::new(), reader };
        resolver.rules(at, &mut object.quality);
        resolver.properties(at, &mut object.properties);
    });
}

struct Resolver<'a> {
    /// The names of the object.
    names: Vec<String>,
    /// The table's columns; none if the contract does not list them.
    columns: Vec<String>,
    /// Where the rules are, in the table.
    path: Vec<String>,
    reader: &'a mut Reader,
}

impl Resolver<'_> {
    fn properties(&mut self, at: &At<'_>, properties: &mut [Arc<Property>]) {
        for (at, property) in at.list("properties").iter().zip(properties) {
            self.property(at, Arc::make_mut(property));
        }
    }

    fn property(&mut self, at: &At<'_>, property: &mut Property) {
        self.path.push(property.column_name().to_owned());
        self.rules(at, &mut property.quality);
        self.properties(at, &mut property.members);
        if let (Some(at), Some(items)) = (at.get("items"), &mut property.items) {
            self.property(&at, items);
        }
        if let (Some(at), Some(map)) = (at.get("map"), &mut property.map) {
            for (name, types) in [("key", &mut map.key), ("value", &mut map.value)] {
                if let Some(at) = at.get(name) {
                    self.property(&at, types);
                }
            }
        }
        self.path.pop();
    }

    fn rules(&mut self, at: &At<'_>, rules: &mut [Quality]) {
        for (at, rule) in at.list("quality").iter().zip(rules) {
            let Measure::Sql { query } = &mut rule.measure else { continue };
            let at = at.get("query").unwrap_or_else(|| at.clone());
            let (text, judged) = self.judge(query);
            *query = text;
            match judged {
                Ok(Reads::Table) => {}
                Ok(Reads::Nothing) => {
                    self.reader.warning(&at, "the query reads no column and counts no rows: its answer never changes");
                }
                Err(refusal) => self.reader.problem(&at, format!("the rule can never run: {refusal}")),
            }
        }
    }

    /// The query over `${table}`, and what it reads.
    fn judge(&self, query: &str) -> (String, Result<Reads, Refusal>) {
        let (names, columns, path) = (&self.names, &self.columns, &self.path);
        let judge = || {
            let names: Vec<&str> = names.iter().map(String::as_str).collect();
            let text = with_table(query, &names);
            let filled_in = if path.is_empty() { text.clone() } else { query_over(&text, path) };
            let judged = Query::read(&filled_in).and_then(|mut query| {
                if !columns.is_empty() {
                    query.bind(columns)?;
                }
                Ok(query.reads())
            });
            (text, judged)
        };
        on_large_stack(judge).unwrap_or_else(|| {
            (query.to_owned(), Err(Refusal::Unreadable("it needs more memory than there is".to_owned())))
        })
    }
}

/// What the work gives; `None` if there is no memory for it.
fn on_large_stack<T: Send>(work: impl FnOnce() -> T + Send) -> Option<T> {
    std::thread::scope(|scope| {
        let thread = std::thread::Builder::new().stack_size(STACK_BYTES).spawn_scoped(scope, work);
        thread.ok().and_then(|thread| thread.join().ok())
    })
}

/// Gives the rules of a contract that read their object by its name `${table}` instead, for a format in which the object
/// may have another name or none.
pub(crate) fn name_no_object(contract: &mut Value) {
    let Some(Value::Array(objects)) = contract.get_mut("schema") else { return };
    for object in objects {
        let name = |field: &str| object.get(field).and_then(Value::as_str).map(str::to_owned);
        let names: Vec<String> = ["name", "physicalName"].into_iter().filter_map(name).collect();
        name_no_object_below(object, &names);
    }
}

fn name_no_object_below(value: &mut Value, names: &[String]) {
    match value {
        Value::Object(fields) if fields.get("type").is_some_and(|kind| kind == "sql") => {
            if let Some(Value::String(query)) = fields.get_mut("query") {
                let names: Vec<&str> = names.iter().map(String::as_str).collect();
                if let Some(text) = on_large_stack(|| with_table(query, &names)) {
                    *query = text;
                }
            }
        }
        Value::Object(fields) => fields.values_mut().for_each(|value| name_no_object_below(value, names)),
        Value::Array(items) => items.iter_mut().for_each(|value| name_no_object_below(value, names)),
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => {}
    }
}
