"""estimate_value: what each modality adds to the prediction of a user's held-out windows.

In each fold of the split, only training and validation windows are used. They are divided into folds of whole sessions
or blocks of time in turn: the windows of an inner fold are predicted by models that were fitted to the other ones. A
value is a mean over windows, so the table has one row per fold, window and modality, as that of the other importance
measures.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from lifelog.blocks import Codes, variance_of_means, window_folds
from lifelog.settings.value import Value
from lifelog.splits.assign import DESCRIBED, read_folds
from lifelog.tables import IMPORTANCE, plain, read_notes, write_table
from lifelog.value.evidence import held_out_evidence
from lifelog.value.shapley import pointwise_values
from lifelog.windows.read import read_features

SUBSETS = ("train", "validation")
FEW_WINDOWS = 5  # of a class, below which they cannot show their own error


def estimate_value(features_path: str | Path, splits_path: str | Path, settings: Value, value_path: str | Path) -> None:
    """Write the value of each modality in the training and validation windows of a user, for every fold of the split.

    An excluded user, and one with a single class or block in these windows, has no rows; the notes have the reason.

    Parameters
    ----------
    features_path, splits_path : str or Path
        Files of `extract_features` and `assign_splits`.
    settings : Value
        Folds, shrinkage and sampled orders.
    value_path : str or Path
        Parquet file to write. Its notes hold the standard error of sampled orders by modality, 0 for exact values.
    """
    notes = read_notes(splits_path)
    frames: list[pd.DataFrame] = []
    errors: dict[str, Any] = {}
    excluded = notes["excluded"]
    folds = {} if excluded else read_folds(splits_path)
    features = read_features(features_path) if folds else {}
    for fold, split in folds.items():
        used = split.subset.isin(SUBSETS).to_numpy()
        own = split[used].reset_index(drop=True)
        reason = _unusable(own)
        if reason is None:
            own_features = {name: values[used] for name, values in features.items()}
            frame, sampling = _values(own_features, own, notes["classes"], settings)
            frames.append(frame)
            errors = errors or sampling
        elif fold == DESCRIBED:
            excluded = reason
    if excluded or not frames:
        frames = [IMPORTANCE.empty_table().to_pandas()]
    write_table(pd.concat(frames), value_path, IMPORTANCE, {"excluded": excluded, "sampling_errors": errors})


def _values(
    features: dict[str, NDArray[np.float64]], split: pd.DataFrame, classes: list[str], settings: Value
) -> tuple[pd.DataFrame, dict[str, Any]]:
    """Return the values of modalities in the windows of a fold, and the errors of sampled orders."""
    codes = split.label.map({name: i for i, name in enumerate(classes)}).to_numpy(dtype=int)
    folds = window_folds(split, settings.folds)
    evidence = held_out_evidence(features, codes, folds, len(classes), settings.shrinkage)
    values, sampling = pointwise_values(evidence, codes, settings.permutations, settings.seed)
    values = with_least_error(with_training_error(values, folds), codes, split.block.to_numpy(), folds)
    frame = _table(split, list(features), values, np.array([_is_absent(x) for x in features.values()]))
    return frame, {name: plain(error) for name, error in zip(features, sampling, strict=True)}


def _unusable(split: pd.DataFrame) -> str | None:
    """Return why windows have no value, or None."""
    if split.label.nunique() < 2:
        return "one class only in the training and validation windows"
    return "one block of time only" if split.block.nunique() < 2 else None


def with_training_error(values: NDArray[np.float64], folds: Codes) -> NDArray[np.float64]:
    """Widen the spread of values around their mean such that it covers the error of training too.

    The spread over held-out windows alone is too small, since the models of all folds have training windows in common.
    With k folds, the variance is larger by the factor 1 + k / (k - 1) (Nadeau and Bengio, 2003).

    Parameters
    ----------
    values : ndarray of float, shape (n_modalities, n_windows)
        Of `pointwise_values`.
    folds : ndarray of int, shape (n_windows,)
        Fold of each window.

    Returns
    -------
    ndarray of float, shape (n_modalities, n_windows)
        With the same means.

    References
    ----------
    Nadeau, Bengio (2003). Inference for the generalization error. Machine Learning 52, 239-281.
    """
    mean = values.mean(axis=1, keepdims=True)
    return mean + (values - mean) * np.sqrt(_training_factor(folds))


def _training_factor(folds: Codes) -> float:
    """Return the factor by which models that share training windows increase the variance."""
    count = len(np.unique(folds))
    return 1 + count / (count - 1)


def with_least_error(values: NDArray[np.float64], classes: Codes, blocks: Codes, folds: Codes) -> NDArray[np.float64]:
    """Widen the spread of values over blocks where a class has so few windows that they cannot show their own error.

    The variance of an AUROC is at most 1 / (4 m) with m windows of the rarer class (Birnbaum and Klose, 1957). A single
    window of a class has no spread at all: its values would seem to be exact.

    Parameters
    ----------
    values : ndarray of float, shape (n_modalities, n_windows)
        Of `with_training_error`.
    classes, blocks, folds : ndarray of int, shape (n_windows,)
        Class, block of time and fold of each window.

    Returns
    -------
    ndarray of float, shape (n_modalities, n_windows)
        With the same means. Unchanged if every class has five windows or more.

    References
    ----------
    Birnbaum, Klose (1957). Bounds for the variance of the Mann-Whitney statistic. Annals of Mathematical Statistics 28.
    """
    sizes = np.bincount(classes)
    rarest = sizes[sizes > 0].min()
    if rarest >= FEW_WINDOWS:
        return values
    least = _training_factor(folds) / (4 * rarest)
    numbers = np.unique(blocks, return_inverse=True)[1]
    pattern = np.where(numbers % 2 == 0, 1.0, -1.0)
    pattern -= pattern.mean()
    mean = values.mean(axis=1, keepdims=True)
    errors = variance_of_means(np.vstack([values, pattern]).T, np.zeros_like(numbers), numbers)[0]
    small, of_pattern = errors[:-1] < least, errors[-1]
    return np.where(small[:, None], mean + pattern * np.sqrt(least / of_pattern), values)


def _is_absent(features: NDArray[np.float64]) -> bool:
    """Return whether a modality is missing in all windows."""
    return bool(np.isnan(features).all())


def _table(
    split: pd.DataFrame, names: list[str], values: NDArray[np.float64], absent: NDArray[np.bool_]
) -> pd.DataFrame:
    """Return one row per window and modality."""
    values = np.where(absent[:, None], np.nan, values)
    keys = split[["user", "start", "fold", "subset", "block"]]
    wide = pd.concat([keys, pd.DataFrame(values.T, columns=names)], axis=1)
    return wide.melt(list(keys), var_name="modality", value_name="value").assign(seed=0, measure="value")
