"""estimate_value: what each modality adds to the prediction of a user's held-out windows.

Only training and validation windows are used, divided into folds of whole sessions or blocks of time: the windows of a
fold are predicted by models that were fitted to the other folds. A value is a mean over windows, so the table has one
row per window and modality, as that of the other importance measures.
"""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd
import pyarrow.parquet as pq
from numpy.typing import NDArray

from lifelog.blocks import Codes, window_folds
from lifelog.measures import IMPORTANCE
from lifelog.settings.value import Value
from lifelog.tables import plain, read_notes, write_table
from lifelog.value.evidence import held_out_evidence
from lifelog.value.shapley import pointwise_values
from lifelog.windows.features import read_features

SUBSETS = ("train", "validation")


def estimate_value(features_path: str | Path, splits_path: str | Path, settings: Value, value_path: str | Path) -> None:
    """Write the value of each modality in the training and validation windows of a user.

    Classes with too few windows are left out. A user who then has a single class or block, and an excluded one, has no
    rows; the notes have the reason.

    Parameters
    ----------
    features_path, splits_path : str or Path
        Files of `extract_features` and `assign_splits`.
    settings : Value
        Folds, shrinkage, minimum number of windows and sampled orders.
    value_path : str or Path
        Parquet file to write. Its notes hold the standard error of sampled orders by modality, 0 for exact values.
    """
    notes = read_notes(splits_path)
    split = pq.read_table(splits_path).to_pandas()
    sizes = split.label[split.subset.isin(SUBSETS)].value_counts()
    often = sizes.index[sizes >= settings.min_windows]
    used = (split.subset.isin(SUBSETS) & split.label.isin(often)).to_numpy()
    split, classes = split[used].reset_index(drop=True), notes["classes"]
    codes = split.label.map({name: i for i, name in enumerate(classes)}).to_numpy(dtype=int)
    excluded = notes["excluded"] or _unusable(split, sizes, settings.min_windows)
    frame, errors = IMPORTANCE.empty_table().to_pandas(), {}
    if not excluded:
        features = read_features(features_path, used)
        folds = window_folds(split, settings.folds)
        evidence = held_out_evidence(features, codes, folds, len(classes), settings.shrinkage)
        values, sampling = pointwise_values(evidence, codes, settings.permutations, settings.seed)
        values = with_training_error(values, folds)
        frame = _table(split, list(features), values, np.array([_is_absent(x) for x in features.values()]))
        errors = {name: plain(error) for name, error in zip(features, sampling, strict=True)}
    write_table(frame, value_path, IMPORTANCE, {"excluded": excluded, "sampling_errors": errors})


def _unusable(split: pd.DataFrame, sizes: pd.Series, least: int) -> str | None:
    """Return why windows have no value, or None."""
    if split.label.nunique() < 2:
        found = ", ".join(f"{count} of {label!r}" for label, count in sizes.items())
        return f"too few windows in the training and validation subsets: {found}; two classes need {least} each (value.min_windows)"
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
    count = len(np.unique(folds))
    mean = values.mean(axis=1, keepdims=True)
    return mean + (values - mean) * np.sqrt(1 + count / (count - 1))


def _is_absent(features: NDArray[np.float64]) -> bool:
    """Return whether a modality is missing in all windows."""
    return bool(np.isnan(features).all())


def _table(
    split: pd.DataFrame, names: list[str], values: NDArray[np.float64], absent: NDArray[np.bool_]
) -> pd.DataFrame:
    """Return one row per window and modality."""
    values = np.where(absent[:, None], np.nan, values)
    keys = split[["user", "start", "subset", "block"]]
    wide = pd.concat([keys, pd.DataFrame(values.T, columns=names)], axis=1)
    return wide.melt(list(keys), var_name="modality", value_name="value").assign(seed=0, measure="value")
