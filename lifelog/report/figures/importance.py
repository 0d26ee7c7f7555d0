"""The figures of the importance page."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import matplotlib.pyplot as plt
import pandas as pd
import seaborn as sns
from matplotlib.patches import Rectangle
from matplotlib.ticker import MaxNLocator

from lifelog.groups.vectors import user_vectors
from lifelog.mil.measures import MEASURES
from lifelog.registry import Registry
from lifelog.report.style import SEQUENTIAL, colours, long, markers, rows_height, save, style


@dataclass(frozen=True)
class ImportanceTables:
    """Importance and deletion curves of all users, the subsets that form the groups, and planted modalities by user."""

    importance: pd.DataFrame
    deletion: pd.DataFrame
    subsets: list[str]
    planted: dict[str, list[str]]


def plot_measure(measure: str, tables: ImportanceTables, path: str | Path) -> None:
    """Plot the mean importance by one measure, users by modalities; frames mark planted modalities."""
    vectors = user_vectors(tables.importance, measure, tables.subsets)
    planted, label = tables.planted, MEASURES[measure].label
    with style():
        figure, ax = plt.subplots(figsize=(7.5, rows_height(len(vectors))))
        shown = vectors.round(2) + 0.0  # no -0.00
        sns.heatmap(shown, ax=ax, cmap=SEQUENTIAL, annot=True, fmt=".2f", linewidths=0.5, cbar_kws={"label": label})
        for row, user in enumerate(vectors.index):
            for modality in planted.get(str(user), []):
                if modality in vectors.columns:
                    x = list(vectors.columns).index(modality)
                    ax.add_patch(Rectangle((x + 0.04, row + 0.06), 0.92, 0.88, fill=False, ec="#d55e00", lw=2))
        ax.set(xlabel="modality" + (" (framed: planted)" if planted else ""), ylabel="user")
        ax.tick_params(axis="y", rotation=0)
        data = long(vectors, "importance")
        if planted:
            data["planted"] = [row.modality in planted.get(row.user, []) for row in data.itertuples()]
        save(figure, path, data)


def plot_deletion(tables: ImportanceTables, path: str | Path) -> None:
    """Plot the decrease of the predicted class's likelihood as modalities are removed, mean over users, per order."""
    test = tables.deletion[tables.deletion.subset == "test"]
    users = test.groupby(["order", "removed", "user"]).decrease.mean().reset_index()
    orders = sorted(set(users.order))
    with style():
        figure, ax = plt.subplots(figsize=(6, 3.2))
        looks = zip(orders, colours(len(orders)), markers(len(orders)), strict=True)
        for number, (order, colour, marker) in enumerate(looks):
            line = ":" if order == "random" else ("--", "-", "-.")[number % 3]
            own = users[users.order == order].groupby("removed").decrease
            mean, error = own.mean(), own.sem().fillna(0)
            ax.fill_between(mean.index, mean - error, mean + error, color=colour, alpha=0.15, lw=0)
            ax.plot(mean.index, mean, color=colour, ls=line, marker=marker, markersize=4, label=order)
        ax.set(xlabel="number of removed modalities", ylabel="decrease of log-likelihood (nats)")
        ax.xaxis.set_major_locator(MaxNLocator(integer=True))
        ax.legend(fontsize="small", title="order (band: standard error over users)")
        save(figure, path, users)


FIGURES: Registry[Callable[[ImportanceTables, str | Path], None]] = Registry(
    "figure", {**{measure: partial(plot_measure, measure) for measure in MEASURES}, "deletion": plot_deletion}
)
