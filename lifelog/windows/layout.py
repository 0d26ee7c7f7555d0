"""The interface of a layout of raw recordings: its users, their labels, and the samples of a window.

A layout is one module with the functions of `Layout`, registered in `lifelog.windows.layouts`.
"""

from __future__ import annotations

import copy
import os
import re
import stat
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Protocol

from lifelog.arrays import Floats
from lifelog.settings.windows import Extraction, Modality, Recordings

SAFE_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9_-]{0,63}")


class BadInput(ValueError):
    """Unusable input: a short reason, which is counted, and a detail with place and cause."""

    def __init__(self, reason: str, detail: str) -> None:
        super().__init__(reason, detail)  # both, so that it can be pickled
        self.reason, self.detail = reason, detail

    def __str__(self) -> str:
        return f"{self.reason}: {self.detail}"


def is_hidden(name: str) -> bool:
    """Return whether a file or folder is one of an editor, a notebook or an archive, which is not a recording."""
    return name.startswith((".", "__"))


def entries_of(folder: Path) -> list[Path]:
    """Return the files and folders in a folder in the order of names, without hidden ones; none if it is unreadable."""
    try:
        return sorted(path for path in folder.iterdir() if not is_hidden(path.name))
    except OSError:
        return []


@dataclass(frozen=True)
class Label:
    """A labelled window, or labelled time that cannot become one.

    Attributes
    ----------
    start : int
        Unix seconds.
    values : mapping of str to str or None
        The raw label columns, as text.
    fault : BadInput or None
        Why the time cannot become a window.
    rows : mapping of str to tuple of str
        By label column, the rows of label files with its value, as `file:line`: windows with a common row share an
        answer.
    seconds : int or None
        Length of the labelled time; None for the length of a window.
    doubts : tuple of BadInput
        Why label columns have no value although there are answers: two of them differ.
    """

    start: int
    values: Mapping[str, str | None]
    fault: BadInput | None = None
    rows: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    seconds: int | None = None
    doubts: tuple[BadInput, ...] = ()


@dataclass(frozen=True)
class RawSamples:
    """Samples of one window as recorded.

    Attributes
    ----------
    seconds : ndarray of float, shape (n_samples,)
        Seconds since the window start.
    values : ndarray of float, shape (n_samples, n_channels)
        Values before scaling.
    rate : float or None
        Sampling rate in Hz that the file declares.
    """

    seconds: Floats
    values: Floats
    rate: float | None = None


@dataclass
class Session:
    """One recording of a user: its labels, notes about other input, and how to read a window.

    Sessions are sent to other processes: their content must be picklable and should be small.
    """

    name: str
    labels: list[Label]
    notes: list[BadInput] = field(default_factory=list)
    read_together: int | None = None  # labels that are best read at once; None for as many as possible

    def pieces(self, max_labels: int) -> Iterator[Session]:
        """Yield the session in pieces of at most `max_labels` neighbouring labels; the first one has the notes."""
        step = min(self.read_together or max_labels, max_labels)
        for i in range(0, max(1, len(self.labels)), step):
            piece = copy.copy(self)
            piece.labels, piece.notes = self.labels[i : i + step], [] if i else self.notes
            yield piece

    def read(self, modality: Modality, start: int, stop: int) -> RawSamples:
        """Return the samples of a modality from `start` to `stop` (unix seconds); raise BadInput if there are none."""
        raise NotImplementedError


class Layout(Protocol):
    """The functions of a layout module.

    A module may also have `recorded(user, folder, recordings)`, which returns the approximate spans of the recordings
    in unix seconds, or None if they are unknown: labels are then compared with them before any job; and
    `others_recorded(root, recordings)`, which returns names in shared files, also of people who are no users of a run.
    """

    def find_users(self, root: Path, recordings: Recordings) -> dict[str, Path]:
        """Return the folder of raw recordings by user, in the order of names."""

    def fingerprint(self, user: str, folder: Path, recordings: Recordings) -> str:
        """Return a text that changes whenever the user's recordings or labels change, which reruns the extraction."""

    def open_sessions(
        self, user: str, folder: Path, recordings: Recordings, extraction: Extraction
    ) -> tuple[list[str], Iterator[Session]]:
        """Return the raw label columns, and the user's sessions one at a time."""


def fingerprint(folder: str | Path, levels: int = 4) -> str:
    """Return number, size and latest change of a user's files; changed recordings have another fingerprint.

    Links are followed. Hidden files and folders are skipped.
    """
    files: list[os.stat_result] = []
    folders = [(str(folder), 1)]
    while folders:
        path, level = folders.pop()
        try:
            entries = list(os.scandir(path))
        except OSError:  # the reader reports the cause
            continue
        for entry in entries:
            if is_hidden(entry.name):
                continue
            try:
                status = entry.stat()
            except OSError:  # a broken link
                continue
            if stat.S_ISDIR(status.st_mode):
                folders += [(entry.path, level + 1)] if level < levels else []
            else:
                files.append(status)
    return state_of(files)


def state_of(files: list[os.stat_result]) -> str:
    """Return number, size and latest change of files."""
    size, newest = sum(file.st_size for file in files), max((file.st_mtime_ns for file in files), default=0)
    return f"{len(files)} files, {size} bytes, latest change at {newest}"


def users_by_name(folders: list[Path]) -> dict[str, Path]:
    """Return folders by user name; raise BadInput for a name that is not a safe path or occurs twice."""
    users: dict[str, Path] = {}
    for folder in sorted(folders, key=lambda path: (path.name, str(path))):
        if not SAFE_NAME.fullmatch(folder.name):
            raise BadInput(
                "unsafe name",
                f"{str(folder)!r}: user names may hold only letters of English, digits, '_' and '-'; rename it",
            )
        if folder.name in users:
            raise BadInput("duplicate user", f"{folder} and {users[folder.name]}; set cohort.root to one of them")
        users[folder.name] = folder
    return users
