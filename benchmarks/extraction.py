"""Cases of reading and features, without torch."""

from __future__ import annotations

import tempfile
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Literal

from benchmarks import plain
from benchmarks.cohort import CONFIG, SECONDS, recordings, windows_table
from benchmarks.timing import alternate, best
from lifelog.settings.windows import Modality
from lifelog.windows import extract
from lifelog.windows.etri import EtriSession, open_sessions
from lifelog.windows.extract import MAX_PIECE
from lifelog.windows.features import extract_features
from lifelog.windows.read import iter_windows, read_labels, read_windows, write_features

Way = Literal["plain", "lifelog"]


def reading(way: Way, minutes: int = 120) -> dict[str, float]:
    """Read the samples of every labelled minute from CSV files, on one core."""
    with recordings(minutes) as (raw, megabytes):
        session = next(path for path in raw.iterdir() if path.is_dir())
        starts = [label.start for label in EtriSession(session).labels]

        def read_session() -> None:
            for piece in EtriSession(session).pieces(MAX_PIECE):
                for label in piece.labels:
                    for modality in CONFIG.modalities:
                        piece.read(modality, label.start, label.start + SECONDS)

        names = [modality.name for modality in CONFIG.modalities]
        work = read_session if way == "lifelog" else partial(plain.read_minutes, session, starts, names)
        return {"MB/s": megabytes / best(work, 10 if way == "lifelog" else 3)}


def features(way: Literal["plain", "lifelog", "domain"], windows: int = 256) -> dict[str, float]:
    """Compute the features of the windows of one participant: statistics and bin maxima, or (`domain`) by signal."""
    kind = "domain" if way == "domain" else "generic"
    modalities = [modality.model_copy(update={"features": kind}) for modality in CONFIG.modalities]
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "windows.parquet"
        windows_table(path, "101", windows, 0, modalities)
        if way != "plain":
            duration = best(partial(_write_features, path, modalities, Path(folder) / "features.parquet"), 3)
        else:
            duration = best(lambda: plain.describe(read_windows(path, CONFIG.modalities), SECONDS), 1)
        return {"ms/window": 1000 * duration / windows}


def _write_features(path: Path, modalities: list[Modality], features: Path) -> None:
    batches = iter_windows(path, modalities)
    write_features(extract_features(batches, read_labels(path), modalities, SECONDS), features)


def extraction(minutes: int, cores: int = 1, rounds: int = 12) -> dict[str, float]:
    """Run extract_windows on raw CSV files on 1 to `cores` cores: only reading, and with both tables written.

    Figures are medians over rounds; `speed-up` is relative to one core in the same round.
    """
    with recordings(minutes) as (raw, megabytes):
        works = {
            f"s {name}, {n}": partial(function, raw, n)
            for name, function in STAGES.items()
            for n in range(1, cores + 1)
        }
        table = alternate(works, rounds)
    for name in STAGES:
        for n in range(1, cores + 1):
            table[f"speed-up {name}, {n}"] = table[f"s {name}, 1"] / table[f"s {name}, {n}"]
    return {"MB of CSV": megabytes} | {name: float(value) for name, value in table.median().items()}


def _read(raw: Path, processes: int) -> None:
    """Read all pieces of a user."""
    _, sessions = open_sessions(raw.name, raw, CONFIG.cohort, CONFIG.windows)
    pieces = (piece for session in sessions for piece in session.pieces(MAX_PIECE))
    for _ in extract.read_pieces(pieces, CONFIG.windows, CONFIG.modalities, processes):
        pass


def _write(raw: Path, processes: int) -> None:
    """Run extract_windows on a user; as in a run, no file is overwritten."""
    paths = raw.parent / "windows.parquet", raw.parent / "quality.parquet"
    for path in paths:
        path.unlink(missing_ok=True)
    extract.extract_windows(raw.name, raw, CONFIG.cohort, CONFIG.windows, CONFIG.modalities, *paths, processes)


STAGES: dict[str, Callable[[Path, int], None]] = {"read": _read, "written": _write}
