"""Scores of predicted classes, by which predictors are compared.

Classes are numbers 0..C-1. A class without true windows has no recall and is left out of means, so that the score of a
user covers the classes of that user. With a single class in the test windows, a constant is right whatever a model has
learned: scores are undefined, and the user is left out.
"""

from collections.abc import Callable
from typing import Any, Literal, NamedTuple

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from lifelog.arrays import Codes, Floats
from lifelog.f1 import confusion, macro_f1, published_f1
from lifelog.intervals import Bounds
from lifelog.registry import Registry


def balanced_accuracy(counts: Codes) -> float:
    """Compute the mean recall over the classes with true windows.

    Parameters
    ----------
    counts : ndarray of int, shape (n_classes, n_classes)
        Confusion matrix, rows are true classes.

    Returns
    -------
    float
        NaN without windows.
    """
    present = counts.sum(axis=1) > 0
    recall = np.diag(counts)[present] / counts.sum(axis=1)[present]
    return float(recall.mean()) if present.any() else float("nan")


def accuracy(counts: Codes) -> float:
    """Compute the share of windows with the right class.

    Parameters
    ----------
    counts : ndarray of int, shape (n_classes, n_classes)
        Confusion matrix, rows are true classes.

    Returns
    -------
    float
        NaN without windows.
    """
    return float(np.trace(counts) / counts.sum()) if counts.sum() else float("nan")


def auroc(truth: Codes, probabilities: Floats, folds: Codes | None = None) -> float:
    """Compute the mean one-against-rest area under the ROC curve by ranks; ties count half.

    Only windows of the same fold are compared: the models of different folds have different scales, and class shares
    of a training set are the lower, the higher they are in the test windows, so that comparisons between folds are
    biased downwards.

    Parameters
    ----------
    truth : ndarray of int, shape (n_windows,)
        Class numbers.
    probabilities : ndarray of float, shape (n_windows, n_classes)
        Predicted class probabilities.
    folds : ndarray of int, shape (n_windows,), optional
        Fold of each window; one fold by default.

    Returns
    -------
    float
        NaN if no fold has windows of two classes.

    References
    ----------
    Parker, Guenter, Bedo (2007). Stratification bias in low signal microarray studies. BMC Bioinformatics 8, 326.
    """
    folds = np.zeros(len(truth), dtype=int) if folds is None else folds
    areas = []
    for k in range(probabilities.shape[1]):
        positive, won, pairs = np.asarray(truth) == k, 0.0, 0
        for fold in np.unique(folds):
            own = folds == fold
            first, second = probabilities[own & positive, k], np.sort(probabilities[own & ~positive, k])
            won += (np.searchsorted(second, first) + np.searchsorted(second, first, "right")).sum() / 2
            pairs += len(first) * len(second)
        if pairs:
            areas.append(won / pairs)
    return float(np.mean(areas)) if areas else float("nan")


def mean_absolute_error(counts: Codes) -> float:
    """Compute the mean distance of predicted and true classes.

    Parameters
    ----------
    counts : ndarray of int, shape (n_classes, n_classes)
        Confusion matrix, rows are true classes; classes are in an order.

    Returns
    -------
    float
        In classes; NaN without windows.
    """
    return float((counts * _distances(counts)).sum() / counts.sum()) if counts.sum() else float("nan")


def quadratic_kappa(counts: Codes) -> float:
    """Compute Cohen's kappa with quadratic weights (Cohen, 1968).

    Parameters
    ----------
    counts : ndarray of int, shape (n_classes, n_classes)
        Confusion matrix, rows are true classes; classes are in an order.

    Returns
    -------
    float
        1 for equal classes, 0 for agreement by chance; NaN if all windows have the same true class.
    """
    by_chance = np.outer(counts.sum(axis=1), counts.sum(axis=0)) / max(1, counts.sum())
    squares = _distances(counts) ** 2
    expected = float((by_chance * squares).sum())
    return 1 - float((counts * squares).sum()) / expected if expected else float("nan")


def _distances(counts: Codes) -> Codes:
    places = np.arange(len(counts))
    return np.abs(places[:, None] - places)


def rank_correlation(truth: Codes, probabilities: Floats, folds: Codes | None = None) -> float:
    """Compute the rank correlation of true and expected classes, by ranks within folds (see `auroc`).

    Parameters
    ----------
    truth : ndarray of int, shape (n_windows,)
        Class numbers; classes are in an order.
    probabilities : ndarray of float, shape (n_windows, n_classes)
        Predicted class probabilities.
    folds : ndarray of int, shape (n_windows,), optional
        Fold of each window; one fold by default.

    Returns
    -------
    float
        Spearman's correlation; 0 if the expected class is the same for all windows of each fold, NaN if the true one
        is.
    """
    return rating_correlation(truth, probabilities @ np.arange(probabilities.shape[1]), folds)


def rating_error(ratings: Floats, expected: Floats, folds: Codes | None = None) -> float:
    """Compute the mean distance of expected and true ratings.

    Parameters
    ----------
    ratings, expected : ndarray of float, shape (n_windows,)
        True and expected ratings.
    folds : ndarray of int, shape (n_windows,), optional
        Has no effect.

    Returns
    -------
    float
        In units of the scale; NaN without windows.
    """
    return float(np.abs(ratings - expected).mean()) if len(ratings) else float("nan")


