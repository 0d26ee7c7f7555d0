"""In which direction features differ between classes: standardised differences of one participant, with intervals.

A Shapley value is the strength of a modality; its direction is described here by single features, such as a higher
heart rate in windows of high tension.
"""

import numpy as np
import pandas as pd
from scipy.special import stdtrit

from lifelog.arrays import Codes, Floats
from lifelog.importance.clock import clock_terms, without_clock
from lifelog.importance.errors import unit_variance
from lifelog.splits.folds import Folds
from lifelog.windows.read import Features

MIN_CLASS_BLOCKS = 3  # blocks with windows of a class that is compared
COLUMNS = ["modality", "feature", "higher", "lower", "difference", "low", "high", "windows"]


def estimate_directions(features: Features, folds: Folds, level: float) -> pd.DataFrame:
    """Compare the features of a participant between the last and the first class with windows in three blocks of time.

    Parameters
    ----------
    features : Features
        Of `extract_features`.
    folds : Folds
        Of `assign_splits`.
    level : float
        Confidence level of the intervals, each by itself.

    Returns
    -------
    pandas.DataFrame
        One row per feature: modality, feature (`channel.feature`), higher and lower (the compared classes), difference
        (mean in `higher` minus mean in `lower`, without what the time explains, in standard deviations within these
        classes), low, high, windows.
        Without rows if the user is excluded or has no two such classes; the largest differences first.
    """
    split = folds.described
    present = [name for name in folds.classes if split.block[split.label == name].nunique() >= MIN_CLASS_BLOCKS]
    if folds.excluded or len(present) < 2:
        return pd.DataFrame(columns=COLUMNS)
    lower, higher = present[0], present[-1]
    used = split.label.isin([lower, higher]).to_numpy()
    terms = clock_terms(split.start[used], split.session[used])
    values = np.hstack([without_clock(own, terms) for own in features.by_modality(used).values()])
    blocks = np.unique(split.block[used], return_inverse=True)[1]
    difference, low, high = differences(values, (split.label[used] == higher).to_numpy().astype(int), blocks, level)
    rows = pd.DataFrame([name.split(".", 1) for name in features.names], columns=["modality", "feature"])
    rows = rows.assign(higher=higher, lower=lower, difference=difference, low=low, high=high)
    rows = rows.assign(windows=(~np.isnan(values)).sum(axis=0)).dropna(subset=["difference"])
    return rows.sort_values("difference", key=np.abs, ascending=False, kind="stable")[COLUMNS]


def differences(values: Floats, classes: Codes, blocks: Codes, level: float) -> tuple[Floats, Floats, Floats]:
    """Compute standardised mean differences of two classes, and their intervals over blocks.

    Parameters
    ----------
    values : ndarray of float, shape (n_windows, n_features)
        Features; NaN marks missing values.
    classes : ndarray of int, shape (n_windows,)
        0 or 1.
    blocks : ndarray of int, shape (n_windows,)
        Block of each window, from 0.
    level : float
        Confidence level.

    Returns
    -------
    difference, low, high : ndarray of float, shape (n_features,)
        Mean of class 1 minus mean of class 0, in standard deviations within classes; NaN if a class has no windows or
        the feature is constant. The interval is that of Student's t distribution, with the error of `unit_variance` and
        one degree of freedom less than the class in fewer blocks has blocks.
    """
    known, deviations = ~np.isnan(values), np.zeros(values.shape)
    means, weights = np.zeros((2, values.shape[1])), np.zeros(values.shape)
    for k, sign in enumerate((-1, 1)):
        own = known & (classes == k)[:, None]
        size = own.sum(axis=0)
        means[k] = np.where(size > 0, np.where(own, values, 0).sum(axis=0) / np.maximum(size, 1), np.nan)
        deviations = np.where(own, values - means[k], deviations)
        weights = np.where(own, sign * len(values) / np.maximum(size, 1), weights)
    spread = np.sqrt((deviations**2).sum(axis=0) / np.maximum(1, known.sum(axis=0) - 2))
    spread[~(spread > 1e-9 * np.abs(means).max(axis=0))] = np.nan
    difference = (means[1] - means[0]) / spread
    error = np.sqrt(unit_variance(weights * deviations / spread, blocks))
    fewest = min(len(set(blocks[classes == k])) for k in range(2))
    half = stdtrit(max(1, fewest - 1), (1 + level) / 2) * error
    return difference, difference - half, difference + half
