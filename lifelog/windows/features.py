"""extract_features: features of every window, for values, networks, predictors and the raw embedding.

Each modality has domain features where its signal has any, otherwise summary statistics per channel, and the
maxima of 5-second bins (as published). Features do not depend on the split; they are standardised later, by training
windows.
"""

from collections.abc import Iterable, Mapping

import numpy as np
import pandas as pd

from lifelog.arrays import Floats
from lifelog.settings.windows import Modality
from lifelog.windows.read import Features
from lifelog.windows.signals import Columns, domain_features, slope

BIN_SECONDS = 5


def summary(values: Floats, rate: float) -> dict[str, Floats]:
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


def bin_maxima(values: Floats, bins: int) -> Floats:
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


def extract_features(
    batches: Iterable[Mapping[str, Floats]], rows: pd.DataFrame, modalities: list[Modality], seconds: int = 60
) -> Features:
    """Compute the features of windows.

    Parameters
    ----------
    batches : iterable of mapping of str to ndarray of float32, shape (n_windows, length, n_channels)
        Windows by modality, one batch after the other, as `iter_windows` yields them: memory does not grow with the
        recordings. NaN marks windows in which a modality is missing.
    rows : pandas.DataFrame
        One row per window: user, start.
    modalities : list of Modality
        The modalities.
    seconds : int, default 60
        Window length in seconds.

    Returns
    -------
    Features
        In the order of the windows; NaN where a modality is missing.

    Examples
    --------
    >>> from lifelog import extract_features, make_cohort
    >>> (person,) = make_cohort(participants=1, windows=40)
    >>> features = extract_features([person.sensors], person.labels, person.modalities)
    >>> features.summary.shape
    (40, 84)
    >>> features.names[:2]
    ['acc.magnitude.mad', 'acc.magnitude.std']
    """
    # Not more than the longest modality has samples: a day of scalars is one bin, not 17,280.
    bins = max(1, min(seconds // BIN_SECONDS, max(m.length for m in modalities)))
    parts, maxima = [], []
    for batch in batches:
        parts.append(_summaries(batch, modalities, seconds))
        maxima.append({m.name: bin_maxima(batch[m.name], bins) for m in modalities})
    names = list(parts[0])
    summary = np.stack([np.concatenate([part[name] for part in parts]) for name in names], axis=1)
    joined = {m.name: np.concatenate([part[m.name] for part in maxima]) for m in modalities}
    return Features(rows[["user", "start"]].reset_index(drop=True), names, summary, joined, modalities)


def _summaries(batch: Mapping[str, Floats], modalities: list[Modality], seconds: int) -> dict[str, Floats]:
    """Return the summary features of a batch of windows by column."""
    columns: dict[str, Floats] = {}
    for modality in modalities:
        values = batch[modality.name].astype(np.float64)
        missing = np.isnan(values[:, 0]).all(axis=1)
        for name, column in summary_features(values, modality, seconds).items():
            columns[f"{modality.name}.{name}"] = np.where(missing, np.nan, column).astype(np.float32)
    return columns


def summary_features(values: Floats, modality: Modality, seconds: int) -> Columns:
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
    if modality.kind == "events":
        return {name: values[:, 0, c] for c, name in enumerate(modality.channel_names)}
    if modality.kind != "sequence":
        return {f"{name}.mean": values[:, 0, c] for c, name in enumerate(modality.columns)}
    rate, signal = modality.length / seconds, modality.known_signal
    features: Columns = {}
    if signal is None or modality.features != "domain":
        for statistic, columns in summary(values, rate).items():
            features |= {f"{name}.{statistic}": columns[:, c] for c, name in enumerate(modality.columns)}
    if signal is not None and modality.features != "generic":
        features |= domain_features(signal, values, rate, modality.columns)
    return features
