//! The tests of `gateway`: a gateway on its own port over a temporary folder. The tests write and sign the bytes of every
//! request themselves, so that no client library cleans up a hostile one.

#![expect(clippy::unwrap_used, reason = "helpers of tests fail by panicking")]

mod folder;
mod hostile;
mod leases;
mod listing;
mod objects;
mod pinning;
mod server;
mod support;
