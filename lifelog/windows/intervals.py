"""Tables of labels as intervals of time: intervals with start and end, prompts, or one row per local day.

All values stay text, as the participant wrote them. A table that cannot be read is refused, since every participant
may depend on it.
"""

from __future__ import annotations

import csv
import functools
import hashlib
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq

from lifelog.settings.windows import LabelTable, Recordings
from lifelog.windows.layout import SAFE_NAME, BadInput, is_hidden
from lifelog.windows.times import NAMES, guess_unit, midnight, to_unix, wrong_unit

RESERVED = {"session", "start", "user", "label_rows"}  # columns of the windows table
MAX_INTERVAL = 366 * 24 * 3600  # seconds; a longer interval has a mistyped digit


@dataclass(frozen=True)
class Interval:
    """A row of a label table: start and end (exclusive) in unix seconds, label by column, and `file:line`."""

    start: int
    end: int
    values: Mapping[str, str | None]
    row: str


@dataclass
class Intervals:
    """The label tables of a cohort.

    Attributes
    ----------
    columns : dict of str to int
        The label columns, with the number of the table that holds them.
    users : dict of str to list of Interval
        The rows of each user, in the order of tables and lines.
    problems : list of str
        Unusable rows, with file, line, cause and remedy.
    faulty : set of str
        The users of these rows.
    """

    columns: dict[str, int] = field(default_factory=dict)
    users: dict[str, list[Interval]] = field(default_factory=dict)
    problems: list[str] = field(default_factory=list)
    faulty: set[str] = field(default_factory=set)

    def files(self, user: str) -> dict[str, str | None]:
        """Return the file of each label column, as in the rows of a user; None if all columns are in one file."""
        if len(set(self.columns.values())) < 2:
            return dict.fromkeys(self.columns)
        own: dict[str, set[str]] = {column: set() for column in self.columns}
        for row in self.users.get(user, []):
            for column in row.values:
                own[column].add(row.row.rpartition(":")[0])
        # The rows of a column in several files are not distinguished: all rows then count.
        return {column: min(files, default="") if len(files) < 2 else None for column, files in own.items()}

    def digest(self, user: str) -> str:
        """Return a digest of a user's rows; other users' rows do not change it."""
        rows = [(row.start, row.end, sorted(row.values.items())) for row in self.users.get(user, [])]
        return hashlib.sha256(repr(rows).encode()).hexdigest()[:16]


def read_intervals(root: Path, recordings: Recordings, strict: bool = True, user: str | None = None) -> Intervals:
    """Read the label tables of a cohort.

    Parameters
    ----------
    root : Path
        Folder of the raw recordings.
    recordings : Recordings
        The label tables, and the time zones of the participants.
    strict : bool, default True
        Whether to raise for unusable rows, rather than to return their problems.
    user : str, optional
        The only user whose unusable rows are raised; local times of others may need another time zone.

    Returns
    -------
    Intervals
        The rows of all users.

    Raises
    ------
    BadInput
        If a table is missing or unusable, or has unusable rows; the message has file, line, cause and remedy.
    """
    files = [path for table in recordings.labels for path, _ in _files(root, table) if path.exists()]
    state = tuple((str(path), path.stat().st_mtime_ns, path.stat().st_size) for path in files)
    found = _read_all(root, recordings.model_dump_json(include={"labels", "timezone", "timezones"}), state)
    if strict and (found.problems if user is None else user in found.faulty):
        raise BadInput("label table cannot be used", "; ".join(found.problems))
    return found


@functools.lru_cache(maxsize=2)  # the users of a cohort and the changes of each user depend on the same tables
def _read_all(root: Path, settings: str, state: tuple[tuple[str, int, int], ...]) -> Intervals:
    recordings = Recordings.model_validate_json(settings)
    found = Intervals()
    for number, table in enumerate(recordings.labels):
        for path, user in _files(root, table):
            try:
                rows, problems, faulty = _read_table(path, user, table, recordings, path.relative_to(root).as_posix())
            except (OSError, ValueError, csv.Error, pa.ArrowException) as error:
                if isinstance(error, BadInput):
                    raise
                cause = "not UTF-8 text; save it as UTF-8" if isinstance(error, UnicodeDecodeError) else error
                raise BadInput("label table cannot be used", f"{path} (cohort.labels): {cause}") from None
            found.problems += problems
            found.faulty |= faulty
            for name, row in rows:
                found.users.setdefault(name, []).append(row)
                for column in row.values:
                    if found.columns.setdefault(column, number) != number:
                        raise BadInput(
                            "label table cannot be used",
                            f"{path} (cohort.labels): the column {column!r} is in two label tables; name the columns "
                            "to read (columns)",
                        )
    return found


