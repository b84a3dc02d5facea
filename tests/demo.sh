#!/usr/bin/env bash
# The main job on a small table, as a producer, an owner and a consumer would do it by hand. Everything is real: the
# server, the table (Delta, written by charter-worker), the gate and, if installed, the Python clients.
set -euo pipefail
cd "$(dirname "$0")/.."

once=${1:-}
bin=${CARGO_TARGET_DIR:-$PWD/target}/debug
charter=$bin/charter
data=$(mktemp -d "${TMPDIR:-/tmp}/charter-demo.XXXXXX")
table=nyc.flights.flights

server_pid=
stop() {
  [ -z "$server_pid" ] || kill "$server_pid" 2>/dev/null || true
  [ -z "$server_pid" ] || wait "$server_pid" 2>/dev/null || true
  rm -rf "$data"
}
trap stop EXIT

if [ -t 1 ]; then bold=$'\e[1m' plain=$'\e[0m'; else bold= plain=; fi
step() { printf '\n%s%s%s\n' "$bold" "$1" "$plain"; }
# Prints a person's command and runs it.
as() {
  local who=$1
  shift
  printf '  %s$ charter %s\n' "$who" "$*"
  CHARTER_TOKEN=${token[$who]} "$charter" "$@" 2>&1 | sed 's/^/    /'
}
# The same for a command that must fail with exit code 2.
refused() {
  local who=$1 code=0
  shift
  printf '  %s$ charter %s\n' "$who" "$*"
  CHARTER_TOKEN=${token[$who]} "$charter" "$@" >"$data/refused" 2>&1 || code=$?
  sed 's/^/    /' "$data/refused"
  [ "$code" = 2 ] || { echo "    expected exit code 2, got $code" >&2; exit 1; }
}
lay() { "$bin/charter-worker" make-demo "$data/lake/nyc/flights" --through "$1"; }
field() { python3 -c 'import json, sys; print(json.load(sys.stdin)[sys.argv[1]]["id"])' "$1"; }

step "Start a server without external services"
mkdir -p "$data/lake/nyc"
"$charter" serve --data "$data" --listen 127.0.0.1:0 --gateway-listen 127.0.0.1:0 >"$data/out" 2>"$data/log" &
server_pid=$!
until grep -q '^gateway listens on' "$data/out" 2>/dev/null; do
  kill -0 "$server_pid" 2>/dev/null || { cat "$data/log" >&2; exit 1; }
  sleep 0.05
done
CHARTER_SERVER=$(sed -n 's/^charter listens on //p' "$data/out")
export CHARTER_SERVER
sed -n 's/^\(charter\|gateway\) listens/  \1 listens/p' "$data/out"

declare -A token
token[admin]=$(CHARTER_TOKEN=$(grep -v ' ' "$data/out" | head -n 1) "$charter" token create)

step "An admin creates a domain and its people: ann owns it, bob is an analyst"
as admin domain create nyc
for who in ann bob; do
  as admin principal create $who
  token[$who]=$(CHARTER_TOKEN=${token[admin]} "$charter" token create $who)
done
as admin role assign ann owner --domain nyc

step "ann publishes a product with its contract, and the table is inspected"
lay 0
as ann apply -d nyc tests/demo/flights.product.yaml tests/demo/flights.contract.yaml
as ann inspect $table --wait

step "bob finds it, and is refused: reading needs a grant"
as bob product show nyc.flights
refused bob why $table

step "bob requests access, ann approves"
request=$(CHARTER_TOKEN=${token[bob]} "$charter" access request $table --purpose analytics \
  --sentence "which flights are late, and why" --json | field request)
as ann access list
grant=$(CHARTER_TOKEN=${token[ann]} "$charter" access approve "$request" --json | field grant)
as bob why $table

step "bob reads with ordinary clients; the credentials cover this table only, at the inspected version"
CHARTER_TOKEN=${token[bob]} "$charter" credentials $table >"$data/credentials"
cut -c -60 "$data/credentials" | sed 's/^/    /; s/$/ .../'
python=${CHARTER_CLIENTS:+$CHARTER_CLIENTS/bin/python}
# Reads the table with a real client and the credentials above.
read_table() {
  # shellcheck disable=SC1091
  (set -a; . "$data/credentials"; "$python" tests/clients/read.py "$1" --column distance "${@:2}") >"$data/read" || return 1
}
reads() {
  [ -x "$python" ] || return 0
  read_table "$@" || { cat "$data/read" >&2; echo "    $1 failed to read" >&2; exit 1; }
  cut -c -140 "$data/read" | sed "s/^/    $1: /"
}
cannot_read() {
  [ -x "$python" ] || return 0
  ! read_table "$@" || { cat "$data/read" >&2; echo "    $1 could read, but must not" >&2; exit 1; }
  cut -c -140 "$data/read" | sed "s/^/    $1: /"
}
[ -x "$python" ] || echo "    (run make clients to install deltalake, polars and pyarrow; without them this step is skipped)"
for client in deltalake polars pyarrow; do reads $client; done

step "A bad batch lands: null carriers, negative distances, duplicates"
lay 2
refused ann inspect $table --wait
refused bob credentials $table
echo "  bob's existing lease still reads the inspected version:"
reads deltalake
echo "  and cannot read the bad version:"
cannot_read deltalake --version 2

step "ann deletes the bad rows and loads the good ones: the gate opens again"
lay 4
as ann inspect $table --wait
as bob why $table

step "A contract that breaks its readers is refused before it takes effect"
refused ann apply -d nyc tests/demo/breaking.contract.yaml

step "ann revokes the grant: the next request under bob's open lease is refused"
as ann access revoke "$grant" --reason "the project ended"
cannot_read deltalake
refused bob credentials $table

step "Everything is recorded"
as admin audit list --limit 12

if [ "$once" = --once ]; then
  step "Done."
  exit 0
fi
step "The server is still running. Look around, then press Ctrl-C:"
if grep -q '^page at ' "$data/out"; then
  echo "  the web page, signed in as ann (once, within 5 minutes; \`charter login\` makes another link):"
  echo "  $(CHARTER_TOKEN=${token[ann]} "$charter" login 2>/dev/null)"
else
  sed -n 's/^page is not/  the web page is not/p' "$data/out"
fi
cat <<END
  export CHARTER_SERVER=$CHARTER_SERVER
  export CHARTER_TOKEN=${token[ann]}
  $charter why $table
END
wait "$server_pid"
