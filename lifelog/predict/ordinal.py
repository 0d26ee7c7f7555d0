"""A linear discriminant for classes in an order, such as low, middle and high: class means are drawn towards a line."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from lifelog.discriminant import fit_discriminants
from lifelog.predict.samples import Samples
from lifelog.predict.selection import validation_loss
from lifelog.settings.predict import Ordinal


class Predictor:
    """As `lda`; the validation windows select how far class means are drawn towards a line, too."""

    def __init__(self, settings: Ordinal) -> None:
        self.settings = settings

    def fit(self, train: Samples, validation: Samples, weights: NDArray[np.float64] | None = None) -> None:
        """Fit a discriminant per shrinkage and order, and keep the one with the lowest loss; see `lda`."""
        # The strongest shrinkage and order first, which are used if no validation window can select them.
        count, values = len(train.classes), sorted(self.settings.shrinkage, reverse=True)
        models = [
            model
            for order in sorted(self.settings.order, reverse=True)
            for model in fit_discriminants(train.summary, train.truth, count, values, weights, order)
        ]
        losses = [validation_loss(model.probabilities(validation.summary), validation, train) for model in models]
        self.model = models[int(np.argmin(losses))]

    def predict(self, samples: Samples) -> NDArray[np.float64]:
        """Return class probabilities, shape (n_windows, n_classes)."""
        return self.model.probabilities(samples.summary)
