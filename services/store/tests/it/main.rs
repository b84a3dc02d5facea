//! The tests of `store`.
