"""Importance as vectors over modalities, a user or a window each; the mean over seeds."""

from __future__ import annotations

import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq


def read_importance(paths: list[str]) -> pd.DataFrame:
    """The importance tables of several users as one."""
    return pa.concat_tables([pq.read_table(path) for path in paths]).to_pandas()


def window_vectors(importance: pd.DataFrame, method: str, parts: list[str]) -> pd.DataFrame:
    """One row a window, indexed by user and start, one column a modality.

    A modality that a window lacks counts as the user's mean, one that the user lacks throughout as 0: no weight.
    """
    rows = importance[(importance.method == method) & importance.part.isin(parts)]
    table = rows.pivot_table(index=["user", "start"], columns="modality", values="value", aggfunc="mean", observed=True)
    table = table.reindex(columns=list(dict.fromkeys(importance.modality)))
    return table.fillna(table.groupby("user").transform("mean")).fillna(0.0)


def user_vectors(importance: pd.DataFrame, method: str, parts: list[str]) -> pd.DataFrame:
    """One row a user, one column a modality: the mean over the windows that have the modality."""
    return window_vectors(importance, method, parts).groupby("user").mean()
