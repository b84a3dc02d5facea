//! The schema registry: subjects, their versions, and the settings under which new schemas are checked.
//!
//! Terms, numbers and names are those of the Confluent Schema Registry, so that its clients work unchanged.

use std::fmt;
use std::str::FromStr;

use crate::change::level::Level;
use crate::change::message::{Format, Policy};
use crate::clock::Timestamp;
use crate::closed_set;
use crate::id::PrincipalId;

/// The longest name of a subject, in bytes.
pub const MAX_SUBJECT_BYTES: usize = 512;
/// The largest text of a schema, in bytes; with the texts of all that it refers to.
pub const MAX_SCHEMA_BYTES: usize = 1_000_000;
/// The most schemas that one schema refers to.
pub const MAX_REFERENCES: usize = 100;
/// The deepest chain of references.
pub const MAX_REFERENCE_DEPTH: usize = 16;

closed_set! {
    /// What may be done in a subject.
    Mode {
        /// Schemas are read and registered.
        ReadWrite = "READWRITE",
        /// Schemas are read.
        ReadOnly = "READONLY",
        /// As [`Self::ReadOnly`]; a word of older registries.
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
#[error(
    "`{0}` is not a subject: use 1 to {MAX_SUBJECT_BYTES} bytes without control characters, which do not begin as a context \
     (`:.`, `:*:`)"
)]
pub struct NotASubject(String);

/// A subject's name, with its context where it is not the default one: `orders-value`, `:.staging:orders-value`.
///
/// The default context is `.`; `:.:orders-value` is `orders-value`. A name itself never begins as a context does, so
/// that one text means one subject.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Subject {
    context: String,
    name: String,
}

/// How the name of a subject begins that is not in the default context.
const CONTEXT: &str = ":.";
/// How a prefix begins that is for all contexts.
const ANY_CONTEXT: &str = ":*:";

/// The context that a text begins with, and the rest of it.
fn in_context(text: &str) -> (String, &str) {
    let Some(rest) = text.strip_prefix(CONTEXT) else { return (DEFAULT_CONTEXT.to_owned(), text) };
    let (context, name) = rest.split_once(':').unwrap_or((rest, ""));
    (format!(".{context}"), name)
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
        let (context, name) = in_context(text);
        let begins_as_context = name.starts_with(CONTEXT) || name.starts_with(ANY_CONTEXT);
        let refused = !is_good(&context) || !is_good(name) || name.is_empty() || begins_as_context;
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

/// How the names of subjects begin that a list is of: `orders` in the default context, `:.staging:orders` in another
/// one, `:*:orders` in all of them.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Prefix {
    /// `None` for all.
    context: Option<String>,
    name: String,
}

impl Prefix {
    /// Reads a prefix. Each text is one, if only of nothing.
    pub fn parse(text: &str) -> Self {
        if let Some(name) = text.strip_prefix(ANY_CONTEXT) {
            return Self { context: None, name: name.to_owned() };
        }
        let (context, name) = in_context(text);
        Self { context: Some(context), name: name.to_owned() }
    }

    /// The prefix of every subject.
    pub fn of_all() -> Self {
        Self { context: None, name: String::new() }
    }

    /// Whether a subject's name begins so.
    pub fn matches(&self, subject: &Subject) -> bool {
        self.context.as_ref().is_none_or(|context| *context == subject.context) && subject.name.starts_with(&self.name)
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
            Some(DEFAULT_CONTEXT) => Ok(Self::top()),
            Some(context) if context.starts_with('.') && !context.contains(':') => {
                // A context is good where a subject in it is.
                Subject::parse(&format!(":{context}:a")).map(|subject| Self::Context(subject.context))
            }
            _ => Subject::parse(text).map(Self::Subject),
        }
    }

    /// The default context, which is what requests that name no scope are about.
    pub fn top() -> Self {
        Self::Context(DEFAULT_CONTEXT.to_owned())
    }

    /// Whether something always holds here, if only the defaults: for the default context, and for all together.
    pub fn is_top(&self) -> bool {
        *self == Self::Global || *self == Self::top()
    }

    /// Whether a subject is in it.
    pub fn contains(&self, subject: &Subject) -> bool {
        match self {
            Self::Global => true,
            Self::Context(context) => *context == subject.context,
            Self::Subject(own) => own == subject,
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
    /// The defaults of the Confluent Schema Registry, which apply where nothing is configured.
    pub const DEFAULT: Self = Self {
        level: Some(Level::Backward),
        policy: Some(Policy::Strict),
        normalize: Some(false),
        mode: Some(Mode::ReadWrite),
    };

    /// These, as far as they are of one part.
    pub fn part(self, part: Part) -> Self {
        match part {
            Part::Levels => Self { mode: None, ..self },
            Part::Mode => Self { mode: self.mode, ..Self::default() },
        }
    }

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

/// The two parts of the settings, which are read and changed apart.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Part {
    /// How new schemas are judged and kept.
    Levels,
    /// What may be done.
    Mode,
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

/// The greatest id of a schema and the greatest version of a subject: clients keep them in 32 bits with a sign.
pub const MAX_NUMBER: u32 = i32::MAX.unsigned_abs();

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
    /// Whether it was soft deleted. It can still be read by its schema's id.
    pub deleted: bool,
    /// Who registered it.
    pub registered_by: PrincipalId,
    /// When.
    pub registered_at: Timestamp,
}
