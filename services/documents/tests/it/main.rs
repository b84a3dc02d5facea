//! The tests of `documents`.
