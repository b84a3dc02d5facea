//! Avro schemas: text to model, and the two texts by which a registry tells whether schemas are the same.
//!
//! A schema is read by our own reader of the specification (1.12) and not by `apache-avro`. That one has no limits of
//! its own, tells no places, and has one strictness, so that a stored schema could become unreadable.
//! It overlooks defaults of bytes and fixed types that are none, and orders that do not exist; it refuses `error` and,
//! from within a namespace, names without one; and what it writes has lost logical types that are invalid. The tests
//! hold the two against each other, there and where they agree.
//!
//! There are two strictnesses. [`parse_new`] parses new schemas and refuses all that the specification forbids.
//! [`parse`] parses stored schemas and tolerates what makes no difference to readers: names with other characters,
//! defaults that do not fit, types used before they are defined, a type wrapped in a `type` of its own.
//!
//! Where the specification and the Java implementation, which the Confluent Schema Registry runs, part: a name without
//! a dot that is not in the enclosing namespace is looked up without a namespace, as in Java; `error` is a record; enum
//! defaults and symbols within defaults are held against the symbols, and texts are no defaults of numbers but for the
//! three that Java itself writes (`"NaN"`, `"Infinity"`, `"-Infinity"`), all of which Java overlooks; a logical type
//! that is invalid for its type is ignored, as both say.

mod default;
mod inline;
mod logical;
mod read;
mod text;

use std::collections::BTreeMap;
use std::fmt;

use domain::change::avro::{Primitive, Schema};
use domain::error::Kind;
use serde_json::Value;

pub use self::inline::resolved;
use self::read::{Reader, Rules};
pub use self::text::{canonical, normalise};

/// The largest schema with its references, in bytes.
pub const MAX_BYTES: usize = 1_000_000;
/// The most JSON values in a schema with its references.
pub const MAX_VALUES: usize = 250_000;
/// How deep JSON values may be nested, which is less than `serde_json` refuses. A record within a record takes three.
pub const MAX_DEPTH: usize = 120;
/// The most symbols of an enum.
pub const MAX_SYMBOLS: usize = 100_000;
/// The longest name, namespace or symbol, in bytes.
pub const MAX_NAME_BYTES: usize = 1_000;

/// A text that is no schema.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Error {
    /// It is not JSON.
    Syntax {
        /// The line, from 1.
        line: usize,
        /// The column, from 1.
        column: usize,
        message: String,
    },
    /// It exceeds a limit, which the text says.
    TooLarge(String),
    /// It is JSON and no schema.
    Invalid {
        /// The JSON pointer (RFC 6901) of the value; empty for the whole.
        path: String,
        message: String,
    },
    /// It is in one of the references; the source says what it is.
    Reference {
        /// The name of the reference.
        name: String,
        /// What is wrong with it.
        source: Box<Error>,
    },
}

/// Reads a stored schema, overlooking what makes no difference to readers.
///
/// The text is JSON, or the bare name of a primitive type. `references` are texts by their names, in any order; what
/// they define may be used by its full name.
///
/// # Errors
/// The first thing that is wrong with it.
pub fn parse(text: &str, references: &BTreeMap<String, String>) -> Result<Schema, Error> {
    read_with(text, references, Rules::Stored)
}

/// Parses a new schema by all the rules of the specification. The references are not new, and
/// read as by [`parse`].
///
/// # Errors
/// The first thing that is wrong with it.
pub fn parse_new(text: &str, references: &BTreeMap<String, String>) -> Result<Schema, Error> {
    read_with(text, references, Rules::New)
}

fn read_with(text: &str, references: &BTreeMap<String, String>, rules: Rules) -> Result<Schema, Error> {
    let mut size = Size::default();
    let mut values = Vec::with_capacity(references.len());
    for (name, reference) in references {
        let value = json(reference, &mut size);
        values.push((name.as_str(), value.map_err(|source| in_reference(name, source))?));
    }
    let value = json(text, &mut size)?;
    let mut reader = Reader::default();
    reader.references(&values)?;
    reader.schema(&value, rules)
}

/// What has been read so far of a text and its references.
#[derive(Default)]
struct Size {
    n_bytes: usize,
    n_values: usize,
}

/// Reads JSON, or the bare name of a primitive type. The text is measured before, so that reading it is bounded.
fn json(text: &str, size: &mut Size) -> Result<Value, Error> {
    let too_large = |message: String| Err(Error::TooLarge(message));
    size.n_bytes = size.n_bytes.saturating_add(text.len());
    if size.n_bytes > MAX_BYTES {
        return too_large(format!("the schema and its references have more than {MAX_BYTES} bytes"));
    }
    let bare = text.trim_ascii();
    if bare.parse::<Primitive>().is_ok() {
        return Ok(Value::String(bare.to_owned()));
    }
    // A list or map of n values has n - 1 commas.
    let (mut depth, mut in_text, mut escaped) = (0_usize, false, false);
    for byte in text.bytes() {
        match byte {
            _ if escaped => escaped = false,
            b'\\' if in_text => escaped = true,
            b'"' => in_text = !in_text,
            _ if in_text => {}
            b'{' | b'[' => (depth, size.n_values) = (depth + 1, size.n_values + 1),
            b'}' | b']' => depth = depth.saturating_sub(1),
            b',' => size.n_values += 1,
            _ => {}
        }
        if depth > MAX_DEPTH {
            return too_large(format!("values are nested more than {MAX_DEPTH} deep"));
        }
        if size.n_values > MAX_VALUES {
            return too_large(format!("the schema and its references have more than {MAX_VALUES} values"));
        }
    }
    serde_json::from_str(text).map_err(|error| {
        let message = error.to_string();
        let message = message.split(" at line ").next().unwrap_or_default().to_owned();
        Error::Syntax { line: error.line().max(1), column: error.column().max(1), message }
    })
}

/// The full name that a name means within a namespace, which is empty for none.
fn full_name(name: &str, namespace: &str) -> String {
    match name.rsplit_once('.') {
        Some(("", unqualified)) => unqualified.to_owned(),
        None if !namespace.is_empty() => format!("{namespace}.{name}"),
        _ => name.to_owned(),
    }
}

/// The namespace of a full name; empty for none.
fn namespace_of(full: &str) -> &str {
    full.rsplit_once('.').map_or("", |(namespace, _)| namespace)
}

fn invalid(path: &str, message: impl Into<String>) -> Error {
    Error::Invalid { path: path.to_owned(), message: message.into() }
}

fn in_reference(name: &str, source: Error) -> Error {
    Error::Reference { name: crate::node::shortened(name), source: Box::new(source) }
}

impl Error {
    /// What kind of failure it is.
    pub fn kind(&self) -> Kind {
        match self {
            Self::Syntax { .. } | Self::Invalid { .. } => Kind::Invalid,
            Self::TooLarge(_) => Kind::TooMany,
            Self::Reference { source, .. } => source.kind(),
        }
    }
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Syntax { line, column, message } => write!(f, "{line}:{column}: {message}"),
            Self::TooLarge(message) => f.write_str(message),
            Self::Invalid { path, message } if path.is_empty() => f.write_str(message),
            Self::Invalid { path, message } => write!(f, "{path}: {message}"),
            Self::Reference { name, .. } => write!(f, "the reference `{name}` is not a schema"),
        }
    }
}

impl std::error::Error for Error {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        match self {
            Self::Reference { source, .. } => Some(source.as_ref()),
            Self::Syntax { .. } | Self::TooLarge(_) | Self::Invalid { .. } => None,
        }
    }
}
