"""Failures during a run: after one more call, all outputs are identical to those of an undisturbed run."""

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

from lifelog.files import write_atomically, write_text
from tests.workflow import SMALL, Workflow

KILLS = 6  # two of each kind

pytestmark = pytest.mark.faults


@pytest.fixture(scope="module")
def undisturbed(tmp_path_factory: pytest.TempPathFactory) -> Workflow:
    """Return a workflow that has finished without a failure."""
    workflow = Workflow(tmp_path_factory.mktemp("undisturbed"), SMALL)
    workflow()
    return workflow


@pytest.fixture
def copied(undisturbed: Workflow, tmp_path: Path) -> Workflow:
    """Return a copy of the finished workflow that a test may damage."""
    workflow = Workflow(tmp_path / "copy", SMALL)
    for name in ("results", "resources", ".snakemake"):
        shutil.copytree(undisturbed.folder / name, workflow.folder / name)
    return workflow


def descendants(process: int) -> list[int]:
    """Return the ids of all descendants of a process, from /proc."""
    parents: dict[int, int] = {}
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


def kill(run: subprocess.Popen[str], target: str) -> None:
    """Send SIGKILL, which cannot be caught, to Snakemake, to one of its jobs, or to all of them."""
    children = descendants(run.pid)
    processes = {"snakemake": [run.pid], "job": children[-1:], "all": [run.pid, *children]}[target]
    for process in processes:
        try:
            os.kill(process, signal.SIGKILL)
        except ProcessLookupError:
            continue


def test_run_killed_several_times(undisturbed: Workflow, tmp_path: Path) -> None:
    workflow, rng = Workflow(tmp_path / "killed", SMALL), random.Random(5)
    for attempt in range(KILLS):
        run = workflow.start()
        time.sleep(rng.uniform(2.5, 6.5))
        kill(run, ("all", "job", "snakemake")[attempt % 3])
        run.communicate()
        # A killed Snakemake leaves its lock. Its jobs may survive and run in parallel with those of the next call.
        workflow("--unlock")
    workflow()
    assert workflow.outputs() == undisturbed.outputs()
    assert "Nothing to be done" in workflow("--dry-run")


def test_second_call_is_refused_while_the_first_runs(copied: Workflow, undisturbed: Workflow) -> None:
    first = copied.start("--forceall")
    while not list((copied.folder / ".snakemake/locks").glob("*")):
        time.sleep(0.1)
        assert first.poll() is None
    output = copied("--forceall", ok=False)
    assert "Directory cannot be locked" in output and "Traceback" not in output
    first.communicate()
    assert first.returncode == 0
    assert copied.outputs() == undisturbed.outputs()


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Path]:
    """Mount a file system of one megabyte."""
    folder = tmp_path / "disk"
    folder.mkdir()
    mounted = subprocess.run(["mount", "-t", "tmpfs", "-o", "size=1m", "tmpfs", str(folder)], capture_output=True)
    if mounted.returncode:
        pytest.skip(f"a small disk cannot be mounted: {mounted.stderr.decode().strip()}")
    yield folder
    subprocess.run(["umount", "--lazy", str(folder)], check=True)


def test_full_disk(small_disk: Path, undisturbed: Workflow, tmp_path: Path) -> None:
    workflow = Workflow(tmp_path / "full", SMALL)
    (workflow.folder / "results").symlink_to(small_disk)
    output = workflow(ok=False)
    assert re.search(r"OSError: .*No space left on device", output), output[-3000:]
    assert not [path for path in small_disk.rglob("*.parquet") if not path.stat().st_size]
    subprocess.run(["mount", "-o", "remount,size=200m", str(small_disk)], check=True)
    workflow()
    assert workflow.outputs() == undisturbed.outputs()


def test_read_only_folder(small_disk: Path, tmp_path: Path) -> None:
    workflow = Workflow(tmp_path / "readonly", SMALL)
    (workflow.folder / "results").symlink_to(small_disk)
    subprocess.run(["mount", "-o", "remount,ro", str(small_disk)], check=True)
    output = workflow("results/windows/101.parquet", ok=False)
    assert "Read-only file system" in output and "results" in output


