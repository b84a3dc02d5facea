//! A contract as a suite of Great Expectations (1.x), for one object.
//!
//! Only rules that mean the same are written: its `mostly` counts rows that are not null, its bounds of moments depend on
//! the engine, and its patterns are Python's or a database's. All else is lost, and told.

use domain::contract::{Classification, Measure, Property, Quality, QualityUnit, SchemaObject};
use domain::quality::{Operator, Scalar, Severity};
use serde_json::{Map, Value, json};

use super::draft::{Fields, set, set_text};
use super::element::{Element, Export, fundamentals};
use super::json::pointer;
use super::shape::{Shape, shape};

/// The key in the suite's `meta` of what says which contract it was made of.
const CONTRACT: &str = "odcsContract";

/// Writes the suite of the one object.
pub(super) fn export(export: &Export<'_>) -> String {
    let suites = export.objects.iter().map(|object| {
        let mut writer = Writer { export, object, expectations: Vec::new() };
        writer.object();
        writer.suite()
    });
    let one = suites.last().map(Value::Object).unwrap_or_default();
    serde_json::to_string_pretty(&one).unwrap_or_default() + "\n"
}

struct Writer<'a> {
    export: &'a Export<'a>,
    object: &'a Element<'a, SchemaObject>,
    expectations: Vec<Value>,
}

