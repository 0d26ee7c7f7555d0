"""The conclusion of a comparison: whether groups by importance help, and whether the split leaks.

Groups by importance help a predictor if they beat one global model, and distinct random groups of the same sizes
(permutation p-value): smaller groups may help, however they are formed. A difference is practically 0 if its interval
lies within a margin; otherwise, without a clear difference, the comparison is undecided.
"""

from collections.abc import Iterator
from typing import Any, NamedTuple

import numpy as np
import pandas as pd

from lifelog.intervals import CHANCE, Estimate, estimate_mean, holm, permutation_p
from lifelog.settings.compare import Compare
from lifelog.settings.predict import sensorless, time_only
from lifelog.tables import plain

MEASURED = 0.5  # minimum share of users whose importance is measured
MAX_WORDS = 16  # of the headline, which the report shows after target and split
LIMITS = (
    "The results apply to these participants, windows and models. "
    "They do not show that a sensor measures what is predicted."
)
CLEAN = "Test windows were not used for grouping, training or model selection. "
UNCLEAN = "Groups were formed from the test windows on which they are evaluated (groups.subsets). "

NOT_SCORED = "Nothing is scored: no participant has test windows of two classes."

# By outcome: its name in tables, and the statement about a predictor with it.
OUTCOMES = {
    "gain": ("better", "Groups by importance improve {name}, more than random groups do."),
    "gain_not_shown": (
        "better, reason not shown",
        "Groups by importance improve {name}; that importance is the reason is not shown.",
    ),
    "gain_untested": (
        "better, reason untested",
        "Groups by importance improve {name}; too few random groupings to test the reason.",
    ),
    "loss": ("worse", "Groups by importance worsen {name}."),
    "equal": ("practically equal", "Groups by importance and one model are practically equal for {name}."),
    "undecided": ("undecided", "Undecided for {name}: a difference below {detectable} may be missed."),
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
    exploratory: bool = False,
    decision: dict[str, Any] | None = None,
    leak: dict[str, Any] | None = None,
) -> dict[str, Any]:
    """Draw the conclusion of a comparison.

    Parameters
    ----------
    by_user : pandas.DataFrame
        Scores of users, of `score_users`.
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
    exploratory : bool, default False
        Whether this is not the comparison of the primary test.
    decision : dict, optional
        Result of `lifelog.evaluate.decision.decide`.
    leak : dict, optional
        Result of `leak_check`; computed by default.

    Returns
    -------
    dict
        For JSON: metric, primary predictor, exploratory, headline, one finding per predictor, decision, leak
        check, users without a score, limits.
    """
    rows = comparison[comparison.metric == settings.metric].set_index(["predictor", "scheme"])
    auroc = comparison[comparison.metric == "auroc"].set_index(["predictor", "scheme"])
    findings = _findings(rows, auroc.low > CHANCE, settings, primary)  # False without an interval
    leak = leak or leak_check(by_user, primary, settings)
    concluded = headline(findings, primary, grouping) if findings else _without_groups(auroc, primary)
    concluded = concluded if by_user[settings.metric].notna().any() else NOT_SCORED
    return {
        "metric": settings.metric,
        "primary": primary,
        "exploratory": exploratory,
        "headline": leak["words"] if leak["outcome"] == "leak" else concluded,
        "findings": findings,
        "decision": decision,
        "leak": leak,
        "left_out": left_out(by_user, settings.metric),
        "limits": (UNCLEAN if "test" in subsets else CLEAN) + LIMITS,
    }


