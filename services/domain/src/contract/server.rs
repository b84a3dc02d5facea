//! Servers of a contract (ODCS `servers`): where its data is stored.

use std::fmt;
use std::str::FromStr;

use super::object::{Fields, SchemaObject};
use crate::table::Format;

/// The environment of a server that names none.
pub const SERVING_ENVIRONMENT: &str = "prod";

/// The placeholder of the schema object in a local path.
const MODEL: &str = "{model}";

/// One entry of ODCS `servers`.
#[derive(Clone, Debug, PartialEq)]
pub struct Server {
    /// The stable id.
    pub id: Option<String>,
    /// Its name.
    pub name: String,
    /// The environment it serves; [`SERVING_ENVIRONMENT`] if it names none.
    pub environment: String,
    /// What it is.
    pub kind: ServerKind,
    /// For people.
    pub documentary: Fields,
    /// Everything else: host, port, catalog, ...
    pub other: Fields,
}

/// What a server is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum ServerKind {
    /// A folder below the storage root of this server. What tables are bound from.
    Local(LocalServer),
    /// Any other type, by its word.
    Other(String),
}

/// A folder below the storage root.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LocalServer {
    /// The folder.
    pub path: LocalPath,
    /// The format of the tables in it.
    pub format: Format,
}

/// A path relative to the storage root: segments joined with `/`, none of them empty, `.` or `..`, no NUL, no
/// backslash. `{model}` is replaced by the schema object's physical name, else its name.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct LocalPath(String);

/// A path that could lead out of the storage root or has no single spelling.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum BadLocalPath {
    /// It starts at the root of the machine.
    #[error("a local path is relative to the storage root, so it must not start with `/`")]
    Absolute,
    /// A segment is empty, `.` or `..`.
    #[error("a local path must not have empty, `.` or `..` segments")]
    Segment,
    /// It holds a character that no path should.
    #[error("a local path must not hold control characters or `\\`")]
    Character,
    /// A schema object's name would add segments.
    #[error("`{{model}}` would be `{0}`, which is not one path segment")]
    Model(String),
}

impl LocalPath {
    /// The text, with the placeholder.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// The folder of one schema object, relative to the storage root.
    ///
    /// # Errors
    /// [`BadLocalPath::Model`] if the object's physical name is not a single path segment.
    pub fn resolve(&self, object: &SchemaObject) -> Result<String, BadLocalPath> {
        if !self.0.contains(MODEL) {
            return Ok(self.0.clone());
        }
        let model = object.physical_name.as_deref().unwrap_or(&object.name);
        if model.contains('/') || check(model).is_err() {
            return Err(BadLocalPath::Model(model.chars().filter(|c| !c.is_control()).take(80).collect()));
        }
        Ok(self.0.replace(MODEL, model))
    }
}

impl FromStr for LocalPath {
    type Err = BadLocalPath;

    fn from_str(text: &str) -> Result<Self, BadLocalPath> {
        check(text)?;
        Ok(Self(text.to_owned()))
    }
}

impl fmt::Display for LocalPath {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

fn check(path: &str) -> Result<(), BadLocalPath> {
    if path.starts_with('/') {
        return Err(BadLocalPath::Absolute);
    }
    if path.chars().any(|c| c.is_control() || c == '\\') {
        return Err(BadLocalPath::Character);
    }
    if path.split('/').any(|segment| matches!(segment, "" | "." | "..")) {
        return Err(BadLocalPath::Segment);
    }
    Ok(())
}
