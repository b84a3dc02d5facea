"""Random `sql` rules: a query of ours, and the number that DuckDB, or arithmetic without limits, gives for it."""

from decimal import Decimal
from fractions import Fraction

import exact
from columns import Boolean, Date, DecimalKind, Float, Integer, Stamp, Text

COMPARISONS = ["=", "<>", "<", "<=", ">", ">="]
LONG = 2**63 - 1


class Column:
    """A column as each side names it. `exact` is its value in a type of DuckDB that does not overflow."""

    def __init__(self, place):
        self.kind, self.values = place.kind, place.values
        first, *members = place.names
        quoted = '"' + first.replace('"', '""') + '"'
        self.name = quoted + "".join("[" + "'" + name.replace("'", "''") + "']" for name in members)
        self.exact = f"CAST({self.name} AS HUGEINT)" if isinstance(self.kind, Integer) else self.name


def random_query(rng, places, n_rows):
    """A query and what it gives: SQL for DuckDB, or a function of the connection. `None` if no column serves."""
    kinds = (Integer, DecimalKind, Float, Boolean, Text, Date, Stamp)
    columns = [Column(place) for place in places if isinstance(place.kind, kinds)]
    if not columns:
        return None
    column = rng.choice(columns)
    forms = [where, where, where, filtered, cases, count, distinct, groups, extreme]
    if isinstance(column.kind, (Integer, DecimalKind)):
        forms += [total, total, average]
    if isinstance(column.kind, Integer) and column.kind.signed:
        forms += [arithmetic, arithmetic]
    if n_rows <= 200:
        forms += [join, membership]
    return rng.choice(forms)(rng, column, columns)


def both(query, condition=("", "")):
    """The query on either side; each condition may be written differently."""
    return query.format(table="${table}", where=condition[0]), "(" + query.format(table="t", where=condition[1]) + ")"


def where(rng, _, columns):
    return both("SELECT count(*) FROM {table} WHERE {where}", predicate(rng, columns))


def filtered(rng, column, columns):
    return both(f"SELECT count({column.name}) FILTER (WHERE {{where}}) FROM {{table}}", predicate(rng, columns))


def cases(rng, _, columns):
    query = "SELECT count(CASE WHEN {where} THEN 1 END) FROM {table}"
    return both(query, predicate(rng, columns))


def count(rng, column, _):
    return both(f"SELECT count(*) - count({column.name}) FROM {{table}}")


def distinct(rng, column, columns):
    return both(f"SELECT count(DISTINCT {column.name}) FROM {{table}} WHERE {{where}}", predicate(rng, columns, 1))


def groups(rng, column, columns):
    other = rng.choice(columns)
    query = (
        f"SELECT count(*) FROM (SELECT {column.name} AS k, {other.name} AS l, count(*) AS n FROM {{table}} "
        "GROUP BY 1, 2 HAVING count(*) > 1)"
    )
    return both(query)


def join(rng, column, _):
    return both(f"SELECT count(*) FROM {{table}} a JOIN {{table}} b ON a.{column.name} = b.{column.name}")


def membership(rng, column, columns):
    others = [other for other in columns if other.kind.name == column.kind.name]
    other, word = rng.choice(others), rng.choice(["IN", "NOT IN"])
    return both(f"SELECT count(*) FROM {{table}} WHERE {column.name} {word} (SELECT {other.name} FROM {{table}})")


def extreme(rng, column, columns):
    """The least or the greatest number; of other types, whether rows have it."""
    function = rng.choice(["min", "max"])
    if isinstance(column.kind, Boolean):
        return count(rng, column, columns)
    if isinstance(column.kind, (Integer, DecimalKind, Float)):
        query = f"SELECT {function}({column.name}) FROM {{table}} WHERE {{where}}"
        ours, theirs = both(query, predicate(rng, columns, 1))
        # In DuckDB the text of a narrow number is short.
        wide = f"CAST({theirs} AS DOUBLE)" if isinstance(column.kind, Float) else theirs
        return ours, lambda duck: one_number(duck, wide)
    query = f"SELECT count(*) FROM {{table}} WHERE {column.name} = (SELECT {function}({column.name}) FROM {{table}})"
    return both(query)


def one_number(duck, query):
    """Not a number is an error of the rule, and so is a number that is none."""
    (value,) = duck.execute(f"SELECT CAST({query} AS VARCHAR)").fetchone()
    if value is None or not Decimal(value).is_finite():
        return "error"
    return close(exact.fraction(value))


def close(number):
    return {"value": float(number), "within": float(abs(number)) * 1e-14}


