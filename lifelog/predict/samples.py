"""What predictors see: many users' windows, their sensors standardised by each user's own training windows."""

from __future__ import annotations

from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import pandas as pd
import pyarrow.parquet as pq
from numpy.typing import NDArray

from lifelog.config import Modality
from lifelog.predict.store import StoredWindows, divisor, store_windows
from lifelog.tables import read_notes
from lifelog.windows.features import is_summary, maxima_name


@dataclass
class Samples:
    """N windows of C classes. Missing values are NaN."""

    keys: pd.DataFrame  # user, session, start, part
    minutes: NDArray  # (N,) since 1970
    elapsed: NDArray  # (N,) minutes since the session's first labelled window
    truth: NDArray  # (N,) class numbers
    summary: NDArray  # (N, F) summary statistics
    maxima: dict[str, NDArray]  # by modality (N, bins, channels), maxima of 5-second bins
    windows: StoredWindows | None  # as recorded; None where the predictor asks for none
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
            windows=None if self.windows is None else self.windows.take(rows),
        )

    def part(self, name: str, users: list[str] | None = None) -> Samples:
        """The windows of a part, of all users or of those given."""
        rows = self.keys.part == name
        return self.take((rows if users is None else rows & self.keys.user.isin(users)).to_numpy())


def read_samples(
    features: list[str],
    splits: list[str],
    users: list[str],
    standardise: str,
    windows: list[str] | None = None,
    folder: str | Path | None = None,
) -> Samples:
    """The used windows of the given users, in the order of the files.

    Where `windows` are given the sensors come with them, through a temporary file in `folder`.
    """
    pieces, parts, kept = [], [], []
    for i, (features_path, splits_path) in enumerate(zip(features, splits, strict=True)):
        split = pq.read_table(splits_path).to_pandas()
        if len(split) and split.user[0] in users:
            pieces.append(_read_user(features_path, split, read_notes(splits_path)["classes"], standardise))
            parts.append(split.part.fillna("").to_numpy(dtype=str))
            kept.append(i)
    first = pieces[0]
    stored = (
        store_windows([windows[i] for i in kept], parts, first.modalities, standardise, folder) if windows else None
    )
    return replace(
        first,
        keys=pd.concat([piece.keys for piece in pieces], ignore_index=True),
        **{
            name: np.concatenate([getattr(piece, name) for piece in pieces])
            for name in ("minutes", "elapsed", "truth", "summary")
        },
        maxima={name: np.concatenate([piece.maxima[name] for piece in pieces]) for name in first.maxima},
        windows=stored,
    )


def _read_user(features_path: str, split: pd.DataFrame, classes: list[str], standardise: str) -> Samples:
    table = pq.read_table(features_path)
    notes = read_notes(features_path)
    modalities = [Modality(**entry) for entry in notes["modalities"]]
    used = split.part.notna().to_numpy()
    minutes = split.start.dt.as_unit("s").astype("int64") // 60
    elapsed = minutes - minutes.groupby(split.session).transform("min")
    keys = split.loc[used, ["user", "session", "start", "part"]].reset_index(drop=True)
    train = (keys.part == "train").to_numpy()
    described = [table.column(name).to_numpy() for name in table.column_names if is_summary(name)]
    summary = np.stack(described, axis=1)[used].astype(np.float64)
    maxima = {}
    for modality in modalities:
        flat = table.column(maxima_name(modality.name)).combine_chunks().flatten().to_numpy()
        values = flat.reshape(len(used), notes["bins"], modality.channels)
        maxima[modality.name] = values[used].astype(np.float64)
    if standardise == "user":
        summary = _standardise(summary, train, axis=(0,))
        maxima = {name: _standardise(values, train, axis=(0, 1)) for name, values in maxima.items()}
    return Samples(
        keys,
        minutes[used].to_numpy(),
        elapsed[used].to_numpy(),
        split.label[used].map({name: i for i, name in enumerate(classes)}).to_numpy(dtype=int),
        summary.astype(np.float32),
        {name: values.astype(np.float32) for name, values in maxima.items()},
        None,
        modalities,
        classes,
    )


def _standardise(values: NDArray, train: NDArray, axis: tuple[int, ...]) -> NDArray:
    """Centre and scale by the training rows; NaN stays, a constant is centred only."""
    known = values[train]
    count = np.maximum((~np.isnan(known)).sum(axis=axis), 1)
    mean = np.nansum(known, axis=axis, dtype=np.float64) / count
    spread = np.sqrt(np.nansum((known - mean) ** 2, axis=axis, dtype=np.float64) / count)
    return (values - mean) / divisor(mean, spread)
