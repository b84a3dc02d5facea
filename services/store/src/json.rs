//! The JSON that is kept as text: schemas, rule results, lines of decisions. Only this module knows its form.
//!
//! What was written must be readable for as long as the row is kept: a field may be added with a default, none renamed.

use domain::change::KeptFinding;
use domain::contract::Classification;
use domain::gate::{Detail, DetailRight, Line};
use domain::quality::{Bound, Check, Measured, Operator, Rule, RuleResult, Scalar};
use domain::table::{ColumnPath, PhysicalColumn, PhysicalSchema, PhysicalType, ReaderProtocol};
use domain::version::Bump;
use serde_json::{Map, Value, json};

/// Text that does not have the form; the sentence says where.
pub(crate) type Misfit = String;

pub(crate) fn strings_to_text(strings: &[String]) -> String {
    json!(strings).to_string()
}

pub(crate) fn strings_from_text(text: &str) -> Result<Vec<String>, Misfit> {
    list(&parse(text)?, string)
}

pub(crate) fn schema_to_text(schema: &PhysicalSchema) -> String {
    json!({
        "columns": schema.columns.iter().map(column_to_json).collect::<Vec<_>>(),
        "partitionedBy": schema.partitioned_by,
        "protocol": { "version": schema.protocol.version, "features": schema.protocol.features },
    })
    .to_string()
}

pub(crate) fn schema_from_text(text: &str) -> Result<PhysicalSchema, Misfit> {
    let value = parse(text)?;
    let protocol = field(&value, "protocol")?;
    Ok(PhysicalSchema {
        columns: list(field(&value, "columns")?, column_from_json)?,
        partitioned_by: list(field(&value, "partitionedBy")?, string)?,
        protocol: ReaderProtocol {
            version: small(protocol, "version")?,
            features: list(field(protocol, "features")?, string)?.into_iter().collect(),
        },
    })
}

fn column_to_json(column: &PhysicalColumn) -> Value {
    let mut object = type_to_json(&column.physical_type);
    object.insert("name".into(), json!(column.name));
    object.insert("nullable".into(), json!(column.nullable));
    Value::Object(object)
}

fn column_from_json(value: &Value) -> Result<PhysicalColumn, Misfit> {
    Ok(PhysicalColumn {
        name: string(field(value, "name")?)?,
        physical_type: type_from_json(value)?,
        nullable: boolean(value, "nullable")?,
    })
}

fn type_to_json(physical_type: &PhysicalType) -> Map<String, Value> {
    let value = match physical_type {
        PhysicalType::Boolean => json!({ "type": "boolean" }),
        PhysicalType::Integer { bits, signed } => json!({ "type": "integer", "bits": bits, "signed": signed }),
        PhysicalType::Float { bits } => json!({ "type": "float", "bits": bits }),
        PhysicalType::Decimal { precision, scale } => {
            json!({ "type": "decimal", "precision": precision, "scale": scale })
        }
        PhysicalType::String => json!({ "type": "string" }),
        PhysicalType::Binary => json!({ "type": "binary" }),
        PhysicalType::Date => json!({ "type": "date" }),
        PhysicalType::Time => json!({ "type": "time" }),
        PhysicalType::Timestamp { zoned } => json!({ "type": "timestamp", "zoned": zoned }),
        PhysicalType::Struct(members) => {
            json!({ "type": "struct", "members": members.iter().map(column_to_json).collect::<Vec<_>>() })
        }
        PhysicalType::List(element) => json!({ "type": "list", "element": column_to_json(element) }),
        PhysicalType::Map { key, value } => {
            json!({ "type": "map", "key": column_to_json(key), "value": column_to_json(value) })
        }
        PhysicalType::Other(words) => json!({ "type": "other", "words": words }),
    };
    match value {
        Value::Object(object) => object,
        _ => Map::new(),
    }
}

fn type_from_json(value: &Value) -> Result<PhysicalType, Misfit> {
    let boxed = |name| column_from_json(field(value, name)?).map(Box::new);
    Ok(match string(field(value, "type")?)?.as_str() {
        "boolean" => PhysicalType::Boolean,
        "integer" => PhysicalType::Integer { bits: small(value, "bits")?, signed: boolean(value, "signed")? },
        "float" => PhysicalType::Float { bits: small(value, "bits")? },
        "decimal" => PhysicalType::Decimal { precision: small(value, "precision")?, scale: small(value, "scale")? },
        "string" => PhysicalType::String,
        "binary" => PhysicalType::Binary,
        "date" => PhysicalType::Date,
        "time" => PhysicalType::Time,
        "timestamp" => PhysicalType::Timestamp { zoned: boolean(value, "zoned")? },
        "struct" => PhysicalType::Struct(list(field(value, "members")?, column_from_json)?),
        "list" => PhysicalType::List(boxed("element")?),
        "map" => PhysicalType::Map { key: boxed("key")?, value: boxed("value")? },
        "other" => PhysicalType::Other(string(field(value, "words")?)?),
        other => return Err(format!("unknown type `{other}`")),
    })
}

