//! Lineage: what tables are made from and who depends on them. Pure: no I/O, no store, no clock.
//!
//! - [`openlineage`] reads events into [`openlineage::Event`].
//! - [`observe`] turns an event into [`claim::Claim`]s, whose order of arrival does not matter
//!   ([`observe::Ledger`] is the whole of it in memory).
//! - [`settle`] resolves the names in claims to our tables ([`resolve::Directory`]) and gives [`edge::Edge`]s.
//! - [`graph::Graph`] holds edges in memory and answers who is affected ([`graph::Question`], [`graph::Impact`]).
//!
//! `docs/lineage.md` has the rules. Edges of the other kinds (declared, read, granted) are made by their owners and go
//! into the same graph.

pub mod claim;
pub mod edge;
pub mod graph;
pub mod name;
pub mod observe;
pub mod openlineage;
pub mod resolve;
pub mod settle;
