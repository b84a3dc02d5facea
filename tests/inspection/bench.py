"""Measures an inspection against DuckDB, which counts the same in one query with the same number of threads.

The table is generated, the same at every run: 10,000,000 rows of 20 columns, 18 rules, two of which count keys. Both
read the same Parquet files. Prints what was measured, and the ratios.

    python bench.py WORKER FOLDER [ROWS]
"""

import json
import os
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import NamedTuple

import duckdb
import numpy as np
import pyarrow as pa
import pyarrow.compute as compute
from deltalake import DeltaTable, write_deltalake

THREADS = 2
ROUNDS = 5
CHUNK = 1_000_000
COUNTRIES = ["DE", "FR", "NL", "US", "GB", "ES", "IT", "PL", "SE", "NO", "FI", "DK", "AT", "CH", "BE", "CZ"]
STATUS = ["new", "paid", "packed", "sent", "returned"]
CURRENCY = ["EUR", "USD", "GBP", "CHF", "PLN"]
CHANNEL = ["web", "app", "shop", "phone"]
WORDS = np.array(["gift", "express", "fragile", "call before", "leave at door", "no invoice", "repeat order"])


def digits(prefix, numbers, width):
    return compute.binary_join_element_wise(prefix, compute.utf8_lpad(pa.array(numbers).cast(pa.string()), width, "0"), "")