pub(crate) fn results_to_text(results: &[RuleResult]) -> String {
    Value::Array(results.iter().map(result_to_json).collect()).to_string()
}

pub(crate) fn results_from_text(text: &str) -> Result<Vec<RuleResult>, Misfit> {
    list(&parse(text)?, result_from_json)
}

fn result_to_json(result: &RuleResult) -> Value {
    let rule = &result.rule;
    json!({
        "key": rule.key,
        "check": rule.check.as_ref().map(check_to_json),
        "operator": operator_to_json(rule.operator),
        "unit": rule.unit.as_str(),
        "severity": rule.severity.as_str(),
        "title": rule.title,
        "measured": match &result.measured {
            Measured::Value(value) => json!({ "value": number_to_json(*value) }),
            Measured::Error(reason) => json!({ "error": reason }),
            Measured::NotRun => json!({}),
        },
    })
}

fn result_from_json(value: &Value) -> Result<RuleResult, Misfit> {
    let measured = field(value, "measured")?;
    Ok(RuleResult {
        rule: Rule {
            key: string(field(value, "key")?)?,
            check: optional(field(value, "check")?, check_from_json)?,
            operator: operator_from_json(field(value, "operator")?)?,
            unit: word(value, "unit")?,
            severity: word(value, "severity")?,
            title: string(field(value, "title")?)?,
        },
        measured: match (measured.get("value"), measured.get("error")) {
            (Some(number), None) => Measured::Value(number_from_json(number)?),
            (None, Some(reason)) => Measured::Error(string(reason)?),
            (None, None) => Measured::NotRun,
            (Some(_), Some(_)) => return Err("measured both a value and an error".into()),
        },
    })
}

fn check_to_json(check: &Check) -> Value {
    match check {
        Check::NullValues { column } => json!({ "is": "nullValues", "column": column.0 }),
        Check::MissingValues { column, values } => {
            json!({ "is": "missingValues", "column": column.0, "values": scalars_to_json(values) })
        }
        Check::InvalidValues { column, values } => {
            json!({ "is": "invalidValues", "column": column.0, "values": scalars_to_json(values) })
        }
        Check::InvalidPattern { column, pattern } => {
            json!({ "is": "invalidPattern", "column": column.0, "pattern": pattern })
        }
        Check::OutOfRange { column, minimum, maximum } => json!({
            "is": "outOfRange",
            "column": column.0,
            "minimum": minimum.as_ref().map(bound_to_json),
            "maximum": maximum.as_ref().map(bound_to_json),
        }),
        Check::Length { column, minimum, maximum } => {
            json!({ "is": "length", "column": column.0, "minimum": minimum, "maximum": maximum })
        }
        Check::NotMultipleOf { column, divisor } => {
            json!({ "is": "notMultipleOf", "column": column.0, "divisor": number_to_json(*divisor) })
        }
        Check::DuplicateValues { columns } => {
            json!({ "is": "duplicateValues", "columns": columns.iter().map(|column| &column.0).collect::<Vec<_>>() })
        }
        Check::RowCount => json!({ "is": "rowCount" }),
        Check::Sql { query } => json!({ "is": "sql", "query": query }),
    }
}

fn check_from_json(value: &Value) -> Result<Check, Misfit> {
    let column = || column_path(field(value, "column")?);
    let values = || list(field(value, "values")?, scalar_from_json);
    let length = |name| optional(field(value, name)?, |value| value.as_u64().ok_or_else(|| format!("`{name}`")));
    Ok(match string(field(value, "is")?)?.as_str() {
        "nullValues" => Check::NullValues { column: column()? },
        "missingValues" => Check::MissingValues { column: column()?, values: values()? },
        "invalidValues" => Check::InvalidValues { column: column()?, values: values()? },
        "invalidPattern" => Check::InvalidPattern { column: column()?, pattern: string(field(value, "pattern")?)? },
        "outOfRange" => Check::OutOfRange {
            column: column()?,
            minimum: optional(field(value, "minimum")?, bound_from_json)?,
            maximum: optional(field(value, "maximum")?, bound_from_json)?,
        },
        "length" => Check::Length { column: column()?, minimum: length("minimum")?, maximum: length("maximum")? },
        "notMultipleOf" => {
            Check::NotMultipleOf { column: column()?, divisor: number_from_json(field(value, "divisor")?)? }
        }
        "duplicateValues" => Check::DuplicateValues { columns: list(field(value, "columns")?, column_path)? },
        "rowCount" => Check::RowCount,
        "sql" => Check::Sql { query: string(field(value, "query")?)? },
        other => return Err(format!("unknown check `{other}`")),
    })
}

