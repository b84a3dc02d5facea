//! The schema registry: subjects, their versions, and the settings that new schemas are judged by.
//!
//! Words, numbers and names are those of the Confluent Schema Registry, whose clients the door is for.

use std::fmt;
use std::str::FromStr;

use crate::change::level::Level;
use crate::change::message::{Format, Policy};
use crate::clock::Timestamp;
use crate::id::PrincipalId;
use crate::words;

/// The longest name of a subject, in bytes.
pub const MAX_SUBJECT_BYTES: usize = 512;
/// The largest text of a schema, in bytes.
pub const MAX_SCHEMA_BYTES: usize = 1_000_000;
/// The most schemas that one schema refers to.
pub const MAX_REFERENCES: usize = 100;
/// The deepest chain of references.
pub const MAX_REFERENCE_DEPTH: usize = 16;

words! {
    /// What may be done in a subject.
    Mode {
        /// Schemas are read and registered.
        ReadWrite = "READWRITE",
        /// Schemas are read.
        ReadOnly = "READONLY",
        /// Schemas are read, whatever the subjects say: for the registry as a whole.
        ReadOnlyOverride = "READONLY_OVERRIDE",
        /// Schemas are brought over from another registry: the caller gives their ids and versions.
        Import = "IMPORT",
    }
}

impl Mode {
    /// Whether schemas may be registered and deleted.
    pub fn allows_writes(self) -> bool {
        matches!(self, Self::ReadWrite | Self::Import)
    }
}

/// Why a text is not a subject's name.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("`{0}` is not a subject: use 1 to {MAX_SUBJECT_BYTES} bytes without control characters")]
pub struct NotASubject(String);

/// A subject's name, with its context where it is not the default one: `orders-value`, `:.staging:orders-value`.
///
/// The default context is `.`; `:.:orders-value` is `orders-value`.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Subject {
    context: String,
    name: String,
}

/// The name of the default context.
pub const DEFAULT_CONTEXT: &str = ".";
/// The name under which the settings of all contexts together are found.
const GLOBAL_CONTEXT: &str = ".__GLOBAL";

impl Subject {
    /// A subject of the default context.
    ///
    /// # Errors
    /// [`NotASubject`].
    pub fn parse(text: &str) -> Result<Self, NotASubject> {
        let wrong = || NotASubject(text.chars().filter(|c| !c.is_control()).take(80).collect());
        let is_good = |part: &str| part.len() <= MAX_SUBJECT_BYTES && !part.chars().any(char::is_control);
        let (context, name) = match text.strip_prefix(":.").and_then(|rest| rest.split_once(':')) {
            Some((context, name)) => (format!(".{context}"), name),
            None => (DEFAULT_CONTEXT.to_owned(), text),
        };
        let refused = !is_good(&context) || !is_good(name) || name.is_empty();
        // What only the registry itself may mean.
        if refused || name == "__GLOBAL" || name == "__EMPTY" || context == GLOBAL_CONTEXT {
            return Err(wrong());
        }
        Ok(Self { context, name: name.to_owned() })
    }

    /// Its context, beginning with a dot.
    pub fn context(&self) -> &str {
        &self.context
    }

    /// Its name without the context.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// The same name in another context, where it names none of its own.
    pub fn in_context_of(self, other: &Self) -> Self {
        match self.context.as_str() {
            DEFAULT_CONTEXT => Self { context: other.context.clone(), ..self },
            _ => self,
        }
    }
}

impl fmt::Display for Subject {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.context.as_str() {
            DEFAULT_CONTEXT => f.write_str(&self.name),
            context => write!(f, ":{context}:{}", self.name),
        }
    }
}

impl FromStr for Subject {
    type Err = NotASubject;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        Self::parse(text)
    }
}

/// What settings are for: all of the registry, a context, or a subject. What the narrower does not say, the wider does.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum Scope {
    /// Everything.
    Global,
    /// The subjects of a context.
    Context(String),
    /// One subject.
    Subject(Subject),
}

