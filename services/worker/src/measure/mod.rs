//! What the rules of a job give on the rows of a snapshot.
//!
//! All rules that count rows are one aggregate over one scan, which reads only the columns they need. `sql` rules are
//! queries of their own over the same table. A rule that cannot be measured says so and spoils no other; rows that
//! cannot be read spoil the inspection.

mod duplicates;
mod expression;
mod sql;

use std::sync::Arc;

use anyhow::Context;
use arrow::array::AsArray;
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

use crate::error::Result;
use crate::inspection::Table;
use crate::scan::Snapshot;

/// How many rows flow through a query at once.
const BATCH_ROWS: usize = 8192;

/// Measures each rule, in order.
///
/// # Errors
/// The inner error: rows cannot be read. The outer one is ours.
pub(crate) async fn measure(table: &Table, rules: &[Rule], pool_bytes: usize) -> anyhow::Result<Result<Vec<Measured>>> {
    let snapshot = Arc::new(Snapshot::new(table.rows.clone()));
    let context = session(pool_bytes)?;
    let counts = match Counts::prepare(&context, table, rules) {
        Ok(counts) => counts,
        Err(error) => return Err(error).context("cannot prepare the rules"),
    };
    let mut measured = counts.run(&context, &snapshot, table.n_rows).await;
    for (rule, measured) in rules.iter().zip(&mut measured) {
        if let Some(Check::Sql { query }) = &rule.check {
            if snapshot.failure().is_ok() {
                *measured = sql::measure(&context, snapshot.clone(), query).await;
            }
        }
    }
    Ok(snapshot.failure().map(|()| measured))
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

/// The rules that count, ready to run as one aggregate.
struct Counts {
    rules: Vec<Count>,
}

/// How one rule is measured.
enum Count {
    /// By the aggregate.
    Rows { expr: Expr, unit: Unit },
    /// By what is known already.
    Known(Measured),
}

impl Counts {
    fn prepare(context: &SessionContext, table: &Table, rules: &[Rule]) -> anyhow::Result<Self> {
        let schema = table.rows.schema();
        let df_schema = DFSchema::try_from(schema.as_ref().clone()).context("its schema")?;
        let prepare = |rule: &Rule| {
            let check = match &rule.check {
                None => return Count::Known(Measured::NotRun),
                // Percent of itself says nothing.
                Some(Check::RowCount) if rule.unit == Unit::Percent => return Count::Known(Measured::NotRun),
                Some(Check::RowCount) => return Count::Known(Measured::Value(table.n_rows as f64)),
                Some(Check::Sql { .. }) => return Count::Known(Measured::NotRun),
                Some(Check::DuplicateValues { columns }) => duplicates::count(&schema, columns),
                Some(check) => expression::broken(&schema, check).and_then(|broken| {
                    // An engine that would refuse this expression would refuse the whole aggregate.
                    context.create_physical_expr(broken.clone(), &df_schema).map_err(|error| error.to_string())?;
                    count(lit(1)).filter(broken).build().map_err(|error| error.to_string())
                }),
            };
            match check {
                Ok(expr) => Count::Rows { expr, unit: rule.unit },
                Err(reason) => Count::Known(Measured::Error(reason)),
            }
        };
        Ok(Self { rules: rules.iter().map(prepare).collect() })
    }

    async fn run(self, context: &SessionContext, snapshot: &Arc<Snapshot>, n_rows: u64) -> Vec<Measured> {
        let exprs = self.rules.iter().enumerate().filter_map(|(index, rule)| match rule {
            Count::Rows { expr, .. } => Some(expr.clone().alias(alias(index))),
            Count::Known(_) => None,
        });
        let exprs: Vec<Expr> = exprs.collect();
        let counted = if exprs.is_empty() || n_rows == 0 {
            Ok(Vec::new())
        } else {
            aggregate(context, snapshot.clone(), exprs).await.map_err(|error| in_our_words(&error))
        };
        let mut counted = counted.map(Vec::into_iter);
        let measure = |rule| match (rule, &mut counted) {
            (Count::Known(measured), _) => measured,
            (Count::Rows { unit, .. }, Ok(counts)) => {
                let broken = counts.next().unwrap_or(0) as f64;
                match unit {
                    Unit::Rows => Measured::Value(broken),
                    Unit::Percent if n_rows == 0 => Measured::Value(0.0),
                    Unit::Percent => Measured::Value(broken * 100.0 / n_rows as f64),
                }
            }
            (Count::Rows { .. }, Err(reason)) => Measured::Error(reason.clone()),
        };
        self.rules.into_iter().map(measure).collect()
    }
}

fn alias(index: usize) -> String {
    format!("rule_{index}")
}

/// The one pass: every count in one row.
async fn aggregate(
    context: &SessionContext,
    snapshot: Arc<Snapshot>,
    exprs: Vec<Expr>,
) -> Result<Vec<i64>, DataFusionError> {
    let batches = context.read_table(snapshot)?.aggregate(Vec::new(), exprs)?.collect().await?;
    let row = batches.iter().find(|batch| batch.num_rows() == 1);
    let row = row.ok_or_else(|| DataFusionError::Internal("an aggregate without a row".to_owned()))?;
    let number = |column: &arrow::array::ArrayRef| {
        let count = column.as_primitive_opt::<Int64Type>().map(|counts| counts.value(0));
        count.ok_or_else(|| DataFusionError::Internal("a count that is not a whole number".to_owned()))
    };
    row.columns().iter().map(number).collect()
}

/// Why a query failed while it ran, without its values: a contract's author need not be allowed to see the rows.
fn in_our_words(error: &DataFusionError) -> String {
    match error.find_root() {
        DataFusionError::ResourcesExhausted(_) => "it needs more memory than it may use".to_owned(),
        DataFusionError::ArrowError(error, _) => match error.as_ref() {
            arrow::error::ArrowError::DivideByZero => "it divides by zero".to_owned(),
            arrow::error::ArrowError::CastError(_) | arrow::error::ArrowError::ParseError(_) => {
                "it turns a value into a type that does not hold it".to_owned()
            }
            arrow::error::ArrowError::ArithmeticOverflow(_) => "a number in it grows too large".to_owned(),
            _ => "it failed while it ran".to_owned(),
        },
        _ => "it failed while it ran".to_owned(),
    }
}
