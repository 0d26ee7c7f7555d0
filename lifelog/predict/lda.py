"""A linear discriminant on features."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from lifelog.discriminant import Discriminant, fit_discriminants
from lifelog.predict.samples import Samples
from lifelog.predict.selection import validation_loss
from lifelog.settings.predict import Lda


class Predictor:
    """Linear discriminant without priors; the validation windows select the shrinkage of correlations."""

    def __init__(self, settings: Lda) -> None:
        self.settings = settings

    def fit(self, train: Samples, validation: Samples, weights: NDArray[np.float64] | None = None) -> None:
        """Fit the candidates, and keep the one with the lowest loss; windows may have weights."""
        # The strongest shrinkage comes first, and is used if no validation window can select one.
        models, held_out = self.candidates(train, weights), self.values(validation)
        losses = [validation_loss(model.probabilities(held_out), validation, train) for model in models]
        self.model = models[int(np.argmin(losses))]

    @property
    def shrinkages(self) -> list[float]:
        """Shrinkages to choose from, the strongest one first."""
        return sorted(self.settings.shrinkage, reverse=True)

    def candidates(self, train: Samples, weights: NDArray[np.float64] | None) -> list[Discriminant]:
        """Return a discriminant per shrinkage, the strongest one first."""
        return fit_discriminants(self.values(train), train.truth, len(train.classes), self.shrinkages, weights)

    def predict(self, samples: Samples) -> NDArray[np.float64]:
        """Return class probabilities, shape (n_windows, n_classes)."""
        return self.model.probabilities(self.values(samples))

    def values(self, samples: Samples) -> NDArray[np.float32]:
        """Return the features of windows, shape (n_windows, n_features); NaN marks missing values."""
        return samples.summary
