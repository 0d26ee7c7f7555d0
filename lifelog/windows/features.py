"""extract_features: what the predictors and the raw embedding see of a window, computed once a user.

Two descriptions of each modality: summary statistics a channel, and the maxima of 5-second bins (the study's way).
Neither depends on the split: standardisation, which does, is left to those who train.
"""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
from numpy.typing import NDArray

from lifelog.config import Modality
from lifelog.tables import write_table
from lifelog.windows.extract import read_modalities
from lifelog.windows.read import iter_windows

BIN_SECONDS = 5
STATISTICS = ("mean", "std", "min", "max", "slope", "change", "peak_hz")


def summary(values: NDArray, rate: float) -> dict[str, NDArray]:
    """Statistics over time of windows (n, length, channels), each of shape (n, channels), in the modality's unit.

    slope: least squares, a second; change: mean absolute difference of neighbouring samples; peak_hz: frequency with
    the most power, the mean left out.
    """
    length = values.shape[1]
    t = (np.arange(length) - (length - 1) / 2) / rate
    centred = values - values.mean(axis=1, keepdims=True)
    power = np.abs(np.fft.rfft(centred, axis=1)) ** 2
    return {
        "mean": values.mean(axis=1),
        "std": values.std(axis=1),
        "min": values.min(axis=1),
        "max": values.max(axis=1),
        "slope": np.einsum("nlc,l->nc", centred, t) / (t**2).sum(),
        "change": np.abs(np.diff(values, axis=1)).mean(axis=1),
        "peak_hz": (1 + power[:, 1:].argmax(axis=1)) * (rate / length),
    }


def bin_maxima(values: NDArray, bins: int) -> NDArray:
    """Maxima of equal bins of time, shape (n, bins, channels); a scalar fills every bin."""
    length = values.shape[1]
    if length < bins:
        return np.repeat(values[:, :1], bins, axis=1)
    edges = np.arange(bins) * length // bins
    return np.maximum.reduceat(values, edges, axis=1)


def extract_features(windows_path: str | Path, seconds: int, features_path: str | Path) -> None:
    """Write the features of every window of a user, in the windows' order; NaN where a modality is missing."""
    modalities = read_modalities(windows_path)
    bins = max(1, seconds // BIN_SECONDS)
    batches = iter_windows(windows_path, modalities)
    parts = [_describe(batch, modalities, seconds, bins) for batch in batches]
    table = pq.read_table(windows_path, columns=["user", "start"])
    for name in parts[0]:
        table = table.append_column(name, _column(np.concatenate([part[name] for part in parts])))
    notes = {"bins": bins, "modalities": [m.model_dump() for m in modalities]}
    write_table(table, features_path, table.schema, notes)


def _column(values: NDArray) -> pa.Array:
    """Numbers (n,), or lists of numbers (n, size)."""
    return pa.array(values) if values.ndim == 1 else pa.FixedSizeListArray.from_arrays(values.ravel(), values.shape[1])


def _describe(batch: dict[str, NDArray], modalities: list[Modality], seconds: int, bins: int) -> dict[str, NDArray]:
    described: dict[str, NDArray] = {}
    for modality in modalities:
        values = batch[modality.name].astype(np.float64)
        if modality.kind != "sequence":
            statistics = {"mean": values[:, 0]}
        else:
            statistics = summary(values, modality.length / seconds)
            missing = np.isnan(values[:, 0, 0])
            statistics["peak_hz"][missing] = np.nan
        for statistic, columns in statistics.items():
            for name, column in zip(modality.channel_names, columns.T, strict=True):
                described[f"{modality.name}.{name}.{statistic}"] = column.astype(np.float32)
        maxima = bin_maxima(batch[modality.name], bins)
        described[maxima_name(modality.name)] = maxima.reshape(len(values), bins * modality.channels)
    return described


def maxima_name(modality: str) -> str:
    """Column of a modality's bin maxima, bins x channels."""
    return f"{modality}.bin_maxima"


def is_summary(column: str) -> bool:
    """Whether a column of the features table is a summary statistic."""
    return column.rpartition(".")[2] in STATISTICS
