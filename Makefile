# One word per task; CI runs these and nothing else. Every task sets the machine up first.
SHELL := bash
.SHELLFLAGS := -eu -o pipefail -c
.DEFAULT_GOAL := help
.DELETE_ON_ERROR:
MAKEFLAGS += --no-print-directory

# What runs is the tree of this Makefile, even where another one is installed.
export PYTHONPATH := $(CURDIR)
# A kernel is not compiled again when one that it calls changes, so each state of the rules has a cache
# of its own.
export NUMBA_CACHE_DIR := $(CURDIR)/build/numba/$(shell cat offchain/core/*.py offchain/pricing/*.py | sha256sum | cut -c1-16)
# web3's own choice is the slower one.
export ETH_HASH_BACKEND := pysha3

BIN := .venv/bin
# Foundry's own binary: its launcher package of 1.7.1 loses the exit status.
FORGE := node_modules/@foundry-rs/forge-linux-amd64/bin/forge
READY := .venv/.ready node_modules/.ready
# A run with fewer passing tests is red: a filter that matches nothing would be green otherwise.
PYTHON_MINIMUM := 5000
CONTRACTS_MINIMUM := 1350
WORKERS := 2
UV := uv==0.13.9

##@ Everyday

.PHONY: help
help: ## List the tasks.
	@awk 'BEGIN {FS = ":.*## "} /^##@/ {printf "\n%s\n", substr($$0, 5)} \
		/^[a-z-]+:.*## / {printf "  %-22s %s\n", $$1, $$2}' $(firstword $(MAKEFILE_LIST))

.PHONY: setup
setup: $(READY) ## Install exact versions of everything, once.

.venv/.ready: requirements.lock pyproject.toml scripts/setup_python.sh
	@echo "setup: Python packages"
	@PYTHON="$(PYTHON)" bash scripts/setup_python.sh

node_modules/.ready: package.json package-lock.json scripts/setup_node.sh
	@echo "setup: Foundry, compiler and contract libraries"
	@bash scripts/setup_node.sh

.PHONY: demo
demo: $(READY) ## Replay the crash of 10 October 2025 end to end (DATA=file replays another).
	$(BIN)/plimsoll demo $(if $(DATA),--data "$(DATA)",)

.PHONY: test
test: $(READY) ## Run every test that a change must pass.
	rm -rf build/test
	status=0; \
	$(MAKE) test-python || status=1; \
	$(MAKE) test-contracts || status=1; \
	$(BIN)/python scripts/tally.py --total || status=1; \
	exit $$status

.PHONY: check
check: check-lint check-format check-types check-layers check-contracts check-vectors ## Check everything that needs no test run.

.PHONY: fmt
fmt: $(READY) ## Rewrite the sources in the house format.
	$(BIN)/ruff check --fix --quiet . || true
	$(BIN)/ruff format .
	$(FORGE) fmt contracts tests

.PHONY: bench
bench: $(READY) ## Measure, into build/bench/results.json.
	$(BIN)/python scripts/bench.py

.PHONY: peers
peers: $(READY) ## Install the libraries that `make bench` compares with, and measure (optional extra).
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --require-hashes \
		-r requirements-peers.lock
	$(MAKE) bench
	$(BIN)/python scripts/plot_bench.py

.PHONY: conformance
conformance: $(READY) ## Hold the models to published cases, and to ../shared/data where it is present.
	$(BIN)/python scripts/conformance.py

.PHONY: mutation
mutation: $(READY) ## Change core and pricing a little, many times; 90 % must be noticed (deep).
	$(BIN)/python scripts/mutation.py

.PHONY: guards
guards: $(READY) ## Switch off each guard of the contracts alone; a forge test must notice (FOLDERS=vault,exit).
	$(BIN)/python scripts/guards.py $(if $(FOLDERS),--folders "$(FOLDERS)",)

.PHONY: selftest
selftest: $(READY) .venv-analysis/.ready ## Plant one failure for each gate; fail if a gate stays green.
	$(BIN)/python scripts/selftest.py

.PHONY: vectors
vectors: $(READY) ## Rewrite the golden vectors from the Python reference.
	$(BIN)/python scripts/vectors.py

.PHONY: slither
slither: $(READY) .venv-analysis/.ready ## Analyse the contracts; every finding must be explained.
	$(BIN)/python scripts/slither_gate.py

.PHONY: symbolic
symbolic: $(READY) .venv-analysis/.ready ## Prove rules of the contracts for all inputs (MATCH=regex proves some).
	$(BIN)/python scripts/symbolic.py $(if $(MATCH),--match "$(MATCH)",)

.venv-analysis/.ready: requirements-analysis.lock scripts/setup_analysis.sh .venv/.ready
	@echo "setup: analysers of the contracts"
	@bash scripts/setup_analysis.sh

.PHONY: drill
drill: $(READY) ## Kill operators at random, freeze, and let everybody leave (SEED=2 for others).
	$(BIN)/python scripts/drill.py $(if $(SEED),--seed $(SEED),)

.PHONY: test-deep
test-deep: $(READY) ## Run the long campaigns: deep tests, more examples, more fuzzing.
	$(BIN)/pytest -n $(WORKERS) -m "deep or not deep" --hypothesis-profile ci
	FOUNDRY_PROFILE=ci $(FORGE) test --offline

.PHONY: clean
clean: ## Remove everything that can be made again.
	rm -rf build .venv .venv-analysis node_modules .mypy_cache .pytest_cache .ruff_cache .import_linter_cache \
		.hypothesis
	find offchain scripts tests -name __pycache__ -prune -exec rm -rf {} +

##@ Single gates

.PHONY: test-python
test-python: $(READY) ## Run the Python tests (ONLY=tests/unit/test_x.py runs some).
	mkdir -p build/test
	rm -f build/test/python.xml
	$(BIN)/pytest -n $(WORKERS) --junitxml=build/test/python.xml $(ONLY)
	$(BIN)/python scripts/tally.py --python-minimum $(PYTHON_MINIMUM)

.PHONY: test-contracts
test-contracts: $(READY) ## Run the contract tests (ONLY='--match-path ..' runs some).
	mkdir -p build/test
	rm -rf build/test/contracts.log build/gas
	$(FORGE) test --offline $(ONLY) | tee build/test/contracts.log
	$(BIN)/python scripts/tally.py --contracts-minimum $(CONTRACTS_MINIMUM) \
		$(if $(ONLY),,--every-contract-file)
	$(BIN)/python scripts/gas_snapshot.py $(if $(ONLY),--partial,)

.PHONY: check-lint
check-lint: $(READY) ## Lint Python.
	$(BIN)/ruff check .

.PHONY: check-format
check-format: $(READY) ## Compare the format of Python with the house format.
	$(BIN)/ruff format --check .

.PHONY: check-types
check-types: $(READY) ## Check the types of Python.
	$(BIN)/mypy

.PHONY: check-layers
check-layers: $(READY) ## Check that imports point down.
	$(BIN)/lint-imports

.PHONY: check-contracts
check-contracts: check-contracts-format check-contracts-build ## Check the contracts.

.PHONY: check-contracts-format
check-contracts-format: $(READY) ## Compare the format of Solidity with the house format.
	$(FORGE) fmt --check contracts tests

.PHONY: check-contracts-build
check-contracts-build: $(READY) ## Compile the contracts and refuse any over the size limit.
	$(FORGE) build --offline --sizes contracts

.PHONY: check-vectors
check-vectors: $(READY) ## Check that the golden vectors are what the reference writes.
	$(BIN)/python scripts/vectors.py --check

##@ Upkeep

.PHONY: lock
lock: $(READY) ## Resolve pyproject.toml again into requirements.lock, with hashes.
	$(BIN)/python -m pip install --quiet --disable-pip-version-check $(UV)
	$(BIN)/uv pip compile pyproject.toml --extra dev --python-version 3.11 --generate-hashes \
		--no-emit-index-url --no-header --no-annotate -o requirements.lock
	$(BIN)/uv pip compile pyproject.toml --extra peers -c requirements.lock --python-version 3.11 \
		--generate-hashes --no-emit-index-url --no-header --no-annotate -o requirements-peers.lock
