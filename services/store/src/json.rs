//! The JSON in text columns: schemas, rule results, lines of decisions, findings. No other module knows its form.
//!
//! Each type here mirrors one of the domain, variant by variant, so a variant that is added there does not compile
//! until it has its form here. What was written must stay readable for as long as the row is kept: a field may be added
//! with a default, none renamed.

use std::collections::BTreeSet;
use std::fmt::Display;
use std::marker::PhantomData;
use std::str::FromStr;

use domain::change::FindingRecord;
use domain::contract::Classification;
use domain::decimal::Decimal;
use domain::gate::{Detail, DetailRight, Line};
use domain::quality::{self, RuleResult};
use domain::registry::Reference;
use domain::table::{ColumnPath, InspectionRead, PhysicalColumn, PhysicalSchema, PhysicalType, ReaderProtocol};
use domain::version::Bump;
use serde::de::Error as _;
use serde::{Deserialize, Deserializer, Serialize, Serializer};

/// Why a text does not have the form.
pub(crate) type Misfit = String;

pub(crate) fn strings_to_text(strings: &[String]) -> String {
    to_text(&strings)
}

pub(crate) fn strings_from_text(text: &str) -> Result<Vec<String>, Misfit> {
    from_text(text)
}

pub(crate) fn schema_to_text(schema: &PhysicalSchema) -> String {
    to_text(&Schema::from(schema))
}

pub(crate) fn schema_from_text(text: &str) -> Result<PhysicalSchema, Misfit> {
    from_text::<Schema>(text).map(PhysicalSchema::from)
}

pub(crate) fn read_to_text(read: &InspectionRead) -> String {
    let InspectionRead { n_files, n_bytes, n_rows, n_files_known, n_proven } = *read;
    to_text(&ReadForm { n_files, n_bytes, n_rows, n_files_known, n_proven })
}

pub(crate) fn read_from_text(text: &str) -> Result<InspectionRead, Misfit> {
    let ReadForm { n_files, n_bytes, n_rows, n_files_known, n_proven } = from_text(text)?;
    Ok(InspectionRead { n_files, n_bytes, n_rows, n_files_known, n_proven })
}

pub(crate) fn results_to_text(results: &[RuleResult]) -> String {
    list_to_text::<ResultForm>(results)
}

pub(crate) fn results_from_text(text: &str) -> Result<Vec<RuleResult>, Misfit> {
    list_from_text::<ResultForm>(text)
}

pub(crate) fn lines_to_text(lines: &[Line]) -> String {
    list_to_text::<LineForm>(lines)
}

pub(crate) fn lines_from_text(text: &str) -> Result<Vec<Line>, Misfit> {
    list_from_text::<LineForm>(text)
}

pub(crate) fn findings_to_text(findings: &[FindingRecord]) -> String {
    list_to_text::<FindingForm>(findings)
}

pub(crate) fn findings_from_text(text: &str) -> Result<Vec<FindingRecord>, Misfit> {
    list_from_text::<FindingForm>(text)
}

pub(crate) fn references_to_text(references: &[Reference]) -> String {
    list_to_text::<ReferenceForm>(references)
}

pub(crate) fn references_from_text(text: &str) -> Result<Vec<Reference>, Misfit> {
    list_from_text::<ReferenceForm>(text)
}

#[derive(Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
struct ReadForm {
    n_files: u64,
    n_bytes: u64,
    n_rows: u64,
    n_files_known: u64,
    n_proven: u64,
}

#[derive(Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
struct Schema {
    columns: Vec<Column>,
    partitioned_by: Vec<String>,
    protocol: Protocol,
}

impl From<&PhysicalSchema> for Schema {
    fn from(schema: &PhysicalSchema) -> Self {
        let ReaderProtocol { version, features } = schema.protocol.clone();
        Self {
            columns: schema.columns.iter().map(Column::from).collect(),
            partitioned_by: schema.partitioned_by.clone(),
            protocol: Protocol { version, features },
        }
    }
}

impl From<Schema> for PhysicalSchema {
    fn from(schema: Schema) -> Self {
        let Protocol { version, features } = schema.protocol;
        Self {
            columns: schema.columns.into_iter().map(PhysicalColumn::from).collect(),
            partitioned_by: schema.partitioned_by,
            protocol: ReaderProtocol { version, features },
        }
    }
}

