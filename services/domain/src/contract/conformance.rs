//! Conformance of a table to its contract: columns, types and reader protocol. Nullability is not compared, because
//! real tables are physically nullable (`docs/rules.md`, "Data rules").

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;
use std::sync::Arc;

use super::types::TypeName;
use super::{Document, LogicalType, Property, SchemaObject};
use crate::quality::{Severity, Verdict};
use crate::table::{ColumnPath, PhysicalColumn, PhysicalSchema, PhysicalType};

/// One way in which a table differs from its contract.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ConformanceFinding {
    /// The column, by its names in the table; empty for the table as a whole. Inside arrays and maps: `items`, `key`,
    /// `value`.
    pub column: ColumnPath,
    /// The difference.
    pub problem: ConformanceProblem,
    /// `Error`: it does not conform. `Warning`: it conforms, but should be reviewed.
    pub severity: Severity,
}

/// What is different.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum ConformanceProblem {
    /// The contract declares the column and the table does not have it.
    Absent,
    /// The table's type is not one that the contract admits.
    Type {
        /// What the contract says.
        declared: String,
        /// What the table has.
        found: String,
    },
    /// The contract's `physicalType` is in no dialect we know, so only the logical type was judged.
    UnknownPhysicalType(String),
    /// The table has the column and the contract does not name it.
    Undeclared,
    /// Reading the table takes a higher version of its protocol than the contract allows.
    ReaderVersion {
        /// The most that the contract allows.
        allowed: u32,
        /// What the table asks for.
        found: u32,
    },
    /// Reading the table takes a feature that the contract does not allow.
    ReaderFeature(String),
}

impl fmt::Display for ConformanceFinding {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let column = &self.column;
        match &self.problem {
            ConformanceProblem::Absent => write!(f, "declared column `{column}` is missing from the table"),
            ConformanceProblem::Type { declared, found } => {
                write!(f, "column `{column}` has type {found}, but the contract declares {declared}")
            }
            ConformanceProblem::UnknownPhysicalType(name) => {
                write!(f, "column `{column}`: physical type `{name}` is not known, only the logical type was compared")
            }
            ConformanceProblem::Undeclared => write!(f, "column `{column}` is not declared"),
            ConformanceProblem::ReaderVersion { allowed, found } => {
                write!(f, "the table requires reader version {found}, but the contract allows {allowed}")
            }
            ConformanceProblem::ReaderFeature(feature) => {
                write!(f, "the table requires the reader feature `{feature}`, which the contract does not allow")
            }
        }
    }
}

/// What findings make of a snapshot: `fail` if it does not conform, `warn` if something should be looked at.
pub fn verdict_of(findings: &[ConformanceFinding]) -> Verdict {
    let worst = findings.iter().map(|finding| finding.severity).max();
    match worst {
        Some(Severity::Error) => Verdict::Fail,
        Some(Severity::Warning) => Verdict::Warn,
        Some(Severity::Info) | None => Verdict::Pass,
    }
}

/// Compares a table's physical schema with what the contract says of one object. `closed` makes undeclared columns a
/// failure: pass true where the product or a column is `confidential` or higher; the contract's own `closed` counts
/// anyway. Findings come in the contract's order, undeclared columns in the table's.
pub fn conformance(
    contract: &Document,
    object: &SchemaObject,
    schema: &PhysicalSchema,
    closed: bool,
) -> Vec<ConformanceFinding> {
    let undeclared = if closed || contract.settings.closed { Severity::Error } else { Severity::Warning };
    let mut judge = Judge { undeclared, findings: Vec::new(), path: Vec::new() };
    judge.members(&object.properties, &schema.columns);
    if let Some(ceiling) = &contract.settings.reader_ceiling {
        if schema.protocol.version > ceiling.version {
            let (allowed, found) = (ceiling.version, schema.protocol.version);
            judge.find(ConformanceProblem::ReaderVersion { allowed, found }, Severity::Error);
        }
        for feature in schema.protocol.features.difference(&ceiling.features) {
            judge.find(ConformanceProblem::ReaderFeature(feature.clone()), Severity::Error);
        }
    }
    judge.findings
}

struct Judge {
    undeclared: Severity,
    findings: Vec<ConformanceFinding>,
    path: Vec<String>,
}

impl Judge {
    fn find(&mut self, problem: ConformanceProblem, severity: Severity) {
        self.findings.push(ConformanceFinding { column: ColumnPath(self.path.clone()), problem, severity });
    }

    fn below(&mut self, name: &str, judge: impl FnOnce(&mut Self)) {
        self.path.push(name.to_owned());
        judge(self);
        self.path.pop();
    }

    fn members(&mut self, declared: &[Arc<Property>], found: &[PhysicalColumn]) {
        let columns: BTreeMap<_, _> = found.iter().map(|column| (column.name.as_str(), column)).collect();
        let stored = declared.iter().filter(|property| property.is_stored());
        for property in stored {
            self.below(property.column_name(), |judge| match columns.get(property.column_name()) {
                Some(column) => judge.column(property, &column.physical_type),
                None => judge.find(ConformanceProblem::Absent, Severity::Error),
            });
        }
        let names: BTreeSet<_> = declared.iter().map(|property| property.column_name()).collect();
        for column in found.iter().filter(|column| !names.contains(column.name.as_str())) {
            self.below(&column.name, |judge| judge.find(ConformanceProblem::Undeclared, judge.undeclared));
        }
    }

