"""Results that were moved, copied, touched or made in another folder: made again where they differ, never believed."""

from __future__ import annotations

import shutil
from pathlib import Path

import pandas as pd
import pytest

from tests.workflow import Workflow

CONFIG = """
cohort:
  layout: tables
  timezone: Asia/Seoul
  root: {root}
  timezone: UTC
  samples: {{file: "{{user}}/{{source}}.csv", time: timestamp, unit: s}}
modalities: [{{name: hr, kind: scalar, columns: [bpm]}}, {{name: act, kind: scalar, columns: [v]}}]
targets: [{{name: stress, column: mood, bins: {{low: [calm], high: [stress]}}}}]
targets_run: [stress]
splits: [{{name: blocked, method: blocked}}]
"""
SCALED = "modalities: [{name: hr, kind: scalar, columns: [bpm], scale: 10}, {name: act, kind: scalar, columns: [v]}]"
WINDOWS, FEATURES = "windows/S01.parquet", "features/S01.parquet"


@pytest.fixture
def raw(tmp_path: Path) -> Path:
    """Two users with six labelled minutes."""
    root = tmp_path / "raw"
    rows = []
    for user in ("S01", "S02"):
        (root / user).mkdir(parents=True)
        seconds = range(1_700_000_000, 1_700_000_360, 10)
        for name, column in (("hr", "bpm"), ("act", "v")):
            text = "".join(f"{second},{60 + second % 7}\n" for second in seconds)
            (root / user / f"{name}.csv").write_text(f"timestamp,{column}\n{text}")
        rows += [
            f"{user},{second},{second + 60},{'calm' if i % 2 else 'stress'}" for i, second in enumerate(seconds[::6])
        ]
    (root / "labels.csv").write_text("\n".join(["user,start,end,mood", *rows]) + "\n")
    return root


@pytest.fixture
def first(tmp_path: Path, raw: Path) -> Workflow:
    """A clone that has made the features of a user; and the folder of its results, beside the clones."""
    made = Workflow(tmp_path / "first", CONFIG.format(root=raw))
    made(*call(tmp_path / "shared"))
    return made


def call(results: Path, *more: str) -> tuple[str, ...]:
    """Arguments that make the features of a user."""
    return (f"{results}/{FEATURES}", *more, "--config", f"results={results}")


def clone(first: Workflow, name: str = "second") -> Workflow:
    """Another clone with the same configuration, which Snakemake has not run in."""
    return Workflow(first.folder.parent / name, (first.folder / "tiny.yaml").read_text())


def moods(results: Path) -> list[str]:
    """Labels of the windows."""
    return pd.read_parquet(results / WINDOWS).mood.to_list()


def relabel(raw: Path) -> None:
    """Correct the first label of the user."""
    labels = raw / "labels.csv"
    labels.write_text(labels.read_text().replace("stress", "calm", 1))


BOTH = {"extract_windows": 1, "extract_features": 1}


def test_a_second_clone_makes_what_has_changed_and_nothing_else(first: Workflow, tmp_path: Path, raw: Path) -> None:
    second, shared = clone(first), tmp_path / "shared"
    assert "Nothing to be done" in second(*call(shared, "--dry-run"))
    relabel(raw)
    output = second(*call(shared))
    assert f"shared/{WINDOWS} was made otherwise (other recordings)" in output
    assert moods(shared)[0] == "calm"
    assert "Nothing to be done" in second(*call(shared, "--dry-run"))


def test_moved_results_with_another_unit_are_made_again(first: Workflow, tmp_path: Path) -> None:
    second, moved = clone(first), tmp_path / "elsewhere/moved"
    moved.parent.mkdir()
    shutil.move(tmp_path / "shared", moved)
    (second.folder / "tiny.yaml").write_text((first.folder / "tiny.yaml").read_text() + SCALED)
    assert second.rules(*call(moved)) == BOTH


def test_results_without_snakemakes_own_records_are_compared(first: Workflow, tmp_path: Path, raw: Path) -> None:
    shutil.rmtree(first.folder / ".snakemake")
    assert "Nothing to be done" in first(*call(tmp_path / "shared", "--dry-run"))
    relabel(raw)
    assert first.rules(*call(tmp_path / "shared")) == BOTH


def test_touched_results_are_compared(first: Workflow, tmp_path: Path, raw: Path) -> None:
    shared = tmp_path / "shared"
    first(*call(shared, "--touch"))
    assert "Nothing to be done" in first(*call(shared, "--dry-run"))
    relabel(raw)
    first(*call(shared, "--touch"))
    assert first.rules(*call(shared)) == BOTH


def test_changed_code_is_found_in_another_clone_and_a_docstring_is_not(first: Workflow, tmp_path: Path) -> None:
    second, shared = clone(first), tmp_path / "shared"
    module = second.folder / "lifelog/windows/features.py"
    module.write_text(module.read_text().replace('"""Compute summary statistics', '"""Return summary statistics'))
    assert "Nothing to be done" in second(*call(shared, "--dry-run"))
    module.write_text(module.read_text().replace("BIN_SECONDS = 5", "BIN_SECONDS = 6"))
    assert second.rules(*call(shared)) == {"extract_features": 1}


def test_files_of_another_run_and_files_without_records_are_replaced(first: Workflow, tmp_path: Path) -> None:
    shared, other = tmp_path / "shared", tmp_path / "other"
    first(f"{other}/{WINDOWS}", "--config", f"results={other}", SCALED.replace(": [", "=[", 1))
    shutil.copy2(other / WINDOWS, shared / WINDOWS)
    assert first.rules(*call(shared)) == BOTH
    shutil.rmtree(shared / "provenance")
    assert first.rules(*call(shared)) == BOTH


def test_only_wanted_files_are_made_again(first: Workflow, tmp_path: Path, raw: Path) -> None:
    """Files that a call does not need stay as they are."""
    second, shared = clone(first), tmp_path / "shared"
    relabel(raw)
    assert second.rules(f"{shared}/{WINDOWS}", "--config", f"results={shared}") == {"extract_windows": 1}
