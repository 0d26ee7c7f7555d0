"""group_users: a grouping scheme is a table fold, user → group; predictors depend on nothing else.

global        all users in one group
importance    users with similar importance
attention     control: the same by the attention of the personal networks, as in the study
raw           control: the same clustering of raw summary features, with as many groups as `importance`
class-shares  control: the same of the shares of classes
random        control: the importance groups with permuted users; distinct, as far as there are so many groupings
personal      each user alone

Groups are formed anew in every fold, from the windows that the fold does not test.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from math import factorial, prod
from pathlib import Path

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from scipy.spatial.distance import cdist

from lifelog.groups.clustering import assign_users, best_k, chosen_k, cluster, resamples
from lifelog.importance.vectors import Profiles, class_shares, profiles, raw_vectors
from lifelog.settings.groups import Groups, Scoring
from lifelog.splits.assign import DESCRIBED, exclusion, read_folds
from lifelog.tables import read_csv

COLUMNS = ["fold", "grouping", "user", "group", "certainty"]
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
    features, splits : sequence of str
        Files of `extract_features`, for `raw`, and of `assign_splits`, for `class-shares`.
    """

    scores: pd.DataFrame | None = None
    groups: pd.DataFrame | None = None
    features: Sequence[str] = ()
    splits: Sequence[str] = ()


NO_INPUTS = SchemeInputs()


def group_users(
    scheme: str, importance: pd.DataFrame, settings: Scoring | None = None, inputs: SchemeInputs = NO_INPUTS
) -> pd.DataFrame:
    """Form the groups of a scheme in every fold.

    Parameters
    ----------
    scheme : str
        `global`, `importance`, `attention`, `raw`, `class-shares`, `random` or `personal`.
    importance : pandas.DataFrame
        Table of `read_importance`, of all folds; for `global` and `personal`, fold and user are enough. Users without
        rows in fold 0 are in no group.
    settings : Scoring, optional
        Vectors, clustering and number of groups, and for `random` (`Groups`) the number of random groupings; not needed
        for `global` and `personal`.
    inputs : SchemeInputs, optional
        Other inputs of the scheme.

    Returns
    -------
    pandas.DataFrame
        One row per fold, grouping and user: fold, grouping (from 1; `random` has several), user, group, certainty
        (share of resampled blocks of time with the same group; of the user's windows, if windows were clustered; NaN if
        unknown, as in the folds that are tested).

    Raises
    ------
    ValueError
        If the scheme is unknown, or lacks an input that it needs.
    """
    if scheme == "random" and inputs.groups is not None and isinstance(settings, Groups):
        return _random(inputs.groups, settings)
    described = importance[importance.fold == DESCRIBED]
    users = sorted(set(described.user if inputs.groups is None else inputs.groups.user))
    tables = []
    for fold, own in importance.groupby("fold"):
        # A user who is not tested in this fold has no importance in it, and is grouped as in fold 0.
        own = pd.concat([own, described[~described.user.isin(own.user)]])
        table = _group_fold(scheme, own, int(fold), settings, inputs)
        table = table[table.user.isin(users)]
        missing = [user for user in users if user not in set(table.user)]
        if missing:  # without networks, whose importance the scheme uses
            table = pd.concat([table, _table(missing, table.group.mode()[0], np.nan)])
        tables.append(table.sort_values("user").assign(fold=fold, grouping=1))
    return pd.concat(tables, ignore_index=True)[COLUMNS]


