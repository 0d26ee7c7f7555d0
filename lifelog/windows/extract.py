"""extract_windows: a user's raw recordings to the windows and quality tables, some minutes at a time.

Minutes are read by as many processes as are given and written in their order: the tables do not depend on the number,
and memory does not grow with the recordings.
"""

from __future__ import annotations

import json
import logging
import multiprocessing
from collections import deque
from collections.abc import Iterable, Iterator
from concurrent.futures import Future, ProcessPoolExecutor
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
from numpy.typing import NDArray

from lifelog.config import Cohort, Modality, Windows
from lifelog.tables import written_whole
from lifelog.windows import LAYOUTS
from lifelog.windows.layout import BadInput, Label, Samples, Session
from lifelog.windows.quality import QualityLog

logger = logging.getLogger(__name__)

VERSION = 1
ROWS_AT_ONCE = 64  # a row group, some 7 MB with all modalities: it bounds the memory, and what is written at the end


def windows_schema(labels: pa.Schema, modalities: list[Modality]) -> pa.Schema:
    """user, session, start, the raw label columns, and a list<float32> of length x channels a modality.

    The metadata holds the modality table, so that a file explains itself.
    """
    keys = [("user", pa.string()), ("session", pa.string()), ("start", pa.timestamp("s", tz="UTC"))]
    sensors = [(m.name, pa.list_(pa.float32(), m.length * m.channels)) for m in modalities]
    notes = {
        "version": VERSION,
        "modalities": [m.model_dump() for m in modalities],
        "labels": list(labels.names),
    }
    return pa.schema([*keys, *labels, *sensors], metadata={"lifelog": json.dumps(notes, sort_keys=True)})


def read_modalities(path: str | Path) -> list[Modality]:
    """The modality table of a windows file."""
    notes = json.loads(pq.read_schema(path).metadata[b"lifelog"])
    return [Modality(**entry) for entry in notes["modalities"]]


def extract_windows(
    user: str,
    folder: str | Path,
    cohort: Cohort,
    windows: Windows,
    modalities: list[Modality],
    windows_path: str | Path,
    quality_path: str | Path,
    processes: int = 1,
) -> None:
    """Read a user's recordings and write both tables. Bad input costs what it spoils and is logged in quality."""
    labels, sessions = LAYOUTS[cohort.layout].open_sessions(user, Path(folder), cohort, windows)
    clash = sorted(set(labels.names) & {m.name for m in modalities})
    if clash:
        raise BadInput("name used twice", f"{clash} are label columns and modalities; rename the modalities")
    schema = windows_schema(labels, modalities)
    log = QualityLog(user, {modality.name: modality.length for modality in modalities})
    rows: list[dict[str, Any]] = []
    count, taken = 0, set()
    encoding = {
        # Measured values hardly repeat: a dictionary of them is slow to make, and split bytes pack as well.
        "use_dictionary": [name for name in schema.names if name not in log.expected],
        "use_byte_stream_split": [f"{name}.list.element" for name in log.expected],
        "compression": "zstd",
    }
    with written_whole(windows_path) as file, pq.ParquetWriter(file, schema, **encoding) as writer:
        for part in read_parts(cut_sessions(sessions), windows, modalities, processes):
            for row in _usable(part, windows, log, taken):
                rows.append({"user": user} | row)
                count += 1
                if len(rows) == ROWS_AT_ONCE:
                    writer.write_table(_to_table(rows, schema))
                    rows.clear()
        writer.write_table(_to_table(rows, schema))
    with written_whole(quality_path) as part:
        pq.write_table(log.table(), part, compression="zstd")
    lost = sum(row["kind"] == "label" for row in log.rows)
    logger.info("user %s: %d labelled minutes = %d windows + %d with a reason", user, count + lost, count, lost)


class _Minute(NamedTuple):
    """A label, and by modality: values (None where there are none), samples found, and what was wrong."""

    label: Label
    modalities: dict[str, tuple[NDArray | None, int, BadInput | None]]


class _Part(NamedTuple):
    """Neighbouring labels of a session: to read, and then read."""

    session: Session
    notes: list[BadInput]
    labels: list[Label]
    minutes: list[_Minute]


def cut_sessions(sessions: Iterable[Session]) -> Iterator[_Part]:
    """Sessions cut into what one process reads at a time."""
    for session in sessions:
        step = session.together or max(1, len(session.labels))
        for i in range(0, max(1, len(session.labels)), step):
            yield _Part(session, [] if i else session.notes, session.labels[i : i + step], [])


