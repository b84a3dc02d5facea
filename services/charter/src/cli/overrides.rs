//! `charter override`: overrides, with which stewards accept under-bumped contract versions.
//!
//! The findings that a steward signs come from the server: it reviews the refused document, returns the findings, and
//! accepts a signature for exactly these.

use std::fmt::Write;
use std::io::{self, BufRead, IsTerminal};
use std::path::{Path, PathBuf};

use clap::Subcommand;
use cynic::Id;
use domain::clock::Timestamp;
use serde::Serialize;

use super::answer::{ContractName, Finding, PrincipalName, findings_text};
use super::api::{DateTime, operation, schema};
use super::apply::{InvalidDocuments, VersionRefusal};
use super::args::{self, Idempotency, ProductAddress, Remote};
use super::client::Client;
use super::error::{Error, Exit, Result};
use super::output::{self, or_dash};
use super::sources::{self, Source};

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
    /// Show why a document is refused: the findings that `create` would accept
    Review {
        #[command(flatten)]
        refused: RefusedArgs,
    },
    /// Accept an under-bumped version with exactly the findings shown (stewards only)
    Create {
        #[command(flatten)]
        refused: RefusedArgs,
        /// Reason for accepting the version
        #[arg(long)]
        reason: String,
        /// Expiry: a date or RFC 3339, at most 30 days from now
        #[arg(long, value_name = "TIME", value_parser = args::timestamp)]
        until: Timestamp,
        /// Sign the findings without asking for confirmation
        #[arg(long)]
        yes: bool,
        #[command(flatten)]
        idempotency: Idempotency,
    },
    /// List a product's overrides, including expired ones
    List {
        /// Product, `domain.product`
        #[arg(value_parser = args::product)]
        product: ProductAddress,
    },
    /// Show an override and the findings it accepts
    Show {
        /// Id of the override
        #[arg(value_name = "ID")]
        id: String,
    },
    /// Revoke an override before it expires
    Revoke {
        /// Id of the override
        #[arg(value_name = "ID")]
        id: String,
        /// Reason for the revocation
        #[arg(long)]
        reason: String,
        #[command(flatten)]
        idempotency: Idempotency,
    },
}

#[derive(clap::Args)]
struct RefusedArgs {
    /// Product of the contract, `domain.product`
    #[arg(value_parser = args::product)]
    product: ProductAddress,
    /// Refused contract document, or `-` for standard input
    #[arg(value_name = "FILE")]
    file: PathBuf,
}

operation!(
    $ query "Query" ReviewRefusal { product: String, document: Source } "reviewRefusal" -> ReviewRefusalResult
);
operation!($ mutation "Mutation" CreateOverride { input: CreateOverrideInput } "createOverride" -> CreateOverrideResult);
operation!($ query "Query" ListOverrides { domain: String, name: String } "product" -> Option<Product>);
operation!($ query "Query" ShowOverride { id: Id } "node" -> OverrideNode);
operation!($ mutation "Mutation" RevokeOverride { input: RevokeOverrideInput } "revokeOverride" -> RevokeOverrideResult);

#[derive(Clone, cynic::InputObject)]
struct CreateOverrideInput {
    product: String,
    document: Source,
    findings_digest: String,
    reason: String,
    expires_at: DateTime,
    idempotency_key: Option<String>,
}

#[derive(Clone, cynic::InputObject)]
struct RevokeOverrideInput {
    #[cynic(rename = "override")]
    override_id: Id,
    reason: String,
    idempotency_key: Option<String>,
}

#[derive(Serialize, cynic::InlineFragments)]
#[cynic(exhaustive)]
#[serde(tag = "__typename")]
#[expect(clippy::large_enum_variant, reason = "there is one value per run")]
enum ReviewRefusalResult {
    VersionRefusal(VersionRefusal),
    InvalidDocuments(InvalidDocuments),
    #[cynic(fallback)]
    Unknown,
}

#[derive(Serialize, cynic::InlineFragments)]
#[cynic(exhaustive)]
#[serde(tag = "__typename")]
enum CreateOverrideResult {
    CreateOverridePayload(CreateOverridePayload),
    OtherFindings(OtherFindings),
    InvalidDocuments(InvalidDocuments),
    #[cynic(fallback)]
    Unknown,
}

