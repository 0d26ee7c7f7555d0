"""Randomly damaged recordings: the readers never crash, and every labelled minute is a window or has a reason.

A few hundred cases run with the other tests; `make fuzz` runs twenty thousand (FUZZ_CASES per test).
"""

from __future__ import annotations

import csv
import io
import os
import shutil
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from lifelog.config import Config
from lifelog.settings.windows import Modality
from lifelog.tables import read_tables
from lifelog.windows.extract import extract_windows
from lifelog.windows.layout import BadInput
from lifelog.windows.layouts import LAYOUTS
from lifelog.windows.read import read_labels, read_windows
from tests.windows.test_empatica import settings as empatica_settings

CASES = int(os.environ.get("FUZZ_CASES", "150"))
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


def check_extraction(config: Config, user: str, folder: Path, modalities: list[Modality], labelled: int | None) -> None:
    """Extract the windows and check the tables; `labelled`, the number of labelled minutes, is None if unknown."""
    out = folder.parent.parent
    paths = out / "w.parquet", out / "q.parquet"
    extract_windows(user, folder, config.cohort, config.windows, modalities, *paths)
    labels, quality = read_labels(paths[0]), read_tables([paths[1]])
    if labelled is not None and not (quality.reason == "unreadable label file").any():
        assert len(labels) + (quality.kind == "label").sum() == labelled
    assert not labels.start.duplicated().any()
    assert quality.detail[quality.reason.notna()].str.len().gt(0).all()
    for values in read_windows(paths[0], modalities).values():
        missing = np.isnan(values)  # a modality of a window is complete or missing
        assert (missing.all(axis=(1, 2)) | ~missing.any(axis=(1, 2))).all()


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
    rows = [f"S02,{start + i * 100:.0f},{start + i * 100 + 100:.0f},task{i % 2}" for i in range(4)]
    (root / "labels.csv").write_text("\n".join(["user,start,end,task", *rows]) + "\n")
    return folder


@settings(max_examples=CASES, deadline=None, derandomize=True, suppress_health_check=list(HealthCheck))
@given(number=st.integers(0, 1000), mutations=st.lists(mutation, min_size=1, max_size=4))
def test_damaged_native_exports(export: Path, number: int, mutations: list[tuple]) -> None:
    path = [export.parent / "labels.csv", *sorted(export.glob("*.csv"))][number % 4]
    original = path.read_bytes()
    try:
        path.write_bytes(mutated(original, mutations))
        config = empatica_settings(export.parent)
        try:
            users = LAYOUTS["empatica"].find_users(export.parent, config.cohort)
        except BadInput:  # an invalid label table stops the run
            return
        table = pd.read_csv(export.parent / "labels.csv", dtype={"user": str}, index_col=False)
        modalities = [m for m in config.modalities if m.name in ("e4Eda", "e4Hr", "e4Temp")]
        for user, folder in users.items():
            own = table[table.user == user]
            minutes = {
                second // 60
                for a, b in zip(own.start.astype(float), own.end.astype(float), strict=True)
                for second in (*range(int(a // 1), int(np.ceil(b)), 60), int(np.ceil(b)) - 1)
            }
            check_extraction(config, user, folder, modalities, len(minutes) if len(own) else 0)
    finally:
        path.write_bytes(original)
