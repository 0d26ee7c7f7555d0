"""EmbracePlus Avro files: made-up ones with a reduced schema, and a real one where it is available."""

from __future__ import annotations

import os
import shutil
from pathlib import Path
from typing import Any

import fastavro
import numpy as np
import pytest

from lifelog.config import Config, load_config
from lifelog.tables import read_tables
from lifelog.windows.extract import extract_windows
from lifelog.windows.layouts import find_users
from lifelog.windows.read import read_labels, read_windows

START = 1_700_000_040
MODALITIES = [
    {"name": "acc", "source": "accelerometer", "columns": ["x", "y", "z"], "rate": 64, "length": 3840, "unit": "g"},
    {"name": "eda", "source": "eda", "columns": ["eda"], "rate": 4, "length": 240, "unit": "µS"},
    {"name": "temp", "source": "temperature", "columns": ["temp"], "rate": 1, "length": 60, "flat": "keep"},
    {"name": "bvp", "source": "bvp", "columns": ["bvp"], "rate": 64, "length": 3840},
    {"name": "hr", "source": "heart_rate", "kind": "scalar", "columns": ["hr"], "unit": "1/min"},
    {"name": "gyr", "source": "gyroscope", "columns": ["x", "y", "z"], "rate": 64, "length": 3840},
]


def settings(root: Path, modalities: list[Any] = MODALITIES) -> Config:
    bins = {"rest": ["0", "task0"], "stress": ["1", "task1"]}
    column = "task" if "task" in (root / "labels.csv").read_text().partition("\n")[0] else "stress"
    targets = {"targets": [{"name": "t", "column": column, "bins": bins}], "targets_run": ["t"]}
    cohort = {"layout": "embraceplus", "root": str(root), "timezone": "Asia/Seoul"}
    return load_config({"cohort": cohort, "modalities": modalities} | targets)


def _record(name: str, fields: list[tuple[str, Any]]) -> dict:
    return {"type": "record", "name": name, "fields": [{"name": key, "type": kind} for key, kind in fields]}


def _stream(name: str, values: list[tuple[str, Any]]) -> dict:
    return _record(name, [("timestampStart", "long"), ("samplingFrequency", "float"), *values])


def _numbers(kind: str) -> dict:
    return {"type": "array", "items": kind}


IMU = _record(
    "imu",
    [(key, "int") for key in ("physicalMin", "physicalMax", "digitalMin", "digitalMax")]
    + [("conversionFactor", "float")],
)
AXES = [(axis, _numbers("int")) for axis in "xyz"]
SCHEMA = _record(
    "CSVModels",
    [
        ("schemaVersion", _record("version", [("major", "int"), ("minor", "int"), ("patch", "int")])),
        (
            "rawData",
            _record(
                "raw",
                [
                    ("accelerometer", _stream("accelerometer", [("imuParams", IMU), *AXES])),
                    ("gyroscope", _stream("gyroscope", [("imuParams", "imu"), *AXES])),
                    ("eda", _stream("eda", [("values", _numbers("float"))])),
                    ("temperature", _stream("temperature", [("values", _numbers("float"))])),
                    ("bvp", _stream("bvp", [("values", _numbers("float"))])),
                    ("systolicPeaks", _record("peaks", [("peaksTimeNanos", _numbers("long"))])),
                ],
            ),
        ),
    ],
)


def write_avro(
    path: Path,
    start: float,
    seconds: int,
    factor: float = 0.000488,
    major: int = 6,
    digital: tuple[int, int] = (-32768, 32768),
) -> None:
    """Write a file of all streams; the gyroscope is off."""
    counts = np.arange(seconds * 64) % 4000 - 2000
    imu = {
        "physicalMin": -16,
        "physicalMax": 16,
        "digitalMin": digital[0],
        "digitalMax": digital[1],
        "conversionFactor": factor,
    }
    stream = {"timestampStart": round(start * 1e6)}
    beats = start + np.arange(0.4, seconds, 0.8)
    raw = {
        "accelerometer": stream
        | {
            "samplingFrequency": 64.0,
            "imuParams": imu,
            "x": counts.tolist(),
            "y": (-counts).tolist(),
            "z": counts.tolist(),
        },
        "gyroscope": {"timestampStart": 0, "samplingFrequency": 0.0, "imuParams": imu, "x": [], "y": [], "z": []},
        "eda": stream | {"samplingFrequency": 4.0, "values": (np.arange(seconds * 4) % 13 / 10).tolist()},
        "temperature": stream | {"samplingFrequency": 1.0, "values": [33.5] * seconds},
        "bvp": stream | {"samplingFrequency": 64.0, "values": np.sin(np.arange(seconds * 64)).tolist()},
        "systolicPeaks": {"peaksTimeNanos": (beats * 1e9).astype(int).tolist()},
    }
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("wb") as file:
        record = {"schemaVersion": {"major": major, "minor": 5, "patch": 0}, "rawData": raw}
        fastavro.writer(file, fastavro.parse_schema(SCHEMA), [record], codec="deflate")


@pytest.fixture
def root(tmp_path: Path) -> Path:
    """Four minutes in two consecutive files, a gap of a minute, and another minute, in the folders of the cloud."""
    folder = tmp_path / "raw/participant_data/2023-11-14/1-1-P01-3YK3K152XH/raw_data/v6"
    for start, seconds in ((0, 130), (130, 110), (300, 60)):
        write_avro(folder / f"1-1-P01_{START + start}.avro", START + start, seconds)
    rows = [f"1-1-P01,{START + 60 * i},{START + 60 * i + 60},{i % 2}" for i in range(6)]
    (tmp_path / "raw/labels.csv").write_text("\n".join(["user,start,end,stress", *rows]) + "\n")
    return tmp_path / "raw"


