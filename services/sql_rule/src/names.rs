//! The names in a query: which columns they mean.
//!
//! Names have no scopes here: what a query declares anywhere (an alias, a name of `WITH`) is known everywhere in it. The
//! engine, which has scopes, makes the rest of the difference.

use std::collections::HashSet;
use std::ops::ControlFlow;

use sqlparser::ast::{
    AccessExpr, Expr, Function, FunctionArg, FunctionArgExpr, FunctionArguments, Ident, JoinConstraint, JoinOperator,
    ObjectName, ObjectNamePart, Query, Select, SelectItem, SelectItemQualifiedWildcardKind, SetExpr, Statement,
    TableAlias, TableFactor, TableWithJoins, Visit, VisitMut, Visitor, VisitorMut,
};
use sqlparser::tokenizer::Span;

use crate::{Refusal, TABLE};

/// The only part of a name that has one.
pub(crate) fn single(name: &ObjectName) -> Option<&Ident> {
    match name.0.as_slice() {
        [ObjectNamePart::Identifier(ident)] => Some(ident),
        _ => None,
    }
}

/// Spells every name of a column as the column is.
pub(crate) fn bind(statement: &mut Statement, columns: &[&str]) -> Result<(), Refusal> {
    let mut declared = Declared::default();
    let _ = Visit::visit(&*statement, &mut declared);
    match statement.visit(&mut Binder { columns, declared }) {
        ControlFlow::Continue(()) => Ok(()),
        ControlFlow::Break(refusal) => Err(*refusal),
    }
}

/// The names that a query declares.
#[derive(Default)]
struct Declared {
    /// Tables and their aliases, in lower case.
    tables: HashSet<String>,
    /// Columns with an unquoted name, in lower case.
    unquoted: HashSet<String>,
    /// Columns with a quoted name.
    quoted: HashSet<String>,
    /// Whether a column may have a name that the engine made of its expression.
    has_made_names: bool,
    /// Where the members of structs are named.
    members: HashSet<Span>,
    n_queries: usize,
}

impl Declared {
    fn column(&mut self, name: &Ident) {
        match name.quote_style {
            None => self.unquoted.insert(name.value.to_lowercase()),
            Some(_) => self.quoted.insert(name.value.clone()),
        };
    }

    fn table(&mut self, alias: &TableAlias) {
        self.tables.insert(alias.name.value.to_lowercase());
        alias.columns.iter().for_each(|column| self.column(&column.name));
    }
}

impl Visitor for Declared {
    type Break = ();

    fn pre_visit_query(&mut self, query: &Query) -> ControlFlow<()> {
        self.n_queries += 1;
        query.with.iter().flat_map(|with| &with.cte_tables).for_each(|table| self.table(&table.alias));
        let SetExpr::Select(select) = query.body.as_ref() else { return ControlFlow::Continue(()) };
        for item in &select.projection {
            match item {
                SelectItem::ExprWithAlias { alias, .. } => self.column(alias),
                SelectItem::UnnamedExpr(Expr::Identifier(_) | Expr::CompoundIdentifier(_))
                | SelectItem::Wildcard(_)
                | SelectItem::QualifiedWildcard(..) => {}
                SelectItem::UnnamedExpr(_) => self.has_made_names |= self.n_queries > 1,
            }
        }
        ControlFlow::Continue(())
    }

    fn pre_visit_relation(&mut self, relation: &ObjectName) -> ControlFlow<()> {
        self.tables.extend(single(relation).map(|name| name.value.to_lowercase()));
        ControlFlow::Continue(())
    }

    fn pre_visit_table_factor(&mut self, factor: &TableFactor) -> ControlFlow<()> {
        match factor {
            TableFactor::Table { alias: Some(alias), .. }
            | TableFactor::Derived { alias: Some(alias), .. }
            | TableFactor::NestedJoin { alias: Some(alias), .. } => self.table(alias),
            _ => {}
        }
        ControlFlow::Continue(())
    }

