"""The loss by which validation windows select settings, with the same weight for every class."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from lifelog.predict.samples import Samples

SMALLEST = 1e-12  # probability


def class_weights(truth: NDArray[np.integer[Any]]) -> NDArray[np.float64]:
    """Return the weight of each class with which all classes of `truth` have the same total.

    Parameters
    ----------
    truth : ndarray of int, shape (n_windows,)
        Class numbers of training windows.

    Returns
    -------
    ndarray of float, shape (n_classes,)
        By class number; the mean over windows is 1.
    """
    counts = np.bincount(truth)
    return len(truth) / (np.maximum(counts, 1) * (counts > 0).sum())


def weighted_loss(probabilities: NDArray[np.float64], places: NDArray[np.int_], weights: NDArray[np.float64]) -> float:
    """Return the mean negative log-likelihood.

    Parameters
    ----------
    probabilities : ndarray of float, shape (n_windows, n_columns)
        Predictions.
    places : ndarray of int, shape (n_windows,)
        Column of the true class of each window.
    weights : ndarray of float, shape (n_windows,)
        Weight of each window.

    Returns
    -------
    float
        In nats; 0 without windows.
    """
    if not len(places):
        return 0.0
    own = probabilities[np.arange(len(places)), places]
    return float(-np.average(np.log(np.maximum(own, SMALLEST)), weights=weights))


def validation_loss(probabilities: NDArray[np.float64], validation: Samples, train: Samples) -> float:
    """Return the loss on validation windows, whose classes have the same weight.

    Parameters
    ----------
    probabilities : ndarray of float, shape (n_windows, n_classes)
        Predictions of the validation windows.
    validation, train : Samples
        Validation and training windows; classes without training windows are left out.

    Returns
    -------
    float
        In nats; 0 without windows.
    """
    known = np.isin(validation.truth, train.truth)
    truth = validation.truth[known]
    return weighted_loss(probabilities[known], truth, class_weights(train.truth)[truth])
