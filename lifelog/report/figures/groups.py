"""The figures of the groups page."""

from collections.abc import Callable
from dataclasses import dataclass

import matplotlib.pyplot as plt
import pandas as pd
import seaborn as sns
from matplotlib.ticker import MaxNLocator

from lifelog.groups.clustering import ALGORITHMS
from lifelog.registry import Registry
from lifelog.report.style import MAX_VECTOR_MARKS, Drawing, colours, long, markers, style

MAX_POINTS = 5000  # of an embedding


@dataclass(frozen=True)
class GroupTables:
    """Mean importance of users with its label, importance groups, scores of numbers of groups, t-SNE of windows."""

    vectors: pd.DataFrame
    label: str
    groups: pd.DataFrame
    scores: pd.DataFrame
    tsne: pd.DataFrame


def plot_group_importance(tables: GroupTables) -> Drawing:
    """Plot the importance of modalities in each group: bars are means over users, dots are users."""
    of = tables.groups.set_index("user").group
    data = long(tables.vectors, "importance")
    data["group"] = data.user.map(of)
    names = sorted(set(of))
    with style():
        size = (7.5, 1.2 + 1.5 * len(names))
        figure, axes = plt.subplots(len(names), figsize=size, sharex=True, sharey=True, squeeze=False)
        for ax, name, colour in zip(axes[:, 0], names, colours(len(names)), strict=True):
            of_group = data[data.group == name]
            sns.barplot(of_group, x="modality", y="importance", ax=ax, color=colour, alpha=0.6, errorbar=None)
            sns.stripplot(of_group, x="modality", y="importance", ax=ax, color="0.2", size=3, jitter=0.15)
            members = ", ".join(sorted(of_group.user.unique()))
            title = f"{name}: {of_group.user.nunique()} users" + (f" ({members})" if len(members) < 80 else "")
            ax.set(title=title, xlabel="", ylabel="")
        figure.supylabel(tables.label)
        axes[-1, 0].set_xlabel("modality")
        return figure, data


def plot_cluster_scores(tables: GroupTables) -> Drawing:
    """Plot silhouette, stability and entropy by number of clusters; a ring marks the chosen number."""
    scores = tables.scores
    with style():
        figure, axes = plt.subplots(1, 3, figsize=(8.5, 2.8))
        palette = dict(zip(ALGORITHMS, colours(len(ALGORITHMS)), strict=True))
        labels = {
            "silhouette": "silhouette (higher: clearer)",
            "stability": "stability under resampling\n(adjusted Rand index)",
            "entropy": "entropy within users\n(nats, summed)",
        }
        for ax, (measure, label) in zip(axes, labels.items(), strict=True):
            for algorithm, line in scores.groupby("algorithm"):
                # Algorithms often agree: the wide line is visible under the dashed one.
                look = {"lw": 4, "marker": "s"} if algorithm == "agglomerative" else {"ls": "--", "marker": "o"}
                ax.plot(line.k, line[measure], color=palette[algorithm], label=algorithm, markersize=4, **look)
            chosen = scores[scores.chosen]
            ax.plot(chosen.k, chosen[measure], "o", ms=13, mfc="none", mec="0.2", label="chosen")
            ax.set(xlabel="number of clusters k", ylabel=label)
            ax.xaxis.set_major_locator(MaxNLocator(integer=True))
        axes[0].legend(fontsize="small")
        return figure, scores


def plot_tsne(tables: GroupTables) -> Drawing:
    """Plot the t-SNE of windows by importance and by raw features, coloured by user and by importance group.

    A sample of the windows is drawn if all windows of a large run are embedded.
    """
    of = tables.groups.set_index("user").group
    points = tables.tsne.assign(group=tables.tsne.user.map(of))
    if len(points) > 2 * MAX_POINTS:
        points = points.groupby("space").sample(MAX_POINTS, random_state=0).sort_index()
    titles = {"importance": "importance vectors", "raw": "raw summary features"}
    with style():
        figure, axes = plt.subplots(2, 2, figsize=(8.5, 7.2), sharex="row", sharey="row")
        for row, (space, title) in enumerate(titles.items()):
            for ax, by in zip(axes[row], ("user", "group"), strict=True):
                of_space, names = points[points.space == space], sorted(set(points[by]))
                look = {"s": 12, "linewidths": 0, "rasterized": len(of_space) > MAX_VECTOR_MARKS}
                for name, colour, marker in zip(names, colours(len(names)), markers(len(names)), strict=True):
                    subset = of_space[of_space[by] == name]
                    ax.scatter(subset.x, subset.y, color=colour, marker=marker, label=name, **look)
                ax.set(title=f"{title}, by {by}", xticks=[], yticks=[])
                if row == 0:
                    ax.legend(fontsize="x-small", ncols=2 if len(names) > 6 else 1, loc="best", markerscale=1.2)
        figure.supxlabel("t-SNE 1 (no unit)")
        figure.supylabel("t-SNE 2 (no unit)")
        return figure, points.round({"x": 2, "y": 2})


FIGURES: Registry[Callable[[GroupTables], Drawing]] = Registry(
    "figure", {"group_importance": plot_group_importance, "cluster_scores": plot_cluster_scores, "tsne": plot_tsne}
)
