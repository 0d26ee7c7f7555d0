"""score_groups: scores of every number of groups, and the number that is chosen.

bic         Bayesian information criterion of a mixture that allows for the error of each user; lower is better
silhouette  how much nearer a vector is to its own cluster than to the next one; 1 is best, 0 is no structure
entropy     as published: how the windows of a user are spread over clusters
stability   mean adjusted Rand index between the groups and those of resampled blocks and seeds; 1 for identical groups

`groups.k: auto` chooses the lowest BIC for the mixture, where one group is possible and more need very strong evidence,
and the highest silhouette for the other algorithms, where it is not: no other score can show that there are no groups.
"""

from collections.abc import Callable, Iterable, Mapping

import numpy as np
import pandas as pd

from lifelog.arrays import Codes, Floats
from lifelog.importance.mixture import best_mixture, evidence, fit_mixture, fit_mixtures
from lifelog.importance.vectors import Profiles, describing, profiles, resamples
from lifelog.registry import Registry
from lifelog.settings.groups import Clustering, Scoring

STARTS = 20  # of k-means; the best is used
RESAMPLE_STARTS = 5
MAX_ALTERNATIVE = 15_000  # vectors; above, only the configured algorithm is scored, since Ward's tree is quadratic
COLUMNS = ["algorithm", "k", "bic", "silhouette", "entropy", "stability"]


def _mixture(vectors: Floats, errors: Floats | None, ks: list[int], seed: int, starts: int) -> dict[int, Codes]:
    if errors is None:
        raise ValueError("the clustering algorithm 'mixture' needs the errors of vectors")
    return {k: fit_mixture(vectors, errors, k, seed, starts).memberships.argmax(axis=1) for k in ks}


def _kmeans(vectors: Floats, errors: Floats | None, ks: list[int], seed: int, starts: int) -> dict[int, Codes]:
    from sklearn.cluster import KMeans  # slow to import, and most schemes need no clustering

    return {k: KMeans(k, n_init=starts, random_state=seed).fit_predict(vectors) for k in ks}


def _agglomerative(vectors: Floats, errors: Floats | None, ks: list[int], seed: int, starts: int) -> dict[int, Codes]:
    """Ward's criterion (1963); one tree serves every k."""
    from scipy.cluster.hierarchy import fcluster, ward

    if len(vectors) < 2:
        return {}
    tree = ward(vectors)
    return {k: fcluster(tree, k, "maxclust") for k in ks}


# Each returns the labels of vectors (n, dimensions), with the variances of their errors, by number of clusters.
ALGORITHMS: Registry[Callable[[Floats, Floats | None, list[int], int, int], dict[int, Codes]]] = Registry(
    "clustering algorithm", {"mixture": _mixture, "kmeans": _kmeans, "agglomerative": _agglomerative}
)


def cluster(
    vectors: Floats, algorithm: str, ks: list[int], seed: int, starts: int = STARTS, errors: Floats | None = None
) -> dict[int, Codes]:
    """Cluster vectors.

    Parameters
    ----------
    vectors : ndarray of float, shape (n_vectors, n_dimensions)
        The vectors.
    algorithm : str
        A clustering algorithm, for example `kmeans`.
    ks : list of int
        Numbers of clusters.
    seed : int
        Random state, where the algorithm has one.
    starts : int, default 20
        Number of initialisations of k-means and of the mixture.
    errors : ndarray of float, shape (n_vectors, n_dimensions), optional
        Variances of the errors of the vectors, for the mixture.

    Returns
    -------
    dict of int to ndarray of int, shape (n_vectors,)
        By number of clusters: cluster numbers from 0, the largest cluster first, then by first member.
    """
    return {k: _by_size(labels) for k, labels in ALGORITHMS[algorithm](vectors, errors, ks, seed, starts).items()}


def cluster_profiles(found: Profiles, ks: list[int], settings: Clustering, starts: int = STARTS) -> dict[int, Codes]:
    """Cluster users, or windows if they are the unit, and return the cluster numbers by number of clusters."""
    vectors, errors = (found.users, found.errors.to_numpy()) if settings.unit == "users" else (found.windows, None)
    return cluster(vectors.to_numpy(), settings.algorithm, ks, settings.seed, starts, errors)


def _by_size(labels: Codes) -> Codes:
    """Renumber clusters by size."""
    names, first, labels, sizes = np.unique(labels, return_index=True, return_inverse=True, return_counts=True)
    rank = np.empty(len(names), dtype=int)
    rank[np.lexsort((first, -sizes))] = np.arange(len(names))
    return rank[labels]


