# Everything starts from here; it needs Python 3.11 or later and make.
#
#   make reproduce   run the published experiment (what is missing of it) and summarise
#   make test        lint, type check, tests
#   make test-long   the tests that make test leaves out: a minute or more each
#   make verify-results  the results that the project ships, against their records; a minute
#   make results-pages   write their pages again, after the program that writes them has changed
#   make gate        train the experiment anew and check it against its accepted results
#
# REPRO_DATA_DIR names the folder that holds MNIST/raw (default: data).
# JOBS=4 runs tests four at a time (default: two; each takes up to 1 GB of memory).
# TORCH=cpu, with either, takes torch's build without CUDA where your package index has one: 0.5
# instead of 3 GB to download. It is pinned by its version; all the rest by hashes, as ever.

PYTHON ?= python3
VENV   ?= .venv
BIN    := $(VENV)/bin
PIP    := $(BIN)/python -m pip --disable-pip-version-check --no-input
READY  := $(VENV)/.ready
TORCH  ?= locked
JOBS   ?= 2
GATE   := build/gate
LOCK   := requirements.lock
ifeq ($(TORCH),cpu)
    LOCK := $(VENV)/requirements-cpu.lock
endif

.DEFAULT_GOAL := reproduce
.PHONY: reproduce test test-long lint verify-results results-pages gate bench clean

reproduce: $(READY)
	$(BIN)/python run_all.py

test: lint
	$(BIN)/python -m pytest -m "not long" -n $(JOBS) --dist worksteal

test-long: $(READY)
	$(BIN)/python -m pytest -m long -n $(JOBS) --dist worksteal

lint: $(READY)
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy

# 3: verdicts and numbers agree, and the pages are in the words of an earlier state of the program.
verify-results: $(READY)
	$(BIN)/python run_all.py verify docs/results || test $$? -eq 3

results-pages: $(READY)
	$(BIN)/python run_all.py report docs/results

# Trains the published experiment anew and holds it against its accepted results.
gate: $(READY)
	rm -rf $(GATE)
	$(BIN)/python run_all.py run dhp-split-mnist --out $(GATE) --no-report
	$(BIN)/python run_all.py check $(GATE) --baselines tests/baselines

bench: $(READY)
	$(BIN)/python -m harness.bench

$(READY): requirements.lock pyproject.toml
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11) and "Python 3.11 or later is needed: make PYTHON=python3.12")'
	$(PYTHON) -m venv --clear $(VENV)
ifeq ($(TORCH),cpu)
	@awk '/^[a-z]/ { cuda = /^(torch==|triton|nvidia-|cuda-)/ } !cuda' requirements.lock > $(LOCK)
	$(PIP) install --quiet --no-deps \
	    "$$(sed -n 's/^\(torch==[^ ]*\).*/\1+cpu/p' requirements.lock)"
endif
	$(PIP) install --quiet --no-deps --require-hashes -r $(LOCK)
	$(PIP) install --quiet --no-deps --no-build-isolation --editable .
	$(PIP) check
	@touch $@

clean:
	rm -rf $(VENV) build *.egg-info .pytest_cache .mypy_cache .ruff_cache .hypothesis
	find . -name __pycache__ -prune -exec rm -rf {} +
