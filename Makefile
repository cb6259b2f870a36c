# Every target works on a bare machine: python3 >= 3.11 with venv, and make.
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
PIP := $(BIN)/python -m pip --disable-pip-version-check --quiet

.DEFAULT_GOAL := help
.PHONY: help demo serve test check lint types unit integration contract e2e lock lock-templates clean

help: ## List the targets
	@awk -F ':.*## ' '/^[a-z0-9 -]+:.*## / {printf "  %-30s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

demo: $(VENV)/run ## Digest a sample mail and a sample meeting through the real server
	@$(BIN)/flaskllm demo

serve: $(VENV)/run ## Serve on http://127.0.0.1:8000
	@exec $(BIN)/flaskllm serve

test: $(VENV)/dev ## Run the whole suite with the coverage gate
	$(BIN)/pytest -n 2 --cov --cov-report=term --cov-report=json
	$(BIN)/python tests/coverage_gate.py

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

$(BIN)/python:
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || \
	  { echo "flaskllm needs Python 3.11 or newer; $(PYTHON) is older."; exit 1; }
	@$(PYTHON) -c 'import venv, ensurepip' 2>/dev/null || \
	  { echo "Python's venv is missing. Install it first: sudo apt-get install python3-venv"; exit 1; }
	@$(PYTHON) -m venv $(VENV)
