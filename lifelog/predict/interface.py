"""The interface of predictors, and what they share."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Iterable, Iterator, Sequence
from contextlib import AbstractContextManager, nullcontext
from typing import TYPE_CHECKING, Any, Self

import numpy as np

from lifelog.arrays import Arrays, Codes, Floats
from lifelog.settings.predict import PredictorSettings
from lifelog.standardise import fit_scaling

if TYPE_CHECKING:  # this module is imported with the configuration
    from lifelog.predict.samples import Samples

    Windows = tuple[Samples, Samples]  # training and validation windows


class Predictor(ABC):
    """A model that is fitted on training windows, tuned on validation windows, and predicts class probabilities.

    Parameters
    ----------
    settings : PredictorSettings
        Its settings.
    """

    def __init__(self, settings: Any) -> None:
        self.settings = settings

    @abstractmethod
    def fit(self, train: Samples, validation: Samples) -> None:
        """Fit on training windows; validation windows may select hyperparameters."""

    @abstractmethod
    def predict(self, samples: Samples) -> Floats:
        """Return class probabilities, shape (n_windows, n_classes)."""

    def state(self) -> Arrays:
        """Return the arrays that the fitted model is made of, by name, if `settings.stored`."""
        raise NotImplementedError

    def restore(self, state: Arrays, like: Samples) -> None:
        """Make this the fitted model of a state.

        Parameters
        ----------
        state : dict of str to ndarray
            Arrays of `state`.
        like : Samples
            Windows with the features, modalities and classes of the training windows; none are needed.
        """
        raise NotImplementedError

    @classmethod
    def fit_each(cls, settings: PredictorSettings, windows: Iterable[Windows]) -> Iterator[Predictor]:
        """Yield a model fitted on the windows of each of several groups, one after the other."""
        for train, validation in windows:
            model: Predictor = settings.build()
            model.fit(train, validation)
            yield model

    def fit_filling(self, values: Floats) -> Floats:
        """Standardise training features by their own scaling, with the mean instead of missing values."""
        self.scaling = fit_scaling([values], values.shape[1], "user")
        return self.filled(values)

    def filled(self, values: Floats) -> Floats:
        """Standardise features by the scaling of `fit_filling`, with the mean instead of missing values."""
        return np.nan_to_num(self.scaling.apply(values))

    @staticmethod
    def aligned(probabilities: Floats, present: Codes, classes: int) -> Floats:
        """Return probabilities of all classes from those of the classes that have training windows."""
        whole = np.zeros((len(probabilities), classes))
        whole[:, present] = probabilities
        return whole


class PoolingPredictor(Predictor):
    """A predictor in whose training the windows of other users count less than a user's own."""

    @abstractmethod
    def pool(self, train: Samples) -> Any:
        """Return what `fit_pooled` needs of the training windows of all users."""

    @abstractmethod
    def fit_pooled(self, pool: Any, user: str, prior_windows: float, validation: Samples) -> None:
        """Fit the model of a user, in which windows of other users count as `prior_windows` windows in all."""


class TunablePredictor(Predictor):
    """A predictor whose training can be continued with other windows."""

    @classmethod
    @abstractmethod
    def tune_each(cls, models: Sequence[Self], windows: Sequence[Windows]) -> None:
        """Continue the training of each model; it stays as it is unless its validation score improves."""


def fit_each(settings: PredictorSettings, windows: Iterable[Windows]) -> Iterator[Predictor]:
    """Fit a model on the windows of each of several groups: networks together, other models one after the other.

    Parameters
    ----------
    settings : PredictorSettings
        Settings of a predictor.
    windows : iterable of tuple of Samples and Samples
        Training and validation windows of each group.

    Yields
    ------
    Predictor
        By group.
    """
    yield from type(settings.build()).fit_each(settings, windows)


def one_thread(settings: PredictorSettings) -> AbstractContextManager[Any]:
    """Return a context with one thread: sums of several threads differ in the last bits from run to run.

    Networks have their own setting (`lifelog.mil.device.use_threads`).
    """
    from threadpoolctl import threadpool_limits

    settings.build()  # only libraries that are already imported are limited
    return nullcontext() if settings.needs_torch else threadpool_limits(1)
