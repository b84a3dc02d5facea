//! The types of each SQL dialect, by its documentation: what a name means there, and the name for a meaning.
//!
//! A dialect is one table of rows. An import takes the row with the name. An export takes the first row with the
//! meaning and writes its first name, so the order of rows and names is the order of preference.

mod bigquery;
mod clickhouse;
mod duckdb;
mod mysql;
mod oracle;
mod parts;
mod postgres;
mod redshift;
mod rows;
mod snowflake;
mod spark;
mod sqlite;
mod sqlserver;

use domain::contract::types::TypeName;

pub(super) use self::parts::{Nesting, any, list, map, structure};
use self::rows::{Kind, Row, Table};
use super::types::Dialect;

/// What a type's name means.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Meaning {
    pub(super) name: TypeName,
    /// Text that is a UUID.
    pub(super) is_uuid: bool,
    /// A number that is never negative although its [`TypeName`] could be.
    pub(super) is_unsigned: bool,
}

impl From<TypeName> for Meaning {
    fn from(name: TypeName) -> Self {
        Self { name, is_uuid: false, is_unsigned: false }
    }
}

fn table(dialect: Dialect) -> Option<&'static Table> {
    Some(match dialect {
        Dialect::Generic => return None,
        Dialect::Postgres => &postgres::TABLE,
        Dialect::Spark => &spark::TABLE,
        Dialect::Hive => &spark::HIVE,
        Dialect::Snowflake => &snowflake::TABLE,
        Dialect::BigQuery => &bigquery::TABLE,
        Dialect::MySql => &mysql::TABLE,
        Dialect::SqlServer => &sqlserver::TABLE,
        Dialect::DuckDb => &duckdb::TABLE,
        Dialect::Redshift => &redshift::TABLE,
        Dialect::ClickHouse => &clickhouse::TABLE,
        Dialect::Sqlite => &sqlite::TABLE,
        Dialect::Oracle => &oracle::TABLE,
    })
}

/// What a type's name means in a dialect; `None` if it has no logical type there.
pub(super) fn read(dialect: Dialect, text: &str) -> Option<Meaning> {
    let text = if dialect == Dialect::ClickHouse { clickhouse::inner(text) } else { text };
    let Some(table) = table(dialect) else {
        let is_uuid = ["uuid", "uniqueidentifier"].contains(&text.trim().to_ascii_lowercase().as_str());
        return TypeName::parse(text).map(|name| Meaning { is_uuid, ..name.into() });
    };
    let spelling = Spelling::of(text, table);
    if spelling.is_list {
        return Some(TypeName::List.into());
    }
    match row(table, &spelling.name) {
        Some((_, kind)) => kind.read(&spelling),
        None if dialect == Dialect::Sqlite => Some(sqlite::affinity(&spelling.name).into()),
        None => None,
    }
}

/// Whether a dialect has the type, with or without a logical type.
pub(super) fn knows(dialect: Dialect, text: &str) -> bool {
    match table(dialect) {
        Some(table) => row(table, &Spelling::of(text, table).name).is_some(),
        None => TypeName::parse(text).is_some(),
    }
}

/// The dialect's name for a meaning, with its arguments.
pub(super) fn write(dialect: Dialect, wanted: &Meaning) -> Option<String> {
    let table = table(dialect)?;
    if let (Dialect::BigQuery, TypeName::Decimal { size: Some((precision, scale)) }) = (dialect, &wanted.name) {
        return Some(bigquery::decimal(*precision, *scale));
    }
    table.rows.iter().find_map(|(names, kind)| kind.write(names.first()?, wanted, table.longest_text))
}

/// Whether names of types may be written with letters of any case.
pub(super) fn ignores_case(dialect: Dialect) -> bool {
    table(dialect).is_none_or(|table| table.ignores_case)
}