impl Scope {
    /// Reads the subject of a request for settings: a subject, or a context as `:.staging:`.
    ///
    /// # Errors
    /// [`NotASubject`].
    pub fn parse(text: &str) -> Result<Self, NotASubject> {
        match text.strip_prefix(':').and_then(|rest| rest.strip_suffix(':')) {
            Some(GLOBAL_CONTEXT) => Ok(Self::Global),
            Some(DEFAULT_CONTEXT) => Ok(Self::Context(DEFAULT_CONTEXT.to_owned())),
            Some(context) if context.starts_with('.') && !context.contains(':') => {
                // A context is good where a subject in it is.
                Subject::parse(&format!(":{context}:a")).map(|subject| Self::Context(subject.context))
            }
            _ => Subject::parse(text).map(Self::Subject),
        }
    }

    /// This scope and those around it, the narrowest first.
    pub fn and_wider(&self) -> Vec<Self> {
        match self {
            Self::Global => vec![Self::Global],
            Self::Context(_) => vec![self.clone(), Self::Global],
            Self::Subject(subject) => vec![self.clone(), Self::Context(subject.context.clone()), Self::Global],
        }
    }
}

/// As it is stored: no subject has such a name as the other two.
impl fmt::Display for Scope {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Global => write!(f, ":{GLOBAL_CONTEXT}:"),
            Self::Context(context) => write!(f, ":{context}:"),
            Self::Subject(subject) => subject.fmt(f),
        }
    }
}

/// What a scope says of itself; `None` leaves it to the wider one.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Settings {
    /// Which readers a new schema must not break.
    pub level: Option<Level>,
    /// How content models of JSON Schemas are judged.
    pub policy: Option<Policy>,
    /// Whether schemas are normalised before they are compared and kept.
    pub normalize: Option<bool>,
    /// What may be done.
    pub mode: Option<Mode>,
}

impl Settings {
    /// What holds where nobody has said anything: the defaults of the Confluent Schema Registry.
    pub const DEFAULT: Self = Self {
        level: Some(Level::Backward),
        policy: Some(Policy::Strict),
        normalize: Some(false),
        mode: Some(Mode::ReadWrite),
    };

    /// These, and the wider ones' where these say nothing.
    pub fn or(self, wider: Self) -> Self {
        Self {
            level: self.level.or(wider.level),
            policy: self.policy.or(wider.policy),
            normalize: self.normalize.or(wider.normalize),
            mode: self.mode.or(wider.mode),
        }
    }
}

/// A schema that another one names: an Avro type, a `$ref`, a Protobuf import.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Reference {
    /// The name by which the schema refers to it.
    pub name: String,
    /// The subject it is registered under.
    pub subject: Subject,
    /// Its version there, from 1.
    pub version: u32,
}

/// The number of a schema, which producers write before each message. It is unique in the registry and never given
/// twice.
pub type SchemaId = u32;

/// A schema as it was registered.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Schema {
    /// Its number.
    pub id: SchemaId,
    /// The context it is registered in.
    pub context: String,
    /// Its format.
    pub format: Format,
    /// Its text, in the form that the format's comparer calls canonical.
    pub text: String,
    /// What it refers to.
    pub references: Vec<Reference>,
    /// The SHA-256 of format, text and references, in lower-case hexadecimal: what makes it the same schema.
    pub digest: String,
}

/// A schema's place in a subject.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SubjectVersion {
    /// The subject.
    pub subject: Subject,
    /// Its number there, from 1.
    pub version: u32,
    /// The schema.
    pub schema_id: SchemaId,
    /// Whether it was taken out of use. It can still be read by its schema's id.
    pub deleted: bool,
    /// Who registered it.
    pub registered_by: PrincipalId,
    /// When.
    pub registered_at: Timestamp,
}
