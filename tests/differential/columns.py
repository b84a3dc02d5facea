"""Kinds of columns: their types in Parquet, Delta, DuckDB and ODCS, random values, and the conditions that rules put on
them."""

import datetime
import math
import string
import struct
from decimal import Decimal
from fractions import Fraction

import exact
import pyarrow as pa

TEXTS = [
    "",
    "a",
    "A",
    "b",
    "ab",
    "aa",
    " a",
    "a ",
    "0",
    "-0",
    "1.0",
    "NULL",
    "null",
    "NaN",
    "true",
    "ä",
    "a\u0308",
    "ß",
    "ſ",
    "K",
    "日本",
    "👩‍👩‍👧",
    "\u200b",
    "\ufeff",
    "\U0010ffff",
    "\u0000",
    "a\u0000b",
    "\n",
    "a\nb",
    "\t",
    "'",
    '"',
    "%",
    "_",
    "a%",
    "\\",
    "it's",
    "x" * 300,
    "é" * 40,
    "2020-01-01",
    "١",
    "a" * 33,
]
PATTERNS = [
    r".*",
    r"",
    r"^$",
    r"^.*$",
    r"^.+$",
    r"a",
    r"^a",
    r"a$",
    r"^[a-z]+$",
    r"^[^a]*$",
    r"\d",
    r"^\d+$",
    r"(a|b)+",
    r"^(a|)$",
    r"^.{1,2}$",
    r"^.{3}",
    r"x{10,}",
    r"\.",
    r"[\\']",
    r"%",
    r"^(?:ab?)*$",
    r"a.b",
    r"^\S*$",
    r"\p{Lu}",
    r"(?i)k",
    r"(?i)^A",
    r"(?s)^a.b$",
    r"^[ä-ü]",
    r"\x{200b}",
    r"^\p{Han}+$",
    r"(?m)^b$",
    r".*.*",
    r".+",
    r"(.*)",
    r".*?",
    r"^a*$",
    r"\z",
    r"\Aa",
]


class Kind:
    """One type. `stored` gives the SQL of the whole number that a value is stored as, where it is one."""

    name = delta = None
    options = {}
    physical = None
    has_bounds = has_list = has_multiples = has_texts = False

    def value(self, rng):
        raise NotImplementedError

    def odcs(self):
        """The fields of an ODCS property."""
        fields = {"logicalType": self.logical}
        if self.options:
            fields["logicalTypeOptions"] = dict(self.options)
        if self.physical:
            fields["physicalType"] = self.physical
        return fields

    def listed(self, expression, values):
        """Whether a value is one of a list."""
        conditions = [self.equal(expression, value) for value in values]
        return "(" + " OR ".join(conditions or ["FALSE"]) + ")"


class Boolean(Kind):
    name, delta, arrow, duck, logical, has_list = "boolean", "boolean", pa.bool_(), "BOOLEAN", "boolean", True

    def value(self, rng):
        return rng.random() < 0.5

    def rule_value(self, rng, _):
        return rng.random() < 0.5

    def equal(self, expression, value):
        return f"{expression} = {value}"


class Text(Kind):
    name, delta, duck, logical, has_list, has_texts = "string", "string", "VARCHAR", "string", True, True

    def __init__(self, arrow=pa.string()):
        self.arrow = arrow

    def value(self, rng):
        if rng.random() < 0.7:
            return rng.choice(TEXTS)
        return "".join(rng.choice(string.ascii_letters + "äß日👍 01") for _ in range(rng.randrange(12)))

    def rule_value(self, rng, values):
        # Control characters have no place in a document.
        text = rng.choice(values) if values and rng.random() < 0.8 else self.value(rng)
        return text.replace("\0", "") if text else text

    def equal(self, expression, value):
        return f"{expression} = {exact.text_literal(value)}"


class Binary(Kind):
    name, delta, arrow, duck, logical, physical = "binary", "binary", pa.binary(), "BLOB", "string", "binary"

    def value(self, rng):
        return rng.choice(
            [b"", b"\0", b"a", b"ab", b"\xff", bytes(rng.randrange(256) for _ in range(rng.randrange(6)))]
        )


