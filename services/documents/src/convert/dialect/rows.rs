//! What a dialect's table of types is made of.

/// The types of a dialect.
pub(super) struct Table {
    pub(super) rows: &'static [Row],
    /// The greatest length that a type of text takes as its argument.
    pub(super) longest_text: u64,
    /// Whether the letters of a name may be of any case.
    pub(super) ignores_case: bool,
    /// Whether numbers can be `UNSIGNED`.
    pub(super) has_unsigned: bool,
    pub(super) parts: Parts,
}

/// How a dialect writes types that have parts.
#[derive(Clone, Copy)]
pub(super) enum Parts {
    /// `ARRAY<t>`, `MAP<k, v>`, `STRUCT<n t>`, with these around a name and these after it.
    Angled { quote: char, colon: &'static str },
    /// `ARRAY<t>` of what is no list, and `STRUCT<n t>`; anything else is this type.
    AngledWithoutMaps { any: &'static str },
    /// `t[]` of what has no parts; anything else is this type.
    Flat { any: &'static str },
    /// `t[]`, `MAP(k, v)`, `STRUCT(n t)`.
    Suffixed { any: &'static str },
    /// `Array(t)`, `Map(k, v)`, `Tuple(n t)`.
    Called { any: &'static str },
    /// Lists, maps and structs whose parts no type names.
    Bare { list: &'static str, map: &'static str, structure: &'static str },
}

/// Names of one type, and what they mean.
pub(super) type Row = (&'static [&'static str], Kind);

/// What the names of a row mean.
#[derive(Clone, Copy)]
pub(super) enum Kind {
    Boolean,
    /// A whole number of so many bits.
    Int(u8),
    /// The same, and never negative.
    Uint(u8),
    /// A binary floating-point number of so many bits.
    Float(u8),
    /// 32 bits up to so many binary digits, 64 beyond; without an argument the second.
    FloatTo(u64, u8),
    /// Digits in all and after the point, by the arguments, else these; `None` admits any.
    Decimal(Option<(u8, i8)>),
    /// A decimal of so many digits; the argument says how many are after the point.
    DecimalOf(u8),
    /// Text of at most as many characters as the argument says, else of these; `None` admits any.
    Text(Option<u64>),
    /// Text whose arguments promise nothing.
    AnyText,
    Uuid,
    Binary,
    /// One bit is true or false; several are bytes.
    Bits,
    Date,
    Time,
    /// A moment, with or without a time zone.
    Timestamp(bool),
    Struct,
    List,
    Map,
    /// A type that contracts have no word for.
    Opaque,
}
