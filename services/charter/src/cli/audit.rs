//! `charter audit`: the audit log.

use clap::Subcommand;
use cynic::Id;
use serde::Serialize;

use super::answer::PrincipalName;
use super::api::{DateTime, list, schema};
use super::args::{Paging, Remote};
use super::client::Client;
use super::error::{Exit, Result};
use super::output::{self, or_dash};

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
        action: Option<String>,
        #[command(flatten)]
        paging: Paging,
    },
}

list!($ ListRecords { action: Option<String> } "records" -> "RecordConnection" of Record);

#[derive(Serialize, cynic::QueryFragment)]
#[serde(rename_all = "camelCase")]
struct Record {
    id: Id,
    at: DateTime,
    actor: Option<PrincipalName>,
    action: String,
    resource: String,
    outcome: String,
    reason: Option<String>,
    request_id: String,
    detail: String,
    mac: String,
}

/// Runs `charter audit`.
pub(crate) async fn run(args: Args) -> Result<Exit> {
    let Command::List { action, paging } = args.command;
    let list = ListRecords { action, ..ListRecords::default() };
    let records = Client::new(&args.remote)?.list(list, &paging).await?;
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
            [at.to_string(), actor, action.clone(), resource.clone(), outcome.clone(), reason]
        }),
    )
}
