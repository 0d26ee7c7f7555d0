"""A layout of one's own: a folder a person, one CSV file a sensor over all days, and a diary with the labels.

    cohort/anna/heart.csv      time,bpm        2024-03-01T09:00:00+01:00,71
    cohort/anna/wrist.csv      time,x,y,z      (any rate, here 20 Hz)
    cohort/anna/diary.csv      time,stress,task  one line a labelled minute

This file goes to lifelog/windows/diary.py. A session is a day of the diary.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pandas as pd
import pyarrow as pa

from lifelog.config import Cohort, Modality, Windows
from lifelog.windows.layout import BadInput, Label, Samples, Session, users_by_name

LABELS = pa.schema([("stress", pa.int16()), ("task", pa.string())])  # the label columns, as a target's bins name them


def find_users(root: Path, cohort: Cohort) -> dict[str, Path]:
    """Every folder with a diary is a person."""
    return users_by_name([path.parent for path in root.glob("*/diary.csv")])


def label_files(folder: Path, cohort: Cohort) -> list[Path]:
    """The diary: when it changes, the person is read anew."""
    return [folder / "diary.csv"]


def open_sessions(user: str, folder: Path, cohort: Cohort, windows: Windows) -> tuple[pa.Schema, Iterator[Session]]:
    """The label columns, and the person's days."""
    return LABELS, _days(folder, windows)


def _days(folder: Path, windows: Windows) -> Iterator[Session]:
    diary = _read(folder / "diary.csv")
    missing = {"stress", "task"} - set(diary.columns)
    if missing:
        raise BadInput("unreadable file", f"{folder / 'diary.csv'} line 1: no column {sorted(missing)}")
    diary["stress"] = pd.to_numeric(diary.stress, errors="coerce")
    for day, lines in diary.groupby(diary.time.dt.date, sort=True):
        labels = []
        for row in lines.itertuples():
            # What cannot become a window is given with its reason: it is counted, not lost.
            wrong = None if 1 <= row.stress <= 5 else BadInput("label out of range", f"{folder}: {row.time}")
            values = {"stress": None if wrong else int(row.stress), "task": str(row.task)}
            labels.append(Label(int(row.time.timestamp()), values, wrong))
        yield Day(str(day), labels, folder, windows.seconds)


class Day(Session):
    """A day of a person."""

    def __init__(self, name: str, labels: list[Label], folder: Path, length: int) -> None:
        super().__init__(name, labels)
        self.folder, self.length = folder, length
        self.sensors: dict[str, pd.DataFrame] = {}

    def read(self, modality: Modality, start: int) -> Samples:
        """The modality's samples of the minute from `start` on, as they are on disk; what is thin or late is judged
        later, by one rule for all layouts (`windows.coverage`)."""
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
    """A CSV file with its times; raises BadInput where there is none or it is no such table."""
    try:
        table = pd.read_csv(path)
        table["time"] = pd.to_datetime(table.time, utc=True)
    except (OSError, ValueError, AttributeError) as problem:
        raise BadInput("unreadable file", f"{path}: {problem}") from problem
    table["seconds"] = (table.time - pd.Timestamp(0, tz="UTC")).dt.total_seconds()
    return table
