//! How many readers products have. No event says that a product was read, so they are counted anew at times.
//!
//! A reader is a principal to whom a lease to read was issued for a table through the product's own bindings: the number
//! that the product's page shows to everyone who may know of the product.

use std::collections::HashMap;
use std::time::Duration;

use domain::clock::Timestamp;
use domain::column_reads::DAY;
use domain::id::ProductId;
use itertools::Itertools as _;
use search::{Index, SearchError};
use store::{Page, Seek, Tx};

use super::follow;
use crate::cache::search::Counting;
use crate::ctx::App;
use crate::error::Error;

/// How often readers are counted anew.
pub(super) const PERIOD: Duration = Duration::from_secs(600);
/// How many products of which readers were counted before are counted anew at once: readers leave without being noticed.
const N_AGAIN: usize = 1_000;
/// How many products are asked about at once.
const N_PRODUCTS: u32 = 500;

/// Over which time readers are counted.
fn since(now: Timestamp) -> Timestamp {
    now.minus(DAY * 30)
}

/// How many readers these products have; none is left out.
pub(super) async fn count(app: &App, tx: &mut Tx, ids: &[ProductId]) -> Result<HashMap<ProductId, u32>, Error> {
    let usage = store::lease::list_usage(tx, ids, since(app.now())).await?;
    Ok(usage.into_iter().map(|(id, usage)| (id, u32::try_from(usage.n_readers).unwrap_or(u32::MAX))).collect())
}

/// Counts the readers of the products that were read since the last time, and of some of those that had readers before.
/// What has another place by it, or could not be read before, is taken anew.
///
/// # Errors
/// Those of the database, and of the index's folder.
pub async fn recount(app: &App) -> Result<(), Error> {
    let mut counting = app.caches.search.counting.lock().await;
    let Some(index) = app.caches.search.get() else { return Ok(()) };
    let now = app.now();
    let of_before = index.with_readers(&counting.last, N_AGAIN).map_err(|error| unreadable(&error))?;
    let last = if of_before.len() < N_AGAIN { String::new() } else { of_before.last().cloned().unwrap_or_default() };
    let again = of_before.iter().chain(&index.left_out()).unique().filter_map(|id| id.parse().ok()).collect_vec();
    for ids in again.chunks(N_PRODUCTS as usize) {
        renew(app, &index, ids).await?;
    }
    // A lease may be committed a little later than it was issued.
    let from = counting.at.map_or(since(now), |at| at.minus(PERIOD));
    let mut seek = Seek::first(N_PRODUCTS);
    loop {
        let Page { items: ids, has_more } =
            store::lease::list_read_products(&mut app.db.read().await?, from, &seek).await?;
        renew(app, &index, &ids).await?;
        match ids.last() {
            Some(last) if has_more => seek.after = Some(*last),
            _ => break,
        }
    }
    *counting = Counting { at: Some(now), last };
    Ok(())
}

/// Takes those of the products anew that have another place by their readers, or are left out.
async fn renew(app: &App, index: &Index, ids: &[ProductId]) -> Result<(), Error> {
    let readers = count(app, &mut app.db.read().await?, ids).await?;
    let left_out = index.left_out();
    let mut changed = Vec::new();
    for id in ids {
        let (text, readers) = (id.to_string(), readers.get(id).copied().unwrap_or(0));
        let is_other = index.counts_other_readers(&text, readers).map_err(|error| unreadable(&error))?;
        if is_other || left_out.contains(&text) {
            changed.push(*id);
        }
    }
    if changed.is_empty() { Ok(()) } else { follow::renew(app, &changed).await }
}

fn unreadable(error: &SearchError) -> Error {
    Error::internal(error.to_string())
}
