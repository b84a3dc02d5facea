//! BigQuery, <https://cloud.google.com/bigquery/docs/reference/standard-sql/data-types>.

use super::rows::{Kind, Parts, Table};

pub(super) const TABLE: Table = Table {
    longest_text: 9_223_372_036_854_775_807,
    ignores_case: true,
    has_unsigned: false,
    parts: Parts::AngledWithoutMaps { any: "JSON" },
    rows: &[
        (&["BOOL", "BOOLEAN"], Kind::Boolean),
        (&["INT64", "INT", "SMALLINT", "INTEGER", "BIGINT", "TINYINT", "BYTEINT"], Kind::Int(64)),
        (&["FLOAT64", "FLOAT"], Kind::Float(64)),
        (&["NUMERIC", "DECIMAL"], Kind::Decimal(Some((38, 9)))),
        // Some 76 digits, 38 of them after the point.
        (&["BIGNUMERIC", "BIGDECIMAL"], Kind::Decimal(None)),
        (&["STRING"], Kind::Text(None)),
        (&["JSON"], Kind::AnyText),
        (&["BYTES"], Kind::Binary),
        (&["DATE"], Kind::Date),
        (&["TIME"], Kind::Time),
        (&["DATETIME"], Kind::Timestamp(false)),
        (&["TIMESTAMP"], Kind::Timestamp(true)),
        (&["STRUCT", "RECORD"], Kind::Struct),
        (&["ARRAY"], Kind::List),
        (&["GEOGRAPHY", "INTERVAL", "RANGE"], Kind::Opaque),
    ],
};

/// `NUMERIC` has 29 digits before the point and 9 after it.
pub(super) fn decimal(precision: u8, scale: i8) -> String {
    let after = u8::try_from(scale).unwrap_or(0);
    let name = if after > 9 || precision.saturating_sub(after) > 29 { "BIGNUMERIC" } else { "NUMERIC" };
    format!("{name}({precision},{after})")
}
