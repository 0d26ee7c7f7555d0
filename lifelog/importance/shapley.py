"""Shapley values of the area under the ROC curve, window by window."""

from collections.abc import Mapping
from itertools import combinations
from math import comb

import numpy as np
import pandas as pd

from lifelog.arrays import Bools, Codes, Floats
from lifelog.discriminant import fit_discriminants

MAX_EXACT = 12  # modalities; 2 ** 12 sets
CHUNK = 256  # sets that are scored at once


def held_out_evidence(
    features: Mapping[str, Floats], classes: Codes, folds: Codes, count: int, shrinkage: float
) -> Floats:
    """Return the log-density of each class by each modality, in windows that its model was not fitted to.

    Modalities are taken as independent given the class, each with its own linear discriminant. The score of any set of
    modalities is then the sum of its parts, so that the models of all sets cost no more than one model per modality.

    Parameters
    ----------
    features : mapping of str to ndarray of float, shape (n_windows, n_features)
        By modality; NaN marks missing values.
    classes : ndarray of int, shape (n_windows,)
        Class numbers.
    folds : ndarray of int, shape (n_windows,)
        Each fold is predicted by models of the other ones.
    count : int
        Number of classes.
    shrinkage : float
        Of the correlations of features within classes, from 0 (none) to 1 (independent features).

    Returns
    -------
    ndarray of float, shape (n_modalities, n_windows, n_classes)
        Up to a constant per window. A modality without a value in a window contributes 0 to every class.
    """
    evidence = np.zeros((len(features), len(classes), count))
    for m, values in enumerate(features.values()):
        known = ~np.isnan(values).all(axis=1)
        for fold in np.unique(folds):
            train, test = known & (folds != fold), known & (folds == fold)
            if test.any() and train.any():
                (model,) = fit_discriminants(values[train], classes[train], count, [shrinkage])
                evidence[m, test] = model.scores(values[test])
    return evidence


def pointwise_shapley(
    evidence: Floats, classes: Codes, permutations: int = 1000, seed: int = 0, max_exact: int = MAX_EXACT
) -> tuple[Floats, Floats]:
    """Compute the Shapley value of each modality, as a mean over windows.

    The value of a set of modalities is the AUROC of its summed evidence minus 0.5, mean over pairs of classes (Hand and
    Till, 2001). The AUROC is a mean of placement values of single windows (DeLong et al., 1988), and Shapley values are
    linear in the values of sets; so the value of a modality is a mean over windows, whose spread gives its error
    (Williamson and Feng, 2020).

    Parameters
    ----------
    evidence : ndarray of float, shape (n_modalities, n_windows, n_classes)
        Of `held_out_evidence`.
    classes : ndarray of int, shape (n_windows,)
        Class numbers; at least two differ.
    permutations : int, default 1000
        Sampled orders of modalities, for more than `max_exact` modalities.
    seed : int, default 0
        Seed of the orders.
    max_exact : int, default 12
        Number of modalities up to which values are exact.

    Returns
    -------
    values : ndarray of float, shape (n_modalities, n_windows)
        The mean over windows is the Shapley value of a modality; the values of all modalities sum to the AUROC of all
        of them minus 0.5.
    error : ndarray of float, shape (n_modalities,)
        Standard error of the Shapley values due to sampled orders; 0 for exact values.

    References
    ----------
    Shapley (1953). A value for n-person games. Contributions to the Theory of Games 2, 307-317.
    Hand, Till (2001). A simple generalisation of the area under the ROC curve for multiple class classification
    problems. Machine Learning 45, 171-186.
    DeLong, DeLong, Clarke-Pearson (1988). Comparing the areas under two or more correlated receiver operating
    characteristic curves. Biometrics 44, 837-845.
    Williamson, Feng (2020). Efficient nonparametric statistical inference on population feature importance using
    Shapley values. ICML.
    Covert, Lundberg, Lee (2020). Understanding global feature contributions with additive importance measures. NeurIPS.
    """
    if len(evidence) <= max_exact:
        return _exact(evidence, classes), np.zeros(len(evidence))
    return _sampled(evidence, classes, permutations, np.random.default_rng(seed))


