# Everything that is needed is installed here, in folders that begin with .venv; `make clean`
# takes it away again.
PYTHON ?= python3
# The newest Python 3 that an environment's packages can be installed with.
NEWEST = 99

# What the tap is compared with.
PEERS = airbyte-cdk dlt requests singer-sdk

# The coming version of the SDK, which `make test-next` tests.
NEXT_SDK ?= 0.55.0b7

# What `make pythons` tests: the versions that are here. And with which tests: those that touch
# most of the tap.
PYTHONS ?= $(shell for python in python3.10 python3.12 python3.13 python3.14; do \
	if $$python -c '' 2>/dev/null; then echo $$python; fi; done)
TESTS ?= tests/test_tap.py tests/test_login.py tests/test_custom_streams.py tests/test_conversion.py

# Of what `make targets` loads, what is emulated, each in an environment of its own.
EMULATED = snowflake iceberg bigquery dlt

# What `make site` builds: a folder for each release, such as VERSION=0.1.0.
VERSION = dev

# Makes an environment of its own, of what a rule names: WHAT in words, the file of constraints, and
# the arguments of `pip install`. uv installs it where it is there or can be installed (UV=no: pip).
define install
@$(PYTHON) -c 'import sys; v = sys.version_info; (3, 10) <= v < (3, $(NEWEST) + 1) or sys.exit( \
	"$(@D) needs Python 3.10 to 3.$(NEWEST), and $(PYTHON) is %d.%d.%d. Install one that fits, or name it:" \
	" make $(or $(MAKECMDGOALS),help) PYTHON=python3.12".replace("to 3.99", "or newer") % v[:3])'
@$(PYTHON) -m tools.install $(@D) "$(or $(WHAT),the tap and its tests)" --constraint constraints/$(strip $(1)).txt $(2)
@touch $@
endef

.PHONY: help demo tutorial sandbox analytics models targets meltano-state fleet airbyte login-browser bench requests image-check
.PHONY: check test test-next
.PHONY: coverage unit pythons
.PHONY: lint style types format
.PHONY: plugin docs screenshots site contract release-check lock clean

help: ## Say what can be made.
	@grep -hE '^[a-z-]+:.*##' $(MAKEFILE_LIST) | sed -E 's/:.*## /\t/' | expand -t 14

demo: .venv-demo/made .venv-analytics/made ## Sync a simulated account into DuckDB, twice, and report on it.
	@.venv-demo/bin/python -m checks.demo

sandbox: .venv-sandbox/made ## Serve a simulated account, with its settings in config.json (SANDBOX: options, as --help).
	@.venv-sandbox/bin/python -m sandbox --profile cafe --contacts 800 \
		--config config.json --long-lived-tokens $(SANDBOX)

tutorial: .venv/made ## Follow the tutorial of the docs word by word, in a copy of this folder.
	@.venv/bin/python -m checks.tutorial

analytics: .venv-analytics/made ## Build models and a report over your database (ANALYTICS: options, as --help).
	@.venv-analytics/bin/python -m analytics $(ANALYTICS)

models: .venv-analytics/made .venv-snowflake/made .venv-bigquery/made ## Test the models over odd rows, over none, and in emulated databases.
	@.venv-analytics/bin/python -m pytest --numprocesses 2 --dist worksteal --quiet --confcutdir=tests/analytics tests/analytics

targets: .venv-demo/made .venv-analytics/made $(patsubst %,.venv-target-%/made,$(filter $(EMULATED),$(or $(TARGETS:dlt-%=dlt),$(EMULATED)))) ## Sync every stream into several targets, and compare all values (TARGETS: some of them).
	@.venv-demo/bin/python -m checks.targets $(TARGETS)

meltano-state: .venv-demo/made ## Merge states with Meltano (full refreshes, budgets, kills, two runs at once), and compare all rows.
	@.venv-demo/bin/python -m checks.meltano_state

fleet: .venv/made .venv-demo/made .venv-airflow/made ## Sync several accounts with Airflow, Redis and PostgreSQL (redis-server has to be there), and compare all rows.
	@.venv/bin/python -m pytest --quiet tests/fleet
	@.venv-demo/bin/python -m checks.fleet

airbyte: .venv/made .venv-airbyte/made ## Read a simulated account with Airbyte's own packages.
	@.venv-airbyte/bin/python -m pytest --quiet --confcutdir=tests/airbyte -k "not docker" tests/airbyte

login-browser: .venv-browser/made site ## Sign in to the sandbox, and read the site, in a real browser (CHROMIUM, CHROMEDRIVER: where they are).
	@.venv-browser/bin/python -m pytest --quiet --confcutdir=tests/browser tests/browser

image-check: .venv/made ## Do what the Dockerfile says without a container engine, and run the result (as root, with debootstrap).
	@.venv/bin/python -m checks.image

