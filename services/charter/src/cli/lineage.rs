//! `charter lineage` and `charter impact`: what tables are made from, and who depends on them.

use std::fmt::Write;

use clap::Args;
use serde::Serialize;

use super::answer::{DomainName, ProductName};
use super::api::{
    LineageBasis, LineageCut, LineageDirectionArgument, LineageKind, LineageKindArgument, LineageStanding, operation,
    schema,
};
use super::args::{self, ProductAddress, Remote};
use super::client::Client;
use super::error::{Exit, Result};
use super::output::{self, bold, count};
use super::report::{Kind, Level, Note};

/// Where a question begins.
#[derive(Args)]
struct Start {
    /// Table, `domain.product.table`; append `__v2` for a major version
    #[arg(value_parser = args::table, required_unless_present = "product")]
    table: Option<String>,
    /// Begin only at this column of the table; repeatable
    #[arg(long, value_name = "COLUMN", requires = "table")]
    column: Vec<String>,
    /// Begin at all tables of this product, `domain.product`
    #[arg(long, value_name = "PRODUCT", value_parser = args::product, conflicts_with = "table")]
    product: Option<ProductAddress>,
}

/// Which part of the answer.
#[derive(Args)]
struct Part {
    /// Maximum number of entries, and of consumers
    #[arg(long, value_name = "N", default_value_t = 50, value_parser = clap::value_parser!(i32).range(1..=200))]
    limit: i32,
    /// Continue after this cursor, the `endCursor` of an earlier response
    #[arg(long, value_name = "CURSOR")]
    after: Option<String>,
    /// Continue with the consumers after this one, the `endConsumer` of an earlier response
    #[arg(long, value_name = "CURSOR")]
    consumer: Option<String>,
}

/// The options of `charter lineage`.
#[derive(Args)]
pub(crate) struct LineageArgs {
    #[command(flatten)]
    start: Start,
    /// Show what it is made from, instead of what is made from it
    #[arg(long)]
    up: bool,
    /// Farthest distance
    #[arg(long, value_name = "N", default_value_t = 1, value_parser = clap::value_parser!(i32).range(1..=100))]
    depth: i32,
    /// Only edges known in this way: `declared`, `observed`, `read` or `granted`; repeatable
    #[arg(long, value_name = "KIND", value_parser = kind)]
    kind: Vec<lineage::edge::Kind>,
    #[command(flatten)]
    part: Part,
    #[command(flatten)]
    remote: Remote,
}

/// The options of `charter impact`.
#[derive(Args)]
pub(crate) struct ImpactArgs {
    #[command(flatten)]
    start: Start,
    #[command(flatten)]
    part: Part,
    #[command(flatten)]
    remote: Remote,
}

operation!($ query "Query" LineageOf {
    table: Option<String>, columns: Option<Vec<String>>, product: Option<String>, direction: LineageDirectionArgument,
    kinds: Option<Vec<LineageKindArgument>>, depth: i32, first: i32, after: Option<String>, consumer: Option<String>
} "lineage" -> LineageAnswer);

operation!($ query "Query" Impact {
    table: Option<String>, columns: Option<Vec<String>>, product: Option<String>, first: i32, after: Option<String>,
    consumer: Option<String>
} "impact" -> LineageAnswer);

#[derive(Serialize, cynic::QueryFragment)]
#[serde(rename_all = "camelCase")]
struct LineageAnswer {
    start: Vec<Table>,
    complete: bool,
    cut: Option<LineageCut>,
    total: Option<i32>,
    counts: Vec<LineageCount>,
    found: Vec<LineageFound>,
    end_cursor: Option<String>,
    consumers: Vec<LineageConsumer>,
    consumer_count: i32,
    end_consumer: Option<String>,
}

#[derive(Serialize, cynic::QueryFragment)]
struct Table {
    address: String,
}

#[derive(Serialize, cynic::QueryFragment)]
struct LineageCount {
    distance: i32,
    total: i32,
    domains: Vec<LineageDomainCount>,
    consumers: i32,
}

#[derive(Serialize, cynic::QueryFragment)]
struct LineageDomainCount {
    domain: Option<DomainName>,
    count: i32,
}

#[derive(Serialize, cynic::QueryFragment)]
#[serde(rename_all = "camelCase")]
struct LineageFound {
    distance: i32,
    node: LineageNode,
    columns: Option<Vec<String>>,
    more_columns: i32,
    edges: Vec<LineageEdge>,
    more_edges: i32,
}

#[derive(Serialize, cynic::InlineFragments)]
#[cynic(exhaustive)]
#[serde(tag = "__typename")]
enum LineageNode {
    Table(Table),
    LineageDataset(LineageDataset),
    LineageJob(LineageJob),
    #[cynic(fallback)]
    Unknown,
}

#[derive(Serialize, cynic::QueryFragment)]
struct LineageDataset {
    namespace: String,
    name: String,
}

