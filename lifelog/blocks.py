"""Blocks of time: windows whose samples and labels depend on each other, and folds of whole blocks."""

import numpy as np
import pandas as pd

from lifelog.arrays import Codes, Floats, Texts

ENOUGH_SESSIONS = 5  # that are independent units themselves
FEWEST_BLOCKS = 6  # of time, where there are fewer sessions


def time_blocks(sessions: Texts, minutes: Floats, block_minutes: float) -> Codes:
    """Number stretches of time within sessions.

    Parameters
    ----------
    sessions : ndarray of object, shape (n_windows,)
        Session of each window.
    minutes : ndarray of float, shape (n_windows,)
        Starts of windows in minutes.
    block_minutes : float
        Length of a block.

    Returns
    -------
    ndarray of int, shape (n_windows,)
        Block of each window, in the order of first occurrence.
    """
    names: Codes = pd.factorize(sessions)[0]
    first = pd.Series(minutes).groupby(names).transform("min").to_numpy()
    stretch = (minutes - first) // block_minutes
    return pd.factorize(pd.Series(list(zip(names, stretch, strict=True))))[0]


def independent_blocks(sessions: Texts, minutes: Floats, codes: Codes, block_minutes: float) -> Codes:
    """Number stretches of time such that windows of different ones are independent of each other.

    Parameters
    ----------
    sessions : ndarray of object, shape (n_windows,)
        Session of each window.
    minutes : ndarray of float, shape (n_windows,)
        Starts of windows in minutes.
    codes : ndarray of int, shape (n_windows,)
        Class numbers.
    block_minutes : float
        Least length of a block.

    Returns
    -------
    ndarray of int, shape (n_windows,)
        Whole sessions if there are five or more. Otherwise stretches that are twice as long as the labels remember, but
        at most a sixth of the recordings.
    """
    names: Codes = pd.factorize(sessions)[0]
    if names.max() + 1 >= ENOUGH_SESSIONS:
        return names
    spans = pd.Series(minutes).groupby(names).agg(["min", "max"])
    longest = (spans["max"] - spans["min"]).sum() / FEWEST_BLOCKS
    length = max(block_minutes, min(2 * memory_minutes(sessions, minutes, codes), longest))
    return time_blocks(sessions, minutes, length)


def memory_minutes(sessions: Texts, minutes: Floats, codes: Codes) -> float:
    """Estimate how long labels depend on the labels before: their integrated autocorrelation time.

    Parameters
    ----------
    sessions : ndarray of object, shape (n_windows,)
        Session of each window.
    minutes : ndarray of float, shape (n_windows,)
        Starts of windows in minutes.
    codes : ndarray of int, shape (n_windows,)
        Class numbers.

    Returns
    -------
    float
        In minutes; one window for labels that do not depend on each other.

    References
    ----------
    Sokal (1997). Monte Carlo methods in statistical mechanics. In Functional Integration, Springer, 131-192.
    """
    frame = pd.DataFrame({"session": sessions, "minute": minutes, "code": codes}).sort_values(["session", "minute"])
    of_class = (frame.code.to_numpy()[:, None] == np.unique(codes)).astype(float)
    of_class -= of_class.mean(axis=0)
    names = pd.factorize(frame.session)[0]
    steps = np.diff(frame.minute.to_numpy())[names[1:] == names[:-1]]
    variance, total = float((of_class**2).mean(axis=0).sum()), 1.0
    for lag in range(1, len(names)):
        same = names[lag:] == names[:-lag]
        if not same.any():
            break
        correlation = float((of_class[lag:] * of_class[:-lag])[same].mean(axis=0).sum()) / max(variance, 1e-12)
        if correlation <= 0:
            break
        total += 2 * correlation
    return total * float(np.median(steps)) if len(steps) else 0.0


def whole_answers(blocks: Codes, answers: Codes) -> Codes:
    """Move all windows of an answer to the block of its first window.

    Parameters
    ----------
    blocks, answers : ndarray of int, shape (n_windows,)
        Block and answer of each window.

    Returns
    -------
    ndarray of int, shape (n_windows,)
        Block of each window, in the order of first occurrence.
    """
    _, first, inverse = np.unique(answers, return_index=True, return_inverse=True)
    return pd.factorize(blocks[first][inverse])[0]


def contiguous_folds(units: Codes, folds: int) -> Codes:
    """Divide units, such as blocks or sessions, into folds of neighbouring units with similar numbers of windows.

    Parameters
    ----------
    units : ndarray of int, shape (n_windows,)
        Unit of each window, numbered in time order.
    folds : int
        Number of folds.

    Returns
    -------
    ndarray of int, shape (n_windows,)
        Fold of each window; fewer folds if there are fewer units.
    """
    sizes = np.bincount(units)
    middle = (np.cumsum(sizes) - sizes / 2) / sizes.sum()
    wanted = np.minimum((middle * folds).astype(int), folds - 1)
    if len(sizes) <= folds:  # as many folds as units, also if their sizes differ
        wanted = np.arange(len(sizes))
    numbers: Codes = pd.factorize(wanted)[0]
    return numbers[units]


def window_folds(split: pd.DataFrame, folds: int) -> Codes:
    """Divide windows into folds of whole blocks.

    Parameters
    ----------
    split : pandas.DataFrame
        Rows of `assign_splits`.
    folds : int
        Number of folds; fewer if there are fewer blocks.

    Returns
    -------
    ndarray of int, shape (n_windows,)
        Fold of each window; neighbouring blocks are in one fold.
    """
    ordered = split.sort_values("start", kind="stable")
    result = np.empty(len(split), dtype=int)
    result[ordered.index.to_numpy()] = contiguous_folds(pd.factorize(ordered.block)[0], folds)
    return result


def variance_of_means(values: Floats, users: Codes, blocks: Codes) -> Floats:
    """Estimate the variance of the mean of each user's windows, from sums over blocks of time.

    Parameters
    ----------
    values : ndarray of float, shape (n_windows, n_columns)
        Values of windows.
    users : ndarray of int, shape (n_windows,)
        User of each window, from 0 without gaps.
    blocks : ndarray of int, shape (n_windows,)
        Block of each window; only windows of different blocks are independent.

    Returns
    -------
    ndarray of float, shape (n_users, n_columns)
        NaN for a user with one block.
    """
    sizes = np.bincount(users)
    means = _sums(values, users, len(sizes)) / sizes[:, None]
    pairs, pair_of_window = np.unique(np.stack([users, blocks]), axis=1, return_inverse=True)
    sums = _sums(values - means[users], pair_of_window.ravel(), pairs.shape[1])
    count = np.bincount(pairs[0]).astype(float)
    factor = count / np.where(count > 1, count - 1, np.nan) / sizes**2
    return _sums(sums**2, pairs[0], len(sizes)) * factor[:, None]


def _sums(values: Floats, units: Codes, count: int) -> Floats:
    """Return the sum of the rows of each unit."""
    return np.stack([np.bincount(units, column, count) for column in values.T], axis=1)
