//! What tests share: an application on a temporary database with a clock and an inspector that are moved by hand, a
//! throwaway PostgreSQL, and what lies beside the repository. Never linked into a program.

#![expect(clippy::expect_used, clippy::panic, reason = "a helper of tests ends the test")]

pub mod actor;
pub mod app;
pub mod clients;
pub mod clock;
pub mod inspector;
pub mod postgres;
pub mod reading;
pub mod shared;
pub mod vendor;
pub mod verifier;

/// The number that an environment variable sets: how much a test does.
pub fn number(variable: &str) -> Option<u64> {
    std::env::var(variable).ok()?.parse().ok()
}
