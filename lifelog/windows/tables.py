"""Tables of samples with a column of times, in any format of `rows`: one file per participant or sensor, or for all.

Everything is configured: `cohort.samples` for the files, the columns of users and times, and the unit of times;
`modalities` for the table and the value columns; `cohort.labels` for the labels. A session is a local day, or a week
for windows of a day.
"""

import csv
import functools
from collections.abc import Iterator, Sequence
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq

from lifelog.arrays import Floats
from lifelog.settings.levels import matches
from lifelog.settings.tables import UNITS, SampleTable, Table
from lifelog.settings.windows import Extraction, Modality, Recordings
from lifelog.windows.documents import DOCUMENTS
from lifelog.windows.events import Events
from lifelog.windows.files import matching_files
from lifelog.windows.intervals import read_intervals
from lifelog.windows.labels import labels_of
from lifelog.windows.layout import BadInput, Label, Session, state_of, users_by_name
from lifelog.windows.rows import read_rows, text_encoding
from lifelog.windows.streams import Daily, Irregular, Stream, StreamSession, Unreadable, by_day
from lifelog.windows.times import EARLIEST, local_days, times_of, to_unix, wrong_unit

SET_BACK, FEW_BACK, FEW_ROWS = 60, 3, 20  # seconds; jumps, more of which are rows in any order; rows of a file
MOST_SHOWN = 12  # categories that a note lists
MOST_EARLY = 0.5  # share of rows with times of before 1973 that are left out, rather than to refuse the file
LARGEST = 2**25  # bytes of a table of several users whose users are found before any job
CONNECTED = 1  # seconds between rows that belong to one span
PROBES, PROBE = 16, 4096  # places of a file, and bytes at each, that are read to find its span


def find_users(root: Path, recordings: Recordings) -> dict[str, Path]:
    """Return the users of the paths of tables, and of the label tables."""
    files = [file for table in recordings.samples for file in matching_files(root, table.file, source="*")]
    named, intervals = [user for _, user, _ in files if user], read_intervals(root, recordings, strict=False)
    named += [] if recordings.labels else sorted(others_recorded(root, recordings))
    users = users_by_name([root / user for user in dict.fromkeys([*named, *intervals.users])])
    if not users and intervals.problems:
        raise BadInput("label table cannot be used", "; ".join(intervals.problems))
    return users


def others_recorded(root: Path, recordings: Recordings) -> set[str]:
    """Return the users of tables of several users; those without labels are no users of a run."""
    files = [
        (table, path) for table in recordings.samples for path, _, _ in matching_files(root, table.file, source="*")
    ]
    everyone = not recordings.labels  # without labels, these are the only names of users
    return {user for table, path in files if table.user for user in users_in(path, table, everyone) or ()}


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
    """Return the spans of the user's tables, from rows at several places; None if they are not known."""
    spans, found, known = [], False, True
    labelled = {folder.parent / label.file for label in recordings.labels}
    for table in recordings.samples:
        for path, _, _ in matching_files(folder.parent, table.file, user=user, source="*"):
            found, span = True, None
            if table.user is not None:
                users = users_in(path, table)
                known &= (users is not None and user not in users) or (users is None and path in labelled)
                continue
            if table.carry is None:
                span = _span(path, table, table.zone or recordings.zone(user))
            spans += [span] if span else []
            known &= span is not None
    return spans if known or not found else None


def users_in(path: Path, table: Table, everyone: bool = False) -> frozenset[str] | None:
    """Return the users of a table of several users; None if it cannot be read.

    Large tables, JSON documents and workbooks are read only if `everyone` is true.
    """
    try:
        status = path.stat()
        quick = status.st_size <= LARGEST and path.suffix.lower() not in DOCUMENTS
        known = table.user is not None and (quick or everyone)
        return (
            _users_in(path, table.model_dump_json(include=set(Table.model_fields)), status.st_mtime_ns)
            if known
            else None
        )
    except (OSError, ValueError, csv.Error, pa.ArrowException):
        return None


@functools.lru_cache  # every user of a cohort asks for the same tables
def _users_in(path: Path, settings: str, changed: int) -> frozenset[str]:
    table = Table.model_validate_json(settings)
    rows = read_rows(path, table.model_copy(update={"user": None, "time": table.user or "", "clock": None}), "")
    return frozenset(rows.stamps.dropna().astype(str).str.strip().unique()) - {""}


