//! Protobuf schemas: `.proto` text or a serialized descriptor to what is compared, stored and served.
//!
//! A schema comes as text or as base64 of its `FileDescriptorProto`, which is what the Confluent serializers register;
//! both forms of one schema are one schema here. Imports are the texts that the caller hands in and the well-known
//! files of Protobuf and of the Confluent registry. Nothing is ever read from the file system or fetched.
//!
//! [`parse`] gives what a comparison works on and also reads what the compiler refuses, because registries hold such
//! texts ([`tolerant`]). Custom options that nothing declares are taken ([`undeclared`]). [`canonical`], [`normalise`] and [`serialized`] are for schemas that are to be registered, and
//! ask for all that the compiler asks. [`lexer`] refuses what would exhaust either before it is parsed.

mod error;
pub(crate) mod known;
mod lexer;
mod model;
mod print;
mod sources;
mod tolerant;
mod undeclared;

use std::collections::BTreeMap;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use domain::change::protobuf::Schema;

use self::error::ROOT;
pub use self::error::{Error, MAX_BYTES, MAX_DECLARATIONS, MAX_IMPORTS};
use self::print::Order;
use self::sources::Sources;
pub(crate) use self::sources::is_base64;

/// Reads a schema for comparison: `.proto` text or base64 of a `FileDescriptorProto`, with the texts of the files that
/// it imports by the names that it imports them by. Text that does not say its syntax is proto2.
///
/// What the compiler refuses is read as far as the grammar goes: an undeclared type is compared by its name.
///
/// # Errors
/// [`Error`], if it is over a limit or does not follow the grammar.
pub fn parse(text: &str, imports: &BTreeMap<String, String>) -> Result<Schema, Error> {
    let sources = Sources::read(text, imports)?;
    let compiled = sources.compile(|file, _| {
        let files = file.parent_pool().files().filter(|other| other != file);
        let mut imports: Vec<_> = files.map(|file| file.file_descriptor_proto().clone()).collect();
        imports.sort_by(|a, b| a.name().cmp(b.name()));
        Ok(model::schema(file.file_descriptor_proto(), &imports))
    });
    compiled.or_else(|refused| {
        let (file, imports) = sources.read_tolerantly().map_err(|_| refused)?;
        Ok(model::schema(&file, &imports))
    })
}

/// The `.proto` text that stands for a schema: what is stored, served, and compared for equality. Comments, spacing,
/// the way that types are named and the form of the schema leave no trace in it; the order of declarations does.
///
/// # Errors
/// [`Error`], if the compiler refuses the schema.
pub fn canonical(text: &str, imports: &BTreeMap<String, String>) -> Result<String, Error> {
    Sources::read(text, imports)?.compile(|file, options| Ok(print::file(file, options, Order::Declared)))
}

/// As [`canonical`], with all in order that may be reordered without a trace on the wire: imports, options, fields and
/// constants (`normalize=true` of the Confluent Schema Registry). Messages keep their places, which the wire format of
/// registries counts.
///
/// # Errors
/// [`Error`], if the compiler refuses the schema.
pub fn normalise(text: &str, imports: &BTreeMap<String, String>) -> Result<String, Error> {
    Sources::read(text, imports)?.compile(|file, options| Ok(print::file(file, options, Order::Sorted)))
}

/// Base64 of the schema's `FileDescriptorProto` with all names resolved, without places in the text and without its
/// imports (`format=serialized` of the Confluent Schema Registry). The file is called `default`, as there. Custom options
/// that nothing declares have no number, and are left out.
///
/// # Errors
/// [`Error`], if the compiler refuses the schema.
pub fn serialized(text: &str, imports: &BTreeMap<String, String>) -> Result<String, Error> {
    Sources::read(text, imports)?
        .compile(|file, _| Ok(STANDARD.encode(sources::without_places(&file.encode_to_vec(), ROOT)?)))
}
