"""One sentence per figure, from its data, as the text alternative for readers who cannot see it."""

from collections.abc import Callable, Hashable, Iterable
from typing import Any

import pandas as pd

from lifelog.evaluate.verdict import interval
from lifelog.importance.measures import MEASURES
from lifelog.registry import Registry

MAX_ENTRIES = 40  # of a list in a sentence


def measure_name(measure: str) -> str:
    """Return the name of an importance measure in text: its label without the unit."""
    return MEASURES[measure].label.partition(" (")[0]


def describe(name: str, data: pd.DataFrame) -> str:
    """Return a sentence about a figure from its data."""
    return SENTENCES[name](data) if len(data) else "No data."


def _join(entries: list[str]) -> str:
    more = f"; and {len(entries) - MAX_ENTRIES} more" if len(entries) > MAX_ENTRIES else ""
    return "; ".join(entries[:MAX_ENTRIES]) + more


def _each(form: str, entries: Iterable[tuple[Any, ...]]) -> str:
    return ", ".join(form.format(*entry) for entry in entries)


def _verdict(data: pd.DataFrame) -> str:
    rows = data[data.scheme == "importance"].itertuples()
    numbers = [(r, interval(r.difference, r.difference_low, r.difference_high)) for r in rows]
    entries = [f"{row.where}, {row.predictor}: {difference}" for row, difference in numbers]
    return f"Difference of importance groups to one global model, with interval. {_join(entries)}."


def _yield(data: pd.DataFrame) -> str:
    least = data.loc[data.usable_share.idxmin()]
    return (
        f"Usable windows by participant and modality: {data.usable_share.mean():.0%} on average, minimum "
        f"{least.usable_share:.0%} for {least.modality} of participant {least.user}."
    )


def _top(data: pd.DataFrame, by: Hashable) -> str:
    tops = {name: rows.nlargest(2, "importance") for name, rows in data.groupby(by, sort=False)}
    shares = {name: top[["modality", "importance"]].itertuples(index=False) for name, top in tops.items()}
    return _join([f"{name}: {_each('{} {:.2f}', of_name)}" for name, of_name in shares.items()])


def _importance(data: pd.DataFrame) -> str:
    return f"The two most important modalities of each participant. {_top(data, 'user')}."


def _shapley_intervals(data: pd.DataFrame) -> str:
    known = data[data.shapley.notna()]
    clear = known[known.matters.eq(True)]
    counts = _each("{} {}", clear.modality.value_counts().items())
    return f"{len(clear)} of {len(known)} modalities matter{': ' if counts else ''}{counts}."


def _group_importance(data: pd.DataFrame) -> str:
    means = data.groupby(["group", "modality"], sort=False).importance.mean().reset_index()
    return f"The two most important modalities of each group, mean over its participants. {_top(means, 'group')}."


def _deletion(data: pd.DataFrame) -> str:
    means = data.groupby("order").decrease.mean()
    entries = _join([f"{order} {decrease:.2f} nats" for order, decrease in means.items()])
    return f"Decrease of log-likelihood, mean over numbers of removed modalities: {entries}"


def _cluster_scores(data: pd.DataFrame) -> str:
    rows = [f"{r.algorithm}, k {r.k}: {r.silhouette:.2f}" for r in data.itertuples()]
    chosen = data[data.chosen]
    choice = f" Chosen: {chosen.algorithm.iloc[0]}, k {chosen.k.iloc[0]}." if len(chosen) else ""
    return f"Silhouette by number of clusters. {_join(rows)}.{choice}"


def _tsne(data: pd.DataFrame) -> str:
    spaces = _each("{1} windows by {0}", data.groupby("space").size().items())
    users = f"{data.user.nunique()} participants in {data.group.nunique()} groups"
    return f"Points in two dimensions: {spaces}; {users}, by colour."


def _comparison(data: pd.DataFrame) -> str:
    means = data[~data.scheme.str.startswith("random")].groupby("predictor", sort=False)[["scheme", "mean"]]
    entries = [f"{name}: {_each('{} {:.3f}', rows.itertuples(index=False))}" for name, rows in means]
    return f"Means over participants. {_join(entries)}."


