//! The tests of `documents`.

mod change;
mod examples;
mod generate;
mod hostile;
mod official;
mod problems;
mod shared;
