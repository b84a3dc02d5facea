//! `charter version`: activation of contract versions that wait for their owner.

use clap::Subcommand;
use serde::{Deserialize, Serialize};
use serde_json::json;

use super::args::{self, Idempotency, ProductAddress, Remote};
use super::client::Client;
use super::error::{Error, Exit, Result};
use super::output::{self, word};

/// `charter version`.
#[derive(clap::Args)]
pub(crate) struct Args {
    #[command(subcommand)]
    command: Command,
    #[command(flatten)]
    remote: Remote,
}

#[derive(Subcommand)]
enum Command {
    /// Activate a draft version
    Activate {
        /// Product, `domain.product`
        #[arg(value_parser = args::product)]
        product: ProductAddress,
        /// Id of the contract, as in its document
        contract: String,
        /// Version, such as `1.2.0`
        version: String,
        #[command(flatten)]
        idempotency: Idempotency,
    },
}

const FIND: &[&str] = &[
    "query ContractVersion($domain: String!, $product: String!, $contract: String!, $version: String!) {
        answer: contractVersion(domain: $domain, product: $product, contract: $contract, version: $version) {
            ...Version
        }
    }\n",
    VERSION,
];

const ACTIVATE: &[&str] = &[
    "mutation ActivateVersion($input: ActivateVersionInput!) { answer: activateVersion(input: $input) {
        __typename
        ... on ActivateVersionPayload { version { ...Version } }
        ... on VersionWaits { version { ...Version } reasons }
    } }\n",
    VERSION,
];

const VERSION: &str = "fragment Version on ContractVersion { id version state reasons sunset publishedAt }\n";

#[derive(Debug, Deserialize, Serialize)]
#[serde(tag = "__typename")]
enum Activated {
    ActivateVersionPayload { version: ContractVersion },
    VersionWaits { version: ContractVersion, reasons: Vec<String> },
}

#[derive(Debug, Deserialize, Serialize)]
#[serde(rename_all = "camelCase")]
struct ContractVersion {
    id: String,
    version: String,
    state: String,
    reasons: Vec<String>,
    sunset: Option<String>,
    published_at: String,
}

/// Runs `charter version`.
pub(crate) async fn run(args: Args) -> Result<Exit> {
    let Command::Activate { product, contract, version, idempotency } = args.command;
    let client = Client::new(&args.remote)?;
    let variables = json!({
        "domain": product.domain,
        "product": product.product,
        "contract": contract,
        "version": version,
    });
    let found: Option<ContractVersion> = client.send(FIND, variables).await?;
    let found = found.ok_or_else(|| Error::not_found("version", &format!("{product} {contract} {version}")))?;
    let input = idempotency.into_input(json!({ "version": found.id }));
    let activated: Activated = client.send(ACTIVATE, json!({ "input": input })).await?;
    if args.remote.json {
        output::print_json(&activated)?;
    }
    match activated {
        Activated::ActivateVersionPayload { version } if !args.remote.json => {
            output::print(&format!("{product} {contract} {}: {}", version.version, word(&version.state)))?;
        }
        Activated::ActivateVersionPayload { .. } => {}
        Activated::VersionWaits { reasons, .. } => {
            let report: Vec<String> = reasons.iter().map(|reason| format!("  {reason}")).collect();
            return Err(Error::new(Exit::Refused, format!("{product} {contract} {version} cannot be activated yet"))
                .report(report.join("\n"))
                .hint("activation is retried after each inspection"));
        }
    }
    Ok(Exit::Done)
}
