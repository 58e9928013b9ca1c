# Countenance: set up, test, check, show. Every target makes what it needs first.
#
#   make venv     .venv from the lock, with the project itself in editable form
#   make test     the tests (PYTEST_ARGS="tests/ledger -x" to choose), all that open a home on PostgreSQL too
#   make check    lint, format, types, layers, documents
#   make demo     the demo web, crawled and opened (ARGS=--once: one JSON object, no server left)
#   make docs     the documents as a site, in site/
#   make lock     resolve requirements/*.txt anew

PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
STAMP := $(VENV)/.locked
PIP := $(BIN)/python -m pip --disable-pip-version-check
INSTALL := $(PIP) install --quiet --progress-bar off --only-binary=:all:
LOCK := $(BIN)/uv pip compile --quiet --generate-hashes --universal --no-header --python-version 3.11
ARGS ?=
PYTEST_ARGS ?=
DEBIAN_PACKAGES := chromium postgresql

.DEFAULT_GOAL := help
.PHONY: help venv packages weights test test-postgresql check format demo demo-clean docs lock clean

help:
	@sed -n '3,8s/^# *//p' Makefile

venv: $(STAMP)

# Everything goes to stderr, so that `make demo ARGS=--once` leaves stdout to its one JSON object.
$(STAMP): requirements/dev.txt
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || \
	  { echo 'Countenance needs Python 3.11 or newer; choose one with: make venv PYTHON=python3.12' >&2; exit 1; }
	@test -x $(BIN)/python || $(PYTHON) -m venv $(VENV) >&2 || \
	  { rm -rf $(VENV); echo 'No environment could be made. On Debian: apt-get install -y python3-venv' >&2; exit 1; }
	@echo 'Installing the locked packages into $(VENV) (a few minutes the first time)' >&2
	@$(INSTALL) --require-hashes -r requirements/dev.txt >&2
	@$(PIP) install --quiet --no-deps --no-build-isolation -e . >&2
	@touch $(STAMP)

packages:
	@tools/debian_packages.sh $(DEBIAN_PACKAGES) >&2

weights: venv
	@$(BIN)/countenance models install open >&2
	@$(BIN)/countenance models install research --accept-licence >&2

test: venv packages weights
	@$(BIN)/python -m pytest -n auto --dist loadfile $(PYTEST_ARGS)
	@$(if $(findstring tests/,$(PYTEST_ARGS)),:,$(MAKE) --no-print-directory test-postgresql)

test-postgresql: venv packages weights
	@COUNTENANCE_TEST_DATABASE=postgresql $(BIN)/python -m pytest -n auto --dist loadfile $(PYTEST_ARGS)

check: venv
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/lint-imports --no-logo
	$(BIN)/python -m tools.docs
	$(BIN)/python -m tools.licences

format: venv
	$(BIN)/ruff check --fix .
	$(BIN)/ruff format .

demo: venv
	@$(BIN)/countenance models install open >&2
	@$(BIN)/python -m demo --folder .demo $(ARGS)

demo-clean:
	rm -rf .demo

docs:
	@test -x $(VENV)-docs/bin/python || $(PYTHON) -m venv $(VENV)-docs >&2
	@$(VENV)-docs/bin/python -m pip --disable-pip-version-check install --quiet --only-binary=:all: --require-hashes -r requirements/docs.txt >&2
	@$(VENV)-docs/bin/mkdocs build --quiet --site-dir site

# The outputs name no registry: hashes alone say what may be installed. Newer releases: make lock UPGRADE=--upgrade
lock: venv
	$(LOCK) $(UPGRADE) pyproject.toml -o requirements/base.txt
	$(LOCK) $(UPGRADE) pyproject.toml --all-extras -c requirements/base.txt -o requirements/extras.txt
	$(LOCK) $(UPGRADE) pyproject.toml --all-extras --group dev --group build -c requirements/extras.txt -o requirements/dev.txt
	$(LOCK) $(UPGRADE) --group pyproject.toml:docs -c requirements/dev.txt -o requirements/docs.txt
	$(LOCK) $(UPGRADE) --group pyproject.toml:build -c requirements/dev.txt -o requirements/build.txt

clean: demo-clean
	rm -rf $(VENV) $(VENV)-docs dist build site .pytest_cache .mypy_cache .ruff_cache .hypothesis .import_linter_cache
