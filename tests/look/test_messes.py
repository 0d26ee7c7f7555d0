"""Folders as researchers have them: what their files tell is found, and nothing else is claimed."""

from __future__ import annotations

from itertools import product
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
import yaml

from lifelog.__main__ import main
from lifelog.config import load_config
from lifelog.windows.check import check_recordings
from lifelog.windows.layouts import find_users

FIRST = pd.Timestamp("2024-06-03 09:00")
USERS = ["VP01", "VP02", "VP03"]


def stamps(count: int, seconds: int, form: str = "%Y-%m-%d %H:%M:%S") -> list[str]:
    return list((FIRST + pd.to_timedelta(np.arange(count) * seconds, unit="s")).strftime(form))


def sensor(path: Path, columns: tuple[str, ...] = ("hr",), count: int = 400, **more: object) -> Path:
    """Values of every minute."""
    path.parent.mkdir(parents=True, exist_ok=True)
    values = {name: np.random.default_rng(1).integers(60, 90, count) for name in columns}
    pd.DataFrame({"time": stamps(count, 60)} | values | more).to_csv(path, index=False)
    return path


def sheet(root: Path, users: list[str] = USERS, name: str = "participant", **more: Any) -> pd.DataFrame:
    """Three answers per hour and participant."""
    rows = [pd.DataFrame({name: user, "answered": stamps(18, 1200), "stress": np.arange(18) % 5 + 1}) for user in users]
    frame = pd.concat(rows, ignore_index=True).assign(**more)
    root.mkdir(parents=True, exist_ok=True)
    frame.to_csv(root / "answers.csv", index=False)
    return frame


def study(root: Path, users: list[str] = USERS) -> None:
    for user in users:
        sensor(root / user / "hr.csv")
        sensor(root / user / "act.csv", ("counts",))


def look(root: Path, *arguments: str) -> dict[str, Any]:
    out = root.parent / "own.yaml"
    assert main(["look", str(root), "--out", str(out), *arguments]) == 0
    raw: dict[str, Any] = yaml.safe_load(out.read_text(encoding="utf-8"))
    return raw


def problems(raw: dict[str, Any]) -> list[str]:
    config = load_config(raw)
    return [
        line for line in check_recordings(config, find_users(config.cohort, config.simulation)) if "copy" not in line
    ]


def refused(root: Path, capsys: pytest.CaptureFixture[str]) -> str:
    assert main(["look", str(root), "--out", str(root.parent / "own.yaml")]) == 1
    return capsys.readouterr().err


@pytest.fixture
def root(tmp_path: Path) -> Path:
    return tmp_path / "study"


@pytest.mark.parametrize("name", ["Versuchsperson", "Name", "wer"])
def test_the_column_of_participants_is_the_one_with_the_names_of_folders(root: Path, name: str) -> None:
    study(root)
    sheet(root, name=name)
    raw = look(root, "--timezone", "UTC")
    assert raw["cohort"]["labels"][0]["user"] == name and problems(raw) == []


def test_numbers_and_folders_with_a_prefix_are_the_same_participants(root: Path) -> None:
    study(root, ["S01", "S02", "S03"])
    sheet(root, ["1", "2", "3"])
    raw = look(root, "--timezone", "UTC")
    assert raw["cohort"]["samples"][0]["file"] == "S0{user}/{source}.csv" and problems(raw) == []


def test_answers_of_1_to_5_are_no_participants(root: Path) -> None:
    study(root, ["1", "2", "3"])
    sheet(root, ["1", "2", "3"], "ID")
    assert look(root, "--timezone", "UTC")["cohort"]["labels"][0]["user"] == "ID"


def test_prompts_that_nobody_answered(root: Path) -> None:
    study(root)
    frame = sheet(root, sent=stamps(54, 1200)).astype(object)
    frame.loc[::4, ["answered", "stress"]] = ""
    frame.to_csv(root / "answers.csv", index=False)
    raw = look(root, "--timezone", "UTC")
    assert problems(raw) == [] and "end" not in raw["cohort"]["labels"][0]


@pytest.mark.parametrize("word", ["NA", "-", "keine Angabe", "999"])
def test_words_and_codes_of_missing_answers(root: Path, word: str) -> None:
    study(root)
    frame = sheet(root).astype({"stress": object})
    frame.loc[::7, "stress"] = word
    frame.to_csv(root / "answers.csv", index=False)
    raw = look(root, "--timezone", "UTC")
    assert raw["targets"][0]["bins"] == {"low": ["1..2"], "high": ["3..5"]} and problems(raw) == []


def test_a_workbook_whose_numbers_are_text_with_decimal_commas(root: Path) -> None:
    study(root)
    frame = sheet(root)
    (root / "answers.csv").unlink()
    frame.assign(stress=[f"{value},5" for value in frame.stress]).to_excel(root / "answers.xlsx", index=False)
    raw = look(root, "--timezone", "UTC")
    assert raw["cohort"]["labels"][0]["decimal"] == "," and problems(raw) == []
    assert raw["targets"][0]["bins"] == {"low": ["1.5..2.5"], "high": ["3.5..5.5"]}


