# Everything that Cheeper's people run. It needs Python 3.11 or later and make; the rest it gets by itself into .venv.

.DEFAULT_GOAL := help
.PHONY: help up start stop status deps infrastructure clean demo load fuzz audit chaos
.PHONY: bench bench-long bench-tools bench-guard test-bench
.PHONY: test test-unit test-integration test-e2e test-containers prove prove-relay
.PHONY: lint format lock up-containers down-containers

PYTHON ?= $(shell for each in python3.13 python3.12 python3.11 python3.14 python3 python; do \
	"$$each" -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null && { echo "$$each"; break; }; done)
PACKAGES := runtime contracts services/write-api services/projector services/read-api services/audit deploy/local tests-e2e bench
OURS := cheeper-runtime cheeper-contracts cheeper-write-api cheeper-projector cheeper-read-api cheeper-audit cheeper-local cheeper-e2e cheeper-bench
VENV := .venv
BIN := $(VENV)/bin
STAMP := $(VENV)/.of-lock
CHEEPER := $(BIN)/cheeper
UV := $(BIN)/uv
BENCH = $(BIN)/python -m cheeper_bench $(if $(ONLY),--only $(ONLY)) $(if $(GRAPH),--graph $(GRAPH)) $(if $(TEXTS),--texts $(TEXTS))
IF_SET_UP := test -x $(CHEEPER) || { echo "Nothing is set up here: make up does it."; exit 0; };
# A stage of the tests that takes longer than its seconds is interrupted, so that it still says where it stood.
WITHIN := timeout --foreground --signal=INT --kill-after=60

help: ## list what there is
	@grep -hE '^[a-z0-9-]+:.*## ' $(MAKEFILE_LIST) | sort | awk -F ':.*## ' '{ printf "make %-18s %s\n", $$1, $$2 }'

# --- the stack -------------------------------------------------------------------------------------------------------

up: $(STAMP) ## set everything up, start the stack and show its lines until Ctrl-C (PORT=8100, BROKER=tansu, DATA=folder)
	@exec $(CHEEPER) up

start: $(STAMP) ## start the stack in the background and return when it is ready
	@$(CHEEPER) start

stop: ## stop the stack that runs
	@$(IF_SET_UP) $(CHEEPER) stop

status: ## say what runs where, how late each store is, what waits and why
	@$(IF_SET_UP) $(CHEEPER) status

deps: $(STAMP) ## set everything up without starting it
	@$(CHEEPER) deps

infrastructure: $(STAMP) ## empty every store and topic
	@$(CHEEPER) infrastructure

clean: ## remove all data
	@$(IF_SET_UP) $(CHEEPER) clean

demo: $(STAMP) ## the book's Demo Time, step by step, against a fresh stack
	@$(BIN)/python -m cheeper_e2e.demo

load: $(STAMP) ## send a graph and texts through the gateway of the stack that runs, and compare every view (GRAPH=file TEXTS=file)
	@test -n "$(GRAPH)" -a -n "$(TEXTS)" || { echo "Say what to load: make load GRAPH=file TEXTS=file." >&2; exit 2; }
	@url=$$($(CHEEPER) url) && exec $(BIN)/python -m cheeper_e2e.load --url "$$url" --graph "$(GRAPH)" --texts "$(TEXTS)"

fuzz: $(STAMP) ## send random commands to a fresh stack and compare every view with the write model (COMMANDS=20000 AUTHORS=200 SEED=1)
	@$(BIN)/python -m cheeper_e2e.fuzz --commands $(or $(COMMANDS),20000) --authors $(or $(AUTHORS),200) --seed $(or $(SEED),1)

audit: $(STAMP) ## compare every view of the stack that runs with the write model (REPAIR=1 mends; WATCH=1 samples under load, FOR=60 s; STORE=redis GENERATION=2; JSON=1)
	@$(CHEEPER) exec $(BIN)/python -m cheeper_audit $(if $(REPAIR),--repair) $(if $(WATCH),--watch) $(if $(FOR),--for $(FOR)) \
		$(if $(STORE),--store $(STORE)) $(if $(GENERATION),--generation $(GENERATION)) $(if $(JSON),--json)

chaos: $(STAMP) ## kill, freeze and restore everything under load, then compare every view (KILLS=300 SEED=7 OUTAGE=60 MINUTES=)
	@$(BIN)/python -m cheeper_e2e.chaos --kills $(or $(KILLS),30) --seed $(or $(SEED),1) --outage $(or $(OUTAGE),60) \
		$(if $(MINUTES),--minutes $(MINUTES))

test-bench: $(STAMP) ## the tests of the benchmarks that need servers
	@$(WITHIN) 600 $(BIN)/pytest bench/tests/integration

bench: bench-tools ## measure beside what a user would pick instead, in turns, under 15 minutes (ONLY=worker for a row; GRAPH=file TEXTS=file)
	@$(BENCH) --short

bench-long: bench-tools ## the same with backlogs, growth and an author of a million followers, under 2 hours
	@$(BENCH) --long

# 300 MB that nothing else needs; what cannot be had is named in its row.
bench-tools: $(STAMP) ## install what only make bench needs: Debezium's engine and the plots
	@$(UV) pip install --quiet --python $(BIN)/python --no-sources -r bench/pyproject.toml --extra debezium --extra plots || true

