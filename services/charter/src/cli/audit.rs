//! `charter audit`: the audit log.

use clap::Subcommand;
use domain::audit::{Action, Outcome};
use serde::{Deserialize, Serialize};
use serde_json::{Map, json};

use super::answer::PrincipalName;
use super::args::{Paging, Remote};
use super::client::{Client, Connection};
use super::error::{Exit, Result};
use super::output::{self, or_dash};
use super::word;

/// `charter audit`.
#[derive(clap::Args)]
pub(crate) struct Args {
    #[command(subcommand)]
    command: Command,
    #[command(flatten)]
    remote: Remote,
}

#[derive(Subcommand)]
enum Command {
    /// List audit records (auditors, stewards and admins only)
    List {
        /// Only records of this action, such as `credential.vend`
        #[arg(long)]
        action: Option<Action>,
        #[command(flatten)]
        paging: Paging,
    },
}

const LIST: &[&str] = &["query Records($first: Int, $after: String, $action: AuditAction) {
    answer: records(first: $first, after: $after, action: $action) {
        nodes { id at actor { subject } action resource outcome reason requestId detail mac }
        pageInfo { hasNextPage endCursor }
    }
}"];

#[derive(Debug, Deserialize, Serialize)]
#[serde(rename_all = "camelCase")]
struct Record {
    id: String,
    at: String,
    actor: Option<PrincipalName>,
    #[serde(with = "word")]
    action: Action,
    resource: String,
    #[serde(with = "word")]
    outcome: Outcome,
    reason: Option<String>,
    request_id: String,
    detail: String,
    mac: String,
}

/// Runs `charter audit`.
pub(crate) async fn run(args: Args) -> Result<Exit> {
    let Command::List { action, paging } = args.command;
    let filters = Map::from_iter([("action".to_owned(), json!(action.map(word::name)))]);
    let records: Connection<Record> = Client::new(&args.remote)?.list(LIST, filters, &paging).await?;
    output::show(args.remote.json, &records, |records| table(&records.nodes))?;
    Ok(Exit::Done)
}

fn table(records: &[Record]) -> String {
    output::table(
        ["at", "actor", "action", "resource", "outcome", "reason"],
        records.iter().map(|record| {
            let Record { at, actor, action, resource, outcome, reason, .. } = record;
            let actor = or_dash(actor.as_ref().map(|actor| &actor.subject));
            let reason = or_dash(reason.as_ref());
            [at.clone(), actor, action.to_string(), resource.clone(), outcome.to_string(), reason]
        }),
    )
}