    fn column(&mut self, property: &Property, found: &PhysicalType) {
        let physical = property.physical_type.as_deref().map(|name| (name, TypeName::parse(name)));
        let admitted = match &physical {
            Some((_, Some(type_name))) => type_name.admits(found) && zone_fits(property, found),
            Some((_, None)) | None => admits(property, found),
        };
        if let Some((name, None)) = physical {
            self.find(ConformanceProblem::UnknownPhysicalType(name.to_owned()), Severity::Warning);
        }
        if !admitted {
            let problem = ConformanceProblem::Type { declared: declared(property), found: found.to_string() };
            return self.find(problem, Severity::Error);
        }
        match found {
            // An object that declares no members says nothing about them.
            PhysicalType::Struct(members) if !property.members.is_empty() => self.members(&property.members, members),
            PhysicalType::List(item) => {
                if let Some(items) = &property.items {
                    self.below("items", |judge| judge.column(items, &item.physical_type));
                }
            }
            PhysicalType::Map { key, value } => {
                if let Some(map) = &property.map {
                    self.below("key", |judge| judge.column(&map.key, &key.physical_type));
                    self.below("value", |judge| judge.column(&map.value, &value.physical_type));
                }
            }
            PhysicalType::Struct(_)
            | PhysicalType::Boolean
            | PhysicalType::Integer { .. }
            | PhysicalType::Float { .. }
            | PhysicalType::Decimal { .. }
            | PhysicalType::String
            | PhysicalType::Binary
            | PhysicalType::Date
            | PhysicalType::Time
            | PhysicalType::Timestamp { .. }
            | PhysicalType::Other(_) => {}
        }
    }
}

/// Whether the logical type, narrowed by its format, admits a physical type.
fn admits(property: &Property, found: &PhysicalType) -> bool {
    let Some(logical) = property.logical_type else { return true };
    let format = property.options.format.as_deref();
    match logical {
        LogicalType::String => match format {
            Some("binary" | "byte") => matches!(found, PhysicalType::String | PhysicalType::Binary),
            _ => matches!(found, PhysicalType::String),
        },
        LogicalType::Date => matches!(found, PhysicalType::Date),
        LogicalType::Time => matches!(found, PhysicalType::Time),
        LogicalType::Timestamp => matches!(found, PhysicalType::Timestamp { .. }) && zone_fits(property, found),
        LogicalType::Boolean => matches!(found, PhysicalType::Boolean),
        LogicalType::Integer => is_integer(format, found),
        LogicalType::Number => match (format, found) {
            (Some("f32"), found) => matches!(found, PhysicalType::Float { bits: 32 }),
            (Some("f64"), found) => matches!(found, PhysicalType::Float { bits: 64 }),
            (_, PhysicalType::Integer { .. } | PhysicalType::Float { .. } | PhysicalType::Decimal { .. }) => true,
            _ => false,
        },
        LogicalType::Object => matches!(found, PhysicalType::Struct(_)),
        LogicalType::Array => matches!(found, PhysicalType::List(_)),
        LogicalType::Map => matches!(found, PhysicalType::Map { .. }),
        LogicalType::Vector => matches!(
            found,
            PhysicalType::List(item)
                if matches!(item.physical_type, PhysicalType::Float { .. } | PhysicalType::Integer { .. })
        ),
    }
}

/// `i8` to `i64` are exactly that; `u8` to `u64` also fit a wider signed integer, since Delta has no unsigned ones;
/// what exceeds 64 bits is a whole decimal.
fn is_integer(format: Option<&str>, found: &PhysicalType) -> bool {
    let width = format.and_then(|format| format.strip_prefix(['i', 'u'])).and_then(|bits| bits.parse::<u8>().ok());
    let wants_signed = format.is_some_and(|format| format.starts_with('i'));
    match (found, width) {
        (PhysicalType::Integer { .. }, None) => true,
        (PhysicalType::Integer { bits, signed }, Some(width)) if wants_signed => *signed && *bits == width,
        (PhysicalType::Integer { bits, signed: false }, Some(width)) => *bits == width,
        (PhysicalType::Integer { bits, signed: true }, Some(width)) => *bits > width,
        (PhysicalType::Decimal { scale: 0, .. }, Some(width)) => width == 128 || (width == 64 && !wants_signed),
        _ => false,
    }
}

fn zone_fits(property: &Property, found: &PhysicalType) -> bool {
    match (property.options.timezone, found) {
        (Some(timezone), PhysicalType::Timestamp { zoned }) => timezone == *zoned,
        _ => true,
    }
}

/// What the contract says, for people.
fn declared(property: &Property) -> String {
    let mut text = match (&property.physical_type, property.logical_type) {
        (Some(name), _) if TypeName::parse(name).is_some() => name.clone(),
        (_, Some(logical)) => logical.as_str().to_owned(),
        (Some(name), None) => name.clone(),
        (None, None) => "anything".to_owned(),
    };
    if let (None, Some(format)) = (&property.physical_type, &property.options.format) {
        text.push_str(&format!(" ({format})"));
    }
    match property.options.timezone {
        Some(true) => text.push_str(" with time zone"),
        Some(false) => text.push_str(" without time zone"),
        None => {}
    }
    text
}
