"""Fitting a strategy: the models of all folds, and what their test windows show."""

from functools import partial
from typing import Any

import numpy as np
import pandas as pd

from lifelog.arrays import Bools, Floats
from lifelog.bundle.strategy import Placing, Scalings, Strategy
from lifelog.evaluate.compare import score_users
from lifelog.evaluate.use import common_threshold
from lifelog.predict.probabilities import class_probabilities
from lifelog.predict.samples import FeatureScaling, Person, feature_scaling, fitting_rows, make_samples
from lifelog.predict.train import FittedFold, Model, fit_models, predict_fold
from lifelog.settings.compare import Compare
from lifelog.standardise import Scaling
from lifelog.windows.read import Features


def fit_strategy(
    model: Model,
    people: list[Person],
    compare: Compare,
    standardise: str,
    ordinal: bool,
    placing: Placing | None = None,
) -> Strategy:
    """Fit a strategy, and test it.

    Parameters
    ----------
    model : Model
        A predictor under a scheme, with its groups.
    people : list of Person
        Features and folds of all participants.
    compare : Compare
        alpha and decide.
    standardise : str
        `user` or `none`.
    ordinal : bool
        Whether classes are in an order.
    placing : dict of int to dict of str to Placer, optional
        Of a strategy for new participants, whose folds test whole participants: by fold and group, the discriminants
        that place a participant in a group.

    Returns
    -------
    Strategy
        The models of all folds.
    """
    members, folds, tables, classes = set(model.groups.user), list[FittedFold](), list[pd.DataFrame](), list[str]()
    people = [person for person in people if person.folds.user in members]
    for _, fitted, samples in fit_models([model], partial(make_samples, people, standardise=standardise)):
        folds.append(fitted)
        tables.append(predict_fold(fitted, samples))
        classes = samples.classes
    table, name = pd.concat(tables, ignore_index=True), (model.settings.name, model.scheme)
    truth, users = table.truth.to_numpy(), np.unique(table.user.to_numpy(dtype=str), return_inverse=True)[1]
    threshold = common_threshold(1 - class_probabilities(table)[np.arange(len(table)), truth], users, compare.alpha)
    scores = score_users({name: table}, ordinal, compare.decide).users.drop(columns=["predictor", "scheme"])
    scalings = _scalings(people, [fitted.fold for fitted in folds] if placing is None else [0], standardise)
    return Strategy(
        model.settings, model.scheme, standardise, classes, folds, placing or {}, scalings, threshold, scores
    )


def _scalings(people: list[Person], folds: list[int], standardise: str) -> Scalings:
    """Return the scalings of all participants by the training windows of folds; 0: by all windows."""
    found: dict[tuple[int, str], Any] = {}
    for person in people:
        for fold in folds:
            user = str(person.folds.user)
            if fold:
                rows = fitting_rows(person.folds.fold(fold))
                found[fold, user] = feature_scaling(person.features, rows, standardise)
            else:
                rows = person.folds.described.label.notna().to_numpy()
                found[fold, user] = known_scaling(person.features, rows)
    return found


def known_scaling(features: Features, rows: Bools) -> FeatureScaling:
    """Return the scaling of a participant by some windows, NaN for features without any value in them."""

    def known(scaling: Scaling, values: Floats) -> Scaling:
        missing = np.isnan(values[rows]).reshape(-1, values.shape[-1]).all(axis=0)
        return Scaling(np.where(missing, np.nan, scaling.mean), np.where(missing, np.nan, scaling.std))

    found = feature_scaling(features, rows)
    maxima = {name: known(scaling, features.maxima[name]) for name, scaling in found.maxima.items()}
    return FeatureScaling(known(found.summary, features.summary), maxima)
