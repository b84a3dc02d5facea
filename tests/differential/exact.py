"""SQL conditions that compare a column with the values of a rule, as docs/rules.md (Data rules) says it: in the
column's own type. What the type cannot hold is worked out here in fractions and never in floating point."""

import datetime
from decimal import Decimal
from fractions import Fraction
from math import ceil, floor, gcd

# Of a floating-point type: the digits of its significand, and the exponent of its least value.
WIDTHS = {16: (11, -24), 32: (24, -149), 64: (53, -1074)}
GREATEST_HUGEINT = 2**127 - 1


def fraction(text):
    return Fraction(Decimal(text))


def text_literal(text):
    """A text; DuckDB's parser takes no NUL inside of one."""
    parts = ["'" + part.replace("'", "''") + "'" for part in text.split("\0")]
    return "(" + " || chr(0) || ".join(parts) + ")"


def huge(number):
    return f"CAST('{number}' AS HUGEINT)"


def double(number):
    return f"CAST('{number!r}' AS DOUBLE)"


def nearest(number, width):
    """The value of a width that is nearest, ties to even, as a double; infinite beyond the greatest."""
    digits, least = WIDTHS[width]
    if number == 0:
        return 0.0
    size = abs(number)
    exponent = size.numerator.bit_length() - size.denominator.bit_length()
    if Fraction(2) ** exponent > size:
        exponent -= 1
    unit = Fraction(2) ** max(exponent - digits + 1, least)
    rounded = round(size / unit) * unit
    limit = {16: Fraction(2) ** 16, 32: Fraction(2) ** 128, 64: Fraction(2) ** 1024}[width]
    value = float("inf") if rounded >= limit else float(rounded)
    return -value if number < 0 else value


def inside_whole(stored, number, operator):
    """Whether whole numbers are in a half line that ends at any number."""
    edge = {">=": ceil(number), ">": floor(number), "<=": floor(number), "<": ceil(number)}[operator]
    if abs(edge) > GREATEST_HUGEINT:
        return "TRUE" if (edge < 0) == (operator in (">=", ">")) else "FALSE"
    return f"{stored} {operator} {huge(edge)}"


def inside_float(expression, number, operator, width):
    """The same of floating-point numbers: a number beyond the width, or too small for it, lies between two of its
    values; not-a-number is nowhere."""
    value, rounded = f"CAST({expression} AS DOUBLE)", nearest(number, width)
    upwards = operator in (">=", ">")
    if rounded == float("inf"):
        condition = f"{value} = 'inf'::DOUBLE" if upwards else f"{value} < 'inf'::DOUBLE"
    elif rounded == float("-inf"):
        condition = f"{value} > '-inf'::DOUBLE" if upwards else f"{value} = '-inf'::DOUBLE"
    elif rounded == 0 and number > 0:
        condition = f"{value} > 0" if upwards else f"{value} <= 0"
    elif rounded == 0 and number < 0:
        condition = f"{value} >= 0" if upwards else f"{value} < 0"
    else:
        condition = f"{value} {operator} {double(rounded)}"
    return f"(NOT isnan({value}) AND {condition})"


def multiple_of_whole(stored, places, divisor):
    """Whether n / 10^places is a multiple of the divisor p/q: n q is one of 10^places p."""
    whole = 10**places * divisor.numerator
    whole //= gcd(whole, divisor.denominator)
    return f"{stored} = 0" if whole > GREATEST_HUGEINT else f"{stored} % {huge(whole)} = 0"


def multiple_of_float(expression, divisor, width):
    value, by = f"CAST({expression} AS DOUBLE)", nearest(divisor, 64)
    if by.is_integer():
        # The remainder of a division is exact, and not-a-number for what is not finite.
        return f"({value} % {double(by)} = 0)"
    quotient = f"({value} / {double(by)})"
    slack = 4 * 2.0 ** (1 - WIDTHS[width][0])
    near = f"abs({quotient} - round({quotient})) <= abs({quotient}) * {double(slack)}"
    return f"(isfinite({value}) AND ({quotient} <> 0 OR {value} = 0) AND (isinf({quotient}) OR {near}))"


EPOCH = datetime.date(1970, 1, 1).toordinal()


def nanoseconds(text):
    """Of a date, a time of day, or both: since midnight, or since 1970-01-01T00:00:00 (UTC, if there is a zone)."""
    day, clock, offset = 0, text, 0
    if len(text) >= 10 and text[4] == "-":
        day = datetime.date.fromisoformat(text[:10]).toordinal() - EPOCH
        clock = text[11:]
    if clock.endswith("Z"):
        clock = clock[:-1]
    elif len(clock) > 6 and clock[-6] in "+-":
        hours, minutes = clock[-5:].split(":")
        offset = (int(hours) * 60 + int(minutes)) * (1 if clock[-6] == "+" else -1)
        clock = clock[:-6]
    whole, _, rest = clock.partition(".")
    pieces = [int(piece) for piece in whole.split(":")] if whole else [0, 0, 0]
    seconds = pieces[0] * 3600 + pieces[1] * 60 + pieces[2] - offset * 60
    return (day * 86_400 + seconds) * 10**9 + int(rest.ljust(9, "0") or 0)
