//! MySQL, <https://dev.mysql.com/doc/refman/8.4/en/data-types.html>, with the names of other vendors (section 13.9).

use super::rows::{Kind, Parts, Table};

pub(super) const TABLE: Table = Table {
    // The most characters of four bytes each in a row of 65,535 bytes.
    longest_text: 16_383,
    ignores_case: true,
    has_unsigned: true,
    parts: Parts::Bare { list: "json", map: "json", structure: "json" },
    rows: &[
        (&["boolean", "bool"], Kind::Boolean),
        (&["tinyint", "int1"], Kind::Int(8)),
        (&["smallint", "int2"], Kind::Int(16)),
        (&["int", "integer", "int4", "mediumint", "int3", "middleint"], Kind::Int(32)),
        (&["bigint", "int8"], Kind::Int(64)),
        (&["serial"], Kind::Uint(64)),
        // 1901 to 2155.
        (&["year"], Kind::Int(16)),
        (&["float"], Kind::FloatTo(24, 32)),
        (&["float4"], Kind::Float(32)),
        (&["double", "double precision", "real", "float8"], Kind::Float(64)),
        (&["decimal", "dec", "numeric", "fixed"], Kind::Decimal(Some((10, 0)))),
        // Before `varchar`, which needs a length.
        (&["longtext", "mediumtext", "text", "tinytext", "long", "long varchar", "json", "set"], Kind::AnyText),
        (
            &["varchar", "varcharacter", "character varying", "char varying", "nvarchar", "national varchar"],
            Kind::Text(None),
        ),
        (&["char", "character", "nchar", "national char", "national character"], Kind::Text(Some(1))),
        (&["enum"], Kind::AnyText),
        (&["longblob", "mediumblob", "blob", "tinyblob", "varbinary", "binary", "long varbinary"], Kind::Binary),
        (&["bit"], Kind::Bits),
        (&["date"], Kind::Date),
        (&["time"], Kind::Time),
        (&["datetime"], Kind::Timestamp(false)),
        // Stored in UTC, shown in the session's zone.
        (&["timestamp"], Kind::Timestamp(true)),
        (
            &["geometry", "point", "linestring", "polygon", "multipoint", "multilinestring", "multipolygon", "vector"],
            Kind::Opaque,
        ),
    ],
};
