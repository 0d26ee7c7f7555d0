"""group_users: a grouping scheme is a table user → group; predictors depend on nothing else.

global       all users in one group
importance   users with similar importance
raw          control: the same clustering of raw summary features, with as many groups as `importance`
random-i     control: the importance groups with randomly permuted members
personal     each user alone
"""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd

from lifelog.groups.clustering import assign_users, chosen_k, cluster
from lifelog.groups.vectors import grouping_vectors, raw_vectors
from lifelog.settings.groups import Clustering
from lifelog.tables import read_csv


def group_users(
    scheme: str,
    importance: pd.DataFrame,
    settings: Clustering | None = None,
    scores: pd.DataFrame | None = None,
    groups: pd.DataFrame | None = None,
    features: list[str] | None = None,
) -> pd.DataFrame:
    """Form the groups of a scheme.

    Parameters
    ----------
    scheme : str
        `global`, `importance`, `raw`, `random-<i>` or `personal`.
    importance : pandas.DataFrame
        Table of `read_importance`; users without importance are in no group.
    settings : Clustering, optional
        Vectors and clustering; not needed for `global` and `personal`.
    scores : pandas.DataFrame, optional
        Table of `score_groups`, for `importance`.
    groups : pandas.DataFrame, optional
        The importance groups, for `raw` and `random-<i>`.
    features : list of str, optional
        Files of `extract_features`, for `raw`.

    Returns
    -------
    pandas.DataFrame
        One row per user: user, group, share (of the user's windows in the group).

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
        return _clustered(grouping_vectors(importance, settings), chosen_k(scores), settings)
    if scheme.startswith("random-") and groups is not None:
        rng = np.random.default_rng([settings.seed, int(scheme.removeprefix("random-"))])
        return _table(groups.user, rng.permutation(groups.group.to_numpy()))
    if scheme == "raw" and groups is not None and features is not None:
        # By user means in any case: a vote of windows may leave fewer groups than wanted.
        by_users = settings.model_copy(update={"unit": "users"})
        vectors = raw_vectors(features, grouping_vectors(importance, settings))
        return _clustered(vectors, groups.group.nunique(), by_users)
    raise ValueError(f"the grouping scheme {scheme!r} is unknown, or lacks an input (scores, groups or features)")


def _clustered(windows: pd.DataFrame, k: int, settings: Clustering) -> pd.DataFrame:
    """Return k groups of users."""
    users = windows.groupby("user").mean()
    if k == 1:
        return _table(users.index, ["group 1"] * len(users))
    vectors = users if settings.unit == "users" else windows
    labels = cluster(vectors.to_numpy(), settings.algorithm, [k], settings.seed)[k]
    assigned = assign_users(windows, users, labels, settings.unit)
    return _table(assigned.index, [f"group {number + 1}" for number in assigned.group], assigned.share.to_numpy())


def _table(users: object, groups: object, share: object = 1.0) -> pd.DataFrame:
    return pd.DataFrame({"user": users, "group": groups, "share": share})


def read_groups(path: str | Path) -> pd.DataFrame:
    """Read the groups of a scheme."""
    return read_csv(path)
