"""Intervals and tests over users.

Windows of a user are not independent, so each user is one observation. Intervals and p-values of means are those of
Student's t distribution, which agree with each other: an interval excludes 0 where the p-value is below the level.
"""

from typing import NamedTuple

import numpy as np
import pandas as pd
from scipy.special import stdtr, stdtrit

from lifelog.arrays import Floats

POWER = 0.8
CHANCE = 0.5  # AUROC of a model without information; macro-F1 has no such reference


class Estimate(NamedTuple):
    """A mean over users, its interval, the p-value of the mean 0, and the mean that would be found with a power of .8.

    A true mean below `detectable` has an interval that includes 0 in more than one of five studies of this size. All
    but the mean are NaN for fewer than two users.
    """

    mean: float
    low: float
    high: float
    p: float
    detectable: float


Bounds = tuple[float, float]


def estimate_mean(
    values: Floats, confidence: float, comparisons: int = 1, bounds: Bounds = (-np.inf, np.inf)
) -> Estimate:
    """Estimate the mean of users.

    Parameters
    ----------
    values : ndarray of float, shape (n_users,)
        One value per user.
    confidence : float
        Confidence level of the interval.
    comparisons : int, default 1
        Number of intervals that hold together with this confidence (Bonferroni).
    bounds : tuple of float, optional
        Least and largest value that the mean can have: the interval is cut there, and covers as often as uncut.

    Returns
    -------
    Estimate
        By Student's t distribution.
    """
    count, nan = len(values), float("nan")
    if count < 2:
        return Estimate(float(values.mean()) if count else nan, nan, nan, nan, nan)
    mean, error = float(values.mean()), float(values.std(ddof=1) / np.sqrt(count))
    quantile = float(stdtrit(count - 1, 1 - (1 - confidence) / comparisons / 2))
    p = 2 * float(stdtr(count - 1, -abs(mean) / error)) if error else float(mean == 0)
    low, high = max(bounds[0], mean - quantile * error), min(bounds[1], mean + quantile * error)
    return Estimate(mean, low, high, p, (quantile + float(stdtrit(count - 1, POWER))) * error)


def holm(p: pd.Series) -> pd.Series:
    """Correct p-values for their number (Holm, 1979)."""
    order = p.sort_values(kind="stable")
    corrected = (order * np.arange(len(order), 0, -1)).cummax().clip(upper=1)
    return corrected.reindex(p.index)


def permutation_p(value: float, others: Floats) -> float:
    """Compute the share of random groupings that are at least as good (Phipson and Smyth, 2010).

    Parameters
    ----------
    value : float
        The score of the grouping.
    others : ndarray of float, shape (n_groupings,)
        The scores of distinct random groupings.

    Returns
    -------
    float
        Never 0, since the grouping itself is counted.
    """
    return float((1 + (others >= value).sum()) / (1 + len(others)))
