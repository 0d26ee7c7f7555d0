"""Class shares by time since the session start: what the order of a protocol, or the hour, achieves alone."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar, Literal

import numpy as np

from lifelog.arrays import Floats
from lifelog.f1 import monitored_score
from lifelog.predict.interface import Predictor
from lifelog.settings.predict import Inputs, PredictorSettings

if TYPE_CHECKING:
    from lifelog.predict.samples import Samples


WIDTHS = (1, 2, 5, 10, 30)  # minutes; selected on validation windows, the widest without any


class Clock(PredictorSettings):
    """Class shares by elapsed time."""

    inputs: ClassVar[Inputs] = "time"
    fast: ClassVar[bool] = True
    meaning: ClassVar[str] = "The class shares by the time since the start of the session, without sensors."

    name: Literal["clock"] = "clock"
    """class shares by time since the session start; no sensors"""


class ClockPredictor(Predictor):
    """Uses time stamps only: class shares of training windows, weighted by their distance in minutes since the start.

    A Nadaraya-Watson estimate with a Gaussian kernel; the sessions of all users share one clock.
    """

    width: float = WIDTHS[-1]

    def fit(self, train: Samples, validation: Samples) -> None:
        """Store the training labels, and select the width of the kernel."""
        self.elapsed, self.truth = train.rows.elapsed.to_numpy(), np.eye(len(train.classes))[train.truth]
        if len(validation):
            self.width = max(reversed(WIDTHS), key=lambda width: self._score(validation, width))

    def predict(self, samples: Samples) -> Floats:
        """Return class probabilities, shape (n_windows, n_classes)."""
        return self._shares(samples, self.width)

    def _shares(self, samples: Samples, width: float) -> Floats:
        # By distinct minutes, of which there are few in any number of windows.
        known, place = np.unique(self.elapsed, return_inverse=True)
        counts = np.zeros((len(known), self.truth.shape[1]))
        np.add.at(counts, place, self.truth)
        queried, where = np.unique(samples.rows.elapsed, return_inverse=True)
        distance = ((queried[:, None] - known) / width) ** 2
        # Relative to the nearest, which counts even if all are far.
        weights = np.exp(-0.5 * (distance - distance.min(axis=1, keepdims=True)))
        shares = weights @ counts
        normalised: Floats = (shares / shares.sum(axis=1, keepdims=True))[where]
        return normalised

    def _score(self, validation: Samples, width: float) -> float:
        return monitored_score("macro_f1", validation.truth, self._shares(validation, width))