    fn pre_visit_expr(&mut self, expr: &Expr) -> ControlFlow<()> {
        if let Expr::CompoundFieldAccess { access_chain, .. } = expr {
            for access in access_chain {
                if let AccessExpr::Dot(Expr::Identifier(member)) = access {
                    self.members.insert(member.span);
                }
            }
        }
        ControlFlow::Continue(())
    }
}

struct Binder<'a> {
    columns: &'a [&'a str],
    declared: Declared,
}

impl Binder<'_> {
    /// The columns that an unquoted name may mean.
    fn candidates(&self, name: &Ident) -> Vec<&str> {
        let lower = name.value.to_lowercase();
        let declared = self.declared.quoted.iter().map(String::as_str);
        let declared = declared.filter(|declared| !self.columns.contains(declared));
        let mut found: Vec<&str> =
            self.columns.iter().copied().chain(declared).filter(|column| column.to_lowercase() == lower).collect();
        found.sort_unstable();
        found
    }

    /// Spells a name that is used as a column's.
    fn column(&self, name: &mut Ident) -> Result<(), Refusal> {
        if name.quote_style.is_some() {
            let known = self.columns.contains(&name.value.as_str())
                || self.declared.quoted.contains(&name.value)
                || self.declared.unquoted.contains(&name.value)
                || self.declared.has_made_names;
            return if known { Ok(()) } else { Err(Refusal::UnknownColumn(name.value.clone())) };
        }
        match self.candidates(name).as_slice() {
            [] if self.declared.unquoted.contains(&name.value.to_lowercase()) => Ok(()),
            [] => Err(Refusal::UnknownColumn(name.value.clone())),
            [column] => {
                *name = Ident { value: (*column).to_owned(), quote_style: Some('"'), span: name.span };
                Ok(())
            }
            several => {
                let columns = several.iter().map(|column| (*column).to_owned()).collect();
                Err(Refusal::AmbiguousColumn { name: name.value.clone(), columns })
            }
        }
    }

    /// Spells a name that is declared here, so that it stays the same as where it is used.
    fn declaration(&self, name: &mut Ident) {
        if name.quote_style.is_none()
            && let [column] = self.candidates(name).as_slice()
        {
            *name = Ident { value: (*column).to_owned(), quote_style: Some('"'), span: name.span };
        }
    }

    /// The same for a table's; that of the one table is not declared in the query.
    fn table(&self, name: &mut Ident) {
        if !name.value.eq_ignore_ascii_case(TABLE) {
            self.declaration(name);
        }
    }

    fn relation(&self, relation: &mut ObjectName) {
        if let [ObjectNamePart::Identifier(name)] = relation.0.as_mut_slice() {
            self.table(name);
        }
    }

    fn alias(&self, alias: &mut TableAlias) {
        self.table(&mut alias.name);
        alias.columns.iter_mut().for_each(|column| self.declaration(&mut column.name));
    }

    fn path(&self, names: &mut [Ident]) -> Result<(), Refusal> {
        let Some((first, rest)) = names.split_first_mut() else { return Ok(()) };
        match rest.first_mut() {
            Some(column) if self.declared.tables.contains(&first.value.to_lowercase()) => {
                self.table(first);
                self.column(column)
            }
            Some(_) | None => self.column(first),
        }
    }

    fn select(&self, select: &mut Select) -> Result<(), Refusal> {
        for item in &mut select.projection {
            match item {
                SelectItem::ExprWithAlias { alias, .. } => self.declaration(alias),
                SelectItem::QualifiedWildcard(SelectItemQualifiedWildcardKind::ObjectName(table), _) => {
                    self.relation(table);
                }
                SelectItem::QualifiedWildcard(SelectItemQualifiedWildcardKind::Expr(_), _)
                | SelectItem::UnnamedExpr(_)
                | SelectItem::Wildcard(_) => {}
            }
        }
        select.from.iter_mut().try_for_each(|from| self.joins(from))
    }

    fn joins(&self, tables: &mut TableWithJoins) -> Result<(), Refusal> {
        for join in &mut tables.joins {
            let Some(JoinConstraint::Using(names)) = constraint(&mut join.join_operator) else { continue };
            for name in names {
                if let [ObjectNamePart::Identifier(ident)] = name.0.as_mut_slice() {
                    self.column(ident)?;
                }
            }
        }
        Ok(())
    }
}

