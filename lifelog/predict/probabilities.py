"""Calibration of class probabilities.

A model whose training weighs all classes alike gives probabilities for equally frequent classes, and a model of few
windows is too certain. With the raw probabilities p_k, the class shares q_k that the model assumes (equal ones, or
those of its training windows) and the class shares s_k of its training windows, the calibrated probabilities are

    p'_k  proportional to  s_k (p_k / q_k)^a exp(b_k)

with a slope a and shifts b that are the same for all models of a fold and grouping. They have the highest posterior
density on the validation windows, under normal priors of log a (mean `SLOPE`, deviation `SLOPE_SPREAD`) and of b_k
(mean 0, deviation `SHIFT_SPREAD`). The priors were chosen on simulated cohorts with class shares from 1 : 1 to 9 : 1
(docs/validation.md).

References
----------
Guo, Pleiss, Sun, Weinberger (2017). On calibration of modern neural networks. ICML.
Saerens, Latinne, Decaestecker (2002). Adjusting the outputs of a classifier to new a priori probabilities. Neural
Computation 14, 21-41.
"""

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
import pandas as pd
from scipy.special import log_softmax, softmax

from lifelog.arrays import Codes, Floats

MIN_PROBABILITY = 1e-3  # that is judged: a hundred windows cannot show that one is smaller
SLOPE, SLOPE_SPREAD = np.log(0.4), 0.4
SHIFT_SPREAD = 0.3
OTHERS = 5.0  # windows that the class shares of all models count in those of each: no class has the share 0


class Calibration(NamedTuple):
    """A calibration of the models of a fold and grouping: a slope, and a shift per class."""

    slope: float
    shifts: Floats


class Raw(NamedTuple):
    """Class probabilities of a model before calibration.

    Attributes
    ----------
    probabilities : ndarray of float, shape (n_windows, n_classes)
        Of some windows.
    assumed, shares : ndarray of float, shape (n_classes,)
        Class shares that the model assumes, and those of its training windows.
    """

    probabilities: Floats
    assumed: Floats
    shares: Floats

    def evidence(self) -> Floats:
        """Return the logarithm of the factor by which a window changes the class shares that the model assumes."""
        return np.asarray(np.log(np.maximum(self.probabilities, MIN_PROBABILITY)) - np.log(self.assumed))


def class_probabilities(table: pd.DataFrame, prefix: str = "p_") -> Floats:
    """Return the class probabilities of a predictions table.

    Parameters
    ----------
    table : pandas.DataFrame
        Table of `train_predictors`.
    prefix : str, default "p_"
        "raw_": those before calibration; a table without them has none.

    Returns
    -------
    ndarray of float, shape (n_windows, n_classes)
        In the order of the classes.
    """
    names = [name for name in table.columns if name.startswith(prefix)]
    return table[names].to_numpy() if names else class_probabilities(table)


def class_shares(own: Codes, everyone: Codes, classes: int) -> Floats:
    """Return the class shares of a model's training windows; a few windows of all models are added.

    Parameters
    ----------
    own, everyone : ndarray of int
        Class numbers of the training windows of the model, and of all models of a fold and grouping.
    classes : int
        Number of classes.

    Returns
    -------
    ndarray of float, shape (n_classes,)
        All are above 0.
    """
    common = np.bincount(everyone, minlength=classes) + 0.5
    counts = np.bincount(own, minlength=classes) + OTHERS * common / common.sum()
    return np.asarray(counts / counts.sum())


def calibrate(raw: Raw, calibration: Calibration) -> Floats:
    """Return calibrated probabilities.

    Parameters
    ----------
    raw : Raw
        Class probabilities of a model.
    calibration : Calibration
        Of its fold and grouping.

    Returns
    -------
    ndarray of float, shape (n_windows, n_classes)
        They sum to 1.
    """
    logits = calibration.slope * raw.evidence() + np.log(raw.shares) + calibration.shifts
    return np.asarray(softmax(logits, axis=1))


def fit_calibration(raws: Sequence[Raw], truths: Sequence[Codes], classes: int) -> Calibration:
    """Fit the calibration of the models of a fold and grouping.

    Parameters
    ----------
    raws : sequence of Raw
        Probabilities of validation windows by each model.
    truths : sequence of ndarray of int, shape (n_windows,)
        Class numbers of these windows.
    classes : int
        Number of classes.

    Returns
    -------
    Calibration
        The priors alone, if the validation windows have fewer than two classes; a slope without shifts, if they lack
        a class. If every model gives all windows the same probabilities, the slope is 0, so that the calibrated
        probabilities are the class shares.
    """
    nothing, known = np.zeros(classes), [(raw, truth) for raw, truth in zip(raws, truths, strict=True) if len(truth)]
    several = [raw.probabilities for raw, _ in known if len(raw.probabilities) > 1]
    if several and all(np.ptp(p, axis=0).max() == 0 for p in several):
        return Calibration(0.0, nothing)
    truth = np.concatenate([of_model for _, of_model in known]) if known else np.array([], dtype=int)
    present = len(np.unique(truth))
    if present < 2:
        return Calibration(float(np.exp(SLOPE)), nothing)
    from scipy.optimize import minimize

    evidence = np.concatenate([raw.evidence() for raw, _ in known])
    offset = np.concatenate([np.broadcast_to(np.log(raw.shares), raw.probabilities.shape) for raw, _ in known])
    true = np.eye(classes, dtype=bool)[truth]

    def loss(values: Floats) -> tuple[float, Floats]:
        slope, deviation, shifts = np.exp(values[0]), (values[0] - SLOPE) / SLOPE_SPREAD, values[1:]
        logits = slope * evidence + offset + shifts
        log_p = log_softmax(logits, axis=1)
        wrong = np.exp(log_p) - true
        prior = 0.5 * deviation**2 + 0.5 * (shifts**2).sum() / SHIFT_SPREAD**2
        gradient = [(wrong * slope * evidence).sum() + deviation / SLOPE_SPREAD]
        gradient += list(wrong.sum(axis=0) + shifts / SHIFT_SPREAD**2)
        return float(prior - log_p[true].sum()), np.array(gradient)

    bounds = [(None, None)] + [(None, None) if present == classes else (0.0, 0.0)] * classes
    found = minimize(loss, np.array([SLOPE, *nothing]), jac=True, method="L-BFGS-B", bounds=bounds).x
    return Calibration(float(np.exp(found[0])), np.asarray(found[1:]))
