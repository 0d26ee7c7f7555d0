"""Empatica EmbracePlus: Avro files (schema 6) in the folders of the vendor's cloud.

    <root>/.../participant_data/<date>/<participant>-<serial>/raw_data/v6/<name>_<start>.avro
    <root>/<user>/.../<start>.avro                           files without these folders

Each file holds some minutes of all streams, with start (microseconds), rate and values. Consecutive files are read as
one recording, and gaps between them stay gaps. A session is a local day. Labels are in tables below the root.
"""

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np

from lifelog.settings.windows import Extraction, Modality, Recordings
from lifelog.windows.intervals import read_intervals
from lifelog.windows.labels import labels_of
from lifelog.windows.layout import BadInput, Label, Session, entries_of, state_of, users_by_name
from lifelog.windows.streams import Broken, Irregular, Regular, Stream, StreamSession, by_day

LEVELS = 7  # of folders below the root in which files are searched
START = re.compile(r"(?:^|_)(\d{9,10})$")  # unix seconds at the end of a file name
SLACK = 120.0  # seconds by which the samples of a file may exceed the times of file names
MAX_SECONDS = 3600.0  # of a file, for messages before any job
MAX_BYTES = 2**28  # of a file of some minutes
AXES = {"accelerometer": "g", "gyroscope": "degrees per second", "magnetometer": "µT"}
VALUES = ("eda", "temperature", "bvp", "steps", "ambientLight")
BEATS = ("heart_rate", "ibi")  # from the systolic peaks: beats per minute, seconds
SOURCES = (*AXES, *VALUES, *BEATS)
PLAUSIBLE = (0.25, 2.5)  # seconds between beats; longer ones are gaps in the detection


def find_users(root: Path, recordings: Recordings) -> dict[str, Path]:
    """Return the participants of all files, and the users of the label tables that have none."""
    users = [*_files(root), *read_intervals(root, recordings, strict=False).users]
    return users_by_name([root / user for user in dict.fromkeys(users)])


def fingerprint(user: str, folder: Path, recordings: Recordings) -> str:
    """Return number, size and latest change of the user's files, and a digest of the user's labels."""
    states = [path.stat() for path in _files(folder.parent).get(user, []) if path.is_file()]
    return f"{state_of(states)}, labels {read_intervals(folder.parent, recordings, strict=False).digest(user)}"


def recorded(user: str, folder: Path, recordings: Recordings) -> list[tuple[float, float]] | None:
    """Return the approximate spans of a user's files in unix seconds; None if names of files have no start."""
    spans = _spans(_files(folder.parent).get(user, []))
    if not all(np.isfinite(start) for _, start, _ in spans):
        return None
    return [(start, min(stop, start + MAX_SECONDS)) for _, start, stop in spans]


def _spans_of_files(user: str, folder: Path, recordings: Recordings) -> list[tuple[float, float]]:
    """Return the spans of a user's files: by their names, or by their content where these have no start."""
    known = recorded(user, folder, recordings)
    if known is not None:
        return known
    spans = list[tuple[float, float]]()
    for path in _files(folder.parent).get(user, []):
        streams = _read_files([(path, -np.inf, np.inf)]).values()
        regular = [x for of_source in streams for x in of_source if isinstance(x, Regular)]
        spans += [(x.start, x.start + len(x.values) / x.rate) for x in regular]
    return spans


def open_sessions(
    user: str, folder: Path, recordings: Recordings, extraction: Extraction
) -> tuple[list[str], Iterator[Session]]:
    """Return the label columns, and the local days of a user."""
    columns, labels = labels_of(user, folder, recordings, extraction, _spans_of_files)
    files = _files(folder.parent).get(user, [])
    return columns, _sessions(user, files, labels, extraction, recordings.zone(user))


def _sessions(
    user: str, files: list[Path], labels: list[Label], extraction: Extraction, zone: str
) -> Iterator[Session]:
    if not labels:
        yield Session("", [], [BadInput("no labels", f"no label or no recording of user {user!r}")])
    spans = _spans(files)
    for day, of_day in by_day(labels, extraction.seconds, zone):
        stop = max(label.start + (label.seconds or extraction.seconds) for label in of_day)
        near = [(path, a, b) for path, a, b in spans if a - SLACK < stop and of_day[0].start < b + SLACK]
        yield StreamSession(day, of_day, load=Day(near).load)


@dataclass
class Day:
    """The files of a local day, which are read once for all modalities."""

    files: list[tuple[Path, float, float]]

    @cached_property
    def streams(self) -> dict[str, list[Stream]]:
        """The streams of all files by source."""
        return _read_files(self.files)

    def load(self, modality: Modality) -> Sequence[Stream]:
        """Return the stream of a modality from all files of the day."""
        source = modality.source or modality.name
        if source not in SOURCES:
            raise BadInput("no stream", f"{source!r} is not a stream of an EmbracePlus; these are {', '.join(SOURCES)}")
        channels = 3 if source in AXES else 1
        if len(modality.columns) != channels:
            raise BadInput("wrong columns", f"{source} has {channels} channels, {modality.columns} expected")
        return [_checked(stream, modality) for stream in self.streams[source]]


