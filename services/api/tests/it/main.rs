//! The tests of `api`.
