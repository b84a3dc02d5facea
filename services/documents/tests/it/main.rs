//! The tests of `documents`.

mod change;
mod examples;
mod generate;
mod hostile;
mod shared;
