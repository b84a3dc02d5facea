"""Counts with DuckDB what the worker's rules count.

Standard input: a list of tables, each a Parquet file and expressions over it. Standard output: for each table the list
of their values, in one line of JSON.
"""

import json
import sys

import duckdb

connection = duckdb.connect(config={"TimeZone": "UTC", "threads": 1})
found = []
for table in json.load(sys.stdin):
    connection.execute(f"CREATE OR REPLACE TABLE t AS SELECT * FROM read_parquet('{table['file']}')")
    found.append([])
    for expression in table["expressions"]:
        try:
            found[-1].append(connection.execute(f"SELECT {expression} FROM t").fetchone()[0])
        except duckdb.Error as error:
            found[-1].append(f"{expression}: {error}")
print(json.dumps(found))
