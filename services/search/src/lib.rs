//! Search over the catalog: one document for each product, in an index of its own on disk.
//!
//! The index is derived from the database and decides nothing. [`Index::open`] says when it must be built anew,
//! [`Index::build`] does so, [`Index::apply`] follows the changes of the database and keeps their position with them,
//! [`Index::search`] answers. A caller hands in what may be seen ([`Visibility`]); documents beyond it do not exist for
//! the search, in any part of the answer. `docs/search.md` has the rules of matching and order.

mod abbreviation;
mod answer;
mod cell;
mod count;
mod document;
mod entry;
mod expand;
mod explain;
mod field;
mod files;
mod index;
mod lineage;
mod query;
mod rank;
mod record;
mod request;
mod schema;
mod score;
mod snapshot;
mod token;
mod values;
mod visibility;

pub use crate::document::{Column, Document, Port, Table};
pub use crate::field::{Access, Facet, MatchField, Stage};
pub use crate::index::{ApplyError, Builder, Change, Index, OpenError};
pub use crate::request::{
    Answer, Correction, FacetCounts, Filter, Hit, MAX_FACET_VALUES, MAX_PAGE, MAX_QUERY_CHARS, MAX_WORDS, Match,
    Request, SearchError,
};
pub use crate::visibility::Visibility;
