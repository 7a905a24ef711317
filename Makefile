# Posebook: `make help` lists the targets. Everything runs inside .venv, made on first use.

SHELL := /bin/sh
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
STAMP := $(VENV)/.installed

PROFILE ?=
SEEDS ?= 0
CHAPTERS ?=
MOTION ?= procedural
DEVICE ?= auto
EXPERIMENTS ?= core
RESULTS ?=
FORCE ?=
WORKERS ?= 2
TORCH_INDEX ?=

RUN_OPTIONS = $(if $(PROFILE),--profile $(PROFILE)) $(foreach seed,$(SEEDS),--seed $(seed)) --motion $(MOTION) \
	--device $(DEVICE) --experiments $(EXPERIMENTS) $(if $(RESULTS),--results $(RESULTS)) $(if $(FORCE),--force)

.PHONY: help install benchmark test lint unit long-tests notebook-tests browser-core browser-tests lab notebooks site clean
.DEFAULT_GOAL := help

help:  ## this list
	@grep -E '^[a-z-]+:.*##' $(MAKEFILE_LIST) | sed -E 's/:[^#]*## /\t/' | awk -F'\t' '{printf "  make %-15s %s\n", $$1, $$2}'
	@echo ""
	@echo "  Variables: PROFILE=laptop|gpu|smoke SEEDS=\"0 1 2\" CHAPTERS=\"01 02\" MOTION=procedural|cmu DEVICE=auto|cpu|cuda"
	@echo "             EXPERIMENTS=core|all RESULTS=folder (default results-local) FORCE=1 PYTHON=python3.12"

$(BIN)/python:
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || { \
		echo "Posebook needs Python 3.11 or newer, but '$(PYTHON)' is $$($(PYTHON) --version 2>&1)."; \
		echo "Install a newer Python and say where it is, for example: make install PYTHON=python3.12"; exit 1; }
	$(PYTHON) -m venv $(VENV)

$(STAMP): pyproject.toml requirements.lock | $(BIN)/python
	$(BIN)/python -m pip install --quiet $(if $(TORCH_INDEX),--extra-index-url $(TORCH_INDEX)) -r requirements.lock
	$(BIN)/python -m pip install --quiet --no-deps -e .
	@touch $@

install: $(STAMP)  ## make .venv and install the lock file into it (the other targets do this first)

benchmark: install  ## run every chapter and print the MPJPE table
	$(BIN)/posebook run $(CHAPTERS) $(RUN_OPTIONS)

test: lint unit notebook-tests browser-core  ## ruff, pytest, every notebook through nbval (smoke), one and the site in a browser

lint: install
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .

unit: install
	OMP_NUM_THREADS=1 $(BIN)/python -m pytest tests --ignore=tests/browser -n $(WORKERS) --dist loadscope --no-loadscope-reorder --durations=25

long-tests: install  ## tests of minutes each that `make test` leaves out: more real datasets, more chapters on two processes
	OMP_NUM_THREADS=1 $(BIN)/python -m pytest tests --ignore=tests/browser -m long --timeout=3000

notebook-tests: install
	OMP_NUM_THREADS=1 POSEBOOK_PROFILE=smoke $(BIN)/python -m pytest --nbval-lax --nbval-current-env --nbval-cell-timeout=300 \
		-n $(WORKERS) --dist loadfile --durations=10 notebooks/*.ipynb

browser-core: install
	OMP_NUM_THREADS=1 $(BIN)/python -m pytest tests/browser -m "not slow" -n $(WORKERS) --dist loadgroup --durations=10

browser-tests: install  ## the site and every notebook's explorers in JupyterLab, in Chromium (skipped where there is none)
	OMP_NUM_THREADS=1 $(BIN)/python -m pytest tests/browser -n $(WORKERS) --dist loadgroup

lab: install  ## JupyterLab on notebooks/
	$(BIN)/jupyter lab --notebook-dir=notebooks

notebooks: install  ## execute the committed notebooks (laptop, all experiments) and write their outputs back
	$(BIN)/posebook notebooks $(CHAPTERS)

site: install  ## README, notebooks with their outputs and all results as HTML in build/site; works from disk, offline
	$(BIN)/python -m sphinx --fail-on-warning --keep-going --fresh-env -q -c docs -b html . build/site
	@echo "Open build/site/index.html"

clean:  ## remove .venv and tool caches (results and the Posebook cache stay; see `posebook cache`)
	rm -rf $(VENV) build dist lib/*.egg-info .pytest_cache .ruff_cache
