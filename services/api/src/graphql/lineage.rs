//! Lineage: what tables are made from, and who depends on them.

use std::sync::Arc;

use ::lineage::edge::{Kind, Kinds};
use ::lineage::graph::{Direction, Part};
use app::lineage::{Answer, Ask, By, Consumer, Count, Edge, Found, Holder, MAX_DEPTH, Readers, Reads, Start, explore};
use async_graphql::{Context, Object, SimpleObject, Union};

use super::closed_set::{LineageBasis, LineageCut, LineageDirection, LineageKind, LineageStanding};
use super::error::{Failure, Result};
use super::input::product_address;
use super::page::cost;
use super::relation;
use super::scalar::{DateTime, int};
use super::session::SessionExt;
use super::types::{Domain, Principal, Product, Table};

/// How many entries a page has, if nothing is said.
const DEFAULT_PAGE: i32 = 50;
/// The most entries of a page.
const MAX_PAGE: usize = 200;
/// The most columns that a question begins at.
const MAX_COLUMNS: usize = 100;

/// What was found from a table, some of its columns, or a product.
struct LineageAnswer(Answer);

#[Object]
impl LineageAnswer {
    /// The tables that it began at.
    async fn start(&self) -> Vec<Table> {
        self.0.start.iter().map(|target| Table(Arc::new(target.clone()))).collect()
    }

    /// Nothing is missing in the counts and in all pages together, as far as edges are known.
    async fn complete(&self) -> bool {
        self.0.cut.is_none()
    }

    /// Why something is missing.
    async fn cut(&self) -> Option<LineageCut> {
        self.0.cut.map(LineageCut)
    }

    /// How many tables, datasets and jobs are reached; null while what the caller may see is changing.
    async fn total(&self) -> Option<i32> {
        self.0.total.map(count)
    }

    /// The counts by distance, nearest first.
    async fn counts(&self) -> Vec<LineageCount<'_>> {
        self.0.counts.iter().map(LineageCount).collect()
    }

    /// The tables, datasets and jobs of the page, nearest first.
    async fn found(&self) -> Vec<LineageFound<'_>> {
        self.0.found.iter().map(LineageFound).collect()
    }

    /// The cursor of the next page; null on the last one.
    async fn end_cursor(&self) -> Option<&str> {
        self.0.next.as_deref()
    }

    /// The consumers of the page, nearest first: holders of grants that the caller may see, on the tables that are
    /// reached and on the start. Only downstream.
    async fn consumers(&self) -> Vec<LineageConsumer<'_>> {
        self.0.consumers.iter().map(LineageConsumer).collect()
    }

    /// How many consumers there are.
    async fn consumer_count(&self) -> i32 {
        count(self.0.n_consumers)
    }

    /// The cursor of the next page of consumers; null on the last one.
    async fn end_consumer(&self) -> Option<&str> {
        self.0.next_consumers.as_deref()
    }
}

/// How many are reached first at one distance.
struct LineageCount<'a>(&'a Count);

#[Object]
impl LineageCount<'_> {
    /// Edges from the nearest start.
    async fn distance(&self) -> i32 {
        int(self.0.distance.into())
    }

    /// How many tables, datasets and jobs.
    async fn total(&self) -> i32 {
        count(self.0.n_found)
    }

    /// How many of each domain, by path; what no domain owns comes last.
    async fn domains(&self) -> Vec<LineageDomainCount> {
        let domains = self.0.by_domain.iter();
        let count = |(domain, n): &(Option<domain::org::Domain>, usize)| LineageDomainCount {
            domain: domain.clone().map(Domain),
            count: count(*n),
        };
        domains.map(count).collect()
    }

    /// How many consumers.
    async fn consumers(&self) -> i32 {
        count(self.0.n_consumers)
    }
}

/// How many of one domain are reached.
#[derive(SimpleObject)]
struct LineageDomainCount {
    /// Null for what no domain owns.
    domain: Option<Domain>,
    count: i32,
}

/// A table, dataset or job that is reached.
struct LineageFound<'a>(&'a Found);

#[Object]
impl LineageFound<'_> {
    /// Edges from the nearest start.
    async fn distance(&self) -> i32 {
        int(self.0.distance.into())
    }

    async fn node(&self) -> LineageNode {
        (&self.0.holder).into()
    }

    /// The columns that are reached; null if it is reached as a whole: which of its columns are affected is not known.
    async fn columns(&self) -> Option<&[String]> {
        match &self.0.part {
            Part::Whole => None,
            Part::Columns { names, .. } => Some(names),
        }
    }

    /// How many more columns there are.
    async fn more_columns(&self) -> i32 {
        match &self.0.part {
            Part::Whole => 0,
            Part::Columns { n_more, .. } => count(*n_more),
        }
    }

    /// The edges by which it is reached, from what is nearer or as near; at most 20.
    async fn edges(&self) -> Vec<LineageEdge<'_>> {
        self.0.edges.iter().map(LineageEdge).collect()
    }

    /// How many more edges there are.
    async fn more_edges(&self) -> i32 {
        count(self.0.n_more_edges)
    }
}

