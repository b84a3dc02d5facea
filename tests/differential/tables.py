"""Random tables: files and a log in a folder, and the same rows in DuckDB, which reads the files by itself."""

import json
import struct

import exact
import pyarrow as pa
import pyarrow.parquet as pq
from columns import Boolean, Clock, Date, DecimalKind, Float, Integer, Nested, Stamp, Text, random_kind

NAMES = ["id", "Amount", "name", "note", "a.b", "größe", 'q"x', "select", "x'y", "Id2", "v", "w", "日", "t", "_u"]
# Delta takes these without column mapping too.
PARTITION_KINDS = [
    Integer(32, True),
    Integer(64, True),
    Text(),
    Date(),
    Boolean(),
    DecimalKind(10, 2),
    Float(64),
    Stamp("us", False),
    Stamp("us", True),
]


def quoted(name):
    return '"' + name.replace('"', '""') + '"'


class Column:
    def __init__(self, name, kind, values, is_partition=False):
        self.name, self.kind, self.values, self.is_partition = name, kind, values, is_partition


class Table:
    """Columns with their values, cut into files; rows that a deletion vector deletes have no index in `kept`."""

    def __init__(self, rng, format_):
        self.format = format_
        delta = format_ == "delta"
        n_rows = rng.choice([0, 1, 2, 5, 20, 50, 100, 200]) if rng.random() < 0.97 else rng.randrange(8_000, 20_000)
        names = rng.sample(NAMES, rng.randrange(1, 8))
        self.columns = [
            Column(name, kind := random_kind(rng, delta), column_values(rng, kind, n_rows)) for name in names
        ]
        n_files = 1 if not n_rows else rng.choice([1, 1, 2, 3])
        cuts = sorted(rng.randrange(n_rows + 1) for _ in range(n_files - 1))
        self.slices = list(zip([0, *cuts], [*cuts, n_rows]))
        if delta and n_rows and rng.random() < 0.25:
            self.partition(rng)
        if delta and not n_rows and rng.random() < 0.5:
            self.slices = []

    def partition(self, rng):
        """One more column, of which each file has one value."""
        kind = rng.choice(PARTITION_KINDS)
        values = []
        for start, end in self.slices:
            value = None if rng.random() < 0.2 else kind.value(rng)
            # An empty text is null in a log.
            value = None if isinstance(value, str) and (value == "" or "\0" in value) else value
            values += [value] * (end - start)
        self.columns.append(Column("part", kind, values, is_partition=True))

    def write(self, rng, folder):
        """Writes the table, and gives the query by which DuckDB reads it."""
        folder.mkdir(parents=True)
        in_files = [column for column in self.columns if not column.is_partition]
        adds, selects = [], []
        for index, (start, end) in enumerate(self.slices):
            path = folder / f"part-{index}.parquet"
            # A column that was added later is in no older file.
            is_older = self.format == "delta" and index == 0 and len(in_files) > 1 and rng.random() < 0.2
            present = in_files[:-1] if is_older else in_files
            write_parquet(rng, path, present, start, end, self.may_have_old_stamps())
            deleted = []
            if self.format == "delta" and end > start and rng.random() < 0.3:
                deleted = sorted(rng.sample(range(end - start), rng.randrange(1, end - start + 1)))
            if is_older:
                in_files[-1].values[start:end] = [None] * (end - start)
            selects.append(self.select(path, present, start, deleted))
            adds.append(self.add(path, start, end, deleted))
        if self.format == "delta":
            write_log(folder / "_delta_log", self.columns, adds)
        empty = ", ".join(f"CAST(NULL AS {column.kind.duck}) AS {quoted(column.name)}" for column in self.columns)
        return " UNION ALL ".join([*selects, f"SELECT {empty} WHERE FALSE"])

    def may_have_old_stamps(self):
        """Whether timestamps may be written as Spark does by default, which it does with zoned ones."""
        return self.format == "delta" and "timestamp_ntz" not in json.dumps([c.kind.delta for c in self.columns])

    def select(self, path, present, start, deleted):
        columns = []
        for column in self.columns:
            if column.is_partition:
                value = column.values[start] if start < len(column.values) else None
                source = "NULL" if value is None else exact.text_literal(partition_text(column.kind, value))
            else:
                source = quoted(column.name) if column in present else "NULL"
            columns.append(f"CAST({source} AS {column.kind.duck}) AS {quoted(column.name)}")
        rows = f"read_parquet({exact.text_literal(str(path))}, file_row_number = true)"
        kept = f" WHERE file_row_number NOT IN ({', '.join(map(str, deleted))})" if deleted else ""
        return f"SELECT {', '.join(columns)} FROM {rows}{kept}"

    def add(self, path, start, end, deleted):
        partition = {
            column.name: None
            if end == start or column.values[start] is None
            else partition_text(column.kind, column.values[start])
            for column in self.columns
            if column.is_partition
        }
        add = {
            "path": path.name,
            "partitionValues": partition,
            "size": path.stat().st_size,
            "modificationTime": 1,
            "dataChange": True,
        }
        if deleted:
            vector = deletion_vector(deleted)
            add["deletionVector"] = {
                "storageType": "i",
                "pathOrInlineDv": z85(vector),
                "sizeInBytes": len(vector),
                "cardinality": len(deleted),
            }
        return add


