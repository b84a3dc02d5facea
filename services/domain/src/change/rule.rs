//! The rules of the normative table: the word and row of each, which readers it breaks, the bump it requires, and what
//! would settle it.

use crate::closed_set;
use crate::version::Bump;

closed_set! {
    /// Which kind of difference a finding is. The words are stable: people filter by them.
    Rule {
        /// A column was added that may be null.
        ColumnAddedOptional = "column.added.optional",
        /// A column was added that must not be null; older files have no value for it.
        ColumnAddedRequired = "column.added.required",
        /// A column was added that must not be null, with a default that the format gives to older data.
        ColumnAddedDefaulted = "column.added.default",
        /// A column that may be null was removed.
        ColumnRemovedOptional = "column.removed.optional",
        /// A column that must not be null was removed.
        ColumnRemovedRequired = "column.removed.required",
        /// A column has another name and the same stable id.
        ColumnRenamed = "column.renamed",
        /// The name at the source changed.
        PhysicalNameChanged = "physical_name.changed",
        /// The name at the source changed, and readers never see it: the catalog's binding stands between.
        PhysicalNameHidden = "physical_name.hidden",
        /// The type became wider in a way that table formats allow.
        TypeWidened = "type.widened",
        /// The type was converted in a way that some formats allow and that can lose something.
        TypeConverted = "type.converted",
        /// The type was converted, and the format's readers of the new type still read the old (Avro's promotions).
        TypePromoted = "type.promoted",
        /// The type was narrowed or replaced.
        TypeChanged = "type.changed",
        /// The type has another name and is the same.
        TypeRespelled = "type.respelled",
        /// The column may be null now.
        RequiredRemoved = "required.removed",
        /// The column must not be null now.
        RequiredAdded = "required.added",
        /// Columns are in another order.
        Reordered = "columns.reordered",
        /// Columns are at other places, and readers go by position.
        ReorderedByPosition = "columns.reordered.position",
        /// The keys of a map changed.
        MapKeyChanged = "map.key.changed",
        /// A single value became a structure, a list or a map, or the other way round.
        ShapeChanged = "type.shape.changed",
        /// A value was added to an enumeration, or the enumeration removed.
        EnumLoosened = "enum.loosened",
        /// A value was added to an enumeration whose readers expect that, or such an enumeration removed.
        EnumExtended = "enum.extended",
        /// A value was removed from an enumeration, or the enumeration introduced.
        EnumTightened = "enum.tightened",
        /// A bound, length, pattern or count allows fewer values.
        ConstraintTightened = "constraint.tightened",
        /// A bound, length, pattern or count allows more values.
        ConstraintLoosened = "constraint.loosened",
        /// A bound, length, pattern or count allows other values.
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
        /// The data is partitioned or clustered differently.
        PartitionChanged = "partition.changed",
        /// The data is partitioned differently, and the partitioning is promised: queries may cost more.
        PartitionPromised = "partition.changed.promised",
        /// The data is partitioned differently, and readers depend on file paths.
        PartitionPaths = "partition.changed.paths",
        /// A quality rule was added or allows less.
        QualityTightened = "quality.tightened",
        /// A quality rule was removed or allows more.
        QualityLoosened = "quality.loosened",
        /// A quality rule measures or allows something else.
        QualityChanged = "quality.changed",
        /// A quality rule is written differently and promises the same, or never promised anything.
        QualityRespelled = "quality.respelled",
        /// A service level was added or is better.
        SlaImproved = "sla.improved",
        /// A service level was removed or is worse.
        SlaWorsened = "sla.worsened",
        /// A service level cannot be compared with the old one.
        SlaChanged = "sla.changed",
        /// A service level is written differently and is the same.
        SlaRespelled = "sla.respelled",
        /// Unit, format or time zone changed: the same value means something else.
        MeaningChanged = "meaning.changed",
        /// Something for people changed.
        Documentation = "documentation",
        /// The data is more sensitive.
        ClassificationRaised = "classification.raised",
        /// The data is less sensitive.
        ClassificationLowered = "classification.lowered",
        /// Where the encrypted form is, or how values are masked, changed.
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
        /// A folder on local storage moved; readers get the new location with their next credentials.
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
        /// The value that new rows get by default changed.
        DefaultChanged = "default.changed",
        /// The value that readers take for a missing one changed.
        ReaderDefaultChanged = "default.reader.changed",
        /// A role was added, or allows more.
        RoleAdded = "role.added",
        /// A role was removed, or allows less or something else.
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
            Self::ColumnAddedDefaulted => 3,
            Self::ColumnRemovedOptional => 4,
            Self::ColumnRemovedRequired => 5,
            Self::ColumnRenamed => 6,
            Self::PhysicalNameChanged | Self::PhysicalNameHidden => 7,
            Self::TypeWidened => 8,
            Self::TypeConverted | Self::TypePromoted => 9,
            Self::TypeChanged => 10,
            Self::RequiredRemoved => 11,
            Self::RequiredAdded => 12,
            Self::Reordered | Self::ReorderedByPosition => 13,
            Self::MapKeyChanged => 17,
            Self::ShapeChanged => 18,
            Self::EnumLoosened | Self::EnumExtended => 19,
            Self::EnumTightened => 20,
            Self::ConstraintTightened | Self::ConstraintChanged => 22,
            Self::ConstraintLoosened => 23,
            Self::UniqueAdded | Self::PrimaryKeyAdded => 24,
            Self::UniqueRemoved | Self::PrimaryKeyRemoved | Self::PrimaryKeyChanged | Self::PrimaryKeyReordered => 25,
            Self::ForeignKeyAdded | Self::ForeignKeyRemoved => 26,
            Self::PartitionChanged | Self::PartitionPromised | Self::PartitionPaths => 27,
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
            Self::DefaultChanged | Self::ReaderDefaultChanged => 40,
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
            | Self::ColumnAddedDefaulted
            | Self::EnumExtended
            | Self::PartitionPromised
            | Self::ReaderDefaultChanged
            | Self::ServerMoved
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
            | Self::PhysicalNameHidden
            | Self::DefaultChanged
            | Self::TypeRespelled
            | Self::PrimaryKeyReordered
            | Self::PartitionChanged
            | Self::QualityRespelled
            | Self::SlaRespelled
            | Self::Documentation
            | Self::DeprecationWithdrawn => (true, true, Bump::Patch),
            // The data must pass before the version becomes active, so readers never see data that breaks the rule.
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
            | Self::TypePromoted
            | Self::RequiredRemoved
            | Self::EnumLoosened
            | Self::ConstraintLoosened
            | Self::UniqueRemoved
            | Self::PrimaryKeyRemoved
            | Self::ForeignKeyRemoved
            | Self::QualityLoosened
            | Self::SlaWorsened
            | Self::SlaChanged
            | Self::ClassificationRaised
            | Self::ObjectRemoved
            | Self::ServerRemoved
            | Self::ServerChanged
            | Self::ReaderCeilingRaised
            | Self::RoleChanged
            | Self::SettingLoosened => (true, false, Bump::Major),
            Self::PhysicalNameChanged
            | Self::ReorderedByPosition
            | Self::PartitionPaths
            | Self::TypeConverted
            | Self::TypeChanged
            | Self::MapKeyChanged
            | Self::ShapeChanged
            | Self::ConstraintChanged
            | Self::PrimaryKeyChanged
            | Self::QualityChanged
            | Self::MeaningChanged
            | Self::EncryptionChanged
            | Self::VectorChanged
            | Self::Undetermined => (false, false, Bump::Major),
        };
        Judgement { history_safe, consumer_safe, bump }
    }

    /// What would lower the bump to [`Bump::Minor`] without changing anything about the versions.
    pub fn settled_by(self) -> Settlement {
        match self {
            Self::RequiredAdded
            | Self::EnumTightened
            | Self::ConstraintTightened
            | Self::UniqueAdded
            | Self::PrimaryKeyAdded
            | Self::ForeignKeyAdded => Settlement::Proof,
            Self::TypeWidened => Settlement::Widening,
            Self::ReaderCeilingRaised => Settlement::Readers,
            Self::ColumnAddedOptional
            | Self::ColumnAddedRequired
            | Self::ColumnAddedDefaulted
            | Self::ColumnRemovedOptional
            | Self::ColumnRemovedRequired
            | Self::ColumnRenamed
            | Self::PhysicalNameChanged
            | Self::PhysicalNameHidden
            | Self::TypeConverted
            | Self::TypePromoted
            | Self::TypeChanged
            | Self::TypeRespelled
            | Self::RequiredRemoved
            | Self::Reordered
            | Self::ReorderedByPosition
            | Self::MapKeyChanged
            | Self::ShapeChanged
            | Self::EnumLoosened
            | Self::EnumExtended
            | Self::ConstraintLoosened
            | Self::ConstraintChanged
            | Self::UniqueRemoved
            | Self::PrimaryKeyRemoved
            | Self::PrimaryKeyChanged
            | Self::PrimaryKeyReordered
            | Self::ForeignKeyRemoved
            | Self::PartitionChanged
            | Self::PartitionPromised
            | Self::PartitionPaths
            | Self::QualityTightened
            | Self::QualityLoosened
            | Self::QualityChanged
            | Self::QualityRespelled
            | Self::SlaImproved
            | Self::SlaWorsened
            | Self::SlaChanged
            | Self::SlaRespelled
            | Self::MeaningChanged
            | Self::Documentation
            | Self::ClassificationRaised
            | Self::ClassificationLowered
            | Self::EncryptionChanged
            | Self::ObjectAdded
            | Self::ObjectRemoved
            | Self::ServerAdded
            | Self::ServerRemoved
            | Self::ServerChanged
            | Self::ServerMoved
            | Self::ReaderCeilingLowered
            | Self::VectorChanged
            | Self::Deprecated
            | Self::DeprecationWithdrawn
            | Self::DefaultChanged
            | Self::ReaderDefaultChanged
            | Self::RoleAdded
            | Self::RoleChanged
            | Self::SettingTightened
            | Self::SettingLoosened
            | Self::SettingChanged
            | Self::Undetermined => Settlement::Nothing,
        }
    }

    /// Whether it is about the schema and its keys, which a compatibility level judges. The others are promises about
    /// the data or the way to it (quality, service levels, classification, servers, roles, settings) and text for
    /// people: the bump alone judges them. An undetermined difference may be about the schema.
    pub fn is_about_schema(self) -> bool {
        match self {
            Self::ColumnAddedOptional
            | Self::ColumnAddedRequired
            | Self::ColumnAddedDefaulted
            | Self::ColumnRemovedOptional
            | Self::ColumnRemovedRequired
            | Self::ColumnRenamed
            | Self::PhysicalNameChanged
            | Self::PhysicalNameHidden
            | Self::TypeWidened
            | Self::TypeConverted
            | Self::TypePromoted
            | Self::TypeChanged
            | Self::TypeRespelled
            | Self::RequiredRemoved
            | Self::RequiredAdded
            | Self::Reordered
            | Self::ReorderedByPosition
            | Self::MapKeyChanged
            | Self::ShapeChanged
            | Self::EnumLoosened
            | Self::EnumExtended
            | Self::EnumTightened
            | Self::ConstraintTightened
            | Self::ConstraintLoosened
            | Self::ConstraintChanged
            | Self::UniqueAdded
            | Self::UniqueRemoved
            | Self::PrimaryKeyAdded
            | Self::PrimaryKeyRemoved
            | Self::PrimaryKeyChanged
            | Self::PrimaryKeyReordered
            | Self::ForeignKeyAdded
            | Self::ForeignKeyRemoved
            | Self::PartitionChanged
            | Self::PartitionPromised
            | Self::PartitionPaths
            | Self::MeaningChanged
            | Self::EncryptionChanged
            | Self::ObjectAdded
            | Self::ObjectRemoved
            | Self::ReaderCeilingRaised
            | Self::ReaderCeilingLowered
            | Self::VectorChanged
            | Self::Deprecated
            | Self::DeprecationWithdrawn
            | Self::DefaultChanged
            | Self::ReaderDefaultChanged
            | Self::Undetermined => true,
            Self::QualityTightened
            | Self::QualityLoosened
            | Self::QualityChanged
            | Self::QualityRespelled
            | Self::SlaImproved
            | Self::SlaWorsened
            | Self::SlaChanged
            | Self::SlaRespelled
            | Self::Documentation
            | Self::ClassificationRaised
            | Self::ClassificationLowered
            | Self::ServerAdded
            | Self::ServerRemoved
            | Self::ServerChanged
            | Self::ServerMoved
            | Self::RoleAdded
            | Self::RoleChanged
            | Self::SettingTightened
            | Self::SettingLoosened
            | Self::SettingChanged => false,
        }
    }
}

/// What would settle a change: the data, a policy, or those who read.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Settlement {
    /// Nothing.
    Nothing,
    /// A proof that the data never broke the new promise.
    Proof,
    /// The policy `allowWidening`.
    Widening,
    /// Every registered reader declares that it supports what reading asks for.
    Readers,
}
