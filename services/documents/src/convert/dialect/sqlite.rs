//! SQLite, <https://www.sqlite.org/datatype3.html>: any name is a type, and its letters say which values it prefers.

use domain::contract::types::TypeName;

use super::rows::{Kind, Parts, Table};

pub(super) const TABLE: Table = Table {
    longest_text: 1_000_000_000,
    ignores_case: true,
    has_unsigned: false,
    parts: Parts::Bare { list: "JSON", map: "JSON", structure: "JSON" },
    // The names of the documentation's table that by convention say more than their letters.
    rows: &[
        (&["INTEGER"], Kind::Int(64)),
        (&["REAL"], Kind::Float(64)),
        (&["TEXT"], Kind::AnyText),
        (&["BLOB"], Kind::Binary),
        (&["BOOLEAN", "BOOL"], Kind::Boolean),
        (&["DATE"], Kind::Date),
        (&["TIME"], Kind::Time),
        (&["DATETIME", "TIMESTAMP"], Kind::Timestamp(false)),
        (&["NUMERIC", "DECIMAL"], Kind::Decimal(None)),
        (&["UUID"], Kind::Uuid),
        (&["JSON"], Kind::AnyText),
    ],
};

/// The rules of section 3.1, in their order. Lengths promise nothing.
pub(super) fn affinity(name: &str) -> TypeName {
    let upper = name.to_ascii_uppercase();
    let has = |parts: &[&str]| parts.iter().any(|part| upper.contains(part));
    if has(&["INT"]) {
        TypeName::Integer { bits: 64, signed: true }
    } else if has(&["CHAR", "CLOB", "TEXT"]) {
        TypeName::String { length: None }
    } else if has(&["BLOB"]) {
        TypeName::Binary
    } else if has(&["REAL", "FLOA", "DOUB"]) {
        TypeName::Float { bits: 64 }
    } else {
        TypeName::Decimal { size: None }
    }
}
