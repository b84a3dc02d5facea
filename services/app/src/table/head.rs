//! A table's newest snapshot: looking for it in the table's folder, and recording a new one.

use std::sync::Arc;

use domain::clock::Timestamp;
use domain::id::{SnapshotId, TableId};
use domain::job::Job;
use domain::storage;
use domain::table::{Snapshot, SnapshotKey, SnapshotState, Table};
use store::{Lock, Tx};

use crate::audit::{self, Event, ResourceKind};
use crate::ctx::App;
use crate::error::Error;
use crate::jobs::queue;

pub(crate) async fn head(tx: &mut Tx, table_id: TableId) -> Result<Option<Snapshot>, Error> {
    match store::table::get(tx, table_id).await?.head {
        Some(head) => Ok(store::table::find_snapshot(tx, head).await?),
        None => Ok(None),
    }
}

/// Looks at the names in a table's folder and notices a new snapshot. The outer error is the database's.
pub(crate) async fn look(app: &Arc<App>, table: &Table) -> Result<Result<(), storage::Error>, Error> {
    let now = app.now();
    let newest = app.lake.newest(&table.location, table.format).await;
    app.caches.polls.insert(table.id, now);
    let newest = match newest {
        Ok(newest) => newest,
        Err(error) => return Ok(Err(error)),
    };
    notice(app, table.id, newest, now).await?;
    Ok(Ok(()))
}

/// Looks only if the last look is older than the setting `probe`: what a decision does before it decides.
pub(crate) async fn probe(app: &Arc<App>, table: &Table, head: Option<&SnapshotKey>) -> Result<(), Error> {
    let now = app.now();
    let fresh = app.caches.polls.get(&table.id).is_some_and(|at| now.since(at) <= app.settings.probe);
    if fresh {
        return Ok(());
    }
    // A cheap probe first; the poll finds what it misses.
    if let Some(head) = head
        && matches!(app.lake.has_newer(&table.location, head).await, Ok(false))
    {
        app.caches.polls.insert(table.id, now);
        return Ok(());
    }
    // A folder that cannot be listed changes nothing here: what is served is pinned and was inspected.
    if let Err(error) = look(app, table).await? {
        tracing::warn!(table.id = %table.id, %error, "table not polled");
    }
    Ok(())
}

async fn notice(app: &Arc<App>, table_id: TableId, newest: SnapshotKey, now: Timestamp) -> Result<(), Error> {
    {
        let mut tx = app.db.read().await?;
        let head = head(&mut tx, table_id).await?;
        if head.is_some_and(|head| head.key == newest && head.state != SnapshotState::Pending) {
            return Ok(());
        }
    }

    let mut tx = app.db.write(Lock::Facts).await?;
    let head = head(&mut tx, table_id).await?;
    match (&head, store::table::find_snapshot_by_key(&mut tx, table_id, &newest).await?) {
        // It waits still: its job may have been given up; a queued one replaces it.
        (Some(head), Some(known)) if head.id == known.id => {
            if head.state != SnapshotState::Pending {
                return Ok(());
            }
            queue::push(app, &mut tx, Job::Inspect(table_id)).await?;
        }
        (Some(head), _) if is_older(&newest, &head.key) && head.state != SnapshotState::Error => {
            // The log lost entries. Looking at the head again tells whether it is still there; if it is not, the next
            // look goes back to what is.
            queue::push(app, &mut tx, Job::Reinspect(table_id)).await?;
        }
        (_, Some(known)) => {
            store::table::return_to(&mut tx, table_id, known.id).await?;
            queue::push(app, &mut tx, Job::Inspect(table_id)).await?;
            let event =
                Event::done(audit::Action::SnapshotReturn, ResourceKind::Table, table_id, &known.key.to_string());
            audit::append_as(app, &mut tx, audit::SERVER.to_owned(), "", event).await?;
        }
        (_, None) => {
            let id = SnapshotId::new(app.clock.as_ref(), app.random.as_ref());
            let key = newest.to_string();
            store::table::notice(&mut tx, id, table_id, newest, now).await?;
            queue::push(app, &mut tx, Job::Inspect(table_id)).await?;
            let event = Event::done(audit::Action::SnapshotNotice, ResourceKind::Table, table_id, &key);
            audit::append_as(app, &mut tx, audit::SERVER.to_owned(), "", event).await?;
        }
    }
    tx.commit().await?;
    app.work.notify_waiters();
    Ok(())
}

fn is_older(newest: &SnapshotKey, head: &SnapshotKey) -> bool {
    match (newest, head) {
        (SnapshotKey::DeltaVersion(newest), SnapshotKey::DeltaVersion(head)) => newest < head,
        // Digests have no order, and a table keeps its format.
        (SnapshotKey::DeltaVersion(_), SnapshotKey::ParquetDigest(_))
        | (SnapshotKey::ParquetDigest(_), SnapshotKey::DeltaVersion(_) | SnapshotKey::ParquetDigest(_)) => false,
    }
}
