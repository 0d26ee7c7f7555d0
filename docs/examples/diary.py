"""An example layout: one folder per user, with one CSV file per sensor for all days and a diary with the labels.

    cohort/anna/heart.csv      time,bpm        2024-03-01T09:00:00+01:00,71
    cohort/anna/wrist.csv      time,x,y,z      (any rate, here 20 Hz)
    cohort/anna/diary.csv      time,stress,task  one row per labelled window

Copy this file to lifelog/windows/diary.py. A session is one day of the diary.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pandas as pd
import pyarrow as pa

from lifelog.settings.windows import Cohort, Extraction, Modality, Recordings
from lifelog.windows.layout import BadInput, Label, Samples, Session, users_by_name

LABELS = pa.schema([("stress", pa.int16()), ("task", pa.string())])  # the label columns that a target can use


def find_users(root: Path, cohort: Cohort) -> dict[str, Path]:
    """Return every folder that contains a diary, by user."""
    return users_by_name([path.parent for path in root.glob("*/diary.csv")])


def label_files(folder: Path, cohort: Cohort) -> list[Path]:
    """Return the diary; a change of it reruns the extraction of the user."""
    return [folder / "diary.csv"]


def open_sessions(
    user: str, folder: Path, recordings: Recordings, extraction: Extraction
) -> tuple[pa.Schema, Iterator[Session]]:
    """Return the schema of the label columns, and the days of the user."""
    return LABELS, _days(folder, extraction)


def _days(folder: Path, extraction: Extraction) -> Iterator[Session]:
    diary = _read(folder / "diary.csv")
    missing = {"stress", "task"} - set(diary.columns)
    if missing:
        raise BadInput("unreadable file", f"{folder / 'diary.csv'} line 1: no column {sorted(missing)}")
    diary["stress"] = pd.to_numeric(diary.stress, errors="coerce")
    for day, lines in diary.groupby(diary.time.dt.date, sort=True):
        labels = []
        for row in lines.itertuples():
            # An unusable label is returned with its reason, so that it is counted.
            wrong = None if 1 <= row.stress <= 5 else BadInput("label out of range", f"{folder}: {row.time}")
            values = {"stress": None if wrong else int(row.stress), "task": str(row.task)}
            labels.append(Label(int(row.time.timestamp()), values, wrong))
        yield Day(str(day), labels, folder, extraction.seconds)


class Day(Session):
    """One day of a user."""

    def __init__(self, name: str, labels: list[Label], folder: Path, length: int) -> None:
        super().__init__(name, labels)
        self.folder, self.length = folder, length
        self.sensors: dict[str, pd.DataFrame] = {}

    def read(self, modality: Modality, start: int) -> Samples:
        """Return the samples of a modality in the window that starts at `start`, as recorded.

        Coverage, order and length are checked later, by the same rules for all layouts (`windows.coverage`).
        """
        path = self.folder / f"{modality.source or modality.name}.csv"
        if modality.name not in self.sensors:
            self.sensors[modality.name] = _read(path)
        table = self.sensors[modality.name]
        seconds = table.seconds - start
        inside = table[(seconds >= 0) & (seconds < self.length)]
        if inside.empty:
            raise BadInput("no samples", f"{path}: none in the minute {start}")
        try:
            values = inside[list(modality.columns)].to_numpy(dtype=float)
        except (KeyError, ValueError) as problem:
            raise BadInput("unreadable file", f"{path}: {problem}") from problem
        return Samples(inside.seconds.to_numpy() - start, values)


def _read(path: Path) -> pd.DataFrame:
    """Read a CSV file and its times; raise BadInput if it is missing or has no usable times."""
    try:
        table = pd.read_csv(path)
        table["time"] = pd.to_datetime(table.time, utc=True)
    except (OSError, ValueError, AttributeError) as problem:
        raise BadInput("unreadable file", f"{path}: {problem}") from problem
    table["seconds"] = (table.time - pd.Timestamp(0, tz="UTC")).dt.total_seconds()
    return table
