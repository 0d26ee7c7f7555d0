"""Histogram gradient boosting of scikit-learn on summary statistics; it handles missing values itself."""

from __future__ import annotations

from itertools import islice
from typing import TYPE_CHECKING, Any, ClassVar, Literal

import numpy as np
from pydantic import Field

from lifelog.arrays import Floats
from lifelog.predict.interface import Predictor
from lifelog.predict.selection import class_weights, weighted_loss
from lifelog.settings.predict import Inputs, PredictorSettings

if TYPE_CHECKING:
    from lifelog.predict.samples import Samples

BINS = 255


class Boosting(PredictorSettings):
    """Gradient boosting."""

    inputs: ClassVar[Inputs] = "features"
    citation: ClassVar[str | None] = "Ke et al. 2017, Advances in Neural Information Processing Systems 30"
    meaning: ClassVar[str] = "Gradient boosting: a sum of many small decision trees on the features."

    name: Literal["boosting"] = "boosting"
    """histogram gradient boosting on summary features"""

    max_iter: int = Field(100, ge=1)
    """maximum number of trees per class; chosen on validation windows"""

    learning_rate: float = Field(0.1, gt=0)
    """shrinkage"""

    min_samples_leaf: int = Field(5, ge=1)
    """minimum number of windows per leaf"""

    seed: int = Field(0, ge=0)
    """random state of the booster"""


class BoostingPredictor(Predictor):
    """Gradient boosting with class weights; the number of trees has the lowest loss on the validation windows."""

    def __init__(self, settings: Boosting) -> None:
        super().__init__(settings)
        from sklearn.ensemble import HistGradientBoostingClassifier

        self.model: Any = HistGradientBoostingClassifier(
            max_iter=settings.max_iter,
            learning_rate=settings.learning_rate,
            min_samples_leaf=settings.min_samples_leaf,
            random_state=settings.seed,
        )

    def fit(self, train: Samples, validation: Samples) -> None:
        """Fit the trees."""
        # A column without any training value (a modality that all users lack) has no bins.
        self.columns = ~np.isnan(train.summary).all(axis=0)
        # Binned here: the library's search for weighted quantiles takes longer than all of its trees.
        self.edges = np.nanquantile(train.summary[:, self.columns], np.linspace(0, 1, BINS + 1)[1:-1], axis=0)
        # The library cannot score classes without training windows.
        known = np.isin(validation.truth, train.truth)
        self.model.set_params(early_stopping=bool(known.any()))
        weights = class_weights(train.truth)
        x, y = self._binned(validation)[known], validation.truth[known]
        held_out = {"X_val": x, "y_val": y, "sample_weight_val": weights[y]} if known.any() else {}
        self.model.fit(self._binned(train), train.truth, sample_weight=weights[train.truth], **held_out)
        self.iterations = self.model.n_iter_
        if known.any():  # the library keeps the trees after the best ones
            places = np.searchsorted(self.model.classes_, y)
            losses = [weighted_loss(p, places, weights[y]) for p in self.model.staged_predict_proba(x)]
            self.iterations = 1 + int(np.argmin(losses))

    def predict(self, samples: Samples) -> Floats:
        """Return class probabilities, shape (n_windows, n_classes)."""
        stages = self.model.staged_predict_proba(self._binned(samples))
        best = next(islice(stages, self.iterations - 1, None))
        return self.aligned(best, self.model.classes_, len(samples.classes))

    def _binned(self, samples: Samples) -> Floats:
        """Return bin numbers, NaN for missing values."""
        values = samples.summary[:, self.columns]
        bins = [np.searchsorted(edges, column) for edges, column in zip(self.edges.T, values.T, strict=True)]
        return np.where(np.isnan(values), np.nan, np.stack(bins, axis=1))
