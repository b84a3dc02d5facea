//! Generic tests, as `schema.yml` has them and as a manifest does.

use domain::contract::{Measure, Property, Quality, Relationship};
use domain::quality::{Operator, Scalar, Severity};
use serde_json::{Map, Value, json};

use super::super::draft::{Fields, set};
use super::BESIDE;

/// A generic test of a model or column.
#[derive(Clone, Debug)]
pub(super) struct DataTest {
    /// Its macro, with the package before it where it is of one.
    pub(super) name: String,
    pub(super) label: Option<String>,
    pub(super) arguments: Fields,
    pub(super) is_warning: bool,
    /// Whether what it stands for is kept beside the model or column, so that an import passes it.
    pub(super) is_kept: bool,
}

impl DataTest {
    pub(super) fn new(name: &str, arguments: Value) -> Self {
        let arguments = if let Value::Object(arguments) = arguments { arguments } else { Map::new() };
        Self { name: name.to_owned(), label: None, arguments, is_warning: false, is_kept: false }
    }

    /// The same for a rule that is kept.
    pub(super) fn kept(self) -> Self {
        Self { is_kept: true, ..self }
    }

    /// The test that a rule of the contract means, where dbt has one: whether a condition holds for all rows.
    pub(super) fn of_rule(rule: &Quality) -> Option<Self> {
        if rule.operator != Some(Operator::MustBe(0.0)) {
            return None;
        }
        let test = match &rule.measure {
            Measure::NullValues => Self::new("not_null", Value::Null),
            Measure::DuplicateValues { properties } if properties.is_empty() => Self::new("unique", Value::Null),
            Measure::InvalidValues { values, pattern: None } => Self::of_values(values)?,
            Measure::DuplicateValues { .. }
            | Measure::InvalidValues { .. }
            | Measure::MissingValues { .. }
            | Measure::RowCount
            | Measure::Sql { .. }
            | Measure::Text
            | Measure::Custom(_) => return None,
        };
        let is_warning = match rule.severity {
            Severity::Error => false,
            Severity::Warning => true,
            Severity::Info => return None,
        };
        Some(Self { is_warning, ..test }.kept())
    }

    /// That a column has one of these values. dbt puts texts into its statement without escapes.
    pub(super) fn of_values(values: &[Scalar]) -> Option<Self> {
        let is_plain = |value: &Value| match value {
            Value::String(text) => !text.contains(['\'', '\\', '\n']) && is_stable(value),
            _ => true,
        };
        let values: Vec<_> = values.iter().map(json_of).collect::<Option<_>>()?;
        let n_texts = values.iter().filter(|value| value.is_string()).count();
        if values.is_empty() || !values.iter().all(is_plain) || (n_texts != 0 && n_texts != values.len()) {
            return None;
        }
        let quote = (n_texts == 0).then_some(("quote".to_owned(), Value::Bool(false)));
        let arguments = [("values".to_owned(), Value::Array(values))].into_iter().chain(quote);
        Some(Self::new("accepted_values", Value::Object(arguments.collect())))
    }

