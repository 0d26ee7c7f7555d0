"""A user's windows as tensors: contiguous, one array a modality, missing values zero under a mask."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pandas as pd
import pyarrow.parquet as pq
import torch
from torch import Tensor

from lifelog.config import Modality
from lifelog.windows.read import read_windows

Scaling = dict[str, tuple[Tensor, Tensor]]  # by modality: mean and spread a channel, shape (channels,)


@dataclass
class Bags:
    """N windows: values (N, length, channels) by modality, presence (N, M) and class numbers (N,)."""

    values: dict[str, Tensor]
    present: Tensor
    classes: Tensor

    def __len__(self) -> int:
        return len(self.classes)

    @property
    def width(self) -> int:
        """Values a window."""
        return sum(x.shape[1:].numel() for x in self.values.values())

    def take(self, rows: Tensor) -> Bags:
        return Bags({name: x[rows] for name, x in self.values.items()}, self.present[rows], self.classes[rows])

    def to(self, device: torch.device) -> Bags:
        values = {name: x.to(device) for name, x in self.values.items()}
        return Bags(values, self.present.to(device), self.classes.to(device))


def read_bags(
    windows_path: str | Path, splits_path: str | Path, modalities: list[Modality], labels: str, bins: list[str]
) -> tuple[Bags, pd.DataFrame, list[str]]:
    """The windows that a split uses, their rows of the splits table, and the names of the classes.

    labels: `bins` for the target's classes, `levels` for the label values that the user gave.
    Raw values, not yet scaled; NaN marks what is missing.
    """
    splits = pq.read_table(splits_path).to_pandas()
    rows = splits.part.notna().to_numpy()
    used = splits[rows].reset_index(drop=True)
    names = used.label if labels == "bins" else used.level
    classes = bins if labels == "bins" else sorted(names.unique(), key=lambda level: (len(level), level))
    arrays = read_windows(windows_path, modalities, np.flatnonzero(rows))
    values = {name: torch.from_numpy(array) for name, array in arrays.items()}
    present = torch.stack([~torch.isnan(x[:, 0, 0]) for x in values.values()], dim=1)
    codes = torch.tensor([classes.index(name) for name in names], dtype=torch.long)
    return Bags(values, present, codes), used, classes


def fit_scaling(bags: Bags, standardise: str) -> Scaling:
    """Mean and spread of every channel over the given (training) windows; 0 and 1 without standardisation."""
    scaling = {}
    for m, (name, x) in enumerate(bags.values.items()):
        known = x[bags.present[:, m]].reshape(-1, x.shape[2]).double()
        mean, spread = torch.zeros(x.shape[2]), torch.ones(x.shape[2])
        if standardise == "user" and len(known):
            mean, spread = known.mean(dim=0).float(), known.std(dim=0, correction=0).float()
            # A channel that never changes (a dead sensor) is centred, not blown up.
            spread = torch.where(spread > 1e-6 * (1 + mean.abs()), spread, torch.ones_like(spread))
        scaling[name] = (mean, spread)
    return scaling


def scale(bags: Bags, scaling: Scaling) -> Bags:
    """Standardised values, zeros where a modality is missing."""
    values = {name: torch.nan_to_num((x - scaling[name][0]) / scaling[name][1]) for name, x in bags.values.items()}
    return Bags(values, bags.present, bags.classes)
