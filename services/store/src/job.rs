//! The job queue.
//!
//! Of a kind and subject at most one waits, and of a subject at most one runs. What is asked for while one runs waits for
//! its turn, because the one that runs may have looked already. Domains take turns: see [`claim`].

use std::time::Duration;

use domain::clock::Timestamp;
use domain::closed_set;
use domain::closed_set::UnknownWord;
use domain::id::{DomainId, JobId, TableId};
use domain::job::{Job, Kind};

use crate::db::Tx;
use crate::dialect;
use crate::error::Error;
use crate::page::{Page, Seek};
use crate::row::{Text, affected, entity_row, find, on_both, page, row};

closed_set! {
    /// The state of a job.
    State {
        /// It waits until it is due.
        Waiting = "waiting",
        /// It is claimed by a worker.
        Running = "running",
        /// It succeeded.
        Done = "done",
        /// It failed for good.
        Failed = "failed",
    }
}

/// A job in the queue.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct QueuedJob {
    /// Its id.
    pub id: JobId,
    /// What is to be done.
    pub job: Job,
    /// Its state.
    pub state: State,
    /// The time from which it is due.
    pub run_at: Timestamp,
    /// The domain whose turn it takes: that of the table's oldest binding, when it was enqueued first.
    pub domain_id: Option<DomainId>,
    /// The time at which it was claimed last.
    pub claimed_at: Option<Timestamp>,
    /// The time at which the claim of its worker expires; then it can be claimed again.
    pub claimed_until: Option<Timestamp>,
    /// The number of times it was claimed.
    pub n_attempts: i64,
    /// The last error.
    pub error: Option<String>,
}

entity_row! {
    JobRow from "jobs" {
        id: Text<JobId>,
        kind: String,
        subject: String,
        state: Text<State>,
        run_at: i64,
        claimed_until: Option<i64>,
        n_attempts: i64,
        error: Option<String>,
        domain_id: Option<Text<DomainId>>,
        claimed_at: Option<i64>,
    }
}

row! { #[expect(dead_code, reason = "that there is one is the answer")] DueRow from "jobs" { n_attempts: i64, } }

impl TryFrom<JobRow> for QueuedJob {
    type Error = Error;

    fn try_from(row: JobRow) -> Result<Self, Error> {
        let job =
            job_from_text(&row.kind, &row.subject).map_err(|problem| Error::inconsistent("jobs", row.id.0, problem))?;
        Ok(Self {
            id: row.id.0,
            job,
            state: row.state.0,
            run_at: Timestamp(row.run_at),
            domain_id: row.domain_id.map(|id| id.0),
            claimed_at: row.claimed_at.map(Timestamp),
            claimed_until: row.claimed_until.map(Timestamp),
            n_attempts: row.n_attempts,
            error: row.error,
        })
    }
}

/// The subject of a job as stored. At most one job of a kind waits for a subject.
fn subject_of(job: Job) -> String {
    match job {
        Job::Inspect(table_id) | Job::Reinspect(table_id) => table_id.to_string(),
    }
}

fn job_from_text(kind: &str, subject: &str) -> Result<Job, String> {
    let table_id = || subject.parse().map_err(|problem| format!("the subject is {problem}"));
    match kind.parse().map_err(|problem: UnknownWord| problem.to_string())? {
        Kind::Inspect => Ok(Job::Inspect(table_id()?)),
        Kind::Reinspect => Ok(Job::Reinspect(table_id()?)),
    }
}

/// Enqueues a job. If one of its kind and subject is already waiting, that one is kept, at the earlier of the two
/// times.
pub async fn push(tx: &mut Tx, id: JobId, job: Job, run_at: Timestamp) -> Result<(), Error> {
    affected!(
        tx,
        "INSERT INTO jobs (id, kind, subject, state, run_at, claimed_until, n_attempts, error, domain_id)
         VALUES ($1, $2, $3, 'waiting', $4, NULL, 0, NULL, (
             SELECT products.domain_id
             FROM bindings
             JOIN contracts ON contracts.id = bindings.contract_id
             JOIN products ON products.id = contracts.product_id
             WHERE bindings.table_id = $5
             ORDER BY bindings.id
             LIMIT 1
         ))
         ON CONFLICT (kind, subject) WHERE state = 'waiting' DO UPDATE SET run_at = excluded.run_at
         WHERE jobs.run_at > excluded.run_at",
        Text(id),
        job.kind().as_str(),
        subject_of(job),
        run_at.0,
        Text(table_of(job))
    )?;
    Ok(())
}

/// The table that a job is about.
pub fn table_of(job: Job) -> TableId {
    match job {
        Job::Inspect(table_id) | Job::Reinspect(table_id) => table_id,
    }
}

/// How long a claim lasts, and how many a domain may have.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Terms {
    /// If a job has not ended by then, it can be claimed again.
    pub duration: Duration,
    /// How many jobs of one domain run at once.
    pub max_of_domain: i64,
}

