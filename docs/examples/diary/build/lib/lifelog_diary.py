"""An example of a layout in a package: one folder per user, with one CSV file per sensor and a diary with the labels.

    cohort/anna/heart.csv      time,bpm        2024-03-01T09:00:00+01:00,71
    cohort/anna/wrist.csv      time,x,y,z      (any rate, here 20 Hz)
    cohort/anna/diary.csv      time,stress,task  one row per labelled window

A session is one day of the diary.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pandas as pd

from lifelog.settings.windows import Extraction, Modality, Recordings
from lifelog.windows.layout import BadInput, Label, RawSamples, Session, users_by_name
from lifelog.windows.layout import fingerprint as files_of

COLUMNS = ["stress", "task"]  # the label columns that a target can use


def find_users(root: Path, recordings: Recordings) -> dict[str, Path]:
    """Return every folder that contains a diary, by user."""
    return users_by_name([path.parent for path in root.glob("*/diary.csv")])


def fingerprint(user: str, folder: Path, recordings: Recordings) -> str:
    """Return a text that changes with the files of the user, which reruns the extraction."""
    return files_of(folder)


def open_sessions(
    user: str, folder: Path, recordings: Recordings, extraction: Extraction
) -> tuple[list[str], Iterator[Session]]:
    """Return the label columns, and the days of the user."""
    return COLUMNS, _days(folder)


def _days(folder: Path) -> Iterator[Session]:
    diary = _read(folder / "diary.csv")
    missing = set(COLUMNS) - set(diary.columns)
    if missing:
        raise BadInput("unreadable file", f"{folder / 'diary.csv'} line 1: no column {sorted(missing)}")
    for day, rows in diary.groupby(diary.time.dt.date, sort=True):
        labels = []
        for row in rows.itertuples():
            # An unusable label is returned with its reason, so that it is counted.
            wrong = None if row.stress in set("12345") else BadInput("label out of range", f"{folder}: {row.time}")
            # Labels are text; windows with a common row share an answer.
            values = {"stress": None if wrong else row.stress, "task": row.task}
            lines = dict.fromkeys(values, (f"diary.csv:{row.Index + 2}",))
            labels.append(Label(int(row.time.timestamp()), values, wrong, lines))
        yield Day(str(day), labels, folder)


class Day(Session):
    """One day of a user."""

    def __init__(self, name: str, labels: list[Label], folder: Path) -> None:
        super().__init__(name, labels)
        self.folder = folder
        self.sensors: dict[str, pd.DataFrame] = {}

    def read(self, modality: Modality, start: int, stop: int) -> RawSamples:
        """Return the samples of a modality from `start` to `stop`, as recorded.

        Rate, coverage and order are checked later, by the same rules for all layouts.
        """
        path = self.folder / f"{modality.source or modality.name}.csv"
        if modality.name not in self.sensors:
            self.sensors[modality.name] = _read(path)
        table = self.sensors[modality.name]
        inside = table[(table.seconds >= start) & (table.seconds < stop)]
        if inside.empty:
            raise BadInput("not recorded", f"{path}: no sample from {start} to {stop}")
        try:
            values = inside[list(modality.columns)].to_numpy(dtype=float)
        except (KeyError, ValueError) as problem:
            raise BadInput("unreadable file", f"{path}: {problem}") from problem
        return RawSamples(inside.seconds.to_numpy() - start, values)


def _read(path: Path) -> pd.DataFrame:
    """Read a CSV file and its times; raise BadInput if it is missing or has no usable times."""
    try:
        table = pd.read_csv(path, dtype={"stress": str, "task": str})
        table["time"] = pd.to_datetime(table.time, utc=True)
    except (OSError, ValueError, AttributeError) as problem:
        raise BadInput("unreadable file", f"{path}: {problem}") from problem
    table["seconds"] = (table.time - pd.Timestamp(0, tz="UTC")).dt.total_seconds()
    return table
