//! Running jobs, polling the names of all tables, and deleting what has expired.

use std::sync::Arc;
use std::time::Duration;

use domain::clock::Timestamp;
use domain::job::{Job, Kind};
use store::job::Terms;
use store::{Dialect, Lock, Seek};
use tokio_util::sync::CancellationToken;

use crate::column_reads::writing;
use crate::ctx::App;
use crate::error::Error;
use crate::inspection;
use crate::lease::intent;
use crate::lineage;
use crate::paging::MAX_PAGE;
use crate::retention;
use crate::search;
use crate::table::head;

/// How long to wait for work without a notification: other replicas send none.
const IDLE: Duration = Duration::from_secs(1);

/// How often expired keys, ended jobs and old events are deleted.
const TIDY: Duration = Duration::from_secs(3_600);

/// How long tokens stay listed after their end.
const TOKENS_KEPT: Duration = Duration::from_secs(7 * 24 * 3_600);
/// How long events are kept for those who read them.
const EVENTS_KEPT: Duration = Duration::from_secs(7 * 24 * 3_600);

/// How long lineage events and the runs that they are about are kept after they were received last. Claims stay.
const LINEAGE_KEPT: Duration = Duration::from_secs(30 * 24 * 3_600);

/// How many attempts a job has.
const MAX_ATTEMPTS: i64 = 5;

/// Runs jobs until shutdown, and finishes the running ones first.
pub async fn run(app: Arc<App>, stop: CancellationToken) {
    if let Err(error) = release(&app).await {
        tracing::error!(error = &error as &dyn std::error::Error, "failed to release the jobs of an earlier run");
    }
    let mut tasks = tokio::task::JoinSet::new();
    for _ in 0..app.settings.n_inspections {
        tasks.spawn(work(Arc::clone(&app), stop.clone()));
    }
    tasks.spawn(poll(Arc::clone(&app), stop.clone()));
    tasks.spawn(search::run(Arc::clone(&app), stop.clone()));
    tasks.spawn(writing::run(Arc::clone(&app), stop.clone()));
    tasks.spawn(lineage::run(Arc::clone(&app), stop.clone()));
    tasks.spawn(tidy(app, stop));
    while tasks.join_next().await.is_some() {}
}

/// Runs every job that is due, once: what tests do instead of waiting.
///
/// # Errors
/// Those of the database.
pub async fn run_due(app: &Arc<App>) -> Result<usize, Error> {
    let mut n_jobs = 0;
    while work_once(app).await? {
        n_jobs += 1;
    }
    Ok(n_jobs)
}

/// Polls the names of all tables, once.
///
/// # Errors
/// Those of the database.
pub async fn poll_once(app: &Arc<App>) -> Result<(), Error> {
    let mut seek = Seek::first(MAX_PAGE);
    loop {
        let page = {
            let mut tx = app.db.read().await?;
            store::table::list(&mut tx, &seek).await?
        };
        for table in &page.items {
            if let Err(error) = head::look(app, table).await? {
                tracing::debug!(table.id = %table.id, %error, "table not polled");
            }
        }
        match page.items.last() {
            Some(last) if page.has_more => seek.after = Some(last.id),
            _ => return Ok(()),
        }
    }
}

async fn work(app: Arc<App>, stop: CancellationToken) {
    while !stop.is_cancelled() {
        let announced = app.work.notified();
        match work_once(&app).await {
            Ok(true) => continue,
            Ok(false) => {}
            Err(error) => tracing::error!(error = &error as &dyn std::error::Error, "job failed to start"),
        }
        tokio::select! {
            () = announced => {}
            () = tokio::time::sleep(IDLE) => {}
            () = stop.cancelled() => {}
        }
    }
}

