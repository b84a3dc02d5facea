//! The tests of `inspect`.
