# vigie: set it up, try it, test it. `make` alone lists what there is.

SHELL := bash
.SHELLFLAGS := -euo pipefail -c
.DELETE_ON_ERROR:
.NOTPARALLEL:
MAKEFLAGS += --no-builtin-rules --no-print-directory

VENV := .venv
DONE := $(VENV)/done
PYTHON_OF_VENV := $(VENV)/bin/python

# node and npm: the machine's own or the wheel's, see scripts/node.sh.
export PATH := $(CURDIR)/$(VENV)/node/bin:$(PATH)

# The pages are built once there are any.
WEB := $(if $(wildcard web/package.json),src/vigie/web/.built)
WEB_SOURCES = $(shell find web -type f -not -path '*/node_modules/*') $(wildcard src/vigie/texts/*.json)

.PHONY: help
help: ## this list
	@grep -hE '^[a-z-]+:.*##' $(MAKEFILE_LIST) | sed -E 's/^([a-z-]+):[^#]*## (.*)/  make \1\t\2/' | expand -t 16

# --- set-up: each step has a stamp, and is made again only when what it is made of has changed ---

$(DONE)/venv: scripts/venv.sh
	@scripts/venv.sh $(VENV)
	@mkdir -p $(DONE) && touch $@

$(DONE)/run: requirements/run.lock $(DONE)/venv
	@scripts/pip.sh $(VENV) $<
	@touch $@

$(DONE)/dev: requirements/dev.lock $(DONE)/run
	@scripts/pip.sh $(VENV) $<
	@touch $@

$(DONE)/vigie: pyproject.toml $(DONE)/run
	@echo "vigie: vigie itself, from this folder"
	@$(PYTHON_OF_VENV) -m pip install -qq --disable-pip-version-check --no-deps --no-build-isolation --editable .
	@# So that the first start is as quick as the second.
	@$(PYTHON_OF_VENV) -m compileall -q src/vigie
	@$(PYTHON_OF_VENV) -c "from vigie.services.signals.control import adaptive; adaptive.prepare(); from vigie.services.roads import matching; matching.prepare(); from vigie.services.roads.dispatch import streets; streets.prepare()"
	@touch $@

$(DONE)/node: requirements/node.lock scripts/node.sh $(DONE)/venv
	@scripts/node.sh $(VENV)
	@touch $@

web/node_modules/.done: web/package.json web/package-lock.json $(DONE)/node
	@scripts/npm.sh web
	@touch $@

src/vigie/web/.built: $(WEB_SOURCES) web/node_modules/.done
	@echo "vigie: web pages"
	@cd web && npm run --silent build -- --logLevel warn || \
		{ echo "vigie: the web pages do not build: see above; make check names what is wrong with them" >&2; exit 1; }
	@touch $@

tools/node_modules/.done: tools/package-lock.json $(DONE)/node
	@scripts/npm.sh tools
	@touch $@

.PHONY: ready
ready: $(DONE)/vigie $(WEB)

.PHONY: setup
setup: ready $(DONE)/dev ## everything that vigie and work on it need; after it, .venv/bin/vigie is the command

.PHONY: demo
demo: ready ## a whole metropolis on this machine, with no device and no network
	@$(VENV)/bin/vigie demo

# --- checks and tests ---

.PHONY: needs
needs:
	@scripts/needs.sh

.PHONY: check
check: setup tools/node_modules/.done ## style, types, direction of imports: all but the tests
	$(PYTHON_OF_VENV) -m ruff check .
	$(PYTHON_OF_VENV) -m ruff format --check .
	node --max-semi-space-size=128 tools/node_modules/pyright/index.js
	$(VENV)/bin/lint-imports
	$(if $(WEB),cd web && npm run --silent check)

.PHONY: docs
docs: setup ## the documentation as a site, in site/
	NO_MKDOCS_2_WARNING=1 $(PYTHON_OF_VENV) -m mkdocs build --strict --quiet

# Test files are rewritten before they run, which takes longer than to run most of them: what was written is kept.
unexport PYTHONDONTWRITEBYTECODE

# Three files at a time, since much of what tests do is to wait; those that ask for much time come first (tests/conftest.py).
PYTEST = $(PYTHON_OF_VENV) -m pytest -n 3 --dist loadfile --no-loadscope-reorder

.PHONY: test
test: needs setup tools/node_modules/.done ## all checks and all tests; installs Debian's chromium and the like where it may
	@scripts/beside.sh "$(MAKE) check docs" $(PYTEST) $(TESTS)

.PHONY: cover
cover: setup ## the tests, and which lines none of them reaches
	$(PYTEST) --cov --cov-report=term $(TESTS)

.PHONY: bench
bench: ready ## what is promised of its speed, measured; alone on the machine, for some hours
	$(VENV)/bin/vigie bench $(BENCH)

.PHONY: look
look: setup ## every page of the console in every way of looking at it, on one sheet: look/index.html
	$(PYTHON_OF_VENV) scripts/look.py

.PHONY: audit
audit: setup ## known weaknesses in the locked packages (asks the network)
	$(PYTHON_OF_VENV) -m pip_audit --disable-pip --requirement requirements/run.lock

# --- upkeep ---

COMPILE = $(PYTHON_OF_VENV) -m uv pip compile --universal --python-version 3.11 --generate-hashes \
	--no-emit-index-url --no-header --quiet $(if $(UPGRADE),--upgrade)

.PHONY: lock
lock: $(DONE)/dev $(DONE)/node ## the locks after a change of pyproject.toml or package.json; UPGRADE=1 takes newer versions
	$(COMPILE) pyproject.toml --group build --group dev --output-file requirements/dev.lock
	$(COMPILE) pyproject.toml --group build --constraints requirements/dev.lock --output-file requirements/run.lock
	$(COMPILE) --group node --output-file requirements/node.lock
	for folder in tools $(if $(WEB),web); do (cd $$folder && npm $(if $(UPGRADE),update,install) --package-lock-only); done

.PHONY: clean
clean: ## away with all that make has made
	rm -rf $(VENV) site look build src/*.egg-info src/vigie/web web/node_modules tools/node_modules
	rm -rf .pytest_cache .ruff_cache .import_linter_cache .hypothesis .coverage
	find src tests bench scripts -name __pycache__ -prune -exec rm -rf {} +
