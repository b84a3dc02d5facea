//! `charter-worker`: looks at one snapshot of one table and reports what it found.
//!
//! It is the only program that parses foreign bytes: Delta logs, Parquet files, SQL rules. It takes one job on standard
//! input, limits itself, and answers one report on standard output; the server kills it if it is late. [`inspection`]
//! is where a job is done; [`delta`] and [`folder`] open a table, [`measure`] runs the rules over its rows.
//!
//! To add a format: a module beside [`folder`] that makes an [`inspection::Table`].

mod delta;
mod demo;
mod error;
mod folder;
mod footer;
mod inspection;
mod limits;
mod measure;
mod root;
mod scan;
mod schema;

use std::io::{Read, Write};
use std::process::ExitCode;

use anyhow::Context;
use inspect::wire::{Inspected, Job, MAX_JOB_BYTES, Outcome, Report, Sandbox};

const USAGE: &str = "usage: charter-worker inspect < job.json > report.json
       charter-worker make-demo <folder> [--through <version>]
       charter-worker --version";

/// The exit code for a wrong command line.
const WRONG_USAGE: u8 = 64;

fn main() -> ExitCode {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let arguments: Vec<&str> = arguments.iter().map(String::as_str).collect();
    let done = match arguments.as_slice() {
        ["inspect"] => inspect(),
        ["make-demo", folder] => demo::make(folder.as_ref(), demo::LAST_VERSION),
        ["make-demo", folder, "--through", version] => match version.parse() {
            Ok(version) => demo::make(folder.as_ref(), version),
            Err(_) => return wrong_usage(),
        },
        ["--version"] => writeln!(std::io::stdout(), "{}", inspection::engine()).context("cannot write"),
        _ => return wrong_usage(),
    };
    match done {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("charter-worker: {error:#}");
            ExitCode::FAILURE
        }
    }
}

fn wrong_usage() -> ExitCode {
    eprintln!("{USAGE}");
    ExitCode::from(WRONG_USAGE)
}

/// Reads the job, gives up every right that it does not need, and does it. The threads come last, since the limits hold
/// for those that are started under them.
fn inspect() -> anyhow::Result<()> {
    let mut json = Vec::new();
    std::io::stdin().take(MAX_JOB_BYTES as u64 + 1).read_to_end(&mut json).context("cannot read the job")?;
    let job = Job::from_json(&json).context("cannot read the job")?;
    let limits = job.limits;
    let job = job.into_domain().context("cannot read the job")?;
    let sandbox = limits::apply(limits, &job.root, &job.scratch)?;
    if limits.sandbox_required && sandbox != Sandbox::Full {
        return answer(&Report { sandbox, outcome: Outcome::NoSandbox });
    }
    let runtime = tokio::runtime::Builder::new_current_thread().max_blocking_threads(4).enable_all().build();
    let found = runtime.context("cannot start its threads")?.block_on(inspection::run(job, limits))?;
    let outcome = match found {
        Ok(inspection) => Outcome::Inspected(Inspected::from_domain(inspection)?),
        Err(unreadable) => Outcome::Unreadable { reason: unreadable.0 },
    };
    answer(&Report { sandbox, outcome })
}

fn answer(report: &Report) -> anyhow::Result<()> {
    let json = report.to_json().context("cannot say the report")?;
    let mut stdout = std::io::stdout().lock();
    stdout.write_all(&json).and_then(|()| stdout.flush()).context("cannot write the report")
}
