//! Use cases, one module per context: the only place where rules meet storage.
//!
//! A use case takes the [`Ctx`] first, then one command. It opens a transaction, loads, asks the policy, lets a pure
//! function of `domain` decide, stores, appends the audit record, and commits. What follows from it
//! (looking at tables, inspecting, activating) is a job, see [`jobs`].
//!
//! Begin at [`gate::vend`] for the reader's path and at [`publish::apply`] for the producer's. To add a use case:
//! a function in its context's module, its policy action, its record in [`audit`], and a test in `tests/it`.

#![warn(missing_docs)]

pub mod actor;
pub mod audit;
pub mod cache;
mod change;
pub mod column_reads;
pub mod contract;
pub mod ctx;
pub mod data_dir;
pub mod error;
pub mod failpoint;
pub mod gate;
pub mod grant;
pub mod idempotency;
pub mod identity;
pub mod inspection;
pub mod issuer;
pub mod jobs;
pub mod lease;
pub mod lineage;
mod missing;
pub mod notice;
pub mod org;
pub mod overrides;
pub mod paging;
mod parties;
pub mod product;
pub mod product_in_domain;
pub mod publish;
pub mod rate;
pub(crate) mod readable;
pub mod readiness;
pub mod registry;
pub mod retention;
pub mod rot;
pub mod search;
pub mod table;
pub mod target;
pub mod token;
pub mod web_session;

pub use actor::Actor;
pub use ctx::{App, Ctx, Parts, Settings};
pub use error::Error;
