"""Tables of groups: reading them, and those that need no importance."""

from collections.abc import Iterable
from pathlib import Path

import numpy as np
import pandas as pd

from lifelog.splits.folds import Folds
from lifelog.tables import read_csv

COLUMNS = ["fold", "grouping", "user", "group", "certainty", "kmeans"]


def read_groups(path: str | Path) -> pd.DataFrame:
    """Read the groups of a scheme.

    Parameters
    ----------
    path : str or Path
        A file with the groups of `group_users`.

    Returns
    -------
    pandas.DataFrame
        fold (null: from all windows), grouping, user, group, certainty, kmeans.
    """
    return read_csv(path).astype({"fold": "Int64"})


def tested_groups(groups: pd.DataFrame) -> pd.DataFrame:
    """Return the groups of the folds that are tested."""
    return groups[groups.fold.notna()]


def described_groups(groups: pd.DataFrame) -> pd.DataFrame:
    """Return the groups that were formed from all windows, which describe the participants.

    Parameters
    ----------
    groups : pandas.DataFrame
        Groups of `group_users`.

    Returns
    -------
    pandas.DataFrame
        The rows without a fold.
    """
    return groups[groups.fold.isna()].reset_index(drop=True)


def read_scores(path: str | Path) -> pd.DataFrame:
    """Read the table of `score_groups`, which is empty for too few users."""
    return pd.read_csv(path, dtype={"chosen": bool})


def included_users(folds: Iterable[Folds]) -> pd.DataFrame:
    """Return fold and user of the participants that are not excluded: each of them in every fold that anyone has.

    Parameters
    ----------
    folds : iterable of Folds
        Folds of each participant.

    Returns
    -------
    pandas.DataFrame
        One row per participant and fold: fold (null for all windows), user.

    Raises
    ------
    ValueError
        If every participant is excluded; the message has the reason of each.
    """
    everyone = list(folds)
    included = [of_user for of_user in everyone if of_user.excluded is None]
    if not included:
        reasons = "; ".join(f"user {of_user.user}: {of_user.excluded}" for of_user in everyone)
        remedy = "`snakemake inspect` shows what each split would test"
        raise ValueError(f"nobody can be tested under this split: {reasons} ({remedy})")
    numbers = [None, *sorted({fold for of_user in included for fold in of_user.numbered})]
    rows = [(fold, of_user.user) for of_user in included for fold in numbers]
    return pd.DataFrame(rows, columns=["fold", "user"])


def ungrouped(users: pd.DataFrame, scheme: str) -> pd.DataFrame:
    """Return all users in one group, or each user alone in a group.

    Parameters
    ----------
    users : pandas.DataFrame
        fold and user, such as the table of `included_users`.
    scheme : str
        `personal` for a group per user; one group otherwise.

    Returns
    -------
    pandas.DataFrame
        In the columns of `group_users`.
    """
    groups = users.user if scheme == "personal" else "everyone"
    table = users[["fold", "user"]].assign(grouping=1, group=groups, certainty=1.0).drop_duplicates()
    return in_order(table.sort_values(["fold", "user"], kind="stable", na_position="first"))


def in_order(table: pd.DataFrame) -> pd.DataFrame:
    """Return the columns of groups in their order; folds may be null."""
    return table.reindex(columns=COLUMNS).astype({"fold": "Int64"}).reset_index(drop=True)


def partition(groups: Iterable[object]) -> tuple[int, ...]:
    """Return group numbers in the order of first occurrence, which are equal for equal groupings."""
    return tuple(pd.factorize(np.array(list(groups), dtype=object))[0].tolist())