#[derive(Serialize, Deserialize)]
struct Protocol {
    version: u32,
    features: BTreeSet<String>,
}

#[derive(Serialize, Deserialize)]
struct Column {
    #[serde(flatten)]
    physical_type: Type,
    name: String,
    nullable: bool,
}

impl From<&PhysicalColumn> for Column {
    fn from(column: &PhysicalColumn) -> Self {
        Self { physical_type: (&column.physical_type).into(), name: column.name.clone(), nullable: column.nullable }
    }
}

impl From<Column> for PhysicalColumn {
    fn from(column: Column) -> Self {
        Self { physical_type: column.physical_type.into(), name: column.name, nullable: column.nullable }
    }
}

#[derive(Serialize, Deserialize)]
#[serde(tag = "type", rename_all = "camelCase")]
enum Type {
    Boolean,
    Integer { bits: u8, signed: bool },
    Float { bits: u8 },
    Decimal { precision: u8, scale: i8 },
    String,
    Binary,
    Date,
    Time,
    Timestamp { zoned: bool },
    Struct { members: Vec<Column> },
    List { element: Box<Column> },
    Map { key: Box<Column>, value: Box<Column> },
    Other { words: String },
}

impl From<&PhysicalType> for Type {
    fn from(physical_type: &PhysicalType) -> Self {
        let boxed = |column: &PhysicalColumn| Box::new(Column::from(column));
        match physical_type {
            PhysicalType::Boolean => Self::Boolean,
            PhysicalType::Integer { bits, signed } => Self::Integer { bits: *bits, signed: *signed },
            PhysicalType::Float { bits } => Self::Float { bits: *bits },
            PhysicalType::Decimal { precision, scale } => Self::Decimal { precision: *precision, scale: *scale },
            PhysicalType::String => Self::String,
            PhysicalType::Binary => Self::Binary,
            PhysicalType::Date => Self::Date,
            PhysicalType::Time => Self::Time,
            PhysicalType::Timestamp { zoned } => Self::Timestamp { zoned: *zoned },
            PhysicalType::Struct(members) => Self::Struct { members: members.iter().map(Column::from).collect() },
            PhysicalType::List(element) => Self::List { element: boxed(element) },
            PhysicalType::Map { key, value } => Self::Map { key: boxed(key), value: boxed(value) },
            PhysicalType::Other(words) => Self::Other { words: words.clone() },
        }
    }
}

impl From<Type> for PhysicalType {
    fn from(stored: Type) -> Self {
        let boxed = |column: Box<Column>| Box::new(PhysicalColumn::from(*column));
        match stored {
            Type::Boolean => Self::Boolean,
            Type::Integer { bits, signed } => Self::Integer { bits, signed },
            Type::Float { bits } => Self::Float { bits },
            Type::Decimal { precision, scale } => Self::Decimal { precision, scale },
            Type::String => Self::String,
            Type::Binary => Self::Binary,
            Type::Date => Self::Date,
            Type::Time => Self::Time,
            Type::Timestamp { zoned } => Self::Timestamp { zoned },
            Type::Struct { members } => Self::Struct(members.into_iter().map(PhysicalColumn::from).collect()),
            Type::List { element } => Self::List(boxed(element)),
            Type::Map { key, value } => Self::Map { key: boxed(key), value: boxed(value) },
            Type::Other { words } => Self::Other(words),
        }
    }
}

#[derive(Serialize, Deserialize)]
#[serde(remote = "RuleResult")]
struct ResultForm {
    #[serde(flatten, with = "RuleForm")]
    rule: quality::Rule,
    #[serde(with = "MeasuredForm")]
    measured: quality::Measured,
}

#[derive(Serialize, Deserialize)]
#[serde(remote = "quality::Rule")]
struct RuleForm {
    key: String,
    #[serde(with = "Optional::<CheckForm>")]
    check: Option<quality::Check>,
    #[serde(with = "OperatorForm")]
    operator: quality::Operator,
    #[serde(with = "Word::<quality::Unit>")]
    unit: quality::Unit,
    #[serde(with = "Word::<quality::Severity>")]
    severity: quality::Severity,
    title: String,
}

