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
        Pairs of modalities which separate the classes together, and of which neither adds as much as the margin to the
        other one: the one-sided limits of both gains are below it.
    """
    count = len(models.features)
    pairs = list(combinations(range(count), 2))
    alone = np.eye(count, dtype=bool)
    both = np.array([alone[a] | alone[b] for a, b in pairs]).reshape(-1, count)
    # Columns: the area of both, the gain by b beside a, and the gain by a beside b.
    weights = np.zeros((count + len(pairs), 3, len(pairs)))
    for number, pair in enumerate(pairs):
        weights[count + number, :, number] = 1
        weights[pair, (1, 2), number] = -1
    found = areas(models, codes, np.concatenate([alone, both]), weights.reshape(-1, 3 * len(pairs)))
    error = np.sqrt(unit_variance(found.influence, blocks) * factor)
    quantile = float(stdtrit(max(1, len(np.unique(blocks)) - 1), level))
    least = (found.values - quantile * error)[: len(pairs)]
    most = (found.values + quantile * error)[len(pairs) :].reshape(2, -1).max(axis=0)
    return [pair for pair, area, gain in zip(pairs, least, most, strict=True) if area > 0 and gain < MARGIN]