async fn work_once(app: &Arc<App>) -> Result<bool, Error> {
    let now = app.now();
    if !is_due(app, now).await? {
        return Ok(false);
    }
    let claiming = app.claiming.lock().await;
    let mut tx = app.db.write(Lock::Free).await?;
    // New heads come first: repeating failed inspections must not delay other domains.
    let terms = Terms { duration: app.settings.inspection_claim, max_of_domain: app.settings.max_of_domain() };
    let mut claimed = None;
    for kind in Kind::ALL {
        if claimed.is_none() {
            claimed = store::job::claim(&mut tx, *kind, now, terms).await?;
        }
    }
    let Some(job) = claimed else { return Ok(false) };
    tx.commit().await?;
    drop(claiming);

    let done = match job.job {
        Job::Inspect(table_id) => inspection::inspect(app, table_id, false).await,
        Job::Reinspect(table_id) => inspection::inspect(app, table_id, true).await,
    };
    let mut tx = app.db.write(Lock::Free).await?;
    match done {
        Ok(()) => {
            store::job::finish(&mut tx, &job).await?;
        }
        Err(error) if job.n_attempts >= MAX_ATTEMPTS => {
            tracing::error!(job = ?job.job, error = &error as &dyn std::error::Error, "job abandoned after too many attempts");
            store::job::fail(&mut tx, &job, &error.to_string()).await?;
        }
        Err(error) => {
            tracing::warn!(job = ?job.job, error = &error as &dyn std::error::Error, "job rescheduled");
            let wait = Duration::from_secs(1 << job.n_attempts.clamp(0, 6));
            store::job::retry(&mut tx, &job, &error.to_string(), app.now().plus(wait)).await?;
        }
    }
    tx.commit().await?;
    Ok(true)
}

/// Requeues the jobs of an earlier run of this program, and ends its intended leases. On SQLite the lock of the data
/// directory proves that no other process works on them; on PostgreSQL their claims have to expire.
async fn release(app: &App) -> Result<(), Error> {
    if app.db.dialect() == Dialect::Sqlite {
        let mut tx = app.db.write(Lock::Free).await?;
        store::job::release_all(&mut tx).await?;
        tx.commit().await?;
        intent::end_abandoned(app, app.started_at).await?;
    }
    Ok(())
}

/// Whether there is something to claim. Asked first, so that an idle server writes nothing.
async fn is_due(app: &App, now: Timestamp) -> Result<bool, Error> {
    let mut tx = app.db.read().await?;
    for kind in Kind::ALL {
        if store::job::is_due(&mut tx, *kind, now).await? {
            return Ok(true);
        }
    }
    Ok(false)
}

async fn poll(app: Arc<App>, stop: CancellationToken) {
    loop {
        if let Err(error) = poll_once(&app).await {
            tracing::error!(error = &error as &dyn std::error::Error, "polling tables failed");
        }
        tokio::select! {
            () = tokio::time::sleep(app.settings.poll) => {}
            () = stop.cancelled() => return,
        }
    }
}

async fn tidy(app: Arc<App>, stop: CancellationToken) {
    loop {
        tokio::select! {
            () = tokio::time::sleep(TIDY) => {}
            () = stop.cancelled() => return,
        }
        if let Err(error) = tidy_once(&app).await {
            tracing::error!(
                error = &error as &dyn std::error::Error,
                "cleanup of expired keys, jobs and events failed"
            );
        }
    }
}

/// Deletes and forgets what has expired, ends abandoned leases, and collects stored files, once.
///
/// # Errors
/// Those of the database.
pub async fn tidy_once(app: &App) -> Result<(), Error> {
    let now = app.now();
    app.caches.leases.remove_expired(now);
    let mut tx = app.db.write(Lock::Free).await?;
    store::idempotency::delete_expired(&mut tx, now).await?;
    store::job::delete_ended(&mut tx, now.minus(TIDY * 24)).await?;
    store::token::delete_expired(&mut tx, now.minus(TOKENS_KEPT)).await?;
    store::web_session::delete_expired(&mut tx, now).await?;
    store::topic::delete_expired(&mut tx, now).await?;
    store::outbox::delete_before(&mut tx, now.minus(EVENTS_KEPT)).await?;
    writing::delete_old(&mut tx, now).await?;
    tx.commit().await?;
    lineage::forget(app, now.minus(LINEAGE_KEPT)).await?;
    // A lease that cannot be read keeps nothing else from being deleted.
    let ended = intent::end_abandoned(app, now.minus(intent::ABANDONED_AFTER)).await;
    retention::collect(app).await?;
    ended?;
    Ok(())
}
