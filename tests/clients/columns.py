"""Reads random columns of a table through the gateway with the clients that people use.

    columns.py make FOLDER      write the Delta tables `large` and `small`, and print their columns as JSON
    columns.py serve            answer queries, one JSON object a line, each with the number of rows or an error

A query names its client, the columns that it selects, and a column that it filters by, or none.
"""

import datetime
import json
import os
import sys

# A value that is not known from statistics: each row group has values on both sides.
BOUND = 0


def make(folder):
    import deltalake
    import numpy
    import pyarrow as pa

    random = numpy.random.default_rng(7)

    def table(rows):
        numbers = random.integers(-(1 << 40), 1 << 40, (4, rows))
        floats = random.normal(size=(3, rows))
        moments = random.integers(0, 1 << 50, rows)
        pairs = pa.StructArray.from_arrays([pa.array(numbers[2]), pa.array(floats[2])], ["x", "y"])
        lists = pa.ListArray.from_arrays(pa.array(numpy.arange(rows + 1), pa.int32()), pa.array(numbers[3]))
        return pa.table({
            "id": pa.array(numbers[0]),
            "amount": pa.array(floats[0]),
            "code": pa.array([f"{number:016x}" for number in numbers[1] + (1 << 40)]),
            "word": pa.array([f"word {number % 60_000}" for number in numbers[2]]),
            "at": pa.array(moments, pa.timestamp("us", "UTC")),
            "share": pa.array(floats[1]),
            "pair": pairs,
            "list": lists,
            "count": pa.array(numbers[1]),
            "ratio": pa.array(floats[2]),
            "note": pa.array([f"a note of {number}" for number in numbers[3]]),
            "last": pa.array(numbers[3]),
        })

    def write(name, rows, row_group, **options):
        properties = deltalake.WriterProperties(max_row_group_size=row_group, write_batch_size=4096)
        path = os.path.join(folder, name)
        data = table(rows)
        if options:
            days = [datetime.date(2026, 1, 1 + day % 3) for day in range(rows)]
            data = data.append_column("day", pa.array(days, pa.date32()))
        deltalake.write_deltalake(path, data, writer_properties=properties, **options)
        return data.column_names

    columns = {
        "large": write("large", 400_000, 200_000),
        "small": write("small", 6_000, 1_000, partition_by=["day"]),
    }
    print(json.dumps(columns))


def with_deltalake(query):
    import deltalake

    table = deltalake.DeltaTable(query["uri"], storage_options=query["options"])
    names = ", ".join(f'"{name}"' for name in query["select"])
    where = f' where "{query["filter"]}" >= {BOUND}' if query["filter"] else ""
    builder = deltalake.QueryBuilder().register("t", table)
    return sum(batch.num_rows for batch in builder.execute(f"select {names} from t{where}").read_all().to_batches())


def condition(query):
    import pyarrow.compute as pc

    return pc.field(query["filter"]) >= BOUND if query["filter"] else None


def with_deltalake_dataset(query):
    import deltalake

    table = deltalake.DeltaTable(query["uri"], storage_options=query["options"])
    return table.to_pyarrow_dataset().to_table(columns=query["select"], filter=condition(query)).num_rows


def dataset(query):
    import pyarrow.dataset
    import pyarrow.fs

    options = query["options"]
    scheme, _, host = options["AWS_ENDPOINT_URL"].partition("://")
    files = pyarrow.fs.S3FileSystem(access_key=options["AWS_ACCESS_KEY_ID"],
                                    secret_key=options["AWS_SECRET_ACCESS_KEY"],
                                    session_token=options["AWS_SESSION_TOKEN"], region=options["AWS_REGION"],
                                    scheme=scheme, endpoint_override=host)
    found = files.get_file_info(pyarrow.fs.FileSelector(query["uri"].removeprefix("s3://"), recursive=True))
    paths = [info.path for info in found if info.path.endswith(".parquet") and "/_" not in info.path]
    return pyarrow.dataset.dataset(paths, filesystem=files, format="parquet")


def with_pyarrow(query):
    return dataset(query).to_table(columns=query["select"], filter=condition(query)).num_rows


def with_duckdb(query):
    """DuckDB's own reader of S3 is an extension that the wheel lacks, so it reads through pyarrow."""
    import duckdb

    data = dataset(query)
    names = ", ".join(f'"{name}"' for name in query["select"])
    where = f' where "{query["filter"]}" >= {BOUND}' if query["filter"] else ""
    return len(duckdb.connect().sql(f"select {names} from data{where}").fetchall())


def frame_of(frame, query):
    import polars

    if query["filter"]:
        frame = frame.filter(polars.col(query["filter"]) >= BOUND)
    return frame.select(query["select"]).collect().height


def lower(options):
    return {key.lower(): value for key, value in options.items()}


def with_polars_delta(query):
    import polars

    return frame_of(polars.scan_delta(query["uri"], storage_options=lower(query["options"])), query)


def with_polars_parquet(query):
    import polars

    pattern = "/day=*/*.parquet" if query["partitioned"] else "/*.parquet"
    frame = polars.scan_parquet(query["uri"] + pattern, storage_options=lower(query["options"]))
    return frame_of(frame, query)


CLIENTS = {
    "deltalake": with_deltalake,
    "deltalake_dataset": with_deltalake_dataset,
    "pyarrow": with_pyarrow,
    "polars_delta": with_polars_delta,
    "polars_parquet": with_polars_parquet,
    "duckdb_pyarrow": with_duckdb,
}


def serve():
    for line in sys.stdin:
        query = json.loads(line)
        try:
            answer = {"rows": CLIENTS[query["client"]](query)}
        except Exception as error:  # the test fails by it
            answer = {"error": f"{type(error).__name__}: {str(error)[:500]}"}
        print(json.dumps(answer), flush=True)


if __name__ == "__main__":
    make(sys.argv[2]) if sys.argv[1] == "make" else serve()