def column_values(rng, kind, n_rows):
    """Values with repetitions, and with nulls: none, some, or nothing else."""
    nulls = rng.choice([0, 0, 0.1, 0.4, 1])
    pool = [kind.value(rng) for _ in range(rng.choice([1, 3, 10, 10, 40]))]
    return [None if rng.random() < nulls else rng.choice(pool) for _ in range(n_rows)]


def partition_text(kind, value):
    if isinstance(kind, Boolean):
        return "true" if value else "false"
    if isinstance(kind, Float):
        return {"inf": "Infinity", "-inf": "-Infinity", "nan": "NaN"}.get(repr(value), repr(value))
    if isinstance(kind, Date):
        value = value if -719_162 <= value < 2_932_897 else 0
        return pa.scalar(value, pa.int32()).cast(pa.date32()).as_py().isoformat()
    if isinstance(kind, Stamp):
        stamp = pa.scalar(value, pa.int64()).cast(pa.timestamp("us")).as_py()
        return stamp.isoformat(sep=" ", timespec="microseconds")
    return format(value, "f") if isinstance(kind, DecimalKind) else str(value)


def arrow_array(kind, values):
    """Bit by bit: not-a-number and zero keep theirs."""
    if isinstance(kind, Float):
        value, whole = Float.formats[kind.width]
        bits = [None if v is None else struct.unpack("<" + whole, struct.pack("<" + value, v))[0] for v in values]
        return pa.array(bits, getattr(pa, f"uint{kind.width}")()).view(kind.arrow)
    if isinstance(kind, (Date, Stamp, Clock)):
        return pa.array(values, getattr(pa, f"int{kind.arrow.bit_width}")()).view(kind.arrow)
    if isinstance(kind, Nested) and kind.members:
        mask = pa.array([value is None for value in values], pa.bool_())
        members = [
            arrow_array(member, [None if v is None else v[name] for v in values])
            for name, member in kind.members.items()
        ]
        return pa.StructArray.from_arrays(members, fields=list(kind.arrow), mask=mask)
    if isinstance(kind, Nested):
        offsets = [0]
        for value in values:
            offsets.append(offsets[-1] + len(value or []))
        flat = [part for value in values for part in value or []]
        mask = pa.array([value is None for value in values], pa.bool_())
        ends = pa.array(offsets, pa.int32())
        if pa.types.is_map(kind.arrow):
            keys = arrow_array(kind.parts[0], [key for key, _ in flat])
            items = arrow_array(kind.parts[1], [item for _, item in flat])
            return pa.MapArray.from_arrays(ends, keys, items, type=kind.arrow, mask=mask)
        return pa.ListArray.from_arrays(ends, arrow_array(kind.parts[0], flat), type=kind.arrow, mask=mask)
    return pa.array(values, kind.arrow)


