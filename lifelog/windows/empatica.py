"""Native Empatica E4 exports: one folder a user with ACC.csv, BVP.csv, EDA.csv, HR.csv, TEMP.csv, one session each.

A file's first row is the start of the recording (unix seconds), the second the sampling rate in Hz, then one row a
sample. Labels are intervals in a table beside the users: user, start, end (unix seconds, end exclusive) and any label
columns. Windows begin at whole multiples of their length in unix time and carry the label that fills most of them; of
two that fill the same share, the greater value.
"""

from __future__ import annotations

import warnings
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pandas as pd
import pyarrow as pa

from lifelog.config import Cohort, Modality, Windows
from lifelog.windows.csvfile import numbers, read_csv
from lifelog.windows.layout import SAFE_NAME, BadInput, Label, Samples, Session, users_by_name

KEYS = ["user", "start", "end"]
RESERVED = {"session"}  # columns of the windows table beside the keys
LONGEST = 366 * 24 * 3600  # seconds of an interval; a longer one is a mistake in a digit
HEAD = 2  # rows before the samples: start and rate


def find_users(root: Path, cohort: Cohort) -> dict[str, Path]:
    """Folders that hold CSV files, and users of the label table that have none."""
    folders = {path.name: path for path in root.iterdir() if path.is_dir() and any(path.glob("*.csv"))}
    for user in _intervals(root / cohort.labels).user.unique():
        folders.setdefault(user, root / user)
    return users_by_name(list(folders.values()))


def label_files(folder: Path, cohort: Cohort) -> list[Path]:
    """The table that holds the labels of all users."""
    return [folder.parent / cohort.labels]


def open_sessions(user: str, folder: Path, cohort: Cohort, windows: Windows) -> tuple[pa.Schema, Iterator[Session]]:
    """The user's one session; its name is the start of the first labelled window."""
    intervals = _intervals(folder.parent / cohort.labels)
    columns = [name for name in intervals.columns if name not in KEYS]
    numeric = [name for name in columns if pd.api.types.is_numeric_dtype(intervals[name])]
    schema = pa.schema([(name, pa.float64() if name in numeric else pa.string()) for name in columns])
    own = intervals[intervals.user == user]
    return schema, iter([EmpaticaSession(folder, _labels(own, columns, windows), windows)])


class EmpaticaSession(Session):
    """A user's export; a modality is read whole when it is first asked for."""

    def __init__(self, folder: Path, labels: list[Label], windows: Windows) -> None:
        notes = [] if labels else [BadInput("no labels", f"{folder}: no labelled interval for this user")]
        super().__init__(str(labels[0].start) if labels else "", labels, notes)
        self.folder, self.seconds = folder, windows.seconds
        self._recordings: dict[str, Samples | BadInput] = {}

    def read(self, modality: Modality, start: int) -> Samples:
        path = self.folder / f"{modality.source or modality.name}.csv"
        if modality.name not in self._recordings:
            try:
                self._recordings[modality.name] = _read_recording(path, modality)
            except BadInput as problem:
                self._recordings[modality.name] = problem
        recording = self._recordings[modality.name]
        if isinstance(recording, BadInput):
            raise recording
        first, last = np.searchsorted(recording.seconds, [start, start + self.seconds])
        if first == last:
            raise BadInput("not recorded", f"{path}: no sample in the window at {start}")
        rows = slice(first, last)
        return Samples(recording.seconds[rows] - start, recording.values[rows])


