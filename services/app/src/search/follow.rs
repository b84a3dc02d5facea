//! The index follows the outbox: it takes events in their order, with the position of the last.

use std::sync::Arc;
use std::time::Duration;

use domain::event::Event;
use domain::id::{ContractId, ProductId};
use itertools::Itertools as _;
use search::{ApplyError, Change, Index, OpenError};
use store::outbox::{Positioned, Unread};
use store::{Seek, Tx};
use tokio_util::sync::CancellationToken;

use super::document;
use crate::ctx::App;
use crate::error::Error;
use crate::paging::MAX_PAGE;

/// How often the index takes what others have changed. A search takes it before it answers.
const PERIOD: Duration = Duration::from_millis(500);
/// The same after a failure, such as a full disk or a lost database: it fills no log.
const PERIOD_OF_FAILURE: Duration = Duration::from_secs(10);
/// How many events are taken in one commit of the index.
const N_EVENTS: u32 = 1_000;

/// Follows the outbox until shutdown.
pub async fn run(app: Arc<App>, stop: CancellationToken) {
    while !stop.is_cancelled() {
        let pause = match catch_up(&app).await {
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
/// or behind events that are deleted.
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
        let events = match store::outbox::read_after(&mut tx, position, N_EVENTS).await? {
            Unread::Events { events, .. } => events,
            Unread::Rebuild { .. } => {
                drop(tx);
                index = build(app).await?;
                continue;
            }
        };
        let Some(Positioned { position, .. }) = events.last() else { return Ok(()) };
        let position = u64::try_from(*position).unwrap_or_default();
        let ids = concerned(&mut tx, &events).await?;
        let mut documents = document::load(app, &mut tx, &ids).await?;
        drop(tx);
        let change = |id: &ProductId| match documents.remove(id) {
            Some(document) => Change::Put(Box::new(document)),
            None => Change::Remove(id.to_string()),
        };
        let changes: Vec<Change> = ids.iter().map(change).collect();
        let changed = Arc::clone(&index);
        let applied = blocking(move || changed.apply(changes, position)).await?;
        if let Err(error) = applied {
            // An index that could not be written is opened, and so checked, again.
            app.caches.search.set(None);
            return Err(unwritable(&error));
        }
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
    let versions = store::contract::list_versions_by_ids(tx, &versions.into_iter().unique().collect_vec()).await?;
    contracts.extend(versions.into_iter().map(|version| version.contract_id));
    let bindings = store::binding::list_of_tables(tx, &tables.into_iter().unique().collect_vec()).await?;
    contracts.extend(bindings.into_iter().map(|binding| binding.contract_id));
    let contracts: Vec<ContractId> = contracts.into_iter().unique().collect();
    let contracts = store::contract::list_by_ids(tx, &contracts).await?;
    products.extend(contracts.into_iter().map(|contract| contract.product_id));
    Ok(super::distinct(products))
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
        let mut tx = app.db.read().await?;
        let page = store::product::list(&mut tx, &seek).await?;
        let ids: Vec<ProductId> = page.items.iter().map(|product| product.id).collect();
        let documents = document::load(app, &mut tx, &ids).await?;
        drop(tx);
        builder = blocking(move || {
            documents.values().try_for_each(|document| builder.add(document))?;
            Ok::<_, ApplyError>(builder)
        })
        .await?
        .map_err(|error| unwritable(&error))?;
        match ids.last() {
            Some(last) if page.has_more => seek.after = Some(*last),
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