bench-guard: $(STAMP) ## one minute of ratios against bench/guard.json; fails where one has halved
	@$(BENCH) --guard

up-containers: ## start the stack with Docker, one container per process role, and return when it is ready (PORT=8100)
	@docker compose up --build --wait

down-containers: ## stop and remove the containers; their data stays
	@docker compose down

# --- the tests -------------------------------------------------------------------------------------------------------

UNIT := $(wildcard runtime/tests contracts/tests services/*/tests/unit deploy/local/tests/unit tests-e2e/tests/unit bench/tests/unit docs/tests)
INTEGRATION := $(wildcard services/*/tests/integration deploy/local/tests/integration deploy/tests)
E2E := tests-e2e/tests/e2e
# What kills and restores for minutes: only `make prove` runs it.
PROOFS := $(wildcard services/*/tests/prove tests-e2e/tests/prove)

# They wait for servers most of the time, so two run beside each other, each with servers of its own.
TWO := -n 2 --dist loadfile

test: lint test-unit test-integration test-e2e ## everything but containers and make prove (SELECT='not proves' leaves out what that runs)

test-unit: $(STAMP) ## tests without a server
	@$(WITHIN) 300 $(BIN)/pytest -m "$(SELECT)" $(UNIT)

test-integration: $(STAMP) ## tests of one part against real servers
	@$(WITHIN) 1800 $(BIN)/pytest $(TWO) -m "$(SELECT)" $(INTEGRATION)

test-e2e: $(STAMP) ## the whole system through its gateway
	@$(WITHIN) 1800 $(BIN)/pytest -m "$(SELECT)" $(E2E)

PROVES := -m 'proves$(if $(GUARANTEE),(guarantee="$(GUARANTEE)"))'
# Five is pytest's word for no test of this guarantee among these.
OR_NONE := || [ $$? -eq 5 ]

prove: $(STAMP) ## the tests of docs/guarantees: order, no loss, no double effect, through kills and outages (GUARANTEE=order for one)
	@test -z "$(GUARANTEE)" -o -e "docs/guarantees/$(GUARANTEE).md" || { echo "docs/guarantees has no $(GUARANTEE)." >&2; exit 2; }
	@$(WITHIN) 1800 $(BIN)/pytest $(TWO) $(PROVES) $(UNIT) $(INTEGRATION) $(OR_NONE)
	@$(WITHIN) 1800 $(BIN)/pytest $(PROVES) $(E2E) $(PROOFS) $(OR_NONE)

prove-relay: $(STAMP) ## kill writers, relays and the broker, and see every event arrive in order (SEED=1 ROUNDS=1 ACTS=160 KILLS=10)
	@SEED=$(or $(SEED),1) ROUNDS=$(or $(ROUNDS),1) ACTS=$(or $(ACTS),160) KILLS=$(or $(KILLS),10) \
		$(BIN)/pytest -s services/write-api/tests/prove

test-containers: $(STAMP) ## the end-to-end suite on docker compose, and the tests of stores on testcontainers
	@deploy/test-containers

lint: $(STAMP) ## style, types, layers, and that generated files are up to date
	@$(WITHIN) 300 $(BIN)/ruff check .
	@$(BIN)/ruff format --check .
	@$(WITHIN) 300 $(BIN)/mypy
	@$(BIN)/lint-imports
	@$(BIN)/python contracts/tools/generate.py --check
	@$(BIN)/python contracts/tools/publish.py --check
	@$(BIN)/python docs/tools/generate.py --check

format: $(STAMP) ## format the code
	@$(BIN)/ruff check --fix .
	@$(BIN)/ruff format .

# --- the environment -------------------------------------------------------------------------------------------------

lock: $(STAMP) ## bring requirements.lock up to date with the packages' dependencies
	@$(UV) pip compile --quiet --universal --python-version 3.11 --generate-hashes --no-emit-index-url \
		--no-emit-find-links $(OURS:%=--no-emit-package %) --custom-compile-command "make lock" \
		$(PACKAGES:%=%/pyproject.toml) --group dev --output-file requirements.lock

$(STAMP): requirements.lock pyproject.toml $(PACKAGES:%=%/pyproject.toml)
	@test -n "$(PYTHON)" && $(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null || { \
		echo "Cheeper needs Python 3.11 or later, and $(or $(PYTHON),the PATH) is none: name one with PYTHON=/path/to/python3.12." >&2; exit 1; }
	@test -x $(UV) -a -x $(BIN)/python || { echo "Setting up $(VENV) …"; $(PYTHON) -m venv --clear $(VENV) || { \
		echo "$(PYTHON) could not make $(VENV): it needs its venv module (python3-venv on Debian) and a folder to write to." >&2; exit 1; }; \
		awk '/^[^ ]/ { ours = /^uv==/ } ours' requirements.lock > $(VENV)/uv.txt && \
		$(BIN)/python -m pip install --quiet --disable-pip-version-check --require-hashes --no-deps -r $(VENV)/uv.txt; }
	@$(UV) pip sync --quiet --python $(BIN)/python --require-hashes requirements.lock && \
		$(UV) pip install --quiet --python $(BIN)/python --no-deps --no-build-isolation $(PACKAGES:%=--editable %) || { \
		echo "The packages of requirements.lock could not be installed into $(VENV); the reason stands above." >&2; exit 1; }
	@touch $@
