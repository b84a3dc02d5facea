//! `charter token`: tokens for users and service accounts.

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
    /// Create a token and print only the token to standard output
    Create {
        /// Principal; you if not given. Admins may name anyone, users their service accounts
        subject: Option<String>,
        /// Lifetime, such as `15m`, `12h`, `90d`; one hour for users and 90 days for service accounts if not given
        #[arg(long, value_parser = args::duration)]
        lifetime: Option<Duration>,
        /// Restrict the token to this purpose
        #[arg(long, value_parser = args::purposes())]
        purpose: Option<String>,
    },
}

const CREATE: &[&str] = &["mutation CreateToken($input: CreateTokenInput!) { answer: createToken(input: $input) {
    token expiresAt principal { subject }
} }"];

/// The response. It has no `Debug`, because it contains a secret.
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
    output::note(&format!("token for `{}`, valid until {}", created.principal.subject, created.expires_at));
    Ok(Exit::Done)
}
