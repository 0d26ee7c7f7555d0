"""A linear discriminant for classes in an order, such as low, middle and high: class means are drawn towards a line."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from lifelog.discriminant import Discriminant, fit_discriminants
from lifelog.predict import lda
from lifelog.predict.samples import Samples
from lifelog.settings.predict import Ordinal


class Predictor(lda.Predictor):
    """As `lda`; the validation windows select how far class means are drawn towards a line, too."""

    settings: Ordinal

    def candidates(self, train: Samples, weights: NDArray[np.float64] | None) -> list[Discriminant]:
        """Return a discriminant per order and shrinkage, the strongest ones first."""
        values, count = self.values(train), len(train.classes)
        return [
            model
            for order in sorted(self.settings.order, reverse=True)
            for model in fit_discriminants(values, train.truth, count, self.shrinkages, weights, order)
        ]