def _findings(rows: pd.DataFrame, informed: pd.Series, settings: Compare, primary: str | None) -> list[dict[str, Any]]:
    """Return one finding per sensor-based predictor with importance groups."""
    baselines = rows["mean"][rows.index.get_level_values("predictor").isin(sensorless())].dropna()
    findings = [_finding(name, rows.loc[name]) for name in _sensor_models(rows) if (name, "importance") in rows.index]
    # The p-values of a gain are corrected for the number of predictors, except for the primary one.
    p_gain = pd.Series({finding["predictor"]: _p_gain(finding) for finding in findings}, dtype=float)
    others = p_gain.drop(index=[primary], errors="ignore").dropna()
    p_gain.update(holm(others))
    for finding in findings:
        name = finding["predictor"]
        finding["p_gain"] = plain(p_gain[name])
        # The smallest p-value that the random groupings allow.
        finding["p_gain_smallest"] = (1 if name == primary else max(1, len(others))) / (1 + finding["random_groupings"])
        finding["outcome"] = _outcome(finding, settings)
        finding["better_than_chance"] = bool(informed[name, "importance"] or informed[name, "global"])
        finding["sensorless"] = None
        if len(baselines) and finding["global"] is not None and baselines.max() >= finding["global"]:
            finding["sensorless"] = {"model": " ".join(baselines.idxmax()), "score": plain(baselines.max())}
    return findings


def _sensor_models(rows: pd.DataFrame) -> Iterator[str]:
    """Yield the predictors that see sensors."""
    return (name for name in dict.fromkeys(rows.index.get_level_values("predictor")) if name not in sensorless())


def left_out(by_user: pd.DataFrame, metric: str) -> list[str]:
    """Return the users without a defined score: their test windows hold a single class.

    Parameters
    ----------
    by_user : pandas.DataFrame
        Scores of users, of `score_users`.
    metric : str
        The metric of the verdict.

    Returns
    -------
    list of str
        By name; they are in no mean, difference or test of the metric.
    """
    return sorted(by_user.user[by_user[metric].isna()].unique())


def _finding(predictor: str, rows: pd.DataFrame) -> dict[str, Any]:
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


def _p_gain(finding: dict[str, Any]) -> float:
    """Return the p-value of a gain by importance: the larger one of both tests."""
    if None in (finding["p"], finding["p_random"]):
        return np.nan
    return float(max(finding["p"], finding["p_random"])) if finding["difference"] > 0 else 1.0


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
        return "gain_not_shown" if finding["p_gain_smallest"] < settings.level else "gain_untested"
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
        return "Importance forms one group, whose model is the global one: nothing to compare."
    return statement(finding)


def _without_groups(auroc: pd.DataFrame, primary: str | None) -> str:
    """Return the conclusion where no groups are compared: whether one model is better than chance."""
    models = [(name, "global") for name in (primary, *_sensor_models(auroc)) if (name, "global") in auroc.index]
    if not models:
        return "No predictor that sees sensors was trained."
    row, (name, _) = auroc.loc[models[0]], models[0]
    known = f" [{row.low:.2f}, {row.high:.2f}]" if row.low == row.low else ""
    skill = "better" if row.low > CHANCE else "not clearly better"
    return f"One model of all participants ({name}): AUROC {row['mean']:.2f}{known}, {skill} than chance."


def statement(finding: dict[str, Any]) -> str:
    """Return the sentence about a finding."""
    detectable = finding["detectable"]
    shown = "–" if detectable is None else f"{detectable:.2f}"
    return OUTCOMES[finding["outcome"]][1].format(name=finding["predictor"], detectable=shown)


SKILLS = {"auroc": "AUROC - 0.5", "balanced_accuracy": "balanced accuracy, minus that of guessing"}


