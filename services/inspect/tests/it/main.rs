//! The tests of `inspect`: the wire, and the launcher with scripts in the worker's place. The real worker is tested in
//! `worker`.

#![expect(clippy::unwrap_used, reason = "helpers of tests fail by panicking")]

mod launcher;
mod wire;
