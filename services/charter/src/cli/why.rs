//! `charter why`: explains the gate's decision, without issuing credentials.

use serde_json::json;

use super::answer::Decision;
use super::args::{self, Remote};
use super::client::Client;
use super::error::{Error, Exit, Result};
use super::output::{self, Paint};

/// `charter why`.
#[derive(clap::Args)]
pub(crate) struct Args {
    /// Table, `domain.product.table`; append `__v2` for a major version
    #[arg(value_parser = args::table)]
    table: String,
    /// Action on the table
    #[arg(long, value_parser = args::actions(), default_value = "read")]
    action: String,
    /// Purpose; the one of the token or of your only grant if not given
    #[arg(long, value_parser = args::purposes())]
    purpose: Option<String>,
    #[command(flatten)]
    remote: Remote,
}

const WHY: &[&str] =
    &["query Why($input: WhyInput!) { answer: why(input: $input) { ...Decision } }\n", Decision::FRAGMENT];

/// Runs `charter why`: exit code 0 if access is allowed, 2 if it is denied.
pub(crate) async fn run(args: Args) -> Result<Exit> {
    let input = json!({
        "address": args.table,
        "action": args::enum_value(&args.action),
        "purpose": args.purpose.as_deref().map(args::enum_value),
    });
    let decision: Option<Decision> = Client::new(&args.remote)?.send(WHY, json!({ "input": input })).await?;
    let decision = decision.ok_or_else(|| Error::not_found("table", &args.table))?;
    output::show(args.remote.json, &decision, |decision| decision.text(&args.table, Paint::stdout()))?;
    if decision.allowed {
        return Ok(Exit::Done);
    }
    if let Some(hint) = decision.hint(&args.table) {
        output::message(&format!("hint: {hint}"));
    }
    Ok(Exit::Refused)
}
