"""Class shares of the training windows: the baseline without any input."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from lifelog.predict.samples import Samples
from lifelog.settings.predict import Majority


class Predictor:
    """Predicts the class shares of the training windows for every window."""

    def __init__(self, settings: Majority) -> None:
        self.shares = np.empty(0)

    def fit(self, train: Samples, validation: Samples) -> None:
        """Count classes."""
        self.shares = np.bincount(train.truth, minlength=len(train.classes)) / len(train)

    def predict(self, samples: Samples) -> NDArray[np.float64]:
        """Return class probabilities, shape (n_windows, n_classes)."""
        return np.tile(self.shares, (len(samples), 1))
