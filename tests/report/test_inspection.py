"""The page about the recordings, with and without Shapley values."""

from pathlib import Path

import numpy as np
import pandas as pd

from lifelog.config import Config
from lifelog.report.figures.cohort import coverage_table, plot_coverage
from lifelog.report.style import data_uri
from lifelog.report.views.inspection import InspectionView, LabelsView, inspect_recordings
from lifelog.tables import read_tables
from lifelog.windows.read import read_labels


def test_values_are_marked_where_the_modality_matters(config: Config, tables: Path) -> None:
    labels = {user: read_labels(tables / f"windows/{user}.parquet") for user in ("101", "102")}
    quality = read_tables([str(tables / f"quality/{user}.parquet") for user in labels])
    rows = [("101", "e4Eda", 0.25, True), ("101", "e4Hr", 0.05, False), ("102", "e4Eda", np.nan, None)]
    rows += [("102", "e4Hr", 0.1, True)]
    values = pd.DataFrame(rows, columns=["user", "modality", "shapley", "matters"])
    planted = {"101": ["e4Eda"]}
    without, page = (inspect_recordings(config, labels, quality, [], own, planted) for own in (None, values))
    assert "Which sensors matter" not in without and "before any training" in without
    assert '<td>101</td><td class="n"><strong>+0.25*</strong></td><td class="n">+0.05</td><td>e4Eda</td>' in page
    assert '<td>102</td><td class="n">–</td><td class="n"><strong>+0.10*</strong></td><td></td>' in page


def test_what_each_split_would_test_is_shown_before_training(config: Config, tables: Path) -> None:
    labels = {user: read_labels(tables / f"windows/{user}.parquet") for user in ("101", "102")}
    quality = read_tables([str(tables / f"quality/{user}.parquet") for user in labels])
    view = InspectionView(config, labels, quality, [], None, {})
    assert [(split.target, split.split.name) for split in view.splits] == [
        (target, split.name) for target in config.targets_run for split in config.splits
    ]
    blocked = view.splits[0]
    assert "2 of 2 participants can be tested" in blocked.about and "another session" in blocked.about
    assert [column.title for column in blocked.columns] == ["user", "low", "middle", "high", "not tested", "unused"]
    row = blocked.rows[0]
    assert row[0] == "101" and sum(row[(name,)] for name in ("low", "middle", "high")) > 10
    alone = {"101": labels["101"].assign(**{config.target(blocked.target).column: "1"})}
    (first, *_) = InspectionView(config, alone, quality, [], None, {}).splits
    assert "0 of 1 participants" in first.about and "one class only" in first.rows[0][2]


def test_label_values_in_no_bin_are_listed() -> None:
    counts = {"values": pd.DataFrame({"windows": [3, 1]}, index=["no answer", "9"])}
    assert LabelsView("x", counts).unused == "Values in no bin: no answer (3 windows), 9 (1 window)."
    assert LabelsView("x", {"values": counts["values"][:0]}).unused == ""


def test_the_picture_counts_windows_and_usable_shares_by_participant_and_time() -> None:
    start = pd.Timestamp("2024-03-04 08:00", tz="UTC")
    rows = [
        {"user": user, "kind": "modality", "modality": name, "start": start + pd.Timedelta(days=day, minutes=minute)}
        | {"reason": "not recorded" if name == "eda" and day else None}
        for user in ("a", "b")
        for name in ("acc", "eda")
        for day in (0, 3)
        for minute in (0, 30)
    ]
    table, width = coverage_table(pd.DataFrame(rows), ["a", "b"])
    assert width == 21600 and set(table.bin) == {0, 12}
    values = table[table.user == "a"].set_index(["panel", "bin"]).value.to_dict()
    assert values == {
        **{("labelled windows", 0): 2, ("labelled windows", 12): 2, ("acc", 0): 1, ("acc", 12): 1},
        **{("eda", 0): 1, ("eda", 12): 0},
    }
    many = [f"u{i}" for i in range(1000)]
    cohort = pd.concat([pd.DataFrame(rows[:8]).assign(user=user) for user in many])
    picture = data_uri(plot_coverage(cohort, many, ["acc", "eda"]))
    assert picture.startswith("data:image/svg+xml") and len(picture) < 300_000
    assert data_uri(plot_coverage(cohort, many, ["acc", "eda"])) == picture
    assert data_uri(plot_coverage(cohort[:0], ["a"], ["acc"])).startswith("data:image/svg+xml")  # nothing is recorded
