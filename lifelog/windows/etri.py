"""ETRI lifelog 2018-2020: one folder a user, one a session, one CSV a modality and minute, one label file a session.

    <root>/.../<user>/<session>/<modality>/<minute>.csv     timestamp (seconds since the minute), channels
    <root>/.../<user>/<session>/<session>_label.csv         ts, action, ..., emotionPositive, emotionTension, activity

Session and minute are unix seconds. 2019 unpacks into a folder of its own name, 2020 puts users into folders such as
`user01-06`; users are therefore looked for down to three levels below the root.
"""

from __future__ import annotations

import csv
import os
import re
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from lifelog.config import Cohort, Modality, Windows
from lifelog.windows.csvfile import MINUTE_BYTES, numbers, read_alike, read_csv
from lifelog.windows.layout import BadInput, Label, Samples, Session, users_by_name

USER = re.compile(r"(user)?\d{1,3}")
STAMP = re.compile(r"\d{9,10}")
TOGETHER = 64  # minutes whose files are parsed as one: some 19 MB with all modalities
SNAKEMAKES_OWN = ".snakemake_timestamp"  # it marks folders that a rule made so
SCALES = ("emotionPositive", "emotionTension")
WORDS = (
    *("action", "actionOption", "actionSub", "actionSubOption", "condition", "conditionSub1Option"),
    *("conditionSub2Option", "place", "activity"),
)
LABELS = pa.schema([(name, pa.string()) for name in WORDS] + [(name, pa.int16()) for name in SCALES])


def find_users(root: Path, cohort: Cohort) -> dict[str, Path]:
    """User folders (101, user01, ...) at most three levels below `root`."""
    found: list[Path] = []
    level = [root]
    for _ in range(3):
        folders = [path for parent in level for path in sorted(parent.iterdir()) if path.is_dir()]
        found += [path for path in folders if USER.fullmatch(path.name)]
        level = [path for path in folders if not USER.fullmatch(path.name) and not STAMP.fullmatch(path.name)]
    return users_by_name(found)


def label_files(folder: Path, cohort: Cohort) -> list[Path]:
    """The files that hold a user's labels."""
    return sorted(folder.glob("*/*_label.csv"))


def open_sessions(user: str, folder: Path, cohort: Cohort, windows: Windows) -> tuple[pa.Schema, Iterator[Session]]:
    """The sessions of a user in the order of time; what is no session becomes a note of the first one."""
    return LABELS, _sessions(folder)


def _sessions(folder: Path) -> Iterator[Session]:
    entries = sorted(folder.iterdir())
    stray = [
        BadInput("stray entry", f"{entry}: not a session folder, passed over")
        for entry in entries
        if not (entry.is_dir() and STAMP.fullmatch(entry.name)) and entry.name != SNAKEMAKES_OWN
    ]
    if stray:
        yield Session("", [], stray)
    for entry in entries:
        if entry.is_dir() and STAMP.fullmatch(entry.name):
            yield EtriSession(entry)


