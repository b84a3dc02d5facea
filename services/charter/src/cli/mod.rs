//! The command line: a client of the GraphQL API, and `contract diff`, which needs no server.
//!
//! One file per command group: its arguments, its GraphQL documents, the answers it reads and how it shows them. Every
//! document names its one field `answer`, so that [`client`] decodes them all in the same way. [`answer`] holds the
//! types that several groups show, [`args`] the arguments that several take, [`output`] everything about terminals, and
//! [`error`] the exit codes. Data goes to standard output and all else to standard error; `--json` prints the answer
//! with the field names of the API.
//!
//! To add a command: a variant in its group's file, or a file here with a variant in [`Command`]; its help is tested by
//! `tests/it/cli.rs`, which walks the whole tree.

mod access;
mod answer;
mod apply;
mod args;
mod audit;
mod batch;
mod client;
mod contract;
mod convert;
mod credentials;
mod domain;
mod error;
mod inspect;
mod notice;
mod output;
mod overrides;
mod principal;
mod product;
mod report;
mod role;
mod schema;
mod snippet;
mod sources;
mod table;
mod token;
mod version;
mod why;
mod word;

use std::process::ExitCode;

use clap::Subcommand;

use self::error::{Error, Exit, Result};

/// The exit codes, for the program's help.
pub(crate) const EXIT_CODES: &str = "\
Exit codes:
  0   done
  1   failed
  2   refused by a contract or the gate
  3   invalid document
  4   not found
  5   not signed in, or not allowed
  6   server not reachable
  64  wrong usage";

/// The commands of a client, in the order of a product's life.
#[derive(Subcommand)]
pub(crate) enum Command {
    /// Show what `apply` would change
    Plan(apply::PlanArgs),
    /// Publish data products and contracts, all or none of them
    Apply(apply::ApplyArgs),
    /// Compare contracts without a server
    Contract(contract::Args),
    /// Compare message and table schemas without a server
    Schema(schema::Args),
    /// Make and list domains, and set how far their contracts bind
    Domain(domain::Args),
    /// Make, list, enable and disable users and service accounts
    Principal(principal::Args),
    /// Assign and list roles
    Role(role::Args),
    /// Make tokens
    Token(token::Args),
    /// Find products
    Product(product::Args),
    /// Look at tables and what their inspections found
    Table(table::Args),
    /// Move contract versions
    Version(version::Args),
    /// Look for a table's newest snapshot now and queue its inspection
    Inspect(inspect::Args),
    /// Ask for access, and answer those who ask
    Access(access::Args),
    /// Look at breaking successors, and answer their notices
    Notice(notice::Args),
    /// Accept versions whose numbers are too small, and list what was accepted
    Override(overrides::Args),
    /// Tell why a table is open or shut, line by line, without credentials
    Why(why::Args),
    /// Print credentials that open one table for a short time
    Credentials(credentials::Args),
    /// Read the audit log
    Audit(audit::Args),
}

/// Runs one command to its exit code. What went wrong is told on standard error.
pub(crate) fn run(command: Command) -> ExitCode {
    execute(command).unwrap_or_else(|error| error.print()).into()
}

/// Answers a command line that was not understood, or one that asks for help or the version.
pub(crate) fn answer_usage(usage: &clap::Error) -> ExitCode {
    // Nobody is left to tell if the help cannot be written.
    let _ = usage.print();
    if usage.use_stderr() { Exit::Usage.into() } else { Exit::Done.into() }
}

/// Tells why the server ended, with the whole chain of causes.
pub(crate) fn answer_failure(failure: &anyhow::Error) -> ExitCode {
    Error::new(Exit::Failed, format!("{failure:#}")).print().into()
}

fn execute(command: Command) -> Result<Exit> {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
    let runtime = runtime.map_err(|cause| Error::new(Exit::Failed, format!("cannot start: {cause}")))?;
    runtime.block_on(async {
        match command {
            Command::Plan(args) => apply::plan(args).await,
            Command::Apply(args) => apply::apply(args).await,
            Command::Contract(args) => contract::run(args),
            Command::Schema(args) => schema::run(args),
            Command::Domain(args) => domain::run(args).await,
            Command::Principal(args) => principal::run(args).await,
            Command::Role(args) => role::run(args).await,
            Command::Token(args) => token::run(args).await,
            Command::Product(args) => product::run(args).await,
            Command::Table(args) => table::run(args).await,
            Command::Version(args) => version::run(args).await,
            Command::Inspect(args) => inspect::run(args).await,
            Command::Access(args) => access::run(args).await,
            Command::Notice(args) => notice::run(args).await,
            Command::Override(args) => overrides::run(args).await,
            Command::Why(args) => why::run(args).await,
            Command::Credentials(args) => credentials::run(args).await,
            Command::Audit(args) => audit::run(args).await,
        }
    })
}
