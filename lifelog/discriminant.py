"""A linear discriminant with shrunken correlations, of which values and the predictor `lda` are made."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple, Self

import numpy as np
from numpy.typing import NDArray
from scipy.special import softmax

from lifelog.arrays import Bools, Codes, Floats, check_shapes
from lifelog.standardise import Scaling, fit_scaling

MIN_VARIANCE = 1e-3  # of a standardised feature within classes, so that no feature decides alone


@dataclass(frozen=True)
class Discriminant:
    """A fitted discriminant of p features and C classes.

    Attributes
    ----------
    scaling : Scaling
        Of the features.
    centre : ndarray of float, shape (p,)
        Mean of the class means.
    weights : ndarray of float, shape (p, C)
        Coefficients.
    constants : ndarray of float, shape (C,)
        Constants of the scores.
    present : ndarray of bool, shape (C,)
        Classes with training windows; the score of other classes is that of the centre, 0.
    """

    scaling: Scaling
    centre: Floats
    weights: Floats
    constants: Floats
    present: Bools

    def scores(self, values: Floats) -> Floats:
        """Return the log-density of each class, up to a constant per window, shape (n_windows, C)."""
        scores: Floats = (filled(self.scaling, values) - self.centre) @ self.weights - self.constants
        return scores

    def arrays(self) -> dict[str, NDArray[Any]]:
        """Return the arrays that it is made of, by name."""
        named = {name: getattr(self, name) for name in ("centre", "weights", "constants", "present")}
        return named | {"mean": self.scaling.mean, "std": self.scaling.std}

    @classmethod
    def of_arrays(cls, arrays: Mapping[str, NDArray[Any]], features: int, classes: int) -> Self:
        """Return the discriminant of `arrays`; raise ValueError unless they suit numbers of features and classes."""
        shapes = dict.fromkeys(("mean", "std", "centre"), (features,)) | {"weights": (features, classes)}
        shapes |= dict.fromkeys(("constants", "present"), (classes,))
        check_shapes(arrays, shapes)
        scaling = Scaling(arrays["mean"], arrays["std"])
        return cls(scaling, *(arrays[name] for name in ("centre", "weights", "constants", "present")))

    def probabilities(self, values: Floats) -> Floats:
        """Return class probabilities without priors, shape (n_windows, C); 0 for classes without training windows."""
        probabilities: Floats = softmax(np.where(self.present, self.scores(values), -np.inf), axis=1)
        return probabilities


def fit_discriminants(
    values: Floats,
    classes: Codes,
    count: int,
    shrinkages: Sequence[float],
    weights: Floats | None = None,
    line_shrinkage: float = 0.0,
) -> list[Discriminant]:
    """Fit a linear discriminant without priors for each shrinkage.

    Parameters
    ----------
    values : ndarray of float, shape (n_windows, p)
        Features; NaN marks missing values, which become the mean.
    classes : ndarray of int, shape (n_windows,)
        Class numbers.
    count : int
        Number of classes.
    shrinkages : sequence of float
        Of the correlations of features within classes, from 0 (none) to 1 (independent features).
    weights : ndarray of float, shape (n_windows,), optional
        Number of windows that each window counts as; 1 by default.
    line_shrinkage : float, default 0
        Shrinkage of the class means towards equally spaced points on a line, in the order of the class numbers: 0 for
        none, 1 for means on the line.

    Returns
    -------
    list of Discriminant
        One per shrinkage. The covariance within classes is that of all classes together.

    References
    ----------
    Friedman (1989). Regularized discriminant analysis. Journal of the American Statistical Association 84, 165-175.
    """
    scaling = fit_scaling([values], values.shape[1], "user")
    x = filled(scaling, values)
    each = np.ones(len(x)) if weights is None else np.asarray(weights, dtype=float)
    sizes = np.bincount(classes, each, minlength=count).astype(float)
    present = sizes > 0
    means: Floats = (np.eye(count)[classes] * each[:, None]).T @ x / np.where(present, sizes, 1)[:, None]
    within = x - means[classes]
    scatter = (within * each[:, None]).T @ within
    return _discriminants(scaling, sizes, means, scatter, shrinkages, line_shrinkage)


class Moments(NamedTuple):
    """Sums over windows, of which discriminants of many weightings of the same windows are made.

    Attributes
    ----------
    sizes : ndarray of float, shape (C,)
        Numbers of windows.
    sums : ndarray of float, shape (C, p)
        Sums of features.
    squares : ndarray of float, shape (p, p)
        Sums of products of features.
    """

    sizes: Floats
    sums: Floats
    squares: Floats

    def plus(self, other: Moments, weight: float) -> Moments:
        """Return the moments of these windows and others, each of which counts as `weight` windows."""
        return Moments(*(mine + weight * theirs for mine, theirs in zip(self, other, strict=True)))


def moments(x: Floats, classes: Codes, count: int) -> Moments:
    """Sum over windows.

    Parameters
    ----------
    x : ndarray of float, shape (n_windows, p)
        Standardised features without missing values.
    classes : ndarray of int, shape (n_windows,)
        Class numbers.
    count : int
        Number of classes.

    Returns
    -------
    Moments
        Of these windows.
    """
    of_class = np.eye(count)[classes]
    return Moments(of_class.sum(axis=0), of_class.T @ x, x.T @ x)


def discriminants_of(
    scaling: Scaling, found: Moments, shrinkages: Sequence[float], line_shrinkage: float = 0.0
) -> list[Discriminant]:
    """Return the discriminants of `fit_discriminants` from moments of features that `scaling` has standardised."""
    means = found.sums / np.where(found.sizes > 0, found.sizes, 1)[:, None]
    scatter = found.squares - (means * found.sizes[:, None]).T @ means
    return _discriminants(scaling, found.sizes, means, scatter, shrinkages, line_shrinkage)


def _discriminants(
    scaling: Scaling, sizes: Floats, means: Floats, scatter: Floats, shrinkages: Sequence[float], line_shrinkage: float
) -> list[Discriminant]:
    """Return discriminants of class sizes, class means, and the sum of products of deviations from them."""
    present = sizes > 0
    covariance = scatter / max(1.0, sizes.sum() - present.sum())
    variances = np.maximum(covariance.diagonal(), MIN_VARIANCE)
    if line_shrinkage:
        means = (1 - line_shrinkage) * means + line_shrinkage * _line(means, sizes)
    centre = means[present].mean(axis=0)
    offsets = np.where(present[:, None], means - centre, 0)
    models = []
    for shrinkage in shrinkages:
        shrunken = (1 - shrinkage) * covariance
        np.fill_diagonal(shrunken, variances)
        solved = np.linalg.solve(shrunken, offsets.T)
        models.append(Discriminant(scaling, centre, solved, 0.5 * np.einsum("cp,pc->c", offsets, solved), present))
    return models


def _line(means: Floats, sizes: NDArray[Any]) -> Floats:
    """Return the points (C, p) on the line that is nearest to class means, weighted by class sizes."""
    places = np.arange(len(sizes)) - np.average(np.arange(len(sizes)), weights=sizes)
    slope = (sizes * places) @ means / max(1e-12, float(sizes @ places**2))
    return np.asarray(np.average(means, axis=0, weights=sizes) + places[:, None] * slope)


def filled(scaling: Scaling, values: Floats) -> Floats:
    """Standardise features, with the mean instead of missing values.

    Parameters
    ----------
    scaling : Scaling
        Of the features.
    values : ndarray of float, shape (n_windows, p)
        NaN marks missing values.

    Returns
    -------
    ndarray of float, shape (n_windows, p)
        0 where a value is missing.
    """
    return np.nan_to_num(scaling.apply(values.astype(np.float64)))
