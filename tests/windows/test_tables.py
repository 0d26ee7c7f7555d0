"""Tables of samples: CSV and Parquet in many forms, and a real table of days where it is available."""

from __future__ import annotations

import datetime
import os
import re
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import yaml

from lifelog.config import Config, ConfigError, load_config
from lifelog.settings.tables import Table
from lifelog.tables import read_tables
from lifelog.windows.extract import extract_windows
from lifelog.windows.layout import BadInput
from lifelog.windows.layouts import find_users
from lifelog.windows.read import read_labels, read_windows
from lifelog.windows.tables import read_samples

START = 1_644_227_580
FRAME = pd.DataFrame({"t": START + np.arange(6.0), "who": ["a", "b"] * 3, "x": np.arange(6.0), "y": np.arange(6.0) * 2})


def write(frame: pd.DataFrame, path: Path, **keys: object) -> Path:
    frame.to_parquet(path) if path.suffix == ".parquet" else frame.to_csv(path, index=False, **keys)
    return path


def read(path: Path, columns: list[str], user: str = "a", zone: str = "Europe/Berlin", **keys: object) -> np.ndarray:
    found = read_samples(path, Table.model_validate({"time": "t"} | keys), columns, user, zone)
    return np.c_[found.seconds - START, found.values]


@pytest.mark.parametrize("name", ["t.csv", "t.parquet"])
def test_rows_of_a_user_are_selected(tmp_path: Path, name: str) -> None:
    found = read_samples(write(FRAME, tmp_path / name), Table(time="t", user="who"), ["y", "x"], "b", "UTC")
    np.testing.assert_array_equal(np.c_[found.seconds - START, found.values], [[1, 2, 1], [3, 6, 3], [5, 10, 5]])


def test_users_that_are_numbers_are_found_by_their_text(tmp_path: Path) -> None:
    path = write(FRAME.assign(who=[1, 2] * 3), tmp_path / "t.parquet")
    assert len(read_samples(path, Table(time="t", user="who"), ["x"], "2", "UTC").seconds) == 3


def test_semicolons_decimal_commas_and_local_times(tmp_path: Path) -> None:
    path = tmp_path / "t.csv"
    path.write_text("t;x;note\n07.02.2022 10:53:00;1,5;a\n07.02.2022 10:53:01;;b\n07.02.2022 10:53:02;2,5;c\n")
    keys = {"unit": "%d.%m.%Y %H:%M:%S", "separator": ";", "decimal": ","}
    np.testing.assert_array_equal(read(path, ["x"], **keys), [[0, 1.5], [2, 2.5]])


@pytest.mark.parametrize("name", ["t.csv", "t.xlsx", "t.parquet"])
def test_dates_and_times_of_day_in_two_columns(tmp_path: Path, name: str) -> None:
    days = pd.to_datetime(["2022-02-07", "2022-02-07", "2022-02-08"])
    clocks = [datetime.time(10, 53), datetime.time(10, 53, 1), datetime.time(10, 53)]
    frame = pd.DataFrame({"t": days, "clock": clocks, "x": [1.0, 2.0, 3.0]})
    if name == "t.xlsx":
        frame.to_excel(tmp_path / name, index=False)
    else:
        write(frame, tmp_path / name)
    found = read(tmp_path / name, ["x"], clock="clock", unit="iso")
    np.testing.assert_array_equal(found, [[0, 1], [1, 2], [86400, 3]])


def test_a_title_above_the_header_and_separators_at_the_ends_of_rows(tmp_path: Path) -> None:
    path = tmp_path / "t.csv"
    path.write_text(f"com.samsung.heart_rate,6\nt,x\n{START},1,\n{START + 1},2,\n")
    np.testing.assert_array_equal(read(path, ["x"], skip=1), [[0, 1], [1, 2]])


def test_local_times_that_occur_twice_are_left_out(tmp_path: Path) -> None:
    path = tmp_path / "t.csv"
    path.write_text("t,x\n2022-10-30 01:30,1\n2022-10-30 02:30,2\n2022-10-30 03:30,3\n")
    found = read(path, ["x"], unit="iso")
    assert list(found[:, 1]) == [1, 3] and found[1, 0] - found[0, 0] == 3 * 3600
    assert len(read(path, ["x"], unit="iso", zone="Asia/Seoul")) == 3


