"""A linear discriminant on features.

Reference: Friedman (1989). Regularized discriminant analysis. Journal of the American Statistical Association 84.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar, Literal, NamedTuple

import numpy as np
from pydantic import Field, field_validator

from lifelog.arrays import Arrays, Floats
from lifelog.predict.interface import PoolingPredictor
from lifelog.settings.predict import Inputs, PredictorSettings, Scheme, positive
from lifelog.standardise import Scaling, fit_scaling

if TYPE_CHECKING:
    from lifelog.discriminant import Discriminant, Moments
    from lifelog.predict.samples import Samples


class Lda(PredictorSettings):
    """Linear discriminant."""

    renamed: ClassVar[dict[str, str]] = {"strength": "prior_windows"}
    inputs: ClassVar[Inputs] = "features"
    fast: ClassVar[bool] = True
    stored: ClassVar[bool] = True
    combines: ClassVar[tuple[Scheme, ...]] = ("pooled", "blend")
    citations: ClassVar[tuple[str, ...]] = ("friedman1989",)
    meaning: ClassVar[str] = "Linear discriminant: a weighted sum of the features separates the classes."

    name: Literal["lda"] = "lda"
    """linear discriminant with shrunken correlations on summary features"""

    shrinkage: list[float] = Field([0.1, 0.3, 0.5, 0.7, 0.9], min_length=1)
    """shrinkages of correlations to choose from on validation windows; above 0, 1 for independent features"""

    prior_windows: list[float] = Field([10, 30, 100, 300], min_length=1)
    """scheme pooled: candidate weights of the other participants' windows, in windows of the participant; chosen on
    validation windows"""

    @field_validator("prior_windows")
    @classmethod
    def _is_positive(cls, value: list[float]) -> list[float]:
        return positive(value, "a number of windows")

    @field_validator("shrinkage")
    @classmethod
    def _is_share(cls, value: list[float]) -> list[float]:
        if not all(0 < share <= 1 for share in value):
            raise ValueError("a shrinkage is a number above 0 and at most 1")
        return value


class Pool(NamedTuple):
    """Training windows of all users, which every user's model weights differently.

    Attributes
    ----------
    train : Samples
        The windows.
    scaling : Scaling
        Of their features.
    everyone : Moments
        Of all windows.
    of_users : dict of str to Moments
        Of the windows of each user.
    """

    train: Samples
    scaling: Scaling
    everyone: Moments
    of_users: dict[str, Moments]


class LdaPredictor(PoolingPredictor):
    """Linear discriminant without priors; the validation windows select the shrinkage of correlations."""

    def fit(self, train: Samples, validation: Samples) -> None:
        """Fit the candidates, and keep the one with the lowest loss."""
        from lifelog.discriminant import fit_discriminants

        values, count = self.values(train), len(train.classes)
        lines = self.line_shrinkages
        models = [fit_discriminants(values, train.truth, count, self.shrinkages, None, line) for line in lines]
        self._select(models, validation, train)

    def pool(self, train: Samples) -> Pool:
        """Return what `fit_pooled` needs of all training windows."""
        from lifelog.discriminant import filled, moments

        values, count = self.values(train), len(train.classes)
        scaling = fit_scaling([values], values.shape[1], "user")
        x = filled(scaling, values)
        of_users = {user: moments(x[rows], train.truth[rows], count) for user, rows in train.rows_by_user().items()}
        return Pool(train, scaling, moments(x, train.truth, count), of_users)

    def fit_pooled(self, pool: Pool, user: str, prior_windows: float, validation: Samples) -> None:
        """Fit a user's model, in which windows of other users count as `prior_windows` windows of the user."""
        from lifelog.discriminant import discriminants_of

        nothing = pool.everyone.plus(pool.everyone, -1.0)
        of_user = pool.of_users.get(user, nothing)
        others = pool.everyone.plus(of_user, -1.0)
        weighted = of_user.plus(others, prior_windows / max(1, others.sizes.sum()))
        lines = self.line_shrinkages
        models = [discriminants_of(pool.scaling, weighted, self.shrinkages, line) for line in lines]
        self._select(models, validation, pool.train)

    @property
    def shrinkages(self) -> list[float]:
        """Shrinkages to choose from, the strongest one first."""
        return sorted(self.settings.shrinkage, reverse=True)

    @property
    def line_shrinkages(self) -> list[float]:
        """Shrinkages of class means towards equally spaced points on a line: none."""
        return [0.0]

    def predict(self, samples: Samples) -> Floats:
        """Return class probabilities, shape (n_windows, n_classes)."""
        return self.model.probabilities(self.values(samples))

    def state(self) -> Arrays:
        """Return the coefficients and the scaling."""
        return self.model.arrays()

    def restore(self, state: Arrays, like: Samples) -> None:
        """Make this the discriminant of a state."""
        from lifelog.discriminant import Discriminant

        self.model = Discriminant.of_arrays(state, len(like.features), len(like.classes))

    def values(self, samples: Samples) -> Floats:
        """Return the features of windows, shape (n_windows, n_features); NaN marks missing values."""
        return samples.summary

    def _select(self, models: list[list[Discriminant]], validation: Samples, train: Samples) -> None:
        from lifelog.predict.selection import validation_loss

        # The strongest shrinkage comes first, and is used if no validation window can select one.
        candidates, held_out = [model for same in models for model in same], self.values(validation)
        losses = [validation_loss(model.probabilities(held_out), validation, train) for model in candidates]
        self.model = candidates[int(np.argmin(losses))]
