#!/usr/bin/env bash
# Installs what the tests need beside Rust: PostgreSQL's server programs (Debian) and a Python environment with the real
# clients. `start` does both in the background while cargo compiles, `wait` waits for them and shows what they said.
set -euo pipefail
cd "$(dirname "$0")/.."

clients_dir=${CHARTER_CLIENTS:?set by the Makefile}
requirements=tests/clients/requirements.txt
log=$clients_dir.log

apt_install() {
  if [ "$(id -u)" != 0 ] || ! command -v apt-get >/dev/null; then
    return 1
  fi
  apt-get update -qq
  DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends "$@"
}

postgres() {
  if command -v initdb >/dev/null || ls /usr/lib/postgresql/*/bin/initdb >/dev/null 2>&1; then
    return
  fi
  echo "==> installing PostgreSQL"
  apt_install postgresql ||
    echo "PostgreSQL is not installed: install the package \`postgresql\`, or the tests on it are skipped" >&2
}

clients() {
  local stamp=$clients_dir/.installed
  if [ -f "$stamp" ] && cmp -s "$stamp" "$requirements"; then
    return
  fi
  echo "==> installing the Python clients"
  python3 -c 'import ensurepip' 2>/dev/null || apt_install python3 python3-venv
  rm -rf "$clients_dir"
  python3 -m venv "$clients_dir"
  "$clients_dir/bin/pip" install --quiet --disable-pip-version-check -r "$requirements"
  cp "$requirements" "$stamp"
}

case ${1:-} in
postgres) postgres ;;
clients) clients ;;
both) postgres; clients ;;
start)
  mkdir -p "$(dirname "$clients_dir")"
  rm -f "$log.done"
  # A process of its own, so that the first failure ends it and its exit code is kept whatever it is.
  ( code=0; tests/setup.sh both >"$log" 2>&1 || code=$?; echo "$code" >"$log.done" ) &
  ;;
wait)
  until [ -f "$log.done" ]; do sleep 1; done
  cat "$log"
  exit "$(cat "$log.done")"
  ;;
*)
  echo "usage: $0 start|wait|both|postgres|clients" >&2
  exit 64
  ;;
esac
