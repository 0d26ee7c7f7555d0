"""Whether a modality matters: the label sequences of whole sessions are exchanged.

If signals do not depend on the labels, the labels of one session fit the signals of another one as well. Sessions stay
whole, since signals and labels depend on the minutes before (Harris, 2020): neither single windows nor shifted labels
are exchangeable.
"""

from math import factorial, prod
from typing import NamedTuple

import numpy as np
import pandas as pd

from lifelog.arrays import Bools, Codes, Floats, Texts
from lifelog.importance.pairs import PairModels, separations
from lifelog.importance.shapley import first_last_game


class Exchange(NamedTuple):
    """The test of M modalities.

    Attributes
    ----------
    p : ndarray of float, shape (M,)
        One-sided, by modality.
    corrected : ndarray of float, shape (M,)
        Corrected for the number of modalities.
    together : float
        Of all modalities together.
    """

    p: Floats
    corrected: Floats
    together: float


def arrangements(codes: Codes, sessions: Texts) -> int:
    """Return how many arrangements of the label sequences of sessions differ."""
    sequences = [tuple(codes[rows]) for rows in _members(sessions)]
    times = pd.Series(sequences).value_counts()
    return factorial(len(sequences)) // prod(factorial(count) for count in times)


def exchanged(codes: Codes, sessions: Texts, draws: int, seed: int) -> Codes:
    """Exchange the label sequences of whole sessions.

    Parameters
    ----------
    codes : ndarray of int, shape (N,)
        Class numbers of windows in time order within sessions.
    sessions : ndarray of object, shape (N,)
        Session of each window.
    draws : int
        Number of random arrangements.
    seed : int
        Seed of the arrangements.

    Returns
    -------
    ndarray of int, shape (1 + draws, N)
        The labels themselves, and as many arrangements. A sequence is stretched to the windows of its new session.
    """
    members, rng = _members(sessions), np.random.default_rng(seed)
    drawn = np.empty((1 + draws, len(codes)), dtype=int)
    drawn[0] = codes
    places = [(np.arange(len(rows)) + 0.5) / len(rows) for rows in members]
    for row in drawn[1:]:
        for rows, place, donor in zip(members, places, rng.permutation(len(members)), strict=True):
            row[rows] = codes[members[donor][(place * len(members[donor])).astype(int)]]
    return drawn


def _members(sessions: Texts) -> list[Codes]:
    """Return the windows of each session."""
    numbers = pd.factorize(sessions)[0]
    return [np.flatnonzero(numbers == number) for number in range(numbers.max() + 1)]


def exchange_test(models: PairModels, drawn: Codes) -> Exchange:
    """Test which modalities separate the classes better than with exchanged labels.

    Parameters
    ----------
    models : PairModels
        Of `prepare_pairs`.
    drawn : ndarray of int, shape (1 + D, N)
        Of `exchanged`.

    Returns
    -------
    Exchange
        By the mean of the first and the last gain in separation, corrected by the step-down maximum.

    References
    ----------
    Harris (2020). Nonsense correlations in neuroscience. bioRxiv 2020.11.29.402719.
    Westfall, Young (1993). Resampling-based multiple testing. Wiley.
    Phipson, Smyth (2010). Permutation p-values should never be zero. Statistical Applications in Genetics 9.
    """
    sets, weights = first_last_game(len(models.features))
    every = sets.all(axis=1).astype(float)[:, None]
    found = separations(models, drawn, sets, np.concatenate([weights, every], axis=1))
    gains = found[:, :-1]
    return Exchange(shares_above(gains), step_down(gains), float(shares_above(found[:, -1:])[0]))


def absence_test(known: Bools, drawn: Codes) -> Floats:
    """Test whether the absence of a modality depends on the labels.

    Parameters
    ----------
    known : ndarray of bool, shape (M, N)
        Whether a window has a modality.
    drawn : ndarray of int, shape (1 + D, N)
        Of `exchanged`.

    Returns
    -------
    ndarray of float, shape (M,)
        Corrected p-values; 1 for a modality that no window, or every window, lacks.
    """
    missing = (~known).astype(float)
    spread = np.zeros((len(drawn), len(known)))
    for one in np.unique(drawn):
        own = drawn == one
        size = np.maximum(own.sum(axis=1, keepdims=True), 1)
        spread += size * (own @ missing.T / size - missing.mean(axis=1)) ** 2
    return step_down(spread)


def shares_above(statistics: Floats) -> Floats:
    """Return the share of draws that are at least as large as the first one, which counts itself."""
    return (statistics >= statistics[0] - 1e-12).mean(axis=0)


def step_down(statistics: Floats) -> Floats:
    """Correct for the number of statistics by the step-down maximum (Westfall and Young), standardised over draws.

    Parameters
    ----------
    statistics : ndarray of float, shape (1 + D, M)
        The statistics themselves, and under each draw.

    Returns
    -------
    ndarray of float, shape (M,)
        Corrected p-values; 1 for a statistic that is the same in all draws.
    """
    spread = statistics.std(axis=0)
    varies = spread > 1e-12
    scores = np.where(varies, (statistics - statistics.mean(axis=0)) / np.where(varies, spread, 1), -np.inf)
    order, corrected, least = np.argsort(-scores[0], kind="stable"), np.ones(statistics.shape[1]), 0.0
    for place, column in enumerate(order):
        if varies[column]:
            most = scores[:, order[place:]].max(axis=1)
            least = max(least, float((most >= scores[0, column] - 1e-9).mean()))
            corrected[column] = least
    return corrected
