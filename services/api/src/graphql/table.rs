//! Tables, their snapshots, and the verdicts on them.

use std::sync::Arc;

use app::column_reads::readers_of_table;
use app::error::Noun;
use app::table;
use async_graphql::{Context, ID, InputObject, Object, SimpleObject};
use domain::quality::Measured;
use domain::table::{InspectionRead as Found, PhysicalColumn};

use super::error::Result;
use super::id::encode;
use super::input::{address, idempotency_key};
use super::loader::VerdictOf;
use super::page::{Connection, Page, cost};
use super::relation::{self, required};
use super::scalar::{DateTime, Long, int};
use super::session::SessionExt;
use super::types::{ContractVersion, Product, Snapshot, Table, TableReaders};
use super::words::{QualityUnit, RuleOutcome, Severity, SnapshotState, TableFormat, VerdictWord};

#[Object]
impl Table {
    pub(crate) async fn id(&self) -> ID {
        encode(self.0.binding.id)
    }

    /// `domain.product.table__v1`.
    async fn address(&self) -> String {
        self.0.address()
    }

    /// The schema object's name.
    async fn name(&self) -> &str {
        self.0.binding.object.as_str()
    }

    async fn format(&self) -> TableFormat {
        self.0.table.format.into()
    }

    async fn environment(&self) -> &str {
        &self.0.binding.environment
    }

    /// The major in its address.
    async fn major(&self) -> i32 {
        int(self.0.port_major.major)
    }

    async fn product(&self, ctx: &Context<'_>) -> Result<Product> {
        required(relation::find_product(ctx, self.0.product().id).await?, Noun::Product)
    }

    /// The version that the gate uses; null while the major has only drafts.
    async fn contract_version(&self, ctx: &Context<'_>) -> Result<Option<ContractVersion>> {
        match &self.0.version {
            Some(version) => Ok(ctx.loaders()?.find(version.id).await?.map(ContractVersion)),
            None => Ok(None),
        }
    }

    /// The newest known snapshot.
    async fn head(&self, ctx: &Context<'_>) -> Result<Option<Snapshot>> {
        match self.0.table.head {
            Some(head) => relation::find_snapshot(ctx, head, &self.0).await,
            None => Ok(None),
        }
    }

    /// Its snapshots, newest first.
    #[graphql(complexity = "cost(first, child_complexity)")]
    async fn snapshots(
        &self,
        ctx: &Context<'_>,
        #[graphql(default_with = "Some(super::page::DEFAULT_PAGE)")] first: Option<i32>,
        after: Option<String>,
    ) -> Result<Connection<Snapshot>> {
        let ctx = ctx.ctx()?;
        let page = Page::new(ctx, "snapshots", first, after.as_deref())?;
        let found = table::list_snapshots(ctx, &self.0, &page.seek()).await?;
        let target = Arc::clone(&self.0);
        Ok(page.connection(
            found,
            |snapshot| snapshot.ordinal,
            move |snapshot| Snapshot { snapshot, target: Arc::clone(&target) },
        ))
    }

    /// What its contract promises about its age, and whether that is kept; null if nothing is promised.
    async fn freshness(&self, ctx: &Context<'_>) -> Result<Option<Freshness>> {
        let Some(version) = &self.0.version else { return Ok(None) };
        let Some(view) = ctx.loaders()?.find(version.id).await? else { return Ok(None) };
        let object = view.document.find_object(&self.0.binding.object);
        let Some(promised) = object.and_then(|object| view.document.freshness(object)) else { return Ok(None) };
        let head = match self.0.table.head {
            Some(head) => relation::find_snapshot(ctx, head, &self.0).await?,
            None => None,
        };
        let committed_at = head.and_then(|head| Some(head.snapshot.found.as_ref()?.committed_at));
        let now = ctx.ctx()?.now();
        Ok(Some(Freshness {
            promised_seconds: Long(promised.as_secs()),
            committed_at: committed_at.map(DateTime),
            late: committed_at.is_none_or(|at| now.since(at) > promised),
        }))
    }

    /// Who read which of its columns in the last days, at most 400: for those who see its leases, others get null.
    async fn readers(&self, ctx: &Context<'_>, #[graphql(default = 90)] days: i32) -> Result<Option<TableReaders>> {
        let readers = readers_of_table(ctx.ctx()?, &self.0, u32::try_from(days).unwrap_or(0)).await?;
        Ok(readers.map(TableReaders))
    }

    /// Its folder below the storage root: for owners and stewards.
    async fn location(&self, ctx: &Context<'_>) -> Result<Option<String>> {
        let shown = table::may_view_detail(ctx.ctx()?, &self.0);
        Ok(shown.then(|| self.0.table.location.to_string()))
    }
}

