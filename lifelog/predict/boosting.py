"""Histogram gradient boosting of scikit-learn on summary statistics; it handles missing values itself."""

from __future__ import annotations

from itertools import islice

import numpy as np
from numpy.typing import NDArray
from sklearn.ensemble import HistGradientBoostingClassifier

from lifelog.predict.samples import Samples
from lifelog.predict.selection import class_weights, weighted_loss
from lifelog.settings.predict import Boosting

BINS = 255


class Predictor:
    """Gradient boosting with class weights; the number of trees has the lowest loss on the validation windows."""

    def __init__(self, settings: Boosting) -> None:
        self.settings = settings

    def fit(self, train: Samples, validation: Samples) -> None:
        """Fit the trees."""
        # A column without any training value (a modality that all users lack) has no bins.
        self.columns = ~np.isnan(train.summary).all(axis=0)
        # Binned here: the library's search for weighted quantiles takes longer than all of its trees.
        self.edges = np.nanquantile(train.summary[:, self.columns], np.linspace(0, 1, BINS + 1)[1:-1], axis=0)
        # The library cannot score classes without training windows.
        known = np.isin(validation.truth, train.truth)
        self.model = HistGradientBoostingClassifier(
            max_iter=self.settings.max_iter,
            learning_rate=self.settings.learning_rate,
            min_samples_leaf=self.settings.min_samples_leaf,
            early_stopping=bool(known.any()),
            random_state=self.settings.seed,
        )
        weights = class_weights(train.truth)
        x, y = self._binned(validation)[known], validation.truth[known]
        held_out = {"X_val": x, "y_val": y, "sample_weight_val": weights[y]} if known.any() else {}
        self.model.fit(self._binned(train), train.truth, sample_weight=weights[train.truth], **held_out)
        self.iterations = self.model.n_iter_
        if known.any():  # the library keeps the trees after the best ones
            places = np.searchsorted(self.model.classes_, y)
            losses = [weighted_loss(p, places, weights[y]) for p in self.model.staged_predict_proba(x)]
            self.iterations = 1 + int(np.argmin(losses))

    def predict(self, samples: Samples) -> NDArray[np.float64]:
        """Return class probabilities, shape (n_windows, n_classes)."""
        probabilities = np.zeros((len(samples), len(samples.classes)))
        stages = self.model.staged_predict_proba(self._binned(samples))
        probabilities[:, self.model.classes_] = next(islice(stages, self.iterations - 1, None))
        return probabilities

    def _binned(self, samples: Samples) -> NDArray[np.float64]:
        """Return bin numbers, NaN for missing values."""
        values = samples.summary[:, self.columns]
        bins = [np.searchsorted(edges, column) for edges, column in zip(self.edges.T, values.T, strict=True)]
        return np.where(np.isnan(values), np.nan, np.stack(bins, axis=1))
