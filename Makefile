# `make run` and `make test` do all their own set-up; both are quick when repeated.
# Everything goes through .venv/bin/python with a relative path, so that the project works
# from a folder whose path has a space in it.

PYTHON ?= python3
VENV_PYTHON := .venv/bin/python
PYTEST := $(VENV_PYTHON) -m pytest --dist loadfile --no-loadscope-reorder --max-worker-restart 1
export PIP_DISABLE_PIP_VERSION_CHECK := 1

COMPILE := uv pip compile pyproject.toml --quiet --universal --generate-hashes --python-version 3.11 \
	--no-annotate --no-header $(UPGRADE)

.PHONY: run rate champion setup train test test-all lint migrations lock
.DEFAULT_GOAL := run

# Without a champion the bot trains one, while it can be talked with.
run: setup  ## Talk with the bot: in Telegram, or in a chat page where .env has no token
	@if [ -f models/champion ]; then $(VENV_PYTHON) -m classifier evaluate champion; fi
	@grep -qs '^FIRST_TRAINING_MINUTES=.' .env || export FIRST_TRAINING_MINUTES=$${FIRST_TRAINING_MINUTES:-5}; \
		exec $(VENV_PYTHON) -m bot

rate: champion  ## Rate what is typed, or piped in, without the bot
	@$(VENV_PYTHON) -m classifier predict

champion: setup  ## Train if there is no champion yet, and show which pooling is better
	@if [ -f models/champion ]; then $(VENV_PYTHON) -m classifier evaluate champion; \
	else $(VENV_PYTHON) -m classifier train --minutes 5; fi

train: setup  ## Train on all reviews, and take the result into use
	$(VENV_PYTHON) -m classifier train --promote

setup: .venv/installed  ## Install what running needs

test: .venv/installed-dev  ## The tests, without the slow ones
	$(PYTEST) -n 3 -m "not slow"

test-all: .venv/installed-dev  ## All tests, with coverage
	$(PYTEST) -n 2 --cov --cov-report=term:skip-covered

lint: .venv/installed-dev  ## ruff and mypy
	$(VENV_PYTHON) -m ruff check .
	$(VENV_PYTHON) -m ruff format --check .
	$(VENV_PYTHON) -m mypy

migrations: .venv/installed-dev  ## From an empty database to the newest revision, and no model left behind
	@folder=$$(mktemp -d) && trap 'rm -rf "$$folder"' EXIT && \
	export DATABASE_URL="sqlite+aiosqlite:///$$folder/check.db" && \
	$(VENV_PYTHON) -m alembic upgrade head && $(VENV_PYTHON) -m alembic check

$(VENV_PYTHON):
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11) and "Kinorate needs Python 3.11 or newer, and $(PYTHON) is " + sys.version.split()[0])'
	$(PYTHON) -m venv .venv

# Every file's hash is checked, but for torch (and the CUDA packages that it names): its CPU
# and CUDA builds differ and come from several places, so that pip checks them by their index's hashes.
.venv/installed: pyproject.toml requirements.lock | $(VENV_PYTHON)
	$(VENV_PYTHON) -m pip install --quiet --require-hashes --no-deps --requirement requirements.lock
	$(VENV_PYTHON) -m pip install --quiet --no-build-isolation --editable '.[offline,postgres]'
	@touch $@

.venv/installed-dev: .venv/installed requirements-dev.lock
	$(VENV_PYTHON) -m pip install --quiet --require-hashes --no-deps --requirement requirements-dev.lock
	@touch $@

# A version stays until it is named: make lock UPGRADE='--upgrade-package datasets'
lock:  ## Both lock files anew from pyproject.toml; needs uv, https://docs.astral.sh/uv/
	$(COMPILE) --extra offline --extra postgres --output-file requirements.lock
	$(COMPILE) --all-extras --constraint requirements.lock --output-file requirements-dev.lock \
		$$(sed -nE 's/^([^ =]+)==.*/--no-emit-package \1/p' requirements.lock)
	sed -i.old -E '/^(torch|triton|cuda-|nvidia-)/,/[^\\]$$/d' requirements.lock requirements-dev.lock
	rm requirements.lock.old requirements-dev.lock.old
