//! The tests of `domain`.
