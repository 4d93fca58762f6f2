# Two commands set everything up on a fresh machine: `make demo` and `make test`.
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
ARGS ?=

.PHONY: demo test crash lint bench bench-ledger lock clean

# Runtime requirements only: the first demo must not wait for test tools. Nothing of it on stdout, which is the demo's.
$(VENV)/.runtime: requirements.txt pyproject.toml
	@$(PYTHON) -m venv $(VENV) >&2
	@$(BIN)/pip install --quiet --disable-pip-version-check --require-hashes -r requirements.txt >&2
	@touch $@

$(VENV)/.dev: $(VENV)/.runtime requirements-dev.txt
	$(BIN)/pip install --quiet --disable-pip-version-check --require-hashes -r requirements-dev.txt
	touch $@

demo: $(VENV)/.runtime
	@$(BIN)/python -m broker demo $(ARGS)

test: $(VENV)/.dev
	$(BIN)/python -m pytest $(ARGS)

# The long form of tests/crash: every call, every cut, a thousand kills. Takes hours.
crash: $(VENV)/.dev
	BROKER_CRASH=long $(BIN)/python -m pytest tests/crash $(ARGS)

lint: $(VENV)/.dev
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy .
	$(BIN)/lint-imports

bench: $(VENV)/.dev
	$(BIN)/python -m bench $(ARGS)

# Two million entries take a quarter of an hour and 8 GB; for a look: ARGS="--sizes 1000,100000"
bench-ledger: $(VENV)/.dev
	$(BIN)/python -m bench.ledger $(ARGS)

# Pins with hashes and without any index's address; needs uv.
lock:
	uv pip compile --quiet --no-header --no-emit-index-url --generate-hashes --python-version 3.11 -o requirements.txt pyproject.toml
	uv pip compile --quiet --no-header --no-emit-index-url --generate-hashes --python-version 3.11 --extra dev -o requirements-dev.txt pyproject.toml

clean:
	rm -rf $(VENV) dist .mypy_cache .pytest_cache .ruff_cache
