import json
from pathlib import Path

import pandas as pd
import pyarrow.parquet as pq

from lifelog.config import Config
from lifelog.windows.etri import LABELS
from lifelog.windows.simulated import participants, simulate_cohort
from tests.conftest import TINY


def test_files_have_the_rates_and_lengths_of_real_files(raw: Path) -> None:
    expected = {"e4Acc": {1920}, "e4Bvp": {3840}, "e4Eda": {240}, "e4Temp": {240}, "mGps": {1}}
    phone = {name: {1786, 1787} for name in ("mAcc", "mGyr", "mMag")}
    for name, lengths in (expected | phone).items():
        counts = {len(pd.read_csv(path)) for path in raw.glob(f"*/*/{name}/*.csv")}
        assert counts and counts <= lengths, name
    hr = {len(pd.read_csv(path)) for path in raw.glob("*/*/e4Hr/*.csv")}
    assert len(hr) > 5 and min(hr) >= 3 and max(hr) <= 64
    for path in raw.glob("*/*/*/*.csv"):
        seconds = pd.read_csv(path).timestamp
        assert int(path.stem) % 60 == 0 and seconds.between(0, 60, inclusive="left").all()


def test_labels_have_the_real_columns_and_the_truth_is_outside_the_recordings(raw: Path) -> None:
    for path in raw.glob("*/*/*_label.csv"):
        frame = pd.read_csv(path)
        assert set(frame.columns) == {"ts", *LABELS}
        assert frame.emotionTension.between(1, 7).all()
    assert not list(raw.rglob("*truth*"))
    truth = json.loads(raw.with_suffix(".truth.json").read_text())
    assert set(truth["users"]) == {path.name for path in raw.iterdir()}


def test_the_same_seed_gives_the_same_bytes(raw: Path, tmp_path: Path) -> None:
    cohort = participants(TINY)
    simulate_cohort(TINY, {p.name: str(tmp_path / p.name) for p in cohort}, tmp_path / "truth.json")
    for path in (tmp_path / "101").rglob("*.csv"):
        assert path.read_bytes() == (raw / path.relative_to(tmp_path)).read_bytes()


def test_a_participant_simulated_alone_equals_that_of_the_whole_cohort(raw: Path, tmp_path: Path) -> None:
    simulate_cohort(TINY, {"103": str(tmp_path / "103")}, tmp_path / "truth.json")
    assert [path.name for path in tmp_path.iterdir() if path.is_dir()] == ["103"]
    path = next((tmp_path / "103").rglob("e4Eda/*.csv"))
    assert path.read_bytes() == (raw / path.relative_to(tmp_path)).read_bytes()


def test_only_the_planted_modalities_follow_tension(config: Config, tables: Path) -> None:
    """Compare the correlation of the best summary statistic with tension between planted and other modalities."""
    truth = json.loads(Path(config.cohort.root).with_suffix(".truth.json").read_text())["users"]
    planted, others = [], []
    for user in ("101", "102", "103"):
        features = pq.read_table(tables / "features" / f"{user}.parquet").to_pandas().drop(columns=["user", "start"])
        tension = pq.read_table(tables / "windows" / f"{user}.parquet", columns=["emotionTension"]).to_pandas()
        numbers = features[[name for name in features if not name.endswith("bin_maxima")]]
        strength = numbers.corrwith(tension.emotionTension.astype(float), method="spearman").abs()
        best = strength.groupby(strength.index.str.split(".").str[0]).max()
        planted += list(best[truth[user]["modalities"]])
        others += list(best.drop(truth[user]["modalities"]))
    assert min(planted) > 0.6
    assert sum(planted) / len(planted) > sum(others) / len(others) + 0.2
