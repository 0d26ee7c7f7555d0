"""Randomly damaged recordings of every layout: the readers never crash, and no window is wrong or silently lost.

Labelled time is conserved: it is in windows, or has a reason. And every window equals a slow, plain reading of its span
of the damaged file, or is missing. A few hundred cases run with the other tests; `make fuzz` runs many more (FUZZ_CASES
per test).
"""

from __future__ import annotations

import csv
import io
import os
import shutil
from pathlib import Path

import fastavro
import numpy as np
import pandas as pd
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from lifelog.config import Config, load_config
from lifelog.settings.windows import Modality
from lifelog.tables import read_tables
from lifelog.windows.extract import extract_windows
from lifelog.windows.intervals import read_intervals
from lifelog.windows.layout import BadInput
from lifelog.windows.layouts import LAYOUTS
from lifelog.windows.read import read_labels, read_windows
from tests.windows.test_e4 import settings as e4_settings
from tests.windows.test_embraceplus import settings as embraceplus_settings
from tests.windows.test_embraceplus import write_avro

CASES = int(os.environ.get("FUZZ_CASES", "80"))
SECONDS = 400  # used of each real recording
TOKENS = (
    *(b"nan", b"inf", b"-inf", b"1e400", b"-1e999", b"", b"-", b".", b"1_000", b"0x10", b"1,5", b'"', b'""', b"'"),
    *(b"\0", b"\r", b"\n", b"\r\n\r\n", b";", b"\t", b" ", b"#", b"=1+1", b"<script>", b"../../etc", b"\xff\xfe"),
    *(b"\xef\xbb\xbf", "٣".encode(), "µ".encode("latin-1"), b"99999999999999999999", b"-1", b"1e-320", b"true"),
)
position = st.floats(0, 1, exclude_max=True)
mutation = st.one_of(
    st.tuples(st.just("insert"), position, st.sampled_from(TOKENS) | st.binary(max_size=12)),
    st.tuples(st.just("overwrite"), position, st.sampled_from(TOKENS) | st.binary(max_size=12)),
    st.tuples(st.just("cell"), position, st.sampled_from(TOKENS)),
    st.tuples(st.just("cut"), position, st.integers(1, 400)),
    st.tuples(st.just("repeat"), position, st.integers(1, 400)),
    st.tuples(st.just("end"), position, st.just(0)),
    st.tuples(st.just("encode"), position, st.sampled_from(["utf-16", "utf-8-sig", "utf-7", "cp500"])),
    st.tuples(st.just("lines"), position, st.sampled_from([b"\r\n", b"\r", b"\n\n", b" \n", b",\n"])),
)


def mutated(data: bytes, mutations: list[tuple]) -> bytes:
    for kind, where, what in mutations:
        at = int(where * len(data))
        if kind == "insert":
            data = data[:at] + what + data[at:]
        elif kind == "overwrite":
            data = data[:at] + what + data[at + len(what) :]
        elif kind == "cell":
            lines = data.split(b"\n")
            cells = lines[int(where * len(lines))].split(b",")
            cells[at % len(cells)] = what
            lines[int(where * len(lines))] = b",".join(cells)
            data = b"\n".join(lines)
        elif kind == "cut":
            data = data[:at] + data[at + what :]
        elif kind == "repeat":
            data = data[: at + what] + data[at:]
        elif kind == "end":
            data = data[:at]
        elif kind == "encode":
            data = data.decode("latin-1").encode(what, errors="replace")
        else:
            data = data.replace(b"\n", what)
    return data


