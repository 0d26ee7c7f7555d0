"""group_users: a grouping scheme is a table user → group; predictors depend on nothing else.

global       all users in one group
importance   users with similar importance
attention    control: the same by the attention of the personal networks, as in the study
raw          control: the same clustering of raw summary features, with as many groups as `importance`
random-i     control: groups of the same sizes with random members; distinct, as far as there are so many groupings
personal     each user alone
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from math import factorial, prod
from pathlib import Path

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from scipy.spatial.distance import cdist

from lifelog.groups.clustering import assign_users, best_k, chosen_k, cluster, resamples
from lifelog.groups.vectors import Profiles, profiles, raw_vectors
from lifelog.settings.groups import Scoring
from lifelog.tables import read_csv

CERTAINTY_DRAWS = 100  # resamples of blocks


def group_users(
    scheme: str,
    importance: pd.DataFrame,
    settings: Scoring | None = None,
    scores: pd.DataFrame | None = None,
    groups: pd.DataFrame | None = None,
    features: list[str] | None = None,
) -> pd.DataFrame:
    """Form the groups of a scheme.

    Parameters
    ----------
    scheme : str
        `global`, `importance`, `attention`, `raw`, `random-<i>` or `personal`.
    importance : pandas.DataFrame
        Table of `read_importance`; users without importance are in no group.
    settings : Scoring, optional
        Vectors, clustering and number of groups; not needed for `global` and `personal`.
    scores : pandas.DataFrame, optional
        Table of `score_groups`, for `importance`.
    groups : pandas.DataFrame, optional
        The importance groups, for `raw` and `random-<i>`.
    features : list of str, optional
        Files of `extract_features`, for `raw`.

    Returns
    -------
    pandas.DataFrame
        One row per user: user, group, certainty (share of resampled blocks of time with the same group; of the user's
        windows, if windows were clustered).

    Raises
    ------
    ValueError
        If the scheme is unknown, or lacks an input that it needs.
    """
    users = sorted(set(importance.user))
    if scheme == "global":
        return _table(users, ["everyone"] * len(users))
    if scheme == "personal":
        return _table(users, users)
    if settings is None:
        raise ValueError(f"the scheme {scheme!r} needs settings")
    if scheme == "importance" and scores is not None:
        return _clustered(importance, profiles(importance, settings), chosen_k(scores), settings)
    if scheme == "attention":
        settings = settings.model_copy(update={"importance": "attention"})
        found = profiles(importance, settings)
        return _clustered(importance, found, best_k(found, settings), settings)
    if scheme.startswith("random-") and groups is not None:
        number = int(scheme.removeprefix("random-"))
        return _table(groups.user, random_grouping(groups.group.to_numpy(), number, settings.seed))
    if scheme == "raw" and groups is not None and features is not None:
        # By user means, and without errors: a vote of windows, or a mixture, may leave fewer groups than wanted.
        by_users = settings.model_copy(update={"unit": "users", "algorithm": "kmeans"})
        windows = raw_vectors(features, profiles(importance, settings).windows)
        users = windows.groupby("user").mean()
        return _clustered(None, Profiles(windows, users, users * np.nan), groups.group.nunique(), by_users)
    raise ValueError(f"the grouping scheme {scheme!r} is unknown, or lacks an input (scores, groups or features)")


def random_grouping(labels: NDArray[np.object_], number: int, seed: int) -> NDArray[np.object_]:
    """Return one of the distinct groupings with the same sizes, in random order.

    Parameters
    ----------
    labels : ndarray of object, shape (n_users,)
        Group of each user, which is not among them.
    number : int
        Number of the grouping, from 1. If there are fewer groupings, they repeat.
    seed : int
        Seed of the order.

    Returns
    -------
    ndarray of object, shape (n_users,)
        Group of each user.
    """
    sizes = Counter(labels.tolist()).values()
    arrangements = factorial(len(labels)) // prod(factorial(size) for size in sizes)
    others = arrangements // prod(factorial(times) for times in Counter(sizes).values()) - 1
    if others == 0:
        return labels
    rng, seen = np.random.default_rng(seed), {partition(labels)}
    while True:
        drawn = rng.permutation(labels)
        seen.add(partition(drawn))
        if len(seen) == 2 + (number - 1) % others:
            return drawn


def partition(groups: Iterable[object]) -> tuple[int, ...]:
    """Return group numbers in the order of first occurrence, which are equal for equal groupings."""
    return tuple(pd.factorize(np.array(list(groups), dtype=object))[0].tolist())


def _clustered(importance: pd.DataFrame | None, found: Profiles, k: int, settings: Scoring) -> pd.DataFrame:
    """Return k groups of users; without importance, their certainty is unknown."""
    users = found.users
    if k == 1:
        return _table(users.index, ["group 1"] * len(users))
    vectors, errors = (users, found.errors.to_numpy()) if settings.unit == "users" else (found.windows, None)
    labels = cluster(vectors.to_numpy(), settings.algorithm, [k], settings.seed, errors=errors)[k]
    assigned = assign_users(found, labels, settings.unit)
    names = [f"group {number + 1}" for number in assigned.group]
    certainty: object = assigned.share.to_numpy()
    if settings.unit == "users":
        certainty = np.nan if importance is None else _certainty(importance, users, assigned.group, settings)
    return _table(assigned.index, names, certainty)


def _certainty(importance: pd.DataFrame, users: pd.DataFrame, groups: pd.Series, settings: Scoring) -> object:
    """Return the share of resamples in which each user is nearest to the mean of its group."""
    numbers = sorted(set(groups))
    centres = users.groupby(groups).mean().loc[numbers].to_numpy()
    same = np.zeros(len(users))
    for drawn in resamples(importance, settings, settings.seed, CERTAINTY_DRAWS):
        nearest = cdist(drawn.users.loc[users.index].to_numpy(), centres).argmin(axis=1)
        same += np.array(numbers)[nearest] == groups.to_numpy()
    return same / CERTAINTY_DRAWS


def _table(users: object, groups: object, certainty: object = 1.0) -> pd.DataFrame:
    return pd.DataFrame({"user": users, "group": groups, "certainty": certainty})


def read_groups(path: str | Path) -> pd.DataFrame:
    """Read the groups of a scheme."""
    return read_csv(path)
