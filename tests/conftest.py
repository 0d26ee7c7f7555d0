"""Fixtures: small simulated cohorts, and real recordings where they are available."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from lifelog.config import Config
from lifelog.predict.samples import Person, read_people
from lifelog.settings.windows import Simulation
from lifelog.splits.assign import assign_splits
from lifelog.splits.folds import write_folds
from lifelog.windows.extract import extract_windows
from lifelog.windows.features import extract_features
from lifelog.windows.layouts import find_users
from lifelog.windows.read import iter_windows, read_labels, write_features
from lifelog.windows.simulated import participants, simulate_cohort
from tests.workflow import Workflow

SHARED = ("workflow",)  # fixtures that take minutes


@pytest.hookimpl(tryfirst=True)  # before pytest-xdist reads the groups
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Run tests that share an expensive fixture in one process: whole workflows, and fixtures of a module."""
    for item in items:
        definitions = item._fixtureinfo.name2fixturedefs
        shared = [name for name in SHARED if name in definitions]
        if not shared and any(found[-1].scope == "module" for found in definitions.values()):
            shared = [item.location[0]]
        if shared:
            item.add_marker(pytest.mark.xdist_group(shared[0]))


def pytest_collection_finish(session: pytest.Session) -> None:
    """Stop if pytest-xdist does not group the tests: expensive fixtures would be made in every process."""
    marked = [item for item in session.items if item.get_closest_marker("xdist_group")]
    if getattr(session.config.option, "loadgroup", False) and not all("@" in item.nodeid for item in marked):
        raise pytest.UsageError("tests are not grouped with this version of pytest; install requirements.lock")


TINY = Simulation(users=4, groups=2, sessions=3, minutes=5, effect=2.0, missing=0.02, seed=1)


@pytest.fixture(scope="session")
def raw(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Raw recordings of four simulated participants; tests that change them copy them first."""
    root = tmp_path_factory.mktemp("cohort") / "raw"
    simulate_cohort(TINY, {p.name: str(root / p.name) for p in participants(TINY)}, root.with_suffix(".truth.json"))
    return root


@pytest.fixture(scope="session")
def config(raw: Path) -> Config:
    """The default configuration for the tiny cohort."""
    return Config(cohort={"root": str(raw)}, simulation=TINY)


@pytest.fixture(scope="session")
def tables(config: Config, raw: Path) -> Path:
    """Windows, quality, features and a blocked split of every user of the tiny cohort."""
    out = raw.parent / "tables"
    for user, folder in find_users(config.cohort, config.simulation).items():
        windows, quality, features, splits = (
            out / kind / f"{user}.parquet" for kind in ("windows", "quality", "features", "splits")
        )
        extract_windows(user, folder, config.cohort, config.windows, config.modalities, windows, quality)
        rows, batches = read_labels(windows), iter_windows(windows, config.modalities)
        write_features(extract_features(batches, rows, config.modalities, config.windows.seconds), features)
        write_folds(assign_splits(rows, config.target("tension"), config.split("blocked")), splits)
    return out


@pytest.fixture(scope="session")
def people(tables: Path) -> dict[str, Person]:
    """Features, folds and the windows file of every user of the tiny cohort."""
    kinds = ([str(path) for path in sorted((tables / kind).iterdir())] for kind in ("features", "splits", "windows"))
    return {str(person.folds.user): person for person in read_people(*kinds)}


@pytest.fixture(scope="session")
def workflow(tmp_path_factory: pytest.TempPathFactory) -> Workflow:
    """The workflow after a whole run on a tiny cohort; for dry runs, further files and other results folders."""
    made = Workflow(tmp_path_factory.mktemp("workflow"))
    made()
    return made


@pytest.fixture(scope="session")
def stress_predict() -> Path:
    """The folder of the Stress-Predict recordings; tests that need it are skipped without it."""
    folder = os.environ.get("STRESS_PREDICT")
    if not folder:
        pytest.skip("the environment variable STRESS_PREDICT does not name the folder of the recordings")
    return Path(folder)


@pytest.fixture(scope="session")
def fuzz_cases() -> int:
    """The number of damaged inputs of a test: some in the suite, many in `make fuzz`."""
    return int(os.environ.get("FUZZ_CASES", "60"))