impl Writer<'_> {
    fn suite(self) -> Fields {
        let ledger = &self.export.ledger;
        let mut suite = Map::new();
        ledger.hold(&pointer(&self.object.path, "name"));
        set(&mut suite, "name", self.object.it.name.as_str());
        set_text(&mut suite, "notes", ledger.take_text(&self.object.path, "description"));
        set(&mut suite, "meta", json!({ CONTRACT: fundamentals(ledger) }));
        set(&mut suite, "expectations", self.expectations);
        suite
    }

    /// Adds an expectation of severity `critical`.
    fn expect(&mut self, kind: &str, kwargs: Value) {
        self.expectations.push(json!({ "type": kind, "kwargs": kwargs }));
    }

    fn object(&mut self) {
        let (ledger, object) = (&self.export.ledger, self.object);
        ledger.hold_defaults(&object.path);
        let properties = object.properties();
        let columns: Vec<_> = properties.iter().map(|property| property.it.column_name()).collect();
        if !columns.is_empty() {
            // As an inspection judges columns that are not declared.
            let is_closed =
                self.export.contract.settings.closed || object.it.classification() >= Classification::Confidential;
            let kwargs = json!({ "column_set": columns, "exact_match": is_closed });
            self.expect("expect_table_columns_to_match_set", kwargs);
        }
        let key = object.it.primary_key();
        let names: Vec<_> = key.iter().map(|property| property.column_name()).collect();
        self.distinct(&names);
        if !names.is_empty() {
            properties.iter().for_each(|it| ledger.hold_fields(&it.path, &["primaryKey", "primaryKeyPosition"]));
        }
        for property in &properties {
            self.column(property, key.as_slice());
        }
        for (index, rule) in object.it.quality.iter().enumerate() {
            self.rule(rule, &format!("{}/quality/{index}", object.path), None);
        }
    }

    /// No two rows without nulls have the same values in these columns.
    fn distinct(&mut self, columns: &[&str]) {
        match columns {
            [] => {}
            [only] => self.expect("expect_column_values_to_be_unique", json!({ "column": only })),
            several => {
                let kwargs = json!({ "column_list": several, "ignore_row_if": "any_value_is_missing" });
                self.expect("expect_compound_columns_to_be_unique", kwargs);
            }
        }
    }

    fn column(&mut self, property: &Element<'_, Property>, key: &[&Property]) {
        let (ledger, it, path) = (&self.export.ledger, property.it, &property.path);
        let column = it.column_name();
        ledger.hold_defaults(path);
        ledger.hold(&pointer(path, if it.physical_name.is_some() { "physicalName" } else { "name" }));
        if it.required || it.primary_key {
            self.expect("expect_column_values_to_not_be_null", json!({ "column": column }));
            ledger.hold(&pointer(path, "required"));
        }
        if it.unique {
            let is_said = matches!(key, [only] if only.name == it.name);
            if !is_said {
                self.distinct(&[column]);
            }
            ledger.hold(&pointer(path, "unique"));
        }
        let shape = shape(it);
        if let Some(values) = values(&it.enumeration, shape) {
            self.expect("expect_column_values_to_be_in_set", json!({ "column": column, "value_set": values }));
            ledger.hold_bare_values(&pointer(path, "enum"));
        }
        self.bounds(property, shape);
        for (index, rule) in it.quality.iter().enumerate() {
            self.rule(rule, &format!("{path}/quality/{index}"), Some(property));
        }
    }

    /// What the options of a type say.
    fn bounds(&mut self, property: &Element<'_, Property>, shape: Shape) {
        let ledger = &self.export.ledger;
        let (column, options) = (property.it.column_name(), &property.it.options);
        let path = pointer(&property.path, "logicalTypeOptions");
        if is_number(shape) {
            let pairs = [
                (("minimum", &options.minimum), ("maximum", &options.maximum), false),
                (
                    ("exclusiveMinimum", &options.exclusive_minimum),
                    ("exclusiveMaximum", &options.exclusive_maximum),
                    true,
                ),
            ];
            for (low, high, is_strict) in pairs {
                let mut kwargs = Map::new();
                set(&mut kwargs, "column", column);
                for ((option, bound), name, strict) in
                    [(low, "min_value", "strict_min"), (high, "max_value", "strict_max")]
                {
                    let Some(bound) = bound.as_ref().and_then(number) else { continue };
                    set(&mut kwargs, name, bound);
                    if is_strict {
                        set(&mut kwargs, strict, true);
                    }
                    let place = pointer(&path, option);
                    ledger.hold(&place);
                    if matches!(shape, Shape::Float { .. }) {
                        ledger.changed(&place, "pandas takes NaN for a missing value, which breaks no bound");
                    }
                }
                if kwargs.len() > 1 {
                    self.expect("expect_column_values_to_be_between", Value::Object(kwargs));
                }
            }
        }
        if !matches!(shape, Shape::Text { .. }) {
            return;
        }
        if options.min_length.is_some() || options.max_length.is_some() {
            let lengths = [("min_value", options.min_length), ("max_value", options.max_length)];
            let lengths = lengths.into_iter().filter_map(|(name, length)| Some((name.to_owned(), json!(length?))));
            let kwargs = [("column".to_owned(), json!(column))].into_iter().chain(lengths);
            self.expect("expect_column_value_lengths_to_be_between", Value::Object(kwargs.collect()));
            ledger.hold_fields(&path, &["minLength", "maxLength"]);
        }
        if let Some(pattern) = &options.pattern
            && self.pattern(column, pattern, &pointer(&path, "pattern"))
        {
            ledger.hold(&pointer(&path, "pattern"));
        }
    }

    /// Whether a pattern was written.
    fn pattern(&mut self, column: &str, pattern: &str, path: &str) -> bool {
        if !is_shared(pattern) {
            return false;
        }
        self.expect("expect_column_values_to_match_regex", json!({ "column": column, "regex": pattern }));
        if pattern.contains('$') {
            self.export.ledger.changed(path, "in Python `$` also matches before a line break at the end");
        }
        true
    }

    /// A rule of `quality`, where it means the same there.
    fn rule(&mut self, rule: &Quality, path: &str, property: Option<&Element<'_, Property>>) {
        let first = self.expectations.len();
        let is_written = match &rule.measure {
            Measure::Custom(_) | Measure::Text => self.own_rule(path, property),
            Measure::NullValues
            | Measure::MissingValues { .. }
            | Measure::InvalidValues { .. }
            | Measure::DuplicateValues { .. }
            | Measure::RowCount
            | Measure::Sql { .. } => self.library_rule(rule, path, property),
        };
        if !is_written {
            self.expectations.truncate(first);
            return;
        }
        let ledger = &self.export.ledger;
        let title = ledger.take_text(path, "name");
        for expectation in self.expectations.iter_mut().skip(first).filter_map(Value::as_object_mut) {
            set_text(expectation, "description", title);
            match rule.severity {
                Severity::Error => {}
                Severity::Warning => set(expectation, "severity", "warning"),
                Severity::Info => set(expectation, "severity", "info"),
            }
        }
        let operators = [
            "mustBe",
            "mustBeGreaterThan",
            "mustBeGreaterOrEqualTo",
            "mustBeLessThan",
            "mustBeLessOrEqualTo",
            "mustBeBetween",
        ];
        ledger.hold_fields(
            path,
            &["type", "metric", "rule", "arguments", "unit", "severity", "engine", "implementation"],
        );
        ledger.hold_fields(path, &operators);
    }

    /// A rule that is an expectation already.
    fn own_rule(&mut self, path: &str, property: Option<&Element<'_, Property>>) -> bool {
        let ledger = &self.export.ledger;
        let engine = ledger.field(path, "engine").and_then(Value::as_str).unwrap_or_default();
        let engine: String = engine.chars().filter(char::is_ascii_alphanumeric).collect();
        if !engine.eq_ignore_ascii_case("greatExpectations") {
            return false;
        }
        let Some(implementation) = ledger.field(path, "implementation").and_then(Value::as_object) else {
            return false;
        };
        let kind = implementation.get("type").or_else(|| implementation.get("expectation_type"));
        let (Some(kind), Some(kwargs)) = (kind.and_then(Value::as_str), implementation.get("kwargs")) else {
            return false;
        };
        let is_known = |key: &String| ["type", "expectation_type", "kwargs", "meta"].contains(&key.as_str());
        if !kwargs.is_object() || !implementation.keys().all(is_known) {
            return false;
        }
        let mut expectation = Map::new();
        set(&mut expectation, "type", kind);
        let mut kwargs = kwargs.clone();
        if let (Some(property), Some(kwargs), true) =
            (property, kwargs.as_object_mut(), kind.starts_with("expect_column_"))
            && !kwargs.contains_key("column")
        {
            set(kwargs, "column", property.it.column_name());
        }
        set(&mut expectation, "kwargs", kwargs);
        if let Some(meta) = implementation.get("meta") {
            set(&mut expectation, "meta", meta.clone());
        }
        self.expectations.push(Value::Object(expectation));
        true
    }

    fn library_rule(&mut self, rule: &Quality, path: &str, property: Option<&Element<'_, Property>>) -> bool {
        let Some(operator) = rule.operator else { return false };
        let column = property.map(|property| property.it.column_name());
        let holds_for_all = operator == Operator::MustBe(0.0) && !matches!(rule.unit, QualityUnit::Unknown(_));
        match (&rule.measure, column, property) {
            (Measure::NullValues, Some(column), _) if holds_for_all => {
                self.expect("expect_column_values_to_not_be_null", json!({ "column": column }));
            }
            (Measure::NullValues, Some(column), _) => {
                let (QualityUnit::Percent, Operator::MustBeLessOrEqualTo(most)) = (&rule.unit, operator) else {
                    return false;
                };
                // A part of a percent has no exact part of one.
                if most.fract() != 0.0 || !(0.0..=100.0).contains(&most) {
                    return false;
                }
                let kwargs = json!({ "column": column, "mostly": (100.0 - most) / 100.0 });
                self.expect("expect_column_values_to_not_be_null", kwargs);
            }
            (Measure::MissingValues { values }, Some(column), Some(property)) if holds_for_all => {
                self.expect("expect_column_values_to_not_be_null", json!({ "column": column }));
                if !values.is_empty() {
                    let Some(values) = self::values(values, shape(property.it)) else { return false };
                    let kwargs = json!({ "column": column, "value_set": values });
                    self.expect("expect_column_values_to_not_be_in_set", kwargs);
                }
            }
            (Measure::InvalidValues { values, pattern: None }, Some(column), Some(property)) if holds_for_all => {
                let Some(values) = self::values(values, shape(property.it)) else { return false };
                self.expect("expect_column_values_to_be_in_set", json!({ "column": column, "value_set": values }));
            }
            (Measure::InvalidValues { values, pattern: Some(pattern) }, Some(column), Some(property)) => {
                let is_text = matches!(shape(property.it), Shape::Text { .. });
                return holds_for_all && values.is_empty() && is_text && self.pattern(column, pattern, path);
            }
            (Measure::DuplicateValues { properties }, column, _) if holds_for_all => {
                let named =
                    |name: &String| self.object.properties().iter().find(|it| it.it.name == *name).map(|it| it.it);
                let named: Option<Vec<_>> = properties.iter().map(named).collect();
                match (named.as_deref(), column) {
                    (Some([]), Some(column)) => self.distinct(&[column]),
                    (None | Some([]), _) => return false,
                    (Some(several), _) => self.distinct(&several.iter().map(|it| it.column_name()).collect::<Vec<_>>()),
                }
            }
            (Measure::RowCount, _, _) if rule.unit == QualityUnit::Rows => return self.row_count(operator),
            (
                Measure::MissingValues { .. }
                | Measure::InvalidValues { .. }
                | Measure::DuplicateValues { .. }
                | Measure::NullValues
                | Measure::RowCount
                | Measure::Sql { .. }
                | Measure::Text
                | Measure::Custom(_),
                _,
                _,
            ) => return false,
        }
        true
    }

    fn row_count(&mut self, operator: Operator) -> bool {
        let whole = |bound: f64| (bound.fract() == 0.0 && bound.abs() < 9e15).then_some(bound as i64);
        let kwargs = match operator {
            Operator::MustBe(n) => {
                let Some(n) = whole(n) else { return false };
                self.expect("expect_table_row_count_to_equal", json!({ "value": n }));
                return true;
            }
            Operator::MustBeGreaterThan(n) => whole(n).map(|n| json!({ "min_value": n, "strict_min": true })),
            Operator::MustBeGreaterOrEqualTo(n) => whole(n).map(|n| json!({ "min_value": n })),
            Operator::MustBeLessThan(n) => whole(n).map(|n| json!({ "max_value": n, "strict_max": true })),
            Operator::MustBeLessOrEqualTo(n) => whole(n).map(|n| json!({ "max_value": n })),
            Operator::MustBeBetween(low, high) => {
                whole(low).zip(whole(high)).map(|(low, high)| json!({ "min_value": low, "max_value": high }))
            }
            Operator::MustNotBe(_) | Operator::MustNotBeBetween(..) => None,
        };
        let Some(kwargs) = kwargs else { return false };
        self.expect("expect_table_row_count_to_be_between", kwargs);
        true
    }
}