class Numeric(Kind):
    has_bounds = has_list = has_multiples = True

    def rule_value(self, rng, values):
        """A number as it is written: often a value of the column, or one beside it."""
        chance = rng.random()
        known = [value for value in values if value is not None and self.is_finite(value)]
        if chance < 0.55 and known:
            return self.written(rng.choice(known))
        if chance < 0.7 and known:
            text = self.written(rng.choice(known))
            exponent = Decimal(text).as_tuple().exponent
            step = Decimal((rng.randrange(2), (1,), min(exponent, 0) - rng.choice([0, 1, 1, 5, 20])))
            return add(text, step)
        if chance < 0.85:
            return rng.choice(
                ["0", "-0.0", "1", "-1", "0.1", "0.5", "-0.5", "10", "100", "1e3", "2.5", "7", "127", "255"]
            )
        digits = "".join(rng.choice("0123456789") for _ in range(rng.choice([1, 5, 16, 19, 30, 38, 45])))
        places = rng.choice([0, 0, 1, 5, 20, 38])
        sign = rng.choice(["", "-"])
        # A document holds no number that a double has no room for.
        tail = rng.choice(["", "", "", "e5", "e-5", "e40", "e-60", "e260", "e-330", "e-400"])
        whole = digits.lstrip("0") or "0"
        text = f"{whole}.{'0' * (places // 2)}{digits[: places // 2 or 1]}" if places else whole
        return sign + text + tail

    def divisor(self, rng, values):
        while True:
            text = rng.choice(
                [
                    "1",
                    "2",
                    "3",
                    "5",
                    "7",
                    "10",
                    "100",
                    "0.1",
                    "0.01",
                    "0.5",
                    "0.25",
                    "1.5",
                    "0.3",
                    "0.07",
                    "1e3",
                    "2.50",
                    "1e-10",
                    "12",
                    "64",
                    "1000000",
                ]
            )
            if rng.random() < 0.3:
                text = self.rule_value(rng, values).lstrip("-")
            number = exact.fraction(text)
            if number > 0 and Fraction(10) ** -60 < number < Fraction(10) ** 60:
                return text


def add(text, step):
    """The sum by its digits, however many these are."""
    total = exact.fraction(text) + Fraction(step)
    places = max(0, -min(Decimal(text).as_tuple().exponent, step.as_tuple().exponent))
    digits = abs(int(total * 10**places))
    shown = str(digits).rjust(places + 1, "0")
    whole, rest = (shown[:-places], shown[-places:]) if places else (shown, "")
    return ("-" if total < 0 else "") + whole + ("." + rest if rest else "")


class Integer(Numeric):
    logical = "integer"
    deltas = {(8, True): "byte", (16, True): "short", (32, True): "integer", (64, True): "long"}
    ducks = {8: "TINYINT", 16: "SMALLINT", 32: "INTEGER", 64: "BIGINT"}

    def __init__(self, bits, signed):
        self.bits, self.signed = bits, signed
        self.name = f"{'int' if signed else 'uint'}{bits}"
        self.arrow = getattr(pa, self.name)()
        self.delta = self.deltas.get((bits, signed))
        self.duck = ("" if signed else "U") + self.ducks[bits]
        self.least, self.greatest = (-(2 ** (bits - 1)), 2 ** (bits - 1) - 1) if signed else (0, 2**bits - 1)

    def value(self, rng):
        near = [0, 1, 2, 3, 7, 10, 100, -1, -2, self.least, self.least + 1, self.greatest, self.greatest - 1]
        near += [2**53, 2**53 + 1, -(2**53) - 1, 2**63, 2**31, 2**24 + 1]
        number = rng.choice(near) if rng.random() < 0.7 else rng.randint(self.least, self.greatest)
        return min(max(number, self.least), self.greatest)

    def is_finite(self, _):
        return True

    def written(self, value):
        return str(value)

    def stored(self, expression):
        return f"CAST({expression} AS HUGEINT)"

    def inside(self, expression, text, operator):
        return exact.inside_whole(self.stored(expression), exact.fraction(text), operator)

    def equal(self, expression, text):
        number = exact.fraction(text)
        whole = number.denominator == 1 and abs(number) <= exact.GREATEST_HUGEINT
        return f"{self.stored(expression)} = {exact.huge(number.numerator)}" if whole else "FALSE"

    def multiple(self, expression, text):
        return exact.multiple_of_whole(self.stored(expression), 0, exact.fraction(text))


