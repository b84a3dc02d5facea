//! Snowflake, <https://docs.snowflake.com/en/sql-reference/intro-summary-data-types>.

use super::rows::{Kind, Parts, Table};

pub(super) const TABLE: Table = Table {
    longest_text: 16_777_216,
    ignores_case: true,
    has_unsigned: false,
    parts: Parts::Bare { list: "ARRAY", map: "OBJECT", structure: "OBJECT" },
    rows: &[
        (&["BOOLEAN"], Kind::Boolean),
        // All of them are NUMBER(38,0).
        (&["INT", "INTEGER", "BIGINT", "SMALLINT", "TINYINT", "BYTEINT"], Kind::Int(128)),
        (&["NUMBER", "DECIMAL", "DEC", "NUMERIC"], Kind::Decimal(Some((38, 0)))),
        (&["FLOAT", "FLOAT4", "FLOAT8", "DOUBLE", "DOUBLE PRECISION", "REAL"], Kind::Float(64)),
        (
            &[
                "VARCHAR",
                "STRING",
                "TEXT",
                "CHAR VARYING",
                "CHARACTER VARYING",
                "NVARCHAR",
                "NVARCHAR2",
                "VARCHAR2",
                "NCHAR VARYING",
            ],
            Kind::Text(None),
        ),
        (&["CHAR", "CHARACTER", "NCHAR"], Kind::Text(Some(1))),
        (&["UUID"], Kind::Uuid),
        (&["BINARY", "VARBINARY"], Kind::Binary),
        (&["DATE"], Kind::Date),
        (&["TIME"], Kind::Time),
        // By default of TIMESTAMP_TYPE_MAPPING.
        (
            &["TIMESTAMP_NTZ", "TIMESTAMP", "TIMESTAMPNTZ", "DATETIME", "TIMESTAMP WITHOUT TIME ZONE"],
            Kind::Timestamp(false),
        ),
        (
            &[
                "TIMESTAMP_TZ",
                "TIMESTAMPTZ",
                "TIMESTAMP WITH TIME ZONE",
                "TIMESTAMP_LTZ",
                "TIMESTAMPLTZ",
                "TIMESTAMP WITH LOCAL TIME ZONE",
            ],
            Kind::Timestamp(true),
        ),
        (&["OBJECT"], Kind::Struct),
        (&["ARRAY"], Kind::List),
        (&["MAP"], Kind::Map),
        (&["VARIANT", "DECFLOAT", "GEOGRAPHY", "GEOMETRY", "VECTOR", "FILE", "INTERVAL"], Kind::Opaque),
    ],
};