/// A promise about the age of a table, and whether it is kept.
#[derive(SimpleObject)]
struct Freshness {
    /// How old the newest commit may be, in seconds.
    promised_seconds: Long,
    /// When the newest known snapshot was committed; null if there is none that was inspected.
    committed_at: Option<DateTime>,
    /// Whether it is older than promised, or there is none.
    late: bool,
}

/// What an inspection read to measure the rules. Every file's footer is read, and does not count.
#[derive(SimpleObject)]
struct InspectionRead {
    /// Data files of which values were read.
    files: Long,
    /// The bytes of their columns that were read, as stored.
    bytes: Long,
    /// The rows that were read. Each query of a rule reads them again.
    rows: Long,
    /// Files of which everything that adds up was known from an earlier inspection.
    files_known: Long,
    /// Counts of a rule in a row group that the statistics of the file prove.
    proven: Long,
}

impl From<Found> for InspectionRead {
    fn from(read: Found) -> Self {
        let Found { n_files, n_bytes, n_rows, n_files_known, n_proven } = read;
        Self {
            files: Long(n_files),
            bytes: Long(n_bytes),
            rows: Long(n_rows),
            files_known: Long(n_files_known),
            proven: Long(n_proven),
        }
    }
}

#[Object]
impl Snapshot {
    pub(crate) async fn id(&self) -> ID {
        encode(self.key_of_verdict())
    }

    /// The table's name for it: `delta:5`, or `parquet:` and a digest.
    async fn key(&self) -> String {
        self.snapshot.key.to_string()
    }

    async fn state(&self) -> SnapshotState {
        self.snapshot.state.into()
    }

    async fn noticed_at(&self) -> DateTime {
        self.snapshot.noticed_at.into()
    }

    async fn inspected_at(&self) -> Option<DateTime> {
        self.snapshot.found.as_ref().map(|found| DateTime(found.inspected_at))
    }

    /// The commit time, as recorded in the table.
    async fn committed_at(&self) -> Option<DateTime> {
        self.snapshot.found.as_ref().map(|found| DateTime(found.committed_at))
    }

    async fn rows(&self) -> Option<Long> {
        self.snapshot.found.as_ref().map(|found| Long(found.n_rows))
    }

    /// Its data files.
    async fn files(&self) -> Option<Long> {
        self.snapshot.found.as_ref().map(|found| Long(found.n_files))
    }

    /// What its inspection read to measure the rules: for owners and stewards.
    async fn inspection_read(&self, ctx: &Context<'_>) -> Result<Option<InspectionRead>> {
        let shown = table::may_view_detail(ctx.ctx()?, &self.target);
        let read = self.snapshot.found.as_ref().and_then(|found| found.read);
        Ok(read.filter(|_| shown).map(InspectionRead::from))
    }

    async fn columns(&self) -> Option<Vec<Column>> {
        let found = self.snapshot.found.as_ref()?;
        Some(found.schema.columns.iter().map(Column::from).collect())
    }

    /// Its newest verdict for this table's contract.
    async fn verdict(&self, ctx: &Context<'_>) -> Result<Option<Verdict>> {
        let Some(found) = ctx.loaders()?.find(VerdictOf(self.key_of_verdict())).await? else { return Ok(None) };
        Ok(Some(Verdict::new(&found, table::may_view_detail(ctx.ctx()?, &self.target))))
    }

    /// Why the inspection failed: for owners and stewards.
    async fn error(&self, ctx: &Context<'_>) -> Result<Option<&str>> {
        let shown = table::may_view_detail(ctx.ctx()?, &self.target);
        Ok(self.snapshot.error.as_deref().filter(|_| shown))
    }
}

/// A column of a snapshot, as it is in the files.
#[derive(SimpleObject)]
pub(crate) struct Column {
    name: String,
    /// Its type, such as `int32`, `decimal(12,2)`, `list<string>` or `struct<a: int64>`.
    #[graphql(name = "type")]
    physical_type: String,
    nullable: bool,
}

impl From<&PhysicalColumn> for Column {
    fn from(column: &PhysicalColumn) -> Self {
        Self { name: column.name.clone(), physical_type: column.physical_type.to_string(), nullable: column.nullable }
    }
}

/// The result of an inspection.
#[derive(SimpleObject)]
pub(crate) struct Verdict {
    /// The worst of conformance and rules.
    verdict: VerdictWord,
    /// Whether the snapshot has the columns that the contract declares.
    conforms: bool,
    /// Conformance errors and warnings.
    conformance: Vec<String>,
    results: Vec<RuleResult>,
    /// The engine that measured the rules.
    engine: String,
    at: DateTime,
}

