"""Which strategy of personalising to use, and how sure that is.

A strategy is a scheme that could be used in practice; controls are not strategies. The strategies of each sensor-based
predictor are compared; the recommendation is about the primary predictor. Users are resampled together for all
strategies, so that their scores stay paired. The sessions of a user are not resampled in addition: the scores of users
differ by them already.

Only a strategy that is clearly better than chance is recommended. Chance is an AUROC of .5: macro-F1 has no such
reference. Where nothing can be predicted, it is higher for predictions that vary than for constant ones.
"""

from typing import Any

import numpy as np
import pandas as pd

from lifelog.arrays import Floats
from lifelog.evaluate.calibration import constant_sentence
from lifelog.evaluate.metrics import METRICS
from lifelog.evaluate.use import use_sentences
from lifelog.intervals import CHANCE, estimate_mean
from lifelog.settings.compare import Compare
from lifelog.settings.predict import sensorless
from lifelog.tables import plain

# The simplest one first: one model, a model per user, one of all users per user, groups, several models per user.
STRATEGIES = ("global", "personal", "pooled", "tuned", "importance", "blend")
# For readers without experience in machine learning.
STRATEGY_NAMES = {
    "global": "one model for all",
    "personal": "one model per participant",
    "pooled": "per participant, others with small weight",
    "tuned": "model of all, trained further on each",
    "importance": "one model per group",
    "blend": "mean of all and own",
}
DRAWS = 1000
SURE = 0.9


def decide(
    by_user: pd.DataFrame,
    settings: Compare,
    primary: str | None = None,
    calibration: pd.DataFrame | None = None,
    leak: dict[str, Any] | None = None,
    use: pd.DataFrame | None = None,
) -> dict[str, Any]:
    """Compare the strategies of every predictor, and recommend the simplest one that is near the best one.

    Parameters
    ----------
    by_user : pandas.DataFrame
        Scores of users, of `score_users`.
    settings : Compare
        Metric and confidence level.
    primary : str, optional
        The primary predictor; the first one that sees sensors by default.
    calibration : pandas.DataFrame, optional
        Table of `compare_calibration`, whose log-loss after calibration is added to the strategies.
    leak : dict, optional
        Result of `leak_check`: nothing is recommended under a split that may leak.
    use : pandas.DataFrame, optional
        Table of `judge_use`.

    Returns
    -------
    dict
        For JSON:

        - strategies: by predictor, the simplest first: scheme, score (mean over users), low, high, p_best and p_near
          (share of the resamples in which the strategy is the best one of the predictor, or within the margin of it),
          and better_than_chance (by AUROC, with intervals that hold for all strategies together) and log_loss
        - predictor, recommended: the primary predictor, and its simplest strategy that is better than chance and has
          p_near of at least .9, None if there is none or the split may leak
        - equal: strategies that are practically equal to the recommended one: the interval of the difference is within
          the margin
        - choosing: the mean score of the strategy of the primary predictor that is chosen on the other users (honest
          value of choosing), and its difference to the global model; without intervals, since the choices depend on
          each other
        - sentence
        - use: sentences on the probabilities of the recommended strategy, or of one model: whether they are better than
          constant class shares, and what sets of classes and acts are worth
    """
    users = by_user.pivot(index="user", columns=["predictor", "scheme"])
    losses: dict[tuple[str, str], float] = {}
    if calibration is not None:
        scaled = calibration[(calibration.measure == "log_loss") & calibration.calibrated]
        losses = scaled.set_index(["predictor", "scheme"]).value.to_dict()
    strategies, chosen, compared = {}, {}, {}
    for predictor in dict.fromkeys(users[settings.metric].columns.get_level_values("predictor")):
        schemes = [scheme for scheme in STRATEGIES if (predictor, scheme) in users[settings.metric].columns]
        scores = users[settings.metric][[(predictor, scheme) for scheme in schemes]].dropna()
        if predictor not in sensorless() and schemes and len(scores) > 1:
            strategies[predictor] = _compare(scores, users["auroc"], settings, losses)
            chosen[predictor] = _choosing(scores.to_numpy())
            compared[predictor] = scores.droplevel("predictor", axis=1)
    named = primary if primary in strategies else next(iter(strategies), None)
    if named is None:
        none = "There are too few participants to compare strategies."
        nothing = dict.fromkeys(("predictor", "recommended", "choosing"))
        return {"strategies": {}, "equal": [], "sentence": none, "use": []} | nothing
    rows = strategies[named]
    candidates = (row["scheme"] for row in rows if row["p_near"] >= SURE and row["better_than_chance"])
    leaks = leak is not None and leak["outcome"] == "leak"
    recommended = None if leaks else next(candidates, None)
    equal = _equal(compared[named], recommended, settings) if recommended else []
    sentence = _sentence(named, rows, recommended, equal)
    sentence = "No strategy is recommended: this split may leak." if leaks else sentence
    choice = {"predictor": named, "recommended": recommended, "choosing": chosen[named] if len(rows) > 1 else None}
    model = named, recommended or "global"
    sentences = [] if calibration is None else [constant_sentence(calibration, *model)]
    sentences += [] if use is None else use_sentences(use, *model, settings)
    found = {"equal": equal, "sentence": sentence, "use": list(filter(None, sentences))}
    return {"strategies": strategies} | choice | found


