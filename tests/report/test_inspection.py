"""The page about the recordings, with and without the importance by value."""

from pathlib import Path

import numpy as np
import pandas as pd

from lifelog.config import Config
from lifelog.report.inspection import inspect_recordings
from lifelog.tables import read_tables
from lifelog.windows.read import read_labels


def test_values_are_marked_where_their_interval_is_above_0(config: Config, tables: Path, tmp_path: Path) -> None:
    labels = {user: read_labels(tables / f"windows/{user}.parquet") for user in ("101", "102")}
    quality = read_tables([str(tables / f"quality/{user}.parquet") for user in labels])
    rows = [("101", "e4Eda", 0.25, 0.1), ("101", "e4Hr", 0.05, -0.1), ("102", "e4Eda", np.nan, np.nan)]
    rows += [("102", "e4Hr", 0.1, 0.01)]
    values = pd.DataFrame(rows, columns=["user", "modality", "value", "low"])
    pages = []
    for own in (None, values):
        inspect_recordings(config, labels, quality, [], tmp_path / "page.html", own, {"101": ["e4Eda"]})
        pages.append((tmp_path / "page.html").read_text())
    without, page = pages
    assert "Which sensors matter" not in without and "before any training" in without
    assert '<td>101</td><td class="n"><strong>+0.25*</strong></td><td class="n">+0.05</td><td>e4Eda</td>' in page
    assert '<td>102</td><td class="n">–</td><td class="n"><strong>+0.10*</strong></td><td></td>' in page
