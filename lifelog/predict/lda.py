"""A linear discriminant on features, with shrunken correlations."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from sklearn.discriminant_analysis import LinearDiscriminantAnalysis
from threadpoolctl import threadpool_limits

from lifelog.predict.samples import Samples
from lifelog.predict.selection import class_weights, weighted_loss
from lifelog.settings.predict import Lda


class Predictor:
    """Linear discriminant with equal priors; the validation windows select the shrinkage.

    References
    ----------
    Friedman (1989). Regularized discriminant analysis. Journal of the American Statistical Association 84, 165-175.
    """

    def __init__(self, settings: Lda) -> None:
        self.settings = settings

    def fit(self, train: Samples, validation: Samples) -> None:
        """Fit a discriminant per shrinkage, and keep the one with the lowest loss; class shares for a single class."""
        # A missing value is the mean of the training windows; a feature that is constant there has no weight.
        known = ~np.isnan(train.summary).all(axis=0)
        values = train.summary[:, known].astype(np.float64)
        mean, std = np.atleast_1d(np.nanmean(values, axis=0)), np.atleast_1d(np.nanstd(values, axis=0))
        used = std > 1e-6
        self.columns = np.flatnonzero(known)[used]
        self.mean, self.std = mean[used], std[used]
        classes = np.unique(train.truth)
        self.shares = np.bincount(train.truth, minlength=len(train.classes)) / len(train)
        self.model = None
        if len(classes) < 2 or not len(self.columns):
            return
        x, priors = self._scaled(train), [1 / len(classes)] * len(classes)
        with threadpool_limits(1):
            models = [
                LinearDiscriminantAnalysis(solver="lsqr", shrinkage=value, priors=priors).fit(x, train.truth)
                for value in self.settings.shrinkage
            ]
        seen = np.isin(validation.truth, classes)
        z, y = self._scaled(validation)[seen], validation.truth[seen]
        places, weights = np.searchsorted(classes, y), class_weights(train.truth)[y]
        losses = [weighted_loss(model.predict_proba(z), places, weights) if len(y) else 0.0 for model in models]
        self.model = models[int(np.argmin(losses))]

    def predict(self, samples: Samples) -> NDArray[np.float64]:
        """Return class probabilities, shape (n_windows, n_classes)."""
        if self.model is None:
            return np.tile(self.shares, (len(samples), 1))
        probabilities = np.zeros((len(samples), len(samples.classes)))
        with threadpool_limits(1):
            probabilities[:, self.model.classes_] = self.model.predict_proba(self._scaled(samples))
        return probabilities

    def _scaled(self, samples: Samples) -> NDArray[np.float64]:
        """Return standardised features without missing values."""
        return np.nan_to_num((samples.summary[:, self.columns] - self.mean) / self.std)