def check_extraction(
    config: Config, user: str, folder: Path, modalities: list[Modality], labelled: int | None = None
) -> tuple[pd.DataFrame, dict[str, np.ndarray]]:
    """Extract the windows and check the tables; `labelled`, the number of labelled minutes, is None if unknown."""
    out = folder.parent.parent
    modalities = [m.model_copy(update={"plausible": None}) for m in modalities]  # the plain reading knows no limits
    paths = out / "w.parquet", out / "q.parquet"
    extract_windows(user, folder, config.cohort, config.windows, modalities, *paths)
    labels, quality = read_labels(paths[0]), read_tables([paths[1]])
    if labelled is not None and not (quality.reason == "unreadable label file").any():
        assert len(labels) + (quality.kind == "label").sum() == labelled
    assert not labels.start.duplicated().any()
    assert quality.detail[quality.reason.notna()].str.len().gt(0).all()
    windows = read_windows(paths[0], modalities)
    for values in windows.values():
        missing = np.isnan(values)  # a modality of a window is complete or missing
        assert (missing.all(axis=(1, 2)) | ~missing.any(axis=(1, 2))).all()
    if labelled is None:
        rows = read_intervals(folder.parent, config.cohort).users.get(user, [])
        covered = {second for row in rows for second in range(row.start, row.end)}
        seconds = len(labels) * config.windows.seconds + quality.seconds[quality.kind == "label"].sum()
        assert seconds == len(covered)
    return labels, windows


Plain = tuple[np.ndarray, np.ndarray] | None  # times (n,) and values (n, channels) of a file


def check_windows(labels: pd.DataFrame, windows: dict[str, np.ndarray], plain: dict[str, Plain]) -> None:
    """Compare every window that is not missing with a plain reading of its span, by a loop and np.interp."""
    for name, values in windows.items():
        for start, window in zip(labels.start, values, strict=True):
            if np.isnan(window).any():
                continue
            assert plain[name] is not None, f"{name}: a window of an unreadable file"
            times, rows = plain[name]
            inside = (times > start.timestamp() - 1e-5) & (times < start.timestamp() + 60 - 1e-5)
            if len(window) == 1:
                expected = rows[inside].mean(axis=0)[None]
            else:
                # Repeated rows count once, several values of one time are averaged.
                frame = pd.DataFrame(np.c_[times[inside] - start.timestamp(), rows[inside]]).drop_duplicates()
                table = frame.groupby(0, sort=True).mean().reset_index().to_numpy()
                period = 60 / len(window)
                phase = max(0.0, table[0, 0]) / period
                grid = (phase - np.floor(phase + 1e-3) + np.arange(len(window))) * period
                expected = np.stack([np.interp(grid, table[:, 0], column) for column in table[:, 1:].T], axis=1)
            scale = np.abs(rows).max() * 1e-5 + 1e-6
            np.testing.assert_allclose(window, expected, rtol=1e-4, atol=scale, err_msg=f"{name} at {start}")


