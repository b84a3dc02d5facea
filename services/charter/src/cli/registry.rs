//! `charter registry`: releases subjects of the schema registry.

use clap::Subcommand;
use serde::Serialize;

use super::answer::DomainName;
use super::api::{DateTime, operation, schema};
use super::args::{self, Idempotency, Remote};
use super::client::Client;
use super::error::{Exit, Result};
use super::output;

/// `charter registry`.
#[derive(clap::Args)]
pub(crate) struct Args {
    #[command(subcommand)]
    command: Command,
    #[command(flatten)]
    remote: Remote,
}

#[derive(Subcommand)]
enum Command {
    /// Release a subject: for 30 days, a contract of the domain may bind its topic and take over its schemas
    Release {
        /// Subject, such as `orders-value`
        subject: String,
        /// Domain that may bind its topic
        #[arg(short, long, value_parser = args::domain_path)]
        domain: String,
        #[command(flatten)]
        idempotency: Idempotency,
    },
}

operation!($ mutation "Mutation" ReleaseSubject { input: ReleaseSubjectInput } "releaseSubject" -> ReleaseSubjectPayload);

#[derive(Clone, cynic::InputObject)]
struct ReleaseSubjectInput {
    subject: String,
    domain: String,
    idempotency_key: Option<String>,
}

#[derive(Serialize, cynic::QueryFragment)]
#[serde(rename_all = "camelCase")]
struct ReleaseSubjectPayload {
    subject: String,
    domain: DomainName,
    expires_at: DateTime,
}

/// Runs `charter registry`.
pub(crate) async fn run(args: Args) -> Result<Exit> {
    let json = args.remote.json;
    let client = Client::new(&args.remote)?;
    let Command::Release { subject, domain, idempotency } = args.command;
    let input = ReleaseSubjectInput { subject, domain, idempotency_key: idempotency.into_key() };
    let released = client.send(ReleaseSubject { input }).await?;
    output::show(json, &released, |released| {
        let ReleaseSubjectPayload { subject, domain, expires_at } = released;
        format!("`{subject}` may be bound by `{}` until {expires_at}", domain.path)
    })?;
    Ok(Exit::Done)
}
