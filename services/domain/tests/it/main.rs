//! The tests of `domain`.

#![expect(clippy::unwrap_used, reason = "helpers of tests fail by panicking")]

mod audit;
mod avro;
mod change;
mod clock;
mod codes;
mod column_reads;
mod contract;
mod decimal;
mod documented;
mod gate;
mod grant;
mod json_schema;
mod matrix;
mod notice;
mod open_leases;
mod pages;
mod product;
mod protobuf;
mod registry;
mod retention;
mod terms;
mod topic;
mod touched;
mod web_session;
