"""Class shares of the training windows: the baseline without any input."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar, Literal

import numpy as np

from lifelog.arrays import Floats
from lifelog.predict.interface import Predictor
from lifelog.settings.predict import Inputs, PredictorSettings

if TYPE_CHECKING:
    from lifelog.predict.samples import Samples


class Majority(PredictorSettings):
    """Class shares."""

    inputs: ClassVar[Inputs] = "nothing"
    fast: ClassVar[bool] = True
    meaning: ClassVar[str] = (
        "The class shares of the training windows, the same for every window: a model without input."
    )

    name: Literal["majority"] = "majority"
    """class shares of the training windows; no sensors"""


class MajorityPredictor(Predictor):
    """Predicts the class shares of the training windows for every window."""

    def fit(self, train: Samples, validation: Samples) -> None:
        """Count classes."""
        self.shares = np.bincount(train.truth, minlength=len(train.classes)) / len(train)

    def predict(self, samples: Samples) -> Floats:
        """Return class probabilities, shape (n_windows, n_classes)."""
        return np.tile(self.shares, (len(samples), 1))
