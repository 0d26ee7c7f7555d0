"""Inputs that researchers reported as failing, each with the right result: set CASES to the folder that holds them."""

from __future__ import annotations

import os
import re
from pathlib import Path

import pytest
import yaml

from lifelog.config import ConfigError, load_config
from lifelog.tables import read_tables
from lifelog.windows.check import check_recordings
from lifelog.windows.extract import extract_windows
from lifelog.windows.layout import BadInput
from lifelog.windows.layouts import find_users
from lifelog.windows.read import read_labels

FOLDER = os.environ.get("CASES")

pytestmark = pytest.mark.skipif(not FOLDER, reason="set CASES to a folder of failing inputs")

# The first number of the case's name: windows of the first participant (None: the run stops before any job), and what
# the messages before the jobs, or the quality table, state.
CASES: dict[str, tuple[int | None, str]] = {
    "05": (None, r"labels 2023-11-15.*recordings 1992-11-14.*978307200 s"),
    "06": (20, r"600 of 1200 values are outside 20 to 250 1/min; they are missing"),
    "11": (12, r"line 5: begin is '2023-11-05 01:00:00'.*write times with an offset, such as -04:00 \(24 rows\)"),
    "13": (19, r"60 of 1200 times are of before 1973.*these rows are left out"),
    "16": (0, r"34 of 36 answers are less than 600 s .*set before: 360"),
    "20": (20, r"acc: 'x' and 'z' are equal in all 20 windows"),
    "40": (None, r"letters of English, digits.*'A/02', 'P 01', 'Zoë', 'x\+y=z'.*\"o'neil\""),
    "41": (1490, r"the phase of line 7 lasts 23\.2 h.*the median is 10 min"),
    "54": (None, r"importance compares two modalities or more, not 1"),
    "56": (None, r"20 of 20 labels of user 'S01' are outside the recordings.*9 h after the recordings"),
}


def read(case: Path, tmp_path: Path, **changes: object) -> tuple[int | None, str]:
    """Return the windows of the first participant, and all messages."""
    raw = yaml.safe_load((case / "case.yaml").read_text())
    raw["cohort"] |= {"root": str(case / "raw")} | changes
    try:
        config = load_config(raw)
        users = find_users(config.cohort, config.simulation)
        messages = check_recordings(config, users)
    except (BadInput, ConfigError) as error:
        return None, str(error)
    user, folder = next(iter(users.items()))
    paths = tmp_path / "windows.parquet", tmp_path / "quality.parquet"
    extract_windows(user, folder, config.cohort, config.windows, config.modalities, *paths)
    return len(read_labels(paths[0])), "\n".join([*messages, *read_tables([paths[1]])["detail"].dropna()])


def folder_of(number: str) -> Path:
    return next(Path(FOLDER or "").glob(f"{number}-*"))


@pytest.mark.parametrize("number", CASES)
def test_the_reported_input_is_read_or_refused_with_its_reason(number: str, tmp_path: Path) -> None:
    windows, pattern = CASES[number]
    found, messages = read(folder_of(number), tmp_path)
    assert found == windows
    assert re.search(pattern, messages, re.DOTALL), messages


def test_case_18_a_journey_is_named_and_read_with_the_zone_of_each_week(tmp_path: Path) -> None:
    windows, messages = read(folder_of("18"), tmp_path)
    assert windows == 12
    assert "12 of 24 labels of user 'S01', from 2023-11-22 05:00" in messages
    assert "inside 5 h earlier), set timezones: {S01: 'America/New_York, from 2023-11-22" in messages
    zones = {user: "America/New_York, from 2023-11-19 Europe/London" for user in ("S01", "S02")}
    assert read(folder_of("18"), tmp_path, timezones=zones)[0] == 24
