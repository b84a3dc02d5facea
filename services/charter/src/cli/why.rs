//! `charter why`: explains the gate's decision, without issuing credentials.

use super::answer::Decision;
use super::api::{Action, PurposeCode, operation, schema};
use super::args::{self, Remote};
use super::client::Client;
use super::error::{Error, Exit, Result};
use super::output;

/// `charter why`.
#[derive(clap::Args)]
pub(crate) struct Args {
    /// Table, `domain.product.table`; append `__v2` for a major version
    #[arg(value_parser = args::table)]
    table: String,
    /// Action on the table
    #[arg(long, value_enum, default_value_t = Action::Read)]
    action: Action,
    /// Purpose; the one of the token or of your only grant if not given
    #[arg(long, value_enum)]
    purpose: Option<PurposeCode>,
    #[command(flatten)]
    remote: Remote,
}

operation!($ query "Query" Why { input: WhyInput } "why" -> Option<Decision>);

#[derive(Clone, cynic::InputObject)]
struct WhyInput {
    address: String,
    action: Option<Action>,
    purpose: Option<PurposeCode>,
}

/// Runs `charter why`: exit code 0 if access is allowed, 2 if it is denied.
pub(crate) async fn run(args: Args) -> Result<Exit> {
    let input = WhyInput { address: args.table.clone(), action: Some(args.action), purpose: args.purpose };
    let decision = Client::new(&args.remote)?.send(Why { input }).await?;
    let decision = decision.ok_or_else(|| Error::not_found("table", &args.table))?;
    output::show(args.remote.json, &decision, |decision| decision.text(&args.table))?;
    if decision.allowed {
        return Ok(Exit::Done);
    }
    if let Some(hint) = decision.hint(&args.table) {
        output::message(&format!("hint: {hint}"));
    }
    Ok(Exit::Refused)
}