#[derive(Serialize, cynic::QueryFragment)]
struct LineageJob {
    namespace: String,
    name: String,
}

#[derive(Serialize, cynic::QueryFragment)]
#[serde(rename_all = "camelCase")]
struct LineageEdge {
    from: LineageNode,
    from_column: Option<String>,
    to_column: Option<String>,
    kind: LineageKind,
    basis: LineageBasis,
    standing: LineageStanding,
    principal: Option<Principal>,
    product: Option<ProductName>,
    job: Option<LineageJob>,
    to: LineageNode,
}

#[derive(Debug, Serialize, cynic::QueryFragment)]
struct Principal {
    subject: String,
}

/// Those who read what a change breaks.
#[derive(Debug, Serialize, cynic::QueryFragment)]
pub(crate) struct AffectedReaders {
    complete: bool,
    count: i32,
    #[arguments(first: 100)]
    consumers: Vec<LineageConsumer>,
}

#[derive(Debug, Serialize, cynic::QueryFragment)]
struct LineageConsumer {
    principal: Option<Principal>,
    distance: i32,
    ports: Vec<LineagePort>,
}

#[derive(Debug, Serialize, cynic::QueryFragment)]
struct LineagePort {
    product: Option<ProductName>,
    name: String,
    major: i32,
    columns: Option<Vec<String>>,
}

fn kind(text: &str) -> std::result::Result<lineage::edge::Kind, String> {
    text.parse().map_err(|_| {
        let words: Vec<&str> = lineage::edge::Kind::ALL.iter().map(|kind| kind.as_str()).collect();
        format!("use one of: {}", words.join(", "))
    })
}

impl Start {
    fn columns(&self) -> Option<Vec<String>> {
        (!self.column.is_empty()).then(|| self.column.clone())
    }

    fn product(&self) -> Option<String> {
        self.product.as_ref().map(|product| format!("{}.{}", product.domain, product.product))
    }
}

/// Runs `charter lineage`.
pub(crate) async fn run(args: LineageArgs) -> Result<Exit> {
    let LineageArgs { start, up, depth, kind, part, remote } = args;
    let direction = if up { lineage::graph::Direction::Upstream } else { lineage::graph::Direction::Downstream };
    let kinds: Vec<LineageKindArgument> = kind.into_iter().map(LineageKindArgument).collect();
    let query = LineageOf {
        columns: start.columns(),
        product: start.product(),
        table: start.table,
        direction: LineageDirectionArgument(direction),
        kinds: (!kinds.is_empty()).then_some(kinds),
        depth,
        first: part.limit,
        after: part.after,
        consumer: part.consumer,
    };
    let answer = Client::new(&remote)?.send(query).await?;
    output::show(remote.json, &answer, LineageAnswer::edges_text)?;
    if !remote.json {
        answer.notes();
    }
    Ok(Exit::Done)
}

/// Runs `charter impact`.
pub(crate) async fn impact(args: ImpactArgs) -> Result<Exit> {
    let ImpactArgs { start, part, remote } = args;
    let query = Impact {
        columns: start.columns(),
        product: start.product(),
        table: start.table,
        first: part.limit,
        after: part.after,
        consumer: part.consumer,
    };
    let answer = Client::new(&remote)?.send(query).await?;
    output::show(remote.json, &answer, LineageAnswer::impact_text)?;
    if !remote.json {
        answer.notes();
    }
    Ok(Exit::Done)
}

impl LineageAnswer {
    /// One line for each edge, with who says so.
    fn edges_text(&self) -> String {
        let rows = self.found.iter().flat_map(|found| found.edges.iter().map(move |edge| (found.distance, edge)));
        let rows = rows.map(|(distance, edge)| {
            [
                distance.to_string(),
                end(&edge.from, edge.from_column.as_deref()),
                end(&edge.to, edge.to_column.as_deref()),
                edge.kind.to_string(),
                edge.basis.to_string(),
                edge.speaker(),
            ]
        });
        let mut text = output::table(["distance", "from", "to", "kind", "basis", "says"], rows);
        self.add_consumers(&mut text);
        text
    }

    /// The counts, then consumers, then what is reached.
    fn impact_text(&self) -> String {
        let mut text = String::new();
        for LineageCount { distance, total, domains, consumers } in &self.counts {
            let domains = domains.iter().map(|LineageDomainCount { domain, count }| {
                format!("{} {count}", domain.as_ref().map_or("outside", |domain| domain.path.as_str()))
            });
            let domains = domains.collect::<Vec<_>>().join(", ");
            let domains = if domains.is_empty() { domains } else { format!(" ({domains})") };
            let _ =
                writeln!(text, "distance {distance}: {total} affected{domains}, {}", count_of(*consumers, "consumer"));
        }
        self.add_consumers(&mut text);
        if !self.found.is_empty() {
            let rows = self.found.iter().map(|found| {
                [
                    found.distance.to_string(),
                    end(&found.node, None),
                    columns(found.columns.as_deref(), found.more_columns),
                ]
            });
            let _ = write!(text, "\n{}", output::table(["distance", "affected", "columns"], rows));
        }
        text
    }

