//! What is asked and what is answered.

use domain::clock::Timestamp;
use tantivy::TantivyError;

use crate::field::{Facet, MatchField, Stage};

/// The most hits of one page.
pub const MAX_PAGE: usize = 100;
/// Of a longer query, only the beginning counts.
pub const MAX_QUERY_CHARS: usize = 400;
/// Of a query with more words, only the first count.
pub const MAX_WORDS: usize = 16;

/// A query.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Request {
    /// What the caller typed. Empty: everything.
    pub text: String,
    /// Only products that have one of the values of each filter.
    pub filters: Vec<Filter>,
    /// Begin behind this cursor of an earlier answer to the same query.
    pub after: Option<String>,
    /// How many hits to give, at most [`MAX_PAGE`].
    pub limit: usize,
    /// Whether to count facets.
    pub facets: bool,
    /// Whether to say why each hit matched.
    pub explain: bool,
    /// The moment at which it is asked: what is late by then counts less.
    pub now: Timestamp,
}

impl Request {
    /// The first page of a query, with all there is to say.
    pub fn page(text: &str, limit: usize) -> Self {
        Self {
            text: text.to_owned(),
            filters: Vec::new(),
            after: None,
            limit,
            facets: true,
            explain: true,
            now: Timestamp(0),
        }
    }

    /// Suggestions while a query is typed: the first hits of its page, in the same order.
    pub fn suggest(text: &str, limit: usize) -> Self {
        Self { facets: false, ..Self::page(text, limit) }
    }
}

/// The values of one facet that are wanted.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Filter {
    /// The facet.
    pub facet: Facet,
    /// Any of these.
    pub values: Vec<String>,
}

/// The answer: a function of the query and of the documents that the caller may see, and of nothing else.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Answer {
    /// The page, best first; ties by id.
    pub hits: Vec<Hit>,
    /// How many products match the query and its filters.
    pub total: u64,
    /// The counts, if they were asked for. Each counts what the other filters leave.
    pub facets: Vec<FacetCounts>,
    /// The cursor of the next page.
    pub next: Option<String>,
    /// Words of the query without a match, and what was searched for in their place.
    pub corrections: Vec<Correction>,
    /// The query was longer than what counts.
    pub shortened: bool,
    /// Up to where the index knows the changes of the database.
    pub position: u64,
}

/// A product that matches.
#[derive(Clone, Debug, PartialEq)]
pub struct Hit {
    /// The product's id.
    pub id: String,
    /// The revision that matched.
    pub revision: u64,
    /// How good the best match is.
    pub stage: Stage,
    /// The score within the stage.
    pub score: f32,
    /// What matched, best first; empty if it was not asked for.
    pub matches: Vec<Match>,
}

/// A place where a hit matched.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Match {
    /// What the text is.
    pub field: MatchField,
    /// The table or column that a description or synonym belongs to.
    pub of: Option<String>,
    /// The text, or the part of it around the match.
    pub text: String,
    /// What matched, as ranges of characters (Unicode scalar values) of `text`.
    pub highlights: Vec<std::ops::Range<u32>>,
}

/// The counts of a facet's values.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FacetCounts {
    /// The facet.
    pub facet: Facet,
    /// Values and counts, the largest first, then by value; at most [`MAX_FACET_VALUES`].
    pub values: Vec<(String, u64)>,
}

/// The most values of a facet in an answer.
pub const MAX_FACET_VALUES: usize = 100;

/// A word without a match, and what was searched for in its place.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Correction {
    /// The word as typed, folded.
    pub typed: String,
    /// The words that were found, the nearest first.
    pub found: Vec<String>,
}

/// Why a query has no answer.
#[derive(Debug, thiserror::Error)]
pub enum SearchError {
    /// The cursor belongs to another query, or is none.
    #[error("the cursor is not one of this query; begin with the first page")]
    Cursor,
    /// The query took too long.
    #[error("the search took too long; use fewer or longer words")]
    TimedOut,
    /// The index cannot be read.
    #[error("the search index cannot be read: {0}")]
    Index(String),
}

impl From<TantivyError> for SearchError {
    fn from(error: TantivyError) -> Self {
        Self::Index(error.to_string())
    }
}
