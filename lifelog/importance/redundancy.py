"""Interchangeable modalities: where either of two suffices, the Shapley value is divided between them."""

from itertools import combinations

import numpy as np
from scipy.special import stdtrit

from lifelog.arrays import Codes
from lifelog.importance.errors import unit_variance
from lifelog.importance.pairs import PairModels, areas

MARGIN = 0.03  # of the AUROC, within which the gain by a second modality is none


def interchangeable(
    models: PairModels, codes: Codes, blocks: Codes, factor: float, level: float
) -> list[tuple[int, int]]:
    """Find pairs of modalities of which either suffices.

    Parameters
    ----------
    models : PairModels
        Of `prepare_pairs`.
    codes, blocks : ndarray of int, shape (n_windows,)
        Class and independent block of each window.
    factor : float
        Of `training_factor`.
    level : float
        Confidence level.

    Returns
    -------
    list of tuple of int
        Pairs of modalities which, each alone, separate the classes, and of which neither adds as much as the margin to
        the other one: the one-sided limits of both gains are below it.
    """
    count = len(models.features)
    pairs = list(combinations(range(count), 2))
    alone = np.eye(count, dtype=bool)
    both = np.array([alone[a] | alone[b] for a, b in pairs]).reshape(-1, count)
    # Columns: the area of each modality, the gain by b beside a, and the gain by a beside b.
    weights = np.zeros((count + len(pairs), count + 2 * len(pairs)))
    weights[:count, :count] = np.eye(count)
    for number, pair in enumerate(pairs):
        for first, column in zip(pair, (count + number, count + len(pairs) + number), strict=True):
            weights[count + number, column], weights[first, column] = 1, -1
    found = areas(models, codes, np.concatenate([alone, both]), weights)
    error = np.sqrt(unit_variance(found.influence, blocks) * factor)
    quantile = float(stdtrit(max(1, len(np.unique(blocks)) - 1), level))
    clear = (found.values - quantile * error > 0)[:count]
    most = (found.values + quantile * error)[count:].reshape(2, -1).max(axis=0)
    return [pair for pair, gain in zip(pairs, most, strict=True) if gain < MARGIN and clear[list(pair)].all()]
