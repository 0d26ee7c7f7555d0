"""Models of pairs of folds: every pair of windows is compared by one model that saw neither.

Two folds are left out at a time. Models are fitted to the windows of all others, and windows of one of the two folds
are compared with those of the other one, and with those of their own fold. Models of different folds have different
offsets, so that windows which different models have scored cannot be compared.

A model is a linear discriminant of one modality. Modalities are taken as independent given the class: the score of a
set of modalities is the sum of its parts, so that the models of all sets cost no more than one model per modality. What
does not depend on the labels is computed once, so that the models of many draws of labels (`exchange`) cost little
more.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import combinations, combinations_with_replacement
from typing import NamedTuple

import numpy as np

from lifelog.arrays import Bools, Codes, Floats
from lifelog.discriminant import MIN_VARIANCE

LEAST_UNEXPLAINED = 0.05  # share of a score's variance within classes
ELEMENTS = 2**22  # of the largest array


@dataclass(frozen=True)
class PairModels:
    """What models of N windows, M modalities and P pairs of folds hold without labels.

    Attributes
    ----------
    features : list of ndarray of float, shape (N, n_features)
        By modality; 0 where a modality is missing, which is then neutral.
    known : ndarray of bool, shape (M, N)
        Whether a window has a modality.
    members : list of ndarray of int
        Windows of each fold.
    pairs : list of tuple of int
        The two folds that are left out; one fold twice to compare windows within it.
    means : list of ndarray of float, shape (P, n_features)
        By modality, of the training windows of each pair.
    precisions : list of ndarray of float, shape (P, n_features, n_features)
        By modality, inverses of the covariances with shrunken correlations.
    kept : ndarray of float, shape (P, n_folds)
        1 for the folds of which the training windows of each pair are.
    """

    features: list[Floats]
    known: Bools
    members: list[Codes]
    pairs: list[tuple[int, int]]
    means: list[Floats]
    precisions: list[Floats]
    kept: Floats


def prepare_pairs(features: Sequence[Floats], folds: Codes, shrinkage: float) -> PairModels:
    """Prepare the models of all pairs of folds.

    Parameters
    ----------
    features : sequence of ndarray of float, shape (n_windows, n_features)
        By modality; NaN marks missing values.
    folds : ndarray of int, shape (n_windows,)
        Fold of each window.
    shrinkage : float
        Of the correlations of features, from 0 (none) to 1 (independent features).

    Returns
    -------
    PairModels
        For `areas` and `separations`.
    """
    members: list[Codes] = [np.flatnonzero(folds == fold) for fold in np.unique(folds)]
    pairs = list(combinations_with_replacement(range(len(members)), 2))
    known = np.array([~np.isnan(values).all(axis=1) for values in features])
    scaled = [_scaled(values) for values in features]
    kept = np.array([[fold not in pair for fold in range(len(members))] for pair in pairs], dtype=float)
    moments = [_pair_moments(values, has, members, kept, shrinkage) for values, has in zip(scaled, known, strict=True)]
    return PairModels(scaled, known, members, pairs, [x for x, _ in moments], [x for _, x in moments], kept)


def _scaled(values: Floats) -> Floats:
    """Standardise features; missing values, and features without any spread, become 0."""
    present = ~np.isnan(values)
    count = np.maximum(present.sum(axis=0), 1)
    mean = np.where(present, values, 0).sum(axis=0) / count
    centred = np.where(present, values - mean, 0)
    std = np.sqrt((centred**2).sum(axis=0) / count)
    varies = std > 1e-6 * (1 + np.abs(mean))
    return np.where(varies, centred / np.where(varies, std, 1), 0)


def _pair_moments(
    values: Floats, known: Bools, members: list[Codes], kept: Floats, shrinkage: float
) -> tuple[Floats, Floats]:
    """Return mean and precision of the training windows of every pair."""
    counts = np.array([known[rows].sum() for rows in members], dtype=float)
    sums = np.array([values[rows].sum(axis=0) for rows in members])
    squares = np.array([values[rows].T @ values[rows] for rows in members])
    count = np.maximum(kept @ counts, 1)[:, None]
    mean = kept @ sums / count
    covariance = np.tensordot(kept, squares, 1) / count[..., None] - mean[:, :, None] * mean[:, None, :]
    diagonal = np.arange(values.shape[1])
    variances = np.maximum(covariance[:, diagonal, diagonal], MIN_VARIANCE)
    covariance *= 1 - shrinkage
    covariance[:, diagonal, diagonal] = variances
    return mean, np.linalg.inv(covariance)


class Block(NamedTuple):
    """Scores of the windows of a pair of folds for a pair of classes, under D draws of labels.

    Attributes
    ----------
    pair : int
        Number of the pair of classes.
    rows : ndarray of int, shape (n,)
        Windows, those of the first fold first.
    first : int
        Number of windows of the first fold; all of them if the pair is one fold twice.
    scores : ndarray of float32, shape (M, D, n)
        Log-odds of the second class against the first one; the mean window of the training windows has 0.
    usable : ndarray of bool, shape (D,)
        Whether the training windows have both classes.
    """

    pair: int
    rows: Codes
    first: int
    scores: Floats
    usable: Bools

    @property
    def sides(self) -> list[tuple[slice, slice]]:
        """The windows of which those of the first class are compared with those of the second class of the other."""
        first, second = slice(0, self.first), slice(self.first, len(self.rows))
        return [(first, second), (second, first)] if self.first < len(self.rows) else [(first, first)]


def _blocks(models: PairModels, draws: Codes, classes: list[int]) -> Iterator[Block]:
    """Yield the scores of every pair of folds and classes; `draws` are class numbers of shape (D, N)."""
    of_class = np.stack([draws == one for one in classes], axis=1).astype(float)  # (D, C, N)
    discriminants = [_discriminants(models, m, of_class) for m in range(len(models.features))]
    usable = np.any([both for _, both in discriminants], axis=0)
    for number, (f, g) in enumerate(models.pairs):
        out = [f] if f == g else [f, g]
        rows = np.concatenate([models.members[fold] for fold in out])
        scores = np.empty((len(usable), len(models.features), len(draws), len(rows)), np.float32)
        for m, (weights, _) in enumerate(discriminants):
            centred = (models.features[m][rows] - models.means[m][number]) * models.known[m][rows, None]
            scores[:, m] = weights[:, number] @ centred.T
        for i, of_pair in enumerate(scores):
            yield Block(i, rows, len(models.members[f]), of_pair, usable[i, number])


def _discriminants(models: PairModels, modality: int, of_class: Floats) -> tuple[Floats, Bools]:
    """Return the coefficients of a modality by pair of classes and of folds, and whether both classes have windows.

    `of_class` has shape (D, C, N), the coefficients (n_class_pairs, P, D, p). The covariance is that of all windows.
    With that within classes, the direction is the same, and the length differs by the share of the variance that the
    classes do not explain.
    """
    values, known = models.features[modality], models.known[modality]
    counts = np.stack([of_class[:, :, rows] @ known[rows] for rows in models.members])
    sums = np.stack([of_class[:, :, rows] @ values[rows] for rows in models.members])
    sizes, totals = np.tensordot(models.kept, counts, 1), np.tensordot(models.kept, sums, 1)  # (P, D, C), (P, D, C, p)
    means = totals / np.maximum(sizes, 1)[..., None] - models.means[modality][:, None, None]
    pairs = list(combinations(range(of_class.shape[1]), 2))
    weights = np.empty((len(pairs), *means[:, :, 0].shape))
    usable = np.empty(weights.shape[:-1], dtype=bool)
    for i, (a, b) in enumerate(pairs):
        usable[i] = (sizes[..., a] > 0) & (sizes[..., b] > 0)
        difference = (means[:, :, b] - means[:, :, a]) * usable[i][..., None]
        of_pair = difference @ models.precisions[modality]
        share = sizes[..., a] / np.maximum(sizes[..., a] + sizes[..., b], 1)
        explained = share * (1 - share) * (of_pair * difference).sum(axis=2)
        weights[i] = of_pair / np.maximum(1 - explained, LEAST_UNEXPLAINED)[..., None]
    return weights, usable


class Areas(NamedTuple):
    """Values of Q combinations of sets, and what each of N windows adds to them.

    Attributes
    ----------
    values : ndarray of float, shape (Q,)
        NaN if no two windows can be compared.
    influence : ndarray of float, shape (N, Q)
        Their mean over windows is 0; their spread over independent units is the error of held-out windows.
    """

    values: Floats
    influence: Floats


def areas(models: PairModels, codes: Codes, sets: Bools, weights: Floats) -> Areas:
    """Compute combinations of the areas under the ROC curve of sets of modalities.

    Parameters
    ----------
    models : PairModels
        Of `prepare_pairs`.
    codes : ndarray of int, shape (N,)
        Class numbers.
    sets : ndarray of bool, shape (n_sets, M)
        Sets of modalities.
    weights : ndarray of float, shape (n_sets, Q)
        Weight of each set in each combination.

    Returns
    -------
    Areas
        Of the AUROC minus 0.5. Pairs of classes weigh n_a n_b / (n_a + n_b): a class in few windows does not dominate.

    References
    ----------
    Hand, Till (2001). A simple generalisation of the area under the ROC curve for multiple class classification
    problems. Machine Learning 45, 171-186.
    DeLong, DeLong, Clarke-Pearson (1988). Comparing the areas under two or more correlated receiver operating
    characteristic curves. Biometrics 44, 837-845.
    """
    classes = np.unique(codes).tolist()
    class_pairs = list(combinations(classes, 2))
    gains = np.zeros((len(class_pairs), len(codes), weights.shape[1]))  # sums over the windows that are compared
    sizes = np.zeros((len(class_pairs), len(codes)))
    members = sets.astype(np.float32)
    for block in _blocks(models, codes[None], classes):
        if not block.usable[0]:
            continue
        a, b = class_pairs[block.pair]
        scores, own = members @ block.scores[:, 0], codes[block.rows]
        for lower, higher in block.sides:
            low = lower.start + np.flatnonzero(own[lower] == a)
            high = higher.start + np.flatnonzero(own[higher] == b)
            if len(low) and len(high):
                of_low, of_high = _concordance(scores[:, low], scores[:, high], weights)
                gains[block.pair, block.rows[low]] += of_low
                gains[block.pair, block.rows[high]] += of_high
                sizes[block.pair, block.rows[low]] += len(high)
                sizes[block.pair, block.rows[high]] += len(low)
    return _combined(gains, sizes, class_pairs, codes)


def _concordance(low: Floats, high: Floats, weights: Floats) -> tuple[Floats, Floats]:
    """Return by window and combination how many windows of the other class are on the right side, minus the half."""
    of_low, of_high = np.zeros((low.shape[1], weights.shape[1])), np.zeros((high.shape[1], weights.shape[1]))
    step = max(1, ELEMENTS // (low.shape[1] * high.shape[1]))
    for start in range(0, len(low), step):
        some = slice(start, start + step)
        signs = np.sign(high[some, None, :] - low[some, :, None])
        of_low += signs.sum(axis=2).T @ weights[some] / 2
        of_high += signs.sum(axis=1).T @ weights[some] / 2
    return of_low, of_high


def _combined(gains: Floats, sizes: Floats, class_pairs: list[tuple[int, int]], codes: Codes) -> Areas:
    """Return the weighted mean over pairs of classes; every pair of windows is in the sums of both."""
    totals = sizes.sum(axis=1) / 2
    if not totals.any():
        return Areas(np.full(gains.shape[2], np.nan), np.full(gains.shape[1:], np.nan))
    shares = pair_weights(np.bincount(codes)[None], class_pairs)[0] * (totals > 0)
    shares /= shares.sum()
    by_pair = gains.sum(axis=1) / 2 / np.maximum(totals, 1)[:, None]
    deviations = gains - sizes[:, :, None] * by_pair[:, None]
    influence = np.tensordot(shares / np.maximum(totals, 1), deviations, 1) * len(codes)
    return Areas(shares @ by_pair, influence)


def pair_weights(sizes: Codes, class_pairs: list[tuple[int, int]]) -> Floats:
    """Return n_a n_b / (n_a + n_b) of pairs of classes, shape (D, n_pairs), from class sizes of shape (D, C)."""
    a, b = sizes[:, [a for a, _ in class_pairs]], sizes[:, [b for _, b in class_pairs]]
    return a * b / np.maximum(a + b, 1)


def separations(models: PairModels, draws: Codes, sets: Bools, weights: Floats) -> Floats:
    """Compute combinations of the separation of classes by sets of modalities, for many draws of labels.

    The separation is the mean probability of a class in its windows minus that in windows of the other class (Tjur's
    coefficient of discrimination). It orders sets as the AUROC does, but windows need not be compared one by one.

    Parameters
    ----------
    models : PairModels
        Of `prepare_pairs`.
    draws : ndarray of int, shape (D, N)
        Class numbers under each draw.
    sets : ndarray of bool, shape (n_sets, M)
        Sets of modalities.
    weights : ndarray of float, shape (n_sets, Q)
        Weight of each set in each combination.

    Returns
    -------
    ndarray of float, shape (D, Q)
        0 if no two windows can be compared.

    References
    ----------
    Tjur (2009). Coefficients of determination in logistic regression models. The American Statistician 63, 366-372.
    """
    coefficients = sum(mean.size for mean in models.means) * (int(draws.max()) + 1) ** 2
    step = max(1, ELEMENTS // max(len(sets) * draws.shape[1], coefficients))
    parts = [_separations(models, draws[i : i + step], sets, weights) for i in range(0, len(draws), step)]
    return np.concatenate(parts)


def _separations(models: PairModels, draws: Codes, sets: Bools, weights: Floats) -> Floats:
    classes = np.unique(draws).tolist()
    class_pairs = list(combinations(classes, 2))
    totals = np.zeros((len(class_pairs), len(sets), len(draws)))
    compared = np.zeros((len(class_pairs), len(draws)))
    members = sets.astype(np.float32)
    for block in _blocks(models, draws, classes):
        a, b = class_pairs[block.pair]
        own = draws[:, block.rows]
        half = np.tanh(np.tensordot(members, block.scores, 1) / 2) / 2  # probability minus 0.5
        low, high = (own == a).astype(np.float32), (own == b).astype(np.float32)
        for lower, higher in block.sides:
            n_low, n_high = low[:, lower].sum(axis=1), high[:, higher].sum(axis=1)
            above = np.einsum("sdn,dn->sd", half[:, :, higher], high[:, higher]) * n_low
            below = np.einsum("sdn,dn->sd", half[:, :, lower], low[:, lower]) * n_high
            totals[block.pair] += (above - below) * block.usable
            compared[block.pair] += n_low * n_high * block.usable
    sizes = np.stack([(draws == one).sum(axis=1) for one in classes], axis=1)
    numbered = [(classes.index(a), classes.index(b)) for a, b in class_pairs]
    shares = pair_weights(sizes, numbered).T * (compared > 0)
    shares /= np.maximum(shares.sum(axis=0), 1e-12)
    by_pair = totals / np.maximum(compared, 1)[:, None]
    return np.einsum("psd,pd->ds", by_pair, shares) @ weights