def test_lists_have_the_time_of_their_row(tmp_path: Path) -> None:
    frame = pd.DataFrame({"t": [START, START + 60], "hr": [[60.0, 61.0], [70.0]]})
    np.testing.assert_array_equal(read(write(frame, tmp_path / "t.parquet"), ["hr"]), [[0, 60], [0, 61], [60, 70]])


@pytest.mark.parametrize(
    ("text", "keys", "reason", "detail"),
    [
        ("t,y\n1644227580,1\n", {}, "wrong columns", "column 'x' must occur once"),
        ("t,x,x\n1644227580,1,2\n", {}, "wrong columns", "column 'x' must occur once"),
        ("t;x\n1644227580;1\n", {}, "wrong columns", "set separator"),
        ("t,x\n1644227580000,1\n", {}, "unreadable time", "looks like milliseconds; set unit: ms"),
        ("t,x\n1644227580,1\n", {"unit": "ms"}, "unreadable time", "looks like seconds; set unit: s"),
        ("t,x\nnoon,1\n", {}, "unreadable time", "'noon'"),
        ("t,x\n2022-02-07 10:53,1\n", {}, "unreadable time", "expected unit s"),
        ("t,x\n07.02.2022 10:53,1\n", {"unit": "iso"}, "unreadable time", "'07.02.2022 10:53'"),
        ("t,x\n1644227580,fast\n", {}, "unreadable file", "fast"),
        ("t,x\n1644227580,1\n1644227581\n", {}, "unreadable file", "2"),
        ("", {}, "wrong columns", "column"),
    ],
)
def test_an_unusable_table_is_refused_with_its_cause(
    tmp_path: Path, text: str, keys: dict, reason: str, detail: str
) -> None:
    (tmp_path / "t.csv").write_text(text)
    with pytest.raises(BadInput) as caught:
        read(tmp_path / "t.csv", ["x"], **keys)
    assert caught.value.reason == reason and detail in caught.value.detail and "t.csv" in caught.value.detail


def test_rows_of_before_the_clock_was_set_are_left_out_and_counted(tmp_path: Path) -> None:
    path, faults = tmp_path / "t.csv", list[BadInput]()
    path.write_text(f"t,x\n5,1\n6,2\n{START},3\n{START + 1},4\n")
    found = read_samples(path, Table(time="t"), ["x"], "a", "UTC", faults)
    assert found.values[:, 0].tolist() == [3, 4]
    assert "2 of 4 times are of before 1973, the first in row 1, where 't' is 5" in faults[0].detail
    path.write_text("t,x\n5,1\n6,2\n")
    with pytest.raises(BadInput, match="not a time of the years"):
        read_samples(path, Table(time="t"), ["x"], "a", "UTC")


@pytest.mark.parametrize(("order", "noted"), [([*range(40, 90), *range(50)], True), ([*range(99)], False)])
def test_a_clock_that_was_set_back_is_noted(tmp_path: Path, order: list[int], noted: bool) -> None:
    path, faults = tmp_path / "t.csv", list[BadInput]()
    path.write_text("t,x\n" + "".join(f"{START + 60 * i},{i}\n" for i in order))
    assert len(read_samples(path, Table(time="t"), ["x"], "a", "UTC", faults).seconds) == len(order)
    assert [fault.reason for fault in faults] == ["clock set back"] * noted
    if noted:
        assert "after row 50" in faults[0].detail and "goes back by 5340 s" in faults[0].detail


def test_day_numbers_of_a_spreadsheet_are_named(tmp_path: Path) -> None:
    (tmp_path / "t.csv").write_text("t,x\n45355.5,1\n45356.5,2\n")
    with pytest.raises(BadInput, match="day number of a spreadsheet"):
        read(tmp_path / "t.csv", ["x"])


def test_a_missing_table_and_an_unreadable_parquet_file(tmp_path: Path) -> None:
    (tmp_path / "t.parquet").write_bytes(b"PAR1" + bytes(99))
    with pytest.raises(BadInput, match="unreadable file"):
        read(tmp_path / "t.parquet", ["x"])


