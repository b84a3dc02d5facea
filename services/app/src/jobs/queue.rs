//! The queue of follow-up work: jobs are rows of the database.

use domain::id::JobId;
use domain::job::Job;
use store::Tx;

use crate::ctx::App;
use crate::error::Error;

/// Puts a job in line, for now.
pub(crate) async fn push(app: &App, tx: &mut Tx, job: Job) -> Result<(), Error> {
    Ok(store::job::push(tx, job_id(app), job, app.now()).await?)
}

/// A new id for a job.
pub(crate) fn job_id(app: &App) -> JobId {
    JobId::new(app.clock.as_ref(), app.random.as_ref())
}
