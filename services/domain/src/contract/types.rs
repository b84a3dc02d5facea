//! Physical type names, as Delta, Spark and SQL dialects write them, in any case (`docs/rules.md`, "Data rules").

use crate::table::PhysicalType;

/// What a physical type name means.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum TypeName {
    /// True or false.
    Boolean,
    /// A whole number.
    Integer {
        /// 8, 16, 32 or 64.
        bits: u8,
        /// Whether it can be negative.
        signed: bool,
    },
    /// A binary floating-point number.
    Float {
        /// 16, 32 or 64.
        bits: u8,
    },
    /// An exact decimal number.
    Decimal {
        /// Digits in all and after the point; `None` admits any.
        size: Option<(u8, i8)>,
    },
    /// Text.
    String {
        /// The greatest number of characters, where the name says.
        length: Option<u64>,
    },
    /// Bytes.
    Binary,
    /// A calendar date.
    Date,
    /// A time of day.
    Time,
    /// A moment.
    Timestamp {
        /// Whether it carries a time zone; `None` where dialects disagree about the name.
        zoned: Option<bool>,
    },
    /// Named members.
    Struct,
    /// Elements of one type.
    List,
    /// Keys to values.
    Map,
}

impl TypeName {
    /// Reads a physical type name such as `BIGINT`, `decimal(10,2)`, `varchar[50]`, `timestamp_ntz`,
    /// `array<string>`; `None` if no dialect we know has it. `int8` is PostgreSQL's eight *bytes*.
    pub fn parse(text: &str) -> Option<Self> {
        let lower = text.trim().to_ascii_lowercase();
        let open = lower.find(['(', '[', '<']);
        let (base, rest) = open.map_or((lower.as_str(), ""), |at| lower.split_at(at));
        // `timestamp(6) with time zone`: the words after the arguments belong to the name.
        let (arguments, suffix) = rest.split_once([')', ']', '>']).unwrap_or((rest, ""));
        let suffix = if rest.starts_with('<') { "" } else { suffix.trim() };
        let arguments: Vec<u64> = arguments
            .trim_start_matches(['(', '['])
            .split(',')
            // Oracle's `varchar2(10 char)` says what it counts.
            .filter_map(|argument| argument.split_whitespace().next()?.parse().ok())
            .collect();
        let words: Vec<&str> = base.split_whitespace().chain(suffix.split_whitespace()).collect();
        let signed = |bits| Self::Integer { bits, signed: true };
        let unsigned = |bits| Self::Integer { bits, signed: false };
        Some(match words.join(" ").as_str() {
            "boolean" | "bool" => Self::Boolean,
            // Several bits are no truth value.
            "bit" if arguments.first().is_none_or(|bits| *bits == 1) => Self::Boolean,
            "tinyint" | "byte" => signed(8),
            "smallint" | "short" | "int16" | "int2" | "smallserial" => signed(16),
            "int" | "integer" | "int32" | "int4" | "serial" | "mediumint" => signed(32),
            "bigint" | "long" | "int64" | "int8" | "bigserial" => signed(64),
            "uint8" | "utinyint" | "tinyint unsigned" => unsigned(8),
            "uint16" | "usmallint" | "smallint unsigned" => unsigned(16),
            "uint32" | "uinteger" | "int unsigned" | "integer unsigned" => unsigned(32),
            "uint64" | "ubigint" | "bigint unsigned" => unsigned(64),
            "float16" | "half" => Self::Float { bits: 16 },
            "float" if arguments.len() == 1 && arguments[0] > 24 => Self::Float { bits: 64 },
            "float" | "real" | "float4" | "float32" | "binary_float" => Self::Float { bits: 32 },
            "double" | "double precision" | "float8" | "float64" | "binary_double" => Self::Float { bits: 64 },
            "decimal" | "numeric" | "dec" | "number" | "bignumeric" => Self::Decimal { size: decimal_size(&arguments) },
            "string" | "text" | "varchar" | "char" | "character" | "character varying" | "nvarchar" | "nchar"
            | "varchar2" | "nvarchar2" | "bpchar" | "clob" | "nclob" | "utf8" | "large_utf8" | "largeutf8"
            | "tinytext" | "mediumtext" | "longtext" | "ntext" | "citext" | "uuid" | "uniqueidentifier" | "enum"
            | "json" | "jsonb" | "xml" => Self::String { length: arguments.first().copied() },
            "binary" | "varbinary" | "bytea" | "blob" | "bytes" | "raw" | "image" | "fixed_len_byte_array" => {
                Self::Binary
            }
            "date" | "date32" => Self::Date,
            "time" | "time without time zone" | "time64" | "time32" => Self::Time,
            "timestamp" => Self::Timestamp { zoned: None },
            "timestamp_ntz" | "timestampntz" | "timestamp without time zone" | "datetime" | "datetime2" => {
                Self::Timestamp { zoned: Some(false) }
            }
            "timestamp_ltz"
            | "timestamp_tz"
            | "timestampltz"
            | "timestamptz"
            | "timestamp with time zone"
            | "timestamp with local time zone"
            | "datetimeoffset" => Self::Timestamp { zoned: Some(true) },
            "struct" | "record" | "row" | "object" => Self::Struct,
            "array" | "list" => Self::List,
            "map" => Self::Map,
            _ => return None,
        })
    }

    /// Whether a column of this physical type is what the name says.
    pub fn admits(&self, actual: &PhysicalType) -> bool {
        match (self, actual) {
            (Self::Boolean, PhysicalType::Boolean)
            | (Self::String { .. }, PhysicalType::String)
            | (Self::Binary, PhysicalType::Binary)
            | (Self::Date, PhysicalType::Date)
            | (Self::Time, PhysicalType::Time)
            | (Self::Struct, PhysicalType::Struct(_))
            | (Self::List, PhysicalType::List(_))
            | (Self::Map, PhysicalType::Map { .. }) => true,
            (Self::Integer { bits, signed }, PhysicalType::Integer { bits: found, signed: found_signed }) => {
                bits == found && signed == found_signed
            }
            (Self::Float { bits }, PhysicalType::Float { bits: found }) => bits == found,
            (Self::Decimal { size }, PhysicalType::Decimal { precision, scale }) => {
                size.is_none_or(|size| size == (*precision, *scale))
            }
            (Self::Timestamp { zoned }, PhysicalType::Timestamp { zoned: found }) => {
                zoned.is_none_or(|zoned| zoned == *found)
            }
            _ => false,
        }
    }
}

/// Precision and scale of `decimal(p)` and `decimal(p,s)`.
fn decimal_size(arguments: &[u64]) -> Option<(u8, i8)> {
    let precision = u8::try_from(*arguments.first()?).ok()?;
    let scale = i8::try_from(arguments.get(1).copied().unwrap_or(0)).ok()?;
    Some((precision, scale))
}
