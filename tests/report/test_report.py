import os
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import pandas as pd
import pytest

from lifelog.report.figures.comparison import plot_verdict
from lifelog.report.figures.dag import read_rulegraph
from lifelog.report.figures.users import days_table, plot_days
from lifelog.report.style import save
from lifelog.report.tables import cohort_yield, joined_random, problem_counts, split_overview, yield_shares
from lifelog.report.words import describe
from lifelog.settings.compare import Compare
from lifelog.splits.folds import read_folds
from lifelog.windows.read import read_features


@pytest.fixture
def quality() -> pd.DataFrame:
    columns = ["user", "kind", "modality", "seconds", "reason", "detail"]
    rows = [
        ("u", "modality", "a", None, None, None),
        ("u", "modality", "a", None, "no file", "x.csv"),
        ("u", "modality", "b", None, "no file", "y.csv"),
        ("u", "modality", "b", None, "no file", "z.csv"),
        ("u", "label", None, 30, "no usable modality", "see"),
        ("v", "label", None, None, "duplicate label", "l.csv line 3"),
        ("v", "note", None, None, "stray entry", "desktop.ini"),
    ]
    return pd.DataFrame(rows, columns=columns)


def test_yield_is_the_share_of_usable_windows(quality: pd.DataFrame) -> None:
    shares = yield_shares(quality, ["b", "a"], ["u", "v"])
    assert shares.to_numpy().tolist() == [[0.0, 0.5], [0.0, 0.0]]


def test_labelled_and_lost_windows_are_counted_per_user(quality: pd.DataFrame) -> None:
    late = pd.Series(pd.to_datetime(["2019-09-01 20:00Z"]))
    table = cohort_yield(quality, {"u": late, "v": late[:0]}, lambda user: "Asia/Seoul", 60).set_index("user")
    assert table.first_day.tolist() == ["2019-09-02", ""]
    assert table.windows.tolist() == [1, 0] and table.labelled.tolist() == [1, 0] and set(table.unit) == {"minutes"}
    assert table.lost.tolist() == [0.5, 1]  # a window, where the seconds are unknown
    assert table.reasons["v"] == "1 × duplicate label"


def test_problems_are_counted_with_their_first_location(quality: pd.DataFrame) -> None:
    table = problem_counts(quality)
    assert table.times.sum() == 6
    first = table[(table.modality == "b") & (table.reason == "no file")].iloc[0]
    assert (first.times, first.users, first["first"]) == (2, 1, "y.csv")


def test_overview_counts_every_window_once(tables: Path) -> None:
    folds = {path.stem: read_folds(path) for path in sorted((tables / "splits").glob("*.parquet"))}
    first = next(iter(folds))
    folds = {user: replace(of_user, lacking={"train": ["low"], "test": []}) for user, of_user in folds.items()}
    subsets, lacking = split_overview(folds, {first: "training failed"})
    windows = [len(pd.read_parquet(path, columns=["start"])) for path in sorted((tables / "windows").glob("*.parquet"))]
    assert subsets[["test", "unused"]].sum(axis=1).tolist() == windows and (subsets.folds == 3).all()
    assert (subsets.train + subsets.validation < subsets.test).all()  # of a fold
    assert lacking == [(user, "no low in train of some fold") for user in folds if user != first]


def test_random_groupings_are_shown_as_one_row() -> None:
    means = {"global": 0.5, "importance": 0.7, "random-1": 0.4, "random-2": 0.6}
    rows = [{"predictor": "p", "scheme": k, "metric": "macro_f1", "mean": v} for k, v in means.items()]
    columns = {"users": 4, "low": 0.1, "high": 0.9, "pooled": 0.5, "difference": 0.0}
    table = joined_random(pd.DataFrame(rows).assign(**columns)).set_index("scheme")
    assert table.index.tolist() == ["global", "importance", "random"]
    assert table.loc["random", ["mean", "low", "high"]].tolist() == [0.5, 0.4, 0.6]


def test_the_verdict_figure_states_that_there_are_no_importance_groups(tmp_path: Path) -> None:
    rows = [("majority", scheme, "macro_f1", 0.2) for scheme in ("global", "personal")]
    comparison = pd.DataFrame(rows, columns=["predictor", "scheme", "metric", "mean"])
    comparison[["difference", "difference_low", "difference_high", "p_holm"]] = 0.0
    save(plot_verdict({"tension, blocked": comparison}, Compare()), tmp_path / "v.svg")
    assert "no predictor has importance groups" in (tmp_path / "v.svg").read_text()
    assert describe("verdict", pd.read_csv(tmp_path / "v.csv")) == "No data."


def test_the_figure_of_the_rules_is_reproducible(tmp_path: Path) -> None:
    """The figure does not depend on the hash seed, which differs between processes."""
    code = (
        "import sys; from lifelog.report.figures.dag import plot_dag; from lifelog.report.style import save; "
        "edges = [('a', 'b'), ('a', 'c'), ('a', 'd'), ('b', 'e'), ('c', 'e'), ('d', 'e'), ('a', 'e')]; "
        "save(plot_dag(edges), sys.argv[1])"
    )
    figures = []
    for seed in ("0", "1", "2"):
        path = tmp_path / f"{seed}.svg"
        environment = os.environ | {"PYTHONHASHSEED": seed, "PYTHONPATH": str(Path(__file__).parents[2])}
        subprocess.run([sys.executable, "-c", code, str(path)], check=True, env=environment)
        figures.append(path.read_bytes())
    assert figures[0] == figures[1] == figures[2]


def test_the_rule_graph_of_snakemake_is_parsed() -> None:
    dot = 'digraph {\n\t0[label = "all", color = "x"];\n\t1[label = "train_mil"];\n\t1 -> 0\n\t1 -> 1\n}'
    assert read_rulegraph(dot) == [("train_mil", "all")]
    with pytest.raises(ValueError, match="no rule graph"):
        read_rulegraph("nothing here")


@pytest.mark.parametrize("rating", [False, True])
def test_days_show_labels_and_the_clearest_feature_of_each_modality_by_local_time(
    tables: Path, tmp_path: Path, rating: bool
) -> None:
    features, folds = read_features(tables / "features/101.parquet"), read_folds(tables / "splits/101.parquet")
    folds, windows = replace(folds, rating=rating), folds.described
    clearest = pd.DataFrame({"modality": ["mGyr", "e4Eda", "mGyr"], "feature": ["z.min", "eda.scl", "z.mean"]})
    rows = days_table(folds, features, clearest, "Asia/Seoul")
    labels = rows[rows.panel == "label"]
    assert len(labels) == windows.label.notna().sum()
    starts = labels.time.dt.tz_localize("Asia/Seoul").dt.tz_convert("UTC")
    assert set(starts) == set(windows.start[windows.label.notna()])
    assert set(labels.value) == set(windows.level.dropna().astype(float) if rating else windows.label.dropna())
    shown = list(dict.fromkeys(rows.panel))
    assert shown[:3] == ["label", "mGyr.z.min", "e4Eda.eda.scl"]
    assert [name.split(".")[0] for name in shown[3:]] == ["e4Acc", "e4Bvp"]  # without a direction: the first modalities
    save(plot_days("101", rows, ["low", "middle", "high"]), tmp_path / "days.svg")
    assert f"{rows.time.dt.normalize().nunique()} day" in describe("days", pd.read_csv(tmp_path / "days.csv"))
    save(plot_days("101", rows[:0], ["low", "middle", "high"]), tmp_path / "empty.svg")
