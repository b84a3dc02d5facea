//! Lineage: what tables are made from and who depends on them (`docs/lineage.md`).
//!
//! [`receive`] takes the events of producers. [`follow`] makes one graph of all edges, from the claims in the database
//! ([`store::lineage`]) and from what documents declare ([`declared`]), and swaps it when they change. [`explore`] answers a
//! caller from it, for whom only the nodes exist that they may know of ([`sight`]). Consumers by grants ([`consumers`]) are read
//! when a question is answered, and for what a change breaks ([`affected`]).

mod affected;
mod catalog;
mod consumers;
mod declared;
mod edges;
mod explore;
mod follow;
pub(crate) mod held;
mod read;
mod receive;
mod sight;

pub use self::affected::{Readers, readers_of, reads_of_holders};
pub use self::consumers::{Consumer, Reads};
pub use self::explore::{Answer, Ask, By, Count, Edge, Found, Holder, MAX_DEPTH, Start, explore};
pub use self::follow::{catch_up, run};
pub(crate) use self::receive::forget;
pub use self::receive::{Receipt, Refused, authorize, receive};
