//! `charter override`: overrides, with which stewards accept under-bumped contract versions.
//!
//! The findings that a steward signs come from the server: it reviews the refused document, returns the findings, and
//! accepts a signature for exactly these.

use std::fmt::Write;
use std::io::{self, BufRead, IsTerminal};
use std::path::{Path, PathBuf};

use clap::Subcommand;
use domain::clock::Timestamp;
use serde::{Deserialize, Serialize};
use serde_json::json;

use super::answer::{Finding, PrincipalName, findings_text};
use super::apply::{self, Problem, Refusal};
use super::args::{self, Idempotency, ProductAddress, Remote};
use super::client::Client;
use super::error::{Error, Exit, Result};
use super::output::{self, Paint, or_dash};
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

const REVIEW: &[&str] = &[
    "query ReviewRefusal($product: String!, $document: DocumentInput!) {
        answer: reviewRefusal(product: $product, document: $document) {
            __typename
            ... on VersionRefusal { ...Refusal }
            ... on InvalidDocuments { problems { ...Problem } }
        }
    }\n",
    Refusal::FRAGMENT,
    Problem::FRAGMENT,
    Finding::FRAGMENT,
];

const CREATE: &[&str] = &[
    "mutation CreateOverride($input: CreateOverrideInput!) { answer: createOverride(input: $input) {
        __typename
        ... on CreateOverridePayload { override { ...Override } }
        ... on OtherFindings { refusal { ...Refusal } message }
        ... on InvalidDocuments { problems { ...Problem } }
    } }\n",
    OVERRIDE,
    Refusal::FRAGMENT,
    Problem::FRAGMENT,
    Finding::FRAGMENT,
];

const LIST: &[&str] = &[
    "query Overrides($domain: String!, $name: String!) {
        answer: product(domain: $domain, name: $name) { contracts { documentId overrides { ...Override } } }
    }\n",
    OVERRIDE,
    Finding::FRAGMENT,
];

const SHOW: &[&str] = &[
    "query Override($id: ID!) { answer: node(id: $id) { ... on ContractOverride { ...Override } } }\n",
    OVERRIDE,
    Finding::FRAGMENT,
];

const REVOKE: &[&str] = &[
    "mutation RevokeOverride($input: RevokeOverrideInput!) { answer: revokeOverride(input: $input) {
        __typename
        ... on RevokeOverridePayload { override { ...Override } }
        ... on OverrideNotStanding { override { ...Override } message }
    } }\n",
    OVERRIDE,
    Finding::FRAGMENT,
];

const OVERRIDE: &str = "fragment Override on ContractOverride {
    id contract { documentId } version comparedWith findings { ...Finding } findingsDigest reason
    steward { subject } createdAt expiresAt stands revokedBy { subject } revokedAt revokeReason
}\n";

#[derive(Debug, Deserialize, Serialize)]
#[serde(tag = "__typename")]
enum Reviewed {
    VersionRefusal(Refusal),
    InvalidDocuments { problems: Vec<Problem> },
}

#[derive(Debug, Deserialize, Serialize)]
#[serde(tag = "__typename")]
enum Created {
    CreateOverridePayload { r#override: Override },
    OtherFindings { refusal: Refusal, message: String },
    InvalidDocuments { problems: Vec<Problem> },
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
    compared_with: String,
    findings: Vec<Finding>,
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
        Command::Review { refused } => {
            let reviewed = review(&client, &refused.product, &source(&refused.file)?).await?;
            output::outcome(json, &reviewed, |reviewed| match reviewed {
                Reviewed::VersionRefusal(refusal) => Ok(refusal.text(Paint::stdout())),
                Reviewed::InvalidDocuments { problems } => Err(apply::invalid(problems)),
            })?;
        }
        Command::Create { refused, reason, until, yes, idempotency } => {
            let document = source(&refused.file)?;
            let refusal = match review(&client, &refused.product, &document).await? {
                Reviewed::VersionRefusal(refusal) => refusal,
                Reviewed::InvalidDocuments { problems } => return Err(apply::invalid(&problems)),
            };
            output::message(&refusal.text(Paint::stderr()));
            confirm(&refusal, yes)?;
            let input = idempotency.into_input(json!({
                "product": refused.product.to_string(),
                "document": document,
                "findingsDigest": refusal.findings_digest,
                "reason": reason,
                "expiresAt": until.to_string(),
            }));
            let created: Created = client.send(CREATE, json!({ "input": input })).await?;
            output::outcome(json, &created, |created| match created {
                Created::CreateOverridePayload { r#override } => Ok(table([r#override])),
                Created::OtherFindings { refusal, message } => {
                    Err(Error::new(Exit::Failed, message.as_str()).report(refusal.text(Paint::stderr())))
                }
                Created::InvalidDocuments { problems } => Err(apply::invalid(problems)),
            })?;
        }
        Command::List { product } => {
            let variables = json!({ "domain": product.domain, "name": product.product });
            let found: Option<Product> = client.send(LIST, variables).await?;
            let found = found.ok_or_else(|| Error::not_found("product", &product.to_string()))?;
            output::show(json, &found, |found| table(found.contracts.iter().flat_map(|contract| &contract.overrides)))?;
        }
        Command::Show { id } => {
            let found: Override = client.node(SHOW, "override", &id).await?;
            output::show(json, &found, Override::text)?;
        }
        Command::Revoke { id, reason, idempotency } => {
            let input = idempotency.into_input(json!({ "override": id, "reason": reason }));
            let revoked: Revoked = client.send(REVOKE, json!({ "input": input })).await?;
            output::outcome(json, &revoked, |revoked| match revoked {
                Revoked::OverrideNotStanding { message, .. } => Err(Error::new(Exit::Failed, message.as_str())),
                Revoked::RevokeOverridePayload { r#override } => Ok(table([r#override])),
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

async fn review(client: &Client, product: &ProductAddress, document: &Source) -> Result<Reviewed> {
    client.send(REVIEW, json!({ "product": product.to_string(), "document": document })).await
}

/// Returns an error unless the steward accepts the findings.
fn confirm(refusal: &Refusal, yes: bool) -> Result<()> {
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

impl Override {
    fn text(&self) -> String {
        let mut text = table([self]);
        let _ = writeln!(text, "\ncompared with {}", self.compared_with);
        text.push_str(&findings_text(&self.findings, "", Paint::stdout()));
        if let (Some(at), Some(reason)) = (&self.revoked_at, &self.revoke_reason) {
            let by = or_dash(self.revoked_by.as_ref().map(|by| &by.subject));
            let _ = writeln!(text, "\nrevoked by {by} at {at}: {reason}");
        }
        text
    }
}

fn table<'a>(overrides: impl IntoIterator<Item = &'a Override>) -> String {
    output::table(
        ["override", "contract", "version", "valid", "until", "steward", "reason"],
        overrides.into_iter().map(|r#override| {
            [
                r#override.id.clone(),
                or_dash(r#override.contract.as_ref().map(|contract| &contract.document_id)),
                r#override.version.clone(),
                if r#override.stands { "yes" } else { "no" }.to_owned(),
                r#override.revoked_at.as_ref().unwrap_or(&r#override.expires_at).clone(),
                or_dash(r#override.steward.as_ref().map(|steward| &steward.subject)),
                r#override.reason.clone(),
            ]
        }),
    )
}
