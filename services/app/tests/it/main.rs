//! The tests of `app`.

mod issuer;
