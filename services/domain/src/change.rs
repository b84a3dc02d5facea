//! The change engine: what is different between two versions, whom it breaks, and which bump it demands.
//!
//! A comparer finds differences on its own model ([`contract`] for data contracts); all of them speak of a difference as a
//! [`Finding`] of a [`Rule`], and [`Rule::row`] and [`Rule::judgement`] are the normative table. What no rule names is
//! [`Rule::Undetermined`]: it counts as breaking, both ways.
//!
//! Begin at [`compare`] and [`judge`]. To add a rule: a variant with its word, its row of the table, and the place in a
//! comparer that finds it.

mod contract;
pub mod json_schema;
pub mod level;
pub mod message;
mod property;
mod quality;
mod types;

use std::fmt;

pub use self::contract::compare;
use crate::contract::Contract;
use crate::error::Kind;
use crate::version::{Bump, Version};
use crate::words;

words! {
    /// Which kind of difference a finding is. The words are stable: people filter by them.
    Rule {
        /// A column was added that may be null.
        ColumnAddedOptional = "column.added.optional",
        /// A column was added that must not be null; older files have no value for it.
        ColumnAddedRequired = "column.added.required",
        /// A column that may be null was removed.
        ColumnRemovedOptional = "column.removed.optional",
        /// A column that must not be null was removed.
        ColumnRemovedRequired = "column.removed.required",
        /// A column has another name and the same stable id.
        ColumnRenamed = "column.renamed",
        /// The name at the source changed.
        PhysicalNameChanged = "physical_name.changed",
        /// The type became wider in a way that table formats allow.
        TypeWidened = "type.widened",
        /// The type was converted in a way that some formats allow and that can lose something.
        TypeConverted = "type.converted",
        /// The type became narrower or another one.
        TypeChanged = "type.changed",
        /// The type has another name and is the same.
        TypeRespelled = "type.respelled",
        /// The column may be null now.
        RequiredRemoved = "required.removed",
        /// The column must not be null now.
        RequiredAdded = "required.added",
        /// Columns are in another order.
        Reordered = "columns.reordered",
        /// The keys of a map changed.
        MapKeyChanged = "map.key.changed",
        /// A single value became a structure, a list or a map, or the other way round.
        ShapeChanged = "type.shape.changed",
        /// A value was added to an enumeration, or the enumeration removed.
        EnumLoosened = "enum.loosened",
        /// A value was removed from an enumeration, or the enumeration introduced.
        EnumTightened = "enum.tightened",
        /// A bound, length, pattern or count admits fewer values.
        ConstraintTightened = "constraint.tightened",
        /// A bound, length, pattern or count admits more values.
        ConstraintLoosened = "constraint.loosened",
        /// A bound, length, pattern or count admits other values.
        ConstraintChanged = "constraint.changed",
        /// Values must be distinct now.
        UniqueAdded = "unique.added",
        /// Values need not be distinct any more.
        UniqueRemoved = "unique.removed",
        /// There is a primary key now.
        PrimaryKeyAdded = "primary_key.added",
        /// There is no primary key any more.
        PrimaryKeyRemoved = "primary_key.removed",
        /// The primary key has other columns.
        PrimaryKeyChanged = "primary_key.changed",
        /// The primary key has the same columns in another order.
        PrimaryKeyReordered = "primary_key.reordered",
        /// A foreign key was added.
        ForeignKeyAdded = "foreign_key.added",
        /// A foreign key was removed.
        ForeignKeyRemoved = "foreign_key.removed",
        /// The data is partitioned otherwise.
        PartitionChanged = "partition.changed",
        /// A quality rule was added or admits less.
        QualityTightened = "quality.tightened",
        /// A quality rule was removed or admits more.
        QualityLoosened = "quality.loosened",
        /// A quality rule measures or admits something else.
        QualityChanged = "quality.changed",
        /// A quality rule is written otherwise and promises the same, or never promised anything.
        QualityRespelled = "quality.respelled",
        /// A service level was added or is better.
        SlaImproved = "sla.improved",
        /// A service level was removed or is worse.
        SlaWorsened = "sla.worsened",
        /// A service level cannot be compared with the old one.
        SlaChanged = "sla.changed",
        /// A service level is written otherwise and is the same.
        SlaRespelled = "sla.respelled",
        /// Unit, format or time zone changed: the same value means something else.
        MeaningChanged = "meaning.changed",
        /// Something for people changed.
        Documentation = "documentation",
        /// The data is more sensitive.
        ClassificationRaised = "classification.raised",
        /// The data is less sensitive.
        ClassificationLowered = "classification.lowered",
        /// Where the encrypted form is changed.
        EncryptionChanged = "encryption.changed",
        /// A schema object was added.
        ObjectAdded = "object.added",
        /// A schema object was removed.
        ObjectRemoved = "object.removed",
        /// A server was added.
        ServerAdded = "server.added",
        /// A server was removed.
        ServerRemoved = "server.removed",
        /// A server moved or is of another kind.
        ServerChanged = "server.changed",
        /// A folder on local storage moved; it is only ever vended.
        ServerMoved = "server.moved",
        /// Reading may ask for more than before.
        ReaderCeilingRaised = "reader_ceiling.raised",
        /// Reading may ask for less than before.
        ReaderCeilingLowered = "reader_ceiling.lowered",
        /// A vector has other dimensions or elements.
        VectorChanged = "vector.changed",
        /// Something is marked as deprecated.
        Deprecated = "deprecated.added",
        /// A mark of deprecation was taken back.
        DeprecationWithdrawn = "deprecated.removed",
        /// A role was added.
        RoleAdded = "role.added",
        /// A role was removed, or allows something else.
        RoleChanged = "role.changed",
        /// The gate promises more to readers.
        SettingTightened = "setting.tightened",
        /// The gate promises less to readers, or keeps some of them out.
        SettingLoosened = "setting.loosened",
        /// A setting that only changes how long something takes.
        SettingChanged = "setting.changed",
        /// A difference that no rule names.
        Undetermined = "undetermined",
    }
}