/// Claims a job of a kind: of the domain that has the fewest running, of those the one whose turn was longest ago, and
/// in that domain the one that is due longest. A row that is not a known job is given up on the way, so that it does not
/// block the queue.
pub async fn claim(tx: &mut Tx, kind: Kind, now: Timestamp, terms: Terms) -> Result<Option<QueuedJob>, Error> {
    while let Some(row) = claim_row(tx, kind, now, terms).await? {
        let (id, n_attempts) = (row.id.0, row.n_attempts);
        match QueuedJob::try_from(row) {
            Ok(job) => return Ok(Some(job)),
            Err(problem) => {
                tracing::error!(job.id = %id, error = &problem as &dyn std::error::Error, "unknown job failed");
                end(tx, id, n_attempts, State::Failed, Some(&problem.to_string())).await?;
            }
        }
    }
    Ok(None)
}

async fn claim_row(tx: &mut Tx, kind: Kind, now: Timestamp, terms: Terms) -> Result<Option<JobRow>, Error> {
    let dialect = tx.dialect();
    let sql = "UPDATE jobs
               SET state = 'running', claimed_until = $1, claimed_at = $3, n_attempts = n_attempts + 1
               WHERE id = (
                   SELECT id FROM jobs
                   WHERE kind = $2
                       AND ((state = 'waiting' AND run_at <= $3) OR (state = 'running' AND claimed_until <= $3))
                       AND NOT EXISTS (
                           SELECT 1 FROM jobs AS other
                           WHERE other.subject = jobs.subject
                               AND other.id <> jobs.id
                               AND other.state = 'running'
                               AND other.claimed_until > $3
                       )
                       AND (
                           SELECT COUNT(*) FROM jobs AS other
                           WHERE other.state = 'running'
                               AND other.claimed_until > $3
                               AND COALESCE(other.domain_id, '') = COALESCE(jobs.domain_id, '')
                       ) < $4
                   ORDER BY
                       (
                           SELECT COUNT(*) FROM jobs AS other
                           WHERE other.state = 'running'
                               AND other.claimed_until > $3
                               AND COALESCE(other.domain_id, '') = COALESCE(jobs.domain_id, '')
                       ),
                       COALESCE((SELECT MAX(other.claimed_at) FROM jobs AS other WHERE other.domain_id = jobs.domain_id), 0),
                       run_at,
                       id
                   LIMIT 1
                   {skip_locked}
               )
               RETURNING id, kind, subject, state, run_at, claimed_until, n_attempts, error, domain_id, claimed_at";
    on_both!(tx, |c| sqlx::query_as::<_, JobRow>(dialect::skip_locked(sql, dialect))
        .bind(now.plus(terms.duration).0)
        .bind(kind.as_str())
        .bind(now.0)
        .bind(terms.max_of_domain)
        .fetch_optional(c))
}

/// Completes a claimed job. False if another worker has claimed it since, and so repeats it.
pub async fn finish(tx: &mut Tx, job: &QueuedJob) -> Result<bool, Error> {
    end(tx, job.id, job.n_attempts, State::Done, None).await
}

/// Fails a claimed job for good. False if another worker has claimed it since.
pub async fn fail(tx: &mut Tx, job: &QueuedJob, error: &str) -> Result<bool, Error> {
    end(tx, job.id, job.n_attempts, State::Failed, Some(error)).await
}

