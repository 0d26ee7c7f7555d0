"""What predictions are worth in use: sets of classes with a known coverage, and the net benefit of acting on them.

The set of a window has the classes whose probability is high enough. How high is enough is found on the windows of all
other participants, each with the same weight (split conformal prediction with groups). If participants are alike, the
set of a window of a participant who is left out holds the true class with the asked probability, but for a part of
1 / (1 + others), which a participant unlike all others can cost. The coverage of left-out participants shows what
holds. A window whose set does not have one class is unknown: several classes are likely, or none is.

References
----------
Lee, Barber, Willett (2023). Distribution-free inference with hierarchical data. arXiv:2306.06342.
Vickers, Elkin (2006). Decision curve analysis. Medical Decision Making 26, 565-574.
"""

from typing import Any

import numpy as np
import pandas as pd

from lifelog.arrays import Bools, Codes, Floats
from lifelog.intervals import estimate_mean
from lifelog.predict.probabilities import class_probabilities
from lifelog.settings.compare import Compare

STEPS = 20  # of a risk-coverage curve


def left_out_thresholds(scores: Floats, users: Codes, alpha: float) -> Floats:
    """Return the largest nonconformity of a class in the sets of each user, from the windows of all other users.

    Parameters
    ----------
    scores : ndarray of float, shape (n_windows,)
        Nonconformity of the true class: 1 minus its probability.
    users : ndarray of int, shape (n_windows,)
        User of each window, from 0.
    alpha : float
        Share of windows whose true class may be outside of its set.

    Returns
    -------
    ndarray of float, shape (n_users,)
        The quantile of the mean distribution of the others; 1, so that sets have all classes, without others.
    """
    sizes = np.bincount(users)
    needed = (1 - alpha) * (len(sizes) - 1)  # of the sum of the distributions of the others
    thresholds = np.ones(len(sizes))
    if len(sizes) < 2:
        return thresholds
    order = np.argsort(scores, kind="stable")
    ordered, total = scores[order], np.cumsum(1 / sizes[users[order]])
    for user, size in enumerate(sizes):
        own = np.sort(scores[users == user])
        # Between two places, the first one at which the distributions of the others reach what is needed.
        low, high = 0, len(ordered) - 1
        while low < high:
            middle = (low + high) // 2
            reached = total[middle] - np.searchsorted(own, ordered[middle], "right") / size
            low, high = (low, middle) if reached >= needed - 1e-9 else (middle + 1, high)
        thresholds[user] = ordered[low]
    return thresholds


def class_sets(probabilities: Floats, thresholds: Floats) -> Bools:
    """Return which classes are in the set of each window.

    Parameters
    ----------
    probabilities : ndarray of float, shape (n_windows, n_classes)
        Calibrated class probabilities.
    thresholds : ndarray of float, shape (n_windows,)
        Largest nonconformity.
    """
    return np.asarray(1 - probabilities <= thresholds[:, None] + 1e-12)


def net_benefit(truth: Bools, acted: Bools, threshold: float) -> float:
    """Compute the net benefit: the share of windows rightly acted on, minus the weighted share of those wrongly.

    Parameters
    ----------
    truth, acted : ndarray of bool, shape (n_windows,)
        Whether a window is of the class, and whether it is acted on.
    threshold : float
        Probability from which on acting is worthwhile; it weighs a wrong act by threshold / (1 - threshold).
    """
    return float((acted & truth).mean() - (acted & ~truth).mean() * threshold / (1 - threshold))


