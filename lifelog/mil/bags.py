"""A participant's windows as tensors: one contiguous array per modality, missing values zero under a mask."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
import pandas as pd
import torch
from torch import Tensor

from lifelog.arrays import Floats
from lifelog.splits.folds import Folds
from lifelog.standardise import Scaling, fit_scaling
from lifelog.windows.read import Features

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


class LabelledBags(NamedTuple):
    """The windows of a participant that train or test networks.

    Attributes
    ----------
    bags : Bags
        Values as recorded, not yet standardised; NaN where a modality is missing.
    rows : pandas.DataFrame
        The same windows in `Folds.described`; the index is the number of the window.
    classes : list of str
        Names of the classes.
    column : str
        Column of `Folds` that has the classes.
    """

    bags: Bags
    rows: pd.DataFrame
    classes: list[str]
    column: str

    def of_fold(self, split: pd.DataFrame) -> Bags:
        """Return the bags with their classes in a fold, given the rows of `Folds.fold`."""
        return Bags(self.bags.values, self.bags.present, _codes(split[self.column][self.rows.index], self.classes))


def make_bags(values: Mapping[str, Floats], folds: Folds, labels: str = "bins") -> LabelledBags:
    """Return the windows with a label as bags.

    Parameters
    ----------
    values : mapping of str to ndarray of float, shape (n_windows, length, n_channels)
        All windows by modality: samples of `read_windows`, or features of `feature_instances`.
    folds : Folds
        Of `assign_splits`.
    labels : str
        `bins` for the classes of the target, `levels` for the label values of the participant.

    Returns
    -------
    LabelledBags
        In the order of the windows.
    """
    used = folds.described.subset.notna().to_numpy()
    rows = folds.described[used]
    column = "label" if labels == "bins" else "level"
    levels = sorted(rows[column].unique(), key=lambda level: (len(level), level))
    classes = folds.classes if labels == "bins" else levels
    tensors = {name: torch.from_numpy(np.asarray(x[used], np.float32)) for name, x in values.items()}
    present = torch.stack([~torch.isnan(x).all(dim=2).all(dim=1) for x in tensors.values()], dim=1)
    return LabelledBags(Bags(tensors, present, _codes(rows[column], classes)), rows, classes, column)


def _codes(names: pd.Series, classes: list[str]) -> Tensor:
    return torch.tensor([classes.index(name) for name in names], dtype=torch.long)


def feature_instances(features: Features) -> dict[str, Floats]:
    """Return the features of windows as samples, for `make_bags`.

    Parameters
    ----------
    features : Features
        Of `extract_features`.

    Returns
    -------
    dict of str to ndarray of float32, shape (n_windows, 1, n_features)
        By modality: windows of length 1 with a channel per feature.
    """
    return {name: values[:, None].astype(np.float32) for name, values in features.by_modality().items()}


def bags_of(values: Mapping[str, Tensor], present: Tensor, classes: Tensor) -> Bags:
    """Return bags of standardised values.

    Parameters
    ----------
    values : mapping of str to Tensor, shape (n_bags, length, n_channels)
        By modality; NaN marks missing values, which become zero.
    present : Tensor of bool, shape (n_bags, n_modalities)
        Which modalities are not missing.
    classes : Tensor of int64, shape (n_bags,)
        Class numbers.

    Returns
    -------
    Bags
        On the same device.
    """
    return Bags({name: torch.nan_to_num(x) for name, x in values.items()}, present, classes)


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