#[derive(Serialize, cynic::InlineFragments)]
#[cynic(exhaustive)]
#[serde(tag = "__typename")]
enum RevokeOverrideResult {
    RevokeOverridePayload(RevokeOverridePayload),
    OverrideNotStanding(OverrideNotStanding),
    #[cynic(fallback)]
    Unknown,
}

#[derive(cynic::InlineFragments)]
#[cynic(graphql_type = "Node")]
#[expect(clippy::large_enum_variant, reason = "there is one value per run")]
enum OverrideNode {
    ContractOverride(ContractOverride),
    #[cynic(fallback)]
    Other,
}

#[derive(Serialize, cynic::QueryFragment)]
struct CreateOverridePayload {
    #[cynic(rename = "override")]
    #[serde(rename = "override")]
    created: ContractOverride,
}

#[derive(Serialize, cynic::QueryFragment)]
struct OtherFindings {
    refusal: VersionRefusal,
    message: String,
}

#[derive(Serialize, cynic::QueryFragment)]
struct RevokeOverridePayload {
    #[cynic(rename = "override")]
    #[serde(rename = "override")]
    revoked: ContractOverride,
}

#[derive(Serialize, cynic::QueryFragment)]
struct OverrideNotStanding {
    #[cynic(rename = "override")]
    #[serde(rename = "override")]
    ended: ContractOverride,
    message: String,
}

#[derive(Serialize, cynic::QueryFragment)]
struct Product {
    contracts: Vec<Contract>,
}

#[derive(Serialize, cynic::QueryFragment)]
#[serde(rename_all = "camelCase")]
struct Contract {
    document_id: String,
    overrides: Vec<ContractOverride>,
}

#[derive(Serialize, cynic::QueryFragment)]
#[serde(rename_all = "camelCase")]
struct ContractOverride {
    id: Id,
    contract: Option<ContractName>,
    version: String,
    compared_with: String,
    findings: Vec<Finding>,
    findings_digest: String,
    reason: String,
    steward: Option<PrincipalName>,
    created_at: DateTime,
    expires_at: DateTime,
    intact: bool,
    stands: bool,
    revoked_by: Option<PrincipalName>,
    revoked_at: Option<DateTime>,
    revoke_reason: Option<String>,
}

/// Runs `charter override`.
pub(crate) async fn run(args: Args) -> Result<Exit> {
    let json = args.remote.json;
    let client = Client::new(&args.remote)?;
    match args.command {
        Command::Review { refused } => {
            let review = ReviewRefusal { product: refused.product.to_string(), document: source(&refused.file)? };
            let result = client.send(review).await?;
            output::outcome(json, &result, |result| match result {
                ReviewRefusalResult::VersionRefusal(refusal) => Ok(refusal.text()),
                ReviewRefusalResult::InvalidDocuments(invalid) => Err(invalid.error()),
                ReviewRefusalResult::Unknown => Err(Error::unknown_outcome()),
            })?;
        }
        Command::Create { refused, reason, until, yes, idempotency } => {
            let review = ReviewRefusal { product: refused.product.to_string(), document: source(&refused.file)? };
            let refusal = match client.send(review.clone()).await? {
                ReviewRefusalResult::VersionRefusal(refusal) => refusal,
                ReviewRefusalResult::InvalidDocuments(invalid) => return Err(invalid.error()),
                ReviewRefusalResult::Unknown => return Err(Error::unknown_outcome()),
            };
            output::message(&refusal.text());
            confirm(&refusal, yes)?;
            let input = CreateOverrideInput {
                product: review.product,
                document: review.document,
                findings_digest: refusal.findings_digest.unwrap_or_default(),
                reason,
                expires_at: until.into(),
                idempotency_key: idempotency.into_key(),
            };
            let result = client.send(CreateOverride { input }).await?;
            output::outcome(json, &result, |result| match result {
                CreateOverrideResult::CreateOverridePayload(payload) => Ok(table([&payload.created])),
                CreateOverrideResult::OtherFindings(OtherFindings { refusal, message }) => {
                    Err(Error::new(Exit::Failed, message.as_str()).report(refusal.text()))
                }
                CreateOverrideResult::InvalidDocuments(invalid) => Err(invalid.error()),
                CreateOverrideResult::Unknown => Err(Error::unknown_outcome()),
            })?;
        }
        Command::List { product } => {
            let list = ListOverrides { domain: product.domain.clone(), name: product.product.clone() };
            let found = client.send(list).await?;
            let found = found.ok_or_else(|| Error::not_found("product", &product.to_string()))?;
            output::show(json, &found, |found| table(found.contracts.iter().flat_map(|contract| &contract.overrides)))?;
        }
        Command::Show { id } => {
            let node = client.node(ShowOverride { id: Id::new(&id) }, "override", &id).await?;
            let OverrideNode::ContractOverride(found) = node else {
                return Err(Error::not_found("override", &id));
            };
            output::show(json, &found, ContractOverride::text)?;
        }
        Command::Revoke { id, reason, idempotency } => {
            let idempotency_key = idempotency.into_key();
            let input = RevokeOverrideInput { override_id: Id::new(id), reason, idempotency_key };
            let result = client.send(RevokeOverride { input }).await?;
            output::outcome(json, &result, |result| match result {
                RevokeOverrideResult::RevokeOverridePayload(payload) => Ok(table([&payload.revoked])),
                RevokeOverrideResult::OverrideNotStanding(not_standing) => {
                    Err(Error::new(Exit::Failed, not_standing.message.as_str()))
                }
                RevokeOverrideResult::Unknown => Err(Error::unknown_outcome()),
            })?;
        }
    }
    Ok(Exit::Done)
}

