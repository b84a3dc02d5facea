//! Compiles the promises of a schema object into rules for the worker (`docs/rules.md`, "Data rules").
//!
//! Rules name columns as the table does (`physicalName`, else `name`); keys name them as the document does. A rule over
//! the member of a struct counts only rows where the struct is not null: a null struct breaks no promise about its
//! members. Promises that cannot be measured by column (items of arrays, keys and values of maps) become rules without
//! a check, which are reported as not run.

use std::collections::BTreeMap;
use std::sync::Arc;

use super::{Measure, Property, Quality, QualityUnit, SchemaObject};
use crate::error::Kind;
use crate::quality::{Bound, Check, Operator, Rule, Scalar, Severity, Unit};
use crate::table::ColumnPath;

/// The largest pattern, compiled, in bytes.
const MAX_PATTERN_BYTES: usize = 1 << 20;

/// A promise that cannot become a rule. `documents` finds these before anybody compiles.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum RuleError {
    /// A pattern that the linear-time engine cannot hold.
    #[error("the pattern of `{column}` cannot be matched in linear time: {reason}")]
    Pattern {
        /// The column.
        column: String,
        /// Why.
        reason: String,
    },
    /// A rule over a column that the object does not have.
    #[error("rule `{rule}` names the column `{column}`, which `{object}` does not have")]
    NoSuchColumn {
        /// The rule.
        rule: String,
        /// The column it names.
        column: String,
        /// The schema object.
        object: String,
    },
}

impl RuleError {
    /// What a caller can conclude.
    pub fn kind(&self) -> Kind {
        Kind::Invalid
    }
}

/// All rules of a schema object, implied ones first, each with a key that is unique within the object and the same for
/// every version that makes the same promise.
///
/// # Errors
/// [`RuleError`]; the first one found.
pub fn rules(object: &SchemaObject) -> Result<Vec<Rule>, RuleError> {
    let mut compiler = Compiler { object, rules: Vec::new(), keys: BTreeMap::new() };
    compiler.primary_key();
    for property in &object.properties {
        compiler.property(property, &Place::default())?;
    }
    for quality in &object.quality {
        compiler.quality(quality, None)?;
    }
    Ok(compiler.rules)
}

/// Whether a pattern can be run in linear time and bounded memory.
///
/// # Errors
/// The engine's reason, in one line.
pub fn check_pattern(pattern: &str) -> Result<(), String> {
    match regex::RegexBuilder::new(pattern).size_limit(MAX_PATTERN_BYTES).build() {
        Ok(_) => Ok(()),
        // The engine draws the place under the pattern; its last line is the reason.
        Err(error) => {
            let text = error.to_string();
            let reason = text.lines().last().unwrap_or_default();
            Err(reason.trim_start_matches("error: ").to_owned())
        }
    }
}

/// Where a property lies in its object.
#[derive(Clone, Default)]
struct Place {
    /// Names in the document.
    names: Vec<String>,
    /// Names in the table.
    columns: Vec<String>,
    /// Whether an array or map lies above, so that no column path leads here.
    inside_collection: bool,
}

impl Place {
    fn below(&self, property: &Property) -> Self {
        let mut place = self.clone();
        place.names.push(property.name.clone());
        place.columns.push(property.column_name().to_owned());
        place
    }

    fn within_collection(&self) -> Self {
        Self { inside_collection: true, ..self.clone() }
    }

    fn key(&self) -> String {
        self.names.join(".")
    }

    fn column(&self) -> Option<ColumnPath> {
        (!self.inside_collection).then(|| ColumnPath(self.columns.clone()))
    }
}

/// The query of a rule over a column, given as its path in the table, with `${column}` and `${property}` filled in.
pub fn query_over(query: &str, columns: &[String]) -> String {
    let quoted: Vec<_> = columns.iter().map(|name| format!("\"{}\"", name.replace('"', "\"\""))).collect();
    let column = quoted.join(".");
    ["${column}", "${property}", "{column}", "{property}"]
        .into_iter()
        .fold(query.to_owned(), |query, placeholder| query.replace(placeholder, &column))
}

struct Compiler<'a> {
    object: &'a SchemaObject,
    rules: Vec<Rule>,
    /// How often each key was wanted for.
    keys: BTreeMap<String, usize>,
}

