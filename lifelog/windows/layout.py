"""What a layout of raw recordings must tell: who is there, which minutes are labelled, and the samples of a window.

A new layout is one module with `find_users`, `label_files` and `open_sessions`, named in `lifelog.windows.LAYOUTS`.
"""

from __future__ import annotations

import copy
import os
import re
import stat
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Protocol

import pyarrow as pa
from numpy.typing import NDArray

from lifelog.config import Cohort, Modality, Windows

SAFE_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9_-]{0,63}")


class BadInput(ValueError):
    """Raw data that cannot be used: a short reason (a category, for counts) and where and what it is."""

    def __init__(self, reason: str, detail: str) -> None:
        super().__init__(reason, detail)  # both, so that it can go from one process to another
        self.reason, self.detail = reason, detail

    def __str__(self) -> str:
        return f"{self.reason}: {self.detail}"


@dataclass(frozen=True)
class Label:
    """A labelled minute: start in unix seconds, the raw label columns, and a fault if it cannot become a window."""

    start: int
    values: dict[str, Any]
    fault: BadInput | None = None


@dataclass(frozen=True)
class Samples:
    """Samples of one window: seconds since its start, shape (n,), and values, shape (n, channels), as on disk."""

    seconds: NDArray
    values: NDArray


@dataclass
class Session:
    """One recording of a user: its labelled minutes, what else was met, and how to read a window.

    It goes to other processes: what it holds must be picklable, and should be small.
    """

    name: str
    labels: list[Label]
    notes: list[BadInput] = field(default_factory=list)
    together: int | None = None  # labels that are best read by one process; as many as may be without a number

    def cut(self, most: int) -> Iterator[Session]:
        """The session in pieces of neighbouring labels, `together` or at most `most`; its notes go with the first."""
        step = min(self.together or most, most)
        for i in range(0, max(1, len(self.labels)), step):
            piece = copy.copy(self)
            piece.labels, piece.notes = self.labels[i : i + step], [] if i else self.notes
            yield piece

    def read(self, modality: Modality, start: int) -> Samples:
        """Samples of a modality in the window that begins at `start`; raises BadInput where there are none."""
        raise NotImplementedError


class Layout(Protocol):
    """The functions of a layout's module."""

    def find_users(self, root: Path, cohort: Cohort) -> dict[str, Path]:
        """User names with the folder of their raw recordings, in the order of the names."""

    def label_files(self, folder: Path, cohort: Cohort) -> list[Path]:
        """The files that hold the labels of the user of a folder: what must be read anew when one changes."""

    def open_sessions(
        self, user: str, folder: Path, cohort: Cohort, windows: Windows
    ) -> tuple[pa.Schema, Iterator[Session]]:
        """Schema of the raw label columns, and the user's sessions one at a time."""


def fingerprint(folder: str | Path) -> str:
    """How many files a user's recordings are, their bytes, and when the last one changed: other recordings, other text.

    Three levels of folders are looked through, as many as a layout has; links are followed.
    """
    count, size, newest, folders = 0, 0, 0, [(str(folder), 0)]
    while folders:
        path, level = folders.pop()
        try:
            entries = list(os.scandir(path))
        except OSError:  # the reader will say what is wrong with it
            continue
        for entry in entries:
            try:
                about = entry.stat()
            except OSError:  # a link that leads nowhere
                continue
            if stat.S_ISDIR(about.st_mode):
                folders += [(entry.path, level + 1)] if level < 2 else []
            else:
                count, size, newest = count + 1, size + about.st_size, max(newest, about.st_mtime_ns)
    return f"{count} files, {size} bytes, the last changed at {newest}"


def users_by_name(folders: list[Path]) -> dict[str, Path]:
    """Folders by user name; raises BadInput for a name that is no safe path or is found twice."""
    users: dict[str, Path] = {}
    for folder in sorted(folders, key=lambda path: (path.name, str(path))):
        if not SAFE_NAME.fullmatch(folder.name):
            raise BadInput("unsafe name", f"{str(folder)!r}: user names are letters, digits, '_' and '-'; rename it")
        if folder.name in users:
            raise BadInput("user found twice", f"{folder} and {users[folder.name]}; point cohort.root at one of them")
        users[folder.name] = folder
    return users