async fn end(tx: &mut Tx, id: JobId, n_attempts: i64, state: State, error: Option<&str>) -> Result<bool, Error> {
    let n_rows = affected!(
        tx,
        "UPDATE jobs SET state = $1, claimed_until = NULL, error = $2
         WHERE id = $3 AND state = 'running' AND n_attempts = $4",
        Text(state),
        error,
        Text(id),
        n_attempts
    )?;
    Ok(n_rows == 1)
}

/// Requeues a claimed job, unless another of its kind and subject is already waiting; then this one ends. False if
/// another worker has claimed it since.
pub async fn retry(tx: &mut Tx, job: &QueuedJob, error: &str, run_at: Timestamp) -> Result<bool, Error> {
    let n_rows = affected!(
        tx,
        "UPDATE jobs SET state = 'waiting', run_at = $1, claimed_until = NULL, error = $2
         WHERE id = $3 AND state = 'running' AND n_attempts = $4
             AND NOT EXISTS (
                 SELECT 1 FROM jobs AS other
                 WHERE other.kind = jobs.kind AND other.subject = jobs.subject AND other.state = 'waiting'
             )",
        run_at.0,
        error,
        Text(job.id),
        job.n_attempts
    )?;
    if n_rows == 1 { Ok(true) } else { end(tx, job.id, job.n_attempts, State::Done, Some(error)).await }
}

/// The jobs that wait or run, in the order in which they became due.
pub async fn list_open(tx: &mut Tx, seek: &Seek<(Timestamp, JobId)>) -> Result<Page<QueuedJob>, Error> {
    let (at, id) = seek.after.map_or((i64::MIN, String::new()), |(at, id)| (at.0, id.to_string()));
    page!(
        tx,
        seek,
        JobRow,
        "WHERE state IN ('running', 'waiting') AND (run_at, id) > ($1, $2) ORDER BY run_at, id LIMIT $3",
        at,
        id.as_str()
    )
}

/// A job by its id.
pub async fn find(tx: &mut Tx, id: JobId) -> Result<Option<QueuedJob>, Error> {
    find!(tx, JobRow, "WHERE id = $1", Text(id))
}

/// Releases the claims of all running jobs, for a program that is the only one and has just started. They wait again,
/// unless the same work is already waiting.
pub async fn release_all(tx: &mut Tx) -> Result<(), Error> {
    affected!(
        tx,
        "UPDATE jobs SET state = 'failed', claimed_until = NULL, error = 'its program ended'
         WHERE state = 'running' AND EXISTS (
             SELECT 1 FROM jobs AS twin
             WHERE twin.kind = jobs.kind AND twin.subject = jobs.subject AND twin.state = 'waiting'
         )"
    )?;
    affected!(tx, "UPDATE jobs SET state = 'waiting', claimed_until = NULL WHERE state = 'running'")?;
    Ok(())
}

/// Whether a job of a kind can be claimed: one that waits and is due, or one whose claim has expired. It takes two
/// lookups in an index, however many jobs there are.
pub async fn is_due(tx: &mut Tx, kind: Kind, now: Timestamp) -> Result<bool, Error> {
    for state in [State::Waiting, State::Running] {
        // A row that is not a known job counts too: claiming it fails it.
        let row = on_both!(tx, |c| sqlx::query_as::<_, DueRow>(
            "SELECT n_attempts
             FROM jobs
             WHERE state = $1 AND kind = $2 AND run_at <= $3 AND (claimed_until IS NULL OR claimed_until <= $3)
             ORDER BY run_at, id
             LIMIT 1"
        )
        .bind(Text(state))
        .bind(kind.as_str())
        .bind(now.0)
        .fetch_optional(c))?;
        if row.is_some() {
            return Ok(true);
        }
    }
    Ok(false)
}

/// Deletes the jobs that have ended and were due before a time. Returns their number.
pub async fn delete_ended(tx: &mut Tx, before: Timestamp) -> Result<u64, Error> {
    affected!(tx, "DELETE FROM jobs WHERE state IN ('done', 'failed') AND run_at < $1", before.0)
}
