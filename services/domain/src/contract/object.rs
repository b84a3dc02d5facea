//! The schema objects of an ODCS document: tables, views and topics, with their columns and quality rules.

use std::fmt;
use std::sync::Arc;

use serde_json::{Map, Value};

use crate::closed_set;
use crate::decimal::Decimal;
use crate::name::{self, Name};
use crate::quality::{Operator, Scalar, Severity};
use crate::registry::{NotASubject, Subject};
use crate::table::ColumnPath;

/// Fields of a document that have no meaning of their own here, as they were written.
pub type Fields = Map<String, Value>;

/// A table, view or topic that a contract promises.
#[derive(Clone, Debug, PartialEq)]
pub struct SchemaObject {
    /// The stable id, which survives renames.
    pub id: Option<String>,
    /// The name.
    pub name: String,
    /// The name at the source, where it differs.
    pub physical_name: Option<String>,
    /// What it is at the source: `table`, `view`, `topic`, ...
    pub physical_type: Option<String>,
    /// The columns. Versions of a contract share those that are equal: see
    /// [`Document::share_columns`](super::Document::share_columns).
    pub properties: Vec<Arc<Property>>,
    /// Rules over the whole object.
    pub quality: Vec<Quality>,
    /// Foreign keys, as they were written.
    pub relationships: Vec<Relationship>,
    /// For people.
    pub documentary: Fields,
    /// Everything else.
    pub other: Fields,
}

impl SchemaObject {
    /// The name in addresses (`docs/rules.md`, "Names and states").
    ///
    /// # Errors
    /// If the object's name gives none; `documents` accepts no such contract.
    pub fn table_name(&self) -> Result<Name, name::Error> {
        Name::slug(&self.name)
    }

    /// Whether it is a topic at the source, and no table (`physicalType: topic`).
    pub fn is_topic(&self) -> bool {
        self.physical_type.as_deref().is_some_and(|kind| kind.eq_ignore_ascii_case("topic"))
    }

    /// The subject under which the schemas of a topic are registered, if the object is one: its physical
    /// name, else its name, with `-value` after it where it does not say that it is a key or a value
    /// (TopicNameStrategy of the Confluent clients).
    ///
    /// # Errors
    /// If the name is none for a subject.
    pub fn subject(&self) -> Result<Option<Subject>, NotASubject> {
        if !self.is_topic() {
            return Ok(None);
        }
        let topic = self.physical_name.as_deref().unwrap_or(&self.name);
        let is_whole = topic.ends_with("-key") || topic.ends_with("-value");
        let subject = if is_whole { topic.to_owned() } else { format!("{topic}-value") };
        subject.parse().map(Some)
    }

    /// The highest classification among its columns; `internal` if none says.
    pub fn classification(&self) -> Classification {
        self.properties.iter().filter_map(|column| column.classification()).max().unwrap_or_default()
    }

    /// How secret a column of its tables is: with all that it contains, and an undeclared one like the most secret that
    /// is declared (`docs/rules.md`, "Data rules").
    pub fn classification_of(&self, column: &ColumnPath) -> Classification {
        let name = column.0.first().map(String::as_str);
        match self.properties.iter().find(|property| Some(property.column_name()) == name) {
            Some(property) => property.classification().unwrap_or_default(),
            None => self.classification(),
        }
    }

    /// The columns of the primary key, in the order of their positions.
    pub fn primary_key(&self) -> Vec<&Property> {
        let mut key: Vec<_> = self.properties.iter().map(Arc::as_ref).filter(|property| property.primary_key).collect();
        key.sort_by_key(|property| property.primary_key_position.unwrap_or(u32::MAX));
        key
    }
}

/// A column, struct member, array item, map key or map value.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Property {
    /// The stable id, which survives renames.
    pub id: Option<String>,
    /// The name. Items, keys and values without one are called `items`, `key`, `value`.
    pub name: String,
    /// The name at the source, where it differs.
    pub physical_name: Option<String>,
    /// The family of its type.
    pub logical_type: Option<LogicalType>,
    /// What narrows its type and its values.
    pub options: Options,
    /// Its type at the source.
    pub physical_type: Option<String>,
    /// Whether it must not be null.
    pub required: bool,
    /// Whether its values must be distinct.
    pub unique: bool,
    /// Whether it is part of the primary key.
    pub primary_key: bool,
    /// Its place in the primary key, from 1.
    pub primary_key_position: Option<u32>,
    /// Whether the data is partitioned by it.
    pub partitioned: bool,
    /// Its place among the partition columns, from 1.
    pub partition_key_position: Option<u32>,
    /// How sensitive it is, where the document says.
    pub classification: Option<Classification>,
    /// The column that holds its encrypted form.
    pub encrypted_name: Option<String>,
    /// What it is in a semantic model.
    pub semantic_type: SemanticType,
    /// The allowed values; empty if all are.
    pub enumeration: Vec<Scalar>,
    /// Whether it is a critical data element.
    pub critical: bool,
    /// Whether new users should avoid it.
    pub deprecated: bool,
    /// Members of an object.
    pub members: Vec<Arc<Property>>,
    /// What an array holds.
    pub items: Option<Box<Property>>,
    /// What a map holds.
    pub map: Option<Box<MapTypes>>,
    /// Rules over the column.
    pub quality: Vec<Quality>,
    /// Foreign keys, as they were written.
    pub relationships: Vec<Relationship>,
    /// For people.
    pub documentary: Fields,
    /// Everything else.
    pub other: Fields,
}

