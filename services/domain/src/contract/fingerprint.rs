//! The inputs of a verdict as bytes for hashing: the rules of an object and the expected schema of its table.

use std::sync::Arc;

use super::{Document, LogicalType, Property, SchemaObject};
use crate::quality::{Bound, Check, Operator, Rule, Scalar, Severity, Unit};
use crate::table::ColumnPath;

/// The rules as bytes, for hashing: equal exactly if the rules measure and judge the same. Titles are left out. Every
/// text is preceded by its length, so no two lists of rules share their bytes.
pub fn canonical(rules: &[Rule]) -> Vec<u8> {
    let mut bytes = Frames(b"charterhouse rules 1".to_vec());
    bytes.count(rules.len());
    for rule in rules {
        bytes.text(&rule.key);
        bytes.check(rule.check.as_ref());
        bytes.operator(rule.operator);
        bytes.byte(match rule.unit {
            Unit::Rows => 0,
            Unit::Percent => 1,
        });
        bytes.byte(match rule.severity {
            Severity::Info => 0,
            Severity::Warning => 1,
            Severity::Error => 2,
        });
    }
    bytes.0
}

/// Everything that [`super::conformance`] looks at, for one schema object: equal exactly if every table conforms to
/// both in the same way. Descriptions, ids and names in the document are left out. `closed` is as in
/// [`super::conformance`].
pub fn conformance_fingerprint(contract: &Document, object: &SchemaObject, closed: bool) -> Vec<u8> {
    let mut bytes = Frames(b"charterhouse conformance 1".to_vec());
    bytes.flag(closed || contract.settings.closed);
    bytes.flag(contract.settings.reader_ceiling.is_some());
    if let Some(ceiling) = &contract.settings.reader_ceiling {
        bytes.0.extend_from_slice(&ceiling.version.to_be_bytes());
        bytes.count(ceiling.features.len());
        ceiling.features.iter().for_each(|feature| bytes.text(feature));
    }
    bytes.properties(&object.properties);
    bytes.0
}

/// Bytes in which everything of variable size is preceded by its size.
struct Frames(Vec<u8>);

impl Frames {
    fn flag(&mut self, flag: bool) {
        self.byte(u8::from(flag));
    }

    fn optional(&mut self, text: Option<&str>) {
        self.flag(text.is_some());
        if let Some(text) = text {
            self.text(text);
        }
    }

    fn properties(&mut self, properties: &[Arc<Property>]) {
        self.count(properties.len());
        properties.iter().for_each(|property| self.property(property));
    }

    fn property(&mut self, property: &Property) {
        self.text(property.column_name());
        // A measure is not looked for, but a column of its name counts as declared.
        self.flag(property.is_stored());
        self.optional(property.logical_type.map(LogicalType::as_str));
        self.optional(property.physical_type.as_deref());
        self.optional(property.options.format.as_deref());
        self.byte(match property.options.timezone {
            None => 0,
            Some(false) => 1,
            Some(true) => 2,
        });
        self.properties(&property.members);
        self.flag(property.items.is_some());
        if let Some(items) = &property.items {
            self.property(items);
        }
        self.flag(property.map.is_some());
        if let Some(map) = &property.map {
            self.property(&map.key);
            self.property(&map.value);
        }
    }

    fn byte(&mut self, byte: u8) {
        self.0.push(byte);
    }

    fn count(&mut self, count: usize) {
        self.0.extend_from_slice(&u64::try_from(count).unwrap_or(u64::MAX).to_be_bytes());
    }

    fn text(&mut self, text: &str) {
        self.count(text.len());
        self.0.extend_from_slice(text.as_bytes());
    }

    fn number(&mut self, number: f64) {
        self.0.extend_from_slice(&number.to_bits().to_be_bytes());
    }

    fn column(&mut self, column: &ColumnPath) {
        self.count(column.0.len());
        for segment in &column.0 {
            self.text(segment);
        }
    }

    fn scalar(&mut self, value: &Scalar) {
        match value {
            Scalar::Text(text) => {
                self.byte(0);
                self.text(text);
            }
            Scalar::Integer(number) => {
                self.byte(1);
                self.0.extend_from_slice(&number.to_be_bytes());
            }
            Scalar::Number(number) => {
                self.byte(2);
                self.number(*number);
            }
            Scalar::Decimal(number) => {
                self.byte(4);
                self.text(&number.to_string());
            }
            Scalar::Boolean(boolean) => {
                self.byte(3);
                self.byte(u8::from(*boolean));
            }
        }
    }

    fn scalars(&mut self, values: &[Scalar]) {
        self.count(values.len());
        for value in values {
            self.scalar(value);
        }
    }

    fn bound(&mut self, bound: Option<&Bound>) {
        self.byte(u8::from(bound.is_some()));
        if let Some(Bound { value, exclusive }) = bound {
            self.scalar(value);
            self.byte(u8::from(*exclusive));
        }
    }

    fn length(&mut self, length: Option<u64>) {
        self.byte(u8::from(length.is_some()));
        self.0.extend_from_slice(&length.unwrap_or(0).to_be_bytes());
    }

    fn check(&mut self, check: Option<&Check>) {
        let Some(check) = check else { return self.byte(0) };
        match check {
            Check::NullValues { column } => {
                self.byte(1);
                self.column(column);
            }
            Check::MissingValues { column, values } => {
                self.byte(2);
                self.column(column);
                self.scalars(values);
            }
            Check::InvalidValues { column, values } => {
                self.byte(3);
                self.column(column);
                self.scalars(values);
            }
            Check::InvalidPattern { column, pattern } => {
                self.byte(4);
                self.column(column);
                self.text(pattern);
            }
            Check::OutOfRange { column, minimum, maximum } => {
                self.byte(5);
                self.column(column);
                self.bound(minimum.as_ref());
                self.bound(maximum.as_ref());
            }
            Check::Length { column, minimum, maximum } => {
                self.byte(6);
                self.column(column);
                self.length(*minimum);
                self.length(*maximum);
            }
            Check::NotMultipleOf { column, divisor } => {
                // Verdicts are bound to what was written before divisors had more digits than a double.
                self.byte(if divisor.as_double().is_some() { 7 } else { 11 });
                self.column(column);
                match divisor.as_double() {
                    Some(double) => self.number(double),
                    None => self.text(&divisor.to_string()),
                }
            }
            Check::DuplicateValues { columns } => {
                self.byte(8);
                self.count(columns.len());
                for column in columns {
                    self.column(column);
                }
            }
            Check::RowCount => self.byte(9),
            Check::Sql { query } => {
                self.byte(10);
                self.text(query);
            }
        }
    }

    fn operator(&mut self, operator: Operator) {
        let (code, low, high) = match operator {
            Operator::MustBe(bound) => (0, bound, 0.0),
            Operator::MustNotBe(bound) => (1, bound, 0.0),
            Operator::MustBeGreaterThan(bound) => (2, bound, 0.0),
            Operator::MustBeGreaterOrEqualTo(bound) => (3, bound, 0.0),
            Operator::MustBeLessThan(bound) => (4, bound, 0.0),
            Operator::MustBeLessOrEqualTo(bound) => (5, bound, 0.0),
            Operator::MustBeBetween(low, high) => (6, low, high),
            Operator::MustNotBeBetween(low, high) => (7, low, high),
        };
        self.byte(code);
        self.number(low);
        self.number(high);
    }
}
