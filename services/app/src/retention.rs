//! Removing stored files that nothing needs any more: file lists with the places of their columns, and our own
//! checkpoints.
//!
//! First the database lets go of the files of snapshots that could not be served for [`GRACE`] (the rule is
//! [`domain::retention`]) and that no open lease names; then files that no snapshot names are removed. A crash in between
//! leaves files that the next run removes. So do an inspection that was cut off before its commit, and one that replaced
//! the files of an earlier one. The counts that are kept for a table go with it.

use std::collections::HashSet;
use std::io::ErrorKind;

use domain::clock::Timestamp;
use domain::id::SnapshotId;
use domain::lease::GATEWAY_MAX_LIFETIME;
use domain::retention::{self, GRACE, Plan};
use domain::table::Table;
use store::retention::StoredFile;
use store::{Lock, Seek, Tx};

use crate::audit::{self, Action, Event, ResourceKind};
use crate::ctx::App;
use crate::data_dir::DataDir;
use crate::error::Error;
use crate::lease::file_list::Place;
use crate::paging::MAX_PAGE;

/// How many files are compared with the database at once, while no inspection stores any.
const N_COMPARED: usize = 256;

/// Collects once.
///
/// # Errors
/// Those of the database, and of the data directory.
pub async fn collect(app: &App) -> Result<(), Error> {
    // Read once in a run, and only if something is to be collected.
    let mut leased: Option<Leased> = None;
    let mut first_error = None;
    let mut tables = HashSet::new();
    let mut seek = Seek::first(MAX_PAGE);
    loop {
        let page = {
            let mut tx = app.db.read().await?;
            store::table::list(&mut tx, &seek).await?
        };
        for table in &page.items {
            tables.insert(table.id);
            // A table whose rows cannot be read keeps none of the others from being collected.
            if let Err(error) = let_go(app, table, &mut leased).await {
                first_error.get_or_insert(error);
            }
        }
        match page.items.last() {
            Some(last) if page.has_more => seek.after = Some(last.id),
            _ => break,
        }
    }
    let folder = app.folder.clone();
    let removed = tokio::task::spawn_blocking(move || folder.remove_counts_but_of(&tables));
    // What cannot be removed there keeps no file of a snapshot from being collected.
    if let Err(error) = removed.await.map_err(Error::internal)? {
        first_error.get_or_insert(Error::internal(error));
    }
    name_checkpoints(app).await?;
    sweep(app, StoredFile::List).await?;
    sweep(app, StoredFile::Checkpoint).await?;
    sweep(app, StoredFile::Chunks).await?;
    first_error.map_or(Ok(()), Err)
}

/// The snapshots of open leases at a moment.
type Leased = (Timestamp, HashSet<SnapshotId>);

async fn read_leased(app: &App) -> Result<Leased, Error> {
    let now = app.now();
    let mut tx = app.db.read().await?;
    Ok((now, store::retention::list_leased(&mut tx, now.minus(GATEWAY_MAX_LIFETIME), now).await?))
}

async fn let_go(app: &App, table: &Table, leased: &mut Option<Leased>) -> Result<(), Error> {
    let planned = {
        let mut tx = app.db.read().await?;
        plan(&mut tx, table, app.now()).await?
    };
    if planned.is_empty() {
        return Ok(());
    }
    // Long leases are looked up before the transaction that holds everything up, the newest ones in it.
    let before = match leased {
        _ if planned.collect.is_empty() => None,
        Some(known) => Some(known),
        None => Some(leased.insert(read_leased(app).await?)),
    };

    let mut tx = app.db.write(Lock::Facts).await?;
    let Some(table) = store::table::find(&mut tx, table.id).await? else { return Ok(()) };
    let now = app.now();
    let mut plan = plan(&mut tx, &table, now).await?;
    match before {
        Some((read_at, leased)) if !plan.collect.is_empty() => {
            let since = store::retention::list_leased(&mut tx, *read_at, now).await?;
            plan.collect.retain(|id| !leased.contains(id) && !since.contains(id));
        }
        _ => plan.collect.clear(),
    }
    if plan.is_empty() {
        return Ok(());
    }
    store::retention::carry_out(&mut tx, &plan, now).await?;
    store::table::bump(&mut tx, table.id).await?;
    if !plan.collect.is_empty() {
        let ids: Vec<String> = plan.collect.iter().map(ToString::to_string).collect();
        let event = Event::done(Action::SnapshotCollect, ResourceKind::Table, table.id, &table.location.to_string());
        let event = event.with(serde_json::json!({ "snapshots": ids }));
        audit::append_as(app, &mut tx, audit::SERVER.to_owned(), "", event).await?;
    }
    Ok(tx.commit().await?)
}

