# The environment is made once, from the pinned versions; everything else is snakemake and pytest.
VENV ?= .venv
PYTHON ?= python3
CORES ?= $(shell $(VENV)/bin/python -c "import os; print(os.cpu_count())")
BIN = $(VENV)/bin

.PHONY: demo test test-faults test-slurm slurm fuzz lint config docs wheel env lock clean

demo: env  ## the default workflow on the simulated cohort, to results/report.html
	PATH="$(CURDIR)/$(BIN):$$PATH" snakemake --cores $(CORES)

test: env lint  ## everything that is checked
	PATH="$(CURDIR)/$(BIN):$$PATH" pytest

test-faults: env  ## runs that are killed, fill the disk, lose files (some minutes; a small disk is mounted as root)
	PATH="$(CURDIR)/$(BIN):$$PATH" pytest -m faults

test-slurm: env slurm  ## the cluster profile on a real SLURM of this machine (Debian or Ubuntu, as root; some minutes)
	PATH="$(CURDIR)/$(BIN):$$PATH" pytest -m slurm

slurm:  ## SLURM's packages, where they are missing
	command -v slurmctld || { apt-get update --quiet && apt-get install --yes --quiet --no-install-recommends slurmctld slurmd slurm-client munge; }

fuzz: env  ## twenty thousand damaged recordings
	FUZZ_CASES=10000 $(BIN)/pytest tests/windows/test_fuzz.py

lint: env
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/snakefmt --check Snakefile rules
	PATH="$(CURDIR)/$(BIN):$$PATH" snakemake --lint

config: env  ## config.yaml and docs/config.md, from lifelog/config.py
	$(BIN)/python -m lifelog.config_yaml > config.yaml
	$(BIN)/python -m lifelog.config_yaml reference > docs/config.md

docs: env  ## the documentation as a site, to site/
	$(BIN)/pip install --quiet --requirement requirements.lock --requirement docs/requirements.txt
	NO_MKDOCS_2_WARNING=1 $(BIN)/mkdocs build --strict

wheel: env  ## the package, to dist/, tried in an environment of its own
	rm -rf dist build .venv-wheel
	$(BIN)/pip wheel --quiet --no-deps --no-build-isolation --wheel-dir dist .
	$(PYTHON) -m venv .venv-wheel
	.venv-wheel/bin/pip install --quiet --requirement requirements.lock dist/*.whl
	cd dist && ../.venv-wheel/bin/python -c "import lifelog; [getattr(lifelog, name) for name in lifelog.__all__]; print(lifelog.__version__, lifelog.__file__)"
	cd dist && ../.venv-wheel/bin/snakemake --help | grep -q "logger.*lifelog"
	rm -rf build .venv-wheel

env: $(VENV)/.ready

$(VENV)/.ready: requirements.lock pyproject.toml
	$(PYTHON) -c "import sys; sys.exit('lifelog needs Python 3.11 or newer, this is ' + sys.version) if sys.version_info < (3, 11) else None"
	$(PYTHON) -m venv $(VENV)
	$(BIN)/pip install --quiet --requirement requirements.lock
	# compat: the folder on the path, so that Snakemake finds the logger plugin by its name
	$(BIN)/pip install --quiet --no-deps --config-settings editable_mode=compat --editable .
	touch $@

lock:  ## pin what pyproject.toml asks for, anew
	$(PYTHON) -m venv .venv-lock
	.venv-lock/bin/pip install --quiet "torch==2.13.0"
	.venv-lock/bin/pip install --quiet --editable ".[dev]"
	{ head -2 requirements.lock; .venv-lock/bin/pip freeze --exclude-editable | sed -e 's/+cpu$$//' -e 's/ @ .*//' | grep -viE '^(nvidia|cuda|triton)'; } > requirements.lock.new
	mv requirements.lock.new requirements.lock
	rm -rf .venv-lock

clean:  ## what a run made, but not the environment
	rm -rf results resources .snakemake site dist
