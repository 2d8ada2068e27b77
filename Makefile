# The commands of this repository. It needs Python 3.11 or later and make; the rest it gets by itself into .venv.

.DEFAULT_GOAL := help
.PHONY: help up start stop demo load empty infrastructure clean deps secrets up-containers down-containers
.PHONY: status audit profile
.PHONY: lint format lock sbom screenshots
.PHONY: test test-all test-unit test-integration test-e2e test-proofs test-browser browser-tools test-chart chart-tools chart-schemas test-containers test-bench prove prove-relay fuzz fuzz-http attack chaos quiet
.PHONY: bench bench-long bench-tools bench-guard

# A stack starts a dozen processes, and each takes 2 s of CPU time more if it must compile what it imports.
unexport PYTHONDONTWRITEBYTECODE

PYTHON ?= $(shell for each in python3.13 python3.12 python3.11 python3.14 python3 python; do \
	"$$each" -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null && { echo "$$each"; break; }; done)
PACKAGES := runtime contracts services/write-api services/projector services/read-api services/audit services/identity services/inspector deploy/local tests-e2e bench
OURS := cheeper-runtime cheeper-contracts cheeper-write-api cheeper-projector cheeper-read-api cheeper-audit cheeper-identity cheeper-inspector cheeper-local cheeper-e2e cheeper-bench
VENV := .venv
BIN := $(VENV)/bin
STAMP := $(VENV)/.of-lock
CHEEPER := $(BIN)/cheeper
UV := $(BIN)/uv
HELM_VERSION := v3.22.0
HELM := $(or $(XDG_CACHE_HOME),$(HOME)/.cache)/cheeper/helm-$(HELM_VERSION)/helm
BENCH = $(BIN)/python -m cheeper_bench $(if $(ONLY),--only $(ONLY)) $(if $(GRAPH),--graph $(GRAPH)) $(if $(TEXTS),--texts $(TEXTS))
IF_SET_UP := test -x $(CHEEPER) || { echo "Nothing is set up here: make up does it."; exit 0; };
# A stage of the tests that takes longer than its seconds is interrupted, so that it still says where it stood.
WITHIN := timeout --foreground --signal=INT --kill-after=60

help: ## list these commands
	@awk -F ':.*## ' '/^# --- / { split($$0, words, " "); group = words[3] } \
		/^[a-z0-9-]+:.*## / { if (group != shown) { printf "\n%s\n", group; shown = group } \
		printf "  make %-17s %s\n", $$1, $$2 }' $(firstword $(MAKEFILE_LIST))

# --- arguments, checked before anything is set up --------------------------------------------------------------------

# $(call check,TARGETS,VARIABLES,PATTERN,WORDS): each variable that is given to one of the targets matches the pattern.
check = $(if $(filter $(1),$(MAKECMDGOALS)),$(foreach each,$(2),$(if $($(each)),$(if \
	$(shell printf %s '$($(each))' | grep -Ex '$(3)'),,$(error $(each) is "$($(each))", but must be $(4))))))
# $(call needs,TARGET,VARIABLE,VARIABLES): a variable that is given to the target comes with the others.
needs = $(if $(and $(filter $(1),$(MAKECMDGOALS)),$($(2))),$(foreach each,$(3),$(if $($(each)),,$(error $(2) needs $(each)))))