def rating_correlation(ratings: Floats | Codes, expected: Floats, folds: Codes | None = None) -> float:
    """Compute the rank correlation of true and expected ratings, by ranks within folds (see `auroc`).

    Parameters
    ----------
    ratings, expected : ndarray of float, shape (n_windows,)
        True and expected ratings.
    folds : ndarray of int, shape (n_windows,), optional
        Fold of each window; one fold by default.

    Returns
    -------
    float
        Spearman's correlation; 0 if the expected rating is the same for all windows of each fold, NaN if the true one
        is.
    """
    folds = np.zeros(len(ratings), dtype=int) if folds is None else folds
    # Differences in the last bits are none.
    first, second = _centred_ranks(np.asarray(ratings), folds), _centred_ranks(expected.round(9), folds)
    size = float(np.sqrt((first @ first) * (second @ second)))
    return float(first @ second) / size if size else 0.0 if first.any() else float("nan")


def _centred_ranks(values: NDArray[Any], folds: Codes) -> Floats:
    """Return ranks within folds, as shares of the windows of a fold around 0; equal values have their mean rank."""
    _, fold, sizes = np.unique(folds, return_inverse=True, return_counts=True)
    ranks: Floats = pd.Series(values).groupby(fold).rank().to_numpy()
    return (ranks - (sizes[fold] + 1) / 2) / sizes[fold]


class Metric(NamedTuple):
    """A metric.

    Attributes
    ----------
    label : str
        Name in figures and tables.
    score : callable
        Value for true classes (n,), probabilities (n, classes) and folds (n,) or None; for a metric of ratings, true
        and expected ratings (n,) take the place of classes and probabilities.
    of : str
        Of `classes`, of an `order` of classes, or of a `rating`.
    lower : bool
        Whether lower is better.
    bounds : tuple of float
        Least and largest value.
    """

    label: str
    score: Callable[[Any, Floats, Codes | None], float]
    of: Literal["classes", "order", "rating"] = "classes"
    lower: bool = False
    bounds: Bounds = (0.0, 1.0)


def _of_counts(label: str, score: Callable[[Codes], Any], **about: Any) -> Metric:
    """Return a metric of confusion matrices."""

    def of_predictions(truth: Codes, probabilities: Floats, folds: Codes | None = None) -> float:
        return float(score(confusion(truth, probabilities.argmax(axis=1), probabilities.shape[1])))

    return Metric(label, of_predictions, **about)


# Every metric is scored, compared and reported; `compare.metric` names the one of the verdict.
METRICS: Registry[Metric] = Registry(
    "metric",
    {
        "macro_f1": _of_counts("macro-F1", macro_f1),
        "balanced_accuracy": _of_counts("balanced accuracy", balanced_accuracy),
        "accuracy": _of_counts("accuracy", accuracy),
        "auroc": Metric("AUROC", auroc),
        "published_f1": _of_counts("F1 as published (faulty)", published_f1),
        "mean_absolute_error": _of_counts(
            "mean absolute error (lower is better)", mean_absolute_error, of="order", lower=True, bounds=(0.0, np.inf)
        ),
        "quadratic_kappa": _of_counts("quadratic kappa", quadratic_kappa, of="order", bounds=(-1.0, 1.0)),
        "rank_correlation": Metric("rank correlation", rank_correlation, of="order", bounds=(-1.0, 1.0)),
        "rating_error": Metric(
            "error of the rating (lower is better)", rating_error, of="rating", lower=True, bounds=(0.0, np.inf)
        ),
        "rating_correlation": Metric(
            "rank correlation of the rating", rating_correlation, of="rating", bounds=(-1.0, 1.0)
        ),
    },
)


def scores(
    truth: Codes,
    probabilities: Floats,
    folds: Codes | None = None,
    ordinal: bool = False,
    ratings: tuple[Floats, Floats] | None = None,
) -> dict[str, float]:
    """Compute every metric.

    Parameters
    ----------
    truth : ndarray of int, shape (n_windows,)
        Class numbers.
    probabilities : ndarray of float, shape (n_windows, n_classes)
        Predicted class probabilities.
    folds : ndarray of int, shape (n_windows,), optional
        Fold of each window; one fold by default.
    ordinal : bool, default False
        Whether classes are in an order; otherwise, metrics that need one are left out.
    ratings : tuple of ndarray of float, shape (n_windows,), optional
        True and expected ratings; without them, metrics of ratings are left out.

    Returns
    -------
    dict of str to float
        Value by metric; NaN for windows of one class, which a constant would predict without error.
    """
    scored = len(np.unique(truth)) > 1
    seen: dict[str, tuple[Any, Any]] = {"classes": (truth, probabilities)}
    seen |= {"order": (truth, probabilities)} if ordinal else {}
    seen |= {"rating": ratings} if ratings else {}
    return {
        name: metric.score(*seen[metric.of], folds) if scored else float("nan")
        for name, metric in METRICS.items()
        if metric.of in seen
    }
