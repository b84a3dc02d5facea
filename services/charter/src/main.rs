//! `charter`: the server and its command line in one program.
//!
//! [`serve`] wires the server from the other crates; [`cli`] is a client of its GraphQL API and contains no business
//! rules. Start reading at [`Command`].

use std::process::ExitCode;

use clap::{Parser, Subcommand};

mod cli;
mod serve;

/// A data mesh catalog whose contracts are the lock on the data.
#[derive(Parser)]
#[command(name = "charter", version, max_term_width = 100, after_help = cli::EXIT_CODES)]
struct Charter {
    #[command(subcommand)]
    command: Command,
}

#[derive(Subcommand)]
enum Command {
    /// Run the server
    Serve(serve::ServeArgs),
    #[command(flatten)]
    Client(cli::Command),
}

pub(crate) fn main() -> ExitCode {
    let charter = match Charter::try_parse() {
        Ok(charter) => charter,
        Err(usage) => return cli::answer_usage(&usage),
    };
    // This only fails if a provider is already installed.
    let _ = rustls::crypto::aws_lc_rs::default_provider().install_default();
    match charter.command {
        Command::Serve(args) => match serve::run(&args) {
            Ok(()) => ExitCode::SUCCESS,
            Err(error) => cli::answer_failure(&error),
        },
        Command::Client(command) => cli::run(command),
    }
}
