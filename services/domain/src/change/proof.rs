//! What settles a finding: proofs over the data, and the policies of a comparison.

use std::collections::BTreeSet;
use std::fmt;

use crate::decimal::Decimal;
use crate::quality::{Bound, Check, Scalar};
use crate::table::ColumnPath;

/// The policies that two versions are compared under. The default is the strictest.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Options {
    /// Which proofs hold.
    pub proofs: Proofs,
    /// Whether readers take wider types (row 8 of the table), whatever the old version's own `allowWidening` says.
    pub allow_widening: bool,
    /// The words of classification from the least to the most sensitive; empty for the four of
    /// [`crate::contract::Classification`].
    pub classification_order: Vec<String>,
    /// The custom properties that promise something to readers, beside those whose meaning is known: changing one is
    /// [`Rule::Undetermined`](super::Rule::Undetermined).
    pub promises: BTreeSet<String>,
    /// Whether every registered reader declares that it supports what reading the new version asks for (row 39).
    pub readers_keep_up: bool,
}

/// Which proofs hold.
#[derive(Clone, Debug, Default, PartialEq)]
pub enum Proofs {
    /// None is known to.
    #[default]
    None,
    /// All that a comparison asks for.
    All,
    /// These.
    These(Vec<Proof>),
}

impl Proofs {
    /// Whether this one is among them.
    pub fn hold(&self, proof: &Proof) -> bool {
        match self {
            Self::None => false,
            Self::All => true,
            Self::These(proofs) => proofs.contains(proof),
        }
    }
}

/// Something about the rows of one schema object that, if it is true of the whole table, settles a finding: no older
/// row breaks the new promise. It is proven on one snapshot and says nothing of any other.
#[derive(Clone, Debug, PartialEq)]
pub struct Proof {
    /// The schema object, by its name in the new version.
    pub object: String,
    /// What must be true.
    pub claim: Claim,
}

/// What a proof says. Columns are named as the new version's table does; the steps `[]`, `{key}` and `{value}` lead
/// into lists and maps.
#[derive(Clone, Debug, PartialEq)]
pub enum Claim {
    /// No value is null.
    NoNulls {
        /// The column.
        column: ColumnPath,
    },
    /// All values are among these; nulls are ignored.
    ValuesIn {
        /// The column.
        column: ColumnPath,
        /// The values.
        values: Vec<Scalar>,
    },
    /// All values satisfy a constraint; nulls are ignored.
    Holds {
        /// The column.
        column: ColumnPath,
        /// The constraint.
        constraint: Constraint,
    },
    /// No two rows have the same values; rows with a null are ignored.
    Unique {
        /// The columns.
        columns: Vec<ColumnPath>,
    },
    /// No value is null and no two rows have the same values.
    Key {
        /// The columns.
        columns: Vec<ColumnPath>,
    },
    /// Every row names one that exists; rows with a null are ignored.
    References {
        /// The columns, as the document names them.
        columns: Vec<String>,
        /// What they name, as the document does.
        to: Vec<String>,
    },
}

/// A constraint on single values.
#[derive(Clone, Debug, PartialEq)]
pub enum Constraint {
    /// The value is not below.
    Minimum(Bound),
    /// The value is not above.
    Maximum(Bound),
    /// The text has as many characters at least.
    MinLength(u64),
    /// The text has as many characters at most.
    MaxLength(u64),
    /// The list has as many items at least.
    MinItems(u64),
    /// The list has as many items at most.
    MaxItems(u64),
    /// The structure has as many members at least.
    MinProperties(u64),
    /// The structure has as many members at most.
    MaxProperties(u64),
    /// The items of the list are distinct.
    UniqueItems,
    /// The text matches.
    Pattern(String),
    /// The number is a multiple.
    MultipleOf(Decimal),
}

