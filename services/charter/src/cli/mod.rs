//! The command line: a client of the GraphQL API. Only `contract` and `schema` work offline.
//!
//! There is one file per command group, with its arguments, operations, response types and output. [`api`] checks them
//! against the GraphQL schema at compile time. [`answer`] contains the response types that several groups use, [`args`]
//! the shared arguments, [`output`] everything about terminals, and [`error`] the exit codes. Data goes to standard output and everything else to standard error;
//! `--json` prints the response with the API's field names.
//!
//! To add a command, add a variant in its group's file, or a file here and a variant in [`Command`]. The tests in
//! `tests/it/cli.rs` walk the whole command tree.

mod access;
mod answer;
mod api;
mod apply;
mod args;
mod audit;
mod batch;
mod changelog;
mod client;
mod contract;
mod contract_test;
mod convert;
mod credentials;
mod domain;
mod error;
mod init;
mod inspect;
mod lineage;
mod lint;
mod login;
mod notice;
mod output;
mod overrides;
mod principal;
mod product;
mod registry;
mod report;
mod role;
mod rot;
mod schema;
mod search;
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

/// The exit codes, shown in the program's help.
pub(crate) const EXIT_CODES: &str = "\
Exit codes:
  0   done
  1   failed
  2   refused by a contract or the gate
  3   invalid document
  4   not found
  5   not signed in, or not allowed
  6   server unreachable
  64  usage error";

/// The client commands, in the order of a product's life cycle.
#[derive(Subcommand)]
pub(crate) enum Command {
    /// Show what `apply` would change
    Plan(apply::PlanArgs),
    /// Publish data products and contracts, all or nothing
    Apply(apply::ApplyArgs),
    /// Check, compare, test, import and export contracts (offline)
    Contract(contract::Args),
    /// Check the compatibility of message and table schemas (offline)
    Schema(schema::Args),
    /// Create and list domains, and set how contracts are enforced
    Domain(domain::Args),
    /// Create, list, enable and disable users and service accounts
    Principal(principal::Args),
    /// Assign and list roles
    Role(role::Args),
    /// Create tokens
    Token(token::Args),
    /// Print a one-time link that signs you in to the web page
    Login(login::LoginArgs),
    /// Find data products by a word, a column or a facet
    Search(search::SearchArgs),
    /// Report neglected parts of the catalog
    Report(rot::Args),
    /// Show what a table is made from, or what is made from it
    Lineage(lineage::LineageArgs),
    /// Show who is affected if a table or column changes
    Impact(lineage::ImpactArgs),
    /// List and show data products
    Product(product::Args),
    /// Release subjects of the schema registry to other domains
    Registry(registry::Args),
    /// Show tables and their inspection results
    Table(table::Args),
    /// Activate contract versions
    Version(version::Args),
    /// Check a table for a new snapshot now and queue its inspection
    Inspect(inspect::Args),
    /// Request access, and decide on requests
    Access(access::Args),
    /// List and reply to notices of breaking changes
    Notice(notice::Args),
    /// Manage overrides for under-bumped contract versions
    Override(overrides::Args),
    /// Explain check by check whether access to a table is allowed
    Why(why::Args),
    /// Print short-lived credentials for one table
    Credentials(credentials::Args),
    /// Read the audit log
    Audit(audit::Args),
}

/// Runs one command and returns its exit code. Errors are printed to standard error.
pub(crate) fn run(command: Command) -> ExitCode {
    execute(command).unwrap_or_else(|error| error.print()).into()
}

/// Handles a command line that cannot be parsed, or that asks for help or the version.
pub(crate) fn answer_usage(usage: &clap::Error) -> ExitCode {
    // There is no channel left to report a failed write to.
    let _ = usage.print();
    if usage.use_stderr() { Exit::Usage.into() } else { Exit::Done.into() }
}

/// Reports why the server ended, with the whole chain of causes.
pub(crate) fn answer_failure(failure: &anyhow::Error) -> ExitCode {
    Error::new(Exit::Failed, format!("{failure:#}")).print().into()
}

fn execute(command: Command) -> Result<Exit> {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
    let runtime =
        runtime.map_err(|cause| Error::new(Exit::Failed, format!("cannot start the async runtime: {cause}")))?;
    runtime.block_on(async {
        match command {
            Command::Plan(args) => apply::plan(args).await,
            Command::Apply(args) => apply::apply(args).await,
            Command::Contract(args) => contract::run(args).await,
            Command::Schema(args) => schema::run(args),
            Command::Domain(args) => domain::run(args).await,
            Command::Principal(args) => principal::run(args).await,
            Command::Role(args) => role::run(args).await,
            Command::Token(args) => token::run(args).await,
            Command::Login(args) => login::run(args).await,
            Command::Search(args) => search::run(args).await,
            Command::Report(args) => rot::run(args).await,
            Command::Lineage(args) => lineage::run(args).await,
            Command::Impact(args) => lineage::impact(args).await,
            Command::Product(args) => product::run(args).await,
            Command::Registry(args) => registry::run(args).await,
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