def total(rng, column, columns):
    """The sum by all of its digits, or an error if its type cannot hold it."""
    word = rng.choice(["", "", "DISTINCT "])
    ours, theirs = predicate(rng, columns, 1)

    def add_up(duck):
        values = numbers(duck, column, theirs, word)
        if not values:
            return "error"
        number = sum(values)
        if isinstance(column.kind, Integer):
            least, greatest = (-LONG - 1, LONG) if column.kind.signed else (0, 2**64 - 1)
        else:
            greatest = Fraction(10 ** min(38, column.kind.precision + 10) - 1, 10**column.kind.scale)
            least = -greatest
        return close(number) if least <= number <= greatest else "error"

    return f"SELECT sum({word}{column.name}) FROM ${{table}} WHERE {ours}", add_up


def average(rng, column, columns):
    ours, theirs = predicate(rng, columns, 1)

    def mean(duck):
        values = numbers(duck, column, theirs, "")
        if not values:
            return "error"
        number = sum(values) / len(values)
        if isinstance(column.kind, Integer):
            return close(number)
        # Four more digits and places, where there is room.
        precision, scale = min(38, column.kind.precision + 4), min(38, column.kind.scale + 4)
        if abs(number) * 10**scale >= 10**precision:
            return "error"
        return {"value": float(number), "within": 10.0**-scale + float(abs(number)) * 1e-14}

    return f"SELECT avg({column.name}) FROM ${{table}} WHERE {ours}", mean


def numbers(duck, column, condition, word):
    query = f"SELECT {word}CAST({column.name} AS VARCHAR) FROM t WHERE ({condition}) AND {column.name} IS NOT NULL"
    return [exact.fraction(text) for (text,) in duck.execute(query).fetchall()]


def arithmetic(rng, column, columns):
    """Integers are computed with 64 bits; where one row overflows, the rule is an error."""
    others = [other for other in columns if isinstance(other.kind, Integer) and other.kind.signed]
    other = rng.choice(others)
    right_ours, right = (
        (other.name, other.exact) if rng.random() < 0.5 else (str(n := rng.choice([1, 2, 7, 1000, LONG])), huge(n))
    )
    sign, bound = rng.choice(["+", "-", "*"]), rng.choice([0, 1, 100, -5, LONG])
    compared = rng.choice(COMPARISONS)
    result = f"{column.exact} {sign} {right}"
    if rng.random() < 0.15:
        result, right_ours, sign = f"- {column.exact}", column.name, "-"
        ours = f"-{column.name}"
    else:
        ours = f"{column.name} {sign} {right_ours}"

    def count_rows(duck):
        query = (
            f"SELECT count(*) FILTER (WHERE {result} {compared} {bound}), "
            f"count(*) FILTER (WHERE {result} > {LONG} OR {result} < {huge(-LONG - 1)}) FROM t"
        )
        number, n_overflows = duck.execute(query).fetchone()
        return "error" if n_overflows else number

    return f"SELECT count(*) FROM ${{table}} WHERE {ours} {compared} {bound}", count_rows


def huge(number):
    return exact.huge(number)


def predicate(rng, columns, depth=2):
    """A condition as we write it, and as DuckDB computes it."""
    chance = rng.random()
    if depth > 0 and chance < 0.35:
        left, right, word = (
            predicate(rng, columns, depth - 1),
            predicate(rng, columns, depth - 1),
            rng.choice(["AND", "OR"]),
        )
        brackets = rng.choice(["({})", "{}"])
        return tuple(brackets.format(f"{a} {word} {b}") for a, b in zip(left, right))
    if depth > 0 and chance < 0.45:
        brackets = rng.choice(["(NOT {})", "NOT {}"])
        return tuple(brackets.format(side) for side in predicate(rng, columns, depth - 1))
    column = rng.choice(columns)
    if chance < 0.55:
        condition = f"{column.name} IS {rng.choice(['', 'NOT '])}NULL"
        return condition, condition
    others = [other for other in columns if other.kind.name == column.kind.name]
    if chance < 0.65:
        words = [*COMPARISONS, "IS DISTINCT FROM", "IS NOT DISTINCT FROM"]
        word = rng.choice(words)
        condition = f"{column.name} {word} {rng.choice(others).name}"
        # Our parser wants them.
        condition = f"({condition})" if "DISTINCT" in word else condition
        return condition, condition
    return of_kind(rng, column)