    fn add_consumers(&self, text: &mut String) {
        if self.consumers.is_empty() {
            return;
        }
        let uses = self.consumers.iter().flat_map(|consumer| consumer.ports.iter().map(move |port| (consumer, port)));
        let rows = uses.map(|(consumer, port)| {
            [
                consumer.distance.to_string(),
                bold(consumer.subject()),
                port.address(),
                columns(port.columns.as_deref(), 0),
            ]
        });
        let _ = write!(text, "\n{}", output::table(["distance", "consumer", "grant on", "reads"], rows));
    }

    /// What is said beside the answer.
    fn notes(&self) {
        if self.total == Some(0) && self.consumer_count == 0 {
            output::note("nothing that you may know of depends on it, as far as lineage is known");
        }
        match self.cut.map(|cut| cut.0) {
            Some(lineage::graph::Cut::Behind) => {
                output::warn("lineage is not up to date yet: something may be missing")
            }
            Some(lineage::graph::Cut::Depth) => output::note("there is more beyond this distance"),
            Some(lineage::graph::Cut::Limit) => {
                output::warn("there is more than can be followed: something is missing")
            }
            None => {}
        }
        if let Some(cursor) = &self.end_cursor {
            output::note(&format!("more with `--after {cursor}`"));
        }
        if let Some(cursor) = &self.end_consumer {
            output::note(&format!("more consumers with `--consumer {cursor}`"));
        }
    }
}

impl AffectedReaders {
    /// Whether no one breaks, as far as is known for certain.
    pub(crate) fn is_empty(&self) -> bool {
        self.count == 0 && self.complete
    }

    /// The lines as notes of a report.
    pub(crate) fn notes(&self) -> impl Iterator<Item = Note> {
        let kind = || Kind::new(("breaks", "A consumer who may break by the change."));
        let note = move |message| {
            let title = "breaks".to_owned();
            Note { level: Level::Notice, line: None, column: None, kind: kind(), title, message }
        };
        self.lines().into_iter().map(note)
    }

    /// Who breaks, one line each, and what is missing.
    pub(crate) fn lines(&self) -> Vec<String> {
        let uses = self.consumers.iter().flat_map(|consumer| consumer.ports.iter().map(move |port| (consumer, port)));
        let mut lines: Vec<String> = uses
            .map(|(consumer, port)| {
                let reads = match &port.columns {
                    Some(columns) => format!("reads {}", columns.join(", ")),
                    None => "which columns it reads is not known".to_owned(),
                };
                format!("{} on {}: {reads}", consumer.subject(), port.address())
            })
            .collect();
        let shown = i32::try_from(self.consumers.len()).unwrap_or(i32::MAX);
        if self.count > shown {
            lines.push(format!("{} more; `charter impact` names them", self.count - shown));
        }
        if !self.complete {
            lines.push("lineage is not up to date: consumers may be missing".to_owned());
        }
        lines
    }
}

impl LineageConsumer {
    fn subject(&self) -> &str {
        self.principal.as_ref().map_or("-", |principal| principal.subject.as_str())
    }
}

impl LineagePort {
    fn address(&self) -> String {
        let product = self.product.as_ref().map(|of| format!("{}.{}.", of.domain.path, of.name)).unwrap_or_default();
        format!("{product}{}__v{}", self.name, self.major)
    }
}

impl LineageEdge {
    fn speaker(&self) -> String {
        let speaker = match (&self.principal, &self.product) {
            (Some(principal), _) => principal.subject.clone(),
            (None, Some(product)) => format!("{}.{}", product.domain.path, product.name),
            (None, None) => "-".to_owned(),
        };
        match self.standing.0 {
            lineage::edge::Standing::Own => speaker,
            lineage::edge::Standing::Claim => format!("{speaker} (claim)"),
        }
    }
}

fn end(node: &LineageNode, column: Option<&str>) -> String {
    let name = match node {
        LineageNode::Table(table) => table.address.clone(),
        LineageNode::LineageDataset(LineageDataset { namespace, name }) => {
            format!("{namespace} {name}").trim().to_owned()
        }
        LineageNode::LineageJob(LineageJob { namespace, name }) => format!("job {namespace} {name}"),
        LineageNode::Unknown => "?".to_owned(),
    };
    column.map_or(name.clone(), |column| format!("{name}.{column}"))
}

/// The names of columns, as far as they are known.
pub(crate) fn columns(names: Option<&[String]>, n_more: i32) -> String {
    match names {
        None => "not known".to_owned(),
        Some(names) if n_more > 0 => format!("{} and {n_more} more", names.join(", ")),
        Some(names) => names.join(", "),
    }
}

fn count_of(n: i32, noun: &str) -> String {
    count(usize::try_from(n).unwrap_or_default(), noun)
}
