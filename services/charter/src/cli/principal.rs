//! `charter principal`: users and service accounts.

use clap::Subcommand;
use serde::{Deserialize, Serialize};
use serde_json::{Map, json};

use super::answer::PrincipalName;
use super::args::{Idempotency, Paging, Remote};
use super::client::{Client, Connection};
use super::error::{Error, Exit, Result};
use super::output::{self, or_dash, word};

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

const CREATE: &[&str] = &[
    "mutation CreatePrincipal($input: CreatePrincipalInput!) { answer: createPrincipal(input: $input) {
        __typename
        ... on CreatePrincipalPayload { principal { ...Principal } }
        ... on NameTaken { message }
    } }\n",
    PRINCIPAL,
];

const LIST: &[&str] = &[
    "query Principals($first: Int, $after: String) { answer: principals(first: $first, after: $after) {
        nodes { ...Principal }
        pageInfo { hasNextPage endCursor }
    } }\n",
    PRINCIPAL,
];

const SET_ENABLED: &[&str] = &[
    "mutation SetPrincipalEnabled($input: SetPrincipalEnabledInput!) {
        answer: setPrincipalEnabled(input: $input) { principal { ...Principal } }
    }\n",
    PRINCIPAL,
];

const PRINCIPAL: &str = "fragment Principal on Principal {
    id issuer subject kind enabled owner { subject } createdAt
}\n";

#[derive(Debug, Deserialize, Serialize)]
#[serde(tag = "__typename")]
enum Created {
    CreatePrincipalPayload { principal: Principal },
    NameTaken { message: String },
}

#[derive(Debug, Deserialize, Serialize)]
struct Switched {
    principal: Principal,
}

#[derive(Debug, Deserialize, Serialize)]
#[serde(rename_all = "camelCase")]
struct Principal {
    id: String,
    issuer: String,
    subject: String,
    kind: String,
    enabled: bool,
    owner: Option<PrincipalName>,
    created_at: String,
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
            let kind = if service { "SERVICE" } else { "USER" };
            let input = idempotency.into_input(json!({ "subject": subject, "kind": kind, "owner": owner }));
            let created: Created = client.send(CREATE, json!({ "input": input })).await?;
            if json {
                output::print_json(&created)?;
            }
            match created {
                Created::CreatePrincipalPayload { principal } if !json => output::print(&table(&[principal]))?,
                Created::CreatePrincipalPayload { .. } => {}
                Created::NameTaken { message } => return Err(Error::new(Exit::Failed, message)),
            }
        }
        Command::List { paging } => {
            let principals: Connection<Principal> = client.list(LIST, Map::new(), &paging).await?;
            output::show(json, &principals, |principals| table(&principals.nodes))?;
        }
        Command::Enable(principal) => set_enabled(&client, principal, true, json).await?,
        Command::Disable(principal) => set_enabled(&client, principal, false, json).await?,
    }
    Ok(Exit::Done)
}

async fn set_enabled(client: &Client, args: PrincipalArgs, enabled: bool, json: bool) -> Result<()> {
    let principal = find(client, &args.subject).await?;
    let input = args.idempotency.into_input(json!({ "principal": principal.id, "enabled": enabled }));
    let switched: Switched = client.send(SET_ENABLED, json!({ "input": input })).await?;
    output::show(json, &switched, |switched| table(std::slice::from_ref(&switched.principal)))
}

/// Finds a principal by its subject. If the subject exists at several issuers, none is chosen.
async fn find(client: &Client, subject: &str) -> Result<Principal> {
    let all = Paging { limit: None, after: None };
    let principals: Connection<Principal> = client.list(LIST, Map::new(), &all).await?;
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
            [subject.clone(), issuer.clone(), word(kind), enabled.to_owned(), owner, created_at.clone()]
        }),
    )
}
