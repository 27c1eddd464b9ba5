# The two commands of a newcomer are `make demo` and `make test`; each sets up all it needs.
# Works with GNU make 3.81 (macOS) and later.

SHELL := /bin/bash
MAKEFLAGS += --no-print-directory
PY := .venv/bin/python
READY := .venv/.ready
CODE := critpath config probes alerts scheduler demo tests bench

.DEFAULT_GOAL := help
.PHONY: help demo test check static lint types imports unit bench lock image clean

help: ## show this list
	@awk -F ':.*## ' '/^[a-z-]+:.*## / {printf "  make %-8s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

demo: $(READY) ## watch a target break and mend, and see who is told what (ARGS="--help")
	@scripts/system-packages browser
	@$(PY) -m demo.show $(ARGS)

test: $(READY) ## run all tests: unit, integration, acceptance (ARGS="-k name")
	@scripts/system-packages browser servers
	@$(PY) -m pytest $(ARGS)

check: static unit ## before a commit: lint, types, layers, dependencies and the unit tests

static: lint types imports

lint: $(READY)
	@echo "· ruff"
	@.venv/bin/ruff check --quiet $(CODE)

types: $(READY)
	@echo "· mypy --strict"
	@.venv/bin/mypy --no-error-summary

imports: $(READY)
	@echo "· layers (import-linter)"
	@.venv/bin/lint-imports --no-logo >.venv/.imports.log || { cat .venv/.imports.log; exit 1; }
	@echo "· dependencies (deptry)"
	@.venv/bin/deptry . 2>.venv/.deptry.log || { cat .venv/.deptry.log; exit 1; }

unit: $(READY)
	@$(PY) -m pytest -q tests/unit

bench: $(READY) ## measure what the daemon costs (ARGS="--help")
	@$(PY) -m bench $(ARGS)

lock: ## write the locks anew from pyproject.toml (UPGRADE=1: with the newest versions)
	@[ -x $(PY) ] || scripts/venv
	@$(PY) -m pip install -q --disable-pip-version-check uv
	@.venv/bin/uv pip compile -q $(COMPILE) -o requirements.lock
	@.venv/bin/uv pip compile -q $(COMPILE) --group dev -c requirements.lock -o requirements-dev.lock
	@echo "wrote requirements.lock and requirements-dev.lock"

# A name of an index in a lock would tie it to one machine.
COMPILE = pyproject.toml --extra postgres --universal --python-version 3.11 --generate-hashes --no-emit-index-url \
  --custom-compile-command "make lock" $(if $(UPGRADE),--upgrade)

image: ## build the container image critpath:dev (ENGINE=podman; ARGS="--target slim" leaves the browser out)
	@$(or $(ENGINE),docker) build $(ARGS) -t critpath:dev .

clean: ## remove what make and the tools have made
	@rm -rf .venv build dist var .pytest_cache .mypy_cache .ruff_cache .hypothesis .import_linter_cache
	@find $(CODE) -name __pycache__ -type d -prune -exec rm -rf {} +

$(READY): requirements-dev.lock pyproject.toml scripts/venv
	@scripts/venv
	@touch $@
