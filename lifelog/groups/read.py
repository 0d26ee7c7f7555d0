"""Reading the tables of groups."""

from __future__ import annotations

from pathlib import Path

import pandas as pd

from lifelog.tables import read_csv


def read_groups(path: str | Path) -> pd.DataFrame:
    """Read the groups of a scheme.

    Parameters
    ----------
    path : str or Path
        A file with the groups of `group_users`.

    Returns
    -------
    pandas.DataFrame
        fold (null: from all windows), grouping, user, group, certainty.
    """
    return read_csv(path).astype({"fold": "Int64"})


def described_groups(groups: pd.DataFrame) -> pd.DataFrame:
    """Return the groups that were formed from all windows, which describe the participants."""
    return groups[groups.fold.isna()].reset_index(drop=True)


def read_scores(path: str | Path) -> pd.DataFrame:
    """Read the table of `score_groups`, which is empty for too few users."""
    return pd.read_csv(path, dtype={"chosen": bool})
