"""score_groups: how well importance falls into k clusters, for both algorithms and every k; and which k is taken.

silhouette  how much nearer a vector lies to its own cluster than to the next one; 1 is clear, 0 is none
entropy     the study's measure: how divided the windows of a user are among clusters
stability   mean adjusted Rand index between the groups and those of resampled windows and seeds; 1 is the same groups

`groups.k: auto` takes the k with the highest silhouette, the smallest of equals. No measure here can say that there are
no groups at all: that is what the comparison with random groups is for.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from lifelog.config import Groups
from lifelog.groups.vectors import as_shares, grouping_vectors, window_vectors

ALGORITHMS = ("kmeans", "agglomerative")
STARTS = 20  # of k-means; the best is kept
RESAMPLED_STARTS = 5
MANY = 15_000  # vectors beyond which only the algorithm that is used is scored: Ward's tree grows with their square
COLUMNS = ["algorithm", "k", "silhouette", "entropy", "stability"]


def cluster(vectors: NDArray, algorithm: str, ks: list[int], seed: int, starts: int = STARTS) -> dict[int, NDArray]:
    """By k, cluster numbers 0..k-1 of vectors (n, dimensions), the largest cluster first, then by first member.

    agglomerative: Ward's (1963) criterion; one tree serves every k.
    """
    # Loaded here: most schemes are formed without clustering, and loading takes longer than forming them.
    from scipy.cluster.hierarchy import fcluster, ward
    from sklearn.cluster import KMeans

    if algorithm == "kmeans":
        found = {k: KMeans(k, n_init=starts, random_state=seed).fit_predict(vectors) for k in ks}
    else:
        tree = ward(vectors) if len(vectors) > 1 else None
        found = {k: fcluster(tree, k, "maxclust") for k in ks} if tree is not None else {}
    return {k: _by_size(labels) for k, labels in found.items()}


def _by_size(labels: NDArray) -> NDArray:
    names, first, labels, sizes = np.unique(labels, return_index=True, return_inverse=True, return_counts=True)
    rank = np.empty(len(names), dtype=int)
    rank[np.lexsort((first, -sizes))] = np.arange(len(names))
    return rank[labels]


def assign_users(windows: pd.DataFrame, users: pd.DataFrame, labels: NDArray, unit: str) -> pd.DataFrame:
    """group (a number) and share of every user of `users`, in its order, from the labels of what was clustered.

    Where users were clustered, each belongs to its cluster, and share tells how many of its windows lie nearest to that
    cluster's mean; where windows were, a user belongs to the cluster with most of them.
    """
    shares = cluster_shares(windows, users, labels, unit).loc[users.index]
    own = labels if unit == "users" else shares.idxmax(axis=1).to_numpy()
    share = [shares.loc[user].get(group, 0.0) for user, group in zip(users.index, own, strict=True)]
    return pd.DataFrame({"group": own, "share": share}, index=users.index)


def cluster_shares(windows: pd.DataFrame, users: pd.DataFrame, labels: NDArray, unit: str) -> pd.DataFrame:
    """Share of each user's windows in each cluster, one row a user.

    Where windows were clustered their labels count; where users were, each window goes to the nearest cluster mean.
    """
    if unit == "users":
        centres = users.groupby(labels).mean().to_numpy()
        labels = squared_distances(windows.to_numpy(), centres).argmin(axis=1)
    return pd.crosstab(windows.index.get_level_values("user"), labels, normalize="index").rename_axis("user")


def squared_distances(vectors: NDArray, centres: NDArray) -> NDArray:
    """Of each vector (n, dimensions) to each centre (k, dimensions): (n, k)."""
    return ((vectors[:, None] - centres) ** 2).sum(axis=2)


def entropy(shares: pd.DataFrame) -> float:
    """The study's measure: entropy of the cluster shares within a user (nats), summed over users; 0 if undivided."""
    p = shares.to_numpy()
    return abs(float((p * np.log(np.where(p > 0, p, 1))).sum()))


def score_groups(importance: pd.DataFrame, settings: Groups) -> pd.DataFrame:
    """algorithm, k, silhouette, entropy, stability, and `chosen` on the one row that forms the groups.

    Stability is that of the algorithm that is used; the other one has none, and no row where vectors are many.
    """
    from sklearn.metrics import silhouette_score

    windows = grouping_vectors(importance, settings)
    users = windows.groupby("user").mean()
    ks = list(range(2, min(settings.k_max, len(users) - 1) + 1))
    vectors = (users if settings.unit == "users" else windows).to_numpy()
    rows = []
    for algorithm in ALGORITHMS if ks else ():
        taken = algorithm == settings.algorithm
        if not taken and len(vectors) > MANY:
            continue
        found = cluster(vectors, algorithm, ks, settings.seed)
        # Resampling is the work of many clusterings: for the algorithm that is used.
        stability = (
            _stability(windows, users, found, resamples(importance, settings, settings.resamples), settings)
            if taken
            else {}
        )
        for k, labels in found.items():
            distinct = len(np.unique(labels))
            silhouette = silhouette_score(vectors, labels) if 1 < distinct < len(vectors) else np.nan
            divided = entropy(cluster_shares(windows, users, labels, settings.unit))
            rows.append((algorithm, k, silhouette, divided, stability.get(k, np.nan)))
    scores = pd.DataFrame(rows, columns=COLUMNS)
    k = _choose(scores[scores.algorithm == settings.algorithm], len(users), settings)
    return scores.assign(chosen=(scores.algorithm == settings.algorithm) & (scores.k == k))


def resamples(importance: pd.DataFrame, settings: Groups, draws: int) -> Iterator[tuple[pd.DataFrame, pd.DataFrame]]:
    """Window and user vectors of as many windows and seeds as there are, drawn with replacement within each user."""
    rng = np.random.default_rng(settings.seed)
    seeds = sorted(set(importance.seed))
    by_seed = [window_vectors(importance, settings.importance, settings.parts, [seed]) for seed in seeds]
    rows = by_seed[0].groupby("user").indices
    for _ in range(draws):
        mean = as_shares(sum(by_seed[i] for i in rng.integers(0, len(seeds), len(seeds))) / len(seeds), settings)
        drawn = mean.iloc[np.concatenate([rng.choice(own, len(own)) for own in rows.values()])]
        yield drawn, drawn.groupby("user").mean()


def _stability(
    windows: pd.DataFrame,
    users: pd.DataFrame,
    found: dict[int, NDArray],
    resamples: Iterable[tuple[pd.DataFrame, pd.DataFrame]],
    settings: Groups,
) -> dict[int, float]:
    """By k, mean adjusted Rand index of the users' groups with those of each resample."""
    from sklearn.metrics import adjusted_rand_score

    groups = {k: assign_users(windows, users, labels, settings.unit).group for k, labels in found.items()}
    agreement: dict[int, list[float]] = {k: [] for k in found}
    for some_windows, some_users in resamples:
        vectors = some_users if settings.unit == "users" else some_windows
        again = cluster(vectors.to_numpy(), settings.algorithm, list(found), settings.seed, RESAMPLED_STARTS)
        for k, labels in again.items():
            other = assign_users(some_windows, some_users, labels, settings.unit).group
            agreement[k].append(adjusted_rand_score(groups[k], other.loc[groups[k].index]))
    return {k: float(np.mean(values)) for k, values in agreement.items()}


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
