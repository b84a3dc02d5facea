//! The index follows the outbox: it takes events in their order, with the position of the last.

use std::collections::{BTreeSet, HashSet};
use std::sync::Arc;
use std::time::{Duration, Instant};

use domain::event::Event;
use domain::id::ProductId;
use itertools::Itertools as _;
use search::{ApplyError, Change, Index, OpenError};
use store::outbox::{Positioned, Unread};
use store::{Page, Seek, Tx};
use tokio_util::sync::CancellationToken;

use super::document::{self, Loaded};
use super::readers;
use crate::ctx::App;
use crate::error::Error;
use crate::paging::MAX_PAGE;

/// How often the index takes what others have changed. A search takes it before it answers.
const PERIOD: Duration = Duration::from_millis(500);
/// The same after a failure, such as a full disk or a lost database: it fills no log.
const PERIOD_OF_FAILURE: Duration = Duration::from_secs(10);
/// How many events are taken in one commit of the index.
const N_EVENTS: u32 = 1_000;
/// The most products that are left out. Where more cannot be read, something else is wrong than single rows.
const MAX_LEFT_OUT: usize = 1_000;

/// Follows the outbox until shutdown.
pub async fn run(app: Arc<App>, stop: CancellationToken) {
    let mut recounted: Option<Instant> = None;
    while !stop.is_cancelled() {
        let followed = match catch_up(&app).await {
            Ok(()) if recounted.is_none_or(|at| at.elapsed() >= readers::PERIOD) => {
                recounted = Some(Instant::now());
                readers::recount(&app).await
            }
            followed => followed,
        };
        let pause = match followed {
            Ok(()) => PERIOD,
            Err(error) => {
                tracing::error!(error = &error as &dyn std::error::Error, "the search index cannot follow the changes");
                PERIOD_OF_FAILURE
            }
        };
        tokio::select! {
            () = tokio::time::sleep(pause) => {}
            () = stop.cancelled() => {}
        }
    }
}

/// Brings the index to the newest event. Opens it first, or builds it where it is missing, damaged, of another version,
/// or behind events that are gone or cannot be read.
///
/// # Errors
/// Those of the database, and of the index's folder.
pub async fn catch_up(app: &Arc<App>) -> Result<(), Error> {
    let _turn = app.caches.search.turn.lock().await;
    let mut index = match app.caches.search.get() {
        Some(index) => index,
        None => open(app).await?,
    };
    loop {
        let mut tx = app.db.read().await?;
        let position = i64::try_from(index.position()).unwrap_or(i64::MAX);
        let Some(events) = events_after(&mut tx, position).await? else {
            drop(tx);
            // One index is open at a time.
            drop(index);
            index = build(app).await?;
            continue;
        };
        let Some(Positioned { position, .. }) = events.last() else { return Ok(()) };
        let position = u64::try_from(*position).unwrap_or_default();
        let ids = concerned(&mut tx, &events).await?;
        drop(tx);
        take(app, &index, &ids, position).await?;
    }
}

/// Takes these products as the database has them now.
///
/// # Errors
/// As [`catch_up`].
pub(super) async fn renew(app: &App, ids: &[ProductId]) -> Result<(), Error> {
    let _turn = app.caches.search.turn.lock().await;
    match app.caches.search.get() {
        Some(index) => take(app, &index, ids, index.position()).await,
        None => Ok(()),
    }
}

/// Takes these products as the database has them now, and the position that this leads to. What cannot be read is left
/// out: it is tried again when it changes, when readers are counted, when the index is opened, and when it is built.
async fn take(app: &App, index: &Arc<Index>, ids: &[ProductId], position: u64) -> Result<(), Error> {
    let Loaded { mut documents, unreadable } = document::load(app, ids).await?;
    let unreadable = left_out(&index.left_out(), unreadable)?;
    let change = |id: &ProductId| match documents.remove(id) {
        Some(document) => Change::Put(Box::new(document)),
        None if unreadable.contains(id) => Change::LeaveOut(id.to_string()),
        None => Change::Remove(id.to_string()),
    };
    let changes: Vec<Change> = ids.iter().map(change).collect();
    let changed = Arc::clone(index);
    let applied = blocking(move || changed.apply(changes, position)).await?;
    applied.map_err(|error| {
        if error.wants_reopening() {
            app.caches.search.set(None);
        }
        unwritable(&error)
    })
}

/// The products to be left out beside those that are; each is logged once.
fn left_out(before: &BTreeSet<String>, unreadable: Vec<(ProductId, Error)>) -> Result<HashSet<ProductId>, Error> {
    let mut found = HashSet::new();
    for (id, error) in unreadable {
        if before.len() + found.len() >= MAX_LEFT_OUT {
            return Err(error);
        }
        if !before.contains(&id.to_string()) {
            let error = &error as &dyn std::error::Error;
            tracing::error!(product = %id, error, "the search index leaves out a product that cannot be read");
        }
        found.insert(id);
    }
    Ok(found)
}

