"""Windows of many users in a file, of which training loads only the requested rows.

A cohort's windows do not fit into memory (20 users of the ETRI data: 6 GB). A Parquet file is read in whole row groups,
but training needs random rows at every step; the windows are therefore written one after the other first.
"""

from __future__ import annotations

import tempfile
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import IO, TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from lifelog.settings.windows import Modality
from lifelog.standardise import Scaling, fit_scaling
from lifelog.windows.read import iter_windows

if TYPE_CHECKING:  # torch takes a second to import
    import torch
    from torch import Tensor

    from lifelog.mil.bags import Bags


@dataclass
class StoredWindows:
    """N windows in a file, standardised on reading.

    Attributes
    ----------
    file : binary file
        The windows, one record of float32 each.
    modalities : list of Modality
        Their order in a record.
    rows : ndarray of int, shape (N,)
        Records in the file.
    users : ndarray of int, shape (N,)
        Numbers of users.
    present : ndarray of bool, shape (N, n_modalities)
        Which modalities are not missing.
    scalings : dict of str to Scaling
        By modality, with a row per user: mean and std have the shape (n_users, n_channels).
    """

    file: IO[bytes]
    modalities: list[Modality]
    rows: NDArray[np.int_]
    users: NDArray[np.int_]
    present: NDArray[np.bool_]
    scalings: dict[str, Scaling]

    def take(self, rows: NDArray[Any]) -> StoredWindows:
        """Return some windows, by number or by mask."""
        return replace(self, rows=self.rows[rows], users=self.users[rows], present=self.present[rows])

    def read(self) -> dict[str, NDArray[np.float32]]:
        """Read the sensors by modality, (N, length, channels), zeros where a modality is missing."""
        sizes = [modality.size for modality in self.modalities]
        records = np.empty((len(self.rows), sum(sizes)), np.float32)
        for record, row in zip(records, self.rows, strict=True):
            self.file.seek(int(row) * record.nbytes)
            if self.file.readinto(record.data) != record.nbytes:  # type: ignore[attr-defined]
                raise OSError(f"the temporary file ends within window {row}")
        values = {}
        for modality, flat in zip(self.modalities, np.split(records, np.cumsum(sizes)[:-1], axis=1), strict=True):
            scaling = self.scalings[modality.name]
            of_windows = Scaling(scaling.mean[self.users, None], scaling.std[self.users, None])
            x = of_windows.apply(flat.reshape(-1, modality.length, modality.channels))
            values[modality.name] = np.nan_to_num(x, copy=False)
        return values


class StoredBags:
    """Stored windows as bags, of which training takes some at a time to its device.

    Parameters
    ----------
    windows : StoredWindows
        The windows.
    classes : Tensor of int64, shape (n_windows,)
        Class numbers.
    device : torch.device
        Device of the network.
    """

    def __init__(self, windows: StoredWindows, classes: Tensor, device: torch.device) -> None:
        import torch

        self.windows, self.device = windows, device
        self.present, self.classes = torch.from_numpy(windows.present).to(device), classes.to(device)
        self.width = sum(modality.size for modality in windows.modalities)

    def __len__(self) -> int:
        return len(self.classes)

    def take(self, rows: Tensor) -> Bags:
        """Return some bags on the device."""
        import torch

        from lifelog.mil.bags import Bags

        values = self.windows.take(rows.cpu().numpy()).read()
        tensors = {name: torch.from_numpy(x).to(self.device) for name, x in values.items()}
        return Bags(tensors, self.present[rows], self.classes[rows])


def store_windows(
    paths: Sequence[str],
    subsets: Sequence[NDArray[np.str_]],
    modalities: list[Modality],
    standardise: str,
    folder: str | Path | None,
) -> StoredWindows:
    """Write the used windows, user by user, to a temporary file that is deleted with the process.

    Parameters
    ----------
    paths : sequence of str
        Files of `extract_windows`, one per user.
    subsets : sequence of ndarray of str, shape (n_windows,)
        Per user, the subset of every window of the file; "" for windows that are not used.
    modalities : list of Modality
        The sensors to store.
    standardise : str
        `user` or `none`.
    folder : str or Path, optional
        Folder of the file.

    Returns
    -------
    StoredWindows
        In the order of the files.
    """
    file = tempfile.TemporaryFile(dir=folder)  # noqa: SIM115 (it lives as long as StoredWindows)
    users, present = [], []
    scalings: dict[str, list[Scaling]] = {m.name: [] for m in modalities}
    for user, (path, subset) in enumerate(zip(paths, subsets, strict=True)):
        for batch, own in _batches(path, modalities, subset):
            used = own != ""
            flat = [batch[m.name][used].reshape(used.sum(), -1) for m in modalities]
            file.write(np.concatenate(flat, axis=1).data)
            present.append(np.stack([~np.isnan(x[:, 0]) for x in flat], axis=1))
            users.append(np.full(used.sum(), user))
        for m in modalities:
            known = "train" if (subset == "train").any() else "test"  # of a user who is tested as a whole
            scaled = (batch[m.name][own == known] for batch, own in _batches(path, [m], subset))
            scalings[m.name].append(fit_scaling(scaled, m.channels, standardise))
    file.flush()
    numbers = np.concatenate(users)
    return StoredWindows(
        file,
        modalities,
        np.arange(len(numbers)),
        numbers,
        np.concatenate(present),
        {name: Scaling(np.stack([s.mean for s in x]), np.stack([s.std for s in x])) for name, x in scalings.items()},
    )


def _batches(
    path: str, modalities: list[Modality], subset: NDArray[np.str_]
) -> Iterator[tuple[dict[str, NDArray[np.float32]], NDArray[np.str_]]]:
    """Yield batches of windows with their subsets."""
    start = 0
    for batch in iter_windows(path, modalities):
        count = len(next(iter(batch.values())))
        yield batch, subset[start : start + count]
        start += count
