//! OpenLineage events (specification 2-0-2), from JSON to [`Event`].
//!
//! Read are: the three kinds of event, alone or in a batch; the facets `parent`, `test`, `lineage`, `symlinks`,
//! `schema`, `columnLineage`, `dataQualityAssertions` and dbt's `dbt_exposures`. Everything else of an event is kept as
//! it came in [`Event::json`] and never looked at, the text of statements (`sql`, `sourceCode`) included.

mod facets;
mod place;

use std::time::Duration;

use domain::clock::Timestamp;
use domain::closed_set;
use serde_json::Value;
use sha2::{Digest as _, Sha256};
use uuid::Uuid;

pub use self::facets::{
    Assertion, Explicit, ExplicitSource, ExplicitTarget, Facet, FieldSource, Influence, SchemaField, Source, TestResult,
};
pub use self::place::{Error, Problem};
use crate::name::{Dataset, Job};
use crate::openlineage::place::At;

/// The largest event, in bytes.
pub const MAX_EVENT_BYTES: usize = 4 * 1024 * 1024;
/// The largest batch, in bytes.
pub const MAX_BATCH_BYTES: usize = 16 * 1024 * 1024;
/// The most events of a batch.
pub const MAX_BATCH_EVENTS: usize = 1_000;
/// The most inputs, and the most outputs, of an event or a run.
pub const MAX_DATASETS: usize = 1_000;
/// The most pairs of inputs and outputs of an event or a run.
pub const MAX_PAIRS: usize = 20_000;
/// The most fields, sources of fields, names, exposures or tests that are read of an event, counted together.
pub const MAX_STATEMENTS: usize = 50_000;

/// How far ahead of ours a producer's clock may be.
pub const MAX_AHEAD: Duration = Duration::from_secs(60 * 60);

const EVENT_LIMITS: domain::json::Limits = domain::json::Limits { depth: 64, n_values: 400_000, allows_nul: false };
const BATCH_LIMITS: domain::json::Limits = domain::json::Limits { depth: 65, n_values: 1_600_000, allows_nul: false };

/// One event.
#[derive(Clone, Debug, PartialEq)]
pub struct Event {
    /// When it happened, by its producer's clock.
    pub time: Timestamp,
    /// The software that made it.
    pub producer: String,
    /// What it is about.
    pub subject: Subject,
    /// Names the event: equal for equal JSON, whatever the order of keys. An event that comes twice has it twice.
    pub digest: Digest,
    /// The whole event as it came.
    pub json: Value,
}

/// SHA-256 over an event in its canonical form.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Digest(pub [u8; 32]);

impl std::fmt::Debug for Digest {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(&hex::encode(self.0))
    }
}

/// What an event is about.
#[derive(Clone, Debug, PartialEq)]
pub enum Subject {
    /// A run of a job.
    Run(Box<Run>),
    /// A job by its design, without a run.
    Job(Box<Design>),
    /// A dataset, without a job.
    Dataset(Box<DatasetFacts>),
}

closed_set! {
    /// What a run did.
    Transition {
        /// It began.
        Start = "START",
        /// It goes on.
        Running = "RUNNING",
        /// It ended well.
        Complete = "COMPLETE",
        /// It was stopped.
        Abort = "ABORT",
        /// It failed.
        Fail = "FAIL",
        /// Something else became known.
        Other = "OTHER",
    }
}

/// What one event says of a run.
#[derive(Clone, Debug, PartialEq)]
pub struct Run {
    /// The run's id, made by its producer.
    pub id: Uuid,
    /// What it did.
    pub transition: Option<Transition>,
    /// The job that runs, with what it reads and writes.
    pub design: Design,
    /// The job that started it.
    pub parent: Option<Job>,
    /// Tests that the run made, dbt's for example.
    pub tests: Vec<TestResult>,
}

/// A job with what it reads and writes.
#[derive(Clone, Debug, PartialEq)]
pub struct Design {
    /// The job.
    pub job: Job,
    /// The job's `lineage` facet.
    pub lineage: Facet<Vec<Explicit>>,
    /// What it reads.
    pub inputs: Vec<DatasetFacts>,
    /// What it writes.
    pub outputs: Vec<DatasetFacts>,
}

