"""Random rules over a table as one ODCS contract, and what each counts, in SQL."""

import json

from columns import PATTERNS
from exact import fraction, text_literal
from queries import random_query
from tables import quoted

BOUNDS = {"minimum": ">=", "exclusiveMinimum": ">", "maximum": "<=", "exclusiveMaximum": "<"}


SPACES = r"\s\x{b}\x{85}\x{a0}\x{1680}\x{2000}-\x{200a}\x{2028}\x{2029}\x{202f}\x{205f}\x{3000}"


class Number(str):
    """A number of the contract, digit by digit."""


class Place:
    """A column, or a member of a struct: `present` holds where every struct above is there."""

    def __init__(self, names, kind, values, expression, present):
        self.names, self.kind, self.values = names, kind, values
        self.expression, self.present = expression, present

    def key(self):
        return ".".join(self.names)

    def members(self):
        for name, kind in getattr(self.kind, "members", {}).items():
            values = [None if value is None else value[name] for value in self.values]
            expression = f"struct_extract({self.expression}, {text_literal(name)})"
            yield Place(
                [*self.names, name], kind, values, expression, f"{self.present} AND {self.expression} IS NOT NULL"
            )


def broken(place, condition):
    """Counts values for which the condition does not hold; nulls are not looked at."""
    value = place.expression
    return f"count(*) FILTER (WHERE {place.present} AND {value} IS NOT NULL AND NOT COALESCE({condition}, FALSE))"


def duplicates(places):
    keys = ", ".join(f"{place.expression} AS k{index}" for index, place in enumerate(places))
    whole = " AND ".join(f"{place.present} AND {place.expression} IS NOT NULL" for place in places)
    rows = f"SELECT {keys} FROM t WHERE {whole}"
    return f"(SELECT count(*) FROM ({rows})) - (SELECT count(*) FROM (SELECT DISTINCT * FROM ({rows})))"


