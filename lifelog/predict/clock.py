"""Class shares by time since the session start: what the order of a protocol, or the hour, achieves alone."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from lifelog.f1 import confusion, macro_f1
from lifelog.predict.samples import Samples
from lifelog.settings.predict import Clock

WIDTHS = (1, 2, 5, 10, 30)  # minutes; selected on validation windows, the widest without any


class Predictor:
    """Uses time stamps only: class shares of training windows, weighted by their distance in minutes since the start.

    A Nadaraya-Watson estimate with a Gaussian kernel; the sessions of all users share one clock.
    """

    def __init__(self, settings: Clock) -> None:
        self.width: float = WIDTHS[-1]

    def fit(self, train: Samples, validation: Samples) -> None:
        """Store the training labels, and select the width of the kernel."""
        self.elapsed, self.truth = train.elapsed, np.eye(len(train.classes))[train.truth]
        if len(validation):
            self.width = max(reversed(WIDTHS), key=lambda width: self._score(validation, width))

    def predict(self, samples: Samples) -> NDArray[np.float64]:
        """Return class probabilities, shape (n_windows, n_classes)."""
        return self._shares(samples, self.width)

    def _shares(self, samples: Samples, width: float) -> NDArray[np.float64]:
        # By distinct minutes, of which there are few in any number of windows.
        known, place = np.unique(self.elapsed, return_inverse=True)
        counts = np.zeros((len(known), self.truth.shape[1]))
        np.add.at(counts, place, self.truth)
        queried, where = np.unique(samples.elapsed, return_inverse=True)
        distance = ((queried[:, None] - known) / width) ** 2
        # Relative to the nearest, which counts even if all are far.
        weights = np.exp(-0.5 * (distance - distance.min(axis=1, keepdims=True)))
        shares = weights @ counts
        normalised: NDArray[np.float64] = (shares / shares.sum(axis=1, keepdims=True))[where]
        return normalised

    def _score(self, validation: Samples, width: float) -> float:
        predicted = self._shares(validation, width).argmax(axis=1)
        return macro_f1(confusion(validation.truth, predicted, self.truth.shape[1]))
