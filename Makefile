# SPDX-License-Identifier: Apache-2.0
# `make demo` and `make test` need python3 (3.10-3.12), git and make, and set up the rest.

PYTHON := .venv/bin/python
# Everything that a run writes stays in the checkout.
export MUJOCO_GL ?= egl
export ROS_LOG_DIR ?= $(CURDIR)/build/log
export MPLCONFIGDIR ?= $(CURDIR)/build/matplotlib
export npm_config_cache ?= $(CURDIR)/build/npm
export PLAYWRIGHT_BROWSERS_PATH ?= $(CURDIR)/build/browsers

.PHONY: help demo test lint type bench bench-learn setup setup-test lock check-lock clean

help: ## this list
	@grep -hE '^[a-z-]+:.*##' $(MAKEFILE_LIST) | sed 's/:.*##/\t/' | expand -t 14

setup: ## the environment in .venv
	@tools/setup.sh

setup-test: ## the environment with what the tests need
	@tools/setup.sh test

demo: setup ## teach the simulated G1: teleoperate, record, check, convert, train, export, deploy
	@$(PYTHON) tools/demo.py --out build/demo --overwrite

test: setup-test ## every test
	@$(PYTHON) -m pytest

lint: setup-test ## ruff: rules and format
	@$(PYTHON) -m ruff check .
	@$(PYTHON) -m ruff format --check .

type: setup-test ## mypy --strict on the pure rooms
	@$(PYTHON) -m mypy

bench: setup ## measure, and write build/bench.json
	@$(PYTHON) tools/bench.py --out build/bench.json --overwrite

bench-learn: setup ## train and evaluate an image policy, and report its success as it is
	@$(PYTHON) bench/learn_image.py --out build/bench-learn --overwrite

lock: ## resolve the pinned versions in constraints/ anew
	@python3 tools/lock_constraints.py

check-lock: ## prove that the pinned versions still resolve
	@python3 tools/lock_constraints.py --check

clean: ## remove what runs have made, not the environment
	rm -rf build install log
