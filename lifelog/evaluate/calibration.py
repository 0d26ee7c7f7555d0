"""Quality of probabilities: proper scores and reliability curves, before and after calibration."""

from typing import Any, NamedTuple

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from scipy.special import stdtrit

from lifelog.arrays import Codes, Floats
from lifelog.intervals import estimate_mean
from lifelog.predict.probabilities import MIN_PROBABILITY, class_probabilities
from lifelog.settings.predict import COMBINED

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
    bins = _bins(top)
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


def _bins(probabilities: Floats) -> Codes:
    """Return the number of the bin of each probability."""
    return np.minimum((probabilities * BINS).astype(int), BINS - 1)


def _shares_and_error(sums: Floats) -> tuple[Floats, Floats]:
    """Return shares of right predictions (n, bins), NaN without windows, and errors (n,), of sums (n, 3, bins)."""
    windows, predicted, right = np.moveaxis(sums, 1, 0)
    shares = np.divide(right, windows, where=windows > 0, out=np.full_like(right, np.nan))
    return shares, np.abs(predicted - right).sum(axis=1) / windows.sum(axis=1)


def class_errors(truth: Codes, probabilities: Floats) -> Floats:
    """Compute the expected calibration error of the probability of each class, in bins of probability.

    Parameters
    ----------
    truth : ndarray of int, shape (n_windows,)
        Class numbers.
    probabilities : ndarray of float, shape (n_windows, n_classes)
        Class probabilities.

    Returns
    -------
    ndarray of float, shape (n_classes,)
        Mean distance of the probability of a class from the share of windows of that class.

    References
    ----------
    Kull et al. (2019). Beyond temperature scaling: obtaining well-calibrated multi-class probabilities with Dirichlet
    calibration. NeurIPS.
    """
    errors = []
    for k, p in enumerate(probabilities.T):
        errors.append(np.abs(np.bincount(_bins(p), p - (truth == k), BINS)).sum() / len(truth))
    return np.array(errors)


SCORES = {"log_loss": log_losses, "brier_score": brier_scores}
MEASURES = {
    "log_loss": "log-loss (nats)",
    "brier_score": "Brier score",
    "calibration_error": "calibration error",
    "class_error": "calibration error of the worst class",
    "rating_error": "error of the rating",
}
CONSTANT = "majority"  # the predictor of constant class shares


def compare_calibration(tables: dict[tuple[str, str], pd.DataFrame], confidence: float) -> pd.DataFrame:
    """Score the probabilities of several models before and after calibration, beside constant class shares.

    Parameters
    ----------
    tables : dict of (str, str) to pandas.DataFrame
        Predictions by predictor and scheme; random groupings are left out.
    confidence : float
        Confidence level of the intervals over users.

    Returns
    -------
    pandas.DataFrame
        predictor, scheme, measure (a key of `MEASURES`; lower is better), calibrated (whether after calibration),
        users, value (mean over users; of all windows for calibration errors), low, high. Rows of log_loss, brier_score
        and rating_error after calibration also have constant (the value of the predictor `majority` under the same
        scheme, under `personal` for models per participant, or under `global`), and the difference to it: difference,
        difference_low, difference_high.
    """
    tables = {key: table for key, table in tables.items() if not key[1].startswith("random")}
    rows, scored = [], _scores(tables)
    for (predictor, scheme), table in tables.items():
        truth, users = table.truth.to_numpy(), table.user.to_numpy()
        about = {"predictor": predictor, "scheme": scheme, "users": table.user.nunique()}
        for (measure, calibrated), by_user in scored[predictor, scheme].items():
            estimate = estimate_mean(by_user.to_numpy(), confidence, bounds=(0.0, np.inf))
            row = about | {"measure": measure, "calibrated": calibrated}
            rows.append(row | {"value": estimate.mean, "low": estimate.low, "high": estimate.high})
            same = "personal" if scheme in COMBINED else scheme  # a model per participant knows its class shares
            constant = scored.get((CONSTANT, same), scored.get((CONSTANT, "global")))
            if calibrated and constant is not None and predictor != CONSTANT:
                of_constant = constant[measure, True]
                gain = estimate_mean((by_user - of_constant).dropna().to_numpy(), confidence)
                rows[-1] |= {"constant": float(of_constant.mean()), "difference": gain.mean}
                rows[-1] |= {"difference_low": gain.low, "difference_high": gain.high}
        for calibrated, prefix in ((False, "raw_"), (True, "p_")):
            p, row = class_probabilities(table, prefix), about | {"calibrated": calibrated}
            _, error, low, high = reliability(truth, p, users, confidence)
            rows.append(row | {"measure": "calibration_error", "value": error, "low": low, "high": high})
            rows.append(row | {"measure": "class_error", "value": float(class_errors(truth, p).max())})
    columns = ["predictor", "scheme", "measure", "calibrated", "users", "value", "low", "high"]
    more = ["constant", "difference", "difference_low", "difference_high"]
    return pd.DataFrame(rows, columns=[*columns, *more])


def _scores(tables: dict[tuple[str, str], pd.DataFrame]) -> dict[tuple[str, str], dict[tuple[str, bool], pd.Series]]:
    """Return the mean scores of users by model, measure and whether they are those after calibration."""
    scored = {}
    for model, table in tables.items():
        windows = dict[tuple[str, bool], Floats]()
        for calibrated, prefix in ((False, "raw_"), (True, "p_")):
            p = class_probabilities(table, prefix)
            windows |= {(name, calibrated): score(table.truth.to_numpy(), p) for name, score in SCORES.items()}
        if "expected" in table:
            windows["rating_error", True] = (table.rating - table.expected).abs().to_numpy()
        scored[model] = {
            key: pd.Series(values).groupby(table.user.to_numpy()).mean() for key, values in windows.items()
        }
    return scored


def against_constant(calibration: pd.DataFrame, predictor: str, scheme: str) -> tuple[str, pd.DataFrame]:
    """Return whether the probabilities of a model are better than constant class shares.

    Parameters
    ----------
    calibration : pandas.DataFrame
        Table of `compare_calibration`.
    predictor, scheme : str
        The model.

    Returns
    -------
    outcome : str
        better (every score, with its interval), worse (a score, on average), unclear, or empty without these scores.
    rows : pandas.DataFrame
        Rows of log-loss and Brier score after calibration.
    """
    rows = calibration[(calibration.predictor == predictor) & (calibration.scheme == scheme) & calibration.calibrated]
    rows = rows[rows.difference.notna() & rows.measure.isin(SCORES)]
    if rows.empty:
        return "", rows
    if (rows.difference >= 0).any():
        return "worse", rows
    return ("better" if (rows.difference_high < 0).all() else "unclear"), rows


def listed_scores(rows: pd.DataFrame) -> str:
    """Return scores beside those of constant class shares as words, of the rows of `against_constant`."""
    return " and ".join(
        f"{MEASURES[row.measure].partition(' (')[0]} {row.value:.2f} against {row.constant:.2f}"
        for row in rows.itertuples()
    )


WORDS = {"better": "are better than", "unclear": "are not shown to be better than", "worse": "are not better than"}


def constant_sentence(calibration: pd.DataFrame, predictor: str, scheme: str) -> str:
    """Return the sentence about `against_constant`; empty without scores."""
    outcome, rows = against_constant(calibration, predictor, scheme)
    if not outcome:
        return ""
    advice = "; do not use them as numbers" if outcome == "worse" else ""
    scores = listed_scores(rows)
    return f"Probabilities of {predictor} ({scheme}) {WORDS[outcome]} constant class shares: {scores}{advice}."