#[derive(Serialize, Deserialize)]
#[serde(remote = "quality::Check", tag = "is", rename_all = "camelCase")]
enum CheckForm {
    NullValues {
        #[serde(with = "PathForm")]
        column: ColumnPath,
    },
    MissingValues {
        #[serde(with = "PathForm")]
        column: ColumnPath,
        #[serde(with = "List::<ScalarForm>")]
        values: Vec<quality::Scalar>,
    },
    InvalidValues {
        #[serde(with = "PathForm")]
        column: ColumnPath,
        #[serde(with = "List::<ScalarForm>")]
        values: Vec<quality::Scalar>,
    },
    InvalidPattern {
        #[serde(with = "PathForm")]
        column: ColumnPath,
        pattern: String,
    },
    OutOfRange {
        #[serde(with = "PathForm")]
        column: ColumnPath,
        #[serde(with = "Optional::<BoundForm>")]
        minimum: Option<quality::Bound>,
        #[serde(with = "Optional::<BoundForm>")]
        maximum: Option<quality::Bound>,
    },
    Length {
        #[serde(with = "PathForm")]
        column: ColumnPath,
        minimum: Option<u64>,
        maximum: Option<u64>,
    },
    NotMultipleOf {
        #[serde(with = "PathForm")]
        column: ColumnPath,
        #[serde(with = "Digits")]
        divisor: Decimal,
    },
    DuplicateValues {
        #[serde(with = "List::<PathForm>")]
        columns: Vec<ColumnPath>,
    },
    RowCount,
    Sql {
        query: String,
    },
}

#[derive(Serialize, Deserialize)]
#[serde(remote = "ColumnPath", transparent)]
struct PathForm(Vec<String>);

#[derive(Serialize, Deserialize)]
#[serde(remote = "quality::Bound")]
struct BoundForm {
    #[serde(with = "ScalarForm")]
    value: quality::Scalar,
    exclusive: bool,
}

