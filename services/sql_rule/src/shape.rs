//! What a query consists of: SELECTs over the table and over each other, with allowed functions.

use std::collections::HashSet;
use std::ops::ControlFlow;

use sqlparser::ast::{
    BinaryOperator, Expr, Function, ObjectName, Query, Select, SelectItem, SetExpr, Statement, TableFactor, Value,
    Visit, Visitor,
};

use crate::functions::{WINDOW_FUNCTIONS, canonical_name};
use crate::names::single;
use crate::{Reads, Refusal, TABLE};

/// Whether the statement is a query that a rule may be.
pub(crate) fn check(statement: &Statement) -> Result<(), Refusal> {
    let Statement::Query(query) = statement else { return Err(Refusal::NotASelect) };
    if !matches!(query.body.as_ref(), SetExpr::Select(_)) {
        return Err(Refusal::NotASelect);
    }
    match statement.visit(&mut Shape { declared: declared_tables(statement) }) {
        ControlFlow::Continue(()) => Ok(()),
        ControlFlow::Break(refusal) => Err(*refusal),
    }
}

/// The names that a query may read besides the table's: those of `WITH`, in lower case.
pub(crate) fn declared_tables(statement: &Statement) -> HashSet<String> {
    let mut tables = Tables::default();
    let _ = statement.visit(&mut tables);
    tables.0
}

#[derive(Default)]
struct Tables(HashSet<String>);

impl Visitor for Tables {
    type Break = ();

    fn pre_visit_query(&mut self, query: &Query) -> ControlFlow<()> {
        let tables = query.with.iter().flat_map(|with| &with.cte_tables);
        self.0.extend(tables.map(|table| table.alias.name.value.to_lowercase()));
        ControlFlow::Continue(())
    }
}

struct Shape {
    declared: HashSet<String>,
}

type Judged = ControlFlow<Box<Refusal>>;

fn refused(refusal: Refusal) -> Judged {
    ControlFlow::Break(Box::new(refusal))
}

impl Visitor for Shape {
    type Break = Box<Refusal>;

    fn pre_visit_query(&mut self, query: &Query) -> Judged {
        if query.with.as_ref().is_some_and(|with| with.recursive) {
            return refused(Refusal::Contains("a recursive query"));
        }
        body(&query.body)
    }

    fn pre_visit_statement(&mut self, statement: &Statement) -> Judged {
        // A query may hold an INSERT, UPDATE or DELETE.
        if matches!(statement, Statement::Query(_)) {
            ControlFlow::Continue(())
        } else {
            refused(Refusal::Contains("something that is not a query"))
        }
    }

    fn pre_visit_relation(&mut self, relation: &ObjectName) -> Judged {
        let known = single(relation).is_some_and(|name| {
            let name = name.value.to_lowercase();
            name == TABLE || self.declared.contains(&name)
        });
        if known { ControlFlow::Continue(()) } else { refused(Refusal::OtherTable(relation.to_string())) }
    }

    fn pre_visit_table_factor(&mut self, factor: &TableFactor) -> Judged {
        match factor {
            TableFactor::Table { args: None, .. } | TableFactor::Derived { .. } | TableFactor::NestedJoin { .. } => {
                ControlFlow::Continue(())
            }
            TableFactor::UNNEST { .. } => refused(Refusal::Contains("UNNEST")),
            TableFactor::Table { .. } | TableFactor::TableFunction { .. } | TableFactor::Function { .. } => {
                refused(Refusal::Contains("a table function"))
            }
            _ => refused(Refusal::Contains("a table other than `${table}`")),
        }
    }

