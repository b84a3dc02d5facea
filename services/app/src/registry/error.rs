//! Why the registry did not do what it was asked. The door gives each the number that clients know it by.

use domain::change::level::Level;
use domain::change::message::Difference;
use domain::registry::{Mode, Scope, Subject};

/// A failure of a use case of the registry.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// There is no such subject, or the caller may not know of it.
    #[error("subject `{0}` not found")]
    SubjectNotFound(Subject),
    /// The subject has no such version.
    #[error("version {0} not found")]
    VersionNotFound(String),
    /// No schema has the id, or the subject does not have the schema.
    #[error("schema not found")]
    SchemaNotFound,
    /// The subject is already soft deleted.
    #[error("subject `{0}` was soft deleted; set permanent=true to delete it permanently")]
    SubjectSoftDeleted(Subject),
    /// The subject must be soft deleted first.
    #[error("subject `{0}` was not deleted first before being permanently deleted")]
    SubjectNotSoftDeleted(Subject),
    /// The version is already soft deleted.
    #[error("subject `{0}` version {1} was soft deleted; set permanent=true to delete it permanently")]
    VersionSoftDeleted(Subject, u32),
    /// The version must be soft deleted first.
    #[error("subject `{0}` version {1} was not deleted first before being permanently deleted")]
    VersionNotSoftDeleted(Subject, u32),
    /// The scope says nothing of its own about levels.
    #[error("`{0}` does not have a compatibility level of its own")]
    NoLevel(Scope),
    /// The scope says nothing of its own about modes.
    #[error("`{0}` does not have a mode of its own")]
    NoMode(Scope),
    /// The scope says nothing of its own that could be taken back.
    #[error("`{0}` has no setting of its own to delete")]
    NothingToClear(Scope),
    /// The schema breaks readers that the subject's level or its contract protects.
    #[error("schema being registered is incompatible with an earlier schema for subject `{subject}`, details: {}",
        .reasons.join(", "))]
    Incompatible {
        /// The subject.
        subject: Subject,
        /// What breaks whom.
        reasons: Vec<String>,
    },
    /// The schema cannot be used.
    #[error("invalid schema: {0}")]
    InvalidSchema(String),
    /// The schema is larger than any may be.
    #[error("the schema is too large, alone or with its references")]
    TooLarge,
    /// The mode, the policy, or the contract does not let it happen.
    #[error("{0}")]
    NotPermitted(String),
    /// There are as many as the configuration allows.
    #[error("{what} has reached the limit of {limit} {of} (`registry.{setting}` in `charter.toml`)")]
    TooMany {
        /// What is full, with its name.
        what: String,
        /// Of what.
        of: &'static str,
        /// How many there may be.
        limit: u32,
        /// The name of the setting.
        setting: &'static str,
    },
    /// Other schemas refer to it.
    #[error("one or more references exist to the schema: subject `{0}`, version {1}")]
    ReferenceExists(Subject, u32),
    /// The schema has another id.
    #[error("schema already registered with id {0} instead of the id given")]
    IdMismatch(u32),
    /// The id is, or was, another schema's.
    #[error("schema id {0} is already in use")]
    IdTaken(u32),
    /// Any other.
    #[error(transparent)]
    Other(#[from] crate::Error),
}

impl From<store::Error> for Error {
    fn from(error: store::Error) -> Self {
        Self::Other(error.into())
    }
}

impl Error {
    /// A mode that forbids changes.
    pub(super) fn mode(scope: impl std::fmt::Display, mode: Mode) -> Self {
        Self::NotPermitted(format!("`{scope}` is in {mode} mode"))
    }
}

/// What breaks readers between a new schema and one version of the subject.
#[derive(Clone, Debug)]
pub struct Incompatibility {
    /// The version that it was compared with.
    pub version: u32,
    /// What breaks, in the direction in which it does.
    pub differences: Vec<Difference>,
    /// The text of that version's schema.
    pub old_text: String,
}

impl Incompatibility {
    /// The incompatibilities as clients of the Confluent Schema Registry know them: one text each difference, then
    /// the version, its text and the level.
    pub fn messages(all: &[Self], level: Level) -> Vec<String> {
        let mut messages = Vec::new();
        for found in all {
            for difference in &found.differences {
                messages.push(format!(
                    "{{errorType:'{}', description:'{}', additionalInfo:'{}'}}",
                    difference.name, difference.message, difference.path
                ));
            }
            messages.push(format!("{{oldSchemaVersion: {}}}", found.version));
            messages.push(format!("{{oldSchema: '{}'}}", found.old_text));
        }
        if !messages.is_empty() {
            messages.push(format!("{{compatibility: '{level}'}}"));
        }
        messages
    }
}
