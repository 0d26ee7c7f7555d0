"""group_users: a grouping scheme is a table fold, user → group; predictors depend on nothing else.

global        all users in one group
importance    users with similar importance
attention     control: the same by the attention of the personal networks, as in the study
raw           control: the same clustering of raw summary features, with as many groups as `importance`
class-shares  control: the same of the shares of classes
random        control: the importance groups with permuted users; distinct, if there are that many groupings
personal      each user alone

Groups are re-estimated in every fold, from the windows that the fold does not test.
"""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from math import factorial, prod

import numpy as np
import pandas as pd
from scipy.spatial.distance import cdist

from lifelog.arrays import Texts
from lifelog.groups.clustering import assign_users, best_k, chosen_k, cluster_profiles
from lifelog.groups.read import in_order, partition, tested_groups, ungrouped
from lifelog.importance.vectors import Profiles, class_shares, describing, profiles, raw_vectors, resamples
from lifelog.settings.groups import Groups, Scoring
from lifelog.splits.folds import Folds
from lifelog.windows.read import Features

CERTAINTY_DRAWS = 100  # resamples of blocks


@dataclass(frozen=True)
class SchemeInputs:
    """What some schemes need beside importance.

    Parameters
    ----------
    scores : pandas.DataFrame or None
        Table of `score_groups`, for `importance`.
    groups : pandas.DataFrame or None
        The importance groups of all folds, for the controls.
    features : sequence of Features
        Features of all participants, for `raw`.
    folds : sequence of Folds
        Folds of all participants, for `class-shares`.
    """

    scores: pd.DataFrame | None = None
    groups: pd.DataFrame | None = None
    features: Sequence[Features] = ()
    folds: Sequence[Folds] = ()


NO_INPUTS = SchemeInputs()


def group_users(
    scheme: str, importance: pd.DataFrame, settings: Scoring | None = None, inputs: SchemeInputs = NO_INPUTS
) -> pd.DataFrame:
    """Form the groups of a scheme, from all windows and in every fold.

    Parameters
    ----------
    scheme : str
        `global`, `importance`, `attention`, `raw`, `class-shares`, `random` or `personal`.
    importance : pandas.DataFrame
        Table of `read_importance`; the table of `included_users` for `global` and `personal`.
    settings : Scoring, optional
        Vectors, clustering and number of groups, and for `random` (`Groups`) the number of random groupings; not needed
        for `global` and `personal`.
    inputs : SchemeInputs, optional
        Other inputs of the scheme.

    Returns
    -------
    pandas.DataFrame
        One row per fold (null: all windows), grouping and user: fold, grouping (from 1; `random` has several), user,
        group, certainty (share of resampled blocks of time with the same group; of the user's windows, if windows were
        clustered; NaN if unknown, as in the folds that are tested), kmeans (group by k-means of the same vectors, with
        as many groups; only of importance groups).

    Raises
    ------
    ValueError
        If the scheme is unknown, or lacks an input that it needs.

    Examples
    --------
    >>> import pandas as pd
    >>> from lifelog import group_users
    >>> users = pd.DataFrame({"fold": [None, 1, None, 1], "user": ["a", "a", "b", "b"]})
    >>> group_users("personal", users)[["fold", "user", "group"]].dropna().to_dict("list")
    {'fold': [1, 1], 'user': ['a', 'b'], 'group': ['a', 'b']}
    """
    if scheme in ("global", "personal"):
        return ungrouped(importance, scheme)
    if scheme == "random" and inputs.groups is not None and isinstance(settings, Groups):
        return _random(inputs.groups, settings)
    described = describing(importance)
    users = sorted(set(described.user if inputs.groups is None else inputs.groups.user))
    folds = [(None, described), *((int(fold), rows) for fold, rows in importance.groupby("fold"))]
    tables = []
    for fold, rows in folds:
        # A user who is not tested in this fold has no importance in it, and is grouped by all windows.
        rows = pd.concat([rows, described[~described.user.isin(rows.user)]])
        table = _group_fold(scheme, rows, fold, settings, inputs)
        table = table[table.user.isin(users)]
        missing = [user for user in users if user not in set(table.user)]
        if missing:  # without networks, whose importance the scheme uses
            table = pd.concat([table, _table(missing, table.group.mode()[0], np.nan)])
        tables.append(table.sort_values("user").assign(fold=fold, grouping=1))
    return in_order(pd.concat(tables, ignore_index=True))


def _group_fold(
    scheme: str, importance: pd.DataFrame, fold: int | None, settings: Scoring | None, inputs: SchemeInputs
) -> pd.DataFrame:
    """Return the groups of a fold."""
    if settings is None:
        raise ValueError(f"the scheme {scheme!r} needs settings")
    if scheme == "importance":
        k = chosen_k(inputs.scores) if fold is None and inputs.scores is not None else None
        return cluster_importance(importance, settings, k, certain=fold is None)
    if scheme == "attention":
        settings = settings.model_copy(update={"importance": "attention"})
        return cluster_importance(importance, settings, certain=fold is None).drop(columns="kmeans")
    found = profiles(importance, settings)
    if scheme == "raw" and inputs.features:
        windows = raw_vectors(inputs.features, found.windows)
        vectors = windows.groupby("user").mean()
    elif scheme == "class-shares" and inputs.folds:
        windows = vectors = class_shares(inputs.folds, found.users, fold)
    if scheme not in ("raw", "class-shares") or inputs.groups is None:
        raise ValueError(f"the grouping scheme {scheme!r} is unknown, or lacks an input (groups, features or folds)")
    # By user means, and without errors: a vote of windows, or a mixture, may leave fewer groups than wanted.
    by_users = settings.model_copy(update={"unit": "users", "algorithm": "kmeans"})
    groups = inputs.groups
    k = groups.group[groups.fold.isna() if fold is None else groups.fold == fold].nunique()
    return _clustered(None, Profiles(windows, vectors, vectors * np.nan), k, by_users)


