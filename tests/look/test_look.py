"""lifelog look: made-up cohorts in every form, messes, and real data where they are available."""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
import yaml

from lifelog.__main__ import main
from lifelog.config import load_config
from lifelog.look.draft import draft
from lifelog.look.folder import group_files
from lifelog.look.sniff import sniff, time_units
from lifelog.windows.check import check_recordings
from lifelog.windows.extract import extract_windows
from lifelog.windows.layout import BadInput
from lifelog.windows.layouts import find_users
from lifelog.windows.read import read_labels
from tests.cohorts import COHORTS

E4 = {"acc", "bvp", "eda", "temp"}
# By form: arguments, layout, keys of the labels, and modalities by kind.
FORMS: dict[str, tuple[list[str], str, dict[str, Any], dict[str, str]]] = {
    "e4": ([], "e4", {"user": "user", "time": "start", "end": "end"}, dict.fromkeys(E4, "sequence")),
    "embraceplus": (
        [],
        "embraceplus",
        {"user": "user", "time": "start", "end": "end"},
        dict.fromkeys(E4, "sequence") | {"hr": "scalar"},
    ),
    "aware": (
        [],
        "tables",
        {"file": "esm.csv", "user": "device_id", "time": "timestamp", "unit": "ms", "before": 1800},
        {"accelerometer": "sequence", "light": "scalar", "screen": "events", "applications_foreground": "events"},
    ),
    "fitbit": (
        [],
        "tables",
        {"file": "prompts.xlsx", "user": "code", "time": "answered", "unit": "iso", "before": 1800},
        {"heart_rate": "scalar", "steps": "scalar", "sleep": "scalar"},
    ),
    "laboratory": (
        [],
        "tables",
        {"user": None, "time": "time", "lasts": "file"},
        {"HR": "sequence", "EDA": "sequence"},
    ),
    "lifesnaps": (
        ["--for", "tense"],
        "tables",
        {"file": "daily.csv", "user": "user", "time": "date", "unit": "iso", "lasts": "day"},
        dict.fromkeys(
            ("sleep_duration", "sleep_efficiency", "bpm", "resting_hr", "steps", "distance", "calories"), "scalar"
        ),
    ),
    "rapids": (
        ["--for", "phq4"],
        "tables",
        {"file": "SurveyData/ema.csv", "user": "pid", "time": "date", "unit": "iso", "lasts": "day"},
        dict.fromkeys(("call", "sleep", "steps"), "scalar"),
    ),
    "etri2024": (
        ["--for", "Q1"],
        "tables",
        {"user": "subject_id", "time": "lifelog_date", "unit": "iso", "lasts": "day"},
        dict.fromkeys(("ch2025_wHr", "ch2025_wPedo", "ch2025_wLight"), "scalar"),
    ),
}


def look(folder: Path, out: Path, *arguments: str) -> dict[str, Any]:
    assert main(["look", str(folder), "--out", str(out), *arguments]) == 0
    raw: dict[str, Any] = yaml.safe_load(out.read_text(encoding="utf-8"))
    return raw


@pytest.mark.parametrize("name", FORMS)
def test_a_cohort_that_no_one_configured(name: str, tmp_path: Path) -> None:
    (tmp_path / name).mkdir()
    COHORTS[name](tmp_path / name)
    arguments, layout, labels, modalities = FORMS[name]
    raw = look(tmp_path / name, tmp_path / "own.yaml", "--timezone", "UTC", *arguments)
    config = load_config(raw)
    (table,) = config.cohort.labels
    assert config.cohort.layout == layout
    assert {key: getattr(table, key) for key in labels} == labels
    assert {modality.name: modality.kind for modality in config.modalities} == modalities
    users = find_users(config.cohort, config.simulation)
    assert list(users) in (["P01", "P02", "P03", "P04"], ["id01", "id02", "id03", "id04"])
    assert check_recordings(config, users) == []
    user, folder = next(iter(users.items()))
    paths = tmp_path / "w.parquet", tmp_path / "q.parquet"
    extract_windows(user, folder, config.cohort.of(user), config.windows, config.modalities, *paths)
    assert len(read_labels(paths[0])) > 5


