//! The tests of `charter`: the workspace's shape, and the built programs as their users run them.

mod cli;
mod connections;
mod crash;
mod faults;
mod flights;
mod house;
mod registry;
mod workspace;
