"""The loss by which validation windows select settings, with the same weight for every class."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from lifelog.arrays import Codes, Floats

if TYPE_CHECKING:
    from lifelog.predict.samples import Samples

MIN_PROBABILITY = 1e-12


def class_weights(truth: Codes) -> Floats:
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


def weighted_loss(probabilities: Floats, places: Codes, weights: Floats) -> float:
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
    return float(-np.average(np.log(np.maximum(own, MIN_PROBABILITY)), weights=weights))


def validation_loss(probabilities: Floats, validation: Samples, train: Samples) -> float:
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
