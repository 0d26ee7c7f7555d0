"""train_predictor: one model per fold and group of a scheme, and its predictions of the fold's test windows."""

from __future__ import annotations

import logging
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pandas as pd
import pyarrow as pa

from lifelog.predict.interface import build_predictor, one_thread
from lifelog.predict.samples import Samples
from lifelog.settings.predict import AnyPredictor
from lifelog.splits.assign import DESCRIBED
from lifelog.tables import TEXT, TIME, write_table

logger = logging.getLogger(__name__)


def train_predictor(
    groups: pd.DataFrame, read_fold: Callable[[int], Samples], settings: AnyPredictor, predictions_path: str | Path
) -> None:
    """Train a predictor for every group of a scheme in every fold, and write its predictions of all test windows.

    Parameters
    ----------
    groups : pandas.DataFrame
        fold, grouping, user, group.
    read_fold : callable
        Returns the windows of all users of `groups` that a fold uses.
    settings : PredictorSettings
        The predictor.
    predictions_path : str or Path
        Parquet file to write: user, group, fold, grouping, start, truth (class number), and one probability per class.
    """
    folds = [fold for fold in groups.fold.unique() if fold != DESCRIBED] or [DESCRIBED]
    tables = []
    for fold in folds:
        samples = read_fold(fold)
        own = groups[groups.fold == fold]
        with one_thread(settings):
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
        user, start, truth, and one probability per class.
    """
    test, names = samples.subset("test", tested), probability_columns(samples.classes)
    probabilities = np.full((len(test), len(names)), 1 / len(names))
    if fitted and len(test):
        model = build_predictor(settings)
        model.fit(samples.subset("train", fitted), samples.subset("validation", fitted))
        probabilities = model.predict(test)
    keys = {"user": test.users, "start": pd.DatetimeIndex(test.starts, tz="UTC"), "truth": test.truth}
    return pd.DataFrame(keys | dict(zip(names, probabilities.T, strict=True)))


def probability_columns(classes: list[str]) -> list[str]:
    """Return the names of the probability columns."""
    return [f"p_{name}" for name in classes]


def predictions_schema(classes: list[str]) -> pa.Schema:
    """Return the schema of the predictions table."""
    keys = dict(user=TEXT, group=TEXT, fold=pa.int16(), grouping=pa.int16(), start=TIME, truth=pa.int16())
    return pa.schema(keys | dict.fromkeys(probability_columns(classes), pa.float64()))