def cluster_importance(
    importance: pd.DataFrame, settings: Scoring, k: int | None = None, certain: bool = False
) -> pd.DataFrame:
    """Form groups of participants by their importance.

    Parameters
    ----------
    importance : pandas.DataFrame
        Table of `read_importance`, of one fold.
    settings : Scoring
        Vectors, clustering, and number of groups.
    k : int, optional
        Number of groups; by default that of `best_k`.
    certain : bool, default False
        Whether to estimate the certainty of groups.

    Returns
    -------
    pandas.DataFrame
        user, group, certainty and kmeans, as in `group_users`.
    """
    found = profiles(importance, settings)
    k = k or best_k(found, settings)
    table = _clustered(importance if certain else None, found, k, settings)
    return table.assign(kmeans=_by_kmeans(found, k, settings))


def _random(groups: pd.DataFrame, settings: Groups) -> pd.DataFrame:
    """Return the random groupings: the importance groups of the tested folds with permuted users."""
    wide = tested_groups(groups).pivot(index="fold", columns="user", values="group")
    tables = [
        pd.DataFrame(labels, wide.index, wide.columns).stack().rename("group").reset_index().assign(grouping=number)
        for number, labels in enumerate(random_groupings(wide.to_numpy(), settings.random, settings.seed), start=1)
    ]
    return in_order(pd.concat(tables, ignore_index=True).assign(certainty=1.0))


def random_groupings(labels: Texts, number: int, seed: int) -> list[Texts]:
    """Return distinct groupings with the same sizes, in random order.

    Parameters
    ----------
    labels : ndarray of object, shape (n_folds, n_users)
        Group of each user in each fold, which is not among them.
    number : int
        Number of groupings; there may be fewer.
    seed : int
        Seed of the order.

    Returns
    -------
    list of ndarray of object, shape (n_folds, n_users)
        Users are permuted in the same way in all folds, so that groups differ as much between folds as the given ones.
    """
    others = max(_arrangements(row) for row in labels) - 1
    if others == 0:
        return [labels]  # compared with nothing
    rng, distinct = np.random.default_rng(seed), {tuple(map(partition, labels)): labels}
    while len(distinct) <= min(number, others):
        drawn = labels[:, rng.permutation(labels.shape[1])]
        distinct.setdefault(tuple(map(partition, drawn)), drawn)
    return list(distinct.values())[1:]


def _arrangements(labels: Texts) -> int:
    """Return the number of groupings with the same sizes."""
    sizes = Counter(labels.tolist()).values()
    of_labels = factorial(len(labels)) // prod(factorial(size) for size in sizes)
    return of_labels // prod(factorial(times) for times in Counter(sizes).values())


def _clustered(importance: pd.DataFrame | None, found: Profiles, k: int, settings: Scoring) -> pd.DataFrame:
    """Return k groups of users; without importance, their certainty is unknown."""
    users = found.users
    if k == 1:
        return _table(users.index, ["group 1"] * len(users), np.nan if importance is None else 1.0)
    assigned = assign_users(found, cluster_profiles(found, [k], settings)[k], settings.unit)
    names = [f"group {number + 1}" for number in assigned.group]
    certainty: object = assigned.share.to_numpy()
    if settings.unit == "users":
        certainty = np.nan if importance is None else _certainty(importance, users, assigned.group, settings)
    return _table(assigned.index, names, certainty)


def _by_kmeans(found: Profiles, k: int, settings: Scoring) -> list[str]:
    """Return the groups of users by k-means, as published, beside those of the configured algorithm."""
    if k == 1:
        return ["group 1"] * len(found.users)
    published = settings.model_copy(update={"algorithm": "kmeans", "unit": "users"})
    return [f"group {number + 1}" for number in cluster_profiles(found, [k], published)[k]]


def _certainty(importance: pd.DataFrame, users: pd.DataFrame, groups: pd.Series, settings: Scoring) -> object:
    """Return the share of resamples in which each user is nearest to the mean of its group in another resample.

    With the mean of the data itself, a group of one would always be nearest to its only member.
    """
    numbers = sorted(set(groups))
    same, before = np.zeros(len(users)), users
    for drawn in resamples(importance, settings, settings.seed, CERTAINTY_DRAWS):
        centres = before.groupby(groups).mean().loc[numbers].to_numpy()
        before = drawn.users.loc[users.index]
        nearest = cdist(before.to_numpy(), centres).argmin(axis=1)
        same += np.array(numbers)[nearest] == groups.to_numpy()
    return same / CERTAINTY_DRAWS


def _table(users: object, groups: object, certainty: object = 1.0) -> pd.DataFrame:
    return pd.DataFrame({"user": users, "group": groups, "certainty": certainty})
