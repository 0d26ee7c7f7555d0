"""The class shares of the training windows, for every window: what can be had without looking."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from lifelog.config import Majority
from lifelog.predict.samples import Samples


class MajorityPredictor:
    """Predicts the most frequent class of its training windows."""

    def __init__(self, settings: Majority) -> None:
        self.shares = np.empty(0)

    def fit(self, train: Samples, validation: Samples) -> None:
        self.shares = np.bincount(train.truth, minlength=len(train.classes)) / len(train)

    def predict(self, samples: Samples) -> NDArray:
        return np.tile(self.shares, (len(samples), 1))