def _compare(
    scores: pd.DataFrame, auroc: pd.DataFrame, settings: Compare, losses: dict[tuple[str, str], float]
) -> list[dict[str, Any]]:
    """Return the strategies of a predictor from the scores of users, one column each."""
    picked = np.random.default_rng(0).integers(0, len(scores), (DRAWS, len(scores)))
    drawn = scores.to_numpy()[picked].mean(axis=1)
    best = drawn.max(axis=1, keepdims=True)
    shares = (drawn == best).mean(axis=0), (drawn >= best - settings.margin).mean(axis=0)
    rows = []
    for model, first, near in zip(scores.columns, *shares, strict=True):
        score = estimate_mean(scores[model].to_numpy(), settings.confidence, bounds=METRICS[settings.metric].bounds)
        skill = (auroc[model] - CHANCE).dropna().to_numpy()
        informed = estimate_mean(skill, settings.confidence, scores.shape[1]).low > 0
        numbers = {"score": plain(score.mean), "low": plain(score.low), "high": plain(score.high)}
        shown = {"p_best": float(first), "p_near": float(near), "better_than_chance": bool(informed)}
        rows.append({"scheme": model[1]} | numbers | shown | {"log_loss": plain(losses.get(model, np.nan))})
    return rows


def _equal(scores: pd.DataFrame, recommended: str, settings: Compare) -> list[str]:
    """Return the strategies whose difference to the recommended one has an interval within the margin."""
    differences = scores.drop(columns=recommended).sub(scores[recommended], axis=0)
    estimates = {
        scheme: estimate_mean(values.to_numpy(), settings.confidence) for scheme, values in differences.items()
    }
    return [str(scheme) for scheme, x in estimates.items() if max(-x.low, x.high) <= settings.margin]


def _choosing(scores: Floats) -> dict[str, Any]:
    """Return the score of the strategy that is chosen on the other users, and its difference to the global model."""
    others = (scores.sum(axis=0) - scores) / (len(scores) - 1)
    chosen = scores[np.arange(len(scores)), others.argmax(axis=1)]
    return {"score": float(chosen.mean()), "difference": float((chosen - scores[:, 0]).mean())}


def _sentence(predictor: str, rows: list[dict[str, Any]], recommended: str | None, equal: list[str]) -> str:
    if not any(row["better_than_chance"] for row in rows):
        return f"No strategy is recommended: {predictor} is not clearly better than chance."
    if len(rows) == 1:
        return f"Recommended for {predictor}: {recommended}, the only strategy that is compared."
    likely = max(rows, key=lambda row: row["p_near"])
    near = next((row["p_near"] for row in rows if row["scheme"] == recommended), likely["p_near"])
    if recommended is None and likely["p_near"] >= SURE:
        return f"Undecided for {predictor}: {likely['scheme']} is near the best, but not clearly better than chance."
    words = f"Recommended for {predictor}: {recommended}, which is" if recommended else None
    words = words or f"Undecided for {predictor}: the most likely strategy, {likely['scheme']}, is"
    others = f" Practically equal: {', '.join(equal)}." if equal else ""
    return f"{words} near the best one in {near:.0%} of resamples.{others}"