@pytest.fixture(scope="module")
def etri(raw: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """One session with three modalities."""
    folder = tmp_path_factory.mktemp("fuzz") / "raw" / "101"
    session = sorted((raw / "101").iterdir())[1]
    keep = shutil.ignore_patterns("e4Acc", "e4Bvp", "mAcc", "mGyr", "mMag", "mGps")
    shutil.copytree(session, folder / session.name, ignore=keep)
    return folder


@settings(max_examples=CASES, deadline=None, derandomize=True, suppress_health_check=list(HealthCheck))
@given(number=st.integers(0, 1000), mutations=st.lists(mutation, min_size=1, max_size=4))
def test_damaged_etri_recordings(etri: Path, config: Config, number: int, mutations: list[tuple]) -> None:
    files = sorted(etri.rglob("*.csv"))
    path = files[number % len(files)] if number % 3 else next(etri.glob("*/*_label.csv"))
    original = path.read_bytes()
    try:
        path.write_bytes(mutated(original, mutations))
        records = list(csv.reader(io.StringIO(label_text(etri), newline="")))
        labelled = sum(bool(record) for record in records[1:])
        modalities = [m for m in config.modalities if m.name in ("e4Eda", "e4Hr", "e4Temp")]
        check_extraction(config, "101", etri, modalities, labelled)
    finally:
        path.write_bytes(original)


def label_text(folder: Path) -> str:
    return next(folder.glob("*/*_label.csv")).read_bytes().decode("utf-8-sig", errors="replace")


def label_table(user: str, start: float) -> str:
    rows = [f"{user},{start + i * 100:.0f},{start + i * 100 + 100:.0f},task{i % 2}" for i in range(4)]
    return "\n".join(["user,start,end,task", *rows]) + "\n"


@pytest.fixture(scope="module")
def export(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The first minutes of a real export (Stress-Predict), or a synthetic one if the recordings are not available."""
    root = tmp_path_factory.mktemp("fuzz") / "raw"
    folder = root / "S02"
    folder.mkdir(parents=True)
    real = os.environ.get("STRESS_PREDICT")
    start = 1_644_227_580.0
    for name, rate in (("EDA", 4), ("HR", 1), ("TEMP", 4)):
        path = next(Path(real).rglob(f"S02/{name}.csv"), None) if real else None
        lines = [f"{start}", f"{rate}.0", *(f"{30 + i % 7 / 8}" for i in range(SECONDS * rate))]
        if path is not None:
            lines = path.read_text().splitlines()[: 2 + SECONDS * rate]
            start = float(lines[0].split(",")[0])
        (folder / f"{name}.csv").write_text("\n".join(lines) + "\n")
    (root / "labels.csv").write_text(label_table("S02", start))
    return folder


def plain_export(path: Path) -> Plain:
    """Read an E4 file line by line; a time that is followed by the rate starts another recording."""
    try:
        lines = (
            path.read_bytes()
            .decode("utf-8-sig")
            .replace("\r\n", "\n")
            .replace("\r", "\n")
            .removesuffix("\n")
            .split("\n")
        )
        start, rate = (float(line.split(",")[0]) for line in lines[:2])
        cells = [row[0] if row else "" for row in csv.reader(lines[2:], strict=True)]
        values = np.array([[float(cell or "nan")] for cell in cells]).reshape(-1, 1)
    except (OSError, ValueError, csv.Error):
        return None
    numbers = values[:, 0].tolist()
    times = np.full(len(numbers), np.nan)
    row = begin = 0
    while row < len(numbers):
        if 1e8 <= numbers[row] < 1e10 and numbers[row + 1 : row + 2] == [rate]:
            start, row = numbers[row], row + 2
            begin = row
            continue
        times[row] = start + (row - begin) / rate
        row += 1
    good = np.isfinite(values[:, 0]) & np.isfinite(times)
    return times[good], values[good]


@settings(max_examples=CASES, deadline=None, derandomize=True, suppress_health_check=list(HealthCheck))
@given(number=st.integers(0, 1000), mutations=st.lists(mutation, min_size=1, max_size=4))
def test_damaged_native_exports(export: Path, number: int, mutations: list[tuple]) -> None:
    path = [export.parent / "labels.csv", *sorted(export.glob("*.csv"))][number % 4]
    original = path.read_bytes()
    try:
        path.write_bytes(mutated(original, mutations))
        config = e4_settings(export.parent, anchor=("label", "clock")[number % 2])
        try:
            users = LAYOUTS["e4"].find_users(export.parent, config.cohort)
            read_intervals(export.parent, config.cohort)
        except BadInput:  # an invalid label table stops the run
            return
        modalities = [m for m in config.modalities if m.name in ("e4Eda", "e4Hr", "e4Temp")]
        for user, folder in users.items():
            labels, windows = check_extraction(config, user, folder, modalities)
            check_windows(labels, windows, {m.name: plain_export(folder / f"{m.source}.csv") for m in modalities})
    finally:
        path.write_bytes(original)


START = 1_644_227_580
TABLES = {
    "cohort": {
        "layout": "tables",
        "timezone": "Asia/Seoul",
        "samples": {"file": "{source}.csv", "user": "device", "time": "t", "unit": "ms"},
    },
    "modalities": [
        {"name": "acc", "columns": ["x", "y"], "rate": 5, "length": 300},
        {"name": "light", "kind": "scalar", "columns": ["lux"]},
    ],
    "targets": [{"name": "t", "column": "task", "bins": {"a": ["task0"], "b": ["task1"]}}],
    "targets_run": ["t"],
}


@pytest.fixture(scope="module")
def table(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Two tables of two participants."""
    root = tmp_path_factory.mktemp("fuzz") / "raw"
    root.mkdir()
    rows = [f"d{i % 2},{START * 1000 + i // 2 * 200},{i % 17},{i % 5}.25" for i in range(2 * SECONDS * 5)]
    (root / "acc.csv").write_text("\n".join(["device,t,x,y", *rows]) + "\n")
    rows = [f"d{i % 2},{START * 1000 + i * 7000},{i * 3}" for i in range(SECONDS // 7)]
    (root / "light.csv").write_text("\n".join(["device,t,lux", *rows]) + "\n")
    (root / "labels.csv").write_text(label_table("d0", START) + label_table("d1", START).partition("\n")[2])
    return root


def plain_table(path: Path, user: str, columns: list[str]) -> Plain:
    """Read the rows of a user one by one."""
    try:
        header, *lines = csv.reader(io.StringIO(path.read_bytes().decode("utf-8-sig"), newline=None), strict=True)
        rows = [dict(zip(map(str.strip, header), line, strict=True)) for line in lines if line]
        own = [row for row in rows if (row["device"] or "").strip() == user]
        times = np.array([float(row["t"]) / 1000 for row in own])
        values = np.array([[float(row[name] or "nan") for name in columns] for row in own]).reshape(-1, len(columns))
    except (OSError, ValueError, KeyError, TypeError, csv.Error):
        return None
    good = np.isfinite(values).all(axis=1) & np.isfinite(times)
    return times[good], values[good]


@settings(max_examples=CASES, deadline=None, derandomize=True, suppress_health_check=list(HealthCheck))
@given(number=st.integers(0, 1000), mutations=st.lists(mutation, min_size=1, max_size=4))
def test_damaged_tables(table: Path, number: int, mutations: list[tuple]) -> None:
    path = table / ("acc.csv", "light.csv", "acc.csv", "labels.csv")[number % 4]
    original = path.read_bytes()
    config = load_config(TABLES | {"cohort": TABLES["cohort"] | {"root": str(table)}})
    try:
        path.write_bytes(mutated(original, mutations))
        try:
            users = LAYOUTS["tables"].find_users(table, config.cohort)
            read_intervals(table, config.cohort)
        except BadInput:
            return
        for user, folder in users.items():
            labels, windows = check_extraction(config, user, folder, config.modalities)
            plain = {m.name: plain_table(table / f"{m.name}.csv", user, m.columns) for m in config.modalities}
            check_windows(labels, windows, plain)
    finally:
        path.write_bytes(original)


@pytest.fixture(scope="module")
def avro(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Two consecutive files of an EmbracePlus."""
    folder = tmp_path_factory.mktemp("fuzz") / "raw" / "P1"
    for i in range(2):
        write_avro(folder / f"{START + i * SECONDS // 2}.avro", START + i * SECONDS // 2, SECONDS // 2)
    (folder.parent / "labels.csv").write_text(label_table("P1", START))
    return folder


def plain_avro(folder: Path, modality: Modality) -> Plain:
    """Read the stream of a modality from all files."""
    times, values = [], []
    for path in sorted(folder.glob("*.avro")):
        try:
            with path.open("rb") as file:
                record = next(iter(fastavro.reader(file)))["rawData"][modality.source]
            if record["samplingFrequency"] == 0:
                continue
            columns = [record[axis] for axis in "xyz"] if "x" in record else [record["values"]]
            factor = record["imuParams"]["conversionFactor"] if "x" in record else 1.0
            rows = np.array(columns, dtype=float).T * factor
        except Exception:  # the other file may still have the window
            continue
        times.append(record["timestampStart"] / 1e6 + np.arange(len(rows)) / record["samplingFrequency"])
        values.append(rows)
    return (np.concatenate(times), np.concatenate(values)) if times else None


@settings(max_examples=CASES, deadline=None, derandomize=True, suppress_health_check=list(HealthCheck))
@given(number=st.integers(0, 1000), mutations=st.lists(mutation, min_size=1, max_size=4))
def test_damaged_avro_files(avro: Path, number: int, mutations: list[tuple]) -> None:
    path = sorted(avro.glob("*.avro"))[number % 2]
    original = path.read_bytes()
    config = embraceplus_settings(avro.parent)
    modalities = [m for m in config.modalities if m.name in ("acc", "eda")]
    try:
        path.write_bytes(mutated(original, mutations))
        labels, windows = check_extraction(config, "P1", avro, modalities)
        check_windows(labels, windows, {m.name: plain_avro(avro, m) for m in modalities})
    finally:
        path.write_bytes(original)
