#!/usr/bin/env bash
# Installs what the tests need besides Rust: PostgreSQL's server programs (Debian), a Python environment with the real
# clients, and the JVM's registry client with a JDK to run it. `start` runs in the background while cargo compiles,
# `wait` waits for it and prints its output. `page` and `chromium` are for the web page.
set -euo pipefail
cd "$(dirname "$0")/.."

clients_dir=${CHARTER_CLIENTS:?set by the Makefile}
requirements=tests/clients/requirements.txt
# Confluent's client and Avro serializers (7.9.5) as Apache Pinot publishes them on Maven Central: under their own names
# and with their dependencies. Confluent's own artifacts are not there.
jvm_artifact=org.apache.pinot:pinot-confluent-avro:1.5.0:jar:shaded
jvm_sha256=fcba31945ab17f393008f46975b37dd12516e59f536b0bec5a19ab9fd84464d1
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
    echo "PostgreSQL is missing: install the package \`postgresql\`, else its tests are skipped" >&2
}

tracer() {
  command -v strace >/dev/null && return
  echo "==> installing strace"
  apt_install strace || echo "strace is missing: install the package \`strace\`, else a test of the sandbox is skipped" >&2
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

jvm() {
  local jar=$clients_dir/jvm/pinot-confluent-avro-shaded.jar skipped="the test of the JVM client is skipped"
  if ! { command -v javac && command -v mvn; } >/dev/null; then
    echo "==> installing a JDK and Maven"
    if ! apt_install default-jdk-headless maven; then
      echo "JDK or Maven is missing: install the packages \`default-jdk-headless\` and \`maven\`, else $skipped" >&2
      return
    fi
  fi
  if is_jvm_client "$jar"; then
    return
  fi
  echo "==> installing the JVM client"
  rm -f "$jar"
  # Later versions of the plugin also read the artifact's parent POMs, and fetch them from wherever these say.
  if ! mvn --batch-mode --quiet --strict-checksums org.apache.maven.plugins:maven-dependency-plugin:2.8:copy \
    -Dartifact="$jvm_artifact" -DoutputDirectory="${jar%/*}" -Dmdep.stripVersion=true; then
    echo "Maven cannot download $jvm_artifact: $skipped" >&2
    return
  fi
  if ! is_jvm_client "$jar"; then
    rm "$jar"
    echo "$jvm_artifact: the checksum does not match" >&2
    return 1
  fi
}

is_jvm_client() {
  echo "$jvm_sha256  $1" | sha256sum --check --status 2>/dev/null
}

page() {
  local stamp=frontend/node_modules/.installed
  if ! command -v npm >/dev/null; then
    echo "npm is missing: install Node.js 20.19 or newer; without it there is no page" >&2
    return 1
  fi
  if [ -f "$stamp" ] && cmp -s "$stamp" frontend/package-lock.json; then
    return
  fi
  echo "==> installing what the page is built with"
  (cd frontend && npm ci --no-fund --no-audit --loglevel=error)
  cp frontend/package-lock.json "$stamp"
}

chromium() {
  command -v chromium >/dev/null && return
  echo "==> installing Chromium"
  apt_install chromium || { echo "Chromium is missing: install the package \`chromium\`" >&2; return 1; }
}

case ${1:-} in
postgres) postgres ;;
tracer) tracer ;;
clients) clients ;;
jvm) jvm ;;
page) page ;;
chromium) chromium ;;
all) postgres; tracer; clients; jvm ;;
start)
  mkdir -p "$(dirname "$clients_dir")"
  rm -f "$log.done"
  # In a subshell, so that the first failure ends it and its exit code is recorded in any case.
  ( code=0; tests/setup.sh all >"$log" 2>&1 || code=$?; echo "$code" >"$log.done" ) &
  ;;
wait)
  until [ -f "$log.done" ]; do sleep 1; done
  cat "$log"
  exit "$(cat "$log.done")"
  ;;
*)
  echo "usage: $0 start|wait|all|postgres|tracer|clients|jvm|page|chromium" >&2
  exit 64
  ;;
esac
