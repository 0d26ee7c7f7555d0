"""train_predictors: one model per fold and group (or user) of a scheme, and its predictions of the test windows."""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from itertools import groupby
from typing import NamedTuple

import numpy as np
import pandas as pd
import pyarrow as pa

from lifelog.arrays import Codes, Floats
from lifelog.groups.read import tested_groups
from lifelog.predict import combine
from lifelog.predict.interface import fit_each, one_thread
from lifelog.predict.probabilities import (
    Calibration,
    Raw,
    calibrate,
    class_probabilities,
    class_shares,
    fit_calibration,
)
from lifelog.predict.samples import Samples
from lifelog.settings.predict import COMBINED, PredictorSettings
from lifelog.tables import TEXT, TIME

logger = logging.getLogger(__name__)

MOST_WINDOWS = 50_000  # of all groupings and folds whose networks are trained together


@dataclass(frozen=True)
class Model:
    """A predictor under a scheme.

    Parameters
    ----------
    settings : PredictorSettings
        The predictor.
    scheme : str
        A scheme of `combine`, for a model per user, or a grouping scheme, for one per group.
    groups : pandas.DataFrame
        fold, grouping, user, group.
    untested : bool, default False
        Whether models of groups without test windows are fitted too.
    """

    settings: PredictorSettings
    scheme: str
    groups: pd.DataFrame
    untested: bool = False


class Predictions(NamedTuple):
    """The predictions of a model.

    Attributes
    ----------
    model : Model
        The model.
    table : pandas.DataFrame
        Of all test windows, in the schema `predictions_schema`: user, group, fold, grouping, session, start, truth
        (class number), and per class its probability (`p_`) and the one that the model gives before calibration on
        validation windows (`raw_`, see `lifelog.predict.probabilities`). For a target of kind `rating` also rating and
        expected, the true and the expected one.
    schema : pyarrow.Schema
        Of the table.
    classes : list of str
        Names of the classes.
    """

    model: Model
    table: pd.DataFrame
    schema: pa.Schema
    classes: list[str]


def train_predictors(models: Sequence[Model], read_fold: Callable[[int], Samples]) -> Iterator[Predictions]:
    """Train models in every fold, and predict all test windows.

    Parameters
    ----------
    models : sequence of Model
        Predictors under schemes.
    read_fold : callable
        Returns the windows of all users of the groups that a fold uses, for all models.

    Yields
    ------
    Predictions
        By model.

    Examples
    --------
    >>> from functools import partial
    >>> from lifelog import BlockedSplit, Model, Person, Target, make_cohort, predictor_settings
    >>> from lifelog import assign_splits, extract_features, included_users, make_samples, train_predictors, ungrouped
    >>> target = Target(name="stress", column="label", bins={"low": [0], "high": [2]})
    >>> people = []
    >>> for person in make_cohort(participants=2, windows=40):
    ...     folds = assign_splits(person.labels, target, BlockedSplit(name="sessions", folds=2))
    ...     people.append(Person(extract_features([person.sensors], person.labels, person.modalities), folds))
    >>> groups = ungrouped(included_users([person.folds for person in people]), "global")
    >>> model = Model(predictor_settings("lda"), "global", groups)
    >>> (predictions,) = train_predictors([model], partial(make_samples, people))
    >>> sorted(set(predictions.table.fold)), predictions.classes
    ([1, 2], ['low', 'high'])
    """
    tables: list[list[pd.DataFrame]] = [[] for _ in models]
    for number, fitted, samples in fit_models(models, read_fold):
        tables[number].append(predict_fold(fitted, samples))
    for model, parts in zip(models, tables, strict=True):
        table = pd.concat(parts).sort_values(["grouping", "user", "start"])
        yield Predictions(model, table, predictions_schema(samples.classes, samples.is_rating), samples.classes)


