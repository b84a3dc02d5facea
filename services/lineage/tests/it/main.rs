//! The tests of `lineage`.

#![expect(clippy::unwrap_used, clippy::panic, reason = "tests may panic")]

mod events;
mod graph;
mod interference;
mod ledger;
mod names;
mod settle;
mod world;
