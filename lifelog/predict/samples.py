"""What predictors see: many users' windows, their sensors standardised by each user's own training windows."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
import pandas as pd
import pyarrow.parquet as pq
from numpy.typing import NDArray

from lifelog.config import Modality
from lifelog.tables import read_notes
from lifelog.windows.features import is_summary, maxima_name
from lifelog.windows.read import read_windows


@dataclass
class Samples:
    """N windows of C classes. Missing values are NaN."""

    keys: pd.DataFrame  # user, session, start, part
    minutes: NDArray  # (N,) since 1970
    elapsed: NDArray  # (N,) minutes since the session's first labelled window
    truth: NDArray  # (N,) class numbers
    summary: NDArray  # (N, F) summary statistics
    maxima: dict[str, NDArray]  # by modality (N, bins, channels), maxima of 5-second bins
    windows: dict[str, NDArray]  # by modality (N, length, channels); empty where the predictor asks for none
    modalities: list[Modality]
    classes: list[str]

    def __len__(self) -> int:
        return len(self.truth)

    def take(self, rows: NDArray) -> Samples:
        """The windows that a boolean array marks."""
        return replace(
            self,
            keys=self.keys[rows].reset_index(drop=True),
            **{name: getattr(self, name)[rows] for name in ("minutes", "elapsed", "truth", "summary")},
            maxima={name: values[rows] for name, values in self.maxima.items()},
            windows={name: values[rows] for name, values in self.windows.items()},
        )

    def part(self, name: str, users: list[str] | None = None) -> Samples:
        """The windows of a part, of all users or of those given."""
        rows = self.keys.part == name
        return self.take((rows if users is None else rows & self.keys.user.isin(users)).to_numpy())


def read_samples(
    features: list[str], splits: list[str], users: list[str], standardise: str, windows: list[str] | None = None
) -> Samples:
    """The used windows of the given users, in the order of the files; with their sensors where `windows` are given."""
    pieces = []
    for i, (features_path, splits_path) in enumerate(zip(features, splits, strict=True)):
        split = pq.read_table(splits_path).to_pandas()
        if len(split) and split.user[0] in users:
            classes = read_notes(splits_path)["classes"]
            pieces.append(_read_user(features_path, split, classes, standardise, windows[i] if windows else None))
    first = pieces[0]
    return replace(
        first,
        keys=pd.concat([piece.keys for piece in pieces], ignore_index=True),
        **{
            name: np.concatenate([getattr(piece, name) for piece in pieces])
            for name in ("minutes", "elapsed", "truth", "summary")
        },
        maxima={name: np.concatenate([piece.maxima[name] for piece in pieces]) for name in first.maxima},
        windows={name: np.concatenate([piece.windows[name] for piece in pieces]) for name in first.windows},
    )


def _read_user(
    features_path: str, split: pd.DataFrame, classes: list[str], standardise: str, windows_path: str | None
) -> Samples:
    notes = read_notes(features_path)
    modalities = [Modality(**entry) for entry in notes["modalities"]]
    used = split.part.notna().to_numpy()
    minutes = split.start.dt.as_unit("s").astype("int64") // 60
    elapsed = minutes - minutes.groupby(split.session).transform("min")
    keys = split.loc[used, ["user", "session", "start", "part"]].reset_index(drop=True)
    features = pq.read_table(features_path).to_pandas()[used]
    train = (keys.part == "train").to_numpy()
    summary = features[[name for name in features.columns if is_summary(name)]].to_numpy(dtype=np.float64)
    maxima = {}
    for modality in modalities:
        flat = np.stack(features[maxima_name(modality.name)].to_list()).astype(np.float64)
        maxima[modality.name] = flat.reshape(len(keys), notes["bins"], modality.channels)
    windows = read_windows(windows_path, modalities, np.flatnonzero(used)) if windows_path else {}
    if standardise == "user":
        summary = _standardise(summary, train, axis=(0,))
        maxima = {name: _standardise(values, train, axis=(0, 1)) for name, values in maxima.items()}
        windows = {name: _standardise(values, train, axis=(0, 1)) for name, values in windows.items()}
    return Samples(
        keys,
        minutes[used].to_numpy(),
        elapsed[used].to_numpy(),
        split.label[used].map({name: i for i, name in enumerate(classes)}).to_numpy(dtype=int),
        summary.astype(np.float32),
        {name: values.astype(np.float32) for name, values in maxima.items()},
        {name: values.astype(np.float32) for name, values in windows.items()},
        modalities,
        classes,
    )


def _standardise(values: NDArray, train: NDArray, axis: tuple[int, ...]) -> NDArray:
    """Centre and scale by the training rows; NaN stays, a constant is centred only."""
    known = values[train]
    count = np.maximum((~np.isnan(known)).sum(axis=axis), 1)
    mean = np.nansum(known, axis=axis, dtype=np.float64) / count
    spread = np.sqrt(np.nansum((known - mean) ** 2, axis=axis, dtype=np.float64) / count)
    return (values - mean) / np.where(spread > 1e-6 * (1 + np.abs(mean)), spread, 1.0)
