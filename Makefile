# Two commands set everything up on a fresh machine: `make demo` and `make test`.
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
ARGS ?=

.PHONY: demo test crash soak overload lint bench bench-ledger lock clean

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

# Two at once, a file to each; ARGS="-n 0 tests/gate" runs a part in one process.
test: $(VENV)/.dev
	$(BIN)/python -m pytest -n 2 --dist loadfile --no-loadscope-reorder $(ARGS)

# The long form of tests/crash: every call, every cut, a thousand kills. Takes hours.
crash: $(VENV)/.dev
	BROKER_CRASH=long $(BIN)/python -m pytest tests/crash tests/departments $(ARGS)

# A day in an hour; for a look: MINUTES=2, and over PostgreSQL ARGS="--postgresql"
MINUTES ?= 60
soak: $(VENV)/.dev
	$(BIN)/python -m tests.soak --minutes $(MINUTES) $(ARGS)

# Three times what can be done, and 2,000 slow clients of each sort: two to three minutes on a machine that does nothing else.
overload: $(VENV)/.dev
	$(BIN)/python -m bench.overload $(ARGS)

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
	uv pip compile --quiet --no-header --no-emit-index-url --generate-hashes --no-strip-extras --python-version 3.11 -o requirements.txt pyproject.toml
	uv pip compile --quiet --no-header --no-emit-index-url --generate-hashes --no-strip-extras --python-version 3.11 --extra dev -o requirements-dev.txt pyproject.toml
	uv pip compile --quiet --no-header --no-emit-index-url --generate-hashes --no-strip-extras --python-version 3.11 --constraints requirements-dev.txt --extra postgresql --extra timestamps --extra tracing -o broker/deployment/requirements.txt pyproject.toml

clean:
	rm -rf $(VENV) dist .mypy_cache .pytest_cache .ruff_cache