def assign_users(found: Profiles, labels: Codes, unit: str) -> pd.DataFrame:
    """Assign users to clusters.

    Parameters
    ----------
    found : Profiles
        Vectors of windows and of users.
    labels : ndarray of int, shape (n_users,) or (n_windows,)
        Cluster numbers of the clustered vectors.
    unit : str
        `users` if users were clustered, `windows` if windows were: then a user belongs to the cluster of most windows.

    Returns
    -------
    pandas.DataFrame
        By user: group (cluster number), and share of the user's windows in that cluster.
    """
    users = found.users
    shares = cluster_shares(found.windows, users, labels, unit).loc[users.index]
    groups = labels if unit == "users" else shares.idxmax(axis=1).to_numpy()
    share = [shares.loc[user].get(group, 0.0) for user, group in zip(users.index, groups, strict=True)]
    return pd.DataFrame({"group": groups, "share": share}, index=users.index)


def cluster_shares(windows: pd.DataFrame, users: pd.DataFrame, labels: Codes, unit: str) -> pd.DataFrame:
    """Return the share of each user's windows in each cluster.

    Parameters
    ----------
    windows, users : pandas.DataFrame
        Vectors of windows (index: user, start) and of users (index: user).
    labels : ndarray of int, shape (n_users,) or (n_windows,)
        Cluster numbers of the clustered vectors.
    unit : str
        `users` or `windows`; if users were clustered, a window belongs to the nearest cluster mean.

    Returns
    -------
    pandas.DataFrame
        One row per user, one column per cluster.
    """
    from scipy.spatial.distance import cdist

    if unit == "users":
        labels = cdist(windows, users.groupby(labels).mean(), "sqeuclidean").argmin(axis=1)
    names, users_of_windows = np.unique(windows.index.get_level_values("user").to_numpy(), return_inverse=True)
    clusters, numbers = np.unique(labels, return_inverse=True)
    counts = np.bincount(users_of_windows * len(clusters) + numbers, minlength=len(names) * len(clusters))
    counts = counts.reshape(len(names), len(clusters))
    return pd.DataFrame(counts / counts.sum(axis=1, keepdims=True), pd.Index(names, name="user"), clusters)


def entropy(shares: pd.DataFrame) -> float:
    """Return the entropy of the cluster shares of each user (nats), summed over users, as published."""
    p = shares.to_numpy()
    return abs(float((p * np.log(np.where(p > 0, p, 1))).sum()))


def score_groups(importance: pd.DataFrame, settings: Scoring) -> pd.DataFrame:
    """Score every number of groups.

    Parameters
    ----------
    importance : pandas.DataFrame
        Table of `read_importance`.
    settings : Scoring
        Vectors, clustering, and the numbers of groups to score.

    Returns
    -------
    pandas.DataFrame
        One row per algorithm and number of groups: algorithm, k, bic, silhouette, entropy, stability, and `chosen`
        on the row that forms the groups. Only the configured algorithm has a stability.

    Raises
    ------
    ValueError
        If `groups.k` is larger than the number of users allows.

    Examples
    --------
    >>> import pandas as pd
    >>> from lifelog import Groups, score_groups
    >>> def importance(user, **means):
    ...     starts = pd.date_range("2025-01-01", periods=20, freq="h", tz="UTC")
    ...     rows = [(name, mean + 0.05 * (-1) ** i, starts[i], i) for name, mean in means.items() for i in range(20)]
    ...     keys = dict(user=user, fold=float("nan"), subset="train", seed=0, measure="shapley")
    ...     return pd.DataFrame(rows, columns=["modality", "importance", "start", "block"]).assign(**keys)
    >>> users = [importance("a", hr=0.3, eda=0.0), importance("b", hr=0.2, eda=0.0), importance("c", hr=0.0, eda=0.3)]
    >>> score_groups(pd.concat(users), Groups(k_max=2, resamples=5)).query("chosen").k.item()
    2
    """
    importance = describing(importance)
    found = profiles(importance, settings)
    users, most, rows = found.users, min(settings.k_max, len(found.users) - 1), []
    for algorithm in ALGORITHMS:
        of_users = settings.unit == "users" or algorithm == "mixture"
        vectors = (users if of_users else found.windows).to_numpy()
        if algorithm != settings.algorithm and len(vectors) > MAX_ALTERNATIVE:
            continue
        labels_by_k, bic = _labels(found, vectors, algorithm, most, settings.seed)
        stability: dict[int, float] = {}
        if algorithm == settings.algorithm:  # resampling costs many clusterings
            draws = resamples(importance, settings, settings.seed, settings.resamples)
            stability = _stability(found, labels_by_k, draws, settings)
        for k, labels in labels_by_k.items():
            within = entropy(cluster_shares(found.windows, users, labels, "users" if of_users else "windows"))
            separation = _silhouette(vectors, labels)
            rows.append((algorithm, k, bic.get(k, np.nan), separation, within, stability.get(k, np.nan)))
    scores = pd.DataFrame(rows, columns=COLUMNS)
    configured = scores[scores.algorithm == settings.algorithm].set_index("k")
    if settings.k not in ("auto", 1, *configured.index):
        allowed = f"1 to {most}" if len(configured) else "1 or auto"
        wanted = f"{settings.k} groups of {len(users)} usable users"
        raise ValueError(f"groups.k: {wanted}; allowed: {allowed} (or raise k_max)")
    of_mixture = settings.algorithm == "mixture"
    k = choose_k(evidence(configured.bic) if of_mixture else configured.silhouette, most, settings)
    return scores.assign(chosen=(scores.algorithm == settings.algorithm) & (scores.k == k))


