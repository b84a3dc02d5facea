//! `sql` rules: one SELECT over the snapshot that returns one number.
//!
//! A query is checked in two steps before it runs: its text, as at publishing ([`sql_rule`]), and its plan (only allowed
//! nodes and functions, and the one table). Then its plan is made exact ([`exact`], [`sum`]), since the engine computes
//! with integers that wrap.

mod exact;
mod literal;
mod sum;

use std::sync::Arc;
use std::time::Duration;

use arrow::array::{Array, AsArray};
use arrow::compute::cast;
use arrow::datatypes::{DataType, Float64Type};
use datafusion::catalog::TableProvider as _;
use datafusion::common::tree_node::{TreeNode, TreeNodeRecursion};
use datafusion::common::{DataFusionError, TableReference};
use datafusion::execution::context::SQLOptions;
use datafusion::logical_expr::{Expr, LogicalPlan, WindowFunctionDefinition};
use datafusion::prelude::SessionContext;
use datafusion::sql::parser::Statement;
use domain::quality::Measured;
use sql_rule::{AGGREGATE_FUNCTIONS, Query, Refusal, SCALAR_FUNCTIONS, TABLE, WINDOW_FUNCTIONS};

use super::failure::runtime_failure;
use crate::scan::Snapshot;

/// The stack of the thread that plans and runs a query. A query of the maximum size is parsed, planned and dropped
/// recursively, and frames of a debug build take up to 300 KB. Unused stack costs only address space.
pub(super) const STACK_BYTES: usize = 512 * 1024 * 1024;

/// The queries of one inspection, run one after the other.
pub(super) struct Queries<'a> {
    context: &'a SessionContext,
    snapshot: &'a Arc<Snapshot>,
    max_duration: Duration,
    /// Whether a query was abandoned. It cannot be cancelled while an operator joins millions of rows; it ends with the
    /// process, and until then there is no memory for another.
    is_stuck: bool,
}

impl<'a> Queries<'a> {
    pub(super) fn new(context: &'a SessionContext, snapshot: &'a Arc<Snapshot>, max_duration: Duration) -> Self {
        Self { context, snapshot, max_duration, is_stuck: false }
    }

    /// Runs one query. Any failure is a [`Measured::Error`] of this rule alone.
    pub(super) async fn measure(&mut self, query: &str) -> Measured {
        if self.is_stuck {
            return Measured::Error("an earlier query did not end".to_owned());
        }
        let (sender, receiver) = tokio::sync::oneshot::channel();
        let (context, snapshot, query) = (self.context.clone(), self.snapshot.clone(), query.to_owned());
        let thread = std::thread::Builder::new().stack_size(STACK_BYTES).spawn(move || {
            let runtime = tokio::runtime::Builder::new_current_thread().max_blocking_threads(2).enable_all().build();
            let measured = runtime
                .map_err(|error| error.to_string())
                .and_then(|runtime| runtime.block_on(run(&context, snapshot, &query)));
            // The receiver is gone if the query was abandoned.
            let _ = sender.send(measured);
        });
        let Ok(thread) = thread else { return Measured::Error("it needs more memory than it may use".to_owned()) };
        let Ok(answer) = tokio::time::timeout(self.max_duration, receiver).await else {
            self.is_stuck = true;
            return Measured::Error(format!("the query took longer than {} s", self.max_duration.as_secs()));
        };
        // The thread has answered, or is unwinding. Its stack must be freed before the next query's is allocated, since
        // there is no memory for two.
        let _ = thread.join();
        match answer {
            Ok(Ok(number)) => Measured::Value(number),
            Ok(Err(reason)) => Measured::Error(reason),
            Err(_) => Measured::Error("the query crashed the engine".to_owned()),
        }
    }
}

/// Replaces the aggregates of the engine that wrap, and leaves out its rules that move the members of structs: they lose
/// the columns of a join.
pub(super) fn prepare(context: &SessionContext) {
    context.register_udaf(sum::sum());
    context.register_udaf(sum::average());
    for rule in ["extract_leaf_expressions", "push_down_leaf_projections"] {
        context.remove_optimizer_rule(rule);
    }
}

