//! The change engine: the differences between two versions, which readers they break, and the version bump they
//! require.
//!
//! Each format has a comparer with its own model. The comparer of data contracts reports each difference as a
//! [`Finding`] of a [`Rule`]; [`Rule::row`] and [`Rule::judgement`] are the normative table. A difference without a
//! rule is [`Rule::Undetermined`] and counts as breaking in both directions. Message schemas and tables ([`table`]) are
//! compared by the rules of their formats and share the types in [`message`].
//!
//! A new constraint that older data could violate is settled by a [`Proof`] that no row does, and a wider type by a
//! policy: see [`Options`]. A settled finding requires a smaller bump; the directions it breaks stay the same.
//!
//! A finding shows the values before and after, shortened ([`MAX_VALUE_CHARS`]).
//!
//! Begin at [`compare`] and [`judge`]. To add a rule: add a variant with its word and its row of the table, and report
//! it in a comparer.

pub mod avro;
mod constraint;
mod contract;
mod fields;
mod finding;
mod finding_record;
pub mod json_schema;
mod judge;
pub mod level;
pub mod message;
pub mod proof;
mod property;
pub mod protobuf;
mod quality;
mod rule;
mod service;
mod serving;
mod sql_text;
pub mod table;
mod touched;
mod types;
mod values;

pub use self::contract::{compare, compare_with};
pub use self::finding::Finding;
pub use self::finding_record::{FindingRecord, finding_records};
pub use self::judge::{Refusal, judge, judge_with, needed_bump, required_bump};
pub use self::proof::{Options, Proof, Proofs};
pub use self::rule::{Judgement, Rule, Settlement};
pub use self::touched::{Touched, touched};
pub use self::values::MAX_VALUE_CHARS;
