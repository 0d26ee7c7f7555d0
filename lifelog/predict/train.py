"""train_predictors: one model per fold and group (or user) of a scheme, and its predictions of the test windows."""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pandas as pd
import pyarrow as pa
from numpy.typing import NDArray

from lifelog.evaluate.calibration import class_probabilities, fit_temperature
from lifelog.groups.assignment import tested_groups
from lifelog.predict.combine import COMBINATIONS, Predict
from lifelog.predict.interface import Predictor, build_predictor, one_thread
from lifelog.predict.samples import Samples
from lifelog.settings.predict import COMBINED, AnyPredictor
from lifelog.tables import TEXT, TIME, write_table

logger = logging.getLogger(__name__)


@dataclass(frozen=True)
class Model:
    """A predictor under a scheme, and where its predictions are written.

    Parameters
    ----------
    settings : PredictorSettings
        The predictor.
    scheme : str
        A scheme of `combine`, for a model per user, or a grouping scheme, for one per group.
    groups : pandas.DataFrame
        fold, grouping, user, group.
    path : str or Path
        Parquet file to write: user, group, fold, grouping, session, start, truth (class number), temperature
        (that of `lifelog.evaluate.calibration`, fitted on the validation windows), and one probability per class,
        without that temperature. For a target of kind `rating` also rating and expected, the true and the expected one.
    """

    settings: AnyPredictor
    scheme: str
    groups: pd.DataFrame
    path: str | Path


def train_predictors(models: Sequence[Model], read_fold: Callable[[int], Samples]) -> None:
    """Train models in every fold, and write their predictions of all test windows.

    Parameters
    ----------
    models : sequence of Model
        Predictors under schemes.
    read_fold : callable
        Returns the windows of all users of the groups that a fold uses; every fold is read once for all models.
    """
    tested = [tested_groups(model.groups) for model in models]
    folds = sorted(set().union(*(groups.fold for groups in tested)))
    tables: list[list[pd.DataFrame]] = [[] for _ in models]
    for fold in folds:
        samples = read_fold(fold)
        for model, groups, found in zip(models, tested, tables, strict=True):
            own = groups[groups.fold == fold]
            with one_thread(model.settings):
                for grouping, members in own.groupby("grouping", sort=False):
                    table = _predict_fold(model.scheme, members, samples, model.settings)
                    if table is not None:  # otherwise no user has test windows in this fold
                        found.append(table.assign(fold=fold, grouping=grouping))
            count = own.group.nunique()
            logger.info("fold %d of %d: %s/%s, %d groups", fold, len(folds), model.settings.name, model.scheme, count)
    schema = predictions_schema(samples.classes, samples.is_rating)
    for model, found in zip(models, tables, strict=True):
        table = pd.concat(found).sort_values(["grouping", "user", "start"])
        write_table(table, model.path, schema, {"classes": samples.classes})


def _predict_fold(scheme: str, members: pd.DataFrame, samples: Samples, settings: AnyPredictor) -> pd.DataFrame | None:
    """Train the models of a grouping in a fold, and return their predictions, with the temperature of all of them."""
    tests, seen, truth = [], [], []
    for group, users, predict in _models(scheme, members, samples, settings):
        test, validation = samples.subset("test", users), samples.subset("validation", users)
        tests.append(_table(test, predict(test)).assign(group=group))
        if len(validation):
            seen.append(predict(validation))
            truth.append(validation.truth)
    if not tests:
        return None
    temperature = fit_temperature(np.concatenate(seen), np.concatenate(truth)) if seen else 1.0
    table = pd.concat(tests).assign(temperature=temperature)
    if samples.is_rating:
        table["expected"] = class_probabilities(table, scaled=True) @ class_ratings(samples, list(members.user))
    return table


def class_ratings(samples: Samples, users: list[str]) -> NDArray[np.float64]:
    """Return the mean rating of each class in the training windows of users: its place on the scale of the labels.

    Parameters
    ----------
    samples : Samples
        Windows of all users.
    users : list of str
        Users whose training windows are used.

    Returns
    -------
    ndarray of float, shape (n_classes,)
        The mean of all classes for a class without training windows.
    """
    train = samples.subset("train", users)
    counts = np.bincount(train.truth, minlength=len(train.classes))
    sums = np.bincount(train.truth, train.ratings, len(train.classes))
    means: NDArray[np.float64] = np.where(counts, sums / np.maximum(counts, 1), train.ratings.mean())
    return means


def _models(
    scheme: str, members: pd.DataFrame, samples: Samples, settings: AnyPredictor
) -> Iterator[tuple[str, list[str], Predict]]:
    """Yield group, users and model of each model of a scheme."""
    if scheme in COMBINED:
        for user, predict in COMBINATIONS[scheme](settings, samples, list(members.user)):
            yield user, [user], predict
        return
    for group, own in members.groupby("group", sort=False):
        users = list(own.user)
        if len(samples.subset("test", users)):
            yield str(group), users, fit_users(settings, samples, users).predict


def fit_users(settings: AnyPredictor, samples: Samples, users: list[str]) -> Predictor:
    """Fit a predictor on some users.

    Parameters
    ----------
    settings : PredictorSettings
        The predictor.
    samples : Samples
        Windows of all users.
    users : list of str
        Users whose training and validation windows are used.

    Returns
    -------
    Predictor
        The fitted predictor.
    """
    model = build_predictor(settings)
    model.fit(samples.subset("train", users), samples.subset("validation", users))
    return model


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
        probabilities = fit_users(settings, samples, fitted).predict(test)
    return _table(test, probabilities)


def _table(test: Samples, probabilities: NDArray[np.float64]) -> pd.DataFrame:
    """Return the predictions of windows."""
    starts = pd.DatetimeIndex(test.starts, tz="UTC")
    keys = {"user": test.users, "session": test.sessions, "start": starts, "truth": test.truth}
    keys |= {"rating": test.ratings} if test.is_rating else {}
    return pd.DataFrame(keys | dict(zip(probability_columns(test.classes), probabilities.T, strict=True)))


def probability_columns(classes: list[str]) -> list[str]:
    """Return the names of the probability columns."""
    return [f"p_{name}" for name in classes]


def predictions_schema(classes: list[str], rating: bool = False) -> pa.Schema:
    """Return the schema of the predictions table; `rating`: of a target of this kind."""
    keys = dict(user=TEXT, group=TEXT, fold=pa.int16(), grouping=pa.int16(), session=TEXT, start=TIME, truth=pa.int16())
    numbers = ("rating", "expected", "temperature") if rating else ("temperature",)
    return pa.schema(
        keys | dict.fromkeys(numbers, pa.float64()) | dict.fromkeys(probability_columns(classes), pa.float64())
    )
