//! `charter token`: tokens for users and service accounts, and their sessions of the web page.

use std::time::Duration;

use clap::Subcommand;
use cynic::Id;
use serde::Serialize;

use super::answer::PrincipalName;
use super::api::{DateTime, PurposeCode, TokenKind, list, operation, schema};
use super::args::{self, Idempotency, Paging, Remote};
use super::client::Client;
use super::error::{Exit, Result};
use super::output::{self, or_dash};

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
        /// Lifetime, such as `15m`, `12h`, `90d`; the maximum if not given: one hour for users and 90 days for service
        /// accounts; a token for a user cannot outlive the token that creates it
        #[arg(long, value_parser = args::duration)]
        lifetime: Option<Duration>,
        /// Restrict the token to reading for this purpose
        #[arg(long, value_enum)]
        purpose: Option<PurposeCode>,
    },
    /// List tokens and sessions of the web page with their ids, including those that ended in the last seven days
    List {
        /// Principal; you if not given. Users may name their service accounts; admins, stewards and auditors anyone
        subject: Option<String>,
        #[command(flatten)]
        paging: Paging,
    },
    /// Revoke a token or session, the sessions created with it, and the leases requested with them
    Revoke {
        /// Id of the token or session, as shown by `token create` and `token list`
        // Not named `token`: clap would take it for the global `--token` too.
        #[arg(value_name = "ID")]
        id: String,
        #[command(flatten)]
        idempotency: Idempotency,
    },
}

operation!($ mutation "Mutation" CreateToken { input: CreateTokenInput } "createToken" -> CreateTokenPayload);
operation!($ mutation "Mutation" RevokeToken { input: RevokeTokenInput } "revokeToken" -> RevokeTokenPayload);
list!($ ListTokens { subject: Option<String> } "tokens" -> "TokenConnection" of Token);

#[derive(Clone, cynic::InputObject)]
struct CreateTokenInput {
    subject: Option<String>,
    lifetime_seconds: Option<i32>,
    purpose: Option<PurposeCode>,
}

#[derive(Clone, cynic::InputObject)]
struct RevokeTokenInput {
    token: Id,
    idempotency_key: Option<String>,
}

/// The response. It has no `Debug`, because it contains a secret.
#[derive(Serialize, cynic::QueryFragment)]
#[serde(rename_all = "camelCase")]
struct CreateTokenPayload {
    token: String,
    token_id: Id,
    expires_at: DateTime,
    principal: PrincipalName,
}

#[derive(Serialize, cynic::QueryFragment)]
struct RevokeTokenPayload {
    token: Token,
}

#[derive(Serialize, cynic::QueryFragment)]
#[serde(rename_all = "camelCase")]
struct Token {
    id: Id,
    kind: TokenKind,
    principal: PrincipalName,
    purpose: Option<PurposeCode>,
    issued_at: DateTime,
    expires_at: DateTime,
    last_used_at: Option<DateTime>,
    issued_by: Option<PrincipalName>,
    revoked_at: Option<DateTime>,
    revoked_by: Option<PrincipalName>,
}

/// Runs `charter token`.
pub(crate) async fn run(args: Args) -> Result<Exit> {
    let json = args.remote.json;
    let client = Client::new(&args.remote)?;
    match args.command {
        Command::Create { subject, lifetime, purpose } => {
            let input = CreateTokenInput { subject, lifetime_seconds: lifetime.map(args::seconds), purpose };
            let created = client.send_once(CreateToken { input }).await?;
            if json {
                output::print_json(&created)?
            } else {
                output::print(&created.token)?
            }
            output::note(&format!(
                "token `{}` for `{}`, valid until {}",
                created.token_id.inner(),
                created.principal.subject,
                created.expires_at
            ));
        }
        Command::List { subject, paging } => {
            let tokens = client.list(ListTokens { subject, ..ListTokens::default() }, &paging).await?;
            output::show(json, &tokens, |tokens| table(&tokens.nodes))?;
        }
        Command::Revoke { id, idempotency } => {
            let input = RevokeTokenInput { token: Id::new(id), idempotency_key: idempotency.into_key() };
            let payload = client.send(RevokeToken { input }).await?;
            output::show(json, &payload, |payload| table(std::slice::from_ref(&payload.token)))?;
        }
    }
    Ok(Exit::Done)
}

fn table(tokens: &[Token]) -> String {
    let subject = |principal: &Option<PrincipalName>| or_dash(principal.as_ref().map(|principal| &principal.subject));
    output::table(
        ["id", "kind", "subject", "purpose", "issued", "by", "expires", "last used", "revoked", "by"],
        tokens.iter().map(|token| {
            [
                token.id.inner().to_owned(),
                token.kind.to_string(),
                token.principal.subject.clone(),
                or_dash(token.purpose.as_ref()),
                token.issued_at.to_string(),
                subject(&token.issued_by),
                token.expires_at.to_string(),
                or_dash(token.last_used_at.as_ref()),
                or_dash(token.revoked_at.as_ref()),
                subject(&token.revoked_by),
            ]
        }),
    )
}