/// What lineage leads to.
#[derive(Union)]
enum LineageNode {
    Table(Table),
    Dataset(LineageDataset),
    Job(LineageJob),
}

/// A dataset outside of the catalog.
#[derive(SimpleObject)]
struct LineageDataset {
    namespace: String,
    name: String,
}

/// A job or an exposure, by its producer's names.
#[derive(SimpleObject)]
struct LineageJob {
    namespace: String,
    name: String,
}

impl From<&::lineage::name::Job> for LineageJob {
    fn from(job: &::lineage::name::Job) -> Self {
        Self { namespace: job.namespace().to_owned(), name: job.name().to_owned() }
    }
}

impl From<&Holder> for LineageNode {
    fn from(holder: &Holder) -> Self {
        match holder {
            Holder::Table(target) => Self::Table(Table(Arc::new((**target).clone()))),
            Holder::Dataset(dataset) => Self::Dataset(LineageDataset {
                namespace: dataset.namespace().to_owned(),
                name: dataset.name().to_owned(),
            }),
            Holder::Job(job) => Self::Job(job.into()),
        }
    }
}

/// A statement that data flows from one node to another. Statements by different speakers are different edges.
struct LineageEdge<'a>(&'a Edge);

#[Object]
impl LineageEdge<'_> {
    async fn from(&self) -> LineageNode {
        (&self.0.from.0).into()
    }

    /// Null for all of it.
    async fn from_column(&self) -> Option<&str> {
        self.0.from.1.as_deref()
    }

    async fn to(&self) -> LineageNode {
        (&self.0.to.0).into()
    }

    /// Null for all of it.
    async fn to_column(&self) -> Option<&str> {
        self.0.to.1.as_deref()
    }

    async fn kind(&self) -> LineageKind {
        LineageKind(self.0.kind)
    }

    async fn basis(&self) -> LineageBasis {
        LineageBasis(self.0.basis)
    }

    async fn standing(&self) -> LineageStanding {
        LineageStanding(self.0.standing)
    }

    /// The principal who says so; null for a declaration, and if the caller may not see them.
    async fn principal(&self, ctx: &Context<'_>) -> Result<Option<Principal>> {
        match &self.0.by {
            By::Principal(id) => relation::find_principal(ctx, *id).await,
            By::Product(_) => Ok(None),
        }
    }

    /// The product whose documents declare it.
    async fn product(&self) -> Option<Product> {
        match &self.0.by {
            By::Principal(_) => None,
            By::Product(known) => Some(Product((**known).clone())),
        }
    }

    /// The job that was observed.
    async fn job(&self) -> Option<LineageJob> {
        self.0.job.as_ref().map(LineageJob::from)
    }

    /// When it was said first, by the producer's clock; null for what is declared now.
    async fn first_seen_at(&self) -> Option<DateTime> {
        self.0.seen.map(|seen| DateTime(seen.first))
    }

    /// When it was said last, as of the last change of the graph.
    async fn last_seen_at(&self) -> Option<DateTime> {
        self.0.seen.map(|seen| DateTime(seen.last))
    }
}

/// A holder of grants on affected tables.
struct LineageConsumer<'a>(&'a Consumer);

#[Object]
impl LineageConsumer<'_> {
    /// Null if the caller may see the grant, and not its holder.
    async fn principal(&self, ctx: &Context<'_>) -> Result<Option<Principal>> {
        relation::find_principal(ctx, self.0.principal_id).await
    }

    /// Edges from the nearest start: 1 for those who read the start itself.
    async fn distance(&self) -> i32 {
        int(self.0.distance.into())
    }

    /// What the grants cover.
    async fn ports(&self) -> Vec<LineagePort<'_>> {
        self.0.uses.iter().map(|(port_major, reads)| LineagePort { port_major, reads }).collect()
    }
}

/// Those who read what a change breaks, as far as the caller may see their grants.
pub(super) struct AffectedReaders(pub(super) Readers);

#[Object]
impl AffectedReaders {
    /// Nothing is missing, as far as it is known who reads what.
    async fn complete(&self) -> bool {
        self.0.is_complete
    }

    /// How many there are.
    async fn count(&self) -> i32 {
        count(self.0.consumers.len())
    }

    /// The first of them: holders of grants who read one of the columns, or of whom that is not known.
    #[graphql(complexity = "cost(first, child_complexity)")]
    async fn consumers(
        &self,
        #[graphql(default_with = "Some(DEFAULT_PAGE)")] first: Option<i32>,
    ) -> Result<Vec<LineageConsumer<'_>>> {
        Ok(self.0.consumers.iter().take(limit(first)?).map(LineageConsumer).collect())
    }
}

/// A major of an output port that a consumer has a grant on.
struct LineagePort<'a> {
    port_major: &'a domain::grant::PortMajor,
    reads: &'a Reads,
}

