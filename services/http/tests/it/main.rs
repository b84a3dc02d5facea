//! The tests of `http_base`. Its connections are tested through the gateway (`gateway_it`), requests and problem documents
//! through the API (`api_it`).

#![expect(clippy::unwrap_used, reason = "a helper of tests ends the test")]

mod budget;
mod log;
mod log_line;
mod peer;
mod sign_in;
