# Two commands are all a newcomer needs: make dashboard, make test.
# Everything is installed into .venv; nothing outside this folder changes but the example's key file and, for the tests
# of the browser, a Chromium where there is none.

VENV   := .venv
PY     := $(VENV)/bin/python
# the first Python on this machine that is new enough
ifndef PYTHON
PYTHON := $(shell for p in python3.14 python3.13 python3.12 python3.11 python3; do \
	$$p -c 'import sys, venv; sys.exit(sys.version_info < (3, 11))' 2>/dev/null && echo $$p && break; done)
endif
# as the pipeline and the dashboard find it
DATA   := $(or $(APT_DATA),$(shell $(PYTHON) -c 'import tomllib; print(tomllib.load(open("settings.toml", "rb")).get("data", ""))' 2>/dev/null),data)
INBOX  := $(DATA)/inbox/sources.toml
# your own extracts where there are any, else the example university
SOURCES = $(if $(wildcard $(INBOX)),$(INBOX),$(DATA)/example/sources.toml)
PORT   ?= 8501

.PHONY: dashboard test run example bench lint browser screenshots clean
.DEFAULT_GOAL := dashboard

dashboard: $(VENV)/.runtime ## environment, example data, pipeline, app
	@if [ ! -f $(DATA)/published/current ]; then $(MAKE) --no-print-directory run; fi
	$(PY) -m streamlit run dashboard/app.py --server.port $(PORT) $(STREAMLIT)

test: $(VENV)/.dev browser ## environment and every test, a file to a process, three at once; PYTEST=-n0 for one process
	$(PY) -m pytest -n 3 --dist loadfile --no-loadscope-reorder $(PYTEST)

run: $(VENV)/.runtime ## a new release from data/inbox, or from the example where the inbox has no sources.toml
	@if [ ! -f $(SOURCES) ]; then $(MAKE) --no-print-directory example; fi
	$(PY) -m pipelines run --sources $(SOURCES)

example: $(VENV)/.runtime ## the extracts of a fictional university
	$(PY) -m pipelines example --out $(DATA)/example

bench: $(VENV)/.dev ## seconds and memory, written to docs/performance.md
	$(PY) -m tests.bench

lint: $(VENV)/.dev ## style and types
	$(VENV)/bin/ruff check .
	$(VENV)/bin/ruff format --check .
	$(VENV)/bin/mypy

browser: $(VENV)/.dev ## find or install a Chromium for the browser tests
	@$(PY) -m tests.browser.chromium

screenshots: $(VENV)/.dev browser ## every page at three widths, light and dark, into docs/screenshots
	$(PY) -m tests.browser.screenshots --data $(DATA) --out docs/screenshots

clean: ## remove the environment, caches and the example's extracts; releases and your inbox stay
	rm -rf $(VENV) .pytest_cache .mypy_cache .ruff_cache .hypothesis
	find . -name __pycache__ -type d -prune -exec rm -rf {} +
	find $(DATA)/example -mindepth 1 ! -name README.md -delete

$(VENV)/bin/python:
	@if [ -z "$(PYTHON)" ]; then echo "Python 3.11 or newer is needed. Debian: apt install python3 python3-venv. macOS: brew install python."; exit 1; fi
	@$(PYTHON) -m venv $(VENV) || { rm -rf $(VENV); echo "Python's venv module is missing. Debian: apt install python3-venv."; exit 1; }

$(VENV)/.runtime: requirements.txt | $(VENV)/bin/python
	$(PY) -m pip install --quiet --disable-pip-version-check -r requirements.txt
	@touch $@

$(VENV)/.dev: requirements-dev.txt requirements-spark.txt requirements.txt | $(VENV)/bin/python
	$(PY) -m pip install --quiet --disable-pip-version-check --no-compile -r requirements-dev.txt  # half a minute less
	@touch $@ $(VENV)/.runtime