    /// The test that a rule for dbt names.
    pub(super) fn of_dbt(rule: &Value) -> Option<Self> {
        let text = |key: &str| rule.get(key).and_then(Value::as_str);
        let implementation = rule.get("implementation").and_then(Value::as_object)?;
        let name = implementation.get("test").and_then(Value::as_str)?;
        let is_macro = name.split('.').count() <= 2
            && name.split('.').all(|part| {
                part.starts_with(|first: char| first.is_ascii_alphabetic() || first == '_')
                    && part.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'_')
            });
        if text("engine") != Some("dbt") || !is_macro || !is_stable(rule) {
            return None;
        }
        let mut arguments = implementation.clone();
        arguments.shift_remove("test");
        let label = text("name").filter(|label| *label != name).map(str::to_owned);
        let is_warning = matches!(text("severity"), Some("warning" | "info"));
        Some(Self { label, is_warning, ..Self::new(name, Value::Object(arguments)) })
    }

    /// As `schema.yml` has it.
    pub(super) fn yaml(&self) -> Value {
        let mut config = Map::new();
        if self.is_warning {
            set(&mut config, "severity", "warn");
        }
        if self.is_kept {
            set(&mut config, "meta", json!({ BESIDE: true }));
        }
        let mut fields = Map::new();
        if let Some(label) = &self.label {
            set(&mut fields, "name", label.as_str());
        }
        if !self.arguments.is_empty() {
            set(&mut fields, "arguments", self.arguments.clone());
        }
        if !config.is_empty() {
            set(&mut fields, "config", config);
        }
        if fields.is_empty() { json!(self.name) } else { json!({ &*self.name: fields }) }
    }

    /// As a manifest has it.
    pub(super) fn node(&self, column: Option<&str>) -> Value {
        let (package, name) = match self.name.split_once('.') {
            Some((package, name)) => (Some(package), name),
            None => (None, self.name.as_str()),
        };
        json!({
            "resource_type": "test",
            "name": self.label.as_deref().unwrap_or(&self.name),
            "column_name": column,
            "test_metadata": { "name": name, "namespace": package, "kwargs": self.arguments },
            "config": { "severity": if self.is_warning { "warn" } else { "ERROR" } },
        })
    }
}

/// The tests that the promises of a column mean, without those of its references.
pub(super) fn of_column(property: &Property, is_key: bool, has_labels: bool) -> Vec<DataTest> {
    let mut tests = Vec::new();
    if property.required || property.primary_key {
        tests.push(DataTest::new("not_null", Value::Null));
    }
    if property.unique {
        tests.push(DataTest::new("unique", Value::Null));
    } else if is_key {
        // Not every database enforces a primary key.
        tests.push(DataTest::new("unique", Value::Null).kept());
    }
    let values = DataTest::of_values(&property.enumeration);
    tests.extend(values.map(|test| if has_labels { test.kept() } else { test }));
    for test in property.quality.iter().filter_map(DataTest::of_rule) {
        add(&mut tests, test);
    }
    tests
}

/// Adds a test, unless dbt would call it like another one: it refuses two of one name. Of two that are kept the stricter
/// one counts. Says whether it was added.
pub(super) fn add(tests: &mut Vec<DataTest>, test: DataTest) -> bool {
    let is_same = |own: &&mut DataTest| match (&own.label, &test.label) {
        (None, None) => own.name == test.name && own.arguments == test.arguments,
        (own, label) => own == label,
    };
    match tests.iter_mut().find(is_same) {
        Some(own) => {
            own.is_warning &= test.is_warning || !own.is_kept;
            false
        }
        None => {
            tests.push(test);
            true
        }
    }
}

/// The test of a reference to a column of another model.
pub(super) fn of_reference(model: &str, column: &str) -> DataTest {
    DataTest::new("relationships", json!({ "to": format!("ref('{model}')"), "field": column }))
}

/// Table and column of a reference to one column.
pub(super) fn target(relationship: &Relationship) -> Option<(&str, &str)> {
    let [to] = relationship.to.as_slice() else { return None };
    to.split_once('.').filter(|(_, column)| !to.contains(['/', '#']) && !column.contains('.'))
}

/// Whether dbt gives a value back as it is: it fills in templates, and cuts a line break at the end.
pub(super) fn is_stable(value: &Value) -> bool {
    match value {
        Value::String(text) => !has_template(text) && !text.ends_with('\n'),
        Value::Array(items) => items.iter().all(is_stable),
        Value::Object(fields) => fields.iter().all(|(key, value)| !has_template(key) && is_stable(value)),
        Value::Null | Value::Bool(_) | Value::Number(_) => true,
    }
}

/// Whether dbt takes a part of a text for a template.
pub(super) fn has_template(text: &str) -> bool {
    ["{{", "{%", "{#"].iter().any(|open| text.contains(open))
}

fn json_of(value: &Scalar) -> Option<Value> {
    Some(match value {
        Scalar::Text(text) => json!(text),
        Scalar::Integer(number) => json!(number),
        Scalar::Number(number) => json!(number),
        Scalar::Boolean(boolean) => json!(boolean),
        // Not to lose digits.
        Scalar::Decimal(_) => return None,
    })
}
