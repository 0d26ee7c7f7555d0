"""The label of the user's training window that lies nearest in time: what closeness in time alone is worth."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from lifelog.config import NearestMinute
from lifelog.predict.samples import Samples


class NearestMinutePredictor:
    """Sees no sensor. Of a user without training windows it knows the class shares of the others only."""

    def __init__(self, settings: NearestMinute) -> None:
        self.known: dict[str, tuple[NDArray, NDArray]] = {}

    def fit(self, train: Samples, validation: Samples) -> None:
        self.shares = np.bincount(train.truth, minlength=len(train.classes)) / len(train)
        for user, rows in train.keys.groupby("user").indices.items():
            order = rows[train.minutes[rows].argsort(kind="stable")]
            self.known[user] = train.minutes[order], train.truth[order]

    def predict(self, samples: Samples) -> NDArray:
        probabilities = np.tile(self.shares, (len(samples), 1))
        for user, rows in samples.keys.groupby("user").indices.items():
            if user in self.known:
                minutes, truth = self.known[user]
                gaps = np.abs(samples.minutes[rows][:, None] - minutes)  # the earlier of two equally near ones
                probabilities[rows] = np.eye(len(samples.classes))[truth[gaps.argmin(axis=1)]]
        return probabilities