$(call check,up start deps demo fuzz fuzz-http attack chaos,BROKER,kafka|tansu,kafka or tansu)
$(call check,up start up-containers,PORT,[0-9]+,a number)
$(call check,up start,OBSERVE,[0-9]+,1 or a number by which alerts are faster)
$(call check,audit empty infrastructure demo attack,REPAIR WATCH IN_SERVICE JSON YES PAUSE LOG SHORT PAGE,1,1 or left out)
$(call check,audit,STORE,redis|mongo,redis or mongo)
$(call check,test-e2e fuzz chaos,AUTH,open|tokens,open or tokens)
$(call check,profile,SECONDS,[0-9]+,a whole number)
$(call check,audit fuzz fuzz-http chaos prove-relay quiet,GENERATION COMMANDS AUTHORS CASES SEED KILLS ROUNDS ACTS CLIENTS,[0-9]+,a whole number)
$(call check,audit chaos quiet,FOR OUTAGE MINUTES,[0-9]+([.][0-9]+)?,a number)
$(call needs,audit,GENERATION,STORE)
$(call needs,audit,FOR,WATCH)
$(if $(and $(filter audit,$(MAKECMDGOALS)),$(REPAIR),$(WATCH)),$(error REPAIR and WATCH exclude each other))
$(if $(and $(filter prove,$(MAKECMDGOALS)),$(GUARANTEE)),$(if $(wildcard docs/guarantees/$(GUARANTEE).md),,$(error docs/guarantees has no $(GUARANTEE))))
$(if $(filter load,$(MAKECMDGOALS)),$(if $(and $(GRAPH),$(TEXTS)),,$(error Say what to load: make load GRAPH=file TEXTS=file)))

# --- run -------------------------------------------------------------------------------------------------------------

up: $(STAMP) ## set everything up, start the stack and show its log until Ctrl-C (PORT=8100, BROKER=tansu, DATA=folder, OBSERVE=1 with Prometheus)
	@exec $(CHEEPER) up

start: $(STAMP) ## start the stack in the background and return when it is ready
	@$(CHEEPER) start

stop: ## stop the running stack; its data stays
	@$(IF_SET_UP) $(CHEEPER) stop

demo: $(STAMP) ## the book's Demo Time, step by step, on a fresh stack (PAUSE=1 waits for a key after each step, LOG=1 shows the log)
	@$(BIN)/python -m cheeper_e2e.demo $(if $(PAUSE),--pause) $(if $(LOG),--log) || [ $$? -eq 130 ]  # Ctrl-C is no error

load: $(STAMP) ## send a graph and texts to the running stack, then compare every view (GRAPH=file TEXTS=file)
	@url=$$($(CHEEPER) url) && exec $(BIN)/python -m cheeper_e2e.load --url "$$url" --graph "$(GRAPH)" --texts "$(TEXTS)"

empty: $(STAMP) ## delete the content of every store and topic, after a question (YES=1 skips it)
	@$(CHEEPER) empty $(if $(YES),--yes)

infrastructure: empty ## the book's name of make empty

clean: ## delete all data of a stopped stack
	@$(IF_SET_UP) $(CHEEPER) clean

deps: $(STAMP) ## set everything up without starting it
	@$(CHEEPER) deps

secrets: ## write the passwords of docker-compose.yaml into secrets/, once; those that are there stay
	@deploy/secrets.sh

up-containers: secrets ## start the stack with Docker, one container per process role, and return when it is ready (PORT=8100)
	@docker compose up --build --wait
	@echo "The web page: http://127.0.0.1:$(or $(PORT),8000)/"

down-containers: ## stop and remove the containers; their data stays
	@docker compose down

# --- look ------------------------------------------------------------------------------------------------------------

status: ## show what runs where, the lag of each store, and what the relay waits for
	@$(IF_SET_UP) $(CHEEPER) status

audit: $(STAMP) ## compare every view of the running stack with the write model (REPAIR=1; WATCH=1 FOR=60 or IN_SERVICE=1 under load; STORE=redis GENERATION=2; JSON=1)
	@$(CHEEPER) exec $(BIN)/python -m cheeper_audit $(if $(REPAIR),--repair) $(if $(WATCH),--watch) $(if $(IN_SERVICE),--in-service) $(if $(FOR),--for $(FOR)) \
		$(if $(STORE),--store $(STORE)) $(if $(GENERATION),--generation $(GENERATION)) $(if $(JSON),--json,2>&1)

