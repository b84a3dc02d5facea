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
mod json_schema_demands;
mod json_schema_hostile;
mod lint;
mod official;
mod place;
mod problems;
mod protobuf;
mod protobuf_taken;
mod shared;
mod sql_rules;
mod table;

// `testkit` builds on this crate; taken by path, these tests do not wait for it.
#[expect(unreachable_pub, reason = "public in `testkit`")]
#[path = "../../../testkit/src/shared.rs"]
mod beside;
