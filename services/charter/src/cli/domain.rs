//! `charter domain`: domains, the units of the organisation.

use clap::Subcommand;
use cynic::Id;
use domain::clock::Timestamp;
use serde::Serialize;

use super::answer::NameTaken;
use super::api::{DateTime, Enforcement, list, operation, schema};
use super::args::{self, Idempotency, Paging, Remote};
use super::client::Client;
use super::error::{Error, Exit, Result};
use super::output::{self, or_dash};

/// `charter domain`.
#[derive(clap::Args)]
pub(crate) struct Args {
    #[command(subcommand)]
    command: Command,
    #[command(flatten)]
    remote: Remote,
}

#[derive(Subcommand)]
enum Command {
    /// Create a domain
    Create {
        /// Path of the domain; `/` separates the levels
        #[arg(value_parser = args::domain_path)]
        path: String,
        #[command(flatten)]
        idempotency: Idempotency,
    },
    /// Set how strictly a domain's contracts are enforced
    Enforce {
        /// Domain to configure
        #[arg(value_parser = args::domain_path)]
        path: String,
        /// `off`, `report` (record decisions, but do not refuse access for conformance or quality), or `on`
        #[arg(value_enum)]
        enforcement: Enforcement,
        /// When it takes effect: a date or RFC 3339; immediately if not given
        #[arg(long, value_name = "TIME", value_parser = args::timestamp)]
        switch_at: Option<Timestamp>,
        #[command(flatten)]
        idempotency: Idempotency,
    },
    /// List domains
    List {
        #[command(flatten)]
        paging: Paging,
    },
}

operation!($ mutation "Mutation" CreateDomain { input: CreateDomainInput } "createDomain" -> CreateDomainResult);
operation!($ mutation "Mutation" SetEnforcement { input: SetEnforcementInput } "setEnforcement" -> SetEnforcementPayload);
list!($ ListDomains {} "domains" -> "DomainConnection" of Domain);

#[derive(Clone, cynic::InputObject)]
struct CreateDomainInput {
    path: String,
    idempotency_key: Option<String>,
}

#[derive(Clone, cynic::InputObject)]
struct SetEnforcementInput {
    domain: String,
    enforcement: Enforcement,
    switch_at: Option<DateTime>,
    idempotency_key: Option<String>,
}

#[derive(Serialize, cynic::InlineFragments)]
#[cynic(exhaustive)]
#[serde(tag = "__typename")]
enum CreateDomainResult {
    CreateDomainPayload(CreateDomainPayload),
    NameTaken(NameTaken),
    #[cynic(fallback)]
    Unknown,
}

#[derive(Serialize, cynic::QueryFragment)]
struct CreateDomainPayload {
    domain: Domain,
}

#[derive(Serialize, cynic::QueryFragment)]
struct SetEnforcementPayload {
    domain: Domain,
}

#[derive(Serialize, cynic::QueryFragment)]
#[serde(rename_all = "camelCase")]
struct Domain {
    id: Id,
    path: String,
    enforcement: Enforcement,
    switch_at: Option<DateTime>,
    created_at: DateTime,
}

/// Runs `charter domain`.
pub(crate) async fn run(args: Args) -> Result<Exit> {
    let json = args.remote.json;
    let client = Client::new(&args.remote)?;
    match args.command {
        Command::Create { path, idempotency } => {
            let input = CreateDomainInput { path, idempotency_key: idempotency.into_key() };
            let result = client.send(CreateDomain { input }).await?;
            output::outcome(json, &result, |result| match result {
                CreateDomainResult::CreateDomainPayload(created) => Ok(table(std::slice::from_ref(&created.domain))),
                CreateDomainResult::NameTaken(taken) => Err(Error::new(Exit::Failed, taken.message.as_str())),
                CreateDomainResult::Unknown => Err(Error::unknown_outcome()),
            })?;
        }
        Command::Enforce { path, enforcement, switch_at, idempotency } => {
            let input = SetEnforcementInput {
                domain: path,
                enforcement,
                switch_at: switch_at.map(DateTime::from),
                idempotency_key: idempotency.into_key(),
            };
            let payload = client.send(SetEnforcement { input }).await?;
            output::show(json, &payload, |payload| table(std::slice::from_ref(&payload.domain)))?;
        }
        Command::List { paging } => {
            let domains = client.list(ListDomains::default(), &paging).await?;
            output::show(json, &domains, |domains| table(&domains.nodes))?;
        }
    }
    Ok(Exit::Done)
}

fn table(domains: &[Domain]) -> String {
    output::table(
        ["path", "enforcement", "switches at", "created"],
        domains.iter().map(|domain| {
            let Domain { path, enforcement, switch_at, created_at, .. } = domain;
            [path.clone(), enforcement.to_string(), or_dash(switch_at.as_ref()), created_at.to_string()]
        }),
    )
}
