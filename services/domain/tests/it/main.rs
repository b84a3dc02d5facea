//! The tests of `domain`.

mod audit;
mod change;
mod contract;
mod gate;
mod product;
