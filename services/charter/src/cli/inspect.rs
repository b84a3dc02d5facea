//! `charter inspect`: checks a table for a new snapshot, and waits for its verdict.

use std::time::Duration;

use cynic::Id;
use serde::Serialize;
use tokio::time::{Instant, sleep};

use super::answer::Snapshot;
use super::api::{DateTime, SnapshotState, VerdictWord, list, operation, schema};
use super::args::{self, Idempotency, Paging, Remote};
use super::client::Client;
use super::error::{Error, Exit, Result};
use super::output::{self, or_dash};

const POLL_INTERVAL: Duration = Duration::from_millis(300);

/// `charter inspect`.
#[derive(clap::Args)]
pub(crate) struct Args {
    /// Table, `domain.product.table`; append `__v2` for a major version
    #[arg(value_parser = args::table, required_unless_present = "queue")]
    table: Option<String>,
    /// List the waiting and running inspections in the order in which they became due, instead of requesting one
    #[arg(long, conflicts_with_all = ["table", "wait", "idempotency_key"])]
    queue: bool,
    /// Wait until the newest snapshot is inspected; exit code 2 if the verdict is `fail`, 1 if it is `error`
    #[arg(long)]
    wait: bool,
    /// Maximum time to wait, such as `90s`, `15m`
    #[arg(long, value_parser = args::duration, default_value = "15m", requires = "wait")]
    timeout: Duration,
    #[command(flatten)]
    paging: Paging,
    #[command(flatten)]
    idempotency: Idempotency,
    #[command(flatten)]
    remote: Remote,
}

list!($ ListQueue {} "inspectionQueue" -> "QueuedInspectionConnection" of QueuedInspection);

#[derive(Serialize, cynic::QueryFragment)]
#[serde(rename_all = "camelCase")]
struct QueuedInspection {
    table: QueuedTable,
    running: bool,
    again: bool,
    due_at: DateTime,
    started_at: Option<DateTime>,
    attempts: i32,
}

#[derive(Serialize, cynic::QueryFragment)]
#[cynic(graphql_type = "Table")]
struct QueuedTable {
    address: String,
}

fn queue(queued: &[QueuedInspection]) -> String {
    output::table(
        ["table", "state", "due", "started", "attempts"],
        queued.iter().map(|queued| {
            let QueuedInspection { table, running, due_at, started_at, attempts, again: _ } = queued;
            let state = if *running { "running" } else { "waiting" };
            let started = or_dash(started_at.as_ref());
            [table.address.clone(), state.to_owned(), due_at.to_string(), started, attempts.to_string()]
        }),
    )
}

operation!($ mutation "Mutation" InspectTable { input: InspectTableInput } "inspectTable" -> InspectTablePayload);
operation!($ query "Query" FindHead { address: String } "table" -> Option<Table>);

#[derive(Clone, cynic::InputObject)]
struct InspectTableInput {
    address: String,
    idempotency_key: Option<String>,
}

#[derive(cynic::QueryFragment)]
struct InspectTablePayload {
    table: Table,
}

#[derive(Serialize, cynic::QueryFragment)]
struct Table {
    id: Id,
    address: String,
    head: Option<Snapshot>,
}

impl Table {
    fn is_inspected(&self) -> bool {
        self.head.as_ref().is_some_and(|head| head.state != SnapshotState::Pending)
    }
}

/// Runs `charter inspect`.
pub(crate) async fn run(args: Args) -> Result<Exit> {
    let client = Client::new(&args.remote)?;
    let Some(address) = args.table else {
        let queued = client.list(ListQueue::default(), &args.paging).await?;
        output::show(args.remote.json, &queued, |queued| queue(&queued.nodes))?;
        return Ok(Exit::Done);
    };
    let input = InspectTableInput { address: address.clone(), idempotency_key: args.idempotency.into_key() };
    let queued = client.send(InspectTable { input }).await?;
    let table = if args.wait { wait(&client, queued.table, &address, args.timeout).await? } else { queued.table };
    output::show(args.remote.json, &table, |table| match &table.head {
        Some(head) => head.text(),
        None => format!("{address}: no snapshot yet"),
    })?;
    Ok(if args.wait { exit(&table) } else { Exit::Done })
}

/// Polls until the newest snapshot is inspected.
async fn wait(client: &Client, mut table: Table, address: &str, timeout: Duration) -> Result<Table> {
    let deadline = Instant::now() + timeout;
    let spinner = output::spinner(format!("inspecting {address}"));
    while !table.is_inspected() {
        if Instant::now() >= deadline {
            spinner.finish_and_clear();
            let what = if table.head.is_some() { "is not inspected yet" } else { "has no snapshot yet" };
            return Err(Error::new(Exit::Failed, format!("`{address}` {what} after {} s", timeout.as_secs()))
                .hint("the inspection continues; run the command again, or increase `--timeout`"));
        }
        sleep(POLL_INTERVAL).await;
        let found = client.send(FindHead { address: address.to_owned() }).await?;
        table = found.ok_or_else(|| Error::not_found("table", address))?;
    }
    spinner.finish_and_clear();
    Ok(table)
}

/// The exit code for a verdict, with `--wait`.
fn exit(table: &Table) -> Exit {
    match table.head.as_ref().and_then(|head| head.verdict.as_ref()) {
        Some(verdict) if verdict.verdict == VerdictWord::Error => Exit::Failed,
        Some(verdict) if verdict.verdict == VerdictWord::Fail || !verdict.conforms => Exit::Refused,
        Some(_) => Exit::Done,
        None => Exit::Failed,
    }
}
