//! The tests of `app`.
