//! DuckDB, <https://duckdb.org/docs/stable/sql/data_types/overview>. Lengths of texts have no effect there.

use super::rows::{Kind, Table};

pub(super) const TABLE: Table = Table {
    longest_text: 0,
    ignores_case: true,
    has_unsigned: false,
    rows: &[
        (&["BOOLEAN", "BOOL", "LOGICAL"], Kind::Boolean),
        (&["TINYINT", "INT1"], Kind::Int(8)),
        (&["SMALLINT", "INT2", "SHORT", "INT16"], Kind::Int(16)),
        (&["INTEGER", "INT4", "INT", "SIGNED", "INT32"], Kind::Int(32)),
        (&["BIGINT", "INT8", "LONG", "INT64"], Kind::Int(64)),
        (&["HUGEINT", "INT128"], Kind::Int(128)),
        (&["UTINYINT", "UINT8"], Kind::Uint(8)),
        (&["USMALLINT", "UINT16"], Kind::Uint(16)),
        (&["UINTEGER", "UINT32"], Kind::Uint(32)),
        (&["UBIGINT", "UINT64"], Kind::Uint(64)),
        (&["UHUGEINT", "UINT128"], Kind::Uint(128)),
        (&["BIGNUM", "VARINT"], Kind::Decimal(None)),
        (&["FLOAT", "FLOAT4", "REAL"], Kind::Float(32)),
        (&["DOUBLE", "FLOAT8", "DOUBLE PRECISION"], Kind::Float(64)),
        (&["DECIMAL", "NUMERIC", "DEC"], Kind::Decimal(Some((18, 3)))),
        (&["VARCHAR", "CHAR", "BPCHAR", "TEXT", "STRING", "NVARCHAR", "CHARACTER VARYING", "JSON"], Kind::AnyText),
        (&["BIT", "BITSTRING", "ENUM"], Kind::AnyText),
        (&["UUID"], Kind::Uuid),
        (&["BLOB", "BYTEA", "BINARY", "VARBINARY"], Kind::Binary),
        (&["DATE"], Kind::Date),
        (&["TIME", "TIME WITHOUT TIME ZONE", "TIMETZ", "TIME WITH TIME ZONE"], Kind::Time),
        (
            &[
                "TIMESTAMP",
                "DATETIME",
                "TIMESTAMP WITHOUT TIME ZONE",
                "TIMESTAMP_S",
                "TIMESTAMP_MS",
                "TIMESTAMP_US",
                "TIMESTAMP_NS",
            ],
            Kind::Timestamp(false),
        ),
        (&["TIMESTAMPTZ", "TIMESTAMP WITH TIME ZONE"], Kind::Timestamp(true)),
        (&["STRUCT", "ROW"], Kind::Struct),
        (&["LIST"], Kind::List),
        (&["MAP"], Kind::Map),
        (&["INTERVAL", "UNION", "GEOMETRY", "VARIANT"], Kind::Opaque),
    ],
};
