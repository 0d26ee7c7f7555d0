"""What people are grouped by: vectors of a window or a user, of importance (mean over seeds) or of raw features."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

import numpy as np
import pandas as pd

from lifelog.config import Groups
from lifelog.tables import read_notes, read_tables
from lifelog.windows.features import is_summary

METHODS = ("attention", "ablation")


def read_importance(paths: Iterable[str]) -> pd.DataFrame:
    """The importance tables of all users as one. Raises ValueError, with everyone's reason, if nobody has any."""
    paths = list(paths)
    importance = read_tables(paths)
    if importance.empty:
        reasons = "; ".join(f"user {Path(path).stem}: {read_notes(path)['excluded']}" for path in paths)
        raise ValueError(f"no user is left: {reasons}")
    return importance


def window_vectors(
    importance: pd.DataFrame, method: str, parts: list[str], seeds: list[int] | None = None, absent: float = 0.0
) -> pd.DataFrame:
    """One row a window, indexed by user and start, one column a modality; of all seeds, or of those given.

    A modality that a window lacks counts as the user's mean, one that the user lacks throughout as `absent`.
    """
    rows = importance[(importance.method == method) & importance.part.isin(parts)]
    if seeds is not None:
        rows = rows[rows.seed.isin(seeds)]
    table = rows.pivot_table(index=["user", "start"], columns="modality", values="value", aggfunc="mean", observed=True)
    table = table.reindex(columns=list(dict.fromkeys(importance.modality)))
    return table.fillna(table.groupby("user").transform("mean")).fillna(absent)


def user_vectors(
    importance: pd.DataFrame, method: str, parts: list[str], seeds: list[int] | None = None, absent: float = 0.0
) -> pd.DataFrame:
    """One row a user, one column a modality: the mean over the windows that have the modality."""
    return window_vectors(importance, method, parts, seeds, absent).groupby("user").mean()


def grouping_vectors(importance: pd.DataFrame, settings: Groups) -> pd.DataFrame:
    """The window vectors that form the groups, as `groups` asks for them."""
    return as_shares(window_vectors(importance, settings.importance, settings.parts), settings)


def as_shares(table: pd.DataFrame, settings: Groups) -> pd.DataFrame:
    """Window vectors in the unit that forms the groups: shares.

    Ablation is in nats, and so the larger the better a user's model does; it is divided by the sum of the user's
    absolute means, so that it tells shares, as attention does.
    """
    if settings.importance == "attention":
        return table
    total = table.groupby("user").mean().abs().sum(axis=1).replace(0, np.nan)
    return table.div(total.reindex(table.index, level="user"), axis=0).fillna(0.0)


def raw_vectors(features: list[str], like: pd.DataFrame) -> pd.DataFrame:
    """Summary features of the windows of `like`, standardised over the whole cohort; 0 where one is missing.

    Over the cohort, not a user: differences between people are what raw vectors are to show.
    """
    raw = read_tables(features).set_index(["user", "start"])
    raw = raw.loc[like.index, [name for name in raw.columns if is_summary(name)]]
    return ((raw - raw.mean()) / raw.std(ddof=0).replace(0, np.nan)).fillna(0.0)
