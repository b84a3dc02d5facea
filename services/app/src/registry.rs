//! The schema registry: subjects, their versions, and which new schemas they take.
//!
//! A subject belongs to the output port whose contract binds a schema object to its topic; who may see the product may
//! read its schemas, who may publish it may register them. What no product owns belongs to the quarantine domain, where
//! one is configured, and else is refused. Which domain may bind a topic is decided by [`domain::topic`]. A subject
//! that the caller may not know of is answered like one that does not exist.
//!
//! Begin at [`register`]. Names and rules are those of the Confluent Schema Registry
//! (<https://docs.confluent.io/platform/current/schema-registry/develop/api.html>); what the contract adds is in `evolve`.

mod delete;
mod draft;
mod error;
mod evolve;
mod history;
mod owner;
mod read;
mod register;
pub(crate) mod release;
mod settings;
pub(crate) mod turns;

pub use self::delete::{delete_subject, delete_version};
pub use self::draft::{Draft, DraftReference, Registered, VersionRef};
pub use self::error::{Error, Incompatibility, NotPermitted};
pub use self::read::{
    Listing, Shown, contexts, find_schema, lookup, newest_schema_id, place_of_schema, places_of_schema, referrers,
    schemas, subjects, text_in_format, version, versions,
};
pub use self::register::{Check, ImportNumbers, Register, authorize, check, register};
pub use self::release::{Released, release_subject};
pub use self::settings::{ChangeSettings, change_settings, clear_settings, effective_settings, own_settings};
