//! `charter token`: tokens for people and service accounts.

use std::time::Duration;

use clap::Subcommand;
use serde::{Deserialize, Serialize};
use serde_json::json;

use super::answer::PrincipalName;
use super::args::{self, Remote};
use super::client::Client;
use super::error::{Exit, Result};
use super::output;

/// `charter token`.
#[derive(clap::Args)]
pub(crate) struct Args {
    #[command(subcommand)]
    command: Command,
    #[command(flatten)]
    remote: Remote,
}

#[derive(Subcommand)]
enum Command {
    /// Make a token and print it, and nothing else, on standard output
    Create {
        /// Whom it is for; you if not given. Others: for admins, and for owners of service accounts
        subject: Option<String>,
        /// How long it lives, such as `15m`, `12h`, `90d`; an hour for people and 90 days for services if not given
        #[arg(long, value_parser = args::duration)]
        lifetime: Option<Duration>,
        /// The purpose that it acts for, and no other
        #[arg(long, value_parser = args::purposes())]
        purpose: Option<String>,
    },
}

const CREATE: &[&str] = &["mutation CreateToken($input: CreateTokenInput!) { answer: createToken(input: $input) {
    token expiresAt principal { subject }
} }"];

/// The answer. It has no `Debug`: it holds a secret.
#[derive(Deserialize, Serialize)]
#[serde(rename_all = "camelCase")]
struct Created {
    token: String,
    expires_at: String,
    principal: PrincipalName,
}

/// Runs `charter token`.
pub(crate) async fn run(args: Args) -> Result<Exit> {
    let Command::Create { subject, lifetime, purpose } = args.command;
    let input = json!({
        "subject": subject,
        "lifetimeSeconds": lifetime.map(|lifetime| lifetime.as_secs()),
        "purpose": purpose.as_deref().map(args::enum_value),
    });
    let created: Created = Client::new(&args.remote)?.send_once(CREATE, json!({ "input": input })).await?;
    output::show(args.remote.json, &created, |created| created.token.clone())?;
    output::note(&format!("the token is for `{}` until {}", created.principal.subject, created.expires_at));
    Ok(Exit::Done)
}
