//! Search over data products.

use app::Ctx;
use app::search::Hit;
use async_graphql::{Context, InputObject, Object, SimpleObject};
use search::{FacetCounts, Filter, MAX_PAGE, Match, Request};

use super::closed_set::{MatchField, ProductAccess, SearchFacet, SearchStage};
use super::error::{Failure, Result};
use super::page::cost;
use super::scalar::int;
use super::session::SessionExt;
use super::types::Product;

/// How many hits a page has, if nothing is said.
const DEFAULT_PAGE: i32 = 20;
/// How many suggestions there are, if nothing is said.
const N_SUGGESTIONS: i32 = 8;
/// The most values of a filter.
const MAX_VALUES: usize = 100;

/// Only products with one of these values.
#[derive(InputObject)]
struct SearchFilter {
    /// What the values are of.
    facet: SearchFacet,
    /// Words as the counts of the facet have them.
    values: Vec<String>,
}

/// What was found.
struct SearchAnswer(app::search::Found);

#[Object]
impl SearchAnswer {
    /// The products of the page, best first.
    async fn hits(&self) -> Vec<SearchHit<'_>> {
        self.0.hits.iter().map(SearchHit).collect()
    }

    /// How many products match; null while the index is behind.
    async fn total(&self) -> Option<i32> {
        self.0.total.map(int)
    }

    /// How many of them have which value of each facet, as far as the filters of other facets go; none while the index is
    /// behind.
    async fn facets(&self) -> Vec<SearchFacetCounts> {
        self.0.facets.iter().map(SearchFacetCounts::from).collect()
    }

    /// Words without a match, and what was searched for instead.
    async fn corrections(&self) -> Vec<SearchCorrection> {
        let correction =
            |found: &search::Correction| SearchCorrection { typed: found.typed.clone(), found: found.found.clone() };
        self.0.corrections.iter().map(correction).collect()
    }

    /// The text was too long, and only its beginning was searched for.
    async fn shortened(&self) -> bool {
        self.0.is_shortened
    }

    /// Products may be missing: the index does not have the newest changes yet, is being built, or leaves out products that
    /// cannot be read.
    async fn partial(&self) -> bool {
        self.0.is_partial
    }

    /// The cursor of the next page; null on the last one.
    async fn end_cursor(&self) -> Option<&str> {
        self.0.next.as_deref()
    }
}

/// A product that was found.
struct SearchHit<'a>(&'a Hit);

#[Object]
impl SearchHit<'_> {
    async fn product(&self) -> Product {
        Product(self.0.product.clone())
    }

    /// What the caller may do with it, as far as roles and grants go.
    async fn access(&self) -> ProductAccess {
        ProductAccess(self.0.access)
    }

    /// How good its best match is.
    async fn stage(&self) -> SearchStage {
        SearchStage(self.0.stage)
    }

    /// Where it matched, best first.
    async fn matches(&self) -> Vec<SearchMatch> {
        self.0.matches.iter().map(SearchMatch::from).collect()
    }
}

/// A place where a product matched.
#[derive(SimpleObject)]
struct SearchMatch {
    /// What the text is.
    field: MatchField,
    /// The table or column that a description or another name belongs to.
    of: Option<String>,
    /// The text, or the part of it around the match.
    text: String,
    /// What matched in the text.
    highlights: Vec<SearchHighlight>,
}

/// A part of a text, in characters.
#[derive(SimpleObject)]
struct SearchHighlight {
    /// Where it begins, from 0.
    start: i32,
    /// Where it ends, exclusive.
    end: i32,
}

impl From<&Match> for SearchMatch {
    fn from(found: &Match) -> Self {
        let highlight = |range: &std::ops::Range<u32>| SearchHighlight {
            start: int(range.start.into()),
            end: int(range.end.into()),
        };
        Self {
            field: MatchField(found.field),
            of: found.of.clone(),
            text: found.text.clone(),
            highlights: found.highlights.iter().map(highlight).collect(),
        }
    }
}

/// The counts of a facet.
#[derive(SimpleObject)]
struct SearchFacetCounts {
    facet: SearchFacet,
    /// The largest first; at most 100.
    values: Vec<SearchFacetValue>,
}

/// How many products have a value.
#[derive(SimpleObject)]
struct SearchFacetValue {
    value: String,
    count: i32,
}

impl From<&FacetCounts> for SearchFacetCounts {
    fn from(counts: &FacetCounts) -> Self {
        let value = |(value, count): &(String, u64)| SearchFacetValue { value: value.clone(), count: int(*count) };
        Self { facet: SearchFacet(counts.facet), values: counts.values.iter().map(value).collect() }
    }
}

/// A word without a match.
#[derive(SimpleObject)]
struct SearchCorrection {
    /// The word.
    typed: String,
    /// What was searched for instead, the nearest first.
    found: Vec<String>,
}

#[derive(Default)]
pub(crate) struct SearchQuery;

#[Object]
impl SearchQuery {
    /// The data products that match a text, best first, among those that the caller may see; all if the text is empty.
    /// Names, descriptions, tags, synonyms, owners, tables and columns are searched. A word may have a typing error, and
    /// the last may be unfinished.
    #[graphql(complexity = "cost(first, child_complexity)")]
    async fn search(
        &self,
        ctx: &Context<'_>,
        text: String,
        filters: Option<Vec<SearchFilter>>,
        #[graphql(default_with = "Some(DEFAULT_PAGE)")] first: Option<i32>,
        after: Option<String>,
    ) -> Result<SearchAnswer> {
        let filters = filters.unwrap_or_default().into_iter().map(filter).collect::<Result<Vec<_>>>()?;
        let limit = limit(first, DEFAULT_PAGE)?;
        found(ctx.ctx()?, Request { filters, after, ..Request::page(&text, limit) }).await
    }

    /// The first hits of a search, for a list below the text while it is typed.
    #[graphql(complexity = "cost(first, child_complexity)")]
    async fn suggestions(
        &self,
        ctx: &Context<'_>,
        text: String,
        #[graphql(default_with = "Some(N_SUGGESTIONS)")] first: Option<i32>,
    ) -> Result<SearchAnswer> {
        found(ctx.ctx()?, Request::suggest(&text, limit(first, N_SUGGESTIONS)?)).await
    }
}

async fn found(ctx: &Ctx, request: Request) -> Result<SearchAnswer> {
    Ok(SearchAnswer(app::search::search(ctx, request).await?))
}

fn limit(first: Option<i32>, default: i32) -> Result<usize> {
    let limit = usize::try_from(first.unwrap_or(default)).ok().filter(|limit| (1..=MAX_PAGE).contains(limit));
    limit.ok_or_else(|| Failure::invalid("first", format!("a page has 1 to {MAX_PAGE} hits")))
}

fn filter(filter: SearchFilter) -> Result<Filter> {
    if filter.values.is_empty() || filter.values.len() > MAX_VALUES {
        return Err(Failure::invalid("filters", format!("a filter has 1 to {MAX_VALUES} values")));
    }
    Ok(Filter { facet: filter.facet.0, values: filter.values })
}
