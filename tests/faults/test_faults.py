"""What goes wrong while a workflow runs, done for real: after it and one more call everything is as if it had not."""

from __future__ import annotations

import html
import os
import random
import re
import shutil
import signal
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path

import pandas as pd
import pytest

from lifelog.tables import write_atomically, write_text
from tests.workflow import SMALL, Workflow

KILLS = 10

pytestmark = pytest.mark.faults


@pytest.fixture(scope="module")
def undisturbed(tmp_path_factory: pytest.TempPathFactory) -> Workflow:
    made = Workflow(tmp_path_factory.mktemp("undisturbed"), SMALL)
    made()
    return made


@pytest.fixture
def copied(undisturbed: Workflow, tmp_path: Path) -> Workflow:
    """The finished workflow once more, to be damaged."""
    made = Workflow(tmp_path / "copy", SMALL)
    for name in ("results", "resources", ".snakemake"):
        shutil.copytree(undisturbed.folder / name, made.folder / name)
    return made


def jobs_below(process: int) -> list[int]:
    """Processes that descend from this one, from Linux's table."""
    parents = {}
    for entry in Path("/proc").iterdir():
        if entry.name.isdigit():
            try:
                parents[int(entry.name)] = int((entry / "stat").read_text().rpartition(")")[2].split()[1])
            except (OSError, IndexError):
                continue
    found, new = [], [process]
    while new:
        new = [child for child, parent in parents.items() if parent in new]
        found += new
    return found


def kill(run: subprocess.Popen[str], what: str) -> None:
    """SIGKILL, which nobody can catch, to Snakemake, to a job of it, or to all."""
    below = jobs_below(run.pid)
    victims = {"snakemake": [run.pid], "job": below[-1:], "all": [run.pid, *below]}[what]
    for victim in victims:
        try:
            os.kill(victim, signal.SIGKILL)
        except ProcessLookupError:
            continue


def test_killed_at_ten_moments_and_called_again(undisturbed: Workflow, tmp_path: Path) -> None:
    made, rng = Workflow(tmp_path / "killed", SMALL), random.Random(5)
    for turn in range(KILLS):
        run = made.start()
        time.sleep(rng.uniform(2.5, 6.5))
        kill(run, ("all", "job", "snakemake")[turn % 3])
        run.communicate()
        # What a killed Snakemake leaves: its lock. Jobs that outlived it go on beside those of the next call.
        made("--unlock")
    made()
    assert made.outputs() == undisturbed.outputs()
    assert "Nothing to be done" in made("--dry-run")


def test_two_calls_at_once_do_not_meet(copied: Workflow, undisturbed: Workflow) -> None:
    first = copied.start("--forceall")
    while not list((copied.folder / ".snakemake/locks").glob("*")):
        time.sleep(0.1)
        assert first.poll() is None
    said = copied("--forceall", ok=False)
    assert "Directory cannot be locked" in said and "Traceback" not in said
    first.communicate()
    assert first.returncode == 0
    assert copied.outputs() == undisturbed.outputs()


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Path]:
    """A file system of one megabyte."""
    folder = tmp_path / "disk"
    folder.mkdir()
    mounted = subprocess.run(["mount", "-t", "tmpfs", "-o", "size=1m", "tmpfs", str(folder)], capture_output=True)
    if mounted.returncode:
        pytest.skip(f"no small disk can be mounted here: {mounted.stderr.decode().strip()}")
    yield folder
    subprocess.run(["umount", "--lazy", str(folder)], check=True)


def test_a_full_disk(small_disk: Path, undisturbed: Workflow, tmp_path: Path) -> None:
    made = Workflow(tmp_path / "full", SMALL)
    (made.folder / "results").symlink_to(small_disk)
    said = made(ok=False)
    assert re.search(r"OSError: .*No space left on device", said), said[-3000:]
    assert not [path for path in small_disk.rglob("*.parquet") if not path.stat().st_size]
    subprocess.run(["mount", "-o", "remount,size=200m", str(small_disk)], check=True)
    made()
    assert made.outputs() == undisturbed.outputs()


def test_a_folder_that_cannot_be_written_to(small_disk: Path, tmp_path: Path) -> None:
    made = Workflow(tmp_path / "readonly", SMALL)
    (made.folder / "results").symlink_to(small_disk)
    subprocess.run(["mount", "-o", "remount,ro", str(small_disk)], check=True)
    said = made("results/windows/101.parquet", ok=False)
    assert "Read-only file system" in said and "results" in said


