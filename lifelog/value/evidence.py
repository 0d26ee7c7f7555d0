"""What each modality contributes to the score of each class in held-out windows.

Modalities are taken as independent given the class, each with its own linear discriminant. The score of any set of
modalities is then the sum of its parts, so that the models of all sets cost no more than one model per modality.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from lifelog.standardise import fit_scaling

Floats = NDArray[np.floating[Any]]
Codes = NDArray[np.int_]


def held_out_evidence(
    features: Mapping[str, Floats], classes: Codes, folds: Codes, count: int, shrinkage: float
) -> NDArray[np.float64]:
    """Return the log-density of each class by each modality, in windows that its model was not fitted to.

    Parameters
    ----------
    features : mapping of str to ndarray of float, shape (n_windows, n_features)
        By modality; NaN marks missing values.
    classes : ndarray of int, shape (n_windows,)
        Class numbers.
    folds : ndarray of int, shape (n_windows,)
        Each fold is predicted by models of the other ones.
    count : int
        Number of classes.
    shrinkage : float
        Of the correlations of features within classes, from 0 (none) to 1 (independent features).

    Returns
    -------
    ndarray of float, shape (n_modalities, n_windows, n_classes)
        Up to a constant per window. A modality without a value in a window contributes 0 to every class.

    References
    ----------
    Friedman (1989). Regularized discriminant analysis. Journal of the American Statistical Association 84, 165-175.
    """
    evidence = np.zeros((len(features), len(classes), count))
    for m, values in enumerate(features.values()):
        known = ~np.isnan(values).all(axis=1)
        for fold in np.unique(folds):
            train, test = known & (folds != fold), known & (folds == fold)
            if test.any() and train.any():
                evidence[m, test] = _discriminant(values[train], classes[train], values[test], count, shrinkage)
    return evidence


def _discriminant(train: Floats, classes: Codes, test: Floats, count: int, shrinkage: float) -> NDArray[np.float64]:
    """Fit a linear discriminant without priors to the windows of one modality, and return the scores of others."""
    scaling = fit_scaling([train], train.shape[1], "user")
    x, z = (np.nan_to_num(scaling.apply(values.astype(np.float64))) for values in (train, test))
    sizes = np.bincount(classes, minlength=count)
    one_hot = np.eye(count)[classes]
    means = one_hot.T @ x / np.maximum(sizes, 1)[:, None]
    present = sizes > 0
    within = x - means[classes]
    covariance = within.T @ within / max(1, len(x) - present.sum())
    variances = np.maximum(covariance.diagonal(), 1e-6)  # of standardised features; a constant one separates nothing
    covariance = (1 - shrinkage) * covariance
    np.fill_diagonal(covariance, variances)
    centre = means[present].mean(axis=0)
    offsets = np.where(present[:, None], means - centre, 0)
    weights = np.linalg.solve(covariance, offsets.T)
    return (z - centre) @ weights - 0.5 * np.einsum("cp,pc->c", offsets, weights)
