//! Why a schema cannot be used, and the limits behind that.

use std::fmt;

use domain::error::Kind;

/// The name of the schema's own file.
pub(super) const ROOT: &str = "default";
/// The most that a schema may have with all of its imports, in bytes.
pub const MAX_BYTES: usize = 1_000_000;
/// The most files that a schema may import, directly or not.
pub const MAX_IMPORTS: usize = 500;
/// The most types, fields, constants and options of a schema with all of its imports.
pub const MAX_DECLARATIONS: usize = 100_000;
/// How deep brackets may be nested, and how many parts the name of a package may have.
pub(super) const MAX_DEPTH: usize = 64;
/// The most that the full names of all that is declared in a file may have together, in bytes.
pub(super) const MAX_SCOPED_BYTES: usize = 16_000_000;
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

    pub(super) fn invalid(message: &str) -> Self {
        let message = message.strip_prefix(ROOT).and_then(|rest| rest.strip_prefix(':')).unwrap_or(message);
        Self::Invalid { message: message.trim_start().chars().take(MAX_MESSAGE_CHARS).collect() }
    }

    /// What is wrong at a byte of a text.
    pub(super) fn at(text: &str, offset: usize, message: &str) -> Self {
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
