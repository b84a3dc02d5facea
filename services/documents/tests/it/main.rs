//! The tests of `documents`.

mod examples;
mod generate;
mod hostile;
mod shared;
