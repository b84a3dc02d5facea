"""Loads the judged catalog into a server as its domains would, with `charter apply`, asks its queries through GraphQL as
a reader without roles, and scores the answers. Standard library only.

    python relevance.py CHARTER COLLECTION FOLDER

CHARTER is the program, COLLECTION the folder of the judged collection. FOLDER gets the documents, the server's data and
the run; a second call takes them as they are.
"""

import json
import os
import re
import subprocess
import sys
import time
import urllib.request
from pathlib import Path

DEPTH = 50
SEARCH = """query($text: String!, $first: Int!) {
  search(text: $text, first: $first) { partial hits { product { name domain { path } } } }
}"""


class Server:
    """The program on a data directory, ready for requests."""

    def __init__(self, charter, data):
        data.mkdir(parents=True, exist_ok=True)
        self.charter = charter
        command = [charter, "serve", "--data", data, "--listen", "127.0.0.1:0", "--gateway-listen", "127.0.0.1:0"]
        log = open(data / "log", "a")
        self.process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=log, text=True)
        self.first_token = None
        for line in self.process.stdout:
            if found := re.fullmatch(r"charter listens on (\S+)\n", line):
                self.url = found[1]
            elif line.startswith("gateway listens on"):
                break
            elif " " not in line.strip() and line.strip():
                self.first_token = line.strip()

    def run(self, token, *args):
        environment = os.environ | {"CHARTER_SERVER": self.url, "CHARTER_TOKEN": token}
        done = subprocess.run([self.charter, *args], env=environment, stdout=subprocess.PIPE, text=True, check=True)
        return done.stdout.strip()

    def ask(self, token, query, variables):
        body = json.dumps({"query": query, "variables": variables}).encode()
        headers = {"Content-Type": "application/json", "Authorization": f"Bearer {token}"}
        with urllib.request.urlopen(urllib.request.Request(f"{self.url}/graphql", body, headers)) as answer:
            answer = json.load(answer)
        assert "errors" not in answer, answer
        return answer["data"]


def load(server, documents):
    """The domains, each with an owner, and their products."""
    admin = server.run(server.first_token, "token", "create")
    sets = [line.split("\t") for line in (documents / "order.tsv").read_text().splitlines()]
    domains = list(dict.fromkeys(domain for domain, *_ in sets))
    server.run(admin, "principal", "create", "reader")
    server.run(admin, "principal", "create", "owner")
    for domain in domains:
        server.run(admin, "domain", "create", domain)
        server.run(admin, "role", "assign", "owner", "owner", "--domain", domain)
    owner = server.run(admin, "token", "create", "owner")
    for number, (domain, folder, n_documents, _) in enumerate(sets, 1):
        if sys.stderr.isatty():
            print(f"\rset {number} of {len(sets)}: {folder}, {n_documents} documents  ", end="", file=sys.stderr)
        server.run(owner, "apply", "-d", domain, "--yes", str(documents / folder))
    (documents.parent / "reader-token").write_text(server.run(admin, "token", "create", "reader"))
    return len(sets)


def main():
    charter, collection, folder = Path(sys.argv[1]), Path(sys.argv[2]), Path(sys.argv[3])
    documents, run = folder / "documents", folder / "run.tsv"
    if not (documents / "order.tsv").exists():
        subprocess.run([sys.executable, collection / "to_documents.py", collection / "catalog.jsonl.gz", documents], check=True)
    server = Server(charter, folder / "data")
    try:
        if server.first_token:
            began = time.monotonic()
            n_sets = load(server, documents)
            print(f"{n_sets} sets applied in {time.monotonic() - began:.0f} s")
        reader = (folder / "reader-token").read_text()
        while server.ask(reader, SEARCH, {"text": "", "first": 1})["search"]["partial"]:
            time.sleep(0.2)
        lines, times = [], []
        for query in map(json.loads, (collection / "dev-queries.jsonl").read_text().splitlines()):
            began = time.perf_counter()
            answer = server.ask(reader, SEARCH, {"text": query["query"], "first": DEPTH})["search"]
            times.append(time.perf_counter() - began)
            assert not answer["partial"]
            for rank, hit in enumerate(answer["hits"], 1):
                product = hit["product"]
                lines.append(f"{query['qid']}\t{rank}\t{product['domain']['path']}.{product['name']}\n")
        run.write_text("".join(lines))
        times.sort()
        print(f"{len(times)} queries, first {DEPTH}: p50 {times[len(times) // 2] * 1e3:.1f} ms, slowest {times[-1] * 1e3:.1f} ms")
    finally:
        server.process.terminate()
        server.process.wait()
    against = []
    if (baseline := folder / "bm25f.tsv").exists() or make_baseline(collection, baseline):
        against = ["--against", baseline]
    queries, labels = collection / "dev-queries.jsonl", collection / "dev-qrels.tsv"
    subprocess.run([sys.executable, collection / "evaluate.py", queries, labels, run, *against], check=True)


def make_baseline(collection, path):
    command = [sys.executable, collection / "baseline.py", "bm25f", collection / "catalog.jsonl.gz", collection / "dev-queries.jsonl"]
    with open(path, "w") as out:
        subprocess.run(command, stdout=out, check=True)
    return True


if __name__ == "__main__":
    main()
