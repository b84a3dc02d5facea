//! The tests of `domain`.
mod gate;
