//! From what the gateway serves to what the database holds.

use std::ops::Range;
use std::sync::Arc;

use domain::clock::Timestamp;
use domain::column_reads::{DAY, Extent, MAX_DAYS, Reading, Touched, WRITE_EVERY};
use store::{Lock, Tx};
use tokio_util::sync::CancellationToken;

use super::recorder::{Read, Readings};
use crate::ctx::App;
use crate::error::Error;
use crate::lease::{OpenLease, Scope};

/// How many readings are written in one transaction: others wait for it.
const N_WRITTEN: usize = 500;

/// Adds what an answer sends of a file.
pub(crate) fn add(app: &App, lease: &OpenLease, key: &str, size_bytes: u64, bytes: &Range<u64>) {
    let Some(reader) = lease.reader else { return };
    let (chunks, touched) = match &lease.scope {
        Scope::Pinned { files, chunks: Some(chunks), .. } => {
            let touched = files.position(key).map(|file| chunks.touched(file, size_bytes, bytes));
            (Some(chunks.as_ref()), touched.unwrap_or(Touched::Everything))
        }
        Scope::Pinned { chunks: None, .. } | Scope::Folder { .. } => (None, Touched::Everything),
    };
    app.column_reads.add(Read {
        lease_id: lease.id,
        reader,
        table_id: lease.table_id,
        expires_at: lease.expires_at,
        chunks,
        touched,
        at: app.now(),
    });
}

/// Begins to record reads. If the program ended before without [`end`], reads may have been lost, which is noted.
///
/// # Errors
/// Those of the database.
pub async fn begin(app: &App) -> Result<(), Error> {
    let mut tx = app.db.write(Lock::Free).await?;
    store::column_reads::begin(&mut tx, app.started_at).await?;
    Ok(tx.commit().await?)
}

/// Writes what is not written yet, and ends the recording.
///
/// # Errors
/// Those of the database.
pub async fn end(app: &App) -> Result<(), Error> {
    write(app).await?;
    let mut tx = app.db.write(Lock::Free).await?;
    store::column_reads::end(&mut tx, app.started_at, app.now()).await?;
    Ok(tx.commit().await?)
}

/// Writes reads until shutdown; [`end`] writes the rest.
pub(crate) async fn run(app: Arc<App>, stop: CancellationToken) {
    loop {
        tokio::select! {
            () = tokio::time::sleep(WRITE_EVERY) => {}
            () = stop.cancelled() => return,
        }
        if let Err(error) = write(&app).await {
            tracing::error!(
                error = &error as &dyn std::error::Error,
                "reads of columns not written: tried again later"
            );
        }
    }
}

/// Writes what was read since the last time.
///
/// # Errors
/// Those of the database; what was not written is kept.
pub async fn write(app: &App) -> Result<(), Error> {
    let (readings, mut lost_at) = app.column_reads.take(app.now());
    let mut left: Vec<_> = readings.into_iter().collect();
    while !left.is_empty() || lost_at.is_some() {
        let rest = left.split_off(left.len().min(N_WRITTEN));
        if let Err(error) = put(app, &left, lost_at).await {
            app.column_reads.give_back(left.into_iter().chain(rest).collect::<Readings>(), lost_at);
            return Err(error);
        }
        (left, lost_at) = (rest, None);
    }
    Ok(())
}

async fn put(app: &App, readings: &[((i64, Reading), Extent)], lost_at: Option<Timestamp>) -> Result<(), Error> {
    let mut tx = app.db.write(Lock::Free).await?;
    for ((day, reading), extent) in readings {
        store::column_reads::add(&mut tx, *day, reading, *extent).await?;
    }
    if let Some(at) = lost_at {
        store::column_reads::insert_loss(&mut tx, at).await?;
    }
    Ok(tx.commit().await?)
}

/// Deletes what is older than it is kept.
pub(crate) async fn delete_old(tx: &mut Tx, now: Timestamp) -> Result<(), Error> {
    Ok(store::column_reads::delete_before(tx, now.minus(DAY * MAX_DAYS)).await?)
}