profile: $(STAMP) ## write a flame graph of a running process, sampled from outside (ROLE=worker SECONDS=30)
	@$(CHEEPER) profile $(or $(ROLE),worker) --seconds $(or $(SECONDS),30)

# --- change ----------------------------------------------------------------------------------------------------------

lint: $(STAMP) ## style, types, layers, generated files, and known vulnerabilities of what requirements.lock pins
	@$(WITHIN) 300 $(BIN)/ruff check .
	@$(BIN)/ruff format --check .
	@$(WITHIN) 900 $(BIN)/mypy
	@$(BIN)/lint-imports
	@$(BIN)/python contracts/tools/generate.py --check
	@$(BIN)/python contracts/tools/publish.py --check
	@$(BIN)/python docs/tools/generate.py --check
	@$(BIN)/python docs/tools/api_docs.py --check
	@$(BIN)/python docs/tools/wording.py
	@$(BIN)/python deploy/tools/grafana.py --check
	@$(BIN)/python deploy/tools/advisories.py

format: $(STAMP) ## format the code
	@$(BIN)/ruff check --fix .
	@$(BIN)/ruff format .

lock: $(STAMP) ## bring requirements.lock up to date with the packages' dependencies
	@$(UV) pip compile --quiet --universal --python-version 3.11 --generate-hashes --no-emit-index-url \
		--no-emit-find-links $(OURS:%=--no-emit-package %) --custom-compile-command "make lock" \
		$(PACKAGES:%=%/pyproject.toml) --group dev --output-file requirements.lock
	@$(UV) pip compile --quiet --universal --python-version 3.11 --generate-hashes --no-emit-index-url --no-emit-find-links \
		--constraints requirements.lock --custom-compile-command "make lock" tests-e2e/browser.in --output-file tests-e2e/browser.lock
	@$(UV) pip compile --quiet --universal --python-version 3.11 --generate-hashes --no-emit-index-url --no-emit-find-links \
		--constraints requirements.lock --custom-compile-command "make lock" deploy/helm/tools.in --output-file deploy/helm/tools.lock

# The same lock makes the same bytes.
sbom: $(STAMP) ## write sbom.cdx.json, a CycloneDX bill of materials of requirements.lock
	@$(BIN)/cyclonedx-py requirements requirements.lock --output-reproducible --of JSON --validate -o sbom.cdx.json

screenshots: browser-tools ## write docs/screenshots anew, from a sample on a fresh stack; needs Chromium
	@$(BIN)/python -m cheeper_e2e.browser.screenshots

# --- test ------------------------------------------------------------------------------------------------------------

