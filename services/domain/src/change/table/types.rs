//! How types of single values may change, format by format.

use std::fmt;

use super::{Delta, Mode, Primitive};

/// Whether the format stores both alike, so that it cannot tell them apart.
pub(super) fn are_same(old: &Primitive, new: &Primitive, mode: Mode) -> bool {
    match mode {
        Mode::IcebergV2 | Mode::IcebergV3 => iceberg(old) == iceberg(new),
        Mode::FlinkSql => flink(old) == flink(new),
        Mode::Delta(_) => delta(old) == delta(new),
    }
}

/// Whether the format reads values of the old type as values of the new one, losing nothing.
pub(super) fn widens(old: &Primitive, new: &Primitive, mode: Mode) -> bool {
    match mode {
        // Iceberg's own library has no date to timestamp, which version 3 of the format names: no reader does it yet.
        Mode::IcebergV2 | Mode::IcebergV3 => iceberg_promotes(&iceberg(old), &iceberg(new)),
        Mode::FlinkSql => flink_widens(&flink(old), &flink(new)),
        Mode::Delta(Delta { type_widening, .. }) => {
            let (old, new) = (delta(old), delta(new));
            lengthens(&old, &new) || (type_widening && delta_widens(&old, &new))
        }
    }
}

/// A type as Iceberg stores it: no small integers, no lengths of texts, times in microseconds (timestamps beyond that
/// in nanoseconds).
fn iceberg(data_type: &Primitive) -> Primitive {
    use Primitive::{
        Binary, Boolean, Char, Date, Decimal, Enum, Fixed, Float, Integer, Other, String, Time, Timestamp, Unknown,
        Uuid, Variant,
    };
    match data_type {
        Integer { bits: ..32 } => Integer { bits: 32 },
        String { .. } | Char { .. } | Enum { .. } => String { length: None },
        Binary { .. } => Binary { length: None },
        Time { .. } => Time { precision: 6 },
        Timestamp { precision, zoned } => Timestamp { precision: if *precision > 6 { 9 } else { 6 }, zoned: *zoned },
        Boolean
        | Integer { .. }
        | Float { .. }
        | Decimal { .. }
        | Fixed { .. }
        | Date
        | Uuid
        | Variant
        | Unknown
        | Other(_) => data_type.clone(),
    }
}

fn iceberg_promotes(old: &Primitive, new: &Primitive) -> bool {
    use Primitive::{Decimal, Float, Integer};
    match (old, new) {
        (Integer { bits: a }, Integer { bits: b }) | (Float { bits: a }, Float { bits: b }) => a < b,
        (Decimal { precision: p, scale: s }, Decimal { precision: q, scale: t }) => p < q && s == t,
        _ => false,
    }
}

/// A type as Flink has it: an enumeration is text.
fn flink(data_type: &Primitive) -> Primitive {
    use Primitive::{
        Binary, Boolean, Char, Date, Decimal, Enum, Fixed, Float, Integer, Other, String, Time, Timestamp, Unknown,
        Uuid, Variant,
    };
    match data_type {
        Enum { .. } => String { length: None },
        Boolean
        | Integer { .. }
        | Float { .. }
        | Decimal { .. }
        | String { .. }
        | Char { .. }
        | Binary { .. }
        | Fixed { .. }
        | Date
        | Time { .. }
        | Timestamp { .. }
        | Uuid
        | Variant
        | Unknown
        | Other(_) => data_type.clone(),
    }
}

fn flink_widens(old: &Primitive, new: &Primitive) -> bool {
    use Primitive::{Decimal, Float, Integer};
    match (old, new) {
        (Integer { bits: a }, Integer { bits: b }) | (Float { bits: a }, Float { bits: b }) => a < b,
        // As many bits as the significand holds: 24 and 53.
        (Integer { bits: ..=16 }, Float { .. }) | (Integer { bits: ..=32 }, Float { bits: 64 }) => true,
        (Integer { bits }, Decimal { precision, scale }) => whole_digits(*precision, *scale) >= digits_of(*bits),
        (Decimal { precision: p, scale: s }, Decimal { precision: q, scale: t }) => p < q && s == t,
        _ => lengthens(old, new),
    }
}

