# Every target that a person needs, with a line each: make help.
SHELL := /bin/sh
.DEFAULT_GOAL := help
.NOTPARALLEL:

PYTHON ?= python3
VENV := .venv
RUN := $(VENV)/bin/python
export PYTHON

# NODES, DATA and CONTACT_POINTS are short for settings; README.md lists all of them.
ifdef NODES
export CATALOG_NODES := $(NODES)
endif
ifdef DATA
export CATALOG_DATA := $(DATA)
endif
ifdef CONTACT_POINTS
export CATALOG_CONTACT_POINTS := $(CONTACT_POINTS)
endif

# An existing Cassandra needs neither Java nor Maven here.
UP_NEEDS := python nginx $(if $(CATALOG_CONTACT_POINTS),,java maven)

##@ The catalog on this machine

.PHONY: up
up: ## start everything and print the URLs (NODES=3, DATA=folder-of-csvs, CONTACT_POINTS=host,host)
	@sh ring/nodes/install_packages.sh $(UP_NEEDS)
	@sh ring/nodes/install_venv.sh $(VENV)
	@$(RUN) -m ring up

.PHONY: down
down: ## stop everything; the data stays
	@if [ -x $(RUN) ]; then $(RUN) -m ring down; else echo "nothing runs: there is no $(VENV)"; fi

.PHONY: clean
clean: ## stop everything and remove the data and the logs; what is installed stays
	@if [ -x $(RUN) ]; then $(RUN) -m ring clean; else echo "nothing to remove: there is no $(VENV)"; fi

.PHONY: status
status: venv ## print what runs, and the memory it takes
	@$(RUN) -m ring stack

.PHONY: load
load: venv ## load DATA=folder-of-csvs into the running catalog, beside what it holds
	@test -n "$${CATALOG_DATA:-}" || { echo "make load DATA=folder-of-csvs" >&2; exit 2; }
	@$(RUN) -m etl load "$$CATALOG_DATA"

.PHONY: find
find: venv ## let searches find what was loaded; one that was stopped goes on
	@$(RUN) -m catalog_api.find_command rebuild

##@ Checks

.PHONY: test-needs
test-needs: venv
	@sh ring/nodes/install_packages.sh nginx java maven wrk ip go chromium sshd prometheus

.PHONY: test
test: test-needs ## run all tests, on a ring of their own (ARGS="-k name" for some of them)
	@$(RUN) -m pytest $(ARGS)

.PHONY: test-faults
test-faults: test-needs ## run the long fault tests, which make test leaves out (ARGS too)
	@$(RUN) -m pytest -m faults $(ARGS)

.PHONY: test-ring
test-ring: test-needs ## break the ring's scripts and nodes in every way, under load (ARGS="-k add", ARGS=--go-on)
	@$(RUN) -m tests.ring_faults $(ARGS)

.PHONY: test-fuzz
test-fuzz: test-needs ## send ten thousand requests made of the OpenAPI document, with every check
	@$(RUN) -m pytest -m fuzz tests/fuzz $(ARGS)

.PHONY: lint
lint: venv ## check style and types
	@$(RUN) -m ruff check .
	@$(RUN) -m ruff format --check .
	@$(RUN) -m mypy

##@ Measurements

.PHONY: bench-needs
bench-needs: venv
	@sh ring/nodes/install_packages.sh java maven wrk ip go node

.PHONY: bench-smoke
bench-smoke: bench-needs ## print requests/s and CPU of a read beside a constant body's, in two minutes
	@$(RUN) -m benchmarks.bench_smoke $(ARGS)

.PHONY: bench-read
bench-read: bench-needs ## compare uncached reads with other servers and drivers
	@$(RUN) -m benchmarks.bench_read $(ARGS)

.PHONY: bench-faults
bench-faults: bench-needs ## measure what clients see while nodes are killed and frozen
	@$(RUN) -m benchmarks.bench_faults $(ARGS)

.PHONY: bench-paging
bench-paging: bench-needs ## compare page 2,000,000 of /products with page 1
	@$(RUN) -m benchmarks.bench_paging $(ARGS)

.PHONY: bench-api
bench-api: bench-needs ## print requests/s and CPU of every route beside a product read's
	@$(RUN) -m benchmarks.bench_api $(ARGS)

.PHONY: bench-load
bench-load: bench-needs ## load finished rows with our writers, cqlsh COPY, DSBulk and the plain driver
	@$(RUN) -m benchmarks.bench_load $(ARGS)

.PHONY: bench-load-10m
bench-load-10m: bench-needs ## load ten million products and the full legacy shape, and look at both
	@$(RUN) -m benchmarks.bench_load_10m $(ARGS)

.PHONY: bench-load-live
bench-load-live: bench-needs ## load 200,000 products while 2,000 reads/s go on, and print their p99
	@$(RUN) -m benchmarks.bench_load_live $(ARGS)

.PHONY: rehearse-ring
rehearse-ring: bench-needs ## grow, mend, shrink, back up and restore a ring under load (ARGS=--ssh for hosts of their own)
	@$(RUN) -m benchmarks.rehearse_ring $(ARGS)

.PHONY: soak
soak: bench-needs ## run mixed load with faults for long and watch for leaks
	@$(RUN) -m benchmarks.soak $(ARGS)

##@ For those who change the project

.PHONY: venv
venv: ## make .venv from the lock files
	@sh ring/nodes/install_packages.sh python
	@sh ring/nodes/install_venv.sh $(VENV)

.PHONY: lock
lock: venv ## resolve the dependencies of setup.cfg anew into the lock files
	@$(RUN) -m pip install --quiet pip-tools
	@printf 'pip\nsetuptools<81\nwheel\n' | $(RUN) -m piptools compile --quiet --strip-extras \
		--upgrade --generate-hashes --allow-unsafe --no-emit-index-url --no-emit-find-links \
		--no-header -o requirements-build.lock -
	@$(RUN) -m piptools compile --quiet --strip-extras --upgrade --generate-hashes --allow-unsafe \
		--no-emit-index-url --no-emit-find-links --no-header --extra s3 --extra test --extra lint \
		-o requirements.lock setup.cfg

.PHONY: help
help: ## list the targets
	@awk 'BEGIN { FS = ":.*## " } \
		/^##@/ { printf "\n%s\n", substr($$0, 5) } \
		/^[a-z0-9-]+:.*## / { printf "  %-15s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)