def _files(root: Path, table: LabelTable) -> list[tuple[Path, str | None]]:
    """Return the files of a label table, with the user that the path names."""
    return [(path, user) for path, user, _ in matching_files(root, table.file)] or [(root / table.file, None)]


def matching_files(root: Path, pattern: str, **fixed: str) -> list[tuple[Path, str | None, dict[str, str]]]:
    """Return the files below `root` that match a path pattern, with the user and other names in the path.

    Hidden files and folders are skipped.
    """
    for name, value in fixed.items():
        pattern = pattern.replace(f"{{{name}}}", value)
    if not set("{*") & set(pattern):
        path = root / pattern
        return [(path, None, {})] if path.exists() else []
    parts = re.split(r"(\{\w+\})", pattern)
    seen: set[str] = set()
    regex = ""
    for part in parts:
        name = part.strip("{}")
        if part.startswith("{"):
            regex += f"(?P={name})" if name in seen else f"(?P<{name}>[^/]+?)"
            seen.add(name)
        else:
            regex += re.escape(part).replace(r"\*\*/", "(?:.*/)?").replace(r"\*", "[^/]*")
    found = []
    for path in sorted(root.glob(re.sub(r"\{\w+\}", "*", pattern))):
        relative = path.relative_to(root)
        match = re.fullmatch(regex, relative.as_posix())
        if match and not any(is_hidden(part) for part in relative.parts):
            names = match.groupdict()
            found.append((path, names.pop("user", None), names))
    return found


def _read_table(
    path: Path, user: str | None, table: LabelTable, recordings: Recordings, name: str
) -> tuple[list[tuple[str, Interval]], list[str], set[str]]:
    """Return the rows of a table with their users, and the problems of other rows with theirs."""
    frame, lines = read_text_table(path, table.separator)
    keys = [key for key in (table.user, table.time, table.end) if key]
    columns = table.columns or [column for column in frame if column not in keys]
    _check_header(frame, [*keys, *columns], columns, table)
    users = (
        frame[table.user].fillna("").astype(str).str.strip()
        if table.user
        else pd.Series([user] * len(frame), dtype=object)
    )
    zones = {who: table.zone or recordings.zone(who) for who in users.unique()}
    starts, faults = _times(frame[table.time], table, users, zones)
    if table.end:
        ends, more = _times(frame[table.end], table, users, zones)
        faults = {**more, **faults}
    elif table.lasts == "day":
        days = [(np.nan, np.nan) if i in faults else _day(starts[i], zones[users[i]]) for i in range(len(frame))]
        starts, ends = np.array(days, dtype=float).reshape(-1, 2).T
    elif table.before:
        starts, ends = starts - table.before, starts
    else:
        ends = starts + (table.lasts or 0)
    values = {column: _texts(frame[column], table.decimal) for column in columns}
    rows = []
    for i, who in enumerate(users):
        if i not in faults and (problem := _fault(str(who), starts[i], ends[i])):
            faults[i] = problem
        if i not in faults:
            labels = {column: texts[i] for column, texts in values.items()}
            rows.append((str(who), Interval(int(starts[i]), int(ends[i]), labels, f"{name}:{lines[i]}")))
    return rows, _summary(path, faults, lines), {str(users[i]) for i in faults}


def _fault(user: str, start: float, end: float) -> str | None:
    """Return what is wrong with a row, or None."""
    if not user:
        return "the user is missing"
    if not SAFE_NAME.fullmatch(user):
        return f"the user {user!r} may hold only letters, digits, '_' and '-'"
    if end <= start:
        return "the interval ends before it starts"
    return "the interval is longer than a year" if end - start > MAX_INTERVAL else None


def _summary(path: Path, faults: dict[int, str], lines: Any) -> list[str]:
    """Return one line per kind of problem: the first row with it, and the number of rows."""
    kinds: dict[str, list[int]] = {}
    for i in sorted(faults):
        kinds.setdefault(re.sub(r"'[^']*'", "", faults[i]), []).append(i)
    return [
        f"{path} (cohort.labels): line {lines[rows[0]]}: {faults[rows[0]]}"
        + (f" ({len(rows)} rows)" if len(rows) > 1 else "")
        for rows in kinds.values()
    ]


