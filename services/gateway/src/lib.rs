//! The gateway: a read-only door that speaks S3 over local storage.
//!
//! A lease opens `s3://lake/<table-id>/...` and nothing else, by exact keys; which, until when and for whom is decided
//! elsewhere and asked at each request ([`app::lease::Leases`]). The rules are docs/rules.md (Gateway); what was tried
//! with real clients is the reason for most of them. Following the S3 API reference of 2006-03-01: `ListObjectsV2`,
//! `HeadObject`, `GetObject` (one range), `GetBucketLocation`, `HeadBucket`, signature version 4 in headers.
//!
//! A request passes [`connections`] (limits; `stall`), `server` (log), `guard` (refused before `s3s`), `s3s` (parsing,
//! signature), `access` (session token, lease), then `s3` with `listing`, `condition` and `file`. To add an operation: a
//! method in `s3`, its hostile requests in the tests, its guards in `docs/gateway-guards.md`. The connections of the API
//! are served by [`connections`] too.
//!
//! `s3s` logs every refusal as an error, and headers with their tokens at debug level: keep its target off with
//! [`LOG_DIRECTIVE`].

mod access;
mod condition;
pub mod connections;
mod file;
mod guard;
mod listing;
mod s3;
mod server;
mod stall;

pub use connections::Limits;
pub use server::Gateway;

/// What a log filter must hold when the gateway runs.
pub const LOG_DIRECTIVE: &str = "s3s=off";
