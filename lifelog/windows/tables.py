"""Tables of samples with a column of times, as CSV or Parquet: one file per participant or sensor, or one for all.

Everything is configured: `cohort.samples` for the files, the columns of users and times, and the unit of times;
`modalities` for the table and the value columns; `cohort.labels` for the labels. A session is a local day, or a week
for windows of a day.
"""

import csv
from collections.abc import Iterator, Sequence
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.csv as pacsv
import pyarrow.parquet as pq

from lifelog.settings.windows import Extraction, Modality, Recordings, Table
from lifelog.windows.csvfile import bytes_of, check_quotes, missing_column
from lifelog.windows.files import matching_files
from lifelog.windows.intervals import read_intervals
from lifelog.windows.labels import labels_of
from lifelog.windows.layout import BadInput, Label, Session, state_of, users_by_name
from lifelog.windows.streams import Daily, Irregular, Stream, StreamSession, Unreadable, by_day
from lifelog.windows.times import EARLIEST, UNITS, midnight, to_unix, wrong_unit

MOST_EARLY = 0.5  # share of rows with times of before 1973 that are left out, rather than to refuse the file
PROBES, PROBE = 16, 4096  # places of a file, and bytes at each, that are read to find its span
LISTS = (pa.types.is_list, pa.types.is_large_list)
NUMBERS = (pa.types.is_primitive, pa.types.is_null, pa.types.is_decimal)


def find_users(root: Path, recordings: Recordings) -> dict[str, Path]:
    """Return the users of the paths of tables, and of the label tables."""
    files = [file for table in recordings.samples for file in matching_files(root, table.file, source="*")]
    named, intervals = [user for _, user, _ in files if user], read_intervals(root, recordings, strict=False)
    users = users_by_name([root / user for user in dict.fromkeys([*named, *intervals.users])])
    if not users and intervals.problems:
        raise BadInput("label table cannot be used", "; ".join(intervals.problems))
    return users


def fingerprint(user: str, folder: Path, recordings: Recordings) -> str:
    """Return number, size and latest change of the tables that may hold the user, and a digest of the user's labels."""
    # The label tables of all users may match a pattern too; the digest has the rows of this user.
    labelled, states = {folder.parent / label.file for label in recordings.labels}, []
    for table in recordings.samples:
        pattern = table.file.replace("{source}", "*")
        files = [path for path, _, _ in matching_files(folder.parent, pattern, user=user)]
        states += [path.stat() for path in files if "*" not in pattern or path not in labelled]
    return f"{state_of(states)}, labels {read_intervals(folder.parent, recordings, strict=False).digest(user)}"


def recorded(user: str, folder: Path, recordings: Recordings) -> list[tuple[float, float]] | None:
    """Return the spans of the user's own tables, from rows at several places; None if a table holds several users."""
    spans, found, known = [], False, True
    for table in recordings.samples:
        for path, _, _ in matching_files(folder.parent, table.file, user=user, source="*"):
            found, span = True, None
            if table.user is None and table.carry is None:
                span = _span(path, table, table.zone or recordings.zone(user))
            spans += [span] if span else []
            known &= span is not None
    return spans if known or not found else None


def _span(path: Path, table: Table, zone: str) -> tuple[float, float] | None:
    """Return the first and last time of a CSV file among rows at several places, None if they cannot be read."""
    if path.suffix.lower() == ".parquet":
        return None
    try:
        with path.open("rb") as file:
            header = file.readline().decode("utf-8-sig").rstrip("\r\n")
            names = [name.strip() for name in next(csv.reader([header], delimiter=table.separator), [])]
            place, size, rows = names.index(table.time), path.stat().st_size, list[str]()
            for start in np.linspace(file.tell(), max(file.tell(), size - PROBE), PROBES).astype(int):
                file.seek(start)
                lines = file.read(PROBE).decode("utf-8", errors="replace").splitlines()
                whole = lines if start == len(header) + 1 or len(lines) < 2 else lines[1:]
                cells = [row for row in csv.reader(whole, delimiter=table.separator) if len(row) == len(names)]
                rows += [row[place] for row in cells[:1] + cells[-1:]]
    except (OSError, ValueError, csv.Error):
        return None
    times = to_unix(pd.Series(rows, dtype=object), table.unit, zone)
    times = times[np.isfinite(times) & (np.abs(times) >= EARLIEST)]
    return (float(times.min()), float(times.max()) + 1) if len(times) else None


def open_sessions(
    user: str, folder: Path, recordings: Recordings, extraction: Extraction
) -> tuple[list[str], Iterator[Session]]:
    """Return the label columns, and the days of a user that have labels."""
    columns, labels = labels_of(user, folder.parent, recordings, extraction)
    return columns, _sessions(user, folder.parent, recordings, labels, extraction)