def read_text_table(path: Path, separator: str = ",") -> tuple[pd.DataFrame, Any]:
    """Read a CSV or Parquet table of labels.

    Parameters
    ----------
    path : Path
        The file.
    separator : str, default ","
        Separator of CSV columns.

    Returns
    -------
    table : pandas.DataFrame
        The cells of a CSV file are text; those of a Parquet file have their types.
    lines : ndarray of int, shape (n_rows,)
        The line of each row in the file.

    Raises
    ------
    ValueError
        If a line has another number of fields than the header.
    """
    if path.suffix.lower() == ".parquet":
        table = pq.read_table(path)
        return table.to_pandas(), np.arange(1, table.num_rows + 1)
    with path.open(newline="", encoding="utf-8-sig") as file:
        reader = csv.reader(file, delimiter=separator, skipinitialspace=True, strict=True)
        header = [name.strip() for name in next(reader, [])]
        cells, lines = [], []
        for fields in reader:
            if not any(field.strip() for field in fields):
                continue
            if len(fields) != len(header):
                raise ValueError(f"line {reader.line_num}: {len(fields)} fields, {len(header)} expected")
            cells.append(fields)
            lines.append(reader.line_num)
    twice = [name for name in header if header.count(name) > 1]
    if twice:
        raise ValueError(f"line 1: the column {twice[0]!r} occurs twice; rename one")
    return pd.DataFrame(cells, columns=header, dtype=object), np.array(lines, dtype=int)


def _check_header(frame: pd.DataFrame, needed: list[str], columns: list[str], table: LabelTable) -> None:
    header = [str(name) for name in frame.columns]
    for name in needed:
        if name not in header:
            other = (
                [sign for sign in (";", "\t", "|", ",") if sign != table.separator and sign in header[0]]
                if header
                else []
            )
            hint = f"; set separator: {other[0]!r}" if len(header) == 1 and other else ""
            raise ValueError(f"line 1: no column {name!r}; the header is {header}{hint}")
    for name in columns:
        if name in RESERVED or not name:
            raise ValueError(
                f"line 1: {name!r} cannot be the name of a label column; rename it, or name the columns to read"
            )
    if not columns:
        raise ValueError(f"line 1: no label column; the header is {header}")


def _texts(column: pd.Series, decimal: str) -> list[str | None]:
    """Return labels as text; an empty cell is a missing answer."""
    texts = ["" if _is_missing(cell) else str(cell).strip() for cell in column]
    if decimal == ",":
        texts = [re.sub(r"^([+-]?\d*),(\d+)$", r"\1.\2", text) for text in texts]
    return [text or None for text in texts]


def _is_missing(cell: object) -> bool:
    return cell is None or bool(pd.api.types.is_scalar(cell) and pd.isna(cell))


def _day(seconds: float, zone: str) -> tuple[int, int]:
    """Return start and end of the local day of a time."""
    start = midnight(seconds, zone)
    return start, midnight(start, zone, 1)


def _times(column: pd.Series, table: LabelTable, users: pd.Series, zones: dict[str, str]) -> tuple[Any, dict[int, str]]:
    """Return times in whole unix seconds, and the problem of each unusable one by row."""
    seconds = np.full(len(column), np.nan)
    for zone in dict.fromkeys(zones.values()):
        own = users.map(zones).to_numpy() == zone
        seconds[own] = to_unix(column[own], table.unit, zone)
    faults = {}
    for i, (time, cell) in enumerate(zip(seconds, column, strict=True)):
        wrong = wrong_unit(time, table.unit) if np.isfinite(time) else None
        if wrong:
            faults[i] = f"{column.name} is {cell!r}, which {wrong}"
        elif not np.isfinite(time):
            faults[i] = f"{column.name} is {cell!r}; expected {_expected(column, table.unit)}"
    return np.rint(seconds), faults


def _expected(column: pd.Series, unit: str) -> str:
    """Return the times that a unit stands for, and another unit if the column fits it."""
    guess = None if unit in NAMES else guess_unit(column)
    if guess:
        return f"the format {unit!r}, but these are unix {NAMES[guess]}; set unit: {guess}"
    if unit in NAMES:
        return f'unix {NAMES[unit]}; for dates and times set unit: iso, or a format such as "%d.%m.%Y %H:%M"'
    return f"{'ISO 8601' if unit == 'iso' else unit}, and a local time that occurs once"
