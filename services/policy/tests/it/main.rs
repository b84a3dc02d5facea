//! The tests of `policy`.
