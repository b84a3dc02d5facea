//! How two column types relate (rows 8 to 10, 18, 31, 36 of the table).

use crate::change::Rule;
use crate::contract::types::TypeName;
use crate::contract::{LogicalType, Property};

/// The difference of two types, if there is one: its rule and a sentence.
pub(super) fn difference(old: &Property, new: &Property) -> Option<(Rule, String)> {
    let sentence = |verb: &str| format!("the type {verb} from {} to {}", named(old), named(new));
    let (before, after) = (Form::of(old), Form::of(new));
    if before.shape() != after.shape() {
        return Some((Rule::ShapeChanged, sentence("changed its shape")));
    }
    let rule = match (&before, &after) {
        (Form::Known(before), Form::Known(after)) if before == after => {
            return if old.physical_type == new.physical_type && old.logical_type == new.logical_type {
                None
            } else if old.logical_type == new.logical_type || old.logical_type.is_none() {
                Some((Rule::TypeRespelled, sentence("is written otherwise,")))
            } else {
                Some((Rule::TypeChanged, sentence("changed")))
            };
        }
        (Form::Known(before), Form::Known(after)) => pair(before, after),
        (Form::Logical(before), Form::Logical(after)) if before == after => return None,
        (Form::Logical(_), Form::Logical(_)) => Rule::TypeChanged,
        (Form::Unknown(before), Form::Unknown(after)) if before.eq_ignore_ascii_case(after) => {
            return (old.logical_type != new.logical_type).then(|| (Rule::TypeChanged, sentence("changed")));
        }
        // One says more than the other, or something that we do not know.
        _ => Rule::Undetermined,
    };
    Some((
        rule,
        sentence(match rule {
            Rule::TypeWidened => "was widened",
            Rule::TypeConverted => "was converted",
            Rule::Undetermined => "cannot be compared:",
            _ => "changed",
        }),
    ))
}

/// What is known of a type.
#[derive(Debug, PartialEq)]
enum Form<'a> {
    /// A physical type, by name or by the format of its logical type.
    Known(TypeName),
    /// A family and nothing more.
    Logical(Option<LogicalType>),
    /// A physical type that we do not know.
    Unknown(&'a str),
}

/// Whether a type is one value, or what it is made of.
#[derive(Debug, PartialEq, Eq)]
enum Shape {
    Scalar,
    Struct,
    List,
    Map,
}

impl<'a> Form<'a> {
    fn of(property: &'a Property) -> Self {
        if let Some(name) = property.physical_type.as_deref() {
            return match (TypeName::parse(name), property.logical_type) {
                // A structure that is stored as text is a structure to its readers.
                (Some(TypeName::String { .. }), Some(LogicalType::Object)) => Self::Known(TypeName::Struct),
                (Some(TypeName::String { .. }), Some(LogicalType::Array)) => Self::Known(TypeName::List),
                (Some(TypeName::String { .. }), Some(LogicalType::Map)) => Self::Known(TypeName::Map),
                (Some(type_name), _) => Self::Known(type_name),
                (None, _) => Self::Unknown(name),
            };
        }
        let format = property.options.format.as_deref();
        match property.logical_type {
            Some(LogicalType::Integer) => by_width(format).map_or(Self::Logical(property.logical_type), Self::Known),
            Some(LogicalType::Number) => match format {
                Some("f32") => Self::Known(TypeName::Float { bits: 32 }),
                Some("f64") => Self::Known(TypeName::Float { bits: 64 }),
                _ => Self::Logical(property.logical_type),
            },
            Some(LogicalType::Object) => Self::Known(TypeName::Struct),
            Some(LogicalType::Array | LogicalType::Vector) => Self::Known(TypeName::List),
            Some(LogicalType::Map) => Self::Known(TypeName::Map),
            Some(LogicalType::Boolean) => Self::Known(TypeName::Boolean),
            Some(LogicalType::Date) => Self::Known(TypeName::Date),
            Some(LogicalType::Time) => Self::Known(TypeName::Time),
            Some(LogicalType::String) => Self::Known(TypeName::String { length: None }),
            Some(LogicalType::Timestamp) => Self::Known(TypeName::Timestamp { zoned: None }),
            None => Self::Logical(None),
        }
    }

    fn shape(&self) -> Shape {
        match self {
            Self::Known(TypeName::Struct) => Shape::Struct,
            Self::Known(TypeName::List) => Shape::List,
            Self::Known(TypeName::Map) => Shape::Map,
            _ => Shape::Scalar,
        }
    }
}

/// `i8` to `u64` as a type; `None` for what is wider than any of ours.
fn by_width(format: Option<&str>) -> Option<TypeName> {
    let format = format?;
    let bits = format.get(1..)?.parse().ok().filter(|bits| *bits <= 64)?;
    Some(TypeName::Integer { bits, signed: format.starts_with('i') })
}

/// Whether the formats of two properties are part of their types already.
pub(super) fn format_is_type(property: &Property) -> bool {
    property.physical_type.is_none()
        && matches!(property.logical_type, Some(LogicalType::Integer | LogicalType::Number))
}

/// How two different types relate.
fn pair(before: &TypeName, after: &TypeName) -> Rule {
    match (before, after) {
        (TypeName::Integer { bits: a, signed: s }, TypeName::Integer { bits: b, signed: t }) if s == t && a < b => {
            Rule::TypeWidened
        }
        (TypeName::Float { bits: a }, TypeName::Float { bits: b }) if a < b => Rule::TypeWidened,
        (TypeName::Decimal { size: Some((p, s)) }, TypeName::Decimal { size: Some((q, t)) }) if s == t && p < q => {
            Rule::TypeWidened
        }
        (TypeName::String { length: Some(a) }, TypeName::String { length: Some(b) }) if a < b => Rule::TypeWidened,
        (TypeName::String { length: Some(_) }, TypeName::String { length: None }) => Rule::TypeWidened,
        (TypeName::Integer { .. }, TypeName::Float { .. })
        | (TypeName::String { .. }, TypeName::Binary)
        | (TypeName::Binary, TypeName::String { .. }) => Rule::TypeConverted,
        _ => Rule::TypeChanged,
    }
}

/// A type as its document writes it.
fn named(property: &Property) -> String {
    let logical = property.logical_type.map(LogicalType::as_str);
    let format = property.options.format.as_deref().filter(|_| format_is_type(property));
    match (property.physical_type.as_deref(), logical, format) {
        (Some(physical), _, _) => format!("`{physical}`"),
        (None, Some(logical), Some(format)) => format!("`{logical} {format}`"),
        (None, Some(logical), None) => format!("`{logical}`"),
        (None, None, _) => "no type".to_owned(),
    }
}
