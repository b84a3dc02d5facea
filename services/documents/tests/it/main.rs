//! The tests of `documents`.

#![expect(clippy::unwrap_used, clippy::panic, reason = "helpers of tests fail by panicking")]

mod avro;
mod change;
mod convert;
mod examples;
mod fuzz;
mod generate;
mod hostile;
mod json_schema;
mod json_schema_hostile;
mod official;
mod place;
mod problems;
mod protobuf;
mod shared;
mod table;
