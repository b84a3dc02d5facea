//! Search over the products that the caller may know of.
//!
//! The index is derived: it follows the outbox ([`follow`]), is built anew from the database where it is missing or
//! damaged, and decides nothing. The policy says what an answer is made of ([`sight`]), and each hit is asked for again
//! before it is shown.

mod document;
mod follow;
mod readers;
mod sight;

use std::collections::HashMap;
use std::sync::Arc;

use domain::id::ProductId;
use itertools::Itertools as _;
use search::{Answer, Index, Request, SearchError};

pub use self::follow::{catch_up, run};
pub(crate) use self::follow::{concerned, events_after};
pub use self::readers::recount;
pub use self::sight::access;
use crate::ctx::Ctx;
use crate::error::{Error, Unavailable};
use crate::product;
use crate::product_in_domain::ProductInDomain;
use crate::readable::{self, Readable};

/// What was found.
#[derive(Debug)]
pub struct Found {
    /// The products of the page, best first.
    pub hits: Vec<Hit>,
    /// How many products match; `None` while the index is behind.
    pub total: Option<u64>,
    /// The counts by facet; none while the index is behind.
    pub facets: Vec<search::FacetCounts>,
    /// The cursor of the next page.
    pub next: Option<String>,
    /// Words without a match, and what was searched for instead.
    pub corrections: Vec<search::Correction>,
    /// Whether only the beginning of the text was searched for.
    pub is_shortened: bool,
    /// Whether the index does not have the newest changes yet, is being built, or leaves out products that cannot be
    /// read.
    pub is_partial: bool,
}

/// A product that was found.
#[derive(Debug)]
pub struct Hit {
    /// The product.
    pub product: ProductInDomain,
    /// What the caller may do with it.
    pub access: search::Access,
    /// How good the best match is.
    pub stage: search::Stage,
    /// Where it matched, best first.
    pub matches: Vec<search::Match>,
}

/// The products that match, as far as the caller may know of them.
///
/// # Errors
/// [`Error::Invalid`] for a cursor of another search; [`Error::Unavailable`] for one that takes too long.
pub async fn search(ctx: &Ctx, request: Request) -> Result<Found, Error> {
    let request = Request { now: ctx.now(), ..request };
    let (index, mut is_behind) = newest(ctx).await?;
    let sight = sight::of(ctx).await?;
    let Some(index) = index else { return Ok(Found::unbuilt()) };
    let leaves_out = !index.left_out().is_empty();
    let visibility = Arc::clone(&sight.visibility);
    let answer = tokio::task::spawn_blocking(move || index.search(&visibility, &request)).await;
    let answer = answer.map_err(|error| Error::internal(format!("a search crashed: {error}")))?;
    let Answer { hits, total, facets, next, corrections, shortened, position: _ } = answer.map_err(failure)?;

    let ids: Vec<ProductId> = hits.iter().filter_map(|hit| hit.id.parse().ok()).collect();
    let load = |ids: Vec<ProductId>| async move { product::load_products(ctx, &ids).await };
    let Readable { loaded, unreadable } = readable::load(&ids, load).await?;
    if !unreadable.is_empty() {
        is_behind = true;
        let (app, ids) = (Arc::clone(&ctx.app), unreadable.into_iter().map(|(id, _)| id).collect_vec());
        tokio::spawn(async move {
            if let Err(error) = follow::renew(&app, &ids).await {
                tracing::error!(error = &error as &dyn std::error::Error, "the search index cannot follow the changes");
            }
        });
    }
    let mut known: HashMap<_, _> = loaded.into_iter().flatten().collect();
    let hits = hits.into_iter().filter_map(|hit| {
        let product = known.remove(&hit.id.parse().ok()?)?;
        let access = sight::access(ctx, &product);
        Some(Hit { product, access, stage: hit.stage, matches: hit.matches })
    });
    Ok(Found {
        hits: hits.collect(),
        // What the index has not taken yet may hide a product that it still counts.
        total: (!is_behind).then_some(total),
        facets: if is_behind { Vec::new() } else { facets },
        next,
        corrections,
        is_shortened: shortened,
        is_partial: is_behind || leaves_out,
    })
}

impl Found {
    /// The answer while there is no index.
    fn unbuilt() -> Self {
        Self {
            hits: Vec::new(),
            total: None,
            facets: Vec::new(),
            next: None,
            corrections: Vec::new(),
            is_shortened: false,
            is_partial: true,
        }
    }
}

/// Products like this one, of those that the caller may know of: what a search for its name, title and tags finds beside
/// it. Fewer while the index is behind.
///
/// # Errors
/// Those of [`search`].
pub async fn similar(ctx: &Ctx, known: &ProductInDomain, limit: usize) -> Result<Vec<ProductInDomain>, Error> {
    let title = known.product.title.as_deref().unwrap_or_default();
    let text = format!("{title} {}", known.product.name.as_str().replace('_', " "));
    let found = search(ctx, Request { explain: false, ..Request::suggest(&text, limit + 1) }).await?;
    let others = found.hits.into_iter().map(|hit| hit.product).filter(|other| other.product.id != known.product.id);
    Ok(others.take(limit).collect())
}

/// The index, and whether it lacks changes that were committed before this call.
async fn newest(ctx: &Ctx) -> Result<(Option<Arc<Index>>, bool), Error> {
    let newest = store::outbox::newest(&mut ctx.app.db.read().await?).await?;
    let has_newest = |index: &Arc<Index>| i64::try_from(index.position()).is_ok_and(|position| position >= newest);
    if let Some(index) = ctx.app.caches.search.get().filter(has_newest) {
        return Ok((Some(index), false));
    }
    // A task of its own: a search that gives up does not stop it half-way.
    let app = Arc::clone(&ctx.app);
    let following = tokio::spawn(async move { catch_up(&app).await });
    match tokio::time::timeout(ctx.app.settings.catch_up_wait, following).await {
        Ok(Ok(Ok(()))) | Err(_) => {}
        Ok(Ok(Err(error))) => tracing::warn!(error = &error as &dyn std::error::Error, "the search index is behind"),
        Ok(Err(error)) => tracing::error!(%error, "the search index is behind"),
    }
    let index = ctx.app.caches.search.get();
    let is_behind = !index.as_ref().is_some_and(has_newest);
    Ok((index, is_behind))
}

fn failure(error: SearchError) -> Error {
    match error {
        SearchError::Cursor => Error::invalid("after", "not a cursor of this search"),
        SearchError::TimedOut => Error::Unavailable(Unavailable::SearchTooLong),
        SearchError::Index(problem) => Error::internal(format!("the search index cannot be read: {problem}")),
    }
}
