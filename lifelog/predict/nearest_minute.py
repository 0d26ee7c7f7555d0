"""Label of the user's training window that is nearest in time: what proximity in time alone achieves."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from lifelog.predict.samples import Samples
from lifelog.settings.predict import LastLabel, NearestMinute


class Predictor:
    """Uses time stamps only. Users without training windows get the class shares of the others."""

    def __init__(self, settings: NearestMinute | LastLabel) -> None:
        self.known: dict[str, tuple[NDArray[np.int64], NDArray[np.int_]]] = {}

    def fit(self, train: Samples, validation: Samples) -> None:
        """Store the training labels of each user in time order."""
        self.shares = np.bincount(train.truth, minlength=len(train.classes)) / len(train)
        for user, rows in train.rows_by_user().items():
            order = rows[train.minutes[rows].argsort(kind="stable")]
            self.known[user] = train.minutes[order], train.truth[order]

    def predict(self, samples: Samples) -> NDArray[np.float64]:
        """Return class probabilities, shape (n_windows, n_classes)."""
        probabilities = np.tile(self.shares, (len(samples), 1))
        for user, rows in samples.rows_by_user().items():
            if user in self.known:
                minutes, truth = self.known[user]
                gaps = np.abs(samples.minutes[rows][:, None] - minutes)  # the earlier of two equally near windows
                probabilities[rows] = np.eye(len(samples.classes))[truth[gaps.argmin(axis=1)]]
        return probabilities