def of_kind(rng, column):
    kind, name, word = column.kind, column.name, rng.choice(COMPARISONS)
    known = [value for value in column.values if value is not None]
    if isinstance(kind, Boolean):
        condition = rng.choice([name, f"{name} IS TRUE", f"{name} = false", f"{name} IS NOT FALSE"])
        return condition, condition
    if isinstance(kind, Integer):
        return of_integer(rng, column, known, word)
    if isinstance(kind, DecimalKind):
        text = kind.written(rng.choice(known) if known and rng.random() < 0.7 else kind.value(rng))
        if kind.precision <= 28 and rng.random() < 0.5:
            # More places than the column has, in a type that both fit into.
            text += rng.choice(["000", "5", "001"]) if "." in text else rng.choice([".0", ".5", ".001"])
        equal = kind.equal(name, text)
        theirs = {"=": equal, "<>": f"NOT ({equal})"}.get(word) or kind.inside(name, text, word)
        return f"{name} {word} {text}", if_there(name, theirs)
    if isinstance(kind, Float):
        value = (
            rng.choice([v for v in known if kind.is_finite(v)] or [0.0])
            if rng.random() < 0.6
            else rng.choice([0.0, -0.0, 1.0, 0.1])
        )
        literal = double(value)
        condition = rng.choice(
            [
                f"{name} {word} {literal}",
                f"{name} BETWEEN {literal} AND 1e3",
                f"floor({name}) = {name}",
                f"{name} IN ({literal}, 1e0)",
                f"abs({name}) {word} {literal}",
            ]
        )
        return condition, condition
    if isinstance(kind, Text):
        return of_text(rng, column, known, word)
    if isinstance(kind, Date):
        text = kind.rule_value(rng, known)
        condition = rng.choice([f"{name} {word} DATE '{text}'", f"date_part('year', {name}) {word} 2000"])
        return condition, condition
    text = kind.rule_value(rng, known)[:26].rstrip("Z").split("+")[0]
    text = (text[:19] if len(text) > 10 and "-" in text[11:] else text).replace("T", " ")
    zone = "+00:00" if kind.zoned else ""
    text = text if len(text) > 10 else text + " 00:00:00"
    theirs = f"{name} {word} CAST('{text}{zone}' AS {kind.duck})"
    return f"{name} {word} TIMESTAMP '{text}{zone}'", theirs


def of_integer(rng, column, known, word):
    number = rng.choice(known) if known and rng.random() < 0.7 else rng.choice([0, 1, -1, 100, 2**53 + 1])
    other = rng.choice(known or [5])
    chance = rng.random()
    if chance < 0.5:
        return f"{column.name} {word} {number}", f"{column.exact} {word} {huge(number)}"
    if chance < 0.65:
        low, high = sorted([number, other])
        return f"{column.name} BETWEEN {low} AND {high}", f"{column.exact} BETWEEN {huge(low)} AND {huge(high)}"
    if chance < 0.8:
        return (
            f"{column.name} IN ({number}, {other}, 7)",
            f"{column.exact} IN ({huge(number)}, {huge(other)}, {huge(7)})",
        )
    if chance < 0.9:
        text = f"{number}.5"
        # A number with a point has all of its digits.
        edge = Fraction(Decimal(text))
        half = {"=": "FALSE", "<>": "TRUE"}.get(word) or exact.inside_whole(column.exact, edge, word)
        return f"{column.name} {word} {text}", if_there(column.name, half)
    by = rng.choice([2, 3, 10])
    return f"{column.name} % {by} = 1", f"{column.exact} % {huge(by)} = 1"


def if_there(name, condition):
    return f"CASE WHEN {name} IS NULL THEN NULL ELSE {condition} END"


def of_text(rng, column, known, word):
    name = column.name
    text = (rng.choice(known) if known and rng.random() < 0.7 else column.kind.value(rng)).replace("\0", "")
    literal = "'" + text.replace("'", "''") + "'"
    start = "'" + text[:1].replace("'", "''").replace("\\", "").replace("%", "").replace("_", "") + "%'"
    condition = rng.choice(
        [
            f"{name} {word} {literal}",
            f"{name} IN ({literal}, 'a', '')",
            f"{name} LIKE {start}",
            f"{name} NOT LIKE '_'",
            f"length({name}) {word} {rng.choice([0, 1, 2, 33])}",
            f"{name} || 'x' = {literal} || 'x'",
            f"starts_with({name}, {literal})",
            f"coalesce({name}, '') = ''",
            f"nullif({name}, '') IS NULL",
            f"substr({name}, 1, 1) = 'a'",
        ]
    )
    return condition, condition


def double(value):
    text = repr(abs(value))
    text = text if "e" in text else text + "e0"
    return ("-" if str(value).startswith("-") else "") + text.replace("e+", "e")