class DecimalKind(Numeric):
    logical = "number"

    def __init__(self, precision, scale):
        self.precision, self.scale = precision, scale
        self.name = f"decimal({precision},{scale})"
        self.arrow, self.delta, self.duck = pa.decimal128(precision, scale), self.name, self.name.upper()

    def value(self, rng):
        limit = 10**self.precision - 1
        near = [0, 1, -1, 2, 5, 10, limit, -limit, limit - 1, 10 ** min(self.scale, self.precision - 1), 125, -300]
        number = rng.choice(near) if rng.random() < 0.7 else rng.randint(-limit, limit)
        number = min(max(number, -limit), limit)
        return Decimal((number < 0, tuple(int(digit) for digit in str(abs(number))), -self.scale))

    def is_finite(self, _):
        return True

    def written(self, value):
        return format(value, "f")

    def stored(self, expression):
        """By its digits: the text without the point."""
        return f"CAST(replace(CAST({expression} AS VARCHAR), '.', '') AS HUGEINT)"

    def inside(self, expression, text, operator):
        number = exact.fraction(text) * 10**self.scale
        return exact.inside_whole(self.stored(expression), number, operator)

    def equal(self, expression, text):
        number = exact.fraction(text) * 10**self.scale
        whole = number.denominator == 1 and abs(number) <= exact.GREATEST_HUGEINT
        return f"{self.stored(expression)} = {exact.huge(number.numerator)}" if whole else "FALSE"

    def multiple(self, expression, text):
        return exact.multiple_of_whole(self.stored(expression), self.scale, exact.fraction(text))


class Float(Numeric):
    logical = "number"
    formats = {16: ("e", "H"), 32: ("f", "I"), 64: ("d", "Q")}

    def __init__(self, width):
        self.width = width
        self.name = f"float{width}"
        self.arrow = getattr(pa, self.name)()
        self.delta = {32: "float", 64: "double"}.get(width)
        self.duck = "DOUBLE" if width == 64 else "FLOAT"

    def value(self, rng):
        chance = rng.random()
        if chance < 0.3:
            return rng.choice([0.0, -0.0, math.nan, -math.nan, math.inf, -math.inf])
        if chance < 0.5:
            bits = rng.choice([1, 2**self.width - 1, 2 ** (self.width - 1) + 1, rng.getrandbits(self.width)])
            return self.of_bits(bits)
        near = [
            0.1,
            0.2,
            0.3,
            0.7,
            0.5,
            1.0,
            -1.0,
            1.5,
            2.0,
            10.0,
            100.0,
            0.07,
            2.5,
            1e3,
            65504.0,
            3.4028234663852886e38,
            1.7976931348623157e308,
            2.0**53,
            2.0**24 + 1,
            1e-45,
            5e-324,
            123.456,
            1 / 3,
        ]
        return self.rounded(rng.choice(near) if rng.random() < 0.7 else rng.uniform(-1000, 1000))

    def of_bits(self, bits):
        value, whole = self.formats[self.width]
        return struct.unpack("<" + value, struct.pack("<" + whole, bits))[0]

    def rounded(self, value):
        return value if not math.isfinite(value) else exact.nearest(Fraction(value), self.width)

    def is_finite(self, value):
        return math.isfinite(value)

    def written(self, value):
        """The shortest that stands for it in its width, or all of its digits."""
        for digits in range(1, 18):
            text = f"{value:.{digits}g}"
            if exact.nearest(exact.fraction(text), self.width) == value:
                return text.replace("e+", "e")
        return repr(value)

    def inside(self, expression, text, operator):
        return exact.inside_float(expression, exact.fraction(text), operator, self.width)

    def equal(self, expression, text):
        number = exact.fraction(text)
        rounded = exact.nearest(number, self.width)
        if math.isinf(rounded) or (rounded == 0 and number != 0):
            return "FALSE"
        return f"CAST({expression} AS DOUBLE) = {exact.double(rounded)}"

    def multiple(self, expression, text):
        return exact.multiple_of_float(expression, exact.fraction(text), self.width)


class Temporal(Kind):
    """Dates and times, which a rule gives as text. `per_unit` is the number of nanoseconds of what is stored."""

    has_bounds = has_list = True

    def inside(self, expression, text, operator):
        number = Fraction(exact.nanoseconds(text), self.per_unit)
        return exact.inside_whole(self.stored(expression), number, operator)

    def equal(self, expression, text):
        number = Fraction(exact.nanoseconds(text), self.per_unit)
        return f"{self.stored(expression)} = {exact.huge(number.numerator)}" if number.denominator == 1 else "FALSE"


