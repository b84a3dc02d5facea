//! `charter override`: versions that stewards accept although their numbers are too small.

use clap::Subcommand;
use domain::clock::Timestamp;
use serde::{Deserialize, Serialize};
use serde_json::json;

use super::answer::PrincipalName;
use super::args::{self, Idempotency, ProductAddress, Remote};
use super::client::Client;
use super::error::{Error, Exit, Result};
use super::output::{self, or_dash};

/// `charter override`.
#[derive(clap::Args)]
pub(crate) struct Args {
    #[command(subcommand)]
    command: Command,
    #[command(flatten)]
    remote: Remote,
}

#[derive(Subcommand)]
enum Command {
    /// Accept a version that was refused for its number, with just these findings; for stewards
    Create {
        /// The contract's id, as `charter product show --json` gives it
        #[arg(value_name = "CONTRACT")]
        contract: String,
        /// The version that was refused
        #[arg(value_name = "VERSION")]
        version: String,
        /// What it was refused for: the `findingsDigest` of the refusal
        #[arg(long, value_name = "DIGEST")]
        findings: String,
        /// Why it is accepted
        #[arg(long)]
        reason: String,
        /// Until when: a date or RFC 3339, at most 30 days from now
        #[arg(long, value_name = "TIME", value_parser = args::moment)]
        until: Timestamp,
        #[command(flatten)]
        idempotency: Idempotency,
    },
    /// List what was accepted for a product's contracts; what has ended is among it
    List {
        /// The product, `domain.product`
        #[arg(value_parser = args::product)]
        product: ProductAddress,
    },
    /// End an override early
    Revoke {
        /// The override's id
        #[arg(value_name = "ID")]
        id: String,
        /// Why
        #[arg(long)]
        reason: String,
        #[command(flatten)]
        idempotency: Idempotency,
    },
}

const CREATE: &[&str] = &[
    "mutation CreateOverride($input: CreateOverrideInput!) {
        answer: createOverride(input: $input) { override { ...Override } }
    }\n",
    OVERRIDE,
];

const LIST: &[&str] = &[
    "query Overrides($domain: String!, $name: String!) {
        answer: product(domain: $domain, name: $name) { contracts { documentId overrides { ...Override } } }
    }\n",
    OVERRIDE,
];

const REVOKE: &[&str] = &[
    "mutation RevokeOverride($input: RevokeOverrideInput!) { answer: revokeOverride(input: $input) {
        __typename
        ... on RevokeOverridePayload { override { ...Override } }
        ... on OverrideNotStanding { override { ...Override } message }
    } }\n",
    OVERRIDE,
];

const OVERRIDE: &str = "fragment Override on ContractOverride {
    id contract { documentId } version findingsDigest reason steward { subject } createdAt expiresAt stands
    revokedBy { subject } revokedAt revokeReason
}\n";

#[derive(Debug, Deserialize, Serialize)]
struct Created {
    r#override: Override,
}

#[derive(Debug, Deserialize, Serialize)]
struct Product {
    contracts: Vec<Contract>,
}

#[derive(Debug, Deserialize, Serialize)]
#[serde(rename_all = "camelCase")]
struct Contract {
    document_id: String,
    overrides: Vec<Override>,
}

#[derive(Debug, Deserialize, Serialize)]
#[serde(tag = "__typename")]
enum Revoked {
    RevokeOverridePayload { r#override: Override },
    OverrideNotStanding { r#override: Override, message: String },
}

#[derive(Debug, Deserialize, Serialize)]
#[serde(rename_all = "camelCase")]
struct Override {
    id: String,
    contract: Option<ContractName>,
    version: String,
    findings_digest: String,
    reason: String,
    steward: Option<PrincipalName>,
    created_at: String,
    expires_at: String,
    stands: bool,
    revoked_by: Option<PrincipalName>,
    revoked_at: Option<String>,
    revoke_reason: Option<String>,
}

#[derive(Debug, Deserialize, Serialize)]
#[serde(rename_all = "camelCase")]
struct ContractName {
    document_id: String,
}

/// Runs `charter override`.
pub(crate) async fn run(args: Args) -> Result<Exit> {
    let json = args.remote.json;
    let client = Client::new(&args.remote)?;
    match args.command {
        Command::Create { contract, version, findings, reason, until, idempotency } => {
            let input = idempotency.into_input(json!({
                "contract": contract,
                "version": version,
                "findingsDigest": findings,
                "reason": reason,
                "expiresAt": until.to_string(),
            }));
            let created: Created = client.send(CREATE, json!({ "input": input })).await?;
            output::show(json, &created, |created| table([&created.r#override]))?;
        }
        Command::List { product } => {
            let variables = json!({ "domain": product.domain, "name": product.product });
            let found: Option<Product> = client.send(LIST, variables).await?;
            let found = found.ok_or_else(|| Error::new(Exit::NotFound, format!("product `{product}` not found")))?;
            output::show(json, &found, |found| table(found.contracts.iter().flat_map(|contract| &contract.overrides)))?;
        }
        Command::Revoke { id, reason, idempotency } => {
            let input = idempotency.into_input(json!({ "override": id, "reason": reason }));
            let revoked: Revoked = client.send(REVOKE, json!({ "input": input })).await?;
            if json {
                output::print_json(&revoked)?;
            }
            match revoked {
                Revoked::OverrideNotStanding { message, .. } => return Err(Error::new(Exit::Failed, message)),
                Revoked::RevokeOverridePayload { .. } if json => {}
                Revoked::RevokeOverridePayload { r#override } => output::print(&table([&r#override]))?,
            }
        }
    }
    Ok(Exit::Done)
}

fn table<'a>(overrides: impl IntoIterator<Item = &'a Override>) -> String {
    output::table(
        ["override", "contract", "version", "stands", "until", "steward", "reason"],
        overrides.into_iter().map(|found| {
            [
                found.id.clone(),
                or_dash(found.contract.as_ref().map(|contract| &contract.document_id)),
                found.version.clone(),
                if found.stands { "yes" } else { "no" }.to_owned(),
                found.revoked_at.as_ref().unwrap_or(&found.expires_at).clone(),
                or_dash(found.steward.as_ref().map(|steward| &steward.subject)),
                found.reason.clone(),
            ]
        }),
    )
}