impl Compiler<'_> {
    fn primary_key(&mut self) {
        let key = self.object.primary_key();
        if key.is_empty() {
            return;
        }
        let columns = key.iter().map(|property| ColumnPath(vec![property.column_name().to_owned()])).collect();
        let names: Vec<_> = key.iter().map(|property| property.name.as_str()).collect();
        let title = format!("primary key ({}) is unique", names.join(", "));
        self.implied("primaryKey".to_owned(), Some(Check::DuplicateValues { columns }), title);
    }

    fn property(&mut self, property: &Property, above: &Place) -> Result<(), RuleError> {
        if !property.is_stored() {
            return Ok(());
        }
        let place = above.below(property);
        let (key, column) = (place.key(), place.column());
        let at_top = place.names.len() == 1;
        if property.required || (property.primary_key && at_top) {
            let check = column.clone().map(|column| Check::NullValues { column });
            self.implied(format!("{key}/required"), check, format!("{key} is not null"));
        }
        if property.unique {
            let check = column.clone().map(|column| Check::DuplicateValues { columns: vec![column] });
            self.implied(format!("{key}/unique"), check, format!("{key} is unique"));
        }
        if !property.enumeration.is_empty() {
            let values = property.enumeration.clone();
            let title = format!("{key} is one of {} values", values.len());
            self.implied(
                format!("{key}/enum"),
                column.clone().map(|column| Check::InvalidValues { column, values }),
                title,
            );
        }
        self.options(property, &place)?;
        for quality in &property.quality {
            self.quality(quality, Some(&place))?;
        }
        for member in &property.members {
            self.property(member, &place)?;
        }
        let within = place.within_collection();
        for element in property.items.as_deref().into_iter().chain(property.map.iter().flat_map(|m| [&m.key, &m.value]))
        {
            self.property(element, &within)?;
        }
        Ok(())
    }

    fn options(&mut self, property: &Property, place: &Place) -> Result<(), RuleError> {
        let options = &property.options;
        let (key, column) = (place.key(), place.column());
        let bounds = [
            ("minimum", &options.minimum, true, false),
            ("exclusiveMinimum", &options.exclusive_minimum, true, true),
            ("maximum", &options.maximum, false, false),
            ("exclusiveMaximum", &options.exclusive_maximum, false, true),
        ];
        for (word, value, is_low, exclusive) in bounds {
            let Some(value) = value else { continue };
            let bound = Some(Bound { value: value.clone(), exclusive });
            let (minimum, maximum) = if is_low { (bound, None) } else { (None, bound) };
            let check = column.clone().map(|column| Check::OutOfRange { column, minimum, maximum });
            let sign = match (is_low, exclusive) {
                (true, false) => ">=",
                (true, true) => ">",
                (false, false) => "<=",
                (false, true) => "<",
            };
            self.implied(format!("{key}/{word}"), check, format!("{key} {sign} {}", shown(value)));
        }
        if let Some(least) = options.min_length {
            let check = column.clone().map(|column| Check::Length { column, minimum: Some(least), maximum: None });
            self.implied(format!("{key}/minLength"), check, format!("{key} has at least {least} characters"));
        }
        if let Some(most) = options.max_length {
            let check = column.clone().map(|column| Check::Length { column, minimum: None, maximum: Some(most) });
            self.implied(format!("{key}/maxLength"), check, format!("{key} has at most {most} characters"));
        }
        if let Some(divisor) = &options.multiple_of {
            let check = column.clone().map(|column| Check::NotMultipleOf { column, divisor: divisor.clone() });
            self.implied(format!("{key}/multipleOf"), check, format!("{key} is a multiple of {divisor}"));
        }
        if let Some(pattern) = &options.pattern {
            usable(pattern, &key)?;
            let check = column.clone().map(|column| Check::InvalidPattern { column, pattern: pattern.clone() });
            self.implied(format!("{key}/pattern"), check, format!("{key} matches its pattern"));
        }
        // No check looks inside a collection; these are listed as not run.
        let counts = [
            ("minItems", options.min_items),
            ("maxItems", options.max_items),
            ("uniqueItems", options.unique_items.then_some(1)),
            ("minProperties", options.min_properties),
            ("maxProperties", options.max_properties),
            ("dimensions", options.dimensions),
        ];
        for (word, value) in counts {
            if value.is_some() {
                self.implied(format!("{key}/{word}"), None, format!("{key} keeps its {word}"));
            }
        }
        Ok(())
    }

    fn quality(&mut self, quality: &Quality, place: Option<&Place>) -> Result<(), RuleError> {
        let metric = quality.measure.name();
        let key = quality.id.clone().unwrap_or_else(|| match place {
            Some(place) => format!("{}/quality/{metric}", place.key()),
            None => format!("quality/{metric}"),
        });
        let mut runs = quality.operator.is_some();
        let unit = match quality.unit {
            QualityUnit::Rows => Unit::Rows,
            QualityUnit::Percent => Unit::Percent,
            QualityUnit::Unknown(_) => {
                runs = false;
                Unit::Rows
            }
        };
        let check = self.measure(quality, place, &key, unit)?;
        let title = quality.name.clone().unwrap_or_else(|| match place {
            Some(place) => format!("{metric} of {}", place.key()),
            None => metric.to_owned(),
        });
        self.push(Rule {
            key,
            check: check.filter(|_| runs),
            operator: quality.operator.unwrap_or(Operator::MustBe(0.0)),
            unit,
            severity: quality.severity,
            title,
        });
        Ok(())
    }

    /// What a quality entry counts; `None` if it is of a kind that is not run.
    fn measure(
        &self,
        quality: &Quality,
        place: Option<&Place>,
        key: &str,
        unit: Unit,
    ) -> Result<Option<Check>, RuleError> {
        let column = place.and_then(Place::column);
        Ok(match &quality.measure {
            Measure::NullValues => column.map(|column| Check::NullValues { column }),
            Measure::MissingValues { values } => {
                column.map(|column| Check::MissingValues { column, values: values.clone() })
            }
            Measure::InvalidValues { values, pattern } => {
                if let Some(pattern) = pattern {
                    usable(pattern, key)?;
                }
                match (column, pattern) {
                    (None, _) => None,
                    (Some(column), Some(pattern)) if values.is_empty() => {
                        Some(Check::InvalidPattern { column, pattern: pattern.clone() })
                    }
                    // Both at once is one condition too many for one count.
                    (Some(_), Some(_)) => None,
                    (Some(column), None) => Some(Check::InvalidValues { column, values: values.clone() }),
                }
            }
            Measure::DuplicateValues { properties } => match place {
                Some(_) if properties.is_empty() => {
                    column.map(|column| Check::DuplicateValues { columns: vec![column] })
                }
                _ => {
                    let columns =
                        properties.iter().map(|name| self.column(name, key)).collect::<Result<Vec<_>, _>>()?;
                    (!columns.is_empty()).then_some(Check::DuplicateValues { columns })
                }
            },
            Measure::RowCount => (unit == Unit::Rows).then_some(Check::RowCount),
            Measure::Sql { query } => Some(Check::Sql { query: self.substituted(query, place) }),
            Measure::Text | Measure::Custom(_) => None,
        })
    }

    /// The table's path of a column that a rule names by the document's, with `.` before members.
    fn column(&self, name: &str, rule: &str) -> Result<ColumnPath, RuleError> {
        find_column(&self.object.properties, name).map(ColumnPath).ok_or_else(|| RuleError::NoSuchColumn {
            rule: rule.to_owned(),
            column: name.to_owned(),
            object: self.object.name.clone(),
        })
    }

    /// A query with `${column}` and `${property}` filled in; the worker fills in the table.
    fn substituted(&self, query: &str, place: Option<&Place>) -> String {
        place.map_or_else(|| query.to_owned(), |place| query_over(query, &place.columns))
    }

    fn implied(&mut self, key: String, check: Option<Check>, title: String) {
        let operator = Operator::MustBe(0.0);
        self.push(Rule { key, check, operator, unit: Unit::Rows, severity: Severity::Error, title });
    }

    /// Adds a rule; a key that is taken gets the next free number.
    fn push(&mut self, mut rule: Rule) {
        let wanted = rule.key.clone();
        while let Some(n_taken) = self.keys.get(&rule.key).copied() {
            self.keys.insert(wanted.clone(), n_taken + 1);
            rule.key = format!("{wanted}#{}", n_taken + 1);
        }
        self.keys.insert(rule.key.clone(), 1);
        self.rules.push(rule);
    }
}

/// The table's path to a column that the document names, `.` before members; names that hold a `.` are tried whole.
fn find_column(properties: &[Arc<Property>], name: &str) -> Option<Vec<String>> {
    if let Some(property) = properties.iter().find(|property| property.name == name) {
        return Some(vec![property.column_name().to_owned()]);
    }
    properties.iter().find_map(|property| {
        let rest = name.strip_prefix(property.name.as_str())?.strip_prefix('.')?;
        let mut path = vec![property.column_name().to_owned()];
        path.extend(find_column(&property.members, rest)?);
        Some(path)
    })
}

fn usable(pattern: &str, column: &str) -> Result<(), RuleError> {
    check_pattern(pattern).map_err(|reason| RuleError::Pattern { column: column.to_owned(), reason })
}

fn shown(value: &Scalar) -> String {
    match value {
        Scalar::Text(text) => text.clone(),
        Scalar::Integer(number) => number.to_string(),
        Scalar::Number(number) => number.to_string(),
        Scalar::Decimal(number) => number.to_string(),
        Scalar::Boolean(boolean) => boolean.to_string(),
    }
}
