//! Why the registry did not do what it was asked. The door gives each the number that clients know it by. Where clients
//! and their tests look at the text of the Confluent Schema Registry, the text is the same.

use domain::change::level::Level;
use domain::change::message::Difference;
use domain::registry::{Mode, SchemaId, Scope, Subject};
use domain::version::Version;

/// A failure of a use case of the registry.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// There is no such subject, or the caller may not know of it.
    #[error("Subject '{0}' not found.")]
    SubjectNotFound(Subject),
    /// The subject has no such version.
    #[error("Version {0} not found.")]
    VersionNotFound(String),
    /// No schema has the id, or the subject does not have the schema.
    #[error("Schema {}not found", .0.map(|id| format!("{id} ")).unwrap_or_default())]
    SchemaNotFound(Option<SchemaId>),
    /// The subject is already soft deleted.
    #[error("Subject '{0}' was soft deleted.Set permanent=true to delete permanently")]
    SubjectSoftDeleted(Subject),
    /// The subject must be soft deleted first.
    #[error("Subject '{0}' was not deleted first before being permanently deleted")]
    SubjectNotSoftDeleted(Subject),
    /// The version is already soft deleted.
    #[error("Subject '{0}' Version {1} was soft deleted.Set permanent=true to delete permanently")]
    VersionSoftDeleted(Subject, u32),
    /// The version must be soft deleted first.
    #[error("Subject '{0}' Version {1} was not deleted first before being permanently deleted")]
    VersionNotSoftDeleted(Subject, u32),
    /// The scope says nothing of its own about levels.
    #[error("Subject '{0}' does not have subject-level compatibility configured")]
    NoLevel(Scope),
    /// The scope says nothing of its own about modes.
    #[error("Subject '{0}' does not have subject-level mode configured")]
    NoMode(Scope),
    /// The scope says nothing of its own that could be taken back.
    #[error("`{0}` has no setting of its own to delete")]
    NothingToClear(Scope),
    /// The schema breaks readers that the subject's level or its contract protects.
    #[error("Schema being registered is incompatible with an earlier schema for subject \"{subject}\", details: [{}]",
        .reasons.join(", "))]
    Incompatible {
        /// The subject.
        subject: Subject,
        /// What breaks whom.
        reasons: Vec<String>,
    },
    /// The schema cannot be used.
    #[error("Invalid schema, details: {0}")]
    InvalidSchema(String),
    /// The schema is larger than any may be.
    #[error("Schema too large, alone or with its references")]
    TooLarge,
    /// The state of the registry or of the contract does not allow it.
    #[error(transparent)]
    NotPermitted(#[from] NotPermitted),
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
    #[error("One or more references exist to the schema {{magic=1,keytype=SCHEMA,subject={0},version={1}}}")]
    ReferenceExists(Subject, u32),
    /// The schema has another id.
    #[error("Schema already registered with id {known} instead of input id {given}")]
    IdMismatch {
        /// Its id.
        known: SchemaId,
        /// The id in the request.
        given: SchemaId,
    },
    /// The id is, or was, another schema's.
    #[error("Overwrite new schema with id {0} is not permitted.")]
    IdTaken(u32),
    /// Any other.
    #[error(transparent)]
    Other(#[from] crate::Error),
}

/// Why the registry's state, or the contract's, does not allow a change.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum NotPermitted {
    /// The mode forbids changes.
    #[error("`{scope}` is in {mode} mode")]
    Mode {
        /// The subject, context or registry.
        scope: String,
        /// Its mode.
        mode: Mode,
    },
    /// An id for a schema outside of import mode.
    #[error("subject `{0}` is not in import mode")]
    NotImporting(Subject),
    /// No id for a schema in import mode.
    #[error("subject `{0}` is in import mode: give the schema's id")]
    IdMissing(Subject),
    /// Import mode for a scope that has schemas in use.
    #[error("`{0}` already has schemas: set force=true to import others anyway")]
    HasSchemas(Scope),
    /// No product's contract is bound to the topic of the subject.
    #[error(
        "no data product that you may know of has an output port for `{0}`: bind a schema object of its contract to the \
         topic first"
    )]
    NotBound(Subject),
    /// The contract of the subject has drafts only.
    #[error("no version of the contract of `{0}` is active yet")]
    ContractInactive(Subject),
    /// The schema cannot become a version of the contract.
    #[error("the contract cannot follow the schema: {0}")]
    ContractCannotFollow(String),
    /// The contract's next version, made from the schema, has errors.
    #[error("{0}")]
    ContractInvalid(String),
    /// The contract's next version waits for its review.
    #[error(
        "the schema makes version {version} of the contract `{contract}` of `{product}`, which waits for its review: \
         activate it (`charter version activate`), then register the schema again"
    )]
    ReviewPending {
        /// The version.
        version: Version,
        /// The contract's document id.
        contract: String,
        /// The product's address.
        product: String,
    },
    /// The version number of an imported schema is in use.
    #[error("version {version} of `{subject}` is taken")]
    VersionTaken {
        /// The subject.
        subject: Subject,
        /// The number.
        version: u32,
    },
    /// The largest version number is in use.
    #[error("no versions of `{0}` are left")]
    VersionsExhausted(Subject),
    /// The largest schema id is in use.
    #[error("no schema ids are left")]
    IdsExhausted,
}

impl From<store::Error> for Error {
    fn from(error: store::Error) -> Self {
        Self::Other(error.into())
    }
}

impl Error {
    /// A mode that forbids changes.
    pub(super) fn mode(scope: impl std::fmt::Display, mode: Mode) -> Self {
        NotPermitted::Mode { scope: scope.to_string(), mode }.into()
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