#[Object]
impl LineagePort<'_> {
    async fn product(&self, ctx: &Context<'_>) -> Result<Option<Product>> {
        relation::find_product(ctx, self.port_major.product_id).await
    }

    async fn name(&self) -> &str {
        self.port_major.port.as_str()
    }

    async fn major(&self) -> i32 {
        int(self.port_major.major)
    }

    /// Which of the affected columns behind the port the consumer reads; null if that is not known.
    async fn columns(&self) -> Option<Vec<&str>> {
        known(self.reads)
    }
}

/// The columns, where they are known.
pub(super) fn known(reads: &Reads) -> Option<Vec<&str>> {
    match reads {
        Reads::Unknown => None,
        Reads::Columns(columns) => Some(columns.iter().map(String::as_str).collect()),
    }
}

#[derive(Default)]
pub(crate) struct LineageQuery;

#[Object]
impl LineageQuery {
    /// What a table, some of its columns, or a product is made from or goes into, among what the caller may see. Give
    /// `table` or `product`. What is hidden from the caller is absent, and so is what lies behind it.
    #[graphql(complexity = "cost(first, child_complexity)")]
    #[expect(clippy::too_many_arguments, reason = "the arguments of the query")]
    async fn lineage(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "`domain.product.table`, with or without a major.")] table: Option<String>,
        #[graphql(desc = "Only from these columns of the table.")] columns: Option<Vec<String>>,
        #[graphql(desc = "`domain.product`: from all of its tables.")] product: Option<String>,
        #[graphql(default_with = "LineageDirection(Direction::Downstream)")] direction: LineageDirection,
        #[graphql(desc = "Which edges count; all if not given.")] kinds: Option<Vec<LineageKind>>,
        #[graphql(desc = "The farthest distance, 1 to 100.", default = 1)] depth: i32,
        #[graphql(default_with = "Some(DEFAULT_PAGE)")] first: Option<i32>,
        after: Option<String>,
        #[graphql(desc = "Consumers after this one: the `endConsumer` of an earlier answer.")] consumer: Option<String>,
    ) -> Result<LineageAnswer> {
        let start = start(table, columns, product)?;
        let kinds = match kinds {
            Some(kinds) => Kinds::of(&kinds.into_iter().map(|kind| kind.0).collect::<Vec<Kind>>()),
            None => Kinds::ALL,
        };
        let depth = u32::try_from(depth).ok().filter(|depth| (1..=MAX_DEPTH).contains(depth));
        let depth = depth.ok_or_else(|| Failure::invalid("depth", format!("the depth is 1 to {MAX_DEPTH}")))?;
        let first = limit(first)?;
        let ask = Ask { start, direction: direction.0, kinds, depth, first, after, consumers_after: consumer };
        Ok(LineageAnswer(explore(ctx.ctx()?, ask).await?))
    }

    /// Everything that is affected if a table, some of its columns, or a product changes: counts by distance and domain,
    /// consumers, and pages of tables, datasets and jobs. The same as `lineage` downstream with the greatest depth.
    #[graphql(complexity = "cost(first, child_complexity)")]
    #[expect(clippy::too_many_arguments, reason = "the arguments of the query")]
    async fn impact(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "`domain.product.table`, with or without a major.")] table: Option<String>,
        #[graphql(desc = "Only these columns of the table change.")] columns: Option<Vec<String>>,
        #[graphql(desc = "`domain.product`: from all of its tables.")] product: Option<String>,
        #[graphql(default_with = "Some(DEFAULT_PAGE)")] first: Option<i32>,
        after: Option<String>,
        #[graphql(desc = "Consumers after this one: the `endConsumer` of an earlier answer.")] consumer: Option<String>,
    ) -> Result<LineageAnswer> {
        let start = start(table, columns, product)?;
        let (direction, first) = (Direction::Downstream, limit(first)?);
        let ask =
            Ask { start, direction, kinds: Kinds::ALL, depth: MAX_DEPTH, first, after, consumers_after: consumer };
        Ok(LineageAnswer(explore(ctx.ctx()?, ask).await?))
    }
}

fn start(table: Option<String>, columns: Option<Vec<String>>, product: Option<String>) -> Result<Start> {
    let columns = columns.unwrap_or_default();
    if columns.len() > MAX_COLUMNS {
        return Err(Failure::invalid("columns", format!("at most {MAX_COLUMNS} columns")));
    }
    match (table, product) {
        (Some(table), None) => {
            let address = table.parse().map_err(|error| Failure::invalid("table", error))?;
            Ok(Start::Table(address, columns))
        }
        (None, Some(product)) if columns.is_empty() => {
            let (domain, name) = product_address(&product)?;
            Ok(Start::Product(domain, name))
        }
        _ => Err(Failure::invalid("table", "give `table`, with or without `columns`, or `product`")),
    }
}

fn limit(first: Option<i32>) -> Result<usize> {
    let limit = usize::try_from(first.unwrap_or(DEFAULT_PAGE)).ok().filter(|limit| (1..=MAX_PAGE).contains(limit));
    limit.ok_or_else(|| Failure::invalid("first", format!("a page has 1 to {MAX_PAGE} entries")))
}

fn count(n: usize) -> i32 {
    i32::try_from(n).unwrap_or(i32::MAX)
}