#[derive(Serialize, Deserialize)]
#[serde(remote = "quality::Scalar", rename_all = "camelCase")]
enum ScalarForm {
    Text(String),
    Integer(i64),
    Number(#[serde(with = "Number")] f64),
    Decimal(#[serde(with = "Word::<Decimal>")] Decimal),
    Boolean(bool),
}

#[derive(Serialize, Deserialize)]
#[serde(remote = "quality::Operator", tag = "is", content = "bounds", rename_all = "camelCase")]
#[expect(clippy::enum_variant_names, reason = "these are the words of ODCS")]
enum OperatorForm {
    MustBe(#[serde(with = "Single")] f64),
    MustNotBe(#[serde(with = "Single")] f64),
    MustBeGreaterThan(#[serde(with = "Single")] f64),
    MustBeGreaterOrEqualTo(#[serde(with = "Single")] f64),
    MustBeLessThan(#[serde(with = "Single")] f64),
    MustBeLessOrEqualTo(#[serde(with = "Single")] f64),
    MustBeBetween(#[serde(with = "Number")] f64, #[serde(with = "Number")] f64),
    MustNotBeBetween(#[serde(with = "Number")] f64, #[serde(with = "Number")] f64),
}

/// `{"value": 1.0}`, `{"error": "no row"}`, or `{}` where the rule was not run.
#[derive(Default, Serialize, Deserialize)]
#[serde(default)]
struct MeasuredForm {
    #[serde(with = "Optional::<Number>", skip_serializing_if = "Option::is_none")]
    value: Option<f64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    error: Option<String>,
}

impl MeasuredForm {
    fn serialize<S: Serializer>(measured: &quality::Measured, serializer: S) -> Result<S::Ok, S::Error> {
        let (value, error) = match measured.clone() {
            quality::Measured::Value(value) => (Some(value), None),
            quality::Measured::Error(reason) => (None, Some(reason)),
            quality::Measured::NotRun => (None, None),
        };
        Serialize::serialize(&Self { value, error }, serializer)
    }

    fn deserialize<'de, D: Deserializer<'de>>(deserializer: D) -> Result<quality::Measured, D::Error> {
        let form: Self = Deserialize::deserialize(deserializer)?;
        match (form.value, form.error) {
            (Some(value), None) => Ok(quality::Measured::Value(value)),
            (None, Some(reason)) => Ok(quality::Measured::Error(reason)),
            (None, None) => Ok(quality::Measured::NotRun),
            (Some(_), Some(_)) => Err(D::Error::custom("measured both a value and an error")),
        }
    }
}

#[derive(Serialize, Deserialize)]
#[serde(remote = "Line")]
struct LineForm {
    #[serde(with = "Word::<domain::gate::Check>")]
    check: domain::gate::Check,
    #[serde(with = "Word::<domain::gate::LineOutcome>")]
    outcome: domain::gate::LineOutcome,
    #[serde(with = "Word::<domain::gate::Code>")]
    code: domain::gate::Code,
    message: String,
    #[serde(with = "List::<DetailForm>")]
    details: Vec<Detail>,
}

#[derive(Serialize, Deserialize)]
#[serde(remote = "Detail")]
struct DetailForm {
    #[serde(with = "Right")]
    right: DetailRight,
    text: String,
}

/// `quality`, `owner`, `column:restricted`.
struct Right;

impl Form for Right {
    type Model = DetailRight;

    fn serialize<S: Serializer>(right: &DetailRight, serializer: S) -> Result<S::Ok, S::Error> {
        match right {
            DetailRight::Column(classification) => serializer.collect_str(&format_args!("column:{classification}")),
            DetailRight::Quality => serializer.serialize_str("quality"),
            DetailRight::Owner => serializer.serialize_str("owner"),
        }
    }

    fn deserialize<'de, D: Deserializer<'de>>(deserializer: D) -> Result<DetailRight, D::Error> {
        let word = String::deserialize(deserializer)?;
        match word.split_once(':') {
            None if word == "quality" => Some(DetailRight::Quality),
            None if word == "owner" => Some(DetailRight::Owner),
            Some(("column", word)) => Classification::from_word(word).map(DetailRight::Column),
            _ => None,
        }
        .ok_or_else(|| D::Error::custom(format_args!("unknown right `{word}`")))
    }
}

#[derive(Serialize, Deserialize)]
#[serde(remote = "FindingRecord", rename_all = "camelCase")]
struct FindingForm {
    path: String,
    rule: String,
    history_safe: bool,
    consumer_safe: bool,
    #[serde(with = "BumpForm")]
    bump: Bump,
    message: String,
    // Findings that were stored before there were values have neither.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    before: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    after: Option<String>,
    proof: Option<String>,
}

#[derive(Serialize, Deserialize)]
#[serde(remote = "Bump", rename_all = "camelCase")]
enum BumpForm {
    None,
    Patch,
    Minor,
    Major,
}

#[derive(Serialize, Deserialize)]
#[serde(remote = "Reference")]
struct ReferenceForm {
    name: String,
    #[serde(with = "Word::<domain::registry::Subject>")]
    subject: domain::registry::Subject,
    version: u32,
}

/// A type that is declared as the form of another, by `#[serde(remote = ..)]`.
trait Form {
    type Model;
    fn serialize<S: Serializer>(model: &Self::Model, serializer: S) -> Result<S::Ok, S::Error>;
    fn deserialize<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Self::Model, D::Error>;
}

macro_rules! forms {
    ($($form:ident of $model:ty,)+) => {
        $(
            impl Form for $form {
                type Model = $model;

                fn serialize<S: Serializer>(model: &$model, serializer: S) -> Result<S::Ok, S::Error> {
                    $form::serialize(model, serializer)
                }

                fn deserialize<'de, D: Deserializer<'de>>(deserializer: D) -> Result<$model, D::Error> {
                    $form::deserialize(deserializer)
                }
            }
        )+
    };
}

forms! {
    ResultForm of RuleResult,
    CheckForm of quality::Check,
    PathForm of ColumnPath,
    BoundForm of quality::Bound,
    ScalarForm of quality::Scalar,
    LineForm of Line,
    DetailForm of Detail,
    FindingForm of FindingRecord,
    ReferenceForm of Reference,
}

/// A model that is written in its form.
struct Written<'a, F: Form>(&'a F::Model);

impl<F: Form> Serialize for Written<'_, F> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        F::serialize(self.0, serializer)
    }
}

/// A model that is read from its form.
struct Read<F: Form>(F::Model);

impl<'de, F: Form> Deserialize<'de> for Read<F> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        F::deserialize(deserializer).map(Self)
    }
}

/// A list of models in their form.
struct List<F>(PhantomData<F>);

impl<F: Form> Form for List<F> {
    type Model = Vec<F::Model>;

    fn serialize<S: Serializer>(models: &Vec<F::Model>, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_seq(models.iter().map(Written::<F>))
    }

    fn deserialize<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Vec<F::Model>, D::Error> {
        let models: Vec<Read<F>> = Deserialize::deserialize(deserializer)?;
        Ok(models.into_iter().map(|model| model.0).collect())
    }
}

/// A model in its form, or `null`.
struct Optional<F>(PhantomData<F>);

impl<F: Form> Form for Optional<F> {
    type Model = Option<F::Model>;

    fn serialize<S: Serializer>(model: &Option<F::Model>, serializer: S) -> Result<S::Ok, S::Error> {
        model.as_ref().map(Written::<F>).serialize(serializer)
    }

    fn deserialize<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<F::Model>, D::Error> {
        let model: Option<Read<F>> = Deserialize::deserialize(deserializer)?;
        Ok(model.map(|model| model.0))
    }
}

/// A value that is written as its text, such as a member of a closed set.
struct Word<W>(PhantomData<W>);

impl<W: Display + FromStr<Err: Display>> Form for Word<W> {
    type Model = W;

    fn serialize<S: Serializer>(word: &W, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(word)
    }

    fn deserialize<'de, D: Deserializer<'de>>(deserializer: D) -> Result<W, D::Error> {
        String::deserialize(deserializer)?.parse().map_err(D::Error::custom)
    }
}

/// A number. JSON has neither infinities nor not-a-number: they are written as text.
struct Number;

impl Form for Number {
    type Model = f64;

    fn serialize<S: Serializer>(number: &f64, serializer: S) -> Result<S::Ok, S::Error> {
        if number.is_finite() { serializer.serialize_f64(*number) } else { serializer.collect_str(number) }
    }

    fn deserialize<'de, D: Deserializer<'de>>(deserializer: D) -> Result<f64, D::Error> {
        match serde_json::Value::deserialize(deserializer)? {
            serde_json::Value::String(text) => text.parse().map_err(D::Error::custom),
            value => value.as_f64().ok_or_else(|| D::Error::custom("not a number")),
        }
    }
}

/// A number, or a text where a double does not have all of its digits.
struct Digits;

impl Form for Digits {
    type Model = Decimal;

    fn serialize<S: Serializer>(number: &Decimal, serializer: S) -> Result<S::Ok, S::Error> {
        match number.as_double() {
            Some(double) => serializer.serialize_f64(double),
            None => serializer.collect_str(number),
        }
    }

    fn deserialize<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Decimal, D::Error> {
        let number = match serde_json::Value::deserialize(deserializer)? {
            serde_json::Value::String(text) => Decimal::parse(&text),
            value => value.as_f64().and_then(Decimal::of),
        };
        number.ok_or_else(|| D::Error::custom("not a number"))
    }
}

/// A list of one number.
struct Single;

impl Form for Single {
    type Model = f64;

    fn serialize<S: Serializer>(number: &f64, serializer: S) -> Result<S::Ok, S::Error> {
        [Written::<Number>(number)].serialize(serializer)
    }

    fn deserialize<'de, D: Deserializer<'de>>(deserializer: D) -> Result<f64, D::Error> {
        let [number]: [Read<Number>; 1] = Deserialize::deserialize(deserializer)?;
        Ok(number.0)
    }
}

fn list_to_text<F: Form>(models: &[F::Model]) -> String {
    to_text(&models.iter().map(Written::<F>).collect::<Vec<_>>())
}

fn list_from_text<F: Form>(text: &str) -> Result<Vec<F::Model>, Misfit> {
    from_text::<Vec<Read<F>>>(text).map(|models| models.into_iter().map(|model| model.0).collect())
}

fn to_text(value: &impl Serialize) -> String {
    // Only a map with keys that are not text, or an error of our own, could fail here; there is neither.
    serde_json::to_string(value).unwrap_or_default()
}

fn from_text<'a, T: Deserialize<'a>>(text: &'a str) -> Result<T, Misfit> {
    serde_json::from_str(text).map_err(|error| error.to_string())
}