def _checked(stream: Stream, modality: Modality) -> Stream:
    """Return a stream, or its fault if its rate is not the configured one."""
    if isinstance(stream, Regular) and modality.rate and abs(stream.rate / modality.rate - 1) > 0.05:
        fault = BadInput("another sampling rate", f"{stream.rate:.4g} Hz in the file, {modality.rate:g} Hz configured")
        return Broken(stream.start, stream.start + len(stream.values) / stream.rate, fault)
    return stream


def _files(root: Path, level: int = 0, user: str = "") -> dict[str, list[Path]]:
    """Return the Avro files by participant, in the order of their names.

    The participant is the folder above `raw_data` without the serial number, or else the folder below the root.
    """
    by_user: dict[str, list[Path]] = {}
    for path in entries_of(root):
        if path.suffix.lower() == ".avro":
            by_user.setdefault(user or path.parent.name, []).append(path)
        elif path.is_dir() and level < LEVELS:
            name = path.name.rpartition("-")[0] or path.name if (path / "raw_data").is_dir() else user or path.name
            for below, files in _files(path, level + 1, name).items():
                by_user.setdefault(below, []).extend(files)
    return by_user


def _spans(files: list[Path]) -> list[tuple[Path, float, float]]:
    """Return start and end of each file by its name; a file lasts until the next one at most."""
    named = sorted((float(match[1]), path) for path in files if (match := START.search(path.stem)))
    ends = [after for _, (after, _) in pairwise(named)] + [np.inf]
    spans = [(path, start, end) for (start, path), end in zip(named, ends, strict=False)]
    return spans + [(path, -np.inf, np.inf) for path in files if not START.search(path.stem)]


def _read_files(files: list[tuple[Path, float, float]]) -> dict[str, list[Stream]]:
    """Read files; an unusable one makes all modalities missing in its time."""
    streams: dict[str, list[Stream]] = {source: [] for source in SOURCES}
    peaks = []
    for path, start, stop in files:
        try:
            raw = read_avro(path)
            for source in (*AXES, *VALUES):
                if stream := _stream(raw.get(source), source, path):
                    streams[source].append(stream)
            peaks.append(np.asarray((raw.get("systolicPeaks") or {}).get("peaksTimeNanos") or [], np.int64) / 1e9)
        except BadInput as fault:
            for source in SOURCES:
                streams[source].append(Broken(start, stop, fault))
    times = np.unique(np.concatenate([np.empty(0), *peaks]))
    intervals = np.diff(times)
    good = (intervals >= PLAUSIBLE[0]) & (intervals <= PLAUSIBLE[1])
    for source, values in (("ibi", intervals[good]), ("heart_rate", 60 / intervals[good])):
        streams[source].append(Irregular(times[1:][good], values[:, None]))
    return streams


def read_avro(path: Path) -> dict[str, Any]:
    """Return the streams of a file; raise BadInput if it is unreadable.

    Parameters
    ----------
    path : Path
        A file of schema 6.

    Returns
    -------
    dict
        The record `rawData`: by stream, `timestampStart` (µs), `samplingFrequency` (Hz) and values.
    """
    import fastavro

    try:
        if path.stat().st_size > MAX_BYTES:
            raise BadInput("file too large", f"{path}: more than {MAX_BYTES} bytes")
        with path.open("rb") as file:
            records: list[Any] = list(fastavro.reader(file))
        version = records[0]["schemaVersion"]["major"]
        if version != 6:
            raise BadInput("unreadable file", f"{path}: schema version {version}; 6 can be read")
        raw: dict[str, Any] = records[0]["rawData"]
        if not isinstance(raw, dict):
            raise TypeError("rawData is not a record")
        return raw
    except BadInput:
        raise
    except Exception as error:  # a damaged file can raise almost anything in the parser
        raise BadInput("unreadable file", f"{path}: {type(error).__name__}: {error}") from None


def _stream(record: Any, source: str, path: Path) -> Regular | None:
    """Return a stream in its unit; None for a sensor that was off."""
    if not isinstance(record, dict) or not record.get("samplingFrequency"):
        return None
    try:
        start, rate = record["timestampStart"] / 1e6, float(record["samplingFrequency"])
        columns = [record[axis] for axis in "xyz"] if source in AXES else [record["values"]]
        values = np.array(columns, dtype=np.float64).T
        if source in AXES:
            values = _physical(values, record.get("imuParams") or {}, path, source)
        if not (np.isfinite(start) and np.isfinite(rate) and rate > 0):
            raise ValueError(f"start {start}, rate {rate}")
    except (KeyError, TypeError, ValueError) as error:
        raise BadInput("unreadable file", f"{path}: {source}: {error}") from None
    return Regular(start, rate, values.astype(np.float32)) if len(values) else None


def _physical(digital: Any, params: dict[str, Any], path: Path, source: str) -> Any:
    """Convert counts to physical units: by the factor (schema 6.5.0 and later), or by the ranges."""
    if params.get("conversionFactor"):
        return digital * params["conversionFactor"]
    low, high = params.get("digitalMin", 0), params.get("digitalMax", 0)
    if low == high:
        if source == "magnetometer":  # has no parameters: values are physical
            return digital
        raise BadInput("unreadable file", f"{path}: {source} has neither a conversion factor nor a digital range")
    scale = (params["physicalMax"] - params["physicalMin"]) / (high - low)
    return (digital - low) * scale + params["physicalMin"]
