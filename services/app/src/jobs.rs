//! Follow-up work: a poll of the names of all tables, and inspections, which are jobs in the database. Running one twice
//! changes nothing.

pub(crate) mod queue;
mod run;

pub use self::run::{poll_once, run, run_due};