async fn run(context: &SessionContext, snapshot: Arc<Snapshot>, query: &str) -> Result<f64, String> {
    let schema = snapshot.schema();
    let columns: Vec<&str> = schema.fields().iter().map(|field| field.name().as_str()).collect();
    let statement = read(query, &columns).map_err(|refusal| refusal.to_string())?;
    // An earlier query registered the same table.
    context.deregister_table(TABLE).map_err(|error| error.to_string())?;
    context.register_table(TABLE, snapshot).map_err(|error| error.to_string())?;
    let plan = context.state().statement_to_plan(statement).await.map_err(|error| planning(&error))?;
    check_plan(&plan)?;
    let plan = exact::plan(plan).map_err(|error| planning(&error))?;
    let rows = context.execute_logical_plan(plan).await.and_then(|rows| rows.limit(0, Some(2)));
    let batches = rows.map_err(|error| planning(&error))?.collect().await.map_err(|error| runtime_failure(&error))?;
    let rows: usize = batches.iter().map(arrow::array::RecordBatch::num_rows).sum();
    let batch = match (rows, batches.iter().find(|batch| batch.num_rows() > 0)) {
        (1, Some(batch)) => batch,
        (0, _) => return Err("the query returns no row".to_owned()),
        _ => return Err("the query returns more than one row".to_owned()),
    };
    let [column] = batch.columns() else { return Err("the query returns more than one column".to_owned()) };
    if !column.data_type().is_numeric() {
        return Err(format!("the query returns no number: {}", column.data_type()));
    }
    let number = cast(column, &DataType::Float64).map_err(|_| "the query's number is too large".to_owned())?;
    let number = number.as_primitive::<Float64Type>();
    match number.is_valid(0).then(|| number.value(0)) {
        None => Err("the query returns NULL".to_owned()),
        Some(number) if number.is_finite() => Ok(number),
        Some(number) => Err(format!("the query returns {number}")),
    }
}

/// The text as one SELECT over these columns of [`TABLE`].
fn read(query: &str, columns: &[&str]) -> Result<Statement, Refusal> {
    let mut query = Query::read(query)?;
    query.bind(columns)?;
    let mut statement = query.into_statement();
    literal::keep_exact(&mut statement);
    Ok(Statement::Statement(Box::new(statement)))
}

/// Checks the plan with all its subqueries before it is optimised or run.
fn check_plan(plan: &LogicalPlan) -> Result<(), String> {
    let options = SQLOptions::new().with_allow_ddl(false).with_allow_dml(false).with_allow_statements(false);
    options.verify_plan(plan).map_err(|error| planning(&error))?;
    let mut refused = None;
    let walked = plan.apply_with_subqueries(|node| {
        refused = check_node(node).err();
        if refused.is_some() {
            return Ok(TreeNodeRecursion::Stop);
        }
        node.apply_expressions(|expr| {
            expr.apply(|expr| {
                refused = check_function(expr).err();
                Ok(if refused.is_some() { TreeNodeRecursion::Stop } else { TreeNodeRecursion::Continue })
            })
        })
    });
    walked.map_err(|error| planning(&error))?;
    refused.map_or(Ok(()), Err)
}

fn check_node(node: &LogicalPlan) -> Result<(), String> {
    let what = match node {
        LogicalPlan::Projection(_)
        | LogicalPlan::Filter(_)
        | LogicalPlan::Window(_)
        | LogicalPlan::Aggregate(_)
        | LogicalPlan::Sort(_)
        | LogicalPlan::Join(_)
        | LogicalPlan::EmptyRelation(_)
        | LogicalPlan::Subquery(_)
        | LogicalPlan::SubqueryAlias(_)
        | LogicalPlan::Limit(_)
        | LogicalPlan::Distinct(_) => return Ok(()),
        LogicalPlan::TableScan(scan) if scan.table_name == TableReference::bare(TABLE) => return Ok(()),
        LogicalPlan::TableScan(_) => "a table other than `${table}`",
        LogicalPlan::Union(_) => "UNION",
        LogicalPlan::Values(_) => "VALUES",
        LogicalPlan::Unnest(_) => "UNNEST",
        LogicalPlan::RecursiveQuery(_) => "a recursive query",
        LogicalPlan::Repartition(_)
        | LogicalPlan::Statement(_)
        | LogicalPlan::Explain(_)
        | LogicalPlan::Analyze(_)
        | LogicalPlan::Extension(_)
        | LogicalPlan::Dml(_)
        | LogicalPlan::Ddl(_)
        | LogicalPlan::Copy(_)
        | LogicalPlan::DescribeTable(_) => "something that is not a query",
    };
    Err(format!("the query contains {what}"))
}

fn check_function(expr: &Expr) -> Result<(), String> {
    let allowed = |name: &str, names: &[&str]| {
        if names.contains(&name) { Ok(()) } else { Err(format!("the query calls `{name}`, which is not allowed")) }
    };
    match expr {
        Expr::ScalarFunction(call) => allowed(call.name(), SCALAR_FUNCTIONS),
        Expr::AggregateFunction(call) => allowed(call.func.name(), AGGREGATE_FUNCTIONS),
        Expr::WindowFunction(call) => match &call.fun {
            WindowFunctionDefinition::AggregateUDF(function) => allowed(function.name(), AGGREGATE_FUNCTIONS),
            WindowFunctionDefinition::WindowUDF(function) => allowed(function.name(), WINDOW_FUNCTIONS),
        },
        Expr::ScalarVariable(_, _) | Expr::Placeholder(_) => Err("the query contains a variable".to_owned()),
        _ => Ok(()),
    }
}

/// The message of the parser or planner. It is about the query's text and columns, never about rows.
fn planning(error: &DataFusionError) -> String {
    let text = error.strip_backtrace();
    let line: String = text.lines().next().unwrap_or_default().chars().take(300).collect();
    format!("the query cannot be planned: {line}")
}
