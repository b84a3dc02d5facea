//! The tests of `gateway`.
