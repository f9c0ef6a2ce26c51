# Everything happens in .venv, which the first command creates. Requirements are installed again only
# after their files have changed.

PORT ?= 8501
ARGS ?=
# The first of these that is Python 3.11, 3.12 or 3.13 makes .venv.
PYTHON ?= python3 python3.13 python3.12 python3.11

VENV := .venv
VENV_PYTHON := $(VENV)/bin/python
# Built packages only: where one is missing, stop at once instead of compiling for an hour.
PIP_INSTALL := $(VENV_PYTHON) -m pip install --disable-pip-version-check --only-binary=:all:
PIP_INSTALL_VAEAD := $(VENV_PYTHON) -m pip install --disable-pip-version-check --quiet --no-deps --editable .
LOCK := $(VENV)/bin/uv pip compile pyproject.toml --quiet --universal --python-version=3.11 --no-annotate \
    --custom-compile-command="make lock"
FITS := import sys; sys.exit(not (3, 11) <= sys.version_info[:2] <= (3, 13))

.DEFAULT_GOAL := help
.PHONY: bench clean docs help lint lock run test

help: ## List the commands
	@awk -F ':.*## ' '/^[a-z]+:.*## / { printf "  make %-7s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

run: $(VENV)/.serving ## Start the app; PORT=8501
	@exec $(VENV_PYTHON) -m vaead app --port=$(PORT) --browser.serverAddress=localhost $(ARGS)

# One process more than there are cores: tests in a browser wait as often as they work. With the low priority
# of the processes that the app starts for photos and trainings, which would wait for all tests beside theirs.
test: $(VENV)/.development ## Run all tests, or some: ARGS="tests/unit -k terms"
	@bash tests/browser/install_browser.sh
	@nice -n 19 $(VENV_PYTHON) -m pytest --numprocesses=$$(($$(getconf _NPROCESSORS_ONLN) + 1)) --dist=worksteal $(ARGS)

lint: $(VENV)/.development ## Check style and types
	$(VENV_PYTHON) -m ruff check .
	$(VENV_PYTHON) -m ruff format --check .
	$(VENV_PYTHON) -m mypy

bench: $(VENV)/.development ## Measure the figures of benchmarks/RESULTS.md; ARGS="--help" lists the options
	@$(VENV_PYTHON) -m benchmarks $(ARGS)

docs: $(VENV)/.development ## Write the reference of the Python API into build/docs
	@TF_CPP_MIN_LOG_LEVEL=3 $(VENV_PYTHON) -W ignore docs/api_reference.py build/docs

lock: $(VENV)/.development ## Pin new dependencies of pyproject.toml; newer versions of all: ARGS=--upgrade
	$(LOCK) --extra=dev --output-file=requirements-dev.txt $(ARGS)
	$(LOCK) --extra=train --extra=cluster --constraints=requirements-dev.txt --output-file=requirements-cluster.txt
	$(LOCK) --extra=train --constraints=requirements-dev.txt --output-file=requirements.txt

clean: ## Remove .venv, build and all caches, but no model
	rm -rf $(VENV) build .mypy_cache .pytest_cache .ruff_cache
	find . -name .git -prune -o -type d -name __pycache__ -exec rm -rf {} +

$(VENV)/.created:
	@for python in $(PYTHON); do \
	    if $$python -c '$(FITS)' 2>/dev/null; then \
	        echo "Creating $(VENV) with $$($$python --version)"; \
	        if $$python -m venv $(VENV); then touch $@; exit 0; fi; \
	        echo "$(VENV) could not be created; on Debian and Ubuntu, first run: apt-get install python3-venv" >&2; \
	        exit 1; \
	    fi; \
	done; \
	for python in $(PYTHON); do echo "$$python: $$($$python --version 2>&1)" >&2; done; \
	echo "Python must be 3.11, 3.12 or 3.13, found only the above; install one," \
	    "or name it: make run PYTHON=/path/to/python3.13" >&2; \
	exit 1

$(VENV)/.serving: requirements.txt pyproject.toml $(VENV)/.created
	@echo "Installing requirements.txt, which takes a few minutes the first time"
	@$(PIP_INSTALL) -r requirements.txt && $(PIP_INSTALL_VAEAD) || { $(INSTALL_FAILED); }
	@touch $@

$(VENV)/.development: requirements-dev.txt pyproject.toml $(VENV)/.created
	@echo "Installing requirements-dev.txt, which takes a few minutes the first time"
	@$(PIP_INSTALL) -r requirements-dev.txt && $(PIP_INSTALL_VAEAD) || { $(INSTALL_FAILED); }
	@touch $(VENV)/.serving $@

INSTALL_FAILED = echo "The packages could not be installed; the lines above say why. There are builds for" \
    "64-bit Linux with glibc 2.27 or newer, macOS on Apple silicon, and Windows." >&2; exit 1