fn operator_to_json(operator: Operator) -> Value {
    let (name, bounds) = match operator {
        Operator::MustBe(bound) => ("mustBe", vec![bound]),
        Operator::MustNotBe(bound) => ("mustNotBe", vec![bound]),
        Operator::MustBeGreaterThan(bound) => ("mustBeGreaterThan", vec![bound]),
        Operator::MustBeGreaterOrEqualTo(bound) => ("mustBeGreaterOrEqualTo", vec![bound]),
        Operator::MustBeLessThan(bound) => ("mustBeLessThan", vec![bound]),
        Operator::MustBeLessOrEqualTo(bound) => ("mustBeLessOrEqualTo", vec![bound]),
        Operator::MustBeBetween(low, high) => ("mustBeBetween", vec![low, high]),
        Operator::MustNotBeBetween(low, high) => ("mustNotBeBetween", vec![low, high]),
    };
    json!({ "is": name, "bounds": bounds.into_iter().map(number_to_json).collect::<Vec<_>>() })
}

fn operator_from_json(value: &Value) -> Result<Operator, Misfit> {
    let bounds = list(field(value, "bounds")?, number_from_json)?;
    let name = string(field(value, "is")?)?;
    Ok(match (name.as_str(), bounds.as_slice()) {
        ("mustBe", [bound]) => Operator::MustBe(*bound),
        ("mustNotBe", [bound]) => Operator::MustNotBe(*bound),
        ("mustBeGreaterThan", [bound]) => Operator::MustBeGreaterThan(*bound),
        ("mustBeGreaterOrEqualTo", [bound]) => Operator::MustBeGreaterOrEqualTo(*bound),
        ("mustBeLessThan", [bound]) => Operator::MustBeLessThan(*bound),
        ("mustBeLessOrEqualTo", [bound]) => Operator::MustBeLessOrEqualTo(*bound),
        ("mustBeBetween", [low, high]) => Operator::MustBeBetween(*low, *high),
        ("mustNotBeBetween", [low, high]) => Operator::MustNotBeBetween(*low, *high),
        _ => return Err(format!("unknown operator `{name}`")),
    })
}

fn scalars_to_json(scalars: &[Scalar]) -> Value {
    Value::Array(scalars.iter().map(scalar_to_json).collect())
}

fn scalar_to_json(scalar: &Scalar) -> Value {
    match scalar {
        Scalar::Text(text) => json!({ "text": text }),
        Scalar::Integer(integer) => json!({ "integer": integer }),
        Scalar::Number(number) => json!({ "number": number_to_json(*number) }),
        Scalar::Boolean(boolean) => json!({ "boolean": boolean }),
    }
}

fn scalar_from_json(value: &Value) -> Result<Scalar, Misfit> {
    let entry = value.as_object().and_then(|object| object.iter().next());
    match entry.map(|(kind, value)| (kind.as_str(), value)) {
        Some(("text", value)) => string(value).map(Scalar::Text),
        Some(("integer", value)) => value.as_i64().map(Scalar::Integer).ok_or_else(|| "not an integer".into()),
        Some(("number", value)) => number_from_json(value).map(Scalar::Number),
        Some(("boolean", value)) => value.as_bool().map(Scalar::Boolean).ok_or_else(|| "not a boolean".into()),
        _ => Err("not a value".into()),
    }
}

fn bound_to_json(bound: &Bound) -> Value {
    json!({ "value": scalar_to_json(&bound.value), "exclusive": bound.exclusive })
}

fn bound_from_json(value: &Value) -> Result<Bound, Misfit> {
    Ok(Bound { value: scalar_from_json(field(value, "value")?)?, exclusive: boolean(value, "exclusive")? })
}

pub(crate) fn lines_to_text(lines: &[Line]) -> String {
    let detail = |detail: &Detail| json!({ "right": right_to_word(detail.right), "text": detail.text });
    let line = |line: &Line| {
        json!({
            "check": line.check.as_str(),
            "outcome": line.outcome.as_str(),
            "code": line.code.as_str(),
            "message": line.message,
            "details": line.details.iter().map(detail).collect::<Vec<_>>(),
        })
    };
    Value::Array(lines.iter().map(line).collect()).to_string()
}

