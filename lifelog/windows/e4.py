"""Native Empatica E4 exports: one folder per participant, with one or many sessions as folders or zips.

    <root>/<user>/EDA.csv                           a single session
    <root>/<user>/<start>_<serial>/EDA.csv          sessions as folders, at most three levels below the user
    <root>/<user>/<start>_<serial>.zip              sessions as downloaded

The first row of a file is the start of the recording (unix seconds, or date and time in UTC), the second the sampling
rate in Hz, followed by one row per sample. IBI.csv has the start, then seconds since the start and the interval of
every beat. Labels are in tables below the root (`cohort.labels`).
"""

import io
import re
import zipfile
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path

import numpy as np
import pandas as pd

from lifelog.arrays import Floats
from lifelog.settings.windows import Extraction, Modality, Recordings
from lifelog.windows.csvfile import number_blocks, numbers, read_csv
from lifelog.windows.files import RawFile, members
from lifelog.windows.intervals import read_intervals
from lifelog.windows.labels import labels_of
from lifelog.windows.layout import BadInput, Label, Session, entries_of, is_hidden, users_by_name
from lifelog.windows.layout import fingerprint as files_of
from lifelog.windows.streams import Irregular, Regular, Stream, StreamSession
from lifelog.windows.times import EARLIEST, LATEST, show, wrong_unit

LEVELS = 3  # of folders below a user in which sessions are searched
HEAD = 2  # rows before the samples: start and rate
MAX_RATE = 10_000.0  # Hz; a larger number in a header is not a rate
SIGNALS = {"ACC", "BVP", "EDA", "HR", "IBI", "TEMP"}  # tags.csv and label tables are not recordings


@dataclass(frozen=True)
class Recorded:
    """A session on disk: its name, its files by modality source, and its span in unix seconds."""

    name: str
    files: dict[str, RawFile]
    start: float
    stop: float


def find_users(root: Path, recordings: Recordings) -> dict[str, Path]:
    """Return folders with recordings, or with damaged ones, and the users of the label tables that have none."""
    found = [path for path in root.iterdir() if path.is_dir() and not is_hidden(path.name)]
    folders = [path for path in found if _files(path) or damaged_zips(path)]
    labelled = [root / user for user in read_intervals(root, recordings, strict=False).users]
    return users_by_name(list(dict.fromkeys([*folders, *labelled])))


def fingerprint(user: str, folder: Path, recordings: Recordings) -> str:
    """Return number, size and latest change of the user's files, and a digest of the user's labels."""
    labels = read_intervals(folder.parent, recordings, strict=False)
    return f"{files_of(folder, LEVELS + 1)}, labels {labels.digest(user)}"


def open_sessions(
    user: str, folder: Path, recordings: Recordings, extraction: Extraction
) -> tuple[list[str], Iterator[Session]]:
    """Return the label columns, and the sessions in time order, each with the labels of its time."""
    columns, labels = labels_of(user, folder, recordings, extraction, recorded)
    return columns, _sessions(folder, labels, extraction)


def _sessions(folder: Path, labels: list[Label], extraction: Extraction) -> Iterator[Session]:
    recorded = sessions_of(folder)
    notes = [] if labels else [BadInput("no labels", f"{folder}: no label or no recording of this user")]
    broken = damaged_zips(folder)
    notes += [BadInput("unreadable file", f"{path}: not a complete zip; download it again") for path in broken]
    of_sessions: dict[tuple[int, ...], list[Label]] = {(i,): [] for i in range(len(recorded))}
    outside = []
    for label in labels:
        stop = label.start + (label.seconds or extraction.seconds)
        where = tuple(i for i, one in enumerate(recorded) if one.start < stop and label.start < one.stop)
        ends = [min(recorded[i].stop, stop) for i in where]
        if any(recorded[i].start < end for i, end in zip(where[1:], ends, strict=False)) and not label.fault:
            names = " and ".join(recorded[i].name for i in where)
            label = replace(label, fault=BadInput("two recordings at one time", names))
        if where:
            of_sessions.setdefault(where, []).append(label)
        else:
            outside.append(label)
    if outside or notes or not recorded:
        # Read from all files: a recording that cannot be used has no span, and its modalities report the cause.
        yield StreamSession("", outside, notes, load=partial(_load, folder, "", [one.files for one in recorded]))
    for where, labels in sorted(of_sessions.items()):
        # A window may hold the end of a session and the start of the next one.
        name = " + ".join(recorded[i].name for i in where)
        files = [recorded[i].files for i in where]
        yield StreamSession(name, labels, load=partial(_load, folder, name, files))


