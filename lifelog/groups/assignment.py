"""group_users: a grouping scheme is a table user → group, and that is all that the predictors know of it.

global       everyone together
importance   people with like importance
raw          control: the same clustering of raw summary features, into as many groups as the importance groups
random-i     control: the importance groups with their members drawn anew
personal     each alone
"""

from __future__ import annotations

import numpy as np
import pandas as pd

from lifelog.config import Groups
from lifelog.groups.clustering import assign_users, chosen_k, cluster
from lifelog.groups.vectors import grouping_vectors, raw_vectors
from lifelog.tables import read_csv


def group_users(
    scheme: str,
    importance: pd.DataFrame,
    settings: Groups,
    scores: pd.DataFrame | None = None,
    groups: pd.DataFrame | None = None,
    features: list[str] | None = None,
) -> pd.DataFrame:
    """user, group, share (of the user's windows that lie in its group). Users without importance are not in it.

    scores: of `score_groups`, for `importance`; groups: those by importance, for their controls; features: the tables
    of `extract_features`, for `raw`.
    """
    if scheme.startswith("random-"):
        rng = np.random.default_rng([settings.seed, int(scheme.removeprefix("random-"))])
        return _table(groups.user, rng.permutation(groups.group.to_numpy()))
    windows = grouping_vectors(importance, settings)
    users = windows.groupby("user").mean()
    if scheme == "global":
        return _table(users.index, ["everyone"] * len(users))
    if scheme == "personal":
        return _table(users.index, users.index)
    if scheme == "importance":
        return _clustered(windows, chosen_k(scores), settings)
    if scheme == "raw":
        # By user means whatever the unit: a vote of windows may leave fewer groups than there are to be.
        by_users = settings.model_copy(update={"unit": "users"})
        return _clustered(raw_vectors(features, windows), groups.group.nunique(), by_users)
    raise ValueError(f"no grouping scheme of the name {scheme!r}")


def _clustered(windows: pd.DataFrame, k: int, settings: Groups) -> pd.DataFrame:
    users = windows.groupby("user").mean()
    if k == 1:
        return _table(users.index, ["group 1"] * len(users))
    vectors = users if settings.unit == "users" else windows
    labels = cluster(vectors.to_numpy(), settings.algorithm, [k], settings.seed)[k]
    found = assign_users(windows, users, labels, settings.unit)
    return _table(found.index, [f"group {number + 1}" for number in found.group], found.share.to_numpy())


def _table(users: object, groups: object, share: object = 1.0) -> pd.DataFrame:
    return pd.DataFrame({"user": users, "group": groups, "share": share})


def read_groups(path: str) -> pd.DataFrame:
    """A grouping scheme."""
    return read_csv(path)
