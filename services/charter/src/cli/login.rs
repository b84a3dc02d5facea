//! `charter login`: a one-time link to the web page.

use std::time::Duration;

use serde::Serialize;

use super::api::{DateTime, operation, schema};
use super::args::{self, Remote};
use super::client::Client;
use super::error::{Exit, Result};
use super::output;

/// `charter login`.
#[derive(clap::Args)]
pub(crate) struct LoginArgs {
    /// Lifetime of the session, such as `15m`; until the token ends if not given, at most 12 hours
    #[arg(long, value_parser = args::duration)]
    lifetime: Option<Duration>,
    #[command(flatten)]
    remote: Remote,
}

operation!($ mutation "Mutation" CreateSignInCode { input: CreateSignInCodeInput } "createSignInCode" -> CreateSignInCodePayload);

#[derive(Clone, cynic::InputObject)]
struct CreateSignInCodeInput {
    lifetime_seconds: Option<i32>,
}

/// The response. It has no `Debug`, because it contains a secret.
#[derive(Serialize, cynic::QueryFragment)]
#[serde(rename_all = "camelCase")]
struct CreateSignInCodePayload {
    code: String,
    expires_at: DateTime,
    session_ends_at: DateTime,
}

/// The response, with the link that is made of it.
#[derive(Serialize)]
struct Login {
    link: String,
    #[serde(flatten)]
    created: CreateSignInCodePayload,
}

/// Runs `charter login`.
pub(crate) async fn run(args: LoginArgs) -> Result<Exit> {
    let client = Client::new(&args.remote)?;
    let input = CreateSignInCodeInput { lifetime_seconds: args.lifetime.map(args::seconds) };
    let created = client.send_once(CreateSignInCode { input }).await?;
    let page = format!("{}/sign-in", client.server());
    // Behind `#`, so that the browser sends the code to no server and no proxy logs it.
    let login = Login { link: format!("{page}#code={}", created.code), created };
    if args.remote.json {
        output::print_json(&login)?;
    } else {
        output::print(&login.link)?;
    }
    let Login { created: CreateSignInCodePayload { code, expires_at, session_ends_at }, .. } = &login;
    output::note(&format!("valid once, until {expires_at}; or enter `{}` at {page}", grouped(code)));
    output::note(&format!("the session ends at {session_ends_at} at the latest"));
    Ok(Exit::Done)
}

/// A code in groups of four, to be typed.
fn grouped(code: &str) -> String {
    let letters: Vec<char> = code.chars().collect();
    letters.chunks(4).map(|group| group.iter().collect::<String>()).collect::<Vec<_>>().join("-")
}
