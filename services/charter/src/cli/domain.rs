//! `charter domain`: domains, the units of the organisation.

use clap::Subcommand;
use clap::builder::PossibleValuesParser;
use domain::clock::Timestamp;
use domain::org::Enforcement;
use serde::{Deserialize, Serialize};
use serde_json::{Map, json};

use super::args::{self, Idempotency, Paging, Remote};
use super::client::{Client, Connection};
use super::error::{Error, Exit, Result};
use super::output::{self, or_dash, word};

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
        #[arg(value_parser = enforcements())]
        enforcement: String,
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

const CREATE: &[&str] = &["mutation CreateDomain($input: CreateDomainInput!) { answer: createDomain(input: $input) {
    __typename
    ... on CreateDomainPayload { domain { id path enforcement switchAt createdAt } }
    ... on NameTaken { message }
} }"];

const ENFORCE: &[&str] = &["mutation SetEnforcement($input: SetEnforcementInput!) {
    answer: setEnforcement(input: $input) { domain { id path enforcement switchAt createdAt } }
}"];

const LIST: &[&str] = &["query Domains($first: Int, $after: String) { answer: domains(first: $first, after: $after) {
    nodes { id path enforcement switchAt createdAt }
    pageInfo { hasNextPage endCursor }
} }"];

#[derive(Debug, Deserialize, Serialize)]
#[serde(tag = "__typename")]
enum Created {
    CreateDomainPayload { domain: Domain },
    NameTaken { message: String },
}

#[derive(Debug, Deserialize, Serialize)]
struct Enforced {
    domain: Domain,
}

#[derive(Debug, Deserialize, Serialize)]
#[serde(rename_all = "camelCase")]
struct Domain {
    id: String,
    path: String,
    enforcement: String,
    switch_at: Option<String>,
    created_at: String,
}

/// Runs `charter domain`.
pub(crate) async fn run(args: Args) -> Result<Exit> {
    let json = args.remote.json;
    let client = Client::new(&args.remote)?;
    match args.command {
        Command::Create { path, idempotency } => {
            let input = idempotency.into_input(json!({ "path": path }));
            let created: Created = client.send(CREATE, json!({ "input": input })).await?;
            if json {
                output::print_json(&created)?;
            }
            match created {
                Created::CreateDomainPayload { domain } if !json => output::print(&table(&[domain]))?,
                Created::CreateDomainPayload { .. } => {}
                Created::NameTaken { message } => return Err(Error::new(Exit::Failed, message)),
            }
        }
        Command::Enforce { path, enforcement, switch_at, idempotency } => {
            let input = idempotency.into_input(json!({
                "domain": path,
                "enforcement": args::enum_value(&enforcement),
                "switchAt": switch_at.map(|at| at.to_string()),
            }));
            let enforced: Enforced = client.send(ENFORCE, json!({ "input": input })).await?;
            output::show(json, &enforced, |enforced| table(std::slice::from_ref(&enforced.domain)))?;
        }
        Command::List { paging } => {
            let domains: Connection<Domain> = client.list(LIST, Map::new(), &paging).await?;
            output::show(json, &domains, |domains| table(&domains.nodes))?;
        }
    }
    Ok(Exit::Done)
}

fn enforcements() -> PossibleValuesParser {
    PossibleValuesParser::new(Enforcement::ALL.iter().map(|enforcement| enforcement.as_str()))
}

fn table(domains: &[Domain]) -> String {
    output::table(
        ["path", "enforcement", "switches at", "created"],
        domains.iter().map(|domain| {
            let Domain { path, enforcement, switch_at, created_at, .. } = domain;
            [path.clone(), word(enforcement), or_dash(switch_at.as_deref()), created_at.clone()]
        }),
    )
}
