"""What predictions are worth in use: sets of classes with a known coverage, and the net benefit of acting on them.

The set of a window has the classes whose probability is high enough. How high is enough is found on the windows of all
other participants, each with the same weight (split conformal prediction with groups). If participants are alike, the
set of a window of another participant holds the true class with the asked probability, but for a part of
1 / (1 + others), which a participant unlike all others can cost. The coverage of each participant by the windows of the
others shows what holds. A window whose set does not have one class is unknown: several classes are likely, or none is.

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
        The 1 - alpha quantile of the scores of the other users, each of whom has the same weight. It is 1 if there are
        no other users, so that sets have all classes.
    """
    sizes = np.bincount(users)
    needed = (1 - alpha) * (len(sizes) - 1)  # sum of the distribution functions of the other users
    thresholds = np.ones(len(sizes))
    if len(sizes) < 2:
        return thresholds
    # At distinct scores, the sum of the distributions of all users.
    values, place = np.unique(scores, return_inverse=True)
    total = np.cumsum(np.bincount(place, 1 / sizes[users]))
    by_user = np.split(place[np.argsort(users, kind="stable")], np.cumsum(sizes)[:-1])
    for user, own in enumerate(map(np.sort, by_user)):
        low, high = 0, len(values) - 1
        while low < high:
            middle = (low + high) // 2
            reached = total[middle] - np.searchsorted(own, middle, "right") / len(own)
            low, high = (low, middle) if reached >= needed - 1e-9 else (middle + 1, high)
        thresholds[user] = values[low]
    return thresholds


def common_threshold(scores: Floats, users: Codes, alpha: float) -> float:
    """Return the largest nonconformity of a class in the sets of a further user, from the windows of all users.

    Parameters
    ----------
    scores, users, alpha
        As of `left_out_thresholds`.

    Returns
    -------
    float
        The 1 - alpha quantile of the scores, with the same weight for each user; 1 for fewer than two users.
    """
    sizes = np.bincount(users)
    if len(sizes) < 2:
        return 1.0
    order = np.argsort(scores, kind="stable")
    reached = np.cumsum(1 / sizes[users[order]]) / len(sizes)
    return float(scores[order][np.searchsorted(reached, 1 - alpha - 1e-9)])


def class_sets(probabilities: Floats, thresholds: Floats) -> Bools:
    """Return which classes are in the set of each window.

    Parameters
    ----------
    probabilities : ndarray of float, shape (n_windows, n_classes)
        Calibrated class probabilities.
    thresholds : ndarray of float, shape (n_windows,)
        Largest nonconformity.

    Returns
    -------
    ndarray of bool, shape (n_windows, n_classes)
        A set may have several classes, or none.
    """
    return np.asarray(1 - probabilities <= thresholds[:, None] + 1e-12)


def net_benefit(truth: Bools, acted: Bools, threshold: float) -> float:
    """Compute the net benefit: the share of windows rightly acted on, minus the weighted share of those wrongly.

    Parameters
    ----------
    truth, acted : ndarray of bool, shape (n_windows,)
        Whether a window is of the class, and whether it is acted on.
    threshold : float
        Least probability at which a window is acted on. A wrong act has the weight threshold / (1 - threshold).

    Returns
    -------
    float
        In true windows per window; 0 if no window is acted on.
    """
    return float((acted & truth).mean() - (acted & ~truth).mean() * threshold / (1 - threshold))


def judge_use(tables: dict[tuple[str, str], pd.DataFrame], settings: Compare) -> pd.DataFrame:
    """Judge sets of classes and acts of several models for every user.

    Parameters
    ----------
    tables : dict of (str, str) to pandas.DataFrame
        Predictions by predictor and scheme; random groupings are left out.
    settings : Compare
        alpha, and threshold, the least probability of the last class at which a window is acted on.

    Returns
    -------
    pandas.DataFrame
        predictor, scheme, user, windows, coverage (share of windows whose set holds the true class), rare_coverage (the
        same for the user's rarest class, NaN for users of one class), single (share of windows whose set has one
        class), right (share of these that are right); and with a threshold net_benefit and treat_all, that of acting on
        all windows.
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
        of_users = np.split(np.argsort(users, kind="stable"), np.cumsum(np.bincount(users))[:-1])
        for name, own in zip(names, of_users, strict=True):
            counts = np.bincount(truth[own], minlength=p.shape[1])
            rare = own[counts[truth[own]] == counts[counts > 0].min()] if (counts > 0).sum() > 1 else own[:0]
            known = own[single[own]]
            row = {"predictor": predictor, "scheme": scheme, "user": name, "windows": len(own)}
            row |= {"coverage": _share(covered[own]), "rare_coverage": _share(covered[rare])}
            row |= {"single": _share(single[own]), "right": _share(covered[known])}
            if settings.threshold is not None:
                true, acted = truth[own] == p.shape[1] - 1, p[own, -1] >= settings.threshold
                row["net_benefit"] = net_benefit(true, acted, settings.threshold)
                row["treat_all"] = net_benefit(true, np.ones(len(own), dtype=bool), settings.threshold)
            rows.append(row)
    columns = ["predictor", "scheme", "user", "windows", "coverage", "rare_coverage", "single", "right"]
    return pd.DataFrame(rows, columns=[*columns, "net_benefit", "treat_all"])


def _share(values: Bools) -> float:
    return float(values.mean()) if len(values) else float("nan")


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
        f"Sets of classes of {model} hold the true class in {of_users('coverage')} of the windows of a participant "
        f"(asked: {asked:.0%}), and in {of_users('rare_coverage')} of those of the participant's rarest class; the "
        f"windows of the other participants determine the size of the sets. In {of_users('single')} of windows they "
        f"name one class, which is right in {of_users('right')} of these; the other windows are unknown."
    ]
    if settings.threshold is not None:
        every = (-np.inf, np.inf)
        gains = [rows.net_benefit - rows.treat_all, rows.net_benefit]
        shown = all(estimate_mean(gain.to_numpy(), settings.confidence).low > 0 for gain in gains)
        worth = "is worth more than" if shown else "is not shown to be worth more than"
        sentences.append(
            f"Acting on windows whose last class has a probability of {settings.threshold:g} or more {worth} acting on "
            f"all or none: net benefit {of_users('net_benefit', every, '.3f')}, of acting on all "
            f"{of_users('treat_all', every, '.3f')}."
        )
    return sentences


def risk_coverage(table: pd.DataFrame, confidence: float) -> pd.DataFrame:
    """Compute how often the likeliest class is wrong among the most certain windows of each user.

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
