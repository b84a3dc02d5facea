//! JSON Schema, text to model: drafts 4, 6, 7, 2019-09 and 2020-12.
//!
//! [`parse`] validates a schema against the metaschema of its draft, resolves its references, and builds the model that
//! [`domain::change::json_schema`] compares. A schema without a known `$schema` is read as draft 7, as in the Confluent
//! Schema Registry, or as draft 4 if it is valid only there. References point into the schema itself or into the
//! schemas passed in by name; nothing is ever fetched. [`canonical`] and [`normalise`] write the forms by which a
//! registry decides whether two schemas are the same.
//!
//! [`load`] interprets keywords, [`index`] resolves references.

pub(crate) mod index;
mod load;

use std::collections::BTreeMap;
use std::fmt;

use domain::change::json_schema::Schema;
use domain::error::Kind;
use serde_json::Value;

use self::index::Index;

/// The largest schema, in bytes.
pub const MAX_BYTES: usize = 1_000_000;
/// The deepest nesting of objects and arrays: 59 objects within one another, and less than `serde_json` refuses.
pub const MAX_DEPTH: usize = 120;
/// The most JSON values, counted with those of the references: a list of two-letter codes has 200,000 in
/// [`MAX_BYTES`].
pub const MAX_VALUES: usize = 250_000;

/// Why a text is no schema that can be used.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Error {
    /// It has more than [`MAX_BYTES`] bytes.
    TooLarge {
        /// How many it has.
        size_bytes: usize,
    },
    /// It nests more than [`MAX_DEPTH`] deep.
    TooDeep,
    /// It and its references have more than [`MAX_VALUES`] values.
    TooManyValues,
    /// It is not JSON.
    NotJson {
        /// What the parser says, with line and column.
        reason: String,
    },
    /// It does not satisfy the metaschema of its draft.
    NotASchema {
        /// The JSON pointer (RFC 6901) of the value that does not; empty for the root.
        path: String,
        reason: String,
    },
    /// A reference leads out of the schema and to none that was handed in, or to what is no schema.
    Unresolved {
        /// The reference as it is written.
        reference: String,
    },
    /// A reference leads through references to itself only.
    Circular {
        /// The reference as it is written.
        reference: String,
    },
    /// The caller's schema is invalid.
    Reference {
        name: String,
        /// What is wrong with it.
        error: Box<Error>,
    },
}

impl Error {
    /// What a caller can conclude.
    pub fn kind(&self) -> Kind {
        match self {
            Self::TooLarge { .. } | Self::TooDeep | Self::TooManyValues => Kind::TooMany,
            Self::NotJson { .. } | Self::NotASchema { .. } | Self::Unresolved { .. } | Self::Circular { .. } => {
                Kind::Invalid
            }
            Self::Reference { error, .. } => error.kind(),
        }
    }
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::TooLarge { size_bytes } => {
                write!(f, "the schema has {size_bytes} bytes; at most {MAX_BYTES} are allowed")
            }
            Self::TooDeep => write!(f, "the schema nests deeper than {MAX_DEPTH}"),
            Self::TooManyValues => write!(f, "the schema and its references have more than {MAX_VALUES} values"),
            Self::NotJson { reason } => write!(f, "the schema is not JSON: {reason}"),
            Self::NotASchema { path, reason } if path.is_empty() => write!(f, "not a valid JSON Schema: {reason}"),
            Self::NotASchema { path, reason } => write!(f, "`{path}` is not a valid JSON Schema: {reason}"),
            Self::Unresolved { reference } => {
                write!(f, "`{reference}` resolves to no schema here or among the references; schemas are never fetched")
            }
            Self::Circular { reference } => write!(f, "`{reference}` refers only to itself"),
            Self::Reference { name, .. } => write!(f, "the reference `{name}` cannot be used"),
        }
    }
}

impl std::error::Error for Error {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        match self {
            Self::Reference { error, .. } => Some(error.as_ref()),
            Self::TooLarge { .. }
            | Self::TooDeep
            | Self::TooManyValues
            | Self::NotJson { .. }
            | Self::NotASchema { .. }
            | Self::Unresolved { .. }
            | Self::Circular { .. } => None,
        }
    }
}

/// Reads a schema. `references` are the texts of the schemas that it may refer to, by the names it uses for them.
///
/// # Errors
/// The first thing that is wrong with it or with one of its references.
pub fn parse(text: &str, references: &BTreeMap<String, String>) -> Result<Schema, Error> {
    let mut n_values_left = MAX_VALUES;
    let root = read(text, &mut n_values_left)?;
    let draft = checked(&root, Draft::default())?;
    let mut named = Vec::with_capacity(references.len());
    for (name, text) in references {
        let in_reference = |error| Error::Reference { name: name.clone(), error: Box::new(error) };
        let value = read(text, &mut n_values_left).map_err(in_reference)?;
        let draft = checked(&value, draft).map_err(in_reference)?;
        named.push((name.as_str(), value, draft));
    }
    let mut index = Index::new(&root, draft);
    for (name, value, draft) in &named {
        index.add(name, value, *draft);
    }
    load::load(&index, &root)
}

