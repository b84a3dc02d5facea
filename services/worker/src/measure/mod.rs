//! Measuring the rules of a job on the rows of a snapshot.
//!
//! All rules that count rows are one aggregate over one scan, which reads only the columns they need. `sql` rules are
//! separate queries over the same table. A rule that cannot be measured has an error of its own and does not affect
//! others; if rows cannot be read, the inspection fails.

mod duplicates;
mod expression;
mod failure;
mod sql;

use std::sync::Arc;
use std::time::Duration;

use anyhow::Context;
use arrow::array::{ArrayRef, AsArray};
use arrow::datatypes::Int64Type;
use datafusion::common::{DFSchema, DataFusionError};
use datafusion::execution::SessionStateBuilder;
use datafusion::execution::disk_manager::{DiskManagerBuilder, DiskManagerMode};
use datafusion::execution::memory_pool::GreedyMemoryPool;
use datafusion::execution::runtime_env::RuntimeEnvBuilder;
use datafusion::functions_aggregate::expr_fn::count;
use datafusion::logical_expr::{Expr, ExprFunctionExt, lit};
use datafusion::prelude::{SessionConfig, SessionContext};
use domain::quality::{Check, Measured, Rule, Unit};
use inspect::wire::Limits;

use self::failure::runtime_failure;
use crate::error::{Failure, Result};
use crate::scan::Snapshot;
use crate::table::Table;

/// The number of rows in a batch of a query.
const BATCH_ROWS: usize = 8192;

/// Measures each rule, in order.
///
/// # Errors
/// [`Failure::Unreadable`] if rows cannot be read.
pub(crate) async fn measure(table: &Table, rules: &[Rule], limits: Limits) -> Result<Vec<Measured>, Failure> {
    let snapshot = Arc::new(Snapshot::new(table.rows.clone()));
    // The memory besides a query's stack is shared with the program itself, the readers, and allocations that the pool
    // does not account for. A rule that exhausts the pool fails alone.
    let memory_bytes = usize::try_from(limits.memory_bytes).unwrap_or(usize::MAX);
    let context = session(memory_bytes.saturating_sub(sql::STACK_BYTES) / 2)?;
    let mut queries = sql::Queries::new(&context, &snapshot, Duration::from_secs(limits.query_seconds));
    let columns = table.rows.schema();
    let schema = DFSchema::try_from(columns.as_ref().clone()).context("cannot prepare the rules")?;
    let plans: Vec<Plan<'_>> = rules.iter().map(|rule| plan(&context, &schema, table.n_rows, rule)).collect();
    let counts = if table.n_rows == 0 { Ok(Vec::new()) } else { count_all(&context, &snapshot, &plans).await };
    let mut counts = counts.map(Vec::into_iter);
    let mut measured = Vec::with_capacity(plans.len());
    for plan in plans {
        snapshot.failure()?;
        measured.push(match (plan, &mut counts) {
            (Plan::Constant(measured), _) => measured,
            (Plan::Query(query), _) => queries.measure(query).await,
            (Plan::Count { .. }, Err(reason)) => Measured::Error(reason.clone()),
            (Plan::Count { unit, .. }, Ok(counts)) => in_unit(counts.next().unwrap_or(0), table.n_rows, unit),
        });
    }
    snapshot.failure()?;
    Ok(measured)
}

fn in_unit(broken: i64, n_rows: u64, unit: Unit) -> Measured {
    Measured::Value(match unit {
        Unit::Rows => broken as f64,
        Unit::Percent if n_rows == 0 => 0.0,
        Unit::Percent => broken as f64 * 100.0 / n_rows as f64,
    })
}

/// One thread of work, no spilling to disk, no catalog, no table function.
fn session(pool_bytes: usize) -> anyhow::Result<SessionContext> {
    let disk = DiskManagerBuilder::default().with_mode(DiskManagerMode::Disabled);
    let runtime = RuntimeEnvBuilder::new()
        .with_memory_pool(Arc::new(GreedyMemoryPool::new(pool_bytes)))
        .with_disk_manager_builder(disk)
        .build_arc()
        .context("cannot set up the query engine")?;
    let config = SessionConfig::new()
        .with_target_partitions(1)
        .with_batch_size(BATCH_ROWS)
        .with_information_schema(false)
        .with_create_default_catalog_and_schema(true);
    let state = SessionStateBuilder::new_with_default_features()
        .with_config(config)
        .with_runtime_env(runtime)
        .with_table_functions(Default::default())
        .build();
    Ok(SessionContext::new_with_state(state))
}

/// How one rule is measured.
enum Plan<'rule> {
    /// Without reading rows.
    Constant(Measured),
    /// By one column of the aggregate.
    Count { expr: Expr, unit: Unit },
    /// By a query of its own.
    Query(&'rule str),
}

fn plan<'rule>(context: &SessionContext, schema: &DFSchema, n_rows: u64, rule: &'rule Rule) -> Plan<'rule> {
    let expr = match &rule.check {
        None => return Plan::Constant(Measured::NotRun),
        // The number of rows in percent of itself is always 100.
        Some(Check::RowCount) if rule.unit == Unit::Percent => return Plan::Constant(Measured::NotRun),
        Some(Check::RowCount) => return Plan::Constant(Measured::Value(n_rows as f64)),
        Some(Check::Sql { query }) => return Plan::Query(query),
        Some(Check::DuplicateValues { columns }) => duplicates::count(schema.as_arrow(), columns),
        Some(check) => expression::broken(schema.as_arrow(), check).and_then(|broken| {
            // An expression that the engine refuses would fail the whole aggregate.
            context.create_physical_expr(broken.clone(), schema).map_err(|error| error.to_string())?;
            count(lit(1)).filter(broken).build().map_err(|error| error.to_string())
        }),
    };
    match expr {
        Ok(expr) => Plan::Count { expr, unit: rule.unit },
        Err(reason) => Plan::Constant(Measured::Error(reason)),
    }
}

/// Runs the aggregate: every count in one row, in the order of the rules.
async fn count_all(context: &SessionContext, snapshot: &Arc<Snapshot>, plans: &[Plan<'_>]) -> Result<Vec<i64>, String> {
    let exprs = plans.iter().enumerate().filter_map(|(index, plan)| match plan {
        Plan::Count { expr, .. } => Some(expr.clone().alias(format!("rule_{index}"))),
        Plan::Constant(_) | Plan::Query(_) => None,
    });
    let exprs: Vec<Expr> = exprs.collect();
    if exprs.is_empty() {
        return Ok(Vec::new());
    }
    aggregate(context, snapshot.clone(), exprs).await.map_err(|error| runtime_failure(&error))
}

async fn aggregate(
    context: &SessionContext,
    snapshot: Arc<Snapshot>,
    exprs: Vec<Expr>,
) -> Result<Vec<i64>, DataFusionError> {
    let batches = context.read_table(snapshot)?.aggregate(Vec::new(), exprs)?.collect().await?;
    let row = batches.iter().find(|batch| batch.num_rows() == 1);
    let row = row.ok_or_else(|| DataFusionError::Internal("an aggregate without a row".to_owned()))?;
    let number = |column: &ArrayRef| {
        let count = column.as_primitive_opt::<Int64Type>().map(|counts| counts.value(0));
        count.ok_or_else(|| DataFusionError::Internal("a count that is not a whole number".to_owned()))
    };
    row.columns().iter().map(number).collect()
}
