# Two commands do all on a fresh machine: `make demo` and `make test`. Python 3.11 or newer is all they need.
PYTHON ?= $(shell command -v python3.11 || command -v python3)
RUN_VENV := .venv-run
DEV_VENV := .venv
PHOTO ?=

.PHONY: demo run test lint format tour screens translations clean

demo: $(RUN_VENV)/.runtime ## a photo in, in-character replies out; PHOTO=path for your own
	$(RUN_VENV)/bin/python -m bot.demo $(if $(PHOTO),"$(PHOTO)")

run: $(RUN_VENV)/.runtime ## start the bot from .env
	$(RUN_VENV)/bin/python -m bot run

test: $(DEV_VENV)/.everything ## the whole test suite
	$(DEV_VENV)/bin/python -m pytest

lint: $(DEV_VENV)/.everything ## style and types
	$(DEV_VENV)/bin/ruff check .
	$(DEV_VENV)/bin/ruff format --check .
	$(DEV_VENV)/bin/mypy

format: $(DEV_VENV)/.everything ## rewrite in the house style
	$(DEV_VENV)/bin/ruff check --fix .
	$(DEV_VENV)/bin/ruff format .

tour: $(DEV_VENV)/.everything ## walk through everything the bot does in Discord, on 127.0.0.1; transcripts in runs/
	$(DEV_VENV)/bin/python -m tests.tour --engine real

screens: tour ## draw docs/screens/*.png from the transcripts (needs Chromium)
	$(DEV_VENV)/bin/python -m docs.screens.render runs

translations: $(DEV_VENV)/.everything ## add new sentences of the bot to bot/resources/locales/*.po
	$(DEV_VENV)/bin/python -m tests.catalogue

clean: ## remove the virtual environments and caches
	rm -rf $(RUN_VENV) $(DEV_VENV) build *.egg-info .mypy_cache .ruff_cache .pytest_cache

# The demo extra is only matplotlib, for its sample portrait: no PyTorch here.
$(RUN_VENV)/.runtime: pyproject.toml
	$(PYTHON) -m venv $(RUN_VENV)
	$(RUN_VENV)/bin/python -m pip install --quiet --editable ".[demo]"
	touch $@

$(DEV_VENV)/.everything: pyproject.toml
	$(PYTHON) -m venv $(DEV_VENV)
	$(DEV_VENV)/bin/python -m pip install --quiet --editable ".[demo,train,export,dev]"
	touch $@
