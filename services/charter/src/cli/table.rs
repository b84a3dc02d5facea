//! `charter table`: a table, its newest snapshot and inspection result.

use std::fmt::Write;

use clap::Subcommand;
use cynic::Id;
use serde::Serialize;

use super::answer::{ProductName, Snapshot};
use super::api::{ContractState, DateTime, Long, SnapshotState, TableFormat, VerdictWord, operation, schema};
use super::args::{self, Remote};
use super::client::{Client, PageInfo};
use super::error::{Error, Exit, Result};
use super::output::{self, bold, or_dash};

/// `charter table`.
#[derive(clap::Args)]
pub(crate) struct Args {
    #[command(subcommand)]
    command: Command,
    #[command(flatten)]
    remote: Remote,
}

#[derive(Subcommand)]
enum Command {
    /// Show a table, its newest snapshot with columns and verdict, and earlier snapshots
    Show {
        /// Table, `domain.product.table`; append `__v2` for a major version
        #[arg(value_parser = args::table)]
        table: String,
    },
}

operation!($ query "Query" ShowTable { address: String } "table" -> Option<Table>);

#[derive(Serialize, cynic::QueryFragment)]
#[serde(rename_all = "camelCase")]
struct Table {
    id: Id,
    address: String,
    name: String,
    format: TableFormat,
    environment: String,
    major: i32,
    /// Only for owners and stewards.
    location: Option<String>,
    product: ProductName,
    contract_version: Option<ContractVersion>,
    head: Option<Head>,
    #[arguments(first: 20)]
    snapshots: SnapshotConnection,
}

#[derive(Serialize, cynic::QueryFragment)]
struct ContractVersion {
    id: Id,
    version: String,
    state: ContractState,
}

#[derive(Serialize, cynic::QueryFragment)]
#[cynic(graphql_type = "Snapshot")]
struct Head {
    #[cynic(spread)]
    #[serde(flatten)]
    snapshot: Snapshot,
    columns: Option<Vec<Column>>,
}

#[derive(Serialize, cynic::QueryFragment)]
struct Column {
    name: String,
    #[cynic(rename = "type")]
    #[serde(rename = "type")]
    column_type: String,
    nullable: bool,
}

#[derive(Serialize, cynic::QueryFragment)]
#[serde(rename_all = "camelCase")]
struct SnapshotConnection {
    nodes: Vec<PastSnapshot>,
    page_info: PageInfo,
}

#[derive(Serialize, cynic::QueryFragment)]
#[cynic(graphql_type = "Snapshot")]
#[serde(rename_all = "camelCase")]
struct PastSnapshot {
    key: String,
    state: SnapshotState,
    noticed_at: DateTime,
    committed_at: Option<DateTime>,
    rows: Option<Long>,
    verdict: Option<PastVerdict>,
}

#[derive(Serialize, cynic::QueryFragment)]
#[cynic(graphql_type = "Verdict")]
struct PastVerdict {
    verdict: VerdictWord,
}

/// Runs `charter table`.
pub(crate) async fn run(args: Args) -> Result<Exit> {
    let Command::Show { table } = args.command;
    let found = Client::new(&args.remote)?.send(ShowTable { address: table.clone() }).await?;
    let found = found.ok_or_else(|| Error::not_found("table", &table))?;
    output::show(args.remote.json, &found, Table::text)?;
    Ok(Exit::Done)
}

impl Table {
    fn text(&self) -> String {
        let version = self.contract_version.as_ref();
        let contract = or_dash(version.map(|version| format!("{} ({})", version.version, version.state)));
        let mut text = format!(
            "{}\n{} table in `{}`, contract version {contract}\n",
            bold(&self.address),
            self.format,
            self.environment,
        );
        if let Some(location) = &self.location {
            let _ = writeln!(text, "at {location}");
        }
        match &self.head {
            Some(head) => {
                let _ = write!(text, "\n{}", head.snapshot.text());
                let columns = head.columns.iter().flatten().map(|column| {
                    let null = if column.nullable { "nullable" } else { "not null" };
                    [column.name.clone(), column.column_type.clone(), null.to_owned()]
                });
                let _ = write!(text, "\n{}", output::table(["column", "type", "null"], columns));
            }
            None => text.push_str("\nno snapshot yet\n"),
        }
        let past = self.snapshots.nodes.iter().map(|snapshot| {
            [
                snapshot.key.clone(),
                snapshot.state.to_string(),
                or_dash(snapshot.verdict.as_ref().map(|verdict| verdict.verdict)),
                or_dash(snapshot.rows.as_ref()),
                or_dash(snapshot.committed_at.as_ref()),
                snapshot.noticed_at.to_string(),
            ]
        });
        let header = ["snapshot", "state", "verdict", "rows", "committed", "noticed"];
        let _ = write!(text, "\n{}", output::table(header, past));
        text
    }
}
