//! `charter token`: tokens for users and service accounts.

use std::time::Duration;

use clap::Subcommand;
use serde::Serialize;

use super::answer::PrincipalName;
use super::api::{DateTime, PurposeCode, operation, schema};
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
        #[arg(long, value_enum)]
        purpose: Option<PurposeCode>,
    },
}

operation!($ mutation "Mutation" CreateToken { input: CreateTokenInput } "createToken" -> CreateTokenPayload);

#[derive(Clone, cynic::InputObject)]
struct CreateTokenInput {
    subject: Option<String>,
    lifetime_seconds: Option<i32>,
    purpose: Option<PurposeCode>,
}

/// The response. It has no `Debug`, because it contains a secret.
#[derive(Serialize, cynic::QueryFragment)]
#[serde(rename_all = "camelCase")]
struct CreateTokenPayload {
    token: String,
    expires_at: DateTime,
    principal: PrincipalName,
}

/// Runs `charter token`.
pub(crate) async fn run(args: Args) -> Result<Exit> {
    let Command::Create { subject, lifetime, purpose } = args.command;
    let input = CreateTokenInput { subject, lifetime_seconds: lifetime.map(args::seconds), purpose };
    let created = Client::new(&args.remote)?.send_once(CreateToken { input }).await?;
    if args.remote.json {
        output::print_json(&created)?
    } else {
        output::print(&created.token)?
    }
    output::note(&format!("token for `{}`, valid until {}", created.principal.subject, created.expires_at));
    Ok(Exit::Done)
}