class Contract:
    """One schema object after the other, all over the same table, until there are enough rules."""

    def __init__(self, rng, table):
        self.rng, self.table = rng, table
        self.objects = []
        # By object and key: the SQL of the number, how it is shown in percent, or what is known of it already.
        self.expected = []

    def fill(self, n_rules):
        while len(self.expected) < n_rules:
            self.object_name = f"o{len(self.objects)}"
            self.n_quality = 0
            places = [Place([c.name], c.kind, c.values, quoted(c.name), "TRUE") for c in self.table.columns]
            self.places = places + [member for place in places for member in self.below(place)]
            properties = [self.property(place) for place in places]
            entry = {"name": self.object_name, "logicalType": "object", "properties": properties}
            self.primary_key(entry, places)
            quality = [self.object_quality() for _ in range(self.rng.randrange(1, 5))]
            entry["quality"] = [rule for rule in quality if rule]
            self.objects.append(entry)

    def below(self, place):
        for member in place.members():
            yield member
            yield from self.below(member)

    def expect(self, key, sql, percent=False):
        self.expected.append((self.object_name, key, sql, percent))

    def property(self, place):
        rng, kind, key = self.rng, place.kind, place.key()
        fields = {"name": place.names[-1], **kind.odcs()}
        if rng.random() < 0.3:
            fields["required"] = True
            self.expect(f"{key}/required", self.nulls(place))
        if rng.random() < 0.3 and getattr(kind, "has_equality", True):
            fields["unique"] = True
            self.expect(f"{key}/unique", duplicates([place]))
        if kind.has_list and rng.random() < 0.2:
            values = self.values(place, distinct=True)
            if values:
                fields["enum"] = [{"value": self.shown(kind, value)} for value in values]
                self.expect(f"{key}/enum", broken(place, kind.listed(place.expression, values)))
        options = self.options(place)
        if options:
            fields["logicalTypeOptions"] = {**fields.get("logicalTypeOptions", {}), **options}
        quality = [self.property_quality(place) for _ in range(rng.choice([0, 0, 1, 2]))]
        if quality:
            fields["quality"] = quality
        members = list(place.members())
        if members:
            fields["properties"] = [self.property(member) for member in members]
        return fields

    def options(self, place):
        rng, kind, key, value = self.rng, place.kind, place.key(), place.expression
        options = {}
        for word, operator in BOUNDS.items() if kind.has_bounds else ():
            if rng.random() < 0.25:
                bound = kind.rule_value(rng, place.values)
                options[word] = self.shown(kind, bound)
                self.expect(f"{key}/{word}", broken(place, kind.inside(value, bound, operator)))
        if kind.has_multiples and rng.random() < 0.25:
            divisor = kind.divisor(rng, place.values)
            options["multipleOf"] = Number(divisor)
            self.expect(f"{key}/multipleOf", broken(place, kind.multiple(value, divisor)))
        if kind.has_texts:
            for word, operator in [("minLength", ">="), ("maxLength", "<=")]:
                if rng.random() < 0.25:
                    options[word] = rng.choice([0, 1, 2, 3, 5, 33, 300, 10**6])
                    self.expect(f"{key}/{word}", broken(place, f"length({value}) {operator} {options[word]}"))
            if rng.random() < 0.3:
                options["pattern"] = rng.choice(PATTERNS)
                self.expect(f"{key}/pattern", broken(place, matches(value, options["pattern"])))
        return options

    def property_quality(self, place):
        rng, kind = self.rng, place.kind
        metrics = ["nullValues", "missingValues"]
        metrics += ["duplicateValues"] if getattr(kind, "has_equality", True) else []
        metrics += ["invalidValues", "invalidValues", "missingValues"] if kind.has_list else []
        metrics += ["pattern"] if kind.has_texts else []
        metric = rng.choice(metrics)
        values = self.values(place) if kind.has_list else []
        arguments = {}
        if metric == "nullValues":
            sql = self.nulls(place)
        elif metric == "duplicateValues":
            sql = duplicates([place])
        elif metric == "missingValues":
            arguments = {"missingValues": [self.shown(kind, value) for value in values]}
            listed = kind.listed(place.expression, values) if values else "FALSE"
            absent = f"{place.expression} IS NULL OR COALESCE({listed}, FALSE)"
            sql = f"count(*) FILTER (WHERE {place.present} AND ({absent}))"
        elif metric == "invalidValues":
            arguments = {"validValues": [self.shown(kind, value) for value in values]}
            sql = broken(place, kind.listed(place.expression, values))
        else:
            metric, pattern = "invalidValues", rng.choice(PATTERNS)
            arguments = {"pattern": pattern}
            sql = broken(place, matches(place.expression, pattern))
        return self.quality(metric, arguments, sql)

    def object_quality(self):
        rng = self.rng
        chance = rng.random()
        if chance < 0.1:
            return self.quality("rowCount", {}, "count(*)", may_be_percent=False)
        keys = [place for place in self.places if getattr(place.kind, "has_equality", True)]
        # A member is named by its path, which a name that holds a `.` could shadow.
        if chance < 0.4 and keys:
            chosen = rng.sample(keys, rng.randrange(1, min(3, len(keys)) + 1))
            names = [place.key() for place in chosen]
            return self.quality("duplicateValues", {"properties": names}, duplicates(chosen))
        found = random_query(rng, self.places, len(self.table.columns[0].values))
        if not found:
            return None
        query, expected = found
        entry = self.entry(expected, False)
        return {"id": entry, "type": "sql", "query": query, "mustBe": 0}

    def quality(self, metric, arguments, sql, may_be_percent=True):
        percent = may_be_percent and self.rng.random() < 0.2
        entry = {"id": self.entry(sql, percent), "metric": metric, "mustBe": 0}
        if arguments:
            entry["arguments"] = arguments
        if percent:
            entry["unit"] = "percent"
        return entry

    def entry(self, expected, percent):
        key = f"q{self.n_quality}"
        self.n_quality += 1
        self.expect(key, expected, percent)
        return key

    def primary_key(self, entry, places):
        rng = self.rng
        keys = [index for index, place in enumerate(places) if getattr(place.kind, "has_equality", True)]
        if not keys or rng.random() < 0.7:
            return
        chosen = rng.sample(keys, rng.randrange(1, min(3, len(keys)) + 1))
        for position, index in enumerate(chosen):
            fields, place = entry["properties"][index], places[index]
            fields["primaryKey"], fields["primaryKeyPosition"] = True, position + 1
            if not fields.get("required"):
                self.expect(f"{place.key()}/required", self.nulls(place))
        self.expect("primaryKey", duplicates([places[index] for index in chosen]))

    def nulls(self, place):
        return f"count(*) FILTER (WHERE {place.present} AND {place.expression} IS NULL)"

    def values(self, place, distinct=False):
        rng, kind = self.rng, place.kind
        known = [value for value in place.values if value is not None]
        values = [kind.rule_value(rng, known) for _ in range(rng.choice([0, 1, 2, 5, 12]))]
        values = [value for value in values if value is not None]
        if distinct:
            values = list({fraction(value) if kind.has_multiples else value: value for value in values}.values())
        return values

    def shown(self, kind, value):
        return Number(value) if kind.has_multiples else value

    def text(self):
        contract = {
            "apiVersion": "v3.2.0",
            "kind": "DataContract",
            "id": "c",
            "version": "1.0.0",
            "status": "active",
            "schema": self.objects,
        }
        return json_text(contract)


def matches(expression, pattern):
    """The same pattern for RE2, whose classes are those of ASCII where ours are those of Unicode."""
    pattern = pattern.replace(r"\d", r"\p{Nd}").replace(r"\S", rf"[^{SPACES}]")
    return f"regexp_matches({expression}, {text_literal(pattern)})"


def json_text(value):
    """JSON in which a number has all of its digits."""
    if isinstance(value, Number):
        return str(value)
    if isinstance(value, dict):
        return "{" + ", ".join(f"{json.dumps(key)}: {json_text(item)}" for key, item in value.items()) + "}"
    if isinstance(value, list):
        return "[" + ", ".join(map(json_text, value)) + "]"
    return json.dumps(value)
