"""The benchmarks run, each case in a process of its own; what they measure is nobody's test."""

import pytest

from benchmarks.__main__ import run

EPOCHS = {"device": "cpu", "windows": 12, "batch": 4, "count": 1}


@pytest.mark.parametrize(
    ("name", "settings", "figure"),
    [
        ("epochs", EPOCHS | {"way": "plain"}, "ms/epoch"),
        ("epochs", EPOCHS | {"way": "lifelog"}, "ms/epoch"),
        ("extraction", {"minutes": 3, "processes": 2}, "MB/s written"),
    ],
)
def test_a_case_gives_its_figures(name: str, settings: dict[str, object], figure: str) -> None:
    figures = run(name, **settings)
    assert figures[figure] > 0
    assert figures["peak MiB"] > 0
