"""ETRI lifelog 2018-2020: one folder a user, one a session, one CSV a modality and minute, one label file a session.

    <root>/.../<user>/<session>/<modality>/<minute>.csv     timestamp (seconds since the minute), channels
    <root>/.../<user>/<session>/<session>_label.csv         ts, action, ..., emotionPositive, emotionTension, activity

Session and minute are unix seconds. The 2019 data unpack into a folder of that name, and 2020 nests users in folders
such as `user01-06`; users are therefore searched down to three levels below the root.
"""

import csv
import hashlib
import os
import re
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from lifelog.settings.windows import Extraction, Modality, Recordings
from lifelog.windows.csvfile import MAX_MINUTE_BYTES, missing_column, numbers, read_csv, read_together
from lifelog.windows.layout import BadInput, Label, RawSamples, Session, is_hidden, users_by_name
from lifelog.windows.layout import fingerprint as files_of

USER = re.compile(r"(user)?\d{1,3}")
STAMP = re.compile(r"\d{9,10}")
READ_TOGETHER = 64  # minutes whose files are parsed at once: about 19 MB with all modalities
SCALES = ("emotionPositive", "emotionTension")
TEXTS = (
    *("action", "actionOption", "actionSub", "actionSubOption", "condition", "conditionSub1Option"),
    *("conditionSub2Option", "place", "activity"),
)
LABELS = [*TEXTS, *SCALES]


def find_users(root: Path, recordings: Recordings) -> dict[str, Path]:
    """Return user folders (101, user01, ...) at most three levels below `root`."""
    users: list[Path] = []
    level = [root]
    for _ in range(3):
        entries = [path for parent in level for path in sorted(parent.iterdir())]
        folders = [path for path in entries if path.is_dir() and not is_hidden(path.name)]
        users += [path for path in folders if USER.fullmatch(path.name)]
        level = [path for path in folders if not USER.fullmatch(path.name) and not STAMP.fullmatch(path.name)]
    return users_by_name(users)


def fingerprint(user: str, folder: Path, recordings: Recordings) -> str:
    """Return number, size and latest change of the user's files, and a digest of the labels."""
    labels = hashlib.sha256()
    for path in sorted(folder.glob("*/*_label.csv")):
        if path.is_file():
            labels.update(path.name.encode() + path.read_bytes())
    return f"{files_of(folder)}, labels {labels.hexdigest()[:16]}"


def open_sessions(
    user: str, folder: Path, recordings: Recordings, extraction: Extraction
) -> tuple[list[str], Iterator[Session]]:
    """Return the sessions of a user in time order; other entries become notes of the first one."""
    labelled = bool(recordings.labels)
    return LABELS if labelled else [], _sessions(folder, labelled)


def _sessions(folder: Path, labelled: bool) -> Iterator[Session]:
    entries = sorted(folder.iterdir())
    stray = [
        BadInput("stray entry", f"{entry}: not a session folder, ignored")
        for entry in entries
        if not (entry.is_dir() and STAMP.fullmatch(entry.name)) and not is_hidden(entry.name)
    ]
    if stray:
        yield Session("", [], stray)
    folders = [entry for entry in entries if entry.is_dir() and STAMP.fullmatch(entry.name)]
    if not labelled:
        yield from (EtriSession(entry, labelled=False) for entry in folders)
        return
    sessions = [EtriSession(entry) for entry in folders]
    answers: dict[int, list[Label]] = {}
    for session in sessions:
        for label in session.labels:
            if not label.fault:
                answers.setdefault(label.start, []).append(label)
    for session in sessions:
        session.labels = [label if label.fault else _single(label, answers[label.start]) for label in session.labels]
        yield session


def _single(label: Label, answers: list[Label]) -> Label:
    """Return the label of a minute from all of its rows, without values in which they differ; others get a fault."""
    if len(answers) == 1:
        return label
    rows = ", ".join(answer.rows[LABELS[0]][0] for answer in answers)
    given = {name: sorted({str(a.values[name]) for a in answers if a.values[name] is not None}) for name in LABELS}
    doubts = tuple(
        BadInput("conflicting labels", f"{rows}: {name} is {' or '.join(texts)}")
        for name, texts in given.items()
        if len(texts) > 1
    )
    if label is not max(answers, key=lambda answer: sum(value is not None for value in answer.values.values())):
        return replace(label, fault=BadInput("duplicate label", f"{rows}: the same minute"))
    values = {name: texts[0] if len(texts) == 1 else None for name, texts in given.items()}
    if not any(values.values()):
        return replace(label, fault=doubts[0])
    lines = {name: tuple(a.rows[name][0] for a in answers if a.values[name] == value) for name, value in values.items()}
    return replace(label, values=values, rows=lines, doubts=doubts)