impl Verdict {
    /// What an engine says of a rule that it could not measure may hold values of the data, and so may the number that a
    /// query gave: they are for owners and stewards.
    fn new(found: &domain::binding::BindingVerdict, may_view_detail: bool) -> Self {
        Self {
            verdict: found.verdict.into(),
            conforms: found.conforms,
            conformance: found.conformance.clone(),
            results: found.results.iter().map(|result| RuleResult::new(result, may_view_detail)).collect(),
            engine: found.engine.clone(),
            at: found.at.into(),
        }
    }
}

/// The result of a rule.
#[derive(SimpleObject)]
pub(crate) struct RuleResult {
    /// Identifies the rule within its schema object.
    key: String,
    title: String,
    severity: Severity,
    outcome: RuleOutcome,
    /// The measured number, in the rule's unit. For an `sql` rule it may be a value of the data, and is shown to owners
    /// and stewards only.
    measured: Option<f64>,
    unit: QualityUnit,
    /// The reason why it could not be measured, or why the number is not shown.
    message: Option<String>,
}

impl RuleResult {
    fn new(result: &domain::quality::RuleResult, may_view_detail: bool) -> Self {
        let (measured, message) = match &result.measured {
            Measured::Value(_) if result.rule.measures_values() && !may_view_detail => {
                (None, Some("the number is for owners and stewards".to_owned()))
            }
            Measured::Value(value) => (Some(*value), None),
            Measured::Error(why) if may_view_detail => (None, Some(why.clone())),
            Measured::Error(_) => (None, Some("it could not be measured".to_owned())),
            Measured::NotRun => (None, None),
        };
        Self {
            key: result.rule.key.clone(),
            title: result.rule.title.clone(),
            severity: result.rule.severity.into(),
            outcome: result.outcome().into(),
            measured,
            unit: result.rule.unit.into(),
            message,
        }
    }
}

#[derive(Default)]
pub(crate) struct TableQuery;

#[Object]
impl TableQuery {
    /// A table by its address, `domain.product.table` or `domain.product.table__v1`; null if the caller may not see it.
    /// Without a major: the newest that the caller's grants cover, and without a grant the oldest active one.
    async fn table(&self, ctx: &Context<'_>, address: String) -> Result<Option<Table>> {
        let found = table::find_table(ctx.ctx()?, &self::address(&address)?).await?;
        Ok(found.map(|target| Table(Arc::new(target))))
    }

    /// The waiting and running inspections of the tables that the caller may see, in the order in which they became due.
    #[graphql(complexity = "cost(first, child_complexity)")]
    async fn inspection_queue(
        &self,
        ctx: &Context<'_>,
        #[graphql(default_with = "Some(super::page::DEFAULT_PAGE)")] first: Option<i32>,
        after: Option<String>,
    ) -> Result<Connection<QueuedInspection>> {
        let ctx = ctx.ctx()?;
        let page = Page::new(ctx, "inspectionQueue", first, after.as_deref())?;
        let found = app::inspection::list_queue(ctx, page.seek()).await?;
        Ok(page.connection(found, |queued| (queued.due_at, queued.id), QueuedInspection))
    }
}

/// An inspection that waits or runs. Domains take turns; in each, the table that is due longest comes first.
pub(crate) struct QueuedInspection(app::inspection::QueuedInspection);

#[Object]
impl QueuedInspection {
    async fn table(&self) -> Table {
        Table(Arc::new(self.0.target.clone()))
    }

    /// True while it is running, false while it is waiting.
    async fn running(&self) -> bool {
        self.0.running
    }

    /// True if the table is inspected even if its newest snapshot already has verdicts.
    async fn again(&self) -> bool {
        self.0.again
    }

    /// When it became due, or will become due.
    async fn due_at(&self) -> DateTime {
        DateTime(self.0.due_at)
    }

    /// When it was last started; null if it never was.
    async fn started_at(&self) -> Option<DateTime> {
        self.0.started_at.map(DateTime)
    }

    /// The number of times it was started.
    async fn attempts(&self) -> i32 {
        i32::try_from(self.0.n_attempts).unwrap_or(i32::MAX)
    }
}

#[derive(InputObject)]
pub(crate) struct InspectTableInput {
    address: String,
    idempotency_key: Option<String>,
}

#[derive(SimpleObject)]
pub(crate) struct InspectTablePayload {
    table: Table,
}

#[derive(Default)]
pub(crate) struct TableMutation;

#[Object]
impl TableMutation {
    /// Looks for a new snapshot and enqueues the inspection of the newest; poll `Table.head` for the result.
    async fn inspect_table(&self, ctx: &Context<'_>, input: InspectTableInput) -> Result<InspectTablePayload> {
        let ctx = ctx.ctx()?;
        let key = idempotency_key("inspectTable", &input, input.idempotency_key.as_ref())?;
        let target = table::inspect_table(ctx, &address(&input.address)?, key).await?;
        Ok(InspectTablePayload { table: Table(Arc::new(target)) })
    }
}