bench: .venv/made $(PEERS:%=.venv-bench-%/made) ## Compare the speed of the tap with others (BENCH: its options, as --help).
	@.venv/bin/python -m checks.bench $(BENCH)

requests: .venv/made ## Count the requests of syncs, and the rows they lose (REQUESTS: its options, as --help).
	@.venv/bin/python -m checks.request_budget $(REQUESTS)

check: .venv/made ## Check style and types, and run the unit tests: for every change, in seconds.
	@$(MAKE) --no-print-directory --jobs=3 --output-sync=target style types unit

# On two cores: one of three tests waits for something.
PYTEST = -m pytest -n 3 --dist worksteal

test: .venv/made .venv-target-jsonl/made lint ## Check style and types, and run all tests.
	@TARGET_JSONL=.venv-target-jsonl/bin/target-jsonl .venv/bin/python $(PYTEST)

# Tracing costs half as much again, so that it has a run of its own.
coverage: .venv/made ## Print what the tests of the lanes unit and sandbox cover, branches included.
	@.venv/bin/python $(PYTEST) --quiet -m "unit or sandbox" --cov --cov-report=term:skip-covered

test-next: .venv-next/made .venv-target-jsonl/made ## Run all tests on the coming version of the SDK (NEXT_SDK: which).
	@TARGET_JSONL=.venv-target-jsonl/bin/target-jsonl \
		.venv-next/bin/python $(PYTEST)

unit: .venv/made
	@.venv/bin/python -m pytest --quiet -m unit

# Expanded twice, so that only this target looks which versions are here.
.SECONDEXPANSION:
pythons: $$(addsuffix /made,$$(addprefix .venv-,$$(PYTHONS))) ## Test with other versions of Python (PYTHONS, TESTS; "tests" for all).
	@for python in $(PYTHONS); do \
		echo $$python; .venv-$$python/bin/python $(PYTEST) -q $(TESTS) || exit 1; \
	done

lint: style types ## Check style, imports, words, workflows and types.

# Prints what a command prints, but only if it fails.
silent = out=$$($(1) 2>&1) || { echo "$$out"; exit 1; }

