//! `charter report`: reports on the whole catalog.

use clap::Subcommand;
use cynic::Id;
use domain::rot::Kind;
use serde::Serialize;

use super::answer::{DomainName, PrincipalName};
use super::api::{DateTime, RotKind, operation, schema};
use super::args::{self, Remote};
use super::client::Client;
use super::error::{Exit, Result};
use super::output::{self, count};

/// `charter report`.
#[derive(clap::Args)]
pub(crate) struct Args {
    #[command(subcommand)]
    command: Command,
    #[command(flatten)]
    remote: Remote,
}

#[derive(Subcommand)]
enum Command {
    /// List neglected domains, products, grants and contracts: in your domains, or in all if you have a platform role
    #[command(after_help = kinds())]
    Rot {
        /// Only this domain
        #[arg(short, long, value_parser = args::domain_path)]
        domain: Option<String>,
    },
}

/// What is listed, shown in the help.
fn kinds() -> String {
    let kinds = Kind::ALL.iter().map(|kind| format!("\n  {:<15} {}", kind.as_str(), kind.meaning()));
    format!("Kinds:{}", kinds.collect::<String>())
}

operation!($ query "Query" FindRot { domain: Option<String> } "rot" -> Rot);

#[derive(Serialize, cynic::QueryFragment)]
struct Rot {
    findings: Vec<RotFinding>,
    complete: bool,
}

#[derive(Serialize, cynic::QueryFragment)]
struct RotFinding {
    kind: RotKind,
    address: String,
    since: DateTime,
    domain: DomainName,
    grant: Option<Grant>,
}

#[derive(Serialize, cynic::QueryFragment)]
struct Grant {
    id: Id,
    principal: PrincipalName,
}

/// Runs `charter report`.
pub(crate) async fn run(args: Args) -> Result<Exit> {
    let Command::Rot { domain } = args.command;
    let rot = Client::new(&args.remote)?.send(FindRot { domain }).await?;
    output::show(args.remote.json, &rot, Rot::text)?;
    if !args.remote.json {
        match rot.findings.len() {
            0 => output::note("nothing was found"),
            n => output::note(&count(n, "finding")),
        }
        if !rot.complete {
            output::warn("there are more than 1,000 findings of a kind; the rest is not shown");
        }
    }
    Ok(Exit::Done)
}

impl Rot {
    fn text(&self) -> String {
        let rows = self.findings.iter().map(|finding| {
            let holder = finding.grant.as_ref().map(|grant| grant.principal.subject.as_str());
            [finding.kind.to_string(), finding.address.clone(), output::or_dash(holder), finding.since.to_string()]
        });
        output::table(["kind", "what", "holder", "since"], rows)
    }
}