def _intervals(path: Path) -> pd.DataFrame:
    """The table of labelled intervals; raises BadInput, since without it nothing can be read."""
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("error", pd.errors.ParserWarning)  # rows of more fields than the header names
            frame = pd.read_csv(path, dtype={"user": str}, index_col=False)
        missing = [name for name in KEYS if name not in frame.columns]
        if missing:
            raise ValueError(f"line 1: no column {missing[0]!r}; found {list(frame.columns)}")
        unusable = [name for name in frame.columns if name in RESERVED or name.startswith("Unnamed:")]
        if unusable:
            raise ValueError(f"line 1: a label column cannot be called {unusable[0]!r}; name it otherwise")
        if frame.user.isna().any():
            raise ValueError(f"line {int(frame.user.isna().to_numpy().argmax()) + 2}: the user is missing")
        unsafe = ~frame.user.str.fullmatch(SAFE_NAME.pattern).to_numpy(dtype=bool)
        if unsafe.any():
            line = int(unsafe.argmax())
            raise ValueError(f"line {line + 2}: the user {frame.user[line]!r} is not letters, digits, '_' and '-'")
        for name in ("start", "end"):
            numbers = pd.to_numeric(frame[name], errors="coerce")
            if not np.isfinite(numbers).all():
                line = int((~np.isfinite(numbers)).to_numpy().argmax())
                raise ValueError(f"line {line + 2}: {name} is {frame[name][line]!r}, not unix seconds")
            frame[name] = numbers
        wrong = (frame.end - frame.start > LONGEST).to_numpy()
        if wrong.any():
            raise ValueError(f"line {int(wrong.argmax()) + 2}: the interval is longer than a year")
        wrong = (frame.end <= frame.start).to_numpy()
        if wrong.any():
            raise ValueError(f"line {int(wrong.argmax()) + 2}: the interval ends before it starts")
    except (OSError, ValueError, pd.errors.ParserWarning) as error:
        raise BadInput("label table cannot be used", f"{path} (cohort.labels): {error}") from None
    return frame


def _labels(intervals: pd.DataFrame, columns: list[str], windows: Windows) -> list[Label]:
    """Every window that a labelled interval touches, with its label or the reason why it has none."""
    width = windows.seconds
    shares: dict[int, dict[tuple, float]] = {}
    for first, last, *value in intervals[["start", "end", *columns]].itertuples(index=False, name=None):
        for start in range(int(first // width) * width, int(np.ceil(last)), width):
            filled = min(start + width, last) - max(start, first)
            if filled > 0:
                held = shares.setdefault(start, {})
                held[tuple(value)] = held.get(tuple(value), 0) + filled
    labels = []
    for start, held in sorted(shares.items()):
        value, filled = max(held.items(), key=lambda item: (item[1], _rank(item[0])))
        values = {name: None if pd.isna(item) else item for name, item in zip(columns, value, strict=True)}
        fault = None
        if sum(held.values()) < width:
            fault = BadInput("window not labelled whole", f"{sum(held.values()):g} of {width} s carry a label")
        elif filled < windows.purity * width:
            fault = BadInput("mixed labels", f"the main label fills {filled:g} of {width} s, purity {windows.purity}")
        labels.append(Label(start, values, fault))
    return labels


def _rank(value: tuple) -> tuple:
    """Order of labels that fill the same share: by their numbers first, then by their words."""
    numbers = [item for item in value if isinstance(item, (int, float))]
    return (numbers, [str(item) for item in value])


def _read_recording(path: Path, modality: Modality) -> Samples:
    """A whole file: unix seconds of each sample, and values (n, channels)."""
    table = read_csv(path, HEAD)
    if table.num_columns != modality.channels:
        raise BadInput("wrong columns", f"{path}: {table.num_columns} columns, {modality.columns} expected")
    values = numbers(table, table.column_names, path, HEAD)
    try:
        with path.open(encoding="utf-8-sig") as file:
            start, rate = (float(file.readline().split(",")[0]) for _ in range(HEAD))
        if not (np.isfinite(start) and np.isfinite(rate) and rate > 0):
            raise ValueError(f"start {start}, rate {rate}")
    except ValueError as error:  # a text that is no number, or no text
        raise BadInput("unreadable file", f"{path} line 1 or 2: {error}") from None
    seconds = start + np.arange(len(values)) / rate
    good = np.isfinite(values).all(axis=1)
    return Samples(seconds[good], values[good])
