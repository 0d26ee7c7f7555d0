"""train_predictor: one model per group of a scheme, fitted on training windows, and its predictions of test windows.

Under a split of the method `users`, users are tested by models that were fitted on the other users of their group, in
folds. A user who is alone in a group is predicted by a model of all other users.
"""

from __future__ import annotations

import logging
from pathlib import Path

import numpy as np
import pandas as pd
import pyarrow as pa

from lifelog.predict.interface import build_predictor
from lifelog.predict.samples import Samples
from lifelog.settings.predict import AnyPredictor
from lifelog.settings.splits import UsersSplit
from lifelog.tables import TEXT, TIME, write_table

logger = logging.getLogger(__name__)


def user_folds(members: list[str], everyone: list[str], split: UsersSplit | None) -> list[tuple[list[str], list[str]]]:
    """Return for each fold the users to fit on and the users to test, for the members of a group.

    Without a split of the method `users`, all members are fitted on and tested in one fold.
    """
    if split is None:
        return [(members, members)]
    order = np.random.default_rng(split.seed).permutation(sorted(members))
    folds = []
    for fold in np.array_split(order, min(split.folds, len(members))):
        others = [user for user in members if user not in fold]
        folds.append((others or [user for user in everyone if user not in fold], sorted(map(str, fold))))
    return folds


def train_predictor(
    groups: pd.DataFrame,
    samples: Samples,
    settings: AnyPredictor,
    predictions_path: str | Path,
    split: UsersSplit | None = None,
) -> None:
    """Train a predictor for every group of a scheme, and write its predictions of every test window.

    Parameters
    ----------
    groups : pandas.DataFrame
        user, group.
    samples : Samples
        The used windows of all users of `groups`.
    settings : PredictorSettings
        The predictor.
    predictions_path : str or Path
        Parquet file to write: user, group, start, truth (class number), and one probability per class.
    split : UsersSplit, optional
        The split, if users are tested by models that were not fitted on them.
    """
    everyone = list(groups.user)
    alone: list[str] = []
    frames = []
    for number, (group, own) in enumerate(groups.groupby("group", sort=False), start=1):
        members = list(own.user)
        if split and len(members) == 1:
            alone += members
        for fitted, tested in user_folds(members, everyone, split):
            frames.append(predict_users(settings, samples, fitted, tested).assign(group=group))
            total = groups.group.nunique()
            logger.info(
                "group %d of %d (%s): fitted on %d users, tested on %d", number, total, group, len(fitted), len(tested)
            )
    if alone:
        logger.warning("alone in their group, predicted by a model of all other users: %s", ", ".join(alone))
    table = pd.concat(frames).sort_values(["user", "start"])
    notes = {"classes": samples.classes, "alone": alone}
    write_table(table, predictions_path, predictions_schema(samples.classes), notes)


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
    if fitted:
        model = build_predictor(settings)
        model.fit(samples.subset("train", fitted), samples.subset("validation", fitted))
        probabilities = model.predict(test)
    frame = test.keys[["user", "start"]].assign(truth=test.truth)
    return frame.join(pd.DataFrame(probabilities, columns=names))


def probability_columns(classes: list[str]) -> list[str]:
    """Return the names of the probability columns."""
    return [f"p_{name}" for name in classes]


def predictions_schema(classes: list[str]) -> pa.Schema:
    """Return the schema of the predictions table."""
    keys = dict(user=TEXT, group=TEXT, start=TIME, truth=pa.int16())
    return pa.schema(keys | dict.fromkeys(probability_columns(classes), pa.float64()))
