# Every target does all its own set-up. Needs: Python 3.11 or later and make.
PYTHON ?= python3
VENV   := .venv
BIN    := $(VENV)/bin
STAMP  := $(VENV)/.installed
# More than there are cores here: what runs on a real Freezer mostly waits for it.
JOBS   ?= 3
PACKAGES := karbor_backup_core karbor_backup_contract karbor_backup_cli karbor_backup_process karbor_backup_scale backends karbor_glue

# Names of files and what programs print are UTF-8, also where a locale says otherwise.
export PYTHONUTF8 := 1

.DEFAULT_GOAL := help
.PHONY: help venv demo test test-root test-lowest test-release test-python test-cloud test-freezer-releases lint unit contract docs docs-cinder docs-directories soak clean

help: ## list the targets
	@grep -hE '^[a-z0-9-]+:.*## ' $(MAKEFILE_LIST) | sed -E 's/:.*## /\t/' | expand -t 16

venv: $(STAMP) ## make the virtual environment for development

# One of two that are started at once waits for the other's.
$(STAMP): pyproject.toml
	@$(PYTHON) -c 'import sys; sys.exit(0 if sys.version_info >= (3, 11) else "Python 3.11 or later is needed; name one: make PYTHON=python3.11")'
	@mkdir -p .cache
	exec 9>>.cache/venv.lock; $(PYTHON) -c 'import fcntl; fcntl.flock(9, fcntl.LOCK_EX)' || exit 1; \
	[ $@ -nt pyproject.toml ] || { \
		$(PYTHON) -m venv $(VENV) && \
		$(BIN)/python -m pip install --quiet --upgrade 'pip>=25.1' && \
		$(BIN)/python -m pip install --quiet --group dev --editable '.[cinder,freezer,storages,restic,sql,cli,scale,contract]' && \
		touch $@; }

lint: venv ## ruff, mypy --strict, the dependency rule, bandit, and whether dependencies fit
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/ruff check --preview --select PLC2701 $(PACKAGES) # what begins with _ is its package's own
	$(BIN)/ruff check --select D401 . # docstrings begin with a verb; the convention switches it off
	$(BIN)/mypy -p karbor_backup_core -p karbor_backup_contract -p karbor_backup_cli -p karbor_backup_process -p karbor_backup_openstack -p karbor_backup_freezer -p karbor_backup_cinder -p karbor_backup_fake -p karbor_backup_restic -p karbor_backup_scale -p karbor_glue -p sandbox -p benchmarks -p examples.demo -p tests.backends -p tests.benchmarks -p tests.cli -p tests.e2e -p tests.examples -p tests.packaging -p tests.pages -p tests.process -p tests.releases -p tests.sandbox -p tests.scale -p tests.soak -p tests.support
	MYPYPATH=examples/tar/src:examples/tar/tests $(BIN)/mypy --strict examples/tar
	$(BIN)/lint-imports
	$(BIN)/bandit --quiet --configfile pyproject.toml --recursive $(PACKAGES) examples/tar/src
	$(BIN)/python -m pip check

soak: venv ## repeat the attacks for an hour, or SOAK_SECONDS, each once at least; the report goes to build/soak/
	SOAK_SECONDS=$(SOAK_SECONDS) nice $(BIN)/python -m tests.soak

unit: venv ## the tests that need no server
	$(BIN)/pytest tests -n $(JOBS) --ignore=tests/e2e --ignore=tests/sandbox --ignore=tests/support

test: lint ## everything: lint, types, dependency rule, unit tests, and the tests on a real Freezer
	$(BIN)/pytest tests -n $(JOBS)

test-root: venv ## as root: the tests that need root, and those that depend on the user
	$(BIN)/pytest tests -m "root or any_user"

# QUICK=1 leaves out what needs a server. The oldest stated Python that is found, or FOR=python3.12.
OTHERS = $(BIN)/python -m tests.releases $(if $(QUICK),--quick) $(if $(FOR),--python $(FOR))

test-lowest: venv ## the tests with the lowest versions that pyproject.toml allows (QUICK=1)
	$(OTHERS) lowest

test-release: venv ## the tests under the constraints of an OpenStack release: RELEASE=2025.1 (QUICK=1)
	$(OTHERS) $(or $(RELEASE),$(error name a release, as in make test-release RELEASE=2025.1))

test-python: venv ## the tests on another Python: FOR=python3.13 (QUICK=1)
	$(OTHERS) $(if $(FOR),newest,$(error name a Python, as in make test-python FOR=python3.13))

# Each worker takes one test at a time, since one lasts as long as twenty others.
test-cloud: venv ## the tests on a whole cloud, which they bring up; needs root; writes their table in docs/reference/freezer-support.md
	$(BIN)/pytest tests/e2e/cloud -m cloud -n $(JOBS) --dist load --maxschedchunk 1
	$(BIN)/python -m tests.e2e.cloud.table

test-freezer-releases: venv ## the main job on the Freezer of earlier OpenStack releases; writes their table in docs/reference/freezer-support.md
	$(BIN)/pytest tests/e2e/releases -m releases
	$(BIN)/python -m tests.e2e.releases.table

contract: venv ## the contract suite on every backend; the page goes to build/conformance/
	PYTHONPATH=examples/tar/src:examples/tar/tests $(BIN)/pytest --no-header -q -n $(JOBS) \
		--contract-report build/conformance \
		tests/contract/test_conformance.py tests/e2e/contract tests/e2e/restic/test_contract.py examples/tar/tests

docs: venv ## write the pages that are made from the contract's rules and from the docstrings
	$(BIN)/python -m tests.contract.generate_page
	$(BIN)/python -m tests.pages.generate_api

# The test fails where the page is out of date; the rows that it has seen are what counts here.
docs-directories: venv ## as root: try what a directory's backup keeps, and write the table of it
	rm -f .cache/test-directory-table.json .cache/test-restic-directory-table.json
	-$(BIN)/pytest -q -m root tests/e2e/freezer/test_directory_table.py tests/e2e/restic/test_directory_table.py
	$(BIN)/python -m tests.e2e.freezer.directory_table
	$(BIN)/python -m tests.e2e.restic.directory_table

# Likewise; it brings up a whole cloud.
docs-cinder: venv ## as root: try what comes back of volumes and servers through Cinder, and write the tables
	rm -f .cache/test-cinder-table-*.json
	-$(BIN)/pytest -q -m cloud tests/e2e/cloud/test_cinder_table.py
	$(BIN)/python -m tests.e2e.cloud.cinder_table

.PHONY: sandbox
sandbox: venv ## bring up a real Keystone and Freezer on loopback, until "make clean"
	$(BIN)/python -m sandbox up

demo: venv ## protect, lose, restore, verify and delete real data with a real Freezer
	$(BIN)/python -m examples.demo

.PHONY: bench
bench: venv ## measure against peers on a real Freezer (QUICK=1: a short look); see build/benchmarks/
	$(BIN)/python -m pip install --quiet --requirement benchmarks/requirements.txt
	$(BIN)/python -m benchmarks $(if $(QUICK),--quick)

clean: ## remove everything that the targets made
	-[ ! -x $(BIN)/python ] || $(BIN)/python -m sandbox down --all
	rm -rf $(VENV) .cache .sandbox .hypothesis .mypy_cache .pytest_cache .ruff_cache .import_linter_cache build dist demo-work
