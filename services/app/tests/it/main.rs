//! The tests of `app`.

mod cache;
mod catalog;
mod column_reads;
mod history;
mod issuer;
mod kept;
mod lease;
mod lineage;
mod lock;
mod notice;
mod open_leases;
mod open_table;
mod overrides;
mod publish;
mod queue;
mod race;
mod ranking;
mod retention;
mod rot;
mod search;
mod shared;
mod token;
mod unreadable;
mod vendor;
mod verifier;
mod web_session;
