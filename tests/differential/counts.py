"""Writes random tables, a contract over each, and what DuckDB counts for every rule of it.

    counts.py FOLDER --seed N --tables N --rules N

Each table gets a folder of its own: `table`, `contract.json`, and `expected.json`, which has the format and a list of
`rules` with `object`, `key` and `expected`: a number, a number with what it may differ by, or `"error"`.
"""

import argparse
import json
import random
from pathlib import Path

import duckdb
from rules import Contract
from tables import Table


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("folder", type=Path)
    parser.add_argument("--seed", type=int, required=True)
    parser.add_argument("--tables", type=int, required=True)
    parser.add_argument("--rules", type=int, required=True)
    args = parser.parse_args()
    duck = duckdb.connect(config={"threads": 1})
    duck.execute("SET TimeZone = 'UTC'")
    for index in range(args.tables):
        # Each table has a seed of its own, so that it can be made again alone.
        make(random.Random(args.seed + index), args.folder / str(index), args.rules, duck)


def make(rng, folder, n_rules, duck):
    table = Table(rng, rng.choice(["delta", "delta", "parquet"]))
    rows = table.write(rng, folder / "table")
    contract = Contract(rng, table)
    contract.fill(n_rules)
    duck.execute(f"CREATE OR REPLACE TABLE t AS {rows}")
    (folder / "contract.json").write_text(contract.text())
    (folder / "expected.json").write_text(json.dumps({"format": table.format, "rules": measured(contract, duck)}))


def measured(contract, duck):
    (n_rows,) = duck.execute("SELECT count(*) FROM t").fetchone()
    texts = [sql for _, _, sql, _ in contract.expected if isinstance(sql, str)]
    numbers = iter(duck.execute(f"SELECT {', '.join(texts)} FROM t").fetchone() if texts else [])
    found = []
    for name, key, sql, is_percent in contract.expected:
        expected = next(numbers) if isinstance(sql, str) else sql(duck)
        if is_percent:
            expected = expected * 100 / n_rows if n_rows else 0
        found.append({"object": name, "key": key, "expected": expected})
    return found


if __name__ == "__main__":
    main()
