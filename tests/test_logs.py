"""A job of the workflow and Python's search for garbage: put off while modules are loaded, on while it works."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
PROGRAM = """
import gc, os, sys
import lifelog
loading = gc.isenabled()
from lifelog.logs import job_log
with job_log(sys.argv[1]):
    print(loading, gc.isenabled(), gc.get_freeze_count() > 0, "LIFELOG_JOB" in os.environ)
"""


@pytest.mark.parametrize(
    ("job", "says"),
    [({"LIFELOG_JOB": "1"}, "False True True False"), ({}, "True True False False")],
    ids=["job", "notebook"],
)
def test_garbage_is_searched_for_from_when_the_work_begins(job: dict[str, str], says: str, tmp_path: Path) -> None:
    around = {name: value for name, value in os.environ.items() if name != "LIFELOG_JOB"}
    command = [sys.executable, "-c", PROGRAM, str(tmp_path / "log")]
    done = subprocess.run(command, env={**around, **job}, cwd=ROOT, capture_output=True, text=True, check=True)
    assert done.stdout.strip() == says
