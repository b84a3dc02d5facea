//! Spark and Databricks, <https://spark.apache.org/docs/latest/sql-ref-datatypes.html>, and Hive
//! (<https://hive.apache.org/docs/latest/language/languagemanual-types/>), whose moments have no zone.

use super::rows::{Kind, Parts, Row, Table};

pub(super) const TABLE: Table = Table {
    longest_text: 65_535,
    ignores_case: true,
    has_unsigned: false,
    parts: Parts::Angled { quote: '`', colon: "" },
    rows: SPARK,
};

pub(super) const HIVE: Table = Table {
    longest_text: 65_535,
    ignores_case: true,
    has_unsigned: false,
    parts: Parts::Angled { quote: '`', colon: ":" },
    rows: HIVE_ROWS,
};

const SPARK: &[Row] = &[
    (&["BOOLEAN"], Kind::Boolean),
    (&["TINYINT", "BYTE"], Kind::Int(8)),
    (&["SMALLINT", "SHORT"], Kind::Int(16)),
    (&["INT", "INTEGER"], Kind::Int(32)),
    (&["BIGINT", "LONG"], Kind::Int(64)),
    (&["FLOAT", "REAL"], Kind::Float(32)),
    (&["DOUBLE"], Kind::Float(64)),
    (&["DECIMAL", "DEC", "NUMERIC"], Kind::Decimal(Some((10, 0)))),
    (&["STRING"], Kind::AnyText),
    (&["VARCHAR", "CHAR", "CHARACTER"], Kind::Text(None)),
    (&["BINARY"], Kind::Binary),
    (&["DATE"], Kind::Date),
    // By default of `spark.sql.timestampType`.
    (&["TIMESTAMP", "TIMESTAMP_LTZ"], Kind::Timestamp(true)),
    (&["TIMESTAMP_NTZ"], Kind::Timestamp(false)),
    (&["STRUCT"], Kind::Struct),
    (&["ARRAY"], Kind::List),
    (&["MAP"], Kind::Map),
    (&["VARIANT", "INTERVAL", "VOID", "OBJECT", "GEOGRAPHY", "GEOMETRY"], Kind::Opaque),
];

const HIVE_ROWS: &[Row] = &[
    (&["BOOLEAN"], Kind::Boolean),
    (&["TINYINT"], Kind::Int(8)),
    (&["SMALLINT"], Kind::Int(16)),
    (&["INT", "INTEGER"], Kind::Int(32)),
    (&["BIGINT"], Kind::Int(64)),
    (&["FLOAT"], Kind::Float(32)),
    (&["DOUBLE", "DOUBLE PRECISION"], Kind::Float(64)),
    (&["DECIMAL", "NUMERIC"], Kind::Decimal(Some((10, 0)))),
    (&["STRING"], Kind::AnyText),
    (&["VARCHAR", "CHAR"], Kind::Text(None)),
    (&["BINARY"], Kind::Binary),
    (&["DATE"], Kind::Date),
    (&["TIMESTAMP"], Kind::Timestamp(false)),
    (&["TIMESTAMP WITH LOCAL TIME ZONE"], Kind::Timestamp(true)),
    (&["STRUCT"], Kind::Struct),
    (&["ARRAY"], Kind::List),
    (&["MAP"], Kind::Map),
    (&["INTERVAL", "UNIONTYPE"], Kind::Opaque),
];
