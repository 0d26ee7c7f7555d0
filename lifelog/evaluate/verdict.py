"""The conclusion of a comparison: whether grouping by importance helps, and whether the split leaks.

Grouping by importance helps a predictor if it beats one global model (the interval over users is above 0, and Holm's
p-value below the level) and random groups of the same sizes (permutation p-value below the level): smaller groups may
help, however they are formed.
"""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np
import pandas as pd

from lifelog.evaluate.compare import EVERYONE, bootstrap_interval, permutation_p
from lifelog.settings.compare import Compare
from lifelog.settings.predict import SENSORLESS, TIME_ONLY
from lifelog.tables import plain

CHANCE = 0.5  # AUROC of a model without information; macro-F1 has no such reference
MEASURED = 0.5  # minimum share of users whose importance is measured
MAX_WORDS = 16  # of the headline, which the report shows after target and split
LIMITS = (
    "The results apply to these participants, windows and models. "
    "They do not show that a sensor measures what is predicted."
)
CLEAN = "Test windows were not used for grouping, training or model selection. "
UNCLEAN = "Groups were formed from the test windows on which they are evaluated (groups.subsets). "

# By outcome: its name in tables and short headlines, and the statement about the predictors with it.
OUTCOMES = {
    "gain": ("gain", "grouping by importance improves {}"),
    "gain_not_specific": ("unspecific gain", "importance groups improve {}, but not clearly more than random groups"),
    "gain_untested": (
        "untested gain",
        "importance groups improve {}; not tested against enough random groupings (groups.random)",
    ),
    "loss": ("loss", "grouping by importance worsens {}"),
    "no_difference": ("no clear difference", "no clear difference for {}"),
    "too_few_users": ("too few participants", "too few participants to test {}"),
}
MAX_SHORT = 3  # outcomes that are counted in the headline


class Grouping(NamedTuple):
    """The importance groups of a comparison: their number, and the share of users whose importance is measured."""

    groups: int
    measured: float


def verdict(
    by_user: pd.DataFrame,
    comparison: pd.DataFrame,
    settings: Compare,
    subsets: list[str],
    grouping: Grouping | None = None,
) -> dict[str, Any]:
    """Draw the conclusion of a comparison.

    Parameters
    ----------
    by_user : pandas.DataFrame
        Table of `score_users`.
    comparison : pandas.DataFrame
        Table of `compare_predictors`.
    settings : Compare
        Metric, confidence level and bootstrap.
    subsets : list of str
        Subsets whose importance formed the groups.
    grouping : Grouping, optional
        The importance groups; without them, the headline assumes that importance is measured.

    Returns
    -------
    dict
        For JSON: metric, headline, one finding per predictor, leak check, users without a score, limits.
    """
    rows = comparison[comparison.metric == settings.metric].set_index(["predictor", "scheme"])
    auroc = comparison[comparison.metric == "auroc"].set_index(["predictor", "scheme"])
    informed = auroc.low > CHANCE  # False without an interval
    names = dict.fromkeys(rows.index.get_level_values("predictor"))
    grouped = [name for name in names if name not in SENSORLESS and (name, "importance") in rows.index]
    p_random = random_p(rows["mean"], grouped)
    family = max(1, rows.p_holm.notna().sum())
    sensorless = rows["mean"][rows.index.get_level_values("predictor").isin(SENSORLESS)].dropna()
    findings = []
    for name in grouped:
        finding = _finding(name, rows.loc[name], p_random[name], settings.level)
        if finding["outcome"] == "no_difference" and family * 2.0 ** (1 - finding["users"]) >= settings.level:
            # Even if all users were better, Wilcoxon's p-value after Holm would not be below the level.
            finding["outcome"] = "too_few_users"
        finding["better_than_chance"] = bool(informed[name, "importance"] or informed[name, "global"])
        finding["sensorless"] = None
        if len(sensorless) and finding["global"] is not None and sensorless.max() >= finding["global"]:
            finding["sensorless"] = {"model": " ".join(sensorless.idxmax()), "score": plain(sensorless.max())}
        findings.append(finding)
    return {
        "metric": settings.metric,
        "headline": headline(findings, grouping),
        "findings": findings,
        "leak": leak_check(by_user, rows, informed, settings),
        "left_out": left_out(by_user, settings.metric),
        "limits": (UNCLEAN if "test" in subsets else CLEAN) + LIMITS,
    }


def left_out(by_user: pd.DataFrame, metric: str) -> list[str]:
    """Return the users without a defined score: their test windows hold a single class.

    Parameters
    ----------
    by_user : pandas.DataFrame
        Table of `score_users`.
    metric : str
        The metric of the verdict.

    Returns
    -------
    list of str
        By name; they are in no mean, difference or test of the metric.
    """
    users = by_user[by_user.user != EVERYONE]
    return sorted(users.user[users[metric].isna()].unique())


def random_p(means: pd.Series, predictors: list[str]) -> dict[str, float | None]:
    """Compute the permutation p-value of importance groups among random ones, corrected over predictors.

    All predictors use the same random groupings. The gain of a predictor is compared with the greatest gain of any
    predictor in each grouping (single-step maximum of Westfall and Young, 1993). For one predictor, this is the share
    of random groupings that are at least as good.

    Parameters
    ----------
    means : pandas.Series
        Mean score by predictor and scheme.
    predictors : list of str
        Predictors with importance groups.

    Returns
    -------
    dict of str to float or None
        By predictor; None without random groupings.
    """
    table = means[means.index.get_level_values("scheme").str.fullmatch(r"importance|random-\d+")].unstack("predictor")
    if not predictors:
        return {}
    tested = [name for name in predictors if name in table and table[name].notna().all() and len(table) > 1]
    scores = table[tested]
    scores = (scores - scores.mean()) / scores.std(ddof=0).replace(0, np.nan)
    greatest = scores.drop(index="importance").max(axis=1).to_numpy()
    p = {name: permutation_p(scores[name]["importance"], greatest) for name in tested}
    return {name: p.get(name) for name in predictors}


