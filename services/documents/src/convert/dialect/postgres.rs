//! PostgreSQL, <https://www.postgresql.org/docs/current/datatype.html>.

use super::rows::{Kind, Parts, Table};

pub(super) const TABLE: Table = Table {
    // `varchar(n)`, section 8.3.
    longest_text: 10_485_760,
    ignores_case: true,
    has_unsigned: false,
    parts: Parts::Flat { any: "jsonb" },
    rows: &[
        (&["boolean", "bool"], Kind::Boolean),
        (&["smallint", "int2", "smallserial", "serial2"], Kind::Int(16)),
        (&["integer", "int", "int4", "serial", "serial4"], Kind::Int(32)),
        (&["bigint", "int8", "bigserial", "serial8"], Kind::Int(64)),
        (&["real", "float4"], Kind::Float(32)),
        (&["double precision", "float8"], Kind::Float(64)),
        (&["float"], Kind::FloatTo(24, 64)),
        (&["numeric", "decimal", "dec"], Kind::Decimal(None)),
        // Two digits after the point, by default of the locale.
        (&["money"], Kind::Decimal(Some((19, 2)))),
        (&["text", "citext", "name", "json", "jsonb", "jsonpath", "xml"], Kind::AnyText),
        (&["varchar", "character varying", "char varying"], Kind::Text(None)),
        (&["char", "character", "nchar", "national character"], Kind::Text(Some(1))),
        (&["bpchar", "national character varying"], Kind::Text(None)),
        // Texts of the digits 0 and 1.
        (&["bit"], Kind::Text(Some(1))),
        (&["bit varying", "varbit"], Kind::Text(None)),
        (&["inet", "cidr", "macaddr", "macaddr8", "tsvector", "tsquery", "ltree"], Kind::AnyText),
        (&["uuid"], Kind::Uuid),
        (&["bytea"], Kind::Binary),
        (&["date"], Kind::Date),
        (&["time", "time without time zone", "timetz", "time with time zone"], Kind::Time),
        (&["timestamptz", "timestamp with time zone"], Kind::Timestamp(true)),
        (&["timestamp without time zone", "timestamp"], Kind::Timestamp(false)),
        (
            &["interval", "point", "line", "lseg", "box", "path", "polygon", "circle", "hstore", "pg_lsn", "oid"],
            Kind::Opaque,
        ),
    ],
};