/// Some events after a position, in order; `None` where what has changed is not known: they are gone, or one cannot be
/// read.
pub(crate) async fn events_after(tx: &mut Tx, position: i64) -> Result<Option<Vec<Positioned>>, Error> {
    match store::outbox::read_after(tx, position, N_EVENTS).await {
        Ok(Unread::Events { events, .. }) => Ok(Some(events)),
        Ok(Unread::Rebuild { .. }) => Ok(None),
        Err(error @ store::Error::Inconsistent { .. }) => {
            let error = &error as &dyn std::error::Error;
            tracing::error!(error, "an event cannot be read: everything is taken anew");
            Ok(None)
        }
        Err(error) => Err(error.into()),
    }
}

/// The products whose documents the events may have changed.
pub(crate) async fn concerned(tx: &mut Tx, events: &[Positioned]) -> Result<Vec<ProductId>, Error> {
    let (mut products, mut contracts, mut versions, mut tables) = (Vec::new(), Vec::new(), Vec::new(), Vec::new());
    for Positioned { event, .. } in events {
        match event {
            Event::ProductPublished(product) | Event::ProductRetired(product) => products.push(product.product_id),
            Event::ContractPublished { version_id, .. } => versions.push(*version_id),
            Event::ContractStateChanged { contract_id, .. } => contracts.push(*contract_id),
            Event::TableInspected { table_id } => tables.push(*table_id),
            Event::NoticeOpened(_) | Event::NoticeUpdated(_) | Event::NoticeClosed(_) => {}
            Event::SchemaRegistered { .. } => {}
        }
    }
    versions = versions.into_iter().unique().collect();
    products.extend(store::contract::list_products_of_versions(tx, &versions).await?);
    tables = tables.into_iter().unique().collect();
    products.extend(store::contract::list_products_of_tables(tx, &tables).await?);
    contracts = contracts.into_iter().unique().collect();
    products.extend(store::contract::list_products(tx, &contracts).await?);
    Ok(products.into_iter().unique().collect())
}

async fn open(app: &Arc<App>) -> Result<Arc<Index>, Error> {
    let folder = folder(app)?;
    let opened = blocking({
        let folder = folder.clone();
        move || Index::open(&folder)
    });
    match opened.await? {
        Ok(index) => {
            let index = Arc::new(index);
            app.caches.search.set(Some(Arc::clone(&index)));
            let left_out: Vec<ProductId> = index.left_out().iter().filter_map(|id| id.parse().ok()).collect();
            if !left_out.is_empty() {
                take(app, &index, &left_out, index.position()).await?;
            }
            Ok(index)
        }
        Err(error) if error.wants_rebuild() => {
            tracing::info!(reason = %error, "the search index is built");
            build(app).await
        }
        Err(error) => Err(unopenable(&error)),
    }
}

/// Builds the index from the database. The position comes first: what changes meanwhile is taken again afterwards.
async fn build(app: &Arc<App>) -> Result<Arc<Index>, Error> {
    app.caches.search.set(None);
    let folder = folder(app)?;
    let position = store::outbox::newest(&mut app.db.read().await?).await?;
    let mut builder = blocking(move || Index::build(&folder)).await?.map_err(|error| unopenable(&error))?;
    let mut seek = Seek::first(MAX_PAGE);
    loop {
        let Page { items: ids, has_more } = store::product::list_ids(&mut app.db.read().await?, &seek).await?;
        let Loaded { documents, unreadable } = document::load(app, &ids).await?;
        left_out(builder.left_out(), unreadable)?.iter().for_each(|id| builder.leave_out(id.to_string()));
        builder = blocking(move || {
            documents.values().try_for_each(|document| builder.add(document))?;
            Ok::<_, ApplyError>(builder)
        })
        .await?
        .map_err(|error| unwritable(&error))?;
        match ids.last() {
            Some(last) if has_more => seek.after = Some(*last),
            _ => break,
        }
    }
    let position = u64::try_from(position).unwrap_or_default();
    let index = blocking(move || builder.finish(position)).await?.map_err(|error| unopenable(&error))?;
    let index = Arc::new(index);
    app.caches.search.set(Some(Arc::clone(&index)));
    Ok(index)
}

/// The folder of the index. Documents name the classes of the policies in force, so each set of policies has its own.
fn folder(app: &App) -> Result<std::path::PathBuf, Error> {
    let folder = app.folder.search(app.policy.digest());
    folder.map_err(|error| Error::internal(format!("the folder of the search index cannot be made: {error}")))
}

fn unopenable(error: &OpenError) -> Error {
    Error::internal(error.to_string())
}

fn unwritable(error: &ApplyError) -> Error {
    Error::internal(error.to_string())
}

/// Runs what reads or writes the index's files.
async fn blocking<T: Send + 'static>(work: impl FnOnce() -> T + Send + 'static) -> Result<T, Error> {
    let done = tokio::task::spawn_blocking(work).await;
    done.map_err(|error| Error::internal(format!("a task of the search index crashed: {error}")))
}
