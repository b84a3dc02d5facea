//! The tests of `charter`: the crate structure of the workspace, and the built programs as users run them.

mod circles;
mod cli;
mod column_reads;
mod connections;
mod crash;
mod faults;
mod flights;
mod hostile;
mod kills;
mod lineage;
mod log;
mod page;
mod registry;
mod start;
mod test_server;
mod workspace;
