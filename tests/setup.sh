#!/usr/bin/env bash
# Installs what the tests need beside Rust: PostgreSQL's server programs (Debian) and a Python environment with the real
# clients. `start` does both in the background while cargo compiles, `wait` waits for them and shows what went wrong.
set -euo pipefail
cd "$(dirname "$0")/.."

clients_dir=${CHARTER_CLIENTS:?set by the Makefile}
requirements=tests/clients/requirements.txt
log_dir=${TMPDIR:-/tmp}/charterhouse-setup-$(id -u)

postgres() {
  if command -v initdb >/dev/null || ls /usr/lib/postgresql/*/bin/initdb >/dev/null 2>&1; then
    return
  fi
  if [ "$(id -u)" != 0 ] || ! command -v apt-get >/dev/null; then
    echo "PostgreSQL is not installed: install the package \`postgresql\`, or the tests on it are skipped" >&2
    return
  fi
  echo "==> installing PostgreSQL"
  apt-get update -qq
  DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends postgresql
}

clients() {
  local stamp=$clients_dir/.installed
  if [ -f "$stamp" ] && cmp -s "$stamp" "$requirements"; then
    return
  fi
  echo "==> installing the Python clients"
  rm -rf "$clients_dir"
  python3 -m venv "$clients_dir"
  "$clients_dir/bin/pip" install --quiet --disable-pip-version-check -r "$requirements"
  cp "$requirements" "$stamp"
}

case ${1:-} in
postgres) postgres ;;
clients) clients ;;
start)
  mkdir -p "$log_dir"
  rm -f "$log_dir"/done
  ( { postgres && clients; } >"$log_dir/log" 2>&1; echo $? >"$log_dir/done" ) &
  ;;
wait)
  until [ -f "$log_dir/done" ]; do sleep 1; done
  cat "$log_dir/log"
  exit "$(cat "$log_dir/done")"
  ;;
*)
  echo "usage: $0 start|wait|postgres|clients" >&2
  exit 64
  ;;
esac
