"""Recordings without labels: windows by the clock over all recorded time, in every layout."""

from __future__ import annotations

import shutil
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from lifelog.config import Config, ConfigError, load_config
from lifelog.settings.windows import Cohort, Extraction, Modality, Simulation
from lifelog.windows.check import check_recordings
from lifelog.windows.extract import extract_windows
from lifelog.windows.labels import clock_windows
from lifelog.windows.layouts import find_users
from lifelog.windows.read import read_labels
from tests.cohorts import START, USERS, e4, embraceplus

MINUTE = 60
EDA = Modality(name="eda", source="EDA", columns=["eda"], rate=4, length=240, unit="µS")


def starts_of(cohort: Cohort, modalities: list[Modality], tmp_path: Path, seconds: int = 60) -> dict[str, list[int]]:
    """Starts of the windows of each user in unix seconds."""
    found = {}
    for user, folder in find_users(cohort, Simulation()).items():
        windows, quality = (tmp_path / f"{kind}-{user}.parquet" for kind in ("windows", "quality"))
        extract_windows(user, folder, cohort.of(user), Extraction(seconds=seconds), modalities, windows, quality)
        rows = read_labels(windows)
        assert [name for name in rows if name not in ("user", "session", "start", "label_rows")] == []
        found[user] = (rows.start.astype("datetime64[s, UTC]").astype("int64")).tolist()
    return found


def test_windows_by_the_clock_cover_recorded_time_once() -> None:
    spans = [(START + 30.5, START + 200.0), (START + 190.0, START + 241.0), (START + 3600.0, START + 3601.0)]
    labels = clock_windows(spans, Extraction(seconds=60), "Europe/Berlin")
    assert [label.start - START for label in labels] == [0, 60, 120, 180, 240, 3600]
    assert all(label.fault is None and label.values == {} and label.seconds == 60 for label in labels)


def test_local_days_have_their_own_length() -> None:
    """The day on which summer time starts has 23 hours."""
    first = pd.Timestamp("2024-03-30 12:00", tz="Europe/Berlin").timestamp()
    labels = clock_windows([(first, first + 2 * 86400)], Extraction(seconds=86400), "Europe/Berlin")
    assert [label.seconds for label in labels] == [86400, 82800, 86400]


def test_e4_recordings_need_no_label_table(tmp_path: Path) -> None:
    e4(tmp_path / "raw")
    (tmp_path / "raw/labels.csv").unlink()
    cohort = Cohort(layout="e4", root=str(tmp_path / "raw"), timezone="Europe/Berlin", labels=[])
    found = starts_of(cohort, [EDA], tmp_path)
    days = [START + 86400 * day + MINUTE * minute for day in range(3) for minute in range(8)]
    assert found == dict.fromkeys(USERS, days)


def test_a_damaged_zip_is_a_participant_with_a_cause(tmp_path: Path) -> None:
    e4(tmp_path / "raw")
    (tmp_path / "raw/labels.csv").unlink()
    for path in (tmp_path / "raw/P02").iterdir():
        if path.is_dir():
            shutil.rmtree(path)
        else:
            path.write_bytes(path.read_bytes()[:1000])
    cohort = Cohort(layout="e4", root=str(tmp_path / "raw"), timezone="Europe/Berlin", labels=[])
    assert starts_of(cohort, [EDA], tmp_path)["P02"] == []
    quality = pd.read_parquet(tmp_path / "quality-P02.parquet")
    assert quality.detail.str.contains("not a complete zip; download it again").sum() == 2


def test_embraceplus_recordings_need_no_label_table(tmp_path: Path) -> None:
    embraceplus(tmp_path / "raw")
    (tmp_path / "raw/labels.csv").unlink()
    for path in sorted((tmp_path / "raw").rglob("*.avro"))[::2]:  # names without a start
        path.rename(path.with_name(f"part-{path.stem.rpartition('_')[2][-3:]}x.avro"))
    cohort = Cohort(layout="embraceplus", root=str(tmp_path / "raw"), timezone="Europe/Berlin", labels=[])
    eda = EDA.model_copy(update={"source": "eda"})
    found = starts_of(cohort, [eda], tmp_path)
    assert set(found) == set(USERS)
    assert all({START + MINUTE * minute for minute in range(8)} <= set(starts) for starts in found.values())


def table(seconds: list[int], user: str | None = None) -> pd.DataFrame:
    frame = pd.DataFrame({"timestamp": seconds, "hr": np.arange(len(seconds)) + 60.0})
    return frame if user is None else frame.assign(user=user)


@pytest.mark.parametrize("shared", [False, True])
def test_tables_have_windows_where_they_have_rows(tmp_path: Path, shared: bool) -> None:
    raw = tmp_path / "raw"
    seconds = [START + 5, START + 65, START + 70, START + 7200]
    if shared:
        raw.mkdir()
        pd.concat([table(seconds, "P1"), table(seconds[:1], "P2")]).to_csv(raw / "hr.csv", index=False)
    else:
        for user, rows in (("P1", seconds), ("P2", seconds[:1])):
            (raw / user).mkdir(parents=True)
            table(rows).to_csv(raw / user / "hr.csv", index=False)
    file = {"file": "hr.csv", "user": "user"} if shared else {"file": "{user}/hr.csv"}
    cohort = Cohort(layout="tables", root=str(raw), timezone="UTC", labels=[], samples=[file])
    found = starts_of(cohort, [Modality(name="hr", kind="scalar", columns=["hr"])], tmp_path)
    assert found == {"P1": [START, START + 60, START + 7200], "P2": [START]}


def test_daily_tables_have_windows_of_their_days(tmp_path: Path) -> None:
    raw = tmp_path / "raw/P1"
    raw.mkdir(parents=True)
    pd.DataFrame({"date": ["2024-03-30", "2024-03-31"], "sleep": [7.5, 8.0]}).to_csv(raw / "sleep.csv", index=False)
    samples = [{"file": "{user}/sleep.csv", "time": "date", "unit": "iso", "carry": "day"}]
    cohort = Cohort(layout="tables", root=str(raw.parent), timezone="Europe/Berlin", labels=[], samples=samples)
    sleep = Modality(name="sleep", kind="scalar", columns=["sleep"])
    days = [int(pd.Timestamp(day, tz="Europe/Berlin").timestamp()) for day in ("2024-03-30", "2024-03-31")]
    assert starts_of(cohort, [sleep], tmp_path, 86400) == {"P1": days}


def test_etri_minutes_need_no_label(raw: Path, config: Config, tmp_path: Path) -> None:
    shutil.copytree(raw / "101", tmp_path / "raw/101")
    labelled = {int(path.stem) for path in (tmp_path / "raw/101").glob("*/e4Eda/*.csv")}
    for path in (tmp_path / "raw/101").glob("*/*_label.csv"):
        path.unlink()
    cohort = Cohort(layout="etri", root=str(tmp_path / "raw"), labels=[])
    found = starts_of(cohort, config.modalities, tmp_path)
    assert set(found["101"]) <= labelled | {*found["101"]} and len(found["101"]) >= len(labelled) - 1
    assert check_recordings(config.model_copy(update={"cohort": cohort}), {}) == []


def test_models_cannot_be_trained_without_labels() -> None:
    with pytest.raises(ConfigError, match=r"cohort\.labels: there are none, and models need labels"):
        load_config({"cohort": {"labels": []}})
