"""Windows of many users for training, as recorded: in a file, of which only what is asked for comes into memory.

A cohort's windows do not fit there (20 users of the ETRI data: 6 GB). A Parquet file is read in whole groups of rows;
training wants some windows from anywhere at every step, so they are laid out one after the other first.
"""

from __future__ import annotations

import tempfile
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import BinaryIO

import numpy as np
from numpy.typing import NDArray

from lifelog.config import Modality
from lifelog.windows.read import iter_windows


@dataclass
class StoredWindows:
    """N windows in a file: any rows of them can be read, standardised by the training windows of their user."""

    file: BinaryIO
    modalities: list[Modality]
    rows: NDArray  # (N,) places in the file
    users: NDArray  # (N,) numbers of users
    present: NDArray  # (N, M)
    scaling: dict[str, tuple[NDArray, NDArray]]  # by modality: mean and spread, (users, channels)

    def take(self, rows: NDArray) -> StoredWindows:
        """The windows that numbers or a boolean array mark."""
        return replace(self, rows=self.rows[rows], users=self.users[rows], present=self.present[rows])

    def read(self) -> dict[str, NDArray]:
        """The sensors by modality, (N, length, channels) float32, zeros where a modality is missing."""
        sizes = [modality.length * modality.channels for modality in self.modalities]
        records = np.empty((len(self.rows), sum(sizes)), np.float32)
        for record, row in zip(records, self.rows, strict=True):
            self.file.seek(int(row) * record.nbytes)
            if self.file.readinto(record.data) != record.nbytes:
                raise OSError(f"window {row} is not whole in the temporary file")
        values, parts = {}, np.split(records, np.cumsum(sizes)[:-1], axis=1)
        for modality, flat in zip(self.modalities, parts, strict=True):
            mean, spread = (table[self.users, None] for table in self.scaling[modality.name])
            x = (flat.reshape(-1, modality.length, modality.channels) - mean) / spread
            values[modality.name] = np.nan_to_num(x, copy=False)
        return values


def store_windows(
    paths: list[str], parts: list[NDArray], modalities: list[Modality], standardise: str, folder: Path
) -> StoredWindows:
    """Lay out the windows that have a part, user by user, in a file in `folder` that vanishes with the process.

    parts: by user the part of every window of the file, "" for those that are not used.
    """
    file = tempfile.TemporaryFile(dir=folder)  # noqa: SIM115 (it lives as long as what reads it)
    users, present, scalings = [], [], []
    for user, (path, part) in enumerate(zip(paths, parts, strict=True)):
        fitted = {m.name: _Moments(m.channels) for m in modalities}
        for batch, its in _batches(path, modalities, part):
            used = its != ""
            for modality in modalities:
                if standardise == "user":
                    fitted[modality.name].add(batch[modality.name][its == "train"])
            flat = [batch[m.name][used].reshape(used.sum(), -1) for m in modalities]
            file.write(np.concatenate(flat, axis=1).data)
            present.append(np.stack([~np.isnan(x[:, 0]) for x in flat], axis=1))
            users.append(np.full(used.sum(), user))
        scalings.append({name: moments.scaling() for name, moments in fitted.items()})
    tables = {m.name: tuple(np.stack([s[m.name][i] for s in scalings]) for i in (0, 1)) for m in modalities}
    file.flush()
    numbers = np.concatenate(users)
    return StoredWindows(file, modalities, np.arange(len(numbers)), numbers, np.concatenate(present), tables)


def _batches(path: str, modalities: list[Modality], part: NDArray) -> Iterator[tuple[dict[str, NDArray], NDArray]]:
    start = 0
    for batch in iter_windows(path, modalities):
        count = len(next(iter(batch.values())))
        yield batch, part[start : start + count]
        start += count


class _Moments:
    """Mean and spread a channel of windows that come in batches (Chan, Golub and LeVeque, 1983)."""

    def __init__(self, channels: int) -> None:
        self.count, self.mean, self.squares = 0, np.zeros(channels), np.zeros(channels)

    def add(self, windows: NDArray) -> None:
        values = windows[~np.isnan(windows[:, 0, 0])].reshape(-1, len(self.mean)).astype(np.float64)
        if not len(values):
            return
        mean = values.mean(axis=0)
        total, apart = self.count + len(values), mean - self.mean
        self.squares += ((values - mean) ** 2).sum(axis=0) + apart**2 * self.count * len(values) / total
        self.mean += apart * len(values) / total
        self.count = total

    def scaling(self) -> tuple[NDArray, NDArray]:
        spread = divisor(self.mean, np.sqrt(self.squares / max(self.count, 1)))
        return self.mean.astype(np.float32), spread.astype(np.float32)


def divisor(mean: NDArray, spread: NDArray) -> NDArray:
    """What to divide by: the spread, but 1 for a constant, which is centred only."""
    return np.where(spread > 1e-6 * (1 + np.abs(mean)), spread, 1.0)
