//! The rows of a snapshot, file by file, and as a DataFusion table without files, statistics or partitions of its own.

use std::any::Any;
use std::fmt;
use std::sync::{Arc, Mutex, PoisonError};

use arrow::array::RecordBatch;
use arrow::datatypes::SchemaRef;
use arrow::error::ArrowError;
use async_trait::async_trait;
use datafusion::catalog::{Session, TableProvider};
use datafusion::common::{DataFusionError, Result as DataFusionResult};
use datafusion::execution::{SendableRecordBatchStream, TaskContext};
use datafusion::logical_expr::{Expr, TableType};
use datafusion::physical_plan::ExecutionPlan;
use datafusion::physical_plan::stream::RecordBatchReceiverStreamBuilder;
use datafusion::physical_plan::streaming::{PartitionStream, StreamingTableExec};
use domain::table::FileDigest;

use crate::data_file::{OpenFile, Reads, Wanted};
use crate::error::{Result, Unreadable};
use crate::floats;

/// The number of batches that are read ahead of a query.
const READ_AHEAD_BATCHES: usize = 4;

/// A data file of a snapshot.
pub(crate) struct DataFile {
    /// Digest over all that its rows depend on besides the table's schema.
    pub(crate) identity: FileDigest,
    /// Its rows that are not deleted.
    pub(crate) n_rows: u64,
    pub(crate) reads: Arc<Reads>,
}

/// A source of rows.
pub(crate) trait Rows: Send + Sync {
    /// All columns, by their logical names.
    fn schema(&self) -> SchemaRef;

    fn files(&self) -> &[DataFile];

    /// Whether files hold the values of the column as they are, as a rule.
    fn is_plain(&self, column: usize) -> bool;

    /// All of the table's schema that the values of a column depend on.
    fn definition(&self, column: usize) -> String;

    /// Opens a file, by its index, for these columns.
    fn open(&self, file: usize, columns: &[usize]) -> Result<OpenFile>;
}

/// Passes every row of the snapshot to `sink`, in batches of these columns, until it returns `false`. Blocks.
fn read(rows: &dyn Rows, columns: &[usize], sink: &mut dyn FnMut(RecordBatch) -> bool) -> Result<()> {
    let wanted = Wanted { positions: (0..columns.len()).collect(), dictionaries: Default::default() };
    for index in 0..rows.files().len() {
        let file = rows.open(index, columns)?;
        for row_group in 0..file.n_row_groups() {
            if !file.read(row_group, &wanted, sink)? {
                return Ok(());
            }
        }
    }
    Ok(())
}

impl fmt::Debug for dyn Rows {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("the snapshot's rows")
    }
}

/// [`Rows`] as a table. It keeps the first failure to read, which a query would report as any other error.
#[derive(Debug)]
pub(crate) struct Snapshot {
    rows: Arc<dyn Rows>,
    failure: Arc<Mutex<Option<Unreadable>>>,
}

impl Snapshot {
    pub(crate) fn new(rows: Arc<dyn Rows>) -> Self {
        Self { rows, failure: Arc::default() }
    }

    /// The failure to read rows, if there was one.
    pub(crate) fn failure(&self) -> Result<()> {
        match &*self.failure.lock().unwrap_or_else(PoisonError::into_inner) {
            Some(failure) => Err(failure.clone()),
            None => Ok(()),
        }
    }
}

#[async_trait]
impl TableProvider for Snapshot {
    fn as_any(&self) -> &dyn Any {
        self
    }

    fn schema(&self) -> SchemaRef {
        self.rows.schema()
    }

    fn table_type(&self) -> TableType {
        TableType::Base
    }

    async fn scan(
        &self,
        _: &dyn Session,
        projection: Option<&Vec<usize>>,
        _: &[Expr],
        limit: Option<usize>,
    ) -> DataFusionResult<Arc<dyn ExecutionPlan>> {
        let all: Vec<usize> = (0..self.schema().fields().len()).collect();
        let columns = projection.cloned().unwrap_or(all);
        let schema = Arc::new(self.schema().project(&columns)?);
        let scan = Scan { rows: self.rows.clone(), failure: self.failure.clone(), columns, schema: schema.clone() };
        Ok(Arc::new(StreamingTableExec::try_new(schema, vec![Arc::new(scan)], None, [], false, limit)?))
    }
}

#[derive(Debug)]
struct Scan {
    rows: Arc<dyn Rows>,
    failure: Arc<Mutex<Option<Unreadable>>>,
    columns: Vec<usize>,
    schema: SchemaRef,
}

impl PartitionStream for Scan {
    fn schema(&self) -> &SchemaRef {
        &self.schema
    }

    fn execute(&self, _: Arc<TaskContext>) -> SendableRecordBatchStream {
        let mut stream = RecordBatchReceiverStreamBuilder::new(self.schema.clone(), READ_AHEAD_BATCHES);
        let (sender, rows, failure) = (stream.tx(), self.rows.clone(), self.failure.clone());
        // A count of rows requests no column, but one has to be read to count them.
        let (columns, none_asked) =
            if self.columns.is_empty() { (vec![0], true) } else { (self.columns.clone(), false) };
        let schema = self.schema.clone();
        stream.spawn_blocking(move || {
            let mut sink = |batch: RecordBatch| {
                let batch = if none_asked { batch.project(&[]) } else { with_normal_floats(&schema, &batch) };
                sender.blocking_send(batch.map_err(DataFusionError::from)).is_ok()
            };
            read(rows.as_ref(), &columns, &mut sink).map_err(|unreadable| {
                let error = DataFusionError::External(Box::new(unreadable.clone()));
                failure.lock().unwrap_or_else(PoisonError::into_inner).get_or_insert(unreadable);
                error
            })
        });
        stream.build()
    }
}

/// The engine compares floating-point numbers by their bits.
fn with_normal_floats(schema: &SchemaRef, batch: &RecordBatch) -> Result<RecordBatch, ArrowError> {
    let columns = batch.columns().iter().map(floats::normal).collect::<Result<_, _>>()?;
    RecordBatch::try_new(schema.clone(), columns)
}
