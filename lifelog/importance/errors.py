"""Errors of values: their spread over independent units, and the error of training.

A value is a mean over windows. Units are stretches of time that are independent: whole sessions where there are enough,
otherwise blocks of time (`splits`). The sum of a unit's deviations shows the error of held-out windows, but not that of
training: all folds are predicted by models of the same windows. If a session is left out altogether, the value changes
by both. Without any effect, the first variance is half of the true one and the second is twice the true one; with a
strong effect and many sessions, both are the true one. So the variance of a modality is taken as the first one, and a
third of the difference. With few sessions, a modality with an effect has the same error of training as others, and the
ratio of two variances over few units is uncertain. Therefore the factor is the mean over a participant's modalities.
"""

from collections.abc import Sequence

import numpy as np

from lifelog.arrays import Codes, Floats
from lifelog.blocks import variance_of_means
from lifelog.importance.pairs import PairModels, areas, prepare_pairs
from lifelog.importance.shapley import first_last_game

LEAST_FACTOR, MOST_FACTOR = 1.0, 10.0


def unit_variance(influence: Floats, units: Codes) -> Floats:
    """Estimate the variance of values from sums over units.

    Parameters
    ----------
    influence : ndarray of float, shape (n_windows, n_values)
        Deviations of windows, whose mean is 0.
    units : ndarray of int, shape (n_windows,)
        Unit of each window.

    Returns
    -------
    ndarray of float, shape (n_values,)
        NaN for one unit.
    """
    numbers = np.unique(units, return_inverse=True)[1]
    return variance_of_means(influence, np.zeros_like(numbers), numbers)[0]


def training_factor(
    models: PairModels, features: Sequence[Floats], codes: Codes, folds: Codes, units: Codes, shrinkage: float
) -> float:
    """Estimate by which factor the error of training increases the variance of values.

    Parameters
    ----------
    models : PairModels
        Of `prepare_pairs`, of all folds.
    features : sequence of ndarray of float, shape (n_windows, n_features)
        By modality; NaN marks missing values.
    codes, folds, units : ndarray of int, shape (n_windows,)
        Class, fold and unit of each window.
    shrinkage : float
        Of the correlations of features.

    Returns
    -------
    float
        (2 + r) / 3, where r is the variance of the jackknife over folds divided by that of `unit_variance`, both of the
        mean of the first and the last gain. Mean over modalities.

    References
    ----------
    Efron, Stein (1981). The jackknife estimate of variance. Annals of Statistics 9, 586-596.
    Nadeau, Bengio (2003). Inference for the generalization error. Machine Learning 52, 239-281.
    """
    game = first_last_game(len(features))
    held_out = areas(models, codes, *game)
    left_out = []
    for fold in np.unique(folds):
        kept = folds != fold
        others = prepare_pairs([values[kept] for values in features], folds[kept], shrinkage)
        left_out.append(areas(others, codes[kept], *game).values)
    changes = np.array(left_out)
    count = len(changes)
    jackknife = ((changes - changes.mean(axis=0)) ** 2).sum(axis=0) * (count - 1) / count
    spread = unit_variance(held_out.influence, units)
    known = np.isfinite(jackknife) & (spread > 0)
    if not known.any():
        return MOST_FACTOR
    return float(np.clip((2 + jackknife[known] / spread[known]) / 3, LEAST_FACTOR, MOST_FACTOR).mean())


def least_variance(codes: Codes) -> float:
    """Return the least variance of a value: that of a quarter of what one window of a class is worth in an AUROC.

    A single window of a class has no spread, so that its values would seem to be exact.
    """
    sizes = np.bincount(codes)
    sizes = sizes[sizes > 0].astype(float)
    # Of the class pair whose weight is largest.
    return float(1 / (16 * np.sort(sizes)[-2] ** 2)) if len(sizes) > 1 else np.nan
