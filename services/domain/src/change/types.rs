//! The relation between two column types (rows 8 to 10, 18, 31, 36 of the table).

use std::sync::Arc;

use super::rule::Rule;
use super::serving::Serving;
use crate::contract::types::TypeName;
use crate::contract::{LogicalType, MapTypes, Property};

/// How deep a physical type name may nest.
const MAX_DEPTH: usize = 32;

/// The difference of two types.
pub(super) enum Difference {
    /// There is none.
    None,
    /// The types themselves differ: the rule and a sentence.
    Rule(Rule, String),
    /// Two type names such as `array<int>` and `array<long>`: what differs is inside.
    Inside(Box<Property>, Box<Property>),
}

/// The difference of two properties' types.
pub(super) fn difference(old: &Property, new: &Property, serving: Serving) -> Difference {
    if (&old.physical_type, old.logical_type, &old.options.format)
        == (&new.physical_type, new.logical_type, &new.options.format)
    {
        return Difference::None;
    }
    let (before, after) = (Form::of(old, new), Form::of(new, old));
    let relation = if before.shape() != after.shape() {
        Relation::Reshaped
    } else {
        match (&before, &after) {
            (Form::Known(before), Form::Known(after)) if before == after => return same_name(old, new),
            (Form::Known(before), Form::Known(after)) => pair(before, after, serving),
            (Form::Logical(before), Form::Logical(after)) if before != after => Relation::Changed,
            // Formats that we do not know, of one logical type.
            (Form::Logical(_), Form::Logical(_)) if format_is_type(old) => Relation::Unknown,
            (Form::Logical(_), Form::Logical(_)) => return Difference::None,
            (Form::Unknown(before), Form::Unknown(after)) if before.eq_ignore_ascii_case(after) => {
                if old.logical_type == new.logical_type {
                    return if before == after { Difference::None } else { Relation::Respelled.between(old, new) };
                }
                Relation::Changed
            }
            // One says more than the other, or something that we do not know.
            (Form::Known(_) | Form::Logical(_) | Form::Unknown(_), _) => Relation::Unknown,
        }
    };
    relation.between(old, new)
}

/// How a type relates to the one before it.
#[derive(Clone, Copy)]
enum Relation {
    /// It admits more, in a way that all table formats allow or that Delta does.
    Widened,
    /// Some formats convert it, and a conversion can lose something.
    Converted,
    /// The format's readers of the new type still read the old.
    Promoted,
    /// It has another name and is the same.
    Respelled,
    /// A single value became a structure, a list or a map, or the other way round.
    Reshaped,
    /// It is narrower or another type.
    Changed,
    /// It cannot be compared.
    Unknown,
}

impl Relation {
    fn rule(self) -> Rule {
        match self {
            Self::Widened => Rule::TypeWidened,
            Self::Converted => Rule::TypeConverted,
            Self::Promoted => Rule::TypePromoted,
            Self::Respelled => Rule::TypeRespelled,
            Self::Reshaped => Rule::ShapeChanged,
            Self::Changed => Rule::TypeChanged,
            Self::Unknown => Rule::Undetermined,
        }
    }

    fn between(self, old: &Property, new: &Property) -> Difference {
        let verb = match self {
            Self::Widened => "was widened",
            Self::Converted | Self::Promoted => "was converted",
            Self::Respelled => "is written differently,",
            Self::Reshaped => "changed its shape",
            Self::Changed => "changed",
            Self::Unknown => "cannot be compared:",
        };
        Difference::Rule(self.rule(), format!("the type {verb} from {} to {}", type_of(old), type_of(new)))
    }
}

/// Two properties whose types have the same meaning, as far as their names go.
fn same_name(old: &Property, new: &Property) -> Difference {
    let relation = if old.logical_type.is_some() && old.logical_type != new.logical_type {
        Relation::Changed
    } else {
        match (old.physical_type.as_deref(), new.physical_type.as_deref()) {
            (Some(before), Some(after)) if !before.eq_ignore_ascii_case(after) => match arguments(before, after) {
                Ok(relation) => relation,
                Err(IsNested) => match (tree(before, MAX_DEPTH), tree(after, MAX_DEPTH)) {
                    (Some(before), Some(after)) => return Difference::Inside(Box::new(before), Box::new(after)),
                    // Only one name tells what is inside; it is no news where the properties below tell as well.
                    _ if tells_inside(old) && tells_inside(new) => Relation::Respelled,
                    _ => Relation::Unknown,
                },
            },
            (before, after) if before == after && old.logical_type == new.logical_type && !format_is_type(new) => {
                return Difference::None;
            }
            _ => Relation::Respelled,
        }
    };
    relation.between(old, new)
}