/// Whether a word goes on with a type's name of several words: `precision` after `double`.
pub(super) fn continues(dialect: Dialect, name: &str, word: &str) -> bool {
    const STANDARD: [&str; 6] = [
        "double precision",
        "character varying",
        "char varying",
        "national character varying",
        "bit varying",
        "binary large object",
    ];
    let begins = |known: &&str| {
        let known = known.to_ascii_lowercase();
        let rest = known.strip_prefix(&name.to_ascii_lowercase()).and_then(|rest| rest.strip_prefix(' '));
        rest.is_some_and(|rest| rest.split(' ').next() == Some(&word.to_ascii_lowercase()))
    };
    match table(dialect) {
        Some(table) => table.rows.iter().flat_map(|(names, _)| names.iter()).any(begins),
        None => STANDARD.iter().any(begins),
    }
}

/// Whether a word marks numbers in a dialect: `UNSIGNED` and its like.
pub(super) fn is_sign(dialect: Dialect, word: &str) -> bool {
    table(dialect).is_none_or(|table| table.has_unsigned) && SIGNS.iter().any(|sign| sign.eq_ignore_ascii_case(word))
}

const SIGNS: [&str; 3] = ["unsigned", "signed", "zerofill"];

fn row(table: &'static Table, name: &str) -> Option<&'static Row> {
    table.rows.iter().find(|(names, _)| names.iter().any(|known| known.eq_ignore_ascii_case(name)))
}

/// A type's name in its parts.
struct Spelling {
    /// The words, with single spaces between them.
    name: String,
    arguments: Vec<String>,
    is_unsigned: bool,
    /// Whether it ends with square brackets, as `int[]`.
    is_list: bool,
}

impl Spelling {
    fn of(text: &str, table: &Table) -> Self {
        let text = text.trim();
        let is_list = text.ends_with(']') && !text.starts_with('[');
        let plain = text.replace(['"', '`'], "");
        let plain = if text.starts_with('[') { plain.replace(['[', ']'], "") } else { plain };
        let open = plain.find(['(', '[', '<']).unwrap_or(plain.len());
        let (base, rest) = plain.split_at(open);
        let (arguments, suffix) = rest.rsplit_once([')', ']', '>']).unwrap_or((rest, ""));
        let arguments = arguments.trim_start_matches(['(', '[', '<']).split(',');
        // The words after the arguments belong to the name: `timestamp(6) with time zone`.
        let words: Vec<_> = base.split_whitespace().chain(suffix.split_whitespace()).collect();
        let is_sign = |word: &&str| table.has_unsigned && SIGNS.iter().any(|sign| sign.eq_ignore_ascii_case(word));
        let whole = words.join(" ");
        // A sign alone is a type's name of its own in some dialects.
        let is_whole_name = table.rows.iter().any(|(names, _)| names.iter().any(|it| it.eq_ignore_ascii_case(&whole)));
        let name = if is_whole_name {
            whole
        } else {
            let kept: Vec<_> = words.iter().copied().filter(|word| !is_sign(word)).collect();
            kept.join(" ")
        };
        Self {
            is_unsigned: table.has_unsigned
                && !is_whole_name
                && words
                    .iter()
                    .any(|word| word.eq_ignore_ascii_case("unsigned") || word.eq_ignore_ascii_case("zerofill")),
            name,
            arguments: arguments.map(|argument| argument.trim().to_owned()).filter(|it| !it.is_empty()).collect(),
            is_list,
        }
    }

    /// A numeric argument. Oracle's `varchar2(10 char)` says what it counts.
    fn number(&self, index: usize) -> Option<u64> {
        self.arguments.get(index)?.split_whitespace().next()?.parse().ok()
    }
}

impl Kind {
    fn read(self, spelling: &Spelling) -> Option<Meaning> {
        let first = spelling.number(0);
        let bits = |bits: u8, signed: bool| TypeName::Integer { bits, signed: signed && !spelling.is_unsigned };
        let name = match self {
            Self::Boolean => TypeName::Boolean,
            Self::Int(width) => bits(width, true),
            Self::Uint(width) => bits(width, false),
            Self::Float(bits) => TypeName::Float { bits },
            Self::FloatTo(digits, bare) => {
                TypeName::Float { bits: first.map_or(bare, |given| if given <= digits { 32 } else { 64 }) }
            }
            Self::Decimal(bare) => {
                let precision = match (spelling.arguments.first().map(String::as_str), first) {
                    // Oracle's `NUMBER(*, 2)`: as many digits as there are.
                    (Some("*"), _) => spelling.arguments.get(1).map(|_| 38),
                    (_, first) => first,
                };
                let precision = precision.and_then(|precision| u8::try_from(precision).ok());
                let scale = spelling.arguments.get(1).and_then(|scale| scale.parse::<i8>().ok()).unwrap_or(0);
                let size = precision.map(|precision| (precision, scale)).or(bare);
                if size == Some((38, 0)) && spelling.arguments.first().is_some_and(|it| it == "*") {
                    bits(128, true)
                } else {
                    TypeName::Decimal { size }
                }
            }
            Self::DecimalOf(precision) => {
                TypeName::Decimal { size: Some((precision, first.and_then(|it| i8::try_from(it).ok()).unwrap_or(0))) }
            }
            Self::Text(bare) => {
                let length = if spelling.arguments.is_empty() { bare } else { first };
                TypeName::String { length }
            }
            Self::AnyText | Self::Uuid => TypeName::String { length: None },
            Self::Bits if first.is_none_or(|bits| bits == 1) => TypeName::Boolean,
            Self::Binary | Self::Bits => TypeName::Binary,
            Self::Date => TypeName::Date,
            Self::Time => TypeName::Time,
            Self::Timestamp(zoned) => TypeName::Timestamp { zoned: Some(zoned) },
            Self::Struct => TypeName::Struct,
            Self::List => TypeName::List,
            Self::Map => TypeName::Map,
            Self::Opaque => return None,
        };
        let could_be_negative = matches!(name, TypeName::Float { .. } | TypeName::Decimal { .. });
        let is_uuid = matches!(self, Self::Uuid);
        Some(Meaning { name, is_uuid, is_unsigned: spelling.is_unsigned && could_be_negative })
    }

    /// The name with arguments, if this row has what is wanted.
    fn write(self, name: &str, wanted: &Meaning, longest_text: u64) -> Option<String> {
        let is_it = match (self, &wanted.name) {
            (Self::Uuid, TypeName::String { .. }) => wanted.is_uuid,
            (_, TypeName::String { .. }) if wanted.is_uuid => false,
            (Self::Decimal(_), TypeName::Decimal { size: Some((precision, scale)) }) => {
                return Some(format!("{name}({precision},{scale})"));
            }
            (Self::Text(_), TypeName::String { length: Some(length) }) => {
                return (1..=longest_text).contains(length).then(|| format!("{name}({length})"));
            }
            (Self::Text(None) | Self::AnyText, TypeName::String { length: None })
            | (Self::Boolean, TypeName::Boolean)
            | (Self::Binary, TypeName::Binary)
            | (Self::Date, TypeName::Date)
            | (Self::Time, TypeName::Time)
            | (Self::Decimal(None), TypeName::Decimal { size: None }) => true,
            (Self::Int(own), TypeName::Integer { bits, signed: true })
            | (Self::Uint(own), TypeName::Integer { bits, signed: false })
            | (Self::Float(own) | Self::FloatTo(_, own), TypeName::Float { bits }) => own == *bits,
            (Self::Timestamp(own), TypeName::Timestamp { zoned: Some(zoned) }) => own == *zoned,
            (
                Self::Boolean
                | Self::Int(_)
                | Self::Uint(_)
                | Self::Float(_)
                | Self::FloatTo(..)
                | Self::Decimal(_)
                | Self::DecimalOf(_)
                | Self::Text(_)
                | Self::AnyText
                | Self::Uuid
                | Self::Binary
                | Self::Bits
                | Self::Date
                | Self::Time
                | Self::Timestamp(_)
                | Self::Struct
                | Self::List
                | Self::Map
                | Self::Opaque,
                _,
            ) => false,
        };
        is_it.then(|| name.to_owned())
    }
}
