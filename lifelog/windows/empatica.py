"""Native Empatica E4 exports: one folder per user with ACC.csv, BVP.csv, EDA.csv, HR.csv, TEMP.csv, one session each.

The first row of a file is the start of the recording (unix seconds), the second the sampling rate in Hz, followed by
one row per sample. Labels are intervals in a table beside the user folders: user, start, end (unix seconds, end
exclusive) and any label columns. Windows start at whole multiples of their length in unix time and take the label that
covers most of them; of two with the same share, the greater value.
"""

from __future__ import annotations

import warnings
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa

from lifelog.settings.windows import Cohort, Extraction, Modality, Recordings
from lifelog.windows.csvfile import numbers, read_csv
from lifelog.windows.layout import SAFE_NAME, BadInput, Label, Samples, Session, users_by_name

KEYS = ["user", "start", "end"]
RESERVED = {"session"}  # columns of the windows table besides the keys
MAX_INTERVAL = 366 * 24 * 3600  # seconds; a longer interval has a mistyped digit
HEAD = 2  # rows before the samples: start and rate


def find_users(root: Path, cohort: Cohort) -> dict[str, Path]:
    """Return folders with CSV files, and the users of the label table that have none."""
    folders = {path.name: path for path in root.iterdir() if path.is_dir() and any(path.glob("*.csv"))}
    for user in _intervals(root / cohort.labels).user.unique():
        folders.setdefault(user, root / user)
    return users_by_name(list(folders.values()))


def label_files(folder: Path, cohort: Cohort) -> list[Path]:
    """Return the label table of all users."""
    return [folder.parent / cohort.labels]


def open_sessions(
    user: str, folder: Path, recordings: Recordings, extraction: Extraction
) -> tuple[pa.Schema, Iterator[Session]]:
    """Return the user's only session; its name is the start of the first labelled window."""
    intervals = _intervals(folder.parent / recordings.labels)
    columns = [name for name in intervals.columns if name not in KEYS]
    numeric = [name for name in columns if pd.api.types.is_numeric_dtype(intervals[name])]
    schema = pa.schema([(name, pa.float64() if name in numeric else pa.string()) for name in columns])
    own = intervals[intervals.user == user]
    return schema, iter([EmpaticaSession(folder, _labels(own, columns, extraction), extraction)])


class EmpaticaSession(Session):
    """A user's export; a recording is read whole on first use."""

    def __init__(self, folder: Path, labels: list[Label], extraction: Extraction) -> None:
        notes = [] if labels else [BadInput("no labels", f"{folder}: no labelled interval for this user")]
        super().__init__(str(labels[0].start) if labels else "", labels, notes)
        self.folder, self.seconds = folder, extraction.seconds
        self._recordings: dict[str, Samples | BadInput] = {}

    def read(self, modality: Modality, start: int) -> Samples:
        """Return the samples of a window; raise BadInput if there are none or the recording is unusable."""
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
    """Return the table of labelled intervals; raise BadInput if it is unusable, since every user depends on it."""
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("error", pd.errors.ParserWarning)  # a row with more fields than the header
            frame = pd.read_csv(path, dtype={"user": str}, index_col=False)
        missing = [name for name in KEYS if name not in frame.columns]
        if missing:
            raise ValueError(f"line 1: no column {missing[0]!r}; the header is {list(frame.columns)}")
        unusable = [name for name in frame.columns if name in RESERVED or name.startswith("Unnamed:")]
        if unusable:
            raise ValueError(f"line 1: {unusable[0]!r} cannot be the name of a label column; rename it")
        _refuse(frame.user.isna(), "the user is missing")
        unsafe = ~frame.user.astype(str).str.fullmatch(SAFE_NAME.pattern)
        _refuse(unsafe, "the user {!r} may hold only letters, digits, '_' and '-'", frame.user)
        for name in ("start", "end"):
            numbers = pd.to_numeric(frame[name], errors="coerce")
            _refuse(~np.isfinite(numbers), f"{name} is {{!r}}; expected unix seconds", frame[name])
            frame[name] = numbers
        _refuse(frame.end - frame.start > MAX_INTERVAL, "the interval is longer than a year")
        _refuse(frame.end <= frame.start, "the interval ends before it starts")
    except (OSError, ValueError, pd.errors.ParserWarning) as error:
        raise BadInput("label table cannot be used", f"{path} (cohort.labels): {error}") from None
    return frame


def _refuse(wrong: pd.Series, message: str, values: pd.Series | None = None) -> None:
    """Raise ValueError with the line of the first wrong row, and its value in the message."""
    if wrong.any():
        row = int(wrong.to_numpy(dtype=bool).argmax())
        raise ValueError(f"line {row + 2}: " + message.format(None if values is None else values[row]))


def _labels(intervals: pd.DataFrame, columns: list[str], extraction: Extraction) -> list[Label]:
    """Return every window that a labelled interval overlaps, with its label or the reason why it has none."""
    width = extraction.seconds
    shares: dict[int, dict[tuple[Any, ...], float]] = {}
    for first, last, *value in intervals[["start", "end", *columns]].itertuples(index=False, name=None):
        for start in range(int(first // width) * width, int(np.ceil(last)), width):
            covered = min(start + width, last) - max(start, first)
            if covered > 0:
                share = shares.setdefault(start, {})
                share[tuple(value)] = share.get(tuple(value), 0) + covered
    labels = []
    for start, share in sorted(shares.items()):
        value, covered = max(share.items(), key=lambda item: (item[1], _rank(item[0])))
        values = {name: None if pd.isna(item) else item for name, item in zip(columns, value, strict=True)}
        fault = None
        if sum(share.values()) < width:
            fault = BadInput("window not fully labelled", f"{sum(share.values()):g} of {width} s have a label")
        elif covered < extraction.purity * width:
            detail = f"the main label covers {covered:g} of {width} s, purity {extraction.purity}"
            fault = BadInput("mixed labels", detail)
        labels.append(Label(start, values, fault))
    return labels


def _rank(value: tuple[Any, ...]) -> tuple[list[float], list[str]]:
    """Return the sort key of labels with the same share: numbers first, then text."""
    numbers = [item for item in value if isinstance(item, (int, float))]
    return (numbers, [str(item) for item in value])


def _read_recording(path: Path, modality: Modality) -> Samples:
    """Read a whole file; seconds are unix seconds."""
    table = read_csv(path, HEAD)
    if table.num_columns != modality.channels:
        raise BadInput("wrong columns", f"{path}: {table.num_columns} columns, {modality.columns} expected")
    values = numbers(table, table.column_names, path, HEAD)
    try:
        with path.open(encoding="utf-8-sig") as file:
            start, rate = (float(file.readline().split(",")[0]) for _ in range(HEAD))
        if not (np.isfinite(start) and np.isfinite(rate) and rate > 0):
            raise ValueError(f"start {start}, rate {rate}")
    except ValueError as error:  # not a number, or not text
        raise BadInput("unreadable file", f"{path} line 1 or 2: {error}") from None
    seconds = start + np.arange(len(values)) / rate
    good = np.isfinite(values).all(axis=1)
    return Samples(seconds[good], values[good])
