"""scikit-learn's histogram gradient boosting on summary statistics; missing values are its own."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from sklearn.ensemble import HistGradientBoostingClassifier
from threadpoolctl import threadpool_limits

from lifelog.config import Boosting
from lifelog.predict.samples import Samples

BINS = 255


class BoostingPredictor:
    """Gradient boosting whose number of trees is chosen on the validation windows, where there are any."""

    def __init__(self, settings: Boosting) -> None:
        self.settings = settings

    def fit(self, train: Samples, validation: Samples) -> None:
        # What nobody has in training (a modality that is missing throughout) cannot be binned.
        self.columns = ~np.isnan(train.summary).all(axis=0)
        # Binned here: the library's own search for quantiles of weighted windows takes longer than all its trees.
        self.edges = np.nanquantile(train.summary[:, self.columns], np.linspace(0, 1, BINS + 1)[1:-1], axis=0)
        # A class that was never trained cannot be scored.
        known = np.isin(validation.truth, train.truth)
        self.model = HistGradientBoostingClassifier(
            max_iter=self.settings.max_iter,
            learning_rate=self.settings.learning_rate,
            min_samples_leaf=self.settings.min_samples_leaf,
            early_stopping=bool(known.any()),
            class_weight="balanced",
            random_state=self.settings.seed,
        )
        held_out = {"X_val": self._seen(validation)[known], "y_val": validation.truth[known]} if known.any() else {}
        # One thread: sums of several threads differ in the last bits from run to run.
        with threadpool_limits(1):
            self.model.fit(self._seen(train), train.truth, **held_out)

    def predict(self, samples: Samples) -> NDArray:
        probabilities = np.zeros((len(samples), len(samples.classes)))
        with threadpool_limits(1):
            probabilities[:, self.model.classes_] = self.model.predict_proba(self._seen(samples))
        return probabilities

    def _seen(self, samples: Samples) -> NDArray:
        """Numbers of bins, NaN where a value is missing."""
        values = samples.summary[:, self.columns]
        bins = [np.searchsorted(edges, column) for edges, column in zip(self.edges.T, values.T, strict=True)]
        return np.where(np.isnan(values), np.nan, np.stack(bins, axis=1))
