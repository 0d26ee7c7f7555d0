"""Calibration of probabilities: proper scores and reliability curves, before and after temperature scaling."""

from typing import Any, NamedTuple

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from scipy.special import stdtrit

from lifelog.arrays import Codes, Floats
from lifelog.intervals import estimate_mean
from lifelog.predict.probabilities import MIN_PROBABILITY, class_probabilities

BINS = 10  # of confidence, equally wide
DRAWS = 1000  # resamples of users


def log_losses(truth: Codes, probabilities: Floats) -> Floats:
    """Compute the negative logarithm of the probability of the true class, which is at least `MIN_PROBABILITY`.

    Parameters
    ----------
    truth : ndarray of int, shape (n_windows,)
        Class numbers.
    probabilities : ndarray of float, shape (n_windows, n_classes)
        Class probabilities.

    Returns
    -------
    ndarray of float, shape (n_windows,)
        In nats.
    """
    return np.asarray(-np.log(np.maximum(probabilities[np.arange(len(truth)), truth], MIN_PROBABILITY)))


def brier_scores(truth: Codes, probabilities: Floats) -> Floats:
    """Compute the squared distance of probabilities and true class, summed over classes (Brier, 1950).

    Parameters
    ----------
    truth : ndarray of int, shape (n_windows,)
        Class numbers.
    probabilities : ndarray of float, shape (n_windows, n_classes)
        Class probabilities.

    Returns
    -------
    ndarray of float, shape (n_windows,)
        From 0 to 2.
    """
    true = np.eye(probabilities.shape[1])[truth]
    return np.asarray(((probabilities - true) ** 2).sum(axis=1))


class Reliability(NamedTuple):
    """A reliability curve, and the mean distance from true probabilities.

    Attributes
    ----------
    curve : pandas.DataFrame
        One row per bin with windows: bin (from 0), windows, predicted (mean probability of the predicted class), right
        (share of right predictions), low, high.
    error, low, high : float
        Expected calibration error, the mean of |predicted - right| over windows, and its interval.
    """

    curve: pd.DataFrame
    error: float
    low: float
    high: float


def reliability(truth: Codes, probabilities: Floats, users: NDArray[Any], confidence: float) -> Reliability:
    """Compare the probability of the predicted class with the share of right predictions, in bins of probability.

    Parameters
    ----------
    truth : ndarray of int, shape (n_windows,)
        Class numbers.
    probabilities : ndarray of float, shape (n_windows, n_classes)
        Class probabilities.
    users : ndarray, shape (n_windows,)
        User of each window.
    confidence : float
        Confidence level of the intervals, over resamples of users.

    Returns
    -------
    Reliability
        Curve and calibration error.
    """
    _, number = np.unique(users, return_inverse=True)
    top = probabilities.max(axis=1)
    right = probabilities.argmax(axis=1) == truth
    bins = np.minimum((top * BINS).astype(int), BINS - 1)
    sums = np.zeros((number.max() + 1, 3, BINS))  # windows, probability and right predictions by user and bin
    for row, values in enumerate((np.ones(len(truth)), top, right.astype(float))):
        np.add.at(sums[:, row], (number, bins), values)
    rng, tails = np.random.default_rng(0), [(1 - confidence) / 2, (1 + confidence) / 2]
    weights = rng.multinomial(len(sums), np.full(len(sums), 1 / len(sums)), DRAWS)
    shares, errors = _shares_and_error(np.tensordot(weights.astype(float), sums, 1))
    used = np.flatnonzero(sums[:, 0].sum(axis=0))
    share, error = _shares_and_error(sums.sum(axis=0)[None])
    windows, predicted, _ = sums.sum(axis=0)[:, used]
    low, high = np.nanquantile(shares[:, used], tails, axis=0)
    # The mean of absolute values is larger in resamples than in the sample: only their spread is used.
    half = float(stdtrit(max(1, len(sums) - 1), tails[1]) * errors.std())
    if len(sums) < 2:
        low, high, half = low * np.nan, high * np.nan, np.nan
    columns = {"bin": used, "windows": windows.astype(int), "predicted": predicted / windows}
    curve = pd.DataFrame(columns | {"right": share[0, used], "low": low, "high": high})
    return Reliability(curve, float(error[0]), float(np.clip(error[0] - half, 0, None)), float(error[0] + half))


def _shares_and_error(sums: Floats) -> tuple[Floats, Floats]:
    """Return shares of right predictions (n, bins), NaN without windows, and errors (n,), of sums (n, 3, bins)."""
    windows, predicted, right = np.moveaxis(sums, 1, 0)
    shares = np.divide(right, windows, where=windows > 0, out=np.full_like(right, np.nan))
    return shares, np.abs(predicted - right).sum(axis=1) / windows.sum(axis=1)


SCORES = {"log_loss": log_losses, "brier_score": brier_scores}
MEASURES = {"log_loss": "log-loss (nats)", "brier_score": "Brier score", "calibration_error": "calibration error"}


def compare_calibration(tables: dict[tuple[str, str], pd.DataFrame], confidence: float) -> pd.DataFrame:
    """Score the probabilities of several models before and after temperature scaling; lower is better.

    Parameters
    ----------
    tables : dict of (str, str) to pandas.DataFrame
        Predictions by predictor and scheme; random groupings are left out.
    confidence : float
        Confidence level of the intervals over users.

    Returns
    -------
    pandas.DataFrame
        predictor, scheme, measure (a key of `MEASURES`), scaled (whether temperatures are applied), users, value (mean
        over users; of all windows for calibration_error), low, high.
    """
    rows = []
    for (predictor, scheme), table in tables.items():
        if scheme.startswith("random"):
            continue
        truth, users = table.truth.to_numpy(), table.user.to_numpy()
        for scaled in (False, True):
            about = {"predictor": predictor, "scheme": scheme, "scaled": scaled, "users": table.user.nunique()}
            p = class_probabilities(table, scaled)
            for measure, score in SCORES.items():
                by_user = pd.Series(score(truth, p)).groupby(users).mean()
                estimate = estimate_mean(by_user.to_numpy(), confidence, bounds=(0.0, np.inf))
                numbers = {"value": estimate.mean, "low": estimate.low, "high": estimate.high}
                rows.append(about | {"measure": measure} | numbers)
            _, error, low, high = reliability(truth, p, users, confidence)
            rows.append(about | {"measure": "calibration_error", "value": error, "low": low, "high": high})
    return pd.DataFrame(rows)[["predictor", "scheme", "measure", "scaled", "users", "value", "low", "high"]]
