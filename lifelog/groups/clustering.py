"""score_groups: how well importance falls into k clusters, for both algorithms and every k; and which k is taken."""

from __future__ import annotations

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from sklearn.cluster import AgglomerativeClustering, KMeans
from sklearn.metrics import silhouette_score

from lifelog.config import Groups
from lifelog.groups.vectors import user_vectors, window_vectors

ALGORITHMS = ("kmeans", "agglomerative")


def cluster(vectors: NDArray, algorithm: str, k: int, seed: int) -> NDArray:
    """Cluster numbers 0..k-1 of vectors (n, modalities), by size, the largest first, and by first member."""
    if k == 1:
        return np.zeros(len(vectors), dtype=int)
    model = KMeans(k, n_init=20, random_state=seed) if algorithm == "kmeans" else AgglomerativeClustering(k)
    labels = model.fit_predict(vectors)
    names, first, sizes = np.unique(labels, return_index=True, return_counts=True)
    rank = np.empty(names.max() + 1, dtype=int)
    rank[names[np.lexsort((first, -sizes))]] = np.arange(len(names))
    return rank[labels]


def cluster_shares(windows: pd.DataFrame, users: pd.DataFrame, labels: NDArray, unit: str) -> pd.DataFrame:
    """Share of each user's windows in each cluster, one row a user.

    Where windows were clustered their labels count; where users were, each window goes to the nearest cluster mean.
    """
    if unit == "users":
        centres = users.groupby(labels).mean().to_numpy()
        labels = ((windows.to_numpy()[:, None] - centres) ** 2).sum(axis=2).argmin(axis=1)
    return pd.crosstab(windows.index.get_level_values("user"), labels, normalize="index").rename_axis("user")


def entropy(shares: pd.DataFrame) -> float:
    """The study's measure: entropy of the cluster shares within a user (nats), summed over users; 0 if undivided."""
    p = shares.to_numpy()
    return float(-(p * np.log(np.where(p > 0, p, 1))).sum())


def score_groups(importance: pd.DataFrame, settings: Groups) -> pd.DataFrame:
    """algorithm, k, silhouette, entropy, and `chosen` on the one row that forms the groups."""
    windows = window_vectors(importance, settings.importance, settings.parts)
    users = user_vectors(importance, settings.importance, settings.parts)
    vectors = (users if settings.unit == "users" else windows).to_numpy()
    rows = []
    for algorithm in ALGORITHMS:
        for k in range(2, min(settings.k_max, len(users) - 1) + 1):
            labels = cluster(vectors, algorithm, k, settings.seed)
            distinct = len(np.unique(labels))
            silhouette = silhouette_score(vectors, labels) if 1 < distinct < len(vectors) else np.nan
            shares = cluster_shares(windows, users, labels, settings.unit)
            rows.append({"algorithm": algorithm, "k": k, "silhouette": silhouette, "entropy": entropy(shares)})
    scores = pd.DataFrame(rows, columns=["algorithm", "k", "silhouette", "entropy"])
    k = _choose(scores[scores.algorithm == settings.algorithm], len(users), settings)
    return scores.assign(chosen=(scores.algorithm == settings.algorithm) & (scores.k == k))


def read_scores(path: str) -> pd.DataFrame:
    """What `score_groups` found; also of too few users to score anything."""
    return pd.read_csv(path, dtype={"chosen": bool})


def chosen_k(scores: pd.DataFrame) -> int:
    """The number of groups: of the chosen row; 1 where nothing could be scored."""
    return int(scores.k[scores.chosen].iloc[0]) if scores.chosen.any() else 1


def _choose(scores: pd.DataFrame, users: int, settings: Groups) -> int | None:
    if settings.k == "auto":
        return None if scores.silhouette.isna().all() else int(scores.k[scores.silhouette.idxmax()])
    if settings.k == 1:
        return None
    if settings.k not in set(scores.k):
        allowed = f"1 to {scores.k.max()}" if len(scores) else "1 or auto"
        raise ValueError(f"groups.k: {settings.k} groups of {users} usable users; allowed: {allowed} (or raise k_max)")
    return settings.k