def _sessions(
    user: str, root: Path, recordings: Recordings, labels: list[Label], extraction: Extraction
) -> Iterator[Session]:
    if not labels:
        yield Session("", [], [BadInput("no labels", f"no label for user {user!r}")])
    loaded: dict[str, Any] = {}  # shared by all days: each table is read once
    for day, of_day in by_day(labels, extraction.seconds, recordings.zone(user)):
        yield StreamSession(day, of_day, load=partial(_load, user, root, recordings), loaded=loaded)


def _load(user: str, root: Path, recordings: Recordings, modality: Modality) -> Sequence[Stream]:
    """Return the samples of a modality from all of its files, which are read whole."""
    table, source = recordings.table_of(modality), modality.source or modality.name
    files = matching_files(root, table.file, user=user, source=source)
    if not files:
        wanted = table.file.replace("{user}", user).replace("{source}", source)
        raise BadInput("no file", f"{root / wanted}")
    zone = table.zone or recordings.zone(user)
    parts, faults = [], list[BadInput]()
    for path, _, _ in files:
        try:
            parts.append(read_samples(path, table, modality.columns, user, zone, faults))
        except BadInput as fault:
            faults.append(fault)
    if not parts:
        raise faults[0]
    seconds = np.concatenate([part.seconds for part in parts])
    values = np.concatenate([part.values for part in parts])
    if modality.kind == "sequence" or modality.rate:  # a row without some value is a gap
        whole = np.isfinite(values).all(axis=1)
        seconds, values = seconds[whole], values[whole]
    order = np.argsort(seconds, kind="stable")
    stream: Stream = Irregular(seconds[order], values[order])
    if table.carry == "day":
        days = [[midnight(time, zone, table.lag + day) for time in seconds[order]] for day in (0, 1)]
        starts, ends = np.array(days, dtype=float).reshape(2, -1)
        stream = Daily(starts, ends, values[order])
    return [stream, *map(Unreadable, faults)]


def read_samples(
    path: Path, table: Table, columns: list[str], user: str, zone: str, faults: list[BadInput] | None = None
) -> Irregular:
    """Read the samples of a user.

    Parameters
    ----------
    path : Path
        A CSV or Parquet file.
    table : Table
        The columns of users and times, and the unit of times.
    columns : list of str
        The value columns. A column of lists gives several values at one time.
    user : str
        The user to read, if the table has a column of users.
    zone : str
        Time zone of times without an offset.
    faults : list of BadInput, optional
        Gets what is wrong with rows that are left out.

    Returns
    -------
    Irregular
        Samples in the order of the file, NaN where a value is empty. Rows without any value are left out, as are local
        times that occur twice or never, when the clocks change, and, if they are few, times that no recording has.

    Raises
    ------
    BadInput
        If the file, a column, a time or a value is unreadable.
    """
    keys = [name for name in (table.user, table.time) if name]
    try:
        read = _parquet if path.suffix.lower() == ".parquet" else _csv
        rows = read(path, table, keys, columns, user)
        stamps = rows.column(table.time).to_pandas()
        seconds = _times(stamps, table, zone, path, [] if faults is None else faults)
        if any(is_a(rows.column(name).type) for is_a in LISTS for name in columns):
            seconds, values = _flattened(rows, columns, seconds)
        else:
            values = np.stack([_numbers(rows.column(name), name, path) for name in columns], axis=1)
    except BadInput:
        raise
    except (OSError, ValueError, csv.Error, pa.ArrowException) as error:
        raise BadInput("unreadable file", f"{path}: {error}") from None
    values = np.where(np.isfinite(values), values, np.nan)
    good = ~np.isnan(values).all(axis=1) & np.isfinite(seconds)
    return Irregular(seconds[good], values[good])


def _check_columns(header: list[str], needed: list[str], path: Path) -> None:
    problem = missing_column(header, needed)
    if problem:
        hint = "; set separator" if len(header) == 1 else ""
        raise BadInput("wrong columns", f"{path} line 1: {problem}{hint}")


def _parquet(path: Path, table: Table, keys: list[str], columns: list[str], user: str) -> pa.Table:
    """Return the rows of a user, group by group of rows."""
    with pq.ParquetFile(path) as file:
        _check_columns(file.schema_arrow.names, [*keys, *columns], path)
        parts = [file.schema_arrow.empty_table().select([table.time, *columns])]
        batches = file.iter_batches(columns=[*keys, *columns])
        parts += [_of_user(pa.Table.from_batches([batch]), table, user) for batch in batches]
    return pa.concat_tables(parts)


