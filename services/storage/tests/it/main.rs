//! The tests of `storage`: local storage in a temporary directory. What the gateway makes of it is tested in `gateway`.

#![expect(clippy::unwrap_used, reason = "helpers of tests fail by panicking")]

mod lake;
