//! The comparer of JSON Schemas, with the rules of the Confluent Schema Registry.
//!
//! [`Schema`] is a schema as a registry sees it: each place says one thing (a string, an object, a choice), and a place
//! that says several says "all of" them. The crate `documents` makes it from text, for every draft. [`compare`] walks
//! pairs of places and answers with differences in Confluent's vocabulary ([`names`]).
//!
//! Confluent's comparer overlooks some changes, and here they count: what it does not compare at all (`if`, `then`,
//! `else`, `contains`, `propertyNames`, `patternProperties`, one format for another). Bounds are judged together (at
//! least 10 is no new demand on what was above 10), and values that are named are judged one by one (`const`, `enum`).
//! What its own tests assert is as there, also where a validator knows better: a required name that is no property, and
//! the type that an untyped place gets, are no differences.
//!
//! [`comparison`] keeps the pairs and what is known of them; each keyword family compares in a file of its own:
//! [`object`] with [`pattern_properties`], [`array`], [`combined`], [`scalar`]; [`value`] compares places of different
//! families by the values that they name. To read a new keyword: its field in [`model`], its names, and the
//! comparison beside its family's.

mod array;
mod combined;
mod compare;
mod comparison;
mod model;
mod names;
mod object;
mod pattern;
mod pattern_properties;
mod rest;
mod scalar;
mod value;

pub use self::compare::{compare, compare_within};
pub use self::model::{
    Additional, Annotations, Array, Builder, Conditional, Criterion, Node, NodeId, Number, Object, ReferenceId, Schema,
    Shape, Text,
};
