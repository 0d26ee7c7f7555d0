"""Class shares by time since the session's start: what the order of a protocol, or the hour, gives away alone."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from lifelog.config import Clock
from lifelog.metrics import confusion, macro_f1
from lifelog.predict.samples import Samples

WIDTHS = (1, 2, 5, 10, 30)  # minutes; the best on validation is taken, the widest where there is none


class ClockPredictor:
    """Sees no sensor: shares of the training windows, weighted by nearness in minutes since the session's start
    (Nadaraya and Watson's estimate with a Gaussian kernel), all sessions of all users on one clock.
    """

    def __init__(self, settings: Clock) -> None:
        self.width = WIDTHS[-1]

    def fit(self, train: Samples, validation: Samples) -> None:
        self.elapsed, self.truth = train.elapsed, np.eye(len(train.classes))[train.truth]
        if len(validation):
            self.width = max(reversed(WIDTHS), key=lambda width: self._score(validation, width))

    def predict(self, samples: Samples) -> NDArray:
        return self._shares(samples, self.width)

    def _shares(self, samples: Samples, width: float) -> NDArray:
        # By distinct minutes, of which there are few however many windows there are.
        known, place = np.unique(self.elapsed, return_inverse=True)
        counts = np.zeros((len(known), self.truth.shape[1]))
        np.add.at(counts, place, self.truth)
        asked, where = np.unique(samples.elapsed, return_inverse=True)
        distance = ((asked[:, None] - known) / width) ** 2
        # The nearest always counts, also where all are far.
        weights = np.exp(-0.5 * (distance - distance.min(axis=1, keepdims=True)))
        shares = weights @ counts
        return (shares / shares.sum(axis=1, keepdims=True))[where]

    def _score(self, validation: Samples, width: float) -> float:
        said = self._shares(validation, width).argmax(axis=1)
        return macro_f1(confusion(validation.truth, said, self.truth.shape[1]))
