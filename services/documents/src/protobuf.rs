//! Protobuf schemas: `.proto` text or a serialized descriptor to what is compared, stored and served.
//!
//! A schema comes as text or as base64 of its `FileDescriptorProto`, which is what the Confluent serializers register;
//! both forms of one schema are one schema here. Imports are the texts that the caller hands in and the well-known
//! files of Protobuf and of the Confluent registry. Nothing is ever read from the file system or fetched.
//!
//! [`parse`] gives what a comparison works on and also reads what the compiler refuses, because registries hold such
//! texts ([`tolerant`]). [`canonical`], [`normalise`] and [`serialized`] are for schemas that are to be registered, and
//! ask for all that the compiler asks. [`lexer`] refuses what would exhaust either before it is parsed.

pub(crate) mod known;
mod lexer;
mod model;
mod print;
mod sources;
mod tolerant;

use std::collections::BTreeMap;
use std::fmt;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use domain::change::protobuf::Schema;
use domain::error::Kind;

use self::print::Order;
pub(crate) use self::sources::is_base64;
use self::sources::{ROOT, Sources};

/// The most that a schema may have with all of its imports, in bytes.
pub const MAX_BYTES: usize = 1_000_000;
/// The most files that a schema may import, directly or not.
pub const MAX_IMPORTS: usize = 500;
/// The most types, fields, constants and options of a schema with all of its imports.
pub const MAX_DECLARATIONS: usize = 50_000;
/// How deep brackets may be nested, and how many parts the name of a package may have.
const MAX_DEPTH: usize = 64;
/// The most that the full names of all that is declared in a file may have together, in bytes.
const MAX_SCOPED_BYTES: usize = 16_000_000;
/// The maximum length of an error message, in characters.
const MAX_MESSAGE_CHARS: usize = 300;

/// Why a schema cannot be used.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Error {
    /// It has more bytes than [`MAX_BYTES`].
    TooLarge,
    /// It is nested deeper than anybody parses.
    TooDeep,
    /// It declares or imports more than [`MAX_DECLARATIONS`] or [`MAX_IMPORTS`], or names of an absurd length.
    TooMany,
    /// It is neither `.proto` text nor base64 of a file descriptor.
    Encoding,
    /// It imports a file that was not given.
    Import {
        /// The name of the file.
        name: String,
    },
    /// It breaks a rule of the language.
    Invalid {
        /// What is wrong: `line:column: message` in the schema itself, with the file's name before it in an import.
        message: String,
    },
}

impl Error {
    /// What a caller can conclude.
    pub fn kind(&self) -> Kind {
        Kind::Invalid
    }

    fn invalid(message: &str) -> Self {
        let message = message.strip_prefix(ROOT).and_then(|rest| rest.strip_prefix(':')).unwrap_or(message);
        Self::Invalid { message: message.trim_start().chars().take(MAX_MESSAGE_CHARS).collect() }
    }

    /// What is wrong at a byte of a text.
    fn at(text: &str, offset: usize, message: &str) -> Self {
        let before = text.get(..offset).unwrap_or(text);
        let line = before.matches('\n').count() + 1;
        let column = before.rsplit('\n').next().map_or(0, |line| line.chars().count()) + 1;
        Self::invalid(&format!("{line}:{column}: {message}"))
    }
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::TooLarge => write!(f, "the schema and its imports have more than {MAX_BYTES} bytes"),
            Self::TooDeep => write!(f, "the schema is nested deeper than {MAX_DEPTH} levels"),
            Self::TooMany => {
                write!(f, "the schema has more than {MAX_DECLARATIONS} declarations or {MAX_IMPORTS} imports")
            }
            Self::Encoding => f.write_str("the schema is neither .proto text nor base64 of a FileDescriptorProto"),
            Self::Import { name } => write!(f, "the imported file `{name}` is not among the references"),
            Self::Invalid { message } => f.write_str(message),
        }
    }
}

impl std::error::Error for Error {}

/// Reads a schema for comparison: `.proto` text or base64 of a `FileDescriptorProto`, with the texts of the files that
/// it imports by the names that it imports them by. Text that does not say its syntax is proto2.
///
/// What the compiler refuses is read as far as the grammar goes: an undeclared type is compared by its name.
///
/// # Errors
/// [`Error`], if it is over a limit or does not follow the grammar.
pub fn parse(text: &str, imports: &BTreeMap<String, String>) -> Result<Schema, Error> {
    let sources = Sources::read(text, imports)?;
    let compiled = sources.compile(|file| {
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
    Sources::read(text, imports)?.compile(|file| Ok(print::file(file, Order::Declared)))
}

/// As [`canonical`], with all in order that may be reordered without a trace on the wire: imports, options, fields and
/// constants (`normalize=true` of the Confluent Schema Registry). Messages keep their places, which the wire format of
/// registries counts.
///
/// # Errors
/// [`Error`], if the compiler refuses the schema.
pub fn normalise(text: &str, imports: &BTreeMap<String, String>) -> Result<String, Error> {
    Sources::read(text, imports)?.compile(|file| Ok(print::file(file, Order::Sorted)))
}

/// Base64 of the schema's `FileDescriptorProto` with all names resolved, without places in the text and without its
/// imports (`format=serialized` of the Confluent Schema Registry). The file is called `default`, as there.
///
/// # Errors
/// [`Error`], if the compiler refuses the schema.
pub fn serialized(text: &str, imports: &BTreeMap<String, String>) -> Result<String, Error> {
    Sources::read(text, imports)?
        .compile(|file| Ok(STANDARD.encode(sources::without_places(&file.encode_to_vec(), ROOT)?)))
}
