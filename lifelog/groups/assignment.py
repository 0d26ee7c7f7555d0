"""group_users: a grouping scheme is a table user → group, and that is all that the predictors know of it."""

from __future__ import annotations

import pandas as pd

from lifelog.config import Groups
from lifelog.groups.clustering import chosen_k, cluster, cluster_shares
from lifelog.groups.vectors import user_vectors, window_vectors


def group_users(scheme: str, importance: pd.DataFrame, scores: pd.DataFrame | None, settings: Groups) -> pd.DataFrame:
    """user, group, share (of the user's windows that lie in its group). Users without importance are not in it.

    scores: of `score_groups`, for the scheme that is formed by clustering.
    """
    if importance.empty:
        raise ValueError("no user is left: every one was excluded; the reasons stand in the splits' notes and logs")
    users = user_vectors(importance, settings.importance, settings.parts)
    if scheme == "global":
        return _table(users.index, ["everyone"] * len(users), 1.0)
    if scheme == "personal":
        return _table(users.index, users.index, 1.0)
    if scheme != "importance":
        raise ValueError(f"no grouping scheme of the name {scheme!r}")
    windows = window_vectors(importance, settings.importance, settings.parts)
    vectors = users if settings.unit == "users" else windows
    labels = cluster(vectors.to_numpy(), settings.algorithm, chosen_k(scores), settings.seed)
    shares = cluster_shares(windows, users, labels, settings.unit).loc[users.index]
    # A user belongs where it was clustered, or where most of its windows are.
    own = pd.Series(labels, users.index) if settings.unit == "users" else shares.idxmax(axis=1)
    share = [shares.loc[user].get(own[user], 0.0) for user in users.index]
    return _table(users.index, [f"group {number + 1}" for number in own], share)


def _table(users: pd.Index, groups: object, share: object) -> pd.DataFrame:
    return pd.DataFrame({"user": users, "group": groups, "share": share})


def read_groups(path: str) -> pd.DataFrame:
    """A grouping scheme; user names stay text."""
    return pd.read_csv(path, dtype={"user": str, "group": str})
