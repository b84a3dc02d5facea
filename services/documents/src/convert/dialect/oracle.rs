//! Oracle Database, "Oracle Data Types" in the SQL Language Reference
//! (<https://docs.oracle.com/en/database/oracle/oracle-database/23/sqlrf/Data-Types.html>).

use super::rows::{Kind, Parts, Table};

pub(super) const TABLE: Table = Table {
    longest_text: 4_000,
    ignores_case: true,
    has_unsigned: false,
    parts: Parts::Bare { list: "CLOB", map: "CLOB", structure: "CLOB" },
    rows: &[
        (&["BOOLEAN", "BOOL"], Kind::Boolean),
        (&["NUMBER"], Kind::Decimal(None)),
        // Without arguments the scale is 0.
        (&["DECIMAL", "NUMERIC", "DEC"], Kind::Decimal(Some((38, 0)))),
        (&["INTEGER", "INT", "SMALLINT"], Kind::Int(128)),
        (&["BINARY_FLOAT"], Kind::Float(32)),
        (&["BINARY_DOUBLE"], Kind::Float(64)),
        // Of 126 and 63 binary digits: wider than 64 bits hold, and no other format is nearer.
        (&["FLOAT", "DOUBLE PRECISION", "REAL"], Kind::Float(64)),
        // Before `VARCHAR2`, which needs a length.
        (&["CLOB", "NCLOB", "LONG", "ROWID", "UROWID", "JSON", "XMLTYPE"], Kind::AnyText),
        (
            &[
                "VARCHAR2",
                "VARCHAR",
                "NVARCHAR2",
                "CHARACTER VARYING",
                "CHAR VARYING",
                "NCHAR VARYING",
                "NATIONAL CHAR VARYING",
                "NATIONAL CHARACTER VARYING",
            ],
            Kind::Text(None),
        ),
        (&["CHAR", "CHARACTER", "NCHAR", "NATIONAL CHAR", "NATIONAL CHARACTER"], Kind::Text(Some(1))),
        (&["BLOB", "RAW", "LONG RAW", "BFILE"], Kind::Binary),
        (&["TIMESTAMP"], Kind::Timestamp(false)),
        // It has hours, minutes and seconds, and is the nearest to a day.
        (&["DATE"], Kind::Timestamp(false)),
        (&["DATE"], Kind::Date),
        (&["TIMESTAMP WITH TIME ZONE", "TIMESTAMP WITH LOCAL TIME ZONE"], Kind::Timestamp(true)),
        (&["INTERVAL", "SDO_GEOMETRY", "VECTOR", "ANYDATA"], Kind::Opaque),
    ],
};
