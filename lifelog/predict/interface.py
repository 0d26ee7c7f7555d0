"""The interface of predictors, and how they are found by name."""

from __future__ import annotations

from importlib import import_module
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

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