def rows(first, n):
    """Rows with these numbers. About one in 100,000 breaks each of half of the rules."""
    chance = np.random.default_rng(first)
    number = np.arange(first, first + n)
    # A permutation of 32-bit numbers: distinct, in no order.
    key = number * 2_654_435_761 % (1 << 32)
    broken = chance.random(n) < 1e-5
    pick = lambda values: np.array(values)[chance.integers(0, len(values), n)]
    moment = (1_700_000_000 + number // 50) * 1_000_000
    return pa.table(
        {
            "id": pa.array(np.where(broken, key[0], key)),
            "code": digits("ORD-", np.where(broken, first, number), 10),
            "customer": pa.array(chance.integers(0, 2_000_000, n).astype(np.int32)),
            "status": pa.array(np.where(broken, "lost", pick(STATUS))),
            "country": pa.array(np.where(broken, "de", pick(COUNTRIES))),
            "currency": pa.array(pick(CURRENCY)),
            "channel": pa.array(pick(CHANNEL), mask=broken),
            "sku": digits("SKU-", np.where(broken, 1_000_000_000, chance.integers(0, 20_000, n)), 6),
            "postal": digits("", chance.integers(0, 5_000, n), 5),
            "quantity": pa.array(np.where(broken, -1, chance.integers(1, 50, n)).astype(np.int16)),
            "amount": pa.array(chance.integers(1, 100_000, n)).cast(pa.decimal128(19, 0)).cast(pa.decimal128(12, 2)),
            "price": pa.array(np.where(broken, np.nan, chance.integers(1, 5_000, n) / 4)),
            "discount": pa.array((chance.integers(0, 20, n) * 5).astype(np.float32)),
            "weight": pa.array(chance.integers(1, 2_000, n) / 8),
            "score": pa.array(chance.integers(0, 1_000, n).astype(np.int32)),
            "paid": pa.array(chance.random(n) < 0.9),
            "note": pa.array(WORDS[chance.integers(0, len(WORDS), n)], mask=chance.random(n) < 0.8),
            "day": pa.array((19_000 + number // 50_000).astype(np.int32)).cast(pa.date32()),
            "created": pa.array(moment).cast(pa.timestamp("us", tz="UTC")),
            "shipped": pa.array(moment, mask=chance.random(n) < 0.3).cast(pa.timestamp("us", tz="UTC")),
        }
    )


def text(values):
    return [{"text": value} for value in values]


def integer(value, exclusive=False):
    return {"value": {"integer": value}, "exclusive": exclusive}


def moment(value):
    return {"value": {"text": value}, "exclusive": False}


def bounds(column, minimum, maximum):
    return {"out_of_range": {"column": [column], "minimum": minimum, "maximum": maximum}}


# What is counted: for the worker, and in SQL.
RULES = [
    ({"duplicate_values": {"columns": [["id"]]}}, "count(id) - count(DISTINCT id)"),
    ({"duplicate_values": {"columns": [["code"]]}}, "count(code) - count(DISTINCT code)"),
    ({"null_values": {"column": ["id"]}}, "count(*) - count(id)"),
    ({"null_values": {"column": ["code"]}}, "count(*) - count(code)"),
    ({"null_values": {"column": ["customer"]}}, "count(*) - count(customer)"),
    ({"null_values": {"column": ["channel"]}}, "count(*) - count(channel)"),
    ({"invalid_values": {"column": ["status"], "values": text(STATUS)}},
     f"count_if(status NOT IN {tuple(STATUS)})"),
    ({"invalid_values": {"column": ["currency"], "values": text(CURRENCY)}},
     f"count_if(currency NOT IN {tuple(CURRENCY)})"),
    ({"invalid_pattern": {"column": ["country"], "pattern": "^[A-Z]{2}$"}},
     "count_if(NOT regexp_matches(country, '^[A-Z]{2}$'))"),
    ({"invalid_pattern": {"column": ["sku"], "pattern": "^SKU-[0-9]{6}$"}},
     "count_if(NOT regexp_matches(sku, '^SKU-[0-9]{6}$'))"),
    ({"length": {"column": ["postal"], "minimum": 5, "maximum": 5}}, "count_if(length(postal) <> 5)"),
    ({"length": {"column": ["note"], "minimum": 1, "maximum": 40}}, "count_if(length(note) NOT BETWEEN 1 AND 40)"),
    (bounds("quantity", integer(1), integer(100)), "count_if(quantity NOT BETWEEN 1 AND 100)"),
    (bounds("amount", integer(0, True), integer(1_000_000)), "count_if(amount <= 0 OR amount > 1000000)"),
    # Not-a-number is in no range; to DuckDB it is above every number.
    (bounds("price", integer(0), integer(10_000)), "count_if(NOT (price >= 0 AND price <= 10000))"),
    ({"not_multiple_of": {"column": ["discount"], "divisor": "5"}}, "count_if(discount % 5 <> 0)"),
    (bounds("score", integer(0), integer(999)), "count_if(score NOT BETWEEN 0 AND 999)"),
    (bounds("created", moment("2023-01-01T00:00:00Z"), moment("2030-01-01T00:00:00Z")),
     "count_if(created NOT BETWEEN TIMESTAMPTZ '2023-01-01 00:00:00+00' AND TIMESTAMPTZ '2030-01-01 00:00:00+00')"),
]
ADDITIVE = RULES[2:]


def rule(check):
    return {"key": "rule", "check": check, "operator": {"must_be": 0.0}, "unit": "rows", "severity": "error", "title": ""}


def generate(folder, n_rows):
    """The table, and the same after another thousandth of its rows was appended."""
    last = (n_rows - 1) // CHUNK
    if not (folder / f"_delta_log/{last + 1:020}.json").exists():
        shutil.rmtree(folder, ignore_errors=True)
        for first in range(0, n_rows, CHUNK):
            write_deltalake(folder, rows(first, min(CHUNK, n_rows - first)), mode="append")
        write_deltalake(folder, rows(n_rows, n_rows // 1000), mode="append")
    return DeltaTable(folder, version=last), DeltaTable(folder, version=last + 1)


def inspect(worker, table, rules, kept=None):
    """One inspection: the counts, seconds, processor seconds, peak bytes, what was read, and what it keeps."""
    with tempfile.TemporaryDirectory() as scratch:
        limits = {"memory_bytes": 8 << 30, "cpu_seconds": 600, "query_seconds": 60, "server": os.getpid(),
                  "sandbox_required": False}
        job = {"limits": limits, "format": "delta", "root": path(table.table_uri),
               "snapshot": f"delta:{table.version()}", "rules": [rule(check) for check, _ in rules], "digests": False,
               "kept": kept or {"checks": [], "files": []}, "scratch": scratch}
        job = json.dumps(job).encode()
        began = time.perf_counter()
        process = subprocess.Popen([worker, "inspect"], stdin=subprocess.PIPE, stdout=subprocess.PIPE)
        process.stdin.write(job)
        process.stdin.close()
        report = process.stdout.read().splitlines()
        _, status, usage = os.wait4(process.pid, 0)
        seconds = time.perf_counter() - began
        process.returncode = os.waitstatus_to_exitcode(status)
    assert process.returncode == 0, report
    inspected = json.loads(report[0])["outcome"]["inspected"]
    counts = [measured.get("value") for measured in inspected["measured"]]
    kept = {"checks": inspected["kept_checks"], "files": [json.loads(line) for line in report[1:]][inspected["n_files"]:]}
    cpu, peak = usage.ru_utime + usage.ru_stime, usage.ru_maxrss * 1024
    return Run(counts, seconds, cpu, peak, inspected["read"], kept)


class Run(NamedTuple):
    counts: list
    seconds: float
    cpu: float
    peak: int
    read: dict | None = None
    kept: dict | None = None


def path(uri):
    return str(Path(uri.removeprefix("file://")))


QUERY = """
import json, resource, sys, time, duckdb
files, sql, threads = json.load(sys.stdin)
connection = duckdb.connect(config={"threads": threads})
connection.execute("SET enable_progress_bar = false")
began = time.perf_counter()
row = connection.execute(sql.replace("FILES", repr(files))).fetchone()
seconds = time.perf_counter() - began
usage = resource.getrusage(resource.RUSAGE_SELF)
print(json.dumps([[float(count) for count in row], seconds, usage.ru_utime + usage.ru_stime, usage.ru_maxrss * 1024]))
"""


def query(table, rules):
    """The same of DuckDB, in a process of its own. Its start does not count."""
    files = [path(uri) for uri in table.file_uris()]
    sql = f"SELECT {', '.join(count for _, count in rules)} FROM read_parquet(FILES)"
    done = subprocess.run([sys.executable, "-c", QUERY], input=json.dumps([files, sql, THREADS]), text=True,
                          stdout=subprocess.PIPE, check=True)
    return Run(*json.loads(done.stdout))


def compare(what, worker, tables, rules):
    """Both in turn, then the worker again after rows were appended, with what it kept."""
    before, after = tables
    ours, theirs, again = [], [], []
    for _ in range(ROUNDS):
        ours.append(inspect(worker, before, rules))
        theirs.append(query(before, rules))
        again.append(inspect(worker, after, rules, ours[-1].kept))
        assert ours[-1].counts == theirs[-1].counts, f"other counts: {ours[-1].counts} and {theirs[-1].counts}"
    assert again[-1].counts == query(after, rules).counts, "other counts after the appended rows"
    print(f"{what}: worker: {measured(ours)}; read {ours[-1].read}")
    print(f"{what}: DuckDB {duckdb.__version__}: {measured(theirs)}")
    print(f"{what}: worker / DuckDB: {ratio(ours, theirs)}")
    print(f"{what}: after 0.1 % of the rows were appended: {measured(again)}; read {again[-1].read}")
    print(f"{what}: after / before: {ratio(again, ours)}")


def median(runs, field):
    return statistics.median(getattr(run, field) for run in runs)


def measured(runs):
    seconds = [run.seconds for run in runs]
    return (f"median {median(runs, 'seconds'):.3f} s ({min(seconds):.3f} to {max(seconds):.3f}), processor "
            f"{median(runs, 'cpu'):.3f} s, peak {max(run.peak for run in runs) / 2**20:.0f} MiB")


def ratio(some, others):
    return " and ".join(f"{median(some, field) / median(others, field):.3f} of the {what}"
                        for field, what in [("seconds", "time"), ("cpu", "processor time")])


def main():
    worker, folder = sys.argv[1], Path(sys.argv[2])
    n_rows = int(sys.argv[3]) if len(sys.argv) > 3 else 10_000_000
    os.sched_setaffinity(0, sorted(os.sched_getaffinity(0))[:THREADS])
    tables = generate(folder, n_rows)
    files = [Path(path(uri)) for uri in tables[0].file_uris()]
    n_bytes = sum(file.stat().st_size for file in files)
    print(f"input: {n_rows} rows, 20 columns, {len(files)} files, {n_bytes / 1e6:.0f} MB; {len(RULES)} rules, "
          f"2 of them count keys; {THREADS} threads each, {ROUNDS} rounds in turn")
    compare("all rules", worker, tables, RULES)
    compare("rules that add up", worker, tables, ADDITIVE)


if __name__ == "__main__":
    main()
