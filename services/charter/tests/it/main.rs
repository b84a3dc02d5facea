//! The tests of `charter`.