/// Reads the refused document.
fn source(file: &Path) -> Result<Source> {
    if file.is_dir() {
        return Err(Error::new(Exit::Usage, format!("`{}` is a directory: pass the document itself", file.display())));
    }
    let mut sources = sources::read(&[file.to_owned()])?;
    sources.pop().ok_or_else(|| Error::new(Exit::Usage, "no document found"))
}

/// Returns an error unless the steward accepts the findings.
fn confirm(refusal: &VersionRefusal, yes: bool) -> Result<()> {
    if yes {
        return Ok(());
    }
    let unsigned = || Error::new(Exit::Failed, "nothing was signed");
    if !io::stdin().is_terminal() {
        return Err(unsigned().hint("pass `--yes` to sign these findings"));
    }
    output::message(&format!("accept {} with these findings? [y/N]", refusal.version));
    let mut answer = String::new();
    let read = io::stdin().lock().read_line(&mut answer);
    match answer.trim().to_lowercase().as_str() {
        "y" | "yes" if read.is_ok() => Ok(()),
        _ => Err(unsigned()),
    }
}

impl ContractOverride {
    fn text(&self) -> String {
        let mut text = table([self]);
        let _ = writeln!(text, "\ncompared with {}", self.compared_with);
        text.push_str(&findings_text(&self.findings, ""));
        if let (Some(at), Some(reason)) = (&self.revoked_at, &self.revoke_reason) {
            let by = or_dash(self.revoked_by.as_ref().map(|by| &by.subject));
            let _ = writeln!(text, "\nrevoked by {by} at {at}: {reason}");
        }
        text
    }
}

fn table<'a>(overrides: impl IntoIterator<Item = &'a ContractOverride>) -> String {
    output::table(
        ["override", "contract", "version", "valid", "until", "steward", "reason"],
        overrides.into_iter().map(|listed| {
            let ContractOverride {
                id, contract, version, intact, stands, steward, reason, revoked_at, expires_at, ..
            } = listed;
            let valid = match (intact, stands) {
                (false, _) => "broken",
                (true, true) => "yes",
                (true, false) => "no",
            };
            [
                id.inner().to_owned(),
                or_dash(contract.as_ref().map(|contract| &contract.document_id)),
                version.clone(),
                valid.to_owned(),
                revoked_at.as_ref().unwrap_or(expires_at).to_string(),
                or_dash(steward.as_ref().map(|steward| &steward.subject)),
                reason.clone(),
            ]
        }),
    )
}