def write_parquet(rng, path, columns, start, end, may_have_old_stamps):
    fields = [pa.field(column.name, column.kind.arrow) for column in columns]
    arrays = [arrow_array(column.kind, column.values[start:end]) for column in columns]
    table = pa.Table.from_arrays(arrays, schema=pa.schema(fields))
    pq.write_table(
        table,
        path,
        use_deprecated_int96_timestamps=may_have_old_stamps and rng.random() < 0.3,
        row_group_size=rng.choice([3, 10, 1000, 100_000]),
        compression=rng.choice(["none", "snappy", "zstd", "gzip"]),
        use_dictionary=rng.random() < 0.5,
        data_page_version=rng.choice(["1.0", "2.0"]),
        data_page_size=rng.choice([100, 1 << 20]),
        store_decimal_as_integer=rng.random() < 0.3,
        store_schema=rng.random() < 0.7,
        write_statistics=rng.random() < 0.7,
        use_compliant_nested_type=rng.random() < 0.7,
    )


def write_log(folder, columns, adds):
    folder.mkdir()
    fields = [{"name": column.name, "type": column.kind.delta, "nullable": True, "metadata": {}} for column in columns]
    schema = {"type": "struct", "fields": fields}
    features = ["deletionVectors"] if any("deletionVector" in add for add in adds) else []
    features += ["timestampNtz"] if "timestamp_ntz" in json.dumps(schema) else []
    protocol = {"minReaderVersion": 1, "minWriterVersion": 2}
    if features:
        protocol = {
            "minReaderVersion": 3,
            "minWriterVersion": 7,
            "readerFeatures": features,
            "writerFeatures": features,
        }
    metadata = {
        "id": "5fba94ed-9794-4965-ba6e-6ee3c0d22af9",
        "format": {"provider": "parquet", "options": {}},
        "schemaString": json.dumps(schema),
        "partitionColumns": [c.name for c in columns if c.is_partition],
        "configuration": {"delta.enableDeletionVectors": "true"} if "deletionVectors" in features else {},
        "createdTime": 1,
    }
    actions = [{"protocol": protocol}, {"metaData": metadata}, *({"add": add} for add in adds)]
    (folder / f"{0:020}.json").write_text("".join(json.dumps(action) + "\n" for action in actions))


def deletion_vector(rows):
    """The rows as a roaring bitmap of 64 bits in its portable form, behind Delta's magic number."""
    containers = {}
    for row in rows:
        containers.setdefault(row >> 16, []).append(row & 0xFFFF)
    head = struct.pack("<II", 12346, len(containers))
    head += b"".join(struct.pack("<HH", key, len(low) - 1) for key, low in containers.items())
    offset = len(head) + 4 * len(containers)
    body, offsets = b"", b""
    for low in containers.values():
        offsets += struct.pack("<I", offset + len(body))
        if len(low) <= 4096:
            body += struct.pack(f"<{len(low)}H", *low)
        else:
            bits = bytearray(8192)
            for value in low:
                bits[value >> 3] |= 1 << (value & 7)
            body += bytes(bits)
    return struct.pack("<IQI", 1_681_511_377, 1, 0) + head + offsets + body


def z85(data):
    """Z85, of whole groups of four bytes."""
    digits = "0123456789abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ.-:+=^!/*?&<>()[]{}@%$#"
    data += b"\0" * (-len(data) % 4)
    text = ""
    for (number,) in struct.iter_unpack(">I", data):
        group = ""
        for _ in range(5):
            number, digit = divmod(number, 85)
            group = digits[digit] + group
        text += group
    return text