/// Whether a property's items, members or map types are there.
fn tells_inside(property: &Property) -> bool {
    property.items.is_some() || property.map.is_some() || !property.members.is_empty()
}

/// The names are those of structures, lists or maps.
struct IsNested;

/// How two physical type names relate that mean the same but for what [`TypeName`] leaves out.
fn arguments(before: &str, after: &str) -> Result<Relation, IsNested> {
    /// What is stored like others of its kind and holds other values.
    fn family(text: &str) -> Option<&'static str> {
        const FAMILIES: [(&str, &str); 8] = [
            ("uuid", "uuid"),
            ("uniqueidentifier", "uuid"),
            ("json", "json"),
            ("xml", "xml"),
            ("enum", "enum"),
            ("tinytext", "tinytext"),
            ("mediumint", "mediumint"),
            ("bignumeric", "bignumeric"),
        ];
        let text = text.trim().to_ascii_lowercase();
        FAMILIES.iter().find(|(start, _)| text.starts_with(start)).map(|(_, family)| *family)
    }
    /// The number in parentheses.
    fn argument(text: &str) -> Option<u64> {
        let (_, rest) = text.split_once(['(', '['])?;
        rest.split([')', ']', ',']).next()?.trim().parse().ok()
    }
    /// Whether it is the name of a structure, a list or a map.
    fn is_nested(text: &str) -> bool {
        let name = TypeName::parse(text);
        text.trim_end().ends_with("[]") || matches!(name, Some(TypeName::Struct | TypeName::List | TypeName::Map))
    }
    Ok(match TypeName::parse(before) {
        _ if is_nested(before) && is_nested(after) => return Err(IsNested),
        // What was stored as text is stored as what it is, or the other way round.
        _ if is_nested(before) || is_nested(after) => Relation::Changed,
        _ if family(before) != family(after) => Relation::Changed,
        // The values of a physical enumeration are in its name.
        _ if family(before) == Some("enum") => Relation::Unknown,
        Some(TypeName::Binary) => match (argument(before), argument(after)) {
            (Some(before), Some(after)) if before < after => Relation::Widened,
            (Some(_), None) => Relation::Widened,
            (before, after) if before == after => Relation::Respelled,
            _ => Relation::Changed,
        },
        Some(TypeName::Time | TypeName::Timestamp { .. }) => match (argument(before), argument(after)) {
            (before, after) if before == after => Relation::Respelled,
            (Some(_), Some(_)) => Relation::Changed,
            // What a dialect takes where none is given is not known.
            _ => Relation::Unknown,
        },
        _ => Relation::Respelled,
    })
}

/// A physical type name such as `struct<a: int, b: array<string>>`, `map(varchar, bigint)` or `int[]` as a property
/// with what is inside; `None` if it does not tell.
fn tree(text: &str, depth: usize) -> Option<Property> {
    let text = text.trim();
    let depth = depth.checked_sub(1)?;
    let scalar = || Property { physical_type: Some(text.to_owned()), ..Property::default() };
    let list = |item: Property| Property { items: Some(Box::new(item)), ..Property::default() };
    if let Some(item) = text.strip_suffix("[]") {
        return element(item, depth).map(list);
    }
    let Some(open) = text.find(['<', '(']) else {
        let tells_nothing = matches!(TypeName::parse(text), Some(TypeName::Struct | TypeName::List | TypeName::Map));
        return (!tells_nothing).then(scalar);
    };
    let (base, rest) = text.split_at(open);
    let inside = || rest.get(1..)?.strip_suffix(['>', ')']);
    match TypeName::parse(base) {
        Some(TypeName::List) => element(inside()?, depth).map(list),
        Some(TypeName::Map) => {
            let parts = split(inside()?);
            let [key, value] = parts[..] else { return None };
            let types = MapTypes { key: element(key, depth)?, value: element(value, depth)? };
            Some(Property { map: Some(Box::new(types)), ..Property::default() })
        }
        Some(TypeName::Struct) => {
            let members = split(inside()?).into_iter().map(|member| {
                let member = member.trim();
                let end = match member.strip_prefix(['`', '"']) {
                    Some(quoted) => quoted.find(['`', '"'])? + 2,
                    None => member.find([':', ' '])?,
                };
                let (name, rest) = (member.get(..end)?, member.get(end..)?);
                let member = element(rest.trim_start().trim_start_matches(':'), depth)?;
                Some(Arc::new(Property { name: name.trim_matches(['`', '"']).to_owned(), ..member }))
            });
            Some(Property { members: members.collect::<Option<_>>()?, ..Property::default() })
        }
        _ => Some(scalar()),
    }
}

