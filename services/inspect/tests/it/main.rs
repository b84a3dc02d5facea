//! The tests of `inspect`: the wire, and the launcher with scripts in the worker's place. The real worker is tested in
//! `worker`.

mod launcher;
mod wire;
