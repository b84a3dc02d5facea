//! `charter audit`: the audit log.

use clap::Subcommand;
use cynic::Id;
use domain::audit::Action;
use serde::Serialize;

use super::answer::PrincipalName;
use super::api::{AuditAction, AuditActionArgument, AuditOutcome, DateTime, RecordFault, list, schema};
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
        action: Option<Action>,
        #[command(flatten)]
        paging: Paging,
    },
}

list!($ ListRecords { action: Option<AuditActionArgument> } "records" -> "AuditEntryConnection" of AuditEntry);

#[derive(Serialize, cynic::InlineFragments)]
#[serde(tag = "__typename")]
enum AuditEntry {
    Record(Record),
    BrokenRecord(BrokenRecord),
    #[cynic(fallback)]
    Unknown,
}

#[derive(Serialize, cynic::QueryFragment)]
struct BrokenRecord {
    id: Id,
    at: DateTime,
    fault: RecordFault,
    action: String,
    resource: String,
}

#[derive(Serialize, cynic::QueryFragment)]
#[serde(rename_all = "camelCase")]
struct Record {
    id: Id,
    at: DateTime,
    actor: Option<PrincipalName>,
    action: AuditAction,
    resource: String,
    outcome: AuditOutcome,
    reason: Option<String>,
    request_id: String,
    detail: String,
    mac: String,
}

/// Runs `charter audit`.
pub(crate) async fn run(args: Args) -> Result<Exit> {
    let Command::List { action, paging } = args.command;
    let list = ListRecords { action: action.map(AuditActionArgument), ..ListRecords::default() };
    let records = Client::new(&args.remote)?.list(list, &paging).await?;
    output::show(args.remote.json, &records, |records| table(&records.nodes))?;
    Ok(Exit::Done)
}

fn table(entries: &[AuditEntry]) -> String {
    output::table(
        ["at", "actor", "action", "resource", "outcome", "reason"],
        entries.iter().map(|entry| match entry {
            AuditEntry::Record(record) => {
                let Record { at, actor, action, resource, outcome, reason, .. } = record;
                let actor = or_dash(actor.as_ref().map(|actor| &actor.subject));
                let reason = or_dash(reason.as_ref());
                [at.to_string(), actor, action.to_string(), resource.clone(), outcome.to_string(), reason]
            }
            AuditEntry::BrokenRecord(BrokenRecord { id: _, at, fault, action, resource }) => {
                let reason = fault.0.meaning().to_owned();
                [at.to_string(), or_dash(None::<&str>), action.clone(), resource.clone(), "broken".to_owned(), reason]
            }
            AuditEntry::Unknown => [(); 6].map(|()| or_dash(None::<&str>)),
        }),
    )
}
