"""A linear discriminant on features."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
from numpy.typing import NDArray

from lifelog.discriminant import Discriminant, Moments, discriminants_of, filled, fit_discriminants, moments
from lifelog.predict.samples import Samples
from lifelog.predict.selection import validation_loss
from lifelog.settings.predict import Lda
from lifelog.standardise import Scaling, fit_scaling


@dataclass
class Pool:
    """Training windows of all users, which every user's model weights differently.

    Attributes
    ----------
    train : Samples
        The windows.
    scaling : Scaling
        Of their features.
    x : ndarray of float, shape (n_windows, n_features)
        Their standardised features.
    everyone : Moments
        Of all windows.
    """

    train: Samples
    scaling: Scaling
    x: NDArray[np.float64]
    everyone: Moments

    def moments_of(self, user: str) -> Moments:
        """Return the moments of a user's windows."""
        own = self.rows.get(user, np.empty(0, dtype=int))
        return moments(self.x[own], self.train.truth[own], len(self.train.classes))

    @cached_property
    def rows(self) -> dict[str, NDArray[np.int_]]:
        """Numbers of the windows of each user."""
        return self.train.rows_by_user()


class Predictor:
    """Linear discriminant without priors; the validation windows select the shrinkage of correlations."""

    def __init__(self, settings: Lda) -> None:
        self.settings = settings

    def fit(self, train: Samples, validation: Samples) -> None:
        """Fit the candidates, and keep the one with the lowest loss."""
        values, count = self.values(train), len(train.classes)
        models = [fit_discriminants(values, train.truth, count, self.shrinkages, None, order) for order in self.orders]
        self._select(models, validation, train)

    def pool(self, train: Samples) -> Pool:
        """Return what `fit_pooled` needs of all training windows."""
        values = self.values(train)
        scaling = fit_scaling([values], values.shape[1], "user")
        x = filled(scaling, values)
        return Pool(train, scaling, x, moments(x, train.truth, len(train.classes)))

    def fit_pooled(self, pool: Pool, own: Moments, strength: float, validation: Samples) -> None:
        """Fit a user's model, in which the windows of the others count as `strength` windows of the user."""
        others = pool.everyone.plus(own, -1.0)
        weighted = own.plus(others, strength / max(1, others.sizes.sum()))
        models = [discriminants_of(pool.scaling, weighted, self.shrinkages, order) for order in self.orders]
        self._select(models, validation, pool.train)

    @property
    def shrinkages(self) -> list[float]:
        """Shrinkages to choose from, the strongest one first."""
        return sorted(self.settings.shrinkage, reverse=True)

    @property
    def orders(self) -> list[float]:
        """How far class means are drawn towards a line: not at all."""
        return [0.0]

    def predict(self, samples: Samples) -> NDArray[np.float64]:
        """Return class probabilities, shape (n_windows, n_classes)."""
        return self.model.probabilities(self.values(samples))

    def values(self, samples: Samples) -> NDArray[np.floating[Any]]:
        """Return the features of windows, shape (n_windows, n_features); NaN marks missing values."""
        return samples.summary

    def _select(self, models: list[list[Discriminant]], validation: Samples, train: Samples) -> None:
        # The strongest shrinkage comes first, and is used if no validation window can select one.
        candidates, held_out = [model for own in models for model in own], self.values(validation)
        losses = [validation_loss(model.probabilities(held_out), validation, train) for model in candidates]
        self.model = candidates[int(np.argmin(losses))]
