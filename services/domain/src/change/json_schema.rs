//! The comparer of JSON Schemas, with the rules of the Confluent Schema Registry.
//!
//! [`Schema`] is a schema as a registry sees it: each place says one thing (a string, an object, a choice), and a place
//! that says several says "all of" them. The crate `documents` makes it from text, for every draft. [`compare`] walks
//! pairs of places and answers with differences in Confluent's vocabulary ([`names`]).
//!
//! Confluent's comparer overlooks some changes, and here they count: what it does not compare at all (`if`, `then`,
//! `else`, `contains`, `propertyNames`, one format for another), and bounds are judged together (at least 10 is no new
//! demand on what was above 10). What its own tests, or a registry that follows it, assert is as there, also where a
//! validator knows better: a required name that is no property, the schema of a pattern, and the type that an untyped
//! place gets are no differences.
//!
//! [`comparison`] keeps the pairs and what is known of them; each keyword family compares in a file of its own:
//! [`object`], [`array`], [`combined`], [`scalar`]. To read a new keyword: its field in [`model`], its names, and the
//! comparison beside its family's.

mod array;
mod combined;
mod compare;
mod comparison;
mod model;
mod names;
mod object;
mod rest;
mod scalar;

pub use self::compare::{compare, compare_within};
pub use self::model::{
    Additional, Annotations, Array, Builder, Conditional, Criterion, Node, NodeId, Number, Object, ReferenceId, Schema,
    Shape, Text,
};
