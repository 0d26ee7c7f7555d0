"""extract_windows: a user's raw recordings to the windows and quality tables, some minutes at a time.

Sessions are cut into pieces, which are read by as many processes as are given and written in their order, each a group
of rows: the tables do not depend on the number of processes, and memory does not grow with the recordings.
"""

from __future__ import annotations

import json
import logging
import math
import mmap
import multiprocessing
from collections import deque
from collections.abc import Iterable, Iterator
from concurrent.futures import Future, ProcessPoolExecutor
from pathlib import Path
from typing import NamedTuple

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
ROWS_AT_ONCE = 512  # of a session that does not say how many are best read together: it bounds the memory
_shared: NDArray  # in the processes that read: where they put what they read


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
    taken: set[int] = set()
    encoding = {
        # Measured values hardly repeat: a dictionary of them is slow to make, and split bytes pack as well.
        "use_dictionary": [name for name in schema.names if name not in log.expected],
        "use_byte_stream_split": [f"{name}.list.element" for name in log.expected],
        "compression": "zstd",
    }
    pieces = (piece for session in sessions for piece in session.cut(ROWS_AT_ONCE))
    with written_whole(windows_path) as file, pq.ParquetWriter(file, schema, **encoding) as writer:
        for piece in read_pieces(pieces, windows, modalities, processes):
            rows = _usable(piece, windows, log, taken)
            if rows:
                writer.write_table(_to_table(user, piece, rows, modalities, schema))
    with written_whole(quality_path) as part:
        pq.write_table(log.table(), part, compression="zstd")
    lost, count = sum(row["kind"] == "label" for row in log.rows), len(taken)
    logger.info("user %s: %d labelled minutes = %d windows + %d with a reason", user, count + lost, count, lost)


class Found(NamedTuple):
    """Of a modality in a minute: the number of samples, and what was wrong with them."""

    samples: int
    fault: BadInput | None


class _Piece(NamedTuple):
    """Neighbouring labels of a session, read: by label the samples of all modalities in a row, and what was found."""

    session: Session
    values: NDArray  # (labels, samples x channels of all modalities) float32, zeros where a modality has a fault
    found: list[dict[str, Found]]  # by modality; nothing where the label has a fault


def read_pieces(
    sessions: Iterable[Session], windows: Windows, modalities: list[Modality], processes: int
) -> Iterator[_Piece]:
    """Pieces of sessions read, in their order; of those that are read ahead there are few.

    The values of a piece are good until the next one is asked for: they lie in memory that the processes share. Sent
    through pipes, they cost a third of what a second process brings.
    """
    slots = 2 * processes + 1 if processes > 1 else 1
    shape = (slots, ROWS_AT_ONCE, sum(modality.length * modality.channels for modality in modalities))
    # No file behind it, and none of it is taken before it is written to.
    shared = np.frombuffer(mmap.mmap(-1, 4 * math.prod(shape)), np.float32).reshape(shape)
    if processes == 1:
        for session in sessions:
            values = shared[0, : len(session.labels)]
            yield _Piece(session, values, _read(session, windows, modalities, values))
        return
    ahead: deque[tuple[Session, NDArray, Future]] = deque()
    # Forked: other ways to start a process run the script of the job once more.
    with ProcessPoolExecutor(processes, multiprocessing.get_context("fork"), _share, (shared,)) as pool:
        for number, session in enumerate(sessions):
            slot = number % slots
            found = pool.submit(_read_into, slot, session, windows, modalities)
            ahead.append((session, shared[slot, : len(session.labels)], found))
            if len(ahead) == slots:
                done, values, found = ahead.popleft()
                yield _Piece(done, values, found.result())
        for done, values, found in ahead:
            yield _Piece(done, values, found.result())


def _share(values: NDArray) -> None:
    """What a process that reads does first: `values` are those of `read_pieces`."""
    global _shared
    _shared = values


def _read_into(slot: int, session: Session, windows: Windows, modalities: list[Modality]) -> list[dict[str, Found]]:
    return _read(session, windows, modalities, _shared[slot, : len(session.labels)])


def _read(session: Session, windows: Windows, modalities: list[Modality], values: NDArray) -> list[dict[str, Found]]:
    """Read every label's window into its row of `values`."""
    columns, found = _columns(modalities), []
    for label, row in zip(session.labels, values, strict=True):
        wanted = [] if label.fault else modalities
        found.append({m.name: _read_window(session, label, windows, m, row[columns[m.name]]) for m in wanted})
    return found


def _read_window(session: Session, label: Label, windows: Windows, modality: Modality, values: NDArray) -> Found:
    found = 0
    try:
        samples = session.read(modality, label.start)
        inside = (samples.seconds >= 0) & (samples.seconds < windows.seconds)
        if not inside.all():
            samples = Samples(samples.seconds[inside], samples.values[inside])
        found = len(samples.seconds)
        values[:] = to_window(samples, modality, windows)
        return Found(found, None)
    except BadInput as problem:
        values[:] = 0
        return Found(found, problem)


def _columns(modalities: list[Modality]) -> dict[str, slice]:
    """Where a modality lies in a row of values."""
    sizes = [modality.length * modality.channels for modality in modalities]
    return {m.name: slice(end - size, end) for m, size, end in zip(modalities, sizes, np.cumsum(sizes), strict=True)}


def _usable(piece: _Piece, windows: Windows, log: QualityLog, taken: set[int]) -> list[int]:
    """Rows of a piece that become windows; `taken` are minutes that did already, in this session or another."""
    session, rows = piece.session.name, []
    for note in piece.session.notes:
        log.note(session, note)
    for row, (label, found) in enumerate(zip(piece.session.labels, piece.found, strict=True)):
        if label.fault:
            log.label(session, label.start, label.fault)
            continue
        if label.start in taken:
            log.label(session, label.start, BadInput("duplicate label", "the minute is a window of another session"))
            continue
        for name, (samples, fault) in found.items():
            log.modality(session, label.start, name, samples, fault)
        missing = [name for name, (_, fault) in found.items() if fault]
        if len(missing) == len(found):
            log.label(session, label.start, BadInput("no usable modality", "see the modality rows"))
        elif missing and windows.keep == "complete":
            log.label(session, label.start, BadInput("incomplete window", "without " + ", ".join(missing)))
        else:
            taken.add(label.start)
            rows.append(row)
    return rows


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


def _to_table(user: str, piece: _Piece, rows: list[int], modalities: list[Modality], schema: pa.Schema) -> pa.Table:
    """Rows of a piece as an arrow table; the sensors are copied out of the memory that the processes share."""
    labels = [piece.session.labels[row] for row in rows]
    keys = [{"user": user, "session": piece.session.name, "start": label.start} | label.values for label in labels]
    columns, arrays = _columns(modalities), []
    for field in schema:
        if field.name in columns:
            flat = pa.array(piece.values[rows, columns[field.name]].ravel())
            missing = pa.array([piece.found[row][field.name].fault is not None for row in rows])
            arrays.append(pa.FixedSizeListArray.from_arrays(flat, type=field.type, mask=missing))
        else:
            arrays.append(pa.array([row[field.name] for row in keys], type=field.type))
    return pa.Table.from_arrays(arrays, schema=schema)