impl Property {
    /// The column's name in the table.
    pub fn column_name(&self) -> &str {
        self.physical_name.as_deref().unwrap_or(&self.name)
    }

    /// Whether the table holds it: a measure is computed by who reads it.
    pub fn is_stored(&self) -> bool {
        self.semantic_type != SemanticType::Measure
    }

    /// The highest classification of it and of what it contains, where any says.
    pub fn classification(&self) -> Option<Classification> {
        let inner = self.children().filter_map(Self::classification).max();
        self.classification.max(inner)
    }

    /// The objects that its values are made from, as the document names them (ODCS `transformSourceObjects`).
    pub fn transform_sources(&self) -> impl Iterator<Item = &str> {
        let named = self.documentary.get("transformSourceObjects").and_then(Value::as_array);
        named.into_iter().flatten().filter_map(Value::as_str)
    }

    /// What it contains: members, items, keys and values.
    pub fn children(&self) -> impl Iterator<Item = &Self> {
        let map = self.map.iter().flat_map(|map| [&map.key, &map.value]);
        self.members.iter().map(Arc::as_ref).chain(self.items.as_deref()).chain(map)
    }
}

/// What a map holds.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct MapTypes {
    /// Its keys.
    pub key: Property,
    /// Its values.
    pub value: Property,
}

/// ODCS `logicalType`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[expect(missing_docs, reason = "the words of the standard")]
pub enum LogicalType {
    String,
    Date,
    Timestamp,
    Time,
    Number,
    Integer,
    Object,
    Array,
    Boolean,
    Map,
    Vector,
}

impl LogicalType {
    /// The word of the standard.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::String => "string",
            Self::Date => "date",
            Self::Timestamp => "timestamp",
            Self::Time => "time",
            Self::Number => "number",
            Self::Integer => "integer",
            Self::Object => "object",
            Self::Array => "array",
            Self::Boolean => "boolean",
            Self::Map => "map",
            Self::Vector => "vector",
        }
    }

    /// The type that a word of the standard means.
    pub fn from_word(word: &str) -> Option<Self> {
        const ALL: [LogicalType; 11] = [
            LogicalType::String,
            LogicalType::Date,
            LogicalType::Timestamp,
            LogicalType::Time,
            LogicalType::Number,
            LogicalType::Integer,
            LogicalType::Object,
            LogicalType::Array,
            LogicalType::Boolean,
            LogicalType::Map,
            LogicalType::Vector,
        ];
        ALL.into_iter().find(|logical| logical.as_str() == word)
    }
}

/// ODCS `logicalTypeOptions`. Which of them a document may use depends on its `logicalType`; the schema says so.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Options {
    /// The narrower type or notation: `i64`, `f32`, `uuid`, `yyyy-MM-dd`, ...
    pub format: Option<String>,
    /// The least number of characters.
    pub min_length: Option<u64>,
    /// The greatest number of characters.
    pub max_length: Option<u64>,
    /// What a text must match.
    pub pattern: Option<String>,
    /// The least value.
    pub minimum: Option<Scalar>,
    /// The greatest value.
    pub maximum: Option<Scalar>,
    /// What every value must be greater than.
    pub exclusive_minimum: Option<Scalar>,
    /// What every value must be less than.
    pub exclusive_maximum: Option<Scalar>,
    /// What every number must be a multiple of.
    pub multiple_of: Option<Decimal>,
    /// Whether a moment carries its time zone.
    pub timezone: Option<bool>,
    /// The time zone of those that carry none.
    pub default_timezone: Option<String>,
    /// The least number of items.
    pub min_items: Option<u64>,
    /// The greatest number of items.
    pub max_items: Option<u64>,
    /// Whether items must be distinct.
    pub unique_items: bool,
    /// The least number of members.
    pub min_properties: Option<u64>,
    /// The greatest number of members.
    pub max_properties: Option<u64>,
    /// The length of a vector.
    pub dimensions: Option<u64>,
    /// The type of a vector's elements; the standard's default is `float32`.
    pub element_type: Option<String>,
    /// Everything else.
    pub other: Fields,
}