def test_one_unusable_file_of_many_costs_only_its_time(tmp_path: Path) -> None:
    raw = {
        "cohort": {
            "layout": "tables",
            "timezone": "Asia/Seoul",
            "root": str(tmp_path / "raw"),
            "samples": {"file": "{user}/*/{source}.csv", "time": "t"},
        },
        "modalities": [{"name": name, "kind": "scalar", "columns": ["x"], "source": "hr"} for name in ("a", "b")],
        "targets": [{"name": "s", "column": "s", "bins": {"a": [0], "b": [1]}}],
        "targets_run": ["s"],
    }
    rows = []
    for day in range(3):
        folder = tmp_path / f"raw/A/day{day}"
        folder.mkdir(parents=True)
        begin = START + day * 86400
        (folder / "hr.csv").write_text("" if day == 1 else f"t,x\n{begin},{day}\n{begin + 60},9\n")
        rows.append(f"A,{begin},{begin + 60},1")
    (tmp_path / "raw/labels.csv").write_text("\n".join(["user,start,end,s", *rows]) + "\n")
    config = load_config(raw)
    paths = tmp_path / "w", tmp_path / "q"
    extract_windows("A", tmp_path / "raw/A", config.cohort, config.windows, config.modalities, *paths)
    assert list(read_windows(paths[0], config.modalities)["a"][:, 0, 0]) == [0, 2]
    lost = read_tables([paths[1]]).query("kind == 'label'")
    assert len(lost) == 1 and "day1" in lost.detail.iloc[0]


def lifesnaps(root: Path) -> Config:
    """The configuration of docs/own-data.md, for the real table."""
    page = (Path(__file__).parents[2] / "docs/own-data.md").read_text(encoding="utf-8")
    example = re.search(r"```yaml\n# example: lifesnaps\n(.*?)```", page, re.S)
    assert example
    raw = yaml.safe_load(example[1])
    return load_config(raw | {"cohort": raw["cohort"] | {"root": str(root)}})


def test_every_answered_day_of_a_real_table_is_a_window_or_has_a_reason(tmp_path: Path) -> None:
    root = os.environ.get("LIFESNAPS")
    if not root:
        pytest.skip("the environment variable LIFESNAPS does not name the folder of the daily table")
    config = lifesnaps(Path(root))
    table = pd.read_csv(Path(root) / "daily.csv")
    answered = 0
    for user, folder in find_users(config.cohort, config.simulation).items():
        paths = tmp_path / "w", tmp_path / "q"
        extract_windows(user, folder, config.cohort, config.windows, config.modalities, *paths)
        labels, quality = read_labels(paths[0]), read_tables([paths[1]])
        windows = read_windows(paths[0], config.modalities)
        own = table[table.user == user].set_index("date")
        days = labels.start.dt.tz_convert("Europe/Athens").dt.strftime("%Y-%m-%d")
        lost = quality[quality.kind == "label"].start.dt.tz_convert("Europe/Athens").dt.strftime("%Y-%m-%d")
        assert sorted([*days, *lost]) == sorted(own.index)
        for modality in config.modalities:
            expected = own.loc[days, modality.columns].to_numpy(dtype=np.float32)
            np.testing.assert_array_equal(windows[modality.name][:, 0], expected)
        answered += own.loc[days, "TENSE/ANXIOUS"].notna().sum() + own.loc[lost, "TENSE/ANXIOUS"].notna().sum()
    assert answered == table["TENSE/ANXIOUS"].notna().sum() == 1367


def study(root: Path, **cohort: object) -> Config:
    """Two tables of samples, as of a phone: sparse minutes, and a sleep table with a row per day."""
    keys = {"layout": "tables", "root": str(root), "timezone": "Europe/Berlin", "labels": [LABELS]} | cohort
    samples = [
        {"name": "minutes", "file": "{user}/minutes.csv", "time": "t"},
        {"name": "sleep", "file": "sleep.csv", "user": "who", "time": "date", "unit": "iso", "carry": "day"},
    ]
    modalities = [
        {"name": "phone", "kind": "scalar", "columns": ["steps so far", "light: max"]},
        {"name": "sleep", "samples": "sleep", "kind": "scalar", "columns": ["hours"]},
    ]
    return load_config({"cohort": {"samples": samples} | keys, "modalities": modalities, **STRESS})


