"""The benchmarks run, each case in a process of its own; what they measure is nobody's test."""

from pathlib import Path

import pytest
import torch

from benchmarks import report
from benchmarks.__main__ import run

CORES = (f"{figure} {way}, {n}" for figure in ("s", "times") for way in ("read", "written") for n in (1, 2))
TOLD = ("s", "epochs", "windows", "ms/window", "ms/epoch", "MB/s", "MB of CSV", "peak MiB")
FIGURES = dict.fromkeys((*TOLD, *CORES), 2.0)
EPOCHS = {"device": "cpu", "windows": 12, "batch_size": 4, "count": 1}


@pytest.mark.parametrize(
    ("name", "settings", "figure"),
    [
        ("epochs", EPOCHS | {"way": "plain"}, "ms/epoch"),
        ("epochs", EPOCHS | {"way": "lifelog"}, "ms/epoch"),
        ("extraction", {"minutes": 3, "most": 2}, "s written, 2"),
    ],
)
def test_a_case_gives_its_figures(name: str, settings: dict[str, object], figure: str) -> None:
    figures = run(name, **settings)
    assert figures[figure] > 0
    assert figures["peak MiB"] > 0


@pytest.mark.parametrize("gpu", [False, True])
def test_the_page_is_written_of_any_figures(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, gpu: bool) -> None:
    monkeypatch.setattr(report, "DOCS", tmp_path / "docs")
    monkeypatch.setattr(torch.cuda, "is_available", lambda: gpu)
    monkeypatch.setattr(torch.cuda, "get_device_name", lambda: "a GPU of this test")
    report.write_report(lambda name, /, **settings: FIGURES, full=True)
    text = (tmp_path / "docs/performance.md").read_text(encoding="utf-8")
    assert ("a GPU of this test" in text) == gpu
    assert (tmp_path / "docs/performance.svg").exists()
