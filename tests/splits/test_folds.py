"""The file of folds."""

from dataclasses import fields
from pathlib import Path

import pandas as pd
import pytest

from lifelog.config import Config
from lifelog.settings.splits import Target
from lifelog.splits.assign import assign_splits
from lifelog.splits.folds import read_folds, write_folds
from lifelog.windows.read import read_labels

ONE_CLASS = Target(name="t", column="emotionTension", bins={"any": ["1..7"], "none": [9]})


@pytest.mark.parametrize("target", ["tension", "excluded"])
@pytest.mark.parametrize("split", ["blocked", "random"])
def test_folds_are_read_as_they_were_assigned(
    config: Config, tables: Path, tmp_path: Path, target: str, split: str
) -> None:
    labels = read_labels(tables / "windows/101.parquet")
    chosen = ONE_CLASS if target == "excluded" else config.target(target)
    folds = assign_splits(labels, chosen, config.split(split))
    write_folds(folds, tmp_path / "folds.parquet")
    read = read_folds(tmp_path / "folds.parquet")
    assert list(read.numbered) == list(folds.numbered) and (folds.excluded is None) == (target == "tension")
    for (_, rows), (_, expected) in zip(read.items(), folds.items(), strict=True):
        pd.testing.assert_frame_equal(*(x.astype(object).where(x.notna(), None) for x in (rows, expected)))
    for name in {field.name for field in fields(folds)} - {"described", "numbered"}:
        assert getattr(read, name) == getattr(folds, name)
