"""The table that holds the importance of all measures."""

from collections.abc import Iterable
from pathlib import Path

import pandas as pd
import pyarrow as pa

from lifelog.tables import TEXT, TIME, read_notes, read_tables

# One row per fold, window, seed, measure and modality. fold: null describes the participant from all windows; the
# importance of the other folds forms the groups of the models that are tested in them. block: windows of a block are
# not independent. importance: null if the modality is missing.
KEYS = dict(user=TEXT, start=TIME, fold=pa.int16(), subset=TEXT, block=pa.int32(), seed=pa.int32())
IMPORTANCE = pa.schema(KEYS | dict(measure=TEXT, modality=TEXT, importance=pa.float32()))


def read_importance(paths: Iterable[str | Path]) -> pd.DataFrame:
    """Read the importance of several participants.

    Parameters
    ----------
    paths : iterable of str or Path
        Files with the importance of `estimate_shapley` and `explain_networks`.

    Returns
    -------
    pandas.DataFrame
        One row per fold, window, seed, measure and modality: user, start, fold, subset, block, seed, measure, modality,
        importance.

    Raises
    ------
    ValueError
        If no participant has importance; the message has the reason of each.
    """
    paths = list(paths)
    importance = read_tables(paths)
    if importance.empty:
        excluded = {f"user {Path(path).stem}": read_notes(path)["excluded"] for path in paths}
        reasons = "; ".join(f"{user}: {reason}" for user, reason in excluded.items())
        raise ValueError(f"no usable user: {reasons}")
    return importance