def read_parts(parts: Iterable[_Part], windows: Windows, modalities: list[Modality], processes: int) -> Iterator[_Part]:
    """The parts in their order with their minutes read; of those that are read ahead there are few."""
    if processes == 1:
        for part in parts:
            yield part._replace(minutes=_read_minutes(part.session, part.labels, windows, modalities))
        return
    ahead: deque[tuple[_Part, Future]] = deque()
    # Forked: other ways to start a process run the script of the job once more.
    with ProcessPoolExecutor(processes, multiprocessing.get_context("fork")) as pool:
        for part in parts:
            ahead.append((part, pool.submit(_read_minutes, part.session, part.labels, windows, modalities)))
            if len(ahead) > 2 * processes:
                done, minutes = ahead.popleft()
                yield done._replace(minutes=minutes.result())
        for done, minutes in ahead:
            yield done._replace(minutes=minutes.result())


def _read_minutes(session: Session, labels: list[Label], windows: Windows, modalities: list[Modality]) -> list[_Minute]:
    return [
        _Minute(label, {} if label.fault else {m.name: _read_window(session, label, windows, m) for m in modalities})
        for label in labels
    ]


def _read_window(
    session: Session, label: Label, windows: Windows, modality: Modality
) -> tuple[NDArray | None, int, BadInput | None]:
    found = 0
    try:
        samples = session.read(modality, label.start)
        inside = (samples.seconds >= 0) & (samples.seconds < windows.seconds)
        if not inside.all():
            samples = Samples(samples.seconds[inside], samples.values[inside])
        found = len(samples.seconds)
        return to_window(samples, modality, windows), found, None
    except BadInput as problem:
        return None, found, problem


def _usable(part: _Part, windows: Windows, log: QualityLog, taken: set[int]) -> Iterator[dict[str, Any]]:
    """The windows of a part; `taken` are minutes that became windows already, in this session or another."""
    session = part.session.name
    for note in part.notes:
        log.note(session, note)
    for label, modalities in part.minutes:
        if label.fault:
            log.label(session, label.start, label.fault)
            continue
        if label.start in taken:
            log.label(session, label.start, BadInput("duplicate label", "the minute is a window of another session"))
            continue
        for name, (_, found, fault) in modalities.items():
            log.modality(session, label.start, name, found, fault)
        values = {name: value for name, (value, _, _) in modalities.items()}
        missing = [name for name, value in values.items() if value is None]
        if len(missing) == len(modalities):
            log.label(session, label.start, BadInput("no usable modality", "see the modality rows"))
        elif missing and windows.keep == "complete":
            log.label(session, label.start, BadInput("incomplete window", "without " + ", ".join(missing)))
        else:
            taken.add(label.start)
            yield {"session": session, "start": label.start, **label.values, **values}


def to_window(samples: Samples, modality: Modality, windows: Windows) -> NDArray:
    """Samples of a minute as the flat float32 row of its window, samples x channels.

    A scalar is the mean of each column, a mean that of all columns. Of a sequence the first `length` samples are
    taken; where fewer came, but at least the share `windows.coverage`, they are interpolated linearly in time. Raises
    BadInput below that share, and at any other number than `length` where the modality is exact.
    """
    found, length = len(samples.seconds), modality.length
    if found < windows.coverage * length:
        raise BadInput("too few samples", f"{found} of {length}")
    if modality.exact and found != length:
        raise BadInput("not the exact number of samples", f"{found}, not {length}")
    if modality.kind != "sequence":
        means = samples.values.mean(axis=0 if modality.kind == "scalar" else None)
        return (np.atleast_1d(means) * modality.scale).astype(np.float32)
    seconds, values = samples.seconds, samples.values
    if (seconds[1:] < seconds[:-1]).any():
        order = np.argsort(seconds, kind="stable")
        seconds, values = seconds[order], values[order]
    if found < length:
        grid = np.arange(length) * (windows.seconds / length)
        values = np.stack([np.interp(grid, seconds, column) for column in values.T], axis=1)
    return (values[:length] * modality.scale).astype(np.float32).ravel()


def _to_table(rows: list[dict[str, Any]], schema: pa.Schema) -> pa.Table:
    """Rows to an arrow table; sequence columns are built from one flat buffer each, not value by value."""
    columns = []
    for field in schema:
        values = [row[field.name] for row in rows]
        if pa.types.is_fixed_size_list(field.type):
            columns.append(_lists(values, field.type))
        else:
            columns.append(pa.array(values, type=field.type))
    return pa.Table.from_arrays(columns, schema=schema)


def _lists(values: list[NDArray | None], kind: pa.FixedSizeListType) -> pa.FixedSizeListArray:
    empty = np.zeros(kind.list_size, dtype=np.float32)
    flat = np.concatenate([empty if value is None else value for value in values] or [empty[:0]])
    mask = pa.array([value is None for value in values], type=pa.bool_())
    return pa.FixedSizeListArray.from_arrays(pa.array(flat), type=kind, mask=mask)
