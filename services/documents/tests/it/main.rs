//! The tests of `documents`.

#![expect(clippy::unwrap_used, clippy::panic, reason = "helpers of tests fail by panicking")]

mod change;
mod convert;
mod examples;
mod generate;
mod hostile;
mod official;
mod problems;
mod shared;
