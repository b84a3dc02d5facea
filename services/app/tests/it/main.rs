//! The tests of `app`.

mod cache;
mod issuer;
mod lease;
mod lock;
mod notice;
mod open_leases;
mod overrides;
mod publish;
mod race;
mod retention;
mod shared;
mod vendor;
mod verifier;
