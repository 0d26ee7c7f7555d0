"""A user's windows as tensors: one contiguous array per modality, missing values zero under a mask."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pandas as pd
import torch
from torch import Tensor

from lifelog.settings.windows import Modality
from lifelog.standardise import Scaling, fit_scaling
from lifelog.windows.read import read_features, read_windows

BATCH_ROWS = 256  # windows that are converted to double precision at a time


@dataclass
class Bags:
    """Windows as bags of modalities.

    Attributes
    ----------
    values : dict of str to Tensor, shape (n_bags, length, n_channels)
        By modality.
    present : Tensor of bool, shape (n_bags, n_modalities)
        Which modalities are not missing.
    classes : Tensor of int64, shape (n_bags,)
        Class numbers.
    """

    values: dict[str, Tensor]
    present: Tensor
    classes: Tensor

    def __len__(self) -> int:
        return len(self.classes)

    @property
    def width(self) -> int:
        """Number of values per bag."""
        return sum(x.shape[1:].numel() for x in self.values.values())

    @property
    def channels(self) -> dict[str, int]:
        """Number of channels by modality."""
        return {name: x.shape[2] for name, x in self.values.items()}

    def take(self, rows: Tensor) -> Bags:
        """Return some bags, by number or by mask."""
        return Bags({name: x[rows] for name, x in self.values.items()}, self.present[rows], self.classes[rows])

    def to(self, device: torch.device) -> Bags:
        """Return the bags on a device."""
        values = {name: x.to(device) for name, x in self.values.items()}
        return Bags(values, self.present.to(device), self.classes.to(device))


def read_bags(
    data_path: str | Path,
    split: pd.DataFrame,
    modalities: list[Modality],
    labels: str,
    bins: list[str],
    encoder: str = "convolution",
) -> tuple[Bags, pd.DataFrame, list[str]]:
    """Read the windows that a split uses.

    Parameters
    ----------
    data_path : str or Path
        A file of `extract_features` for the encoder `features`, of `extract_windows` for `convolution`.
    split : pandas.DataFrame
        Rows of `read_split`.
    modalities : list of Modality
        The modalities to read.
    labels : str
        `bins` for the classes of the target, `levels` for the label values of the user.
    bins : list of str
        Classes of the target.
    encoder : str
        `features` or `convolution`. A window of features has length 1, and a channel per feature.

    Returns
    -------
    bags : Bags
        Values as recorded, not yet standardised; NaN where a modality is missing.
    used : pandas.DataFrame
        The rows of `split` that are in a subset, in the order of the bags; their index is the number of the window.
    classes : list of str
        Names of the classes.
    """
    rows = split.subset.notna().to_numpy()
    used = split[rows]
    names = used.label if labels == "bins" else used.level
    classes = bins if labels == "bins" else sorted(names.unique(), key=lambda level: (len(level), level))
    if encoder == "features":
        features = read_features(data_path, rows)
        arrays = {m.name: features[m.name][:, None].astype(np.float32) for m in modalities}
    else:
        arrays = read_windows(data_path, modalities, np.flatnonzero(rows))
    values = {name: torch.from_numpy(array) for name, array in arrays.items()}
    present = torch.stack([~torch.isnan(x).all(dim=2).all(dim=1) for x in values.values()], dim=1)
    codes = torch.tensor([classes.index(name) for name in names], dtype=torch.long)
    return Bags(values, present, codes), used, classes


def join_bags(parts: Sequence[Bags]) -> Bags:
    """Join bags of the same modalities.

    Parameters
    ----------
    parts : sequence of Bags
        On one device.

    Returns
    -------
    Bags
        In the order of the parts.
    """
    values = {name: torch.cat([part.values[name] for part in parts]) for name in parts[0].values}
    present, classes = (torch.cat([getattr(part, name) for part in parts]) for name in ("present", "classes"))
    return Bags(values, present, classes)


def fit_scalings(bags: Bags, standardise: str) -> dict[str, Scaling]:
    """Fit the scaling of every modality.

    Parameters
    ----------
    bags : Bags
        Training windows.
    standardise : str
        `user` or `none`.

    Returns
    -------
    dict of str to Scaling
        By modality.
    """
    return {
        name: fit_scaling((part.numpy() for part in x.split(BATCH_ROWS)), x.shape[2], standardise)
        for name, x in bags.values.items()
    }


def standardise_bags(bags: Bags, scalings: dict[str, Scaling]) -> Bags:
    """Standardise bags.

    Parameters
    ----------
    bags : Bags
        Values as recorded.
    scalings : dict of str to Scaling
        By modality.

    Returns
    -------
    Bags
        Standardised values, zero where a modality is missing.
    """
    scaled = {name: scalings[name].apply(x.numpy()) for name, x in bags.values.items()}
    # Values beyond single precision stay infinite, so that training fails instead of learning from any large number.
    values = {name: torch.from_numpy(np.where(np.isnan(x), 0, x)) for name, x in scaled.items()}
    return Bags(values, bags.present, bags.classes)
