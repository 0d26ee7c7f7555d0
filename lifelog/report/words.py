"""What each figure shows in a sentence, from its data, for those who cannot see it."""

from __future__ import annotations

import pandas as pd

from lifelog.verdict import interval

MOST = 40  # entries that a sentence lists


def describe(name: str, data: pd.DataFrame) -> str:
    """A sentence about a figure from the table that lies beside it."""
    return SENTENCES[name](data) if len(data) else "Nothing to show."


def _listed(entries: list[str]) -> str:
    more = f"; and {len(entries) - MOST} more" if len(entries) > MOST else ""
    return "; ".join(entries[:MOST]) + more


def _verdict(data: pd.DataFrame) -> str:
    rows = data[data.scheme == "importance"]
    says = [
        f"{r.where}, {r.predictor}: {interval(r.difference, r.difference_low, r.difference_high)}"
        for r in rows.itertuples()
    ]
    return f"Difference of importance groups to one model for everyone, with interval. {_listed(says)}."


def _yield(data: pd.DataFrame) -> str:
    least = data.loc[data.usable_share.idxmin()]
    return (
        f"Usable minutes by user and modality: {data.usable_share.mean():.0%} in mean, least "
        f"{least.usable_share:.0%} for {least.modality} of user {least.user}."
    )


def _top(data: pd.DataFrame, by: str) -> str:
    tops = [own.nlargest(2, "importance") for _, own in data.groupby(by, sort=False)]
    return _listed(
        [
            f"{top[by].iloc[0]}: " + ", ".join(f"{r.modality} {r.importance:.2f}" for r in top.itertuples())
            for top in tops
        ]
    )


def _importance(data: pd.DataFrame) -> str:
    return f"The two greatest of each user. {_top(data, 'user')}."


def _group_importance(data: pd.DataFrame) -> str:
    means = data.groupby(["group", "modality"], sort=False).importance.mean().reset_index()
    return f"The two greatest of each group, mean over its users. {_top(means, 'group')}."


def _deletion(data: pd.DataFrame) -> str:
    means = data.groupby("order").fall.mean()
    return "Fall of log-likelihood, mean over all numbers taken away: " + _listed(
        [f"{order} {fall:.2f} nats" for order, fall in means.items()]
    )


def _cluster_scores(data: pd.DataFrame) -> str:
    rows = [f"{r.algorithm}, k {r.k}: {r.silhouette:.2f}" for r in data.itertuples()]
    taken = data[data.chosen]
    ends = f" Taken: {taken.algorithm.iloc[0]}, k {taken.k.iloc[0]}." if len(taken) else ""
    return f"Silhouette by number of clusters. {_listed(rows)}.{ends}"


def _embedding(data: pd.DataFrame) -> str:
    counts = data.groupby("space").size()
    of = ", ".join(f"{count} windows by {space}" for space, count in counts.items())
    return f"Points on a plane: {of}; {data.user.nunique()} users in {data.group.nunique()} groups, by colour."


def _comparison(data: pd.DataFrame) -> str:
    rows = data[~data.scheme.str.startswith("random")]
    says = []
    for predictor, own in rows.groupby("predictor", sort=False):
        means = zip(own.scheme, own["mean"], strict=True)
        says.append(f"{predictor}: " + ", ".join(f"{scheme} {mean:.3f}" for scheme, mean in means))
    return f"Means over users. {_listed(says)}."


def _confusion(data: pd.DataFrame) -> str:
    says = []
    for (predictor, scheme), own in data.groupby(["predictor", "scheme"], sort=False):
        right = own.windows[own.true == own.predicted].sum() / max(1, own.windows.sum())
        says.append(f"{predictor}, {scheme}: {right:.0%}")
    return f"Windows whose class is told right. {_listed(says)}."


def _dag(data: pd.DataFrame) -> str:
    feeds = [f"{rule} feeds {', '.join(own.feeds)}" for rule, own in data.groupby("rule", sort=False)]
    return f"The rules. {_listed(feeds)}."


def _person(data: pd.DataFrame) -> str:
    labels = data[data.panel == "label"]
    says = "Labels: " + ", ".join(f"{count} {label}" for label, count in labels.value.value_counts().items()) + "."
    trained = data[data.panel == "training"]
    if len(trained):
        best = pd.to_numeric(trained.value).groupby(trained.series).max()
        says += " Best validation score: " + ", ".join(f"seed {s} {score:.2f}" for s, score in best.items()) + "."
    for method in ("attention", "ablation"):
        own = data[data.panel == method]
        if len(own):
            means = pd.to_numeric(own.value).groupby(own.x).mean().nlargest(3)
            says += f" Greatest {method}: " + ", ".join(f"{name} {value:.2f}" for name, value in means.items()) + "."
    return says


SENTENCES = {
    "verdict": _verdict,
    "yield": _yield,
    "dag": _dag,
    "importance": _importance,
    "ablation": _importance,
    "deletion": _deletion,
    "group_importance": _group_importance,
    "cluster_scores": _cluster_scores,
    "embedding": _embedding,
    "comparison": _comparison,
    "confusion": _confusion,
    "person": _person,
}
