"""Tables of labels as intervals of time: intervals with start and end, prompts, or one row per local day.

All values stay text, as the participant wrote them. A table that cannot be read is refused, since every participant
may depend on it.
"""

import csv
import functools
import hashlib
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from itertools import compress
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa

from lifelog.arrays import Bools
from lifelog.settings.levels import matches
from lifelog.settings.tables import LabelTable, Table
from lifelog.settings.windows import Recordings
from lifelog.windows.files import RawFile, matching_files, matching_members
from lifelog.windows.layout import SAFE_NAME, BadInput
from lifelog.windows.rows import read_text_table
from lifelog.windows.times import NAMES, guess_unit, local_days, other_offset, times_of, to_unix, wrong_unit

UNSAFE = "may hold only letters of English, digits, '_' and '-'"
RESERVED = {"session", "start", "user", "label_rows"}  # columns of the windows table
SOME_NEAR = 0.05  # share of answers that follow the one before within `before`, from which it is too long
LONG_PHASE, LONG_FACTOR = 6 * 3600, 10  # seconds, and times the median: a phase that probably ended before
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
    lost : dict of str to list of BadInput
        Rows of each user whose local time occurs twice or never, when the clocks change: they cost only themselves.
    doubts : list of str
        Rows that are read but are probably not meant so, with file, line, cause and remedy.
    """

    columns: dict[str, int] = field(default_factory=dict)
    users: dict[str, list[Interval]] = field(default_factory=dict)
    problems: list[str] = field(default_factory=list)
    faulty: set[str] = field(default_factory=set)
    lost: dict[str, list[BadInput]] = field(default_factory=dict)
    doubts: list[str] = field(default_factory=list)

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
    paths = {file.path for table in recordings.labels for file, _, _ in _files(root, table)}
    paths |= {root / table.since.file for table in recordings.labels if table.since}
    states = [(str(path), path.stat()) for path in sorted(paths) if path.exists()]
    state = tuple((path, status.st_mtime_ns, status.st_size) for path, status in states)
    intervals = _read_all(root, recordings.model_dump_json(include={"labels", "timezone", "timezones"}), state)
    if strict and (intervals.problems if user is None else user in intervals.faulty):
        raise BadInput("label table cannot be used", "; ".join(intervals.problems))
    return intervals


@functools.lru_cache(maxsize=2)  # the users of a cohort and the changes of each user depend on the same tables
def _read_all(root: Path, settings: str, state: tuple[tuple[str, int, int], ...]) -> Intervals:
    recordings = Recordings.model_validate_json(settings)
    intervals = Intervals()
    for number, table in enumerate(recordings.labels):
        for file, user, of_path in _files(root, table):
            try:
                _read_table(intervals, file, user, of_path, number, recordings, root)
            except BadInput as problem:
                if problem.reason == "no file":
                    hint = "cohort.labels; for recordings without labels, which a bundle scores: labels: []"
                    raise BadInput("no file", f"{problem.detail} ({hint})") from None
                raise
            except (OSError, ValueError, csv.Error, pa.ArrowException) as error:
                raise BadInput("label table cannot be used", f"{file} (cohort.labels): {error}") from None
    return intervals


def _files(root: Path, table: LabelTable) -> list[tuple[RawFile, str | None, dict[str, str]]]:
    """Return the files of a label table, with the user and the labels that the path names."""
    files = [(RawFile(path), user, names) for path, user, names in matching_files(root, table.file)]
    return files + matching_members(root, table.file) or [(RawFile(root / table.file), None, {})]


def _origins(root: Path, table: LabelTable, recordings: Recordings) -> dict[str, float] | None:
    """Return the time from which the times of each user count, in unix seconds; None for times of their own."""
    if table.since is None:
        return None
    file, since = RawFile(root / table.since.file), table.since
    frame, _ = read_text_table(file, since)
    _check_header(frame, [key for key in (since.user, since.time, since.clock) if key], [since.time], since)
    users = frame[since.user].astype(str).str.strip()
    zones = {user: since.zone or recordings.zone(user) for user in users}
    return dict(zip(users, _unix(times_of(frame, since), since.unit, users, zones), strict=True))


def _read_table(
    intervals: Intervals,
    file: RawFile,
    user: str | None,
    of_path: dict[str, str],
    number: int,
    recordings: Recordings,
    root: Path,
) -> None:
    """Add the rows of a label table with their users, and the problems of unusable rows with theirs."""
    table = recordings.labels[number]
    frame, lines = read_text_table(file, table, table.header)
    if table.lasts == "file":
        _add_span(intervals, frame, _place(file, root), str(user), of_path, number, recordings)
        return
    keys = [key for key in (table.user, table.time, table.clock, table.end) if key]
    if twice := [name for name in of_path if name in frame]:
        raise ValueError(f"line 1: {twice[0]!r} is a column of the file and a name in its path; rename one")
    frame = frame.assign(**of_path)
    # A column without a name is the index that `DataFrame.to_csv` writes.
    given = table.columns or [column for column in frame if column and column not in keys]
    columns = [*given, table.count] if table.count else given
    _check_header(frame, [*keys, *given], columns, table)
    texts = {column: _texts(frame[column], table) for column in given}
    frame = frame.assign(**{table.time: times_of(frame, table)})
    # A prompt that nobody answered has neither a time nor an answer.
    asked = ~_is_blank(frame[table.time])
    for cells in texts.values():
        asked |= np.array([cell is not None for cell in cells], dtype=bool)
    frame, lines = frame[asked].reset_index(drop=True), lines[asked]
    texts = {column: list(compress(cells, asked)) for column, cells in texts.items()}
    users = pd.Series([user] * len(frame), dtype=object)
    if table.user:
        users = frame[table.user].fillna("").astype(str).str.strip()
    if table.count:
        texts[table.count] = [str(number) for number in users.groupby(users).cumcount() + 1]
    zones = {who: table.zone or recordings.zone(who) for who in users.unique()}
    origins = _origins(root, table, recordings)
    starts, faults, unclear = _times(frame[table.time], table, users, zones, origins)
    if table.end:
        ends, more, unclear_ends = _times(frame[table.end], table, users, zones, origins)
        faults, unclear = {**more, **faults}, {**unclear_ends, **unclear}
    else:
        starts, ends = _ends(starts, table, users, zones, frame[table.time])
    for who, rows in users.groupby(users).indices.items() if table.unit == "iso" else ():
        offset = other_offset(frame[table.time].iloc[rows], starts[rows], zones[str(who)])
        if offset:
            known = (
                f"the times of {str(who)!r} have the offset {offset}, which {zones[str(who)]} has not at these times"
            )
            intervals.doubts.append(f"{file} (cohort.labels): {known}: check cohort.timezone")
            break
    place = _place(file, root)
    for i, who in enumerate(map(str, users)):
        if i in unclear and i not in faults and SAFE_NAME.fullmatch(who):
            intervals.lost.setdefault(who, []).append(
                BadInput("ambiguous local time", f"{place}:{lines[i]}: {unclear[i]}")
            )
            continue
        if np.isinf(ends[i]):  # the last row of a table without ends
            continue
        fault = faults.get(i) or _fault(who, starts[i], ends[i])
        if fault:
            faults[i] = fault
            continue
        values = {column: cells[i] for column, cells in texts.items()}
        row = Interval(int(starts[i]), int(ends[i]), values, f"{place}:{lines[i]}")
        intervals.users.setdefault(who, []).append(row)
        for column in columns:
            if intervals.columns.setdefault(column, number) != number:
                raise ValueError(f"the column {column!r} is in two label tables; name the columns to read (columns)")
    intervals.problems += _summary(file, faults, lines)
    intervals.doubts += _summary(file, unclear, lines)
    intervals.doubts += [f"{file} (cohort.labels): {doubt}" for doubt in _doubts(starts, ends, table, users, lines)]
    intervals.faulty |= {str(users[i]) for i in faults}


def _place(file: RawFile, root: Path) -> str:
    """Return the path of a file below the root, for the rows of labels."""
    return "/".join(filter(None, [file.path.relative_to(root).as_posix(), file.member]))


def _add_span(
    intervals: Intervals,
    frame: pd.DataFrame,
    place: str,
    user: str,
    of_path: dict[str, str],
    number: int,
    recordings: Recordings,
) -> None:
    """Add the time from the first to the last row of a file, with the labels of its path; a faulty file is lost."""
    table = recordings.labels[number]
    _check_header(frame, [key for key in (table.time, table.clock) if key], list(of_path), table)
    column = times_of(frame, table)
    column = column[~_is_blank(column)].reset_index(drop=True)
    users, zone = pd.Series([user] * len(column), dtype=object), table.zone or recordings.zone(user)
    seconds, faults, _ = _times(column, table, users, {user: zone}, None)
    times = np.unique(seconds[np.isfinite(seconds)])
    if faults or len(times) < 2 or not SAFE_NAME.fullmatch(user):
        cause = next(iter(faults.values()), "" if len(times) < 2 else f"the user {user!r} {UNSAFE}")
        lost = BadInput("label file cannot be used", f"{place}: {cause or f'{len(times)} times, two or more expected'}")
        intervals.lost.setdefault(user, []).append(lost)
        intervals.doubts.append(f"{place} (cohort.labels): {lost.detail.partition(': ')[2]}")
        return
    end = int(times[-1]) + max(
        1, round(float(np.median(np.diff(times))))
    )  # the last sample lasts as long as the others
    intervals.users.setdefault(user, []).append(Interval(int(times[0]), end, of_path, place))
    intervals.columns |= dict.fromkeys(of_path, number)


def _ends(starts: Any, table: LabelTable, users: pd.Series, zones: dict[str, str], times: pd.Series) -> tuple[Any, Any]:
    """Return start and end of the time that each row of a table without ends describes."""
    if table.before:
        return starts - table.before, starts
    if table.lasts == "day":
        days = np.full((2, len(starts)), np.nan)
        for who, rows in users.groupby(users).indices.items():
            days[:, rows] = local_days(times.iloc[rows], table.unit, zones[str(who)], starts[rows], table.lag)
        return days[0], days[1]
    if table.lasts == "next":
        ends = np.full(len(starts), np.inf)
        for rows in users.groupby(users).indices.values():
            times = np.append(np.unique(starts[rows][np.isfinite(starts[rows])]), np.inf)
            ends[rows] = times[np.minimum(np.searchsorted(times, starts[rows], side="right"), len(times) - 1)]
        return starts, ends
    return starts, starts + (table.lasts or 0)


def _doubts(starts: Any, ends: Any, table: LabelTable, users: pd.Series, lines: Any) -> Iterator[str]:
    """Yield what is probably not meant: phases that last over night, and look-backs that overlap."""
    lengths = ends - starts
    known = np.isfinite(lengths)
    if table.lasts == "next" and known.any():
        usual = float(np.median(lengths[known]))
        long = np.flatnonzero(known & (lengths > max(LONG_PHASE, LONG_FACTOR * usual)))
        if len(long):
            phase = f"the phase of line {lines[long[0]]} lasts {lengths[long[0]] / 3600:.1f} h"
            others = f", and {len(long) - 1} more are as long" if len(long) > 1 else ""
            yield f"{phase}{others}; the median is {usual / 60:.0f} min: add a row where it ends"
    if table.before:
        ordered = pd.DataFrame({"user": users, "end": ends}).dropna().sort_values(["user", "end"], kind="stable")
        gaps = ordered.groupby("user").end.diff().dropna()
        near = gaps[(gaps > 0) & (gaps < table.before)]
        if len(near) > SOME_NEAR * len(ordered):
            found = (
                f"{len(near)} of {len(ordered)} answers are less than {table.before} s (before) after the one before"
            )
            yield f"{found}; where they differ, the common time has no label: set before: {int(near.quantile(0.1))}"


def _fault(user: str, start: float, end: float) -> str | None:
    """Return what is wrong with a row, or None."""
    if not user:
        return "the user is missing"
    if not SAFE_NAME.fullmatch(user):
        return f"the user {user!r} {UNSAFE}"
    if end <= start:
        return "the interval ends before it starts"
    return "the interval is longer than a year" if end - start > MAX_INTERVAL else None


def _summary(file: RawFile, faults: dict[int, str], lines: Any) -> list[str]:
    """Return one line per kind of problem: the first row with it, and the number of rows."""
    kinds: dict[str, list[int]] = {}
    for i in sorted(faults):
        kinds.setdefault(re.sub(r"'[^']*'", "", faults[i]), []).append(i)
    problems = []
    for first, *others in kinds.values():
        count = f" ({1 + len(others)} rows)" if others else ""
        if UNSAFE in faults[first]:
            names = sorted({faults[i].partition(" may hold")[0].removeprefix("the user ") for i in (first, *others)})
            count += f"; such names: {', '.join(names)}; rename them in all tables and files" if len(names) > 1 else ""
        problems.append(f"{file} (cohort.labels): line {lines[first]}: {faults[first]}{count}")
    return problems


def _check_header(frame: pd.DataFrame, needed: list[str], columns: list[str], table: Table) -> None:
    header = [str(name) for name in frame.columns]
    for name in needed:
        if name not in header:
            signs = [sign for sign in ";\t|," if len(header) == 1 and sign != table.separator and sign in header[0]]
            hint = f"; set separator: {signs[0]!r}" if signs else ""
            raise ValueError(f"line {table.skip + 1}: no column {name!r}; the header is {header}{hint}")
    for name in columns:
        if name in RESERVED:
            remedy = "rename it, or name the columns to read"
            raise ValueError(f"line 1: {name!r} cannot be the name of a label column; {remedy}")
    if not columns:
        raise ValueError(f"line 1: no label column; the header is {header}")


def _is_blank(column: pd.Series) -> Bools:
    """Return which cells are empty."""
    return np.array(column.isna() | (column.astype(str).str.strip() == ""))


def _texts(column: pd.Series, table: LabelTable) -> list[str | None]:
    """Return labels as text; None for a missing answer."""
    texts = ["" if missing else str(cell).strip() for cell, missing in zip(column, column.isna(), strict=True)]
    if table.decimal == ",":
        texts = [re.sub(r"^([+-]?\d*),(\d+)$", r"\1.\2", text) for text in texts]
    known = {text: text and not matches(text, table.missing) for text in set(texts)} if table.missing else {}
    return [text if known.get(text, bool(text)) else None for text in texts]


def _times(
    column: pd.Series, table: LabelTable, users: pd.Series, zones: dict[str, str], origins: dict[str, float] | None
) -> tuple[Any, dict[int, str], dict[int, str]]:
    """Return times in whole unix seconds, and by row the problem of unusable ones and of unclear local times."""
    seconds = _unix(column, table.unit, users, zones)
    if origins is not None:
        seconds = seconds + users.map(origins).to_numpy(dtype=float)
    faults, unclear = {}, {}
    # In UTC, every local time occurs once.
    in_utc = (
        _unix(column, table.unit, users, dict.fromkeys(users, "UTC")) if not np.isfinite(seconds).all() else seconds
    )
    for i, (time, cell) in enumerate(zip(seconds, column, strict=True)):
        wrong = wrong_unit(time, table.unit) if np.isfinite(time) else None
        if wrong:
            faults[i] = f"{column.name} is {cell!r}, which {wrong}"
        elif origins is not None and not np.isfinite(origins.get(users[i], np.nan)):
            faults[i] = f"{table.since and table.since.file} has no usable time for the user {users[i]!r}"
        elif not np.isfinite(time) and np.isfinite(in_utc[i]):
            zone = zones[users[i]]
            unclear[i] = (
                f"{column.name} is {cell!r}, which occurs twice or never in {zone}, since the clocks change; "
                "the row is left out: write times with an offset, such as -04:00"
            )
        elif not np.isfinite(time):
            faults[i] = f"{column.name} is {cell!r}; expected {_expected(column, table.unit)}"
    return np.rint(seconds), faults, unclear


def _unix(column: pd.Series, unit: str, users: pd.Series, zones: dict[str, str]) -> Any:
    """Return times in unix seconds, read in the time zones of their users."""
    seconds = np.full(len(column), np.nan)
    for zone in dict.fromkeys(zones.values()):
        in_zone = users.map(zones).to_numpy() == zone
        seconds[in_zone] = to_unix(column[in_zone], unit, zone)
    return seconds


def _expected(column: pd.Series, unit: str) -> str:
    """Return the times that a unit stands for, and another unit if the column fits it."""
    guess = None if unit in NAMES else guess_unit(column)
    if guess:
        return f"the format {unit!r}, but these are unix {NAMES[guess]}; set unit: {guess}"
    if unit in NAMES:
        return f'unix {NAMES[unit]}; for dates and times set unit: iso, or a format such as "%d.%m.%Y %H:%M"'
    return "ISO 8601" if unit == "iso" else f"the format {unit!r}"
