//! The tests of `worker`.
