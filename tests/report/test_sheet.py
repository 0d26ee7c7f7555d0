"""The sheet of a participant: what it states follows from the tests of the run, and it is one page."""

import re
import subprocess
from pathlib import Path

import pandas as pd
import pytest

from lifelog.report.sheet import mattering, sensors_in_words, shown_days
from tests.report.test_answers import PAGES, Page, simulated
from tests.report.test_page import CHROMIUM
from tests.workflow import Workflow


@pytest.mark.parametrize(("kind", "seed"), PAGES)
def test_no_sensor_is_claimed_that_chance_gives(kind: str, seed: int) -> None:
    page: Page = simulated(kind, seed)
    page.chapter.reasons = {"u0": "too few windows"}
    values = page.chapter.details.values
    for user in values.user.unique():
        text = " ".join(sensors_in_words(page.chapter, user, []))
        matters = values.modality[(values.user == user) & values.matters.eq(True)]
        claimed = "a sensor matters" in page.sentences["sensors"] and len(matters) > 0
        assert mattering(page.chapter, user) == (sorted(matters, key=list(matters).index) if claimed else [])
        if user == "u0":
            assert text == "Your recordings could not be evaluated: too few windows."
        else:
            assert ("follow your answers: " in text and "could not be tested" not in text) == claimed
            assert ("could not be tested" in text) == (kind == "untested")


def test_only_the_answers_and_sensors_that_matter_are_drawn() -> None:
    days = pd.DataFrame({"panel": ["label", "eda.scl", "hr.mean"], "time": "2026-01-01 10:00", "value": 1})
    assert list(shown_days(days, pd.Series(["eda"])).panel) == ["label", "eda.scl"]


def test_sheets_of_a_run(workflow: Workflow, tmp_path: Path) -> None:
    workflow("sheets")
    sheets = sorted((workflow.folder / "results/sheets").glob("*.html"))
    users = sorted(path.stem for path in (workflow.folder / "results/windows").glob("*.parquet"))
    assert [sheet.stem for sheet in sheets] == users
    text = sheets[0].read_text(encoding="utf-8")
    assert f"Participant {users[0]}" in text and "no diagnosis" in text and "<script" not in text
    others = {user for user in users[1:] if re.search(rf"Participant {user}\b", text)}
    assert not others
    if not CHROMIUM:
        pytest.skip("Chromium is not installed")
    pdf = tmp_path / "sheet.pdf"
    command = [CHROMIUM, "--headless", "--no-sandbox", "--disable-gpu", f"--user-data-dir={tmp_path / 'profile'}"]
    subprocess.run(
        [*command, f"--print-to-pdf={pdf}", sheets[0].as_uri()], check=True, capture_output=True, timeout=120
    )
    assert re.findall(rb"/Count (\d+)", pdf.read_bytes()) == [b"1"]
