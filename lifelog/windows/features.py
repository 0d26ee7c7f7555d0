"""extract_features: features of every window, for values, networks, predictors and the raw embedding.

Each modality has the features of the field where its signal has any, otherwise summary statistics per channel, and the
maxima of 5-second bins (as published). Features do not depend on the split; they are standardised later, by training
windows.
"""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
from numpy.typing import NDArray

from lifelog.settings.windows import Modality
from lifelog.tables import write_table
from lifelog.windows.read import iter_windows, maxima_name
from lifelog.windows.schema import read_modalities
from lifelog.windows.signals import Features, domain_features, slope

BIN_SECONDS = 5


def summary(values: NDArray[np.float64], rate: float) -> dict[str, NDArray[np.float64]]:
    """Compute summary statistics over time.

    Parameters
    ----------
    values : ndarray of float, shape (n_windows, length, n_channels)
        Windows of a modality, in its unit.
    rate : float
        Sampling rate in Hz.

    Returns
    -------
    dict of str to ndarray of float, shape (n_windows, n_channels)
        By statistic: mean, std, min, max and change (mean absolute difference of neighbouring samples) in the
        modality's unit, slope (least squares) in unit per second, and peak_hz, the frequency in Hz with the most
        power, without the mean.
    """
    length = values.shape[1]
    centred = values - values.mean(axis=1, keepdims=True)
    power = np.abs(np.fft.rfft(centred, axis=1)) ** 2
    return {
        "mean": values.mean(axis=1),
        "std": values.std(axis=1),
        "min": values.min(axis=1),
        "max": values.max(axis=1),
        "slope": slope(values, rate),
        "change": np.abs(np.diff(values, axis=1)).mean(axis=1),
        "peak_hz": (1 + power[:, 1:].argmax(axis=1)) * (rate / length),
    }


def bin_maxima(values: NDArray[np.float32], bins: int) -> NDArray[np.float32]:
    """Compute the maxima of equal bins of time.

    Parameters
    ----------
    values : ndarray of float, shape (n_windows, length, n_channels)
        Windows of a modality.
    bins : int
        Number of bins.

    Returns
    -------
    ndarray of float, shape (n_windows, bins, n_channels)
        A scalar is repeated in every bin.
    """
    length = values.shape[1]
    if length < bins:
        return np.repeat(values[:, :1], bins, axis=1)
    edges = np.arange(bins) * length // bins
    return np.maximum.reduceat(values, edges, axis=1)


def extract_features(windows_path: str | Path, seconds: int, features_path: str | Path) -> None:
    """Write the features of every window of a user, in the order of the windows.

    Parameters
    ----------
    windows_path : str or Path
        A file of `extract_windows`.
    seconds : int
        Window length in seconds.
    features_path : str or Path
        Parquet file to write; values are NaN where a modality is missing.
    """
    modalities = read_modalities(windows_path)
    # Not more than the longest modality has samples: a day of scalars is one bin, not 17,280.
    bins = max(1, min(seconds // BIN_SECONDS, max(m.length for m in modalities)))
    parts = [_describe(batch, modalities, seconds, bins) for batch in iter_windows(windows_path, modalities)]
    table = pq.read_table(windows_path, columns=["user", "start"])
    for name in parts[0]:
        table = table.append_column(name, _column(np.concatenate([part[name] for part in parts])))
    notes = {"bins": bins, "modalities": [m.model_dump() for m in modalities]}
    write_table(table, features_path, table.schema, notes)


def _column(values: NDArray[np.float32]) -> pa.Array:
    """Return a column of numbers (n,), or of lists (n, size)."""
    return pa.array(values) if values.ndim == 1 else pa.FixedSizeListArray.from_arrays(values.ravel(), values.shape[1])


def _describe(
    batch: dict[str, NDArray[np.float32]], modalities: list[Modality], seconds: int, bins: int
) -> dict[str, NDArray[np.float32]]:
    """Return the columns of the features table for a batch of windows."""
    described: dict[str, NDArray[np.float32]] = {}
    for modality in modalities:
        values = batch[modality.name].astype(np.float64)
        missing = np.isnan(values[:, 0, 0])
        for name, column in summary_features(values, modality, seconds).items():
            described[f"{modality.name}.{name}"] = np.where(missing, np.nan, column).astype(np.float32)
        maxima = bin_maxima(batch[modality.name], bins)
        described[maxima_name(modality.name)] = maxima.reshape(len(values), bins * modality.channels)
    return described


def summary_features(values: NDArray[np.float64], modality: Modality, seconds: int) -> Features:
    """Compute the features of a modality that are one number per window.

    Parameters
    ----------
    values : ndarray of float, shape (n_windows, length, n_channels)
        Windows of the modality, in its unit.
    modality : Modality
        Its signal and which features are computed.
    seconds : int
        Window length in seconds.

    Returns
    -------
    dict of str to ndarray of float, shape (n_windows,)
        By `{channel}.{feature}`.
    """
    if modality.kind != "sequence":
        return {f"{name}.mean": values[:, 0, c] for c, name in enumerate(modality.columns)}
    rate, signal = modality.length / seconds, modality.known_signal
    found: Features = {}
    if signal is None or modality.features != "field":
        for statistic, columns in summary(values, rate).items():
            found |= {f"{name}.{statistic}": columns[:, c] for c, name in enumerate(modality.columns)}
    if signal is not None and modality.features != "generic":
        found |= domain_features(signal, values, rate, modality.columns)
    return found
