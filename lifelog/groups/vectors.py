"""Vectors that describe windows and users: importance (mean over seeds), or raw features."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from pathlib import Path

import numpy as np
import pandas as pd

from lifelog.mil.measures import MEASURES
from lifelog.settings.groups import Vectors
from lifelog.tables import read_notes, read_tables
from lifelog.windows.features import is_summary


def read_importance(paths: Iterable[str | Path]) -> pd.DataFrame:
    """Read the importance of several users.

    Parameters
    ----------
    paths : iterable of str or Path
        Files of `extract_importance`.

    Returns
    -------
    pandas.DataFrame
        One row per window, seed, measure and modality: user, start, subset, seed, measure, modality, value.

    Raises
    ------
    ValueError
        If no user has importance; the message has the reason of each user.
    """
    paths = list(paths)
    importance = read_tables(paths)
    if importance.empty:
        reasons = "; ".join(f"user {Path(path).stem}: {read_notes(path)['excluded']}" for path in paths)
        raise ValueError(f"no usable user: {reasons}")
    return importance


def window_vectors(
    importance: pd.DataFrame, measure: str, subsets: Sequence[str], seeds: list[int] | None = None, absent: float = 0.0
) -> pd.DataFrame:
    """Return the importance of each window.

    Parameters
    ----------
    importance : pandas.DataFrame
        Table of `read_importance`.
    measure : str
        Importance measure.
    subsets : sequence of str
        Subsets whose windows are used.
    seeds : list of int, optional
        Seeds to average; all seeds by default.
    absent : float, default 0
        Value of a modality that the user lacks in all windows.

    Returns
    -------
    pandas.DataFrame
        One row per window (index: user, start), one column per modality. A modality that is missing in a window has the
        user's mean.
    """
    rows = importance[(importance.measure == measure) & importance.subset.isin(subsets)]
    if seeds is not None:
        rows = rows[rows.seed.isin(seeds)]
    table = rows.pivot_table(index=["user", "start"], columns="modality", values="value", aggfunc="mean", observed=True)
    table = table.reindex(columns=list(dict.fromkeys(importance.modality)))
    return table.fillna(table.groupby("user").transform("mean")).fillna(absent)


def user_vectors(
    importance: pd.DataFrame, measure: str, subsets: Sequence[str], seeds: list[int] | None = None, absent: float = 0.0
) -> pd.DataFrame:
    """Return the mean importance of each user.

    Parameters
    ----------
    importance : pandas.DataFrame
        Table of `read_importance`.
    measure : str
        Importance measure.
    subsets : sequence of str
        Subsets whose windows are used.
    seeds : list of int, optional
        Seeds to average; all seeds by default.
    absent : float, default 0
        Value of a modality that the user lacks in all windows.

    Returns
    -------
    pandas.DataFrame
        One row per user, one column per modality: the mean over the windows that have the modality.
    """
    return window_vectors(importance, measure, subsets, seeds, absent).groupby("user").mean()


def grouping_vectors(importance: pd.DataFrame, settings: Vectors) -> pd.DataFrame:
    """Return the window vectors that form the groups, as shares."""
    return as_shares(window_vectors(importance, settings.importance, settings.subsets), settings.importance)


def as_shares(table: pd.DataFrame, measure: str) -> pd.DataFrame:
    """Divide window vectors by the sum of the user's absolute means, unless the measure is a share already.

    Ablation is in nats and grows with the performance of the user's network; shares are comparable between users.
    """
    if MEASURES[measure].is_share:
        return table
    total = table.groupby("user").mean().abs().sum(axis=1).replace(0, np.nan)
    return table.div(total.reindex(table.index, level="user"), axis=0).fillna(0.0)


def raw_vectors(features: list[str], like: pd.DataFrame) -> pd.DataFrame:
    """Return the summary features of the windows of `like`, standardised over the cohort; missing values are 0.

    Not per user, since raw vectors represent the differences between users.
    """
    raw = read_tables(features).set_index(["user", "start"])
    raw = raw.loc[like.index, [name for name in raw.columns if is_summary(name)]]
    return ((raw - raw.mean()) / raw.std(ddof=0).replace(0, np.nan)).fillna(0.0)