def _load(folder: Path, name: str, sessions: list[dict[str, RawFile]], modality: Modality) -> Sequence[Stream]:
    """Return the recordings of a modality, which are read whole."""
    source = modality.source or modality.name
    files = [session[source.upper()] for session in sessions if source.upper() in session]
    if not files:
        raise BadInput("no file", f"{folder}: no {source}.csv in session {name!r}")
    return [stream for file in files for stream in read_recording(file, modality)]


def damaged_zips(folder: Path) -> list[Path]:
    """Return the files of a folder and its subfolders that are named as zips but are none."""
    return [path for path in sorted(folder.rglob("*.zip")) if not (is_hidden(path.name) or zipfile.is_zipfile(path))]


def sessions_of(folder: Path) -> list[Recorded]:
    """Return the sessions of a user in time order; a zip beside the folder of its content is skipped."""
    sessions: dict[str, dict[str, RawFile]] = {}
    for file in _files(folder):
        inside = Path(file.member).parent.as_posix() if file.member else ""
        place = file.path.with_suffix("") if file.member else file.path.parent
        name = "/".join(part for part in (place.relative_to(folder).as_posix(), inside) if part not in ("", "."))
        stem = Path(file.member or file.path.name).stem.upper()
        sessions.setdefault(name, {}).setdefault(stem, file)
    recorded = []
    for name, files in sessions.items():
        spans = [span for stem, file in files.items() if (stem in SIGNALS or len(files) == 1) and (span := _span(file))]
        start = min((a for a, _ in spans), default=np.nan)
        recorded.append(Recorded(name or f"{start:.0f}", files, start, max((b for _, b in spans), default=np.nan)))
    return sorted(recorded, key=lambda one: (np.nan_to_num(one.start, nan=np.inf), one.name))


def _files(folder: Path, level: int = 0) -> list[RawFile]:
    """Return the CSV files of a folder, of its subfolders and of its zips; folders first."""
    entries = entries_of(folder)
    files = [RawFile(path) for path in entries if path.suffix.lower() == ".csv" and path.stem.lower() != "tags"]
    folders = [path for path in entries if path.is_dir() and path.suffix.lower() != ".csv"]
    zips = [path for path in entries if path.suffix.lower() == ".zip" and path.is_file()]
    files += [file for path in folders if level < LEVELS for file in _files(path, level + 1)]
    return files + [file for path in zips for file in members(path) if _is_recording(Path(file.member or ""))]


def _is_recording(member: Path) -> bool:
    """Return whether a file in a zip is a recording."""
    is_signal = member.stem.upper() in SIGNALS and member.suffix.lower() == ".csv"
    return is_signal and not any(map(is_hidden, member.parts))


def _span(file: RawFile) -> tuple[float, float] | None:
    """Return start and end of a recording by its header and its number of lines; None if it is unusable."""
    try:
        with file.open() as raw:
            head = [raw.readline() for _ in range(HEAD)]
            start, rate = _header(head, file)
            if rate is None:  # the last beat is near the end of the file
                begin = len(head[0])
                raw.seek(max(begin, raw.seek(0, io.SEEK_END) - 256))
                beats = raw.read().splitlines()
                return start, start + (float(beats[-1].split(b",")[0]) if beats else 0.0)
            return start, start + sum(block.count(b"\n") for block in iter(lambda: raw.read(2**20), b"")) / rate
    except (BadInput, ValueError, IndexError, OSError):
        return None


def _approximate_span(file: RawFile) -> tuple[float, float] | None:
    """Return start and end of a recording, its end by the size of the file and the length of its first lines."""
    try:
        head, size = file.head(2**16)
        lines = head.splitlines(keepends=True)
        start, rate = _header(lines[:HEAD], file)
        samples = lines[HEAD:]
        return start, start + len(samples) * size / max(1, sum(map(len, samples))) / (rate or np.inf)
    except (BadInput, ValueError, OSError):
        return None


