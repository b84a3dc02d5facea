//! The database: transactions, and one module of queries for each context.
//!
//! SQL is written once for SQLite and PostgreSQL. [`Db`] opens either and gives out [`Tx`], which every function here
//! takes; what the two dialects do not share is in the module `dialect`. The rules that make one text serve both:
//!
//! - Columns are of five kinds: id, text, integer, bytes, bool. Time is integer microseconds UTC, JSON is text that no
//!   query looks into, and the database supplies nothing of its own: no clock, no default, no counter.
//! - Columns are named, placeholders are `$1` in order, every `ORDER BY` ends in something unique, pages seek by a row
//!   value, lists of values go through `dialect::in_list`. Text is compared byte by byte on both.
//! - Uniqueness is a named index, and breaking it a [`Constraint`]. Absence is no error; any error ends the transaction.
//! - What changes facts takes [`Lock::Facts`] first, then reads, decides and writes.
//!
//! Functions are called as everywhere: `find_` may give nothing, `get_` fails with [`Error::NotFound`], `list_`
//! gives several, and `list_by_ids` serves the loaders of the API. What changes facts asks for [`Lock::Facts`].
//!
//! To add a table: a migration at the end of `dialect::MIGRATIONS`, its unique indexes in [`Constraint`], a
//! module of the context's name with a `row!` struct and its conversion, and tests in the suite, which runs on both
//! databases.

pub mod audit;
pub mod binding;
pub mod contract;
mod db;
mod dialect;
mod error;
pub mod gate;
pub mod grant;
pub mod idempotency;
pub mod identity;
pub mod job;
mod json;
pub mod lease;
pub mod notice;
pub mod org;
pub mod outbox;
pub mod overrides;
mod page;
pub mod product;
pub mod registry;
pub mod revision;
mod row;
mod scope;
pub mod table;
mod writer;

pub use db::{Db, Durability, Lock, Options, Tx};
pub use dialect::{Constraint, Dialect};
pub use error::{Error, OpenError};
pub use page::{Page, Seek};
pub use scope::ListScope;
pub use writer::GroupLimits;
