"""Which way of personalising to use, and how sure that is.

A way is a scheme that could be used in practice; controls are none. The ways of each predictor that sees sensors are
compared; the recommendation is about the primary predictor. Users, and the sessions of each, are resampled together for
all ways, so that their scores stay paired.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from lifelog.evaluate.compare import EVERYONE, Predictions, probabilities
from lifelog.evaluate.intervals import Estimate, estimate_mean
from lifelog.evaluate.metrics import METRICS, confusion
from lifelog.settings.compare import Compare
from lifelog.settings.predict import SENSORLESS
from lifelog.tables import plain

# The simplest one first: one model, a model per user, one of all users per user, groups, several models per user.
WAYS = ("global", "personal", "pooled", "tuned", "importance", "blend")
DRAWS = 1000
NEAR = 0.02  # of the best score
SURE = 0.9

Floats = NDArray[np.floating[Any]]


def decide(tables: Predictions, by_user: pd.DataFrame, settings: Compare, primary: str | None = None) -> dict[str, Any]:
    """Compare the ways of every predictor, and recommend the simplest one that is near the best one.

    Parameters
    ----------
    tables : dict of (str, str) to pandas.DataFrame
        Predictions by predictor and scheme.
    by_user : pandas.DataFrame
        Table of `score_users`.
    settings : Compare
        Metric and confidence level.
    primary : str, optional
        The primary predictor; the first one with several ways by default.

    Returns
    -------
    dict
        For JSON:

        - ways: by predictor, the simplest first: scheme, score (mean over users), low, high, p_best and p_near (share
          of the resamples in which the way is the best one of the predictor, or within .02 of it)
        - predictor, recommended: the primary predictor, and its simplest way with p_near of at least .9, None if there
          is none
        - choosing: the mean score of the way of the primary predictor that is chosen on the other users (honest value
          of choosing), and its difference to the global model, with intervals
        - sentence
    """
    wide = by_user.pivot(index="user", columns=["predictor", "scheme"], values=settings.metric).drop(index=EVERYONE)
    ways, chosen = {}, {}
    for predictor in dict.fromkeys(predictor for predictor, _ in tables):
        schemes = [scheme for scheme in WAYS if (predictor, scheme) in tables]
        scores = wide[[(predictor, scheme) for scheme in schemes]].dropna()
        if predictor in SENSORLESS or len(schemes) < 2 or len(scores) < 2:
            continue
        drawn = resampled_scores([tables[predictor, s] for s in schemes], list(scores.index), settings.metric)
        best = drawn.max(axis=1, keepdims=True)
        shares = (drawn == best).mean(axis=0), (drawn >= best - NEAR).mean(axis=0)
        ways[predictor] = [
            {"scheme": scheme} | _numbers("score", estimate) | {"p_best": float(first), "p_near": float(near)}
            for scheme, estimate, first, near in zip(
                schemes, (estimate_mean(x, settings.confidence) for x in scores.to_numpy().T), *shares, strict=True
            )
        ]
        chosen[predictor] = _choosing(scores.to_numpy(), settings.confidence)
    about_predictor = primary if primary in ways else next(iter(ways), None)
    if about_predictor is None:
        none = "There are no ways of personalising to choose from."
        return {"ways": {}, "predictor": None, "recommended": None, "choosing": None, "sentence": none}
    rows = ways[about_predictor]
    recommended = next((row["scheme"] for row in rows if row["p_near"] >= SURE), None)
    about = {"predictor": about_predictor, "recommended": recommended, "choosing": chosen[about_predictor]}
    return {"ways": ways} | about | {"sentence": _sentence(about_predictor, rows, recommended)}


def resampled_scores(tables: list[pd.DataFrame], users: list[str], metric: str, seed: int = 0) -> Floats:
    """Return the mean scores of users in resamples of users, and of the sessions of each user.

    Parameters
    ----------
    tables : list of pandas.DataFrame
        Predictions of the same windows by several models.
    users : list of str
        The users.
    metric : str
        A metric. One that is not of confusion matrices, such as AUROC, has resampled users only.
    seed : int
        Seed of the resamples.

    Returns
    -------
    ndarray of float, shape (n_draws, n_models)
        Mean over the drawn users with a defined score.
    """
    rng, kind = np.random.default_rng(seed), METRICS[metric]
    values = []
    for user in users:
        own = [table[table.user == user] for table in tables]
        truth, folds = own[0].truth.to_numpy(), own[0].fold.to_numpy()
        if kind.of_counts is None:
            score = np.array([kind.score(truth, probabilities(table), folds) for table in own])
            values.append(np.tile(score, (DRAWS, 1)))
            continue
        sessions = pd.factorize(own[0].session)[0]
        count, classes = sessions.max() + 1, probabilities(own[0]).shape[1]
        predicted = [probabilities(table).argmax(axis=1) for table in own]
        counts = np.array(
            [[confusion(truth[sessions == s], p[sessions == s], classes) for s in range(count)] for p in predicted]
        )
        taken = rng.multinomial(count, np.full(count, 1 / count), size=DRAWS)  # times that each session is drawn
        drawn = np.einsum("ds,msij->dmij", taken, counts)
        score = np.asarray(kind.of_counts(drawn))
        defined = (drawn.sum(axis=-1) > 0).sum(axis=-1) >= kind.classes
        values.append(np.where(defined, score, np.nan))
    picked = rng.integers(0, len(users), (DRAWS, len(users)))
    of_users = np.stack(values, axis=1)[np.arange(DRAWS)[:, None], picked]
    return np.nan_to_num(np.nanmean(of_users, axis=1))


def _choosing(scores: Floats, confidence: float) -> dict[str, Any]:
    """Return the score of the way that is chosen on the other users, and its difference to the global model."""
    others = (scores.sum(axis=0) - scores) / (len(scores) - 1)
    chosen = scores[np.arange(len(scores)), others.argmax(axis=1)]
    score, gain = (estimate_mean(values, confidence) for values in (chosen, chosen - scores[:, 0]))
    return _numbers("score", score) | {f"difference_{k}": v for k, v in _numbers("mean", gain).items()}


def _numbers(name: str, estimate: Estimate) -> dict[str, Any]:
    return {name: plain(estimate.mean), "low": plain(estimate.low), "high": plain(estimate.high)}


def _sentence(predictor: str, rows: list[dict[str, Any]], recommended: str | None) -> str:
    likely = max(rows, key=lambda row: row["p_near"])
    near = next((row["p_near"] for row in rows if row["scheme"] == recommended), likely["p_near"])
    words = f"Recommended for {predictor}: {recommended}, which is" if recommended else None
    words = words or f"Undecided for {predictor}: the most likely way, {likely['scheme']}, is"
    return f"{words} near the best one in {near:.0%} of resamples."