def fit_models(
    models: Sequence[Model], read_fold: Callable[[int], Samples]
) -> Iterator[tuple[int, FittedFold, Samples]]:
    """Train models in every fold.

    Parameters
    ----------
    models, read_fold
        As of `train_predictors`.

    Yields
    ------
    int, FittedFold, Samples
        Number of the model, its fitted models in a fold and grouping, and the windows of the fold.
    """
    tested = [tested_groups(model.groups) for model in models]
    folds = sorted(set().union(*(map(int, groups.fold) for groups in tested)))
    networks = all(model.settings.needs_torch and model.settings.inputs == "features" for model in models)
    for samples in _read_folds(folds, read_fold, networks):
        for number, (model, groups) in enumerate(zip(models, tested, strict=True)):
            here = groups[groups.fold.isin(samples)].groupby(["fold", "grouping"], sort=False)
            parts = [GroupedFold(int(fold), grouping, members, samples[fold]) for (fold, grouping), members in here]
            with one_thread(model.settings):
                for some in _pieces(parts) if networks else ([part] for part in parts):
                    yield from ((number, fitted, samples[fitted.fold]) for fitted in fit_folds(model, some))
            named = f"{model.settings.name}/{model.scheme}"
            logger.info("folds %s of %d: %s, %d groupings", [*samples], len(folds), named, len(parts))


def _read_folds(folds: list[int], read_fold: Callable[[int], Samples], networks: bool) -> Iterator[dict[int, Samples]]:
    """Yield the windows of some folds: of all of them for networks, which are trained together, if they are few."""
    samples = {folds[0]: read_fold(folds[0])}
    if networks and len(folds) * len(samples[folds[0]]) <= MOST_WINDOWS:
        yield samples | {fold: read_fold(fold) for fold in folds[1:]}
        return
    for fold in folds[1:]:
        yield samples
        samples = {fold: read_fold(fold)}
    yield samples


def _pieces(parts: Sequence[GroupedFold]) -> Iterator[list[GroupedFold]]:
    """Yield groupings whose networks are trained together: as many as have few windows in all, or one."""
    piece: list[GroupedFold] = []
    for part in parts:
        if piece and sum(len(own.samples) for own in (*piece, part)) > MOST_WINDOWS:
            yield piece
            piece = []
        piece.append(part)
    yield piece


class GroupedFold(NamedTuple):
    """A grouping in a fold: its groups by user, and the windows of the fold."""

    fold: int
    grouping: int
    members: pd.DataFrame
    samples: Samples


class GroupModel(NamedTuple):
    """The model of a group.

    Attributes
    ----------
    group : str
        Name of the group.
    users : list of str
        Its members.
    mixture : Mixture
        The fitted models.
    assumed, shares : ndarray of float, shape (n_classes,)
        Class shares that the model assumes, and those of its training windows.
    """

    group: str
    users: list[str]
    mixture: combine.Mixture
    assumed: Floats
    shares: Floats

    def raw(self, samples: Samples) -> Raw:
        """Return the class probabilities of windows before calibration."""
        return Raw(self.mixture.predict(samples), self.assumed, self.shares)


class FittedFold(NamedTuple):
    """The models of a grouping in a fold, and what they have in common.

    Attributes
    ----------
    fold, grouping : int
        Their numbers.
    models : list of GroupModel
        Of the groups with test windows, or of all (`Model.untested`).
    calibration : Calibration
        Of all models.
    ratings : ndarray of float, shape (n_classes,), or None
        Mean rating of each class; None unless labels are ratings.
    """

    fold: int
    grouping: int
    models: list[GroupModel]
    calibration: Calibration
    ratings: Floats | None


