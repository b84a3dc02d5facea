#!/usr/bin/env bash
# Measures the budgets on a release build of `charter` (not of the worker, which takes half an hour more to build and is
# not measured here). An argument selects one: `decision`, `start`, `vend`, `engine`, `hostile`, `register`, `lookup`,
# `graph`, `events`, `search`, `reads`.
set -euo pipefail
cd "$(dirname "$0")/.."
echo "==> building in release (10 to 20 minutes the first time)"
exec cargo bench --workspace --locked --bench budgets --bench registry --bench lineage --bench search --bench reads -- "$@"
