"""extract_windows: raw recordings of a user → windows and quality tables.

Sessions are read in pieces, in parallel if several processes are given, and written in order, one row group per piece:
the tables do not depend on the number of processes, and memory does not grow with the recordings.
"""

import logging
import multiprocessing
from collections import deque
from collections.abc import Iterable, Iterator, Mapping
from concurrent.futures import Future, ProcessPoolExecutor
from functools import partial
from pathlib import Path
from typing import NamedTuple

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
from numpy.typing import NDArray

from lifelog.arrays import Codes
from lifelog.files import write_atomically
from lifelog.settings.windows import Extraction, Modality, Recordings
from lifelog.windows.channels import ChannelCheck, without_implausible
from lifelog.windows.layout import BadInput, Label, RawSamples, Session
from lifelog.windows.layouts import LAYOUTS
from lifelog.windows.quality import QualityLog, expected_samples, no_modality
from lifelog.windows.regular import to_window
from lifelog.windows.schema import windows_schema

logger = logging.getLogger(__name__)

MAX_PIECE = 512  # labels per piece where the session sets no number; bounds the memory


class Reading(NamedTuple):
    """A modality in a window: numbers of samples, interpolated ones, implausible and empty values, and its fault."""

    samples: int
    interpolated: int
    implausible: int
    empty: Codes | int  # by channel
    fault: BadInput | None


class Piece(NamedTuple):
    """Neighbouring labels of a session and their samples."""

    session: Session
    values: NDArray[np.float32]  # (labels, values of all modalities), zeros where a modality has a fault
    readings: list[dict[str, Reading]]  # per label, by modality; empty for a label with a fault


def extract_windows(
    user: str,
    folder: str | Path,
    recordings: Recordings,
    extraction: Extraction,
    modalities: list[Modality],
    windows_path: str | Path,
    quality_path: str | Path,
    processes: int = 1,
) -> None:
    """Read the recordings of a user, and write its windows and quality tables.

    Bad input costs only what it affects, and is recorded in the quality table.

    Parameters
    ----------
    user : str
        Name of the user.
    folder : str or Path
        Folder of the user's raw recordings.
    recordings : Recordings
        The layout and its settings.
    extraction : Extraction
        Length and anchor of windows, minimum coverage and purity, and which windows are kept.
    modalities : list of Modality
        The sensors to read.
    windows_path, quality_path : str or Path
        Parquet files to write.
    processes : int, default 1
        Number of processes that read in parallel.

    Raises
    ------
    BadInput
        If a label column has the name of a modality, or the layout has no usable label table.
    """
    labels, sessions = LAYOUTS[recordings.layout].open_sessions(user, Path(folder), recordings, extraction)
    clash = sorted(set(labels) & {m.name for m in modalities})
    if clash:
        raise BadInput("duplicate name", f"{clash} are label columns and modalities; rename the modalities")
    schema = windows_schema(labels, modalities)
    log = QualityLog(user, {m.name: expected_samples(m, extraction.seconds) for m in modalities})
    extracted, checks = set[int](), {modality.name: ChannelCheck(modality) for modality in modalities}
    texts = ["label_rows.key_value.key", "label_rows.key_value.value.list.element"]
    encoding = {
        # Measured values hardly repeat: a dictionary of them is slow to build, and split bytes compress as well.
        "use_dictionary": [*texts, *(name for name in schema.names if name not in log.expected)],
        "use_byte_stream_split": [f"{name}.list.element" for name in log.expected],
        "compression": "zstd",
    }
    pieces = (piece for session in sessions for piece in session.pieces(MAX_PIECE))
    with write_atomically(windows_path) as file, pq.ParquetWriter(file, schema, **encoding) as writer:
        for piece in read_pieces(pieces, extraction, modalities, processes):
            rows = _usable_rows(piece, extraction, log, extracted)
            _check_channels(piece, checks)
            if rows:
                writer.write_table(_to_table(user, piece, rows, modalities, schema))
    for check in checks.values():
        for note in check.notes():
            log.note("", note)
    with write_atomically(quality_path) as file:
        pq.write_table(log.table(), file, compression="zstd")
    lost, count = sum(row["kind"] == "label" for row in log.rows), len(extracted)
    logger.info("user %s: %d labels = %d windows + %d with a reason", user, count + lost, count, lost)


def read_pieces(
    sessions: Iterable[Session], extraction: Extraction, modalities: list[Modality], processes: int
) -> Iterator[Piece]:
    """Yield sessions with their samples, in order; a few are read ahead by other processes."""
    read = partial(_read_piece, extraction=extraction, modalities=modalities)
    if processes == 1:
        yield from map(read, sessions)
        return
    ahead: deque[Future[Piece]] = deque()
    # Fork: any other start method would run the script of the job again.
    with ProcessPoolExecutor(processes, multiprocessing.get_context("fork")) as pool:
        for session in sessions:
            ahead.append(pool.submit(read, session))
            if len(ahead) > 2 * processes:
                yield ahead.popleft().result()
        yield from (future.result() for future in ahead)


