"""A fitted strategy: the models of all folds as they were tested, which predict together.

A window is predicted by the models of every fold, and the mean of their calibrated probabilities counts. No model is
trained again on all windows: it would have no validation windows, and nothing would have tested it.

known  models of a scheme of the run, of which each participant has one per fold
new    models of all participants but some whole ones, who are tested, for participants who are in no training windows
"""

from collections.abc import Iterable, Iterator
from typing import NamedTuple

import numpy as np
import pandas as pd

from lifelog.arrays import Bools, Floats
from lifelog.evaluate.use import class_sets
from lifelog.groups.unseen import Placer, place_person, scaled_by_themselves
from lifelog.predict.interface import one_thread
from lifelog.predict.probabilities import calibrate
from lifelog.predict.samples import FeatureScaling, Samples, feature_scaling, unlabelled_samples
from lifelog.predict.train import FittedFold, GroupModel
from lifelog.settings.predict import PredictorSettings
from lifelog.standardise import Scaling
from lifelog.windows.read import Features

FEWEST_WINDOWS = 10  # of a new participant, from which they have a scaling of their own
Scalings = dict[tuple[int, str], FeatureScaling]  # by fold (0: of all windows) and participant
Placing = dict[int, dict[str, Placer]]  # by fold and group


class Predicted(NamedTuple):
    """Class probabilities of windows, shape (n_windows, n_classes), after and before calibration, and ratings."""

    p: Floats
    raw: Floats
    expected: Floats | None


class Strategy(NamedTuple):
    """A fitted strategy.

    Attributes
    ----------
    settings : PredictorSettings
        The predictor.
    scheme : str
        The scheme of its models.
    standardise : str
        `user` or `none`.
    classes : list of str
        Names of the classes.
    folds : list of FittedFold
        The models of each fold.
    placing : dict of int to dict of str to Placer
        By fold and group, the discriminants that place a new participant in a group; empty where there are no groups.
    scalings : dict of (int, str) to FeatureScaling
        By fold and participant; of new participants, those of all windows of each training participant (fold 0),
        whatever `standardise` is, and NaN for features without values.
    threshold : float
        Largest nonconformity (1 minus the probability) of a class in the set of a window.
    scores : pandas.DataFrame
        Scores of each participant on test windows, by models of the fold that tests them: user, windows, metrics.
    """

    settings: PredictorSettings
    scheme: str
    standardise: str
    classes: list[str]
    folds: list[FittedFold]
    placing: Placing
    scalings: Scalings
    threshold: float
    scores: pd.DataFrame

    @property
    def users(self) -> set[str]:
        """Participants who have models."""
        return {user for fold in self.folds for model in fold.models for user in model.users}

    def predict(self, features: Features, user: str | None, fold: int | None = None) -> Predicted:
        """Predict windows without labels.

        Parameters
        ----------
        features : Features
            Of windows of one participant, with maxima.
        user : str or None
            Name of a participant of the training windows; None for a new one.
        fold : int, optional
            The only fold whose models are used.

        Returns
        -------
        Predicted
            Means over the folds.
        """
        with one_thread(self.settings):
            parts = list(self._parts(features, user, fold))
        if not parts:
            raise ValueError(f"no model of {user!r} in fold {fold}")
        rated = [part.expected for part in parts if part.expected is not None]
        expected = np.mean(rated, axis=0) if rated else None
        return Predicted(np.mean([x.p for x in parts], axis=0), np.mean([x.raw for x in parts], axis=0), expected)

    def _parts(self, features: Features, user: str | None, fold: int | None) -> Iterator[Predicted]:
        """Yield the predictions of each model."""
        # The windows of a new participant are scaled in the same way for all folds.
        own = self._samples(features, self.scaling_of_new(features)) if user is None else None
        for fitted in (fitted for fitted in self.folds if fold in (None, fitted.fold)):
            models = [model for model in fitted.models if user in model.users]
            for model in models if own is None else self.models_of_new(fitted, features):
                samples = self._samples(features, self.scalings[fitted.fold, str(user)]) if own is None else own
                raw = model.raw(samples)
                p = calibrate(raw, fitted.calibration)
                yield Predicted(p, raw.probabilities, None if fitted.ratings is None else p @ fitted.ratings)

    def _samples(self, features: Features, scaling: FeatureScaling) -> Samples:
        return unlabelled_samples(features, features.rows.assign(session=""), scaling, self.classes)

    def models_of_new(self, fitted: FittedFold, features: Features) -> list[GroupModel]:
        """Return the model of the group that fits the windows of a new participant; of all groups for few windows."""
        group = fitting_group(self.placing.get(fitted.fold, {}), features)
        return [model for model in fitted.models if group in (None, model.group)]

    def scaling_of_new(self, features: Features) -> FeatureScaling:
        """Return the scaling of a new participant: by all windows, or that of others for few windows."""
        if len(features.rows) < FEWEST_WINDOWS and self.standardise == "user":
            return self.mean_scaling()
        return feature_scaling(features, np.ones(len(features.rows), dtype=bool), self.standardise)

    def mean_scaling(self) -> FeatureScaling:
        """Return the mean scaling of the participants."""
        every = list(self.scalings.values())
        maxima = {name: _mean(scaling.maxima[name] for scaling in every) for name in every[0].maxima}
        return FeatureScaling(_mean(scaling.summary for scaling in every), maxima)

    def sets(self, p: Floats) -> Bools:
        """Return which classes are in the set of each window, shape (n_windows, n_classes)."""
        return class_sets(p, np.full(len(p), self.threshold))


def fitting_group(placing: dict[str, Placer], features: Features) -> str | None:
    """Return the group that fits the windows of a participant, without labels; None for few windows or no groups."""
    if not placing or len(features.rows) < FEWEST_WINDOWS:
        return None
    return list(placing)[place_person(scaled_by_themselves(features.summary), [*placing.values()])]


def _mean(scalings: Iterable[Scaling]) -> Scaling:
    """Return the mean of the known scalings of each feature; mean 0 and deviation 1 where none is known."""
    every = list(scalings)
    means, stds = np.array([x.mean for x in every]), np.array([x.std for x in every])
    known = ~np.isnan(means)
    count = np.maximum(known.sum(axis=0), 1)
    mean, std = (np.where(known, values, 0).sum(axis=0) / count for values in (means, stds))
    return Scaling(mean, np.where(known.any(axis=0), std, 1.0))