def test_classes_of_text_have_names_that_can_be_used(root: Path) -> None:
    study(root)
    frame = sheet(root)
    frame.assign(stress=np.where(frame.stress > 3, "1,5 viel", "0 wenig")).to_csv(root / "answers.csv", index=False)
    load_config(look(root, "--timezone", "UTC"))


def test_a_scale_in_a_name_is_that_of_the_classes(root: Path) -> None:
    study(root)
    frame = sheet(root).rename(columns={"stress": "stress_0_10"})
    frame.to_csv(root / "answers.csv", index=False)
    assert look(root, "--timezone", "UTC")["targets"][0]["bins"] == {"low": ["0..2"], "high": ["3..10"]}


def test_a_date_and_a_time_of_day_are_one_time(root: Path) -> None:
    study(root)
    frame = sheet(root)
    times = pd.to_datetime(frame.pop("answered"))
    frame.assign(Datum=times.dt.strftime("%d.%m.%Y"), Uhrzeit=times.dt.strftime("%H:%M")).to_csv(
        root / "answers.csv", index=False
    )
    raw = look(root, "--timezone", "UTC")
    (labels,) = raw["cohort"]["labels"]
    assert {key: labels[key] for key in ("time", "clock", "unit", "before")} == {
        "time": "Datum",
        "clock": "Uhrzeit",
        "unit": "%d.%m.%Y %H:%M",
        "before": 900,
    }
    assert problems(raw) == []


def test_titles_and_separators_at_the_end_of_rows(root: Path) -> None:
    study(root)
    sheet(root)
    for path in root.glob("*/hr.csv"):
        header, *rows = path.read_text().splitlines()
        path.write_text("\n".join(["com.samsung.health,6", header, *(f"{row}," for row in rows)]) + "\n")
    raw = look(root, "--timezone", "UTC")
    assert sorted(table.get("skip", 0) for table in raw["cohort"]["samples"]) == [0, 1] and problems(raw) == []


def test_numbered_parts_of_a_recording_are_one_sensor(root: Path) -> None:
    study(root)
    sheet(root)
    for user in USERS:
        lines = (root / user / "hr.csv").read_text().splitlines()
        for part in (1, 2):
            (root / user / f"hr_{part}.csv").write_text("\n".join([lines[0], *lines[part * 200 - 199 : part * 200]]))
        (root / user / "hr.csv").unlink()
    raw = look(root, "--timezone", "UTC")
    assert sorted(table["file"] for table in raw["cohort"]["samples"]) == [
        "{user}/{source}.csv",
        "{user}/{source}_*.csv",
    ]
    assert len(raw["modalities"]) == 2 and problems(raw) == []


@pytest.mark.parametrize("name", ["answers - Kopie.csv", "answers_old.csv", "answers (1).csv"])
def test_a_copy_is_not_used(root: Path, name: str) -> None:
    study(root)
    sheet(root)
    (root / name).write_bytes((root / "answers.csv").read_bytes())
    assert look(root, "--timezone", "UTC")["cohort"]["labels"][0]["file"] == "answers.csv"


def test_times_beside_a_column_of_offsets_are_not_read_as_local(root: Path) -> None:
    study(root)
    sheet(root)
    for path in root.glob("*/*.csv"):
        pd.read_csv(path).assign(time_offset="UTC+0900").to_csv(path, index=False)
    raw = look(root)
    assert raw["cohort"]["timezone"] == "Asia/Seoul"
    assert [table["zone"] for table in raw["cohort"]["samples"]] == ["UTC"]


def test_utc_in_a_file_is_no_time_zone_and_that_of_parquet_is(root: Path) -> None:
    study(root)
    frame = sheet(root)
    frame.assign(answered=[f"{time}+00:00" for time in frame.answered]).to_csv(root / "answers.csv", index=False)
    assert look(root)["cohort"]["timezone"] is None
    (root.parent / "own.yaml").unlink()
    for path in root.glob("*/hr.csv"):
        times = pd.read_csv(path)
        times["time"] = pd.to_datetime(times.time).dt.tz_localize("Europe/Helsinki")
        times.to_parquet(path.with_suffix(".parquet"))
        path.unlink()
    raw = look(root)
    assert raw["cohort"]["timezone"] == "Europe/Helsinki"
    assert not [line for line in problems(raw) if "offset" in line]


def test_conditions_that_each_participant_has_once_are_tested_on_other_participants(root: Path) -> None:
    for user in USERS:
        for condition in ("rest", "stress"):
            sensor(root / user / condition / "hr.csv")
            sensor(root / user / condition / "eda.csv", ("eda",))
    assert look(root, "--timezone", "UTC")["splits"] == [{"name": "new", "method": "participants"}]


def test_a_refusal_lists_what_is_not_used(root: Path, capsys: pytest.CaptureFixture[str]) -> None:
    study(root)
    sheet(root)
    for path in root.glob("*/act.csv"):
        pd.read_csv(path).assign(time=np.arange(400)).to_csv(path, index=False)
    assert "{user}/act.csv: no column of times among ['time', 'counts']; times since" in refused(root, capsys)


