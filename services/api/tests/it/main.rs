//! The tests of `api`: in process, over a real SQLite, through the router.

#![expect(clippy::unwrap_used, clippy::panic, reason = "a helper of tests ends the test")]

mod access;
mod affected;
mod audit;
mod batches;
mod column_reads;
mod cost;
mod doors;
mod hidden;
mod http;
mod journey;
mod limits;
mod lineage;
mod notice;
mod overrides;
mod page;
mod paging;
mod product_view;
mod registry;
mod registry_cases;
mod registry_exact;
mod registry_limits;
mod registry_memory;
mod registry_topics;
mod schema;
mod shares;
mod support;
mod trace;
mod values;
mod web_session;
mod wrong_input;
