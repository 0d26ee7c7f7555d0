"""Scores of predicted classes, used to choose an epoch and to compare predictors.

Classes are numbers 0..C-1. A class that does not occur in the truth has no recall and is left out of a mean, so a
user's score is about the classes that this user has.
"""

from __future__ import annotations

import numpy as np
import pandas as pd
from numpy.typing import NDArray


def confusion(truth: NDArray, predicted: NDArray, classes: int) -> NDArray:
    """Counts, rows truth and columns prediction, shape (classes, classes)."""
    pairs = np.asarray(truth, dtype=np.int64) * classes + np.asarray(predicted, dtype=np.int64)
    return np.bincount(pairs, minlength=classes**2).reshape(classes, classes)


def macro_f1(counts: NDArray) -> float:
    """Mean F1 over the classes that occur in the truth."""
    hits, present = np.diag(counts), counts.sum(axis=1) > 0
    f1 = 2 * hits / np.maximum(counts.sum(axis=1) + counts.sum(axis=0), 1)
    return float(f1[present].mean()) if present.any() else float("nan")


def published_f1(counts: NDArray) -> float:
    """The study's score with its fault, for comparison with its printed figures alone.

    Its lists of hits are never emptied between classes, so the precision and recall of class k are those of classes
    0..k together; the score is the harmonic mean of both means, and depends on how classes are numbered.
    """
    hits, said, true = (np.cumsum(x) for x in (np.diag(counts), counts.sum(axis=0), counts.sum(axis=1)))
    precision, recall = (hits / np.maximum(said, 1)).mean(), (hits / np.maximum(true, 1)).mean()
    return float(2 * precision * recall / (precision + recall)) if precision + recall else 0.0


def balanced_accuracy(counts: NDArray) -> float:
    """Mean recall over the classes that occur in the truth."""
    present = counts.sum(axis=1) > 0
    recall = np.diag(counts)[present] / counts.sum(axis=1)[present]
    return float(recall.mean()) if present.any() else float("nan")


def accuracy(counts: NDArray) -> float:
    """Share of windows predicted right."""
    return float(np.trace(counts) / counts.sum()) if counts.sum() else float("nan")


def auroc(truth: NDArray, probabilities: NDArray) -> float:
    """Mean one-against-the-rest area under the ROC curve; NaN where only one class occurs in the truth.

    probabilities: shape (windows, classes). By ranks (Mann-Whitney), ties counted half.
    """
    areas = []
    for k in range(probabilities.shape[1]):
        positive = np.asarray(truth) == k
        n, m = positive.sum(), (~positive).sum()
        if n and m:
            ranks = pd.Series(probabilities[:, k]).rank().to_numpy()
            areas.append((ranks[positive].sum() - n * (n + 1) / 2) / (n * m))
    return float(np.mean(areas)) if areas else float("nan")


def scores(truth: NDArray, probabilities: NDArray) -> dict[str, float]:
    """All scores of one set of windows."""
    counts = confusion(truth, probabilities.argmax(axis=1), probabilities.shape[1])
    return {
        "macro_f1": macro_f1(counts),
        "balanced_accuracy": balanced_accuracy(counts),
        "accuracy": accuracy(counts),
        "auroc": auroc(truth, probabilities),
        "published_f1": published_f1(counts),
    }