@pytest.mark.parametrize(
    ("damaged", "target"),
    [
        ("windows/101.parquet", "features/101.parquet"),
        ("features/102.parquet", "tension/blocked/predictions/boosting/global.parquet"),
        ("tension/blocked/splits/101.parquet", "tension/blocked/mil/101/seed-0.safetensors"),
        ("tension/blocked/mil/101/seed-0.safetensors", "tension/blocked/importance/101.parquet"),
        ("tension/blocked/importance/101.parquet", "tension/blocked/groups/scores.csv"),
        ("tension/blocked/verdict.json", "report.html"),
    ],
)
def test_a_file_cut_in_half_is_named_and_made_anew(
    damaged: str, target: str, copied: Workflow, undisturbed: Workflow
) -> None:
    path = copied.folder / "results" / damaged
    path.write_bytes(path.read_bytes()[: path.stat().st_size // 2])
    said = copied(f"results/{target}", ok=False)
    says = rf"results/{re.escape(damaged)} is damaged \(.+\); delete it and ask for it by its name"
    assert re.search(says, said), said[-3000:]
    path.unlink()
    copied(f"results/{damaged}")
    copied()
    assert copied.outputs() == undisturbed.outputs()


def test_a_raw_file_that_changes_is_read_anew(undisturbed: Workflow, tmp_path: Path) -> None:
    made = Workflow(tmp_path / "changed", SMALL)
    shutil.copytree(undisturbed.folder / "resources/simulated", made.folder / "raw")
    call = ("--config", "cohort={layout: etri, root: raw}")
    targets = [f"results/windows/{user}.parquet" for user in (101, 102, 103)]
    made(*targets, *call)
    assert "Nothing to be done" in made(*targets, "--dry-run", *call)
    file = next((made.folder / "raw/102").glob("*/e4Eda/*.csv"))
    before = pd.read_parquet(made.folder / targets[1])
    file.write_text(re.sub(r"\d$", "7", file.read_text().rstrip("\n")) + "\n")  # the last digit of the last value
    assert made.rules(*targets, *call) == {"extract_windows": 1}
    made(*targets, *call)
    assert not before.equals(pd.read_parquet(made.folder / targets[1]))


ODD = """
cohort: {layout: etri, root: raw}
windows: {standardise: none}
modalities:
  - {name: e4Eda, columns: [eda], rate: 4.0, length: 240}
  - {name: nobody, columns: [x], kind: scalar}
"""


@pytest.fixture
def raw(undisturbed: Workflow, tmp_path: Path) -> Workflow:
    """The workflow before its first run, on recordings that a test may spoil; of two modalities nobody has one."""
    made = Workflow(tmp_path / "users", SMALL + ODD)
    shutil.copytree(undisturbed.folder / "resources/simulated", made.folder / "raw")
    return made


def label_files(folder: Path) -> list[Path]:
    return sorted(folder.glob("*/*_label.csv"))


def test_users_who_cannot_take_part_are_named_and_the_rest_comes_to_its_report(raw: Workflow) -> None:
    folder = raw.folder / "raw"
    shutil.rmtree(folder / "102")
    for user in ("102", "104", "105", "106", "107"):
        shutil.copytree(folder / "101", folder / user)
    for file in folder.glob("102/*/e4Eda/*.csv"):  # values beyond single precision: the loss is no number
        frame = pd.read_csv(file)
        frame.assign(x=frame.x * 1e39).to_csv(file, index=False)
    for file in label_files(folder / "104"):
        pd.read_csv(file).assign(emotionTension=1).to_csv(file, index=False)
    for number, file in enumerate(label_files(folder / "105")):
        pd.read_csv(file).iloc[: 2 if number == 0 else 0].to_csv(file, index=False)
    shutil.rmtree(folder / "106")
    (folder / "106/<b onload='x'> \"a b\"").mkdir(parents=True)
    raw("--keep-going")
    page = (raw.folder / "results/report.html").read_text()
    without = html.unescape(re.search(r"Without:</strong>(.*?)</p>", page, re.S)[1])
    assert "user 102 (training failed: epoch 1: the loss is " in without
    assert "user 104 (one class only: " in without
    assert "user 105 (too few windows: 2 with a label in a bin)" in without
    assert "user 106 (too few windows: 0 with a label in a bin)" in without
    assert "&lt;b onload=" in page and "<b onload" not in page
    assert "nobody" in page
    assert {101, 107} <= set(pd.read_csv(raw.folder / "results/tension/blocked/groups/global.csv").user)
    scores = pd.read_csv(raw.folder / "results/tension/blocked/scores.csv", dtype={"user": str})
    assert not {"102", "104", "105", "106"} & set(scores.user)


def test_nobody_left_is_said_with_everyones_reason(raw: Workflow) -> None:
    for file in (raw.folder / "raw").glob("*/*/*_label.csv"):
        pd.read_csv(file).assign(emotionTension=1).to_csv(file, index=False)
    said = raw("--keep-going", ok=False)
    assert re.search(r"ValueError: no user is left: user 101: one class only: .*; user 103: one class only", said)


def test_what_a_killed_job_left_is_removed_and_a_living_one_is_not_disturbed(tmp_path: Path) -> None:
    path = tmp_path / "t.txt"
    with write_atomically(path) as part:
        part.write_text(mine := part.name)
    dead = subprocess.Popen(["true"])
    dead.wait()
    left = [path.with_name(mine.replace(f"-{os.getpid()}.", f"-{process}.")) for process in (dead.pid, 1)]
    for file in left:
        file.write_text("half")
    write_text("whole", path)
    assert path.read_text() == "whole" and [file.exists() for file in left] == [False, True]
