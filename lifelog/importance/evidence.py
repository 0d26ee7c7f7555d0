"""What each modality contributes to the score of each class in held-out windows.

Modalities are taken as independent given the class, each with its own linear discriminant. The score of any set of
modalities is then the sum of its parts, so that the models of all sets cost no more than one model per modality.
"""

from collections.abc import Mapping

import numpy as np

from lifelog.arrays import Codes, Floats
from lifelog.discriminant import fit_discriminants


def held_out_evidence(
    features: Mapping[str, Floats], classes: Codes, folds: Codes, count: int, shrinkage: float
) -> Floats:
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
    """
    evidence = np.zeros((len(features), len(classes), count))
    for m, values in enumerate(features.values()):
        known = ~np.isnan(values).all(axis=1)
        for fold in np.unique(folds):
            train, test = known & (folds != fold), known & (folds == fold)
            if test.any() and train.any():
                (model,) = fit_discriminants(values[train], classes[train], count, [shrinkage])
                evidence[m, test] = model.scores(values[test])
    return evidence
