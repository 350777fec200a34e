# The newcomer's two commands are `make run` and `make test`; README.md says the rest.
SHELL := /bin/sh
PY := .venv/bin/python
ONLY ?=
.DEFAULT_GOAL := help

help:
	@echo 'make run     set up and serve topoweb on 127.0.0.1:8000 with a demo lab'
	@echo 'make test    set up and run the tests        (make test ONLY=expr narrows like pytest -k)'
	@echo 'make test-guest  the tests of what this kernel lacks, on a stock Debian kernel (emulated)'
	@echo 'make check   linters, types, import rules, contracts and bundle fresh'
	@echo 'make golden  rewrite the golden files and show the difference'
	@echo 'make bench   run the benchmarks              (make bench ONLY=name runs one)'
	@echo 'make verdicts  break real networks and mark what the explainer says (ONLY=words narrows)'
	@echo 'make build   rebuild the front end into static/ (needs Node 20.19 or newer)'
	@echo 'make lock    refresh the hashed requirement files'

run:
	@scripts/setup run
	@TOPOWEB_DATA="$${TOPOWEB_DATA:-$(CURDIR)/var}" exec $(PY) manage.py serve $(ARGS)

test:
	@scripts/setup test
	@scripts/test '$(ONLY)'

test-guest:
	@scripts/setup test
	@scripts/test-guest '$(ONLY)'

check:
	@scripts/setup test
	@scripts/check

golden:
	@scripts/setup test
	@$(PY) -m tests.golden.update
	@git --no-pager diff --stat -- tests/golden

bench:
	@scripts/setup test
	@scripts/bench '$(ONLY)'

verdicts:
	@scripts/setup test
	@$(PY) -m tests.verdicts.exam $(ONLY)

build:
	@scripts/frontend build

lock:
	@$(PY) -m pip install -q uv
	@$(PY) -m uv pip compile -q --universal --python-version 3.11 --generate-hashes --no-emit-index-url --no-header --upgrade pyproject.toml -o requirements/run.txt
	@$(PY) -m uv pip compile -q --universal --python-version 3.11 --generate-hashes --no-emit-index-url --no-header --extra dev -c requirements/run.txt pyproject.toml -o requirements/dev.txt

.PHONY: help run test test-guest check golden bench verdicts build lock
