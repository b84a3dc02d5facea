//! Sources and targets of conversions, and their results.

use crate::message::References;
use crate::problem::Problem;

/// What a contract can be made of.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Source {
    /// An Avro schema (1.12): a record, or a union of records.
    Avro,
    /// A JSON Schema, drafts 7 to 2020-12.
    JsonSchema,
    /// A Protobuf file, proto2 or proto3.
    Protobuf,
    /// dbt's `manifest.json`, v9 to v12: its models.
    Dbt,
    /// A Delta table: an entry of its log, its `metaData` action, or the struct of its schema.
    Delta,
    /// An Iceberg table's metadata, v1 to v3, or its schema alone.
    Iceberg,
    /// `CREATE TABLE` statements.
    Sql(Dialect),
}

impl Source {
    /// The source that a word means; SQL in any dialect.
    pub fn from_word(word: &str) -> Option<Self> {
        Some(match word {
            "avro" => Self::Avro,
            "json-schema" => Self::JsonSchema,
            "protobuf" => Self::Protobuf,
            "dbt" => Self::Dbt,
            "delta" => Self::Delta,
            "iceberg" => Self::Iceberg,
            "sql" => Self::Sql(Dialect::Generic),
            _ => return None,
        })
    }
}

/// What a contract can be made into.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Target {
    /// The document's own bytes.
    Odcs,
    /// An Avro schema (1.12) of one object.
    Avro,
    /// A JSON Schema (2020-12) of one object.
    JsonSchema,
    /// A Protobuf file (proto3).
    Protobuf,
    /// The schema of a Delta table: Spark's struct as JSON, of one object.
    Delta,
    /// `CREATE TABLE` statements, in one of [`Dialect::WRITTEN`].
    Sql(Dialect),
    /// dbt's `schema.yml` (1.10), with the types of one dialect.
    Dbt(Dialect),
    /// A suite of Great Expectations (1.x) for one object.
    GreatExpectations,
    /// A page for people, in GitHub-flavoured Markdown.
    Markdown,
    /// A page for people, in HTML.
    Html,
}

impl Target {
    /// The target that a word means; SQL and dbt for PostgreSQL.
    pub fn from_word(word: &str) -> Option<Self> {
        Some(match word {
            "odcs" => Self::Odcs,
            "avro" => Self::Avro,
            "json-schema" => Self::JsonSchema,
            "protobuf" => Self::Protobuf,
            "delta" => Self::Delta,
            "sql" => Self::Sql(Dialect::Postgres),
            "dbt" => Self::Dbt(Dialect::Postgres),
            "great-expectations" => Self::GreatExpectations,
            "markdown" => Self::Markdown,
            "html" => Self::Html,
            _ => return None,
        })
    }

    /// The same target in a dialect; `None` if it has no dialects.
    pub fn in_dialect(self, dialect: Dialect) -> Option<Self> {
        match self {
            Self::Sql(_) => Some(Self::Sql(dialect)),
            Self::Dbt(_) => Some(Self::Dbt(dialect)),
            Self::Odcs
            | Self::Avro
            | Self::JsonSchema
            | Self::Protobuf
            | Self::Delta
            | Self::GreatExpectations
            | Self::Markdown
            | Self::Html => None,
        }
    }