class EtriSession(Session):
    """A session folder; of its labels, or those of its piece, a modality's files are parsed as one."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        try:
            labels, notes = _read_labels(folder / f"{folder.name}_label.csv"), []
        except BadInput as problem:
            labels, notes = [], [problem]
        unlabelled = _recorded(folder) - {label.start for label in labels}
        if unlabelled:
            said = f"{folder}: {len(unlabelled)} minutes, the first {min(unlabelled)}"
            notes.append(BadInput("recorded without a label", said))
        super().__init__(folder.name, labels, notes, TOGETHER)
        self.held: dict[str, tuple[list[Label], list[str], dict[int, NDArray]]] = {}

    def read(self, modality: Modality, start: int) -> Samples:
        source = self.folder / (modality.source or modality.name)
        if modality.name not in self.held or self.held[modality.name][0] is not self.labels:  # of another piece
            self.held[modality.name] = (self.labels, *read_alike(source, [label.start for label in self.labels]))
        _, found, minutes = self.held[modality.name]
        if start in minutes:
            names = ["timestamp", *_columns(found, modality, source, start)]
            rows = minutes[start] if names == found else minutes[start][:, [found.index(name) for name in names]]
        else:
            path = source / f"{start}.csv"
            table = read_csv(path, most=MINUTE_BYTES)
            rows = numbers(table, ["timestamp", *_columns(table.column_names, modality, source, start)], path)
            rows = rows[np.isfinite(rows).all(axis=1)]
        return Samples(rows[:, 0], rows[:, 1:])


def _recorded(folder: Path) -> set[int]:
    """Minutes of which there is a file of any modality."""
    folders = [path for path in folder.iterdir() if path.is_dir()]
    stems = {name.removesuffix(".csv") for path in folders for name in os.listdir(path)}  # noqa: PTH208 (many thousand)
    return {int(stem) for stem in stems if STAMP.fullmatch(stem)}


def _columns(found: list[str], modality: Modality, source: Path, start: int) -> list[str]:
    """The modality's columns as this file names them: a single channel may be called x (2019)."""
    wanted = list(modality.columns)
    if len(wanted) == 1 and wanted[0] not in found and "x" in found:
        wanted = ["x"]
    missing = [name for name in ["timestamp", *wanted] if found.count(name) != 1]
    if missing:
        raise BadInput(
            "wrong columns",
            f"{source / f'{start}.csv'} line 1: column {missing[0]!r} is not there once; found {found}",
        )
    return wanted


def _read_labels(path: Path) -> list[Label]:
    """Labelled minutes in the order of time; of minutes that stand twice the first one counts.

    A line that cannot be used is a label with a fault, so that it is counted; only a file without a usable header
    raises BadInput.
    """
    try:
        with path.open(newline="", encoding="utf-8-sig") as file:
            lines = list(csv.reader(file))
    except FileNotFoundError:
        raise BadInput("no label file", str(path)) from None
    except (OSError, UnicodeDecodeError, csv.Error) as error:
        raise BadInput("unreadable label file", f"{path}: {error}") from None
    header = lines[0] if lines else []
    missing = [name for name in ("ts", *SCALES) if header.count(name) != 1]
    if missing:
        raise BadInput(
            "unreadable label file", f"{path} line 1: column {missing[0]!r} is not there once; found {header}"
        )
    labels, seen = [], set()
    for number, cells in enumerate(lines[1:], start=2):
        if not cells:
            continue
        label = _label(header, cells, f"{path} line {number}")
        if label.fault is None and label.start in seen:
            label = Label(label.start, label.values, BadInput("duplicate label", f"{path} line {number}"))
        seen.add(label.start)
        labels.append(label)
    return sorted(labels, key=lambda label: label.start)


def _label(header: list[str], cells: list[str], where: str) -> Label:
    row = dict(zip(header, cells, strict=False))
    values: dict[str, str | int | None] = {name: row.get(name) or None for name in WORDS}
    try:
        start = _whole_number(row.get("ts") or "", 10**11)
    except ValueError:
        return Label(-1, values, BadInput("unreadable label", f"{where}: ts is {row.get('ts')!r}, not unix seconds"))
    if len(cells) != len(header):
        problem = BadInput("unreadable label", f"{where}: {len(cells)} fields, {len(header)} expected")
        return Label(start, values, problem)
    for name in SCALES:
        try:
            values[name] = _whole_number(row[name], 100) if row[name] else None
        except ValueError:
            problem = BadInput("unreadable label", f"{where}: {name} is {row[name]!r}, not a level of the scale")
            return Label(start, values, problem)
    return Label(start, values)


def _whole_number(text: str, limit: int) -> int:
    """A number such as 3 or 3.0 from 0 to below `limit`."""
    number = float(text)
    if not (0 <= number < limit and number.is_integer()):
        raise ValueError(text)
    return int(number)
