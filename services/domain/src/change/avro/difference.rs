//! The differences between a reader's and a writer's type, each with its name and message.

use serde_json::Value;

use super::{Field, LogicalType, Naming, Shape, Type};

/// One difference of two types, without their parts.
#[derive(Clone, Debug)]
pub(super) enum TypeDifference<'a> {
    // What breaks a reader, by the names of Avro's `SchemaIncompatibilityType`.
    NameMismatch { reader: &'a Naming, writer: &'a Naming },
    FixedSizeMismatch { reader_bytes: u64, writer_bytes: u64 },
    MissingEnumSymbols(Vec<&'a str>),
    ReaderFieldMissingDefault { index: usize, field: &'a Field },
    AmbiguousAliases { index: usize, field: &'a Field, matches: Vec<&'a str> },
    TypeMismatch { reader: &'a Type, writer: &'a Type },
    MissingUnionBranch { index: Option<usize>, writer: &'a Type },

    // Compatible differences, reported for information.
    Renamed { reader: &'a Naming, writer: &'a Naming },
    Promoted { reader: &'a Type, writer: &'a Type },
    LogicalTypeChanged { reader: &'a Type, writer: &'a Type },
    FieldAdded { index: usize, field: &'a Field },
    FieldRemoved(&'a Field),
    FieldRenamed { index: usize, reader: &'a Field, writer: &'a Field },
    DefaultChanged { index: usize, reader: &'a Field, writer: &'a Field },
    OrderChanged { index: usize, reader: &'a Field, writer: &'a Field },
    EnumSymbolsAdded(Vec<&'a str>),
    EnumSymbolsRemoved { symbols: Vec<&'a str>, default: &'a str },
    EnumDefaultChanged { reader: Option<&'a str>, writer: Option<&'a str> },
    UnionIntroduced,
    UnionDissolved,
    UnionBranchAdded { index: usize, reader: &'a Type },
}

impl TypeDifference<'_> {
    pub(super) fn name(&self) -> &'static str {
        match self {
            Self::NameMismatch { .. } => "NAME_MISMATCH",
            Self::FixedSizeMismatch { .. } => "FIXED_SIZE_MISMATCH",
            Self::MissingEnumSymbols(_) => "MISSING_ENUM_SYMBOLS",
            Self::ReaderFieldMissingDefault { .. } => "READER_FIELD_MISSING_DEFAULT_VALUE",
            Self::AmbiguousAliases { .. } => "READER_FIELD_AMBIGUOUS_ALIASES",
            Self::TypeMismatch { .. } => "TYPE_MISMATCH",
            Self::MissingUnionBranch { .. } => "MISSING_UNION_BRANCH",
            Self::Renamed { .. } => "NAME_CHANGED",
            Self::Promoted { .. } => "TYPE_PROMOTED",
            Self::LogicalTypeChanged { .. } => "LOGICAL_TYPE_CHANGED",
            Self::FieldAdded { .. } => "FIELD_ADDED",
            Self::FieldRemoved(_) => "FIELD_REMOVED",
            Self::FieldRenamed { .. } => "FIELD_NAME_CHANGED",
            Self::DefaultChanged { .. } => "FIELD_DEFAULT_CHANGED",
            Self::OrderChanged { .. } => "FIELD_ORDER_CHANGED",
            Self::EnumSymbolsAdded(_) => "ENUM_SYMBOLS_ADDED",
            Self::EnumSymbolsRemoved { .. } => "ENUM_SYMBOLS_REMOVED",
            Self::EnumDefaultChanged { .. } => "ENUM_DEFAULT_CHANGED",
            Self::UnionIntroduced => "UNION_INTRODUCED",
            Self::UnionDissolved => "UNION_DISSOLVED",
            Self::UnionBranchAdded { .. } => "UNION_BRANCH_ADDED",
        }
    }

    pub(super) fn is_compatible(&self) -> bool {
        match self {
            Self::NameMismatch { .. }
            | Self::FixedSizeMismatch { .. }
            | Self::MissingEnumSymbols(_)
            | Self::ReaderFieldMissingDefault { .. }
            | Self::AmbiguousAliases { .. }
            | Self::TypeMismatch { .. }
            | Self::MissingUnionBranch { .. } => false,
            Self::Renamed { .. }
            | Self::Promoted { .. }
            | Self::LogicalTypeChanged { .. }
            | Self::FieldAdded { .. }
            | Self::FieldRemoved(_)
            | Self::FieldRenamed { .. }
            | Self::DefaultChanged { .. }
            | Self::OrderChanged { .. }
            | Self::EnumSymbolsAdded(_)
            | Self::EnumSymbolsRemoved { .. }
            | Self::EnumDefaultChanged { .. }
            | Self::UnionIntroduced
            | Self::UnionDissolved
            | Self::UnionBranchAdded { .. } => true,
        }
    }

    /// Where it is below the reader's type; a branch that is missing is counted in the writer's union, as Java does.
    pub(super) fn step(&self) -> String {
        match self {
            Self::NameMismatch { .. } | Self::Renamed { .. } => "/name".to_owned(),
            Self::FixedSizeMismatch { .. } => "/size".to_owned(),
            Self::MissingEnumSymbols(_) | Self::EnumSymbolsAdded(_) | Self::EnumSymbolsRemoved { .. } => {
                "/symbols".to_owned()
            }
            Self::EnumDefaultChanged { .. } => "/default".to_owned(),
            Self::FieldRemoved(_) => "/fields".to_owned(),
            Self::ReaderFieldMissingDefault { index, .. }
            | Self::AmbiguousAliases { index, .. }
            | Self::FieldAdded { index, .. }
            | Self::FieldRenamed { index, .. } => format!("/fields/{index}"),
            Self::DefaultChanged { index, .. } => format!("/fields/{index}/default"),
            Self::OrderChanged { index, .. } => format!("/fields/{index}/order"),
            Self::UnionBranchAdded { index, .. } | Self::MissingUnionBranch { index: Some(index), .. } => {
                format!("/{index}")
            }
            Self::MissingUnionBranch { index: None, .. }
            | Self::TypeMismatch { .. }
            | Self::Promoted { .. }
            | Self::LogicalTypeChanged { .. }
            | Self::UnionIntroduced
            | Self::UnionDissolved => String::new(),
        }
    }

    pub(super) fn message(&self) -> String {
        match self {
            Self::NameMismatch { reader, writer } => format!(
                "the type is now named `{}`; what was written as `{}` needs that name, or an alias",
                reader.full, writer.full
            ),
            Self::FixedSizeMismatch { reader_bytes, writer_bytes } => {
                format!("values have {reader_bytes} bytes now; those written before have {writer_bytes}")
            }
            Self::MissingEnumSymbols(symbols) => {
                format!("the enum no longer has {} and has no default to take instead", list(symbols))
            }
            Self::ReaderFieldMissingDefault { field, .. } => {
                format!(
                    "the field `{}` was added without a default; data written before has no value for it",
                    field.name
                )
            }
            Self::AmbiguousAliases { field, matches, .. } => {
                format!(
                    "the aliases of the field `{}` match several fields written before: {}",
                    field.name,
                    list(matches)
                )
            }
            Self::TypeMismatch { reader, writer } => {
                format!("{} cannot be read as {}", describe(writer), describe(reader))
            }
            Self::MissingUnionBranch { writer, .. } => {
                format!("no branch of the union can read {}", describe(writer))
            }
            Self::Renamed { reader, writer } => {
                format!("the type `{}` is now named `{}`", writer.full, reader.full)
            }
            Self::Promoted { reader, writer } => {
                format!("the type changed from {} to {}, which reads it", describe(writer), describe(reader))
            }
            Self::LogicalTypeChanged { reader, writer } => format!(
                "the meaning of values changed from {} to {}; they can be read and may be taken for something else",
                meaning(writer.logical.as_ref()),
                meaning(reader.logical.as_ref())
            ),
            Self::FieldAdded { field, .. } => {
                format!("the field `{}` was added; data written before gets its default", field.name)
            }
            Self::FieldRemoved(field) => {
                format!("the field `{}` was removed; its values written before are skipped", field.name)
            }
            Self::FieldRenamed { reader, writer, .. } => {
                format!("the field `{}` is now named `{}`, with an alias", writer.name, reader.name)
            }
            Self::DefaultChanged { reader, writer, .. } => format!(
                "the default of the field `{}` changed from {} to {}",
                reader.name,
                default(writer.default.as_ref()),
                default(reader.default.as_ref())
            ),
            Self::OrderChanged { reader, writer, .. } => {
                format!("the field `{}` now sorts `{}` and did `{}`", reader.name, reader.order, writer.order)
            }
            Self::EnumSymbolsAdded(symbols) => format!("the enum also has {} now", list(symbols)),
            Self::EnumSymbolsRemoved { symbols, default } => {
                format!("the enum no longer has {}; its default `{default}` is taken instead", list(symbols))
            }
            Self::EnumDefaultChanged { reader, writer } => {
                let shown = |symbol: &Option<&str>| symbol.map_or("none".to_owned(), |symbol| format!("`{symbol}`"));
                format!("the default of the enum changed from {} to {}", shown(writer), shown(reader))
            }
            Self::UnionIntroduced => "the type is now a branch of a union".to_owned(),
            Self::UnionDissolved => "the type is no longer a union".to_owned(),
            Self::UnionBranchAdded { reader, .. } => format!("the union also allows {} now", describe(reader)),
        }
    }
}

/// A type for people: its word, and its name if it has one.
fn describe(type_: &Type) -> String {
    match (type_.shape.naming(), &type_.shape) {
        (Some(naming), shape) => format!("the {} `{}`", shape.word(), naming.full),
        (None, Shape::Union(_)) => "a union".to_owned(),
        (None, shape) => format!("`{}`", shape.word()),
    }
}

fn meaning(logical: Option<&LogicalType>) -> String {
    match logical {
        None => "the plain type".to_owned(),
        Some(LogicalType { name, decimal: Some((precision, scale)) }) => format!("`{name}({precision}, {scale})`"),
        Some(LogicalType { name, decimal: None }) => format!("`{name}`"),
    }
}

/// A default for people: what is small is shown in full.
fn default(value: Option<&Value>) -> String {
    match value {
        None => "none".to_owned(),
        Some(Value::Array(items)) if !items.is_empty() => "an array".to_owned(),
        Some(Value::Object(entries)) if !entries.is_empty() => "an object".to_owned(),
        Some(Value::String(text)) if text.len() > 80 => "a long text".to_owned(),
        Some(value) => format!("`{value}`"),
    }
}

/// Some words in backticks, of which a long list tells the first.
fn list(words: &[&str]) -> String {
    const MAX_LISTED: usize = 10;
    let shown: Vec<String> = words.iter().take(MAX_LISTED).map(|word| format!("`{word}`")).collect();
    match words.len().saturating_sub(MAX_LISTED) {
        0 => shown.join(", "),
        more => format!("{} and {more} more", shown.join(", ")),
    }
}
