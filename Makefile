# The environment is created once, from pinned versions. The other targets use its tools.
VENV ?= .venv
PYTHON ?= python3
FUZZ_CASES ?= 20000
CORES ?= $(shell $(VENV)/bin/python -c "import os; print(os.cpu_count())")
BIN = $(VENV)/bin

.PHONY: demo test test-faults test-cohorts test-slurm slurm rocket test-rocket fuzz lint config docs wheel env lock clean

demo: env  ## run the default workflow on the simulated cohort: first to results/preview.html, then to results/report.html
	PATH="$(CURDIR)/$(BIN):$$PATH" snakemake --cores $(CORES) -- preview
	@echo "First page, of recordings, labels and importance: results/preview.html. The report takes some minutes more."
	PATH="$(CURDIR)/$(BIN):$$PATH" snakemake --cores $(CORES)

test: env lint  ## lint, and run all tests except test-faults, test-cohorts and test-slurm
	PATH="$(CURDIR)/$(BIN):$$PATH" OMP_NUM_THREADS=1 pytest --numprocesses auto --dist loadgroup

test-faults: env  ## test killed runs, full disks and damaged files (some minutes; needs root to mount a small disk)
	PATH="$(CURDIR)/$(BIN):$$PATH" pytest --numprocesses auto -m faults

test-cohorts: env  ## run a made-up cohort in every form of docs/own-data.md to the report (some minutes)
	PATH="$(CURDIR)/$(BIN):$$PATH" pytest --numprocesses auto -m cohorts

test-slurm: env slurm  ## test the SLURM profile on this machine (Debian or Ubuntu, as root; some minutes)
	PATH="$(CURDIR)/$(BIN):$$PATH" pytest -m slurm

slurm:  ## install the SLURM packages if they are missing
	command -v slurmctld || { apt-get update --quiet && apt-get install --yes --quiet --no-install-recommends slurmctld slurmd slurm-client munge; }

rocket: env  ## install aeon for the predictor rocket
	$(BIN)/pip install --quiet --no-deps --requirement envs/rocket.txt

test-rocket: rocket  ## test the predictor rocket (its first use compiles aeon's code)
	PATH="$(CURDIR)/$(BIN):$$PATH" OMP_NUM_THREADS=1 pytest tests/predict/test_rocket.py

fuzz: env  ## read FUZZ_CASES damaged recordings of each layout (twenty thousand take long)
	FUZZ_CASES=$(FUZZ_CASES) $(BIN)/pytest --numprocesses auto tests/windows/test_fuzz.py tests/bundle/test_bundle.py -k 'fuzz or damaged'

lint: env  ## check style and format of the code and the workflow
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/snakefmt --check Snakefile rules
	$(BIN)/python tests/rules/lint.py
	PATH="$(CURDIR)/$(BIN):$$PATH" snakemake --lint
	$(BIN)/mypy

config: env  ## generate config.yaml and its JSON schema from the settings in lifelog/
	$(BIN)/python -m lifelog.config_yaml

docs: env  ## build the documentation site, to site/
	$(BIN)/pip install --quiet --requirement requirements.lock --requirement docs/requirements.txt
	NO_MKDOCS_2_WARNING=1 $(BIN)/mkdocs build --strict

wheel: env  ## build the package, to dist/, and test it in a separate environment
	rm -rf dist build .venv-wheel
	$(BIN)/pip wheel --quiet --no-deps --no-build-isolation --wheel-dir dist .
	$(PYTHON) -m venv .venv-wheel
	.venv-wheel/bin/pip install --quiet --requirement requirements.lock dist/*.whl
	cd dist && ../.venv-wheel/bin/python -c "import lifelog; [getattr(lifelog, name) for name in lifelog.__all__]; print(lifelog.__version__, lifelog.__file__)"
	cd dist && ../.venv-wheel/bin/snakemake --help | grep -q "logger.*lifelog"
	rm -rf build .venv-wheel

env: $(VENV)/.ready  ## create the environment

$(VENV)/.ready: requirements.lock pyproject.toml
	$(PYTHON) -c "import sys; sys.exit('lifelog needs Python 3.11 or newer, this is ' + sys.version) if sys.version_info < (3, 11) else None"
	$(PYTHON) -m venv $(VENV)
	$(BIN)/pip install --quiet --requirement requirements.lock
	# compat: adds the folder to the path, so that Snakemake finds the logger plugin by its name
	$(BIN)/pip install --quiet --no-deps --config-settings editable_mode=compat --editable .
	touch $@

lock:  ## pin the dependencies of pyproject.toml again
	$(PYTHON) -m venv .venv-lock
	.venv-lock/bin/pip install --quiet "torch==2.13.0"
	.venv-lock/bin/pip install --quiet --editable ".[dev]"
	{ head -2 requirements.lock; .venv-lock/bin/pip freeze --exclude-editable | sed -e 's/+cpu$$//' -e 's/ @ .*//' | grep -viE '^(nvidia|cuda|triton)'; } > requirements.lock.new
	mv requirements.lock.new requirements.lock
	rm -rf .venv-lock

clean:  ## delete all outputs, but not the environment
	rm -rf results resources .snakemake .mypy_cache site dist
