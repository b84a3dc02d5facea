//! Quality rules in the form in which they are run, and their results (`docs/rules.md`, "Data rules"; ODCS 3.x
//! `quality`).
//!
//! A contract's promises (`required`, `enum`, `quality[]`, ...) are compiled to [`Rule`]s by [`crate::contract`]; the
//! worker measures all of them in a single pass; [`RuleResult::outcome`] and [`verdict`] judge the measurements.

use crate::closed_set;
use crate::decimal::Decimal;
use crate::table::ColumnPath;

closed_set! {
    /// How much a broken rule weighs (ODCS `severity`).
    Severity {
        /// Reported only.
        Info = "info",
        /// The verdict becomes `warn`.
        Warning = "warning",
        /// The verdict becomes `fail`. The default.
        Error = "error",
    }
}

closed_set! {
    /// What a count is compared as.
    Unit {
        /// Rows (the default).
        Rows = "rows",
        /// Percent of all rows, 0 to 100; 0 for an empty table.
        Percent = "percent",
    }
}

/// The condition on a measured number (ODCS library and SQL rules have exactly one).
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Operator {
    /// Equal.
    MustBe(f64),
    /// Not equal.
    MustNotBe(f64),
    /// Greater.
    MustBeGreaterThan(f64),
    /// Greater or equal.
    MustBeGreaterOrEqualTo(f64),
    /// Less.
    MustBeLessThan(f64),
    /// Less or equal.
    MustBeLessOrEqualTo(f64),
    /// Between both, ends included.
    MustBeBetween(f64, f64),
    /// Outside of both; the ends are inside.
    MustNotBeBetween(f64, f64),
}

impl Operator {
    /// Whether the measured number satisfies the condition. Not-a-number satisfies none.
    pub fn holds(self, value: f64) -> bool {
        if value.is_nan() {
            return false;
        }
        match self {
            Self::MustBe(bound) => value == bound,
            Self::MustNotBe(bound) => value != bound,
            Self::MustBeGreaterThan(bound) => value > bound,
            Self::MustBeGreaterOrEqualTo(bound) => value >= bound,
            Self::MustBeLessThan(bound) => value < bound,
            Self::MustBeLessOrEqualTo(bound) => value <= bound,
            Self::MustBeBetween(low, high) => low <= value && value <= high,
            Self::MustNotBeBetween(low, high) => value < low || high < value,
        }
    }
}

/// A value that a column can be compared with.
#[derive(Clone, Debug, PartialEq)]
pub enum Scalar {
    /// Text; also dates, times and timestamps, in ISO 8601.
    Text(String),
    /// A whole number.
    Integer(i64),
    /// A number whose shortest form as a binary fraction has all of its digits.
    Number(f64),
    /// Any other number.
    Decimal(Decimal),
    /// True or false.
    Boolean(bool),
}

impl Scalar {
    /// The number, by its digits; `None` for text, for true and false, and for what is not finite.
    pub fn as_decimal(&self) -> Option<Decimal> {
        match self {
            Self::Integer(number) => Some(Decimal::from(*number)),
            Self::Number(number) => Decimal::of(*number),
            Self::Decimal(number) => Some(number.clone()),
            Self::Text(_) | Self::Boolean(_) => None,
        }
    }
}

impl From<Decimal> for Scalar {
    /// In the simplest form that has all digits.
    fn from(number: Decimal) -> Self {
        let text = number.to_string();
        if let Ok(integer) = text.parse() {
            return Self::Integer(integer);
        }
        number.as_double().map_or(Self::Decimal(number), Self::Number)
    }
}

/// One end of a range.
#[derive(Clone, Debug, PartialEq)]
pub struct Bound {
    /// The end.
    pub value: Scalar,
    /// Whether the end itself is outside.
    pub exclusive: bool,
}

