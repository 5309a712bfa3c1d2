# make demo, make test: each does all set-up by itself, with uv where it is present, else with pip.
VENV   ?= .venv
PYTHON ?= python3
BIN    := $(VENV)/bin
READY  := $(VENV)/.ready
DATA   := $(or $(PERSONAAGENT_DATA),../shared/data)
PYTHON312 ?= $(firstword $(wildcard $(HOME)/.pyenv/versions/3.12*/bin/python) python3.12)
POSTGRES  := build/postgres

.PHONY: help setup postgres demo dev test live lint types bench bench-server clean

help: ## this list
	@grep -E '^[a-z-]+:.*## ' $(MAKEFILE_LIST) | sed -E 's/:.*## /\t/' | expand -t 14

setup: $(READY) ## a virtual environment with everything in it

$(READY): pyproject.toml constraints.txt
	@echo "Setting up $(VENV): a minute or two the first time ..."
	@if command -v uv >/dev/null 2>&1; then \
	  uv venv --quiet --allow-existing --python $(PYTHON) $(VENV) && \
	  uv pip install --quiet --python $(BIN)/python --constraint constraints.txt --editable '.[dev]'; \
	else \
	  $(PYTHON) -m venv $(VENV) && \
	  $(BIN)/python -m pip install --quiet --disable-pip-version-check --constraint constraints.txt --editable '.[dev]'; \
	fi
	@touch $(READY)

postgres: $(POSTGRES)/.ready ## an environment (Python 3.12) with the server that keeps all in Postgres

$(POSTGRES)/.ready: pyproject.toml constraints.txt
	@echo "Setting up $(POSTGRES): a minute or two the first time ..."
	@$(PYTHON312) -m venv $(POSTGRES) && \
	  $(POSTGRES)/bin/python -m pip install --quiet --disable-pip-version-check --constraint constraints.txt --editable '.[postgres]'
	@touch $@

demo: setup ## the main job on the embedded model: import a history, ask, compare with no memory
	@$(BIN)/python examples/demo.py

dev: setup ## the server on this machine: both graphs and our routes, for Studio
	@$(BIN)/personaagent serve

test: setup ## every test that needs no language model
	@$(BIN)/python -m pytest -m 'not live'

live: setup ## the tests on the embedded language model
	@$(BIN)/python -m pytest -m live

lint: setup ## ruff: style and format
	@$(BIN)/ruff check . && $(BIN)/ruff format --check .

types: setup ## mypy --strict on a built copy
	@rm -rf build/typed && $(BIN)/python -m pip install --quiet --disable-pip-version-check --no-deps --target build/typed . && \
	  MYPYPATH=build/typed $(BIN)/mypy --strict -p personaagent

bench: setup ## every benchmark, each as a ratio against its baseline
	@$(BIN)/python benchmarks/run_all.py

bench-server: setup postgres ## the server under load, against a bare agent on the same server (five minutes)
	@$(BIN)/python benchmarks/server_load.py --queue

# So little is told that the embedded model, on two cores, is done in time.
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
