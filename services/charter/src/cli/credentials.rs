//! `charter credentials`: short-lived credentials for one table, in the format that a reader needs.

use std::time::Duration;

use clap::ValueEnum;
use cynic::Id;
use serde::Serialize;

use super::answer::{Decision, SnapshotName};
use super::api::{Action, DateTime, GateAction, LeaseState, PurposeCode, TableFormat, operation, schema};
use super::args::{self, Remote};
use super::client::Client;
use super::error::{Error, Exit, Result};
use super::output;
use super::snippet::{self, Library};

/// `charter credentials`.
#[derive(clap::Args)]
pub(crate) struct Args {
    /// Table, `domain.product.table`; append `__v2` for a major version
    #[arg(value_parser = args::table)]
    table: String,
    /// Output format; `--json` is short for `--format json`
    #[arg(long, value_enum, default_value_t = Format::Env, conflicts_with = "json")]
    format: Format,
    /// Embed the credentials in the Python program; without it, the program reads them from the environment, and none
    /// are issued
    #[arg(long)]
    inline: bool,
    /// Action on the table
    #[arg(long, value_parser = args::vended_action(), default_value_t = Action::Read)]
    action: Action,
    /// Purpose; the one of the token or of your only grant if not given
    #[arg(long, value_enum)]
    purpose: Option<PurposeCode>,
    /// Maximum lifetime, such as `15m`, `12h`
    #[arg(long, value_parser = args::duration)]
    lifetime: Option<Duration>,
    #[command(flatten)]
    remote: Remote,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
enum Format {
    /// Shell commands: `eval "$(charter credentials TABLE)"`
    Env,
    /// The complete response as JSON
    Json,
    /// Python program that reads the table with `deltalake`
    Deltalake,
    /// Python program that reads the table with `polars`
    Polars,
    /// Python program that reads the table with `pyarrow`
    Pyarrow,
}

operation!($ mutation "Mutation" VendCredentials { input: VendCredentialsInput } "vendCredentials" -> VendCredentialsResult);
operation!($ query "Query" FindTableFormat { address: String } "table" -> Option<Table>);

#[derive(Clone, cynic::InputObject)]
struct VendCredentialsInput {
    address: String,
    action: Option<Action>,
    purpose: Option<PurposeCode>,
    lifetime_seconds: Option<i32>,
}

/// The response. It has no `Debug`, because it contains secrets.
#[derive(Serialize, cynic::InlineFragments)]
#[cynic(exhaustive)]
#[serde(tag = "__typename")]
#[expect(clippy::large_enum_variant, reason = "there is one value per run")]
enum VendCredentialsResult {
    VendCredentialsPayload(VendCredentialsPayload),
    GateRefused(GateRefused),
    #[cynic(fallback)]
    Unknown,
}

#[derive(Serialize, cynic::QueryFragment)]
struct VendCredentialsPayload {
    lease: Lease,
    decision: Decision,
    credentials: Credentials,
}

/// Credentials by the kind of storage that they open.
#[derive(Serialize, cynic::InlineFragments)]
#[cynic(exhaustive)]
#[serde(tag = "__typename")]
enum Credentials {
    GatewayCredentials(GatewayCredentials),
    #[cynic(fallback)]
    Unknown,
}

#[derive(Serialize, cynic::QueryFragment)]
struct GateRefused {
    decision: Decision,
}

#[derive(Serialize, cynic::QueryFragment)]
#[serde(rename_all = "camelCase")]
struct Lease {
    id: Id,
    action: GateAction,
    address: Option<String>,
    state: LeaseState,
    issued_at: DateTime,
    expires_at: DateTime,
    snapshot: Option<SnapshotName>,
}

/// Credentials for a table at an S3 endpoint. They have no `Debug`, because they are secret.
#[derive(Serialize, cynic::QueryFragment)]
#[serde(rename_all = "camelCase")]
pub(crate) struct GatewayCredentials {
    access_key_id: String,
    secret_access_key: String,
    session_token: String,
    endpoint: String,
    region: String,
    table_uri: String,
    expires_at: DateTime,
    allow_http: bool,
}

#[derive(cynic::QueryFragment)]
struct Table {
    format: TableFormat,
}

impl GatewayCredentials {
    /// The credentials as environment variables (docs/rules.md, "Interfaces and limits").
    pub(crate) fn variables(&self) -> [(&'static str, &str); 7] {
        [
            ("AWS_ACCESS_KEY_ID", &self.access_key_id),
            ("AWS_SECRET_ACCESS_KEY", &self.secret_access_key),
            ("AWS_SESSION_TOKEN", &self.session_token),
            ("AWS_ENDPOINT_URL", &self.endpoint),
            ("AWS_REGION", &self.region),
            ("AWS_ALLOW_HTTP", if self.allow_http { "true" } else { "false" }),
            ("CHARTER_TABLE_URI", &self.table_uri),
        ]
    }
}

/// Runs `charter credentials`.
pub(crate) async fn run(args: Args) -> Result<Exit> {
    let client = Client::new(&args.remote)?;
    let format = if args.remote.json { Format::Json } else { args.format };
    let library = match format {
        Format::Env | Format::Json if args.inline => {
            return Err(Error::new(Exit::Usage, "`--inline` requires `--format deltalake`, `polars` or `pyarrow`"));
        }
        Format::Env => {
            let credentials = issued(vend(&client, &args).await?, &args.table)?;
            output::print(&env_text(&credentials))?;
            output::note(&format!("the credentials expire at {}", credentials.expires_at));
            return Ok(Exit::Done);
        }
        Format::Json => {
            let vended = vend(&client, &args).await?;
            output::print_json(&vended)?;
            issued(vended, &args.table)?;
            return Ok(Exit::Done);
        }
        Format::Deltalake => Library::Deltalake,
        Format::Polars => Library::Polars,
        Format::Pyarrow => Library::Pyarrow,
    };
    let table = client.send(FindTableFormat { address: args.table.clone() }).await?;
    let table_format = table.ok_or_else(|| Error::not_found("table", &args.table))?.format;
    let program = if args.inline {
        let credentials = issued(vend(&client, &args).await?, &args.table)?;
        snippet::with_credentials(library, table_format, &args.table, &credentials)
    } else {
        snippet::with_environment(library, table_format, &args.table)
    };
    output::print(&program?)?;
    Ok(Exit::Done)
}

async fn vend(client: &Client, args: &Args) -> Result<VendCredentialsResult> {
    let input = VendCredentialsInput {
        address: args.table.clone(),
        action: Some(args.action),
        purpose: args.purpose,
        lifetime_seconds: args.lifetime.map(args::seconds),
    };
    client.send_once(VendCredentials { input }).await
}

/// The credentials, or an error with the gate's decision line by line.
fn issued(result: VendCredentialsResult, address: &str) -> Result<GatewayCredentials> {
    match result {
        VendCredentialsResult::VendCredentialsPayload(payload) => match payload.credentials {
            Credentials::GatewayCredentials(credentials) => Ok(credentials),
            Credentials::Unknown => Err(Error::unknown_outcome()),
        },
        VendCredentialsResult::Unknown => Err(Error::unknown_outcome()),
        VendCredentialsResult::GateRefused(GateRefused { decision }) => {
            let error = Error::new(Exit::Refused, format!("the gate refused credentials for `{address}`"))
                .report(decision.text(address));
            Err(match decision.hint(address) {
                Some(hint) => error.hint(hint),
                None => error,
            })
        }
    }
}

/// Commands for a POSIX shell that export the credentials.
fn env_text(credentials: &GatewayCredentials) -> String {
    let lines = credentials.variables().map(|(name, value)| format!("export {name}={}\n", shell_quoted(value)));
    lines.concat()
}

/// A text as one word of a POSIX shell.
fn shell_quoted(text: &str) -> String {
    format!("'{}'", text.replace('\'', r"'\''"))
}