closed_set! {
    /// The quality metrics that are measured, by the words that ODCS or Charterhouse has for them.
    Metric {
        /// Rows whose column is null.
        NullValues = "nullValues",
        /// Rows whose column is null or a value that means "missing".
        MissingValues = "missingValues",
        /// Rows whose column is none of the valid values.
        InvalidValues = "invalidValues",
        /// Rows whose column does not match a pattern.
        InvalidPattern = "invalidPattern",
        /// Rows whose column is outside of a range.
        OutOfRange = "outOfRange",
        /// Rows whose text is too short or too long.
        Length = "length",
        /// Rows whose number is not a multiple of another.
        NotMultipleOf = "notMultipleOf",
        /// Rows that repeat the values of their columns.
        DuplicateValues = "duplicateValues",
        /// All rows.
        RowCount = "rowCount",
        /// The number that a query of the contract returns.
        Sql = "sql",
    }
}

impl Check {
    /// Which metric it measures.
    pub fn metric(&self) -> Metric {
        match self {
            Self::NullValues { .. } => Metric::NullValues,
            Self::MissingValues { .. } => Metric::MissingValues,
            Self::InvalidValues { .. } => Metric::InvalidValues,
            Self::InvalidPattern { .. } => Metric::InvalidPattern,
            Self::OutOfRange { .. } => Metric::OutOfRange,
            Self::Length { .. } => Metric::Length,
            Self::NotMultipleOf { .. } => Metric::NotMultipleOf,
            Self::DuplicateValues { .. } => Metric::DuplicateValues,
            Self::RowCount => Metric::RowCount,
            Self::Sql { .. } => Metric::Sql,
        }
    }
}

/// What is counted. All but `RowCount` and `Sql` count the rows that break it; nulls break only `NullValues` and, where
/// it lists them, `MissingValues`.
#[derive(Clone, Debug, PartialEq)]
pub enum Check {
    /// Rows whose column is null.
    NullValues {
        /// The column.
        column: ColumnPath,
    },
    /// Rows whose column is null or one of these values.
    MissingValues {
        /// The column.
        column: ColumnPath,
        /// Values that stand for "missing".
        values: Vec<Scalar>,
    },
    /// Rows whose column is none of these values. Nulls are ignored.
    InvalidValues {
        /// The column.
        column: ColumnPath,
        /// The valid values.
        values: Vec<Scalar>,
    },
    /// Rows whose column does not match the pattern. Nulls are ignored.
    InvalidPattern {
        /// The column.
        column: ColumnPath,
        /// A pattern of the linear-time engine (crate `regex`), searched for anywhere unless it is anchored.
        pattern: String,
    },
    /// Rows whose column is outside of the range. Nulls are ignored.
    OutOfRange {
        /// The column.
        column: ColumnPath,
        /// The low end.
        minimum: Option<Bound>,
        /// The high end.
        maximum: Option<Bound>,
    },
    /// Rows whose text has fewer or more characters. Nulls are ignored.
    Length {
        /// The column.
        column: ColumnPath,
        /// The least number of characters.
        minimum: Option<u64>,
        /// The greatest number of characters.
        maximum: Option<u64>,
    },
    /// Rows whose number is not a multiple of this. Nulls are ignored.
    NotMultipleOf {
        /// The column.
        column: ColumnPath,
        /// The divisor, greater than 0.
        divisor: Decimal,
    },
    /// Rows minus distinct keys, among the rows whose key has no null.
    DuplicateValues {
        /// The columns of the key.
        columns: Vec<ColumnPath>,
    },
    /// All rows.
    RowCount,
    /// The one number that a query gives; `${table}` and `${object}` stand for the table.
    Sql {
        /// One SELECT.
        query: String,
    },
}

/// One rule of one schema object, ready to be measured.
#[derive(Clone, Debug, PartialEq)]
pub struct Rule {
    /// Names the rule within its schema object: the document's `quality.id`, else a path such as `carrier/required`.
    pub key: String,
    /// What is counted; `None` if the rule cannot be run (`text`, `custom`, `rowCount` in percent): it neither passes
    /// nor fails and is listed as not run.
    pub check: Option<Check>,
    /// The condition.
    pub operator: Operator,
    /// What the count is compared as.
    pub unit: Unit,
    /// How much it weighs.
    pub severity: Severity,
    /// The title for people, from the document or made from the check.
    pub title: String,
}