LABELS = {"file": "labels.csv"}
STRESS = {
    "targets": [{"name": "stress", "column": "stress", "bins": {"low": [0], "high": [1]}}],
    "targets_run": ["stress"],
}


@pytest.fixture
def phone(tmp_path: Path) -> Path:
    root, noon = tmp_path / "raw", int(pd.Timestamp("2025-03-29 12:00", tz="Europe/Berlin").timestamp())
    (root / "p1").mkdir(parents=True)
    (root / "p1/minutes.csv").write_text(
        f"t,steps so far,light: max\n{noon},1,\n{noon + 30},,5\n{noon + 40},3,\n{noon + 86400},,7\n{noon + 172800},,\n"
    )
    # The clocks change on the second day, which has 23 hours.
    (root / "sleep.csv").write_text("who,date,hours\np1,2025-03-29,7.5\np1,2025-03-30,6\np2,2025-03-30,9\n")
    starts = [noon, noon + 86400 - 3600, noon + 2 * 86400 - 3600]
    lines = "".join(f"p1,{start},{start + 60},{i % 2}\n" for i, start in enumerate(starts))
    (root / "labels.csv").write_text("user,start,end,stress\n" + lines)
    return root


def extracted(config: Config, user: str, folder: Path) -> dict[str, np.ndarray]:
    paths = folder / "w.parquet", folder / "q.parquet"
    extract_windows(user, Path(config.cohort.root) / user, config.cohort, config.windows, config.modalities, *paths)
    return {name: values[:, 0] for name, values in read_windows(paths[0], config.modalities).items()}


def test_tables_of_their_own_sparse_rows_and_daily_values(phone: Path, tmp_path: Path) -> None:
    config = study(phone)
    assert list(find_users(config.cohort, config.simulation)) == ["p1"]
    found = extracted(config, "p1", tmp_path)
    np.testing.assert_array_equal(found["phone"], [[2, 5], [np.nan, np.nan], [np.nan, np.nan]][: len(found["phone"])])
    np.testing.assert_array_equal(found["sleep"], [[7.5], [6]])  # the third day has no row, and nothing else


def test_daily_values_and_answers_are_moved_by_days(phone: Path, tmp_path: Path) -> None:
    samples = [{**table.model_dump(), "lag": 1 if table.carry else 0} for table in study(phone).cohort.samples]
    found = extracted(study(phone, samples=samples), "p1", tmp_path)
    np.testing.assert_array_equal(found["sleep"], [[np.nan], [7.5], [6]])
    (phone / "labels.csv").write_text("user,date,stress\np1,2025-03-30,1\np1,2025-03-31,0\n")
    diary = {"file": "labels.csv", "time": "date", "unit": "iso", "lasts": "day", "lag": -1}
    config = study(phone, labels=[diary])
    days = config.windows.model_copy(update={"seconds": 86400})
    paths = tmp_path / "dw", tmp_path / "dq"
    extract_windows("p1", phone / "p1", config.cohort, days, config.modalities, *paths)
    labels = read_labels(paths[0])
    assert [f"{day:%m-%d}" for day in labels.start.dt.tz_convert("Europe/Berlin")] == ["03-29", "03-30"]
    assert labels.stress.tolist() == ["1", "0"]


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"samples": "slep"}, r"'sleep' is read from 'slep'; the tables of samples .* are \['minutes', 'sleep'\]"),
        ({"kind": "sequence", "rate": 1, "length": 60}, "'sleep' has daily values: set kind: scalar, without a rate"),
    ],
)
def test_a_wrong_table_of_a_modality_is_refused(phone: Path, change: dict, message: str) -> None:
    raw = study(phone).model_dump()
    raw["modalities"][1] |= change
    with pytest.raises(ConfigError, match=message):
        load_config(raw)
    with pytest.raises(ConfigError, match="need different names"):
        study(phone, samples=[{"name": "a"}, {"name": "a"}])
    with pytest.raises(ConfigError, match="lag moves daily values; set carry: day"):
        study(phone, samples=[{"lag": 1}])
