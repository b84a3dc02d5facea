//! `charter version`: activation of contract versions that wait for their owner.

use clap::Subcommand;
use cynic::Id;
use serde::Serialize;

use super::api::{ContractState, DateTime, operation, schema};
use super::args::{self, Idempotency, ProductAddress, Remote};
use super::client::Client;
use super::error::{Error, Exit, Result};
use super::output;

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

operation!(
    $ query "Query" FindVersion { domain: String, product: String, contract: String, version: String }
    "contractVersion" -> Option<ContractVersion>
);
operation!($ mutation "Mutation" ActivateVersion { input: ActivateVersionInput } "activateVersion" -> ActivateVersionResult);

#[derive(Clone, cynic::InputObject)]
struct ActivateVersionInput {
    version: Id,
    idempotency_key: Option<String>,
}

#[derive(Serialize, cynic::InlineFragments)]
#[cynic(exhaustive)]
#[serde(tag = "__typename")]
enum ActivateVersionResult {
    ActivateVersionPayload(ActivateVersionPayload),
    VersionWaits(VersionWaits),
    #[cynic(fallback)]
    Unknown,
}

#[derive(Serialize, cynic::QueryFragment)]
struct ActivateVersionPayload {
    version: ContractVersion,
}

#[derive(Serialize, cynic::QueryFragment)]
struct VersionWaits {
    version: ContractVersion,
    reasons: Vec<String>,
}

#[derive(Serialize, cynic::QueryFragment)]
#[serde(rename_all = "camelCase")]
struct ContractVersion {
    id: Id,
    version: String,
    state: ContractState,
    reasons: Vec<String>,
    sunset: Option<DateTime>,
    published_at: DateTime,
}

/// Runs `charter version`.
pub(crate) async fn run(args: Args) -> Result<Exit> {
    let Command::Activate { product, contract, version, idempotency } = args.command;
    let client = Client::new(&args.remote)?;
    let address = format!("{product} {contract} {version}");
    let find = FindVersion { domain: product.domain, product: product.product, contract, version };
    let found = client.send(find).await?.ok_or_else(|| Error::not_found("version", &address))?;
    let input = ActivateVersionInput { version: found.id, idempotency_key: idempotency.into_key() };
    let result = client.send(ActivateVersion { input }).await?;
    output::outcome(args.remote.json, &result, |result| match result {
        ActivateVersionResult::ActivateVersionPayload(activated) => {
            Ok(format!("{address}: {}", activated.version.state))
        }
        ActivateVersionResult::VersionWaits(waits) => {
            let report: Vec<String> = waits.reasons.iter().map(|reason| format!("  {reason}")).collect();
            Err(Error::new(Exit::Refused, format!("{address} cannot be activated yet"))
                .report(report.join("\n"))
                .hint("activation is retried after each inspection"))
        }
        ActivateVersionResult::Unknown => Err(Error::unknown_outcome()),
    })?;
    Ok(Exit::Done)
}
