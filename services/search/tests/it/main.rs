//! Tests of the search index.

#![expect(clippy::unwrap_used, reason = "test helpers may panic")]

mod bench;
mod bounds;
mod catalog;
mod damage;
mod dice;
mod interference;
mod order;
mod relevance;
mod words;