/// A type with the words that may follow it: `int not null comment 'how many'`.
fn element(text: &str, depth: usize) -> Option<Property> {
    let lower = text.to_ascii_lowercase();
    let end = lower.find(" comment ").unwrap_or(text.len());
    let (text, lower) = (text.get(..end)?.trim(), lower.get(..end)?.trim());
    let required = lower.ends_with(" not null");
    let text = if required { text.get(..text.len() - " not null".len())? } else { text };
    Some(Property { required, ..tree(text, depth)? })
}

/// The parts between commas that are in no parentheses.
fn split(text: &str) -> Vec<&str> {
    let (mut parts, mut start, mut depth) = (Vec::new(), 0, 0_usize);
    for (at, character) in text.char_indices() {
        match character {
            '<' | '(' => depth += 1,
            '>' | ')' => depth = depth.saturating_sub(1),
            ',' if depth == 0 => {
                parts.push(&text[start..at]);
                start = at + 1;
            }
            _ => {}
        }
    }
    parts.push(&text[start..]);
    parts
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

/// Whether a type is one value, or the kind of its parts.
#[derive(Debug, PartialEq, Eq)]
enum Shape {
    Scalar,
    Struct,
    List,
    Map,
}

impl<'a> Form<'a> {
    /// Of a property that is compared with another.
    fn of(property: &'a Property, other: &Property) -> Self {
        if let Some(name) = property.physical_type.as_deref() {
            if name.trim_end().ends_with("[]") {
                return Self::Known(TypeName::List);
            }
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
            // The standard's default width counts only against another document that names no physical type either.
            Some(LogicalType::Integer) => {
                let format = format.or(other.physical_type.is_none().then_some(DEFAULT_INTEGER));
                by_width(format).map_or(Self::Logical(property.logical_type), Self::Known)
            }
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
            Self::Known(
                TypeName::Boolean
                | TypeName::Integer { .. }
                | TypeName::Float { .. }
                | TypeName::Decimal { .. }
                | TypeName::String { .. }
                | TypeName::Binary
                | TypeName::Date
                | TypeName::Time
                | TypeName::Timestamp { .. },
            )
            | Self::Logical(_)
            | Self::Unknown(_) => Shape::Scalar,
        }
    }
}

/// The format of an integer that names none (ODCS `logicalTypeOptions.format`).
const DEFAULT_INTEGER: &str = "i32";

/// `i8` to `u128` as a type; `None` for any other word.
fn by_width(format: Option<&str>) -> Option<TypeName> {
    let format = format?;
    let (sign, bits) = format.split_at_checked(1)?;
    let bits = bits.parse().ok().filter(|bits| matches!(bits, 8 | 16 | 32 | 64 | 128))?;
    matches!(sign, "i" | "u").then_some(TypeName::Integer { bits, signed: sign == "i" })
}

/// Whether the format of a property is all that is known of its type.
pub(super) fn format_is_type(property: &Property) -> bool {
    property.physical_type.is_none()
        && matches!(property.logical_type, Some(LogicalType::Integer | LogicalType::Number))
}

/// How the formats of two numbers relate, where they are widths beside a physical type; `None` if they are notations.
pub(super) fn compare_formats(old: &Property, new: &Property) -> Option<Rule> {
    let width = |property: &Property| {
        let format = property.options.format.as_deref();
        match (property.logical_type?, format) {
            (LogicalType::Integer, format) => by_width(format.or(Some(DEFAULT_INTEGER))),
            (LogicalType::Number, Some("f32")) => Some(TypeName::Float { bits: 32 }),
            (LogicalType::Number, Some("f64")) => Some(TypeName::Float { bits: 64 }),
            _ => None,
        }
    };
    let (before, after) = (width(old)?, width(new)?);
    let relation = match (&before, &after) {
        (before, after) if before == after => Relation::Respelled,
        (TypeName::Integer { .. }, TypeName::Integer { .. }) | (TypeName::Float { .. }, TypeName::Float { .. }) => {
            widened(&before, &after)
        }
        _ => Relation::Changed,
    };
    Some(relation.rule())
}

/// How two different types relate.
fn pair(before: &TypeName, after: &TypeName, serving: Serving) -> Relation {
    use TypeName::{Binary, Date, Decimal, Float, Integer, String, Timestamp};
    match (before, after) {
        // Avro resolves these (its decimals are bytes and have no such rule).
        (Integer { bits, signed: true }, Float { bits: 32 | 64 }) if serving.is_avro && *bits <= 64 => {
            Relation::Promoted
        }
        (String { length: None }, Binary) | (Binary, String { length: None }) if serving.is_avro => Relation::Promoted,
        // Delta's type widening goes further than what all formats allow.
        (Integer { bits: ..=32, signed: true }, Float { bits: 64 }) if serving.widens_types => Relation::Promoted,
        (Integer { bits, signed: true }, Decimal { size: Some((precision, scale)) }) if serving.widens_types => {
            let least = if *bits <= 32 { 10 } else { 20 };
            let whole_digits = i16::from(*precision) - i16::from(*scale);
            if *scale >= 0 && whole_digits >= least { Relation::Widened } else { Relation::Changed }
        }
        (Decimal { size: Some((p, s)) }, Decimal { size: Some((q, t)) }) if serving.widens_types => {
            let (more_digits, more_scale) = (i16::from(*q) - i16::from(*p), i16::from(*t) - i16::from(*s));
            if more_scale >= 0 && more_digits >= more_scale { Relation::Widened } else { Relation::Changed }
        }
        (Date, Timestamp { zoned: Some(false) }) if serving.widens_types => Relation::Widened,
        (Integer { .. }, Float { .. }) | (String { .. }, Binary) | (Binary, String { .. }) => Relation::Converted,
        _ => widened(before, after),
    }
}

/// Whether a type became wider as all table formats allow, or changed.
fn widened(before: &TypeName, after: &TypeName) -> Relation {
    match (before, after) {
        (TypeName::Integer { bits: a, signed: s }, TypeName::Integer { bits: b, signed: t }) if s == t && a < b => {
            Relation::Widened
        }
        (TypeName::Float { bits: a }, TypeName::Float { bits: b }) if a < b => Relation::Widened,
        (TypeName::Decimal { size: Some((p, s)) }, TypeName::Decimal { size: Some((q, t)) }) if s == t && p < q => {
            Relation::Widened
        }
        (TypeName::String { length: Some(a) }, TypeName::String { length: Some(b) }) if a < b => Relation::Widened,
        (TypeName::String { length: Some(_) }, TypeName::String { length: None }) => Relation::Widened,
        (
            TypeName::Boolean
            | TypeName::Integer { .. }
            | TypeName::Float { .. }
            | TypeName::Decimal { .. }
            | TypeName::String { .. }
            | TypeName::Binary
            | TypeName::Date
            | TypeName::Time
            | TypeName::Timestamp { .. }
            | TypeName::Struct
            | TypeName::List
            | TypeName::Map,
            _,
        ) => Relation::Changed,
    }
}

/// A type as its document writes it.
pub(super) fn type_of(property: &Property) -> String {
    let logical = property.logical_type.map(LogicalType::as_str);
    let format = property.options.format.as_deref().filter(|_| format_is_type(property));
    match (property.physical_type.as_deref(), logical, format) {
        (Some(physical), _, _) => format!("`{physical}`"),
        (None, Some(logical), Some(format)) => format!("`{logical} {format}`"),
        (None, Some(logical), None) => format!("`{logical}`"),
        (None, None, _) => "no type".to_owned(),
    }
}
