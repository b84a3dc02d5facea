//! Lineage in memory: who is affected, in milliseconds.
//!
//! [`Builder`] makes a [`Graph`] from nodes and edges in any order; [`Graph::with_fresh`] adds the edges that came since.
//! A graph never changes: whoever holds one swaps it whole. [`impact`] answers a [`Question`] for one caller, whose
//! [`Visible`] nodes alone exist for it: the answer is that of a graph without the others.

mod base;
mod build;
mod held;
mod overlay;
mod page;
mod visible;
mod walk;

pub use self::build::{Builder, Handle, TooLarge};
pub use self::held::{Fresh, Graph, Link, MAX_FRESH_EDGES};
pub use self::page::{Cursor, Item, Page, Part};
pub use self::visible::{OtherGraph, Visible};
pub use self::walk::{Cut, Direction, Distance, Impact, Question, impact};
