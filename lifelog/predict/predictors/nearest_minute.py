"""Label of the user's training window that is nearest in time: what proximity in time alone achieves."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar, Literal

import numpy as np

from lifelog.arrays import Codes, Floats
from lifelog.predict.interface import Predictor
from lifelog.settings.predict import Inputs, PredictorSettings

if TYPE_CHECKING:
    from lifelog.predict.samples import Samples


class NearestMinute(PredictorSettings):
    """Nearest label in time."""

    inputs: ClassVar[Inputs] = "time"
    fast: ClassVar[bool] = True
    meaning: ClassVar[str] = "The label of the participant's training window that is nearest in time, without sensors."

    name: Literal["nearest_minute"] = "nearest_minute"
    """label of the user's training window that is nearest in time; no sensors"""


class KnownLabels(Predictor):
    """Stores the training labels of each user in time order, and the class shares of all."""

    def fit(self, train: Samples, validation: Samples) -> None:
        """Store the labels."""
        self.shares = np.bincount(train.truth, minlength=len(train.classes)) / len(train)
        self.known: dict[str, tuple[Codes, Codes]] = {}
        minutes = train.rows.minute.to_numpy()
        for user, rows in train.rows_by_user().items():
            order = rows[minutes[rows].argsort(kind="stable")]
            self.known[user] = minutes[order], train.truth[order]

    def predict(self, samples: Samples) -> Floats:
        """Return class probabilities, shape (n_windows, n_classes): a known label, or the class shares."""
        probabilities, minutes = np.tile(self.shares, (len(samples), 1)), samples.rows.minute.to_numpy()
        for user, rows in samples.rows_by_user().items():
            if user in self.known:
                known, truth = self.known[user]
                place = self.place(known, minutes[rows])
                probabilities[rows[place >= 0]] = np.eye(len(samples.classes))[truth[place[place >= 0]]]
        return probabilities

    def place(self, known: Codes, minutes: Codes) -> Codes:
        """Return the place among known minutes that predicts each minute, -1 for none."""
        raise NotImplementedError


class NearestMinutePredictor(KnownLabels):
    """Uses time stamps only. Users without training windows get the class shares of other users."""

    def place(self, known: Codes, minutes: Codes) -> Codes:
        """Return the place of the nearest minute, the earlier one of two that are equally near."""
        nearest: Codes = np.abs(minutes[:, None] - known).argmin(axis=1)
        return nearest
