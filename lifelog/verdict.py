"""What a comparison says, in words: whether grouping by importance helped, and whether the split leaks.

It claims only what the numbers carry. Grouping by importance helps a predictor if it beats one model for everyone (the
interval over users is above 0, and so is Holm's p-value below the level) and beats random groups of the same sizes
(permutation p-value below the level): smaller groups may help whatever forms them.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd

from lifelog.compare import EVERYONE, bootstrap_interval, permutation_p
from lifelog.config import SENSORLESS, Compare
from lifelog.tables import plain

BLIND = ("nearest_minute", "clock")  # what closeness in time, and the order of things, are worth
CHANCE = 0.5  # AUROC of whoever knows nothing; macro-F1 has no such mark, guessing beats the most frequent class
LIMITS = "This is about these people, windows and models; it does not show that a sensor measures what is predicted."
CLEAN = "Test windows had no part in grouping, training or choosing. "
UNCLEAN = "The groups were formed from the very test windows on which they are judged (groups.parts). "


def verdict(by_user: pd.DataFrame, comparison: pd.DataFrame, settings: Compare, parts: list[str]) -> dict[str, Any]:
    """Headline, a finding a predictor, the leak check and the limits, ready for the report.

    parts: those whose importance formed the groups.
    """
    rows = comparison[comparison.metric == settings.metric].set_index(["predictor", "scheme"])
    auroc = comparison[comparison.metric == "auroc"].set_index(["predictor", "scheme"])
    informed = auroc.low > CHANCE  # where an interval cannot be had, nothing is claimed
    names = dict.fromkeys(rows.index.get_level_values("predictor"))
    grouped = [name for name in names if name not in SENSORLESS and (name, "importance") in rows.index]
    p_random = random_p(rows["mean"], grouped)
    alpha, family = settings.level, max(1, rows.p_holm.notna().sum())
    unaided = rows["mean"][[name in SENSORLESS for name in rows.index.get_level_values("predictor")]].dropna()
    findings = []
    for name in grouped:
        found = _finding(name, rows.loc[name], informed.loc[name], p_random[name], alpha)
        users = rows.users[name, "importance"]
        if found["says"] == "unclear" and family * 2.0 ** (1 - users) >= alpha:
            # Even if all of them were better, Wilcoxon's p after Holm would not be below the level.
            found["says"] = "few"
        if len(unaided) and found["shared"] is not None and unaided.max() >= found["shared"]:
            blind, scheme = unaided.idxmax()
            says = f"no better than {blind} ({scheme}), which sees no sensor: {unaided.max():.3f}."
            found["sentence"] += f" One model for everyone is {says}"
        findings.append(found)
    return {
        "metric": settings.metric,
        "headline": _headline(findings, by_user.user.nunique() - 1),
        "findings": findings,
        "leak": leak_check(by_user, rows, informed, settings),
        "limits": (UNCLEAN if "test" in parts else CLEAN) + LIMITS,
    }


def random_p(means: pd.Series, predictors: list[str]) -> dict[str, float | None]:
    """By predictor, the permutation p-value of importance groups among random ones, corrected for several predictors.

    Every random grouping served all predictors; a predictor's gain is held against the greatest that any of them has
    in each (single-step maximum of Westfall and Young, 1993). None without random groupings. With one predictor it is
    the share of random groupings that do as well.
    """
    table = means[means.index.get_level_values("scheme").str.fullmatch(r"importance|random-\d+")].unstack("predictor")
    if not predictors:
        return {}
    tried = [name for name in predictors if name in table and table[name].notna().all() and len(table) > 1]
    scores = table[tried]
    scores = (scores - scores.mean()) / scores.std(ddof=0).replace(0, np.nan)
    greatest = scores.drop(index="importance").max(axis=1).to_numpy()
    return {name: permutation_p(scores[name]["importance"], greatest) if name in tried else None for name in predictors}


def _finding(
    predictor: str, rows: pd.DataFrame, informed: pd.Series, p_random: float | None, alpha: float
) -> dict[str, Any]:
    """What importance groups did to one predictor, against one model for everyone and against the control groups."""
    grouped, shared = rows.loc["importance"], rows.loc["global"]
    drawn = rows["mean"][rows.index.str.startswith("random")].dropna().to_numpy()
    clear = grouped.p_holm < alpha  # a p-value that cannot be had (fewer than two users) carries no claim
    if clear and grouped.difference_low > 0:
        if p_random is not None and p_random < alpha:
            says = "helps"
        else:
            says = "any" if 1 / (1 + len(drawn)) < alpha else "untested"
    else:
        says = "hurts" if clear and grouped.difference_high < 0 else "unclear"
    difference = interval(grouped.difference, grouped.difference_low, grouped.difference_high)
    sentence = (
        f"{predictor}: {grouped['mean']:.3f} in importance groups, {shared['mean']:.3f} as one model for everyone, "
        f"difference {difference}, p = {_p(grouped.p_holm)} (Holm), better for "
        f"{grouped.users_better} of {grouped.users:.0f} users"
    )
    if len(drawn):
        sentence += f"; in {len(drawn)} random grouping{'s' * (len(drawn) > 1)} of the same sizes {drawn.mean():.3f}"
        sentence += f" ({drawn.min():.3f} to {drawn.max():.3f})" * (len(drawn) > 1) + f", p = {_p(p_random)}"
    if "raw" in rows.index:
        sentence += f"; in groups by raw features {rows['mean']['raw']:.3f}"
    sentence += "."
    if not (informed["importance"] or informed["global"]):
        sentence += " Neither is clearly better than chance (AUROC)."
    return {
        "predictor": predictor,
        "says": says,
        "shared": plain(shared["mean"]),
        "grouped": plain(grouped["mean"]),
        "difference": plain(grouped.difference),
        "p_holm": plain(grouped.p_holm),
        "random_groupings": len(drawn),
        "random": plain(drawn.mean()) if len(drawn) else None,
        "p_random": p_random,
        "sentence": sentence,
    }


def interval(value: float, low: float, high: float) -> str:
    """A difference with its interval, where there is one."""
    return f"{value:+.3f}" + ("" if np.isnan(low) else f" [{low:+.3f}, {high:+.3f}]")


def _headline(findings: list[dict[str, Any]], users: int) -> str:
    if not findings:
        return "The run has no predictor under the importance scheme, so it says nothing about grouping."
    by: dict[str, list[str]] = {}
    for finding in findings:
        by.setdefault(finding["says"], []).append(finding["predictor"])
    names = {says: ", ".join(predictors) for says, predictors in by.items()}
    words = {
        "helps": "Grouping people by importance helped {}: better than one model for everyone, and than random groups.",
        "any": "Importance groups did better than one model for everyone with {}, but not clearly better than random "
        "groups of the same sizes: that is no gain by importance.",
        "untested": "Importance groups did better than one model for everyone with {}; whether importance is the "
        "reason is not tested, for that takes more random groupings (groups.random).",
        "hurts": "Grouping people by importance made {} worse.",
        "unclear": "No clear difference with {}.",
    }
    if list(by) == ["unclear"]:
        return "Grouping people by importance made no clear difference."
    if "few" in by:
        words["few"] = f"Whether grouping helps {{}} cannot be told with {users} {'people' if users > 1 else 'person'}."
    return " ".join(text.format(names[says]) for says, text in words.items() if says in names)


def leak_check(by_user: pd.DataFrame, rows: pd.DataFrame, informed: pd.Series, settings: Compare) -> dict[str, Any]:
    """Whether a predictor that sees no sensor does as well as the best that does: then the split gives labels away.

    Of each kind the best scheme by the mean over users is taken. A blind predictor that is no better than chance gives
    nothing away, however weak the sensor models are.
    """
    people = by_user[by_user.user != EVERYONE].pivot(
        index="user", columns=["predictor", "scheme"], values=settings.metric
    )
    drawn = rows.index.get_level_values("scheme").str.startswith("random")
    names = rows.index.get_level_values("predictor")
    sensor, blind = rows["mean"][~names.isin(SENSORLESS) & ~drawn], rows["mean"][names.isin(BLIND) & ~drawn]
    if sensor.isna().all() or blind.isna().all() or len(people) < 2:
        return {
            "says": "unchecked",
            "sentence": "Leaks were not checked: that takes two users, and nearest_minute or clock.",
        }
    best, rival = sensor.idxmax(), blind.idxmax()
    lead = (people[rival] - people[best]).dropna().to_numpy()
    low, high = bootstrap_interval(lead, settings)
    numbers = (
        f"{rival[0]} ({rival[1]}), which sees no sensor, scores {blind[rival]:.3f}; the best sensor model, "
        f"{best[0]} ({best[1]}), {sensor[best]:.3f}; difference {interval(lead.mean(), low, high)}."
    )
    if not (informed[best] or informed[rival]):
        says, words = "nothing", "Nothing was learned: no model is clearly better than chance. "
    elif high < 0:
        says, words = "holds", "No leak is seen: without sensors the label is told clearly worse. "
    elif informed[rival]:
        says, words = "leaks", "This split leaks: time alone tells the label as well as the sensors do. "
    else:
        says, words = "unclear", "No leak is seen, but the sensors are not clearly better than what knows nothing. "
    return {"says": says, "sentence": words + numbers, "difference": plain(lead.mean()), "high": plain(high)}


def _p(value: float | None) -> str:
    return "–" if value is None or np.isnan(value) else f"{value:.3f}" if value >= 0.001 else "below 0.001"
