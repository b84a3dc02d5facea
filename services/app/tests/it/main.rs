//! The tests of `app`.

mod issuer;
mod lease;
