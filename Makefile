# make demo      set up, then run the workflow on the embedded demo
# make test      set up, then run the tests              make test-slow   the long ones as well
# make lint      style, formats, workflow lint           make benchmark   CPU seconds and peak memory
# make lock      refresh requirements.lock from pyproject.toml

SHELL := bash
VENV := .venv
BIN := $(VENV)/bin
# A new environment is made by a Python outside the old one.
SYSTEM_PATH := $(subst $(CURDIR)/$(BIN):,,$(PATH))
export PATH := $(CURDIR)/$(BIN):$(PATH)
export PYTHONNOUSERSITE := 1
unexport PYTHONPATH PYTHONHOME VIRTUAL_ENV

# Wheels only, but for connection-pool, a pure Python dependency of Snakemake that has no wheel.
PIP_INSTALL := pip install --quiet --disable-pip-version-check --require-hashes --only-binary :all: --no-binary connection-pool

.PHONY: demo test test-slow lint benchmark lock setup clean
demo: setup
	@python workflow/demo.py

test: setup
	@python -m pytest -m "not slow" -n 2 --dist loadfile

test-slow: setup
	@python -m pytest

lint: setup
	@ruff check .
	@ruff format --check .
	@snakefmt --check Snakefile workflow
	@snakemake --lint

benchmark: setup
	@for script in $(filter-out benchmarks/bench_gpu.py,$(wildcard benchmarks/bench_*.py)); do echo "== $$script"; python -m benchmarks.$$(basename $$script .py) || exit 1; done

setup: $(VENV)/installed

$(VENV)/installed: requirements.lock
	@export PATH='$(SYSTEM_PATH)'; python=; for candidate in python3.12 python3.11 python3 python; do \
	  if $$candidate -c 'import sys; sys.exit(not (3, 11) <= sys.version_info[:2] <= (3, 12))' 2>/dev/null; \
	  then python=$$candidate; break; fi; done; \
	if [ -z "$$python" ]; then echo "ERROR: no Python 3.11 or 3.12 found on PATH. Install one and run make again." >&2; exit 1; fi; \
	echo "Creating $(VENV) with $$($$python --version) from requirements.lock (about 2 GB, a few minutes) ..." >&2; \
	rm -rf $(VENV); $$python -m venv $(VENV) || { echo "ERROR: 'python -m venv' failed; on Debian or Ubuntu install python3-venv." >&2; exit 1; }
	@$(PIP_INSTALL) -r requirements.lock
	@touch $@

lock:
	uv pip compile --universal --python-version 3.11 --generate-hashes --no-emit-index-url --no-annotate --no-header \
	  --group dev pyproject.toml -o requirements.lock --quiet

clean:
	rm -rf $(VENV)