/// Whether a text or bytes are bound to a greater length, or to none. What has one length keeps it, for it is padded.
fn lengthens(old: &Primitive, new: &Primitive) -> bool {
    use Primitive::{Binary, Char, Fixed, String};
    match (old, new) {
        (Char { length: old } | String { length: Some(old) }, String { length: new })
        | (Fixed { length: old } | Binary { length: Some(old) }, Binary { length: new }) => {
            new.is_none_or(|new| *old <= new)
        }
        _ => false,
    }
}

/// A type as Delta stores it: no lengths of bytes, and times in microseconds.
fn delta(data_type: &Primitive) -> Primitive {
    use Primitive::{
        Binary, Boolean, Char, Date, Decimal, Enum, Fixed, Float, Integer, Other, String, Time, Timestamp, Unknown,
        Uuid, Variant,
    };
    match data_type {
        Timestamp { zoned, .. } => Timestamp { precision: 6, zoned: *zoned },
        Enum { .. } => String { length: None },
        Fixed { .. } | Binary { .. } => Binary { length: None },
        Boolean
        | Integer { .. }
        | Float { .. }
        | Decimal { .. }
        | String { .. }
        | Char { .. }
        | Date
        | Time { .. }
        | Uuid
        | Variant
        | Unknown
        | Other(_) => data_type.clone(),
    }
}

fn delta_widens(old: &Primitive, new: &Primitive) -> bool {
    use Primitive::{Date, Decimal, Float, Integer, Timestamp};
    match (old, new) {
        (Integer { bits: a }, Integer { bits: b }) | (Float { bits: a }, Float { bits: b }) => a < b,
        (Integer { bits: ..=32 }, Float { bits: 64 }) => true,
        (Integer { bits }, Decimal { precision, scale }) => {
            *scale >= 0 && whole_digits(*precision, *scale) >= if *bits <= 32 { 10 } else { 20 }
        }
        (Decimal { precision: p, scale: s }, Decimal { precision: q, scale: t }) => {
            t >= s && whole_digits(*q, *t) >= whole_digits(*p, *s)
        }
        (Date, Timestamp { zoned: false, .. }) => true,
        _ => false,
    }
}

/// The digits before the point.
fn whole_digits(precision: u32, scale: i32) -> i64 {
    i64::from(precision) - i64::from(scale)
}

/// The most digits that an integer has.
fn digits_of(bits: u8) -> i64 {
    match bits {
        ..=8 => 3,
        9..=16 => 5,
        17..=32 => 10,
        33.. => 19,
    }
}

/// As its formats write it.
impl fmt::Display for Primitive {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Boolean => f.write_str("boolean"),
            Self::Integer { bits: 8 } => f.write_str("byte"),
            Self::Integer { bits: 16 } => f.write_str("short"),
            Self::Integer { bits: 32 } => f.write_str("int"),
            Self::Integer { .. } => f.write_str("long"),
            Self::Float { bits: 32 } => f.write_str("float"),
            Self::Float { .. } => f.write_str("double"),
            Self::Decimal { precision, scale } => write!(f, "decimal({precision},{scale})"),
            Self::String { length: None } => f.write_str("string"),
            Self::String { length: Some(length) } => write!(f, "varchar({length})"),
            Self::Char { length } => write!(f, "char({length})"),
            Self::Binary { length: None } => f.write_str("binary"),
            Self::Binary { length: Some(length) } => write!(f, "varbinary({length})"),
            Self::Fixed { length } => write!(f, "fixed({length})"),
            Self::Enum { symbols } => write!(f, "an enumeration of {}", symbols.len()),
            Self::Date => f.write_str("date"),
            Self::Time { precision } => write!(f, "time({precision})"),
            Self::Timestamp { precision, zoned: false } => write!(f, "timestamp({precision})"),
            Self::Timestamp { precision, zoned: true } => write!(f, "timestamptz({precision})"),
            Self::Uuid => f.write_str("uuid"),
            Self::Variant => f.write_str("variant"),
            Self::Unknown => f.write_str("unknown"),
            Self::Other(word) => write!(f, "`{word}`"),
        }
    }
}
