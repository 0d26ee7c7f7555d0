"""F1 of predicted classes, by which training selects an epoch; `lifelog.evaluate.metrics` has all metrics."""

from collections.abc import Callable

import numpy as np

from lifelog.arrays import Codes, Floats
from lifelog.registry import Registry


def confusion(truth: Codes, predicted: Codes, classes: int) -> Codes:
    """Count windows by true and predicted class.

    Parameters
    ----------
    truth, predicted : ndarray of int, shape (n_windows,)
        Class numbers.
    classes : int
        Number of classes.

    Returns
    -------
    ndarray of int, shape (classes, classes)
        Rows are true classes, columns predicted ones.
    """
    pairs = np.asarray(truth, dtype=np.int64) * classes + np.asarray(predicted, dtype=np.int64)
    return np.bincount(pairs, minlength=classes**2).reshape(classes, classes)


def macro_f1(counts: Codes) -> float:
    """Compute the mean F1 over the classes with true windows.

    Parameters
    ----------
    counts : ndarray of int, shape (n_classes, n_classes)
        Confusion matrix, rows are true classes.

    Returns
    -------
    float
        NaN without windows.
    """
    hits, present = np.diag(counts), counts.sum(axis=1) > 0
    f1 = 2 * hits / np.maximum(counts.sum(axis=1) + counts.sum(axis=0), 1)
    return float(f1[present].mean()) if present.any() else float("nan")


def published_f1(counts: Codes) -> float:
    """Compute the score of the study with its error, only for comparison with its printed figures.

    The study never clears its lists of hits between classes, so that the precision and recall of class k are those of
    classes 0..k together. The score is the harmonic mean of both means, and depends on the order of classes.

    Parameters
    ----------
    counts : ndarray of int, shape (n_classes, n_classes)
        Confusion matrix, rows are true classes.

    Returns
    -------
    float
        0 if precision and recall are 0.
    """
    hits, predicted, true = (np.cumsum(x) for x in (np.diag(counts), counts.sum(axis=0), counts.sum(axis=1)))
    precision, recall = (hits / np.maximum(predicted, 1)).mean(), (hits / np.maximum(true, 1)).mean()
    return float(2 * precision * recall / (precision + recall)) if precision + recall else 0.0


# Of confusion matrices. A metric that no training monitors is not here: adding one retrains no network.
MONITORED: Registry[Callable[[Codes], float]] = Registry(
    "monitored score", {"macro_f1": macro_f1, "published_f1": published_f1}
)


def monitored_score(name: str, truth: Codes, probabilities: Floats) -> float:
    """Compute the score that selects an epoch.

    Parameters
    ----------
    name : str
        A name of `MONITORED`.
    truth : ndarray of int, shape (n_windows,)
        Class numbers.
    probabilities : ndarray of float, shape (n_windows, n_classes)
        Probabilities of the classes, or their logarithms.

    Returns
    -------
    float
        NaN without windows.
    """
    return MONITORED[name](confusion(truth, probabilities.argmax(axis=1), probabilities.shape[1]))