DAYS = [0, 1, -1, 59, 365, 18_262, -719_162, 2_932_896, 20_000, -25_567]


class Date(Temporal):
    name, delta, arrow, duck, logical, per_unit = "date", "date", pa.date32(), "DATE", "date", 86_400 * 10**9

    def value(self, rng):
        return rng.choice(DAYS + [-3_000_000, 100_000_000]) if rng.random() < 0.7 else rng.randrange(-30_000, 30_000)

    def rule_value(self, rng, values):
        known = [day for day in values if day is not None and day in range(-719_162, 2_932_897)]
        day = rng.choice(known) if known and rng.random() < 0.7 else rng.choice(DAYS)
        return datetime.date.fromordinal(day + exact.EPOCH).isoformat()

    def stored(self, expression):
        return f"CAST({expression} - DATE '1970-01-01' AS HUGEINT)"


class Stamp(Temporal):
    logical = "timestamp"

    def __init__(self, unit, zoned):
        self.unit, self.zoned = unit, zoned
        self.name = f"timestamp[{unit}{', UTC' if zoned else ''}]"
        self.arrow = pa.timestamp(unit, "UTC" if zoned else None)
        self.delta = {("us", True): "timestamp", ("us", False): "timestamp_ntz"}.get((unit, zoned))
        self.duck = "TIMESTAMPTZ" if zoned else {"ns": "TIMESTAMP_NS"}.get(unit, "TIMESTAMP")
        self.per_unit = {"ms": 10**6, "us": 10**3, "ns": 1}[unit]
        self.options = {} if zoned else {"timezone": False}

    def value(self, rng):
        day = rng.choice(DAYS) if self.unit != "ns" else rng.choice([0, 1, -1, 365, 18_262, 20_000, -25_567])
        within = rng.choice([0, 0, 1, 999_999_999, 43_200 * 10**9, rng.randrange(86_400 * 10**9), 10**6, 10**3])
        return (day * 86_400 * 10**9 + within) // self.per_unit

    def rule_value(self, rng, values):
        known = [value for value in values if value is not None]
        number = (rng.choice(known) if known and rng.random() < 0.8 else self.value(rng)) * self.per_unit
        number += rng.choice([0, 0, 0, 1, -1, 500, 10**6])
        offset = rng.choice(["", "Z", "+02:00", "-11:30", "+00:00"]) if self.zoned else ""
        shift = exact.nanoseconds("00:00:00" + offset) if len(offset) == 6 else 0
        day, rest = divmod(number - shift, 86_400 * 10**9)
        if day + exact.EPOCH < 1 or day + exact.EPOCH > datetime.date.max.toordinal():
            return "2000-01-01"
        date = datetime.date.fromordinal(day + exact.EPOCH).isoformat()
        if rest == 0 and not offset and rng.random() < 0.5:
            return date
        seconds, nanos = divmod(rest, 10**9)
        clock = f"{seconds // 3600:02}:{seconds // 60 % 60:02}:{seconds % 60:02}"
        return f"{date}T{clock}" + (f".{nanos:09}".rstrip("0") if nanos else "") + offset

    def stored(self, expression):
        function = {"ms": "epoch_ms", "us": "epoch_us", "ns": "epoch_ns"}[self.unit]
        return f"CAST({function}({expression}) AS HUGEINT)"


