//! The values before and after a difference, as short texts for people.

use std::time::Duration;

use serde_json::Value;

use crate::contract::{
    Evolve, Fields, GateMode, Late, LogicalType, Measure, Pinning, Property, Quality, QualityUnit, Relationship,
    SchemaObject, SemanticType, Server, ServerKind, SlaProperty,
};
use crate::decimal::Decimal;
use crate::name::DomainPath;
use crate::quality::{Bound, Operator, Scalar, Severity};
use crate::table::ReaderProtocol;

use super::level::Level;
use super::types::type_of;

/// The most characters of a value, without the marks of what is left out.
pub const MAX_VALUE_CHARS: usize = 200;
/// How many characters before the first difference of two long values are shown.
const CONTEXT_CHARS: usize = 40;

/// What was there before and what is there after; `None` where there is nothing.
#[derive(Clone, Debug, Default)]
pub(super) struct Values {
    pub(super) before: Option<String>,
    pub(super) after: Option<String>,
}

impl Values {
    /// Of what changed.
    pub(super) fn of<T: Shown + ?Sized>(before: &T, after: &T) -> Self {
        let (before, after) = (before.shown(), after.shown());
        // Two long values are shown from where they differ.
        let n_equal = match (&before, &after) {
            (Some(before), Some(after)) => before.chars().zip(after.chars()).take_while(|(a, b)| a == b).count(),
            _ => 0,
        };
        let start = if n_equal + CONTEXT_CHARS > MAX_VALUE_CHARS { n_equal - CONTEXT_CHARS } else { 0 };
        Self { before: before.map(|text| window(&text, start)), after: after.map(|text| window(&text, start)) }
    }

    /// Of what was added.
    pub(super) fn added(after: &(impl Shown + ?Sized)) -> Self {
        Self { before: None, after: after.shown().map(|text| window(&text, 0)) }
    }

    /// Of what was removed.
    pub(super) fn removed(before: &(impl Shown + ?Sized)) -> Self {
        Self { before: before.shown().map(|text| window(&text, 0)), after: None }
    }
}

/// What can be shown of a text in one line, from a character on.
fn window(text: &str, start: usize) -> String {
    let visible = |c: char| match c {
        '\n' | '\r' | '\t' => ' ',
        control if control.is_control() => char::REPLACEMENT_CHARACTER,
        other => other,
    };
    let shown: String = text.chars().skip(start).take(MAX_VALUE_CHARS).map(visible).collect();
    let is_cut = text.chars().nth(start + MAX_VALUE_CHARS).is_some();
    let (before, after) = (if start > 0 { "…" } else { "" }, if is_cut { "…" } else { "" });
    format!("{before}{shown}{after}")
}

/// A value as a text; `None` for one that is not there.
pub(super) trait Shown {
    fn shown(&self) -> Option<String>;
}

impl<T: Shown + ?Sized> Shown for &T {
    fn shown(&self) -> Option<String> {
        (*self).shown()
    }
}

impl<T: Shown> Shown for Option<T> {
    fn shown(&self) -> Option<String> {
        self.as_ref()?.shown()
    }
}

macro_rules! shown {
    ($($type:ty: $value:ident => $text:expr,)+) => {
        $(
            impl Shown for $type {
                fn shown(&self) -> Option<String> {
                    let $value = self;
                    Some($text)
                }
            }
        )+
    };
}

shown! {
    bool: flag => flag.to_string(),
    u32: number => number.to_string(),
    u64: number => number.to_string(),
    Decimal: number => number.to_string(),
    str: text => text.to_owned(),
    String: text => text.clone(),
    DomainPath: path => path.to_string(),
    Duration: duration => format!("{}s", duration.as_secs()),
    Level: level => level.to_string(),
    GateMode: mode => mode.as_str().to_owned(),
    Late: late => late.as_str().to_owned(),
    Evolve: evolve => evolve.as_str().to_owned(),
    LogicalType: logical => logical.as_str().to_owned(),
    Bound: bound => match bound.exclusive {
        true => format!("{} (excluded)", scalar(&bound.value)),
        false => scalar(&bound.value),
    },
    Scalar: value => scalar(value),
    Value: value => value.as_str().map_or_else(|| value.to_string(), str::to_owned),
    Property: property => match property.required || property.primary_key {
        true => format!("{}, required", type_of(property).replace('`', "")),
        false => type_of(property).replace('`', ""),
    },
    Server: server => server_text(server),
    SlaProperty: sla => with_unit(&sla.value, sla.unit.as_deref()),
    Relationship: relationship => match relationship.from.is_empty() {
        true => relationship.to.join(", "),
        false => format!("{} -> {}", relationship.from.join(", "), relationship.to.join(", ")),
    },
    Quality: rule => quality_text(rule),
    ReaderProtocol: ceiling => {
        let features: Vec<&str> = ceiling.features.iter().map(String::as_str).collect();
        format!("version {}, features {}", ceiling.version, if features.is_empty() { "none".to_owned() } else { features.join(", ") })
    },
    SemanticType: semantic => match semantic {
        SemanticType::Column => "column",
        SemanticType::Measure => "measure",
        SemanticType::Dimension => "dimension",
    }.to_owned(),
    Pinning: pinning => match pinning {
        Pinning::Any => "false",
        Pinning::Files => "true",
        Pinning::Digest => "digest",
    }.to_owned(),
}

