//! The queue of inspections, as far as the caller may know of its tables.

use std::collections::HashMap;

use domain::clock::Timestamp;
use domain::id::{BindingId, JobId, TableId};
use domain::job::Kind;
use store::job::{QueuedJob, State};
use store::{Page, Seek};

use crate::ctx::Ctx;
use crate::error::Error;
use crate::paging::VisiblePage;
use crate::table;
use crate::target::Target;

/// An inspection that waits or runs.
#[derive(Clone, Debug)]
pub struct QueuedInspection {
    /// The table, through the oldest binding that the caller may know of.
    pub target: Target,
    /// The job's id.
    pub id: JobId,
    /// Whether it runs; else it waits.
    pub running: bool,
    /// Whether it is done whether or not there are verdicts.
    pub again: bool,
    /// Since when it is due, or from when on.
    pub due_at: Timestamp,
    /// When it began last, if it did.
    pub started_at: Option<Timestamp>,
    /// How often it began.
    pub n_attempts: i64,
}

/// The inspections that wait or run, in the order in which they became due.
///
/// # Errors
/// Those of any use case.
pub async fn list_queue(ctx: &Ctx, seek: Seek<(Timestamp, JobId)>) -> Result<Page<QueuedInspection>, Error> {
    let mut targets: HashMap<TableId, Target> = HashMap::new();
    let mut visible = VisiblePage::new(seek);
    while let Some(next) = visible.next() {
        let (page, bindings) = {
            let mut tx = ctx.app.db.read().await?;
            let page = store::job::list_open(&mut tx, next).await?;
            let tables: Vec<TableId> = page.items.iter().map(|job| store::job::table_of(job.job)).collect();
            (page, store::binding::list_of_tables(&mut tx, &tables).await?)
        };
        let ids: Vec<BindingId> = bindings.iter().map(|binding| binding.id).collect();
        let mut found = table::load_tables(ctx, &ids).await?;
        found.sort_by_key(|target| target.binding.id);
        for target in found {
            targets.entry(target.table.id).or_insert(target);
        }
        visible.add(page, |job| (job.run_at, job.id), |job| targets.contains_key(&store::job::table_of(job.job)));
    }
    let page = visible.finish();
    let items = page.items.into_iter().filter_map(|job| {
        let target = targets.get(&store::job::table_of(job.job))?.clone();
        let QueuedJob { id, job, state, run_at, claimed_at, n_attempts, .. } = job;
        let (running, again) = (state == State::Running, job.kind() == Kind::Reinspect);
        Some(QueuedInspection { target, id, running, again, due_at: run_at, started_at: claimed_at, n_attempts })
    });
    Ok(Page { items: items.collect(), has_more: page.has_more })
}