def judge_use(tables: dict[tuple[str, str], pd.DataFrame], settings: Compare) -> pd.DataFrame:
    """Judge sets of classes and acts of several models for every user.

    Parameters
    ----------
    tables : dict of (str, str) to pandas.DataFrame
        Predictions by predictor and scheme; random groupings are left out.
    settings : Compare
        alpha, and the threshold from which on a window of the last class is acted on.

    Returns
    -------
    pandas.DataFrame
        predictor, scheme, user, windows, coverage (share of windows whose set holds the true class), rare_coverage (the
        same for the user's rarest class), single (share of windows whose set has one class), right (share of these that
        are right); and with a threshold net_benefit and treat_all, that of acting on all windows.
    """
    rows = list[dict[str, Any]]()
    for (predictor, scheme), table in tables.items():
        if scheme.startswith("random"):
            continue
        p, truth = class_probabilities(table), table.truth.to_numpy()
        names, users = np.unique(table.user.to_numpy(dtype=str), return_inverse=True)
        places = np.arange(len(truth))
        thresholds = left_out_thresholds(1 - p[places, truth], users, settings.alpha)
        sets = class_sets(p, thresholds[users])
        covered, single = sets[places, truth], sets.sum(axis=1) == 1
        for user, name in enumerate(names):
            own = users == user
            counts = np.bincount(truth[own])
            rare = own & (truth == np.where(counts > 0, counts, len(truth) + 1).argmin())
            row = {"predictor": predictor, "scheme": scheme, "user": name, "windows": int(own.sum())}
            row |= {
                "coverage": covered[own].mean(),
                "rare_coverage": covered[rare].mean(),
                "single": single[own].mean(),
            }
            row["right"] = covered[own & single].mean() if (own & single).any() else np.nan
            if settings.threshold is not None:
                true, acted = truth[own] == p.shape[1] - 1, p[own, -1] >= settings.threshold
                row["net_benefit"] = net_benefit(true, acted, settings.threshold)
                row["treat_all"] = net_benefit(true, np.ones(own.sum(), dtype=bool), settings.threshold)
            rows.append(row)
    columns = ["predictor", "scheme", "user", "windows", "coverage", "rare_coverage", "single", "right"]
    return pd.DataFrame(rows, columns=[*columns, "net_benefit", "treat_all"])


def use_sentences(use: pd.DataFrame, predictor: str, scheme: str, settings: Compare) -> list[str]:
    """Return what the sets and acts of a model are worth, in sentences.

    Parameters
    ----------
    use : pandas.DataFrame
        Table of `judge_use`.
    predictor, scheme : str
        The model.
    settings : Compare
        alpha, threshold and confidence level.
    """
    rows = use[(use.predictor == predictor) & (use.scheme == scheme)]
    asked, model = 1 - settings.alpha, f"{predictor} ({scheme})"
    if len(rows) < 2:
        return []

    def of_users(column: str, bounds: tuple[float, float] = (0.0, 1.0), form: str = ".0%") -> str:
        found = estimate_mean(rows[column].dropna().to_numpy(), settings.confidence, bounds=bounds)
        return f"{found.mean:{form}} [{found.low:{form}}, {found.high:{form}}]"

    sentences = [
        f"Sets of classes of {model} hold the true class in {of_users('coverage')} of the windows of a participant who "
        f"is left out (asked: {asked:.0%}), in {of_users('rare_coverage')} of those of the participant's rarest class. "
        f"In {of_users('single')} of windows they name one class; the other windows are unknown."
    ]
    if settings.threshold is not None:
        every = (-np.inf, np.inf)
        gain = rows.net_benefit - np.maximum(rows.treat_all, 0)
        best = estimate_mean(gain.to_numpy(), settings.confidence)
        worth = "is worth more than" if best.low > 0 else "is not shown to be worth more than"
        sentences.append(
            f"Acting on windows whose last class has a probability of {settings.threshold:g} or more {worth} acting on "
            f"all or none: net benefit {of_users('net_benefit', every, '.3f')}, of acting on all "
            f"{of_users('treat_all', every, '.3f')}."
        )
    return sentences


def risk_coverage(table: pd.DataFrame, confidence: float) -> pd.DataFrame:
    """Compute the share of wrong predictions among the most certain windows of each user.

    Parameters
    ----------
    table : pandas.DataFrame
        Predictions of a model.
    confidence : float
        Confidence level of the intervals over users.

    Returns
    -------
    pandas.DataFrame
        answered (share of windows), wrong (mean over users), low, high.
    """
    p, truth = class_probabilities(table), table.truth.to_numpy()
    certain, wrong = p.max(axis=1), p.argmax(axis=1) != truth
    shares = np.arange(1, STEPS + 1) / STEPS
    curves = []
    for rows in table.groupby("user").indices.values():
        order = np.argsort(-certain[rows], kind="stable")
        mean = np.cumsum(wrong[rows][order]) / np.arange(1, len(rows) + 1)
        curves.append(mean[np.maximum(np.ceil(shares * len(rows) - 1e-9).astype(int), 1) - 1])
    estimates = [estimate_mean(values, confidence, bounds=(0.0, 1.0)) for values in np.array(curves).T]
    columns = {"wrong": [x.mean for x in estimates], "low": [x.low for x in estimates]}
    return pd.DataFrame({"answered": shares} | columns | {"high": [x.high for x in estimates]})
