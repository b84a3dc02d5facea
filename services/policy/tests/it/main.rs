//! The tests of `policy`: the decision matrix, single rules that the matrix cannot show, and loading.

#![expect(clippy::unwrap_used, reason = "a test whose facts cannot be built has failed")]

mod load;
mod matrix;
mod rules;
mod world;
