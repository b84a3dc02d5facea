//! Measuring the rules of a job on the rows of a snapshot.
//!
//! All rules that count rows are counters of one pass, which reads only the columns they need. `sql` rules are separate
//! queries over the same table. A rule that cannot be measured has an error of its own and does not affect others; if
//! rows cannot be read, the inspection fails.

mod column;
mod counter;
mod failure;
mod float;
mod kept;
mod keys;
mod pass;
mod sql;
mod test;
mod whole;

use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Duration;

use anyhow::Context;
use arrow::datatypes::Schema;
use datafusion::execution::SessionStateBuilder;
use datafusion::execution::disk_manager::{DiskManagerBuilder, DiskManagerMode};
use datafusion::execution::memory_pool::GreedyMemoryPool;
use datafusion::execution::runtime_env::RuntimeEnvBuilder;
use datafusion::prelude::{SessionConfig, SessionContext};
use domain::inspection::Kept;
use domain::quality::{Check, Measured, Rule, Unit};
use domain::table::InspectionRead;
use inspect::wire::Limits;

use self::counter::Counter;
use self::kept::KnownCounts;
use self::pass::Counted;
use crate::error::{Failure, Result};
use crate::scan::Snapshot;
use crate::table::Table;

/// The number of rows in a batch of a query.
const BATCH_ROWS: usize = 8192;

/// What was measured.
pub(crate) struct Measurements {
    /// Of each rule, in order.
    pub(crate) measured: Vec<Measured>,
    /// For the next inspection of the table.
    pub(crate) kept: Kept,
    pub(crate) read: InspectionRead,
}

/// Measures each rule. What is known of its counts from an earlier inspection is not counted again.
///
/// # Errors
/// [`Failure::Unreadable`] if rows cannot be read.
pub(crate) async fn measure(
    table: &Table,
    rules: &[Rule],
    known: Kept,
    limits: Limits,
) -> Result<Measurements, Failure> {
    let columns = table.rows.schema();
    let (mut counters, mut checks) = (Vec::new(), Vec::new());
    let mut plans = Vec::with_capacity(rules.len());
    for rule in rules {
        let plan = plan(&columns, table.n_rows, rule, &mut counters);
        if let (Plan::Count(_), Some(check), Some(counter)) = (&plan, &rule.check, counters.last()) {
            checks.push(kept::check_identity(table.rows.as_ref(), check, counter));
        }
        plans.push(plan);
    }
    // The memory besides a query's stack is shared with the program itself, the readers, and allocations that the pool
    // does not account for. A rule that exhausts the pool fails alone.
    let memory_bytes = usize::try_from(limits.memory_bytes).unwrap_or(usize::MAX);
    let pool_bytes = memory_bytes.saturating_sub(sql::STACK_BYTES) / 2;
    let rows = table.rows.clone();
    let count = move || {
        let n_files_kept = kept::n_files_kept(rows.as_ref(), checks.iter().flatten().count());
        let known_counts = KnownCounts::new(&known, &checks);
        let counted = pass::count(rows.as_ref(), &counters, &known_counts, n_files_kept, pool_bytes)?;
        let Counted { results, by_file, n_files_known, n_proven } = counted;
        let kept = kept::keep(rows.as_ref(), &checks, by_file, &known);
        Ok::<_, Failure>((results, kept, n_files_known, n_proven))
    };
    // A thread takes address space, of which a query's stack needs most: none is started for nothing.
    let has_counters = plans.iter().any(|plan| matches!(plan, Plan::Count(_)));
    let counting =
        if has_counters { tokio::task::spawn_blocking(count).await.context("a count crashed")? } else { count() };
    let (counts, kept, n_files_known, n_proven) = counting?;
    let mut counts = counts.into_iter();
    let snapshot = Arc::new(Snapshot::new(table.rows.clone()));
    // Setting up the query engine takes longer than counting in a small file.
    let has_queries = plans.iter().any(|plan| matches!(plan, Plan::Query(_)));
    let context = if has_queries { Some(session(pool_bytes)?) } else { None };
    let seconds = Duration::from_secs(limits.query_seconds);
    let mut queries = context.as_ref().map(|context| sql::Queries::new(context, &snapshot, seconds));
    let mut measured = Vec::with_capacity(plans.len());
    for plan in plans {
        measured.push(match plan {
            Plan::Constant(measured) => measured,
            Plan::Query(query) => match &mut queries {
                Some(queries) => queries.measure(query).await,
                None => Measured::Error("there is no query engine".to_owned()),
            },
            Plan::Count(unit) => match counts.next() {
                Some(Ok(n_broken)) => in_unit(n_broken, table.n_rows, unit),
                Some(Err(reason)) => Measured::Error(reason),
                None => Measured::Error("it was not counted".to_owned()),
            },
        });
        snapshot.failure()?;
    }
    let mut read = InspectionRead { n_files_known, n_proven, ..InspectionRead::default() };
    for file in table.rows.files() {
        let n_bytes = file.reads.n_bytes.load(Ordering::Relaxed);
        read.n_files += u64::from(n_bytes > 0);
        read.n_bytes += n_bytes;
        read.n_rows += file.reads.n_rows.load(Ordering::Relaxed);
    }
    Ok(Measurements { measured, kept, read })
}

fn in_unit(broken: u64, n_rows: u64, unit: Unit) -> Measured {
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
    let context = SessionContext::new_with_state(state);
    sql::prepare(&context);
    Ok(context)
}

/// How one rule is measured.
enum Plan<'rule> {
    /// Without reading rows.
    Constant(Measured),
    /// By the next counter of the pass.
    Count(Unit),
    /// By a query of its own.
    Query(&'rule str),
}

/// How a rule is measured; its counter, if it has one, is added to the others.
fn plan<'rule>(schema: &Schema, n_rows: u64, rule: &'rule Rule, counters: &mut Vec<Counter>) -> Plan<'rule> {
    let check = match &rule.check {
        None => return Plan::Constant(Measured::NotRun),
        // The number of rows in percent of itself is always 100.
        Some(Check::RowCount) if rule.unit == Unit::Percent => return Plan::Constant(Measured::NotRun),
        Some(Check::RowCount) => return Plan::Constant(Measured::Value(n_rows as f64)),
        Some(Check::Sql { query }) => return Plan::Query(query),
        Some(check) => check,
    };
    match Counter::new(schema, check) {
        Ok(counter) => {
            counters.push(counter);
            Plan::Count(rule.unit)
        }
        Err(reason) => Plan::Constant(Measured::Error(reason)),
    }
}
