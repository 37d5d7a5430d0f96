# Two commands on a fresh Debian 12 machine, each doing all of its own set-up:
#   make demo [JSON=result.json]   the whole life of a visit on real calls, on this machine
#   make test                      what works as fast as it can, a file on each core; then what runs in
#                                  real time, three files at once (tests/README.md)
# See ./bootstrap.sh for what set-up means.

VENV ?= .venv
FOLDER ?= demo-data
AT_ONCE ?= 3
IN_ORDER = --no-loadscope-reorder --durations 15

.PHONY: demo test unit lint docs assets lock clean

demo:
	@VENV=$(VENV) ./bootstrap.sh run
	@$(VENV)/bin/xunfang demo --folder $(FOLDER) $(if $(JSON),--json $(JSON))

test:
	@VENV=$(VENV) ./bootstrap.sh test
	@$(VENV)/bin/python -m pytest -n auto --dist loadfile $(IN_ORDER) -m "not realtime"
	@$(VENV)/bin/python -m pytest -n $(AT_ONCE) --dist loadfile $(IN_ORDER) -m realtime

unit:
	@VENV=$(VENV) ./bootstrap.sh test
	@$(VENV)/bin/python -m pytest tests/unit

lint:
	@VENV=$(VENV) ./bootstrap.sh test
	@$(VENV)/bin/ruff check .
	@$(VENV)/bin/mypy
	@$(VENV)/bin/lint-imports

# The tables in docs/ are made, not written.
docs:
	@$(VENV)/bin/xunfang docs

# What the pages load, from npm by its lock file; the copies in web/static/vendor/ are committed.
assets:
	@cd web/assets && npm ci --ignore-scripts --no-audit --no-fund && node copy.mjs
	@$(VENV)/bin/python web/assets/font.py

# Pin every dependency with its hash (pjsua2-python has a placeholder author: the hash is what we trust).
PIN = $(VENV)/bin/uv pip compile -q pyproject.toml --generate-hashes --no-emit-index-url --no-header
lock:
	@$(VENV)/bin/pip install -q uv
	@$(PIN) -o requirements.lock
	@$(PIN) --extra dev --extra postgres -o requirements-dev.lock

clean:
	rm -rf demo-data build dist .mypy_cache .ruff_cache .pytest_cache .hypothesis
