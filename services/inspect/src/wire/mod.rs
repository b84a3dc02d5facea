//! The job and the report as JSON. Server and worker are of one build, so the messages carry no version, and unknown or
//! missing fields are errors.
//!
//! A report is read line by line, so that the server holds no more of it than its result: the first line says what was
//! found, each further one names a file, then one that has counts to keep, and then the chunks of each file.

mod chunks;
mod job;
mod kept;
mod report;

pub use job::{Job, Limits};
pub(crate) use report::bounded;
pub use report::{Inspected, Outcome, Report, ReportReader, Sandbox};

/// The maximum size of a job, in bytes of JSON. The counts that it brings along may take a third of it.
pub const MAX_JOB_BYTES: usize = 96 * 1024 * 1024;
/// The maximum size of a report with all its lines. The chunks of files may take a third of it.
pub const MAX_REPORT_BYTES: usize = 96 * 1024 * 1024;
/// The maximum size of a report's first line.
pub const MAX_HEAD_BYTES: usize = 8 * 1024 * 1024;
/// The maximum size of the line of one file, or of its counts.
pub const MAX_FILE_BYTES: usize = 24 * 1024;
/// The maximum size of the line of one file's chunks.
pub const MAX_CHUNKS_BYTES: usize = 8 * 1024 * 1024;
/// The maximum length of a text for people in a report; the rest is cut off.
pub const MAX_TEXT_CHARS: usize = 1_000;
/// The maximum number of rules in a job.
pub const MAX_RULES: usize = 100_000;
/// The maximum number of files of a snapshot, including deletion vectors.
pub const MAX_FILES: usize = 1_000_000;
/// The maximum number of columns of a schema, including nested ones.
pub const MAX_COLUMNS: usize = 10_000;

/// Not a valid job or report, or a value that cannot be expressed in one.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{0}")]
pub struct Malformed(String);

impl Malformed {
    fn new(reason: impl Into<String>) -> Self {
        Self(reason.into())
    }

    fn json(error: &serde_json::Error) -> Self {
        Self(format!("invalid JSON: {error}"))
    }
}

fn at_most(what: &str, n: usize, limit: usize) -> Result<(), Malformed> {
    if n > limit { Err(Malformed(format!("{n} {what}, more than {limit}"))) } else { Ok(()) }
}
