"""The files that the report reads are those that its rule has as inputs."""

from pathlib import Path
from typing import Any

import pytest

from lifelog.config import Config
from lifelog.report.files import chapter_files, read_files, run_files

CASES: dict[str, tuple[dict[str, Any], str, set[str], set[str]]] = {
    "simulated": ({}, "blocked", {"recovery.json"}, {"published.json"}),
    "recorded": ({"cohort": {"layout": "etri"}}, "blocked", set(), {"recovery.json", "published.json"}),
    "published": (
        {"report": {"published": True}, "splits": [{"name": "s", "method": "random"}]},
        "s",
        {"published.json"},
        set(),
    ),
    "folds": ({"report": {"published": True}}, "blocked", set(), {"published.json"}),
    "without importance": ({}, "random", {"verdict.json", "splits/a.parquet"}, {"shapley.csv", "recovery.json"}),
}


@pytest.mark.parametrize("name", CASES)
def test_files_of_a_chapter_depend_on_the_configuration(name: str) -> None:
    settings, split, present, absent = CASES[name]
    files = chapter_files(Config(**settings), f"tension/{split}", ["a", "b"])
    below = {file.removeprefix(f"tension/{split}/") for file in files}
    assert present <= below and not absent & below and len(files) == len(below)
    assert {"splits/a.parquet", "splits/b.parquet", "figures/confusion.svg", "figures/confusion.csv"} <= below


def test_files_of_the_run() -> None:
    assert {"windows/a.parquet", "quality/b.parquet", "figures/dag.svg", "figures/dag.csv"} <= set(
        run_files(["a", "b"])
    )


def test_files_are_read_once_or_by_participant(tmp_path: Path) -> None:
    for name in ("one", "a", "b"):
        (tmp_path / f"{name}.txt").write_text(name)
    read = read_files(tmp_path, {"one.txt": Path.read_text, "{user}.txt": Path.read_text}, ["a", "b"])
    assert read == {"one.txt": "one", "{user}.txt": {"a": "a", "b": "b"}}
