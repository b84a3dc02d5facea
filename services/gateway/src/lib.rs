//! The gateway: a read-only S3 door over local storage.
//!
//! A lease opens `s3://lake/<table-id>/...` and nothing else, by exact keys. Leases are decided elsewhere, and the gateway
//! asks for the lease at each request ([`app::lease::Leases`]). It follows the S3 API reference of 2006-03-01 for
//! `ListObjectsV2`, `HeadObject`, `GetObject` (one range), `GetBucketLocation`, `HeadBucket`, and signature version 4 in
//! headers. The rules are in `docs/rules.md`, "Gateway"; trials with real clients gave the reasons for
//! most of them.
//!
//! A request passes `http_base::connections` (limits), `server` (log), `guard` (refusals before `s3s`), `s3s` (parsing,
//! signature), `access` (session token, lease), then `s3` with `listing` and `condition`. Files are opened and read
//! through [`domain::storage::Lake`]. To add an operation: a method in `s3`, its hostile requests in the tests, its guards
//! in `docs/gateway-guards.md`.
//!
//! `s3s` logs every refusal as an error, and at debug level the headers with their tokens: keep its target off with
//! [`LOG_DIRECTIVE`].

mod access;
mod condition;
mod guard;
mod listing;
mod s3;
mod server;

pub use server::Gateway;

/// The directive that every log filter needs while the gateway runs.
pub const LOG_DIRECTIVE: &str = "s3s=off";
