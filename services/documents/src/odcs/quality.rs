//! Quality rules.

use domain::contract::{LibraryMetric, Measure, Quality, QualityUnit, check_pattern};
use domain::quality::{Operator, Scalar, Severity};
use serde_json::Map;

use crate::code::Code;
use crate::reader::{At, Reader};

const OPERATORS: &[&str] = &[
    "mustBe",
    "mustNotBe",
    "mustBeGreaterThan",
    "mustBeGreaterOrEqualTo",
    "mustBeLessThan",
    "mustBeLessOrEqualTo",
    "mustBeBetween",
    "mustNotBeBetween",
];

/// What a rule is about.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Level {
    Object,
    Property,
}

/// The field `quality`.
pub(super) fn list(at: &At<'_>, level: Level, reader: &mut Reader) -> Vec<Quality> {
    reader.about(Code::Quality, |reader| at.list("quality").iter().map(|entry| quality(entry, level, reader)).collect())
}

fn quality(at: &At<'_>, level: Level, reader: &mut Reader) -> Quality {
    const MODELLED: &[&str] = &["id", "name", "type", "unit", "severity"];
    // A schedule of another engine is documentation.
    const DOCUMENTARY: &[&str] = &["schedule", "scheduler"];
    let (mut documentary, mut other) = at.rest(MODELLED, &[]);
    for &name in DOCUMENTARY {
        documentary.extend(other.remove_entry(name));
    }
    let measure = measure(at, level, &mut other, reader);
    let operator = operator(at, &measure, reader);
    if operator.is_some() {
        OPERATORS.iter().for_each(|name| drop(other.remove(*name)));
    }
    Quality {
        id: at.text_of("id"),
        name: at.text_of("name"),
        measure,
        operator,
        unit: unit(at, reader),
        severity: severity(at, reader),
        documentary,
        other,
    }
}

/// What is measured. What it was read from is taken out of `other`.
fn measure(at: &At<'_>, level: Level, other: &mut Map<String, serde_json::Value>, reader: &mut Reader) -> Measure {
    let metric = at.text_of("metric").or_else(|| at.text_of("rule"));
    match (at.text_of("type").as_deref(), metric) {
        (Some("sql"), _) => {
            other.remove("query");
            Measure::Sql { query: at.text_of("query").unwrap_or_default() }
        }
        (Some("text"), _) => Measure::Text,
        (Some("custom"), _) => Measure::Custom(custom(other)),
        // In ODCS 3.1 and later an entry without `type` and `metric` promises nothing.
        (_, None) => Measure::Text,
        (_, Some(metric)) => library(at, &metric, level, other, reader),
    }
}

fn library(
    at: &At<'_>,
    metric: &str,
    level: Level,
    other: &mut Map<String, serde_json::Value>,
    reader: &mut Reader,
) -> Measure {
    let arguments = at.get("arguments");
    let values = |name: &str| {
        let list = arguments.as_ref().map(|arguments| arguments.list(name)).unwrap_or_default();
        list.iter().filter_map(At::scalar).collect::<Vec<Scalar>>()
    };
    let needs_column = |reader: &mut Reader| {
        if level == Level::Object {
            reader.problem(at, format!("`{metric}` is a rule over a column; put it below the property"));
        }
    };
    // The names of ODCS 3.0, where `rule` was a free word, are those of its text and examples.
    let known = match metric {
        "nullCount" | "nullCheck" => Some(LibraryMetric::NullValues),
        "duplicateCount" => Some(LibraryMetric::DuplicateValues),
        name => name.parse().ok(),
    };
    let Some(known) = known else {
        reader.warning(at, format!("`{metric}` is not a supported metric; the rule is listed as not run"));
        return Measure::Custom(custom(other));
    };
    let measure = match known {
        LibraryMetric::NullValues => {
            needs_column(reader);
            Measure::NullValues
        }
        LibraryMetric::MissingValues => {
            needs_column(reader);
            Measure::MissingValues { values: values("missingValues") }
        }
        LibraryMetric::InvalidValues => {
            needs_column(reader);
            let pattern = arguments.as_ref().and_then(|arguments| arguments.get("pattern"));
            if let Some(pattern) = &pattern
                && let Err(reason) = check_pattern(pattern.text().unwrap_or_default())
            {
                reader.problem(pattern, format!("the pattern cannot be matched in linear time: {reason}"));
            }
            let pattern = pattern.and_then(|pattern| pattern.text().map(str::to_owned));
            let valid = arguments.as_ref().and_then(|arguments| arguments.get("validValues"));
            if pattern.is_none() && valid.is_none() {
                reader.problem(at, "`invalidValues` needs `validValues` or `pattern` in its `arguments`");
            }
            if pattern.is_some() && valid.is_some() {
                reader.problem(at, "`invalidValues` takes `validValues` or `pattern`, not both");
            }
            Measure::InvalidValues { values: values("validValues"), pattern }
        }
        LibraryMetric::DuplicateValues => {
            let properties = arguments.as_ref().map(|arguments| arguments.texts_of("properties")).unwrap_or_default();
            if level == Level::Object && properties.is_empty() {
                reader.problem(at, "`duplicateValues` over an object needs `properties` in its `arguments`");
            }
            Measure::DuplicateValues { properties }
        }
        LibraryMetric::RowCount => Measure::RowCount,
    };
    for name in ["metric", "rule"] {
        other.remove(name);
    }
    // Arguments that the metric does not have are kept.
    if let Some(serde_json::Value::Object(arguments)) = other.get_mut("arguments") {
        for name in ["missingValues", "validValues", "pattern", "properties"] {
            arguments.remove(name);
        }
        if arguments.is_empty() {
            other.remove("arguments");
        }
    }
    measure
}

