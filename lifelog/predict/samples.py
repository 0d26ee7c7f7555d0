"""What predictors see: the features of many users' windows, standardised by each user's own training windows."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd
import pyarrow.parquet as pq
from numpy.typing import NDArray

from lifelog.config import Modality
from lifelog.tables import read_notes
from lifelog.windows.features import is_summary, maxima_name


@dataclass
class Samples:
    """N windows of C classes. Missing values are NaN."""

    keys: pd.DataFrame  # user, session, start, part
    truth: NDArray  # (N,) class numbers
    summary: NDArray  # (N, F) summary statistics
    maxima: dict[str, NDArray]  # by modality (N, bins, channels), maxima of 5-second bins
    modalities: list[Modality]
    classes: list[str]

    def __len__(self) -> int:
        return len(self.truth)

    def take(self, rows: NDArray) -> Samples:
        keys = self.keys[rows].reset_index(drop=True)
        maxima = {name: values[rows] for name, values in self.maxima.items()}
        return Samples(keys, self.truth[rows], self.summary[rows], maxima, self.modalities, self.classes)

    def part(self, name: str) -> Samples:
        return self.take((self.keys.part == name).to_numpy())


def read_samples(features: list[str], splits: list[str], users: list[str], standardise: str) -> Samples:
    """The used windows of the given users, in the order of the files."""
    pieces = []
    for features_path, splits_path in zip(features, splits, strict=True):
        split = pq.read_table(splits_path).to_pandas()
        if len(split) and split.user[0] in users:
            pieces.append(_read_user(features_path, split, read_notes(splits_path)["classes"], standardise))
    first = pieces[0]
    return Samples(
        pd.concat([piece.keys for piece in pieces], ignore_index=True),
        np.concatenate([piece.truth for piece in pieces]),
        np.concatenate([piece.summary for piece in pieces]),
        {name: np.concatenate([piece.maxima[name] for piece in pieces]) for name in first.maxima},
        first.modalities,
        first.classes,
    )


def _read_user(features_path: str, split: pd.DataFrame, classes: list[str], standardise: str) -> Samples:
    notes = read_notes(features_path)
    modalities = [Modality(**entry) for entry in notes["modalities"]]
    used = split.part.notna().to_numpy()
    keys = split.loc[used, ["user", "session", "start", "part"]].reset_index(drop=True)
    features = pq.read_table(features_path).to_pandas()[used]
    train = (keys.part == "train").to_numpy()
    summary = features[[name for name in features.columns if is_summary(name)]].to_numpy(dtype=np.float64)
    maxima = {}
    for modality in modalities:
        flat = np.stack(features[maxima_name(modality.name)].to_list()).astype(np.float64)
        maxima[modality.name] = flat.reshape(len(keys), notes["bins"], modality.channels)
    if standardise == "user":
        summary = _standardise(summary, train, axis=(0,))
        maxima = {name: _standardise(values, train, axis=(0, 1)) for name, values in maxima.items()}
    truth = split.label[used].map({name: i for i, name in enumerate(classes)}).to_numpy(dtype=int)
    maxima = {name: values.astype(np.float32) for name, values in maxima.items()}
    return Samples(keys, truth, summary.astype(np.float32), maxima, modalities, classes)


def _standardise(values: NDArray, train: NDArray, axis: tuple[int, ...]) -> NDArray:
    """Centre and scale by the training rows; NaN stays, a constant is centred only."""
    known = values[train]
    count = np.maximum((~np.isnan(known)).sum(axis=axis), 1)
    mean = np.nansum(known, axis=axis) / count
    spread = np.sqrt(np.nansum((known - mean) ** 2, axis=axis) / count)
    return (values - mean) / np.where(spread > 1e-6 * (1 + np.abs(mean)), spread, 1.0)
