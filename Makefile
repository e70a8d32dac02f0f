# `make help` lists the targets. Everything is installed below .venv; nothing else is changed, except that
# `setup-services` installs PostgreSQL and PgBouncer from Debian's packages where we are root.

VENV := .venv
BIN := $(VENV)/bin
STAMP := $(VENV)/.stamp
PROJECTS := packages/trueup/pyproject.toml packages/prosaas/pyproject.toml
PYTEST_ARGS ?= -n 2 --dist loadfile

# Commands are started a thousand times in the tests: without bytecode each would compile the package anew.
unexport PYTHONDONTWRITEBYTECODE

.DEFAULT_GOAL := help
.PHONY: help setup setup-services up test lint format legacy docs lock clean

help: ## list the targets
	@grep -hE '^[a-z-]+:.*## ' $(MAKEFILE_LIST) | sed -E 's/^([a-z-]+):.*## (.*)/  \1 \2/' | awk '{ n = $$1; $$1 = ""; printf "  %-16s%s\n", n, $$0 }'

setup: $(STAMP) ## make .venv with pinned dependencies and the commands trueup and prosaas

$(STAMP): requirements.lock $(PROJECTS) scripts/setup.sh
	@scripts/setup.sh $(VENV)
	@touch $@

setup-services: ## PostgreSQL and PgBouncer of the distribution, which some tests use (needs root; otherwise they are skipped)
	@scripts/setup_services.sh

up: $(STAMP) ## PostgreSQL, schema, API and worker in the foreground; PORT and DATABASE_URL* are honoured
	@exec $(BIN)/prosaas up

test: $(STAMP) setup-services ## all tests; PYTEST_ARGS replaces the default arguments
	@$(BIN)/pytest $(PYTEST_ARGS)

lint: $(STAMP) ## ruff, mypy, import contracts
	@$(BIN)/ruff check
	@$(BIN)/ruff format --check --quiet || { $(BIN)/ruff format --check; exit 1; }
	@$(BIN)/mypy
	@PYTHONPATH= $(BIN)/lint-imports

format: $(STAMP) ## apply ruff's formatting and safe fixes
	@$(BIN)/ruff format
	@$(BIN)/ruff check --fix

legacy: $(STAMP) ## load the legacy database into DATABASE_URL, or into a PostgreSQL of its own that runs until Ctrl-C
	@exec $(BIN)/python scripts/legacy.py

docs: $(STAMP) ## the documentation as a site: docs/_build/html/index.html
	@test -x docs/_build/env/bin/pip || $(BIN)/python -m venv docs/_build/env
	@docs/_build/env/bin/pip install --quiet --disable-pip-version-check --requirement docs/requirements.txt
	@docs/_build/env/bin/sphinx-build -q -W --keep-going docs docs/_build/html
	@echo "docs/_build/html/index.html"

lock: ## resolve all dependencies anew and write requirements.lock
	@scripts/lock.sh
	@$(MAKE) --no-print-directory setup

clean: ## remove the environment, builds and caches; .data stays
	rm -rf $(VENV) dist build .mypy_cache .pytest_cache .ruff_cache .hypothesis .import_linter_cache
	find packages benchmarks docs -name __pycache__ -type d -prune -exec rm -rf {} + 2>/dev/null || true