def _csv(path: Path, table: Table, keys: list[str], columns: list[str], user: str) -> pa.Table:
    """Return the rows of a user, block by block."""
    with path.open(encoding="utf-8-sig") as file:
        line = file.readline().rstrip("\r\n")
    names = [name.strip() for name in next(csv.reader([line], delimiter=table.separator, strict=True), [])]
    _check_columns(names, [*keys, *columns], path)
    check_quotes(bytes_of(path), path, table.separator)
    types = {name: pa.string() for name in keys} | {name: pa.float64() for name in columns}
    options = pacsv.ConvertOptions(
        column_types=types, include_columns=[*keys, *columns], decimal_point=table.decimal, strings_can_be_null=False
    )
    parse = pacsv.ParseOptions(delimiter=table.separator)
    read = pacsv.ReadOptions(use_threads=False, column_names=names, skip_rows=1)
    with pacsv.open_csv(path, read_options=read, parse_options=parse, convert_options=options) as file:
        parts = [file.schema.empty_table().select([table.time, *columns])]
        for batch in file:
            for name in keys:
                if pc.any(pc.match_substring(batch.column(name), "\n")).as_py():
                    problem = f"a quote in the column {name!r} is not closed in its line"
                    raise BadInput("unreadable file", f"{path}: {problem}")
            parts.append(_of_user(pa.Table.from_batches([batch]), table, user))
    return pa.concat_tables(parts)


def _of_user(rows: pa.Table, table: Table, user: str) -> pa.Table:
    """Return the rows of a user, without the column of users."""
    if table.user is None:
        return rows
    names = pc.utf8_trim_whitespace(rows.column(table.user).cast(pa.string()))
    return rows.filter(pc.equal(names, user)).drop_columns([table.user] if table.user != table.time else [])


def _times(stamps: pd.Series, table: Table, zone: str, path: Path, faults: list[BadInput]) -> Any:
    """Return times in unix seconds; NaN for local times that are ambiguous, and for a few of before 1973."""
    seconds = to_unix(stamps, table.unit, zone)
    unreadable = ~np.isfinite(seconds)
    if unreadable.any() and table.unit not in UNITS:  # in UTC, every local time occurs once
        unreadable[unreadable] = ~np.isfinite(to_unix(stamps[unreadable], table.unit, "UTC"))
    if unreadable.any():
        row = int(unreadable.argmax())
        expected = table.unit if table.unit in UNITS or table.unit == "iso" else f"the format {table.unit!r}"
        where = f"{path}: the first unreadable {table.time!r} is {stamps.iloc[row]!r}"
        raise BadInput("unreadable time", f"{where}; expected unit {expected}")
    unclear = np.flatnonzero(~np.isfinite(seconds))
    if len(unclear):
        first = f"the first {table.time!r} is {stamps.iloc[unclear[0]]!r}"
        cause = (
            f"{len(unclear)} of {len(stamps)} local times occur twice or never in {zone}, {first}; they are left out"
        )
        faults.append(BadInput("ambiguous local time", f"{path}: {cause}"))
    early = np.isfinite(seconds) & (np.abs(seconds) < EARLIEST)
    if table.unit in UNITS and 0 < early.sum() <= MOST_EARLY * len(seconds):
        row = int(early.argmax())
        first = f"the first in row {row + 1}, where {table.time!r} is {stamps.iloc[row]}"
        detail = f"{path}: {early.sum()} of {len(seconds)} times are of before 1973, {first}; these rows are left out"
        faults.append(BadInput("clock was not set", detail))
        seconds = np.where(early, np.nan, seconds)
    known = np.flatnonzero(np.isfinite(seconds))
    for row in known[[seconds[known].argmin(), seconds[known].argmax()]] if len(known) else ():
        if wrong := wrong_unit(seconds[row], table.unit):
            raise BadInput("unreadable time", f"{path}: {table.time!r} is {stamps.iloc[row]}, which {wrong}")
    return seconds


def _numbers(column: pa.ChunkedArray, name: str, path: Path) -> Any:
    kind = column.type
    if pa.types.is_temporal(kind) or not any(is_a(kind) for is_a in NUMBERS):
        raise BadInput("text in a number", f"{path}: the column {name!r} has the type {kind}")
    return column.cast(pa.float64(), safe=False).to_numpy()


def _flattened(rows: pa.Table, columns: list[str], seconds: Any) -> tuple[Any, Any]:
    """Return each value of the lists of a column with the time of its row."""
    if len(columns) != 1:
        raise BadInput("wrong columns", f"a modality with a column of lists has one column, not {columns}")
    lists = rows.column(columns[0]).combine_chunks()
    values = pc.list_flatten(lists).cast(pa.float64(), safe=False).to_numpy(zero_copy_only=False)
    return seconds[pc.list_parent_indices(lists).to_numpy()], values[:, None]