def test_times_that_no_file_explains_are_refused_with_the_tables(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    COHORTS["kemocon"](tmp_path)
    assert main(["look", str(tmp_path), "--out", str(tmp_path / "x.yaml")]) == 1
    printed = capsys.readouterr().err
    assert "no answers found" in printed and "E4_EDA.csv: value" in printed and "no column of times" in printed
    assert not (tmp_path / "x.yaml").exists()


def study(root: Path, **keys: Any) -> Path:
    """A study of six weeks: minutes of a watch in folders, prompts in a sheet with semicolons and local times."""
    chance, zone = np.random.default_rng(0), keys.get("zone", "Europe/Berlin")
    rows = []
    for user in keys.get("users", ("VP01", "VP02", "VP03")):
        (root / user).mkdir(parents=True)
        parts = []
        for day in pd.date_range("2024-03-04", periods=12):
            start = int((day + pd.Timedelta(hours=8)).tz_localize(zone).timestamp())
            seconds = start + 60 * np.arange(720)
            parts.append(pd.DataFrame({"t": seconds, "Herzrate bpm": chance.integers(60, 90, 720).astype(float)}))
            for hour in (9, 14, 18):
                answered = day + pd.Timedelta(hours=hour, minutes=int(chance.integers(60)))
                rows.append((user, f"{answered:%d.%m.%Y %H:%M}", f"{chance.integers(1, 8)},0", "gemütlich"))
        frame = pd.concat(parts)
        frame.to_csv(root / user / "puls.csv", index=False)
        frame.rename(columns={"Herzrate bpm": "Schritte"}).to_csv(root / user / "schritte.csv", index=False)
    text = "\n".join(["VP;Zeit;Stress;Notiz", *map(";".join, rows)]) + "\n"
    (root / "Antworten.csv").write_bytes(text.encode(keys.get("encoding", "cp1252")))
    return root


def test_a_sheet_of_a_psychologist(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    root = study(tmp_path / "Studie A")
    (root / "notes.docx").write_bytes(b"PK\x03\x04")
    (root / "Antworten_alt.csv").write_bytes((root / "Antworten.csv").read_bytes()[:900].rpartition(b"\n")[0] + b"\n")
    raw = look(root, tmp_path / "own.yaml")
    (table,) = raw["cohort"]["labels"]
    assert table == {
        **{"file": "Antworten.csv", "user": "VP", "time": "Zeit", "unit": "%d.%m.%Y %H:%M"},
        **{"encoding": "windows-1252", "separator": ";", "decimal": ",", "before": 1800},
    }
    assert raw["cohort"]["timezone"] is None  # a watch that is worn all day shows none
    assert [modality["name"] for modality in raw["modalities"]] == ["puls", "schritte"]
    assert raw["modalities"][0]["unit"] == "1/min"
    printed = capsys.readouterr().out
    assert "Antworten_alt.csv: another table of the same answers as Antworten.csv?" in printed
    assert "# CHECK time zone: no file shows it" in printed and "VP01  2024-03-04 09:" in printed
    with pytest.raises(SystemExit):
        main(["look"])
    assert main(["look", str(root), "--out", str(tmp_path / "own.yaml")]) == 1  # it never overwrites


def test_sessions_show_the_time_zone(tmp_path: Path) -> None:
    """Answers of a day are inside E4 sessions of ten minutes in one time zone only."""
    root, rows = tmp_path / "e4", []
    for user in ("P1", "P2"):
        for day in range(6):
            start = int(pd.Timestamp(f"2024-03-{4 + day:02d} 14:0{day}", tz="America/New_York").timestamp())
            (root / user / f"{start}_A").mkdir(parents=True)
            for name in ("EDA", "TEMP"):
                text = f"{start}.0\n4.0\n" + "1.0\n" * 2400
                (root / user / f"{start}_A" / f"{name}.csv").write_text(text)
            rows.append(f"{user},2024-03-{4 + day:02d} 14:09,{day % 2}")
    (root / "answers.csv").write_text("participant,answered,stress\n" + "\n".join(rows) + "\n")
    result = draft(root)
    assert result.raw["cohort"]["timezone"] == "America/New_York"
    assert "100% of answers are inside recordings in America/New_York" in result.checks["timezone"]


def test_offsets_show_the_time_zone_and_a_swapped_day_is_left_open(tmp_path: Path) -> None:
    root = study(tmp_path, encoding="utf-8")
    rows = [f"{who},2024-0{3 + i}-15T12:00:00+0{1 + (i > 0)}:00,{i}" for who in ("VP01", "VP02") for i in range(2)]
    (root / "Antworten.csv").write_text("VP,Zeit,Stress\n" + "\n".join(rows) + "\n")
    assert draft(root).raw["cohort"]["timezone"] == "Europe/Berlin"
    days = [f"{who},0{3 + i}/04/2024 12:00,{i}" for who in ("VP01", "VP02") for i in range(4)]
    (root / "Antworten.csv").write_text("VP,Zeit,Stress\n" + "\n".join(days) + "\n")
    assert "day and month of 'Zeit'" in draft(root).checks["unit"]


def test_codes_of_missing_answers_are_in_no_class(tmp_path: Path) -> None:
    rows = "\n".join(f"a,{1_700_000_000 + 7200 * i},{[1, 2, 6, 7, 999][i % 5]}" for i in range(50))
    for name in "ab":
        (tmp_path / f"{name}.csv").write_text(
            "user,time,x\n" + "".join(f"a,{1_700_000_000 + i},{i}\n" for i in range(99))
        )
    (tmp_path / "answers.csv").write_text(f"user,time,mood\n{rows}\n")
    result = draft(tmp_path)
    assert result.raw["targets"][0]["bins"] == {"low": ["1..2"], "high": ["3..7"]}
    assert "999 stands for a missing answer" in result.checks["targets"]


def test_several_tables_of_answers_are_listed_and_none_is_chosen(tmp_path: Path) -> None:
    root = study(tmp_path)
    (root / "evening.csv").write_text(
        "VP,Zeit,mood\n" + "".join(f"VP01,{1_709_500_000 + 9999 * i},{i}\n" for i in range(9))
    )
    with pytest.raises(BadInput, match=r"Antworten.csv \(Stress\), evening.csv \(mood\)"):
        draft(root)
    assert draft(root, "mood").raw["targets_run"] == ["mood"]


@pytest.mark.parametrize(
    ("times", "units"),
    [
        (["1700000000", "1700000060"], ["s"]),
        (["1700000000000", "1700000060000"], ["ms"]),
        (["2024-03-04", "2024-03-05"], ["iso"]),
        (["2024-03-04T10:00:00.5+01:00"], ["iso"]),
        (["04.03.2024 10:00", "25.03.2024 10:00"], ["%d.%m.%Y %H:%M"]),
        (["03/04/2024 10:00", "03/05/2024 10:00"], ["%d/%m/%Y %H:%M", "%m/%d/%Y %H:%M"]),
        (["03/25/24 10:00:00"], ["%m/%d/%y %H:%M:%S"]),
        (["1", "2"], []),
        (["P01", "P02"], []),
        (["10:00", "11:00"], []),
    ],
)
def test_units_of_times(times: list[str], units: list[str]) -> None:
    assert time_units(pd.Series(times)) == units


@pytest.mark.parametrize(
    ("data", "cause"),
    [
        (b"", "no table"),
        (b"1,2\n3,4\n", "no names of columns"),
        (b"a,b\n1,2,3\n1\n", "different numbers of fields"),
        (b"PK\x03\x04", "a workbook or a zip"),
        (b"a,a\n1,2\n", "no names of columns"),
    ],
)
def test_a_file_that_is_no_table_is_named_as_what_it_is(tmp_path: Path, data: bytes, cause: str) -> None:
    (tmp_path / "t.csv").write_bytes(data)
    with pytest.raises(BadInput, match=cause):
        sniff(tmp_path / "t.csv")


@pytest.mark.skipif("STRESS_PREDICT" not in os.environ, reason="the Stress-Predict data are not available")
def test_stress_predict(tmp_path: Path) -> None:
    raw = look(Path(os.environ["STRESS_PREDICT"]), tmp_path / "own.yaml", "--timezone", "Europe/Dublin")
    assert raw["cohort"]["labels"] == [{"file": "labels.csv", "user": "user", "time": "start", "end": "end"}]
    assert len(raw["modalities"]) == 5 and raw["targets_run"] == ["tension"]


def test_names_of_files_and_columns_that_look_like_the_words_of_the_configuration(tmp_path: Path) -> None:
    for user in ("P1", "P2"):
        for name in ("u", "user"):
            rows = "".join(f"{1_700_000_000 + 60 * i},{i}\n" for i in range(200))
            (tmp_path / f"{user}_{name}.csv").write_text(f"time,x\n{rows}")
    asked = "How stressed\nare you: now?"
    frame = pd.DataFrame({"id": ["P1", "P2"] * 4, "time": 1_700_002_000 + 1200 * np.arange(8), asked: [1, 1, 2, 2] * 2})
    frame.to_excel(tmp_path / "answers.xlsx", index=False)
    raw = look(tmp_path, tmp_path / "own.yaml", "--timezone", "UTC")
    assert raw["cohort"]["samples"][0]["file"] == "{user}_{source}.csv" and raw["targets"][0]["column"] == asked
    config = load_config(raw)
    assert check_recordings(config, find_users(config.cohort, config.simulation)) == []


def test_a_long_cell_and_a_folder_of_one_participant_end_in_a_message(tmp_path: Path) -> None:
    (tmp_path / "notes.txt").write_text("a" * 200_000)
    (tmp_path / "hr.csv").write_text("time,x\n" + "".join(f"{1_700_000_000 + i},{i}\n" for i in range(99)))
    (tmp_path / "act.csv").write_text("time,x\n" + "".join(f"{1_700_000_000 + i},{i}\n" for i in range(99)))
    (tmp_path / "mood.csv").write_text(
        "time,mood\n" + "".join(f"{1_700_000_000 + 7200 * i},{i % 3}\n" for i in range(9))
    )
    with pytest.raises(BadInput, match="no path and no column of the answers names them"):
        draft(tmp_path)


def fitbit(root: Path, days: int, first: str = "2025-03-01") -> Path:
    """Exports of one file per day with American dates, and ratings of days."""
    rows = []
    for user in ("F1", "F2"):
        (root / user).mkdir(parents=True)
        for number, day in enumerate(pd.date_range(first, periods=days)):
            times = day + pd.to_timedelta(np.arange(0, 86400, 600), unit="s")
            for name in ("heart_rate", "steps"):
                records = [{"dateTime": f"{time:%m/%d/%y %H:%M:%S}", "value": i % 7} for i, time in enumerate(times)]
                (root / user / f"{name}-{day:%Y-%m-%d}.json").write_text(json.dumps(records))
            rows.append(f"{user},{day:%Y-%m-%d},{number % 5}")
    (root / "mood.csv").write_text("user,date,mood\n" + "\n".join(rows) + "\n")
    return root


@pytest.mark.parametrize("days", [10, 20])  # of March; 20 days show the order of day and month by themselves
def test_parts_of_a_recording_are_one_modality_and_answers_show_day_and_month(tmp_path: Path, days: int) -> None:
    raw = draft(fitbit(tmp_path, days)).raw
    (table,) = raw["cohort"]["samples"]
    assert table["file"] == "{user}/{source}-*.json" and table["unit"] == "%m/%d/%y %H:%M:%S"
    assert [modality["name"] for modality in raw["modalities"]] == ["heart_rate", "steps"]
    config = load_config(raw | {"cohort": raw["cohort"] | {"timezone": "UTC"}})
    users = find_users(config.cohort, config.simulation)
    paths = tmp_path / "w.parquet", tmp_path / "q.parquet"
    extract_windows("F1", users["F1"], config.cohort, config.windows, config.modalities, *paths)
    assert len(read_labels(paths[0])) == days


def test_numbered_sensors_are_not_the_parts_of_one_recording() -> None:
    paths = [f"P{user}/acc{number}.csv" for user in (1, 2) for number in (1, 2, 3)]
    groups = group_files(paths, set())
    assert [group.pattern for group in groups] == ["{user}/acc1.csv", "{user}/acc2.csv", "{user}/acc3.csv"]


def test_a_damaged_zip_is_listed(tmp_path: Path) -> None:
    COHORTS["e4"](tmp_path)
    (tmp_path / "P01" / "1.zip").write_bytes(b"PK\x03\x04 cut")
    assert draft(tmp_path).unused["P01/1.zip"] == "not a complete zip; download it again"