def _exact(evidence: Floats, classes: Codes) -> Floats:
    """Sum over all sets of modalities."""
    values, count = np.zeros(evidence.shape[:2]), len(evidence)
    sets = (np.arange(2**count)[:, None] >> np.arange(count) & 1).astype(bool)
    for some in np.array_split(sets, max(1, len(sets) // CHUNK)):
        values += _weights(some).T @ set_values(some, evidence, classes)
    return values


def _weights(sets: Bools) -> Floats:
    """Return the weight of each set in the Shapley value of each modality, shape (n_sets, n_modalities)."""
    count, size = sets.shape[1], sets.sum(axis=1)
    within = np.array([0.0] + [1 / (count * comb(count - 1, k - 1)) for k in range(1, count + 1)])
    without = np.array([1 / (count * comb(count - 1, k)) for k in range(count)] + [0.0])
    return np.where(sets, within[size][:, None], -without[size][:, None])


def _sampled(evidence: Floats, classes: Codes, permutations: int, rng: np.random.Generator) -> tuple[Floats, Floats]:
    """Average over random orders of modalities, each with its reverse, which halves the error."""
    total, draws = np.zeros(evidence.shape[:2]), []
    for _ in range(max(2, permutations // 2)):
        drawn = rng.permutation(len(evidence))
        for order in (drawn, drawn[::-1]):
            gains = np.empty(evidence.shape[:2])
            sets = order.argsort() <= np.arange(len(order))[:, None]  # the first 1, 2, ... modalities
            gains[order] = np.diff(set_values(sets, evidence, classes), axis=0, prepend=0)
            total += gains
            draws.append(gains.mean(axis=1))
    pairs = (np.array(draws[::2]) + np.array(draws[1::2])) / 2
    return total / len(draws), pairs.std(axis=0, ddof=1) / np.sqrt(len(pairs))


def set_values(sets: Bools, evidence: Floats, classes: Codes) -> Floats:
    """Return the AUROC minus 0.5 of sets of modalities, window by window.

    Parameters
    ----------
    sets : ndarray of bool, shape (n_sets, n_modalities)
        Sets of modalities.
    evidence : ndarray of float, shape (n_modalities, n_windows, n_classes)
        Of `held_out_evidence`.
    classes : ndarray of int, shape (n_windows,)
        Class numbers.

    Returns
    -------
    ndarray of float, shape (n_sets, n_windows)
        Pseudo-values: their mean over windows is the AUROC minus 0.5, mean over pairs of classes.
    """
    values = np.zeros((len(sets), len(classes)))
    pairs = list(combinations(np.unique(classes), 2))
    for a, b in pairs:
        rows = np.flatnonzero((classes == a) | (classes == b))
        first = classes[rows] == a
        scores = sets.astype(float) @ (evidence[:, rows, a] - evidence[:, rows, b])
        # Placement: share of the other class with a smaller score; equal scores count half.
        ranks = _ranks(scores)
        placement = np.empty_like(scores)
        for own, other in ((first, ~first), (~first, first)):
            placement[:, own] = (ranks[:, own] - _ranks(scores[:, own])) / other.sum()
        placement[:, ~first] = 1 - placement[:, ~first]
        area = placement[:, first].mean(axis=1, keepdims=True)
        size = np.where(first, first.sum(), (~first).sum())
        values[:, rows] += (placement - area) * (len(classes) / size)
        values += area - 0.5
    return values / len(pairs)


def _ranks(values: Floats) -> Floats:
    """Return ranks within rows; equal values have their mean rank. Importing scipy.stats would take half a second."""
    ranks: Floats = pd.DataFrame(values).rank(axis=1).to_numpy()
    return ranks