fn constraint(operator: &mut JoinOperator) -> Option<&mut JoinConstraint> {
    match operator {
        JoinOperator::Join(constraint)
        | JoinOperator::Inner(constraint)
        | JoinOperator::Left(constraint)
        | JoinOperator::LeftOuter(constraint)
        | JoinOperator::Right(constraint)
        | JoinOperator::RightOuter(constraint)
        | JoinOperator::FullOuter(constraint)
        | JoinOperator::CrossJoin(constraint)
        | JoinOperator::Semi(constraint)
        | JoinOperator::LeftSemi(constraint)
        | JoinOperator::RightSemi(constraint)
        | JoinOperator::Anti(constraint)
        | JoinOperator::LeftAnti(constraint)
        | JoinOperator::RightAnti(constraint)
        | JoinOperator::AsOf { constraint, .. }
        | JoinOperator::StraightJoin(constraint) => Some(constraint),
        JoinOperator::CrossApply | JoinOperator::OuterApply => None,
    }
}

fn judged(result: Result<(), Refusal>) -> ControlFlow<Box<Refusal>> {
    match result {
        Ok(()) => ControlFlow::Continue(()),
        Err(refusal) => ControlFlow::Break(Box::new(refusal)),
    }
}

/// Makes one path of the names in front of a subscript, as the parser does where there is none: the first of `t.s['a']`
/// may be a table.
fn join_names(root: &mut Expr, access_chain: &mut Vec<AccessExpr>) {
    let Expr::Identifier(first) = root else { return };
    let mut names = vec![first.clone()];
    names.extend(access_chain.iter().map_while(|access| match access {
        AccessExpr::Dot(Expr::Identifier(name)) => Some(name.clone()),
        _ => None,
    }));
    if names.len() > 1 {
        access_chain.drain(..names.len() - 1);
        *root = Expr::CompoundIdentifier(names);
    }
}

impl VisitorMut for Binder<'_> {
    type Break = Box<Refusal>;

    fn pre_visit_query(&mut self, query: &mut Query) -> ControlFlow<Self::Break> {
        for table in query.with.iter_mut().flat_map(|with| &mut with.cte_tables) {
            self.alias(&mut table.alias);
        }
        match query.body.as_mut() {
            SetExpr::Select(select) => judged(self.select(select)),
            _ => ControlFlow::Continue(()),
        }
    }

    fn pre_visit_relation(&mut self, relation: &mut ObjectName) -> ControlFlow<Self::Break> {
        self.relation(relation);
        ControlFlow::Continue(())
    }

    fn pre_visit_table_factor(&mut self, factor: &mut TableFactor) -> ControlFlow<Self::Break> {
        match factor {
            TableFactor::Table { alias, .. } | TableFactor::Derived { alias, .. } => {
                alias.iter_mut().for_each(|alias| self.alias(alias));
            }
            TableFactor::NestedJoin { alias, table_with_joins } => {
                alias.iter_mut().for_each(|alias| self.alias(alias));
                return judged(self.joins(table_with_joins));
            }
            _ => {}
        }
        ControlFlow::Continue(())
    }

    fn pre_visit_expr(&mut self, expr: &mut Expr) -> ControlFlow<Self::Break> {
        match expr {
            Expr::Identifier(name) if !self.declared.members.contains(&name.span) => judged(self.column(name)),
            Expr::CompoundIdentifier(names) => judged(self.path(names)),
            Expr::CompoundFieldAccess { root, access_chain } => {
                join_names(root, access_chain);
                ControlFlow::Continue(())
            }
            Expr::Function(Function { args: FunctionArguments::List(list), .. }) => {
                for argument in &mut list.args {
                    if let FunctionArg::Unnamed(FunctionArgExpr::QualifiedWildcard(table)) = argument {
                        self.relation(table);
                    }
                }
                ControlFlow::Continue(())
            }
            _ => ControlFlow::Continue(()),
        }
    }
}