class EtriSession(Session):
    """A session folder; the files of a modality are parsed together for all labels of a piece."""

    def __init__(self, folder: Path, labelled: bool = True) -> None:
        self.folder = folder
        labels, notes, minutes = [], [], _recorded_minutes(folder)
        try:
            labels = _read_labels(folder / f"{folder.name}_label.csv") if labelled else _unlabelled(minutes)
        except BadInput as problem:
            notes.append(problem)
        unlabelled = minutes - {label.start for label in labels}
        if unlabelled:
            detail = f"{folder}: {len(unlabelled)} minutes, the first {min(unlabelled)}"
            notes.append(BadInput("recorded without a label", detail))
        super().__init__(folder.name, labels, notes, READ_TOGETHER)
        self._cache: dict[str, tuple[list[Label], list[str], dict[int, NDArray[np.float64]]]] = {}

    def read(self, modality: Modality, start: int, stop: int) -> RawSamples:
        """Return the samples of a minute; raise BadInput if its file is unusable."""
        source = self.folder / (modality.source or modality.name)
        if modality.name not in self._cache or self._cache[modality.name][0] is not self.labels:  # of another piece
            self._cache[modality.name] = (self.labels, *read_together(source, [label.start for label in self.labels]))
        _, header, minutes = self._cache[modality.name]
        if start in minutes:
            names = ["timestamp", *_columns(header, modality, source, start)]
            rows = minutes[start] if names == header else minutes[start][:, [header.index(name) for name in names]]
        else:
            path = source / f"{start}.csv"
            table = read_csv(path, max_bytes=MAX_MINUTE_BYTES)
            rows = numbers(table, ["timestamp", *_columns(table.column_names, modality, source, start)], path)
            rows = rows[np.isfinite(rows).all(axis=1)]
        return RawSamples(rows[:, 0], rows[:, 1:])


def _recorded_minutes(folder: Path) -> set[int]:
    """Return the minutes with a file of any modality."""
    folders = [path for path in folder.iterdir() if path.is_dir()]
    stems = {name.removesuffix(".csv") for path in folders for name in os.listdir(path)}  # noqa: PTH208 (thousands of entries)
    return {int(stem) for stem in stems if STAMP.fullmatch(stem)}


def _unlabelled(minutes: set[int]) -> list[Label]:
    """Return recorded minutes as windows without a label."""
    return [Label(minute, {}) for minute in sorted(minutes)]


def _columns(header: list[str], modality: Modality, source: Path, start: int) -> list[str]:
    """Return the modality's columns in this file; a single channel may be called x (2019)."""
    wanted = list(modality.columns)
    if len(wanted) == 1 and wanted[0] not in header and "x" in header:
        wanted = ["x"]
    problem = missing_column(header, ["timestamp", *wanted])
    if problem:
        raise BadInput("wrong columns", f"{source / f'{start}.csv'} line 1: {problem}")
    return wanted


def _read_labels(path: Path) -> list[Label]:
    """Return labels in time order.

    An unusable line is a label with a fault, so that it is counted. BadInput is raised only for a file without a
    usable header.
    """
    try:
        with path.open(newline="", encoding="utf-8-sig") as file:
            lines = list(csv.reader(file))
    except FileNotFoundError:
        raise BadInput("no label file", str(path)) from None
    except (OSError, UnicodeDecodeError, csv.Error) as error:
        raise BadInput("unreadable label file", f"{path}: {error}") from None
    header = lines[0] if lines else []
    problem = missing_column(header, ["ts", *SCALES])
    if problem:
        raise BadInput("unreadable label file", f"{path} line 1: {problem}")
    labels = [
        _label(header, cells, f"{path} line {number}", f"{path.name}:{number}")
        for number, cells in enumerate(lines[1:], start=2)
        if cells
    ]
    return sorted(labels, key=lambda label: label.start)


def _label(header: list[str], cells: list[str], where: str, line: str) -> Label:
    """Return the label of a line, with a fault if it is unusable."""
    row = dict(zip(header, cells, strict=False))
    values: dict[str, str | None] = {name: row.get(name) or None for name in LABELS}
    start = _whole_number(row.get("ts") or "", 10**11)
    if start is None:
        return Label(-1, values, BadInput("unreadable label", f"{where}: ts is {row.get('ts')!r}, not unix seconds"))
    if len(cells) != len(header):
        fault = BadInput("unreadable label", f"{where}: {len(cells)} fields, {len(header)} expected")
        return Label(start, values, fault)
    for name in SCALES:
        if row[name]:
            level = _whole_number(row[name], 100)
            if level is None:
                fault = BadInput("unreadable label", f"{where}: {name} is {row[name]!r}, not a level of the scale")
                return Label(start, values, fault)
            values[name] = str(level)
    return Label(start, values, rows=dict.fromkeys(LABELS, (line,)))


def _whole_number(text: str, limit: int) -> int | None:
    """Return a whole number such as 3 or 3.0, at least 0 and less than `limit`; None for any other text."""
    try:
        number = float(text)
    except ValueError:
        return None
    return int(number) if 0 <= number < limit and number.is_integer() else None
