# `make help` lists the commands.
SHELL := /bin/bash
PYTHON ?= python3.11
ifeq (, $(shell command -v $(PYTHON) 2>/dev/null))
PYTHON := python3
endif
BIN := .venv/bin
NLU := nlu/.venv/bin/python

.PHONY: screenshots help setup up test lint types house content nlu-data nlu-danger nlu-train nlu-check nlu-test nlu-report browser pytest bench clean lock

help: ## list the commands
	@grep -hE '^[a-z-]+:.*## ' $(MAKEFILE_LIST) | sed 's/:.*## /\t/' | expand -t 14

setup: .venv/.ready nlu/.venv/.ready ## create both environments (service and NLU)

.venv/.ready: requirements-dev.lock requirements-setup.lock pyproject.toml
	@echo "service environment: creating .venv"
	@$(PYTHON) -c 'import sys; sys.exit(0 if sys.version_info[:2] == (3, 11) else "Python 3.11 is needed for the service; set PYTHON=/path/to/python3.11")'
	$(PYTHON) -m venv .venv
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --require-hashes -r requirements-setup.lock
	$(BIN)/uv pip sync --quiet --python $(BIN)/python --require-hashes requirements-dev.lock
	$(BIN)/uv pip install --quiet --python $(BIN)/python --no-deps --no-build-isolation --editable .
	@touch $@

nlu/.venv/.ready: nlu/requirements.lock | .venv/.ready
	@echo "NLU environment: creating nlu/.venv (Rasa needs Python 3.10)"
	$(BIN)/uv venv --quiet --allow-existing --python "$$(nlu/python310.sh)" nlu/.venv
	$(BIN)/uv pip sync --quiet --python $(NLU) --require-hashes nlu/requirements.lock
	@touch $@

up: setup ## start everything here: mongod, NLU, web chat, console
	@$(BIN)/sahyatri up

lint: setup ## ruff
	$(BIN)/ruff check bot tests nlu

types: setup ## mypy --strict
	$(BIN)/mypy

house: setup ## who may import what
	$(BIN)/lint-imports

content: setup ## check what we say
	$(BIN)/sahyatri content check

nlu-data: setup ## check the training and evaluation text
	PYTHONPATH=. $(NLU) nlu/check_data.py
	PYTHONPATH=. $(NLU) nlu/danger.py --check

nlu-danger: setup ## learn the weights of the in-process danger check if the examples have changed
	PYTHONPATH=. $(NLU) nlu/danger.py

nlu-train: setup ## train the NLU if its inputs have changed
	PYTHONPATH=. $(NLU) nlu/train.py 2>/dev/null

nlu-check: nlu-train ## score the NLU; fails when a figure drops by more than a point
	PYTHONPATH=. $(NLU) nlu/evaluate.py --check

nlu-test: setup ## test the NLU project in its own environment
	PYTHONPATH=. $(NLU) -W ignore -m unittest discover -s nlu/tests -t .

nlu-report: nlu-train ## write nlu/reports/report.md and confusion.png (some minutes)
	@mkdir -p var
	$(BIN)/sahyatri bench nlu --json > var/bench-nlu.json
	PYTHONPATH=. $(NLU) nlu/report.py --speed var/bench-nlu.json

browser: ## install Chromium for the browser tests where apt is available
	@command -v chromium >/dev/null || command -v google-chrome >/dev/null || (apt-get update -qq && DEBIAN_FRONTEND=noninteractive apt-get install -y -qq chromium fonts-noto-core >/dev/null)

pytest: setup nlu-train ## run the tests (real mongod, real NLU, headless Chromium)
	$(BIN)/python -m pytest -n auto --maxprocesses 4

test: setup lint types house content nlu-data nlu-test nlu-check pytest ## everything that must pass

screenshots: setup ## renew the pictures of the README
	SAHYATRI_SCREENSHOTS=1 $(BIN)/python -m pytest tests/browser -k "first_word or whole_day or fits_a_phone"

bench: setup ## the benchmarks: make bench NAME=ingress
	$(BIN)/sahyatri bench $(NAME)

lock: setup ## resolve the dependencies anew
	$(BIN)/uv pip compile --python-version 3.11 --generate-hashes --no-emit-index-url --no-header --upgrade -q requirements.in -o requirements.lock
	$(BIN)/uv pip compile --python-version 3.11 --generate-hashes --no-emit-index-url --no-header --upgrade -q requirements-dev.in -c requirements.lock -o requirements-dev.lock
	$(BIN)/uv pip compile --python-version 3.10 --generate-hashes --no-emit-index-url --no-header -q nlu/requirements.in -o nlu/requirements.lock

clean: ## remove what was built; the data under var/ stays
	rm -rf .venv nlu/.venv nlu/models .mypy_cache .ruff_cache .pytest_cache
