//! The rules of Charterhouse: entities, their states, and the functions that decide.
//!
//! Everything here is pure: no I/O, no clock, no randomness of its own, no wire types. Time, ids and randomness are
//! passed in ([`clock::Clock`], [`clock::Random`]). A module is a context (contract, table, grant, ...);
//! the same name holds the context's rows in `store`, its use cases in `app` and its fields in `api::graphql`.
//!
//! Begin at [`gate`]: it is what Charterhouse exists for. To add a context: a module here with its states and errors,
//! then one of the same name in `store`, `app` and `api::graphql`.

#![warn(missing_docs)]

pub mod audit;
pub mod binding;
pub mod change;
pub mod clock;
pub mod closed_set;
pub mod column_reads;
pub mod contract;
pub mod decimal;
pub mod document;
pub mod error;
pub mod event;
pub mod gate;
pub mod grant;
pub mod id;
pub mod identity;
pub mod inspection;
pub mod job;
pub mod json;
pub mod lease;
pub mod moment;
pub mod name;
pub mod notice;
pub mod org;
pub mod overrides;
pub mod pending;
pub mod product;
pub mod quality;
pub mod registry;
pub mod retention;
pub mod rot;
pub mod s3;
pub mod share;
pub mod storage;
pub mod table;
pub mod token;
pub mod topic;
pub mod version;
pub mod web_session;