/// What a rule says of a change: whom it breaks and which bump it demands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Judgement {
    /// A reader of the new version can read data written under the old (BACKWARD).
    pub history_safe: bool,
    /// A reader of the old version goes on reading data written under the new (FORWARD).
    pub consumer_safe: bool,
    /// The least bump.
    pub bump: Bump,
}

impl Rule {
    /// The row of the normative table; `None` for what the table does not know: the gate's settings, and everything
    /// undetermined.
    pub fn row(self) -> Option<u8> {
        Some(match self {
            Self::ColumnAddedOptional => 1,
            Self::ColumnAddedRequired => 2,
            Self::ColumnRemovedOptional => 4,
            Self::ColumnRemovedRequired => 5,
            Self::ColumnRenamed => 6,
            Self::PhysicalNameChanged => 7,
            Self::TypeWidened => 8,
            Self::TypeConverted => 9,
            Self::TypeChanged => 10,
            Self::RequiredRemoved => 11,
            Self::RequiredAdded => 12,
            Self::Reordered => 13,
            Self::MapKeyChanged => 17,
            Self::ShapeChanged => 18,
            Self::EnumLoosened => 19,
            Self::EnumTightened => 20,
            Self::ConstraintTightened | Self::ConstraintChanged => 22,
            Self::ConstraintLoosened => 23,
            Self::UniqueAdded | Self::PrimaryKeyAdded => 24,
            Self::UniqueRemoved | Self::PrimaryKeyRemoved | Self::PrimaryKeyChanged | Self::PrimaryKeyReordered => 25,
            Self::ForeignKeyAdded | Self::ForeignKeyRemoved => 26,
            Self::PartitionChanged => 27,
            Self::QualityTightened => 28,
            Self::QualityLoosened | Self::QualityChanged | Self::QualityRespelled => 29,
            Self::SlaImproved | Self::SlaWorsened | Self::SlaChanged | Self::SlaRespelled => 30,
            Self::MeaningChanged => 31,
            Self::Documentation => 32,
            Self::ClassificationRaised => 33,
            Self::ClassificationLowered => 34,
            Self::EncryptionChanged => 35,
            Self::TypeRespelled => 36,
            Self::ObjectAdded | Self::ObjectRemoved => 37,
            Self::ServerAdded | Self::ServerRemoved | Self::ServerChanged | Self::ServerMoved => 38,
            Self::ReaderCeilingRaised | Self::ReaderCeilingLowered => 39,
            Self::VectorChanged => 41,
            Self::Deprecated | Self::DeprecationWithdrawn => 42,
            Self::RoleAdded | Self::RoleChanged => 43,
            Self::SettingTightened | Self::SettingLoosened | Self::SettingChanged | Self::Undetermined => return None,
        })
    }

    /// What the table says.
    pub fn judgement(self) -> Judgement {
        let (history_safe, consumer_safe, bump) = match self {
            Self::ColumnAddedOptional
            | Self::ObjectAdded
            | Self::ServerAdded
            | Self::RoleAdded
            | Self::SlaImproved
            | Self::ClassificationLowered
            | Self::ReaderCeilingLowered
            | Self::Deprecated
            | Self::SettingTightened
            | Self::SettingChanged => (true, true, Bump::Minor),
            Self::Reordered
            | Self::TypeRespelled
            | Self::PrimaryKeyReordered
            | Self::PartitionChanged
            | Self::QualityRespelled
            | Self::SlaRespelled
            | Self::Documentation
            | Self::ServerMoved
            | Self::DeprecationWithdrawn => (true, true, Bump::Patch),
            // The producer must pass before the version becomes active, so nobody reads data that breaks the rule.
            Self::QualityTightened => (false, true, Bump::Minor),
            Self::ColumnAddedRequired
            | Self::RequiredAdded
            | Self::EnumTightened
            | Self::ConstraintTightened
            | Self::UniqueAdded
            | Self::PrimaryKeyAdded
            | Self::ForeignKeyAdded => (false, true, Bump::Major),
            Self::ColumnRemovedOptional
            | Self::ColumnRemovedRequired
            | Self::ColumnRenamed
            | Self::TypeWidened
            | Self::RequiredRemoved
            | Self::EnumLoosened
            | Self::ConstraintLoosened
            | Self::UniqueRemoved
            | Self::PrimaryKeyRemoved
            | Self::ForeignKeyRemoved
            | Self::QualityLoosened
            | Self::SlaWorsened
            | Self::ClassificationRaised
            | Self::ObjectRemoved
            | Self::ServerRemoved
            | Self::ServerChanged
            | Self::ReaderCeilingRaised
            | Self::RoleChanged
            | Self::SettingLoosened => (true, false, Bump::Major),
            Self::PhysicalNameChanged
            | Self::TypeConverted
            | Self::TypeChanged
            | Self::MapKeyChanged
            | Self::ShapeChanged
            | Self::ConstraintChanged
            | Self::PrimaryKeyChanged
            | Self::QualityChanged
            | Self::SlaChanged
            | Self::MeaningChanged
            | Self::EncryptionChanged
            | Self::VectorChanged
            | Self::Undetermined => (false, false, Bump::Major),
        };
        Judgement { history_safe, consumer_safe, bump }
    }
}

