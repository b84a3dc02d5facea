//! `charter table`: a table, its newest snapshot and inspection result.

use std::fmt::Write;

use clap::Subcommand;
use serde::{Deserialize, Serialize};
use serde_json::json;

use super::answer::{ProductName, Snapshot};
use super::args::{self, Remote};
use super::client::{Client, Connection};
use super::error::{Error, Exit, Result};
use super::output::{self, Paint, or_dash};

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

const SHOW: &[&str] = &[
    "query Table($address: String!) { answer: table(address: $address) {
        id address name format environment major location
        product { ...ProductName } contractVersion { id version state }
        head { ...Snapshot columns { name type nullable } }
        snapshots(first: 20) {
            nodes { key state noticedAt committedAt rows verdict { verdict } }
            pageInfo { hasNextPage endCursor }
        }
    } }\n",
    Snapshot::FRAGMENT,
    ProductName::FRAGMENT,
];

/// A table's format.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize, Serialize)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
pub(crate) enum TableFormat {
    /// Delta Lake.
    Delta,
    /// A folder of Parquet files.
    Parquet,
}

impl std::fmt::Display for TableFormat {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(match self {
            Self::Delta => "delta",
            Self::Parquet => "parquet",
        })
    }
}

#[derive(Debug, Deserialize, Serialize)]
#[serde(rename_all = "camelCase")]
struct Table {
    id: String,
    address: String,
    name: String,
    format: TableFormat,
    environment: String,
    major: u32,
    /// Only for owners and stewards.
    location: Option<String>,
    product: ProductName,
    contract_version: Option<ContractVersion>,
    head: Option<Head>,
    snapshots: Connection<PastSnapshot>,
}

#[derive(Debug, Deserialize, Serialize)]
struct ContractVersion {
    id: String,
    version: String,
    state: String,
}

#[derive(Debug, Deserialize, Serialize)]
struct Head {
    #[serde(flatten)]
    snapshot: Snapshot,
    columns: Option<Vec<Column>>,
}

#[derive(Debug, Deserialize, Serialize)]
struct Column {
    name: String,
    r#type: String,
    nullable: bool,
}

#[derive(Debug, Deserialize, Serialize)]
#[serde(rename_all = "camelCase")]
struct PastSnapshot {
    key: String,
    state: String,
    noticed_at: String,
    committed_at: Option<String>,
    rows: Option<String>,
    verdict: Option<PastVerdict>,
}

#[derive(Debug, Deserialize, Serialize)]
struct PastVerdict {
    verdict: String,
}

/// Runs `charter table`.
pub(crate) async fn run(args: Args) -> Result<Exit> {
    let Command::Show { table } = args.command;
    let found: Option<Table> = Client::new(&args.remote)?.send(SHOW, json!({ "address": table })).await?;
    let found = found.ok_or_else(|| Error::not_found("table", &table))?;
    output::show(args.remote.json, &found, |found| found.text(Paint::stdout()))?;
    Ok(Exit::Done)
}

impl Table {
    fn text(&self, paint: Paint) -> String {
        let version = self.contract_version.as_ref();
        let contract =
            or_dash(version.map(|version| format!("{} ({})", version.version, output::word(&version.state))));
        let mut text = format!(
            "{}\n{} table in `{}`, contract version {contract}\n",
            paint.bold(&self.address),
            self.format,
            self.environment,
        );
        if let Some(location) = &self.location {
            let _ = writeln!(text, "at {location}");
        }
        match &self.head {
            Some(head) => {
                let _ = write!(text, "\n{}", head.snapshot.text(paint));
                let columns = head.columns.iter().flatten().map(|column| {
                    let null = if column.nullable { "nullable" } else { "not null" };
                    [column.name.clone(), column.r#type.clone(), null.to_owned()]
                });
                let _ = write!(text, "\n{}", output::table(["column", "type", "null"], columns));
            }
            None => text.push_str("\nno snapshot yet\n"),
        }
        let past = self.snapshots.nodes.iter().map(|snapshot| {
            [
                snapshot.key.clone(),
                output::word(&snapshot.state),
                or_dash(snapshot.verdict.as_ref().map(|verdict| output::word(&verdict.verdict))),
                or_dash(snapshot.rows.as_deref()),
                or_dash(snapshot.committed_at.as_deref()),
                snapshot.noticed_at.clone(),
            ]
        });
        let header = ["snapshot", "state", "verdict", "rows", "committed", "noticed"];
        let _ = write!(text, "\n{}", output::table(header, past));
        text
    }
}