def fit_folds(model: Model, parts: Sequence[GroupedFold]) -> Iterator[FittedFold]:
    """Train and calibrate the models of some groupings.

    Parameters
    ----------
    model : Model
        A predictor under a scheme.
    parts : sequence of GroupedFold
        Groupings in folds; networks of all of them are trained together.

    Yields
    ------
    FittedFold
        By grouping; none for one without test windows in its fold.
    """
    for place, fitted in groupby(_fit_parts(model, parts), key=lambda of_group: of_group[0]):
        part, samples, everyone = parts[place], parts[place].samples, list(parts[place].members.user)
        truth, classes = samples.subset("train", everyone).truth, len(samples.classes)
        models, seen, truths = list[GroupModel](), list[Raw](), list[Codes]()
        for _, group, users, mixture in fitted:
            shares = class_shares(samples.subset("train", users).truth, truth, classes)
            assumed = np.full(classes, 1 / classes) if model.settings.weighs_classes else shares
            models.append(GroupModel(group, users, mixture, assumed, shares))
            if len(validation := samples.subset("validation", users)):
                seen.append(models[-1].raw(validation))
                truths.append(validation.truth)
        ratings = class_ratings(samples, everyone) if samples.is_rating else None
        yield FittedFold(part.fold, part.grouping, models, fit_calibration(seen, truths, classes), ratings)


def predict_fold(fitted: FittedFold, samples: Samples) -> pd.DataFrame:
    """Return the predictions of the test windows of a fold, for the table of `train_predictors`."""
    tables = []
    for model in fitted.models:
        test = samples.subset("test", model.users)
        if not len(test):
            continue
        raw = model.raw(test)
        keys = ["user", "session", "start", "truth", *(["rating"] if test.is_rating else [])]
        columns = [f"{prefix}{name}" for prefix in ("raw_", "p_") for name in test.classes]
        numbers = pd.DataFrame(np.hstack([raw.probabilities, calibrate(raw, fitted.calibration)]), columns=columns)
        tables.append(pd.concat([test.rows[keys].reset_index(drop=True), numbers], axis=1).assign(group=model.group))
    table = pd.concat(tables, ignore_index=True).assign(fold=fitted.fold, grouping=fitted.grouping)
    return table if fitted.ratings is None else table.assign(expected=class_probabilities(table) @ fitted.ratings)


def class_ratings(samples: Samples, users: list[str]) -> Floats:
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
    ratings = train.rows.rating.to_numpy()
    sums = np.bincount(train.truth, ratings, len(train.classes))
    means: Floats = np.where(counts, sums / np.maximum(counts, 1), ratings.mean())
    return means


def _fit_parts(model: Model, parts: Sequence[GroupedFold]) -> Iterator[tuple[int, str, list[str], combine.Mixture]]:
    """Yield part, group, users and models of each group with test windows, part by part."""
    if model.scheme in COMBINED:
        combined = [combine.Part(part.samples, list(part.members.user)) for part in parts]
        for place, found in enumerate(combine.COMBINATIONS[model.scheme](model.settings, combined)):
            yield from ((place, user, [user], mixture) for user, mixture in found)
        return
    owners = []
    for place, part in enumerate(parts):
        for group, own in part.members.groupby("group", sort=False):
            if model.untested or len(part.samples.subset("test", list(own.user))):
                owners.append((place, str(group), list(own.user)))
    models = fit_each(model.settings, (parts[place].samples.fitted(users) for place, _, users in owners))
    for owner, fitted in zip(owners, models, strict=True):
        yield *owner, combine.Mixture([1.0], [fitted])


def predictions_schema(classes: list[str], rating: bool = False) -> pa.Schema:
    """Return the schema of the predictions table; `rating`: of a target of this kind."""
    keys = dict(user=TEXT, group=TEXT, fold=pa.int16(), grouping=pa.int16(), session=TEXT, start=TIME, truth=pa.int16())
    ratings = ("rating", "expected") if rating else ()
    numbers = [*ratings, *(f"{prefix}{name}" for prefix in ("p_", "raw_") for name in classes)]
    return pa.schema(keys | dict.fromkeys(numbers, pa.float64()))
