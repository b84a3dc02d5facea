//! `charter why`: the gate's decision without credentials.

use serde_json::json;

use super::answer::Decision;
use super::args::{self, Remote};
use super::client::Client;
use super::error::{Error, Exit, Result};
use super::output::{self, Paint, tell};

/// `charter why`.
#[derive(clap::Args)]
pub(crate) struct Args {
    /// The table, `domain.product.table`, with `__v2` at the end for a major
    #[arg(value_parser = args::table)]
    table: String,
    /// What is to be done with it
    #[arg(long, value_parser = args::actions(), default_value = "read")]
    action: String,
    /// The purpose; that of the token or of the only grant if not given
    #[arg(long, value_parser = args::purposes())]
    purpose: Option<String>,
    #[command(flatten)]
    remote: Remote,
}

const WHY: &[&str] =
    &["query Why($input: WhyInput!) { answer: why(input: $input) { ...Decision } }\n", Decision::FRAGMENT];

/// Runs `charter why`: exit code 0 where the table is open, 2 where it is shut.
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
        tell(&format!("hint: {hint}"));
    }
    Ok(Exit::Refused)
}
