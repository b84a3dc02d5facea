//! The job of a worker.

use std::path::PathBuf;

use domain::decimal::{Decimal, NotADecimal};
use domain::inspection::InspectionJob;
use domain::quality::{self, Check, Rule};
use domain::table::{self, ColumnPath, SnapshotKey};
use serde::{Deserialize, Serialize};

use super::kept::Kept;
use super::{MAX_JOB_BYTES, MAX_RULES, Malformed, at_most};

/// The limits of a worker, which it sets on itself before it opens the table.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Limits {
    /// Address space.
    pub memory_bytes: u64,
    /// Processor time.
    pub cpu_seconds: u64,
    /// The time after which one `sql` rule is abandoned, so that it fails alone.
    pub query_seconds: u64,
    /// The process id of the server: the worker ends with it.
    pub server: u32,
    /// Whether the table may be opened only if the sandbox is fully enforced.
    pub sandbox_required: bool,
}

/// An [`InspectionJob`] with the limits that apply to it.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Job {
    /// The limits of the worker.
    pub limits: Limits,
    format: Format,
    root: PathBuf,
    snapshot: Option<String>,
    rules: Vec<WireRule>,
    digests: bool,
    kept: Kept,
    scratch: PathBuf,
}

impl Job {
    /// A job to send.
    ///
    /// # Errors
    /// More than [`MAX_RULES`] rules, or a number that JSON cannot express.
    pub fn from_domain(job: &InspectionJob, limits: Limits) -> Result<Self, Malformed> {
        at_most("rules", job.rules.len(), MAX_RULES)?;
        Ok(Self {
            limits,
            format: match job.format {
                table::Format::Delta => Format::Delta,
                table::Format::Parquet => Format::Parquet,
            },
            root: job.root.clone(),
            snapshot: job.snapshot.as_ref().map(ToString::to_string),
            rules: job.rules.iter().map(WireRule::from_domain).collect::<Result<_, _>>()?,
            digests: job.digests,
            kept: Kept::from_domain(&job.kept),
            scratch: job.scratch.clone(),
        })
    }

    /// The job as received.
    ///
    /// # Errors
    /// A relative path, too many rules, or a snapshot of another format.
    pub fn into_domain(self) -> Result<InspectionJob, Malformed> {
        at_most("rules", self.rules.len(), MAX_RULES)?;
        if !self.root.is_absolute() || !self.scratch.is_absolute() {
            return Err(Malformed::new("`root` and `scratch` must be absolute"));
        }
        let snapshot: Option<SnapshotKey> = self
            .snapshot
            .map(|key| key.parse().map_err(|error: table::NotASnapshot| Malformed::new(error.to_string())))
            .transpose()?;
        let format = match (self.format, &snapshot) {
            (Format::Delta, Some(SnapshotKey::DeltaVersion(_))) => table::Format::Delta,
            (Format::Parquet, None | Some(SnapshotKey::ParquetDigest(_))) => table::Format::Parquet,
            (Format::Delta, _) => return Err(Malformed::new("a Delta table is inspected at a version")),
            (Format::Parquet, _) => return Err(Malformed::new("a Parquet folder has no versions")),
        };
        Ok(InspectionJob {
            format,
            root: self.root,
            snapshot,
            rules: self.rules.into_iter().map(WireRule::into_domain).collect::<Result<_, _>>()?,
            digests: self.digests,
            kept: self.kept.into_domain()?,
            scratch: self.scratch,
        })
    }

    /// The bytes for the worker's standard input.
    ///
    /// # Errors
    /// A path that is not UTF-8, or more than [`MAX_JOB_BYTES`].
    pub fn to_json(&self) -> Result<Vec<u8>, Malformed> {
        let json = serde_json::to_vec(self).map_err(|error| Malformed::json(&error))?;
        at_most("bytes", json.len(), MAX_JOB_BYTES)?;
        Ok(json)
    }

    /// Parses the bytes of a job.
    ///
    /// # Errors
    /// More than [`MAX_JOB_BYTES`], or not a job.
    pub fn from_json(json: &[u8]) -> Result<Self, Malformed> {
        at_most("bytes", json.len(), MAX_JOB_BYTES)?;
        serde_json::from_slice(json).map_err(|error| Malformed::json(&error))
    }
}

