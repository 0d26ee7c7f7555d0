"""The user's last known label: what a label predicts until the next one, without sensors."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from lifelog.predict import nearest_minute
from lifelog.predict.samples import Samples


class Predictor(nearest_minute.Predictor):
    """Uses time stamps of the past only. Windows before the first training window of a user get the class shares."""

    def predict(self, samples: Samples) -> NDArray[np.float64]:
        """Return class probabilities, shape (n_windows, n_classes)."""
        probabilities = np.tile(self.shares, (len(samples), 1))
        for user, rows in samples.rows_by_user().items():
            if user in self.known:
                minutes, truth = self.known[user]
                last = np.searchsorted(minutes, samples.minutes[rows]) - 1
                probabilities[rows[last >= 0]] = np.eye(len(samples.classes))[truth[last[last >= 0]]]
        return probabilities