def test_states_and_qualities_of_a_prompt_are_no_answers(root: Path) -> None:
    study(root)
    sheet(root, esm_status=2, esm_answer_timestamp=1_700_000_000)
    for path in root.glob("*/hr.csv"):
        pd.read_csv(path).assign(accuracy=3).to_csv(path, index=False)
    raw = look(root, "--timezone", "UTC")
    assert [target["column"] for target in raw["targets"]] == ["stress"]
    assert [modality["columns"] for modality in raw["modalities"]] == [["counts"], ["hr"]]


def test_files_named_by_codes_with_zeros_are_those_of_the_participants(root: Path) -> None:
    sheet(root, ["1", "2", "3"])
    for name in ("001", "002", "003"):
        sensor(root / "wearable" / f"{name}.csv", ("hr", "steps"))
        sensor(root / "phone" / f"light_{name}.csv", ("lux",))
    raw = look(root, "--timezone", "UTC")
    files = sorted(table["file"] for table in raw["cohort"]["samples"])
    assert files == ["phone/{source}_00{user}.csv", "{source}/00{user}.csv"] and problems(raw) == []


def test_sensors_of_nobody_are_not_those_of_everybody(root: Path, capsys: pytest.CaptureFixture[str]) -> None:
    sensor(root / "hr.csv")
    sensor(root / "act.csv", ("counts",))
    sheet(root)
    assert "hr.csv: no path and no column names its participants" in refused(root, capsys)


def test_participants_as_columns_and_long_tables_are_refused(root: Path, capsys: pytest.CaptureFixture[str]) -> None:
    sheet(root)
    sensor(root / "hr.csv", tuple(USERS))
    sensor(root / "long.csv", ("value",), participant="VP01", variable=["hr", "steps"] * 200)
    found = refused(root, capsys)
    assert "hr.csv: columns are participants: write a row per participant and time" in found
    assert "long.csv: each row has one value, and 'variable' names it" in found


def test_rounded_times_are_refused(root: Path, capsys: pytest.CaptureFixture[str]) -> None:
    study(root)
    sheet(root)
    for path in root.glob("*/*.csv"):
        pd.read_csv(path).assign(time="1.65E+12").to_csv(path, index=False)
    assert "times such as 1.65E+12 were rounded by a spreadsheet" in refused(root, capsys)


def test_files_named_by_times_in_folders_of_sensors(root: Path) -> None:
    sheet(root)
    for user, hour in product(USERS, range(4)):
        name = f"2024-06-03 {9 + hour:02}_00_00+00_00.csv"
        sensor(root / user / "gps" / name, ("lat", "lon"), 30)
        sensor(root / user / "power" / name, ("level",), 30)
    raw = look(root, "--timezone", "UTC")
    assert [table["file"] for table in raw["cohort"]["samples"]] == ["{user}/{source}/*.csv"]
    assert [modality["name"] for modality in raw["modalities"]] == ["gps", "power"]


def test_a_column_of_times_in_utc_and_words_of_other_alphabets(root: Path) -> None:
    study(root)
    frame = sheet(root).rename(columns={"answered": "submit_time_utc"})
    frame["stress"] = np.array(["전혀", "보통", "매우", "조금", "아주"])[frame.stress - 1]
    frame.to_csv(root / "answers.csv", index=False)
    raw = look(root, "--timezone", "UTC")
    assert raw["cohort"]["labels"][0]["zone"] == "UTC" and len(raw["targets"][0]["bins"]) == 5
    assert not [line for line in problems(raw) if "no bin" in line]


def test_text_in_another_encoding_is_named(root: Path, capsys: pytest.CaptureFixture[str]) -> None:
    study(root)
    (root / "설문.csv").write_bytes("참가자,응답시각,스트레스\nVP01,2024-06-03 10:00:00,매우 그렇다\n".encode("cp949"))
    assert "text in cp949; save it as UTF-8" in refused(root, capsys)


def test_several_dates_with_times_of_day(root: Path) -> None:
    """Missed prompts have no start and end of the form."""
    study(root)
    frame = sheet(root)
    times = pd.to_datetime(frame.pop("answered"))
    frame["Trigger_Datum"], frame["Trigger_Uhrzeit"] = times.dt.strftime("%d.%m.%Y"), times.dt.strftime("%H:%M:%S")
    for name in ("Start", "Ende"):
        frame[f"Form_{name}_Datum"] = frame.Trigger_Datum.where(frame.index % 5 > 0, "")
        frame[f"Form_{name}_Uhrzeit"] = frame.Trigger_Uhrzeit.where(frame.index % 5 > 0, "")
    frame.to_csv(root / "answers.csv", index=False)
    raw = look(root, "--timezone", "UTC")
    (labels,) = raw["cohort"]["labels"]
    assert (labels["time"], labels["clock"], labels["before"]) == ("Trigger_Datum", "Trigger_Uhrzeit", 900)
    assert problems(raw) == []
