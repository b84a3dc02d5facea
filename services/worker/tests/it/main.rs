//! The tests of `worker`: the built program, started by the launcher as the server starts it.

mod checkpoint;
mod delta;
mod demo;
mod flights;
mod folder;
mod hostile;
mod rules;
mod sql;
mod support;