    /// Whether the target can be written in its dialect.
    ///
    /// # Errors
    /// A sentence that names the dialects that can.
    pub fn check_dialect(self) -> Result<(), String> {
        match self {
            Self::Sql(dialect) => dialect.check_written(),
            Self::Dbt(Dialect::Generic) => Err("dbt has no adapter for `generic`; choose a dialect".to_owned()),
            Self::Dbt(_)
            | Self::Odcs
            | Self::Avro
            | Self::JsonSchema
            | Self::Protobuf
            | Self::Delta
            | Self::GreatExpectations
            | Self::Markdown
            | Self::Html => Ok(()),
        }
    }
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Dialect {
    /// Whatever several of them share.
    Generic,
    Postgres,
    /// Spark and Databricks.
    Spark,
    Snowflake,
    BigQuery,
    MySql,
    SqlServer,
    DuckDb,
    Hive,
    Redshift,
    ClickHouse,
    Sqlite,
    Oracle,
}

impl Dialect {
    /// The dialect that a word means.
    pub fn from_word(word: &str) -> Option<Self> {
        Some(match word {
            "generic" | "ansi" => Self::Generic,
            "postgres" | "postgresql" => Self::Postgres,
            "spark" | "databricks" => Self::Spark,
            "snowflake" => Self::Snowflake,
            "bigquery" => Self::BigQuery,
            "mysql" => Self::MySql,
            "sqlserver" | "mssql" | "fabric" | "synapse" => Self::SqlServer,
            "duckdb" => Self::DuckDb,
            "hive" => Self::Hive,
            "redshift" => Self::Redshift,
            "clickhouse" => Self::ClickHouse,
            "sqlite" => Self::Sqlite,
            "oracle" => Self::Oracle,
            _ => return None,
        })
    }
}

impl Dialect {
    /// The dialects that exports are written in.
    pub const WRITTEN: [Self; 2] = [Self::Postgres, Self::Spark];

    /// The first of the words that mean it.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Generic => "generic",
            Self::Postgres => "postgres",
            Self::Spark => "spark",
            Self::Snowflake => "snowflake",
            Self::BigQuery => "bigquery",
            Self::MySql => "mysql",
            Self::SqlServer => "sqlserver",
            Self::DuckDb => "duckdb",
            Self::Hive => "hive",
            Self::Redshift => "redshift",
            Self::ClickHouse => "clickhouse",
            Self::Sqlite => "sqlite",
            Self::Oracle => "oracle",
        }
    }

    /// Whether exports can be written in it.
    ///
    /// # Errors
    /// A sentence that names the dialects that can.
    pub fn check_written(self) -> Result<(), String> {
        if Self::WRITTEN.contains(&self) {
            return Ok(());
        }
        let written: Vec<_> = Self::WRITTEN.iter().map(|dialect| format!("`{}`", dialect.as_str())).collect();
        Err(format!("SQL is not written in the dialect `{}`, only in {}", self.as_str(), written.join(" and ")))
    }
}

/// What a source does not say about the contract that is made of it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ImportOptions {
    /// The document's `id`.
    pub id: String,
    pub name: Option<String>,
    pub version: String,
    /// Of a source with one table: what to call it. Of one with several: which to take; all of them if not given.
    pub object: Option<String>,
}

/// A contract made of a foreign schema.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Converted {
    /// The ODCS document, a draft. [`parse`] accepts it.
    pub text: String,
    /// What of the source it does not hold, by the place in the source.
    pub notes: Vec<Note>,
}

/// A foreign schema made of a contract.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Exported {
    pub text: String,
    /// What of the document it does not hold. With [`text`](Self::text) this is all that the document says of the
    /// exported objects.
    pub lost: Vec<Note>,
    /// What it says in another way: names that the target does not allow, types that it has none for.
    pub changed: Vec<Note>,
    /// What its author should look at in the document; publishing may refuse it.
    pub warnings: Vec<Problem>,
}

/// A remark on a place of a document or schema.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Note {
    /// The place: a JSON pointer (RFC 6901), or dotted names in Protobuf and SQL.
    pub path: String,
    /// The line of the source, from 1, where that says more than the path.
    pub line: Option<u64>,
    /// What is to be said about it, for people; of something lost, its value.
    pub what: String,
}

/// A foreign schema, with what it refers to.
#[derive(Clone, Copy, Debug)]
pub struct Foreign<'a> {
    pub source: Source,
    /// Its text. Of Protobuf, base64 of a `FileDescriptorProto` will do, as registries take it.
    pub text: &'a str,
    /// The texts that a message schema refers to, by the names under which it does.
    pub references: &'a References,
}
