//! The job and the report as JSON. They are spoken between one server and the worker beside it, of one build, so they
//! carry no version; what is unknown or missing is refused.

mod job;
mod report;

pub use job::{Job, Limits};
pub use report::{Inspected, Outcome, Report, Sandbox};

/// The longest job, in bytes of JSON.
pub const MAX_JOB_BYTES: usize = 64 * 1024 * 1024;
/// The longest report, in bytes of JSON.
pub const MAX_REPORT_BYTES: usize = 64 * 1024 * 1024;
/// The most rules in a job.
pub const MAX_RULES: usize = 100_000;
/// The most files of a snapshot, deletion vectors counted.
pub const MAX_FILES: usize = 1_000_000;
/// The most columns of a schema, nested ones counted.
pub const MAX_COLUMNS: usize = 10_000;

/// Text that is not a job or a report, or a value that cannot be said in one.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{0}")]
pub struct Malformed(String);

impl Malformed {
    fn new(reason: impl Into<String>) -> Self {
        Self(reason.into())
    }

    fn json(error: &serde_json::Error) -> Self {
        Self(format!("not well formed: {error}"))
    }
}

fn at_most(what: &str, n: usize, limit: usize) -> Result<(), Malformed> {
    if n > limit { Err(Malformed(format!("{n} {what}, more than {limit}"))) } else { Ok(()) }
}