/// One difference between two versions.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Finding {
    /// What is different, by names: `orders.address.zip`, `orders.tags[]`, `servers.prod`, `sla.latency`, ...
    pub path: String,
    /// Which kind of difference it is.
    pub rule: Rule,
    /// The difference in one sentence, for people.
    pub message: String,
}

impl Finding {
    /// Whether a reader of the new version can read data written under the old.
    pub fn history_safe(&self) -> bool {
        self.rule.judgement().history_safe
    }

    /// Whether a reader of the old version goes on reading data written under the new.
    pub fn consumer_safe(&self) -> bool {
        self.rule.judgement().consumer_safe
    }

    /// The bump that it demands.
    pub fn bump(&self) -> Bump {
        self.rule.judgement().bump
    }
}

impl fmt::Display for Finding {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.path, self.message)
    }
}

/// The bump that all findings together demand; `None` for no findings. Documents that differ in their bytes alone are a
/// new version nevertheless, so a publisher asks for at least [`Bump::Patch`].
pub fn required_bump(findings: &[Finding]) -> Bump {
    findings.iter().map(Finding::bump).max().unwrap_or(Bump::None)
}

/// Why a new version may not be published.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Refused {
    /// Its major has a version that is as great or greater.
    #[error("version {version} is not greater than {newest}, the newest of its major")]
    NotGreater {
        /// The new version.
        version: Version,
        /// The newest of its major.
        newest: Version,
    },
    /// Its number does not say what changed.
    #[error("version {version} changes {since} in a way that needs a {needed} bump: publish it as {least} or later")]
    Bump {
        /// The new version.
        version: Version,
        /// The promised version that it was compared with.
        since: Version,
        /// The bump that the changes demand.
        needed: Bump,
        /// The least version that would be accepted.
        least: Version,
        /// The changes.
        findings: Vec<Finding>,
    },
}

impl Refused {
    /// What a caller can conclude.
    pub fn kind(&self) -> Kind {
        Kind::Refused
    }
}

/// Decides whether a new version may be published into its major: it is greater than all `versions` of that major, and
/// its number says what changed since each of the `promised` ones (those that are active or deprecated). Versions of
/// other majors among them count for nothing: majors live side by side.
///
/// # Errors
/// [`Refused`]; of several promised versions the one that demands the greatest version.
pub fn judge(new: &Contract, versions: &[Version], promised: &[&Contract]) -> Result<(), Refused> {
    let version = new.version;
    let newest = versions.iter().copied().filter(|old| old.major == version.major).max();
    if let Some(newest) = newest.filter(|newest| version <= *newest) {
        return Err(Refused::NotGreater { version, newest });
    }
    let refusals = promised.iter().filter(|old| old.version.major == version.major).filter_map(|old| {
        let findings = compare(old, new);
        let needed = required_bump(&findings).max(Bump::Patch);
        let least = old.version.next(needed);
        let refused = version.bump_from(old.version) < needed;
        refused.then_some(Refused::Bump { version, since: old.version, needed, least, findings })
    });
    let worst = refusals.max_by_key(|refused| match refused {
        Refused::Bump { least, since, .. } => (*least, *since),
        Refused::NotGreater { version, newest } => (*version, *newest),
    });
    worst.map_or(Ok(()), Err)
}

/// Collects findings on the way down.
#[derive(Debug, Default)]
struct Findings {
    path: Vec<String>,
    found: Vec<Finding>,
}

impl Findings {
    fn add(&mut self, rule: Rule, message: impl Into<String>) {
        let path = self.path.concat();
        self.found.push(Finding { path, rule, message: message.into() });
    }

    /// Looks at something below: `step` is what its path adds, with its separator.
    fn below(&mut self, step: impl Into<String>, look: impl FnOnce(&mut Self)) {
        self.path.push(step.into());
        look(self);
        self.path.pop();
    }
}