def _finding(predictor: str, rows: pd.DataFrame, p_random: float | None, alpha: float) -> dict[str, Any]:
    """Compare the importance groups of a predictor with one global model and with the control groups."""
    importance, shared = rows.loc["importance"], rows.loc["global"]
    random = rows["mean"][rows.index.str.startswith("random")].dropna().to_numpy()
    clear = importance.p_holm < alpha  # False without a p-value (fewer than two users)
    outcome = "no_difference"
    if clear and importance.difference_low > 0:
        if p_random is not None and p_random < alpha:
            outcome = "gain"
        else:
            outcome = "gain_not_specific" if 1 / (1 + len(random)) < alpha else "gain_untested"
    elif clear and importance.difference_high < 0:
        outcome = "loss"
    columns = ("difference", "difference_low", "difference_high", "p_holm")
    of_random = {"random": random.mean, "random_min": random.min, "random_max": random.max}
    return {
        "predictor": predictor,
        "outcome": outcome,
        "users": int(importance.users),
        "users_better": int(importance.users_better),
        "global": plain(shared["mean"]),
        "importance": plain(importance["mean"]),
        **{column: plain(importance[column]) for column in columns},
        "random_groupings": len(random),
        **{key: plain(function()) if len(random) else None for key, function in of_random.items()},
        "p_random": p_random,
        "raw": plain(rows["mean"].get("raw")),
    }


def headline(findings: list[dict[str, Any]], grouping: Grouping | None = None) -> str:
    """Return the conclusion in at most 16 words."""
    if not findings:
        return "No predictor was trained in importance groups."
    if grouping and grouping.measured < MEASURED:
        return "Importance is not measured for most participants: groups by it cannot be judged."
    if grouping and grouping.groups == 1:
        return "Participants do not differ measurably: importance forms one group."
    predictors: dict[str, list[str]] = {}
    for outcome in OUTCOMES:
        if names := [finding["predictor"] for finding in findings if finding["outcome"] == outcome]:
            predictors[outcome] = names
    if list(predictors) == ["no_difference"]:
        return "Grouping by importance makes no clear difference."
    text = "; ".join(OUTCOMES[outcome][1].format(", ".join(names)) for outcome, names in predictors.items())
    if len(text.split()) > MAX_WORDS:
        counts = {OUTCOMES[outcome][0]: len(names) for outcome, names in predictors.items()}
        if len(counts) > MAX_SHORT:
            first = dict(list(counts.items())[: MAX_SHORT - 1])
            counts = first | {"other results": len(findings) - sum(first.values())}
        text = "importance groups: " + ", ".join(f"{outcome} for {count}" for outcome, count in counts.items())
    return f"{text[0].upper()}{text[1:]}."


def leak_check(by_user: pd.DataFrame, rows: pd.DataFrame, informed: pd.Series, settings: Compare) -> dict[str, Any]:
    """Compare the best predictor that sees only time stamps with the best sensor model; equality indicates a leak.

    Parameters
    ----------
    by_user : pandas.DataFrame
        Table of `score_users`.
    rows : pandas.DataFrame
        The comparison of the metric, by predictor and scheme.
    informed : pandas.Series
        By predictor and scheme, whether the model is clearly better than chance; one that is not cannot leak.
    settings : Compare
        Metric, confidence level and bootstrap.

    Returns
    -------
    dict
        outcome (leak, no_leak, unclear, nothing_learned, not_checked), sentence, difference, and its interval.
    """
    users = by_user[by_user.user != EVERYONE].pivot(
        index="user", columns=["predictor", "scheme"], values=settings.metric
    )
    random = rows.index.get_level_values("scheme").str.startswith("random")
    names = rows.index.get_level_values("predictor")
    sensor, timed = rows["mean"][~names.isin(SENSORLESS) & ~random], rows["mean"][names.isin(TIME_ONLY) & ~random]
    if sensor.isna().all() or timed.isna().all() or len(users) < 2:
        sentence = "Leaks were not checked: the check needs two participants, and nearest_minute or clock."
        return {"outcome": "not_checked", "sentence": sentence}
    best, rival = sensor.idxmax(), timed.idxmax()
    lead = (users[rival] - users[best]).dropna().to_numpy()
    low, high = bootstrap_interval(lead, settings)
    if not (informed[best] or informed[rival]):
        outcome, words = "nothing_learned", "No model is clearly better than chance."
    elif high < 0:
        outcome, words = "no_leak", "No leak detected: predictors without sensors perform clearly worse."
    elif informed[rival]:
        outcome, words = "leak", "This split leaks: time stamps alone predict the label as well as the sensors."
    else:
        outcome = "unclear"
        words = "No leak detected, but sensor models are not clearly better than models without sensors."
    numbers = (
        f"Best model without sensors: {rival[0]} ({rival[1]}), {timed[rival]:.3f}; best sensor model: "
        f"{best[0]} ({best[1]}), {sensor[best]:.3f}; difference {interval(lead.mean(), low, high)}."
    )
    numbers_for_json = {"difference": plain(lead.mean()), "low": plain(low), "high": plain(high)}
    return {"outcome": outcome, "sentence": f"{words} {numbers}"} | numbers_for_json


def interval(value: float, low: float, high: float) -> str:
    """Return a difference with its interval, if there is one."""
    return f"{value:+.3f}" + ("" if np.isnan(low) else f" [{low:+.3f}, {high:+.3f}]")
