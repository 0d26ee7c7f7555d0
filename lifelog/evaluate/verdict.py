"""The conclusion of a comparison: whether groups by importance help, and whether the split leaks.

Groups by importance help a predictor if they beat one global model, and distinct random groups of the same sizes
(permutation p-value): smaller groups may help, however they are formed. A difference is practically 0 if its interval
lies within a margin; otherwise, without a clear difference, the comparison is undecided.
"""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np
import pandas as pd

from lifelog.evaluate.compare import EVERYONE
from lifelog.evaluate.intervals import estimate_mean, holm, permutation_p
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

# By outcome: its name in tables, and the statement about a predictor with it.
OUTCOMES = {
    "gain": ("better", "Groups by importance improve {name}, more than random groups do."),
    "gain_not_shown": (
        "better, reason not shown",
        "Groups improve {name}; the reason is not shown.",
    ),
    "gain_untested": ("better, reason untested", "Groups improve {name}; too few random groupings to test why."),
    "loss": ("worse", "Groups by importance worsen {name}."),
    "equal": ("practically equal", "Groups by importance and one model are practically equal for {name}."),
    "undecided": ("undecided", "Undecided for {name}: only differences above {detectable} could be found."),
    "too_few_users": ("too few participants", "Too few participants to test {name}."),
}


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
    primary: str | None = None,
) -> dict[str, Any]:
    """Draw the conclusion of a comparison.

    Parameters
    ----------
    by_user : pandas.DataFrame
        Table of `score_users`.
    comparison : pandas.DataFrame
        Table of `compare_predictors`.
    settings : Compare
        Metric, confidence level and margin.
    subsets : list of str
        Subsets whose importance formed the groups.
    grouping : Grouping, optional
        The importance groups; without them, the headline assumes that importance is measured.
    primary : str, optional
        The primary predictor, which the headline is about.

    Returns
    -------
    dict
        For JSON: metric, primary predictor, headline, one finding per predictor, leak check, users without a score,
        limits.
    """
    rows = comparison[comparison.metric == settings.metric].set_index(["predictor", "scheme"])
    auroc = comparison[comparison.metric == "auroc"].set_index(["predictor", "scheme"])
    informed = auroc.low > CHANCE  # False without an interval
    sensorless = rows["mean"][rows.index.get_level_values("predictor").isin(SENSORLESS)].dropna()
    findings = [_finding(name, rows.loc[name], settings) for name in _grouped(rows)]
    _correct(findings, primary)
    for finding in findings:
        name = finding["predictor"]
        finding["outcome"] = _outcome(finding, settings)
        finding["better_than_chance"] = bool(informed[name, "importance"] or informed[name, "global"])
        finding["sensorless"] = None
        if len(sensorless) and finding["global"] is not None and sensorless.max() >= finding["global"]:
            finding["sensorless"] = {"model": " ".join(sensorless.idxmax()), "score": plain(sensorless.max())}
    return {
        "metric": settings.metric,
        "primary": primary,
        "headline": headline(findings, primary, grouping),
        "findings": findings,
        "leak": leak_check(by_user, primary, settings.confidence),
        "left_out": left_out(by_user, settings.metric),
        "limits": (UNCLEAN if "test" in subsets else CLEAN) + LIMITS,
    }


def _grouped(rows: pd.DataFrame) -> list[str]:
    """Return the sensor predictors that were trained in importance groups."""
    names = dict.fromkeys(rows.index.get_level_values("predictor"))
    return [name for name in names if name not in SENSORLESS and (name, "importance") in rows.index]


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


def _finding(predictor: str, rows: pd.DataFrame, settings: Compare) -> dict[str, Any]:
    """Compare the importance groups of a predictor with one global model and with the control groups."""
    importance, shared = rows.loc["importance"], rows.loc["global"]
    random = rows["mean"][rows.index.str.startswith("random")].dropna().to_numpy()
    columns = ("difference", "difference_low", "difference_high", "detectable", "p", "p_holm")
    of_random = {"random": random.mean, "random_min": random.min, "random_max": random.max}
    return {
        "predictor": predictor,
        "users": int(importance.users),
        "users_better": int(importance.users_better),
        "global": plain(shared["mean"]),
        "importance": plain(importance["mean"]),
        **{column: plain(importance[column]) for column in columns},
        "random_groupings": len(random),
        **{key: plain(function()) if len(random) else None for key, function in of_random.items()},
        "p_random": permutation_p(importance["mean"], random) if len(random) else None,
        "raw": plain(rows["mean"].get("raw")),
    }


def _correct(findings: list[dict[str, Any]], primary: str | None) -> None:
    """Add the p-value of a gain by importance: the larger one of both tests, corrected except for the primary one."""
    p = {f["predictor"]: max(f["p"], f["p_random"]) for f in findings if None not in (f["p"], f["p_random"])}
    others = holm(pd.Series({name: value for name, value in p.items() if name != primary}, dtype=float))
    corrected = others.to_dict() | {name: value for name, value in p.items() if name == primary}
    for finding in findings:
        finding["p_gain"] = plain(corrected.get(finding["predictor"]))


