# make demo   an invented province, from raw files to published indicators
# make test   everything that must hold: style, types, layers, SQL, documents, tests
# make slow   the long tests: 50,000 discharges counted twice, 200,000 cases grouped twice, a province under a scheme
# make bench  how fast, how large, how it grows: docs/performance.md (ONLY=grouping SIZES=1000000,3000000 ROUNDS=3)
#
# Needs Python 3.11 or later (PYTHON=/path/to/python3.12 picks one). All else is installed into .venv, once,
# with the versions and hashes of requirements.lock.

SHELL := /bin/bash
.DEFAULT_GOAL := help
.PHONY: help setup demo test slow bench lint unit ui clean

PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
INSTALLED := $(VENV)/.installed
# the lock is complete, so nothing is resolved: faster, and older pips refuse extras under hashes otherwise
PIP := $(BIN)/python -m pip install -qq --disable-pip-version-check
WORKERS ?= 2
# file by file, so that what a file prepares is prepared once; in the order of the files, because the long ones come first
PYTEST := $(BIN)/pytest --quiet -n $(WORKERS) --dist loadfile --no-loadscope-reorder

# $(call step,what it does,command): says what happens and how long it took
define step
	@echo "==> $(1)"; start=$$SECONDS; \
	if $(2); then echo "    done in $$((SECONDS - start)) s"; \
	else code=$$?; echo "    FAILED after $$((SECONDS - start)) s: $(1)" >&2; exit $$code; fi
endef

help:
	@sed -n 's/^# \{0,1\}//p' Makefile | head -7

setup: $(INSTALLED)

$(INSTALLED): requirements.lock pyproject.toml
	$(call step,check $(PYTHON),$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11) and "Python 3.11 or later is needed: make PYTHON=/path/to/python3.12")')
	$(call step,create $(VENV),test -x $(BIN)/python || $(PYTHON) -m venv $(VENV))
	$(call step,install the locked packages (a minute or two),$(PIP) --no-deps --require-hashes -r requirements.lock)
	$(call step,install zhuanke itself,$(PIP) --no-deps --no-build-isolation -e . && $(BIN)/python -m pip check)
	@touch $@

demo: $(INSTALLED)
	@$(BIN)/zhuanke demo

ui: $(INSTALLED)
	@$(BIN)/zhuanke ui

lint: $(INSTALLED)
	$(call step,style (ruff),$(BIN)/ruff check --quiet . && $(BIN)/ruff format --quiet --check .)
	$(call step,types (mypy),$(BIN)/mypy --no-error-summary)
	$(call step,layers (import-linter),$(BIN)/lint-imports --no-logo > /dev/null || $(BIN)/lint-imports)
	$(call step,SQL (sqlfluff),$(BIN)/sqlfluff lint --disable-progress-bar --processes $(WORKERS) dbt/models)
	$(call step,generated documents,$(BIN)/python -m documents --check)

unit: $(INSTALLED)
	$(call step,tests (pytest),$(PYTEST) -m "not slow")

slow: $(INSTALLED)
	$(call step,long tests (pytest),$(PYTEST) -m slow)

test: lint unit

bench: $(INSTALLED)
	@$(BIN)/python -m benchmarks $(if $(ONLY),--only $(ONLY)) $(if $(SIZES),--sizes $(SIZES)) $(if $(ROUNDS),--rounds $(ROUNDS))

clean:
	rm -rf $(VENV) .pytest_cache .mypy_cache .ruff_cache .hypothesis .import_linter_cache dbt/target dbt/logs
