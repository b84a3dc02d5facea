//! The HTTP base that the API and the gateway share; it knows no protocol of its own.
//!
//! [`connections`] serves a listener within limits. [`request`] gives a request its id and writes its log line
//! (`docs/request-log.md`); [`log`] writes the whole log and never blocks its callers. [`sign_in`] reads a caller's
//! token or session from the headers, [`site`] tells our own page from others, [`permit`] bounds concurrent work,
//! [`budget`] bounds what all requests and each client hold at a time, and [`problem`] holds every error answer that is
//! not a protocol's own (`docs/problems.md`).
//!
//! A new listener begins with [`connections::serve`]. A new door of the API needs nothing here: see `api::doors`.

pub mod budget;
pub mod connections;
pub mod log;
pub mod permit;
pub mod problem;
pub mod request;
pub mod sign_in;
pub mod site;
mod stall;