/// Everything that says what a rule of another engine measures.
fn custom(other: &mut Map<String, serde_json::Value>) -> Map<String, serde_json::Value> {
    let names = ["engine", "implementation", "metric", "rule", "arguments"];
    names.iter().filter_map(|name| other.remove_entry(*name)).collect()
}

fn operator(at: &At<'_>, measure: &Measure, reader: &mut Reader) -> Option<Operator> {
    let given: Vec<_> = OPERATORS.iter().filter_map(|name| Some((*name, at.get(name)?))).collect();
    let runs = !matches!(measure, Measure::Text | Measure::Custom(_));
    let (name, value) = match given.as_slice() {
        [] if runs => {
            reader.problem(at, format!("the rule needs a condition: one of {}", OPERATORS.join(", ")));
            return None;
        }
        [one] => one,
        [] => return None,
        [_, ..] => {
            let names: Vec<_> = given.iter().map(|(name, _)| *name).collect();
            reader.problem(at, format!("a rule has one condition; this one has {}", names.join(" and ")));
            return None;
        }
    };
    let between = || {
        let ends: Vec<_> = value.items().iter().filter_map(At::number).collect();
        if let [low, high] = ends.as_slice() { Some((*low, *high)) } else { None }
    };
    if let Some((low, high)) = between()
        && low > high
    {
        reader.problem(value, format!("the smaller number comes first, and {low} is greater than {high}"));
        return None;
    }
    let operator = match *name {
        "mustBe" => value.number().map(Operator::MustBe),
        "mustNotBe" => value.number().map(Operator::MustNotBe),
        "mustBeGreaterThan" => value.number().map(Operator::MustBeGreaterThan),
        "mustBeGreaterOrEqualTo" => value.number().map(Operator::MustBeGreaterOrEqualTo),
        "mustBeLessThan" => value.number().map(Operator::MustBeLessThan),
        "mustBeLessOrEqualTo" => value.number().map(Operator::MustBeLessOrEqualTo),
        "mustBeBetween" => between().map(|(low, high)| Operator::MustBeBetween(low, high)),
        _ => between().map(|(low, high)| Operator::MustNotBeBetween(low, high)),
    };
    if operator.is_none() && runs {
        reader.warning(value, format!("`{name}` is not compared with a number, so the rule is listed as not run"));
    }
    operator
}

fn unit(at: &At<'_>, reader: &mut Reader) -> QualityUnit {
    let Some(unit) = at.get("unit") else { return QualityUnit::Rows };
    match unit.text() {
        Some("rows") | None => QualityUnit::Rows,
        Some("percent") => QualityUnit::Percent,
        Some(word) => {
            reader.warning(&unit, format!("`{word}` is not `rows` or `percent`, so the rule is listed as not run"));
            QualityUnit::Unknown(word.to_owned())
        }
    }
}

fn severity(at: &At<'_>, reader: &mut Reader) -> Severity {
    let Some(severity) = at.get("severity") else { return Severity::Error };
    match severity.text() {
        Some("error") | None => Severity::Error,
        Some("warning") => Severity::Warning,
        Some("info") => Severity::Info,
        Some(word) => {
            let message = "is not `error`, `warning` or `info` and is treated as `error`";
            reader.warning(&severity, format!("`{word}` {message}"));
            Severity::Error
        }
    }
}