#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
enum Format {
    Delta,
    Parquet,
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct WireRule {
    key: String,
    check: Option<WireCheck>,
    operator: Operator,
    unit: Unit,
    severity: Severity,
    title: String,
}

impl WireRule {
    fn from_domain(rule: &Rule) -> Result<Self, Malformed> {
        Ok(Self {
            key: rule.key.clone(),
            check: rule.check.as_ref().map(WireCheck::from_domain).transpose()?,
            operator: Operator::from_domain(rule.operator)?,
            unit: match rule.unit {
                quality::Unit::Rows => Unit::Rows,
                quality::Unit::Percent => Unit::Percent,
            },
            severity: match rule.severity {
                quality::Severity::Info => Severity::Info,
                quality::Severity::Warning => Severity::Warning,
                quality::Severity::Error => Severity::Error,
            },
            title: rule.title.clone(),
        })
    }

    fn into_domain(self) -> Result<Rule, Malformed> {
        Ok(Rule {
            key: self.key,
            check: self.check.map(WireCheck::into_domain).transpose()?,
            operator: self.operator.into_domain(),
            unit: match self.unit {
                Unit::Rows => quality::Unit::Rows,
                Unit::Percent => quality::Unit::Percent,
            },
            severity: match self.severity {
                Severity::Info => quality::Severity::Info,
                Severity::Warning => quality::Severity::Warning,
                Severity::Error => quality::Severity::Error,
            },
            title: self.title,
        })
    }
}

#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
enum Unit {
    Rows,
    Percent,
}

#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
enum Severity {
    Info,
    Warning,
    Error,
}

#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[expect(clippy::enum_variant_names, reason = "these are the words of ODCS")]
enum Operator {
    MustBe(f64),
    MustNotBe(f64),
    MustBeGreaterThan(f64),
    MustBeGreaterOrEqualTo(f64),
    MustBeLessThan(f64),
    MustBeLessOrEqualTo(f64),
    MustBeBetween(f64, f64),
    MustNotBeBetween(f64, f64),
}

impl Operator {
    fn from_domain(operator: quality::Operator) -> Result<Self, Malformed> {
        use quality::Operator as Domain;
        Ok(match operator {
            Domain::MustBe(bound) => Self::MustBe(finite(bound)?),
            Domain::MustNotBe(bound) => Self::MustNotBe(finite(bound)?),
            Domain::MustBeGreaterThan(bound) => Self::MustBeGreaterThan(finite(bound)?),
            Domain::MustBeGreaterOrEqualTo(bound) => Self::MustBeGreaterOrEqualTo(finite(bound)?),
            Domain::MustBeLessThan(bound) => Self::MustBeLessThan(finite(bound)?),
            Domain::MustBeLessOrEqualTo(bound) => Self::MustBeLessOrEqualTo(finite(bound)?),
            Domain::MustBeBetween(low, high) => Self::MustBeBetween(finite(low)?, finite(high)?),
            Domain::MustNotBeBetween(low, high) => Self::MustNotBeBetween(finite(low)?, finite(high)?),
        })
    }

    fn into_domain(self) -> quality::Operator {
        use quality::Operator as Domain;
        match self {
            Self::MustBe(bound) => Domain::MustBe(bound),
            Self::MustNotBe(bound) => Domain::MustNotBe(bound),
            Self::MustBeGreaterThan(bound) => Domain::MustBeGreaterThan(bound),
            Self::MustBeGreaterOrEqualTo(bound) => Domain::MustBeGreaterOrEqualTo(bound),
            Self::MustBeLessThan(bound) => Domain::MustBeLessThan(bound),
            Self::MustBeLessOrEqualTo(bound) => Domain::MustBeLessOrEqualTo(bound),
            Self::MustBeBetween(low, high) => Domain::MustBeBetween(low, high),
            Self::MustNotBeBetween(low, high) => Domain::MustNotBeBetween(low, high),
        }
    }
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
enum Scalar {
    Text(String),
    Integer(i64),
    Number(f64),
    Decimal(String),
    Boolean(bool),
}

impl Scalar {
    fn from_domain(value: &quality::Scalar) -> Result<Self, Malformed> {
        Ok(match value {
            quality::Scalar::Text(text) => Self::Text(text.clone()),
            quality::Scalar::Integer(integer) => Self::Integer(*integer),
            quality::Scalar::Number(number) => Self::Number(finite(*number)?),
            quality::Scalar::Decimal(number) => Self::Decimal(number.to_string()),
            quality::Scalar::Boolean(boolean) => Self::Boolean(*boolean),
        })
    }

    fn into_domain(self) -> Result<quality::Scalar, Malformed> {
        Ok(match self {
            Self::Text(text) => quality::Scalar::Text(text),
            Self::Integer(integer) => quality::Scalar::Integer(integer),
            Self::Number(number) => quality::Scalar::Number(number),
            Self::Decimal(text) => quality::Scalar::Decimal(decimal(&text)?),
            Self::Boolean(boolean) => quality::Scalar::Boolean(boolean),
        })
    }
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Bound {
    value: Scalar,
    exclusive: bool,
}

impl Bound {
    fn from_domain(bound: &quality::Bound) -> Result<Self, Malformed> {
        Ok(Self { value: Scalar::from_domain(&bound.value)?, exclusive: bound.exclusive })
    }

