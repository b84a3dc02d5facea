//! Amazon Redshift, <https://docs.aws.amazon.com/redshift/latest/dg/c_Supported_data_types.html>. Lengths of texts are
//! in bytes, so they bound the characters as well.

use super::rows::{Kind, Parts, Table};

pub(super) const TABLE: Table = Table {
    longest_text: 65_535,
    ignores_case: true,
    has_unsigned: false,
    parts: Parts::Bare { list: "super", map: "super", structure: "super" },
    rows: &[
        (&["boolean", "bool"], Kind::Boolean),
        (&["smallint", "int2"], Kind::Int(16)),
        (&["integer", "int", "int4"], Kind::Int(32)),
        (&["bigint", "int8"], Kind::Int(64)),
        (&["real", "float4"], Kind::Float(32)),
        (&["double precision", "float8"], Kind::Float(64)),
        (&["float"], Kind::FloatTo(24, 64)),
        (&["decimal", "numeric"], Kind::Decimal(Some((18, 0)))),
        (&["varchar", "character varying", "nvarchar", "national character varying"], Kind::Text(Some(256))),
        (&["text"], Kind::Text(Some(256))),
        (&["varchar(max)"], Kind::AnyText),
        (&["char", "character", "nchar", "national character"], Kind::Text(Some(1))),
        (&["bpchar"], Kind::Text(Some(256))),
        (&["varbyte", "varbinary", "binary varying"], Kind::Binary),
        (&["date"], Kind::Date),
        (&["time", "time without time zone", "timetz", "time with time zone"], Kind::Time),
        (&["timestamp", "timestamp without time zone"], Kind::Timestamp(false)),
        (&["timestamptz", "timestamp with time zone"], Kind::Timestamp(true)),
        (&["super", "hllsketch", "geometry", "geography", "interval"], Kind::Opaque),
    ],
};