fn is_number(shape: Shape) -> bool {
    matches!(shape, Shape::Integer { .. } | Shape::Float { .. } | Shape::Decimal { .. })
}

/// A number whose digits JSON and Python keep.
fn number(value: &Scalar) -> Option<Value> {
    match value {
        Scalar::Integer(number) => Some(json!(number)),
        Scalar::Number(number) => Some(json!(number)),
        Scalar::Text(_) | Scalar::Decimal(_) | Scalar::Boolean(_) => None,
    }
}

/// The values of a set, if each is one of the column's type.
fn values(values: &[Scalar], shape: Shape) -> Option<Vec<Value>> {
    let value = |value: &Scalar| match value {
        Scalar::Text(text) if matches!(shape, Shape::Text { .. } | Shape::Uuid) => Some(json!(text)),
        Scalar::Boolean(boolean) if shape == Shape::Boolean => Some(json!(boolean)),
        Scalar::Integer(_) | Scalar::Number(_) if is_number(shape) => number(value),
        Scalar::Text(_) | Scalar::Boolean(_) | Scalar::Integer(_) | Scalar::Number(_) | Scalar::Decimal(_) => None,
    };
    let values: Option<Vec<_>> = values.iter().map(value).collect();
    values.filter(|values| !values.is_empty())
}

/// Whether a pattern means the same to Python: neither flags, looks, names and classes in classes, nor escapes whose
/// characters the two do not agree about.
fn is_shared(pattern: &str) -> bool {
    let mut characters = pattern.chars().peekable();
    let mut in_class = false;
    let mut previous = ' ';
    while let Some(character) = characters.next() {
        let next = characters.peek().copied().unwrap_or(' ');
        match character {
            '\\' if next.is_ascii_alphanumeric() && !"dDntr".contains(next) => return false,
            '\\' => {
                characters.next();
                previous = ' ';
                continue;
            }
            '[' if in_class => return false,
            '&' | '-' | '~' if in_class && previous == character => return false,
            '(' if !in_class && next == '?' => {
                characters.next();
                if characters.peek() != Some(&':') {
                    return false;
                }
            }
            '{' if !in_class && !next.is_ascii_digit() => return false,
            // `a++` and `a{2}+` are others in Python 3.11.
            '+' if !in_class && matches!(previous, '+' | '*' | '?' | '}') => return false,
            '[' => in_class = true,
            ']' => in_class = false,
            _ => {}
        }
        previous = character;
    }
    true
}