def _read_piece(session: Session, extraction: Extraction, modalities: list[Modality]) -> Piece:
    """Read the samples of every label."""
    columns, readings = _columns(modalities), []
    values = np.zeros((len(session.labels), sum(modality.size for modality in modalities)), np.float32)
    for label, row in zip(session.labels, values, strict=True):
        wanted = [] if label.fault else modalities
        readings.append({m.name: _read_window(session, label, extraction, m, row[columns[m.name]]) for m in wanted})
    return Piece(Session(session.name, session.labels, session.notes), values, readings)


def _read_window(
    session: Session, label: Label, extraction: Extraction, modality: Modality, values: NDArray[np.float32]
) -> Reading:
    """Write a modality of a window into `values`."""
    count = implausible = 0
    empty: Codes | int = 0
    try:
        samples = session.read(modality, label.start, label.start + (label.seconds or extraction.seconds))
        inside = (samples.seconds >= 0) & (samples.seconds < (label.seconds or extraction.seconds))
        if not inside.all():
            samples = RawSamples(samples.seconds[inside], samples.values[inside], samples.rate)
        empty = 0 if modality.kind == "events" else np.isnan(samples.values).sum(axis=0)
        samples, implausible = without_implausible(samples, modality)
        count = len(samples.seconds)
        values[:], interpolated = to_window(samples, modality, extraction)
        return Reading(count, interpolated, implausible, empty, None)
    except BadInput as problem:
        return Reading(count, 0, implausible, empty, problem)


def _columns(modalities: list[Modality]) -> dict[str, slice]:
    """Return the columns of each modality in the values of a piece."""
    ends = np.cumsum([modality.size for modality in modalities]).tolist()
    return {m.name: slice(end - m.size, end) for m, end in zip(modalities, ends, strict=True)}


def _check_channels(piece: Piece, checks: Mapping[str, ChannelCheck]) -> None:
    """Add the windows of a piece to the checks of its modalities."""
    for name, columns in _columns([check.modality for check in checks.values()]).items():
        readings = [of_window.get(name) for of_window in piece.readings]
        usable = np.array([reading is not None and reading.fault is None for reading in readings], dtype=bool)
        checks[name].add(piece.values[:, columns], usable)
        for reading in filter(None, readings):
            checks[name].count(reading.samples, reading.implausible, reading.empty)


def _usable_rows(piece: Piece, extraction: Extraction, log: QualityLog, extracted: set[int]) -> list[int]:
    """Return the rows of a piece that become windows; `extracted` holds the starts of all windows of the user."""
    session, rows = piece.session.name, []
    for note in piece.session.notes:
        log.note(session, note)
    for row, (label, readings) in enumerate(zip(piece.session.labels, piece.readings, strict=True)):
        if label.fault:
            log.label(session, label, label.fault)
            continue
        if label.start in extracted:
            log.label(session, label, BadInput("duplicate label", "the window is part of another session"))
            continue
        for doubt in label.doubts:
            log.note(session, doubt, label.start)
        for name, reading in readings.items():
            log.modality(session, label.start, name, reading.samples, reading.interpolated, reading.fault)
        missing = [name for name, reading in readings.items() if reading.fault]
        if len(missing) == len(readings):
            log.label(session, label, no_modality({name: r.fault for name, r in readings.items() if r.fault}))
        elif missing and extraction.keep == "complete":
            log.label(session, label, BadInput("incomplete window", "without " + ", ".join(missing)))
        else:
            extracted.add(label.start)
            rows.append(row)
    return rows


def _to_table(user: str, piece: Piece, rows: list[int], modalities: list[Modality], schema: pa.Schema) -> pa.Table:
    """Return some rows of a piece in the schema of the windows table."""
    keys = []
    for label in (piece.session.labels[row] for row in rows):
        answers = {column: list(lines) for column, lines in label.rows.items() if label.values[column] is not None}
        key = {"user": user, "session": piece.session.name, "start": label.start, "label_rows": answers}
        keys.append(key | dict(label.values))
    columns, arrays = _columns(modalities), []
    for field in schema:
        if field.name in columns:
            flat = pa.array(piece.values[rows, columns[field.name]].ravel())
            missing = pa.array([piece.readings[row][field.name].fault is not None for row in rows])
            arrays.append(pa.FixedSizeListArray.from_arrays(flat, type=field.type, mask=missing))
        else:
            arrays.append(pa.array([row[field.name] for row in keys], type=field.type))
    return pa.Table.from_arrays(arrays, schema=schema)
