//! The tests of `gateway`: a gateway on a port of its own over a temporary folder, asked with bytes that the tests write
//! and sign themselves, so that no client tidies a hostile request up.

#![expect(clippy::unwrap_used, reason = "helpers of tests fail by panicking")]

mod folder;
mod hostile;
mod leases;
mod listing;
mod objects;
mod pinning;
mod server;
mod support;