def _group_fold(
    scheme: str, importance: pd.DataFrame, fold: int, settings: Scoring | None, inputs: SchemeInputs
) -> pd.DataFrame:
    """Return the groups of a fold."""
    users = sorted(set(importance.user))
    if scheme == "global":
        return _table(users, ["everyone"] * len(users))
    if scheme == "personal":
        return _table(users, users)
    if settings is None:
        raise ValueError(f"the scheme {scheme!r} needs settings")
    if scheme == "attention":
        settings = settings.model_copy(update={"importance": "attention"})
    found, described = profiles(importance, settings), fold == DESCRIBED
    if scheme in ("importance", "attention"):
        scored = described and scheme == "importance"
        k = best_k(found, settings) if inputs.scores is None or not scored else chosen_k(inputs.scores)
        return _clustered(importance if described else None, found, k, settings)
    if scheme == "raw" and inputs.features:
        windows = raw_vectors(inputs.features, found.windows)
        vectors = windows.groupby("user").mean()
    elif scheme == "class-shares" and inputs.splits:
        windows = vectors = class_shares(inputs.splits, found.users, fold)
    if scheme not in ("raw", "class-shares") or inputs.groups is None:
        raise ValueError(f"the grouping scheme {scheme!r} is unknown, or lacks an input (groups, features or splits)")
    # By user means, and without errors: a vote of windows, or a mixture, may leave fewer groups than wanted.
    by_users = settings.model_copy(update={"unit": "users", "algorithm": "kmeans"})
    k = inputs.groups.group[inputs.groups.fold == fold].nunique()
    return _clustered(None, Profiles(windows, vectors, vectors * np.nan), k, by_users)


def _random(groups: pd.DataFrame, settings: Groups) -> pd.DataFrame:
    """Return the random groupings: the importance groups of the tested folds with permuted users."""
    wide = tested_groups(groups).pivot(index="fold", columns="user", values="group")
    tables = [
        pd.DataFrame(labels, wide.index, wide.columns).stack().rename("group").reset_index().assign(grouping=number)
        for number, labels in enumerate(random_groupings(wide.to_numpy(), settings.random, settings.seed), start=1)
    ]
    return pd.concat(tables, ignore_index=True).assign(certainty=1.0)[COLUMNS]


def random_groupings(labels: NDArray[np.object_], number: int, seed: int) -> list[NDArray[np.object_]]:
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
    rng, seen = np.random.default_rng(seed), {_partitions(labels)}
    found: list[NDArray[np.object_]] = []
    while len(found) < min(number, others):
        drawn = labels[:, rng.permutation(labels.shape[1])]
        if _partitions(drawn) not in seen:
            seen.add(_partitions(drawn))
            found.append(drawn)
    return found


def _arrangements(labels: NDArray[np.object_]) -> int:
    """Return the number of groupings with the same sizes."""
    sizes = Counter(labels.tolist()).values()
    of_labels = factorial(len(labels)) // prod(factorial(size) for size in sizes)
    return of_labels // prod(factorial(times) for times in Counter(sizes).values())


def _partitions(labels: NDArray[np.object_]) -> tuple[tuple[int, ...], ...]:
    return tuple(partition(row) for row in labels)


def partition(groups: Iterable[object]) -> tuple[int, ...]:
    """Return group numbers in the order of first occurrence, which are equal for equal groupings."""
    return tuple(pd.factorize(np.array(list(groups), dtype=object))[0].tolist())


def _clustered(importance: pd.DataFrame | None, found: Profiles, k: int, settings: Scoring) -> pd.DataFrame:
    """Return k groups of users; without importance, their certainty is unknown."""
    users = found.users
    if k == 1:
        return _table(users.index, ["group 1"] * len(users), np.nan if importance is None else 1.0)
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


def tested_groups(groups: pd.DataFrame) -> pd.DataFrame:
    """Return the groups of the folds that are tested: all but fold 0, unless it is the only one."""
    return groups[groups.fold > DESCRIBED] if groups.fold.nunique() > 1 else groups


def included_users(splits: Iterable[str | Path]) -> pd.DataFrame:
    """Return fold and user of the users that are not excluded, from files of `assign_splits`."""
    tables = [read_folds(path) for path in splits if exclusion(path) is None]
    rows = [(fold, own.user.iloc[0]) for folds in tables for fold, own in folds.items()]
    return pd.DataFrame(rows, columns=["fold", "user"])


def read_groups(path: str | Path, fold: int | None = DESCRIBED) -> pd.DataFrame:
    """Read the groups of a scheme.

    Parameters
    ----------
    path : str or Path
        A file of `group_users`.
    fold : int, optional
        Fold of the split; by default fold 0, which describes the users. None for all folds.

    Returns
    -------
    pandas.DataFrame
        fold, grouping, user, group, certainty.
    """
    groups = read_csv(path)
    return groups if fold is None else groups[groups.fold == fold].reset_index(drop=True)