pub(crate) fn lines_from_text(text: &str) -> Result<Vec<Line>, Misfit> {
    let detail = |value: &Value| {
        Ok(Detail { right: right_from_word(&string(field(value, "right")?)?)?, text: string(field(value, "text")?)? })
    };
    list(&parse(text)?, |value| {
        Ok(Line {
            check: word(value, "check")?,
            outcome: word(value, "outcome")?,
            code: word(value, "code")?,
            message: string(field(value, "message")?)?,
            details: list(field(value, "details")?, detail)?,
        })
    })
}

fn right_to_word(right: DetailRight) -> String {
    match right {
        DetailRight::Column(classification) => format!("column:{classification}"),
        DetailRight::Quality => "quality".to_owned(),
        DetailRight::Owner => "owner".to_owned(),
    }
}

fn right_from_word(word: &str) -> Result<DetailRight, Misfit> {
    match word.split_once(':') {
        None if word == "quality" => Some(DetailRight::Quality),
        None if word == "owner" => Some(DetailRight::Owner),
        Some(("column", word)) => Classification::from_word(word).map(DetailRight::Column),
        _ => None,
    }
    .ok_or_else(|| format!("unknown right `{word}`"))
}

pub(crate) fn findings_to_text(findings: &[KeptFinding]) -> String {
    let finding = |finding: &KeptFinding| {
        json!({
            "path": finding.path,
            "rule": finding.rule,
            "historySafe": finding.history_safe,
            "consumerSafe": finding.consumer_safe,
            "bump": finding.bump.as_str(),
            "message": finding.message,
            "proof": finding.proof,
        })
    };
    Value::Array(findings.iter().map(finding).collect()).to_string()
}

pub(crate) fn findings_from_text(text: &str) -> Result<Vec<KeptFinding>, Misfit> {
    list(&parse(text)?, |value| {
        Ok(KeptFinding {
            path: string(field(value, "path")?)?,
            rule: string(field(value, "rule")?)?,
            history_safe: boolean(value, "historySafe")?,
            consumer_safe: boolean(value, "consumerSafe")?,
            bump: bump_from_word(&string(field(value, "bump")?)?)?,
            message: string(field(value, "message")?)?,
            proof: optional(field(value, "proof")?, string)?,
        })
    })
}

fn bump_from_word(word: &str) -> Result<Bump, Misfit> {
    let bump = [Bump::None, Bump::Patch, Bump::Minor, Bump::Major].into_iter().find(|bump| bump.as_str() == word);
    bump.ok_or_else(|| format!("unknown bump `{word}`"))
}

fn parse(text: &str) -> Result<Value, Misfit> {
    serde_json::from_str(text).map_err(|error| error.to_string())
}

fn field<'a>(value: &'a Value, name: &str) -> Result<&'a Value, Misfit> {
    value.get(name).ok_or_else(|| format!("`{name}` is missing"))
}

fn list<T>(value: &Value, item: impl Fn(&Value) -> Result<T, Misfit>) -> Result<Vec<T>, Misfit> {
    value.as_array().ok_or("not a list")?.iter().map(item).collect()
}

fn optional<T>(value: &Value, read: impl Fn(&Value) -> Result<T, Misfit>) -> Result<Option<T>, Misfit> {
    if value.is_null() { Ok(None) } else { read(value).map(Some) }
}

fn string(value: &Value) -> Result<String, Misfit> {
    value.as_str().map(str::to_owned).ok_or_else(|| "not a text".into())
}

fn column_path(value: &Value) -> Result<ColumnPath, Misfit> {
    list(value, string).map(ColumnPath)
}

fn boolean(value: &Value, name: &str) -> Result<bool, Misfit> {
    field(value, name)?.as_bool().ok_or_else(|| format!("`{name}` is not a boolean"))
}

fn small<T: TryFrom<i64>>(value: &Value, name: &str) -> Result<T, Misfit> {
    let integer = field(value, name)?.as_i64().ok_or_else(|| format!("`{name}` is not an integer"))?;
    T::try_from(integer).map_err(|_| format!("`{name}` is out of range"))
}

fn word<T: std::str::FromStr<Err: std::fmt::Display>>(value: &Value, name: &str) -> Result<T, Misfit> {
    string(field(value, name)?)?.parse().map_err(|error: T::Err| error.to_string())
}

/// JSON has no infinities and no not-a-number; they are kept as text.
fn number_to_json(number: f64) -> Value {
    if number.is_finite() { json!(number) } else { json!(number.to_string()) }
}

fn number_from_json(value: &Value) -> Result<f64, Misfit> {
    match value {
        Value::String(text) => text.parse().map_err(|_| "not a number".into()),
        value => value.as_f64().ok_or_else(|| "not a number".into()),
    }
}