style: .venv/made
	@.venv/bin/ruff check --quiet
	@.venv/bin/ruff format --quiet --check
	@$(call silent,.venv/bin/lint-imports --no-cache)
	@git ls-files -z | xargs -0 .venv/bin/codespell
	@git ls-files -z ':!*.png' | xargs -0 .venv/bin/python -m tools.phrases
	@.venv/bin/actionlint -shellcheck= -pyflakes=
	@$(call silent,.venv/bin/zizmor --quiet --offline --persona=pedantic .github)
	@$(call silent,.venv/bin/check-jsonschema --builtin-schema vendor.meltano meltano.yml)
	@$(call silent,.venv/bin/check-jsonschema --builtin-schema vendor.dependabot .github/dependabot.yml)
	@$(call silent,.venv/bin/check-jsonschema --builtin-schema vendor.github-issue-forms \
		$(filter-out %/config.yml,$(wildcard .github/ISSUE_TEMPLATE/*.yml)))

types: .venv/made
	@.venv/bin/mypy --no-error-summary

format: .venv/made ## Bring the code into its format.
	@.venv/bin/ruff check --quiet --fix
	@.venv/bin/ruff format --quiet

plugin: .venv/made ## Write publish/: the definitions for Meltano and Airbyte, from the tap's --about.
	@.venv/bin/python -m tools.plugin_yaml
	@.venv/bin/python -m tools.metadata_yaml

docs: .venv/made ## Write the pages that are made from schemas and code, the badges, and the diagrams.
	@.venv/bin/python -m tools.docs

screenshots: .venv-demo/made .venv-analytics/made .venv-screenshots/made .venv-target-jsonl/made ## Take the pictures of the README (CHROMIUM, CHROMEDRIVER: where they are).
	@.venv-demo/bin/python -m checks.screenshots.report
	@.venv-screenshots/bin/python -m checks.screenshots .venv-target-jsonl/bin/target-jsonl

site: .venv-site/made ## Build the documentation site into build/site/VERSION; a link that leads nowhere fails it.
	@.venv-site/bin/python -m tools.site $(VERSION)

contract: .venv/made ## Compare the tap with the published contract of the vendor (CONTRACT: a file or address).
	@.venv/bin/python -m tools.contract

release-check: .venv/made ## Build and inspect what a release publishes, into dist, and print its notes (RELEASE: its tag).
	@.venv/bin/python -m tools.release $(RELEASE)

lock: ## Pin what is installed, in constraints/ (LOCK: "--upgrade" takes the newest releases).
	@$(PYTHON) -m tools.lock $(NEXT_SDK) $(LOCK)

clean: ## Take away what was made.
	rm -rf .cache .venv .venv-* .meltano .sandbox .coverage* .hypothesis .import_linter_cache .mypy_cache .pytest_cache \
		.ruff_cache build dist

.venv/made: pyproject.toml constraints/tap.txt
	$(call install,tap,--editable . --group test --group lint)

# The rest is stable: the pre-release is allowed by its name alone, and no constraint holds it.
.venv-next/made: pyproject.toml Makefile constraints/next.txt
	$(call install,next,--editable . --group test 'singer-sdk==$(NEXT_SDK)')

.venv-python3.%/made: PYTHON = python3.$*
.venv-python3.%/made: pyproject.toml constraints/tap.txt
	$(call install,tap,--editable . --group test)

# Meltano's pins are not the tap's. It installs the tap itself, again whenever dependencies change.
.venv-demo/made: NEWEST = 13
.venv-demo/made: WHAT = Meltano, DuckDB and a sandbox (about 300 MB, once)
.venv-demo/made: pyproject.toml constraints/demo.txt
	@rm -rf .meltano/extractors
	$(call install,demo,--group demo)

# Airflow's pins are nobody else's.
.venv-airflow/made: NEWEST = 14
.venv-airflow/made: WHAT = Airflow (about 240 MB, once)
.venv-airflow/made: pyproject.toml constraints/airflow.txt
	$(call install,airflow,--group airflow)

.venv-sandbox/made: WHAT = the tap and the sandbox (about 80 MB, once)
.venv-sandbox/made: pyproject.toml constraints/tap.txt
	$(call install,tap,--editable '.[login]' --group sandbox)

# dbt's pins are not Meltano's.
.venv-analytics/made: NEWEST = 13
.venv-analytics/made: WHAT = dbt (about 240 MB, once)
.venv-analytics/made: pyproject.toml constraints/analytics.txt
	$(call install,analytics,--group analytics)

# Python 3.11 to 3.13.
.venv-snowflake/made .venv-bigquery/made: NEWEST = 13
.venv-snowflake/made: WHAT = dbt and a simulated Snowflake (about 400 MB, once)
.venv-snowflake/made: pyproject.toml constraints/snowflake.txt
	$(call install,snowflake,--group snowflake)

.venv-bigquery/made: WHAT = dbt and a simulated BigQuery (about 320 MB, once)
.venv-bigquery/made: pyproject.toml constraints/bigquery.txt
	$(call install,bigquery,--group bigquery)

# Python 3.10 to 3.12: Airbyte's packages are many, and their pins not the tap's.
.venv-airbyte/made: NEWEST = 12
.venv-airbyte/made: WHAT = Airbyte's packages
.venv-airbyte/made: pyproject.toml constraints/airbyte.txt
	$(call install,airbyte,--group airbyte)

# Not everybody has a browser.
.venv-browser/made: WHAT = Selenium
.venv-browser/made: pyproject.toml constraints/tap.txt
	$(call install,tap,--editable '.[login]' --group browser)

# A terminal, what draws it, and a browser for the report.
.venv-screenshots/made: WHAT = the tap, a sandbox and what takes pictures
.venv-screenshots/made: pyproject.toml constraints/tap.txt
	$(call install,tap,--editable . --group screenshots)

# Of what builds the site the tap needs nothing.
.venv-site/made: WHAT = Zensical
.venv-site/made: pyproject.toml constraints/docs.txt
	$(call install,docs,--group docs)

# This target pins old versions.
.venv-target-jsonl/made: WHAT = target-jsonl
.venv-target-jsonl/made: constraints/target-jsonl.txt
	$(call install,target-jsonl,--group target-jsonl)

# An emulator of a warehouse with its loader; the check skips what cannot be installed.
.venv-target-%/made: WHAT = $* and its emulator
.venv-target-%/made: pyproject.toml constraints/target-%.txt
	@$(PYTHON) -m tools.install $(@D) "$(WHAT)" --constraint constraints/target-$*.txt --group target-$* \
		&& touch $@ || rm -f $@

.venv-target-dlt/made: WHAT = the tap and dlt
.venv-target-dlt/made: .venv-target-bigquery-server/made pyproject.toml constraints/target-dlt.txt
	@$(PYTHON) -m tools.install $(@D) "$(WHAT)" --constraint constraints/target-dlt.txt --editable . --group target-dlt \
		&& touch $@ || rm -f $@

# This loader does not build on later versions, and does not fit together with its emulator.
.venv-target-bigquery/made: PYTHON = $(or $(shell for python in python3.11 python3.10; do \
	if $$python -c '' 2>/dev/null; then echo $$python; break; fi; done),python3)
.venv-target-bigquery/made: WHAT = a loader for BigQuery
.venv-target-bigquery-server/made: WHAT = an emulator of BigQuery
.venv-target-bigquery/made: .venv-target-bigquery-server/made

# An environment for each peer; the table names those that cannot be installed.
.venv-bench-%/made: constraints/bench.txt
	@$(PYTHON) -m tools.install $(@D) $* --constraint constraints/bench.txt $* && touch $@ || rm -f $@