    fn into_domain(self) -> Result<quality::Bound, Malformed> {
        Ok(quality::Bound { value: self.value.into_domain()?, exclusive: self.exclusive })
    }
}

/// A column's name, then the names of struct members below it.
type Path = Vec<String>;

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", deny_unknown_fields)]
enum WireCheck {
    NullValues { column: Path },
    MissingValues { column: Path, values: Vec<Scalar> },
    InvalidValues { column: Path, values: Vec<Scalar> },
    InvalidPattern { column: Path, pattern: String },
    OutOfRange { column: Path, minimum: Option<Bound>, maximum: Option<Bound> },
    Length { column: Path, minimum: Option<u64>, maximum: Option<u64> },
    NotMultipleOf { column: Path, divisor: String },
    DuplicateValues { columns: Vec<Path> },
    RowCount,
    Sql { query: String },
}

impl WireCheck {
    fn from_domain(check: &Check) -> Result<Self, Malformed> {
        let path = |column: &ColumnPath| column.0.clone();
        let scalars = |values: &[quality::Scalar]| values.iter().map(Scalar::from_domain).collect::<Result<_, _>>();
        let bound = |bound: &Option<quality::Bound>| bound.as_ref().map(Bound::from_domain).transpose();
        Ok(match check {
            Check::NullValues { column } => Self::NullValues { column: path(column) },
            Check::MissingValues { column, values } => {
                Self::MissingValues { column: path(column), values: scalars(values)? }
            }
            Check::InvalidValues { column, values } => {
                Self::InvalidValues { column: path(column), values: scalars(values)? }
            }
            Check::InvalidPattern { column, pattern } => {
                Self::InvalidPattern { column: path(column), pattern: pattern.clone() }
            }
            Check::OutOfRange { column, minimum, maximum } => {
                Self::OutOfRange { column: path(column), minimum: bound(minimum)?, maximum: bound(maximum)? }
            }
            Check::Length { column, minimum, maximum } => {
                Self::Length { column: path(column), minimum: *minimum, maximum: *maximum }
            }
            Check::NotMultipleOf { column, divisor } => {
                Self::NotMultipleOf { column: path(column), divisor: divisor.to_string() }
            }
            Check::DuplicateValues { columns } => Self::DuplicateValues { columns: columns.iter().map(path).collect() },
            Check::RowCount => Self::RowCount,
            Check::Sql { query } => Self::Sql { query: query.clone() },
        })
    }

    fn into_domain(self) -> Result<Check, Malformed> {
        let scalars = |values: Vec<Scalar>| values.into_iter().map(Scalar::into_domain).collect::<Result<Vec<_>, _>>();
        Ok(match self {
            Self::NullValues { column } => Check::NullValues { column: ColumnPath(column) },
            Self::MissingValues { column, values } => {
                Check::MissingValues { column: ColumnPath(column), values: scalars(values)? }
            }
            Self::InvalidValues { column, values } => {
                Check::InvalidValues { column: ColumnPath(column), values: scalars(values)? }
            }
            Self::InvalidPattern { column, pattern } => Check::InvalidPattern { column: ColumnPath(column), pattern },
            Self::OutOfRange { column, minimum, maximum } => Check::OutOfRange {
                column: ColumnPath(column),
                minimum: minimum.map(Bound::into_domain).transpose()?,
                maximum: maximum.map(Bound::into_domain).transpose()?,
            },
            Self::Length { column, minimum, maximum } => Check::Length { column: ColumnPath(column), minimum, maximum },
            Self::NotMultipleOf { column, divisor } => {
                Check::NotMultipleOf { column: ColumnPath(column), divisor: decimal(&divisor)? }
            }
            Self::DuplicateValues { columns } => {
                Check::DuplicateValues { columns: columns.into_iter().map(ColumnPath).collect() }
            }
            Self::RowCount => Check::RowCount,
            Self::Sql { query } => Check::Sql { query },
        })
    }
}

fn decimal(text: &str) -> Result<Decimal, Malformed> {
    text.parse().map_err(|error: NotADecimal| Malformed::new(error.to_string()))
}

fn finite(number: f64) -> Result<f64, Malformed> {
    if number.is_finite() { Ok(number) } else { Err(Malformed::new(format!("`{number}` is not a finite number"))) }
}
