# The commands of the README: `make rank` and `make test`.
# Each makes .venv and installs what it needs from the locks; a second run installs nothing.

PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
PIP := $(BIN)/python -m pip --quiet --disable-pip-version-check
# In a checkout the database, the models and the keys live in the checkout.
export LEADSCORE_HOME ?= $(CURDIR)

ON_TWO_CORES := --numprocesses 2 --dist worksteal

LIST ?= data/samples/electronics.csv
OUT ?= ranking.xlsx

.PHONY: rank serve test lint types contracts unit coverage fuzz screenshots record crash bench-learning lock clean

rank: $(VENV)/.runtime
	$(BIN)/leadscore rank $(LIST) -o $(OUT)

serve: $(VENV)/.runtime
	$(BIN)/leadscore serve

# The types are checked beside the tests, which take longer, and told of after them.
test: lint contracts
	@$(BIN)/mypy > .types.log 2>&1 & types=$$!; \
	$(MAKE) --no-print-directory unit; unit=$$?; \
	wait $$types; types=$$?; cat .types.log; rm .types.log; exit $$((unit | types))

lint: $(VENV)/.development
	$(BIN)/ruff check
	$(BIN)/ruff format --check

types: $(VENV)/.development
	$(BIN)/mypy

contracts: $(VENV)/.development
	$(BIN)/lint-imports --no-cache

# Doctests are collected from src together with the tests.
unit: $(VENV)/.development
	$(BIN)/python -m pytest $(ON_TWO_CORES)

# The tests alone, and which lines and branches they leave out: takes half as long again.
coverage: $(VENV)/.development
	$(BIN)/coverage erase
	$(BIN)/coverage run -m pytest $(ON_TWO_CORES)
	$(BIN)/coverage combine --quiet
	$(BIN)/coverage report

# The tests whose examples are made up, with many more of them.
fuzz: $(VENV)/.development
	$(BIN)/python -m pytest $(ON_TWO_CORES) -m hypothesis --hypothesis-profile fuzz

# The pictures of the pages that the READMEs show.
screenshots: $(VENV)/.development
	$(BIN)/python -m pytest tests/browser/screenshots.py --quiet --screenshots docs/images

# What the working tree says beside what a revision said; see benchmarks/recorder.
record: $(VENV)/.development
	$(BIN)/python -m benchmarks.recorder $(RECORD)

# 500 kills of the service and of commands, on both databases; takes about ten minutes.
crash: $(VENV)/.development
	$(BIN)/python -m tests.crash.run $(CRASH)

# The card beside its peers, in an environment of its own. LEADSCORE_BENCH_DATA names the folder of
# the three public files; without them the command says where each is to be had.
bench-learning: .venv-bench/.ready
	.venv-bench/bin/python benchmarks/learning.py --cache .bench $(BENCH)

.venv-bench/.ready: requirements/bench.txt pyproject.toml
	$(PYTHON) -m venv .venv-bench
	.venv-bench/bin/python -m pip --quiet --disable-pip-version-check install --require-hashes -r $<
	.venv-bench/bin/python -m pip --quiet --disable-pip-version-check install \
		--no-deps --no-build-isolation --editable .
	touch $@

$(BIN)/python:
	$(PYTHON) -m venv $(VENV)

$(VENV)/.runtime: requirements/runtime.txt pyproject.toml | $(BIN)/python
	$(PIP) install --require-hashes -r requirements/runtime.txt
	$(PIP) install --no-deps --no-build-isolation --editable .
	touch $@

$(VENV)/.development: requirements/development.txt pyproject.toml | $(BIN)/python
	$(PIP) install --require-hashes -r requirements/development.txt
	$(PIP) install --no-deps --no-build-isolation --editable .
	touch $@ $(VENV)/.runtime

# Compile the locks anew; both name exact versions and hashes, and no registry.
lock: $(VENV)/.development
	$(BIN)/uv pip compile pyproject.toml --group build --universal --generate-hashes \
		--no-emit-index-url --no-header --quiet --upgrade -o requirements/runtime.txt
	$(BIN)/uv pip compile pyproject.toml --group dev --universal --generate-hashes \
		--no-emit-index-url --no-header --quiet --upgrade -c requirements/runtime.txt \
		-o requirements/development.txt
	$(BIN)/uv pip compile pyproject.toml --extra postgres --group build --universal \
		--generate-hashes --no-emit-index-url --no-header --quiet --upgrade \
		-c requirements/runtime.txt -c requirements/development.txt -o requirements/postgres.txt
	$(BIN)/uv pip compile pyproject.toml --group build --group bench --universal --generate-hashes \
		--no-emit-index-url --no-header --quiet --upgrade -c requirements/runtime.txt \
		-o requirements/bench.txt

clean:
	rm -rf $(VENV) .venv-bench .mypy_cache .ruff_cache .pytest_cache .coverage* dist
