"""Simulated input of the cases: raw recordings, and tables of windows, features and splits."""

from __future__ import annotations

import contextlib
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq

from lifelog.config import Config
from lifelog.settings.windows import Modality, Simulation
from lifelog.splits.folds import Folds, write_folds
from lifelog.windows.features import extract_features
from lifelog.windows.read import iter_windows, read_labels, write_features
from lifelog.windows.schema import windows_schema
from lifelog.windows.simulated import participants, simulate_cohort

CONFIG = Config()
# The network of samples, whose encoders the plain reference has too.
CONVOLUTION = CONFIG.mil.model_copy(update={"encoder": "convolution", "weight_decay": 0.01, "modality_dropout": 0.15})
TARGET = CONFIG.target("tension")
SECONDS = CONFIG.windows.seconds
SESSION_MINUTES = 500  # maximum number of minutes of a simulated session
LEVEL_WINDOWS = 7  # number of successive windows with the same label value
BATCH_ROWS = 256


class Tables(NamedTuple):
    """Files of a cohort, one of each kind per user."""

    windows: list[str]
    features: list[str]
    splits: list[str]


@contextlib.contextmanager
def recordings(minutes: int) -> Iterator[tuple[Path, float]]:
    """Yield the folder of one simulated participant's raw recordings, and the size of its CSV files in MB."""
    sessions = max(1, minutes // SESSION_MINUTES)
    simulation = Simulation(users=2, groups=2, sessions=sessions, minutes=minutes // sessions, missing=0)
    with tempfile.TemporaryDirectory() as folder:
        user = participants(simulation)[0].name
        raw = Path(folder) / user
        simulate_cohort(simulation, {user: str(raw)}, Path(folder) / "truth.json")
        yield raw, sum(path.stat().st_size for path in raw.glob("*/*/*.csv")) / 1e6


def windows_table(path: Path, user: str, count: int, seed: int, modalities: list[Modality] = CONFIG.modalities) -> None:
    """Write a windows table of noise whose mean depends on the label, without raw recordings."""
    rng = np.random.default_rng(seed)
    schema = windows_schema([TARGET.column], modalities)
    levels = np.repeat(rng.integers(1, 8, count // LEVEL_WINDOWS + 1), LEVEL_WINDOWS)[:count]
    path.parent.mkdir(parents=True, exist_ok=True)
    with pq.ParquetWriter(path, schema, compression="zstd") as writer:
        for begin in range(0, count, BATCH_ROWS):
            some = levels[begin : begin + BATCH_ROWS]
            starts = 1_567_000_000 + SECONDS * np.arange(begin, begin + len(some))
            columns: list[pa.Array] = [
                pa.array([user] * len(some)),
                pa.array(["0"] * len(some)),
                pa.array(starts).cast(pa.timestamp("s", tz="UTC")),
                pa.array(
                    [{TARGET.column: [f"labels.csv:{begin + i}"]} for i in range(len(some))],
                    type=schema.field("label_rows").type,
                ),
                pa.array(some.astype(str)),
            ]
            for modality in modalities:
                noise = rng.standard_normal((len(some), modality.size), dtype=np.float32)
                values = (noise + 0.05 * some[:, None]).astype(np.float32)
                columns.append(pa.FixedSizeListArray.from_arrays(pa.array(values.ravel()), modality.size))
            writer.write_table(pa.Table.from_arrays(columns, schema=schema))


def random_folds(labels: pd.DataFrame) -> Folds:
    """Return one fold with random subsets of the windows of a table."""
    levels = labels[TARGET.column]
    classes = [TARGET.classes[i] for i in np.digitize(levels.astype(int), [3, 5])]
    rows = labels[["user", "session", "start"]].assign(
        level=levels, label=classes, answer=range(len(labels)), block=range(len(labels))
    )
    subsets = np.random.default_rng(0).choice(["train", "validation", "test"], len(rows), p=[0.7, 0.15, 0.15])
    rows = rows.assign(subset="train", reason=None)
    return Folds(rows, {1: rows.assign(subset=subsets)}, TARGET.classes)


def cohort_tables(folder: Path, users: int, windows: int) -> Tables:
    """Write and return the tables of a cohort, with the same number of windows per user."""
    tables = Tables([], [], [])
    for i in range(users):
        user = str(101 + i)
        paths = [folder / kind / f"{user}.parquet" for kind in Tables._fields]
        windows_table(paths[0], user, windows, i)
        labels, batches = read_labels(paths[0]), iter_windows(paths[0], CONFIG.modalities)
        write_features(extract_features(batches, labels, CONFIG.modalities, SECONDS), paths[1])
        write_folds(random_folds(labels), paths[2])
        for files, path in zip(tables, paths, strict=True):
            files.append(str(path))
    return tables


def stored_tables(folder: str) -> Tables:
    """Return the tables that `cohort_tables` wrote to a folder."""
    return Tables(*(sorted(str(path) for path in Path(folder, kind).iterdir()) for kind in Tables._fields))