@pytest.mark.parametrize(
    "damaged",
    [
        "windows/101.parquet",
        "features/102.parquet",
        "tension/blocked/splits/101.parquet",
        "tension/blocked/mil/101/seed-0.safetensors",
        "tension/blocked/mil/101/seed-0.json",
        "tension/blocked/importance/101.parquet",
        "tension/blocked/shapley/101.parquet",
        "tension/blocked/verdict.json",
    ],
)
def test_truncated_file_is_made_again(damaged: str, copied: Workflow, undisturbed: Workflow) -> None:
    path = copied.folder / "results" / damaged
    path.write_bytes(path.read_bytes()[: path.stat().st_size // 2])
    output = copied(f"results/{damaged}")
    assert f"results/{damaged} was made otherwise (other content): it is made again" in output
    copied()
    assert copied.outputs() == undisturbed.outputs()


def test_changed_recording_is_read_again(undisturbed: Workflow, tmp_path: Path) -> None:
    workflow = Workflow(tmp_path / "changed", SMALL)
    shutil.copytree(undisturbed.folder / "resources/simulated", workflow.folder / "raw")
    call = ("--config", "cohort={layout: etri, root: raw}")
    targets = [f"results/windows/{user}.parquet" for user in (101, 102, 103)]
    workflow(*targets, *call)
    assert "Nothing to be done" in workflow(*targets, "--dry-run", *call)
    file = next((workflow.folder / "raw/102").glob("*/e4Eda/*.csv"))
    before = pd.read_parquet(workflow.folder / targets[1])
    file.write_text(re.sub(r"\d$", "7", file.read_text().rstrip("\n")) + "\n")  # change the last digit
    assert workflow.rules(*targets, *call) == {"extract_windows": 1}
    workflow(*targets, *call)
    assert not before.equals(pd.read_parquet(workflow.folder / targets[1]))


UNUSUAL = """
cohort: {layout: etri, root: raw}
windows: {standardise: none}
groups: {importance: attention}  # of the networks, so that a user without a network is in no group
modalities:
  - {name: e4Eda, columns: [eda], rate: 4.0, length: 240}
  - {name: unrecorded, columns: [x], kind: scalar}
"""


@pytest.fixture
def raw(undisturbed: Workflow, tmp_path: Path) -> Workflow:
    """Return a workflow before its first run, whose recordings a test may damage; one modality is never recorded."""
    workflow = Workflow(tmp_path / "users", SMALL + UNUSUAL)
    shutil.copytree(undisturbed.folder / "resources/simulated", workflow.folder / "raw")
    return workflow


def label_files(folder: Path) -> list[Path]:
    """Return the label tables of a user."""
    return sorted(folder.glob("*/*_label.csv"))


def test_unusable_users_are_excluded_with_a_reason(raw: Workflow) -> None:
    folder = raw.folder / "raw"
    shutil.rmtree(folder / "102")
    for user in ("102", "104", "105", "106", "107"):
        shutil.copytree(folder / "101", folder / user)
    for file in folder.glob("102/*/e4Eda/*.csv"):  # values beyond single precision: the loss is not finite
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
    found = re.search(r"Excluded:</strong> (participant .*?)</p>", page, re.S)
    assert found
    excluded = html.unescape(re.sub(r"<.*?>", "", found[1]))
    assert "participant 102 (training failed: epoch 1: the loss is " in excluded
    assert "participant 104 (one class only: " in excluded
    assert "participant 105 (too few windows: 2 with a label in a bin" in excluded
    assert "participant 106 (too few windows: 0 with a label in a bin" in excluded
    assert "&lt;b onload=" in page and "<b onload" not in page
    assert "unrecorded" in page
    assert {101, 107} <= set(pd.read_csv(raw.folder / "results/tension/blocked/groups/importance.csv").user)
    scores = pd.read_csv(raw.folder / "results/tension/blocked/scores.csv", dtype={"user": str})
    assert not {"102", "104", "105", "106"} & set(scores.user)


def test_run_without_usable_users_lists_all_reasons(raw: Workflow) -> None:
    for file in (raw.folder / "raw").glob("*/*/*_label.csv"):
        pd.read_csv(file).assign(emotionTension=1).to_csv(file, index=False)
    output = raw("--keep-going", ok=False)
    assert re.search(r"no user has importance: user 101: one class only: .*; user 103: one class only", output)


def test_only_temporary_files_of_dead_processes_are_removed(tmp_path: Path) -> None:
    path = tmp_path / "t.txt"
    with write_atomically(path) as temporary:
        temporary.write_text(own := temporary.name)
    dead = subprocess.Popen(["true"])
    dead.wait()
    leftovers = [path.with_name(own.replace(f"-{os.getpid()}.", f"-{process}.")) for process in (dead.pid, 1)]
    for file in leftovers:
        file.write_text("incomplete")
    write_text("complete", path)
    assert path.read_text() == "complete" and [file.exists() for file in leftovers] == [False, True]