impl Proof {
    /// The checks that prove it, each of which must count no row; `None` if the worker cannot measure it: what lies in
    /// lists and maps, counts of items and members, and foreign keys.
    pub fn checks(&self) -> Option<Vec<Check>> {
        let measurable = |column: &ColumnPath| {
            let is_name = |step: &String| !matches!(step.as_str(), "[]" | "{key}" | "{value}");
            column.0.iter().all(is_name).then(|| column.clone())
        };
        let all = |columns: &[ColumnPath]| columns.iter().map(measurable).collect::<Option<Vec<_>>>();
        Some(match &self.claim {
            Claim::NoNulls { column } => vec![Check::NullValues { column: measurable(column)? }],
            Claim::ValuesIn { column, values } => {
                vec![Check::InvalidValues { column: measurable(column)?, values: values.clone() }]
            }
            Claim::Holds { column, constraint } => vec![constraint.check(measurable(column)?)?],
            Claim::Unique { columns } => vec![Check::DuplicateValues { columns: all(columns)? }],
            Claim::Key { columns } => {
                let columns = all(columns)?;
                let no_nulls = columns.iter().map(|column| Check::NullValues { column: column.clone() });
                no_nulls.chain([Check::DuplicateValues { columns: columns.clone() }]).collect()
            }
            Claim::References { .. } => return None,
        })
    }
}

impl Constraint {
    fn check(&self, column: ColumnPath) -> Option<Check> {
        Some(match self {
            Self::Minimum(bound) => Check::OutOfRange { column, minimum: Some(bound.clone()), maximum: None },
            Self::Maximum(bound) => Check::OutOfRange { column, minimum: None, maximum: Some(bound.clone()) },
            Self::MinLength(least) => Check::Length { column, minimum: Some(*least), maximum: None },
            Self::MaxLength(most) => Check::Length { column, minimum: None, maximum: Some(*most) },
            Self::Pattern(pattern) => Check::InvalidPattern { column, pattern: pattern.clone() },
            Self::MultipleOf(divisor) => Check::NotMultipleOf { column, divisor: divisor.clone() },
            Self::MinItems(_)
            | Self::MaxItems(_)
            | Self::MinProperties(_)
            | Self::MaxProperties(_)
            | Self::UniqueItems => return None,
        })
    }
}

/// One sentence for people.
impl fmt::Display for Proof {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let list = |columns: &[ColumnPath]| columns.iter().map(|it| format!("`{it}`")).collect::<Vec<_>>().join(", ");
        let object = &self.object;
        match &self.claim {
            Claim::NoNulls { column } => write!(f, "no `{column}` of `{object}` is null"),
            Claim::ValuesIn { column, values } => {
                write!(f, "every `{column}` of `{object}` is one of the {} listed values", values.len())
            }
            Claim::Holds { column, constraint } => write!(f, "every `{column}` of `{object}` {constraint}"),
            Claim::Unique { columns } => write!(f, "no two rows of `{object}` have the same {}", list(columns)),
            Claim::Key { columns } => {
                write!(f, "no two rows of `{object}` have the same {}, and none of them is null", list(columns))
            }
            Claim::References { columns, to } => {
                write!(f, "every `{}` of `{object}` is a `{}` that exists", columns.join(", "), to.join(", "))
            }
        }
    }
}

/// The end of a sentence about a value.
impl fmt::Display for Constraint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Minimum(bound) if bound.exclusive => write!(f, "is above {}", shown(&bound.value)),
            Self::Minimum(bound) => write!(f, "is at least {}", shown(&bound.value)),
            Self::Maximum(bound) if bound.exclusive => write!(f, "is below {}", shown(&bound.value)),
            Self::Maximum(bound) => write!(f, "is at most {}", shown(&bound.value)),
            Self::MinLength(least) => write!(f, "has at least {least} characters"),
            Self::MaxLength(most) => write!(f, "has at most {most} characters"),
            Self::MinItems(least) => write!(f, "has at least {least} items"),
            Self::MaxItems(most) => write!(f, "has at most {most} items"),
            Self::MinProperties(least) => write!(f, "has at least {least} members"),
            Self::MaxProperties(most) => write!(f, "has at most {most} members"),
            Self::UniqueItems => f.write_str("has no item twice"),
            Self::Pattern(pattern) => write!(f, "matches `{pattern}`"),
            Self::MultipleOf(divisor) => write!(f, "is a multiple of {divisor}"),
        }
    }
}

/// A value for people.
fn shown(value: &Scalar) -> String {
    match value {
        Scalar::Text(text) => format!("`{text}`"),
        Scalar::Integer(number) => number.to_string(),
        Scalar::Number(number) => number.to_string(),
        Scalar::Decimal(number) => number.to_string(),
        Scalar::Boolean(boolean) => boolean.to_string(),
    }
}
