"""Reads one table through the gateway with the clients that people use, and prints what they saw as one JSON line.

The credentials come from the environment, as `charter credentials TABLE` prints them.

    read.py CLIENT [--column COLUMN] [--below COLUMN<NUMBER] [--version N]
"""

import argparse
import json
import os
import sys


def storage_options():
    names = ["AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "AWS_SESSION_TOKEN", "AWS_ENDPOINT_URL", "AWS_REGION",
             "AWS_ALLOW_HTTP"]
    return {name: os.environ[name] for name in names}


def with_deltalake(args):
    import deltalake
    import pyarrow.compute as pc

    table = deltalake.DeltaTable(os.environ["CHARTER_TABLE_URI"], version=args.version,
                                 storage_options=storage_options())
    rows = table.to_pyarrow_dataset()
    if args.below:
        column, bound = args.below.split("<")
        rows = rows.filter(pc.field(column) < int(bound))
    rows = rows.to_table()
    adds = deltalake_stats(table)
    return {"version": table.version(), "rows": rows.num_rows, "columns": rows.column_names,
            "sum": pc.sum(rows[args.column]).as_py() if args.column else None, "files": adds}


def deltalake_stats(table):
    """What the log's statistics say of each file: counts and least distances, which must never be a bad file's."""
    import pyarrow

    actions = pyarrow.table(table.get_add_actions(flatten=True))
    wanted = ["num_records", "min.distance", "max.dest", "null_count.carrier"]
    return actions.select([name for name in wanted if name in actions.column_names]).to_pylist()


def with_polars(args):
    import polars

    options = {key.lower(): value for key, value in storage_options().items()}
    frame = polars.scan_delta(os.environ["CHARTER_TABLE_URI"], version=args.version, storage_options=options)
    if args.below:
        column, bound = args.below.split("<")
        frame = frame.filter(polars.col(column) < int(bound))
    frame = frame.collect()
    return {"rows": frame.height, "columns": frame.columns, "sum": frame[args.column].sum() if args.column else None}


def with_pyarrow(args):
    import pyarrow.compute as pc
    import pyarrow.dataset
    import pyarrow.fs

    endpoint = os.environ["AWS_ENDPOINT_URL"]
    scheme, _, host = endpoint.partition("://")
    files = pyarrow.fs.S3FileSystem(access_key=os.environ["AWS_ACCESS_KEY_ID"],
                                    secret_key=os.environ["AWS_SECRET_ACCESS_KEY"],
                                    session_token=os.environ["AWS_SESSION_TOKEN"], region=os.environ["AWS_REGION"],
                                    scheme=scheme, endpoint_override=host)
    folder = os.environ["CHARTER_TABLE_URI"].removeprefix("s3://")
    found = files.get_file_info(pyarrow.fs.FileSelector(folder, recursive=True))
    data = [info.path for info in found if info.path.endswith(".parquet") and "/_" not in info.path]
    rows, total, columns = 0, 0, []
    for path in data:
        table = pyarrow.dataset.dataset(path, filesystem=files, format="parquet").to_table()
        rows += table.num_rows
        columns += [name for name in table.column_names if name not in columns]
        total += pc.sum(table[args.column]).as_py() if args.column else 0
    return {"rows": rows, "columns": columns, "sum": total if args.column else None, "keys": sorted(data),
            "listed": sorted(info.path for info in found)}


CLIENTS = {"deltalake": with_deltalake, "polars": with_polars, "pyarrow": with_pyarrow}


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("client", choices=CLIENTS)
    parser.add_argument("--column", help="add this column up")
    parser.add_argument("--below", metavar="COLUMN<NUMBER", help="only rows below a bound, so that files are pruned")
    parser.add_argument("--version", type=int, help="ask for this version of the table")
    args = parser.parse_args()
    try:
        answer = CLIENTS[args.client](args)
    except Exception as error:  # a refusal is an answer here: the journey compares it
        print(json.dumps({"error": type(error).__name__, "message": str(error)[:2000]}))
        return 1
    print(json.dumps(answer))
    return 0


if __name__ == "__main__":
    sys.exit(main())
