# Two commands on a fresh machine: `make book` and `make test`. Needs Python 3.11+ and make.
PYTHON ?= python3
# A PyTorch build of your choice, e.g. make book TORCH_INDEX=<address of PyTorch's CPU wheel index>
TORCH ?= torch==2.13.0
TORCH_INDEX ?=
# For the kernels of chapter 05, where torch does not bring it along (its CPU builds do not). Linux only.
TRITON ?= triton==3.6.0
CONSTRAINTS ?= constraints.txt
WORKERS ?= 2
PORT ?= 8000

VENV := .venv
BIN := $(VENV)/bin
INSTALLED := $(VENV)/.installed
PYTEST := $(BIN)/python -m pytest

.DEFAULT_GOAL := help
.PHONY: help env book serve notebooks exercises check test test-all format release system-deps clean

help: ## List the commands.
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "  make %-12s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

env: $(INSTALLED) ## Create .venv and install the course with pinned versions.

$(INSTALLED): pyproject.toml constraints.txt
	@$(PYTHON) tools/require_python.py
	@test -x $(BIN)/python || $(PYTHON) -m venv $(VENV)
	@echo "Installing the course into $(VENV) (about three minutes the first time)"
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check $(if $(TORCH_INDEX),--index-url $(TORCH_INDEX)) "$(TORCH)"
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check $(if $(CONSTRAINTS),--constraint $(CONSTRAINTS)) --editable ".[dev]"
	@test "$$(uname -s)" != Linux || $(BIN)/python -c "import triton" 2>/dev/null || \
	 $(BIN)/python -m pip install --quiet --disable-pip-version-check --no-deps "$(TRITON)"
	@touch $@

book: env ## Build the site into _build/html.
	@$(BIN)/python tools/build_book.py

serve: book ## Show the site on http://127.0.0.1:8000 (PORT=…).
	@echo "http://127.0.0.1:$(PORT)/ (stop with Ctrl-C)"
	@$(BIN)/python -m http.server $(PORT) --bind 127.0.0.1 --directory _build/html

notebooks: env ## Execute and pair again what changed.
	@$(BIN)/coursekit exercises build
	@$(BIN)/python tools/notebooks.py build

exercises: env ## Generate the exercise notebooks from solutions/.
	@$(BIN)/coursekit exercises build

check: env ## The fast gate: lint, format, types, pairing, exercises, internal references.
	@$(BIN)/ruff check .
	@$(BIN)/ruff format --check .
	@$(BIN)/mypy
	@$(BIN)/python tools/notebooks.py check
	@$(BIN)/coursekit exercises check
	@$(PYTEST) -q -p no:cacheprovider tests/equations tests/tools/test_editions.py

test: env ## Everything: the fast gate, the book, the suite, every notebook.
	@CONSTRAINTS=$(CONSTRAINTS) $(BIN)/python tools/run_tests.py --workers $(WORKERS)

test-all: env ## The same with every seed (nightly).
	@CONSTRAINTS=$(CONSTRAINTS) COURSEKIT_TEST_ALL=1 $(BIN)/python tools/run_tests.py --workers $(WORKERS)

format: env ## Format the code.
	@$(BIN)/ruff format .
	@$(BIN)/ruff check --fix .

release: book ## Wheel, zip and site of this version into dist/.
	@$(BIN)/python tools/release.py

system-deps: ## Install the Debian packages that tests need (a browser, bubblewrap).
	@missing=""; command -v chromium >/dev/null || missing="chromium"; \
	 command -v bwrap >/dev/null || missing="$$missing bubblewrap"; \
	 test -z "$$missing" || { apt-get update -qq && apt-get install -y -qq --no-install-recommends $$missing; }

clean: ## Remove what was built (not .venv).
	@rm -rf _build dist src/coursekit/_book
