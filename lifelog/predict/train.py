"""train_predictor: one model per fold and group (or user) of a scheme, and its predictions of the test windows."""

from __future__ import annotations

import logging
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pandas as pd
import pyarrow as pa
from numpy.typing import NDArray

from lifelog.groups.assignment import tested_groups
from lifelog.predict.combine import COMBINATIONS
from lifelog.predict.interface import build_predictor, one_thread
from lifelog.predict.samples import Samples
from lifelog.settings.predict import COMBINED, AnyPredictor
from lifelog.tables import TEXT, TIME, write_table

logger = logging.getLogger(__name__)


def train_predictor(
    scheme: str,
    groups: pd.DataFrame,
    read_fold: Callable[[int], Samples],
    settings: AnyPredictor,
    predictions_path: str | Path,
) -> None:
    """Train a predictor under a scheme in every fold, and write its predictions of all test windows.

    Parameters
    ----------
    scheme : str
        A scheme of `combine`, for a model per user, or a grouping scheme, for one per group.
    groups : pandas.DataFrame
        fold, grouping, user, group.
    read_fold : callable
        Returns the windows of all users of `groups` that a fold uses.
    settings : PredictorSettings
        The predictor.
    predictions_path : str or Path
        Parquet file to write: user, group, fold, grouping, session, start, truth (class number), and one probability
        per class.
    """
    groups, tables = tested_groups(groups), []
    folds = list(groups.fold.unique())
    for fold in folds:
        samples = read_fold(fold)
        own = groups[groups.fold == fold]
        with one_thread(settings):
            if scheme in COMBINED:
                for user, probabilities in COMBINATIONS[scheme](settings, samples, list(own.user)):
                    table = _table(samples.subset("test", [user]), probabilities)
                    table["group"], table["fold"], table["grouping"] = user, fold, 1
                    tables.append(table)
            else:
                for (grouping, group), members in own.groupby(["grouping", "group"], sort=False):
                    users = list(members.user)
                    table = predict_users(settings, samples, users, users)
                    table["group"], table["fold"], table["grouping"] = group, fold, grouping
                    tables.append(table)
        logger.info("fold %d of %d: %d groups", folds.index(fold) + 1, len(folds), own.group.nunique())
    table = pd.concat(tables).sort_values(["grouping", "user", "start"])
    write_table(table, predictions_path, predictions_schema(samples.classes), {"classes": samples.classes})


def predict_users(settings: AnyPredictor, samples: Samples, fitted: list[str], tested: list[str]) -> pd.DataFrame:
    """Fit a predictor on some users, and predict the test windows of others.

    Parameters
    ----------
    settings : PredictorSettings
        The predictor.
    samples : Samples
        Windows of all these users.
    fitted, tested : list of str
        Users to fit on, and users to test. Without users to fit on, every class has the same probability.

    Returns
    -------
    pandas.DataFrame
        user, session, start, truth, and one probability per class.
    """
    test = samples.subset("test", tested)
    probabilities = np.full((len(test), len(samples.classes)), 1 / len(samples.classes))
    if fitted and len(test):
        model = build_predictor(settings)
        model.fit(samples.subset("train", fitted), samples.subset("validation", fitted))
        probabilities = model.predict(test)
    return _table(test, probabilities)


def _table(test: Samples, probabilities: NDArray[np.float64]) -> pd.DataFrame:
    """Return the predictions of windows."""
    starts = pd.DatetimeIndex(test.starts, tz="UTC")
    keys = {"user": test.users, "session": test.sessions, "start": starts, "truth": test.truth}
    return pd.DataFrame(keys | dict(zip(probability_columns(test.classes), probabilities.T, strict=True)))


def probability_columns(classes: list[str]) -> list[str]:
    """Return the names of the probability columns."""
    return [f"p_{name}" for name in classes]


def predictions_schema(classes: list[str]) -> pa.Schema:
    """Return the schema of the predictions table."""
    keys = dict(user=TEXT, group=TEXT, fold=pa.int16(), grouping=pa.int16(), session=TEXT, start=TIME, truth=pa.int16())
    return pa.schema(keys | dict.fromkeys(probability_columns(classes), pa.float64()))