def leak_check(by_user: pd.DataFrame, primary: str | None, settings: Compare) -> dict[str, Any]:
    """Compare models that see only time stamps with chance, and with a sensor model of all users.

    A split leaks if time stamps alone predict the label, and the sensor model is not clearly better. Time stamps
    predict the label if the skill of a model is above 0 by AUROC or by balanced accuracy: AUROC compares only windows
    of the same fold, so that it misses time stamps that show which class a whole fold has. Skill is AUROC minus 0.5, or
    balanced accuracy minus that of guessing. The sensor model is better only if it is so by AUROC and by the metric of
    the verdict: models that predict a single class per window, such as nearest_minute, have a low AUROC for their
    accuracy. Intervals hold for all models that see only time stamps together, for each kind of skill: a missed leak is
    worse than a false alarm.

    Parameters
    ----------
    by_user : pandas.DataFrame
        Scores of users, of `score_users`.
    primary : str or None
        The primary predictor; a fast split may lack it, and its first predictor that sees sensors is used.
    settings : Compare
        Metric and confidence level.

    Returns
    -------
    dict
        outcome (leak, time_informative, no_leak, not_checked), words, sentence (words with numbers), and `models`: of
        each model that sees only time stamps, `by` (auroc or balanced_accuracy, the one by which its skill is clearer),
        that skill with interval, the same skill of the sensor model, and the share of it that time alone has, None if
        the sensor model is not clearly better than chance.
    """
    users = by_user.pivot(index="user", columns=["predictor", "scheme"])
    scored = [column for column in users["auroc"].columns if users["balanced_accuracy"][column].count() > 1]
    timed = [column for column in scored if column[0] in time_only() and not column[1].startswith("random")]
    seen = [name for name in dict.fromkeys(by_user.predictor) if name not in sensorless()]
    predictor = primary if primary in seen else next(iter(seen), None)
    if not timed or (predictor, "global") not in scored:
        words = "Leaks were not checked: this needs two participants, a sensor model and one of time stamps."
        return {"outcome": "not_checked", "words": words, "sentence": words, "models": []}
    models = [_timed_model(users, column, (str(predictor), "global"), len(timed), settings) for column in timed]
    informative = [model for model in models if model["low"] > 0]
    shown = max(informative or models, key=lambda model: model["low"])
    share = "" if shown["share"] is None else f", {shown['share']:.0%} of that of {predictor}"
    of_shown = f"{shown['model']}: skill {interval(shown['skill'], shown['low'], shown['high'])}{share}"
    if not informative:
        outcome, words = "no_leak", "No leak is shown: time stamps alone do not clearly predict the label"
    elif all(model["sensors_better"] for model in informative):
        outcome, words = "time_informative", f"Time stamps alone predict the label, but {predictor} predicts it better"
    else:
        outcome = "leak"
        words = f"This split may leak: time stamps alone predict the label, and {predictor} is not clearly better"
    sentence = f"{words} ({of_shown}; skill is {SKILLS[shown['by']]})."
    return {"outcome": outcome, "words": f"{words}.", "sentence": sentence, "models": models}


def _timed_model(
    users: pd.DataFrame, column: tuple[str, str], sensor: tuple[str, str], models: int, settings: Compare
) -> dict[str, Any]:
    """Return the skill of a model that sees only time stamps, and of the sensor model, for `leak_check`."""
    skills = {"auroc": users["auroc"] - CHANCE, "balanced_accuracy": users["balanced_accuracy"] - 1 / users["classes"]}

    def estimate(by: str, model: tuple[str, str], comparisons: int = 1) -> Estimate:
        return estimate_mean(skills[by][model].dropna().to_numpy(), settings.confidence, comparisons)

    alone = {by: estimate(by, column, models) for by in skills}
    by, clearest = max(alone.items(), key=lambda item: np.nan_to_num(item[1].low, nan=-np.inf))
    metrics = users["auroc"], users[settings.metric]
    leads = [(scores[sensor] - scores[column]).dropna().to_numpy() for scores in metrics]
    # Without windows of two classes in a fold there is no AUROC, and the metric alone is compared.
    better = all(estimate_mean(lead, settings.confidence, models).low > 0 for lead in leads if len(lead) > 1)
    of_sensor = estimate(by, sensor)
    return {
        "model": " ".join(column),
        "by": by,
        "skill": plain(clearest.mean),
        "low": plain(clearest.low),
        "high": plain(clearest.high),
        "sensor_skill": plain(of_sensor.mean),
        "share": plain(clearest.mean / of_sensor.mean) if of_sensor.low > 0 else None,
        "sensors_better": better,
    }


def interval(value: float, low: float | None, high: float | None) -> str:
    """Return a difference with its interval, if there is one."""
    known = low is not None and high is not None and not np.isnan(low)
    return f"{value:+.3f}" + (f" [{low:+.3f}, {high:+.3f}]" if known else "")
