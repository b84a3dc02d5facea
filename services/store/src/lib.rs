//! The database: transactions, and one module of queries for each context.
//!
//! SQL is written once for SQLite and PostgreSQL. [`Db`] opens either and hands out [`Tx`], which every function takes;
//! the differences between the dialects are in the module `dialect`. One text serves both under these rules:
//!
//! - Columns are of five kinds: id, text, integer, bytes, bool. Time is integer microseconds UTC. JSON is text that no
//!   query looks into. The database supplies no clock, no default and no counter.
//! - Columns are named, every `ORDER BY` ends in a unique column, pages seek by a row value, and lists of values go
//!   through `dialect::in_list`. Text is compared byte by byte on both.
//! - Uniqueness is a named index; violating it is a [`Constraint`]. A missing row is not an error. Any error ends the
//!   transaction.
//! - A change of facts takes [`Lock::Facts`] first, then reads, decides and writes.
//!
//! `find_` returns an `Option`, `get_` fails with [`Error::NotFound`], `list_` returns several rows, and `list_by_ids`
//! serves the loaders of the API. Any query can fail with [`Error::Unavailable`], [`Error::Closed`],
//! [`Error::Database`] or, in a row that fits no state, [`Error::Inconsistent`]; an `# Errors` section lists only what
//! a function adds to these.
//!
//! To add a table: a migration at the end of `dialect::MIGRATIONS`, its unique indexes in [`Constraint`], a module
//! named after the context with an `entity_row!` and its conversion, and tests in the suite, which runs on both
//! databases. To add a column: a migration, the field in `entity_row!` and in the domain type, and then what no longer
//! compiles.

pub mod audit;
pub mod binding;
pub mod column_reads;
pub mod contract;
mod db;
mod dialect;
mod durable;
mod error;
pub mod gate;
pub mod grant;
pub mod idempotency;
pub mod identity;
mod insertion;
pub mod job;
mod json;
pub mod lease;
pub mod lineage;
pub mod notice;
pub mod org;
pub mod outbox;
pub mod overrides;
mod page;
pub mod probe;
pub mod product;
pub mod registry;
pub mod retention;
pub mod revision;
pub mod rot;
mod row;
mod scope;
pub mod share;
pub mod table;
pub mod token;
pub mod topic;
pub mod web_session;
mod writer;

pub use db::{Db, Durability, Lock, Missing, Options, Tx};
pub use dialect::{Constraint, Dialect};
pub use error::{Error, OpenError};
pub use page::{Page, Readable, Seek};
pub use scope::ListScope;
pub use writer::GroupLimits;
