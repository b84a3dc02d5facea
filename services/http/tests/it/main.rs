//! The tests of `http_base`. Its connections are tested through the gateway (`gateway_it`) as well, requests and problem
//! documents through the API (`api_it`).

#![expect(clippy::unwrap_used, reason = "a helper of tests ends the test")]

mod budget;
mod connections;
mod log;
mod log_line;
mod peer;
mod permit;
mod problem;
mod request;
mod sign_in;
mod table;