def _strategies(data: pd.DataFrame) -> str:
    rows = data[data.panel == "strategies"].itertuples()
    entries = [f"{row.predictor} {row.strategy} {row.mean:.3f}" for row in rows]
    last = data[data.panel == "curve"].groupby("strategy").tail(1).sort_values("strategy").itertuples()
    curve = [f"{row.strategy} {row.mean:.3f} with {row.answers:.0f}" for row in last]
    return f"Means over participants. {_join(entries)}. A new participant with answers: {_join(curve)}."


def _skill(data: pd.DataFrame) -> str:
    entries = [f"{row.way} {100 * row.mean:.0f}" for row in data.itertuples()]
    pairs = "Pairs of windows of different classes ranked rightly, of 100, mean over participants; guessing 50."
    return f"{pairs} {_join(entries)}."


def _reliability(data: pd.DataFrame) -> str:
    entries = []
    for (predictor, when), bins in data.groupby(["predictor", "calibration"], sort=False):
        error = (bins.windows * (bins.predicted - bins.right).abs()).sum() / bins.windows.sum()
        entries.append(f"{predictor} {when} calibration: {error:.3f}")
    return f"Expected calibration error, in probability. {_join(entries)}."


def _risk(data: pd.DataFrame) -> str:
    curves = data.set_index("answered").groupby("strategy", sort=False).wrong
    entries = [
        f"{name}: {curve.loc[0.5]:.0%} of the most certain half, {curve.loc[1.0]:.0%} of all" for name, curve in curves
    ]
    return f"Wrong predictions, mean over participants. {_join(entries)}."


def _confusion(data: pd.DataFrame) -> str:
    right = data.assign(right=data.windows.where(data.true == data.predicted, 0))
    sums = right.groupby(["predictor", "scheme"], sort=False)[["right", "windows"]].sum()
    shares = sums.right / sums.windows.clip(lower=1)
    entries = [f"{predictor}, {scheme}: {share:.0%}" for (predictor, scheme), share in shares.items()]
    return f"Correctly classified windows. {_join(entries)}."


def _dag(data: pd.DataFrame) -> str:
    edges = [f"{rule} feeds {', '.join(rows.feeds)}" for rule, rows in data.groupby("rule", sort=False)]
    return f"The rules. {_join(edges)}."


def _user(data: pd.DataFrame) -> str:
    labels = data[data.panel == "label"]
    text = f"Labels: {_each('{1} {0}', labels.value.value_counts().items())}."
    missing = data[(data.panel == "signal") & (data.series != "used")]
    if len(missing):
        counts = missing.groupby(["value", "series"]).size().nlargest(3)
        text += f" Missing: {_each('{0[0]} {1} ({0[1]})', counts.items())}."
    trained = data[data.panel == "training"]
    if len(trained):
        best = pd.to_numeric(trained.value).groupby(trained.series).max()
        text += f" Best validation score: {_each('seed {} {:.2f}', best.items())}."
    for measure in MEASURES:
        of_measure = data[data.panel == measure]
        if len(of_measure):
            means = pd.to_numeric(of_measure.value).groupby(of_measure.x).mean().nlargest(3)
            text += f" Highest {measure_name(measure)}: {_each('{} {:.2f}', means.items())}."
    return text


def _days(data: pd.DataFrame) -> str:
    days = pd.to_datetime(data.time).dt.normalize().nunique()
    entries = []
    for panel, rows in data[data.panel != "label"].groupby("panel", sort=False):
        medians = pd.to_numeric(rows.value).groupby(rows.series).median()
        entries.append(f"{panel}: " + _each("{} {:.3g}", medians.items()))
    return f"{days} {'day' if days == 1 else 'days'}. Medians by class. {_join(entries)}."


SENTENCES: Registry[Callable[[pd.DataFrame], str]] = Registry(
    "figure",
    {
        "verdict": _verdict,
        "yield": _yield,
        "dag": _dag,
        **dict.fromkeys(MEASURES, _importance),
        "shapley_intervals": _shapley_intervals,
        "deletion": _deletion,
        "group_importance": _group_importance,
        "cluster_scores": _cluster_scores,
        "tsne": _tsne,
        "comparison": _comparison,
        "skill": _skill,
        "strategies": _strategies,
        "reliability": _reliability,
        "risk": _risk,
        "confusion": _confusion,
        "users": _user,
        "days": _days,
    },
)
