//! The tests of `worker`: the built program, started by the launcher as the server starts it.

#![expect(clippy::unwrap_used, clippy::panic, reason = "helpers of tests fail by panicking")]

mod cases;
mod checkpoint;
mod chunks;
mod delta;
mod demo;
mod differential;
mod exact;
mod flights;
mod folder;
mod hostile;
mod kept;
mod rules;
mod shapes;
mod sql;
mod statistics;
mod support;

// Taken by path, these tests do not wait for all that `testkit` builds on.
#[expect(unreachable_pub, reason = "public in `testkit`")]
#[path = "../../../testkit/src/shared.rs"]
mod shared;

#[expect(unreachable_pub, reason = "public in `testkit`")]
#[path = "../../../testkit/src/clients.rs"]
mod clients;