def _span(path: Path, table: Table, zone: str) -> tuple[float, float] | None:
    """Return the first and last time of a CSV file among rows at several places, None if they cannot be read."""
    if path.suffix.lower() == ".parquet":
        return _parquet_span(path, table)
    if path.suffix.lower() in DOCUMENTS:
        return None
    encoding = text_encoding(table)
    try:
        with path.open("rb") as file:
            *_, header = (file.readline().decode(encoding).rstrip("\r\n") for _ in range(table.skip + 1))
            names = [name.strip() for name in next(csv.reader([header], delimiter=table.separator), [])]
            size, rows = path.stat().st_size, list[dict[str, str]]()
            first = file.tell()
            for start in np.linspace(first, max(first, size - PROBE), PROBES).astype(int):
                file.seek(start)
                lines = file.read(PROBE).decode(encoding, errors="replace").splitlines()
                whole = lines if start == first or len(lines) < 2 else lines[1:]
                cells = [row for row in csv.reader(whole, delimiter=table.separator) if len(row) >= len(names)]
                rows += [dict(zip(names, row, strict=False)) for row in cells[:1] + cells[-1:]]
            stamps = times_of(pd.DataFrame(rows, columns=names, dtype=object), table)
    except (OSError, ValueError, KeyError, csv.Error):
        return None
    times = to_unix(stamps, table.unit, zone)
    times = times[np.isfinite(times) & (np.abs(times) >= EARLIEST)]
    return (float(times.min()), float(times.max()) + 1) if len(times) else None


def _parquet_span(path: Path, table: Table) -> tuple[float, float] | None:
    """Return the first and last time of a Parquet file of numeric times, from its statistics."""
    try:
        with pq.ParquetFile(path) as file:
            place, groups = file.schema_arrow.names.index(table.time), range(file.metadata.num_row_groups)
            known = [file.metadata.row_group(i).column(place).statistics for i in groups]
        ends = [end for one in known if one and one.has_min_max for end in (one.min, one.max)]
    except (OSError, ValueError, pa.ArrowException):
        return None
    if table.unit not in UNITS or not ends or not all(isinstance(end, int | float) for end in ends):
        return None
    first, last = (UNITS[table.unit] * end for end in (min(ends), max(ends)))
    return (first, last + 1) if first >= EARLIEST else None


def sampled(user: str, folder: Path, recordings: Recordings) -> list[tuple[float, float]]:
    """Return the times of the user's rows in all tables, as spans; of daily tables, only where there are no others."""
    times, days = list[Floats](), list[tuple[float, float]]()
    for table in recordings.samples:
        zone = table.zone or recordings.zone(user)
        for path, _, _ in matching_files(folder.parent, table.file, user=user, source="*"):
            try:
                stamps = read_rows(path, table, user).stamps
                seconds = _times(stamps, table, zone, path, [])
            except BadInput:  # a modality that needs the file reports it
                continue
            if table.carry:
                days += zip(*local_days(stamps, table.unit, zone, seconds, table.lag), strict=True)
            else:
                times.append(np.floor(seconds[np.isfinite(seconds)]))
    if not times:
        return [(start, end) for start, end in days if np.isfinite(start)]
    found = np.unique(np.concatenate(times))
    runs = np.split(found, np.flatnonzero(np.diff(found) > CONNECTED) + 1)
    return [(float(run[0]), float(run[-1]) + 1) for run in runs if len(run)]


def open_sessions(
    user: str, folder: Path, recordings: Recordings, extraction: Extraction
) -> tuple[list[str], Iterator[Session]]:
    """Return the label columns, and the days of a user that have labels."""
    columns, labels = labels_of(user, folder, recordings, extraction, sampled)
    return columns, _sessions(user, folder.parent, recordings, labels, extraction)


def _sessions(
    user: str, root: Path, recordings: Recordings, labels: list[Label], extraction: Extraction
) -> Iterator[Session]:
    if not labels:
        yield Session("", [], [BadInput("no labels", f"no label or no row of user {user!r}")])
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
    zone, is_events = table.zone or recordings.zone(user), modality.kind == "events"
    streams, parts, events, faults = list[Stream](), list[Irregular](), list[pd.DataFrame](), list[BadInput]()
    for path, _, _ in files:
        try:
            if is_events:
                events.append(read_events(path, table, modality, user, zone, faults))
            elif table.carry:
                streams.append(read_daily(path, table, modality.columns, user, zone, faults))
            else:
                parts.append(read_samples(path, table, modality.columns, user, zone, faults))
        except BadInput as fault:
            faults.append(fault)
    if len(faults) and not (parts or events or streams):
        raise faults[0]
    if is_events:
        streams += _events(pd.concat(events, ignore_index=True), modality)
    elif parts:
        streams.append(_joined(parts, whole=modality.kind == "sequence" or modality.rate is not None))
    return [*(Unreadable(fault) for fault in faults), *streams]


def _joined(parts: list[Irregular], whole: bool) -> Irregular:
    """Return the samples of several files in time order; of a regular modality, a row without some value is a gap."""
    seconds = np.concatenate([part.seconds for part in parts])
    values = np.concatenate([part.values for part in parts])
    if whole:
        good = np.isfinite(values).all(axis=1)
        seconds, values = seconds[good], values[good]
    order = np.argsort(seconds, kind="stable")
    return Irregular(seconds[order], values[order])


