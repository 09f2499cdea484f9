# Needs Python 3.11 to 3.13 and make; everything else is installed into .venv from locked, hashed files.
PYTHON ?= $(shell for p in python3.13 python3.12 python3.11 python3; do \
	$$p -c 'import sys; sys.exit(not (3, 11) <= sys.version_info[:2] <= (3, 13))' 2>/dev/null && echo $$p && break; done)
VENV := .venv
BIN := $(VENV)/bin
READY := $(VENV)/.ready

.DEFAULT_GOAL := help

.PHONY: help
help: ## say what there is
	@grep -hE '^[a-z-]+:.*## ' $(MAKEFILE_LIST) | sed -E 's/^([a-z-]+):.*## (.*)/  make \1|\2/' | column -t -s '|'

$(READY): requirements/dev.txt pyproject.toml
	@test -n "$(PYTHON)" || { echo "Tieout needs Python 3.11, 3.12 or 3.13 (set PYTHON=/path/to/python3.12)"; exit 1; }
	@test -x $(BIN)/python || $(PYTHON) -m venv $(VENV)
	@echo "installing what requirements/dev.txt locks into $(VENV)" >&2
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check --require-hashes -r requirements/dev.txt
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check --no-deps --no-build-isolation --editable .
	@touch $@

.PHONY: setup
setup: $(READY) ## install the locked dependencies into .venv

.PHONY: demo
demo: $(READY) ## play the demo, or go on with it (CRM=hubspot, salesforce, dynamics365 or all, FRESH=1 starts over, JSON=1 ends with JSON)
	@$(BIN)/tieout demo $(if $(CRM),--crm $(CRM)) $(if $(filter-out 0,$(FRESH)),--fresh) $(if $(filter-out 0,$(JSON)),--json)

.PHONY: lint
lint: $(READY) ## format check, ruff, mypy --strict, the floors
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(BIN)/mypy
	$(BIN)/lint-imports

.PHONY: fix
fix: $(READY) ## format and mend what ruff can mend
	$(BIN)/ruff format .
	$(BIN)/ruff check --fix .

.PHONY: test
test: lint ## the whole gate: lint, types, floors, every test with coverage
	$(BIN)/python -m pytest -n 3 --dist worksteal --cov --cov-report=term

N ?= 1000

.PHONY: kills
kills: $(READY) ## kill processes at every place and by chance, N times or more (CRM=hubspot, salesforce, dynamics365 or all)
	$(BIN)/python tests/kill_sweep.py $(if $(CRM),--crm $(CRM)) $(if $(EACH),--each $(EACH)) --kills $(N)

SEEDS ?= 300

.PHONY: machines
machines: $(READY) ## play SEEDS stories of a simulated world, each from its seed, and judge every step
	$(BIN)/python tests/machines/run.py --seeds $(SEEDS) --jobs 2

EXAMPLES ?= 1000

.PHONY: fuzz
fuzz: $(READY) ## search readers, formulas and walks for longer than the gate does, which is EXAMPLES=100
	EXAMPLES=$(EXAMPLES) $(BIN)/python -m pytest -n 2 tests/fuzz tests/walks --hypothesis-profile=search --hypothesis-show-statistics

.PHONY: mutants
mutants: $(READY) ## put small faults into modules, and list what nobody notices (MODULES=sync_engine.push)
	$(BIN)/python tests/mutants.py $(MODULES)

.PHONY: backfill-show
backfill-show: $(READY) ## link 260 deals to 300 invoices made by hand, beside the simulators' truth (JSON=1)
	@$(BIN)/python tests/backfill_show.py $(if $(filter-out 0,$(JSON)),--json)

.PHONY: shadow-show
shadow-show: $(READY) ## a fortnight in the shadow and its comparison, beside the simulators' truth (JSON=1)
	@$(BIN)/python tests/shadow_show.py $(if $(filter-out 0,$(JSON)),--json)

.PHONY: correct-show
correct-show: $(READY) ## every correction from drift to posted, with the books' totals around it (JSON=1)
	@$(BIN)/python tests/correct_show.py $(if $(filter-out 0,$(JSON)),--json)

.PHONY: docs
docs: $(READY) ## write the pages and schemas that are made from the code
	$(BIN)/python docs/generate.py

.PHONY: bench
bench: $(READY) ## measure calls, commits, CPU, wall and memory (CRM=, DEALS=1000, ONLY=story,far,limits,start,growth, PROFILE=1, JSON=1)
	@$(BIN)/python benchmarks/bench.py --crm $(or $(CRM),hubspot) --deals $(or $(DEALS),1000) $(if $(ONLY),--only $(ONLY)) \
		$(if $(filter-out 0,$(PROFILE)),--profile) $(if $(filter-out 0,$(JSON)),--json)

.PHONY: lock
lock: $(READY) ## renew the hashed requirement files
	$(BIN)/python -m pip install --quiet uv
	$(BIN)/uv pip compile --quiet --upgrade --universal --python-version 3.11 --generate-hashes --no-emit-index-url --no-emit-find-links --no-annotate --no-header pyproject.toml -o requirements/run.txt
	$(BIN)/uv pip compile --quiet --upgrade --universal --python-version 3.11 --generate-hashes --no-emit-index-url --no-emit-find-links --no-annotate --no-header --group dev pyproject.toml -o requirements/dev.txt

.PHONY: clean
clean: ## remove what the commands above made
	rm -rf $(VENV) build dist .mypy_cache .ruff_cache .pytest_cache .hypothesis .coverage*
