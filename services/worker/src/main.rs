//! `charter-worker`: inspects one snapshot of one table and reports the result.
//!
//! It is the only program that parses untrusted bytes: Delta logs, Parquet files, SQL rules. It reads one job from
//! standard input, sandboxes itself, and writes one report to standard output; the server kills it at a deadline.
//! [`inspection`] runs a job, [`delta`] and [`folder`] open a table, [`measure`] runs the rules over its rows.
//!
//! To add a format: a module beside [`folder`] that opens an [`inspection::Table`].

mod chunks;
mod data_file;
mod delta;
mod demo;
mod error;
mod floats;
mod folder;
mod footer;
mod identity;
mod inspection;
mod limits;
mod measure;
mod root;
mod scan;
mod schema;
mod shape;
mod syscalls;
mod table;
mod try_sandbox;

use std::io::{BufWriter, Read, Write};
use std::process::ExitCode;

use anyhow::Context;
use domain::table::Format;
use inspect::wire::{Inspected, Job, MAX_JOB_BYTES, Outcome, Report, Sandbox};

use crate::delta::checkpoint::NewCheckpoint;
use crate::error::Failure;

const USAGE: &str = "usage: charter-worker inspect < job.json > report.json
       charter-worker try-sandbox <folder>
       charter-worker make-demo <folder> [--through <version>]
       charter-worker --version";

/// The exit code for an invalid command line.
const WRONG_USAGE: u8 = 64;

fn main() -> ExitCode {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let arguments: Vec<&str> = arguments.iter().map(String::as_str).collect();
    let done = match arguments.as_slice() {
        ["inspect"] => inspect(),
        ["try-sandbox", folder] => try_sandbox::run(folder.as_ref()),
        ["make-demo", folder] => demo::make(folder.as_ref(), demo::LAST_VERSION),
        ["make-demo", folder, "--through", version] => match version.parse() {
            Ok(version) => demo::make(folder.as_ref(), version),
            Err(_) => return wrong_usage(),
        },
        ["--version"] => writeln!(std::io::stdout(), "{}", identity::engine()).context("cannot write"),
        _ => return wrong_usage(),
    };
    match done {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            complain(format_args!("charter-worker: {error:#}"));
            ExitCode::FAILURE
        }
    }
}

fn wrong_usage() -> ExitCode {
    complain(format_args!("{USAGE}"));
    ExitCode::from(WRONG_USAGE)
}

/// Prints to standard error. Unlike `eprintln!` it does not panic where that is closed or full.
fn complain(message: std::fmt::Arguments<'_>) {
    let _ = writeln!(std::io::stderr(), "{message}");
}

/// Reads the job, drops every privilege that it does not need, and runs it. Threads are started last, since the sandbox
/// applies to threads that are started after it.
fn inspect() -> anyhow::Result<()> {
    let mut json = Vec::new();
    std::io::stdin().take(MAX_JOB_BYTES as u64 + 1).read_to_end(&mut json).context("cannot read the job")?;
    let job = Job::from_json(&json).context("cannot read the job")?;
    let limits = job.limits;
    let job = job.into_domain().context("cannot read the job")?;
    limits::end_with(limits.server)?;
    // Nothing can be opened for writing afterwards, so one file is all that this process can fill.
    let checkpoint = match job.format {
        Format::Delta => Some(NewCheckpoint::create(&job.scratch).context("cannot create the checkpoint")?),
        Format::Parquet => None,
    };
    // Tokio opens what it needs for signals once in a process.
    let runtime = tokio::runtime::Builder::new_current_thread().max_blocking_threads(4).enable_all().build();
    let runtime = runtime.context("cannot start the runtime")?;
    let sandbox = limits::apply(limits, &job.root)?;
    if limits.sandbox_required && sandbox != Sandbox::Full {
        return answer(&Report { sandbox, outcome: Outcome::NoSandbox });
    }
    let outcome = match runtime.block_on(inspection::run(job, checkpoint, limits)) {
        Ok(inspection) => Outcome::Inspected(Box::new(Inspected::from_domain(inspection)?)),
        Err(Failure::Unreadable(unreadable)) => Outcome::Unreadable { reason: unreadable.0 },
        Err(Failure::Internal(error)) => return Err(error),
    };
    answer(&Report { sandbox, outcome })
}

fn answer(report: &Report) -> anyhow::Result<()> {
    report.write(&mut BufWriter::new(std::io::stdout().lock())).context("cannot write the report")
}
