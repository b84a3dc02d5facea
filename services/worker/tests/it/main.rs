//! The tests of `worker`: the built program, started by the launcher as the server starts it.

#![expect(clippy::unwrap_used, clippy::panic, reason = "helpers of tests fail by panicking")]

mod checkpoint;
mod delta;
mod demo;
mod flights;
mod folder;
mod hostile;
mod rules;
mod sql;
mod support;
