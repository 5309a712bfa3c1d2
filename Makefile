# Every target does all set-up by itself, with uv: where there is none it comes into the environment.
VENV   ?= .venv
PYTHON ?= python3
BIN    := $(VENV)/bin
READY  := $(VENV)/.ready
DATA   := $(or $(PERSONAAGENT_DATA),../shared/data)
PYTHON312 ?= $(firstword $(wildcard $(HOME)/.pyenv/versions/3.12*/bin/python) python3.12)
POSTGRES  := build/postgres
TOGETHER  := -n logical --maxprocesses 8 --dist worksteal

# $(call environment,FOLDER,PYTHON,EXTRA): pip takes minutes for what takes uv seconds.
define environment
@echo "Making the environment $(1) ..."
@$(2) -m venv $(1)
@command -v uv >/dev/null || { echo "Fetching uv, which installs fast ..."; \
  $(1)/bin/python -m pip install --quiet --disable-pip-version-check uv || true; }
@echo "Installing PersonaAgent with [$(3)]: a minute or two the first time ..."
@PATH="$(1)/bin:$$PATH" uv pip install --quiet --python $(1)/bin/python --compile-bytecode --constraint constraints.txt --editable '.[$(3)]' || { \
  echo "uv could not install it; pip tries, which takes some minutes ..."; \
  $(1)/bin/python -m pip install --quiet --disable-pip-version-check --constraint constraints.txt --editable '.[$(3)]'; }
@$(1)/bin/python -m compileall -q $(dir $(wildcard */__init__.py))
@touch $@
endef

# The page: its sources are in web/, what is built is served by personaagent.server.page.
NODE_MODULES := web/node_modules/.ready

.PHONY: help setup postgres web web-test web-pictures demo dev serve test test-server live lint types docs bench bench-server eval clean

help: ## this list
	@grep -E '^[a-z -]+:.*## ' $(MAKEFILE_LIST) | sed -E 's/:.*## /\t/' | expand -t 14

setup: $(READY) ## a virtual environment with everything in it

$(READY): pyproject.toml constraints.txt
	$(call environment,$(VENV),$(PYTHON),dev)

postgres: $(POSTGRES)/.ready ## an environment (Python 3.12) with the server that keeps all in Postgres

$(POSTGRES)/.ready: pyproject.toml constraints.txt
	$(call environment,$(POSTGRES),$(PYTHON312),postgres)

$(NODE_MODULES): web/package.json web/package-lock.json
	@node --version >/dev/null 2>&1 || { echo "The page is built with Node 20 or newer: install it first."; exit 1; }
	@cd web && npm ci --silent
	@touch $@

web: $(NODE_MODULES) ## the page that the server shows at /, built from web/ (needs Node 20)
	@cd web && npm run --silent build

web-test: $(NODE_MODULES) ## the page's own tests; tests/server/test_page.py tries it in Chromium
	@cd web && npm run --silent test

web-pictures: setup web ## pictures of the page for the docs, of invented people (needs Chromium)
	@$(BIN)/python -m tests.support.page_pictures docs/images/page

demo: setup ## the main job on the embedded model: import a history, ask, compare with no memory
	@$(BIN)/python examples/demo.py

dev serve: setup ## the server on this machine: both graphs and our routes, for Studio
	@$(BIN)/personaagent serve

test: setup ## unit and integration tests, in parallel: no server, no language model (eight minutes on two cores)
	@$(BIN)/python -m pytest $(TOGETHER) -m 'not server and not live'

test-server: setup ## the tests that start servers: LangGraph's, and ours on Postgres
	@$(BIN)/python -m pytest -m 'server and not live'

live: setup ## the tests on the embedded language model
	@$(BIN)/python -m pytest -m live

lint: setup ## ruff: style and format
	@$(BIN)/ruff check . && $(BIN)/ruff format --check .

types: setup ## mypy --strict on the package, pyright on everything
	@$(BIN)/mypy --strict -p personaagent
	@$(BIN)/pyright

docs: setup ## docs/api.md, the API reference, from the docstrings
	@$(BIN)/griffe2md personaagent -o docs/api.md

bench: setup ## every benchmark against its target; BENCH="--write" keeps the figures and makes the documents
	@$(BIN)/python benchmarks/run_all.py $(BENCH)

bench-server: setup postgres ## the server under load, against a bare agent on the same server (five minutes)
	@$(BIN)/python benchmarks/server_load.py --queue

# The prompts are short, so that the embedded model finishes in time on two cores.
eval: setup ## a small evaluation on the embedded model, in under 20 minutes
	@test -d "$(DATA)/lamp" -a -d "$(DATA)/prefeval" || { echo "There is no lamp/ and prefeval/ in $(DATA):" \
	  "docs/tasks.md says where their authors publish them; PERSONAAGENT_DATA names the folder."; exit 1; }
	@unset OPENAI_API_KEY OPENAI_BASE_URL PERSONAAGENT_MODEL; \
	  PERSONAAGENT_TOP_K=2 PERSONAAGENT_PROMPT_TOKENS=500 PERSONAAGENT_ALIGN_HOLDOUT=4 \
	  PERSONAAGENT_ALIGN_ROUNDS=1 PERSONAAGENT_ALIGN_CANDIDATES=2 \
	  $(BIN)/personaagent eval run --tasks LaMP_2M_style,prefeval_mcq --limit 2 --data "$(DATA)" \
	  --methods prompt,rag,majority,persona-no-alignment,persona --out eval-runs/small

clean: ## remove what was built
	@rm -rf $(VENV) build *.egg-info .mypy_cache .ruff_cache .pytest_cache .hypothesis