/// The schema on one line, members in their order: two texts that differ in white space only are the same.
///
/// # Errors
/// As of [`parse`], as far as the text is no JSON within the limits.
pub fn canonical(text: &str) -> Result<String, Error> {
    Ok(read(text, &mut MAX_VALUES.clone())?.to_string())
}

/// The schema on one line, members sorted by name: two texts that differ in the order of members are the same too.
///
/// # Errors
/// As of [`canonical`].
pub fn normalise(text: &str) -> Result<String, Error> {
    let mut value = read(text, &mut MAX_VALUES.clone())?;
    value.sort_all_objects();
    Ok(value.to_string())
}

/// The versions of JSON Schema.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Draft {
    Draft4,
    Draft6,
    #[default]
    Draft7,
    Draft201909,
    Draft202012,
}

impl Draft {
    /// The draft that a schema names.
    pub(crate) fn of(root: &Value) -> Option<Self> {
        let (_, name) = root.get("$schema")?.as_str()?.split_once("://json-schema.org/")?;
        match name.trim_end_matches('#') {
            "schema" | "draft-04/schema" => Some(Self::Draft4),
            "draft-06/schema" => Some(Self::Draft6),
            "draft-07/schema" => Some(Self::Draft7),
            "draft/2019-09/schema" => Some(Self::Draft201909),
            "draft/2020-12/schema" => Some(Self::Draft202012),
            _ => None,
        }
    }

    /// The keyword that names a schema.
    fn id_keyword(self) -> &'static str {
        if self == Self::Draft4 { "id" } else { "$id" }
    }
}

/// The JSON of a text, under the limits. Depth is counted before anything is parsed.
fn read(text: &str, n_values_left: &mut usize) -> Result<Value, Error> {
    if text.len() > MAX_BYTES {
        return Err(Error::TooLarge { size_bytes: text.len() });
    }
    if depth(text) > MAX_DEPTH {
        return Err(Error::TooDeep);
    }
    let value: Value = serde_json::from_str(text).map_err(|error| Error::NotJson { reason: error.to_string() })?;
    *n_values_left = n_values_left.checked_sub(n_values(&value)).ok_or(Error::TooManyValues)?;
    Ok(value)
}

/// How deep the brackets of a text nest, those in strings left out.
fn depth(text: &str) -> usize {
    let (mut depth, mut deepest) = (0_usize, 0);
    let (mut is_string, mut is_escaped) = (false, false);
    for byte in text.bytes() {
        match byte {
            _ if is_escaped => is_escaped = false,
            b'\\' if is_string => is_escaped = true,
            b'"' => is_string = !is_string,
            b'{' | b'[' if !is_string => {
                depth += 1;
                deepest = deepest.max(depth);
            }
            b'}' | b']' if !is_string => depth = depth.saturating_sub(1),
            _ => {}
        }
    }
    deepest
}

fn n_values(value: &Value) -> usize {
    1 + match value {
        Value::Object(members) => members.values().map(n_values).sum(),
        Value::Array(items) => items.iter().map(n_values).sum(),
        _ => 0,
    }
}

/// The draft of a schema, whose metaschema it satisfies. One that names no known draft is of `default`, or of draft 4
/// if only that one knows its form (`exclusiveMinimum: true`). One that names draft 4 may have the forms of draft 6
/// (`required: []`, `true`), as many that say so do.
fn checked(value: &Value, default: Draft) -> Result<Draft, Error> {
    match Draft::of(value) {
        Some(Draft::Draft4) => {
            let result = check(value, Draft::Draft4);
            return result.or_else(|error| check(value, Draft::Draft6).map_err(|_| error)).map(|()| Draft::Draft4);
        }
        Some(draft) => return check(value, draft).map(|()| draft),
        None => {}
    }
    match check(value, default) {
        Ok(()) => Ok(default),
        Err(error) => check(value, Draft::Draft4).map(|()| Draft::Draft4).map_err(|_| error),
    }
}

/// Holds a schema against the metaschema of a draft.
fn check(value: &Value, draft: Draft) -> Result<(), Error> {
    let result = match draft {
        Draft::Draft4 => jsonschema::draft4::meta::validate(value),
        Draft::Draft6 => jsonschema::draft6::meta::validate(value),
        Draft::Draft7 => jsonschema::draft7::meta::validate(value),
        Draft::Draft201909 => jsonschema::draft201909::meta::validate(value),
        Draft::Draft202012 => jsonschema::draft202012::meta::validate(value),
    };
    result.map_err(|error| Error::NotASchema {
        path: error.instance_path().to_string(),
        reason: error.masked().to_string(),
    })
}
