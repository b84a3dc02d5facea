//! The tests of `documents`.

#![expect(clippy::unwrap_used, clippy::panic, reason = "helpers of tests fail by panicking")]

mod avro;
mod change;
mod examples;
mod fuzz;
mod generate;
mod hostile;
mod official;
mod problems;
mod protobuf;
mod shared;
mod table;