def _events(rows: pd.DataFrame, modality: Modality) -> list[Stream]:
    """Return the events of all files, and a note of the rows that are in no category."""
    rows = rows.drop_duplicates().sort_values("start", kind="stable")
    if modality.until == "next":  # unless the recording is interrupted
        following = rows.start.shift(-1)
        interrupted = following - rows.start > (modality.longest_gap or np.inf)
        rows["end"] = following.mask(interrupted).fillna(rows.start)
    others = rows.category[rows.number < 0].value_counts()
    noted = list[Stream]()
    if len(others):
        found = ", ".join(f"{name!r} ({count})" for name, count in others.head(MOST_SHOWN).items())
        known = f"{modality.name}: {others.sum()} of {len(rows)} rows of {modality.columns[0]!r} are in no category"
        noted = [Unreadable(BadInput("events of no category", f"{known}: {found}"), is_cause=False)]
    starts, ends = rows.start.to_numpy(), rows.end.to_numpy()
    lasting = modality.until is not None or modality.duration is not None
    return [
        Events(starts, ends, rows.number.to_numpy(), len(modality.categories or [""]), lasting, modality.longest_gap),
        *noted,
    ]


def read_samples(
    path: Path, table: Table, columns: list[str], user: str, zone: str, faults: list[BadInput] | None = None
) -> Irregular:
    """Read the samples of a user.

    Parameters
    ----------
    path : Path
        A CSV, Parquet, JSON or xlsx file.
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
    rows = read_rows(path, table, user, numbers=columns)
    seconds = _times(rows.stamps, table, zone, path, [] if faults is None else faults)
    values = np.where(np.isfinite(rows.values), rows.values, np.nan)
    good = ~np.isnan(values).all(axis=1) & np.isfinite(seconds)
    return Irregular(seconds[good], values[good])


def read_daily(
    path: Path, table: SampleTable, columns: list[str], user: str, zone: str, faults: list[BadInput] | None = None
) -> Daily:
    """Read the values of local days of a user; parameters and errors are those of `read_samples`."""
    rows = read_rows(path, table, user, numbers=columns)
    seconds = _times(rows.stamps, table, zone, path, [] if faults is None else faults)
    starts, ends = local_days(rows.stamps, table.unit, zone, seconds, table.lag)
    values = np.where(np.isfinite(rows.values), rows.values, np.nan)
    good = ~np.isnan(values).all(axis=1) & np.isfinite(starts)
    return Daily(starts[good], ends[good], values[good])


def read_events(
    path: Path, table: Table, modality: Modality, user: str, zone: str, faults: list[BadInput] | None = None
) -> pd.DataFrame:
    """Read the events of a user.

    Parameters
    ----------
    path, table, user, zone, faults
        As of `read_samples`.
    modality : Modality
        Of kind `events`.

    Returns
    -------
    pandas.DataFrame
        One row per event with a time: start and end in unix seconds (equal if the end is unknown), category (text), and
        number (of the category; -1 for none).

    Raises
    ------
    BadInput
        If the file, a column, a time or a duration is unreadable, or an event ends before it starts.
    """
    until = [modality.until] if modality.until not in (None, "next") else []
    lengths = [modality.duration] if modality.duration else []
    rows = read_rows(path, table, user, numbers=lengths, texts=modality.columns, times=until)
    noted = [] if faults is None else faults
    starts = _times(rows.stamps, table, zone, path, noted)
    ends = starts
    if lengths:
        ends = starts + np.nan_to_num(rows.values[:, 0]) * modality.scale
    elif until:
        stamps = rows.others[until[0]].rename(until[0])
        given = (stamps.notna() & (stamps.astype(str).str.strip() != "")).to_numpy()
        ends = starts.copy()
        ends[given] = _times(stamps[given], table.model_copy(update={"time": until[0]}), zone, path, noted)
    if (early := ends < starts).any():
        row = int(early.argmax())
        of_user = f" of {user}" if table.user else ""
        raise BadInput("event ends before it starts", f"{path}: row {row + 1}{of_user}, at {rows.stamps.iloc[row]}")
    known = np.isfinite(starts)
    texts = rows.others[modality.columns[0]] if modality.columns else pd.Series("", index=range(len(starts)))
    levels = list((modality.categories or {"": [""]}).values())
    number = {text: next((i for i, of in enumerate(levels) if matches(text, of)), -1) for text in texts.unique()}
    frame = pd.DataFrame({"start": starts, "end": np.where(np.isfinite(ends), ends, starts), "category": texts})
    return frame.assign(number=texts.map(number))[known]


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
    back = np.flatnonzero(np.diff(seconds) < -SET_BACK)
    if 0 < len(back) <= FEW_BACK and len(seconds) > FEW_ROWS:
        row = int(back[0])
        jump = f"after row {row + 1} ({stamps.iloc[row]}) the time goes back by {seconds[row] - seconds[row + 1]:.0f} s"
        more = f", and {len(back) - 1} more times" if len(back) > 1 else ""
        faults.append(BadInput("clock set back", f"{path}: {jump}{more}; rows are used at their times"))
    known = np.flatnonzero(np.isfinite(seconds))
    for row in known[[seconds[known].argmin(), seconds[known].argmax()]] if len(known) else ():
        if wrong := wrong_unit(seconds[row], table.unit):
            raise BadInput("unreadable time", f"{path}: {table.time!r} is {stamps.iloc[row]}, which {wrong}")
    return seconds