def extract(root: Path, out: Path) -> tuple[Any, Any, dict[str, np.ndarray], Config]:
    config = settings(root)
    ((user, folder),) = find_users(config.cohort, config.simulation).items()
    paths = out / "w.parquet", out / "q.parquet"
    extract_windows(user, folder, config.cohort, config.windows, config.modalities, *paths)
    return read_labels(paths[0]), read_tables([paths[1]]), read_windows(paths[0], config.modalities), config


def test_consecutive_files_are_one_recording_and_gaps_stay_gaps(root: Path, tmp_path: Path) -> None:
    labels, quality, windows, config = extract(root, tmp_path)
    assert list(find_users(config.cohort, config.simulation)) == ["1-1-P01"]
    assert [int(t.timestamp()) - START for t in labels.start] == [0, 60, 120, 180, 300]
    lost = quality[quality.kind == "label"]
    assert list(lost.reason) == ["no usable modality"] and "not recorded" in lost.detail.iloc[0]
    # Minute 3 has 10 s of the first file and 50 s of the second, whose samples start again.
    expected = np.r_[np.arange(120 * 4, 130 * 4), np.arange(50 * 4)] % 13 / 10
    np.testing.assert_allclose(windows["eda"][2, :, 0], expected, rtol=1e-6)
    counts = np.arange(60 * 64) % 4000 - 2000
    np.testing.assert_allclose(windows["acc"][0, :, 1], -counts * 0.000488, rtol=1e-5)
    np.testing.assert_allclose(windows["hr"][:, 0, 0], 75, atol=0.5)  # one interval spans two files
    assert np.isnan(windows["gyr"]).all()
    off = quality[(quality.kind == "modality") & (quality.modality == "gyr")]
    assert set(off.reason) == {"not recorded"}


def test_counts_without_a_factor_are_converted_by_the_ranges(root: Path, tmp_path: Path) -> None:
    for path in root.rglob("*.avro"):
        write_avro(path, int(path.stem.rpartition("_")[2]), 60, factor=0.0)
    _, _, windows, _ = extract(root, tmp_path)
    counts = np.arange(60 * 64) % 4000 - 2000
    np.testing.assert_allclose(windows["acc"][0, :, 0], counts * 16 / 32768, rtol=1e-5, atol=1e-6)


def test_an_unreadable_file_costs_only_its_time(root: Path, tmp_path: Path) -> None:
    first, second, third = sorted(root.rglob("*.avro"))
    second.write_bytes(second.read_bytes()[:5000])
    write_avro(third, START + 300, 60, major=5)
    labels, quality, _, _ = extract(root, tmp_path)
    assert len(labels) == 2
    details = " ".join(quality.detail.dropna())
    assert str(second) in details and "schema version 5; 6 can be read" in details and str(first) not in details


def test_files_without_the_folders_of_the_cloud_belong_to_the_folder_below_the_root(tmp_path: Path) -> None:
    write_avro(tmp_path / "raw/anna/day1/recording.avro", START, 120)
    (tmp_path / "raw/labels.csv").write_text(f"user,start,end,stress\nanna,{START},{START + 120},1\n")
    labels, *_ = extract(tmp_path / "raw", tmp_path)
    assert list(labels.user) == ["anna"] * 2


def test_windows_of_a_real_recording_equal_an_independent_reading(tmp_path: Path) -> None:
    folder = os.environ.get("RECORDINGS")
    if not folder:
        pytest.skip("the environment variable RECORDINGS does not name the folder of real recordings")
    file = next(Path(folder).rglob("*.avro"))
    (tmp_path / "raw/P1").mkdir(parents=True)
    shutil.copy(file, tmp_path / "raw/P1")
    begin = int(file.stem)
    rows = [f"P1,{begin + 7 + 61 * i},{begin + 67 + 61 * i},{i % 2}" for i in range(29)]
    (tmp_path / "raw/labels.csv").write_text("\n".join(["user,start,end,stress", *rows]) + "\n")
    labels, _, windows, config = extract(tmp_path / "raw", tmp_path)
    assert len(labels) == 29
    with file.open("rb") as opened:
        raw = next(iter(fastavro.reader(opened)))["rawData"]
    for modality in config.modalities:
        record = raw.get(modality.source)
        if modality.name == "hr":
            peaks = np.array(raw["systolicPeaks"]["peaksTimeNanos"]) / 1e9
            times, values = peaks[1:], (60 / np.diff(peaks))[:, None]
            plausible = (np.diff(peaks) >= 0.25) & (np.diff(peaks) <= 2.5)
            times, values = times[plausible], values[plausible]
        elif not record["samplingFrequency"]:
            assert np.isnan(windows[modality.name]).all()
            continue
        else:
            columns = [record[axis] for axis in "xyz"] if "x" in record else [record["values"]]
            values = np.array(columns).T * (record["imuParams"]["conversionFactor"] if "x" in record else 1)
            times = record["timestampStart"] / 1e6 + np.arange(len(values)) / record["samplingFrequency"]
        compared = 0
        for start, window in zip(labels.start, windows[modality.name], strict=True):
            inside = (times >= start.timestamp()) & (times < start.timestamp() + 60)
            if np.isnan(window).any():
                assert inside.sum() < modality.length
                continue
            expected = values[inside].mean(axis=0)[None] if modality.kind == "scalar" else values[inside][: len(window)]
            np.testing.assert_allclose(window, expected, rtol=1e-5, atol=1e-6)
            compared += 1
        assert compared >= 28, modality.name