impl Shown for Fields {
    fn shown(&self) -> Option<String> {
        (!self.is_empty()).then(|| Value::Object(self.clone()).to_string())
    }
}

/// A list; an empty one says nothing.
impl<T: Shown> Shown for [T] {
    fn shown(&self) -> Option<String> {
        let mut text = String::new();
        for item in self.iter().filter_map(Shown::shown) {
            // A character has at most four bytes, so more would be cut off again.
            if text.len() > 4 * MAX_VALUE_CHARS {
                break;
            }
            if !text.is_empty() {
                text.push_str(", ");
            }
            text.push_str(&item);
        }
        (!self.is_empty()).then_some(text)
    }
}

impl<T: Shown> Shown for Vec<T> {
    fn shown(&self) -> Option<String> {
        self.as_slice().shown()
    }
}

impl Shown for SchemaObject {
    fn shown(&self) -> Option<String> {
        let names: Vec<&str> = self.properties.iter().map(|property| property.name.as_str()).collect();
        names.shown()
    }
}

/// A field by its name, before and after.
pub(super) type Named<'a> = (&'a str, Option<&'a str>, Option<&'a str>);

/// The fields that differ, by name: `name: Orders, apiVersion: v3.1.0`.
pub(super) fn differing(fields: &[Named<'_>]) -> Values {
    let text = |name: &str, value: Option<&str>| value.map(|value| format!("{name}: {value}"));
    let differing = || fields.iter().filter(|(_, before, after)| before != after);
    let before: Vec<String> = differing().filter_map(|(name, before, _)| text(name, *before)).collect();
    let after: Vec<String> = differing().filter_map(|(name, _, after)| text(name, *after)).collect();
    Values::of(&before, &after)
}

/// The fields of one side that the other has not or has otherwise.
pub(super) fn but_for_equal(fields: &Fields, other: &Fields) -> Fields {
    let own = fields.iter().filter(|(name, value)| other.get(*name) != Some(value));
    own.map(|(name, value)| (name.clone(), value.clone())).collect()
}

fn scalar(value: &Scalar) -> String {
    match value {
        Scalar::Text(text) => text.clone(),
        Scalar::Integer(number) => number.to_string(),
        Scalar::Number(number) => number.to_string(),
        Scalar::Decimal(number) => number.to_string(),
        Scalar::Boolean(boolean) => boolean.to_string(),
    }
}

fn with_unit(value: &Value, unit: Option<&str>) -> String {
    let value = value.shown().unwrap_or_default();
    unit.map_or(value.clone(), |unit| format!("{value} {unit}"))
}

fn server_text(server: &Server) -> String {
    match &server.kind {
        ServerKind::Local(local) => format!("local, {}, {}", local.path, local.format),
        ServerKind::Other(word) => word.clone(),
    }
}

/// What a rule measures, and what it demands of that.
fn quality_text(rule: &Quality) -> String {
    let list = |values: &[Scalar]| values.shown().unwrap_or_default();
    let measure = match &rule.measure {
        Measure::NullValues | Measure::RowCount | Measure::Text => rule.measure.name().to_owned(),
        Measure::MissingValues { values } => format!("missingValues of {}", list(values)),
        Measure::InvalidValues { values, pattern: None } => format!("invalidValues, valid: {}", list(values)),
        Measure::InvalidValues { values: _, pattern: Some(pattern) } => format!("invalidValues, pattern: {pattern}"),
        Measure::DuplicateValues { properties } if properties.is_empty() => "duplicateValues".to_owned(),
        Measure::DuplicateValues { properties } => format!("duplicateValues of {}", properties.join(", ")),
        Measure::Sql { query } => format!("sql {query}"),
        Measure::Custom(fields) => format!("custom {}", fields.shown().unwrap_or_default()),
    };
    let demand = rule.operator.map(operator_text).unwrap_or_default();
    let unit = match &rule.unit {
        QualityUnit::Rows => "",
        QualityUnit::Percent => " percent",
        QualityUnit::Unknown(word) => &format!(" {word}"),
    };
    let severity = match rule.severity {
        Severity::Error => "",
        Severity::Warning => ", severity warning",
        Severity::Info => ", severity info",
    };
    // A query may be long, and what is demanded of it is not to be cut off.
    format!("{demand}{unit}{severity}; {measure}").trim_start_matches("; ").to_owned()
}

fn operator_text(operator: Operator) -> String {
    match operator {
        Operator::MustBe(bound) => format!("mustBe {bound}"),
        Operator::MustNotBe(bound) => format!("mustNotBe {bound}"),
        Operator::MustBeGreaterThan(bound) => format!("mustBeGreaterThan {bound}"),
        Operator::MustBeGreaterOrEqualTo(bound) => format!("mustBeGreaterOrEqualTo {bound}"),
        Operator::MustBeLessThan(bound) => format!("mustBeLessThan {bound}"),
        Operator::MustBeLessOrEqualTo(bound) => format!("mustBeLessOrEqualTo {bound}"),
        Operator::MustBeBetween(low, high) => format!("mustBeBetween {low} and {high}"),
        Operator::MustNotBeBetween(low, high) => format!("mustNotBeBetween {low} and {high}"),
    }
}