/// ODCS `semanticType`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub enum SemanticType {
    /// A column of the table.
    #[default]
    Column,
    /// An aggregate that readers compute; no column.
    Measure,
    /// What readers group by.
    Dimension,
}

/// How sensitive data is. Greater is more sensitive.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Classification {
    /// For everybody.
    Public,
    /// For everybody inside. The default.
    #[default]
    Internal,
    /// For those with a reason.
    Confidential,
    /// For those named.
    Restricted,
}

impl Classification {
    /// Reads a word; `None` if it is not one of the four. Callers take an unknown word as `confidential` and warn.
    pub fn from_word(word: &str) -> Option<Self> {
        [Self::Public, Self::Internal, Self::Confidential, Self::Restricted].into_iter().find(|it| it.as_str() == word)
    }

    /// The word.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Public => "public",
            Self::Internal => "internal",
            Self::Confidential => "confidential",
            Self::Restricted => "restricted",
        }
    }
}

impl fmt::Display for Classification {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// A foreign key: columns that name rows elsewhere.
#[derive(Clone, Debug, PartialEq)]
pub struct Relationship {
    /// The columns, as they were written; empty at property level, where the property itself is meant.
    pub from: Vec<String>,
    /// What they name.
    pub to: Vec<String>,
    /// For people.
    pub documentary: Fields,
    /// Everything else.
    pub other: Fields,
}

/// One entry of ODCS `quality`.
#[derive(Clone, Debug, PartialEq)]
pub struct Quality {
    /// The stable id.
    pub id: Option<String>,
    /// The title for people.
    pub name: Option<String>,
    /// What is measured.
    pub measure: Measure,
    /// The condition on it; `None` where the document's is not one on numbers.
    pub operator: Option<Operator>,
    /// What the count is compared as.
    pub unit: QualityUnit,
    /// How much it weighs.
    pub severity: Severity,
    /// For people.
    pub documentary: Fields,
    /// Everything else.
    pub other: Fields,
}

/// What a quality rule measures.
#[derive(Clone, Debug, PartialEq)]
pub enum Measure {
    /// Metric `nullValues`.
    NullValues,
    /// Metric `missingValues`.
    MissingValues {
        /// The values that mean "missing"; null always does.
        values: Vec<Scalar>,
    },
    /// Metric `invalidValues`.
    InvalidValues {
        /// The valid values; empty if only the pattern says.
        values: Vec<Scalar>,
        /// What a valid text matches.
        pattern: Option<String>,
    },
    /// Metric `duplicateValues`.
    DuplicateValues {
        /// The columns of the key, by name; empty at property level, where the property itself is meant.
        properties: Vec<String>,
    },
    /// Metric `rowCount`.
    RowCount,
    /// One number that a query gives.
    Sql {
        /// The query.
        query: String,
    },
    /// Words for people.
    Text,
    /// Something another engine runs, or a metric we do not know.
    Custom(Fields),
}

closed_set! {
    /// A metric of the standard's library, by its name since ODCS 3.1.
    LibraryMetric {
        /// Rows whose column is null.
        NullValues = "nullValues",
        /// Rows whose column is null or means "missing".
        MissingValues = "missingValues",
        /// Rows whose column is no valid value.
        InvalidValues = "invalidValues",
        /// Rows that repeat the values of their columns.
        DuplicateValues = "duplicateValues",
        /// All rows.
        RowCount = "rowCount",
    }
}

impl Measure {
    /// The metric's name, or the type of a rule that has none.
    pub fn name(&self) -> &'static str {
        match self {
            Self::NullValues => LibraryMetric::NullValues.as_str(),
            Self::MissingValues { .. } => LibraryMetric::MissingValues.as_str(),
            Self::InvalidValues { .. } => LibraryMetric::InvalidValues.as_str(),
            Self::DuplicateValues { .. } => LibraryMetric::DuplicateValues.as_str(),
            Self::RowCount => LibraryMetric::RowCount.as_str(),
            Self::Sql { .. } => "sql",
            Self::Text => "text",
            Self::Custom(_) => "custom",
        }
    }
}

/// ODCS `unit` of a quality rule.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub enum QualityUnit {
    /// Rows; the default.
    #[default]
    Rows,
    /// Percent of all rows.
    Percent,
    /// A word that we do not know; such a rule is not run.
    Unknown(String),
}