    fn pre_visit_expr(&mut self, expr: &Expr) -> Judged {
        let what = match expr {
            Expr::Function(call) => return function(call),
            Expr::Identifier(name) if name.quote_style.is_none() && name.value.starts_with('@') => "a variable",
            Expr::CompoundIdentifier(names)
                if names.first().is_some_and(|name| name.quote_style.is_none() && name.value.starts_with('@')) =>
            {
                "a variable"
            }
            Expr::Value(value) if matches!(value.value, Value::Placeholder(_)) => "a variable",
            // `a IS DISTINCT FROM b AND c` would be `a IS DISTINCT FROM (b AND c)`.
            Expr::IsDistinctFrom(_, right) | Expr::IsNotDistinctFrom(_, right)
                if matches!(
                    right.as_ref(),
                    Expr::BinaryOp { op: BinaryOperator::And | BinaryOperator::Or | BinaryOperator::Xor, .. }
                ) =>
            {
                return refused(Refusal::Unclear);
            }
            Expr::Overlay { .. } => return refused(Refusal::Function("overlay".to_owned())),
            Expr::InUnnest { .. } => "UNNEST",
            Expr::Array(_) | Expr::Dictionary(_) | Expr::Map(_) | Expr::Struct { .. } | Expr::Named { .. } => {
                "a list, map or struct of its own"
            }
            Expr::Lambda(_) | Expr::MatchAgainst { .. } | Expr::OuterJoin(_) | Expr::Prior(_) | Expr::MemberOf(_) => {
                "an expression that the engine does not have"
            }
            _ => return ControlFlow::Continue(()),
        };
        refused(Refusal::Contains(what))
    }
}

fn body(body: &SetExpr) -> Judged {
    let what = match body {
        SetExpr::Select(select) => return select_parts(select),
        // Its own body is visited too.
        SetExpr::Query(_) => return ControlFlow::Continue(()),
        SetExpr::SetOperation { .. } => "UNION, EXCEPT or INTERSECT",
        SetExpr::Values(_) => "VALUES",
        SetExpr::Table(_) => "TABLE",
        SetExpr::Insert(_) | SetExpr::Update(_) | SetExpr::Delete(_) | SetExpr::Merge(_) => {
            "something that is not a query"
        }
    };
    refused(Refusal::Contains(what))
}

fn select_parts(select: &Select) -> Judged {
    if select.into.is_some() {
        return refused(Refusal::Contains("INTO"));
    }
    if !select.lateral_views.is_empty() {
        return refused(Refusal::Contains("LATERAL VIEW"));
    }
    ControlFlow::Continue(())
}

fn function(call: &Function) -> Judged {
    let known = single(&call.name).and_then(|name| canonical_name(&name.value));
    match known {
        None => refused(Refusal::Function(call.name.to_string().to_lowercase())),
        Some(name) if call.over.is_none() && WINDOW_FUNCTIONS.contains(&name) => {
            refused(Refusal::Contains("a window function without OVER"))
        }
        Some(_) => ControlFlow::Continue(()),
    }
}

/// What the query looks at.
pub(crate) fn reads(statement: &Statement) -> Reads {
    let mut seen = Seen::default();
    let _ = statement.visit(&mut seen);
    if seen.table && (seen.column || seen.count) { Reads::Table } else { Reads::Nothing }
}

#[derive(Default)]
struct Seen {
    table: bool,
    column: bool,
    count: bool,
}

impl Visitor for Seen {
    type Break = ();

    fn pre_visit_query(&mut self, query: &Query) -> ControlFlow<()> {
        if let SetExpr::Select(select) = query.body.as_ref() {
            let is_wildcard =
                |item: &SelectItem| matches!(item, SelectItem::Wildcard(_) | SelectItem::QualifiedWildcard(..));
            self.column |= select.projection.iter().any(is_wildcard);
        }
        ControlFlow::Continue(())
    }

    fn pre_visit_relation(&mut self, relation: &ObjectName) -> ControlFlow<()> {
        self.table |= single(relation).is_some_and(|name| name.value.eq_ignore_ascii_case(TABLE));
        ControlFlow::Continue(())
    }

    fn pre_visit_expr(&mut self, expr: &Expr) -> ControlFlow<()> {
        match expr {
            Expr::Identifier(_) | Expr::CompoundIdentifier(_) => self.column = true,
            Expr::Function(call) => {
                self.count |= single(&call.name).is_some_and(|name| name.value.eq_ignore_ascii_case("count"));
            }
            _ => {}
        }
        ControlFlow::Continue(())
    }
}
