# Everything a checkout needs, from Python >= 3.11 and GNU make alone. `make` lists what there is.

PYTHONS ?= python3 python3.13 python3.12 python3.11
BIN := .venv/bin
SYNCED := .venv/.synced
COMPILE := $(BIN)/uv pip compile --quiet --universal --generate-hashes --python-version 3.11 \
	--custom-compile-command 'make lock' $(ARGS)

.PHONY: help venv test lint demo bench faults taps lock clean

help:  ## list these commands
	@awk -F ':.*## ' '/^[a-z]+:.*## / { printf "make %-6s %s\n", $$1, $$2 }' Makefile

venv: $(SYNCED)  ## make .venv, as requirements-dev.lock says

test: venv  ## run the suite; ARGS='-m "not index"' needs no package index
	$(BIN)/pytest -n auto --maxprocesses 4 $(ARGS)

lint: venv  ## ruff, and mypy --strict
	$(BIN)/ruff check
	$(BIN)/ruff format --check
	$(BIN)/mypy

demo: venv  ## the main job from end to end: a real tap into DuckDB, and again, and replayed
	$(BIN)/python examples/demo.py

bench: venv  ## measure what benchmarks/README.md describes
	$(BIN)/python -m benchmarks $(ARGS)

faults: venv  ## break runs in every way that they are promised to survive; ARGS='kills' breaks some
	$(BIN)/python -m tests.faults $(ARGS)

taps: venv  ## try well-known taps from the index, and write docs/reference/taps.md; ARGS='tap-x' tries only that one
	$(BIN)/python -m tests.docs.taps $(ARGS)

lock: | $(BIN)/uv  ## resolve pyproject.toml into the locks; ARGS=--upgrade takes newer versions
	$(COMPILE) --upgrade-package duckdb==1.5.5 pyproject.toml -o requirements.lock
	$(COMPILE) --constraint requirements.lock pyproject.toml --group dev -o requirements-dev.lock

clean:  ## remove .venv, caches and builds; the workspace (envs, state, data) stays
	rm -rf .venv .mypy_cache .ruff_cache .pytest_cache .hypothesis build dist
	find orchestrator tests examples benchmarks -name __pycache__ -prune -exec rm -rf {} + 2>/dev/null || true

# uv arrives last, so its presence says that the virtual environment under it is whole.
$(BIN)/uv:
	@for python in $(PYTHONS); do \
		$$python -c 'import ensurepip, sys, venv; sys.exit(sys.version_info < (3, 11))' 2>/dev/null \
			&& exec $$python -m venv --clear .venv; \
	done; \
	echo 'error: no Python >= 3.11 with venv and ensurepip among: $(PYTHONS)' >&2; \
	echo '  hint: make venv PYTHONS=/path/to/python3' >&2; \
	exit 1
	@sed -n '/^uv==/,/^ *#/p' requirements-dev.lock > .venv/uv.lock
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check --require-hashes -r .venv/uv.lock

# --python, because uv would rather take the virtual environment that the caller has activated.
$(SYNCED): requirements-dev.lock pyproject.toml | $(BIN)/uv
	@$(BIN)/uv pip sync --quiet --python $(BIN)/python --require-hashes requirements-dev.lock
	@$(BIN)/uv pip install --quiet --python $(BIN)/python --no-deps --no-build-isolation --editable .
	@touch $@
