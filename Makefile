# Everything a developer or CI does. `make help` lists it.
# `CARGO_TARGET_DIR` is honoured; without it cargo's own `target/` is used.

SHELL := /bin/bash
.DEFAULT_GOAL := help
.PHONY: help demo test check page page-check page-test bench bench-inspection relevance build clients postgres races histories differential columns kills

# The shared test data (tables, vectors, standards); tests that need it report that it is missing.
export CHARTER_SHARED ?= $(abspath ../shared)
# The real clients: a Python environment, with the JVM client in it. They are stored beside the build, so that a fresh checkout reuses them.
export CHARTER_CLIENTS ?= $(or $(CARGO_TARGET_DIR),$(CURDIR)/target)/clients

CARGO := cargo
BUILD_NOTE := the first build compiles about 600 crates and takes 8 to 15 minutes on two cores

help: ## List the targets
	@grep -hE '^[a-z-]+:.*## ' $(MAKEFILE_LIST) | sed -E 's/^([a-z-]+):.*## (.*)/  make \1|\2/' | column -t -s'|'

build: ## Build the two executables, charter and charter-worker, with the web page in charter where npm is installed
	@if [ ! -f frontend/package.json ] || ! command -v npm >/dev/null; then \
		echo "==> the web page is not built: install Node.js with npm, and run make build again"; \
	elif [ ! -f frontend/dist/index.html ] || [ -n "$$(find frontend -path frontend/node_modules -prune -o \
			-path frontend/dist -prune -o -path frontend/test-results -prune -o -type f -newer frontend/dist/index.html -print -quit)" ]; then \
		$(MAKE) --no-print-directory page || echo "==> the web page could not be built: charter is built without it"; fi
	@echo "==> building charter and charter-worker ($(BUILD_NOTE))"
	$(CARGO) build --workspace --locked

demo: build ## Play the main job on a small table: publish, inspect, request access, read, refuse (ONCE=1: stop after it)
	@tests/setup.sh clients && tests/demo.sh $(if $(ONCE),--once)

test: ## Run all tests, with PostgreSQL and the real clients (installs what is missing)
	@tests/setup.sh start
	@echo "==> compiling the tests ($(BUILD_NOTE))"
	$(CARGO) test --workspace --locked --no-run
	$(CARGO) build --workspace --locked --features charter/failpoints --bin charter-failpoints
	$(CARGO) build --workspace --locked
	@tests/setup.sh wait
	@echo "==> running the tests"
	$(CARGO) test --workspace --locked --no-fail-fast

check: ## Check format, lints (warnings are errors), the dependencies between crates and modules, and the page where npm is installed
	@echo "==> format"
	$(CARGO) fmt --all --check
	@echo "==> lints"
	$(CARGO) clippy --workspace --all-targets --locked -- -D warnings
	@echo "==> dependencies, licences and sources of the workspace, circles of modules"
	$(CARGO) test --workspace --locked --test charter_it -- workspace:: circles::
	@if command -v npm >/dev/null; then $(MAKE) --no-print-directory page-check; \
		else echo "==> the page is not checked: npm is missing"; fi

page: ## Build the web page, which the next build of charter embeds (needs Node.js 20.19 or newer)
	@tests/setup.sh page
	cd frontend && npm run --silent build && npm run --silent sizes
	@# Cargo does not watch a folder that is missing.
	@[ ! -f services/page/build.rs ] || touch services/page/build.rs

page-check: ## Check the page: format, lints, types, unit tests, the size of the build
	@tests/setup.sh page
	cd frontend && npm run --silent check && npm run --silent test && npm run --silent build && npm run --silent sizes

page-test: build page-check ## Test the page in Chromium against a real server with a catalog
	@tests/setup.sh chromium
	cd frontend && CHARTER_BIN=$(or $(CARGO_TARGET_DIR),$(CURDIR)/target)/debug npm run --silent test:page

bench: ## Measure the budgets of the gate, the vend and the server's start (release build)
	@tests/bench.sh

bench-inspection: ## Measure inspections against DuckDB on 10,000,000 rows (release build of the worker: an hour the first time)
	@tests/setup.sh clients && $(CHARTER_CLIENTS)/bin/pip install --quiet --requirement tests/inspection/requirements.txt
	$(CARGO) build --release --workspace --locked --bin charter-worker
	$(CHARTER_CLIENTS)/bin/python tests/inspection/bench.py \
		$(or $(CARGO_TARGET_DIR),$(CURDIR)/target)/release/charter-worker $(CHARTER_CLIENTS)/../bench-inspection

relevance: build ## Load the judged catalog with `charter apply`, ask its queries through GraphQL and score the answers
	@python3 tests/search/relevance.py $(or $(CARGO_TARGET_DIR),$(CURDIR)/target)/debug/charter \
		$(CHARTER_SHARED)/relevance $(or $(CARGO_TARGET_DIR),$(CURDIR)/target)/relevance

clients: ## Install the real clients of the journeys, for Python and the JVM
	@tests/setup.sh clients && tests/setup.sh jvm

postgres: ## Install PostgreSQL's server programs (Debian)
	@tests/setup.sh postgres

races: ## Run 10,000 races of vend against revoke on each database
	CHARTER_RACES=10000 $(CARGO) test --workspace --locked --test app_it -- race:: --nocapture

histories: ## Play 100,000 random histories against a small model of the gate on SQLite, 1,000 on PostgreSQL
	CHARTER_HISTORIES=100000 CHARTER_HISTORIES_POSTGRES=1000 \
		$(CARGO) test --release --workspace --locked --test app_it -- history:: --nocapture

differential: ## Compare what the worker and DuckDB count for 100,000 pairs of a random table and a rule (SEED=n: from seed n on)
	@tests/setup.sh clients
	CHARTER_DIFFERENTIAL=100000 CHARTER_DIFFERENTIAL_SEED=$(or $(SEED),1000000) \
		$(CARGO) test --workspace --locked --test worker_it -- differential:: --nocapture

columns: build ## Read 1,000 random subsets of columns with the real clients: which were missed, and which were too many
	@tests/setup.sh clients
	CHARTER_QUERIES=1000 $(CARGO) test --workspace --locked --test charter_it -- column_reads:: --nocapture

kills: build ## Kill the server under load on each database: 100 times at random, then every 20 s for 3 minutes
	CHARTER_KILLS=100 $(CARGO) test --workspace --locked --test charter_it -- random_kills --nocapture --test-threads=1
	CHARTER_KILLS=9 CHARTER_KILL_EVERY=20 \
		$(CARGO) test --workspace --locked --test charter_it -- random_kills --nocapture --test-threads=1
