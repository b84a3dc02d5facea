//! `charter principal`: users and service accounts.

use clap::Subcommand;
use cynic::Id;
use serde::Serialize;

use super::answer::{NameTaken, PrincipalName};
use super::api::{DateTime, NewPrincipalKind, PrincipalKind, list, operation, schema};
use super::args::{Idempotency, Paging, Remote};
use super::client::Client;
use super::error::{Error, Exit, Result};
use super::output::{self, or_dash};

/// `charter principal`.
#[derive(clap::Args)]
pub(crate) struct Args {
    #[command(subcommand)]
    command: Command,
    #[command(flatten)]
    remote: Remote,
}

#[derive(Subcommand)]
enum Command {
    /// Create a user or a service account
    Create {
        /// Name at the issuer, such as `ada` or `nightly-report`
        subject: String,
        /// Create a service account
        #[arg(long)]
        service: bool,
        /// User responsible for the service account; you if not given
        #[arg(long, value_name = "SUBJECT", requires = "service")]
        owner: Option<String>,
        #[command(flatten)]
        idempotency: Idempotency,
    },
    /// List users and service accounts
    List {
        #[command(flatten)]
        paging: Paging,
    },
    /// Re-enable a principal
    Enable(PrincipalArgs),
    /// Disable a principal and invalidate its tokens and leases
    Disable(PrincipalArgs),
}

#[derive(clap::Args)]
struct PrincipalArgs {
    /// Name at the issuer
    subject: String,
    #[command(flatten)]
    idempotency: Idempotency,
}

operation!($ mutation "Mutation" CreatePrincipal { input: CreatePrincipalInput } "createPrincipal" -> CreatePrincipalResult);
operation!($ mutation "Mutation" SetPrincipalEnabled { input: SetPrincipalEnabledInput } "setPrincipalEnabled" -> SetPrincipalEnabledPayload);
list!($ ListPrincipals {} "principals" -> "PrincipalConnection" of Principal);

#[derive(Clone, cynic::InputObject)]
struct CreatePrincipalInput {
    subject: String,
    kind: Option<NewPrincipalKind>,
    owner: Option<Id>,
    idempotency_key: Option<String>,
}

#[derive(Clone, cynic::InputObject)]
struct SetPrincipalEnabledInput {
    principal: Id,
    enabled: bool,
    idempotency_key: Option<String>,
}

#[derive(Serialize, cynic::InlineFragments)]
#[cynic(exhaustive)]
#[serde(tag = "__typename")]
enum CreatePrincipalResult {
    CreatePrincipalPayload(CreatePrincipalPayload),
    NameTaken(NameTaken),
    #[cynic(fallback)]
    Unknown,
}

#[derive(Serialize, cynic::QueryFragment)]
struct CreatePrincipalPayload {
    principal: Principal,
}

#[derive(Serialize, cynic::QueryFragment)]
struct SetPrincipalEnabledPayload {
    principal: Principal,
}

#[derive(Serialize, cynic::QueryFragment)]
#[serde(rename_all = "camelCase")]
struct Principal {
    id: Id,
    issuer: String,
    subject: String,
    kind: PrincipalKind,
    enabled: bool,
    owner: Option<PrincipalName>,
    created_at: DateTime,
}

/// Runs `charter principal`.
pub(crate) async fn run(args: Args) -> Result<Exit> {
    let json = args.remote.json;
    let client = Client::new(&args.remote)?;
    match args.command {
        Command::Create { subject, service, owner, idempotency } => {
            let owner = match owner {
                Some(subject) => Some(find(&client, &subject).await?.id),
                None => None,
            };
            let kind = Some(if service { NewPrincipalKind::Service } else { NewPrincipalKind::User });
            let input = CreatePrincipalInput { subject, kind, owner, idempotency_key: idempotency.into_key() };
            let result = client.send(CreatePrincipal { input }).await?;
            output::outcome(json, &result, |result| match result {
                CreatePrincipalResult::CreatePrincipalPayload(created) => {
                    Ok(table(std::slice::from_ref(&created.principal)))
                }
                CreatePrincipalResult::NameTaken(taken) => Err(Error::new(Exit::Failed, taken.message.as_str())),
                CreatePrincipalResult::Unknown => Err(Error::unknown_outcome()),
            })?;
        }
        Command::List { paging } => {
            let principals = client.list(ListPrincipals::default(), &paging).await?;
            output::show(json, &principals, |principals| table(&principals.nodes))?;
        }
        Command::Enable(principal) => set_enabled(&client, principal, true, json).await?,
        Command::Disable(principal) => set_enabled(&client, principal, false, json).await?,
    }
    Ok(Exit::Done)
}

async fn set_enabled(client: &Client, args: PrincipalArgs, enabled: bool, json: bool) -> Result<()> {
    let principal = find(client, &args.subject).await?;
    let idempotency_key = args.idempotency.into_key();
    let input = SetPrincipalEnabledInput { principal: principal.id, enabled, idempotency_key };
    let payload = client.send(SetPrincipalEnabled { input }).await?;
    output::show(json, &payload, |payload| table(std::slice::from_ref(&payload.principal)))
}

/// Finds a principal by its subject. If the subject exists at several issuers, none is chosen.
async fn find(client: &Client, subject: &str) -> Result<Principal> {
    let all = Paging { limit: None, after: None };
    let principals = client.list(ListPrincipals::default(), &all).await?;
    let mut found = principals.nodes.into_iter().filter(|principal| principal.subject == subject);
    match (found.next(), found.next()) {
        (Some(principal), None) => Ok(principal),
        (None, _) => Err(Error::not_found("principal", subject)),
        (Some(_), Some(_)) => Err(Error::new(Exit::Failed, format!("principal `{subject}` exists at several issuers"))),
    }
}

fn table(principals: &[Principal]) -> String {
    output::table(
        ["subject", "issuer", "kind", "enabled", "owner", "created"],
        principals.iter().map(|principal| {
            let Principal { subject, issuer, kind, enabled, owner, created_at, .. } = principal;
            let enabled = if *enabled { "yes" } else { "no" };
            let owner = or_dash(owner.as_ref().map(|owner| &owner.subject));
            [subject.clone(), issuer.clone(), kind.to_string(), enabled.to_owned(), owner, created_at.to_string()]
        }),
    )
}