def _header(head: list[bytes], file: RawFile) -> tuple[float, float | None]:
    """Return start (unix seconds) and rate (Hz) of a recording; the rate is None for intervals between beats."""
    try:
        first, second = (
            line.decode("utf-8-sig" if i == 0 else "utf-8").strip().split(",") for i, line in enumerate(head)
        )
        start = _start(first[0].strip())
        if len(first) > 1 and first[1].strip().upper() == "IBI":
            return start, None
        rate = float(second[0])
        if not 0 < rate <= MAX_RATE:
            raise ValueError(f"{rate:g} Hz is not a sampling rate")
        if rate > 1 and EARLIEST <= rate < LATEST:
            raise ValueError("the second row is not a sampling rate")
    except ValueError as error:  # not a number, or not text
        raise BadInput("unreadable file", f"{file} line 1 or 2: {error}") from None
    return start, rate


def _start(text: str) -> float:
    """Return the start of a recording: unix seconds, or date and time in UTC."""
    if re.match(r"\d{4}-\d\d-\d\d[ T]", text):
        time = pd.Timestamp(text)
        return float((time.tz_localize("UTC") if time.tz is None else time).timestamp())
    start = float(text)
    wrong = wrong_unit(start, "s")
    if wrong:
        raise ValueError(f"the start {text} {wrong.partition(';')[0]}")
    return start


def read_recording(file: RawFile, modality: Modality) -> list[Stream]:
    """Read a whole file: one stream per header in it, since exports are sometimes joined to one file."""
    with file.open() as raw:
        head = [raw.readline() for _ in range(HEAD)]
    if not head[0].strip():
        raise BadInput("unreadable file", f"{file}: empty")
    start, rate = _header(head, file)
    if rate is None:
        return _beats(file, start, modality)
    parts, times = list[Floats](), dict[int, float]()
    for block in number_blocks(file.path if file.member is None else file, HEAD):
        if block.shape[1] != len(modality.columns):
            raise BadInput("wrong columns", f"{file}: {block.shape[1]} columns, {modality.columns} expected")
        before = sum(map(len, parts))
        rows = np.flatnonzero(((block >= EARLIEST) & (block < LATEST)).all(axis=1))
        times |= {before + int(row): float(block[row, 0]) for row in rows}
        parts.append(block.astype(np.float32))
    if not parts:
        raise BadInput("unreadable file", f"{file}: no samples")
    values = np.concatenate(parts)
    _check_headers(times, values, rate, file)
    if modality.rate and abs(rate / modality.rate - 1) > 0.05:
        raise BadInput("another sampling rate", f"{file}: {rate:g} Hz in the file, {modality.rate:g} Hz configured")
    starts = {-HEAD: start} | times
    return [
        Regular(time, rate, values[row + HEAD : stop])
        for (row, time), stop in zip(starts.items(), [*times, len(values)], strict=True)
    ]


def _check_headers(times: dict[int, float], values: Floats, rate: float, file: RawFile) -> None:
    """Raise BadInput unless the times among the samples, by row, are headers: each has the rate below it."""
    for row, time in times.items():
        if row + 1 >= len(values) or not (values[row + 1] == np.float32(rate)).all():
            where = f"{file} line {row + HEAD + 1}: {time:.0f} is the time {show(time)} UTC"
            raise BadInput("a time among the samples", f"{where}; recordings are joined incompletely")


def _beats(file: RawFile, start: float, modality: Modality) -> list[Stream]:
    """Read intervals between beats, each with its time."""
    if modality.kind == "sequence" or len(modality.columns) != 1:
        remedy = "set kind: scalar and one column, such as columns: [ibi]"
        rows = "each row has the time and the length of an interval"
        raise BadInput("wrong columns", f"{file} has no rate: {rows}; {remedy}")
    table = read_csv(file.path if file.member is None else file, 1)
    if table.num_columns != 2:
        raise BadInput("wrong columns", f"{file}: {table.num_columns} columns, time and interval expected")
    values = numbers(table, table.column_names, file, 1)
    values = values[np.isfinite(values).all(axis=1)]
    order = np.argsort(values[:, 0], kind="stable")
    return [Irregular(start + values[order, 0], values[order, 1:])]


def recorded(user: str, folder: Path, recordings: Recordings) -> list[tuple[float, float]]:
    """Return the approximate spans of a user's recordings in unix seconds."""
    return [span for file in _files(folder) if (span := _approximate_span(file))]