async fn plan(tx: &mut Tx, table: &Table, now: Timestamp) -> Result<Plan, Error> {
    let Some(head) = table.head else { return Ok(Plan::default()) };
    let kept = store::retention::list_kept(tx, table.id).await?;
    let head = store::table::get_snapshot(tx, head).await?;
    let mut plan = retention::plan(head.ordinal, kept, now);
    // The record names them; the rest follows at the next run.
    plan.collect.truncate(MAX_COLLECTED);
    Ok(plan)
}

/// How many snapshots of one table are let go at once.
const MAX_COLLECTED: usize = 1_000;

/// Names the checkpoints of snapshots that were inspected before the database did.
async fn name_checkpoints(app: &App) -> Result<(), Error> {
    loop {
        let unnamed = {
            let mut tx = app.db.read().await?;
            store::retention::list_without_checkpoint(&mut tx).await?
        };
        if unnamed.is_empty() {
            return Ok(());
        }
        let folder = app.folder.clone();
        let named = tokio::task::spawn_blocking(move || {
            let named = unnamed.into_iter().map(|(id, list)| Ok((id, checkpoint_of(&folder, &list)?, list)));
            named.collect::<std::io::Result<Vec<_>>>()
        });
        let named = named.await.map_err(Error::internal)?.map_err(Error::internal)?;
        let mut tx = app.db.write(Lock::Facts).await?;
        for (id, checkpoint, list) in named {
            store::retention::set_checkpoint(&mut tx, id, &list, &checkpoint).await?;
        }
        tx.commit().await?;
    }
}

/// The checkpoint that a list names; empty where the list is missing or damaged, so that nothing can be served from it.
///
/// # Errors
/// If the list cannot be read now: then no checkpoint is removed for want of a name.
fn checkpoint_of(folder: &DataDir, list: &str) -> std::io::Result<String> {
    match folder.list(list) {
        Ok(found) => {
            let own = found.entries().iter().find_map(|entry| match &entry.place {
                Place::Own(path) => DataDir::digest_of_checkpoint(path),
                Place::Table => None,
            });
            Ok(own.unwrap_or_default().to_owned())
        }
        Err(error) if matches!(error.kind(), ErrorKind::NotFound | ErrorKind::InvalidData) => {
            tracing::warn!(file_list = list, %error, "file list could not be read");
            Ok(String::new())
        }
        Err(error) => Err(error),
    }
}

/// Removes the stored files of a kind that no snapshot names.
async fn sweep(app: &App, kind: StoredFile) -> Result<(), Error> {
    let (folder, before) = (app.folder.clone(), app.now().minus(GRACE));
    let alone = app.folder.alone().await;
    let stored = tokio::task::spawn_blocking(move || folder.stored_before(kind, before));
    let stored = stored.await.map_err(Error::internal)?.map_err(Error::internal)?;
    drop(alone);
    let mut n_removed = 0_usize;
    for digests in stored.chunks(N_COMPARED) {
        // What an inspection has stored is named in the database before this begins.
        let alone = app.folder.alone().await;
        let digests: Vec<&str> = digests.iter().map(String::as_str).collect();
        let named = {
            let mut tx = app.db.read().await?;
            store::retention::list_named(&mut tx, kind, &digests).await?
        };
        let unnamed: Vec<String> =
            digests.into_iter().filter(|digest| !named.contains(*digest)).map(str::to_owned).collect();
        n_removed += unnamed.len();
        let folder = app.folder.clone();
        let removed =
            tokio::task::spawn_blocking(move || unnamed.iter().try_for_each(|digest| folder.remove(kind, digest)));
        removed.await.map_err(Error::internal)?.map_err(Error::internal)?;
        drop(alone);
    }
    if n_removed > 0 {
        tracing::info!(kind = ?kind, files = n_removed, "stored files removed");
    }
    Ok(())
}