class Clock(Temporal):
    logical = "time"

    def __init__(self, unit):
        self.unit = unit
        self.name, self.arrow, self.duck = f"time[{unit}]", pa.time32(unit) if unit == "ms" else pa.time64(unit), "TIME"
        self.per_unit = {"ms": 10**6, "us": 10**3}[unit]

    def value(self, rng):
        day = 86_400 * 10**9 // self.per_unit
        return rng.choice([0, 1, day - 1, day // 2, rng.randrange(day)])

    def rule_value(self, rng, values):
        known = [value for value in values if value is not None]
        number = (rng.choice(known) if known and rng.random() < 0.8 else self.value(rng)) * self.per_unit
        number = min(max(number + rng.choice([0, 0, 1, -1]), 0), 86_400 * 10**9 - 1)
        seconds, nanos = divmod(number, 10**9)
        clock = f"{seconds // 3600:02}:{seconds // 60 % 60:02}:{seconds % 60:02}"
        return clock + (f".{nanos:09}".rstrip("0") if nanos else "")

    def stored(self, expression):
        function = {"ms": "epoch_ms", "us": "epoch_us"}[self.unit]
        return f"CAST({function}(DATE '1970-01-01' + {expression}) AS HUGEINT)"


class Nested(Kind):
    """Lists, maps and structs: a rule counts their nulls and their duplicates, and looks at the members of structs."""

    def __init__(self, arrow, delta, duck, odcs, value, parts=(), members=(), has_equality=True):
        self.name = str(arrow)
        self.arrow, self.delta, self.duck, self.parts, self.members = arrow, delta, duck, parts, dict(members)
        self.fields, self.value, self.has_equality = odcs, value, has_equality

    def odcs(self):
        return dict(self.fields)


def list_of(item):
    delta = item.delta and {"type": "array", "elementType": item.delta, "containsNull": True}
    fields = {"logicalType": "array", "items": item.odcs()}

    def value(rng):
        return [None if rng.random() < 0.2 else item.value(rng) for _ in range(rng.choice([0, 0, 1, 1, 2, 3]))]

    return Nested(
        pa.list_(item.arrow), delta, f"{item.duck}[]", fields, value, (item,), (), getattr(item, "has_equality", True)
    )


def map_of(key, item):
    delta = item.delta and {"type": "map", "keyType": key.delta, "valueType": item.delta, "valueContainsNull": True}
    fields = {"logicalType": "map", "map": {"key": key.odcs(), "value": item.odcs()}}

    def value(rng):
        keys = {key.value(rng) for _ in range(rng.choice([0, 1, 2]))}
        return [(k, None if rng.random() < 0.2 else item.value(rng)) for k in sorted(keys)]

    return Nested(
        pa.map_(key.arrow, item.arrow), delta, f"MAP({key.duck}, {item.duck})", fields, value, (key, item), (), False
    )


def struct_of(members):
    arrow = pa.struct([pa.field(name, kind.arrow) for name, kind in members])
    delta = all(kind.delta for _, kind in members) and {
        "type": "struct",
        "fields": [{"name": name, "type": kind.delta, "nullable": True, "metadata": {}} for name, kind in members],
    }
    duck = "STRUCT(" + ", ".join(f'"{name}" {kind.duck}' for name, kind in members) + ")"
    fields = {"logicalType": "object"}

    def value(rng):
        return {name: None if rng.random() < 0.3 else kind.value(rng) for name, kind in members}

    has_equality = all(getattr(kind, "has_equality", True) for _, kind in members)
    return Nested(arrow, delta or None, duck, fields, value, (), members, has_equality)


SIGNED = [Integer(bits, True) for bits in (8, 16, 32, 64)]
UNSIGNED = [Integer(bits, False) for bits in (8, 16, 32, 64)]


def decimal_kind(rng):
    precision = rng.choice([1, 2, 4, 9, 10, 18, 19, 28, 37, 38])
    return DecimalKind(precision, rng.choice([0, precision, rng.randrange(precision + 1), min(2, precision)]))


def scalar_kind(rng, delta):
    """A random kind without parts; for a Delta table one that Delta has."""
    common = [
        *SIGNED,
        Float(32),
        Float(64),
        Float(64),
        Boolean(),
        Text(),
        Text(),
        Binary(),
        Date(),
        Stamp("us", True),
        Stamp("us", False),
        decimal_kind(rng),
        decimal_kind(rng),
        decimal_kind(rng),
    ]
    others = [
        *UNSIGNED,
        Float(16),
        Stamp("ms", True),
        Stamp("ms", False),
        Stamp("ns", False),
        Clock("ms"),
        Clock("us"),
        Text(pa.large_string()),
        Text(pa.dictionary(pa.int32(), pa.string())),
    ]
    return rng.choice(common if delta else common + others)


def random_kind(rng, delta, depth=0):
    chance = rng.random()
    if depth > 1 or chance < 0.75:
        return scalar_kind(rng, delta)
    if chance < 0.83:
        return list_of(random_kind(rng, delta, depth + 1))
    if chance < 0.87:
        return map_of(rng.choice([Text(), SIGNED[2]]), scalar_kind(rng, delta))
    names = ["a", "b", "T", "x y"] if not delta else ["a", "b", "T", "ä"]
    return struct_of([(name, random_kind(rng, delta, depth + 1)) for name in names[: rng.randrange(1, 4)]])
