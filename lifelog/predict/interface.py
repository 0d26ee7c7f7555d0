"""The interface of predictors, and how they are found by name."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from contextlib import AbstractContextManager, nullcontext
from importlib import import_module
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray
from threadpoolctl import threadpool_limits

from lifelog.predict.samples import Samples
from lifelog.settings.predict import AnyPredictor


class Predictor(Protocol):
    """A model that is fitted on training windows, tuned on validation windows, and predicts class probabilities."""

    def __init__(self, settings: Any) -> None: ...

    def fit(self, train: Samples, validation: Samples) -> None:
        """Fit on training windows; validation windows may select hyperparameters."""

    def predict(self, samples: Samples) -> NDArray[np.float64]:
        """Return class probabilities, shape (n_windows, n_classes)."""


def build_predictor(settings: AnyPredictor) -> Predictor:
    """Build the class `Predictor` of the module `lifelog/predict/{name}.py`, which is imported only now.

    Parameters
    ----------
    settings : PredictorSettings
        Settings of a predictor.

    Returns
    -------
    Predictor
        Not yet fitted.

    Raises
    ------
    ModuleNotFoundError
        If there is no such module.
    """
    module = import_module(f"lifelog.predict.{settings.name}")
    predictor: Predictor = module.Predictor(settings)
    return predictor


def fit_each(settings: AnyPredictor, windows: Iterable[tuple[Samples, Samples]]) -> Iterator[Predictor]:
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
    fit_all = getattr(build_predictor(settings), "fit_all", None)
    if fit_all is None:
        for train, validation in windows:
            model = build_predictor(settings)
            model.fit(train, validation)
            yield model
        return
    together = list(windows)
    models = [build_predictor(settings) for _ in together]
    fit_all(models, together)
    yield from models


def one_thread(settings: AnyPredictor) -> AbstractContextManager[Any]:
    """Return a context with one thread: sums of several threads differ in the last bits from run to run.

    Networks have their own setting (`lifelog.mil.device.use_threads`).
    """
    build_predictor(settings)  # only libraries that are already imported are limited
    return nullcontext() if settings.needs_torch else threadpool_limits(1)