def _outcome(finding: dict[str, Any], settings: Compare) -> str:
    """Return the outcome of a predictor."""
    if finding["p_holm"] is None or 2.0 ** (1 - finding["users"]) >= settings.level:
        # Even if all users were better, a sign test would not reach the level.
        return "too_few_users"
    if finding["p_holm"] < settings.level:
        if finding["difference"] < 0:
            return "loss"
        if finding["p_gain"] is not None and finding["p_gain"] < settings.level:
            return "gain"
        smallest = 1 / (1 + finding["random_groupings"])
        return "gain_not_shown" if smallest < settings.level else "gain_untested"
    within = max(abs(finding["difference_low"]), abs(finding["difference_high"])) <= settings.margin
    return "equal" if within else "undecided"


def headline(findings: list[dict[str, Any]], primary: str | None = None, grouping: Grouping | None = None) -> str:
    """Return the conclusion about the primary predictor in at most 16 words."""
    finding = next((finding for finding in findings if finding["predictor"] == primary), None)
    if finding is None:
        return "No predictor was trained in importance groups."
    if grouping and grouping.measured < MEASURED:
        return "Importance is not measured for most participants: groups by it cannot be judged."
    if grouping and grouping.groups == 1:
        return "Participants do not differ measurably: importance forms one group."
    return statement(finding)


def statement(finding: dict[str, Any]) -> str:
    """Return the sentence about a finding."""
    detectable = finding["detectable"]
    shown = "–" if detectable is None else f"{detectable:.2f}"
    return OUTCOMES[finding["outcome"]][1].format(name=finding["predictor"], detectable=shown)


def leak_check(by_user: pd.DataFrame, primary: str | None, confidence: float) -> dict[str, Any]:
    """Compare models that see only time stamps with chance, and with the primary predictor as one global model.

    A split leaks if time stamps alone predict the label, and the sensors do not predict it clearly better. Skill is
    AUROC - 0.5, for all models alike; intervals hold together for all models that see only time stamps.

    Parameters
    ----------
    by_user : pandas.DataFrame
        Table of `score_users`.
    primary : str or None
        The primary predictor.
    confidence : float
        Confidence level.

    Returns
    -------
    dict
        outcome (leak, time_informative, no_leak, not_checked), sentence, the skill of the primary predictor, and
        `models`: of each model that sees only time stamps, its skill with interval and its share of that of the primary
        predictor.
    """
    users = by_user[by_user.user != EVERYONE].pivot(index="user", columns=["predictor", "scheme"], values="auroc")
    timed = [
        column
        for column in users.columns
        if column[0] in TIME_ONLY and not column[1].startswith("random") and users[column].count() > 1
    ]
    sensor = (users[primary, "global"] if (primary, "global") in users.columns else users.iloc[:, 0] * np.nan) - CHANCE
    if not timed or sensor.count() < 2:
        sentence = "Leaks were not checked: the check needs two participants, and nearest_minute or clock."
        return {"outcome": "not_checked", "sentence": sentence}
    skill, models = sensor.mean(), []
    for column in timed:
        own = users[column] - CHANCE
        alone = estimate_mean(own.dropna().to_numpy(), confidence, len(timed))
        lead = estimate_mean((sensor - own).dropna().to_numpy(), confidence, len(timed))
        share = plain(alone.mean / skill) if skill > 0 else None
        about = {"model": " ".join(column), "skill": plain(alone.mean), "low": plain(alone.low)}
        models.append(about | {"high": plain(alone.high), "share": share, "sensors_better": bool(lead.low > 0)})
    informative = [model for model in models if model["low"] is not None and model["low"] > 0]
    shown = max(informative or models, key=lambda model: model["skill"])
    share = "" if shown["share"] is None else f", {shown['share']:.0%} of that of {primary}"
    of_shown = f"{shown['model']}: skill {interval(shown['skill'], shown['low'], shown['high'])}{share}"
    if not informative:
        outcome, words = "no_leak", "No leak detected: time stamps alone do not clearly predict the label"
    elif all(model["sensors_better"] for model in informative):
        outcome, words = "time_informative", "Time stamps alone predict the label, but sensors predict it better"
    else:
        outcome, words = "leak", "This split may leak: time stamps alone predict the label about as well as sensors"
    sentence = f"{words} ({of_shown}; skill is AUROC - 0.5)."
    return {"outcome": outcome, "sentence": sentence, "primary_skill": plain(skill), "models": models}


def interval(value: float, low: float | None, high: float | None) -> str:
    """Return a difference with its interval, if there is one."""
    known = low is not None and high is not None and not np.isnan(low)
    return f"{value:+.3f}" + (f" [{low:+.3f}, {high:+.3f}]" if known else "")