impl Check {
    /// The columns it looks at; none for the table as a whole and for a query, which may look at any.
    pub fn columns(&self) -> &[ColumnPath] {
        match self {
            Self::NullValues { column }
            | Self::MissingValues { column, .. }
            | Self::InvalidValues { column, .. }
            | Self::InvalidPattern { column, .. }
            | Self::OutOfRange { column, .. }
            | Self::Length { column, .. }
            | Self::NotMultipleOf { column, .. } => std::slice::from_ref(column),
            Self::DuplicateValues { columns } => columns,
            Self::RowCount | Self::Sql { .. } => &[],
        }
    }
}

impl Rule {
    /// Whether what it measures may be a value out of the data, such as the greatest salary, and no count of rows.
    pub fn measures_values(&self) -> bool {
        match &self.check {
            Some(Check::Sql { .. }) => true,
            Some(
                Check::NullValues { .. }
                | Check::MissingValues { .. }
                | Check::InvalidValues { .. }
                | Check::InvalidPattern { .. }
                | Check::OutOfRange { .. }
                | Check::Length { .. }
                | Check::NotMultipleOf { .. }
                | Check::DuplicateValues { .. }
                | Check::RowCount,
            )
            | None => false,
        }
    }
}

/// What measuring gave.
#[derive(Clone, Debug, PartialEq)]
pub enum Measured {
    /// The number counted, or the query's answer.
    Value(f64),
    /// It could not be measured, for this reason (no row, NULL, not a number, a type that does not fit, ...).
    Error(String),
    /// The rule is of a kind that is not run.
    NotRun,
}

/// What became of one rule on one snapshot.
#[derive(Clone, Debug, PartialEq)]
pub struct RuleResult {
    /// The rule.
    pub rule: Rule,
    /// What measuring gave, in the rule's unit.
    pub measured: Measured,
}

closed_set! {
    /// The answer of one rule.
    Outcome {
        /// The condition holds.
        Pass = "pass",
        /// It does not hold.
        Fail = "fail",
        /// It could not be measured.
        Error = "error",
        /// It was not run.
        NotRun = "not_run",
    }
}

impl RuleResult {
    /// Whether the rule holds.
    pub fn outcome(&self) -> Outcome {
        match &self.measured {
            Measured::Value(value) if self.rule.operator.holds(*value) => Outcome::Pass,
            Measured::Value(_) => Outcome::Fail,
            Measured::Error(_) => Outcome::Error,
            Measured::NotRun => Outcome::NotRun,
        }
    }
}

closed_set! {
    /// What an inspection found for one snapshot and binding.
    Verdict {
        /// All rules hold.
        Pass = "pass",
        /// A rule of severity `warning` does not hold, or a column is undeclared.
        Warn = "warn",
        /// A rule of severity `error` does not hold, or the snapshot does not conform.
        Fail = "fail",
        /// The inspection could not be done, or a rule of it.
        Error = "error",
    }
}

/// The verdict that results give. A rule of severity `info` never changes it, even where it could not be measured.
pub fn verdict(results: &[RuleResult]) -> Verdict {
    let mut verdict = Verdict::Pass;
    for result in results {
        let found = match (result.outcome(), result.rule.severity) {
            (Outcome::Pass | Outcome::NotRun, _) | (_, Severity::Info) => Verdict::Pass,
            (Outcome::Fail, Severity::Warning) => Verdict::Warn,
            (Outcome::Fail, Severity::Error) => Verdict::Fail,
            (Outcome::Error, _) => Verdict::Error,
        };
        verdict = verdict.worst(found);
    }
    verdict
}

impl Verdict {
    /// The worse of two.
    pub fn worst(self, other: Self) -> Self {
        self.max(other)
    }
}
