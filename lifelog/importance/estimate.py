"""estimate_shapley: what each modality adds to the prediction of a participant's held-out windows.

In each fold of the split, only training and validation windows are used. They are divided into inner folds of whole
sessions or blocks of time: the windows of an inner fold are predicted by models that were fitted to the other ones. A
Shapley value is a mean over windows, so the table has one row per fold, window and modality, as that of the other
importance measures.
"""

from typing import Any

import numpy as np
import pandas as pd

from lifelog.arrays import Codes, Floats
from lifelog.blocks import variance_of_means, window_folds
from lifelog.importance.shapley import held_out_evidence, pointwise_shapley
from lifelog.importance.table import IMPORTANCE
from lifelog.settings.importance import Shapley
from lifelog.splits.folds import Folds
from lifelog.tables import Noted, plain
from lifelog.windows.read import Features

SUBSETS = ("train", "validation")
FEW_WINDOWS = 5  # of a class, below which they cannot show their own error


def estimate_shapley(features: Features, folds: Folds, settings: Shapley) -> Noted:
    """Estimate the Shapley value of each modality in the training and validation windows of every fold.

    Parameters
    ----------
    features : Features
        Of `extract_features`.
    folds : Folds
        Of `assign_splits`.
    settings : Shapley
        Inner folds, shrinkage and sampled orders.

    Returns
    -------
    table : pandas.DataFrame
        Importance, in the schema `IMPORTANCE`. The rows without a fold, of all windows, describe the participant. An
        excluded participant, and one with a single class or block, has no rows.
    notes : dict
        excluded: the reason, or None; sampling_errors: standard error of sampled orders by modality, 0 for exact
        values.

    Examples
    --------
    >>> from lifelog import BlockedSplit, Shapley, Target, make_cohort
    >>> from lifelog import assign_splits, estimate_shapley, extract_features
    >>> (person,) = make_cohort(participants=1, windows=60)
    >>> features = extract_features([person.sensors], person.labels, person.modalities)
    >>> target = Target(name="stress", column="label", bins={"low": [0], "high": [2]})
    >>> folds = assign_splits(person.labels, target, BlockedSplit(name="sessions", folds=4))
    >>> table, notes = estimate_shapley(features, folds, Shapley())
    >>> described = table[table.fold.isna()].groupby("modality").importance.mean()
    >>> sorted(described.nlargest(2).index) == sorted(person.planted)
    True
    """
    frames: list[pd.DataFrame] = []
    errors: dict[str, Any] = {}
    excluded = folds.excluded
    for fold, split in folds.items() if excluded is None else ():
        used = split.subset.isin(SUBSETS).to_numpy()
        rows = split[used].reset_index(drop=True)
        reason = _unusable(rows)
        if reason is None:
            table, sampling = _fold_values(features.by_modality(used), rows.assign(fold=fold), folds.classes, settings)
            frames.append(table)
            errors = errors or sampling
        elif fold is None:
            excluded = reason
    if excluded or not frames:
        frames = [IMPORTANCE.empty_table().to_pandas()]
    return Noted(pd.concat(frames), {"excluded": excluded, "sampling_errors": errors})


def _fold_values(
    features: dict[str, Floats], rows: pd.DataFrame, classes: list[str], settings: Shapley
) -> tuple[pd.DataFrame, dict[str, Any]]:
    """Return one row per window and modality, NaN for an absent one, and the errors of sampled orders."""
    codes = rows.label.map({name: i for i, name in enumerate(classes)}).to_numpy(dtype=int)
    inner = window_folds(rows, settings.folds)
    evidence = held_out_evidence(features, codes, inner, len(classes), settings.shrinkage)
    values, sampling = pointwise_shapley(evidence, codes, settings.permutations, settings.seed)
    values = with_least_error(with_training_error(values, inner), codes, rows.block.to_numpy(), inner)
    for number, measured in enumerate(features.values()):
        if np.isnan(measured).all():
            values[number] = np.nan
    errors = {name: plain(error) for name, error in zip(features, sampling, strict=True)}
    keys = rows[["user", "start", "fold", "subset", "block"]]
    wide = pd.concat([keys, pd.DataFrame(dict(zip(features, values, strict=True)))], axis=1)
    table = wide.melt(list(keys), var_name="modality", value_name="importance").assign(seed=0, measure="shapley")
    return table, errors


def _unusable(rows: pd.DataFrame) -> str | None:
    """Return why windows have no Shapley value, or None."""
    if rows.label.nunique() < 2:
        return "one class only in the training and validation windows"
    return "one block of time only" if rows.block.nunique() < 2 else None


def with_training_error(values: Floats, folds: Codes) -> Floats:
    """Widen the spread of values around their mean such that it covers the error of training too.

    The spread over held-out windows alone is too small, since the models of all folds have training windows in common.
    With k folds, the variance is larger by the factor 1 + k / (k - 1) (Nadeau and Bengio, 2003).

    Parameters
    ----------
    values : ndarray of float, shape (n_modalities, n_windows)
        Of `pointwise_shapley`.
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


def with_least_error(values: Floats, classes: Codes, blocks: Codes, folds: Codes) -> Floats:
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
