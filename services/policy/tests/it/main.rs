//! The tests of `policy`: the decision matrix, single rules that the matrix cannot show, and loading.

mod load;
mod matrix;
mod rules;
mod world;
