//! SQL Server, <https://learn.microsoft.com/en-us/sql/t-sql/data-types/data-types-transact-sql>.

use super::rows::{Kind, Parts, Table};

pub(super) const TABLE: Table = Table {
    longest_text: 4_000,
    ignores_case: true,
    has_unsigned: false,
    parts: Parts::Bare { list: "nvarchar(max)", map: "nvarchar(max)", structure: "nvarchar(max)" },
    rows: &[
        (&["bit"], Kind::Boolean),
        (&["tinyint"], Kind::Uint(8)),
        (&["smallint"], Kind::Int(16)),
        (&["int", "integer"], Kind::Int(32)),
        (&["bigint"], Kind::Int(64)),
        (&["real"], Kind::Float(32)),
        (&["float"], Kind::FloatTo(24, 64)),
        (&["double precision"], Kind::Float(64)),
        (&["decimal", "dec", "numeric"], Kind::Decimal(Some((18, 0)))),
        (&["money"], Kind::Decimal(Some((19, 4)))),
        (&["smallmoney"], Kind::Decimal(Some((10, 4)))),
        (
            &[
                "nvarchar",
                "varchar",
                "char varying",
                "character varying",
                "national char varying",
                "national character varying",
            ],
            Kind::Text(Some(1)),
        ),
        (&["nchar", "char", "character", "national char", "national character"], Kind::Text(Some(1))),
        (&["sysname"], Kind::Text(Some(128))),
        (&["nvarchar(max)", "ntext", "text", "national text", "xml", "json"], Kind::AnyText),
        (&["uniqueidentifier"], Kind::Uuid),
        (&["varbinary(max)", "varbinary", "binary", "binary varying", "image"], Kind::Binary),
        // A counter of changes, and no moment.
        (&["rowversion", "timestamp"], Kind::Binary),
        (&["date"], Kind::Date),
        (&["time"], Kind::Time),
        (&["datetime2", "datetime", "smalldatetime"], Kind::Timestamp(false)),
        (&["datetimeoffset"], Kind::Timestamp(true)),
        (&["sql_variant", "hierarchyid", "geometry", "geography", "vector"], Kind::Opaque),
    ],
};
