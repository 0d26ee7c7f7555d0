"""What reruns after a change of own recordings, and what a user sees before any job."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
import yaml

from tests.windows.test_check import label, minutes, record
from tests.workflow import Workflow

CONFIG = {
    "cohort": {"layout": "e4", "root": "raw", "timezone": "Europe/Berlin"},
    "modalities": [
        {"name": "eda", "source": "EDA", "columns": ["eda"], "rate": 4, "length": 240},
        {"name": "temp", "source": "TEMP", "columns": ["temp"], "rate": 4, "length": 240},
    ],
    "targets": [{"name": "stress", "column": "stress", "bins": {"rest": [0], "stress": [1]}}],
    "targets_run": ["stress"],
}
USERS = ("S01", "S02", "S03")
WINDOWS = tuple(f"results/windows/{user}.parquet" for user in USERS)


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Workflow:
    """Extracted windows of three users with a common label table."""
    made = Workflow(tmp_path_factory.mktemp("own"), yaml.safe_dump(CONFIG))
    for user in USERS:
        record(made.folder / "raw" / user)
    label(made.folder / "raw", *(row for user in USERS for row in minutes(user)))
    made(*WINDOWS)
    return made


def test_the_recordings_can_be_inspected_before_any_training(made: Workflow) -> None:
    made("--", "inspect")
    page = (made.folder / "results/inspect.html").read_text()
    assert "18 windows of 3 participants; 0 labelled minutes lost" in page
    assert "2022-02-07 10:58" in page  # local time of the last window
    assert re.search(r"<td>S01</td><td>eda</td>.*100%", page) and "4.00" in page


def test_nothing_reruns_with_another_spelling_of_the_root(made: Workflow) -> None:
    assert made.rules(*WINDOWS) == {}
    for spelled in ("./raw/", "raw/../raw", str(made.folder / "raw")):
        assert made.rules(*WINDOWS, "--config", f"cohort={{root: {spelled}}}") == {}


def test_a_corrected_label_reruns_only_its_user(made: Workflow) -> None:
    path = made.folder / "raw/labels.csv"
    before = path.read_text()
    path.write_text(before.replace(minutes("S03")[2], minutes("S03")[2][:-1] + "1"))
    output = made("--dry-run", *WINDOWS)
    path.write_text(before)
    assert made.rules(*WINDOWS) == {}
    assert "Extracting the windows of user S03" in output
    assert "user S01" not in output and "user S02" not in output


def test_problems_are_reported_before_any_job_without_a_traceback(made: Workflow) -> None:
    path = made.folder / "raw/labels.csv"
    before = path.read_text()
    path.write_text(before.replace("S02", "s02"))
    output = made("--dry-run", ok=False)
    path.write_text(before)
    assert "no recordings of user 's02'; did you mean 'S02'?" in output and "Traceback" not in output
    label(made.folder / "raw", *minutes("S01"), *minutes("S02", 1_644_227_580 + 3600), *minutes("S03"))
    output = made("--dry-run", *WINDOWS)
    path.write_text(before)
    assert "labels of user 'S02' are outside the recordings" in output and Path(path).exists()