/// What an event says of a dataset.
#[derive(Clone, Debug, PartialEq)]
pub struct DatasetFacts {
    /// The dataset.
    pub dataset: Dataset,
    /// Its other names.
    pub symlinks: Facet<Vec<Dataset>>,
    /// Its columns.
    pub schema: Facet<Vec<SchemaField>>,
    /// Which columns its columns are made from.
    pub columns: Facet<Vec<Influence>>,
    /// What it is made from.
    pub lineage: Facet<Explicit>,
    /// Who uses it without being a run: dashboards and reports that dbt declares.
    pub exposures: Facet<Vec<Job>>,
    /// Results of tests of it.
    pub assertions: Vec<Assertion>,
}

impl Event {
    /// Reads one event.
    ///
    /// # Errors
    /// Anything that is not an event within the limits of this module; the error says where.
    pub fn read(text: &[u8]) -> Result<Self, Error> {
        Self::of(json(text, MAX_EVENT_BYTES, EVENT_LIMITS)?)
    }

    /// Reads a batch: a JSON array of events. Each event is judged alone, so that one that cannot be read does not hold
    /// up the others.
    ///
    /// # Errors
    /// A text that is no array, or one outside of the limits.
    pub fn read_batch(text: &[u8]) -> Result<Vec<Result<Self, Error>>, Error> {
        match json(text, MAX_BATCH_BYTES, BATCH_LIMITS)? {
            Value::Array(events) if events.len() > MAX_BATCH_EVENTS => {
                Err(Error::at("", Problem::TooMany { most: MAX_BATCH_EVENTS }))
            }
            Value::Array(events) => Ok(events.into_iter().map(Self::of).collect()),
            _ => Err(Error::at("", Problem::NotA { expected: "an array" })),
        }
    }

    /// Refuses an event from the future: what it states could not be replaced until then, and would not grow old.
    ///
    /// # Errors
    /// Its time is more than [`MAX_AHEAD`] after `now`.
    pub fn check_time(&self, now: Timestamp) -> Result<(), Error> {
        if self.time > now.plus(MAX_AHEAD) { Err(Error::at("/eventTime", Problem::Future)) } else { Ok(()) }
    }

    fn of(json: Value) -> Result<Self, Error> {
        let left = std::cell::Cell::new(MAX_STATEMENTS);
        let at = At::root(&json, &left);
        at.object()?;
        let time_at = at.field("eventTime")?;
        let time = Timestamp::parse_date_time(time_at.text()?).ok_or_else(|| time_at.not_a("a time of RFC 3339"))?;
        let producer = at.field("producer")?.short_text()?.to_owned();
        let subject = match (at.find("run"), at.find("job"), at.find("dataset")) {
            (Some(run), _, _) => Subject::Run(Box::new(facets::run(at, run)?)),
            (None, Some(_), _) => Subject::Job(Box::new(facets::design(at)?)),
            (None, None, Some(dataset)) => Subject::Dataset(Box::new(facets::dataset(dataset)?)),
            (None, None, None) => return Err(at.not_a("an event: it has no `run`, `job` or `dataset`")),
        };
        let mut hash = Sha256::new();
        digest(&json, &mut hash);
        Ok(Self { time, producer, subject, digest: Digest(hash.finalize().into()), json })
    }
}

fn json(text: &[u8], most_bytes: usize, limits: domain::json::Limits) -> Result<Value, Error> {
    if text.len() > most_bytes {
        return Err(Error::TooLarge { found: text.len(), most: most_bytes });
    }
    let mut reader = serde_json::Deserializer::from_slice(text);
    let value = domain::json::read(&mut reader, limits, None).map_err(Error::not_json)?;
    reader.end().map_err(Error::not_json)?;
    Ok(value)
}

/// Feeds a value to a hash with the keys of objects in order, and with lengths before what varies in length.
fn digest(value: &Value, hash: &mut Sha256) {
    let mut text = |tag: u8, text: &str| {
        hash.update([tag]);
        hash.update((text.len() as u64).to_be_bytes());
        hash.update(text.as_bytes());
    };
    match value {
        Value::Null => text(b'0', ""),
        Value::Bool(value) => text(b'b', if *value { "1" } else { "0" }),
        Value::Number(value) => text(b'n', &value.to_string()),
        Value::String(value) => text(b's', value),
        Value::Array(items) => {
            text(b'a', &items.len().to_string());
            items.iter().for_each(|item| digest(item, hash));
        }
        Value::Object(fields) => {
            text(b'o', &fields.len().to_string());
            let mut fields: Vec<_> = fields.iter().collect();
            fields.sort_by(|one, two| one.0.cmp(two.0));
            for (key, value) in fields {
                digest(&Value::String(key.clone()), hash);
                digest(value, hash);
            }
        }
    }
}