UNIT := $(wildcard runtime/tests contracts/tests services/*/tests/unit deploy/local/tests/unit tests-e2e/tests/unit bench/tests/unit docs/tests)
INTEGRATION := $(wildcard services/*/tests/integration deploy/local/tests/integration deploy/tests)
E2E := tests-e2e/tests/e2e
BROWSER := tests-e2e/tests/browser
# What kills and restores for minutes.
PROOFS := $(wildcard services/*/tests/prove tests-e2e/tests/prove)

# The files that take longest begin first (cheeper_local.testing.order), and none is shared out among workers.
WORKERS = --dist loadfile --no-loadscope-reorder -n
# On two cores. Tests of one part wait for servers half of the time, each worker with servers of its own; two workers share
# the end-to-end stack, which works while they wait. What `make test` leaves out waits more: for servers that are slow or
# gone.
PARTS_AT_ONCE = 3
E2E_AT_ONCE = 2
test-all prove: PARTS_AT_ONCE = 4
SELECTED = $(if $(SELECT),-m '$(SELECT)')
# Five is pytest's word for no such test among these.
OR_NONE := || [ $$? -eq 5 ]

test: SELECT := not extended
test: lint test-unit test-integration test-e2e ## every feature and every guarantee once, in under 10 minutes on 2 cores

test-all: $(if $(SELECT),,lint) test-unit test-integration test-e2e test-proofs ## all tests but those on containers (SELECT=extended for what make test leaves out)

test-unit: $(STAMP) ## tests without a server
	@$(WITHIN) 900 $(BIN)/pytest -n 2 $(SELECTED) $(UNIT) $(OR_NONE)

test-integration: $(STAMP) ## tests of one part against real servers
	@$(WITHIN) 1800 $(BIN)/pytest $(WORKERS) $(PARTS_AT_ONCE) $(SELECTED) $(INTEGRATION) $(OR_NONE)

test-e2e: $(STAMP) ## the whole system through its gateway (AUTH=tokens with callers who show tokens)
	@$(WITHIN) 2700 $(BIN)/pytest $(WORKERS) $(E2E_AT_ONCE) $(SELECTED) $(E2E) $(OR_NONE)

test-proofs: $(STAMP) ## minutes of kills and outages, then every view compared
	@$(WITHIN) 1800 $(BIN)/pytest $(SELECTED) $(PROOFS) $(OR_NONE)

prove: SELECT := proves$(if $(GUARANTEE),(guarantee="$(GUARANTEE)"))
prove: test-unit test-integration test-e2e test-proofs ## the tests of docs/guarantees: order, no loss, no duplicate effect, through kills and outages (GUARANTEE=order for one)

prove-relay: $(STAMP) ## kill writers, relays and the broker, and see every event arrive in order (SEED=1 ROUNDS=1 ACTS=160 KILLS=10)
	@SEED=$(or $(SEED),1) ROUNDS=$(or $(ROUNDS),1) ACTS=$(or $(ACTS),160) KILLS=$(or $(KILLS),10) \
		$(BIN)/pytest -s services/write-api/tests/prove

test-browser: browser-tools ## the web client in Chromium on a local stack; skipped with a line if there is no Chromium
	@$(WITHIN) 900 $(BIN)/pytest $(WORKERS) 2 $(BROWSER) $(OR_NONE)

browser-tools: $(STAMP) ## install what only make test-browser and make screenshots need: Playwright and axe-core
	@$(UV) pip install --quiet --python $(BIN)/python --require-hashes --no-deps -r tests-e2e/browser.lock || true

test-chart: chart-tools ## the tests of the Helm chart; skipped with a line if there is neither Go nor helm
	@$(WITHIN) 300 $(BIN)/pytest deploy/tests/chart

# Helm is built of its Go module, which the module's checksum pins: minutes the first time, nothing later.
chart-tools: chart-schemas ## install what only the tests of the chart need: Helm and schemas of Kubernetes
	@test -x $(HELM) || command -v helm >/dev/null || ! command -v go >/dev/null || \
		GOBIN=$(dir $(HELM)) go install helm.sh/helm/v3/cmd/helm@$(HELM_VERSION) || true

chart-schemas: $(STAMP) ## install the schemas of Kubernetes alone, without Helm
	@$(UV) pip install --quiet --python $(BIN)/python --require-hashes --no-deps -r deploy/helm/tools.lock || true

test-containers: $(STAMP) ## the end-to-end suite on docker-compose.yaml (SELECT='not extended' for part of it), and the tests of stores on the official images
	@$(WITHIN) 1500 $(BIN)/pytest $(WORKERS) 2 $(SELECTED) $(E2E) --stack=containers
	@$(WITHIN) 900 $(BIN)/pytest $(WORKERS) 2 -m store $(INTEGRATION) --servers=containers

test-bench: $(STAMP) ## the tests of the benchmarks that need servers
	@$(WITHIN) 600 $(BIN)/pytest bench/tests/integration

fuzz: $(STAMP) ## send random commands to a fresh stack and compare every view with the write model (COMMANDS=20000 AUTHORS=200 SEED=1 AUTH=tokens)
	@$(BIN)/python -m cheeper_e2e.actions.fuzz --commands $(or $(COMMANDS),20000) --authors $(or $(AUTHORS),200) --seed $(or $(SEED),1)

fuzz-http: $(STAMP) ## send raw bytes instead of requests to the gateway and the services' ports (CASES=100000 SEED=2)
	@$(BIN)/python -m cheeper_e2e.hostile.raw_http --cases $(or $(CASES),10000) --seed $(or $(SEED),1)

attack: $(STAMP) ## attack the stack in every known way beside a good client, whose service must not suffer (ONLY="waits deletes" SHORT=1 PAGE=1)
	@$(BIN)/python -m cheeper_e2e.hostile.attack $(if $(ONLY),--only $(ONLY)) $(if $(SHORT),--short) $(if $(PAGE),--page)

chaos: $(STAMP) ## kill, freeze and restore everything under load, then compare every view (KILLS=300 SEED=7 OUTAGE=60 MINUTES= AUTH=tokens)
	@$(BIN)/python -m cheeper_e2e.faults.chaos --kills $(or $(KILLS),30) --seed $(or $(SEED),1) --outage $(or $(OUTAGE),60) \
		$(if $(MINUTES),--minutes $(MINUTES))

quiet: $(STAMP) ## use a fresh stack with Prometheus and see that no alert fires (MINUTES=60 CLIENTS=1)
	@$(BIN)/python -m cheeper_e2e.faults.alerting.quiet --minutes $(or $(MINUTES),60) --clients $(or $(CLIENTS),1)

# --- measure ---------------------------------------------------------------------------------------------------------

bench: bench-tools ## measure beside what a user would pick instead, in turns, under 20 minutes (ONLY=cpu_per_command, worker … for a row; GRAPH=file TEXTS=file)
	@$(BENCH) --short

bench-long: bench-tools ## the same with backlogs, growth, an author of a million followers and the figures of docs/when-cqrs-pays.md, 2 hours
	@$(BENCH) --long; code=$$?; $(BIN)/python -m cheeper_bench --render && exit $$code

# 300 MB that nothing else needs; what cannot be had is named in its row.
bench-tools: $(STAMP) ## install what only make bench needs: Debezium's engine and the plots
	@$(UV) pip install --quiet --python $(BIN)/python --no-sources -r bench/pyproject.toml --extra debezium --extra plots || true

bench-guard: $(STAMP) ## up to four minutes of ratios against bench/guard.json; fails where one has lost a third, the fan-out a half
	@$(BENCH) --guard

# --- the environment -------------------------------------------------------------------------------------------------

$(STAMP): requirements.lock pyproject.toml $(PACKAGES:%=%/pyproject.toml)
	@test -n "$(PYTHON)" && $(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null || { \
		echo "Cheeper needs Python 3.11 or later, and $(or $(PYTHON),the PATH) is none: name one with PYTHON=/path/to/python3.12." >&2; exit 1; }
	@test -x $(UV) -a -x $(BIN)/python || { echo "Setting up $(VENV) …"; $(PYTHON) -m venv --clear $(VENV) || { \
		echo "$(PYTHON) could not make $(VENV): it needs its venv module (python3-venv on Debian) and a folder to write to." >&2; exit 1; }; \
		awk '/^[^ ]/ { ours = /^uv==/ } ours' requirements.lock > $(VENV)/uv.txt && \
		$(BIN)/python -m pip install --quiet --disable-pip-version-check --require-hashes --no-deps -r $(VENV)/uv.txt; }
	@$(UV) pip sync --quiet --compile-bytecode --python $(BIN)/python --require-hashes requirements.lock && \
		$(UV) pip install --quiet --python $(BIN)/python --no-deps --no-build-isolation $(PACKAGES:%=--editable %) || { \
		echo "The packages of requirements.lock could not be installed into $(VENV); the reason stands above." >&2; exit 1; }
	@touch $@