def _labels(
    found: Profiles, vectors: Floats, algorithm: str, most: int, seed: int
) -> tuple[dict[int, Codes], dict[int, float]]:
    """Cluster into every number of groups up to `most`; the BIC is that of mixtures."""
    if algorithm != "mixture":
        return cluster(vectors, algorithm, list(range(2, most + 1)), seed), {}
    fits = fit_mixtures(found, list(range(1, most + 1)), seed)
    labels = {k: _by_size(fit.memberships.argmax(axis=1)) for k, fit in fits.items()}
    return labels, {k: fit.bic for k, fit in fits.items()}


def _silhouette(vectors: Floats, labels: Codes) -> float:
    """Return the mean silhouette, NaN for a single cluster."""
    from sklearn.metrics import silhouette_score

    return float(silhouette_score(vectors, labels)) if 1 < len(np.unique(labels)) < len(vectors) else np.nan


def _stability(
    found: Profiles, labels_by_k: dict[int, Codes], draws: Iterable[Profiles], settings: Clustering
) -> dict[int, float]:
    """Return the mean adjusted Rand index of the users' groups with those of each resample, by k."""
    from sklearn.metrics import adjusted_rand_score

    groups = {k: assign_users(found, labels, settings.unit).group for k, labels in labels_by_k.items()}
    agreement: dict[int, list[float]] = {k: [] for k in labels_by_k}
    for drawn in draws if labels_by_k else ():
        for k, labels in cluster_profiles(drawn, list(labels_by_k), settings, RESAMPLE_STARTS).items():
            other = assign_users(drawn, labels, settings.unit).group
            agreement[k].append(adjusted_rand_score(groups[k], other.loc[groups[k].index]))
    return {k: float(np.mean(values)) for k, values in agreement.items()}


def best_k(found: Profiles, settings: Scoring) -> int:
    """Return the number of groups that `groups.k` stands for, without the scores of others.

    Parameters
    ----------
    found : Profiles
        Importance of users and windows.
    settings : Scoring
        The clustering, and the number of groups or `auto`.

    Returns
    -------
    int
        At least 1.
    """
    most = min(settings.k_max, len(found.users) - 1)
    if settings.k == "auto" and settings.algorithm == "mixture":
        return best_mixture(found, settings.k_max, settings.seed)[0]
    vectors = (found.users if settings.unit == "users" else found.windows).to_numpy()
    ks = list(range(2, most + 1)) if settings.k == "auto" else []
    by_k = cluster(vectors, settings.algorithm, ks, settings.seed) if ks else {}
    return choose_k({k: _silhouette(vectors, labels) for k, labels in by_k.items()}, most, settings)


def choose_k(criterion: Mapping[int, float], most: int, settings: Scoring) -> int:
    """Return the number of groups that `groups.k` stands for.

    Parameters
    ----------
    criterion : mapping of int to float
        Silhouette, or `evidence`, by number of groups.
    most : int
        Largest number of groups.
    settings : Scoring
        The number of groups, or `auto`.

    Returns
    -------
    int
        At least 1; 1 if no number could be scored.
    """
    if settings.k != "auto":
        return min(settings.k, max(1, most))
    known = {k: score for k, score in criterion.items() if not np.isnan(score)}
    return max(known, key=known.__getitem__, default=1)


def chosen_k(scores: pd.DataFrame) -> int:
    """Return the number of groups that `score_groups` has chosen; 1 if none could be scored."""
    return int(scores.k[scores.chosen].iloc[0]) if scores.chosen.any() else 1
